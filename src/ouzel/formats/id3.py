"""ID3 tags as they stand in front of packed audio: how long they are, and the time stamp that HLS puts into them.

Source: ID3v2.3.0 and ID3v2.4.0 (id3.org), RFC 8216 section 3.4 (com.apple.streaming.transportStreamTimestamp).
"""

from __future__ import annotations

from collections.abc import Iterator

from ouzel.base.errors import TooLarge
from ouzel.formats.shape import Buffer

MAX_TAG = 4 << 20
"""Bytes of a tag at most: cover pictures occur."""
HEADER_SIZE = 10
_OWNER = b"com.apple.streaming.transportStreamTimestamp"
_UNSYNCHRONISED, _EXTENDED, _FOOTER = 0x80, 0x40, 0x10


def tag_size(data: Buffer) -> int:
    """Bytes of the tag at the start of `data`, of which at least the first ten must be there; 0 when there is none.

    Raises: TooLarge.
    """
    if len(data) < HEADER_SIZE or bytes(data[:3]) != b"ID3" or data[3] == 0xFF or data[4] == 0xFF:
        return 0
    if any(byte & 0x80 for byte in data[6:10]):
        return 0
    size = HEADER_SIZE + _syncsafe(data[6:10]) + (HEADER_SIZE if data[3] >= 4 and data[5] & _FOOTER else 0)
    if size > MAX_TAG:
        raise TooLarge(f"ID3 tag of {size} bytes", size=size, limit=MAX_TAG)
    return size


def frames(tag: Buffer) -> Iterator[tuple[str, bytes]]:
    """Yield id and body of each frame of a whole tag; a frame that is cut off ends the list.

    Compressed and encrypted frames come as they are. Tags of version 2.2 yield nothing.
    """
    if len(tag) < HEADER_SIZE or tag[3] not in {3, 4}:
        return
    version, flags = tag[3], tag[5]
    body = bytes(tag[HEADER_SIZE : HEADER_SIZE + _syncsafe(tag[6:10])])
    if flags & _UNSYNCHRONISED and version == 3:
        body = body.replace(b"\xff\x00", b"\xff")
    at = 0
    if flags & _EXTENDED and len(body) >= 4:
        at = _syncsafe(body[:4]) if version == 4 else 4 + int.from_bytes(body[:4], "big")
    while at + 10 <= len(body) and body[at] != 0:
        size = _syncsafe(body[at + 4 : at + 8]) if version == 4 else int.from_bytes(body[at + 4 : at + 8], "big")
        if at + 10 + size > len(body):
            return
        frame = body[at + 10 : at + 10 + size]
        if version == 4 and body[at + 9] & 0x02:  # this frame alone is unsynchronised
            frame = frame.replace(b"\xff\x00", b"\xff")
        yield body[at : at + 4].decode("latin-1"), frame
        at += 10 + size


def transport_timestamp(tag: Buffer) -> int | None:
    """The 33-bit time stamp, in ticks of 90 kHz, of the first sample behind the tag; None when the tag has none."""
    for name, body in frames(tag):
        if name == "PRIV":
            owner, _, value = body.partition(b"\0")
            if owner == _OWNER and len(value) >= 8:
                return int.from_bytes(value[:8], "big") & 0x1_FFFF_FFFF
    return None


def _syncsafe(data: Buffer) -> int:
    size = 0
    for byte in data:
        size = size << 7 | byte & 0x7F
    return size
