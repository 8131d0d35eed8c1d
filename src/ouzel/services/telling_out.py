"""Messages are sent: a queue and a task for each target, so that one that hangs delays no other, and nothing else."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Collection, Sequence
from datetime import datetime, timedelta, tzinfo
from random import Random

import anyio

from ouzel.base.errors import HttpStatus, NotFound, OuzelError, Retry
from ouzel.model.happening import Happening, StoredEvent
from ouzel.model.message_templates import Facts, render_message
from ouzel.model.messages import Message, MessageState, is_given_up, pause_s
from ouzel.model.notices import Severity
from ouzel.model.routes import at_least
from ouzel.model.schedule import is_open, next_change
from ouzel.model.targets import Target
from ouzel.notify.sender import Outgoing
from ouzel.services.notices import Notices
from ouzel.services.targets import Sending, Targets
from ouzel.store.db import Db, Tx
from ouzel.store.messages import MessageRepo
from ouzel.system.zones import zone_of

_log = logging.getLogger(__name__)
_PAGE = 50
"""Messages that become one at most."""
_MANY = 10
"""When more are due at once, they are sent as one."""
_TELLING = 3
"""Attempts in a row that failed, before somebody is told of the target."""
_NAP_S = 60.0
"""The longest sleep: somebody may set the clock."""
_AGAIN_S = 30.0
_NEVER_LOUD = timedelta(days=1)
"""Where it is always quiet: then somebody may have changed that."""
Sleep = Callable[[float], Awaitable[None]]


class Outbox:
    def __init__(
        self,
        db: Db,
        targets: Targets,
        senders: Sending,
        notices: Notices,
        *,
        sleep: Sleep = anyio.sleep,
        random: Random | None = None,
    ) -> None:
        self._db = db
        self._repo = MessageRepo(db)
        self._targets = targets
        self._senders = senders
        self._notices = notices
        self._sleep = sleep
        self._random = random or Random()
        self._awake: dict[str, anyio.Event] = {}
        """By target: of its task."""
        self._asked: set[str] = set()
        self._news = anyio.Event()
        self._failed: dict[str, int] = {}
        """By target: attempts in a row."""
        self._pauses: dict[str, datetime] = {}
        """By target: until when it is left alone, whatever waits for it."""

    def hear(self, event: StoredEvent) -> None:
        """For `Db.listen`."""
        if event.code == "target.changed":
            target = event.subject
        elif event.code == "message.changed" and event.data.get("state") == MessageState.WAITING.value:
            target = str(event.data.get("target"))
        else:
            return
        self._pauses.pop(target, None)  # somebody has done something about it
        self.wake({target})

    def wake(self, targets: Collection[str]) -> None:
        """Something may be sent there."""
        self._asked |= {*targets}
        if targets:
            self._news.set()

    async def run(self) -> None:
        """Until cancelled."""
        known = await self._notices.not_over()
        self._failed = {
            str(each.data["target"]): _TELLING for each in known.values() if each.code == "target.failed"
        }  # fmt: skip
        self.wake(await self._repo.waited_for())
        async with anyio.create_task_group() as tasks:
            while True:
                await self._news.wait()
                self._news = anyio.Event()
                asked, self._asked = self._asked, set()
                for target in sorted(asked):
                    if target in self._awake:
                        self._awake[target].set()
                    else:
                        self._awake[target] = anyio.Event()
                        tasks.start_soon(self._serve, target, name=f"target:{target}")

    # -- one target ---------------------------------------------------------------------------------------------------

    async def _serve(self, name: str) -> None:
        """Until nothing waits for it."""
        try:
            while True:
                self._awake[name] = woken = anyio.Event()
                try:
                    until = await self.send_due(name)
                except OuzelError as exc:  # of the disk, say
                    _log.warning("messages to %s cannot be written down: %s", name, exc)
                    await self._sleep(_AGAIN_S)
                    continue
                if until is None and not woken.is_set():
                    return
                if until is not None:
                    await self._wait(until, woken)
        finally:
            del self._awake[name]

    async def _wait(self, until: datetime, woken: anyio.Event) -> None:
        left_s = (until - self._db.clock.now()).total_seconds()
        if left_s <= 0:
            return
        async with anyio.create_task_group() as waiting:

            async def nap() -> None:
                await self._sleep(min(left_s, _NAP_S))
                waiting.cancel_scope.cancel()

            waiting.start_soon(nap)
            await woken.wait()
            waiting.cancel_scope.cancel()

    async def send_due(self, name: str) -> datetime | None:
        """Send what may be sent now. Returns: when to come again; None: nothing waits."""
        while True:
            now = self._db.clock.now()
            if name in self._pauses and now < self._pauses[name]:
                return self._pauses[name]
            due = await self._repo.due(name, now, limit=_PAGE)
            if not due:
                return await self._repo.next_at(name)
            target = await self._target(name)
            if target is None:
                return None
            chosen = _chosen(due)
            quiet = _quiet_until(target, chosen, now)
            if quiet is not None:
                await self._put_off([each.id for each in chosen if not _is_loud(target, each)], quiet, joined=True)
                continue
            await self._send(name, target, chosen)

    async def _target(self, name: str) -> Target | None:
        """None: it is gone, or switched off, and what waited for it is dropped."""
        try:
            target = (await self._targets.get(name)).spec
        except NotFound:
            target = None
        if target is not None and target.enabled:
            return target
        async with self._db.transaction() as tx:
            await self._repo.drop_in(tx, name, "its target is switched off" if target else "its target is gone")
        return None

    async def _put_off(self, ids: Sequence[str], until: datetime, *, joined: bool) -> None:
        async with self._db.transaction() as tx:
            await self._repo.change_in(tx, ids, not_before=until, joined=joined)

    async def _send(self, name: str, target: Target, chosen: Sequence[Message]) -> None:
        message = _outgoing(chosen, zone_of(target.time_zone))
        try:
            await self._senders.send(target.kind, self._targets.opened(target), message)
        except OuzelError as exc:
            await self._not_sent(name, chosen, exc)
            return
        async with self._db.transaction() as tx:
            await self._end_in(tx, chosen, MessageState.SENT)
            if self._failed.pop(name, 0) >= _TELLING:
                await self._notices.over_in(tx, f"target.failed:{name}")
        _log.info("%s was told: %s", name, message.code)

    async def _not_sent(self, name: str, chosen: Sequence[Message], exc: OuzelError) -> None:
        now, attempts = self._db.clock.now(), max(each.attempts for each in chosen) + 1
        self._failed[name] = self._failed.get(name, 0) + 1
        is_over = exc.retry is Retry.NEVER or is_given_up(chosen[-1].created_at or now, now, attempts)
        asked_s = exc.retry_after_s if isinstance(exc, HttpStatus) else None
        until = now + timedelta(seconds=pause_s(self._failed[name], self._random, asked_s))
        _log.warning("%s could not be told: %s", name, exc)
        async with self._db.transaction() as tx:
            values = {"attempts": attempts, "error": exc.code, "why": str(exc)}
            if is_over:
                await self._end_in(tx, chosen, MessageState.FAILED, **values)
            else:
                await self._repo.change_in(tx, [each.id for each in chosen], not_before=until, **values)
            if is_over or self._failed[name] >= _TELLING:
                self._failed[name] = max(self._failed[name], _TELLING)
                data = {"target": name, "code": exc.code, "why": str(exc)}
                await self._notices.raise_in(tx, f"target.failed:{name}", "target.failed", data=data)
        if exc.retry is not Retry.NEVER:
            self._pauses[name] = until

    async def _end_in(self, tx: Tx, chosen: Sequence[Message], state: MessageState, **values: object) -> None:
        await self._repo.end_in(tx, [each.id for each in chosen], state, **values)
        for each in chosen:
            data = {"state": state.value, "target": each.target, "code": each.code}
            tx.emit(Happening("message.changed", each.id, data, each.channel_id))


def _chosen(due: Sequence[Message]) -> list[Message]:
    """What goes out as one."""
    if len(due) > _MANY:
        return [*due]
    first = due[0]
    return [each for each in due if each.joined] if first.joined else [first]


def _quiet_until(target: Target, chosen: Sequence[Message], now: datetime) -> datetime | None:
    if not target.quiet or all(_is_loud(target, each) for each in chosen):
        return None
    zone = zone_of(target.time_zone)
    if not is_open(target.quiet, now, zone):
        return None
    return next_change(target.quiet, now, zone) or now + _NEVER_LOUD


def _is_loud(target: Target, message: Message) -> bool:
    return target.loud is not None and at_least(message.severity, target.loud)


def _outgoing(chosen: Sequence[Message], zone: tzinfo) -> Outgoing:
    first = chosen[0]
    if len(chosen) == 1:
        return Outgoing(
            first.id, first.title, first.text, first.at, first.severity, first.code, first.url, first.picture, first.data
        )  # fmt: skip
    severity = max((each.severity for each in chosen), key=[*Severity].index)
    lines = [f"{each.at.astimezone(zone):%H:%M} {each.title}\n{each.text}".strip() for each in chosen]
    facts = Facts("digest", severity, first.at, {"name": str(len(chosen)), "what": "\n\n".join(lines)})
    title, text = render_message(facts, zone, first.language)
    data = {"messages": [{"type": each.code, "title": each.title, "data": dict(each.data)} for each in chosen]}
    id_ = f"{first.id}-{chosen[-1].id}-{len(chosen)}"  # more may be joined until the next attempt: that is another message
    return Outgoing(id_, title, text, first.at, severity, "digest", data=data)
