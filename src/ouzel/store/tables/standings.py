"""What is known of each channel, and what was known before."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, Table, Text

from ouzel.store.tables.base import METADATA, Doc, Instant

standings = Table(
    "standings",
    METADATA,
    Column("channel_id", Text, primary_key=True),
    Column("state", Text, nullable=False),  # of `model.live.State`, or `unknown`
    Column("since", Instant, nullable=False),
    Column("asked_at", Instant),  # the last time that anybody asked
    Column("due_at", Instant),  # when it is asked next; null: nobody will
    Column("code", Text),  # of the error, if it is one
    Column("why", Text),
    Column("errors", Integer, nullable=False, default=0),  # in a row
    Column("title", Text),
    Column("category", Text),
    Column("cover", Text),
    Column("available_at", Instant),  # when it is announced to begin
    Column("adapter", Text),  # who told
    Column("evidence", Doc),  # list of `Evidence.fields()`, of the last answer
)

standing_history = Table(
    "standing_history",
    METADATA,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("channel_id", Text, nullable=False),
    Column("at", Instant, nullable=False),
    Column("state", Text, nullable=False),
    Column("code", Text),
    Column("why", Text),
    Column("evidence", Doc),
)
Index("ix_standing_history_channel", standing_history.c.channel_id, standing_history.c.number)
