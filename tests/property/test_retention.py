"""Whatever there is: a plan keeps what it must, frees what it promises or says what is lacking, and is all that is to be done."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from ouzel.model.policies import Per, Rule
from ouzel.model.retention import Item, Kept, Plan, RootRoom, Why, plan_retention

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
_NAMES: tuple[str, ...] = ("a", "b", "not there")
_PLACES = (("a",), ("a",), ("a",), ("b",), ("b",), ("a", "b"), ("not there",), ())
_FREE = (None,) * 12
_moments = st.integers(0, 40).map(lambda days: NOW - timedelta(days=days, hours=1))
_some = st.integers(1, 60)
_rules = st.builds(
    Rule,
    keep_days=st.none() | st.integers(1, 30).map(float),
    keep_bytes=st.none() | _some,
    keep_count=st.none() | st.integers(1, 4),
    per=st.sampled_from(Per),
    keep_free=st.none() | st.integers(1, 30) | st.integers(1, 150),
)


def _held(names: tuple[str, ...]) -> st.SearchStrategy[dict[str, int]]:
    return st.fixed_dictionaries({name: st.integers(0, 30) for name in names})


@st.composite
def _items(draw: st.DrawFn) -> list[Item]:
    rules = draw(st.lists(_rules, min_size=1, max_size=2))
    items: list[Item] = []
    for number in range(draw(st.integers(0, 12))):
        trashed_at = draw(st.none() | st.none() | _moments)
        items.append(
            Item(
                f"r{number}",
                draw(st.sampled_from("xxy")),
                draw(_moments),
                draw(st.sampled_from(_PLACES).flatmap(_held)),
                draw(st.sampled_from((*rules, *rules, None))),
                draw(st.sampled_from((*_FREE, Kept.PINNED, Kept.NOT_OVER, Kept.IN_USE, Kept.LOST))),
                trashed_at,
                is_going=trashed_at is not None and draw(st.booleans()),
            )
        )
    return items


def _on_one_disk(roots: tuple[RootRoom, ...]) -> tuple[RootRoom, ...]:
    return tuple(replace(root, disk="one", free=roots[0].free) for root in roots)


_places = st.tuples(
    *(
        st.builds(
            RootRoom,
            st.just(name),
            st.integers(0, 80),
            st.integers(0, 40),
            st.sampled_from((0, 0, 30)),
            st.sampled_from((None, None, None, None, Kept.HELD_BACK, Kept.ROOT_MISSING)),
        )
        for name in _NAMES[:2]
    )
).flatmap(lambda roots: st.sampled_from((roots, _on_one_disk(roots))))
_trash = st.integers(0, 10).map(lambda days: timedelta(days=days))


def _carry_out(plan: Plan, items: list[Item], roots: tuple[RootRoom, ...]) -> tuple[list[Item], tuple[RootRoom, ...]]:
    """What is there when all of it is done."""
    gone = {step.item.id for step in plan.steps if step.unlink}
    trashed = {step.item.id for step in plan.steps if not step.unlink}
    freed: defaultdict[str, int] = defaultdict(int)
    for item in items:
        for name, held in item.bytes.items() if item.id in gone else ():
            freed[name] += held
    left = [replace(each, trashed_at=NOW) if each.id in trashed else each for each in items if each.id not in gone]
    shared = sum(freed[root.name] for root in roots)
    return left, tuple(replace(root, free=root.free + (shared if root.disk else freed[root.name])) for root in roots)


@given(_items(), _places, _trash)
def test_what_must_stay_stays(items: list[Item], roots: tuple[RootRoom, ...], trash: timedelta) -> None:
    plan = plan_retention(items, roots, now=NOW, trash=trash)

    held = {root.name for root in roots if root.kept} | {"not there"}
    for step in plan.steps:
        item = step.item
        assert item.kept is None
        assert not held & item.bytes.keys()
        assert item.rule is not None or item.trashed_at is not None, "nothing says that it may go"
    assert len({step.item.id for step in plan.steps}) == len(plan.steps)


@given(_items(), _places, _trash)
def test_a_plan_that_is_carried_out_leaves_nothing_to_plan(
    items: list[Item], roots: tuple[RootRoom, ...], trash: timedelta
) -> None:
    plan = plan_retention(items, roots, now=NOW, trash=trash)

    left, after = _carry_out(plan, items, roots)

    assert plan_retention(left, after, now=NOW, trash=trash).steps == ()
    assert {root.name: root.frees for root in plan.roots} == {
        now.name: now.free - before.free for before, now in zip(roots, after, strict=True)
    }


@given(_items(), _places, _trash, st.randoms(use_true_random=False))
def test_it_does_not_hang_on_the_order_of_rows(
    items: list[Item], roots: tuple[RootRoom, ...], trash: timedelta, chance: object
) -> None:
    shuffled = [*items]
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    assert plan_retention(items, roots, now=NOW, trash=trash) == plan_retention(shuffled, roots, now=NOW, trash=trash)


@settings(max_examples=300)
@given(_items(), _places, _trash)
def test_the_rules_are_kept(items: list[Item], roots: tuple[RootRoom, ...], trash: timedelta) -> None:
    """Of what a rule may touch at all."""
    left, _ = _carry_out(plan_retention(items, roots, now=NOW, trash=trash), items, roots)

    held = {root.name for root in roots if root.kept} | {"not there"}
    groups: defaultdict[tuple[Rule, str], list[Item]] = defaultdict(list)
    for item in left:
        if item.rule and item.kept is None and item.trashed_at is None and not held & item.bytes.keys():
            if item.rule.keep_days is not None:
                assert item.since + timedelta(days=item.rule.keep_days) > NOW
            if item.rule.per is Per.CHANNEL:
                groups[item.rule, item.channel_id].append(item)
    for (rule, _), group in groups.items():
        assert rule.keep_count is None or len(group) <= rule.keep_count
        assert rule.keep_bytes is None or sum(item.total_bytes for item in group) <= rule.keep_bytes


@given(_items(), _places, _trash)
def test_there_is_room_or_it_is_told_what_is_lacking(
    items: list[Item], roots: tuple[RootRoom, ...], trash: timedelta
) -> None:
    plan = plan_retention(items, roots, now=NOW, trash=trash)

    left, after = _carry_out(plan, items, roots)

    held = {root.name for root in roots if root.kept} | {"not there"}
    planned, before = {root.name: root for root in plan.roots}, {root.name: root for root in roots}
    for root in after:
        asked = [item.rule.keep_free or 0 for item in items if item.rule and item.bytes.get(root.name)]
        keep = max((root.keep_free, *asked))
        assert planned[root.name].lacks == (max(0, keep - root.free, root.least - root.free) if keep else 0)
        for item in left:
            if not item.bytes.get(root.name) or item.kept or held & item.bytes.keys():
                continue
            own = (item.rule and item.rule.keep_free) or 0
            most = _most(items, roots, before[root.name])
            keep = max((each for each in (root.keep_free, *asked) if each <= most), default=0)
            if item.trashed_at is not None:  # the trash is empty before anything lacks
                assert root.free >= max(keep, root.least)
            elif own:
                assert root.free >= max(room for room in (0, own, root.least) if room <= most)


@given(_items(), _places, _trash)
def test_nothing_goes_for_the_sake_of_room_that_cannot_be_had(
    items: list[Item], roots: tuple[RootRoom, ...], trash: timedelta
) -> None:
    plan = plan_retention(items, roots, now=NOW, trash=trash)

    by_name = {root.name: root for root in roots}
    for step in plan.steps:
        if step.why is Why.KEEP_FREE:
            asked = (step.item.rule and step.item.rule.keep_free) or 0
            places = [by_name[name] for name in step.item.bytes]
            assert any(root.free < each <= _most(items, roots, root) for root in places for each in (asked, root.least))


def _most(items: list[Item], roots: tuple[RootRoom, ...], root: RootRoom) -> int:
    """Bytes that would be free without any recording."""
    names = {each.name for each in roots if each is root or (root.disk and each.disk == root.disk)}
    return root.free + sum(held for item in items for name, held in item.bytes.items() if name in names)


@settings(max_examples=300)
@given(_items(), _places, _trash)
def test_the_oldest_go_first(items: list[Item], roots: tuple[RootRoom, ...], trash: timedelta) -> None:
    plan = plan_retention(items, roots, now=NOW, trash=trash)

    for why in (Why.KEEP_FREE, Why.AGE, Why.COUNT, Why.BYTES):
        order = [(step.item.since, step.item.id) for step in plan.steps if step.why is why]
        assert order == sorted(order)
    going = {step.item.id for step in plan.steps}
    held = {root.name for root in roots if root.kept} | {"not there"}
    for step in plan.steps:
        if step.why not in (Why.KEEP_FREE, Why.COUNT, Why.BYTES):
            continue
        for other in items:  # nothing older, of the same rule, channel and roots, was left
            alike = other.rule == step.item.rule and other.channel_id == step.item.channel_id
            alike = alike and _used(other) == _used(step.item) and [*other.bytes] == [*step.item.bytes] != ["a", "b"]
            may = other.kept is None and other.trashed_at is None and not held & other.bytes.keys()
            if alike and may and other.since < step.item.since:
                assert other.id in going


def _used(item: Item) -> set[str]:
    return {name for name, held in item.bytes.items() if held}
