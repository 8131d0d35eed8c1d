"""Finished and unfinished recordings to work on, written by the real sink from a clip's segments, without any network."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ouzel.engine.sinks.file import FileSink
from ouzel.formats.shape import Head, KeyPoint, Span, Track
from ouzel.model.flow import Gap, GapCode
from ouzel.model.ledger import Opening, RunLine
from ouzel.testing.clips import Clip

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
TRACKS = (Track(256, "video", "h264", 320, 180), Track(257, "audio", "aac", sample_rate=48000, channels=2))


def open_ts(path: Path) -> FileSink:
    """A sink for a transport stream, with nothing in it yet but a run."""
    path.parent.mkdir(parents=True, exist_ok=True)
    opening = Opening(path.name, "ts", NOON, "https://example.org/live.m3u8", 1, "ouzel test")
    sink = FileSink(path, opening, Head("ts", TRACKS, b"", b""))
    sink.note(RunLine(1, NOON, "hls", "https://example.org/live.m3u8", "best"))
    return sink


def add_segment(sink: FileSink, data: bytes, *, sequence: int | None = None, seconds: float = 1.0) -> None:
    """One chunk. `sequence`: also says how long after noon it was on air; the next one by default."""
    number = sink.chunks if sequence is None else sequence
    span = Span(sink.media_s, sink.media_s + seconds, None, 25, True, (KeyPoint(0, sink.media_s),))
    sink.write([data])
    sink.commit(span, wall=NOON + timedelta(seconds=number * seconds), sequence=number, scope="all")


def gap(at_s: float, first: int, last: int) -> Gap:
    start = NOON + timedelta(seconds=first)
    missing = last + 1 - first
    return Gap(
        at_s, GapCode.SEGMENT_GONE, "404", start, start + timedelta(seconds=missing), float(missing), first, last, "all"
    )


def segments(clip: Clip) -> list[bytes]:
    return [path.read_bytes() for path in clip.ts_segments("av")]


def record_ts(path: Path, clip: Clip, *, lost: Sequence[int] = (), close: bool = True) -> FileSink:
    """The clip's segments as a recording; those in `lost` are missing, each with a gap."""
    sink = open_ts(path)
    for number, data in enumerate(segments(clip)):
        if number in lost:
            sink.note(gap(sink.media_s, number, number))
        else:
            add_segment(sink, data, sequence=number)
    if close:
        sink.close("ended", NOON + timedelta(minutes=1))
    return sink
