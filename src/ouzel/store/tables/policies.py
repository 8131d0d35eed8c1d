"""Rules by which recordings are deleted."""

from __future__ import annotations

from sqlalchemy import REAL, Column, Integer, Table, Text

from ouzel.store.tables.base import METADATA, Instant

policies = Table(
    "policies",
    METADATA,
    Column("name", Text, primary_key=True),  # what channels and recordings call it
    Column("keep_days", REAL),  # since a recording ended; null: for ever
    Column("keep_bytes", Integer),  # null: as many as there are
    Column("keep_count", Integer),
    Column("keep_free", Integer),  # bytes of a storage root
    Column("per", Text, nullable=False),  # what bytes and count are counted in: of `model.policies.Per`
    Column("revision", Integer, nullable=False),  # grows with each edit: its ETag
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
)
