"""Where copies go, and which there are."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Integer, Table, Text

from ouzel.store.tables.base import METADATA, Doc, Instant

remotes = Table(
    "remotes",
    METADATA,
    Column("name", Text, primary_key=True),  # what pipelines call it
    Column("doc", Doc, nullable=False),  # of `model.remotes.Remote`; its secrets are sealed
    Column("revision", Integer, nullable=False),  # grows with each edit: its ETag
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
)

# A copy stays at its remote when what lies here goes: recordings and downloads are named without a foreign key, so that its row
# stays too, and tells where the recording is.
copies = Table(
    "copies",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("remote", Text, nullable=False),  # its name, which may be gone
    Column("key", Text, nullable=False),  # path there, with the folder of the remote
    Column("recording_id", Text),  # or a download's; it may be gone
    Column("download_id", Text),
    Column("channel_id", Text),  # of the recording: who may see it
    Column(
        "file_id", Text, ForeignKey("files.id", ondelete="SET NULL")
    ),  # of the file, or of the one that it belongs to
    Column("path", Text, nullable=False),  # of the file, from its storage root on
    Column("bytes", Integer, nullable=False),
    Column("etag", Text),  # as the remote tells it
    Column("digest", Text),  # `md5:…` and the like, as both sides say
    Column("copied_at", Instant, nullable=False),
    Column("verified_at", Instant, nullable=False),
)
Index("uq_copies_key", copies.c.remote, copies.c.key, unique=True)
Index("ix_copies_recording", copies.c.recording_id)
Index("ix_copies_download", copies.c.download_id, sqlite_where=copies.c.download_id.is_not(None))
Index("ix_copies_file", copies.c.file_id)
