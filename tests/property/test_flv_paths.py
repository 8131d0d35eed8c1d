"""Ordinary tags take a short way through the FLV shaper, all others a long one. What comes out does not tell which it was."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from unittest.mock import patch

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.flv_source import AVCC_2, Recorder, audio_config, metadata, opening, video_config

from ouzel.base.errors import FormatError, NotMedia, TooLarge
from ouzel.formats.flv import FlvRules
from ouzel.formats.flv.follow import Follower
from ouzel.formats.flv.tags import AUDIO, SCRIPT, VIDEO, render_tag

RULES = FlvRules(index_room=4, max_chunk_tags=40, max_chunk_s=3.0, stuck_after=2, search_bytes=5000)
LONG_CHUNKS = FlvRules(index_room=4, max_chunk_s=1e6)
FOLLOW = Follower.follow

kinds = st.sampled_from(
    ["picture"] * 8 + ["sound"] * 12 + ["key"] * 2 + ["side", "script", "metadata", "config", "end"]
)
steps = st.one_of(st.just(23), st.just(40), st.integers(0, 60), st.integers(-900, 900), st.integers(-(2**31), 2**31))
faults = st.sampled_from([*[""] * 20, "size", "garbage", "stream", "short", "flip"])
tags = st.lists(st.tuples(kinds, steps, st.integers(0, 90), faults), min_size=1, max_size=70)
"""What it is, time since the tag before, bytes of media, what is wrong with it."""


def build(made: Sequence[tuple[str, int, int, str]], *, fourcc: bool, still: bool, start: int) -> list[bytes]:
    """The tags, in pieces of one tag with what stands behind it."""
    clock, out = start, list[bytes]()
    for n, (kind, step, size, fault) in enumerate(made):
        clock = (clock + step) % 2**32
        noise = bytes(size) if still else Random(n).randbytes(size)
        tag = bytearray(one_tag(kind, clock, noise, fourcc=fourcc))
        match fault:
            case "size":
                tag[-4:] = bytes(4)
            case "garbage":
                tag += b"garbage " * (1 + size % 5)
            case "stream":
                tag[8 + size % 3] = 1
            case "short":
                del tag[len(tag) * 3 // 4 :]
            case "flip":
                tag[size % 15] ^= 1 << size % 8
            case _:
                pass
        out.append(bytes(tag))
    return out


def one_tag(kind: str, stamp: int, noise: bytes, *, fourcc: bool) -> bytes:
    cts = (len(noise) - 20).to_bytes(3, "big", signed=True)
    match kind:
        case "key" | "picture":
            nibble = (1 if kind == "key" else 2) << 4
            if not fourcc:
                return render_tag(VIDEO, stamp, bytes([nibble | 7, 1]) + cts + noise)
            if len(noise) % 3 == 0:
                return render_tag(VIDEO, stamp, bytes([0x80 | nibble | 3]) + b"avc1" + noise)
            return render_tag(VIDEO, stamp, bytes([0x80 | nibble | 1]) + b"avc1" + cts + noise)
        case "sound":
            return render_tag(AUDIO, stamp, b"\xaf\x01" + noise)
        case "side":
            return render_tag(VIDEO, stamp, b"\x57\x01" + noise)
        case "script":
            return render_tag(SCRIPT, stamp, b"\x02\0\4name" + noise)
        case "metadata":
            return metadata()
        case "config":
            return audio_config() if len(noise) % 2 else video_config(AVCC_2)
        case _:
            return render_tag(VIDEO, stamp, b"\x17\x02\0\0\0")


def head(*, fourcc: bool) -> bytes:
    if not fourcc:
        return opening()
    classic = video_config()
    record = classic[16:-4]
    return opening().replace(classic, render_tag(VIDEO, 0, b"\x90avc1" + record))


def recorded(
    connections: Sequence[Sequence[bytes]], *, piece: int = 1 << 20, rules: FlvRules | None = None
) -> Recorder:
    """What comes of connections whose bytes arrive in these pieces, or in smaller ones."""
    recorder = Recorder(rules or RULES, piece=piece)
    for pieces in connections:
        try:
            for data in pieces:
                recorder.feed(data)
                recorder.ops.append(recorder.shaper.chunk_range)
        except (FormatError, NotMedia) as exc:
            recorder.ops.append(exc.code)
        recorder.cut().shaper.splice()
        recorder.ops.append(recorder.shaper.chunk_range)
    return recorder


def long_way(follower: Follower, buf: memoryview, p: int) -> int:
    """Instead of `Follower.follow`: what it does where the buffer ends before the next tag."""
    return FOLLOW(follower, buf[:p], p)


@given(
    made=tags,
    fourcc=st.booleans(),
    still=st.booleans(),
    start=st.sampled_from([0, 5000, 2**32 - 700]),
    again=st.tuples(st.integers(0, 60), st.sampled_from([0, 0, 70_000])),
    missing=st.sampled_from([0, 0, 3, 30, 60]),
    piece=st.integers(1, 600),
)
@example(  # the time at which a picture is due changes with the sound before it, and a chunk ends there
    made=[("picture", -1, 0, ""), ("sound", 2977, 0, ""), ("picture", 23, 0, "")],
    fourcc=False,
    still=False,
    start=0,
    again=(0, 0),
    missing=0,
    piece=600,
)
@example(  # the same with picture and sound exchanged
    made=[("sound", -1, 0, ""), ("picture", 2977, 0, ""), ("sound", 23, 20, "")],
    fourcc=False,
    still=False,
    start=0,
    again=(0, 0),
    missing=0,
    piece=600,
)
@example(  # another FourCC
    made=[("picture", 23, 0, ""), ("picture", 23, 13, "flip")],
    fourcc=True,
    still=False,
    start=0,
    again=(0, 0),
    missing=0,
    piece=600,
)
@example(  # bodies so short that what stands before their ends is the time stamp
    made=[(kind, 20, size, "") for kind, size in [("key", 60), *[("sound", 0), ("picture", 0)] * 15] * 2],
    fourcc=False,
    still=True,
    start=0,
    again=(0, 70_000),
    missing=0,
    piece=600,
)
@example(  # the last picture, which never becomes whole, would have been shown later than any other
    made=[(kind, 20, size, "") for kind, size in [("key", 20), ("sound", 9), *[("picture", 20)] * 5, ("picture", 90)]],
    fourcc=False,
    still=False,
    start=0,
    again=(3, 70_000),
    missing=30,
    piece=600,
)
@settings(max_examples=150, deadline=None)
def test_the_short_way_and_the_long_way_lead_to_the_same_file(
    made: list[tuple[str, int, int, str]],
    fourcc: bool,
    still: bool,
    start: int,
    again: tuple[int, int],
    missing: int,
    piece: int,
) -> None:
    """Over two connections: the first may break off in a tag, the second begins with something of the first, by the same clock
    or another."""
    first = [head(fourcc=fourcc), *build(made, fourcc=fourcc, still=still, start=start)]
    back, shift = again
    second = [first[0], *build(made, fourcc=fourcc, still=still, start=start + shift)[back:]]
    first[-1] = first[-1][: len(first[-1]) - missing]
    joined = [[b"".join(first)], [b"".join(second)]]
    for connections, most in ((joined, 1 << 20), (joined, piece), ([first, second], 1 << 20)):
        with patch.object(Follower, "follow", long_way):
            expected = recorded(connections, piece=most)
        assert recorded(connections, piece=most).ops == expected.ops


@pytest.mark.parametrize("fourcc", [False, True])
def test_ordinary_tags_take_the_short_way(fourcc: bool) -> None:
    """Else the test above compares the long way with itself."""
    sizes = [(kind, 20, 40, "") for kind in ["key", "sound", *["picture", "sound"] * 15]]
    pieces = [head(fourcc=fourcc), *build(sizes, fourcc=fourcc, still=False, start=0)]
    with patch.object(Follower, "keep", autospec=True, side_effect=Follower.keep) as kept:
        recorded([[b"".join(pieces)]])
        alone = kept.call_count
        recorded([pieces])
    assert (alone, kept.call_count - alone) == (1, 1)  # where the chunk begins


@pytest.mark.parametrize("kind", ["picture", "sound"])
@pytest.mark.parametrize("short", [True, False])
def test_a_tag_that_is_too_large_takes_neither(kind: str, short: bool) -> None:
    sizes = [("key", 20, 40, ""), ("sound", 20, 40, ""), ("picture", 20, 40, ""), (kind, 20, 400, "")]
    data = b"".join([head(fourcc=False), *build(sizes, fourcc=False, still=False, start=0)])
    with patch.object(Follower, "follow", FOLLOW if short else long_way), pytest.raises(TooLarge):
        Recorder(FlvRules(index_room=4, max_tag=300)).feed(data)


def test_time_stamps_beyond_24_bits() -> None:
    """A camera with one picture in more than an hour: the fourth byte of the time stamp is not where it is expected."""
    slow = [("key", 20, 40, ""), *[("picture", 4_000_000, 40, "")] * 12]
    data = b"".join([head(fourcc=False), *build(slow, fourcc=False, still=False, start=5000)])
    with patch.object(Follower, "follow", long_way):
        expected = recorded([[data]], rules=LONG_CHUNKS)
    assert recorded([[data]], rules=LONG_CHUNKS).ops == expected.ops
    assert len(expected.file.chunks) == 1
    assert expected.file.stamps(VIDEO)[-1] > 1 << 24
