"""Marks inside the media that say which channel and which group of pictures they belong to.

A recording is thereby its own proof: a number that is missing was lost, one that comes twice was repeated, another channel's
name is foreign. A mark is 48 bytes: 16 that identify it, 20 of channel name, 12 digits of running number.

* In the picture: an SEI message of user data (H.264 section D.1.6, H.265 section D.2.7) in each key frame. It survives
  remuxing to any container.
* In MPEG-TS: besides, a null packet (PID 0x1FFF) ahead of each group, which also exists where there is no picture and is
  never cut by packet headers. A remuxer drops it.
* In fragmented MP4 without a picture: a `free` box ahead of each fragment.
"""

from __future__ import annotations

import re
from typing import Literal

Codec = Literal["h264", "hevc"]

NAME_BYTES = 20
_NUMBER_DIGITS = 12
MARK_BYTES = 16 + NAME_BYTES + _NUMBER_DIGITS
PICTURE_ID = bytes.fromhex("6f757a656c2d7069637475726531aa55")  # no two zero bytes: needs no emulation prevention
PACKET_ID = bytes.fromhex("6f757a656c2d7061636b657431aa55cc")
_NAME = re.compile(rf"[A-Za-z0-9_.-]{{1,{NAME_BYTES}}}")
_TEXT = rb"([A-Za-z0-9_. -]{%d})([0-9]{%d})" % (NAME_BYTES, _NUMBER_DIGITS)
_SEI_HEAD = {"h264": bytes([0x06]), "hevc": bytes([39 << 1, 1])}
_USER_DATA_UNREGISTERED = 5


def mark_text(channel: str, number: int) -> bytes:
    """The 32 bytes behind the identifier.

    Args:
        channel: 1 to 20 letters, digits, `_`, `-` or `.`.
        number: >= 0, of at most 12 digits.
    """
    if not _NAME.fullmatch(channel):
        raise ValueError(f"{channel!r} is no channel name: 1 to {NAME_BYTES} letters, digits, '_', '-' or '.'")
    digits = f"{number:0{_NUMBER_DIGITS}d}"
    if number < 0 or len(digits) > _NUMBER_DIGITS:
        raise ValueError(f"{number} has no {_NUMBER_DIGITS} digits")
    return channel.ljust(NAME_BYTES).encode() + digits.encode()


BLANK = b" " * NAME_BYTES + b"0" * _NUMBER_DIGITS
"""The text of a mark that nobody has filled in: is never read as one."""


def blank_sei(codec: Codec) -> bytes:
    """A whole SEI NAL unit (without length or start code) with a blank mark."""
    return _SEI_HEAD[codec] + bytes([_USER_DATA_UNREGISTERED, MARK_BYTES]) + PICTURE_ID + BLANK + b"\x80"


def blank_packet() -> bytes:
    """A TS null packet of 188 bytes with a blank mark."""
    return (b"\x47\x1f\xff\x10" + PACKET_ID + BLANK).ljust(188, b"\xff")


def blank_box() -> bytes:
    """A `free` box (ISO/IEC 14496-12 section 8.1.2) with a blank mark."""
    return (8 + MARK_BYTES).to_bytes(4, "big") + b"free" + PICTURE_ID + BLANK


def read_markers(
    data: bytes | bytearray | memoryview, container: Literal["ts", "flv", "mp4", "mkv"]
) -> list[tuple[str, int]]:
    """(channel, number) of each mark in a recording, in the order of the file.

    In `ts` the null packets are read; what a remuxer made of a TS must be read by its new container.
    """
    identifier = PACKET_ID if container == "ts" else PICTURE_ID
    texts = re.finditer(re.escape(identifier) + _TEXT, data)
    marks = ((text[1].decode().rstrip(), int(text[2])) for text in texts)
    return [(channel, number) for channel, number in marks if channel]
