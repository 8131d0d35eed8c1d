"""Plans of retention, read one by one. What holds for all of them is in `property/test_retention.py`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from ouzel.model.policies import Per, Rule
from ouzel.model.retention import Item, Kept, RootRoom, plan_retention

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
WEEK = timedelta(days=7)


def item(name: str, days: float, held: int = 10, rule: Rule | None = None, *, channel: str = "c", **more: Any) -> Item:
    return Item(name, channel, NOW - timedelta(days=days), {more.pop("root", "main"): held}, rule, **more)


def planned(
    items: Sequence[Item], *, free: int = 1000, least: int = 0, trash: timedelta = WEEK
) -> list[tuple[Any, ...]]:
    plan = plan_retention(items, [RootRoom("main", free, least)], now=NOW, trash=trash)
    return [(step.item.id, step.why.value, *(["now"] if step.unlink else [])) for step in plan.steps]


def test_age() -> None:
    rule = Rule(keep_days=3)
    assert planned([item("new", 2.9, rule=rule), item("old", 3, rule=rule), item("free", 300)]) == [("old", "age")]


def test_so_many_of_the_latest_and_pinned_ones_beside_them() -> None:
    rule = Rule(keep_count=2)
    items = [item(str(days), days, rule=rule) for days in (1, 2, 3, 4)]
    assert planned(items) == [("4", "count"), ("3", "count")]
    assert planned([*items, item("pinned", 0.5, rule=rule, kept=Kept.PINNED)]) == [("4", "count"), ("3", "count")]


def test_as_much_of_the_latest_as_fits() -> None:
    rule = Rule(keep_bytes=25)
    items = [item("1", 1, 10, rule), item("2", 2, 20, rule), item("3", 3, 1, rule)]
    assert planned(items) == [("3", "bytes"), ("2", "bytes")]


def test_what_is_in_use_stays_and_takes_its_place() -> None:
    rule = Rule(keep_count=1)
    assert planned([item("1", 1, rule=rule, kept=Kept.IN_USE), item("2", 2, rule=rule)]) == [("2", "count")]
    assert planned([item("1", 1, rule=rule), item("2", 2, rule=rule, kept=Kept.IN_USE)]) == []


def test_counted_by_channel_or_by_root() -> None:
    for per, gone in ((Per.CHANNEL, []), (Per.ROOT, [("2", "count")])):
        rule = Rule(keep_count=1, per=per)
        assert planned([item("1", 1, rule=rule), item("2", 2, rule=rule, channel="d")]) == gone


def test_of_two_rules_each_counts_its_own() -> None:
    one, other = Rule(keep_count=1), Rule(keep_count=1, keep_days=100)
    assert planned([item("1", 1, rule=one), item("2", 2, rule=other)]) == []


def test_the_trash_is_left_after_a_while_and_sooner_on_a_low_disk() -> None:
    items = [
        item("new", 30, trashed_at=NOW - timedelta(days=1)),
        item("newer", 40, trashed_at=NOW - timedelta(hours=1)),
        item("old", 50, trashed_at=NOW - WEEK),
    ]
    assert planned(items) == [("old", "trash", "now")]
    assert planned(items, free=5, least=20) == [("old", "trash", "now"), ("new", "low", "now")]


def test_the_trash_goes_before_what_is_kept() -> None:
    rule = Rule(keep_free=25)
    items = [item("1", 1, rule=rule), item("9", 9, rule=rule), item("5", 5, trashed_at=NOW), item("other", 99)]
    assert planned(items, free=15) == [("5", "low", "now")]
    assert planned(items, free=10) == [("5", "low", "now"), ("9", "keep_free", "now")]


def test_what_a_rule_puts_into_the_trash_leaves_it_where_room_is_wanted() -> None:
    items = [item("old", 9, rule=Rule(keep_days=3)), item("other", 10, rule=Rule(keep_free=20))]
    assert planned(items, free=15) == [("old", "age", "now")]
    assert planned(items, free=20) == [("old", "age")]


def test_a_floor_below_that_of_the_disk_is_that_of_the_disk() -> None:
    """Else recordings would be paused, and nothing make room for them."""
    assert planned([item("1", 1, rule=Rule(keep_free=5))], free=8, least=10) == [("1", "keep_free", "now")]


def test_without_a_trash_it_goes_at_once() -> None:
    assert planned([item("1", 9, rule=Rule(keep_days=3))], trash=timedelta()) == [("1", "age", "now")]


def test_roots_on_one_disk_make_room_for_each_other() -> None:
    rule = Rule(keep_free=20)
    items = [item("1", 1, rule=rule), item("2", 2, rule=rule, root="other")]
    for disk, gone in (("", ["1", "2"]), ("sda", ["2"])):
        rooms = [RootRoom(name, 10, disk=disk) for name in ("main", "other")]
        plan = plan_retention(items, rooms, now=NOW, trash=WEEK)
        assert sorted(step.item.id for step in plan.steps) == gone
        assert [(root.frees, root.lacks) for root in plan.roots] == [(10, 0)] * 2


def test_what_lacks_is_told() -> None:
    items = [item("1", 1, 10, Rule(keep_free=70)), item("2", 2, 50, Rule(keep_free=70), kept=Kept.PINNED)]
    plan = plan_retention(items, [RootRoom("main", 15)], now=NOW, trash=WEEK)
    assert [(root.frees, root.lacks) for root in plan.roots] == [(10, 45)]
    assert (plan.kept, plan.frees) == ({Kept.PINNED: 1}, 10)
    plan = plan_retention([], [RootRoom("main", 15, keep_free=20)], now=NOW, trash=WEEK)
    assert [(root.frees, root.lacks) for root in plan.roots] == [(0, 5)]


def test_what_cannot_be_had_deletes_no_library() -> None:
    """A figure with a nought too many, or a disk that others have filled."""
    items = [item(str(days), days, 10, Rule(keep_free=46)) for days in (1, 2, 3)]
    for free, gone in ((15, []), (16, ["3", "2", "1"])):
        plan = plan_retention(items, [RootRoom("main", free)], now=NOW, trash=WEEK)
        assert [step.item.id for step in plan.steps] == gone
        assert [(root.lacks, root.is_beyond) for root in plan.roots] == ([(31, True)] if not gone else [(0, False)])
    trashed = item("t", 9, 10, trashed_at=NOW)
    assert planned([*items, trashed], free=5) == []
    assert planned([*items, trashed], free=5, least=20) == [("t", "low", "now"), ("3", "keep_free", "now")]


def test_what_has_begun_is_ended() -> None:
    items = [item("old", 20, trashed_at=NOW - 2 * WEEK), item("half", 1, trashed_at=NOW, is_going=True)]
    assert planned(items) == [("old", "trash", "now"), ("half", "begun", "now")]


def test_a_root_that_is_not_there() -> None:
    plan = plan_retention([item("1", 9, rule=Rule(keep_days=1), root="away")], [], now=NOW, trash=WEEK)
    assert (plan.steps, plan.kept) == ((), {Kept.ROOT_MISSING: 1})
    held = RootRoom("main", 0, kept=Kept.HELD_BACK)
    plan = plan_retention([item("1", 9, rule=Rule(keep_free=100))], [held], now=NOW, trash=WEEK)
    assert (plan.steps, plan.kept) == ((), {Kept.HELD_BACK: 1})
