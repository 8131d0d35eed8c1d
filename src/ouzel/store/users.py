"""Accounts and API keys in the database."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Select, delete, func, insert, select, update

from ouzel.model.users import ApiKey, Role, Scope, User, name_key
from ouzel.store.db import Db, Tx
from ouzel.store.tables.users import api_keys, users
from ouzel.store.words import meant_by


class UserRepo:
    """Reads alone, writes within the caller's transaction."""

    def __init__(self, db: Db) -> None:
        self._db = db

    async def get(self, user_id: str) -> User | None:
        row = await self._db.one(select(users).where(users.c.id == user_id))
        return user_of(row) if row is not None else None

    async def get_in(self, tx: Tx, user_id: str) -> User | None:
        row = await tx.one(select(users).where(users.c.id == user_id))
        return user_of(row) if row is not None else None

    async def login(self, name: str) -> tuple[User, str] | None:
        """The account that is called so, and the hash of its password."""
        row = await self._db.one(select(users).where(users.c.name_key == name_key(name)))
        return (user_of(row), row["password_hash"]) if row is not None else None

    async def password_hash(self, user_id: str) -> str | None:
        return await self._db.scalar(select(users.c.password_hash).where(users.c.id == user_id))

    async def name_taken_in(self, tx: Tx, name: str, *, besides: str = "") -> bool:
        query = select(users.c.id).where(users.c.name_key == name_key(name), users.c.id != besides)
        return await tx.one(query) is not None

    async def page(self, *, after: str | None, limit: int, word: str = "") -> list[User]:
        """In the order in which they were added."""
        query = _meant(select(users), word).order_by(users.c.id).limit(limit)
        if after is not None:
            query = query.where(users.c.id > after)
        return [user_of(row) for row in await self._db.read(query)]

    async def count(self, word: str = "") -> int:
        return await self._db.scalar(_meant(select(func.count()).select_from(users), word))

    async def administrators_in(self, tx: Tx) -> set[str]:
        """Ids of those who may sign in."""
        query = select(users.c.id).where(users.c.role == Role.ADMIN.value, users.c.disabled.is_(False))
        return {row["id"] for row in await tx.read(query)}

    async def add_in(self, tx: Tx, user: User, password_hash: str) -> None:
        await tx.execute(insert(users).values(**_row(user), password_hash=password_hash))

    async def change_in(self, tx: Tx, user: User, password_hash: str | None = None) -> None:
        """`password_hash`: None: it stays."""
        values = _row(user) | ({"password_hash": password_hash} if password_hash is not None else {})
        await tx.execute(update(users).where(users.c.id == user.id).values(**values))

    async def signed_in(self, tx: Tx, user_id: str, at: datetime) -> None:
        await tx.execute(update(users).where(users.c.id == user_id).values(signed_in_at=at))

    async def remove_in(self, tx: Tx, user_id: str) -> None:
        """Its sessions and keys go with it."""
        await tx.execute(delete(users).where(users.c.id == user_id))


class KeyRepo:
    """API keys. Reads alone, writes within the caller's transaction."""

    def __init__(self, db: Db) -> None:
        self._db = db

    async def by_hash(self, key_hash: str) -> ApiKey | None:
        row = await self._db.one(select(api_keys).where(api_keys.c.key_hash == key_hash))
        return key_of(row) if row is not None else None

    async def get(self, key_id: str) -> ApiKey | None:
        row = await self._db.one(select(api_keys).where(api_keys.c.id == key_id))
        return key_of(row) if row is not None else None

    async def get_in(self, tx: Tx, key_id: str) -> ApiKey | None:
        row = await tx.one(select(api_keys).where(api_keys.c.id == key_id))
        return key_of(row) if row is not None else None

    async def page(self, *, user_id: str | None, after: str | None, limit: int, word: str = "") -> list[ApiKey]:
        """In the order in which they were made; `user_id`: None: of all accounts."""
        query = _of(select(api_keys), user_id, word).order_by(api_keys.c.id).limit(limit)
        if after is not None:
            query = query.where(api_keys.c.id > after)
        return [key_of(row) for row in await self._db.read(query)]

    async def count(self, *, user_id: str | None, word: str = "") -> int:
        return await self._db.scalar(_of(select(func.count()).select_from(api_keys), user_id, word))

    async def add_in(self, tx: Tx, key: ApiKey, key_hash: str) -> None:
        row = {
            "id": key.id, "name": key.name, "prefix": key.prefix, "key_hash": key_hash, "user_id": key.user_id,
            "scopes": sorted(key.scopes), "labels": sorted(key.labels), "created_at": key.created_at,
            "expires_at": key.expires_at, "used_at": key.used_at,
        }  # fmt: skip
        await tx.execute(insert(api_keys).values(**row))

    async def used_in(self, tx: Tx, key_id: str, at: datetime) -> None:
        await tx.execute(update(api_keys).where(api_keys.c.id == key_id).values(used_at=at))

    async def remove_in(self, tx: Tx, key_id: str) -> None:
        await tx.execute(delete(api_keys).where(api_keys.c.id == key_id))


def user_of(row: Mapping[Any, Any]) -> User:
    return User(
        id=row["id"], name=row["name"], role=Role(row["role"]), labels=frozenset(row["labels"]),
        disabled=row["disabled"], language=row["language"], revision=row["revision"], created_at=row["created_at"],
        signed_in_at=row["signed_in_at"],
    )  # fmt: skip


def key_of(row: Mapping[Any, Any]) -> ApiKey:
    return ApiKey(
        id=row["id"], name=row["name"], prefix=row["prefix"], user_id=row["user_id"],
        scopes=frozenset(Scope(each) for each in row["scopes"]), labels=frozenset(row["labels"]),
        created_at=row["created_at"], expires_at=row["expires_at"], used_at=row["used_at"],
    )  # fmt: skip


def _row(user: User) -> dict[str, Any]:
    return {
        "id": user.id, "name": user.name, "name_key": name_key(user.name), "role": user.role.value,
        "labels": sorted(user.labels), "disabled": user.disabled, "language": user.language, "revision": user.revision,
        "created_at": user.created_at, "signed_in_at": user.signed_in_at,
    }  # fmt: skip


def _meant(query: Select[Any], word: str) -> Select[Any]:
    return query.where(meant_by(word, users.c.id, users.c.name)) if word else query


def _of(query: Select[Any], user_id: str | None, word: str) -> Select[Any]:
    if word:
        query = query.where(meant_by(word, api_keys.c.id, api_keys.c.name, api_keys.c.prefix))
    return query if user_id is None else query.where(api_keys.c.user_id == user_id)
