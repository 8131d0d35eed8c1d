"""Events become messages: in one transaction with the number up to which that was done, so that a kill loses and repeats none."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

import anyio
from sqlalchemy import func, select

from ouzel.base.errors import OuzelError
from ouzel.base.ids import new_id
from ouzel.model.happening import StoredEvent
from ouzel.model.message_templates import render_message
from ouzel.model.messages import Message, MessageState
from ouzel.model.routes import Route
from ouzel.model.targets import Target
from ouzel.services.channels import Channels
from ouzel.services.routes import route_repo
from ouzel.services.targets import target_repo
from ouzel.services.telling_out import Outbox
from ouzel.services.telling_stories import Say, Stories, Story
from ouzel.store.db import Db, Tx
from ouzel.store.messages import MessageRepo
from ouzel.store.named import Named
from ouzel.store.tables import events
from ouzel.system.zones import zone_of

_log = logging.getLogger(__name__)
_SAVED_EVERY = 500
"""Events that told nobody anything may be looked at once more after a kill."""
_AGAIN_S = 30.0
_EDITED = ("route.changed", "target.changed")
_LOOK_AT = ("broadcast.", "recording.began", "recording.finished", "download.", "job.", "notice.", "daemon.", *_EDITED)


@dataclass(frozen=True, slots=True)
class TellingRules:
    language: str = "en"
    """Of messages, where the route does not say: `en`, `zh`."""
    apart_s: float = 1800.0
    """The same about a channel is not told again sooner, where the route does not say."""


def _plain(_language: str, code: str, data: object) -> str:  # noqa: ARG001
    return code


class Telling:
    """Makes messages, and has them sent."""

    def __init__(
        self,
        db: Db,
        channels: Channels,
        outbox: Outbox,
        rules: TellingRules | None = None,
        say: Say | None = None,
        *,
        sleep: Callable[[float], Awaitable[None]] = anyio.sleep,
    ) -> None:
        self._db = db
        self._repo = MessageRepo(db)
        self._routes = route_repo(db)
        self._targets = target_repo(db)
        self._stories = Stories(db, channels)
        self._outbox = outbox
        self._rules = rules or TellingRules()
        self._say = say or _plain
        self._sleep = sleep
        self._wake = anyio.Event()
        self._number = 0
        self._saved = 0
        self._known: tuple[list[Named[Route]], dict[str, Target]] | None = None

    def hear(self, event: StoredEvent) -> None:
        """For `Db.listen`."""
        if event.code.startswith(_LOOK_AT):
            self._wake.set()
        self._outbox.hear(event)

    async def run(self) -> None:
        """Until cancelled."""
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._outbox.run, name="outbox")
            while True:
                self._wake = anyio.Event()
                try:
                    await self.look()
                except OuzelError as exc:  # of the disk, say: the events are still there the next time
                    _log.warning("no messages can be made: %s", exc)
                    await self._sleep(_AGAIN_S)
                    continue
                await self._wake.wait()

    async def look(self) -> None:
        """Make messages of all that has happened until now."""
        if not self._number:
            await self._begin()
        while page := await self._db.events_after(self._number):
            await self._take(page)

    async def _begin(self) -> None:
        """Who has never told anything tells nothing of what was before."""
        number = await self._repo.told_until()
        if number is None:
            number = await self._db.scalar(select(func.coalesce(func.max(events.c.number), 0)))
            await self._save(number or 0)
        self._number = self._saved = number or 0

    async def _take(self, page: Sequence[StoredEvent]) -> None:
        edited = any(event.code in _EDITED for event in page)
        if self._known is None or edited:
            self._known = await self._routes.all(), {each.name: each.spec for each in await self._targets.all()}
        made = [message for event in page for message in await self._of(event)] if self._known[0] else []
        number = page[-1].number
        if made or edited or number - self._saved >= _SAVED_EVERY:
            async with self._db.transaction() as tx:
                for message in made:
                    await self._put_in(tx, *message)
                await self._repo.tell_until_in(tx, number)
            self._saved = number
        self._number = number
        self._outbox.wake({message.target for message, _ in made})

    async def _save(self, number: int) -> None:
        async with self._db.transaction() as tx:
            await self._repo.tell_until_in(tx, number)

    # -- one event ----------------------------------------------------------------------------------------------------

    async def _of(self, event: StoredEvent) -> list[tuple[Message, Route]]:
        assert self._known is not None
        routes, targets = self._known
        story = await self._stories.read(event)
        if story is None:
            return []
        return [
            (self._message(event, story, route, target, targets[target]), route.spec)
            for route in routes
            if route.created_at <= event.at and _wants(route.spec, story)
            for target in route.spec.targets
            if target in targets and targets[target].enabled and not _is_itself(story, target)
        ]

    def _message(self, event: StoredEvent, story: Story, route: Named[Route], name: str, target: Target) -> Message:
        spec, facts, now = route.spec, story.facts, self._db.clock.now()
        language, zone = spec.language or self._rules.language, zone_of(target.time_zone)
        what = (
            self._say(language, facts.code, story.data) if story.is_notice else render_message(facts, zone, language)[0]
        )
        facts = replace(facts, fields={**facts.fields, "what": what})
        title, text = render_message(facts, zone, language, title=spec.title, text=spec.text)
        channel = story.channel
        data = {"number": event.number, **dict(facts.fields)}
        if channel is not None:
            data["channel_id"] = channel.id
        return Message(
            new_id(now), event.number, route.name, name, facts.code, facts.severity, story.about, event.at, title, text,
            channel.id if channel else None, facts.fields.get("url", ""), facts.fields.get("picture", ""),
            {key: value for key, value in data.items() if value != ""}, language, joined=spec.digest_s > 0,
            created_at=now,
        )  # fmt: skip

    async def _put_in(self, tx: Tx, message: Message, route: Route) -> None:
        usual_s = self._rules.apart_s if message.channel_id is not None else 0.0
        apart_s = usual_s if route.debounce_s is None else route.debounce_s
        now = self._db.clock.now()
        if apart_s and await self._repo.was_told_in(tx, message, now - timedelta(seconds=apart_s)):
            message = replace(message, state=MessageState.DROPPED, why="told already", ended_at=now)
        elif route.digest_s:
            until = await self._repo.collecting_in(tx, message.route, message.target, now)
            message = replace(message, not_before=until or now + timedelta(seconds=route.digest_s))
        await self._repo.add_in(tx, message)


def _wants(route: Route, story: Story) -> bool:
    facts, channel = story.facts, story.channel
    return route.wants(
        facts.code, facts.severity, is_over=facts.is_over, channel=channel.id if channel else None,
        labels=channel.labels if channel else (),
    )  # fmt: skip


def _is_itself(story: Story, target: str) -> bool:
    """That a target cannot be told anything is not told through it."""
    return story.facts.code == "target.failed" and story.data.get("target") == target
