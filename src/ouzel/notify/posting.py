"""A request to a service, and what its answer means: many say no inside of a 200."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from typing import Any, cast
from urllib.parse import urlsplit

from ouzel.base.errors import AddressRefused, BadResponse, HttpStatus, RateLimited, Retry, ServerTrouble, TargetRefused
from ouzel.base.urls import redact_text
from ouzel.system.guard import AddressClass, Lookup, Scope, addresses_of
from ouzel.system.http import HttpClient, Limits, Request

_JSON = ("Content-Type", "application/json; charset=utf-8")
_MOST_ANSWER = 64 * 1024
_LIMITS = Limits(connect_s=10.0, head_s=20.0, stall_s=10.0, total_s=30.0)
_SHOWN = 200
_AFTER = re.compile(r'"retry_after"\s*:\s*(\d{1,6})')
_LEAST_SECRET = 6
_BY_PROXY = Scope(frozenset({AddressClass.PUBLIC, AddressClass.PRIVATE, AddressClass.LOOPBACK}))
"""Names are the proxy's to look up; addresses that are written as such are checked."""


class Poster:
    """Sends JSON to addresses that a person wrote down: to the machines of this network too, to no metadata service.

    Args:
        lookup: finds the addresses of names; None: the system's resolver.
    """

    def __init__(self, http: HttpClient, lookup: Lookup | None = None) -> None:
        self._http = http
        self._lookup = lookup

    async def post(
        self, url: str, doc: Mapping[str, Any], settings: Mapping[str, Any], headers: tuple[tuple[str, str], ...] = ()
    ) -> dict[str, Any]:
        """The answer's JSON; empty where it is none. Raises: OuzelError, whose words have none of `settings`' secrets."""
        body = json.dumps(doc, ensure_ascii=False).encode("utf-8", "replace")
        return await self.send(url, body, settings, (_JSON, *headers))

    async def send(
        self, url: str, body: bytes, settings: Mapping[str, Any], headers: tuple[tuple[str, str], ...]
    ) -> dict[str, Any]:
        """The same, of a body that stands already."""
        proxy: str | None = settings.get("proxy")
        scope = _BY_PROXY if proxy else await scope_of(urlsplit(url).hostname or "", self._lookup)
        request = Request(url, headers=headers, body=body, proxy=proxy, scope=scope, limits=_LIMITS)
        try:
            page = await self._http.fetch(request, max_bytes=_MOST_ANSWER)
        except HttpStatus as exc:
            raise _refusal(exc, settings, url) from None
        return _read(page.data)


def judge(
    answer: Mapping[str, Any],
    settings: Mapping[str, Any],
    *,
    field: str,
    good: int,
    why: str,
    busy: Collection[int] = (),
    broken: Collection[int] = (),
) -> None:
    """What a service says inside of a 200.

    Args:
        field, good: where its code stands, and which one means that it was taken.
        why: where it gives its reason.
        busy, broken: codes that say that it is asked too often, or does not work just now.
    Raises: TargetRefused, RateLimited, ServerTrouble; BadResponse for what is no answer of it.
    """
    code = answer.get(field)
    if not isinstance(code, int):
        raise BadResponse("what answers there is not the service that was expected")
    if code == good:
        return
    reason = shown(str(answer.get(why) or "it gave no reason"), settings)
    if code in busy:
        raise RateLimited(f"it is asked too often: {reason} ({code})", status=200)
    if code in broken:
        raise ServerTrouble(f"it does not work just now: {reason} ({code})", status=200)
    raise TargetRefused(f"it says no: {reason} ({code})")


def shown(text: str, settings: Mapping[str, Any]) -> str:
    """Of what a service says, what may be told: on one line, without anything secret that we gave it."""
    for value in sorted((str(each) for each in settings.values()), key=len, reverse=True):
        rest = urlsplit(value)
        parts = {value, *re.split(r"[/?&=]", f"{rest.path}?{rest.query}")} if "://" in value else {value}
        for part in sorted(parts, key=len, reverse=True):
            if len(part) >= _LEAST_SECRET:
                text = text.replace(part, "***")
    return redact_text(" ".join(text.split()))[:_SHOWN]


async def scope_of(host: str, lookup: Lookup | None = None) -> Scope:
    """What may be reached by the address of a target. Raises: HostNotFound, AddressRefused."""
    scope = Scope.of(await addresses_of(host, lookup=lookup))
    if AddressClass.LINK_LOCAL in scope.classes:
        raise AddressRefused(f"{host} is a link-local address, to which no messages are sent", host=host)
    return scope


def _read(data: bytes) -> dict[str, Any]:
    try:
        doc: object = json.loads(data)
    except ValueError:
        return {}
    return cast("dict[str, Any]", doc) if isinstance(doc, dict) else {}


def _refusal(exc: HttpStatus, settings: Mapping[str, Any], url: str) -> Exception:
    """What it says is shown without our secrets: services love to repeat what they were asked."""
    excerpt = str(exc.context.get("excerpt", ""))
    after = _AFTER.search(excerpt)
    asked_s = float(after[1]) if after else exc.retry_after_s
    why = shown(f"{exc.message}: {excerpt}" if excerpt else exc.message, {**settings, "": url})
    if exc.status in (408, 425) or (exc.retry is Retry.NEVER and asked_s is not None):
        return ServerTrouble(why, status=exc.status, retry_after_s=asked_s)
    if exc.retry is Retry.NEVER:
        return TargetRefused(why)
    return type(exc)(why, status=exc.status, retry_after_s=asked_s)
