"""Channels, layers and revisions in the database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, and_, delete, func, insert, select, update
from sqlalchemy.engine import RowMapping

from ouzel.model.channel import Channel, Layer
from ouzel.model.live import Identity
from ouzel.store.db import Db, Tx
from ouzel.store.tables.channels import channels, layers, revisions

GLOBAL = "global"


def platform_scope(platform: str) -> str:
    return f"platform:{platform}"


@dataclass(frozen=True, slots=True)
class RevisionFilter:
    """Which revisions. Empty: all."""

    kind: str | None = None
    subject: str | None = None
    channels: Sequence[str] | None = None
    """Only of these channels, and none of anything else."""


class ChannelRepo:
    """Reads alone, writes within the caller's transaction."""

    def __init__(self, db: Db) -> None:
        self._db = db

    async def all(self, *, deleted: bool = False) -> list[Channel]:
        """In the order in which they were added; `deleted`: those in the trash instead."""
        query = select(channels).where(
            channels.c.deleted_at.is_not(None) if deleted else channels.c.deleted_at.is_(None)
        )
        return [channel_of(row) for row in await self._db.read(query.order_by(channels.c.id))]

    async def all_in(self, tx: Tx) -> list[Channel]:
        """Those in the trash too."""
        return [channel_of(row) for row in await tx.read(select(channels))]

    async def get(self, channel_id: str) -> Channel | None:
        """Also one in the trash."""
        row = await self._db.one(select(channels).where(channels.c.id == channel_id))
        return channel_of(row) if row is not None else None

    async def get_in(self, tx: Tx, channel_id: str) -> Channel | None:
        row = await tx.one(select(channels).where(channels.c.id == channel_id))
        return channel_of(row) if row is not None else None

    async def by_identity_in(self, tx: Tx, identity: Identity) -> Channel | None:
        """The one of this identity that is not in the trash."""
        query = select(channels).where(channels.c.identity == str(identity), channels.c.deleted_at.is_(None))
        row = await tx.one(query)
        return channel_of(row) if row is not None else None

    async def by_address_in(self, tx: Tx, address: str) -> Channel | None:
        """The first that has it among its addresses and is not in the trash."""
        found = await tx.read(select(channels).where(channels.c.deleted_at.is_(None)).order_by(channels.c.id))
        return next((channel_of(row) for row in found if address in row["addresses"]), None)

    async def addresses_in(self, tx: Tx) -> dict[str, str]:
        """Every address, and the identity, of every channel that is not in the trash, with the channel's id."""
        columns = (channels.c.id, channels.c.addresses, channels.c.identity)
        found = await tx.read(select(*columns).where(channels.c.deleted_at.is_(None)))
        return {name: row["id"] for row in found for name in (*row["addresses"], row["identity"] or "")}

    async def folders_in(self, tx: Tx) -> set[str]:
        """Of all channels, those in the trash too; in lower case."""
        return {row["folder"].casefold() for row in await tx.read(select(channels.c.folder))}

    async def add_in(self, tx: Tx, channel: Channel) -> None:
        """Raises: sqlalchemy.exc.IntegrityError for an identity that is there already."""
        await tx.execute(insert(channels).values(row_of(channel)))

    async def change_in(self, tx: Tx, channel: Channel) -> None:
        await tx.execute(update(channels).where(channels.c.id == channel.id).values(row_of(channel)))

    async def layers(self) -> dict[str, tuple[Layer, int]]:
        """By scope: settings as they are stored, and the revision."""
        return {row["scope"]: (row["settings"], row["revision"]) for row in await self._db.read(select(layers))}

    async def layer_in(self, tx: Tx, scope: str) -> tuple[Layer, int]:
        """Settings and revision; nothing and 0 when nothing was ever set."""
        row = await tx.one(select(layers).where(layers.c.scope == scope))
        return (row["settings"], row["revision"]) if row is not None else ({}, 0)

    async def set_layer_in(self, tx: Tx, scope: str, settings: Layer, revision: int) -> None:
        await tx.execute(delete(layers).where(layers.c.scope == scope))
        await tx.execute(
            insert(layers).values(
                scope=scope, settings=dict(settings), revision=revision, updated_at=self._db.clock.now()
            )
        )

    async def note_in(
        self,
        tx: Tx,
        kind: str,
        subject: str,
        *,
        revision: int,
        action: str,
        by: str,
        before: Mapping[str, Any] | None,
        after: Mapping[str, Any] | None,
        batch: str | None = None,
    ) -> int:
        """Write a revision. Returns: its number."""
        result = await tx.execute(
            insert(revisions)
            .values(
                kind=kind, subject=subject, revision=revision, action=action, batch=batch, by=by,
                at=self._db.clock.now(), before=before, after=after,
            )
            .returning(revisions.c.number)
        )  # fmt: skip
        return result.scalar_one()

    async def revisions(
        self, *, kind: str | None = None, subject: str | None = None, before: int | None = None, limit: int = 50
    ) -> Sequence[RowMapping]:
        """The latest first. `before`: only those with smaller numbers."""
        query = select(revisions).order_by(revisions.c.number.desc()).limit(limit)
        if kind is not None:
            query = query.where(revisions.c.kind == kind)
        if subject is not None:
            query = query.where(revisions.c.subject == subject)
        if before is not None:
            query = query.where(revisions.c.number < before)
        return await self._db.read(query)

    async def revisions_of(
        self, which: RevisionFilter, *, before: int | None = None, limit: int = 50
    ) -> Sequence[RowMapping]:
        """The same, filtered."""
        query = _filtered(select(revisions), which).order_by(revisions.c.number.desc()).limit(limit)
        return await self._db.read(query if before is None else query.where(revisions.c.number < before))

    async def count_revisions(self, which: RevisionFilter) -> int:
        return await self._db.scalar(_filtered(select(func.count()).select_from(revisions), which))

    async def together(self, number: int) -> Sequence[RowMapping]:
        """This revision first, then those that were made together with it; none when there is no such revision."""
        first = await self._db.one(select(revisions).where(revisions.c.number == number))
        if first is None or first["batch"] is None:
            return [first] if first is not None else []
        others = select(revisions).where(revisions.c.batch == first["batch"], revisions.c.number != number)
        return [first, *await self._db.read(others.order_by(revisions.c.number.desc()))]

    async def batch_in(self, tx: Tx, batch: str) -> Sequence[RowMapping]:
        """The revisions that were made together, the latest first."""
        return await tx.read(select(revisions).where(revisions.c.batch == batch).order_by(revisions.c.number.desc()))

    async def revision_in(self, tx: Tx, number: int) -> RowMapping | None:
        return await tx.one(select(revisions).where(revisions.c.number == number))


def _filtered(query: Select[Any], which: RevisionFilter) -> Select[Any]:
    if which.kind is not None:
        query = query.where(revisions.c.kind == which.kind)
    if which.subject is not None:
        query = query.where(revisions.c.subject == which.subject)
    if which.channels is not None:
        query = query.where(and_(revisions.c.kind == "channel", revisions.c.subject.in_(which.channels)))
    return query


def row_of(channel: Channel) -> dict[str, Any]:
    return {
        "id": channel.id,
        "addresses": [*channel.addresses],
        "platform": channel.platform,
        "identity": str(channel.identity) if channel.identity else None,
        "name": channel.name,
        "named_by_user": channel.named_by_user,
        "aliases": [*channel.aliases],
        "folder": channel.folder,
        "labels": sorted(channel.labels),
        "watch": channel.watch,
        "settings": dict(channel.settings),
        "follows": channel.follows,
        "revision": channel.revision,
        "created_at": channel.created_at,
        "updated_at": channel.updated_at,
        "deleted_at": channel.deleted_at,
    }


def channel_of(row: Mapping[Any, Any]) -> Channel:
    platform, _, own = (row["identity"] or "").partition(":")
    known = {
        name: row[name] for name in ("id", "platform", "name", "folder", "created_at", "updated_at", "named_by_user")
    }
    return Channel(
        **known,
        addresses=tuple(row["addresses"]),
        identity=Identity(platform, own) if row["identity"] else None,
        aliases=tuple(row["aliases"]),
        labels=tuple(row["labels"]),
        watch=row["watch"],
        settings=row["settings"],
        follows=row["follows"],
        revision=row["revision"],
        deleted_at=row["deleted_at"],
    )
