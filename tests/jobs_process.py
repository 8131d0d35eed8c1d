"""Processes that put and run jobs, to be killed: `python -m tests.jobs_process FOLDER`.

For each line `go` a child is forked, when everything is imported already. `child PID` is said, and by it: `put ID` for each
job that is committed, `begun ID`, `done ID`, and `idle` when all jobs are over. When it has ended, `dead PID` is said.
"""

from __future__ import annotations

import os
import random
import sys
from pathlib import Path

import anyio

from ouzel.model.happening import Happening
from ouzel.model.jobs import OPEN
from ouzel.services.jobs import JobContext, JobKind, Jobs
from ouzel.services.supervisor import Supervisor
from ouzel.store.db import Tx, open_db
from ouzel.store.jobs import SqliteJobQueue
from ouzel.store.ownership import SqliteOwnership
from ouzel.system.clock import SystemClock

_PUT = 12
"""Jobs that each child brings."""


def say(*words: object) -> None:
    os.write(1, f"{' '.join(map(str, words))}\n".encode())


async def note(work: JobContext) -> None:
    """Several commits, the last of which leaves a note: once for each job, if the queue is right."""
    say("begun", work.job.id)
    for step in range(random.randrange(3)):
        await work.run.emit(Happening("recording.gap", work.job.id))
        work.progress(step / 3)

    async def write(tx: Tx) -> None:
        tx.emit(Happening("recording.finished", work.job.id, {"epoch": work.run.epoch}))

    await work.done(write)
    say("done", work.job.id)


async def main(folder: Path, number: int) -> None:
    clock = SystemClock()
    async with open_db(folder / "ouzel.db", clock) as db:
        ownership = SqliteOwnership(db)
        queue = SqliteJobQueue(db, ownership)
        jobs = Jobs(queue, [JobKind("note", note, "disk", max_attempts=1000)], {"disk": 3}, clock)
        supervisor = Supervisor(ownership, jobs.bodies(), clock, settle=queue.settle)
        changed = anyio.Event()
        db.listen(lambda _event: changed.set())
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(supervisor.run)
            for each in range(_PUT):
                job = await jobs.put("note", {"child": number, "each": each}, prio=random.randrange(3))
                say("put", job.id)
            while True:
                changed = anyio.Event()
                stats = await queue.stats()
                if not any(row[state] for row in stats.values() for state in OPEN):
                    say("idle")
                await changed.wait()


def serve(folder: Path) -> None:
    for number, _line in enumerate(sys.stdin):
        pid = os.fork()
        if not pid:
            random.seed(number)
            anyio.run(main, folder, number)
        say("child", pid)
        os.waitpid(pid, 0)
        say("dead", pid)


if __name__ == "__main__":
    serve(Path(sys.argv[1]))
