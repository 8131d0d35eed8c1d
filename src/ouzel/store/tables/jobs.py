"""Finite work on files. Who runs a job now stands in `owns`, under `job:ID`."""

from __future__ import annotations

from sqlalchemy import REAL, Column, Index, Integer, Table, Text

from ouzel.store.tables.base import METADATA, Doc, Instant

jobs = Table(
    "jobs",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("queue", Text, nullable=False),
    Column("args", Doc, nullable=False),  # ids and choices; what they name is read when it runs
    Column("dedupe", Text),  # of jobs that are not over, one for each
    Column("prio", Integer, nullable=False),
    Column("state", Text, nullable=False),  # of `model.jobs.JobState`
    Column("not_before", Instant),
    Column("attempts", Integer, nullable=False),  # begun
    Column("max_attempts", Integer, nullable=False),
    Column("epoch", Integer, nullable=False),  # of the attempt that was begun last
    Column("fraction", REAL),  # 0 to 1, of this attempt; null: not known
    Column("eta_s", REAL),
    Column("message", Text, nullable=False),
    Column("result", Doc),
    Column("code", Text),  # of the error of the last attempt
    Column("why", Text),
    Column("created_at", Instant, nullable=False),
    Column("started_at", Instant),  # the last attempt
    Column("ended_at", Instant),
)
_open = jobs.c.state.in_(("waiting", "queued", "running"))
Index("uq_jobs_dedupe", jobs.c.dedupe, unique=True, sqlite_where=_open)
Index("ix_jobs_state", jobs.c.state, jobs.c.queue)
Index("ix_jobs_created", jobs.c.created_at, jobs.c.id)
