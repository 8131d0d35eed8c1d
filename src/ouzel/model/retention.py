"""Which recordings go, in which order, and why. Pure: items and storage roots in, a plan out.

Of each rule: age, then count, then bytes. What they say goes into the trash, and leaves it after a while. Where a root has too
little room, the trash is emptied before its time, the oldest first; then go, at once, the oldest of those whose rule says
`keep_free`. One that asks for more room than there were without any recording gets none: all would go, and for nothing.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from ouzel.model.policies import Per, Rule


class Why(StrEnum):
    """Something goes. The spelling is a promise: API and events tell it."""

    AGE = "age"
    COUNT = "count"
    BYTES = "bytes"
    KEEP_FREE = "keep_free"  # its root has less room than its rule keeps free
    TRASH = "trash"  # it was in the trash for long enough
    LOW = "low"  # it leaves the trash before its time: its root has too little room
    BEGUN = "begun"  # some of its files are gone already
    ASKED = "asked"  # somebody empties the trash


class Kept(StrEnum):
    """No rule may touch it, nor the trash be emptied of it. The spelling is a promise."""

    PINNED = "pinned"
    NOT_OVER = "not_over"
    IN_USE = "in_use"  # by a job
    LOST = "lost"  # a file is not where it was, and may come back
    ROOT_MISSING = "root_missing"  # its disk is not mounted
    HELD_BACK = "held_back"  # the rows know less than the root holds


_UNCOUNTED = frozenset({Kept.PINNED, Kept.NOT_OVER, Kept.LOST})
"""They take nobody's place: what is kept anyway does not push others out."""


@dataclass(frozen=True, slots=True)
class Item:
    """A recording."""

    id: str
    channel_id: str
    since: datetime
    """When it ended, or was taken out of the trash last. Older is first."""
    bytes: Mapping[str, int]
    """What it holds of each root, by name."""
    rule: Rule | None = None
    kept: Kept | None = None
    """Why it stays, as far as it does not hang on its roots."""
    trashed_at: datetime | None = None
    is_going: bool = False
    """Its files are being unlinked: it cannot be brought back."""

    @property
    def total_bytes(self) -> int:
        return sum(self.bytes.values())


@dataclass(frozen=True, slots=True)
class RootRoom:
    """A storage root as it is now. Sizes in bytes."""

    name: str
    free: int
    least: int = 0
    """It takes no recordings below this."""
    keep_free: int = 0
    """As the rules say that are in use for it, whether or not there are recordings of theirs."""
    kept: Kept | None = None
    """Why nothing on it may be touched."""
    disk: str = ""
    """Roots on one file system have the same, and share what is free; empty: it is alone."""
    in_vain: bool = False
    """What is unlinked makes no room on it, be it for snapshots: nothing goes for the sake of room."""


@dataclass(frozen=True, slots=True)
class Step:
    item: Item
    why: Why
    unlink: bool
    """Its files go now; else it is put into the trash."""

    @property
    def frees(self) -> int:
        """Bytes."""
        return self.item.total_bytes if self.unlink else 0


@dataclass(frozen=True, slots=True)
class RootPlan:
    """What becomes of a root's room. Sizes in bytes."""

    name: str
    free: int
    floor: int
    """That should be free: by the rules of its recordings, and for it to take more."""
    frees: int
    """On its disk."""
    keep_free: int
    """The largest of its rules; 0: none has one."""
    kept: Kept | None = None
    is_beyond: bool = False
    """There would not be `keep_free` without any recording either: nothing goes for it."""

    @property
    def lacks(self) -> int:
        """Of `keep_free`, when all is done."""
        return max(0, self.floor - self.free - self.frees) if self.keep_free else 0


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be done, in this order."""

    steps: tuple[Step, ...] = ()
    roots: tuple[RootPlan, ...] = ()
    kept: Mapping[Kept, int] = field(default_factory=dict[Kept, int])
    """How many stay for which reason, though a rule or the trash would let them go some day."""

    @property
    def frees(self) -> int:
        """Bytes, at once."""
        return sum(step.frees for step in self.steps)


def plan_retention(items: Iterable[Item], roots: Iterable[RootRoom], *, now: datetime, trash: timedelta) -> Plan:
    """Carried out at `now` it leaves nothing more to be planned.

    Args:
        trash: how long something stays in it, if there is room; 0: nothing is put into it.
    """
    planner = _Planner([*items], {root.name: root for root in roots}, now, trash)
    planner.end_the_trash()
    planner.keep_the_rules()
    planner.empty_the_trash()
    planner.keep_free()
    return planner.plan()


class _Planner:
    def __init__(self, items: Sequence[Item], roots: Mapping[str, RootRoom], now: datetime, trash: timedelta) -> None:
        self._why = {item.id: _why_kept(item, roots) for item in items}
        self._items = items
        self._alive = sorted((item for item in items if item.trashed_at is None and item.rule), key=_oldest)
        self._trashed = sorted((item for item in items if item.trashed_at and self._may_go(item)), key=_trashed)
        self._room = _Room(items, roots)
        self._now = now
        self._trash = trash
        self._out: dict[str, Step] = {}
        """Of the trash, by id."""
        self._going: dict[str, Step] = {}
        """What rules let go, by id."""

    def end_the_trash(self) -> None:
        """What was begun is ended, and what was in it for long enough goes."""
        for item in self._trashed:
            if item.is_going or _trashed(item)[0] + self._trash <= self._now:
                self._unlink(self._out, item, Why.BEGUN if item.is_going else Why.TRASH)

    def keep_the_rules(self) -> None:
        ended = _ended([item for item in self._alive if self._why[item.id] not in _UNCOUNTED], self._now)
        for item in self._alive:
            if item.id not in ended or not self._may_go(item):
                continue
            if self._trash:
                self._going[item.id] = Step(item, ended[item.id], unlink=False)
            else:
                self._unlink(self._going, item, ended[item.id])

    def empty_the_trash(self) -> None:
        """Where there is too little room; and then of what has just been put into it."""
        for item in self._trashed:
            if item.id not in self._out and self._room.is_low(item):
                self._unlink(self._out, item, Why.LOW)
        for step in [*self._going.values()]:
            if not step.unlink and self._room.is_low(step.item):
                self._unlink(self._going, step.item, step.why)

    def keep_free(self) -> None:
        for item in self._alive:
            if item.id not in self._going and self._may_go(item) and self._room.is_wanted(item):
                self._unlink(self._going, item, Why.KEEP_FREE)

    def plan(self) -> Plan:
        kept = Counter(why for item in self._items if (why := self._why[item.id]) and (item.rule or item.trashed_at))
        return Plan((*self._out.values(), *self._going.values()), self._room.plans(), dict(kept))

    def _may_go(self, item: Item) -> bool:
        return self._why[item.id] is None

    def _unlink(self, steps: dict[str, Step], item: Item, why: Why) -> None:
        steps[item.id] = Step(item, why, unlink=True)
        self._room.free(item)


def _oldest(item: Item) -> tuple[datetime, str]:
    return item.since, item.id


def _trashed(item: Item) -> tuple[datetime, datetime, str]:
    assert item.trashed_at is not None
    return item.trashed_at, *_oldest(item)


def _why_kept(item: Item, roots: Mapping[str, RootRoom]) -> Kept | None:
    if item.kept is not None:
        return item.kept
    places = [roots.get(name, RootRoom(name, 0, kept=Kept.ROOT_MISSING)) for name in item.bytes]
    return next((place.kept for place in places if place.kept is not None), None)


def _ended(alive: Sequence[Item], now: datetime) -> dict[str, Why]:
    """Those that age, count or bytes let go, by id. `alive`: the oldest first."""
    groups: defaultdict[tuple[Rule, str], list[Item]] = defaultdict(list)
    for item in alive:
        if item.rule is not None:
            groups[item.rule, _counted_in(item, item.rule)].append(item)
    return {item.id: why for (rule, _), group in groups.items() for item, why in _of_group(rule, group, now)}


def _counted_in(item: Item, rule: Rule) -> str:
    """Of a recording that is on several roots, that which has most of it."""
    if rule.per is Per.CHANNEL:
        return item.channel_id
    return max(sorted(item.bytes), key=lambda name: item.bytes[name], default="")


def _of_group(rule: Rule, group: Sequence[Item], now: datetime) -> Iterator[tuple[Item, Why]]:
    """As many of the latest as fit stay; whatever is older than one that does not fit goes with it."""
    held, full = 0, False
    for place, item in enumerate(reversed(group)):
        held += item.total_bytes
        full = full or (rule.keep_bytes is not None and held > rule.keep_bytes)
        if rule.keep_days is not None and item.since + timedelta(days=rule.keep_days) <= now:
            yield item, Why.AGE
        elif rule.keep_count is not None and place >= rule.keep_count:
            yield item, Why.COUNT
        elif full:
            yield item, Why.BYTES


class _Room:
    """What is free on each root, as the plan goes on."""

    def __init__(self, items: Iterable[Item], roots: Mapping[str, RootRoom]) -> None:
        self._roots = roots
        self._disks = {name: root.disk or f"root {name}" for name, root in roots.items()}
        self._free = {self._disks[name]: root.free for name, root in sorted(roots.items())}
        self._keep_free = {name: root.keep_free for name, root in roots.items()}
        self._most = dict(self._free)
        """By disk: what would be free without any recording."""
        asked = [(name, root.keep_free) for name, root in roots.items()]
        for item in items:
            for name in _places(item, roots):
                self._most[self._disks[name]] += item.bytes[name]
                asked.append((name, (item.rule and item.rule.keep_free) or 0))
        self._wanted = dict.fromkeys(roots, 0)
        """The largest `keep_free` that can be had."""
        for name, keep in asked:
            self._keep_free[name] = max(self._keep_free[name], keep)
            self._wanted[name] = max(self._wanted[name], self._to_be_had(name, keep))

    def free(self, item: Item) -> None:
        for name in _places(item, self._roots):
            self._free[self._disks[name]] += item.bytes[name]

    def is_low(self, item: Item) -> bool:
        """Whether a root that it is on should have more room, for whatever reason."""
        return any(self._left(name) < max(self._wanted[name], self._least(name)) for name in self._helps(item))

    def is_wanted(self, item: Item) -> bool:
        """Whether its own rule wants more room on a root that it is on."""
        keep = (item.rule and item.rule.keep_free) or 0
        return bool(keep) and any(
            self._left(name) < max(self._to_be_had(name, keep), self._to_be_had(name, self._least(name)))
            for name in self._helps(item)
        )

    def _helps(self, item: Item) -> list[str]:
        """Where there is more room without it."""
        return [name for name in _places(item, self._roots) if not self._roots[name].in_vain]

    def plans(self) -> tuple[RootPlan, ...]:
        return tuple(
            RootPlan(
                name, root.free, self._floor(name), self._left(name) - root.free, self._keep_free[name], root.kept,
                is_beyond=self._keep_free[name] > self._wanted[name],
            )
            for name, root in sorted(self._roots.items())
        )  # fmt: skip

    def _left(self, name: str) -> int:
        return self._free[self._disks[name]]

    def _floor(self, name: str) -> int:
        return max(self._keep_free[name], self._least(name))

    def _least(self, name: str) -> int:
        return self._roots[name].least

    def _to_be_had(self, name: str, room: int) -> int:
        """This room, or none where nothing that goes would make it."""
        return room if room <= self._most[self._disks[name]] else 0


def _places(item: Item, roots: Mapping[str, RootRoom]) -> list[str]:
    return [name for name, held in item.bytes.items() if held and name in roots]
