"""Weak entity tags for every JSON answer, 304 for what is known already, and the revision that an edit is based on.

A tag is `W/"REVISION-HASH"`, or `W/"HASH"` of a list. `If-None-Match` compares the whole: what is shown may change without an
edit. `If-Match` compares the revision alone: what changes by itself stands in no edit's way.
"""

from __future__ import annotations

import hashlib
import re
from typing import Annotated, TypeAlias

from fastapi import Depends, Header, Request
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ouzel.api.visit import visit_of

_TAG = re.compile(r'(?:W/)?"(\d{1,15})-[0-9a-f]+"')
_NEVER = -1
"""A revision that nothing has."""


class Tagged:
    """Middleware: within compression, around the routes."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        start: Message | None = None

        async def tagged(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start" and message["status"] < 300 and _is_json(message):
                start = message
                return
            if start is not None:
                begun, start = start, None
                if not message.get("more_body"):
                    message = _tag(scope, begun, message)
                await send(begun)
            await send(message)

        await self._app(scope, receive, tagged)


def _is_json(message: Message) -> bool:
    return Headers(scope=message).get("content-type", "").startswith("application/json")


def _tag(scope: Scope, start: Message, body: Message) -> Message:
    """Put the tag into the head; what the body is then."""
    digest = hashlib.blake2b(body.get("body", b""), digest_size=8).hexdigest()
    revision = visit_of(HTTPConnection(scope)).revision
    tag = f'W/"{digest}"' if revision is None else f'W/"{revision}-{digest}"'
    headers = MutableHeaders(scope=start)
    if scope["method"] != "GET" and revision is None:
        return body
    headers["ETag"] = tag
    headers.setdefault("Cache-Control", "private, no-cache")
    known = [each.strip() for each in Headers(scope=scope).get("if-none-match", "").split(",")]
    if scope["method"] != "GET" or (tag not in known and "*" not in known):
        return body
    start["status"] = 304
    del headers["content-length"], headers["content-type"]
    return {"type": "http.response.body", "body": b"", "more_body": False}


def show_revision(request: Request, revision: int) -> None:
    """The revision of the object that this request is answered with: its tag has it."""
    visit_of(request).revision = revision


def expected_revision(
    if_match: Annotated[
        str, Header(description="the `ETag` that an edit is based on; `*`, or none: whatever it is now")
    ] = "*",
) -> int | None:
    """None: nothing is said. Of a tag that is none of ours, or several: one that matches nothing."""
    if if_match.strip() == "*":
        return None
    found = _TAG.fullmatch(if_match.strip())
    return int(found[1]) if found else _NEVER


IfMatch: TypeAlias = Annotated[int | None, Depends(expected_revision)]
"""Revision that an edit is based on, as a parameter of a route: for the service, which raises ChangedSince."""
