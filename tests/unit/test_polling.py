"""When a channel is asked about next, who of many is asked first, and how many questions a platform gets."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ouzel.base.errors import Blocked, ChannelGone, ConnectFailed, NeedsLogin, OuzelError, SiteChanged
from ouzel.model.budget import Budget, BudgetRules
from ouzel.model.hours import Hours, Pace
from ouzel.model.live import Identity, Live, Offline, Vod
from ouzel.model.polling import PollRules, Turns, patience_s
from ouzel.model.stream import Stream

NOW = datetime(2026, 11, 22, 20, 0, tzinfo=UTC)  # a Sunday
WHO = Identity("huya", "1")
LIVE = Live(WHO, "somebody", (Stream("https://a.example/x.flv"),))
STEADY = PollRules(jitter=0.0, live_jitter=0.0)
SHANGHAI = ZoneInfo("Asia/Shanghai")


def wait_s(outcome: object, **known: object) -> float:
    return patience_s(STEADY, Random(1), outcome, now=NOW, **known)  # pyright: ignore[reportArgumentType]


# ---- when


@pytest.mark.parametrize(
    ("interval_s", "pace", "expected"),
    [
        (0, Pace.PLAIN, 30), (0, Pace.NEAR, 15), (0, Pace.FAR, 150),
        (7, Pace.NEAR, 7), (600, Pace.FAR, 600),  # what the user wishes is not paced
    ],
)  # fmt: skip
def test_the_hour_counts_unless_the_user_has_a_wish(interval_s: float, pace: Pace, expected: float) -> None:
    assert wait_s(Offline(WHO), interval_s=interval_s, pace=pace) == expected


@pytest.mark.parametrize(
    ("interval_s", "pace", "expected"),
    [(18, Pace.NEAR, 10), (8, Pace.NEAR, 8), (90, Pace.FAR, 300), (400, Pace.FAR, 400), (400, Pace.NEAR, 200)],
)
def test_dense_is_never_under_ten_seconds_and_sparse_never_beyond_five_minutes(
    interval_s: float, pace: Pace, expected: float
) -> None:
    assert STEADY.paced_s(interval_s, pace) == expected


@pytest.mark.parametrize(
    ("error", "first", "last"),
    [
        (SiteChanged("?"), 30, 900), (NeedsLogin("?"), 30, 900), (ConnectFailed("?"), 30, 60),
        (ChannelGone("?"), 30, 6 * 3600),
    ],
)  # fmt: skip
def test_after_errors_it_is_asked_less_and_less_often(error: OuzelError, first: float, last: float) -> None:
    assert wait_s(error, errors=1) == first
    assert wait_s(error, errors=2) == 60
    assert wait_s(error, errors=60) == last


def test_an_interval_beyond_the_longest_back_off_is_kept() -> None:
    assert wait_s(ConnectFailed("?"), errors=9, interval_s=3600) == 3600


def test_what_is_on_air_is_asked_seldom_and_whether_it_is_over_three_times_in_a_minute() -> None:
    assert wait_s(LIVE, on_air=True) == 90
    assert [wait_s(Offline(WHO), on_air=True, offline_in_row=n) for n in (1, 2, 3)] == [20, 20, 30]
    assert wait_s(SiteChanged("?"), errors=20, on_air=True) == 90
    waits = [patience_s(PollRules(), Random(n), LIVE, now=NOW, on_air=True) for n in range(200)]
    assert 60 <= min(waits) < 63
    assert 117 < max(waits) <= 120


def test_a_video_that_is_over_is_asked_about_seldom() -> None:
    assert wait_s(Vod(WHO, "", LIVE.streams)) == 300


# ---- learned hours


def starts(*, days: range, hour: int, zone: ZoneInfo = SHANGHAI) -> list[datetime]:
    local = NOW.astimezone(zone).replace(hour=hour, minute=5)
    return [(local - timedelta(days=day)).astimezone(UTC) for day in days]


def at(hour: int, minute: int = 0, *, day: int = 0) -> datetime:
    return (NOW.astimezone(SHANGHAI) + timedelta(days=day)).replace(hour=hour, minute=minute)


def test_who_begins_at_eight_is_asked_often_about_eight_and_seldom_in_the_morning() -> None:
    hours = Hours.learn(starts(days=range(1, 15), hour=20), NOW, SHANGHAI)
    assert hours
    paces = [hours.pace(at(h, m, day=3)) for h, m in ((19, 20), (19, 40), (20, 50), (21, 10), (22, 40), (9, 0), (3, 0))]
    near, plain, far = Pace.NEAR, Pace.PLAIN, Pace.FAR
    assert paces == [plain, near, near, plain, far, far, far]


def test_a_weekly_show_is_near_on_its_day_only() -> None:
    hours = Hours.learn(starts(days=range(0, 70, 7), hour=12), NOW, SHANGHAI)
    assert hours
    assert [hours.pace(at(12, day=day)) for day in (7, 8)] == [Pace.NEAR, Pace.PLAIN]


def test_two_shows_a_day_are_two_habits() -> None:
    twice = starts(days=range(1, 15), hour=12) + starts(days=range(1, 15), hour=20)
    hours = Hours.learn(twice, NOW, SHANGHAI)
    assert hours
    assert [hours.pace(at(hour, 10, day=2)) for hour in (12, 20, 4)] == [Pace.NEAR, Pace.NEAR, Pace.FAR]


def test_who_begins_at_any_hour_is_asked_evenly() -> None:
    random = Random(7)
    any_time = [NOW - timedelta(minutes=random.randrange(60 * 24 * 60)) for _ in range(400)]
    hours = Hours.learn(any_time, NOW, SHANGHAI)
    assert hours == Hours(SHANGHAI, 0, 0)


def test_four_beginnings_and_those_of_last_year_teach_nothing() -> None:
    assert Hours.learn(starts(days=range(1, 5), hour=20), NOW, SHANGHAI) is None
    assert Hours.learn(starts(days=range(200, 240), hour=20), NOW, SHANGHAI) is None


def test_a_habit_that_changed_two_months_ago_is_weaker_than_the_present_one() -> None:
    old, new = starts(days=range(120, 175), hour=8), starts(days=range(1, 30), hour=20)
    hours = Hours.learn(old + new, NOW, SHANGHAI)
    assert hours
    assert (hours.pace(at(20, 10)), hours.pace(at(8, 10))) == (Pace.NEAR, Pace.PLAIN)


def test_hours_are_local_ones_also_when_the_clocks_are_set() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    summer = [datetime(2026, 10, day, 18, 5, tzinfo=UTC) for day in range(10, 25)]  # 20:05 there
    hours = Hours.learn(summer, NOW, berlin)
    assert hours
    assert hours.pace(datetime(2026, 11, 24, 19, 10, tzinfo=UTC)) is Pace.NEAR  # 20:10 there
    assert hours.pace(datetime(2026, 11, 24, 18, 10, tzinfo=UTC)) is not Pace.NEAR


# ---- the budget of a platform


def test_requests_are_given_out_evenly_after_a_burst() -> None:
    budget, now = Budget(BudgetRules(requests_per_minute=60, apart_s=0.5), 0.0), 0.0
    asked = list[float]()
    while now < 600:
        now += budget.wait_s(now)
        budget.take(now)
        asked.append(now)
    assert asked[:3] == [0.0, 0.5, 1.0]
    assert 600 <= len(asked) <= 600 + budget.rules.burst + 1
    assert budget.requests == len(asked)


def test_what_took_more_requests_is_paid_for() -> None:
    budget = Budget(BudgetRules(requests_per_minute=60), 0.0)
    budget.take(0.0)
    budget.pay(0.0, 19)
    assert budget.wait_s(0.0) == pytest.approx(11.0)
    assert budget.wait_s(0.0, urgent=True) == pytest.approx(1.0)  # on credit of ten
    budget.pay(0.0, 10)
    assert budget.wait_s(0.0, urgent=True) == pytest.approx(11.0)


def test_a_platform_that_blocks_is_left_alone_twice_as_long_each_time_until_it_answers() -> None:
    budget = Budget(BudgetRules(cool_s=30, cool_at_most_s=100), 0.0)
    assert budget.blocked(1.0, 2.0) == 30
    assert budget.blocked(1.5, 2.5) == 0  # it was on its way
    assert budget.wait_s(12.0, urgent=True) == 20
    assert not budget.answered(1.9)
    assert [budget.blocked(t, t + 1) for t in (40.0, 200.0, 400.0)] == [60, 100, 100]
    assert budget.answered(600.0)
    assert budget.blocked(700.0, 701.0) == 30


@given(st.lists(st.tuples(st.floats(0, 40), st.booleans(), st.integers(1, 5)), max_size=200))
def test_the_budget_holds_whoever_asks(asks: list[tuple[float, bool, int]]) -> None:
    budget, now = Budget(BudgetRules(requests_per_minute=60), 0.0), 0.0
    for idle_s, urgent, requests in asks:
        now += idle_s
        now += budget.wait_s(now, urgent=urgent)
        assert budget.wait_s(now, urgent=urgent) <= 1e-6
        budget.take(now, requests)
        assert budget.requests <= now + 2 * budget.rules.burst + 5 + 1e-6


# ---- whose turn it is


def test_who_has_waited_longest_by_its_own_interval_is_first() -> None:
    turns = Turns()
    turns.put("slow", 0.0, 300.0)
    turns.put("quick", 20.0, 10.0)
    turns.put("later", 99.0, 10.0)
    assert turns.wait_s(-5.0) == 5.0
    assert [turn.id for _ in range(2) if (turn := turns.take(60.0))] == ["quick", "slow"]
    assert turns.take(60.0) is None
    assert turns.wait_s(60.0) == 39.0


@given(st.lists(st.floats(5, 600), min_size=2, max_size=40), st.floats(0.5, 5.0))
def test_nobody_starves_when_there_are_too_few_turns(intervals: list[float], each_s: float) -> None:
    turns, asked = Turns(), dict[str, list[float]]()
    every = {str(number): interval for number, interval in enumerate(intervals)}
    for id_, interval in every.items():
        turns.put(id_, 0.0, interval)
        asked[id_] = [0.0]
    now, end = 0.0, 100 * each_s * len(every)
    while now < end:
        if turn := turns.take(now):
            asked[turn.id].append(now)
            turns.put(turn.id, now + every[turn.id], every[turn.id])
        now += each_s
    stretch = max(1.0, sum(each_s / interval for interval in intervals))
    for id_, times in asked.items():
        longest = max(b - a for a, b in zip(times, [*times[1:], end], strict=True))
        assert longest <= every[id_] * (2 * stretch + 1) + len(every) * each_s


@given(st.lists(st.tuples(st.sampled_from("abcde"), st.floats(0, 100), st.booleans()), max_size=300))
def test_turns_agree_with_a_plain_list(steps: list[tuple[str, float, bool]]) -> None:
    turns, plain, now = Turns(), dict[str, float](), 0.0
    for id_, amount, put in steps:
        if put:
            turns.put(id_, now + amount, 10.0)
            plain[id_] = now + amount
        else:
            now += amount / 4
            due = {each: when for each, when in plain.items() if when <= now}
            expected = max(due, key=lambda each: ((now - due[each]) / 10.0, each)) if due else None
            turn = turns.take(now)
            assert (turn.id if turn else None) == expected
            plain.pop(expected or "", None)
        assert len(turns) == len(plain)
        waits = turns.wait_s(now)
        assert waits == (max(0.0, min(plain.values()) - now) if plain else None)


def test_a_budget_that_is_too_small_is_noticed_and_when_it_is_not_any_more() -> None:
    budget = Budget(BudgetRules(), 0.0)
    assert not budget.is_strained(False, 0.0)
    for now_s in range(0, 590, 10):
        budget.strained(90.0, 30.0, now_s)
        assert not budget.is_strained(False, now_s)
    for now_s in range(590, 900, 10):
        budget.strained(90.0, 30.0, now_s)
    assert budget.is_strained(False, 900.0)
    assert budget.is_strained(True, 901.0)
    for _ in range(80):
        budget.strained(1.0, 30.0, 910.0)
    assert not budget.is_strained(True, 910.0)
    assert not budget.is_strained(False, 1000.0)


def test_a_blocked_answer_of_one_channel_backs_off_like_any_other() -> None:
    assert [wait_s(Blocked("?"), errors=n) for n in (1, 2, 3, 30)] == [30, 60, 120, 900]
