"""Asking for all channels of one platform in turn: no task for a channel that is not being asked."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, cast

import anyio
import anyio.abc

from ouzel.base.errors import Blocked, NetworkError, OuzelError
from ouzel.model.channel import DIRECT, Channel
from ouzel.model.evidence import Evidence
from ouzel.model.live import Live, Offline
from ouzel.model.standing import Standing
from ouzel.platforms.chain import Told
from ouzel.platforms.peeking import Peeked
from ouzel.services.hearing import Commit, Desk, Stopping, Trouble, is_news, write_in
from ouzel.services.watchlist import Watched, WatchList

AT_ONCE = 8
"""Questions to one platform that wait for their answers."""
DIRECT_AT_ONCE = 64
"""To addresses of streams: each is another server's, and one that is away does not answer at all."""
QUIET_S = 120.0
"""Answers that change nothing are written together, so often."""
_LEARN_S = 6 * 3600.0
_LATEST_S = 20.0


class Round:
    """Of one platform."""

    def __init__(self, platform: str, desk: Desk, commit: Commit) -> None:
        self.platform = platform
        self.budget = desk.budgets.of(platform, desk.clock.monotonic())
        self.strained = False
        self.list = WatchList(platform, desk)
        self._desk = desk
        self._commit = commit
        self._rules = desk.rules_for(platform)
        self._at_once = DIRECT_AT_ONCE if platform == DIRECT else AT_ONCE
        self._several = desk.asker.at_once(platform)
        self._urgent: deque[str] = deque()
        """Somebody waits for the answer."""
        self._eager: deque[str] = deque()
        """A question about many has not answered theirs."""
        self._stale: set[str] = set()
        self._quiet: dict[str, Standing] = {}
        self._latest: dict[str, tuple[float, Live]] = {}
        self._busy = 0
        self._called = anyio.Event()
        self._hearing = anyio.Lock()

    async def run(self, stopping: Stopping) -> None:
        """Until that is set."""
        await self.list.load()
        try:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self._keep, name=f"poll:{self.platform} keeps")
                tasks.start_soon(self._ask_in_turn, tasks, name=f"poll:{self.platform} asks")
                await stopping.wait()
                tasks.cancel_scope.cancel()
        finally:
            with anyio.CancelScope(shield=True):
                await self._write_quiet()

    def nudge(self, channel_id: str) -> None:
        """Ask now."""
        watched = self.list.get(channel_id)
        if watched is not None and watched.asking:
            watched.again = True
        elif watched is not None and channel_id not in self._urgent:
            self.list.turns.drop(channel_id)
            self._urgent.append(channel_id)
            self._called.set()

    def reload(self, channel_ids: Iterable[str] | None) -> None:
        """They were edited; None: all may be."""
        self._stale |= self.list.ids() if channel_ids is None else {*channel_ids}
        self._called.set()

    def latest(self, channel_id: str) -> Live | None:
        """What was told a moment ago, if that was that it is on air."""
        at_s, live = self._latest.get(channel_id, (-math.inf, None))
        return live if self._desk.clock.monotonic() - at_s <= _LATEST_S else None

    async def hear(self, channel: Channel, told: Told, asked_s: float) -> bool:
        """An answer in full, whoever has asked. Returns: whether it is watched."""
        await self._weigh(told, asked_s)
        watched = self.list.get(channel.id)
        if watched is None:
            return False
        if isinstance(told.outcome, Live):
            self._latest[channel.id] = (asked_s, told.outcome)
        if not isinstance(told.outcome, OuzelError):
            watched.full_s = asked_s
        await self._hear(watched, told)
        return True

    # -- asking -------------------------------------------------------------------------------------------------------

    async def _ask_in_turn(self, tasks: anyio.abc.TaskGroup) -> None:
        while True:
            if self._stale:
                stale, self._stale = self._stale, set()
                for channel_id in self.list.refresh(stale):
                    self.nudge(channel_id)
            self._called = anyio.Event()
            if (wait_s := self._wait_s()) > 0:
                with anyio.move_on_after(wait_s):
                    await self._called.wait()
            else:
                self._begin(tasks)

    def _wait_s(self) -> float:
        if self._busy >= self._at_once:
            return math.inf
        now_s = self._desk.clock.monotonic()
        turn_s = 0.0 if self._urgent or self._eager else self.list.turns.wait_s(now_s)
        if turn_s is None:
            return math.inf
        return max(turn_s, self.budget.wait_s(now_s, urgent=bool(self._urgent)))

    def _begin(self, tasks: anyio.abc.TaskGroup) -> None:
        now_s = self._desk.clock.monotonic()
        line = self._urgent or self._eager
        turn = None if line else self.list.turns.take(now_s)
        watched = self.list.get(line.popleft() if line else turn.id if turn else "")
        if watched is None or watched.asking:  # it was taken away, or asked about by others, meanwhile
            return
        asked = [watched]
        if turn is not None:
            asked += self._together(watched, now_s)
            self.budget.strained(turn.late_s, turn.interval_s, now_s, channels=len(asked))
        self.budget.take(now_s)
        self._busy += 1
        for each in asked:
            each.asking = True
        name = f"ask:{watched.channel.id}" if len(asked) == 1 else f"ask:{self.platform} about {len(asked)}"
        tasks.start_soon(self._ask, asked, now_s, name=name)

    def _together(self, watched: Watched, now_s: float) -> list[Watched]:
        """Who else is asked about in the same question."""
        found: list[Watched] = []
        if self._several < 2 or not watched.is_for_many(now_s):
            return found
        for channel_id in self.list.turns.due_within(now_s, 1.0):
            other = self.list.get(channel_id)
            if len(found) + 1 < self._several and other is not None and other.is_for_many(now_s):
                self.list.turns.drop(channel_id)
                found.append(other)
        return found

    async def _ask(self, asked: list[Watched], asked_s: float) -> None:
        try:
            if len(asked) > 1:
                await self._ask_about_many(asked, asked_s)
            else:
                watched = asked[0]
                others = watched.wants_others(self._desk.clock.now(), asked_s)
                told = await self._desk.asker.ask(watched.channel, watched.settings, others=others)
                await self.hear(watched.channel, told, asked_s)
        finally:
            self._busy -= 1
            for each in asked:
                each.asking = False
                if each.again:
                    each.again = False
                    self.nudge(each.channel.id)
            self._called.set()

    async def _ask_about_many(self, asked: list[Watched], asked_s: float) -> None:
        told = await self._desk.asker.probe([(each.channel, each.settings) for each in asked])
        fault = next((each for each in told.values() if isinstance(each, (Blocked, NetworkError))), None)
        await self._weigh(Told("own", fault, _evidence_of(fault)) if fault else None, asked_s)
        for watched in asked:
            if self.list.get(watched.channel.id) is watched:
                await self._take(watched, told.get(watched.channel.id))

    async def _take(self, watched: Watched, peek: Peeked) -> None:
        """What a question about many says is good for waiting: whom it calls on air, or does not know, is asked about in full."""
        identity, standing = watched.channel.identity, watched.standing
        if isinstance(peek, (Blocked, NetworkError)):
            await self._hear(watched, Told("own", peek, _evidence_of(peek)))
        elif identity is None or peek is None or isinstance(peek, OuzelError) or peek.live is not watched.on_air:
            watched.probes = watched.probes and peek is not None
            self._eager.append(watched.channel.id)
        elif not peek.live:
            outcome = Offline(identity, peek.anchor, peek.title, standing.available_at)
            await self._hear(watched, Told("own", outcome, ()))
        elif peek.title and peek.title != standing.title:
            self._eager.append(watched.channel.id)
        else:
            wait_s = max(watched.settings.interval_s, self._rules.live_s)
            self.list.put(watched, self._desk.clock.now(), wait_s)

    # -- hearing ------------------------------------------------------------------------------------------------------

    async def _weigh(self, told: Told | None, asked_s: float) -> None:
        """What an answer means for the platform. None: it is well."""
        now_s = self._desk.clock.monotonic()
        outcome = told.outcome if told else None
        if told is not None and isinstance(outcome, Blocked):
            if for_s := self.budget.blocked(asked_s, now_s):
                evidence = [each.fields() for each in told.evidence[-1:]]
                await self._tell(Trouble(self.platform, "blocked", data={"for_s": for_s, "evidence": evidence}))
        elif not isinstance(outcome, NetworkError) and self.budget.answered(asked_s):
            await self._tell(Trouble(self.platform, "blocked", over=True))
        if (strained := self.budget.is_strained(self.strained, now_s)) is not self.strained:
            self.strained = strained
            data = {"requests_per_minute": self.budget.rules.requests_per_minute, "channels": len(self.list)}
            await self._tell(Trouble(self.platform, "strained", over=not strained, data=data if strained else {}))

    async def _tell(self, trouble: Trouble) -> None:
        await self._commit(lambda tx: self._desk.on_trouble(tx, trouble))

    async def _hear(self, watched: Watched, told: Told) -> None:
        """Write what was heard; what is no news is written later, with others'."""
        async with self._hearing:
            outcome, before, row = told.outcome, watched.standing, watched.offline_in_row
            is_answer = not isinstance(outcome, OuzelError)
            now = self._desk.clock.now()
            after = before.heard(outcome, adapter=told.adapter, evidence=told.evidence, at=now)
            if is_answer:
                row = 0 if isinstance(outcome, Live) else row + 1
            on_air = is_answer and (watched.on_air or isinstance(outcome, Live))
            if on_air or after.is_other(before) or is_news(watched.channel, outcome):
                await self._write(watched, told, after, row)
                return
            wait_s = self.list.patience_s(
                watched, outcome, errors=after.errors, offline_in_row=row, on_air=watched.on_air
            )
            watched.standing, watched.offline_in_row = replace(after, evidence=()), row
            self._quiet[watched.channel.id] = replace(after, due_at=self.list.put(watched, now, wait_s))

    async def _write(self, watched: Watched, told: Told, after: Standing, row: int) -> None:
        desk, channel, before = self._desk, watched.channel, watched.standing
        now, wait_s = desk.clock.now(), 0.0

        def due_at(on_air: bool) -> datetime | None:
            nonlocal wait_s
            wait_s = self.list.patience_s(watched, told.outcome, errors=after.errors, offline_in_row=row, on_air=on_air)
            return self.list.open_at(watched, now + timedelta(seconds=wait_s))

        self._quiet.pop(channel.id, None)
        written = await self._commit(
            lambda tx: write_in(tx, desk, channel, told, before, after, row, due_at, on_air=watched.on_air)
        )
        if written.channel.id != channel.id:  # two were one, and the other one is left
            desk.channels.committed(written.channel, replace(channel, deleted_at=now))
            self.list.drop(channel.id)
            self.reload([written.channel.id])
            self.nudge(written.channel.id)
            return
        if written.channel is not channel:
            desk.channels.committed(written.channel)
            watched.channel = written.channel
        watched.standing, watched.on_air = replace(written.standing, evidence=()), written.on_air
        watched.offline_in_row = row
        if self.list.get(channel.id) is watched:
            self.list.put(watched, desk.clock.now(), wait_s)

    # -- keeping ------------------------------------------------------------------------------------------------------

    async def _keep(self) -> None:
        learned_s = self._desk.clock.monotonic()
        while True:
            await anyio.sleep(QUIET_S)
            await self._write_quiet()
            old_s = self._desk.clock.monotonic() - _LATEST_S
            self._latest = {each: told for each, told in self._latest.items() if told[0] >= old_s}
            if self._desk.clock.monotonic() - learned_s >= _LEARN_S:
                learned_s = self._desk.clock.monotonic()
                await self.list.learn()

    async def _write_quiet(self) -> None:
        quiet, self._quiet = self._quiet, {}
        if quiet:
            await self._commit(lambda tx: self._desk.standings.put_in(tx, *quiet.values()))


def _evidence_of(error: OuzelError) -> tuple[Evidence, ...]:
    """What the child has put into its context."""
    seen = cast("list[dict[str, Any]]", error.context.get("evidence") or [])
    return tuple(Evidence(**each) for each in seen)
