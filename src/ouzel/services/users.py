"""Accounts and API keys: made, changed, taken away."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from datetime import datetime

from ouzel.base.errors import ChangedSince, Conflict, Invalid, NotAllowed, NotFound
from ouzel.base.ids import new_id
from ouzel.model.happening import Happening
from ouzel.model.users import ApiKey, Principal, Role, Scope, User, Via, name_key, role_may
from ouzel.services.passwords import Passwords
from ouzel.services.tokens import hash_of, new_key
from ouzel.store.db import Db, Tx
from ouzel.store.sessions import SessionRepo
from ouzel.store.users import KeyRepo, UserRepo

NAME_CHARS = 64


@dataclass(frozen=True, slots=True)
class NewUser:
    name: str
    password: str
    role: Role
    labels: frozenset[str] = frozenset()
    language: str | None = None


@dataclass(frozen=True, slots=True)
class NewKey:
    name: str
    scopes: frozenset[Scope]
    labels: frozenset[str] = frozenset()
    expires_at: datetime | None = None
    user_id: str | None = None
    """Account that it is for; None: one's own."""


class Users:
    """`by` may do what it asks for: who it is was looked at before; what it may give away is looked at here."""

    def __init__(self, db: Db, passwords: Passwords) -> None:
        self._db = db
        self._clock = db.clock
        self._passwords = passwords
        self._users = UserRepo(db)
        self._keys = KeyRepo(db)
        self._sessions = SessionRepo(db)

    async def get(self, user_id: str) -> User:
        """Raises: NotFound."""
        return _found(await self._users.get(user_id))

    async def page(self, *, after: str | None, limit: int, word: str = "") -> list[User]:
        return await self._users.page(after=after, limit=limit, word=word)

    async def count(self, word: str = "") -> int:
        return await self._users.count(word)

    async def add(self, by: Principal, new: NewUser) -> User:
        """Raises: NotAllowed, Invalid, WeakPassword, Conflict: the name is taken."""
        _require_person(by, "make accounts")
        name = checked_name(new.name)
        self._passwords.check(new.password, name)
        hashed = await self._passwords.hash(new.password)
        now = self._clock.now()
        user = User(new_id(now), name, new.role, new.labels, False, new.language, 1, now, None)
        async with self._db.transaction() as tx:
            await self._require_free(tx, user)
            await self._users.add_in(tx, user, hashed)
            self._tell(tx, user.id, "added")
        return user

    async def change(
        self,
        by: Principal,
        user_id: str,
        change: Callable[[User], User],
        *,
        expected: int | None = None,
        password: str | None = None,
    ) -> User:
        """
        Args:
            change: what the account is to be, of what it is; its id and revision are not looked at.
            expected: the revision that was looked at; None: whatever it is.
            password: a new one: its sessions end.
        Raises: NotFound, NotAllowed, ChangedSince, Invalid, WeakPassword, Conflict.
        """
        hashed = None
        if password is not None:
            _require_person(by, "set passwords")
            self._passwords.check(password, change(await self.get(user_id)).name)
            hashed = await self._passwords.hash(password)
        async with self._db.transaction() as tx:
            before = _expected(await self._users.get_in(tx, user_id), expected)
            wanted = change(before)
            user = replace(wanted, id=user_id, name=checked_name(wanted.name), revision=before.revision + 1)
            if user.role is not before.role or user.labels != before.labels or (before.disabled and not user.disabled):
                _require_person(by, "change what accounts may do")
            await self._require_free(tx, user)
            await self._users.change_in(tx, user, hashed)
            await self._require_administrator(tx)
            if hashed is not None or user.disabled:
                await self._sessions.end_all_in(tx, user_id)
            self._tell(tx, user_id, "changed")
        return user

    async def remove(self, by: Principal, user_id: str, *, expected: int | None) -> None:
        """With its sessions and keys. Raises: NotFound, NotAllowed, ChangedSince, Conflict."""
        _require_person(by, "remove accounts")
        async with self._db.transaction() as tx:
            _expected(await self._users.get_in(tx, user_id), expected)
            await self._users.remove_in(tx, user_id)
            await self._require_administrator(tx)
            self._tell(tx, user_id, "removed")

    async def keys(self, *, user_id: str | None, after: str | None, limit: int, word: str = "") -> list[ApiKey]:
        """`user_id`: None: of all accounts."""
        return await self._keys.page(user_id=user_id, after=after, limit=limit, word=word)

    async def count_keys(self, *, user_id: str | None, word: str = "") -> int:
        return await self._keys.count(user_id=user_id, word=word)

    async def add_key(self, by: Principal, new: NewKey) -> tuple[ApiKey, str]:
        """A key of one's own account (of any, for the command line on the daemon's machine), and its secret, told this once.

        Raises: NotAllowed, NotFound, Invalid.
        """
        _require_person(by, "make keys")
        if new.user_id not in (None, by.user_id) and by.via is not Via.LOCAL:
            raise NotAllowed("everybody makes their own keys")
        owner = await self._users.get(new.user_id or by.user_id)
        if owner is None and new.user_id is not None:
            raise NotFound("there is no such account")
        if owner is None:
            raise NotAllowed("a key belongs to an account: sign in, or say whose it is")
        if not all(role_may(owner.role, each) for each in new.scopes):
            raise NotAllowed("a key may not do more than its account")
        if new.labels and Scope.ADMIN in new.scopes:
            raise Invalid("a key that may do everything cannot be held to labels")
        now = self._clock.now()
        if new.expires_at is not None and new.expires_at <= now:
            raise Invalid("this key would have expired already")
        secret, prefix = new_key()
        key = ApiKey(new_id(now), new.name, prefix, owner.id, new.scopes, new.labels, now, new.expires_at, used_at=None)
        async with self._db.transaction() as tx:
            await self._keys.add_in(tx, key, hash_of(secret))
            self._tell(tx, owner.id, "key_added")
        return key, secret

    async def remove_key(self, by: Principal, key_id: str) -> None:
        """One's own, or as an administrator anybody's. A key may give itself up, and no other. Raises: NotFound, NotAllowed."""
        if by.key_id != key_id:
            _require_person(by, "take keys away")
        async with self._db.transaction() as tx:
            key = await self._keys.get_in(tx, key_id)
            if key is None or (key.user_id != by.user_id and not by.may(Scope.ADMIN)):
                raise NotFound("there is no such key")
            await self._keys.remove_in(tx, key_id)
            self._tell(tx, key.user_id, "key_removed")

    async def _require_free(self, tx: Tx, user: User) -> None:
        if await self._users.name_taken_in(tx, user.name, besides=user.id):
            raise Conflict(f"there is an account called {user.name} already")

    async def _require_administrator(self, tx: Tx) -> None:
        """After the change, which is taken back by what this raises."""
        if not await self._users.administrators_in(tx):
            raise Conflict("nobody would be left to administrate: make another administrator first")

    @staticmethod
    def _tell(tx: Tx, user_id: str, action: str) -> None:
        tx.emit(Happening("user.changed", user_id, {"action": action}))


def checked_name(name: str) -> str:
    """Without spaces around it. Raises: Invalid."""
    tidy = " ".join(name.split())
    if not tidy or len(tidy) > NAME_CHARS or not tidy.isprintable() or not name_key(tidy):
        raise Invalid(f"a name has 1 to {NAME_CHARS} characters that can be seen")
    return tidy


def checked_labels(labels: Collection[str]) -> frozenset[str]:
    """Raises: Invalid."""
    tidy = frozenset(" ".join(each.split()) for each in labels)
    if any(not each or len(each) > NAME_CHARS or not each.isprintable() for each in tidy):
        raise Invalid(f"a label has 1 to {NAME_CHARS} characters that can be seen")
    return tidy


def _require_person(by: Principal, what: str) -> None:
    if not by.may_give_access():
        raise NotAllowed(f"an API key cannot {what}: sign in")


def _found(user: User | None) -> User:
    if user is None:
        raise NotFound("there is no such account")
    return user


def _expected(user: User | None, revision: int | None) -> User:
    if revision is not None and _found(user).revision != revision:
        raise ChangedSince("this account was changed since it was read")
    return _found(user)
