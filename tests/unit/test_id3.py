"""ID3 tags in front of packed audio."""

from __future__ import annotations

import struct

import pytest

from ouzel.base.errors import TooLarge
from ouzel.formats.id3 import MAX_TAG, frames, tag_size, transport_timestamp

OWNER = b"com.apple.streaming.transportStreamTimestamp\0"


def syncsafe(size: int) -> bytes:
    return bytes(size >> shift & 0x7F for shift in (21, 14, 7, 0))


def frame(name: bytes, body: bytes, *, version: int = 4, flags: bytes = b"\0\0") -> bytes:
    size = syncsafe(len(body)) if version == 4 else struct.pack(">I", len(body))
    return name + size + flags + body


def tag(body: bytes, *, version: int = 4, flags: int = 0) -> bytes:
    return b"ID3" + bytes((version, 0, flags)) + syncsafe(len(body)) + body


def test_size_of_a_tag() -> None:
    assert tag_size(tag(b"x" * 300)) == 310
    assert tag_size(tag(b"x" * 300, flags=0x10)) == 320  # with a footer
    assert tag_size(b"\xff\xf1" + b"\0" * 20) == 0
    assert tag_size(b"ID3") == 0
    assert tag_size(b"ID3\x04\0\0\xff\0\0\0") == 0
    with pytest.raises(TooLarge):
        tag_size(b"ID3\x04\0\0" + syncsafe(MAX_TAG))


@pytest.mark.parametrize("version", [3, 4])
def test_the_time_stamp_is_found_among_other_frames(version: int) -> None:
    body = frame(b"TIT2", b"\0title", version=version) + frame(b"PRIV", b"other\0" + b"x" * 200, version=version)
    body += frame(b"PRIV", OWNER + struct.pack(">Q", 0x1_2345_6789), version=version)
    assert transport_timestamp(tag(body + b"\0" * 50, version=version)) == 0x1_2345_6789


def test_only_33_bits_count() -> None:
    assert transport_timestamp(tag(frame(b"PRIV", OWNER + b"\xff" * 8))) == 0x1_FFFF_FFFF


@pytest.mark.parametrize(
    "body",
    [
        b"",
        frame(b"PRIV", OWNER + b"\0" * 7),
        frame(b"PRIV", OWNER[:-1] + b"X\0" + b"\0" * 8),
        frame(b"PRIV", OWNER + b"\0" * 8)[:-1],
        b"\xff" * 40,
    ],
)
def test_without_a_stamp(body: bytes) -> None:
    assert transport_timestamp(tag(body)) is None


def test_extended_headers_and_unsynchronisation() -> None:
    inner = frame(b"PRIV", OWNER + struct.pack(">Q", 7))
    assert transport_timestamp(tag(syncsafe(6) + b"\1\0" + inner, flags=0x40)) == 7
    old = frame(b"PRIV", OWNER + struct.pack(">Q", 7), version=3)
    assert transport_timestamp(tag(struct.pack(">I", 6) + b"\0" * 6 + old, version=3, flags=0x40)) == 7
    body = frame(b"XXXX", b"\xff\x00\xe0", version=4, flags=b"\0\x02")
    assert list(frames(tag(body))) == [("XXXX", b"\xff\xe0")]
    assert list(frames(b"ID3\x02\0\0" + syncsafe(20) + b"x" * 20)) == []
