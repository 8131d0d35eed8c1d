"""What stands at a container's end: what it needs there, from the ledger alone (its duration, an index of its key frames), and
what of it a file holds already.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from ouzel.engine.reading import box_at
from ouzel.engine.sinks.file import storage_error
from ouzel.formats.flv.packets import PEEK, read_packet
from ouzel.formats.flv.tags import SCRIPT, TAG_HEADER, UNIT_HEADER, read_unit
from ouzel.formats.shape import Container
from ouzel.model.ledger import Ledger

Patches = Sequence[tuple[int, bytes]]
"""Offset in the file, and the bytes to write there; all within the head, which no chunk's digest covers."""

_MP4_ENDINGS = frozenset({b"mfra", b"sidx", b"ssix", b"free", b"skip"})


def closing_patches(part: Path, held: Ledger) -> tuple[Patches, bytes]:
    """What to write into a file whose last chunk is in, and what to append.

    Depends on nothing but the head and the ledger, and fills room that the head has kept: done again it changes nothing.
    Raises: FormatError when the head is not one of ours; StorageError.
    """
    head = held.head
    if head is None or held.opening.container in {"ts", "raw"}:
        return (), b""
    try:
        with part.open("rb") as file:
            data = file.read(head.length)
    except OSError as exc:
        raise storage_error(exc, part) from exc
    keys = [(chunk.offset + key.offset, key.at_s) for chunk in held.chunks for key in chunk.keys]
    if held.opening.container == "flv":
        from ouzel.formats.flv.head import finish as finish_flv

        times = [(at_s, offset) for offset, at_s in keys]
        return finish_flv(data, times, duration_s=held.media_s, size=held.media_end), b""
    from ouzel.formats import fmp4

    done = fmp4.finish(data, held.media_s, keys)
    return done.patches, done.tail


def tail_length(path: Path, container: Container, start: int, size: int) -> int:
    """How many of the bytes between the last chunk and the end of a file are whole, and such as its container ends with.

    In MP4 indexes and free room; in FLV tags that hold no media, as the end of sequence; in TS nothing. What follows them was
    cut off, or does not belong there.
    Args:
        start: where the last chunk ends.
        size: of the file.
    Raises: StorageError.
    """
    try:
        with path.open("rb") as file:
            match container:
                case "mp4":
                    return _indexes(file, start, size) - start
                case "flv":
                    return _empty_tags(file, start, size) - start
                case "ts" | "raw":
                    return 0
    except OSError as exc:
        raise storage_error(exc, path) from exc


def _indexes(file: BinaryIO, at: int, size: int) -> int:
    while at < size:
        kind, length = box_at(file, at)
        if kind not in _MP4_ENDINGS or not length or at + length > size:
            break
        at += length
    return at


def _empty_tags(file: BinaryIO, at: int, size: int) -> int:
    while 4 <= at < size:
        file.seek(at - 4)  # the size of the tag before it
        data = file.read(UNIT_HEADER + PEEK)
        if len(data) < UNIT_HEADER:
            break
        unit, body = read_unit(data, 0), data[UNIT_HEADER:]
        end = at + TAG_HEADER + unit.size
        has_media = unit.kind != SCRIPT and unit.size and read_packet(unit.kind, body[: unit.size]).role == "frame"
        if not unit.plausible or has_media or end > size:
            break
        at = min(end + 4, size)  # a last tag is whole without the size behind it
    return at
