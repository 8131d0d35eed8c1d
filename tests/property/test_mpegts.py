"""What holds of any transport stream: any split gives the same file, what is taken back was never fed, nothing but a
declared error is raised."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from itertools import pairwise
from random import Random
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.mpegts_source import AUDIO, SPS_160, SPS_320, VIDEO, Show, Take, noise

from ouzel.base.errors import FormatError, NotMedia, Unsupported
from ouzel.formats.mpegts import AudioPacker, TsPair, TsShaper, scan
from ouzel.formats.mpegts.flow import Flow
from ouzel.formats.mpegts.follow import Follower
from ouzel.formats.mpegts.framing import Framer
from ouzel.formats.mpegts.packets import (
    SIZE,
    WRAP,
    pcr_of,
    pid_of,
    read_pes,
    render_packet,
    render_pes,
    shift_pcr,
    shift_pes,
    starts_unit,
)
from ouzel.formats.mpegts.shaper import Mode
from ouzel.formats.shape import Edge, Shaper

Step = tuple[str, bytes]
PIECES = st.lists(st.sampled_from([13, 187, 188, 189, 376, 1000, 5000, 70_000]), min_size=1, max_size=5)
BIG = st.sampled_from([[187, 3000], [5000], [70_000]])
MODES = st.sampled_from(["segments", "continuous"])


@st.composite
def stretches(draw: st.DrawFn) -> list[Step]:
    """Stretches of a show, with changes, jumps and damage between and in them."""
    show = Show(
        sei=draw(st.sampled_from([0, 0, 700])),
        gop=draw(st.sampled_from([5, 12, 500])),
        indicator=draw(st.booleans()),
        frames_per_unit=draw(st.sampled_from([1, 3, 7, 20])),
        video=draw(st.sampled_from([0x100, 0x100, 0x100, None])),
        size=draw(st.sampled_from([100, 900])),
    )
    show.dts = show.sound = draw(st.sampled_from([0, 126_000, WRAP - 40_000]))
    steps: list[Step] = []
    for _ in range(draw(st.integers(1, 4))):
        change = draw(st.sampled_from(["", "", "sps", "rate", "audio", "version", "counters"]))
        if change == "sps":
            show.sps = SPS_320 if show.sps == SPS_160 else SPS_160
        elif change == "rate":
            show.rate = 7 - show.rate
        elif change == "audio" and show.video is not None:
            show.audio = 0x301 if show.audio is None else None
        elif change == "version":
            show.version = (show.version + 1) % 32
        elif change == "counters":
            show.counters.clear()
        show.jump(draw(st.sampled_from([0, 0, 0, 90_000, 90_000 * 5, -90_000 * 5, 90_000 * 4000])))
        data = bytearray(show.play(draw(st.integers(1, 40)), tables=draw(st.sampled_from([True, True, True, False]))))
        if draw(st.booleans()):
            show.dts += draw(st.sampled_from([0, 1, -1800, -3600]))  # one stamp twice, or a small step back
            if show.audio is not None:
                data += show.sounds(draw(st.integers(1, 20)))
            data += show.play(draw(st.integers(1, 20)), tables=False)
        if show.audio is not None and draw(st.booleans()):
            data += show.sounds()[: -SIZE * draw(st.integers(0, 2)) or None]  # a unit may lack its end
        if draw(st.booleans()):
            data = interleaved(data, draw(st.integers(0, 99)))
        for _ in range(draw(st.sampled_from([0, 0, 0, 1, 2]))):
            at = draw(st.integers(0, len(data) // SIZE)) * SIZE
            kind = draw(st.sampled_from(["garbage", "lost", "repeated", "flipped", "cut", "announced", "marked"]))
            if kind == "garbage":
                data[at:at] = noise(at, draw(st.sampled_from([1, 100, 188, 900])))
            elif kind == "lost":
                del data[at : at + SIZE]
            elif kind == "repeated":
                data[at:at] = data[max(0, at - SIZE) : at]
            elif kind == "flipped" and data:
                data[(at + draw(st.integers(0, 30))) % len(data)] ^= 1 << draw(st.integers(0, 7))
            elif kind == "announced":
                data[at:at] = render_packet(draw(st.sampled_from([0x100, 0x101])), 3, discontinuity=True)
            elif kind == "marked" and at < len(data):
                data[at + 1] |= 0x80
            else:
                del data[len(data) - draw(st.integers(1, 400)) :]
        steps.append(("feed", bytes(data)))
        steps += [(name, b"") for name in draw(st.sampled_from([(), ("cut",), ("cut", "splice"), ("cut", "restart")]))]
    return [*steps, ("cut", b"")]


def interleaved(data: bytes | bytearray, seed: int) -> bytearray:
    """The same packets, those of each PID in their order, but no longer one unit after the other."""
    rng = Random(seed)
    queues: dict[int, list[bytes]] = {}
    for at in range(0, len(data), SIZE):
        packet = bytes(data[at : at + SIZE])
        queues.setdefault(pid_of(packet), []).append(packet)
    out = bytearray()
    for pid in [pid for pid, packets in queues.items() for _ in packets if pid not in (VIDEO, AUDIO)]:
        out += queues[pid].pop(0)
    while any(queues.values()):
        pid = rng.choice([pid for pid, packets in queues.items() for _ in packets])
        for _ in range(min(len(queues[pid]), rng.randint(1, 4))):
            out += queues[pid].pop(0)
    return out


def play(shaper: Shaper, steps: list[Step], sizes: list[int], *, wrong: bytes = b"") -> list[object]:
    """Everything that comes out, and the error that ended it. After each whole chunk `wrong` is fed and taken back."""
    take = Take()
    try:
        for name, data in steps:
            if name == "feed":
                take.feed(shaper, data, sizes)
            elif name == "cut":
                before = len(take.spans)
                take.cut(shaper)
                if wrong and len(take.spans) > before:
                    feed_wrong(shaper, wrong)
            elif name == "splice":
                shaper.splice()
            elif take.heads:
                take.open(shaper.restart())
    except (FormatError, Unsupported) as exc:
        take.log.append((type(exc), str(exc)))
    return [*take.log, bytes(take.running)]


def feed_wrong(shaper: Shaper, wrong: bytes) -> None:
    """Feed up to the first edge, and take it back."""
    with suppress(FormatError, Unsupported):
        for op in shaper.feed(memoryview(bytearray(wrong))):
            if isinstance(op, Edge):
                break
    shaper.rollback()


@settings(max_examples=25, deadline=None)
@given(stretches(), PIECES, MODES, st.sampled_from([1 << 19, 40 * SIZE]))
def test_any_split_gives_the_same(steps: list[Step], sizes: list[int], mode: Mode, hold: int) -> None:
    whole = play(TsShaper(mode, hold_bytes=hold), steps, [1 << 30])
    assert play(TsShaper(mode, hold_bytes=hold), steps, sizes) == whole


def known(shaper: TsShaper) -> object:
    """All that a shaper goes back to in a `rollback`, in a form that can be compared. It is between two chunks, so that what a
    lane says of the unit in progress does not count."""
    flow = shaper._save().flow
    lanes = [replace(lane, declared=0, packets=0, frames_before=0, since=-1) for lane in flow.lanes.values()]
    frames = flow.out.frames
    return lanes, flow.time, flow.tables, flow.out._replace(frames=None), flow.seen, flow.flags, frames and frames._data


@settings(max_examples=100, deadline=None)
@given(stretches(), PIECES, MODES)
def test_the_short_way_gives_the_same_as_the_careful_one(steps: list[Step], sizes: list[int], mode: Mode) -> None:
    short = TsShaper(mode, max_chunk_s=3.0)
    careful = TsShaper(mode, max_chunk_s=3.0)
    with (
        mock.patch.object(Framer, "straight", return_value=None),
        mock.patch.object(Flow, "glide", return_value=False),
        mock.patch.object(Follower, "follow", lambda _self, _block, _columns, _starts, number, _base: number),
    ):
        expected = play(careful, steps, sizes)
    assert play(short, steps, sizes) == expected
    assert known(short) == known(careful)


@settings(max_examples=15, deadline=None)
@given(stretches(), stretches(), MODES)
def test_what_is_taken_back_was_never_fed(steps: list[Step], wrong: list[Step], mode: Mode) -> None:
    junk = next(data for name, data in wrong if name == "feed") or b"\x47"
    assert play(TsShaper(mode), steps, [3000], wrong=junk) == play(TsShaper(mode), steps, [3000])


@st.composite
def breaks(draw: st.DrawFn) -> list[tuple[int, int, float]]:
    """Of each connection to a show of 8 groups: the first group and the last that it brings, and how much of that. It begins
    with a group that had begun when the one before it broke, or was over long ago. The last one is whole."""
    begins = 0
    out: list[tuple[int, int, float]] = []
    for _ in range(draw(st.integers(1, 4))):
        last = draw(st.integers(begins, 7))
        out.append((begins, last, draw(st.floats(0.001, 0.999))))
        begins = draw(st.one_of(st.just(last), st.integers(0, last)))
    return [*out, (begins, 7, 1.0)]


@settings(max_examples=40, deadline=None)
@given(breaks(), BIG, st.sampled_from([900, 3000]), st.sampled_from([126_000, WRAP - 40_000]))
def test_whatever_a_server_sends_again_every_picture_is_there_once(
    parts: list[tuple[int, int, float]], sizes: list[int], size: int, start: int
) -> None:
    show = Show(gop=10, size=size, dts=start, sound=start)
    groups = [show.play(10) for _ in range(8)]
    pictures = 80
    shaper, take = TsShaper("continuous", min_chunk_s=0.3), Take()
    for first, last, share in parts:
        take.feed(shaper, b"".join(groups[first:last]) + groups[last][: int(len(groups[last]) * share)], sizes)
        take.cut(shaper)
        shaper.splice()
    (file,) = take.files
    media = {pid.pid: pid for pid in scan([file]).media}
    assert media[VIDEO].units == pictures
    assert media[VIDEO].longest_step_s == pytest.approx(0.04)
    assert media[AUDIO].longest_step_s == pytest.approx(0.064)
    assert [pid.steps_back for pid in media.values()] == [0, 0]
    assert sum(span.frames for span in take.spans) == pictures
    assert take.spans[-1].end_s == pytest.approx(pictures / 25)
    assert all(after.start_s == before.end_s for before, after in pairwise(take.spans))


@settings(max_examples=15, deadline=None)
@given(stretches(), MODES)
def test_what_comes_out_is_whole_and_rises(steps: list[Step], mode: Mode) -> None:
    shaper, take = TsShaper(mode), Take()
    fed = 0
    try:
        for name, data in steps:
            if name == "feed":
                take.feed(shaper, data)
                fed += len(data)
            elif name == "cut":
                take.cut(shaper)
            elif name == "splice":
                shaper.splice()
    except (FormatError, Unsupported):
        return
    for file in take.files:
        assert len(file) % SIZE == 0
        result = scan([file])
        assert result.garbage_bytes == 0
        assert all(pid.steps_back == 0 for pid in result.media)
    ends = [(s.start_s, s.end_s) for s in take.spans]
    assert all(end >= start >= 0 for start, end in ends)
    assert all(start in {0.0, before} for (_, before), (start, _) in pairwise(ends))


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.binary(max_size=400),
            st.builds(lambda n: Show().play(n), st.integers(1, 4)),
            st.builds(
                lambda pid, data, start: render_packet(pid, 0, data[:180], start=start),
                st.sampled_from([0, 0x1000, 0x100, 0x101, 0x1FFF]),
                st.binary(max_size=180),
                st.booleans(),
            ),
            st.sampled_from([b"\x47" * 188, b"ID3\x04\0\0\0\0\0\x05hello", b"\xff\xf1\x4c\x80\x02\x1f\xfc"]),
        ),
        max_size=30,
    ),
    PIECES,
)
def test_nothing_but_declared_errors(parts: list[bytes], sizes: list[int]) -> None:
    data = b"".join(parts)
    pair = TsPair()
    shapers: list[Shaper] = [TsShaper(), TsShaper("continuous", search_limit=500), AudioPacker(), pair.extra, pair.main]
    for shaper in shapers:
        with suppress(FormatError, NotMedia, Unsupported):
            drain(shaper, data, sizes)
            for _ in shaper.cut():
                pass
            shaper.splice()
            drain(shaper, data, sizes)
        shaper.rollback()
    with suppress(Unsupported):
        scan([data])


def drain(shaper: Shaper, data: bytes, sizes: list[int]) -> None:
    at = turn = 0
    while at < len(data):
        for _ in shaper.feed(memoryview(bytearray(data[at : at + sizes[turn % len(sizes)]]))):
            pass
        at += sizes[turn % len(sizes)]
        turn += 1


@settings(max_examples=60)
@given(
    st.integers(0, WRAP - 1),
    st.integers(0, WRAP - 1),
    st.integers(-(1 << 40), 1 << 40),
    st.binary(max_size=600),
    st.booleans(),
)
def test_moving_there_and_back_changes_nothing(pts: int, dts: int, ticks: int, data: bytes, clock: bool) -> None:
    before = render_pes(0x123, 0xE0, data, pts=pts, dts=dts, pcr=pts * 300 + 17 if clock else None)
    packets = bytearray(before)
    shift_pes(packets, 0, ticks)
    shift_pcr(packets, 0, ticks)
    moved = read_pes(packets)
    assert moved is not None
    assert (moved.pts, moved.dts) == ((pts + ticks) % WRAP, (dts + ticks) % WRAP)
    assert not clock or pcr_of(packets) == (pts + ticks) % WRAP * 300 + 17
    assert [pid_of(packets, at) for at in range(0, len(packets), SIZE)] == [0x123] * (len(packets) // SIZE)
    assert starts_unit(packets)
    shift_pes(packets, 0, -ticks)
    shift_pcr(packets, 0, -ticks)
    assert packets == before
