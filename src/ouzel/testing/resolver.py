"""A resolver that answers from a script, as a platform would: a fresh address, offline, or an error that says why."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class FakeResolver(Generic[T]):
    """Has the one method of a resolver, `resolve`.

        resolver = FakeResolver(lambda: Stream(show.fresh_url()))
        resolver.then(None, RateLimited("slow down", status=429))

    Args:
        answer: makes the answer whenever nothing else is scripted.
    """

    def __init__(self, answer: Callable[[], T]) -> None:
        self._answer = answer
        self._script: list[T | Exception | None] = []
        self.calls = 0
        """How often it was asked."""
        self.failures = 0
        """How often it was asked because what it had given brought no media."""
        self.offline = False
        """While this is set every answer is None."""

    def then(self, *answers: T | Exception | None) -> FakeResolver[T]:
        """The next answers, one after the other: a value, None (offline), or an error to raise."""
        self._script += answers
        return self

    async def resolve(self, *, failed: bool = False) -> T | None:
        self.calls += 1
        self.failures += failed
        if self._script:
            scripted = self._script.pop(0)
            if isinstance(scripted, Exception):
                raise scripted
            return scripted
        return None if self.offline else self._answer()
