"""The retiming rule: whatever stamps come in, those that go out rise, and what was right stays untouched."""

from __future__ import annotations

import random
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from ouzel.formats.retime import Retimer

TOLERANCE = 500
WRAP = 32

samples = st.lists(
    st.tuples(
        st.sampled_from([8, 9]),
        st.one_of(
            st.integers(-60, 60),
            st.integers(-700, 700),
            st.integers(-(2**31), 2**31),
        ),
    ),
    max_size=80,
)
"""Track, and the step of the source's clock before its sample."""


def make(zero: int | None = 0) -> Retimer:
    return Retimer(1000, tolerance=TOLERANCE, default_step=33, wrap_bits=WRAP, zero=zero)


def run(retimer: Retimer, steps: list[tuple[int, int]], clock: int = 0) -> list[tuple[int, int, int]]:
    """Track, stamp that came, stamp that goes out."""
    out: list[tuple[int, int, int]] = []
    for track, step in steps:
        clock = (clock + step) % 2**WRAP
        out.append((track, clock, clock + retimer.place(track, clock)))
    return out


def regular(seconds: float, *, start: int = 0, video_ms: int = 40, audio_ms: int = 23) -> list[tuple[int, int]]:
    """Tracks and stamps of a healthy stream, in order of time."""
    end = start + int(seconds * 1000)
    stamps = [(at, 9) for at in range(start, end, video_ms)] + [(at, 8) for at in range(start, end, audio_ms)]
    return [(track, at) for at, track in sorted(stamps)]


@given(samples, st.integers(0, 2**32 - 1))
def test_time_rises_in_each_track_whatever_comes_in(steps: list[tuple[int, int]], clock: int) -> None:
    last = {8: -1, 9: -1}
    for track, _, at in run(make(), steps, clock):
        assert at > last[track]
        last[track] = at


@given(st.lists(st.tuples(samples, st.integers(0, 2**32 - 1)), max_size=5))
def test_time_rises_over_splices(stretches: list[tuple[list[tuple[int, int]], int]]) -> None:
    retimer = make()
    last = {8: -1, 9: -1}
    for steps, clock in stretches:
        firsts: dict[int, int] = {}
        at = clock
        for track, step in steps:
            at = (at + step) % 2**WRAP
            firsts.setdefault(track, at)
        retimer.splice(firsts)
        for track, _, at in run(retimer, steps, clock):
            assert at > last[track]
            last[track] = at


@given(st.integers(20, 60), st.integers(15, 60), st.integers(0, 2**32 - 1))
@settings(max_examples=30)
def test_a_healthy_stream_is_only_moved_to_zero(video_ms: int, audio_ms: int, start: int) -> None:
    retimer = make()
    for track, at in regular(8, start=start, video_ms=video_ms, audio_ms=audio_ms):
        raw = at % 2**WRAP
        assert raw + retimer.place(track, raw) == at - start
    assert {repair.code for repair in retimer.repairs} <= {"start", "wrap"}


@given(st.integers(-(2**31) + 10_000, 2**31 - 10_000).filter(lambda jump: abs(jump) > 2 * TOLERANCE))
@settings(max_examples=40)
def test_a_jump_of_the_clock_keeps_sound_and_picture_together(jump: int) -> None:
    retimer = make()
    before = regular(4, start=10_000)
    after = regular(4, start=14_000)
    for track, at in before:
        retimer.place(track, at)
    placed = [(track, at, at + jump + retimer.place(track, (at + jump) % 2**WRAP)) for track, at in after]
    moved = {(out - (at - 10_000)) % 2**WRAP for _, at, out in placed[10:]}
    assert len(moved) == 1  # one shift for both tracks
    shift = moved.pop()
    assert min(shift, 2**WRAP - shift) <= 40


@given(samples, samples, samples)
@settings(max_examples=60)
def test_restoring_is_as_if_it_never_came(
    before: list[tuple[int, int]], lost: list[tuple[int, int]], after: list[tuple[int, int]]
) -> None:
    straight, detour = make(), make()
    run(straight, before)
    run(detour, before)
    state = detour.save()
    run(detour, lost, clock=77)
    if lost:
        detour.splice({lost[0][0]: 5})
    detour.restore(state)
    assert run(straight, after, clock=1000) == run(detour, after, clock=1000)
    assert straight.repairs == detour.repairs


@given(samples, st.sampled_from([8, 9]), st.integers(0, 2**32 - 1), samples)
@settings(max_examples=60)
def test_undo_takes_back_one_sample(
    before: list[tuple[int, int]], track: int, raw: int, after: list[tuple[int, int]]
) -> None:
    straight, detour = make(), make()
    run(straight, before)
    run(detour, before)
    undo = detour.undo_for(track)
    detour.place(track, raw)
    detour.undo(undo)
    assert run(straight, after, clock=1000) == run(detour, after, clock=1000)
    assert straight.repairs == detour.repairs


@given(samples)
@settings(max_examples=60, deadline=None)
def test_ordinary_samples_may_be_told_of_afterwards(steps: list[tuple[int, int]]) -> None:
    straight, told, clock = make(), make(), 0
    for track, step in steps:
        clock = (clock + step) % 2**WRAP
        due = told.due(track, clock)
        assert told.save() == straight.save(), "asking changes nothing"
        raw, last_step, offset = told.so_far(track)
        assert due == clock + straight.place(track, clock)
        if not 0 < clock - raw <= TOLERANCE:
            told.place(track, clock)
            continue
        before = told.save()
        told.went_on(track, clock, clock - raw)
        told.went_on(track, raw, last_step)
        assert told.save() == before, "and can be taken back"
        told.went_on(track, clock, clock - raw)
        assert due == clock + offset
    assert told.save() == straight.save()


def test_two_samples_with_one_stamp_do_not_shift_their_successors() -> None:
    retimer = make()
    out = [at + retimer.place(9, at) for at in (0, 40, 40, 80, 80, 120, 160)]
    assert out == [0, 40, 41, 80, 81, 120, 160]
    assert retimer.repairs == []


def test_small_steps_back_do_not_add_up() -> None:
    retimer = make()
    rng = random.Random(1)
    clock = 0
    for _ in range(2000):
        clock += 40
        raw = clock + rng.randint(-60, 60)
        at = raw + retimer.place(9, raw % 2**WRAP) if raw >= 0 else 0
        assert abs(at - clock) <= 400


def test_sound_that_jumps_after_the_picture_and_lags_behind_it_is_kept_in_step() -> None:
    retimer = make()
    for track, at in sorted([(9, 0), (9, 40), (9, 80), (8, 0), (8, 23), (8, 46), (8, 69), (8, 92)], key=lambda s: s[1]):
        retimer.place(track, at)
    assert 100_000 + retimer.place(9, 100_000) == 120
    out = [at + retimer.place(8, at) for at in (99_960, 99_983, 100_006)]
    assert out == [93, 103, 126]


def test_a_pause_of_one_track_keeps_it_in_step_with_the_other() -> None:
    retimer = make()
    for track, at in regular(4):
        if track == 9 or not 1000 <= at < 3000:
            assert at + retimer.place(track, at) == at
    assert retimer.repairs == []


def test_a_pause_of_all_tracks_takes_no_time() -> None:
    retimer = make()
    for track, at in regular(2):
        retimer.place(track, at)
    gaps = {at - (at + retimer.place(track, at)) for track, at in regular(2, start=12_000)}
    assert len(gaps) == 1
    assert abs(gaps.pop() - 10_000) <= 40
    assert [repair.code for repair in retimer.repairs] == ["jump"]


def test_a_camera_with_one_picture_every_two_seconds_keeps_its_pace() -> None:
    retimer = make()
    out = [at + retimer.place(9, at) for at in range(0, 20_000, 2000)]
    assert [b - a for a, b in pairwise(out[1:])] == [2000] * 8


def test_sound_that_begins_before_the_first_picture_is_not_placed_below_zero() -> None:
    retimer = make()
    assert 1000 + retimer.place(9, 1000) == 0
    assert [at + retimer.place(8, at) for at in (960, 983, 1006, 1029)] == [0, 1, 6, 29]


def test_a_track_whose_clock_is_another_begins_beside_the_others() -> None:
    retimer = make()
    for at in range(0, 2000, 40):
        retimer.place(9, 3_600_000 + at)
    at = 5 + retimer.place(8, 5)
    assert abs(at - 1960) <= 40


def test_tracks_with_clocks_of_their_own_stay_together_over_a_splice() -> None:
    retimer = make()
    retimer.start({9: 3_600_000, 8: 5})
    for at in range(0, 2000, 40):
        assert 3_600_000 + at + retimer.place(9, 3_600_000 + at) == at
        assert abs(5 + at + retimer.place(8, 5 + at) - at) <= 40
    retimer.splice({9: 9_000_000, 8: 70})
    assert abs(9_000_000 + retimer.place(9, 9_000_000) - 2000) <= 40
    assert abs(70 + retimer.place(8, 70) - 2000) <= 80


def test_the_counter_wraps_and_time_goes_on() -> None:
    retimer = make()
    start = 2**32 - 1000
    out = [raw % 2**32 + retimer.place(9, raw % 2**32) for raw in range(start, start + 3000, 40)]
    assert out == list(range(0, 3000, 40))
    assert [repair.code for repair in retimer.repairs] == ["start", "wrap"]


def test_a_splice_of_what_continues_changes_nothing() -> None:
    retimer = make()
    for track, at in regular(2):
        retimer.place(track, at)
    before = retimer.offset
    assert retimer.splice({9: 2000, 8: 2001}) == before
    assert retimer.repairs == []


def test_a_splice_leaves_no_hole() -> None:
    retimer = make()
    for track, at in regular(2):
        retimer.place(track, at)
    retimer.splice({9: 50_000, 8: 50_010})
    video = 50_000 + retimer.place(9, 50_000)
    audio = 50_010 + retimer.place(8, 50_010)
    assert 2000 <= video <= 2040
    assert audio - video == 10


def test_a_new_file_begins_at_zero_with_whatever_comes_first() -> None:
    retimer = make()
    for track, at in regular(2):
        retimer.place(track, at)
    retimer.restart()
    assert 2000 + retimer.place(9, 2000) == 0
    assert 2001 + retimer.place(8, 2001) == 1
    retimer.restart()
    assert 2024 + retimer.place(8, 2024) == 0
    assert 2040 + retimer.place(9, 2040) == 16


def test_a_new_file_leaves_room_for_sound_that_lags_behind() -> None:
    retimer = make()
    for track, at in [(9, 0), (8, 0), (9, 40), (8, 20), (9, 80), (8, 40)]:
        retimer.place(track, at)
    retimer.restart()
    assert 120 + retimer.place(9, 120) == 60
    assert 60 + retimer.place(8, 60) == 0
    retimer.restart()
    assert 99_999 + retimer.place(9, 99_999) == 0  # too far to be the same clock


def test_a_long_last_frame_is_no_jump_after_a_splice() -> None:
    retimer = make()
    for at in (0, 40, 80):
        retimer.place(9, at)
    retimer.lasts(9, 2000)
    assert retimer.end(9) == 2080
    retimer.splice({9: 100_000})
    out = [at + retimer.place(9, at) for at in (100_000, 100_040)]
    assert out == [580, 620]
    assert [repair.code for repair in retimer.repairs] == ["splice"]


def test_without_a_zero_the_stamps_of_the_source_are_kept() -> None:
    retimer = make(zero=None)
    assert [retimer.place(track, at) for track, at in regular(1, start=12_345)] == [0] * len(regular(1, start=12_345))
