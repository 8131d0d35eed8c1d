"""The FLV shaper under any split of the bytes, any time stamps, any damage."""

from __future__ import annotations

import tracemalloc
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.flv_source import (
    ASC,
    AVCC,
    AVCC_2,
    HEADER,
    Recorder,
    audio_config,
    groups,
    metadata,
    opening,
    picture,
    shaped,
    sound,
    stream,
    video_config,
)

from ouzel.base.errors import FormatError, NotMedia
from ouzel.formats.flv import FlvRules, FlvShaper
from ouzel.formats.flv.tags import SCRIPT, render_tag

RULES = FlvRules(index_room=4)
MADE = groups(6, start=7_000_000, frames=12, size=60)
MADE_LONG = groups(5, start=7_000_000, frames=15, size=60)


def faulty_stream() -> bytes:
    """A bit of everything that the shaper has to notice."""
    return b"".join(
        [
            opening(),
            render_tag(SCRIPT, 5, b"\x02\0\5early\5"),
            stream(MADE[:2]),
            metadata(),
            video_config(),
            b"garbage " * 9,
            stream(MADE[2:3]),
            render_tag(8, 0, b""),
            render_tag(SCRIPT, 5, b"\x02\0\4name\5"),
            video_config(AVCC_2),
            audio_config(b"\x12\x08"),
            stream(MADE[3:5], shift=9_000_000),
            MADE[4].data(9_000_000),
            HEADER + metadata() + video_config(AVCC_2),
            MADE[5].data()[:-150],
        ]
    )


@given(st.lists(st.integers(1, 400), min_size=1, max_size=30), st.booleans())
@settings(max_examples=60, deadline=None)
def test_any_split_of_the_bytes_gives_the_same_ops(sizes: list[int], reconnect: bool) -> None:
    data = faulty_stream()
    whole, split = Recorder(RULES, piece=1 << 20), Recorder(RULES)
    for _ in range(1 + reconnect):
        at, n = 0, 0
        while at < len(data):
            size = sizes[n % len(sizes)]
            split.feed(data[at : at + size])
            at, n = at + size, n + 1
        split.cut().shaper.splice()
        whole.feed(data).cut().shaper.splice()
    assert split.ops == whole.ops
    whole.check()
    assert len(whole.files) == 2 + 2 * reconnect


tags = st.lists(
    st.tuples(
        st.sampled_from(["key", "picture", "sound", "script", "config", "end", "silence"]),
        st.one_of(st.integers(0, 2**32 - 1), st.integers(0, 5000)),
    ),
    max_size=60,
)


def build(kinds: list[tuple[str, int]]) -> bytes:
    out = bytearray()
    for kind, stamp in kinds:
        match kind:
            case "key" | "picture":
                out += picture(stamp, key=kind == "key", body=bytes(3))
            case "sound":
                out += sound(stamp, bytes(3))
            case "script":
                out += render_tag(SCRIPT, stamp, b"\x02\0\4name\5")
            case "config":
                out += video_config(AVCC if stamp % 2 else AVCC_2)
            case "end":
                out += render_tag(9, stamp, b"\x17\x02\0\0\0")
            case _:
                out += render_tag(8, stamp, b"")
    return bytes(out)


@given(tags, tags, st.integers(20, 2000))
@settings(max_examples=120, deadline=None)
def test_time_stamps_rise_and_chunks_tile_whatever_comes(
    first: list[tuple[str, int]], second: list[tuple[str, int]], piece: int
) -> None:
    recorder = Recorder(RULES, piece=piece)
    recorder.feed(opening() + build(first)).reconnect(opening() + build(second)).cut().check()
    kept = sum(len(file.bodies) for file in recorder.files)
    assert kept <= len(first) + len(second)


@given(st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1))
@settings(max_examples=40, deadline=None)
def test_two_connections_with_any_clocks_are_one_time_line(start: int, again: int) -> None:
    made = groups(4, frames=10, size=40)
    recorder = Recorder(RULES).feed(opening() + stream(made[:2], shift=start))
    recorder.reconnect(opening() + stream(made[2:], shift=again)).cut().check()
    assert recorder.file.stamps(9)[-1] == pytest.approx(39 * 40, abs=60)
    assert recorder.file.spans[-1].end_s == pytest.approx(1.6, abs=0.06)


@given(st.integers(0, 5), st.integers(0, 4000), st.sampled_from([0, 55_555, 4_000_000_000]))
@settings(max_examples=80, deadline=None)
def test_wherever_a_connection_breaks_nothing_is_lost_or_doubled(back: int, cut: int, shift: int) -> None:
    """The server still holds some groups, also that in which the connection broke, with the same or another clock."""
    straight = shaped(opening() + stream(MADE), RULES)
    at = 4
    broken = (opening() + stream(MADE[:at])) + MADE[at].data()[:cut]
    recorder = Recorder(RULES).feed(broken)
    recorder.reconnect(opening() + stream(MADE[max(0, at - back) :], shift=shift)).cut().check()
    assert recorder.file.bodies == straight.file.bodies
    assert [tag.stamp for tag in recorder.file.tags] == [tag.stamp for tag in straight.file.tags]


@given(st.binary(max_size=600), st.integers(0, 20_000), st.integers(1, 3000))
@settings(max_examples=60, deadline=None)
def test_rolling_back_is_as_if_it_had_not_come(noise: bytes, more: int, piece: int) -> None:
    """The consumer goes back to the last edge, wherever the shaper is, and feeds the groups after it again."""
    made = MADE_LONG
    straight = Recorder(RULES, piece=piece).feed(opening() + stream(made)).cut()
    detour = Recorder(RULES, piece=piece)
    try:
        detour.feed((opening() + stream(made))[:more] + noise)
    except (FormatError, NotMedia):
        pass
    if not detour.files:
        return
    detour.rollback()
    done = len(detour.file.chunks)
    if any(span.damage or span.dropped_bytes for span in detour.file.spans) or len(detour.files) > 1:
        return  # the noise was kept with a chunk, or taken for a change of tracks
    detour.feed(stream(made[done:])).cut().check()
    assert detour.file.media == straight.file.media
    assert detour.file.spans == straight.file.spans


@given(st.binary(max_size=4000), st.integers(1, 1000), st.booleans())
@settings(max_examples=150, deadline=None)
def test_random_bytes_raise_nothing_but_what_is_promised(data: bytes, piece: int, headed: bool) -> None:
    recorder = Recorder(RULES, piece=piece)
    try:
        recorder.feed((HEADER if headed else b"") + data)
    except (FormatError, NotMedia):
        pass
    recorder.cut().check()


@given(st.randoms(use_true_random=False), st.integers(1, 12), st.integers(50, 5000))
@settings(max_examples=100, deadline=None)
def test_damage_anywhere_leaves_a_file_that_is_whole(rng: Random, wounds: int, piece: int) -> None:
    data = bytearray(faulty_stream())
    for _ in range(wounds):
        at = rng.randrange(len(data))
        match rng.randrange(4):
            case 0:
                data[at] ^= 1 << rng.randrange(8)
            case 1:
                del data[at : at + rng.randrange(300)]
            case 2:
                data[at:at] = rng.randbytes(rng.randrange(300))
            case _:
                data[at:at] = data[rng.randrange(at + 1) : at]
    recorder = Recorder(RULES, piece=piece)
    try:
        recorder.feed(bytes(data))
    except (FormatError, NotMedia):
        pass
    recorder.cut().check()


@pytest.mark.parametrize(
    "block",
    [
        pytest.param(b"\x09\x3f\xff\xff\0\0\0\0\0\0\0\x17", id="candidates that never end"),
        pytest.param(render_tag(18, 0, b"\x02\0\4name" + bytes(900)), id="script tags"),
        pytest.param(video_config() + audio_config(), id="sequence headers"),
        pytest.param(sound(0, bytes(200)), id="sound that stands still"),
        pytest.param(render_tag(8, 0, b""), id="empty tags"),
        pytest.param(render_tag(9, 0, b"\x57\x01" + bytes(100)), id="commands"),
        pytest.param(render_tag(9, 0, b"\x17\x01\0\0\0" + bytes(1 << 20)), id="large pictures"),
    ],
)
@pytest.mark.parametrize("begun", [True, False])
def test_memory_is_bounded(block: bytes, begun: bool) -> None:
    rules = FlvRules(index_room=0, search_bytes=1 << 17, hold_bytes=1 << 17, max_chunk_tags=256)
    shaper = FlvShaper(rules)
    if begun:
        for _ in shaper.feed(memoryview(bytearray(opening() + sound(0) + picture(0, key=True)))):
            pass
    data = block * max(2, (600_000 if len(block) > 100 else 250_000) // len(block))
    tracemalloc.start()
    try:
        for at in range(0, len(data), 16384):
            try:
                for _ in shaper.feed(memoryview(bytearray(data[at : at + 16384]))):
                    pass
            except FormatError:
                for _ in shaper.cut():
                    pass
        assert tracemalloc.get_traced_memory()[1] < 600_000
    finally:
        tracemalloc.stop()


def test_the_configurations_of_the_maker_are_real() -> None:
    head = shaped(opening() + stream(MADE)).file.head
    assert head.video is not None
    assert (head.video.width, head.video.height, head.video.config) == (162, 90, AVCC)
    assert head.audio is not None
    assert (head.audio.sample_rate, head.audio.channels, head.audio.config) == (44100, 2, ASC)
