"""What is fetched once. Who runs a download now stands in `owns`, under `dl:ID`."""

from __future__ import annotations

from sqlalchemy import REAL, Boolean, Column, Index, Integer, Table, Text

from ouzel.store.tables.base import METADATA, Doc, Instant

downloads = Table(
    "downloads",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),  # as the user calls it
    Column("address", Text, nullable=False),  # redacted
    Column("url", Doc, nullable=False),  # a text; or `{"sealed": …}` where something in it is secret
    Column("target", Text, nullable=False),  # what it will write; of those that are not over, one for each
    Column("folder", Text, nullable=False),
    Column("stem", Text, nullable=False),
    Column("state", Text, nullable=False),  # of `model.downloads.DownloadState`
    Column("after", Text),  # of `model.download_tasks.After`
    Column("prio", Integer, nullable=False),
    Column("profile", Text, nullable=False),
    Column("wish", Doc, nullable=False),
    Column("key", Doc),  # sealed
    Column("metadata", Doc, nullable=False),  # the user's own
    Column("not_before", Instant),
    Column("retries", Integer, nullable=False),
    Column("epoch", Integer, nullable=False),  # of the owner that wrote it last
    Column("revision", Integer, nullable=False),
    Column("title", Text, nullable=False),
    Column("pieces", Integer, nullable=False),
    Column("pieces_done", Integer, nullable=False),
    Column("bytes", Integer, nullable=False),
    Column("bytes_total", Integer),
    Column("media_done_s", REAL, nullable=False),
    Column("media_s", REAL, nullable=False),
    Column("gaps", Integer, nullable=False),
    Column("path", Text),
    Column("ledger", Text),
    Column("format", Text),
    Column("tracks", Doc, nullable=False),
    Column("warnings", Doc, nullable=False),
    Column("code", Text),  # of the last error
    Column("why", Text),
    Column("created_at", Instant, nullable=False),
    Column("started_at", Instant),
    Column("completed_at", Instant),
    Column("pinned", Boolean, nullable=False, server_default="0"),
    Column("deleted_at", Instant),  # as of a recording
    Column("deleting_at", Instant),
    Column("restored_at", Instant),
)
_open = downloads.c.state.in_(("pending", "downloading", "paused"))
Index("uq_downloads_target", downloads.c.target, unique=True, sqlite_where=_open)
Index("ix_downloads_target", downloads.c.target)
Index("ix_downloads_state", downloads.c.state)
Index("ix_downloads_created", downloads.c.created_at, downloads.c.id)
