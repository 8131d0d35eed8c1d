"""Pieces of recordings: what is in them, and that nothing is re-encoded or lost between their edges."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import anyio
import pytest
from tests.recordings import CONTAINERS, NOON, record

from ouzel.base.errors import BadOption, InputError, OutputExists
from ouzel.engine import ledgers
from ouzel.engine.clip import Clipped, clip
from ouzel.engine.convert import convert
from ouzel.engine.probe import probe
from ouzel.engine.verify import verify
from ouzel.formats.shape import Container
from ouzel.model import ledger
from ouzel.model.media import Found
from ouzel.system.ffmpeg import FfmpegFinder
from ouzel.testing.clips import Clip, make_clip

pytestmark = pytest.mark.anyio
clip_of = clip
"""The fixture `clip` has the same name."""


@pytest.fixture(scope="session")
def ffmpeg() -> FfmpegFinder:
    return FfmpegFinder()


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


async def look(made: Clipped) -> Found:
    found = await probe(made.path, depth="decode")
    assert found.video is not None
    assert (found.video.errors, found.video.frames_corrupt, found.video.frames_unordered, found.error) == (0, 0, 0, "")
    assert made.warnings == ()
    return found


@pytest.mark.parametrize("container", CONTAINERS)
async def test_a_piece_begins_and_ends_at_key_frames(tmp_path: Path, clip: Clip, container: Container) -> None:
    media = record(tmp_path, clip, container)
    made = await clip_of(media, 2.5, 7.4, tmp_path / f"piece.{container}")
    assert (made.start_s, made.end_s) == (pytest.approx(2.0, abs=0.1), pytest.approx(8.0, abs=0.1))
    found = await look(made)
    assert found.video is not None
    assert found.video.frames == 6 * clip.rate
    verdict = await verify(made.path)
    assert (verdict.status, verdict.findings) == ("clean", ())
    assert verdict.media_s == pytest.approx(6.0, abs=0.1)


@pytest.mark.parametrize("container", CONTAINERS)
async def test_its_ledger_tells_its_gaps_and_wall_times(tmp_path: Path, clip: Clip, container: Container) -> None:
    media = record(tmp_path, clip, container, lost=[2, 6, 10])
    whole = ledger.read(ledgers.ledger_path(media).read_bytes())
    second = whole.gaps[1]
    made = await clip_of(media, second.at_s - 1.5, second.at_s + 1.5, tmp_path / f"piece.{container}")
    assert [gap.at_s for gap in made.gaps] == [pytest.approx(second.at_s - made.start_s)]
    held = ledgers.find(made.path)
    assert held is not None
    assert [gap.wall_start for gap in held.ledger.gaps] == [second.wall_start]
    if container != "flv":  # whose wall times are those of arrival
        assert held.ledger.opening.started == NOON + timedelta(seconds=4)
        assert [c.wall.second for c in held.ledger.chunks][-1] >= 7
    assert (await verify(made.path)).status == "gaps"


async def test_the_whole_is_a_piece_too(tmp_path: Path, clip: Clip) -> None:
    media = record(tmp_path, clip, lost=[4])
    made = await clip_of(media, 0.0, 9999.0, tmp_path / "piece.ts")
    found = await look(made)
    assert found.video is not None
    assert found.video.frames == 11 * clip.rate
    assert (made.start_s, made.end_s) == (0.0, pytest.approx(11.0, abs=0.2))


@pytest.mark.parametrize("ending", ["mkv", "m4a"])
async def test_a_piece_in_another_format(tmp_path: Path, clip: Clip, ffmpeg: FfmpegFinder, ending: str) -> None:
    media = record(tmp_path / "x", clip, lost=[6])
    made = await clip_of(media, 2.5, 7.4, tmp_path / f"piece.{ending}", ffmpeg=ffmpeg)
    assert names(tmp_path) == {"x", f"piece.{ending}", "piece.ledger"}
    assert (await verify(made.path)).status == "gaps"
    assert made.media_s == pytest.approx(6.0, abs=0.1)


@pytest.fixture(scope="session")
def product(tmp_path_factory: pytest.TempPathFactory, clip: Clip) -> Path:
    """An MP4 in the place of its recording, with a gap."""
    media = record(tmp_path_factory.mktemp("product"), clip, lost=[6])
    return anyio.run(lambda: convert(media, "mp4", keep_original=False)).path


@pytest.mark.parametrize("ending", ["ts", "mp4"])
async def test_a_piece_of_a_product(
    tmp_path: Path, clip: Clip, product: Path, ffmpeg: FfmpegFinder, ending: str
) -> None:
    made = await clip_of(product, 2.5, 7.4, tmp_path / f"piece.{ending}", ffmpeg=ffmpeg)
    assert (made.start_s, made.end_s) == (pytest.approx(2.0, abs=0.1), pytest.approx(8.0, abs=0.1))
    found = await look(made)
    assert found.video is not None
    assert found.video.frames == 6 * clip.rate
    verdict = await verify(made.path)
    assert (verdict.status, verdict.findings, len(verdict.gaps)) == ("gaps", (), 1)


async def test_a_piece_of_what_others_made_has_no_ledger(tmp_path: Path, clip: Clip, ffmpeg: FfmpegFinder) -> None:
    made = await clip_of(clip.file(".mkv"), 2.5, 7.4, tmp_path / "piece.mp4", ffmpeg=ffmpeg)
    found = await look(made)
    assert found.video is not None
    assert found.video.frames == 6 * clip.rate
    assert names(tmp_path) == {"piece.mp4"}


async def test_the_beginning_is_found_where_decoding_begins_before_it_is_shown(
    tmp_path: Path, clip: Clip, ffmpeg: FfmpegFinder
) -> None:
    """In a transport stream the search goes by decode times: one for the first picture's own time lands behind it."""
    media = record(tmp_path, clip)
    media.with_suffix(".ledger").unlink()
    made = await clip_of(media, 0.0, 1.0, tmp_path / "piece.mp4", ffmpeg=ffmpeg)
    assert (made.start_s, made.end_s) == (pytest.approx(0.0, abs=0.1), pytest.approx(1.0, abs=0.1))


@pytest.fixture(scope="session", params=[(25, 0), (25, 2), (10, 4)], ids="rate {0[0]}, {0[1]} B-frames".format)
def film(request: pytest.FixtureRequest, clip_folder: Path) -> Clip:
    """With 4 B-frames at 10 frames a second a key frame is decoded earlier than ffmpeg allows for when it searches."""
    rate, bframes = request.param
    return make_clip(clip_folder, seconds=12, size="160x96", rate=rate, gop_s=2, bframes=bframes)


@pytest.mark.parametrize("ending", [".mkv", ".flv", ".mp4", ".ts"])
@pytest.mark.parametrize(("from_s", "to_s"), [(1.5, 4.5), (4.3, 11.0)])
async def test_a_piece_of_any_file_begins_with_the_key_frame_that_was_found(
    tmp_path: Path, film: Clip, ffmpeg: FfmpegFinder, ending: str, from_s: float, to_s: float
) -> None:
    made = await clip_of(film.file(ending), from_s, to_s, tmp_path / "piece.mkv", ffmpeg=ffmpeg)
    start_s, end_s = from_s // 2 * 2, -(-to_s // 2) * 2
    assert (made.start_s, made.end_s) == (pytest.approx(start_s, abs=0.1), pytest.approx(end_s, abs=0.1))
    found = await look(made)
    assert found.video is not None
    assert found.audio is not None
    assert found.video.frames == round((end_s - start_s) * film.rate)
    assert found.video.first_s == pytest.approx(0.0, abs=0.1)
    assert found.audio.first_s == pytest.approx(0.0, abs=0.1)


@pytest.mark.parametrize("container", CONTAINERS)
async def test_a_recording_need_not_be_over(tmp_path: Path, clip: Clip, container: Container) -> None:
    media = record(tmp_path, clip, container, close=False)
    with ledgers.locked(ledgers.ledger_path(media)), media.open("ab") as file:
        file.write(b"\x47" * 5000)
        made = await clip_of(media, 9.0, 100.0, tmp_path / f"piece.{container}")
    found = await look(made)
    assert found.video is not None
    assert found.video.frames == 3 * clip.rate
    assert (await verify(made.path)).status == "clean"


@pytest.mark.parametrize("container", CONTAINERS)
async def test_a_piece_does_not_pass_for_better_than_what_it_was_cut_from(
    tmp_path: Path, clip: Clip, ffmpeg: FfmpegFinder, container: Container
) -> None:
    media = record(tmp_path, clip, container)
    chunk = ledger.read(ledgers.ledger_path(media).read_bytes()).chunks[5]
    with media.open("r+b") as file:
        file.seek(chunk.offset + chunk.length // 2)
        file.write(b"\0")
    for out in (tmp_path / f"piece.{container}", tmp_path / "film.mkv"):
        made = await clip_of(media, 3.0, 9.0, out, ffmpeg=ffmpeg)
        assert made.warnings[0].startswith("00:00:05.0 to 00:00:06.0 of ")
        verdict = await verify(out)
        assert verdict.status == "gaps"
        assert [(f.detail, f.at_s) for f in verdict.findings] == [("bytes_changed", pytest.approx(2.0, abs=0.1))]
    made = await clip_of(media, 6.0, 9.0, tmp_path / f"other.{container}")
    assert made.warnings == ()
    assert (await verify(made.path)).status == "clean"


@pytest.mark.parametrize("container", CONTAINERS)
async def test_a_piece_of_a_file_that_was_cut_short_says_so(tmp_path: Path, clip: Clip, container: Container) -> None:
    media = record(tmp_path, clip, container)
    chunk = ledger.read(ledgers.ledger_path(media).read_bytes()).chunks[5]
    with media.open("r+b") as file:
        file.truncate(chunk.offset + chunk.length // 2)
    made = await clip_of(media, 3.0, 9.0, tmp_path / f"piece.{container}")
    assert len(made.warnings) == 4
    assert (made.start_s, made.end_s) == (pytest.approx(3.0, abs=0.1), pytest.approx(5.5, abs=0.5))
    verdict = await verify(made.path)
    torn = {"ts": ["truncated"], "mp4": [], "flv": ["bytes_changed"]}[container]  # half a fragment is left out
    assert [finding.detail for finding in verdict.findings] == torn


async def test_times_that_are_not_in_it_are_refused(tmp_path: Path, clip: Clip, ffmpeg: FfmpegFinder) -> None:
    media = record(tmp_path, clip)
    film = clip.file(".mkv")
    for source in (media, film):
        for from_s, to_s in ((5.0, 5.0), (7.0, 3.0), (-1.0, 3.0)):
            with pytest.raises(BadOption, match="is no piece"):
                await clip_of(source, from_s, to_s, tmp_path / "piece.mp4", ffmpeg=ffmpeg)
        with pytest.raises(BadOption, match=r"the recording ends at 00:00:12"):
            await clip_of(source, 50.0, 60.0, tmp_path / "piece.mp4", ffmpeg=ffmpeg)
    assert names(tmp_path) == {"show.ts", "show.ledger"}


async def test_nothing_is_overwritten(tmp_path: Path, clip: Clip) -> None:
    media = record(tmp_path, clip)
    with pytest.raises(OutputExists, match=r"show\.ledger exists"):
        await clip_of(media, 1, 2, tmp_path / "show.mp4")
    (tmp_path / "piece.ts").write_bytes(b"mine")
    with pytest.raises(OutputExists, match=r"piece\.ts exists"):
        await clip_of(media, 1, 2, tmp_path / "piece.ts")
    with pytest.raises(OutputExists, match=r"piece\.ts exists"):
        await clip_of(media, 1, 2, tmp_path / "piece.mp4")
    with pytest.raises(BadOption, match="not a format"):
        await clip_of(media, 1, 2, tmp_path / "piece.avi")
    with pytest.raises(InputError, match="does not exist"):
        await clip_of(tmp_path / "none.ts", 1, 2, tmp_path / "other.ts")
    assert (tmp_path / "piece.ts").read_bytes() == b"mine"


async def test_a_failed_piece_leaves_nothing(tmp_path: Path, clip: Clip) -> None:
    media = record(tmp_path, clip)
    with media.open("r+b") as file:
        file.write(bytes(media.stat().st_size))
    with pytest.raises(Exception, match=r"no media could be read|no transport stream|not found|programme"):
        await clip_of(media, 1, 5, tmp_path / "piece.ts")
    assert names(tmp_path) == {"show.ts", "show.ledger"}
