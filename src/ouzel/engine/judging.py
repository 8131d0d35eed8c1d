"""What is wrong with media, whoever wrote it.

A shaper says what it would have to mend. Transport streams are also counted through by a reader that shares neither the shaper's
clock nor its counters.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from ouzel.engine.reading import MediaReader, Passage
from ouzel.formats.mpegts import scan
from ouzel.model.media import Found
from ouzel.model.verdict import Finding, FindingCode, code_of

_C = FindingCode
_HARMLESS_REPAIRS = frozenset({"start", "metadata", "wrap"})
_READ_BYTES = 1 << 20


def judge_passage(passage: Passage) -> Iterator[Finding]:
    """What a shaper would have to mend in a stretch of a file."""
    span, offset = passage.span, passage.offset
    if span.damage:
        detail = f"{span.dropped_bytes} bytes are not of this stream" if span.dropped_bytes else span.damage
        yield Finding(code_of(span.damage), detail, span.start_s, offset)
    for repair in span.repairs:
        if repair.code not in _HARMLESS_REPAIRS:
            yield Finding(_C.STAMPS, f"the time stamps do not go on ({repair.code})", repair.at_s, offset)


def judge_end(reader: MediaReader) -> Iterator[Finding]:
    """What can be said when a file was read: other tracks in its middle, and why reading stopped."""
    for offset, head in reader.heads[1:]:
        codecs = ", ".join(track.codec for track in head.tracks)
        yield Finding(_C.TRACKS_CHANGED, f"from here on: {codecs}", None, offset)
    if reader.error is not None:
        yield Finding(_C.UNREADABLE, str(reader.error), None, reader.end)


def judge_packets(path: Path, end: int, on_bytes: Callable[[int], None]) -> Iterator[Finding]:
    """Count through a transport stream, up to byte `end`."""
    result = scan(_pieces(path, end, on_bytes))
    for report in result.media:
        if report.continuity_errors:
            detail = f"{report.continuity_errors} times packets of the {report.kind} are missing or doubled"
            yield Finding(_C.CONTINUITY, detail)
        if report.transport_errors:
            yield Finding(_C.CONTINUITY, f"{report.transport_errors} packets of the {report.kind} came damaged")
        if report.steps_back:
            yield Finding(_C.STAMPS, f"{report.steps_back} times the time stamps of the {report.kind} do not rise")
    if result.garbage_bytes:
        yield Finding(_C.GARBAGE, f"{result.garbage_bytes} bytes are in no packet")


def judge_found(seen: Found) -> Iterator[Finding]:
    """What FFmpeg's libraries say of a file."""
    if seen.error:
        yield Finding(_C.UNREADABLE, seen.error)
    for stream in seen.streams:
        if stream.unordered:
            yield Finding(_C.STAMPS, f"{stream.unordered} times the time stamps of the {stream.kind} step back")
        if stream.corrupt:
            yield Finding(_C.CONTINUITY, f"{stream.corrupt} packets of the {stream.kind} are damaged")


def _pieces(path: Path, end: int, on_bytes: Callable[[int], None]) -> Iterator[bytes]:
    with path.open("rb", buffering=0) as file:
        while end > 0 and (data := file.read(min(_READ_BYTES, end))):
            end -= len(data)
            yield data
            on_bytes(len(data))
