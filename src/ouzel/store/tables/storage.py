"""Storage roots, as far as the settings do not say it."""

from __future__ import annotations

from sqlalchemy import Column, Table, Text

from ouzel.store.tables.base import METADATA, Instant

roots = Table(
    "roots",
    METADATA,
    Column("name", Text, primary_key=True),
    Column("folder", Text, nullable=False),  # where its marker was seen
    Column("marked_at", Instant, nullable=False),  # when that was first
)
