"""Passwords: argon2id, off the loop, a few at a time."""

from __future__ import annotations

import secrets
from functools import cached_property, partial
from typing import TYPE_CHECKING, TypeVar

import anyio
import anyio.to_thread

from ouzel.base.errors import TooManyAttempts, WeakPassword
from ouzel.model.users import weakness

if TYPE_CHECKING:
    from argon2 import PasswordHasher

_AT_ONCE = 2  # each takes 64 MiB and a core for some 50 ms
_MOST_WAITING = 50
T = TypeVar("T")


class Passwords:
    """
    Args:
        at_least: characters.
        cheap: hash in next to no time, which protects nobody: for tests.
    """

    def __init__(self, at_least: int = 12, *, cheap: bool = False) -> None:
        self._at_least = at_least
        self._cheap = cheap
        self._turn = anyio.CapacityLimiter(_AT_ONCE)
        self._decoy: str | None = None

    @cached_property
    def _hasher(self) -> PasswordHasher:
        from argon2 import PasswordHasher

        return PasswordHasher(1, 8, 1) if self._cheap else PasswordHasher()

    def check(self, password: str, name: str) -> None:
        """Raises: WeakPassword."""
        if why := weakness(password, name, at_least=self._at_least):
            raise WeakPassword(f"this password will not do: {why}")

    async def hash(self, password: str) -> str:
        """Raises: TooManyAttempts."""
        return await self._run(partial(self._hasher.hash, password))

    async def verify(self, stored: str | None, password: str) -> bool:
        """Whether it is the one; takes as long when there is none (`stored` is None). Raises: TooManyAttempts."""
        self._decoy = self._decoy or await self.hash(secrets.token_urlsafe())
        matches = await self._run(partial(self._matches, stored or self._decoy, password))
        return matches and stored is not None

    def outdated(self, stored: str) -> bool:
        """Whether it was made with weaker parameters than today's."""
        return self._hasher.check_needs_rehash(stored)

    def _matches(self, stored: str, password: str) -> bool:
        from argon2.exceptions import VerifyMismatchError

        try:
            return self._hasher.verify(stored, password)
        except VerifyMismatchError:
            return False

    async def _run(self, work: partial[T]) -> T:
        if self._turn.statistics().tasks_waiting >= _MOST_WAITING:
            raise TooManyAttempts("too many people are signing in at this moment", retry_after_s=5)
        return await anyio.to_thread.run_sync(work, limiter=self._turn)
