"""Processes that finish recordings and do what comes after, to be killed: `python -m tests.afterwards_process FOLDER CHAIN`.

FOLDER has the files of which a recording of this chain is made, with their ledgers. What is moved is copied by every second
child, as to another disk; what is uploaded goes to the remote of `remote.json`. For each line `go` a child is forked.
`child PID` is said, and by it: `put ID` for each recording that is over, `begin STEP`, a line for whatever happens and for each
step forward, and `idle` when no job is left. When it has ended, `dead PID` is said. Another kind of step joins in with its place
in a chain of `CHAINS`, and its line in `kinds`.
"""

from __future__ import annotations

import errno
import json
import os
import random
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import Any

import anyio
from tests.component.library import Library

from ouzel.base.ids import new_id
from ouzel.config.tables import HookSettings
from ouzel.engine import placing
from ouzel.engine.transfer.transport import TransferRules
from ouzel.engine.transfer.transports import Transports
from ouzel.model.broadcast import BroadcastState
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
from ouzel.services.remotes import Remotes
from ouzel.services.secrets import Secrets
from ouzel.services.step_jobs import QUEUES, StepJobs
from ouzel.services.step_kinds import command_kind
from ouzel.services.step_media import media_kinds
from ouzel.services.step_move import move_kind
from ouzel.services.step_upload import upload_kind
from ouzel.services.steps import Made, StepKind, Steps, StepWork
from ouzel.services.storage import RootGate
from ouzel.services.supervisor import Supervisor
from ouzel.store.db import Db, open_db
from ouzel.store.downloads import DownloadRepo
from ouzel.store.jobs import SqliteJobQueue
from ouzel.store.ownership import SqliteOwnership
from ouzel.system.clock import SystemClock
from ouzel.system.ffmpeg import FfmpegFinder

FFMPEG = FfmpegFinder()
_LATE = (
    "engine.afterwards.encode",
    "engine.afterwards.joining",
    "engine.afterwards.pictures",
    "engine.afterwards.clock",
)
"""What a daemon imports when it has use for it: once here, and not by each child."""
COMMAND = {"step": "command", "hook": "log"}


@dataclass(frozen=True)
class Chain:
    steps: tuple[dict[str, Any], ...]
    files: tuple[str, ...]
    """Stems of what a recording is made of."""
    media_s: float
    """Of each."""
    puts: int
    """Recordings that each child finishes; 0: one, if there is nothing to do."""

    @property
    def names(self) -> list[str]:
        """Of the steps."""
        return [each["step"] for each in self.steps]


CHAINS = {
    "media": Chain(
        (
            {"step": "remux", "format": "mp4"},
            {"step": "join"},
            {"step": "convert", "height": 64, "quality": 40},
            {"step": "thumbnails", "every_s": 1},
            {"step": "clock"},
            COMMAND,
        ),
        ("show-001", "show-002"),
        2.0,
        0,
    ),
    "move": Chain(({"step": "move", "to": "nas"}, COMMAND), ("show",), 12.0, 2),
    "upload": Chain(({"step": "upload", "to": "far", "remove_local": True}, COMMAND), ("show",), 12.0, 0),
}


def say(*words: object) -> None:
    os.write(1, f"{' '.join(map(str, words))}\n".encode())


def telling(kind: StepKind) -> StepKind:
    async def run(work: StepWork) -> Made:
        say("begin", kind.name)

        def progress(share: float | None, message: str) -> None:
            say("at", share)
            work.progress(share, message)

        async def move(moved: Mapping[str, tuple[str, str]]) -> None:
            say("placed", len(moved))
            await work.move(moved)
            say("moved", len(moved))

        return await kind.run(replace(work, progress=progress, move=move))

    return replace(kind, run=run)


async def bring(folder: Path, chain: Chain, db: Db, channels: Channels, broadcasts: Broadcasts) -> None:
    """A recording that is over."""
    lib = Library(db, db.clock)  # pyright: ignore[reportArgumentType] - it only asks for the time
    now = db.clock.now()
    name = new_id(now)
    for file in chain.files:
        for ending in ("ts", "ledger"):
            shutil.copy(folder / f"{file}.{ending}", folder / "media" / f"{file.replace('show', name)}.{ending}")
    channel_id = await lib.channel(new_id(now), settings={"pipeline": "chain"})
    await channels.load()
    recording = await lib.recording(await lib.broadcast(channel_id, state=BroadcastState.ENDED))
    for part, file in enumerate(chain.files, 1):
        size, path = (folder / f"{file}.ts").stat().st_size, f"{file.replace('show', name)}.ts"
        await lib.file(recording, path, bytes=size, media_s=chain.media_s, part=part)
    async with db.transaction() as tx:
        await broadcasts.finish_in(tx, recording)
    say("put", recording.id)


def apart() -> None:
    """As on two file systems."""

    def refuse(*_args: object, **_options: object) -> None:
        raise OSError(errno.EXDEV, "Invalid cross-device link")

    placing.os.link = refuse


async def main(folder: Path, chain: Chain) -> None:
    clock = SystemClock()
    roots = {"recordings": folder / "media", "nas": folder / "nas"}
    gates = {name: RootGate(name, path, min_free_bytes=0, probe_s=1.0) for name, path in roots.items()}
    async with open_db(folder / "ouzel.db", clock) as db:
        ownership, bus = SqliteOwnership(db), EventBus(db)
        channels, queue, notices = Channels(db, Secrets(b"k" * 32).box), SqliteJobQueue(db, ownership), Notices(db)
        await channels.load()
        places = Places(roots)
        afterwards = Afterwards(db, queue, channels, notices, places)
        broadcasts = Broadcasts(db, channels, ownership, on_finished=afterwards.recorded_in)
        remotes = Remotes(db, Secrets(b"k" * 32).box, Transports(TransferRules(timeout_s=10.0)))
        if "upload" in chain.names and not await remotes.all():
            await remotes.add("far", json.loads((folder / "remote.json").read_text()), by="me")
        script = f'echo "$OUZEL_RUN $OUZEL_ATTEMPT $OUZEL_FILE" >> "{folder}/log"'
        specs = {"log": HookSettings(("/bin/sh", "-c", script), on=())}
        hooks = Hooks(db, bus, channels, notices, specs, places.roots)
        kinds = [
            *media_kinds(FFMPEG, clock),
            command_kind(hooks, clock),
            move_kind(places, gates, afterwards.held),
            upload_kind(db, channels, remotes),
        ]
        steps = Steps(telling(kind) for kind in kinds)
        of_steps = StepJobs(db, steps, afterwards, DownloadRepo(db, ownership), places, lambda _root: None)
        jobs = Jobs(queue, of_steps.kinds(), dict.fromkeys(QUEUES, 1), clock)
        pipelines = Pipelines(db, steps.check)
        if not await pipelines.all():
            await pipelines.add("chain", [*chain.steps], by="me")

        async def settle() -> None:
            await queue.settle()
            await of_steps.settle()

        supervisor = Supervisor(ownership, jobs.bodies(), clock, settle=settle)
        changed = anyio.Event()

        def on_event(event: object) -> None:
            say("event", getattr(event, "code", ""))
            changed.set()

        db.listen(on_event)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(supervisor.run)
            stats = await queue.stats()
            has_work = any(row[state] for row in stats.values() for state in (*OPEN, JobState.FAILED))
            for _ in range(chain.puts or not has_work):
                await bring(folder, chain, db, channels, broadcasts)
            while True:
                changed = anyio.Event()
                for job in await queue.page(states=frozenset({JobState.FAILED})):  # killed five times in its middle
                    await queue.retry(job.id)
                stats = await queue.stats()
                if not any(row[state] for row in stats.values() for state in OPEN):
                    say("idle")
                await changed.wait()


def serve(folder: Path, chain: Chain) -> None:
    for name in _LATE:
        import_module(f"ouzel.{name}")
    anyio.run(FFMPEG.find, ("h264", "aac"))
    for number, _line in enumerate(sys.stdin):
        pid = os.fork()
        if not pid:
            random.seed(number)
            if number % 2:
                apart()
            anyio.run(main, folder, chain)
        say("child", pid)
        os.waitpid(pid, 0)
        say("dead", pid)


if __name__ == "__main__":
    serve(Path(sys.argv[1]), CHAINS[sys.argv[2]])
