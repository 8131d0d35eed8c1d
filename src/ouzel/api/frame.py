"""What holds for every request: its id, limits, headers, HEAD, and what is noted of it."""

from __future__ import annotations

from math import inf
from typing import cast

from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ouzel.api.problems import problem
from ouzel.api.services import Services
from ouzel.api.visit import Visit, open_visit, within
from ouzel.base.errors import BodyTooLarge

SAFE = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
_OWN_AUDIT = "/api/auth/"
"""Below it the service writes the lines itself, with what it knows."""
_FILES = "/api/uploads"
"""What takes whole files says itself how much it takes."""
_TOO_LARGE = "this request is larger than any needs to be"
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
"""Unless the route has said otherwise."""


class Frame:
    """The outermost middleware."""

    def __init__(self, app: ASGIApp, services: Services) -> None:
        self._app = app
        self._services = services

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        visit = open_visit(scope, self._services.rules)
        if (path := within(visit, scope["path"])) != scope["path"]:
            scope = {**scope, "path": path, "raw_path": path.encode()}
        answer = _Answer(scope, visit, receive, send, self._services)
        if scope["method"] == "HEAD":
            scope = answer.scope = {**scope, "method": "GET"}
        if answer.announced_bytes > answer.most_bytes:
            refusal = problem(Request(scope), 413, BodyTooLarge.code, _TOO_LARGE)
            await refusal(scope, receive, answer.send)
        else:
            await self._app(scope, answer.receive, answer.send)
        if visit.principal is not None and scope["method"] not in SAFE and not scope["path"].startswith(_OWN_AUDIT):
            params = cast("dict[str, object]", scope.get("path_params", {}))
            subject = "/".join(str(each) for each in params.values()) or answer.location.rpartition("/")[2]
            await self._services.audit.note(
                visit.principal, answer.operation, subject=subject, outcome=visit.code or "ok", client=visit.client
            )


class _Answer:
    """Both directions of one request."""

    def __init__(self, scope: Scope, visit: Visit, receive: Receive, send: Send, services: Services) -> None:
        self.scope = scope
        self._visit = visit
        self._receive = receive
        self._send = send
        self._services = services
        self._head_only = scope["method"] == "HEAD"
        self._over = False
        self._read = 0
        self.most_bytes = inf if scope["path"].startswith(_FILES) else services.rules.body_bytes
        self.location = ""
        self._began_s = services.db.clock.monotonic()

    @property
    def announced_bytes(self) -> int:
        told = dict(self.scope["headers"]).get(b"content-length", b"0")
        return int(told) if told.isdigit() else 0

    @property
    def operation(self) -> str:
        return getattr(self.scope.get("route"), "name", "none")

    async def receive(self) -> Message:
        message = await self._receive()
        self._read += len(message.get("body", b""))
        if self._read > self.most_bytes:
            raise HTTPException(413, _TOO_LARGE)  # of this kind: FastAPI makes a 400 of any other
        return message

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._begin(message)
        elif self._head_only:
            if self._over:
                return
            self._over = True
            message = {"type": "http.response.body", "body": b"", "more_body": False}
        await self._send(message)

    def _begin(self, message: Message) -> None:
        headers = MutableHeaders(scope=message)
        for name, value in _HEADERS.items():
            headers.setdefault(name, value)
        self.location = headers.get("location", "")
        headers["X-Request-Id"] = self._visit.client.request_id
        took_s = self._services.db.clock.monotonic() - self._began_s
        self._services.metrics.tally.answered(self.operation, message["status"], took_s)
