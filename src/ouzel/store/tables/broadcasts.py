"""Periods on air, and what was kept of each."""

from __future__ import annotations

from sqlalchemy import REAL, Boolean, Column, ForeignKey, Index, Integer, Table, Text

from ouzel.store.tables.base import METADATA, Doc, Instant

broadcasts = Table(
    "broadcasts",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("channel_id", Text, nullable=False),
    Column("own_name", Text),  # what the platform calls this period, if it does
    Column("state", Text, nullable=False),  # of `model.broadcast.BroadcastState`
    Column("started_at", Instant, nullable=False),  # as the platform tells it, else when we saw it first
    Column("told_start", Boolean, nullable=False),  # whether the platform told it
    Column("seen_at", Instant, nullable=False),  # when it was known to be on air last
    Column("ended_at", Instant),
    Column("title", Text, nullable=False),
    Column("category", Text, nullable=False),
    Column("anchor", Text, nullable=False),
    Column("cover", Text, nullable=False),
    Column("skipped", Boolean, nullable=False),  # the user wants none, or no more, of it
    Column("forced", Boolean, nullable=False),  # the user wants it, whatever filters, hours and mode say
    Column("why_not", Text),  # code: why it is not recorded (`skipped`, `schedule`, `title`, `mode` …)
)
Index("ix_broadcasts_channel", broadcasts.c.channel_id, broadcasts.c.started_at)
Index("ix_broadcasts_open", broadcasts.c.state, sqlite_where=broadcasts.c.state != "ended")

recordings = Table(
    "recordings",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("broadcast_id", Text, ForeignKey("broadcasts.id"), nullable=False, unique=True),
    Column("channel_id", Text, nullable=False),
    Column("state", Text, nullable=False),  # of `model.states.RecordingState`
    Column("title", Text, nullable=False),
    Column("started_at", Instant, nullable=False),
    Column("ended_at", Instant),
    Column("end_reason", Text),
    Column("code", Text),  # of the error that ended it, or that it is in trouble with now
    Column("why", Text),
    Column("quality", Text),  # of the stream that brought media last
    Column("protocol", Text),
    Column("media_s", REAL, nullable=False, default=0.0),
    Column("missing_s", REAL, nullable=False, default=0.0),
    Column("bytes", Integer, nullable=False, default=0),
    Column("gaps", Integer, nullable=False, default=0),
    Column("runs", Integer, nullable=False, default=0),
    Column("reconnects", Integer, nullable=False, default=0),
    Column("epoch", Integer, nullable=False, default=0),  # of the owner that wrote it last
    Column("pinned", Boolean, nullable=False, default=False),
    Column("policy", Text),
    Column("deleted_at", Instant),  # since when it is in the trash
    Column("deleting_at", Instant),  # since when its files are being unlinked: there is no way back
    Column("restored_at", Instant),  # when it was taken out of the trash last: rules count from then on
    Column("revision", Integer, nullable=False, default=1),  # of edits; what its recorder writes is none
    Column("updated_at", Instant, nullable=False),
)
Index("ix_recordings_channel", recordings.c.channel_id, recordings.c.started_at)
Index("ix_recordings_started", recordings.c.started_at, recordings.c.id)
Index("ix_recordings_open", recordings.c.state, sqlite_where=recordings.c.state != "done")

files = Table(
    "files",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("recording_id", Text, ForeignKey("recordings.id", ondelete="CASCADE")),  # or a download's, or an import's
    Column("download_id", Text, ForeignKey("downloads.id", ondelete="CASCADE")),
    Column("import_id", Text, ForeignKey("imports.id", ondelete="CASCADE")),
    Column("role", Text, nullable=False, default="original"),  # of `model.recording.FileRole`
    Column("made_of", Doc, nullable=False, default=()),  # ids of files, which may be gone
    Column("part", Integer, nullable=False),  # 1, 2, 3 … in the order in which they were on air
    Column("root", Text, nullable=False),  # name of the storage root; or a folder, with its whole path
    Column(
        "path", Text, nullable=False
    ),  # from the root on; the final name, also while `.part` stands behind it on the disk
    Column("state", Text, nullable=False),  # `open`, `closed`, `lost`
    Column("format", Text, nullable=False),
    Column("bytes", Integer, nullable=False),
    Column("media_s", REAL, nullable=False),
    Column("gaps", Integer, nullable=False),
    Column("tracks", Doc),
    Column("error", Text),
    Column("opened_at", Instant, nullable=False),
    Column("closed_at", Instant),
    Column("was_root", Text),  # where it lay before it was moved, until it is removed there
    Column("was_path", Text),
)
Index("ix_files_recording", files.c.recording_id, files.c.part)
Index("ix_files_download", files.c.download_id, sqlite_where=files.c.download_id.is_not(None))
Index("ix_files_import", files.c.import_id, sqlite_where=files.c.import_id.is_not(None))
Index("ix_files_was", files.c.was_root, files.c.was_path, sqlite_where=files.c.was_root.is_not(None))
Index("uq_files_path", files.c.root, files.c.path, unique=True)

gaps = Table(
    "gaps",
    METADATA,
    Column("number", Integer, primary_key=True),
    Column("recording_id", Text, ForeignKey("recordings.id", ondelete="CASCADE"), nullable=False),
    Column("at_s", REAL, nullable=False),  # in the recording's media time
    Column("code", Text, nullable=False),
    Column("why", Text, nullable=False),
    Column("wall_start", Instant, nullable=False),
    Column("wall_end", Instant, nullable=False),
    Column("missing_s", REAL, nullable=False),
    Column("scope", Text, nullable=False),
)
Index("ix_gaps_recording", gaps.c.recording_id, gaps.c.at_s)

chapters = Table(
    "chapters",
    METADATA,
    Column("number", Integer, primary_key=True),
    Column("recording_id", Text, ForeignKey("recordings.id", ondelete="CASCADE"), nullable=False),
    Column("at_s", REAL, nullable=False),
    Column("wall", Instant, nullable=False),
    Column("title", Text, nullable=False),
    Column("category", Text, nullable=False),
)
Index("ix_chapters_recording", chapters.c.recording_id, chapters.c.at_s)
