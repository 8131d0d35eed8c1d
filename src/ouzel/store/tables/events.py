"""What happened, and what somebody should know."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, Table, Text

from ouzel.store.tables.base import METADATA, Doc, Instant

events = Table(
    "events",
    METADATA,
    Column("number", Integer, primary_key=True, autoincrement=True),  # grows in the order of the commits
    Column("at", Instant, nullable=False),
    Column("code", Text, nullable=False),  # `channel.live`, `recording.finished` …
    Column("subject", Text, nullable=False),  # id of the row that it is about
    Column("channel_id", Text),  # whose it is: who may see the channel may see it
    Column("data", Doc, nullable=False),
    sqlite_autoincrement=True,
)
Index("ix_events_channel", events.c.channel_id, events.c.number)

notices = Table(
    "notices",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("key", Text, nullable=False),  # one open notice for each: `channel.blocked:ID`
    Column("code", Text, nullable=False),
    Column("severity", Text, nullable=False),  # `info`, `warning`, `error`
    Column("channel_id", Text),
    Column("data", Doc, nullable=False),  # what its sentence is made of
    Column("count", Integer, nullable=False, default=1),  # how often it happened while it was open
    Column("raised_at", Instant, nullable=False),
    Column("last_at", Instant, nullable=False),
    Column("over_at", Instant),  # it is not so any more
    Column("dismissed_at", Instant),  # somebody does not want to see it; what is still so is not raised again
    Column("dismissed_by", Text),  # user id, `key:ID`
)
Index(
    "uq_notices_open", notices.c.key, unique=True,
    sqlite_where=notices.c.over_at.is_(None) & notices.c.dismissed_at.is_(None),
)  # fmt: skip
Index("ix_notices_key", notices.c.key, notices.c.raised_at)
Index("ix_notices_raised", notices.c.raised_at, notices.c.id)
