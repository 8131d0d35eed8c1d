"""Which tracks a file is made of, where they begin, and what stands in its place already."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import anyio
import pytest
from tests.downloaded import download, downloading, playlist

from ouzel.base.errors import OutputExists, OuzelError, ShortBody, Unsupported
from ouzel.cli.texts.sentences import in_chinese
from ouzel.engine.ledgers import find
from ouzel.engine.probe import probe
from ouzel.model.downloads import DownloadWish
from ouzel.testing.clips import Clip, Tracks
from ouzel.testing.vod import Faults, VodServer

pytestmark = pytest.mark.anyio
CUES = b"WEBVTT\n\n00:01.000 --> 00:02.000\nearly\n\n00:05.000 --> 00:06.000\nlate\n"


def programme(clip: Clip, *, own: str = "de", master: str = "film") -> dict[str, bytes]:
    """Pictures with sound in them (`own`), and English and subtitles apart."""
    files: dict[str, bytes] = {"/cues.vtt": CUES, "/s.m3u8": playlist(["cues.vtt"])}
    kinds: dict[str, Tracks] = {"v": "av" if own else "video", "e": "audio"}
    for name, wanted in kinds.items():
        parts = clip.ts_segments(wanted)
        files |= {f"/{name}{number}.ts": path.read_bytes() for number, path in enumerate(parts)}
        files[f"/{name}.m3u8"] = playlist([f"{name}{number}.ts" for number in range(len(parts))])
    within = f'#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="own",LANGUAGE="{own}",DEFAULT=YES\n' if own else ""
    lines = (
        f"#EXTM3U\n{within}"
        '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="English",LANGUAGE="en",AUTOSELECT=YES,URI="e.m3u8"\n'
        '#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="s",NAME="English",LANGUAGE="en",URI="s.m3u8"\n'
        '#EXT-X-STREAM-INF:BANDWIDTH=1000,CODECS="avc1.64001f,mp4a.40.2",AUDIO="a",SUBTITLES="s"\nv.m3u8\n'
    )
    return {**files, f"/{master}.m3u8": lines.encode()}


def fetched(vod: VodServer) -> set[str]:
    """First letters of the tracks of which segments were asked for."""
    return {name[1] for name in vod.asked if name.endswith(".ts")}


async def said(program: str, *args: str | Path) -> str:
    return (await anyio.run_process([program, "-v", "error", *map(str, args)])).stdout.decode()


async def kinds(path: Path) -> list[str]:
    return [each.kind for each in (await probe(path)).streams]


@pytest.mark.parametrize(
    ("audio", "sounds", "tracks"),
    [
        (("de", "en"), 2, "ve"),
        (("all",), 2, "ve"),
        (("en",), 1, "ve"),
        (("de", "own"), 1, "v"),
        (("en", "en"), 1, "ve"),
    ],
)
async def test_sound_in_the_variant_is_a_language_as_others(
    tmp_path: Path, clip: Clip, audio: tuple[str, ...], sounds: int, tracks: str
) -> None:
    async with VodServer(programme(clip)) as vod:
        done = await download(vod.url("/film.m3u8"), tmp_path, audio=audio, format="mkv")
        assert fetched(vod) == {*tracks}
    assert await kinds(done.path) == ["video", *["audio"] * sounds]
    if sounds == 2:
        told = await said("ffprobe", "-show_entries", "stream_tags=language", "-of", "csv=p=0", done.path)
        assert told.split()[-2:] == ["ger", "eng"]


@pytest.mark.parametrize(
    ("own", "audio", "format_", "found", "tracks"),
    [
        ("", (), "m4a", ["audio"], "e"),
        ("", ("en",), "mp3", ["audio"], "e"),
        ("de", ("en",), "m4a", ["audio"], "e"),
        ("de", (), "m4a", ["audio"], "v"),
        ("de", ("all",), "m4a", ["audio", "audio"], "ve"),
    ],
)
async def test_a_format_without_pictures_takes_the_sound_alone(
    tmp_path: Path, clip: Clip, own: str, audio: tuple[str, ...], format_: str, found: list[str], tracks: str
) -> None:
    async with VodServer(programme(clip, own=own)) as vod:
        done = await download(vod.url("/film.m3u8"), tmp_path, audio=audio, format=format_)
        assert fetched(vod) == {*tracks}, "pictures that nobody wants are not fetched"
    assert await kinds(done.path) == found
    assert done.media_s == pytest.approx(clip.seconds, abs=0.2)


async def test_only_sound_may_be_wished_for_in_a_language(tmp_path: Path, clip: Clip) -> None:
    async with VodServer(programme(clip, own="")) as vod:
        done = await download(vod.url("/film.m3u8"), tmp_path, quality="audio", audio=("en",))
        assert fetched(vod) == {"e"}
    assert await kinds(done.path) == ["audio"]


async def test_subtitles_without_a_clock_stay_with_the_words_when_the_beginning_is_left_out(
    tmp_path: Path, clip: Clip
) -> None:
    files = programme(clip) | {"/s.m3u8": playlist(["cues.vtt"]).replace(b"#EXTINF:1.0", b"#EXTINF:12.0")}
    async with VodServer(files) as vod:
        wished: dict[str, Any] = {"subtitles": ("en",), "from_s": 4.5, "format": "mkv"}
        done = await download(vod.url("/film.m3u8"), tmp_path, **wished)
    text = await said("ffmpeg", "-i", done.path, "-map", "0:s", "-f", "webvtt", "-")
    assert "early" not in text
    (cue,) = [line for line in text.splitlines() if "-->" in line]
    begins_s = float(cue.partition(" ")[0].rpartition(":")[2])
    assert begins_s == pytest.approx(5.0 - 4.0, abs=0.1), "the file begins with the fifth segment"


async def test_subtitles_that_end_before_the_beginning_are_told_and_the_rest_is_fetched(
    tmp_path: Path, clip: Clip
) -> None:
    async with VodServer(programme(clip)) as vod:
        done = await download(vod.url("/film.m3u8"), tmp_path, audio=("de",), subtitles=("en",), from_s=4.5)
    assert done.warnings == ("there are no subtitles en between --from and --to",)
    assert in_chinese(done.warnings[0]) is not None
    assert done.media_s == clip.seconds - 4


@pytest.mark.parametrize(
    ("stands", "wished", "error"),
    [
        ("film.mkv", {"format": "mkv"}, OutputExists),
        ("film.ledger", {"format": "mkv"}, OutputExists),
        ("film.mp4", {}, OutputExists),
        ("other.txt", {"format": "flv"}, Unsupported),
    ],
)
async def test_what_would_fail_in_the_end_is_told_before_anything_is_fetched(
    tmp_path: Path, clip: Clip, stands: str, wished: dict[str, Any], error: type[OuzelError]
) -> None:
    (tmp_path / stands).write_text("mine")
    async with VodServer(programme(clip)) as vod:
        with pytest.raises(error) as told:
            await download(vod.url("/film.m3u8"), tmp_path, audio=("en",), **wished)
        assert fetched(vod) == set()
    assert in_chinese(told.value.message) is not None
    assert [path.name for path in tmp_path.iterdir()] == [stands]  # noqa: ASYNC240


async def test_a_name_that_nobody_gave_gets_a_number_before_anything_is_fetched(tmp_path: Path, clip: Clip) -> None:
    (tmp_path / "v.mkv").write_text("mine")
    async with VodServer(programme(clip)) as vod, downloading() as downloader:
        wish = DownloadWish(vod.url("/v.m3u8"), tmp_path, format="mkv")
        for _ in range(2):  # and the second time it is there
            done = await downloader.run(wish, on_progress=lambda _progress: None)
            assert done.path.name == "v_2.mkv"
        assert all(vod.asked[name] == 1 for name in vod.asked if name.endswith(".ts"))
    assert (tmp_path / "v.mkv").read_text() == "mine"


async def test_what_was_begun_as_it_comes_goes_on_when_its_format_is_named(tmp_path: Path, clip: Clip) -> None:
    files = programme(clip)
    last = max(name for name in files if name.startswith("/v") and name.endswith(".ts"))
    async with VodServer({name: data for name, data in files.items() if name != last}) as vod:
        done = await download(vod.url("/v.m3u8"), tmp_path, allow_gaps=True)
        assert done.path.name == "film.ts"
        done.path.rename(done.path.with_name("film.ts.part"))
        lines = done.path.with_suffix(".ledger").read_bytes().splitlines(keepends=True)
        done.path.with_suffix(".ledger").write_bytes(b"".join(line for line in lines if b'"t":"end"' not in line))
        vod.forget()
        vod.files[last] = files[last]
        done = await download(vod.url("/v.m3u8"), tmp_path, format="ts")
        assert {name for name in vod.asked if name.endswith(".ts")} == {last}
    assert done.path.read_bytes() == b"".join(path.read_bytes() for path in clip.ts_segments("av"))


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
async def test_a_file_whose_length_nobody_tells_comes_as_it_is(tmp_path: Path, clip: Clip, suffix: str) -> None:
    name, film = f"/show{suffix}", clip.file(suffix).read_bytes()
    async with VodServer({name: film}) as vod:
        vod.faults[name] = Faults(chunked=True)
        for fetched_bytes in (len(film), 0):
            done = await download(vod.url(name), tmp_path)
            assert (done.path.read_bytes(), done.fetched_bytes) == (film, fetched_bytes)
        vod.files[name] = film[:-1000]
        with pytest.raises(ShortBody, match=f"of {len(film)} bytes or more"):
            await download(vod.url(name), tmp_path / "less")
    assert [*(tmp_path / "less").iterdir()] == []


async def test_ranges_tell_the_length_that_the_whole_does_not(tmp_path: Path, clip: Clip) -> None:
    film = clip.file(".mp4").read_bytes()
    async with VodServer({"/show.mp4": film}) as vod:
        vod.faults["/show.mp4"] = Faults(unmeasured=True, resets=2, reset_at=100_000)
        done = await download(vod.url("/show.mp4"), tmp_path, from_s=2.0)
        assert done.path.read_bytes() == film
        assert done.warnings == ("--from and --to: a plain file is fetched whole",)
        assert vod.sent("/show.mp4") < 2 * len(film), "what broke off goes on where it was"


async def test_what_cannot_be_heeded_is_told(tmp_path: Path, clip: Clip) -> None:
    async with VodServer(programme(clip)) as vod:
        wished: dict[str, Any] = {"quality": "720p", "audio": ("fr",), "subtitles": ("en", "all"), "key": bytes(16)}
        told = await download(vod.url("/v.m3u8"), tmp_path / "told", **wished)
        silent = await download(
            vod.url("/v.m3u8"), tmp_path / "silent", quality="Best", audio=("all",), subtitles=("all",)
        )
    assert told.warnings == (
        "--quality 720p: there is one quality, and nothing to choose from",
        "--audio fr: there is one sound, and no word about its language",
        "--subs en: there are no subtitles",
        "the key is not used: nothing is encrypted with AES-128",
    )
    assert all(in_chinese(words) != words for words in told.warnings)
    assert silent.warnings == ()
    assert told.path.read_bytes() == silent.path.read_bytes()


async def test_the_variants_own_sound_is_one_of_those_that_make_another_file(tmp_path: Path, clip: Clip) -> None:
    async with VodServer(programme(clip)) as vod:
        url = vod.url("/film.m3u8")
        both = await download(url, tmp_path, audio=("de", "en"))
        held = find(both.path)
        assert held is not None
        assert held.product is not None
        assert held.product.beside == ("audio de (own)", "audio en (English)")
        with pytest.raises(OutputExists):
            await download(url, tmp_path, audio=("en",))
