"""Files that came into the library by themselves: adopted where they lay, or sent by a browser."""

from __future__ import annotations

from sqlalchemy import REAL, Boolean, Column, Index, Integer, Table, Text

from ouzel.store.tables.base import METADATA, Instant

imports = Table(
    "imports",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("how", Text, nullable=False),  # `adopted`, `uploaded`
    Column("state", Text, nullable=False),  # `looking`, `ready`
    Column("title", Text, nullable=False),  # what the container tells, else the file's name
    Column("description", Text, nullable=False),
    Column("made_at", Instant, nullable=False),  # what the container tells, else when the file was written last
    Column("media_s", REAL, nullable=False),
    Column("bytes", Integer, nullable=False),
    Column("by", Text, nullable=False),
    Column("pinned", Boolean, nullable=False),
    Column("deleted_at", Instant),
    Column("deleting_at", Instant),
    Column("restored_at", Instant),
    Column("created_at", Instant, nullable=False),
)
Index("ix_imports_created", imports.c.created_at, imports.c.id)
