"""Who works on what, for one node: the adapter of `model.ownership` on the embedded database.

Only one process may work with a database: whoever registers fences all before it at once, and none of these comes back.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, exists, func, insert, null, or_, select, update
from sqlalchemy.dialects.sqlite import insert as upsert

from ouzel.base.errors import StaleOwner
from ouzel.model.ownership import ALONE, Beat, Grant, Hold, NodeLease, Spec, Terms, hold_at
from ouzel.store.db import Db, Tx
from ouzel.store.tables.ownership import nodes, owns
from ouzel.system.clock import awake_or_not_s

T = TypeVar("T")
_BATCH = 10
"""Claimed at once, so that many nodes share evenly."""


class SqliteOwnership:
    """Args:
    lease_clock: seconds that also count while the machine sleeps.
    """

    def __init__(self, db: Db, *, terms: Terms = ALONE, lease_clock: Callable[[], float] = awake_or_not_s) -> None:
        self.terms = terms
        self._db = db
        self._lease_clock = lease_clock
        self._lease: NodeLease | None = None
        self._fenced = False
        self._confirmed_s = 0.0
        self._wakes: list[Callable[[], None]] = []

    # -- the node -----------------------------------------------------------------------------------------------------

    async def register(self, name: str, *, labels: frozenset[str] = frozenset(), cap: int) -> NodeLease:
        if self._fenced:
            raise StaleOwner("another process works with this database now")
        sent_s, now = self._lease_clock(), self._db.clock.now()
        async with self._db.transaction() as tx:
            await tx.execute(update(nodes).where(nodes.c.fenced_at.is_(None)).values(fenced_at=now))
            await tx.execute(update(owns).where(owns.c.node.is_not(None)).values(node=None))
            row = {"name": name, "labels": sorted(labels), "cap": cap, "registered_at": now, "beat_at": now}
            result = await tx.execute(insert(nodes).values(row).returning(nodes.c.incarnation))
            incarnation: int = result.scalar_one()
        self._confirmed_s = sent_s
        self._lease = NodeLease(name, incarnation, labels, cap)
        return self._lease

    async def beat(self) -> Beat:
        sent_s, lease = self._lease_clock(), self._registered
        async with self._db.transaction() as tx:
            beaten = await tx.execute(update(nodes).where(self._alive(lease)).values(beat_at=self._db.clock.now()))
            asked = await tx.read(self._stops_and_waiting(lease))
        if beaten.rowcount == 0:
            self._fenced = True
            return Beat(fenced=True)
        self._confirmed_s = sent_s
        stops = tuple(sorted(row["key"] for row in asked if row["key"] is not None))
        return Beat(stops, waiting=len(stops) < len(asked))

    async def drain(self) -> None:
        lease = self._registered
        async with self._db.transaction() as tx:
            await tx.execute(update(nodes).where(nodes.c.incarnation == lease.incarnation).values(cap=0))

    async def leave(self) -> None:
        lease = self._registered
        async with self._db.transaction() as tx:
            await tx.execute(update(nodes).where(self._alive(lease)).values(fenced_at=self._db.clock.now()))
            await tx.execute(update(owns).where(owns.c.node == lease.incarnation).values(node=None))

    # -- keys ---------------------------------------------------------------------------------------------------------

    async def claim(self, free: Mapping[str, int]) -> list[Grant]:
        lease = self._registered
        grants: list[Grant] = []
        async with self._db.transaction() as tx:
            room = min(_BATCH, await self._room(tx, lease))
            for kind, slots in free.items():
                for row in await tx.read(self._claimable(lease, kind, min(slots, room - len(grants)))):
                    epoch = row["epoch"] + 1
                    own = update(owns).where(owns.c.key == row["key"])
                    await tx.execute(own.values(node=lease.incarnation, epoch=epoch, hold_until=None))
                    grants.append(Grant(row["key"], kind, epoch, row["spec"]))
        return grants

    async def due_in_s(self, kinds: frozenset[str]) -> float | None:
        now = self._db.clock.now()
        free = owns.c.want & owns.c.node.is_(None) & owns.c.kind.in_(kinds)
        due: datetime | None = await self._db.scalar(
            select(func.min(owns.c.hold_until, type_=owns.c.hold_until.type)).where(free, owns.c.hold_until > now)
        )
        return None if due is None else max(0.0, (due - now).total_seconds())

    async def release(self, grant: Grant, *, hold_s: float = 0.0) -> None:
        async with self._db.transaction() as tx:
            await self.release_in(tx, grant, hold_s=hold_s)

    async def release_in(self, tx: Tx, grant: Grant, *, hold_s: float = 0.0) -> None:
        until = self._db.clock.now() + timedelta(seconds=hold_s) if hold_s > 0 else None
        await tx.execute(update(owns).where(self._mine(grant)).values(node=None, hold_until=until))

    async def want(
        self, key: str, spec: Spec, *, kind: str = "", label: str = "", prio: int = 0, anew: bool = False
    ) -> None:
        async with self._db.transaction() as tx:
            await self.want_in(tx, key, spec, kind=kind, label=label, prio=prio, anew=anew)

    async def want_in(
        self,
        tx: Tx,
        key: str,
        spec: Spec,
        *,
        kind: str = "",
        label: str = "",
        prio: int = 0,
        anew: bool = False,
        not_before: datetime | None = None,
        epoch: int = 0,
    ) -> None:
        """`epoch`: the least that the key has had, where its row may be gone."""
        wish: dict[str, Any] = {
            "kind": kind or key.partition(":")[0], "label": label, "prio": prio, "want": True, "spec": dict(spec),
        }  # fmt: skip
        as_new = wish | {"wanted_at": self._db.clock.now(), "hold_until": not_before}
        other = or_(*(owns.c[name] != value for name, value in wish.items()))
        row = upsert(owns).values(key=key, epoch=epoch, **as_new)
        row = row.on_conflict_do_update(index_elements=[owns.c.key], set_=as_new, where=None if anew else other)
        if (await tx.execute(row)).rowcount:
            self._wake_after(tx)

    async def unwant(self, key: str) -> None:
        async with self._db.transaction() as tx:
            await self.unwant_in(tx, key)

    async def unwant_in(self, tx: Tx, key: str) -> None:
        if (await tx.execute(update(owns).where(owns.c.key == key, owns.c.want).values(want=False))).rowcount:
            self._wake_after(tx)

    # -- the fence ----------------------------------------------------------------------------------------------------

    def owned(self, grant: Grant) -> bool:  # noqa: ARG002 - all keys of a node are lost together
        age_s = self._lease_clock() - self._confirmed_s
        return not self._fenced and hold_at(age_s, self.terms) is not Hold.LOST

    async def guard(self, tx: Tx, grant: Grant) -> None:
        if await tx.one(select(owns.c.key).where(self._mine(grant))) is None:
            raise StaleOwner(f"{grant.key} was taken over", key=grant.key, epoch=grant.epoch)

    async def commit(self, grant: Grant, write: Callable[[Tx], Awaitable[T]]) -> T:
        async with self._db.transaction() as tx:
            await self.guard(tx, grant)
            return await write(tx)

    def listen(self, wake: Callable[[], None]) -> Callable[[], None]:
        self._wakes.append(wake)
        return lambda: self._wakes.remove(wake)

    # -- within -------------------------------------------------------------------------------------------------------

    @property
    def _registered(self) -> NodeLease:
        assert self._lease is not None, "register first"
        return self._lease

    def _alive(self, lease: NodeLease) -> ColumnElement[bool]:
        return (nodes.c.incarnation == lease.incarnation) & nodes.c.fenced_at.is_(None)

    def _stops_and_waiting(self, lease: NodeLease) -> Any:
        """What of its keys nobody wants, and a row without a key when something is to be claimed: one question."""
        stops = select(owns.c.key).where(owns.c.node == lease.incarnation, ~owns.c.want)
        return stops.union_all(select(null()).where(exists().where(owns.c.want, owns.c.node.is_(None))))

    def _mine(self, grant: Grant) -> ColumnElement[bool]:
        """The row of the grant, if it is still that of this incarnation. Whoever fences a node takes its rows from it."""
        return (owns.c.key == grant.key) & (owns.c.node == self._registered.incarnation) & (owns.c.epoch == grant.epoch)

    def _claimable(self, lease: NodeLease, kind: str, limit: int) -> Any:
        free = owns.c.want & owns.c.node.is_(None) & (owns.c.kind == kind)
        due = or_(owns.c.hold_until.is_(None), owns.c.hold_until <= self._db.clock.now())
        fitting = owns.c.label.in_(["", *sorted(lease.labels)])
        order = (owns.c.prio.desc(), owns.c.wanted_at, owns.c.key)
        return select(owns).where(free, due, fitting).order_by(*order).limit(max(0, limit))

    async def _room(self, tx: Tx, lease: NodeLease) -> int:
        """How many more the node may own; 0 when it is fenced or drains."""
        held = select(func.count()).select_from(owns).where(owns.c.node == lease.incarnation).scalar_subquery()
        row = await tx.one(select((nodes.c.cap - held).label("room")).where(self._alive(lease)))
        return 0 if row is None else max(0, row["room"])

    def _wake_after(self, tx: Tx) -> None:
        for wake in self._wakes:
            tx.after_commit(wake)
