"""Who is told what: targets, routes, and the messages that were made of events."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Index, Integer, Table, Text

from ouzel.store.tables.base import METADATA, Doc, Instant

targets = Table(
    "targets",
    METADATA,
    Column("name", Text, primary_key=True),  # what routes call it
    Column("doc", Doc, nullable=False),  # of `model.targets.Target`; its secrets are sealed
    Column("revision", Integer, nullable=False),  # grows with each edit: its ETag
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
)
routes = Table(
    "routes",
    METADATA,
    Column("name", Text, primary_key=True),
    Column("doc", Doc, nullable=False),  # of `model.routes.Route`
    Column("revision", Integer, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
)
messages = Table(
    "messages",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("number", Integer, nullable=False),  # of the event
    Column("route", Text, nullable=False),  # by name; it may be gone
    Column("target", Text, nullable=False),
    Column("code", Text, nullable=False),  # of `model.routes.SUBJECTS`
    Column("severity", Text, nullable=False),
    Column("about", Text, nullable=False),  # of repetitions the same
    Column("at", Instant, nullable=False),  # when it happened
    Column("title", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("channel_id", Text),
    Column("url", Text, nullable=False),
    Column("picture", Text, nullable=False),  # address of one
    Column("data", Doc, nullable=False),  # for programs
    Column("language", Text, nullable=False),  # `en`, `zh`
    Column("state", Text, nullable=False),  # of `model.messages.MessageState`
    Column("joined", Boolean, nullable=False),  # it is sent together with others
    Column("not_before", Instant),
    Column("attempts", Integer, nullable=False),  # that failed
    Column("error", Text),  # code
    Column("why", Text),
    Column("created_at", Instant, nullable=False),
    Column("ended_at", Instant),
)
Index("uq_messages_event", messages.c.number, messages.c.route, messages.c.target, unique=True)
Index("ix_messages_waiting", messages.c.target, messages.c.number, sqlite_where=messages.c.state == "waiting")
Index("ix_messages_about", messages.c.route, messages.c.target, messages.c.about, messages.c.created_at)
Index("ix_messages_created", messages.c.created_at, messages.c.id)

telling = Table(
    "telling",
    METADATA,
    Column("id", Integer, primary_key=True),  # 1: there is one row
    Column("number", Integer, nullable=False),  # of the last event of which messages were made
)
