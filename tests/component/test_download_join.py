"""Tracks become a file: what is told meanwhile, what comes of those that change, and what a kill leaves."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import anyio.to_thread
import pytest
from tests.component.test_download_one_clock import ORDER, apart, blocks
from tests.downloaded import download, packets, playlist
from tests.join_process import DEAD
from tests.recordings import segments

from ouzel.base.errors import OutputExists, ToolFailed
from ouzel.cli.texts.sentences import in_chinese
from ouzel.engine.download import mux
from ouzel.engine.ledgers import find
from ouzel.engine.probe import probe
from ouzel.testing.clips import Clip
from ouzel.testing.vod import VodServer

pytestmark = pytest.mark.anyio


def names(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


async def test_killed_at_each_step_the_next_call_makes_the_same_file(tmp_path: Path, clip: Clip) -> None:
    calm = tmp_path / "calm"
    died = 0
    async with VodServer(apart(clip)) as vod:
        url = vod.url("/film.m3u8")
        reference = (await download(url, calm)).path.read_bytes()
        for step in range(0, 60, 6):
            folder = tmp_path / str(step)
            command = [sys.executable, "-m", "tests.join_process", url, str(folder), str(step)]
            ended = await anyio.to_thread.run_sync(lambda command=command: subprocess.run(command, check=False))
            assert ended.returncode in {0, DEAD}
            died += ended.returncode == DEAD
            if (folder / "film.mp4").exists():
                assert (folder / "film.mp4").read_bytes() == reference, "nothing half has the name of the whole"
            done = await download(url, folder)
            assert done.path.read_bytes() == reference, step
            assert names(folder) == ["film.ledger", "film.mp4"], step
    assert died >= 4


async def test_joining_is_told_and_takes_the_file_twice_at_most(
    tmp_path: Path, clip: Clip, monkeypatch: pytest.MonkeyPatch
) -> None:
    most, shares, settle = 0, list[float](), mux._settle  # pyright: ignore[reportPrivateUsage]
    on_line = mux.Mux._on_line  # pyright: ignore[reportPrivateUsage]

    def look(*args: object) -> object:
        nonlocal most
        most = max(most, blocks(tmp_path))
        return settle(*args)  # pyright: ignore[reportArgumentType]

    def told(self: mux.Mux, line: str) -> None:
        self._on_progress = shares.append  # pyright: ignore[reportPrivateUsage]
        on_line(self, line)

    monkeypatch.setattr(mux, "_settle", look)
    monkeypatch.setattr(mux.Mux, "_on_line", told)
    files = apart(clip)
    async with VodServer(files) as vod:
        done = await download(vod.url("/film.m3u8"), tmp_path)
    tracks = sum(len(files[f"/{name}{number}.ts"]) for name in "va" for number in ORDER)
    assert done.path.stat().st_size < most < 2.1 * tracks
    assert shares
    assert shares == sorted(shares)
    assert 0 < shares[-1] <= 1


async def test_what_changes_on_the_way_is_published_in_parts(tmp_path: Path, clip: Clip, small_clip: Clip) -> None:
    files: dict[str, bytes] = {}
    for name, each in (("a", clip), ("b", small_clip)):
        head, parts = segments(each, "mp4")
        files |= {f"/{name}.mp4": head} | {f"/{name}{number}.m4s": part for number, part in enumerate([*parts][:3])}
    before = {3: '#EXT-X-DISCONTINUITY\n#EXT-X-MAP:URI="b.mp4"'}
    uris = [f"{name}{number}.m4s" for name in "ab" for number in range(3)]
    files["/film.m3u8"] = playlist(uris, head='#EXT-X-MAP:URI="a.mp4"', before=before)
    async with VodServer(files) as vod:
        plain = await download(vod.url("/film.m3u8"), tmp_path / "plain")
        made = await download(vod.url("/film.m3u8"), tmp_path / "made", format="mkv")
    assert names(tmp_path / "plain") == ["film.ledger", "film.mp4", "film_2.ledger", "film_2.mp4"]
    assert names(tmp_path / "made") == ["film.ledger", "film.mkv", "film_2.ledger", "film_2.mkv"]
    assert made.warnings[-1] == "the programme changes on the way: it is in 2 files"
    for path in (plain.path, *plain.tracks, made.path, *made.tracks):
        assert find(path) is not None
        assert (await probe(path)).media_s == pytest.approx(3, abs=0.3)


async def test_a_plain_file_keeps_its_ending_once(tmp_path: Path) -> None:
    async with VodServer({"/s0.bin": packets(9, 1)}) as vod:
        done = await download(vod.url("/s0.bin"), tmp_path, stem="")
    assert done.path.name == "s0.bin"


def test_warnings_are_known_in_chinese() -> None:
    assert in_chinese("the programme changes on the way: it is in 2 files") == "节目中途变化：分为 2 个文件"
    assert in_chinese("the tracks do not share one clock: they were made to begin together") is not None
    assert in_chinese("mp4 cannot take the subtitles /a b/x.ttml: they stay as they are") is not None


def in_two_languages(clip: Clip) -> dict[str, bytes]:
    files = apart(clip)
    line = b'#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="s",NAME="%s",LANGUAGE="%s",URI="a.m3u8"\n'
    lines = line % (b"one", b"en") + line % (b"two", b"zh")
    files["/film.m3u8"] = b"#EXTM3U\n" + lines + files["/film.m3u8"].split(b"\n", 2)[2]
    return files


async def test_the_same_film_with_another_sound_is_not_there_already(tmp_path: Path, clip: Clip) -> None:
    async with VodServer(in_two_languages(clip)) as vod:
        url = vod.url("/film.m3u8")
        first = await download(url, tmp_path, audio=("en",))
        held = find(first.path)
        assert held is not None
        assert held.product is not None
        assert held.product.beside == ("audio en (one)",)
        assert (await download(url, tmp_path, audio=("en",))).fetched_bytes == 0
        with pytest.raises(OutputExists, match=r"\(audio en \(one\), not audio zh \(two\)\)") as told:
            await download(url, tmp_path, audio=("zh",))
        assert in_chinese(str(told.value)) != str(told.value)
        before = first.path.read_bytes()
        other = await download(url, tmp_path, audio=("zh",), stem="")
        assert first.path.read_bytes() == before
    assert other.path.name == "film_2.mp4"


async def test_a_film_without_other_tracks_is_not_there_already(tmp_path: Path, clip: Clip) -> None:
    files = in_two_languages(clip)
    files["/plain/film.m3u8"] = playlist([f"../v{number}.ts" for number in ORDER])
    async with VodServer(files) as vod:
        alone = await download(vod.url("/plain/film.m3u8"), tmp_path)
        vod.requests.clear()
        with pytest.raises(OutputExists, match="exists already"):
            await download(vod.url("/film.m3u8"), tmp_path, audio=("en",))
        assert not [each.path for each in vod.requests if each.path.endswith(".ts")], (
            "it is told before anything is fetched"
        )
    assert names(tmp_path) == ["film.ledger", alone.path.name]


async def test_a_sound_that_did_not_come_into_the_product_is_an_error(
    tmp_path: Path, clip: Clip, monkeypatch: pytest.MonkeyPatch
) -> None:
    maps = mux._maps  # pyright: ignore[reportPrivateUsage]

    def without_the_last(*args: object) -> list[str]:
        options = maps(*args)  # pyright: ignore[reportArgumentType]
        last = len(options) - 1 - options[::-1].index("-map")
        return options[:last]

    monkeypatch.setattr(mux, "_maps", without_the_last)
    async with VodServer(in_two_languages(clip)) as vod:
        with pytest.raises(ToolFailed, match="the product has 1 sounds, its sources 2"):
            await download(vod.url("/film.m3u8"), tmp_path, audio=("en", "zh"))
        assert not (tmp_path / "film.mp4").exists()
        monkeypatch.undo()
        vod.requests.clear()
        done = await download(vod.url("/film.m3u8"), tmp_path, audio=("en", "zh"))
        assert not [each.path for each in vod.requests if each.path.endswith(".ts")], "the tracks were kept"
    assert [each.kind for each in (await probe(done.path)).streams].count("audio") == 2
