"""Another format of a closed file: what is in it, and what becomes of the original."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

import anyio
import pytest
from tests.recordings import record

from ouzel.base.errors import (
    BadOption,
    DiskFull,
    FileBusy,
    MediaError,
    OutputExists,
    StorageError,
    ToolFailed,
    Unsupported,
)
from ouzel.engine import convert as convert_module
from ouzel.engine import ledgers
from ouzel.engine.convert import Converted, convert
from ouzel.engine.probe import probe
from ouzel.engine.recipes import plan
from ouzel.engine.sinks.file import CONVERTING
from ouzel.engine.verify import verify
from ouzel.model import ledger
from ouzel.model.flow import Chunk
from ouzel.model.media import Found, StreamFound
from ouzel.model.verdict import FindingCode
from ouzel.system.ffmpeg import Ffmpeg, FfmpegFinder, Need
from ouzel.testing.clips import Clip, make_clip, run_ffmpeg
from ouzel.testing.origin.flv import flv_groups, flv_header, flv_opening

pytestmark = pytest.mark.anyio


@pytest.fixture
def show(tmp_path: Path, clip: Clip) -> Path:
    """A closed recording of twelve seconds, one of them missing."""
    return record(tmp_path, clip, lost=[4])


@pytest.fixture(scope="session")
def ffmpeg() -> FfmpegFinder:
    return FfmpegFinder()


def fresh(tmp_path: Path) -> set[str]:
    return {p.name for p in tmp_path.iterdir()}


async def look(made: Converted, frames: int) -> Found:
    assert made.warnings == ()
    found = await probe(made.path, depth="decode")
    assert found.video is not None
    assert (found.video.packets, found.video.frames, found.video.frames_unordered) == (frames, frames, 0)
    return found


async def test_an_mp4_of_a_recording_with_a_gap(show: Path, clip: Clip, ffmpeg: FfmpegFinder) -> None:
    shares: list[float] = []
    made = await convert(show, "mp4", ffmpeg=ffmpeg, on_progress=shares.append)
    found = await look(made, clip.frames - clip.rate)
    assert [(s.kind, s.codec) for s in found.streams] == [("video", "h264"), ("audio", "aac")]
    assert made.path == show.with_suffix(".mp4")
    assert made.duration_s == pytest.approx(11.0, abs=0.2)
    assert fresh(show.parent) == {"show.ts", "show.mp4", "show.ledger"}
    data = made.path.read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")
    assert (shares, shares[-1]) == (sorted(shares), 1.0)
    assert len(shares) > 2
    held = ledgers.find(made.path)
    assert held is not None
    assert held.product is not None
    assert (held.product.file, held.product.format, held.product.size) == ("show.mp4", "mp4", made.size)
    assert held.product.digest == ledgers.digest(made.path)
    assert [g.at_s for g in held.ledger.gaps] == [4.0]
    original = ledgers.find(show)
    assert original is not None
    assert original.product is None


@pytest.mark.parametrize("target", ["mkv", "flv"])
async def test_every_picture_and_sound_arrives(show: Path, clip: Clip, ffmpeg: FfmpegFinder, target: str) -> None:
    found = await look(await convert(show, target, ffmpeg=ffmpeg), clip.frames - clip.rate)
    assert found.audio is not None
    assert found.audio.codec == "aac"


@pytest.mark.parametrize(("target", "codec"), [("m4a", "aac"), ("mp3", "mp3")])
async def test_sound_alone(show: Path, ffmpeg: FfmpegFinder, target: str, codec: str) -> None:
    found = await probe((await convert(show, target, ffmpeg=ffmpeg)).path)
    assert [(s.kind, s.codec) for s in found.streams] == [("audio", codec)]


async def test_hevc_gets_the_tag_that_apple_plays(clip_folder: Path, tmp_path: Path, ffmpeg: FfmpegFinder) -> None:
    hevc = make_clip(clip_folder, seconds=4, size="160x96", gop_s=1, video="hevc", audio=False)
    made = await convert(hevc.file(".ts"), "mp4", out=tmp_path / "show.mp4", ffmpeg=ffmpeg)
    assert b"hvc1" in made.path.read_bytes()


async def test_the_hevc_of_chinese_cdns_is_read(clip_folder: Path, tmp_path: Path, ffmpeg: FfmpegFinder) -> None:
    hevc = make_clip(clip_folder, seconds=4, size="160x96", gop_s=1, video="hevc")
    source = tmp_path / "show.flv"
    groups = flv_groups(hevc, "legacy")
    tags = b"".join(bytes(g.cut(0, len(g.times_ms), base_ms=1000, mark=b"")) for g in groups)
    source.write_bytes(flv_header(audio=True) + flv_opening(hevc, "legacy", 1000) + tags)
    made = await convert(source, "mp4", ffmpeg=ffmpeg)
    assert made.warnings == ()
    found = await probe(made.path, depth="decode")
    assert found.video is not None
    assert (found.video.codec, found.video.frames, found.video.errors) == ("hevc", hevc.frames, 0)


class OldAtHand(FfmpegFinder):
    """Finds FFmpeg 5.1 first, and behind it whatever is fit for what is needed."""

    async def find(self, need: Collection[Need] = ()) -> Ffmpeg:
        found = await super().find(need)
        return found if need else replace(found, version="5.1.9", libavformat=(59, 27))


async def test_the_original_stays_when_the_product_cannot_be_read_here(
    clip_folder: Path, tmp_path: Path, clip: Clip
) -> None:
    hevc = make_clip(clip_folder, seconds=4, size="160x96", gop_s=1, video="hevc", audio=False)
    source = record(tmp_path, hevc)
    made = await convert(source, "flv", keep_original=False, ffmpeg=OldAtHand())
    assert not made.readable
    assert any("(5.1.9) cannot read hevc in FLV" in words for words in made.warnings)
    assert made.warnings[-1] == f"{source} is kept therefore"
    assert fresh(tmp_path) == {"show.ts", "show.flv", "show.ledger"}
    plain = record(tmp_path, clip, name="plain")
    assert (await convert(plain, "flv", keep_original=False, ffmpeg=OldAtHand())).readable
    assert not plain.exists()


async def test_sound_that_the_format_cannot_hold_is_encoded(tmp_path: Path, ffmpeg: FfmpegFinder) -> None:
    telephone = tmp_path / "camera.mkv"
    run_ffmpeg("ffmpeg", ["-f", "lavfi", "-i", "sine=r=8000:d=2", "-c:a", "pcm_alaw", str(telephone)])
    made = await convert(telephone, "mp4", ffmpeg=ffmpeg)
    audio = (await probe(made.path)).audio
    assert audio is not None
    assert (audio.codec, audio.sample_rate) == ("aac", 8000)


@pytest.mark.parametrize("target", ["mp4", "mkv"])
async def test_the_codecs_of_television_are_known_by_the_names_of_the_product(
    clip: Clip, tmp_path: Path, ffmpeg: FfmpegFinder, target: str
) -> None:
    source = tmp_path / "show.ts"
    command = ["-i", str(clip.file(".ts")), "-t", "4", "-c:v", "mpeg2video", "-c:a", "mp2", str(source)]
    run_ffmpeg("ffmpeg", command)
    made = await convert(source, target, ffmpeg=ffmpeg)
    found = await look(made, 4 * clip.rate)
    assert found.audio is not None
    assert (found.audio.codec, found.audio.errors) == ("mp3" if target == "mp4" else "mp2", 0)
    with pytest.raises(Unsupported, match="mpeg2video video cannot be carried in FLV"):
        await convert(source, "flv", ffmpeg=ffmpeg)
    assert fresh(tmp_path) == {"show.ts", f"show.{target}"}


async def test_elsewhere_it_gets_a_ledger_of_its_own(show: Path, tmp_path: Path, ffmpeg: FfmpegFinder) -> None:
    (tmp_path / "films").mkdir()
    before = show.with_suffix(".ledger").read_bytes()
    made = await convert(show, "mkv", out=tmp_path / "films" / "evening.mkv", ffmpeg=ffmpeg)
    held = ledgers.find(made.path)
    assert held is not None
    assert held.product is not None
    assert len(held.ledger.gaps) == 1
    assert show.with_suffix(".ledger").read_bytes() == before


async def test_the_original_goes_when_the_product_is_verified(show: Path, ffmpeg: FfmpegFinder) -> None:
    show.with_name("show.mkv" + CONVERTING).write_bytes(b"what a crash left behind is taken over")
    await convert(show, "mkv", keep_original=False, ffmpeg=ffmpeg)
    assert fresh(show.parent) == {"show.mkv", "show.ledger"}


async def test_a_product_that_lacks_something_is_not_put_in_place(
    show: Path, ffmpeg: FfmpegFinder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lossy(source: Found, target: str) -> object:
        recipe = plan(source, target)
        object.__setattr__(recipe, "options", (*recipe.options, "-t", "5"))
        return recipe

    monkeypatch.setattr(convert_module, "plan", lossy)
    with pytest.raises(ToolFailed, match=r"the product has \[1\d\d\] pictures, its source \[275\]"):
        await convert(show, "mp4", keep_original=False, ffmpeg=ffmpeg)
    assert fresh(show.parent) == {"show.ts", "show.ledger"}


async def test_a_source_that_is_shorter_than_its_ledger_is_kept(
    tmp_path: Path, clip: Clip, ffmpeg: FfmpegFinder
) -> None:
    source = record(tmp_path, clip)
    book = ledgers.ledger_path(source)
    (*lines, closing) = ledger.salvage(book.read_bytes())
    last = next(line for line in reversed(lines) if isinstance(line, Chunk))
    lines.append(replace(last, index=12, offset=last.offset + last.length, start_s=last.end_s, end_s=last.end_s + 4))
    book.write_bytes(b"".join(ledger.render(line) for line in (*lines, closing)))
    made = await convert(source, "mp4", keep_original=False, ffmpeg=ffmpeg)
    assert made.is_damaged
    assert fresh(tmp_path) == {"show.ts", "show.mp4", "show.ledger"}
    assert (await verify(made.path)).status == "damaged"


@pytest.mark.parametrize("where", ["chunk", "head", "end"])
async def test_a_damaged_source_makes_no_clean_product(
    tmp_path: Path, clip: Clip, ffmpeg: FfmpegFinder, where: str
) -> None:
    """Nor is it removed, or cleaned by one more step."""
    source = record(tmp_path, clip, "mp4")
    held = ledger.read(ledgers.ledger_path(source).read_bytes())
    data = bytearray(source.read_bytes())
    at = {"chunk": held.media_end - 1, "head": held.media_start - 1, "end": len(data) - 1}[where]
    data[at] ^= 1
    source.write_bytes(data)
    made = await convert(source, "mkv", keep_original=False, ffmpeg=ffmpeg)
    assert made.is_damaged
    assert f"{source} is not what its ledger says" in made.warnings[0]
    again = await convert(made.path, "ts", keep_original=False, ffmpeg=ffmpeg)
    assert fresh(tmp_path) == {"show.mp4", "show.mkv", "show.ts", "show.ledger"}
    for path in (made.path, again.path):
        verdict = await verify(path)
        assert (verdict.status, [f.code for f in verdict.findings]) == ("damaged", [FindingCode.BYTES_CHANGED])


async def test_a_torn_line_does_not_swallow_the_one_of_the_product(show: Path, ffmpeg: FfmpegFinder) -> None:
    """A crash tears the line of a product; the next product is known all the same, with its gaps."""
    await convert(show, "mkv", ffmpeg=ffmpeg)
    book = ledgers.ledger_path(show)
    os.truncate(book, book.stat().st_size - 30)
    made = await convert(show, "mp4", keep_original=False, ffmpeg=ffmpeg)
    assert (made.is_damaged, made.warnings, fresh(show.parent)) == (False, (), {"show.mkv", "show.mp4", "show.ledger"})
    held = ledger.read(book.read_bytes())
    assert (held.torn, [p.file for p in held.products]) == (False, ["show.mp4"])
    verdict = await verify(made.path)
    assert (verdict.status, len(verdict.gaps)) == ("gaps", len(held.gaps))


async def test_a_source_whose_ledger_has_no_end_is_kept(show: Path, ffmpeg: FfmpegFinder, tmp_path: Path) -> None:
    """Nobody knows whether it is whole; its product is made, and does not pass for whole either."""
    book = ledgers.ledger_path(show)
    os.truncate(book, book.stat().st_size - 20)
    for out in (show.with_suffix(".mp4"), tmp_path / "there" / "copy.mp4"):
        made = await convert(show, "mp4", out=out, keep_original=False, ffmpeg=ffmpeg)
        assert made.is_damaged
        assert "its ledger has no end" in made.warnings[0]
        assert "show.ts" in fresh(tmp_path)
        verdict = await verify(out)
        assert (verdict.status, len(verdict.gaps)) == ("damaged", 1)


async def test_so_does_a_product_that_was_changed(show: Path, ffmpeg: FfmpegFinder) -> None:
    made = await convert(show, "mkv", keep_original=False, ffmpeg=ffmpeg)
    assert not made.is_damaged
    data = bytearray(made.path.read_bytes())
    data[-1] ^= 1
    made.path.write_bytes(data)
    again = await convert(made.path, "mp4", ffmpeg=ffmpeg)
    assert again.is_damaged
    assert (await verify(again.path)).status == "damaged"


async def test_cancelling_leaves_the_original_alone(show: Path, ffmpeg: FfmpegFinder) -> None:
    with anyio.CancelScope() as scope:
        await convert(show, "mp4", keep_original=False, ffmpeg=ffmpeg, on_progress=lambda _: scope.cancel())
    assert scope.cancelled_caught
    assert fresh(show.parent) == {"show.ts", "show.ledger"}


async def test_two_do_not_make_the_same_product(show: Path, ffmpeg: FfmpegFinder) -> None:
    with show.with_name("show.mp4" + CONVERTING).open("wb") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(FileBusy):
            await convert(show, "mp4", ffmpeg=ffmpeg)


async def test_a_pipe_in_the_place_of_the_product_is_not_waited_for(show: Path, ffmpeg: FfmpegFinder) -> None:
    pipe = show.with_name("show.mp4" + CONVERTING)
    os.mkfifo(pipe)
    with anyio.fail_after(30), pytest.raises(StorageError, match="is in the way"):
        await convert(show, "mp4", ffmpeg=ffmpeg)
    assert pipe.is_fifo()


async def test_nothing_is_overwritten(show: Path, tmp_path: Path, ffmpeg: FfmpegFinder) -> None:
    show.with_suffix(".mp4").write_bytes(b"mine")
    with pytest.raises(OutputExists, match=r"show\.mp4 exists"):
        await convert(show, "mp4", ffmpeg=ffmpeg)
    (tmp_path / "x.ledger").write_bytes(b"mine")
    with pytest.raises(OutputExists, match=r"x\.ledger exists"):
        await convert(show, "mp4", out=tmp_path / "x.mp4", ffmpeg=ffmpeg)
    with pytest.raises(OutputExists):
        await convert(show, "ts", ffmpeg=ffmpeg)


async def test_what_cannot_be_done_is_said(show: Path, tmp_path: Path, clip: Clip, ffmpeg: FfmpegFinder) -> None:
    with pytest.raises(BadOption, match="'avi' is not a format"):
        await convert(show, "avi", ffmpeg=ffmpeg)
    with pytest.raises(BadOption, match="not closed"):
        await convert(record(tmp_path, clip, name="running", close=False), "mp4", ffmpeg=ffmpeg)
    (tmp_path / "page.ts").write_text("<html>")
    with pytest.raises(MediaError):
        await convert(tmp_path / "page.ts", "mp4", ffmpeg=ffmpeg)


async def test_a_full_disk_is_called_one(show: Path, tmp_path: Path) -> None:
    fake = tmp_path / "bin" / "ffmpeg"
    fake.parent.mkdir()
    fake.write_text(
        '#!/bin/sh\ncase "$*" in *converting*) echo "out: No space left on device" >&2; exit 1;; esac\n'
        'exec ffmpeg "$@"\n'
    )
    fake.chmod(0o755)
    with pytest.raises((DiskFull, ToolFailed)) as failed:
        await convert(show, "mp4", ffmpeg=FfmpegFinder(str(fake)))
    assert failed.type is DiskFull


async def test_a_silent_source_gives_no_sound(clip_folder: Path, tmp_path: Path, ffmpeg: FfmpegFinder) -> None:
    silent = make_clip(clip_folder, seconds=4, size="160x96", gop_s=1, audio=False)
    with pytest.raises(Unsupported, match="no sound"):
        await convert(silent.file(".ts"), "mp3", out=tmp_path / "show.mp3", ffmpeg=ffmpeg)


def stream(kind: str, codec: str, **fields: int) -> StreamFound:
    return StreamFound(kind, codec, **fields)


@pytest.mark.parametrize(
    ("source", "target", "codecs", "need"),
    [
        ([stream("video", "hevc"), stream("audio", "aac")], "flv", ("hevc", "aac"), {"enhanced_flv"}),
        ([stream("video", "h264"), stream("audio", "pcm_mulaw", sample_rate=8000, channels=1)], "flv",
         ("h264", "aac"), {"aac"}),
        ([stream("video", "h264"), stream("audio", "mp3")], "mp3", ("mp3",), set()),
        ([stream("audio", "opus", sample_rate=96_000, channels=6)], "mp3", ("mp3",), {"mp3"}),
        ([stream("video", "av1"), stream("audio", "opus"), stream("data", "unknown")], "mkv", ("av1", "opus"), set()),
    ],
)  # fmt: skip
async def test_recipes(source: list[StreamFound], target: str, codecs: tuple[str, ...], need: set[str]) -> None:
    recipe = plan(Found("", None, None, source), target)
    assert (recipe.codecs, set(recipe.need)) == (codecs, need)


@pytest.mark.parametrize(
    ("source", "target", "words"),
    [
        ([stream("video", "av1"), stream("audio", "opus")], "ts", "av1 video cannot be carried in MPEG-TS"),
        ([stream("video", "vp8")], "mp4", "vp8 video cannot be carried in MP4"),
        ([stream("video", "h264"), stream("audio", "aac"), stream("audio", "aac")], "flv", "there are 1 and 2"),
    ],
)
async def test_what_a_format_cannot_carry_is_said_before(source: list[StreamFound], target: str, words: str) -> None:
    with pytest.raises(Unsupported, match=words):
        plan(Found("", None, None, source), target)
