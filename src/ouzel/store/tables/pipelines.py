"""What is done with what is over, and what is being done."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Integer, Table, Text

from ouzel.store.tables.base import METADATA, Doc, Instant

pipelines = Table(
    "pipelines",
    METADATA,
    Column("name", Text, primary_key=True),  # what channels call it
    Column("steps", Doc, nullable=False),  # as `model.pipelines.parse_steps` takes them
    Column("revision", Integer, nullable=False),  # grows with each edit: its ETag
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
)

pipeline_runs = Table(
    "pipeline_runs",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("pipeline", Text, nullable=False),  # its name then
    Column("recording_id", Text, ForeignKey("recordings.id", ondelete="CASCADE")),  # or a download's
    Column("download_id", Text, ForeignKey("downloads.id", ondelete="CASCADE")),
    Column("steps", Doc, nullable=False),  # as they were then
    Column("at", Integer, nullable=False),  # the step that is to be done, from 0
    Column("taken", Doc, nullable=False),  # ids of files: at its beginning
    Column("files", Doc, nullable=False),  # ids of files: for the next step
    Column("skipped", Doc, nullable=False),  # steps that failed, and behind which it went on
    Column("state", Text, nullable=False),  # of `model.pipelines.RunState`
    Column("job_id", Text, nullable=False),  # of the step at which it is
    Column("code", Text),
    Column("why", Text),
    Column("by", Text, nullable=False),  # empty: it began by itself
    Column("created_at", Instant, nullable=False),
    Column("ended_at", Instant),
)
Index("ix_pipeline_runs_recording", pipeline_runs.c.recording_id)
Index("ix_pipeline_runs_download", pipeline_runs.c.download_id)
Index("ix_pipeline_runs_created", pipeline_runs.c.created_at, pipeline_runs.c.id)
Index("ix_pipeline_runs_open", pipeline_runs.c.state, sqlite_where=pipeline_runs.c.state == "running")
