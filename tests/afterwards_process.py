"""Processes that finish recordings and do what comes after, to be killed: `python -m tests.afterwards_process FOLDER`.

FOLDER has `show-001.ts` and `show-002.ts` with their ledgers. For each line `go` a child is forked. `child PID` is said, and by
it: `put ID` for each recording that is over, `begin STEP`, a line for whatever happens and for each step forward, and `idle` when
no job is left. A child that finds nothing to do brings a recording. When it has ended, `dead PID` is said.

Another kind of step joins in with a line in `CHAIN`, and one in `kinds`.
"""

from __future__ import annotations

import os
import random
import shutil
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import anyio
from tests.component.library import Library

from ouzel.base.ids import new_id
from ouzel.config.tables import HookSettings
from ouzel.model.jobs import OPEN, JobState
from ouzel.services.afterwards import Afterwards
from ouzel.services.broadcasts import Broadcasts
from ouzel.services.channels import Channels
from ouzel.services.events import EventBus
from ouzel.services.hooks import Hooks
from ouzel.services.jobs import Jobs
from ouzel.services.notices import Notices
from ouzel.services.pipelines import Pipelines
from ouzel.services.places import Places
from ouzel.services.secrets import Secrets
from ouzel.services.step_jobs import QUEUES, StepJobs
from ouzel.services.step_kinds import command_kind
from ouzel.services.step_media import media_kinds
from ouzel.services.steps import Made, StepKind, Steps, StepWork
from ouzel.services.supervisor import Supervisor
from ouzel.store.db import Db, open_db
from ouzel.store.downloads import DownloadRepo
from ouzel.store.jobs import SqliteJobQueue
from ouzel.store.ownership import SqliteOwnership
from ouzel.system.clock import Clock, SystemClock
from ouzel.system.ffmpeg import FfmpegFinder

CHAIN: list[dict[str, Any]] = [
    {"step": "remux", "format": "mp4"},
    {"step": "join"},
    {"step": "convert", "height": 64, "quality": 40},
    {"step": "thumbnails", "every_s": 1},
    {"step": "clock"},
    {"step": "command", "hook": "log"},
]
PARTS = 2
"""Files of each recording."""


def say(*words: object) -> None:
    os.write(1, f"{' '.join(map(str, words))}\n".encode())


def telling(kind: StepKind) -> StepKind:
    async def run(work: StepWork) -> Made:
        say("begin", kind.name)

        def progress(share: float | None, message: str) -> None:
            say("at", share)
            work.progress(share, message)

        return await kind.run(replace(work, progress=progress))

    return replace(kind, run=run)


def kinds(hooks: Hooks, clock: Clock) -> list[StepKind]:
    """Of all steps in the chain."""
    return [*media_kinds(FfmpegFinder(), clock), command_kind(hooks, clock)]


async def bring(folder: Path, db: Db, channels: Channels, broadcasts: Broadcasts) -> None:
    """A recording that is over."""
    lib = Library(db, db.clock)  # pyright: ignore[reportArgumentType] - it only asks for the time
    now = db.clock.now()
    name, parts = new_id(now), [f"{number:03}" for number in range(1, PARTS + 1)]
    for part in parts:
        for ending in ("ts", "ledger"):
            shutil.copy(folder / f"show-{part}.{ending}", folder / "media" / f"{name}-{part}.{ending}")
    channel_id = await lib.channel(new_id(now), settings={"pipeline": "chain"})
    await channels.load()
    recording = await lib.recording(await lib.broadcast(channel_id))
    for number, part in enumerate(parts, 1):
        size = (folder / f"show-{part}.ts").stat().st_size
        await lib.file(recording, f"{name}-{part}.ts", bytes=size, media_s=2.0, part=number)
    async with db.transaction() as tx:
        await broadcasts.finish_in(tx, recording)
    say("put", recording.id)


async def main(folder: Path) -> None:
    clock, media = SystemClock(), folder / "media"
    async with open_db(folder / "ouzel.db", clock) as db:
        ownership, bus = SqliteOwnership(db), EventBus(db)
        channels, queue, notices = Channels(db, Secrets(b"k" * 32).box), SqliteJobQueue(db, ownership), Notices(db)
        places = Places({"recordings": media})
        afterwards = Afterwards(db, queue, channels, notices, places)
        broadcasts = Broadcasts(db, channels, ownership, on_finished=afterwards.recorded_in)
        script = f'echo "$OUZEL_RUN $OUZEL_ATTEMPT $OUZEL_FILE" >> "{folder}/log"'
        specs = {"log": HookSettings(("/bin/sh", "-c", script), on=())}
        hooks = Hooks(db, bus, channels, notices, specs, places.roots)
        steps = Steps(telling(kind) for kind in kinds(hooks, clock))
        of_steps = StepJobs(db, steps, afterwards, DownloadRepo(db, ownership), places, lambda _root: None)
        jobs = Jobs(queue, of_steps.kinds(), dict.fromkeys(QUEUES, 1), clock)
        pipelines = Pipelines(db, steps.check)
        if not await pipelines.all():
            await pipelines.add("chain", CHAIN, by="me")
        supervisor = Supervisor(ownership, jobs.bodies(), clock, settle=queue.settle)
        changed = anyio.Event()

        def on_event(event: object) -> None:
            say("event", getattr(event, "code", ""))
            changed.set()

        db.listen(on_event)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(supervisor.run)
            stats = await queue.stats()
            if not any(row[state] for row in stats.values() for state in (*OPEN, JobState.FAILED)):
                await bring(folder, db, channels, broadcasts)
            while True:
                changed = anyio.Event()
                for job in await queue.page(states=frozenset({JobState.FAILED})):  # killed five times in its middle
                    await queue.retry(job.id)
                stats = await queue.stats()
                if not any(row[state] for row in stats.values() for state in OPEN):
                    say("idle")
                await changed.wait()


def serve(folder: Path) -> None:
    for number, _line in enumerate(sys.stdin):
        pid = os.fork()
        if not pid:
            random.seed(number)
            anyio.run(main, folder)
        say("child", pid)
        os.waitpid(pid, 0)
        say("dead", pid)


if __name__ == "__main__":
    serve(Path(sys.argv[1]))
