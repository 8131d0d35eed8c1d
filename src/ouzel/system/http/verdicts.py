"""What an answer's head means: the body asked for, the way to another address, or a no."""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass
from datetime import UTC, datetime

from ouzel.base.errors import BadResponse, Forbidden, Gone, HttpStatus, ProxyFailed, RateLimited, ServerTrouble
from ouzel.base.urls import Url, join, redact, redact_text
from ouzel.system.http.heads import Head
from ouzel.system.http.messages import Headers

REDIRECTS = frozenset({301, 302, 303, 307, 308})
EXCERPT_BYTES = 2048
_EXCERPT_CHARS = 200
_CONTENT_RANGE = re.compile(r"bytes\s+(\d{1,18})-(\d{1,18})/(\d{1,18}|\*)")
_TAG = re.compile(r"<(script|style)\b.*?</\1\s*>|<[^>]*>", re.IGNORECASE | re.DOTALL)


def redirect_target(head: Head, url: Url) -> str:
    """Raises: BadResponse, BadUrl."""
    location = head.headers.get("location")
    if not location:
        raise BadResponse(f"{url.host} redirects ({head.status}) and does not say where", url=redact(str(url)))
    return join(str(url), location)


def refusal(head: Head, url: Url, excerpt: bytes, now: datetime, *, proxied: bool) -> HttpStatus | ProxyFailed:
    """The error for an answer that is neither 2xx nor a redirect."""
    status = head.status
    if status == 407 and proxied:
        return ProxyFailed("the proxy wants a user and password (407)")
    kind = HttpStatus
    if status in (404, 410):
        kind = Gone
    elif status in (401, 403):
        kind = Forbidden
    elif status == 429:
        kind = RateLimited
    elif 500 <= status < 600:
        kind = ServerTrouble
    return kind(
        f"{url.host} answered {status} {head.reason}".rstrip(),
        status=status,
        retry_after_s=retry_after_s(head.headers, now),
        url=redact(str(url)),
        excerpt=excerpt_text(head.headers, excerpt),
    )


def retry_after_s(headers: Headers, now: datetime) -> float | None:
    """Seconds that the server asks to be left alone; a date counts from the server's own clock where it tells that.

    Source: RFC 9110 section 10.2.3.
    """
    value = (headers.get("retry-after") or "").strip()
    if value.isdecimal():
        return float(value[:9])
    until = _date(value)
    if until is None:
        return None
    since = _date(headers.get("date") or "") or now
    return max(0.0, (until - since).total_seconds())


def _date(value: str) -> datetime | None:
    from email.utils import parsedate_to_datetime

    try:
        when = parsedate_to_datetime(value)
    except ValueError:
        return None
    return when if when.tzinfo else when.replace(tzinfo=UTC)


def excerpt_text(headers: Headers, body: bytes) -> str:
    """The first words of an error page: without mark-up, secrets and line breaks. Empty for what is no text."""
    coding = (headers.get("content-encoding") or "").lower()
    if coding in ("gzip", "deflate", "x-gzip"):
        try:
            body = zlib.decompressobj(47).decompress(body, EXCERPT_BYTES)
        except zlib.error:
            return ""
    elif coding not in ("", "identity"):
        return ""
    text = body.decode("utf-8", "replace")
    if text.count("\ufffd") + sum(c < " " and c not in "\t\r\n" for c in text) > len(text) // 10:
        return ""
    words = " ".join(redact_text(_TAG.sub(" ", text)).split())
    words = "".join(c if c.isprintable() else "\ufffd" for c in words)
    return words if len(words) <= _EXCERPT_CHARS else words[: _EXCERPT_CHARS - 1] + "…"


@dataclass(frozen=True, slots=True)
class Part:
    """Which bytes of a body are handed out."""

    skip: int = 0
    size: int | None = None
    """None: all that come."""
    ends: bool = True
    """Whether the body ends where the part does."""


def part_of(head: Head, wanted: tuple[int, int | None] | None, max_skip: int) -> Part:
    """How to get the wanted range from this 2xx answer, which may be the range or the whole.

    Raises: BadResponse when it cannot be had, or only by reading over more than `max_skip` bytes.
    Source: RFC 9110 sections 14.4 and 15.3.7.
    """
    if head.status == 206:
        return _sent_part(head, (0, None) if wanted is None else wanted)
    if wanted is None:
        return Part(size=head.length)
    first, last = wanted
    if first > max_skip:
        raise BadResponse(f"the server does not give ranges, and byte {first} is too far into its answer")
    if head.length is None:
        return Part(first, None if last is None else last - first + 1, ends=last is None)
    if first >= head.length:
        raise BadResponse(f"the range begins at byte {first}, and there are only {head.length}")
    end = head.length if last is None else min(last + 1, head.length)
    return Part(first, end - first, ends=end == head.length)


def _sent_part(head: Head, wanted: tuple[int, int | None]) -> Part:
    value = head.headers.get("content-range") or ""
    sent = _CONTENT_RANGE.fullmatch(value.strip())
    if sent is None:
        raise BadResponse(f"the answer is a part (206) and does not say which: {value[:80]!r}")
    first, last = int(sent[1]), int(sent[2])
    total = None if sent[3] == "*" else int(sent[3])
    wanted_last = wanted[1] if wanted[1] is not None else (total - 1 if total is not None else last)
    if total is not None:
        wanted_last = min(wanted_last, total - 1)
    if first != wanted[0] or last != wanted_last:
        asked = f"{wanted[0]}-{'' if wanted[1] is None else wanted[1]}"
        raise BadResponse(f"the server was asked for bytes {asked} and sent {value[:80]}")
    size = last - first + 1
    if head.length not in (None, size):
        raise BadResponse(f"the answer is to have {head.length} bytes, and its range {size}")
    return Part(0, size, ends=head.length is not None)
