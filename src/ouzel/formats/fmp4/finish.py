"""Closing a fragmented file: its duration is filled in where room was kept, an index of its key frames goes to the end."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ouzel.base.errors import FormatError
from ouzel.formats.fmp4.boxes import Box, box, children, full_box, inside, u32, u64, wanted
from ouzel.formats.shape import Buffer

INDEX_LIMIT = 1 << 20
"""Entries of the index: 19 MB, for 12 days with a key frame each second."""


@dataclass(frozen=True, slots=True)
class Finish:
    patches: tuple[tuple[int, bytes], ...]
    """Offset in the file, and the bytes to write there."""
    tail: bytes
    """To append (an `mfra` box)."""


def finish(
    head: Buffer, duration_s: float, keys: Iterable[tuple[int, float]], *, index_limit: int = INDEX_LIMIT
) -> Finish:
    """What has to be written to close a file that began with `head` (`Head.data`).

    Args:
        head: as written by us: only its own layout is looked at, not the media behind it.
        duration_s: of the media, >= 0.
        keys: of each key point the offset in the file of its `moof`, and its time in the file in seconds; rising.
        index_limit: with more key points than this, every second, third … is listed.

    Applying the patches again changes nothing, so a crash between them costs nothing. Raises: FormatError when `head` is
    not one of ours. Source: ISO/IEC 14496-12 sections 8.8.2 (mehd) and 8.8.9 to 8.8.11 (mfra).
    """
    data = bytes(head)
    moov = next((child for child in children(data, 0, len(data)) if child.kind == b"moov"), None)
    if moov is None:
        raise FormatError("no moov at the start of the file")
    mvhd, mehd = wanted(data, moov, b"mvhd"), wanted(data, moov, b"mvex", b"mehd")
    movie = round(duration_s * _u32_at(data, _v1(data, mvhd) + 20))
    patches = [(_v1(data, mvhd) + 24, u64(movie)), (_v1(data, mehd) + 4, u64(movie))]
    for trak in inside(data, moov):
        if trak.kind == b"trak":
            tkhd, mdhd = wanted(data, trak, b"tkhd"), wanted(data, trak, b"mdia", b"mdhd")
            patches.append((_v1(data, tkhd) + 28, u64(movie)))
            patches.append((_v1(data, mdhd) + 24, u64(round(duration_s * _u32_at(data, _v1(data, mdhd) + 20)))))
    return Finish(tuple(patches), _index(data, moov, list(keys), index_limit))


def _v1(data: bytes, found: Box) -> int:
    """Start of the fields of a box of version 1, the only one that we write."""
    if data[found.body : found.body + 1] != b"\1":
        raise FormatError("the head of this file was not written by Ouzel")
    return found.body


def _u32_at(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 4], "big")


def _index(data: bytes, moov: Box, keys: list[tuple[int, float]], limit: int) -> bytes:
    found: dict[bytes, tuple[int, int]] = {}
    for trak in inside(data, moov):
        if trak.kind == b"trak":
            hdlr = wanted(data, trak, b"mdia", b"hdlr")
            tkhd, mdhd = wanted(data, trak, b"tkhd"), wanted(data, trak, b"mdia", b"mdhd")
            track = _u32_at(data, _v1(data, tkhd) + 20), _u32_at(data, _v1(data, mdhd) + 20)
            found.setdefault(data[hdlr.body + 8 : hdlr.body + 12], track)
    leading = found.get(b"vide") or found.get(b"soun")
    if leading is None or not keys:
        return b""
    track_id, timescale = leading
    keys = keys[:: -(-len(keys) // limit)]
    entries = [u64(max(0, round(at_s * timescale))) + u64(offset) + b"\1\1\1" for offset, at_s in keys]
    tfra = full_box(b"tfra", 1, 0, u32(track_id), u32(0), u32(len(entries)), *entries)
    return box(b"mfra", tfra, full_box(b"mfro", 0, 0, u32(8 + len(tfra) + 16)))
