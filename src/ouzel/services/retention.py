"""Rules are kept, and disks have room: what is planned is carried out as a job, on a schedule and when a disk is low.

The job plans anew when it begins. Where the rows of a root know much less than it holds, nothing of it is touched: the database
may be an old one, or a new one beside a full disk.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial

import anyio
import anyio.to_thread

from ouzel.base.errors import OuzelError
from ouzel.engine.removal import unknown_bytes
from ouzel.model.channel_settings import ChannelSettings
from ouzel.model.happening import StoredEvent
from ouzel.model.jobs import Job
from ouzel.model.policies import Rule
from ouzel.model.retention import Item, Kept, Plan, RootRoom, Why, plan_retention
from ouzel.services.channels import Channels
from ouzel.services.emptying import carry_out, empty_trash
from ouzel.services.jobs import JobContext, JobKind, Jobs
from ouzel.services.notices import Notices
from ouzel.services.removal import InUse, Removal
from ouzel.services.retention_notices import RetentionNotices
from ouzel.services.storage import RootGate
from ouzel.store.db import Db
from ouzel.store.policies import PolicyRepo
from ouzel.store.retention import HeldRecording, RetentionRepo

QUEUE = "disk"
_FOR_ROOM = frozenset({Why.LOW, Why.KEEP_FREE})
RETENTION, EMPTY_TRASH = "retention", "empty_trash"
_log = logging.getLogger(__name__)
_FIRST_S, _LOOK_S = 60.0, 30.0
_MUCH_BYTES = 1 << 30
_BELIEVED_S = 6 * 3600.0
"""So long nothing goes for the sake of room where that was in vain."""
_LOW_S = 300.0
"""Between two plans for a disk that is low and stays so."""
_UNKNOWN_SHARE = 0.2
"""Of what a root holds: more than this is no leftover, but another library."""


@dataclass(frozen=True, slots=True)
class RetentionRules:
    """What the configuration says."""

    on: bool = True
    every_s: float = 3600.0
    trash: timedelta = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Planned:
    """A plan, and what it is about."""

    plan: Plan
    recordings: Mapping[str, HeldRecording]
    """By id of the recording."""
    unknown: Mapping[str, tuple[int, int]]
    """Of roots that are held back: bytes that no row knows, and those that rows know."""


class Retention:
    """Args:
    gates: of the storage roots, by name.
    in_use: which recordings something works on; None: those that jobs name.
    """

    def __init__(
        self,
        db: Db,
        channels: Channels,
        gates: Mapping[str, RootGate],
        notices: Notices,
        rules: RetentionRules,
        *,
        in_use: InUse | None = None,
        sleep: Callable[[float], Awaitable[None]] = anyio.sleep,
    ) -> None:
        self.rules = rules
        self._clock = db.clock
        self._repo = RetentionRepo(db)
        self._policies = PolicyRepo(db)
        self._channels = channels
        self._gates = gates
        self._notices = RetentionNotices(notices)
        self._in_use = in_use or self._repo.in_jobs
        self._removal = Removal(db, channels, gates, self._in_use)
        self._sleep = sleep
        self._jobs: Jobs | None = None
        self._next_s = self._low_s = 0.0
        self._floors: dict[str, int] = {}
        """Of the last plan."""
        self._in_vain: dict[str, float] = {}
        """Roots on which what was unlinked made no room, and until when that is believed."""

    # -- planning -----------------------------------------------------------------------------------------------------

    async def plan(self) -> Planned:
        """As things stand. What is long is thought over in a thread: recordings go on. Raises: StorageError."""
        held = {each.id: each for each in await self._repo.all()}
        rules = {policy.name: policy.spec for policy in await self._policies.all()}
        items = await self._items([*held.values()], rules)
        roots: list[RootRoom] = await anyio.to_thread.run_sync(self._rooms, self._keep_free(rules))
        unknown: dict[str, tuple[int, int]] = {}
        looked: set[str] = set()
        while True:
            think = partial(plan_retention, items, roots, now=self._clock.now(), trash=self.rules.trash)
            plan = await anyio.to_thread.run_sync(think)
            places = {name for step in plan.steps for name in step.item.bytes} - looked
            if not places:
                return Planned(plan, held, unknown)
            unknown |= await self._unknown(places, items)
            roots = [replace(root, kept=Kept.HELD_BACK) if root.name in unknown else root for root in roots]
            looked |= places

    async def _items(self, held: Collection[HeldRecording], rules: Mapping[str, Rule]) -> list[Item]:
        channels = [*await self._channels.removed(), *self._channels.all()]
        settings = {each.id: self._channels.effective(each).settings for each in channels}
        used, none = await self._in_use(), ChannelSettings()

        def make() -> list[Item]:
            return [_item(each, rules, settings.get(each.channel_id, none), in_use=each.id in used) for each in held]

        return await anyio.to_thread.run_sync(make)

    def _keep_free(self, rules: Mapping[str, Rule]) -> dict[str, int]:
        """By name of the root: what the rules of its channels say."""
        found = dict.fromkeys(self._gates, 0)
        for channel in self._channels.all():
            settings = self._channels.effective(channel).settings
            if (rule := rules.get(settings.policy)) is not None and settings.root in found:
                found[settings.root] = max(found[settings.root], rule.keep_free or 0)
        return found

    def _rooms(self, keep_free: Mapping[str, int]) -> list[RootRoom]:
        """Blocking. A disk that does not say how much is free is not taken for a full one."""
        rooms: list[RootRoom] = []
        for name, gate in self._gates.items():
            total, free = gate.space()
            kept = None if total and gate.has_marker() else Kept.ROOT_MISSING
            in_vain = self._clock.monotonic() < self._in_vain.get(name, 0.0)
            rooms.append(RootRoom(name, free, gate.least_bytes, keep_free[name], kept, gate.disk(), in_vain))
        return rooms

    async def _unknown(self, roots: Collection[str], items: Collection[Item]) -> dict[str, tuple[int, int]]:
        """Those of these roots whose rows know too little."""
        found: dict[str, tuple[int, int]] = {}
        for name in roots:
            known = sum(item.bytes.get(name, 0) for item in items)
            look = partial(unknown_bytes, self._gates[name].folder, await self._repo.stems(name))
            unknown = await anyio.to_thread.run_sync(look)
            if unknown > _UNKNOWN_SHARE * (known + unknown):
                found[name] = unknown, known
        return found

    # -- carrying out -------------------------------------------------------------------------------------------------

    def kinds(self) -> list[JobKind]:
        return [JobKind(RETENTION, self._run, QUEUE), JobKind(EMPTY_TRASH, self._empty, QUEUE)]

    async def _run(self, work: JobContext) -> None:
        planned = await self.plan()
        await self._notices.stands(planned.plan, planned.unknown)
        outcome = await carry_out(work, self._removal, planned.plan.steps)
        await self._notices.came(outcome)
        if not (outcome.kept or outcome.failed or work.run.stopping.is_set()):
            await self._look_whether_it_helped(planned.plan)
        if not work.run.stopping.is_set():
            await work.done(result=outcome.fields())

    async def _look_whether_it_helped(self, plan: Plan) -> None:
        """Of files that snapshots hold, or others by another name, nothing is free: more and more would go for nothing."""
        wanted = {name for step in plan.steps if step.why in _FOR_ROOM for name in step.item.bytes}
        for root in plan.roots:
            if root.name not in wanted or root.frees < _MUCH_BYTES:
                continue
            free = (await anyio.to_thread.run_sync(self._gates[root.name].space))[1]
            in_vain = free - root.free < root.frees // 4
            if in_vain:
                self._in_vain[root.name] = self._clock.monotonic() + _BELIEVED_S
            await self._notices.helped(root, free, in_vain=in_vain)

    async def _empty(self, work: JobContext) -> None:
        """Args of the job: `recordings`: ids; none: all that is in the trash by now. `by`: who asks."""
        wanted = work.args.get("recordings") or await self._repo.trash()
        outcome = await empty_trash(work, self._removal, wanted, by=work.args.get("by", ""))
        await self._notices.came(outcome)
        if not work.run.stopping.is_set():
            await work.done(result=outcome.fields())

    # -- when ---------------------------------------------------------------------------------------------------------

    def serve(self, jobs: Jobs) -> None:
        """Before anything is asked: who runs what is put."""
        self._jobs = jobs

    async def start(self) -> Job:
        """Keep the rules now."""
        assert self._jobs is not None
        return await self._jobs.put(RETENTION, {}, dedupe=RETENTION)

    async def empty(self, recordings: Collection[str] = (), *, by: str) -> Job:
        """Args: recordings: ids of some in the trash; none: all."""
        assert self._jobs is not None
        return await self._jobs.put(EMPTY_TRASH, {"recordings": [*recordings], "by": by})

    def hear(self, event: StoredEvent) -> None:
        """For `Db.listen`."""
        if event.code == "storage.changed" and event.data["state"] == "low":
            self._low_s = 0.0

    async def run(self) -> None:
        """Until cancelled."""
        if not self.rules.on:
            return
        await self._sleep(_FIRST_S)
        while True:
            try:
                await self.look()
            except OuzelError as exc:  # of a disk, say: there is a next time
                _log.warning("the rules that delete could not be looked at: %s", exc)
            await self._sleep(_LOOK_S)

    async def look(self) -> None:
        """Once: whether it is time, or a disk is low; and whether there is anything to do then."""
        now_s = self._clock.monotonic()
        is_low = now_s >= self._low_s and await anyio.to_thread.run_sync(self._is_low)
        if now_s < self._next_s and not is_low:
            return
        if is_low:
            self._low_s = now_s + _LOW_S
        planned = await self.plan()
        self._next_s = now_s + self.rules.every_s
        self._floors = {root.name: root.floor for root in planned.plan.roots}
        await self._notices.stands(planned.plan, planned.unknown)
        if planned.plan.steps:
            await self.start()

    def _is_low(self) -> bool:
        """Blocking."""
        for name, gate in self._gates.items():
            total, free = gate.space()
            if total and gate.has_marker() and free < max(gate.least_bytes, self._floors.get(name, 0)):
                return True
        return False


def _item(held: HeldRecording, rules: Mapping[str, Rule], settings: ChannelSettings, *, in_use: bool) -> Item:
    """What was begun is ended, whatever has been decided since."""
    kept = None
    if held.deleting_at is None:
        if not held.is_over:
            kept = Kept.NOT_OVER
        elif held.pinned or settings.pin:
            kept = Kept.PINNED
        elif held.has_lost:
            kept = Kept.LOST
        elif in_use:
            kept = Kept.IN_USE
    return Item(
        held.id, held.channel_id, held.since, held.bytes, rules.get(held.policy or settings.policy), kept,
        held.deleted_at, is_going=held.deleting_at is not None,
    )  # fmt: skip
