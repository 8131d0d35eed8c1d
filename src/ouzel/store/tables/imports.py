"""Files that came into the library by themselves: adopted where they lay, or sent by a browser."""

from __future__ import annotations

from sqlalchemy import REAL, Boolean, Column, Index, Integer, Table, Text

from ouzel.store.tables.base import METADATA, Instant

imports = Table(
    "imports",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("how", Text, nullable=False),  # of `model.imports.ImportHow`
    Column("state", Text, nullable=False),  # of `model.imports.ImportState`
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

uploads = Table(
    "uploads",
    METADATA,
    Column("id", Text, primary_key=True),  # how much of it is there the file tells
    Column("user_id", Text),  # who may go on with it; the command line of this machine is no account
    Column("name", Text, nullable=False),
    Column("length", Integer, nullable=False),
    Column("root", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("path", Text),  # from the root on: where it will be when it is whole
    Column("import_id", Text),  # what it has become; kept for a while, for who asks again
    Column("created_at", Instant, nullable=False),
    Column("touched_at", Instant, nullable=False),
)
