"""Accounts, sessions and keys as the database has them now, asked at most every few seconds for each."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta

from ouzel.base.errors import NotSignedIn
from ouzel.model.happening import StoredEvent
from ouzel.model.users import ApiKey, Principal, Scope, Via
from ouzel.store.db import Db
from ouzel.store.sessions import SessionRepo
from ouzel.store.users import KeyRepo, UserRepo

_FRESH_S = 5.0
"""Another process may write, too, and its events are not heard here."""
_MOST = 5_000
_USED_AFTER = timedelta(minutes=1)

_Name = tuple[str, str]


class Known:
    """What is changed in this process counts at once: an event of the account makes it be asked again."""

    def __init__(self, db: Db) -> None:
        self._db = db
        self._users = UserRepo(db)
        self._keys = KeyRepo(db)
        self._sessions = SessionRepo(db)
        self._principals: dict[_Name, tuple[float, Principal]] = {}
        self._changes = 0
        self._unlisten = db.listen(self._hear)

    def close(self) -> None:
        self._unlisten()

    def forget(self, user_id: str) -> None:
        """Ask again."""
        self._changes += 1
        for name in [name for name, (_, who) in self._principals.items() if who.user_id == user_id]:
            del self._principals[name]

    async def by_session(self, user_id: str, family: str) -> Principal:
        """Raises: NotSignedIn."""

        async def ask() -> Principal:
            user = await self._users.get(user_id)
            if user is None or user.disabled or not await self._sessions.alive(family, self._db.clock.now()):
                raise NotSignedIn("this session is over")
            return Principal(user.id, user.role, user.labels, name=user.name, session=family)

        return await self._ask((user_id, family), ask)

    async def by_key(self, key_hash: str) -> Principal:
        """Raises: NotSignedIn."""
        return await self._ask(("key", key_hash), lambda: self._of_key(self._keys.by_hash(key_hash)))

    async def by_user(self, user_id: str) -> Principal:
        """As whom an address was signed for: it may look, and nothing else. Raises: NotSignedIn."""

        async def ask() -> Principal:
            user = await self._users.get(user_id)
            if user is None or user.disabled:
                raise NotSignedIn("the account that this address was signed for is disabled")
            return Principal(user.id, user.role, user.labels, frozenset({Scope.READ}), Via.SIGNED, user.name)

        return await self._ask(("user", user_id), ask)

    async def again(self, who: Principal) -> Principal:
        """Raises: NotSignedIn."""
        if who.key_id is not None:
            key_id = who.key_id
            return await self._ask(("key id", key_id), lambda: self._of_key(self._keys.get(key_id)))
        if who.session is not None:
            return replace(await self.by_session(who.user_id, who.session), via=who.via)
        if who.via is Via.SIGNED:
            return await self.by_user(who.user_id)
        return who  # local: it stays as long as its connection

    async def _of_key(self, asked: Awaitable[ApiKey | None]) -> Principal:
        key, now = await asked, self._db.clock.now()
        if key is None or (key.expires_at is not None and key.expires_at <= now):
            raise NotSignedIn("this key is not valid, or not any more")
        user = await self._users.get(key.user_id)
        if user is None or user.disabled:
            raise NotSignedIn("the account of this key is disabled")
        if key.used_at is None or now - key.used_at >= _USED_AFTER:
            async with self._db.transaction() as tx:
                await self._keys.used_in(tx, key.id, now)
        return Principal(user.id, user.role, user.labels, key.scopes, Via.KEY, user.name, key.id, key.labels)

    async def _ask(self, name: _Name, ask: Callable[[], Awaitable[Principal]]) -> Principal:
        now, changes = self._db.clock.monotonic(), self._changes
        kept = self._principals.get(name)
        if kept is not None and now - kept[0] < _FRESH_S:
            return kept[1]
        self._principals.pop(name, None)
        principal = await ask()
        if changes == self._changes:  # nothing was changed while we asked
            if len(self._principals) >= _MOST:
                self._principals.clear()
            self._principals[name] = now, principal
        return principal

    def _hear(self, event: StoredEvent) -> None:
        if event.code == "user.changed":
            self.forget(event.subject)
