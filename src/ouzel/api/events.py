"""`GET /api/events`: what happens, as server-sent events, from any moment on."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any

import anyio
from fastapi import APIRouter, Header, Query
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from ouzel.api.auth import CanRead
from ouzel.api.problems import problems
from ouzel.api.services import Served, Services
from ouzel.base.errors import Invalid, NotAllowed, NotSignedIn
from ouzel.model.happening import CODES, StoredEvent
from ouzel.model.users import Principal
from ouzel.services.events import Resync, Subscription

router = APIRouter()
TOPICS = sorted({code.partition(".")[0] for code in CODES})
_RETRY_MS = 3000
_FRAME = {
    "type": "object",
    "description": "fields of each event; `data` is a JSON object with number, at, code, subject, channel_id, data",
    "properties": {"event": {"type": "string"}, "id": {"type": "string"}, "data": {"type": "string"}},
}
_NUMBER = r"^[0-9]{1,18}$"


class EventStream(Response):
    """Tells one listener until it goes, may not listen any more, is too slow, or the daemon ends.

    Args:
        after: number of the last event that the listener knows; None: from now on.
        topics: what codes begin with; none: everything.
    """

    media_type = "text/event-stream"

    def __init__(self, services: Services, who: Principal, after: int | None, topics: frozenset[str]) -> None:
        super().__init__(headers={"X-Accel-Buffering": "no"})  # nginx would gather events before it passes them on
        del self.headers["content-length"]
        self._services = services
        self._who = who
        self._after = after
        self._topics = topics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - as ASGI has it
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        self._services.metrics.tally.listeners += 1
        try:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(_until_gone, receive, tasks.cancel_scope)
                await self._tell(send)
                tasks.cancel_scope.cancel()
        finally:
            self._services.metrics.tally.listeners -= 1

    async def _tell(self, send: Send) -> None:
        async with self._services.events.subscribe(self._after) as listening:
            begun = frame("ready", listening.after, {"number": listening.after})
            if not await self._send(send, f"retry: {_RETRY_MS}\n".encode() + begun):
                return
            try:
                while (piece := await self._next(listening)) is not None:
                    if not await self._send(send, piece):
                        return
                    if piece.startswith(b"event: resync"):
                        break
            except NotSignedIn:
                pass  # it may not listen any more
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _next(self, listening: Subscription) -> bytes | None:
        """What to send next: an event, or a sign of life. None: that was all. Raises: NotSignedIn."""
        passed: int | None = None
        while True:
            happened = None
            with anyio.move_on_after(self._services.rules.heartbeat_s) as waiting:
                happened = await listening.next()
            self._who = await self._services.auth.again(self._who)
            if waiting.cancelled_caught:
                return b": still here\n" + (f"id: {passed}\n\n".encode() if passed is not None else b"\n")
            if happened is None:
                return None
            if isinstance(happened, Resync):
                return frame("resync", happened.number, {"number": happened.number})
            if await self._is_for(happened):
                return frame(happened.code, happened.number, event_out(happened))
            passed = happened.number

    async def _is_for(self, event: StoredEvent) -> bool:
        if self._topics and event.code.partition(".")[0] not in self._topics:
            return False
        labels: frozenset[str] | None = None
        if event.channel_id is not None:
            # who sees all channels waits for none of them to be looked up
            labels = await self._services.labels.of(event.channel_id) if self._who.grants else frozenset()
        return self._who.hears(event.code, event.subject, labels)

    async def _send(self, send: Send, piece: bytes) -> bool:
        """False: the listener does not take it."""
        with anyio.move_on_after(self._services.rules.send_s) as sending:
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        return not sending.cancelled_caught


async def _until_gone(receive: Receive, scope: anyio.CancelScope) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    scope.cancel()


def frame(code: str, number: int, doc: Mapping[str, Any]) -> bytes:
    text = json.dumps(doc, ensure_ascii=False, separators=(",", ":"))
    return f"event: {code}\nid: {number}\ndata: {text}\n\n".encode()


def event_out(event: StoredEvent) -> dict[str, Any]:
    return {
        "number": event.number, "at": event.at.isoformat(), "code": event.code, "subject": event.subject,
        "channel_id": event.channel_id, "data": dict(event.data),
    }  # fmt: skip


@router.get(
    "/api/events", tags=["events"], status_code=200, response_class=EventStream,
    responses={200: {"content": {"text/event-stream": {"schema": _FRAME}}}}
    | problems(Invalid, NotSignedIn, NotAllowed),
)  # fmt: skip
async def listen(
    services: Served,
    who: CanRead,
    after: Annotated[str | None, Query(pattern=_NUMBER, description="number of the last event that is known")] = None,
    topics: Annotated[str | None, Query(description=f"some of {', '.join(TOPICS)}, with commas between")] = None,
    last_event_id: Annotated[
        str | None, Header(pattern=_NUMBER, description="as `after`, which it goes before")
    ] = None,
) -> Response:
    """What happens, as it happens, and what has happened since `after`. The first event is always `ready`.

    An event `resync` means that too much has happened since: read the lists again. The connection ends then.
    """
    wanted = frozenset(filter(None, (topics or "").split(",")))
    if unknown := wanted.difference(TOPICS):
        raise Invalid(f"there is no topic {min(unknown)[:50]}; there are {', '.join(TOPICS)}")
    known = last_event_id or after
    return EventStream(services, who, int(known) if known is not None else None, wanted)
