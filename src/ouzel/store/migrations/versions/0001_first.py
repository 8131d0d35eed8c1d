"""All tables, as they were in the first release. Written by `scripts/migration.py`."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "audit",
        sa.Column("number", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("at", sa.Integer(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("via", sa.Text(), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("request_id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_audit")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "broadcasts",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("channel_id", sa.Text(), nullable=False),
        sa.Column("own_name", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("started_at", sa.Integer(), nullable=False),
        sa.Column("told_start", sa.Boolean(), nullable=False),
        sa.Column("seen_at", sa.Integer(), nullable=False),
        sa.Column("ended_at", sa.Integer(), nullable=True),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("anchor", sa.Text(), nullable=False),
        sa.Column("cover", sa.Text(), nullable=False),
        sa.Column("skipped", sa.Boolean(), nullable=False),
        sa.Column("forced", sa.Boolean(), nullable=False),
        sa.Column("why_not", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_broadcasts")),
    )
    op.create_index("ix_broadcasts_channel", "broadcasts", ["channel_id", "started_at"], unique=False)
    op.create_index(
        "ix_broadcasts_open", "broadcasts", ["state"], unique=False, sqlite_where=sa.text("state != 'ended'")
    )
    op.create_table(
        "channels",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("addresses", sa.Text(), nullable=False),
        sa.Column("platform", sa.Text(), nullable=False),
        sa.Column("identity", sa.Text(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("named_by_user", sa.Boolean(), nullable=False),
        sa.Column("aliases", sa.Text(), nullable=False),
        sa.Column("folder", sa.Text(), nullable=False),
        sa.Column("labels", sa.Text(), nullable=False),
        sa.Column("watch", sa.Boolean(), nullable=False),
        sa.Column("settings", sa.Text(), nullable=False),
        sa.Column("follows", sa.Text(), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.Integer(), nullable=False),
        sa.Column("updated_at", sa.Integer(), nullable=False),
        sa.Column("deleted_at", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_channels")),
    )
    op.create_index("ix_channels_platform", "channels", ["platform"], unique=False)
    op.create_index(
        "uq_channels_identity", "channels", ["identity"], unique=True, sqlite_where=sa.text("deleted_at IS NULL")
    )
    op.create_table(
        "downloads",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("folder", sa.Text(), nullable=False),
        sa.Column("stem", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("after", sa.Text(), nullable=True),
        sa.Column("prio", sa.Integer(), nullable=False),
        sa.Column("profile", sa.Text(), nullable=False),
        sa.Column("wish", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=True),
        sa.Column("metadata", sa.Text(), nullable=False),
        sa.Column("not_before", sa.Integer(), nullable=True),
        sa.Column("retries", sa.Integer(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("pieces", sa.Integer(), nullable=False),
        sa.Column("pieces_done", sa.Integer(), nullable=False),
        sa.Column("bytes", sa.Integer(), nullable=False),
        sa.Column("bytes_total", sa.Integer(), nullable=True),
        sa.Column("media_done_s", sa.REAL, nullable=False),
        sa.Column("media_s", sa.REAL, nullable=False),
        sa.Column("gaps", sa.Integer(), nullable=False),
        sa.Column("path", sa.Text(), nullable=True),
        sa.Column("ledger", sa.Text(), nullable=True),
        sa.Column("format", sa.Text(), nullable=True),
        sa.Column("tracks", sa.Text(), nullable=False),
        sa.Column("warnings", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=True),
        sa.Column("why", sa.Text(), nullable=True),
        sa.Column("created_at", sa.Integer(), nullable=False),
        sa.Column("started_at", sa.Integer(), nullable=True),
        sa.Column("completed_at", sa.Integer(), nullable=True),
        sa.Column("pinned", sa.Boolean(), server_default="0", nullable=False),
        sa.Column("deleted_at", sa.Integer(), nullable=True),
        sa.Column("deleting_at", sa.Integer(), nullable=True),
        sa.Column("restored_at", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_downloads")),
    )
    op.create_index("ix_downloads_created", "downloads", ["created_at", "id"], unique=False)
    op.create_index("ix_downloads_state", "downloads", ["state"], unique=False)
    op.create_index("ix_downloads_target", "downloads", ["target"], unique=False)
    op.create_index(
        "uq_downloads_target",
        "downloads",
        ["target"],
        unique=True,
        sqlite_where=sa.text("state IN ('pending', 'downloading', 'paused')"),
    )
    op.create_table(
        "events",
        sa.Column("number", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("at", sa.Integer(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("channel_id", sa.Text(), nullable=True),
        sa.Column("data", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_events")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_events_channel", "events", ["channel_id", "number"], unique=False)
    op.create_table(
        "followed",
        sa.Column("file", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("said", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("file", "subject", name=op.f("pk_followed")),
    )
    op.create_table(
        "idempotency",
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("headers", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=True),
        sa.Column("expires_at", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("by", "key", name=op.f("pk_idempotency")),
    )
    op.create_index("ix_idempotency_expires", "idempotency", ["expires_at"], unique=False)
    op.create_table(
        "imports",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("how", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("made_at", sa.Integer(), nullable=False),
        sa.Column("media_s", sa.REAL, nullable=False),
        sa.Column("bytes", sa.Integer(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("pinned", sa.Boolean(), nullable=False),
        sa.Column("deleted_at", sa.Integer(), nullable=True),
        sa.Column("deleting_at", sa.Integer(), nullable=True),
        sa.Column("restored_at", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_imports")),
    )
    op.create_index("ix_imports_created", "imports", ["created_at", "id"], unique=False)
    op.create_table(
        "jobs",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("queue", sa.Text(), nullable=False),
        sa.Column("args", sa.Text(), nullable=False),
        sa.Column("dedupe", sa.Text(), nullable=True),
        sa.Column("prio", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("not_before", sa.Integer(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("max_attempts", sa.Integer(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("fraction", sa.REAL, nullable=True),
        sa.Column("eta_s", sa.REAL, nullable=True),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("result", sa.Text(), nullable=True),
        sa.Column("code", sa.Text(), nullable=True),
        sa.Column("why", sa.Text(), nullable=True),
        sa.Column("created_at", sa.Integer(), nullable=False),
        sa.Column("started_at", sa.Integer(), nullable=True),
        sa.Column("ended_at", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_jobs")),
    )
    op.create_index("ix_jobs_created", "jobs", ["created_at", "id"], unique=False)
    op.create_index("ix_jobs_state", "jobs", ["state", "queue"], unique=False)
    op.create_index(
        "uq_jobs_dedupe",
        "jobs",
        ["dedupe"],
        unique=True,
        sqlite_where=sa.text("state IN ('waiting', 'queued', 'running')"),
    )
    op.create_table(
        "layers",
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("settings", sa.Text(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("updated_at", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("scope", name=op.f("pk_layers")),
    )
    op.create_table(
        "messages",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("route", sa.Text(), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("severity", sa.Text(), nullable=False),
        sa.Column("about", sa.Text(), nullable=False),
        sa.Column("at", sa.Integer(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("channel_id", sa.Text(), nullable=True),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("picture", sa.Text(), nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("joined", sa.Boolean(), nullable=False),
        sa.Column("not_before", sa.Integer(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("why", sa.Text(), nullable=True),
        sa.Column("created_at", sa.Integer(), nullable=False),
        sa.Column("ended_at", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_messages")),
    )
    op.create_index("ix_messages_about", "messages", ["route", "target", "about", "created_at"], unique=False)
    op.create_index("ix_messages_created", "messages", ["created_at", "id"], unique=False)
    op.create_index(
        "ix_messages_waiting", "messages", ["target", "number"], unique=False, sqlite_where=sa.text("state = 'waiting'")
    )
    op.create_index("uq_messages_event", "messages", ["number", "route", "target"], unique=True)
    op.create_table(
        "nodes",
        sa.Column("incarnation", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("labels", sa.Text(), nullable=False),
        sa.Column("cap", sa.Integer(), nullable=False),
        sa.Column("registered_at", sa.Integer(), nullable=False),
        sa.Column("beat_at", sa.Integer(), nullable=False),
        sa.Column("fenced_at", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("incarnation", name=op.f("pk_nodes")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "notices",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("severity", sa.Text(), nullable=False),
        sa.Column("channel_id", sa.Text(), nullable=True),
        sa.Column("data", sa.Text(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("raised_at", sa.Integer(), nullable=False),
        sa.Column("last_at", sa.Integer(), nullable=False),
        sa.Column("over_at", sa.Integer(), nullable=True),
        sa.Column("dismissed_at", sa.Integer(), nullable=True),
        sa.Column("dismissed_by", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notices")),
    )
    op.create_index("ix_notices_key", "notices", ["key", "raised_at"], unique=False)
    op.create_index("ix_notices_raised", "notices", ["raised_at", "id"], unique=False)
    op.create_index(
        "uq_notices_open",
        "notices",
        ["key"],
        unique=True,
        sqlite_where=sa.text("over_at IS NULL AND dismissed_at IS NULL"),
    )
    op.create_table(
        "pipelines",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("steps", sa.Text(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.Integer(), nullable=False),
        sa.Column("updated_at", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_pipelines")),
    )
    op.create_table(
        "policies",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("keep_days", sa.REAL, nullable=True),
        sa.Column("keep_bytes", sa.Integer(), nullable=True),
        sa.Column("keep_count", sa.Integer(), nullable=True),
        sa.Column("keep_free", sa.Integer(), nullable=True),
        sa.Column("per", sa.Text(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.Integer(), nullable=False),
        sa.Column("updated_at", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_policies")),
    )
    op.create_table(
        "remotes",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("doc", sa.Text(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.Integer(), nullable=False),
        sa.Column("updated_at", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_remotes")),
    )
    op.create_table(
        "revisions",
        sa.Column("number", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("batch", sa.Text(), nullable=True),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("at", sa.Integer(), nullable=False),
        sa.Column("before", sa.Text(), nullable=True),
        sa.Column("after", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_revisions")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_revisions_subject", "revisions", ["kind", "subject", "number"], unique=False)
    op.create_table(
        "roots",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("folder", sa.Text(), nullable=False),
        sa.Column("marked_at", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_roots")),
    )
    op.create_table(
        "routes",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("doc", sa.Text(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.Integer(), nullable=False),
        sa.Column("updated_at", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_routes")),
    )
    op.create_table(
        "setup_links",
        sa.Column("token_hash", sa.Text(), nullable=False),
        sa.Column("created_at", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_setup_links")),
    )
    op.create_table(
        "standing_history",
        sa.Column("number", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("channel_id", sa.Text(), nullable=False),
        sa.Column("at", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=True),
        sa.Column("why", sa.Text(), nullable=True),
        sa.Column("evidence", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_standing_history")),
    )
    op.create_index("ix_standing_history_channel", "standing_history", ["channel_id", "number"], unique=False)
    op.create_table(
        "standings",
        sa.Column("channel_id", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("since", sa.Integer(), nullable=False),
        sa.Column("asked_at", sa.Integer(), nullable=True),
        sa.Column("due_at", sa.Integer(), nullable=True),
        sa.Column("code", sa.Text(), nullable=True),
        sa.Column("why", sa.Text(), nullable=True),
        sa.Column("errors", sa.Integer(), nullable=False),
        sa.Column("title", sa.Text(), nullable=True),
        sa.Column("category", sa.Text(), nullable=True),
        sa.Column("cover", sa.Text(), nullable=True),
        sa.Column("available_at", sa.Integer(), nullable=True),
        sa.Column("adapter", sa.Text(), nullable=True),
        sa.Column("evidence", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("channel_id", name=op.f("pk_standings")),
    )
    op.create_table(
        "tag_rules",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("doc", sa.Text(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.Integer(), nullable=False),
        sa.Column("updated_at", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_tag_rules")),
    )
    op.create_table(
        "tags",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("colour", sa.Text(), nullable=False),
        sa.Column("videos", sa.Integer(), server_default="0", nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tags")),
    )
    op.create_index("uq_tags_key", "tags", ["kind", "key"], unique=True)
    op.create_table(
        "targets",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("doc", sa.Text(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.Integer(), nullable=False),
        sa.Column("updated_at", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_targets")),
    )
    op.create_table(
        "telling",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_telling")),
    )
    op.create_table(
        "uploads",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("length", sa.Integer(), nullable=False),
        sa.Column("root", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("path", sa.Text(), nullable=True),
        sa.Column("import_id", sa.Text(), nullable=True),
        sa.Column("created_at", sa.Integer(), nullable=False),
        sa.Column("touched_at", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_uploads")),
    )
    op.create_table(
        "users",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_key", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("labels", sa.Text(), nullable=False),
        sa.Column("disabled", sa.Boolean(), nullable=False),
        sa.Column("language", sa.Text(), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.Integer(), nullable=False),
        sa.Column("signed_in_at", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
        sa.UniqueConstraint("name_key", name=op.f("uq_users_name_key")),
    )
    op.create_table(
        "video_words_due",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_video_words_due")),
    )
    op.create_table(
        "video_words_text",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("tags", sa.Text(), nullable=False),
        sa.Column("people", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_video_words_text")),
    )
    op.create_table(
        "videos",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("channel_id", sa.Text(), nullable=True),
        sa.Column("channel_name", sa.Text(), nullable=False),
        sa.Column("platform", sa.Text(), nullable=False),
        sa.Column("told_title", sa.Text(), nullable=False),
        sa.Column("told_category", sa.Text(), nullable=False),
        sa.Column("told_description", sa.Text(), nullable=False),
        sa.Column("told_at", sa.Integer(), nullable=False),
        sa.Column("edited", sa.Text(), server_default="{}", nullable=False),
        sa.Column(
            "title",
            sa.Text(),
            sa.Computed("coalesce(json_extract(edited, '$.title'), told_title)", persisted=False),
            nullable=True,
        ),
        sa.Column(
            "category",
            sa.Text(),
            sa.Computed("coalesce(json_extract(edited, '$.category'), told_category)", persisted=False),
            nullable=True,
        ),
        sa.Column(
            "description",
            sa.Text(),
            sa.Computed("coalesce(json_extract(edited, '$.description'), told_description)", persisted=False),
            nullable=True,
        ),
        sa.Column(
            "at",
            sa.Integer(),
            sa.Computed("coalesce(json_extract(edited, '$.at'), told_at)", persisted=False),
            nullable=True,
        ),
        sa.Column("added_at", sa.Integer(), nullable=False),
        sa.Column("duration_s", sa.REAL, nullable=False),
        sa.Column("bytes", sa.Integer(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=True),
        sa.Column("height", sa.Integer(), nullable=True),
        sa.Column(
            "lines", sa.Integer(), sa.Computed("coalesce(min(width, height), 0)", persisted=False), nullable=True
        ),
        sa.Column("fps", sa.REAL, nullable=True),
        sa.Column("vcodec", sa.Text(), nullable=True),
        sa.Column("acodec", sa.Text(), nullable=True),
        sa.Column("gaps", sa.Integer(), nullable=False),
        sa.Column("missing_s", sa.REAL, nullable=False),
        sa.Column("pinned", sa.Boolean(), nullable=False),
        sa.Column("deleted_at", sa.Integer(), nullable=True),
        sa.Column("revision", sa.Integer(), server_default="1", nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_videos")),
        sa.UniqueConstraint("id", name=op.f("uq_videos_id")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_videos_added_at", "videos", ["added_at", "number"], unique=False)
    op.create_index("ix_videos_at", "videos", ["at", "number"], unique=False)
    op.create_index("ix_videos_bytes", "videos", ["bytes", "number"], unique=False)
    op.create_index("ix_videos_channel", "videos", ["channel_id", "at"], unique=False)
    op.create_index(
        "ix_videos_deleted", "videos", ["deleted_at"], unique=False, sqlite_where=sa.text("deleted_at IS NOT NULL")
    )
    op.create_index("ix_videos_duration_s", "videos", ["duration_s", "number"], unique=False)
    op.create_index("ix_videos_gaps", "videos", ["gaps", "number"], unique=False)
    op.create_index("ix_videos_lines", "videos", ["lines", "number"], unique=False)
    op.create_index("ix_videos_running", "videos", ["state"], unique=False, sqlite_where=sa.text("state = 'running'"))
    op.create_index("ix_videos_title", "videos", [sa.literal_column('title COLLATE "NOCASE"'), "number"], unique=False)
    op.create_table(
        "api_keys",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("prefix", sa.Text(), nullable=False),
        sa.Column("key_hash", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("scopes", sa.Text(), nullable=False),
        sa.Column("labels", sa.Text(), nullable=False),
        sa.Column("created_at", sa.Integer(), nullable=False),
        sa.Column("expires_at", sa.Integer(), nullable=True),
        sa.Column("used_at", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_api_keys_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_keys")),
        sa.UniqueConstraint("key_hash", name=op.f("uq_api_keys_key_hash")),
    )
    op.create_index("ix_api_keys_user", "api_keys", ["user_id"], unique=False)
    op.create_table(
        "owns",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("prio", sa.Integer(), nullable=False),
        sa.Column("want", sa.Boolean(), nullable=False),
        sa.Column("wanted_at", sa.Integer(), nullable=False),
        sa.Column("hold_until", sa.Integer(), nullable=True),
        sa.Column("node", sa.Integer(), nullable=True),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("spec", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["node"], ["nodes.incarnation"], name=op.f("fk_owns_node")),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_owns")),
    )
    op.create_index(
        "ix_owns_free",
        "owns",
        ["kind", sa.literal_column("prio DESC"), "wanted_at"],
        unique=False,
        sqlite_where=sa.text("want = 1 AND node IS NULL"),
    )
    op.create_index("ix_owns_node", "owns", ["node"], unique=False, sqlite_where=sa.text("node IS NOT NULL"))
    op.create_table(
        "playlists",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("shared", sa.Boolean(), nullable=False),
        sa.Column("filter", sa.Text(), nullable=True),
        sa.Column("sort", sa.Text(), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.Integer(), nullable=False),
        sa.Column("updated_at", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_playlists_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_playlists")),
    )
    op.create_index("ix_playlists_user", "playlists", ["user_id", "name"], unique=False)
    op.create_table(
        "recordings",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("broadcast_id", sa.Text(), nullable=False),
        sa.Column("channel_id", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("started_at", sa.Integer(), nullable=False),
        sa.Column("ended_at", sa.Integer(), nullable=True),
        sa.Column("end_reason", sa.Text(), nullable=True),
        sa.Column("code", sa.Text(), nullable=True),
        sa.Column("why", sa.Text(), nullable=True),
        sa.Column("quality", sa.Text(), nullable=True),
        sa.Column("protocol", sa.Text(), nullable=True),
        sa.Column("media_s", sa.REAL, nullable=False),
        sa.Column("missing_s", sa.REAL, nullable=False),
        sa.Column("bytes", sa.Integer(), nullable=False),
        sa.Column("gaps", sa.Integer(), nullable=False),
        sa.Column("runs", sa.Integer(), nullable=False),
        sa.Column("reconnects", sa.Integer(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("pinned", sa.Boolean(), nullable=False),
        sa.Column("policy", sa.Text(), nullable=True),
        sa.Column("deleted_at", sa.Integer(), nullable=True),
        sa.Column("deleting_at", sa.Integer(), nullable=True),
        sa.Column("restored_at", sa.Integer(), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("updated_at", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["broadcast_id"], ["broadcasts.id"], name=op.f("fk_recordings_broadcast_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recordings")),
        sa.UniqueConstraint("broadcast_id", name=op.f("uq_recordings_broadcast_id")),
    )
    op.create_index("ix_recordings_channel", "recordings", ["channel_id", "started_at"], unique=False)
    op.create_index(
        "ix_recordings_open", "recordings", ["state"], unique=False, sqlite_where=sa.text("state != 'done'")
    )
    op.create_index("ix_recordings_started", "recordings", ["started_at", "id"], unique=False)
    op.create_table(
        "sessions",
        sa.Column("token_hash", sa.Text(), nullable=False),
        sa.Column("family", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("rotated_to", sa.Text(), nullable=True),
        sa.Column("created_at", sa.Integer(), nullable=False),
        sa.Column("expires_at", sa.Integer(), nullable=False),
        sa.Column("user_agent", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_sessions_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_sessions")),
    )
    op.create_index("ix_sessions_expires", "sessions", ["expires_at"], unique=False)
    op.create_index("ix_sessions_family", "sessions", ["family"], unique=False)
    op.create_index("ix_sessions_user", "sessions", ["user_id"], unique=False)
    op.create_table(
        "video_tags",
        sa.Column("tag_id", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=True),
        sa.Column("at", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["number"], ["videos.number"], name=op.f("fk_video_tags_number"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["tag_id"], ["tags.id"], name=op.f("fk_video_tags_tag_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("tag_id", "number", name=op.f("pk_video_tags")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_video_tags_number", "video_tags", ["number", "tag_id"], unique=False)
    op.create_table(
        "watches",
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("position_s", sa.REAL, nullable=False),
        sa.Column("watched", sa.Boolean(), nullable=False),
        sa.Column("plays", sa.Integer(), nullable=False),
        sa.Column("seen_at", sa.Integer(), nullable=True),
        sa.Column("favourite_at", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["number"], ["videos.number"], name=op.f("fk_watches_number"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_watches_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("user_id", "number", name=op.f("pk_watches")),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_watches_favourite",
        "watches",
        ["user_id", "favourite_at"],
        unique=False,
        sqlite_where=sa.text("favourite_at IS NOT NULL"),
    )
    op.create_index("ix_watches_number", "watches", ["number"], unique=False)
    op.create_index(
        "ix_watches_seen", "watches", ["user_id", "seen_at"], unique=False, sqlite_where=sa.text("seen_at IS NOT NULL")
    )
    op.create_table(
        "chapters",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("recording_id", sa.Text(), nullable=False),
        sa.Column("at_s", sa.REAL, nullable=False),
        sa.Column("wall", sa.Integer(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["recording_id"], ["recordings.id"], name=op.f("fk_chapters_recording_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_chapters")),
    )
    op.create_index("ix_chapters_recording", "chapters", ["recording_id", "at_s"], unique=False)
    op.create_table(
        "files",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("recording_id", sa.Text(), nullable=True),
        sa.Column("download_id", sa.Text(), nullable=True),
        sa.Column("import_id", sa.Text(), nullable=True),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("made_of", sa.Text(), nullable=False),
        sa.Column("part", sa.Integer(), nullable=False),
        sa.Column("root", sa.Text(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("format", sa.Text(), nullable=False),
        sa.Column("bytes", sa.Integer(), nullable=False),
        sa.Column("media_s", sa.REAL, nullable=False),
        sa.Column("gaps", sa.Integer(), nullable=False),
        sa.Column("tracks", sa.Text(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("opened_at", sa.Integer(), nullable=False),
        sa.Column("closed_at", sa.Integer(), nullable=True),
        sa.Column("was_root", sa.Text(), nullable=True),
        sa.Column("was_path", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["download_id"], ["downloads.id"], name=op.f("fk_files_download_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["import_id"], ["imports.id"], name=op.f("fk_files_import_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["recording_id"], ["recordings.id"], name=op.f("fk_files_recording_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_files")),
    )
    op.create_index(
        "ix_files_download", "files", ["download_id"], unique=False, sqlite_where=sa.text("download_id IS NOT NULL")
    )
    op.create_index(
        "ix_files_import", "files", ["import_id"], unique=False, sqlite_where=sa.text("import_id IS NOT NULL")
    )
    op.create_index("ix_files_recording", "files", ["recording_id", "part"], unique=False)
    op.create_index(
        "ix_files_was", "files", ["was_root", "was_path"], unique=False, sqlite_where=sa.text("was_root IS NOT NULL")
    )
    op.create_index("uq_files_path", "files", ["root", "path"], unique=True)
    op.create_table(
        "gaps",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("recording_id", sa.Text(), nullable=False),
        sa.Column("at_s", sa.REAL, nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("wall_start", sa.Integer(), nullable=False),
        sa.Column("wall_end", sa.Integer(), nullable=False),
        sa.Column("missing_s", sa.REAL, nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["recording_id"], ["recordings.id"], name=op.f("fk_gaps_recording_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_gaps")),
    )
    op.create_index("ix_gaps_recording", "gaps", ["recording_id", "at_s"], unique=False)
    op.create_table(
        "pipeline_runs",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("pipeline", sa.Text(), nullable=False),
        sa.Column("recording_id", sa.Text(), nullable=True),
        sa.Column("download_id", sa.Text(), nullable=True),
        sa.Column("steps", sa.Text(), nullable=False),
        sa.Column("at", sa.Integer(), nullable=False),
        sa.Column("taken", sa.Text(), nullable=False),
        sa.Column("files", sa.Text(), nullable=False),
        sa.Column("skipped", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("job_id", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=True),
        sa.Column("why", sa.Text(), nullable=True),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("created_at", sa.Integer(), nullable=False),
        sa.Column("ended_at", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["download_id"], ["downloads.id"], name=op.f("fk_pipeline_runs_download_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["recording_id"], ["recordings.id"], name=op.f("fk_pipeline_runs_recording_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pipeline_runs")),
    )
    op.create_index("ix_pipeline_runs_created", "pipeline_runs", ["created_at", "id"], unique=False)
    op.create_index("ix_pipeline_runs_download", "pipeline_runs", ["download_id"], unique=False)
    op.create_index(
        "ix_pipeline_runs_open", "pipeline_runs", ["state"], unique=False, sqlite_where=sa.text("state = 'running'")
    )
    op.create_index("ix_pipeline_runs_recording", "pipeline_runs", ["recording_id"], unique=False)
    op.create_table(
        "playlist_items",
        sa.Column("playlist_id", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("rank", sa.REAL, nullable=False),
        sa.Column("added_at", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["number"], ["videos.number"], name=op.f("fk_playlist_items_number"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["playlist_id"], ["playlists.id"], name=op.f("fk_playlist_items_playlist_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("playlist_id", "number", name=op.f("pk_playlist_items")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_playlist_items_number", "playlist_items", ["number"], unique=False)
    op.create_index("ix_playlist_items_rank", "playlist_items", ["playlist_id", "rank", "number"], unique=False)
    op.create_table(
        "copies",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("remote", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("recording_id", sa.Text(), nullable=True),
        sa.Column("download_id", sa.Text(), nullable=True),
        sa.Column("channel_id", sa.Text(), nullable=True),
        sa.Column("file_id", sa.Text(), nullable=True),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("bytes", sa.Integer(), nullable=False),
        sa.Column("etag", sa.Text(), nullable=True),
        sa.Column("digest", sa.Text(), nullable=True),
        sa.Column("copied_at", sa.Integer(), nullable=False),
        sa.Column("verified_at", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["file_id"], ["files.id"], name=op.f("fk_copies_file_id"), ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_copies")),
    )
    op.create_index(
        "ix_copies_download", "copies", ["download_id"], unique=False, sqlite_where=sa.text("download_id IS NOT NULL")
    )
    op.create_index("ix_copies_file", "copies", ["file_id"], unique=False)
    op.create_index("ix_copies_recording", "copies", ["recording_id"], unique=False)
    op.create_index("uq_copies_key", "copies", ["remote", "key"], unique=True)
    op.create_table(
        "media_info",
        sa.Column("file_id", sa.Text(), nullable=False),
        sa.Column("doc", sa.Text(), nullable=False),
        sa.Column("bytes", sa.Integer(), nullable=False),
        sa.Column("looked_at", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["file_id"], ["files.id"], name=op.f("fk_media_info_file_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("file_id", name=op.f("pk_media_info")),
    )
    op.execute(
        "CREATE VIRTUAL TABLE video_words USING fts5(title, tags, people, channel, description,\n content='video_words_text', content_rowid='number', tokenize='unicode61 remove_diacritics 2', prefix='1 2 3')"
    )
    op.execute(
        "CREATE VIEW videos_of_recordings (kind, state, channel_id, channel_name, platform, told_title, told_category, told_description, told_at, added_at, duration_s, bytes, width, height, fps, vcodec, acodec, gaps, missing_s, pinned, deleted_at, id) AS SELECT 'recording', CASE WHEN s.state = 'done' THEN 'ready' ELSE 'running' END,\n s.channel_id, coalesce(c.name, ''), coalesce(c.platform, ''), s.title, coalesce(b.category, ''), '', s.started_at, s.started_at,\n s.media_s, s.bytes, (SELECT json_extract(t.value, '$.width') FROM files f, json_each(f.tracks) t WHERE f.recording_id = s.id AND f.role IN ('original', 'product') AND json_extract(t.value, '$.kind') = 'video' ORDER BY f.role, f.part LIMIT 1), (SELECT json_extract(t.value, '$.height') FROM files f, json_each(f.tracks) t WHERE f.recording_id = s.id AND f.role IN ('original', 'product') AND json_extract(t.value, '$.kind') = 'video' ORDER BY f.role, f.part LIMIT 1), (SELECT json_extract(i.doc, '$.fps') FROM files f JOIN media_info i ON i.file_id = f.id WHERE f.recording_id = s.id AND f.role IN ('original', 'product') ORDER BY f.role, f.part LIMIT 1), (SELECT json_extract(t.value, '$.codec') FROM files f, json_each(f.tracks) t WHERE f.recording_id = s.id AND f.role IN ('original', 'product') AND json_extract(t.value, '$.kind') = 'video' ORDER BY f.role, f.part LIMIT 1), (SELECT json_extract(t.value, '$.codec') FROM files f, json_each(f.tracks) t WHERE f.recording_id = s.id AND f.role IN ('original', 'product') AND json_extract(t.value, '$.kind') = 'audio' ORDER BY f.role, f.part LIMIT 1), s.gaps, s.missing_s, s.pinned, s.deleted_at\n, s.id FROM recordings s LEFT JOIN broadcasts b ON b.id = s.broadcast_id LEFT JOIN channels c ON c.id = s.channel_id"
    )
    op.execute(
        "CREATE TRIGGER videos_of_recordings_again INSTEAD OF UPDATE ON videos_of_recordings BEGIN UPDATE videos SET (kind, state, channel_id, channel_name, platform, told_title, told_category, told_description, told_at, added_at, duration_s, bytes, width, height, fps, vcodec, acodec, gaps, missing_s, pinned, deleted_at) = (NEW.kind, NEW.state, NEW.channel_id, NEW.channel_name, NEW.platform, NEW.told_title, NEW.told_category, NEW.told_description, NEW.told_at, NEW.added_at, NEW.duration_s, NEW.bytes, NEW.width, NEW.height, NEW.fps, NEW.vcodec, NEW.acodec, NEW.gaps, NEW.missing_s, NEW.pinned, NEW.deleted_at) WHERE id = OLD.id; END"
    )
    op.execute(
        "CREATE VIEW videos_of_downloads (kind, state, channel_id, channel_name, platform, told_title, told_category, told_description, told_at, added_at, duration_s, bytes, width, height, fps, vcodec, acodec, gaps, missing_s, pinned, deleted_at, id) AS SELECT 'download', CASE WHEN s.state = 'completed' AND s.after IS NULL THEN 'ready' ELSE 'unfinished' END,\n NULL, '', '', coalesce(nullif(s.name, ''), nullif(s.title, ''), nullif(s.stem, ''), s.address), '', '',\n s.created_at, s.created_at, s.media_s, s.bytes, (SELECT json_extract(t.value, '$.width') FROM files f, json_each(f.tracks) t WHERE f.download_id = s.id AND f.role IN ('original', 'product') AND json_extract(t.value, '$.kind') = 'video' ORDER BY f.role, f.part LIMIT 1), (SELECT json_extract(t.value, '$.height') FROM files f, json_each(f.tracks) t WHERE f.download_id = s.id AND f.role IN ('original', 'product') AND json_extract(t.value, '$.kind') = 'video' ORDER BY f.role, f.part LIMIT 1), (SELECT json_extract(i.doc, '$.fps') FROM files f JOIN media_info i ON i.file_id = f.id WHERE f.download_id = s.id AND f.role IN ('original', 'product') ORDER BY f.role, f.part LIMIT 1), (SELECT json_extract(t.value, '$.codec') FROM files f, json_each(f.tracks) t WHERE f.download_id = s.id AND f.role IN ('original', 'product') AND json_extract(t.value, '$.kind') = 'video' ORDER BY f.role, f.part LIMIT 1), (SELECT json_extract(t.value, '$.codec') FROM files f, json_each(f.tracks) t WHERE f.download_id = s.id AND f.role IN ('original', 'product') AND json_extract(t.value, '$.kind') = 'audio' ORDER BY f.role, f.part LIMIT 1), s.gaps, 0.0, s.pinned, s.deleted_at, s.id FROM downloads s"
    )
    op.execute(
        "CREATE TRIGGER videos_of_downloads_again INSTEAD OF UPDATE ON videos_of_downloads BEGIN UPDATE videos SET (kind, state, channel_id, channel_name, platform, told_title, told_category, told_description, told_at, added_at, duration_s, bytes, width, height, fps, vcodec, acodec, gaps, missing_s, pinned, deleted_at) = (NEW.kind, NEW.state, NEW.channel_id, NEW.channel_name, NEW.platform, NEW.told_title, NEW.told_category, NEW.told_description, NEW.told_at, NEW.added_at, NEW.duration_s, NEW.bytes, NEW.width, NEW.height, NEW.fps, NEW.vcodec, NEW.acodec, NEW.gaps, NEW.missing_s, NEW.pinned, NEW.deleted_at) WHERE id = OLD.id; END"
    )
    op.execute(
        "CREATE VIEW videos_of_imports (kind, state, channel_id, channel_name, platform, told_title, told_category, told_description, told_at, added_at, duration_s, bytes, width, height, fps, vcodec, acodec, gaps, missing_s, pinned, deleted_at, id) AS SELECT 'import', CASE WHEN s.state = 'ready' THEN 'ready' ELSE 'unfinished' END,\n NULL, '', '', s.title, '', s.description, s.made_at, s.created_at,\n s.media_s, s.bytes, (SELECT json_extract(t.value, '$.width') FROM files f, json_each(f.tracks) t WHERE f.import_id = s.id AND f.role IN ('original', 'product') AND json_extract(t.value, '$.kind') = 'video' ORDER BY f.role, f.part LIMIT 1), (SELECT json_extract(t.value, '$.height') FROM files f, json_each(f.tracks) t WHERE f.import_id = s.id AND f.role IN ('original', 'product') AND json_extract(t.value, '$.kind') = 'video' ORDER BY f.role, f.part LIMIT 1), (SELECT json_extract(i.doc, '$.fps') FROM files f JOIN media_info i ON i.file_id = f.id WHERE f.import_id = s.id AND f.role IN ('original', 'product') ORDER BY f.role, f.part LIMIT 1), (SELECT json_extract(t.value, '$.codec') FROM files f, json_each(f.tracks) t WHERE f.import_id = s.id AND f.role IN ('original', 'product') AND json_extract(t.value, '$.kind') = 'video' ORDER BY f.role, f.part LIMIT 1), (SELECT json_extract(t.value, '$.codec') FROM files f, json_each(f.tracks) t WHERE f.import_id = s.id AND f.role IN ('original', 'product') AND json_extract(t.value, '$.kind') = 'audio' ORDER BY f.role, f.part LIMIT 1), 0, 0.0, s.pinned, s.deleted_at, s.id FROM imports s"
    )
    op.execute(
        "CREATE TRIGGER videos_of_imports_again INSTEAD OF UPDATE ON videos_of_imports BEGIN UPDATE videos SET (kind, state, channel_id, channel_name, platform, told_title, told_category, told_description, told_at, added_at, duration_s, bytes, width, height, fps, vcodec, acodec, gaps, missing_s, pinned, deleted_at) = (NEW.kind, NEW.state, NEW.channel_id, NEW.channel_name, NEW.platform, NEW.told_title, NEW.told_category, NEW.told_description, NEW.told_at, NEW.added_at, NEW.duration_s, NEW.bytes, NEW.width, NEW.height, NEW.fps, NEW.vcodec, NEW.acodec, NEW.gaps, NEW.missing_s, NEW.pinned, NEW.deleted_at) WHERE id = OLD.id; END"
    )
    op.execute(
        "CREATE TRIGGER recordings_come AFTER INSERT ON recordings BEGIN INSERT INTO videos (kind, state, channel_id, channel_name, platform, told_title, told_category, told_description, told_at, added_at, duration_s, bytes, width, height, fps, vcodec, acodec, gaps, missing_s, pinned, deleted_at, id) SELECT * FROM videos_of_recordings WHERE id = NEW.id; END"
    )
    op.execute(
        "CREATE TRIGGER recordings_change AFTER UPDATE OF channel_id, state, title, started_at, media_s, missing_s, bytes, gaps, pinned, deleted_at ON recordings BEGIN UPDATE videos_of_recordings SET id = id WHERE id = NEW.id; END"
    )
    op.execute(
        "CREATE TRIGGER recordings_go AFTER DELETE ON recordings BEGIN DELETE FROM videos WHERE id = OLD.id; END"
    )
    op.execute(
        "CREATE TRIGGER files_come_for_recordings AFTER INSERT ON files WHEN NEW.recording_id IS NOT NULL BEGIN UPDATE videos_of_recordings SET id = id WHERE id = NEW.recording_id; END"
    )
    op.execute(
        "CREATE TRIGGER files_change_for_recordings AFTER UPDATE OF tracks, role, part ON files WHEN NEW.recording_id IS NOT NULL BEGIN UPDATE videos_of_recordings SET id = id WHERE id = NEW.recording_id; END"
    )
    op.execute(
        "CREATE TRIGGER files_go_for_recordings AFTER DELETE ON files WHEN OLD.recording_id IS NOT NULL BEGIN UPDATE videos_of_recordings SET id = id WHERE id = OLD.recording_id; END"
    )
    op.execute(
        "CREATE TRIGGER media_info_come_for_recordings AFTER INSERT ON media_info BEGIN UPDATE videos_of_recordings SET id = id WHERE id = (SELECT recording_id FROM files WHERE id = NEW.file_id); END"
    )
    op.execute(
        "CREATE TRIGGER media_info_change_for_recordings AFTER UPDATE OF doc ON media_info BEGIN UPDATE videos_of_recordings SET id = id WHERE id = (SELECT recording_id FROM files WHERE id = NEW.file_id); END"
    )
    op.execute(
        "CREATE TRIGGER downloads_come AFTER INSERT ON downloads BEGIN INSERT INTO videos (kind, state, channel_id, channel_name, platform, told_title, told_category, told_description, told_at, added_at, duration_s, bytes, width, height, fps, vcodec, acodec, gaps, missing_s, pinned, deleted_at, id) SELECT * FROM videos_of_downloads WHERE id = NEW.id; END"
    )
    op.execute(
        "CREATE TRIGGER downloads_change AFTER UPDATE OF state, after, name, title, stem, address, created_at, media_s, bytes, gaps, pinned, deleted_at ON downloads BEGIN UPDATE videos_of_downloads SET id = id WHERE id = NEW.id; END"
    )
    op.execute("CREATE TRIGGER downloads_go AFTER DELETE ON downloads BEGIN DELETE FROM videos WHERE id = OLD.id; END")
    op.execute(
        "CREATE TRIGGER files_come_for_downloads AFTER INSERT ON files WHEN NEW.download_id IS NOT NULL BEGIN UPDATE videos_of_downloads SET id = id WHERE id = NEW.download_id; END"
    )
    op.execute(
        "CREATE TRIGGER files_change_for_downloads AFTER UPDATE OF tracks, role, part ON files WHEN NEW.download_id IS NOT NULL BEGIN UPDATE videos_of_downloads SET id = id WHERE id = NEW.download_id; END"
    )
    op.execute(
        "CREATE TRIGGER files_go_for_downloads AFTER DELETE ON files WHEN OLD.download_id IS NOT NULL BEGIN UPDATE videos_of_downloads SET id = id WHERE id = OLD.download_id; END"
    )
    op.execute(
        "CREATE TRIGGER media_info_come_for_downloads AFTER INSERT ON media_info BEGIN UPDATE videos_of_downloads SET id = id WHERE id = (SELECT download_id FROM files WHERE id = NEW.file_id); END"
    )
    op.execute(
        "CREATE TRIGGER media_info_change_for_downloads AFTER UPDATE OF doc ON media_info BEGIN UPDATE videos_of_downloads SET id = id WHERE id = (SELECT download_id FROM files WHERE id = NEW.file_id); END"
    )
    op.execute(
        "CREATE TRIGGER imports_come AFTER INSERT ON imports BEGIN INSERT INTO videos (kind, state, channel_id, channel_name, platform, told_title, told_category, told_description, told_at, added_at, duration_s, bytes, width, height, fps, vcodec, acodec, gaps, missing_s, pinned, deleted_at, id) SELECT * FROM videos_of_imports WHERE id = NEW.id; END"
    )
    op.execute(
        "CREATE TRIGGER imports_change AFTER UPDATE OF state, title, description, made_at, media_s, bytes, pinned, deleted_at ON imports BEGIN UPDATE videos_of_imports SET id = id WHERE id = NEW.id; END"
    )
    op.execute("CREATE TRIGGER imports_go AFTER DELETE ON imports BEGIN DELETE FROM videos WHERE id = OLD.id; END")
    op.execute(
        "CREATE TRIGGER files_come_for_imports AFTER INSERT ON files WHEN NEW.import_id IS NOT NULL BEGIN UPDATE videos_of_imports SET id = id WHERE id = NEW.import_id; END"
    )
    op.execute(
        "CREATE TRIGGER files_change_for_imports AFTER UPDATE OF tracks, role, part ON files WHEN NEW.import_id IS NOT NULL BEGIN UPDATE videos_of_imports SET id = id WHERE id = NEW.import_id; END"
    )
    op.execute(
        "CREATE TRIGGER files_go_for_imports AFTER DELETE ON files WHEN OLD.import_id IS NOT NULL BEGIN UPDATE videos_of_imports SET id = id WHERE id = OLD.import_id; END"
    )
    op.execute(
        "CREATE TRIGGER media_info_come_for_imports AFTER INSERT ON media_info BEGIN UPDATE videos_of_imports SET id = id WHERE id = (SELECT import_id FROM files WHERE id = NEW.file_id); END"
    )
    op.execute(
        "CREATE TRIGGER media_info_change_for_imports AFTER UPDATE OF doc ON media_info BEGIN UPDATE videos_of_imports SET id = id WHERE id = (SELECT import_id FROM files WHERE id = NEW.file_id); END"
    )
    op.execute(
        "CREATE TRIGGER broadcasts_change AFTER UPDATE OF category ON broadcasts BEGIN UPDATE videos_of_recordings SET id = id WHERE id = (SELECT id FROM recordings WHERE broadcast_id = NEW.id); END"
    )
    op.execute(
        "CREATE TRIGGER channels_come AFTER INSERT ON channels BEGIN UPDATE videos SET channel_name = NEW.name, platform = NEW.platform WHERE channel_id = NEW.id; END"
    )
    op.execute(
        "CREATE TRIGGER channels_change AFTER UPDATE OF name, platform ON channels BEGIN UPDATE videos SET channel_name = NEW.name, platform = NEW.platform WHERE channel_id = NEW.id; END"
    )
    op.execute(
        "CREATE TRIGGER channels_go AFTER DELETE ON channels BEGIN UPDATE videos SET channel_name = '', platform = '' WHERE channel_id = OLD.id; END"
    )
    op.execute(
        "CREATE TRIGGER videos_come AFTER INSERT ON videos BEGIN INSERT INTO video_words_due (number) SELECT number FROM videos WHERE number = NEW.number AND number NOT IN (SELECT number FROM video_words_due); END"
    )
    op.execute(
        "CREATE TRIGGER videos_change AFTER UPDATE OF told_title, told_description, edited, channel_name ON videos WHEN NEW.title IS NOT OLD.title OR NEW.description IS NOT OLD.description OR NEW.channel_name IS NOT OLD.channel_name BEGIN INSERT INTO video_words_due (number) SELECT number FROM videos WHERE number = NEW.number AND number NOT IN (SELECT number FROM video_words_due); END"
    )
    op.execute(
        "CREATE TRIGGER videos_go AFTER DELETE ON videos BEGIN DELETE FROM video_words_text WHERE number = OLD.number; DELETE FROM video_words_due WHERE number = OLD.number; END"
    )
    op.execute(
        "CREATE TRIGGER video_words_come AFTER INSERT ON video_words_text BEGIN INSERT INTO video_words (rowid, title, tags, people, channel, description) VALUES (NEW.number, NEW.title, NEW.tags, NEW.people, NEW.channel, NEW.description); END"
    )
    op.execute(
        "CREATE TRIGGER video_words_change AFTER UPDATE ON video_words_text BEGIN INSERT INTO video_words (video_words, rowid, title, tags, people, channel, description) VALUES ('delete', OLD.number, OLD.title, OLD.tags, OLD.people, OLD.channel, OLD.description); INSERT INTO video_words (rowid, title, tags, people, channel, description) VALUES (NEW.number, NEW.title, NEW.tags, NEW.people, NEW.channel, NEW.description); END"
    )
    op.execute(
        "CREATE TRIGGER video_words_go AFTER DELETE ON video_words_text BEGIN INSERT INTO video_words (video_words, rowid, title, tags, people, channel, description) VALUES ('delete', OLD.number, OLD.title, OLD.tags, OLD.people, OLD.channel, OLD.description); END"
    )
    op.execute(
        "CREATE TRIGGER video_tags_come AFTER INSERT ON video_tags BEGIN UPDATE tags SET videos = videos + 1 WHERE id = NEW.tag_id; INSERT INTO video_words_due (number) SELECT number FROM videos WHERE number = NEW.number AND number NOT IN (SELECT number FROM video_words_due); END"
    )
    op.execute(
        "CREATE TRIGGER video_tags_go AFTER DELETE ON video_tags BEGIN UPDATE tags SET videos = videos - 1 WHERE id = OLD.tag_id; INSERT INTO video_words_due (number) SELECT number FROM videos WHERE number = OLD.number AND number NOT IN (SELECT number FROM video_words_due); END"
    )
    op.execute(
        "CREATE TRIGGER tags_change AFTER UPDATE OF name ON tags WHEN NEW.name IS NOT OLD.name BEGIN INSERT INTO video_words_due (number) SELECT number FROM video_tags WHERE tag_id = NEW.id AND number NOT IN (SELECT number FROM video_words_due); END"
    )
