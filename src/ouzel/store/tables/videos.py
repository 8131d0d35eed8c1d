"""The library's one list, and what people add to it. How a row of it comes to be stands in `video_triggers`."""

from __future__ import annotations

from sqlalchemy import REAL, Boolean, Column, Computed, ForeignKey, Index, Integer, Table, Text

from ouzel.store.tables.base import METADATA, Doc, Instant


def _edited(name: str) -> Computed:
    """What a person wrote, else what was told."""
    return Computed(f"coalesce(json_extract(edited, '$.{name}'), told_{name})", persisted=False)


videos = Table(
    "videos",
    METADATA,
    Column("number", Integer, primary_key=True),  # what the index of words, tags and playlists call it
    Column("id", Text, nullable=False, unique=True),  # of its recording, download or import
    Column("kind", Text, nullable=False),  # of `model.videos.VideoKind`
    Column("state", Text, nullable=False),  # of `model.videos.VideoState`
    Column("channel_id", Text),
    Column("channel_name", Text, nullable=False),
    Column("platform", Text, nullable=False),
    Column("told_title", Text, nullable=False),
    Column("told_category", Text, nullable=False),
    Column("told_description", Text, nullable=False),
    Column("told_at", Instant, nullable=False),  # when it was on air, or made
    Column("edited", Doc, nullable=False, server_default="{}"),  # what people wrote: title, category, description, at
    Column("title", Text, _edited("title")),
    Column("category", Text, _edited("category")),
    Column("description", Text, _edited("description")),
    Column("at", Instant, _edited("at")),
    Column("added_at", Instant, nullable=False),
    Column("duration_s", REAL, nullable=False),
    Column("bytes", Integer, nullable=False),
    Column("width", Integer),
    Column("height", Integer),
    Column(
        "lines", Integer, Computed("coalesce(min(width, height), 0)", persisted=False)
    ),  # what `1080p` means, also of one that stands upright
    Column("fps", REAL),
    Column("vcodec", Text),
    Column("acodec", Text),
    Column("gaps", Integer, nullable=False),
    Column("missing_s", REAL, nullable=False),
    Column("pinned", Boolean, nullable=False),
    Column("deleted_at", Instant),
    Column("revision", Integer, nullable=False, server_default="1"),  # of what people wrote
    sqlite_autoincrement=True,
)
for _by in ("at", "added_at", "duration_s", "bytes", "lines", "gaps"):
    Index(f"ix_videos_{_by}", videos.c[_by], videos.c.number)
Index("ix_videos_title", videos.c.title.collate("NOCASE"), videos.c.number)
Index("ix_videos_channel", videos.c.channel_id, videos.c.at)
Index("ix_videos_deleted", videos.c.deleted_at, sqlite_where=videos.c.deleted_at.is_not(None))
Index("ix_videos_running", videos.c.state, sqlite_where=videos.c.state == "running")

tags = Table(
    "tags",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("kind", Text, nullable=False),  # `tag`, `person`
    Column("name", Text, nullable=False),  # as it was typed first
    Column("key", Text, nullable=False),  # as it is compared: NFKC, casefold, single blanks
    Column("colour", Text, nullable=False),  # `#rrggbb`, or empty
    Column("videos", Integer, nullable=False, server_default="0"),  # how many have it; triggers count
    Column("revision", Integer, nullable=False),
    Column("created_at", Instant, nullable=False),
)
Index("uq_tags_key", tags.c.kind, tags.c.key, unique=True)

_VIDEO = "videos.number"

video_tags = Table(
    "video_tags",
    METADATA,
    Column("tag_id", Text, ForeignKey("tags.id", ondelete="CASCADE"), primary_key=True),
    Column("number", Integer, ForeignKey(_VIDEO, ondelete="CASCADE"), primary_key=True),
    Column("rule", Text),  # name of the rule that gave it; null: a person did
    Column("at", Instant, nullable=False),
    sqlite_with_rowid=False,
)
Index("ix_video_tags_number", video_tags.c.number, video_tags.c.tag_id)

tag_rules = Table(
    "tag_rules",
    METADATA,
    Column("name", Text, primary_key=True),
    Column("doc", Doc, nullable=False),  # filter, tags, whether it is on
    Column("revision", Integer, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
)

video_words_text = Table(
    "video_words_text",
    METADATA,
    Column("number", Integer, primary_key=True),  # of the video. In bigrams, as `model.words` makes them
    Column("title", Text, nullable=False),
    Column("tags", Text, nullable=False),
    Column("people", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("description", Text, nullable=False),
)

video_words_due = Table(
    "video_words_due",
    METADATA,
    Column("number", Integer, primary_key=True),  # of a video whose words are to be written anew
)

watches = Table(
    "watches",
    METADATA,
    Column("user_id", Text, ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
    Column("number", Integer, ForeignKey(_VIDEO, ondelete="CASCADE"), primary_key=True),
    Column("position_s", REAL, nullable=False),
    Column("watched", Boolean, nullable=False),  # to its end, or so they say
    Column("plays", Integer, nullable=False),
    Column("seen_at", Instant),  # when it was watched last; null: never, or not in the history
    Column("favourite_at", Instant),  # since when it is one
    sqlite_with_rowid=False,
)
Index("ix_watches_seen", watches.c.user_id, watches.c.seen_at, sqlite_where=watches.c.seen_at.is_not(None))
Index(
    "ix_watches_favourite", watches.c.user_id, watches.c.favourite_at, sqlite_where=watches.c.favourite_at.is_not(None)
)
Index("ix_watches_number", watches.c.number)

playlists = Table(
    "playlists",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("user_id", Text, ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
    Column("name", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("shared", Boolean, nullable=False),  # others may look at it, and see of it what they may see
    Column("filter", Text),  # of a smart one, as `model.video_filters` writes it
    Column("sort", Text),  # of a smart one
    Column("revision", Integer, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
)
Index("ix_playlists_user", playlists.c.user_id, playlists.c.name)

playlist_items = Table(
    "playlist_items",
    METADATA,
    Column("playlist_id", Text, ForeignKey("playlists.id", ondelete="CASCADE"), primary_key=True),
    Column("number", Integer, ForeignKey(_VIDEO, ondelete="CASCADE"), primary_key=True),
    Column("rank", REAL, nullable=False),
    Column("added_at", Instant, nullable=False),
    sqlite_with_rowid=False,
)
Index("ix_playlist_items_rank", playlist_items.c.playlist_id, playlist_items.c.rank, playlist_items.c.number)
Index("ix_playlist_items_number", playlist_items.c.number)

media_info = Table(
    "media_info",
    METADATA,
    Column("file_id", Text, ForeignKey("files.id", ondelete="CASCADE"), primary_key=True),
    Column("doc", Doc, nullable=False),  # of `model.media_info.MediaInfo`
    Column("bytes", Integer, nullable=False),  # of the file when it was looked at
    Column("looked_at", Instant, nullable=False),
)
