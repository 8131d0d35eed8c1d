"""What is watched, how, and what was changed of it."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Index, Integer, Table, Text

from ouzel.store.tables.base import METADATA, Doc, Instant

channels = Table(
    "channels",
    METADATA,
    Column("id", Text, primary_key=True),
    Column(
        "addresses", Doc, nullable=False
    ),  # list of texts: the page or stream first, then where else the same is to be had
    Column("platform", Text, nullable=False),  # name in the registry; `direct` for the address of a stream
    Column("identity", Text),  # `platform:id`; null until a platform has told it
    Column("name", Text, nullable=False),  # as it is shown: given by the user, else told by the platform
    Column("named_by_user", Boolean, nullable=False, default=False),
    Column("aliases", Doc, nullable=False),  # names that it had before, the last one last
    Column("folder", Text, nullable=False),  # name for files: stays when the name changes
    Column("labels", Doc, nullable=False),  # list of texts, sorted
    Column("watch", Boolean, nullable=False),
    Column("settings", Doc, nullable=False),  # its own layer: only what is set; secrets encrypted
    Column("follows", Text),  # `file:PATH` of the foreign file that is the truth for it; null: nobody's
    Column("revision", Integer, nullable=False),  # grows with each edit: its ETag
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
    Column("deleted_at", Instant),
)
Index("uq_channels_identity", channels.c.identity, unique=True, sqlite_where=channels.c.deleted_at.is_(None))
Index("ix_channels_platform", channels.c.platform)

layers = Table(
    "layers",
    METADATA,
    Column("scope", Text, primary_key=True),  # `global`, or `platform:NAME`
    Column("settings", Doc, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("updated_at", Instant, nullable=False),
)

revisions = Table(
    "revisions",
    METADATA,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("kind", Text, nullable=False),  # `channel`, `layer`
    Column("subject", Text, nullable=False),  # its id, or scope
    Column("revision", Integer, nullable=False),  # the one that this edit made
    Column("action", Text, nullable=False),  # `added`, `changed`, `removed`, `restored`, `merged`
    Column("batch", Text),  # edits that were made together: undone together
    Column("by", Text, nullable=False),  # user id, `key:ID`, `file:PATH`, `ouzel`
    Column("at", Instant, nullable=False),
    Column("before", Doc),  # the whole row, without its revision; null when there was none
    Column("after", Doc),
    sqlite_autoincrement=True,
)
Index("ix_revisions_subject", revisions.c.kind, revisions.c.subject, revisions.c.number)

followed = Table(
    "followed",
    METADATA,
    Column("file", Text, primary_key=True),  # of another recorder, which is obeyed
    Column("subject", Text, primary_key=True),  # the scope of a layer, or the address of a channel
    Column("said", Doc, nullable=False),  # of it when it was obeyed last; secrets encrypted
)
