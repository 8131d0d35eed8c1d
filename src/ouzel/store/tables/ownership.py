"""Who may work, what is wanted, and who owns it."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, Table, Text

from ouzel.store.tables.base import METADATA, Doc, Instant

nodes = Table(
    "nodes",
    METADATA,
    Column("incarnation", Integer, primary_key=True, autoincrement=True),  # one for each registration
    Column("name", Text, nullable=False),
    Column("labels", Doc, nullable=False),  # list of texts, sorted
    Column("cap", Integer, nullable=False),  # bodies at once; 0: it drains
    Column("registered_at", Instant, nullable=False),
    Column("beat_at", Instant, nullable=False),
    Column("fenced_at", Instant),  # it can never beat again
    sqlite_autoincrement=True,
)

owns = Table(
    "owns",
    METADATA,
    Column("key", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("label", Text, nullable=False),  # what a node must have to claim it; empty: nothing
    Column("prio", Integer, nullable=False),  # greater is more urgent
    Column("want", Boolean, nullable=False),
    Column("wanted_at", Instant, nullable=False),
    Column("hold_until", Instant),  # not to be claimed before
    Column("node", Integer, ForeignKey("nodes.incarnation")),  # null: nobody's
    Column("epoch", Integer, nullable=False),  # grows with each claim, and never falls
    Column("spec", Doc, nullable=False),
)
Index(
    "ix_owns_free", owns.c.kind, owns.c.prio.desc(), owns.c.wanted_at,
    sqlite_where=owns.c.want & owns.c.node.is_(None),
)  # fmt: skip
Index("ix_owns_node", owns.c.node, sqlite_where=owns.c.node.is_not(None))
