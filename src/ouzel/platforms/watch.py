"""Every request of one resolve, whoever made it, and what came of it.

Libraries turn a refused connection, a captcha or an error page into "offline", or into an exception about something else. Here
each answer is looked at as it passes, so that what they say can be held against what they were told.
"""

from __future__ import annotations

import re
import time
from collections.abc import Collection, Generator, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlsplit

from ouzel.base.errors import (
    Blocked,
    ChannelGone,
    ConnectFailed,
    ConnectionLost,
    HostNotFound,
    NeedsLogin,
    NetworkError,
    OuzelError,
    ProxyFailed,
    RegionLocked,
    ResolverFailed,
    ServerTrouble,
    SiteChanged,
    Stalled,
    TlsFailed,
    TooManyRedirects,
)
from ouzel.base.urls import redact, redact_text
from ouzel.model.evidence import Evidence

_SHOWN = 160
_LOOKED_AT = 8192
_KEPT = 1024 * 1024
_TELLING = frozenset({400, 404, 410, 422})
"""Statuses with which a site may say in so many words that a channel is idle. Others: it would not, or could not, tell."""
_PARTIAL = re.compile(r'"errors"\s*:\s*\[\s*\{')
"""Stands beside data that is not whole (GraphQL, section 7.1.2): what is null there may be anything."""
_SMALL = 40_000
_CHALLENGE = re.compile(
    r"cf-challenge|challenge-platform|<title>just a moment|are you (?:a )?(?:human|robot)|unusual traffic|verify_center"
    r"|verifycenter|访问过于频繁",
    re.IGNORECASE,
)
"""Words that stand in no other page."""
_CAPTCHA = re.compile(r"captcha|geetest|滑块|验证码|安全验证|risk control|風控|风控", re.IGNORECASE)
"""Words that ordinary, large pages have too, since they load what a captcha needs."""
_STATUS_ERRORS: dict[int, tuple[type[OuzelError], str]] = {
    401: (NeedsLogin, "it asks for an account"),
    403: (Blocked, "it refuses to answer"),
    404: (ChannelGone, "it does not know this page"),
    410: (ChannelGone, "the page is gone"),
    412: (Blocked, "its risk control refuses to answer"),
    429: (Blocked, "it wants fewer requests"),
    451: (RegionLocked, "it may not show this here"),
}
_NETWORK: tuple[tuple[re.Pattern[str], type[NetworkError], str], ...] = tuple(
    (re.compile(words, re.IGNORECASE), kind, meaning)
    for words, kind, meaning in (
        (r"proxy|socks|tunnel", ProxyFailed, "the proxy does not let us through"),
        (
            r"name ?resolution|gaierror|getaddrinfo|could not resolve|name or service|nodename",
            HostNotFound,
            "there is no such host",
        ),
        (r"too many redirects|toomanyredirects|maximum .* redirects", TooManyRedirects, "it redirects in a circle"),
        (r"timed? ?out|timeout", Stalled, "no answer in time"),
        (r"ssl|certificate|tls", TlsFailed, "its certificate is not valid, or TLS could not be agreed"),
        (
            r"refused|unreachable|connecterror|failed to connect|newconnectionerror",
            ConnectFailed,
            "nobody answers, or the connection is refused",
        ),
        ("", ConnectionLost, "the connection broke"),
    )
)

_HOST = re.compile(r"\bhost='([^']+)'")
_PLACE = re.compile(r"with url: \S+|SOCKS(?=HTTPS?Connection)")


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request, its evidence, and what is wrong with it, if anything is."""

    evidence: Evidence
    fault: OuzelError | None
    body: str = ""
    """What the answer began with."""

    def says(self, patterns: Collection[str]) -> bool:
        return not _PARTIAL.search(self.body) and any(re.search(pattern, self.body) for pattern in patterns)


@dataclass(slots=True)
class Watch:
    """What one resolve has asked. Not for several threads."""

    seen: list[Exchange] = field(default_factory=list[Exchange])
    adapter: str = ""
    """Who asks."""

    @property
    def evidence(self) -> tuple[Evidence, ...]:
        return tuple(exchange.evidence for exchange in self.seen)

    def answered(
        self,
        method: str,
        url: str,
        status: int,
        content_type: str,
        body: str,
        *,
        took_s: float = 0.0,
        accept: Collection[int] = (),
    ) -> OuzelError | None:
        """An answer came. Returns: what is wrong with it by itself, whatever was asked.

        A status to `accept` is no fault: the site says in it what it has to say. A captcha is one under any status.
        """
        evidence = Evidence(
            method, redact(url), status, content_type, redact_text(body[:_SHOWN]), took_s=took_s, adapter=self.adapter
        )
        fault = fault_of(200 if status in accept else status, content_type, body, evidence)
        if fault is None and status == 200 and method == "GET" and is_playlist(url, content_type):
            fault = _no_playlist(body, evidence)
        self.seen.append(Exchange(evidence, fault, body[:_KEPT]))
        return fault

    def failed(self, method: str, url: str, exc: BaseException, *, took_s: float = 0.0) -> OuzelError:
        """No answer came. Returns: why."""
        error = _unsendable(exc, url) or network_error(exc, url)
        evidence = Evidence(method, redact(url), error=error.code, why=_words(exc), took_s=took_s, adapter=self.adapter)
        error.context["evidence"] = [evidence.fields()]
        self.seen.append(Exchange(evidence, error))
        return error

    def says(self, patterns: Collection[str]) -> bool:
        """Whether an answer has one of these."""
        return any(exchange.says(patterns) for exchange in self.seen)

    def find(self, patterns: Collection[str]) -> str | None:
        """The group of the first of these that is in an answer, the first answer first."""
        found = (re.search(pattern, exchange.body) for pattern in patterns for exchange in self.seen)
        return next((each[1] for each in found if each), None)

    def first_fault(self, *, but: Collection[str] = ()) -> OuzelError | None:
        """The first request with which something was wrong: what came after may follow from it.

        Args:
            but: patterns of the words with which the site says that a channel is idle: the status of such an answer is what it
                says them with, and no fault.
        """
        faulty = (exchange for exchange in self.seen if exchange.fault is not None)
        return next((each.fault for each in faulty if each.evidence.status not in _TELLING or not each.says(but)), None)

    def forgive(self, since: int) -> None:
        """What was asked from the one of this number on was asked wrongly, and is asked anew: what came of it is no fault."""
        self.seen[since:] = [replace(exchange, fault=None) for exchange in self.seen[since:]]

    def explain(self, error: OuzelError) -> OuzelError:
        """The same error with the evidence of all that was asked."""
        error.context["evidence"] = [evidence.fields() for evidence in self.evidence]
        return error


_current: ContextVar[Watch | None] = ContextVar("watch", default=None)


@contextmanager
def watching(adapter: str = "") -> Generator[Watch]:
    """Requests of this thread, and of the tasks that it starts, are seen by this watch."""
    token = _current.set(watch := Watch(adapter=adapter))
    try:
        yield watch
    finally:
        _current.reset(token)


def current() -> Watch:
    """The watch of whoever is running. Raises: LookupError when nobody watches, which is a bug."""
    if (watch := _current.get()) is None:
        raise LookupError("a request that nobody watches")
    return watch


def fault_of(status: int, content_type: str, body: str, evidence: Evidence) -> OuzelError | None:
    """What is wrong with an answer by itself."""
    shown: dict[str, Any] = {"status": status, "evidence": [evidence.fields()]}
    html = "html" in content_type or body.lstrip()[:1] == "<"
    start = body[:_LOOKED_AT] if html else ""
    if found := _CHALLENGE.search(start) or (_CAPTCHA.search(start) if len(body) < _SMALL else None):
        return Blocked(f"the site asks whether we are human ({found[0].lower()!r})", captcha=True, **shown)
    if status in _STATUS_ERRORS:
        kind, why = _STATUS_ERRORS[status]
        return kind(f"the site answers {status}: {why}", **shown)
    if status >= 500:
        return ServerTrouble(f"the site answers {status}", **shown)
    if status >= 400:
        return SiteChanged(f"the site answers {status}", **shown)
    return None


def network_error(exc: BaseException, url: str) -> NetworkError:
    """Why no answer came, from whatever a library raised. Its own words are for the evidence."""
    text = _without_names(" | ".join(f"{type(each).__name__}: {each}" for each in _causes(exc)), url)
    kind, meaning = next((kind, meaning) for pattern, kind, meaning in _NETWORK if pattern.search(text))
    return kind(f"{urlsplit(url).hostname or redact(url)}: {meaning}", url=redact(url))


def _without_names(text: str, url: str) -> str:
    """What libraries say of a failure, without the host and the address that was asked, and without what connects through SOCKS
    to it: hosts may be called sslproxy, and a timeout is none of the proxy's."""
    names = {*_HOST.findall(text), urlsplit(url).hostname or url, url} - {""}
    for name in sorted(names, key=len, reverse=True):
        text = text.replace(name, "")
    return _PLACE.sub("", text)


def _unsendable(exc: BaseException, url: str) -> OuzelError | None:
    """Of a request that never left: it has letters that a library cannot write, and of the way there nothing is known."""
    if type(exc).__name__ != "InvalidHeader" and not any(isinstance(each, UnicodeError) for each in _causes(exc)):
        return None
    return ResolverFailed(f"{urlsplit(url).hostname or redact(url)} could not be asked: the request cannot be written")


def _words(exc: BaseException) -> str:
    """What a library says of its first cause, as it may be shown."""
    *_, first = _causes(exc)
    return redact_text(f"{type(first).__name__}: {first}")[:_SHOWN]


def _causes(exc: BaseException) -> Iterator[BaseException]:
    """The exception, what it came of, and so on."""
    seen: BaseException | None = exc
    for _ in range(8):
        if seen is None:
            return
        yield seen
        seen = seen.__cause__ or seen.__context__


def is_playlist(url: str, content_type: str) -> bool:
    """Whether this should be one of HLS: libraries find nothing in one that is none, and say that nothing is on air."""
    return "mpegurl" in content_type.lower() or urlsplit(url).path.endswith(".m3u8")


def _no_playlist(body: str, evidence: Evidence) -> SiteChanged | None:
    if body.lstrip("\ufeff \r\n\t").startswith("#EXT"):
        return None
    return SiteChanged("what should be a playlist is none", evidence=[evidence.fields()])


class Stopwatch:
    """Seconds since it was made."""

    def __init__(self) -> None:
        self._began = time.monotonic()

    @property
    def s(self) -> float:
        return time.monotonic() - self._began
