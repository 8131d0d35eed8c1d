"""What kind of media a file is, by its first bytes. Pure."""

from __future__ import annotations

from typing import Literal, TypeAlias

MediaFormat: TypeAlias = Literal["ts", "flv", "mp4", "m4a", "mkv", "mp3", "aac"]
SNIFFED_BYTES = 4096
_PACKET = 188
_BOXES = frozenset({b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"styp", b"moof"})
_SYNC = b"\x47"


def format_of(first: bytes) -> MediaFormat | None:
    """Args: first: as many as SNIFFED_BYTES. Returns: None for what is no media."""
    if first.startswith(b"FLV\x01"):
        return "flv"
    if first.startswith(b"\x1aE\xdf\xa3"):
        return "mkv"
    if first[4:8] in _BOXES:
        return "m4a" if first[8:11] == b"M4A" else "mp4"
    if first.startswith(b"ID3"):
        return "mp3"
    if _is_ts(first):
        return "ts"
    if len(first) > 1 and first[0] == 0xFF and first[1] & 0xF6 == 0xF0:
        return "aac"
    if (
        len(first) > 2 and first[0] == 0xFF and first[1] & 0xE6 == 0xE2 and 0 < first[2] >> 4 < 0xF
    ):  # layer III, with a rate
        return "mp3"
    return None


def _is_ts(first: bytes) -> bool:
    """Packets one after the other, perhaps each with a time stamp of four bytes before it."""
    return any(
        len(first) > start + 2 * step and all(first[at : at + 1] == _SYNC for at in range(start, len(first), step))
        for start, step in ((0, _PACKET), (4, _PACKET + 4))
    )
