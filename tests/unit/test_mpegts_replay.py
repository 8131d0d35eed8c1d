"""What a server of an endless transport stream sends again after a reconnect."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import pytest
from tests.mpegts_source import AUDIO, FRAME, VIDEO, Show, Take

from ouzel.formats.mpegts import TsShaper, scan
from ouzel.formats.mpegts.packets import SIZE, pid_of, read_pes, render_packet, set_counter, starts_unit
from ouzel.formats.shape import Edge

GOP = 50
START = 126_000
UNITS = {VIDEO: FRAME / 90_000, AUDIO: 3 * 1920 / 90_000}
"""Seconds of a unit of each track."""


def groups(count: int, **changes: object) -> list[bytes]:
    """Groups of pictures of 2 s each, with their sound, as one server sends them."""
    show = replace(Show(gop=GOP), **changes)  # type: ignore[arg-type]
    return [show.play(GOP) for _ in range(count)]


def stamps(data: bytes, pid: int) -> list[int]:
    found = (
        read_pes(data, at) for at in range(0, len(data), SIZE) if pid_of(data, at) == pid and starts_unit(data, at)
    )
    return [pes.dts for pes in found if pes is not None and pes.dts is not None]


def half(data: bytes) -> bytes:
    return data[: len(data) // 2 // SIZE * SIZE]


def connect(
    *connections: bytes, shaper: TsShaper | None = None, sizes: Sequence[int] = (5000,), broken: bool = False
) -> Take:
    """One connection after the other, each of which breaks off."""
    shaper, take = shaper or TsShaper("continuous"), Take()
    for data in connections:
        take.feed(shaper, data, sizes)
        take.cut(shaper, broken=broken)
        shaper.splice()
    return take


def is_one(take: Take, pictures: int) -> bool:
    """Every picture once, in its order, with the stamps it came with; and the chunks tile."""
    steps = [b - a for a, b in pairwise(stamps(take.out, AUDIO))]
    return (
        stamps(take.out, VIDEO) == [START + n * FRAME for n in range(pictures)]
        and set(steps) <= {3 * 1920}
        and sum(span.frames for span in take.spans) == pictures
        and all(a.end_s == b.start_s for a, b in pairwise(take.spans))
        and len(take.files) == 1
    )


@pytest.mark.parametrize("size", [187, 5000, 1 << 20])
def test_a_group_that_was_cut_off_is_taken_back_when_it_comes_again(size: int) -> None:
    a, b, c, d = groups(4)
    take = connect(a + b + half(c), c + d, sizes=[size])
    assert len(take.taken_back) == 1
    assert not take.replays
    assert is_one(take, 4 * GOP)
    assert [span.damage for span in take.spans] == [""] * 4
    assert [r.code for span in take.spans for r in span.repairs] == []


def test_whole_groups_that_come_again_are_replays() -> None:
    a, b, c, d = groups(4)
    take = connect(a + b + half(c), a + b + c + d)
    assert [span.source_s for span in take.replays] == [pytest.approx(1.4), pytest.approx(3.4)]
    assert len(take.taken_back) == 1
    assert is_one(take, 4 * GOP)


def test_a_replay_that_breaks_off_itself_is_no_loss() -> None:
    a, b, c, d = groups(4)
    take = connect(a + b + half(c), half(b), a + b + half(c)[: 40 * SIZE], b + c + d)
    assert is_one(take, 4 * GOP)


def test_the_whole_show_again_adds_nothing() -> None:
    a, b, c = groups(3)
    take = connect(a + b + c, a + b + c)
    assert is_one(take, 3 * GOP)
    assert len(take.replays) == 2


def test_a_chunk_that_begins_a_file_can_be_taken_back() -> None:
    a, b = groups(2)
    take = connect(half(a), a + b)
    assert len(take.taken_back) == 1
    assert is_one(take, 2 * GOP)


def test_a_group_that_follows_simply_follows() -> None:
    a, b, c = groups(3)
    take = connect(a + b, c)
    assert not take.taken_back
    assert is_one(take, 3 * GOP)


def test_after_a_gap_the_clock_goes_on_in_the_file_and_replays_are_known_still() -> None:
    a, b, _, d, e = groups(5)
    take = connect(a + half(b), d + half(e), d + e)
    assert [len(take.taken_back), len(take.replays)] == [1, 1]
    video = stamps(take.out, VIDEO)
    assert video == sorted(set(video))
    assert sum(span.frames for span in take.spans) == len(video)
    assert all(x.end_s == y.start_s for x, y in pairwise(take.spans))


def test_another_muxer_sends_the_same_pictures() -> None:
    a, b, c, d = groups(4)
    again = bytearray(c + d)
    counters: dict[int, int] = {}
    for at in range(0, len(again), SIZE):
        pid = pid_of(again, at)
        set_counter(again, at, counters.get(pid, 9))
        counters[pid] = counters.get(pid, 9) + 1
    take = connect(a + b + half(c), bytes(again))
    assert is_one(take, 4 * GOP)
    assert [pid.continuity_errors for pid in scan([bytes(take.out)]).media] == [0, 0]


def test_a_still_picture_is_not_a_replay() -> None:
    def still(start: int) -> bytes:
        show = Show(gop=GOP, dts=start, sound=start)
        return b"".join([show.tables(), *(picture_again(show) for _ in range(GOP))])

    def picture_again(show: Show) -> bytes:
        show.number %= GOP
        return show.picture() + (show.sounds() if show.sound < show.dts else b"")

    parts = [still(START + n * GOP * FRAME) for n in range(3)]
    take = connect(parts[0] + half(parts[1]), parts[2])
    assert not take.taken_back
    assert not take.replays


def test_another_picture_with_the_same_stamp_is_not_a_replay() -> None:
    a, b, c = groups(3)
    show = Show(gop=GOP, number=GOP * 70, dts=START + 2 * GOP * FRAME, sound=START + 2 * GOP * FRAME)
    take = connect(a + b + half(c), show.play(GOP))
    assert not take.taken_back
    assert not take.replays


def test_a_group_is_not_taken_back_for_one_that_begins_in_its_middle() -> None:
    a, b, c, d = groups(4)
    take = connect(a + b + half(c), c[len(half(c)) :] + d)
    assert not take.taken_back
    assert is_one(take, 4 * GOP)


def end_of(data: bytes, part: int) -> bytes:
    """The last part of a group, from a whole packet on."""
    return data[len(data) - len(data) // part // SIZE * SIZE :]


@pytest.mark.parametrize("part", [2, 10, 40])
@pytest.mark.parametrize("size", [5000, 1 << 20])
def test_a_buffer_that_begins_in_the_middle_of_a_group_is_known_by_the_groups_behind(part: int, size: int) -> None:
    a, b, c, d = groups(4)
    take = connect(a + b + half(c), end_of(a, part) + b + c + d, sizes=[size])
    assert len(take.replays) == 2
    assert is_one(take, 4 * GOP)


def test_the_same_buffer_again_and_again_adds_nothing() -> None:
    a, b, c, d = groups(4)
    buffer = end_of(a, 3) + b + c + half(d)
    take = connect(a + b + c + half(d), *[buffer] * 5)
    once = connect(a + b + c + half(d))
    assert stamps(take.out, VIDEO) == stamps(once.out, VIDEO)


@pytest.mark.parametrize("size", [5000, 1 << 20])
def test_a_unit_whose_beginning_was_not_sent_is_left_out(size: int) -> None:
    """Its packets would become a part of the last picture of the connection before."""
    a, b, c, d = groups(4)
    inside = next(n for n in range(4, 400) if pid_of(c, n * SIZE) == VIDEO and not starts_unit(c, n * SIZE))
    take = connect(a + b, c[inside * SIZE :] + d, sizes=[size])
    sent = {unit for group in (a, b, c, d) for unit in units(group, VIDEO)}
    assert [len(unit) for unit in units(take.out, VIDEO) if unit not in sent] == []


def test_what_a_break_has_torn_off_is_told_of_each_track() -> None:
    """The next connection goes on at the very next byte: a unit that was torn is not joined with its rest."""
    a, b, c = groups(3)
    data, seen = a + b + c, set[tuple[bool, bool]]()
    for at in range(len(a) - 60 * SIZE, len(a) + 60 * SIZE, SIZE):
        take = connect(data[:at], data[at:], broken=True)
        lost_s = [len(set(stamps(data, pid)) - set(stamps(take.out, pid))) * ticks for pid, ticks in UNITS.items()]
        told_s = [sum(span.lost_s for span in take.spans), sum(span.sound_lost_s for span in take.spans)]
        assert told_s == pytest.approx(lost_s), at // SIZE
        assert all(span.damage == "" for span in take.spans)
        seen.add((told_s[0] > 0, told_s[1] > 0))
    assert seen == {(False, False), (False, True), (True, False)}


def test_what_was_torn_off_and_comes_again_is_not_missing() -> None:
    a, b, c = groups(3)
    for again in (b + c, end_of(b, 1) + c, a + b + c):
        take = connect(a + half(b)[: -20 * SIZE], again, broken=True)
        assert [(span.lost_s, span.sound_lost_s) for span in take.spans] == [(0.0, 0.0)] * len(take.spans)


def test_what_was_torn_off_in_a_connection_that_gave_nothing_is_told_behind_it() -> None:
    a, b, c = groups(3)
    take = connect(a, b[: 4 * SIZE], b[4 * SIZE :] + c, broken=True)
    assert [span.lost_s for span in take.spans if span.lost_s] == [pytest.approx(FRAME / 90_000)]


def units(data: bytes, pid: int) -> list[bytes]:
    """The payloads of the units of a track, without what stands in their headers."""
    found: list[bytearray] = []
    for at in range(0, len(data), SIZE):
        if pid_of(data, at) != pid or not data[at + 3] & 0x10:
            continue
        body = at + 4 + (1 + data[at + 4] if data[at + 3] & 0x20 else 0)
        if starts_unit(data, at):
            found.append(bytearray())
            body += 9 + data[body + 8]
        if found:
            found[-1] += data[body : at + SIZE]
    return [bytes(unit) for unit in found]


def test_the_rest_of_the_last_group_once_more_adds_nothing() -> None:
    """A short buffer, at the end of the show: no key frame is in it."""
    a, b, c, _ = groups(4)
    once = connect(a + b + c)
    take = connect(a + b + c, *[end_of(c, 2)] * 3)
    assert stamps(take.out, VIDEO) == stamps(once.out, VIDEO)
    assert len(take.replays) == 3


def test_the_rest_of_a_group_that_was_cut_off_is_kept() -> None:
    a, b, c, d = groups(4)
    take = connect(a + b + half(c), end_of(c, 3) + d)
    assert not take.replays
    assert not take.taken_back
    kept = stamps(take.out, VIDEO)
    assert len(kept) > 3 * GOP + GOP // 2
    assert kept == sorted(set(kept))


def test_what_has_nothing_whole_in_it_does_not_void_the_chunk_before() -> None:
    a, b, c, d = groups(4)
    cut = c[: 5 * SIZE]  # the tables, and a few packets of the first picture
    take = connect(a + b + cut, b + c + d)
    assert is_one(take, 4 * GOP)


def test_sound_ahead_of_the_picture_is_part_of_the_chunk() -> None:
    show = Show(gop=GOP)
    first = show.tables() + show.sounds() + show.play(GOP, tables=False)
    second = show.play(GOP)
    assert is_one(connect(half(first), first + second), 2 * GOP)
    without = Show(gop=GOP, sound=START + 3 * 1920).play(GOP)
    assert not connect(half(first), without).taken_back  # it has not all that would be taken back


def test_what_stands_ahead_of_a_picture_is_not_there_twice() -> None:
    show = Show(gop=GOP)
    parts: list[bytes] = []
    for number in range(4):
        ahead = show.sounds() if number == 2 else b""
        parts.append(render_packet(0x1FFF, 0, b"mark %d" % number) + ahead + show.play(GOP))
    a, b, c, d = parts
    take = connect(a + b + half(c), c + d)
    assert len(take.taken_back) == 1
    assert is_one(take, 4 * GOP)
    assert [take.out.count(b"mark %d" % number) for number in range(4)] == [1, 1, 1, 1]
    assert take.spans[2].dropped_bytes > 0


def test_without_memory_nothing_is_a_replay() -> None:
    a, b, c = groups(3)
    take = connect(a + b + half(c), b + c, shaper=TsShaper("continuous", replays=0))
    assert not take.taken_back
    assert not take.replays


def test_segments_are_never_replays() -> None:
    a, b = groups(2)
    take = connect(a + half(b), b, shaper=TsShaper())
    assert not take.taken_back


def test_only_so_many_are_remembered() -> None:
    parts = groups(6)
    take = connect(b"".join(parts), b"".join(parts[:2]), shaper=TsShaper("continuous", replays=3))
    assert not take.replays
    take = connect(b"".join(parts), b"".join(parts[2:4]), shaper=TsShaper("continuous", replays=3))
    assert len(take.replays) == 2


def test_a_new_file_has_nothing_to_take_back() -> None:
    a, b, c, d = groups(4)
    shaper, take = TsShaper("continuous"), Take()
    take.feed(shaper, a + b + half(c))
    take.cut(shaper)
    shaper.restart()
    shaper.splice()
    take.feed(shaper, c + d)
    take.cut(shaper)
    assert not take.taken_back


def test_what_is_taken_back_can_be_rolled_back() -> None:
    a, b, c, d = groups(4)
    shaper, take = TsShaper("continuous"), Take()
    take.feed(shaper, a + b + half(c))
    take.cut(shaper)
    shaper.splice()
    take.feed(shaper, half(c))
    assert len(take.taken_back) == 1
    take.running.clear()
    shaper.rollback()
    take.feed(shaper, c + d)
    take.cut(shaper)
    assert is_one(take, 4 * GOP)


def test_a_replay_that_is_refused_is_told_again() -> None:
    a, b, c = groups(3)
    shaper, take = TsShaper("continuous"), Take()
    take.feed(shaper, a + b)
    take.cut(shaper)
    shaper.splice()
    ops = shaper.feed(memoryview(bytearray(a + b + c)))
    assert next(op.span.replay for op in ops if isinstance(op, Edge))
    shaper.rollback()
    take.feed(shaper, a + b + c)
    take.cut(shaper)
    assert is_one(take, 3 * GOP)
