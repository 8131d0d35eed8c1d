"""Accounts, how they sign in, and what they did."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, PrimaryKeyConstraint, Table, Text

from ouzel.store.tables.base import METADATA, Doc, Instant

users = Table(
    "users",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),  # as it was typed
    Column("name_key", Text, nullable=False, unique=True),  # `model.users.name_key`
    Column("password_hash", Text, nullable=False),  # argon2id, with its parameters
    Column("role", Text, nullable=False),  # of `model.users.Role`
    Column("labels", Doc, nullable=False),  # list of texts, sorted; empty: all channels
    Column("disabled", Boolean, nullable=False, default=False),
    Column("language", Text),
    Column("revision", Integer, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("signed_in_at", Instant),
)

sessions = Table(
    "sessions",
    METADATA,
    Column("token_hash", Text, primary_key=True),  # SHA-256 of a refresh token, hexadecimal
    Column("family", Text, nullable=False),  # all that came from one sign-in
    Column("user_id", Text, ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
    Column("rotated_to", Text),  # hash of the token that it was changed for: to be used no more
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("user_agent", Text, nullable=False),
    Column("address", Text, nullable=False),
)
Index("ix_sessions_family", sessions.c.family)
Index("ix_sessions_user", sessions.c.user_id)
Index("ix_sessions_expires", sessions.c.expires_at)

api_keys = Table(
    "api_keys",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("prefix", Text, nullable=False),  # the beginning of the key, as it is shown
    Column("key_hash", Text, nullable=False, unique=True),  # SHA-256, hexadecimal
    Column("user_id", Text, ForeignKey("users.id", ondelete="CASCADE"), nullable=False),  # whose rights it has at most
    Column("scopes", Doc, nullable=False),  # list of `model.users.Scope`, sorted
    Column("labels", Doc, nullable=False),  # list of texts, sorted; empty: as the account
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant),
    Column("used_at", Instant),  # to the minute
)
Index("ix_api_keys_user", api_keys.c.user_id)

setup_links = Table(
    "setup_links",
    METADATA,
    Column("token_hash", Text, primary_key=True),  # SHA-256, hexadecimal. Gone as soon as there is an administrator
    Column("created_at", Instant, nullable=False),
)

audit = Table(
    "audit",
    METADATA,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("at", Instant, nullable=False),
    Column("by", Text, nullable=False),  # user id, `key:ID`, `local`; empty: nobody knows
    Column("name", Text, nullable=False),
    Column("via", Text, nullable=False),  # of `model.users.Via`, or empty
    Column("what", Text, nullable=False),  # id of the operation, or `auth.…`
    Column("subject", Text, nullable=False),
    Column("outcome", Text, nullable=False),  # `ok`, or the code of an error
    Column("address", Text, nullable=False),
    Column("request_id", Text, nullable=False),
    sqlite_autoincrement=True,
)

idempotency = Table(
    "idempotency",
    METADATA,
    Column("by", Text, nullable=False),  # as `audit.by`
    Column("key", Text, nullable=False),  # what the client chose
    Column("fingerprint", Text, nullable=False),  # SHA-256 of method, path and body
    Column("status", Integer),  # null: it is still being worked on
    Column("headers", Doc, nullable=False),
    Column("body", Text),  # encrypted: it may hold a key that is shown once
    Column("expires_at", Instant, nullable=False),
    PrimaryKeyConstraint("by", "key"),
)
Index("ix_idempotency_expires", idempotency.c.expires_at)
