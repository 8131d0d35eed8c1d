"""Whether something that tells no length is a file all the same, and how long it is at least. Pure."""

from __future__ import annotations

_MOST = 64 * 1024 * 1024
"""The index of a film of a day has less."""
_EBML, _SEGMENT, _VOID = b"\x1a\x45\xdf\xa3", b"\x18\x53\x80\x67", b"\xec"


def least_size(data: bytes) -> int | None:
    """Of MP4, Matroska and RIFF, by what their first bytes say.

    Returns: bytes; 0 when it may go on for ever, for all that is told; None when more bytes are needed.
    Source: ISO/IEC 14496-12 section 8.1.1, 8.8.1; RFC 8794 section 6; RIFF.
    """
    if data[:4] == _EBML:
        found = _of_matroska(data)
    elif data[:4] == b"RIFF":
        size = int.from_bytes(data[4:8], "little")
        found = None if len(data) < 8 else size + 8 if size not in {0, 0xFFFFFFFF} else 0
    else:
        found = _of_mp4(data) if data[4:8] in {b"ftyp", b"moov"} else 0
    return 0 if found is None and len(data) > _MOST else found


def _of_mp4(data: bytes) -> int | None:
    at, has_index = 0, False
    while at + 16 <= len(data):
        size, kind, body = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8], 8
        if size == 1:
            size, body = int.from_bytes(data[at + 8 : at + 16], "big"), 16
        if kind == b"mdat":  # what is fragmented tells of it before
            return at + max(size, body) + (0 if has_index else 8)
        if kind in {b"moof", b"styp", b"sidx"} or size < body:
            return 0
        if kind == b"moov":
            if _is_fragmented(data[at + body : at + size]):
                return 0
            has_index = True
        at += size
    return None


def _is_fragmented(moov: bytes) -> bool:
    at = 0
    while at + 8 <= len(moov):
        if moov[at + 4 : at + 8] == b"mvex":
            return True
        at += max(8, int.from_bytes(moov[at : at + 4], "big"))
    return False


def _of_matroska(data: bytes) -> int | None:
    at, is_media = 4, False
    while (told := _vint(data, at)) is not None:
        size, width = told
        if is_media:
            return 0 if size == (1 << 7 * width) - 1 else at + width + size  # all ones: not known
        at += width + size
        if len(data) < at + 4:
            return None
        is_media = data[at : at + 4] == _SEGMENT
        if not is_media and data[at : at + 1] != _VOID:
            return 0
        at += 4 if is_media else 1
    return None


def _vint(data: bytes, at: int) -> tuple[int, int] | None:
    """A number of EBML, and how many bytes it takes; None when it is not all there."""
    width = 9 - data[at].bit_length() if len(data) > at else 1
    if len(data) < at + width:
        return None
    return int.from_bytes(data[at : at + width], "big") & ((1 << 7 * width) - 1), width
