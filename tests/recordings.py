"""Finished and unfinished recordings to work on: a clip, through the real shapers and the real sink, without any network."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ouzel.engine.closing import closing_patches
from ouzel.engine.intake import Intake
from ouzel.engine.programme import SegmentNote
from ouzel.engine.sinks.file import FileSink
from ouzel.engine.tape import Tape, TapeLimits
from ouzel.formats.flv.shaper import FlvShaper
from ouzel.formats.fmp4 import Fmp4Shaper
from ouzel.formats.mpegts import TsShaper
from ouzel.formats.shape import Container
from ouzel.model import ledger
from ouzel.model.flow import EndReason, GapCode
from ouzel.testing.clips import Clip, build_once, run_ffmpeg
from ouzel.testing.clock import FakeClock

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
CONTAINERS: tuple[Container, ...] = ("ts", "mp4", "flv")
_PIECE = 64 * 1024


def record(
    folder: Path,
    clip: Clip,
    container: Container = "ts",
    *,
    lost: Sequence[int] = (),
    name: str = "show",
    close: bool = True,
) -> Path:
    """A recording of a clip whose groups of pictures last one second; the seconds in `lost` are missing, with a gap.

    Returns: the closed file; with `close=False` what a crash leaves: `.part` and a ledger without an end.
    """
    sink = _fill(folder, clip, container, lost, name)
    if not close:
        sink.release()
        return sink.part_path
    patches, tail = closing_patches(sink.part_path, ledger.read(sink.ledger_path.read_bytes()))
    return sink.close(EndReason.ENDED.value, NOON + timedelta(minutes=1), patches, tail)


def _fill(folder: Path, clip: Clip, container: Container, lost: Sequence[int], name: str) -> FileSink:
    tape = Tape(
        lambda _part, ending: folder / f"{name}.{ending}",
        source="https://example.org/live",
        software="ouzel test",
        clock=FakeClock(NOON),
        limits=TapeLimits(),
        listener=lambda _event: None,
    )
    tape.run("hls" if container != "flv" else "flv", "https://example.org/live", "best")
    if container == "flv":
        _fill_flv(tape, clip, lost)
    else:
        shaper = TsShaper("segments") if container == "ts" else Fmp4Shaper()
        _fill_segments(Intake(shaper, tape, continuous=False), tape, clip, container, lost)
    tape.finish(EndReason.ENDED)
    (closed,) = tape.closed
    return closed.sink


def _fill_segments(intake: Intake, tape: Tape, clip: Clip, container: Container, lost: Sequence[int]) -> None:
    init, parts = segments(clip, container)
    _take(intake, init)
    for number, data in enumerate(parts):
        if number in lost:
            tape.lose(GapCode.SEGMENT_GONE, "404", missing_s=1.0, first_sequence=number, last_sequence=number)
            intake.splice()
            continue
        intake.note = SegmentNote(number, NOON + timedelta(seconds=number))
        _take(intake, data)
        intake.finish()


def _fill_flv(tape: Tape, clip: Clip, lost: Sequence[int]) -> None:
    intake = Intake(FlvShaper(), tape, continuous=True)
    before = 0
    for start, end in _stretches(clip.seconds, lost):
        if before:
            tape.lose(GapCode.CONNECTION_LOST, "reset", missing_s=float(start - before))
            intake.splice()
        _take(intake, _flv(clip, start, end))
        intake.finish()
        before = end


def _take(intake: Intake, data: bytes) -> None:
    for at in range(0, len(data), _PIECE):
        intake.take(memoryview(bytearray(data[at : at + _PIECE])))


def _stretches(seconds: int, lost: Sequence[int]) -> Iterator[tuple[int, int]]:
    start = 0
    for number in [*sorted(lost), seconds]:
        if number > start:
            yield start, number
        start = number + 1


def segments(clip: Clip, container: Container) -> tuple[bytes, Iterable[bytes]]:
    if container == "ts":
        return b"", [path.read_bytes() for path in clip.ts_segments("av")]

    def build(part: Path) -> None:
        hls = ["-f", "hls", "-hls_segment_type", "fmp4", "-hls_time", "1", "-hls_list_size", "0"]
        run_ffmpeg("ffmpeg", ["-i", str(clip.file(".mp4")), "-c", "copy", *hls, str(part / "index.m3u8")])

    folder = build_once(clip.folder / "fmp4", build)
    segments = sorted(folder.glob("index*.m4s"), key=lambda path: int(path.stem.removeprefix("index")))
    return (folder / "init.mp4").read_bytes(), [path.read_bytes() for path in segments]


def _flv(clip: Clip, start: int, end: int) -> bytes:
    """What a server would send between these seconds."""

    def build(part: Path) -> None:
        span = ["-ss", str(start), "-to", str(end)]
        run_ffmpeg("ffmpeg", [*span, "-i", str(clip.file(".mp4")), "-c", "copy", str(part / "part.flv")])

    return (build_once(clip.folder / f"flv-{start}-{end}", build) / "part.flv").read_bytes()
