"""Answers that go wrong, scripted for paths: `origin.on("seg3.ts").status(503, times=2).reset(after=1000, times=1)`.

The faults of a rule are used one after the other: the first that is not used up applies, and when none is left the answer is
the right one. A fault without `times` and `for_s` is never used up. Nothing is random.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TypeAlias

from ouzel.testing.clock import Clock
from ouzel.testing.origin.server import Buffer, Delivery, Hold, Request, Response

Effect: TypeAlias = Callable[[Response], None]

PAGE = b"<!doctype html><html><head><title>Sorry</title></head><body><h1>Please sign in</h1></body></html>\n"


def matches(pattern: str, path: str) -> bool:
    """Whether a pattern means a path: all of it, or its last parts (`seg3.ts`, `show/seg*.ts`); `*` and `?` as in a shell."""
    return fnmatchcase(path, pattern) or fnmatchcase(path, "*/" + pattern.lstrip("/"))


@dataclass(slots=True)
class _Fault:
    effect: Effect
    left: int | None
    for_s: float | None
    until: float | None = None

    def take(self, now: float) -> bool:
        """Whether it applies to this request; counts it."""
        if self.left == 0:
            return False
        if self.for_s is not None:
            self.until = now + self.for_s if self.until is None else self.until
            if now >= self.until:
                return False
        if self.left is not None:
            self.left -= 1
        return True


class Rule:
    """What happens to the answers for one pattern. Every method adds a fault and returns the rule.

    Each takes `times` (for so many requests) and `for_s` (for so many seconds of the origin's clock, from the first request).
    """

    def __init__(self, pattern: str, clock: Clock) -> None:
        self.pattern = pattern
        self._clock = clock
        self._faults: list[_Fault] = []
        self._holds: list[Hold] = []

    def status(
        self, code: int, *, retry_after: float | None = None, times: int | None = None, for_s: float | None = None
    ) -> Rule:
        """Answer with this status and an empty body."""

        def effect(response: Response) -> None:
            _replace(response, code, b"", "text/plain")
            if retry_after is not None:
                response.headers["Retry-After"] = f"{retry_after:g}"

        return self._add(effect, times, for_s)

    def reset(self, *, after: int = 0, times: int | None = None, for_s: float | None = None) -> Rule:
        """Reset the connection once `after` bytes of the body are with the client."""
        return self._deliver(lambda delivery: setattr(delivery, "reset_at", after), times, for_s)

    def stall(
        self,
        *,
        after: int | None = 0,
        seconds: float | None = None,
        times: int | None = None,
        for_s: float | None = None,
    ) -> Rule:
        """Stop after `after` bytes of the body (None: before the head) until `release`, or for `seconds`; then go on."""
        hold = Hold(seconds)
        self._holds.append(hold)

        def plan(delivery: Delivery) -> None:
            if after is None:
                delivery.hold_head = hold
            else:
                delivery.hold, delivery.hold_at = hold, after

        return self._deliver(plan, times, for_s)

    def crawl(self, bytes_per_s: float, *, times: int | None = None, for_s: float | None = None) -> Rule:
        """Send the body at this rate."""
        return self._deliver(lambda delivery: setattr(delivery, "bytes_per_s", bytes_per_s), times, for_s)

    def short(self, by: int, *, times: int | None = None, for_s: float | None = None) -> Rule:
        """Announce the whole length, send `by` bytes less, and close the connection."""

        def effect(response: Response) -> None:
            response.delivery.stop_at = max(len(_known(response)) - by, 0)

        return self._add(effect, times, for_s)

    def cut(self, to: int, *, times: int | None = None, for_s: float | None = None) -> Rule:
        """Send only the first `to` bytes, and announce just these: well-formed HTTP, broken media. An endless body ends there."""

        def effect(response: Response) -> None:
            if isinstance(response.body, bytes | bytearray | memoryview):
                response.body = memoryview(response.body)[:to]
            else:
                response.delivery.stop_at, response.chunked = to, False

        return self._add(effect, times, for_s)

    def unmeasured(self, to: int | None = None, *, times: int | None = None, for_s: float | None = None) -> Rule:
        """Announce no length, and know no byte ranges: the body ends where the connection is closed, after `to` bytes or all."""

        def effect(response: Response) -> None:
            body = _known(response)
            whole = body.obj if isinstance(body, memoryview) else body  # of which a range was asked for
            response.status = 200
            for name in ("Content-Range", "Accept-Ranges"):
                response.headers.pop(name, None)
            response.body, response.chunked = _once(bytes(whole)[:to]), False

        return self._add(effect, times, for_s)

    def redirect(self, to: str, *, code: int = 302, times: int | None = None, for_s: float | None = None) -> Rule:
        """Send the client to another address."""

        def effect(response: Response) -> None:
            _replace(response, code, b"", "text/plain")
            response.headers["Location"] = to

        return self._add(effect, times, for_s)

    def html(self, *, times: int | None = None, for_s: float | None = None) -> Rule:
        """Answer 200 with a page for people, as captive portals and expired links do."""
        return self.body(PAGE, content_type="text/html; charset=utf-8", times=times, for_s=for_s)

    def body(
        self, data: bytes, *, content_type: str | None = None, times: int | None = None, for_s: float | None = None
    ) -> Rule:
        """Answer 200 with these bytes; with the right answer's content type unless another is given."""
        return self._add(lambda response: _replace(response, 200, data, content_type), times, for_s)

    def allow(self, *, times: int | None = None, for_s: float | None = None) -> Rule:
        """Answer rightly: to let some requests through before the next fault."""
        return self._add(lambda _: None, times, for_s)

    def release(self) -> Rule:
        """Let the answers go on that are stalled now."""
        for hold in self._holds:
            hold.release()
        return self

    def clear(self) -> Rule:
        """Forget the faults; stalled answers go on."""
        self._faults.clear()
        return self.release()

    @property
    def stalled(self) -> int:
        """How many answers are stalled now."""
        return sum(hold.waiting for hold in self._holds)

    async def wait_stalled(self, stall: int = 0) -> None:
        """Return once an answer waits in this rule's `stall`-th stall, counted from 0."""
        await self._holds[stall].wait_reached()

    def apply(self, request: Request, response: Response) -> None:
        """Spoil the response if this rule is about the request."""
        if matches(self.pattern, request.path):
            now = self._clock.monotonic()
            fault = next((fault for fault in self._faults if fault.take(now)), None)
            if fault is not None:
                fault.effect(response)

    def _deliver(self, plan: Callable[[Delivery], None], times: int | None, for_s: float | None) -> Rule:
        return self._add(lambda response: plan(response.delivery), times, for_s)

    def _add(self, effect: Effect, times: int | None, for_s: float | None) -> Rule:
        self._faults.append(_Fault(effect, times, for_s))
        return self


def _replace(response: Response, status: int, body: bytes, content_type: str | None) -> None:
    response.status = status
    response.body = body
    if content_type is not None:
        response.headers = {"Content-Type": content_type}


async def _once(data: bytes) -> AsyncGenerator[Buffer, None]:
    yield data


def _known(response: Response) -> Buffer:
    if isinstance(response.body, bytes | bytearray | memoryview):
        return response.body
    raise ValueError("an endless body announces no length that it could fall short of")
