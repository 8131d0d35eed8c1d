"""Processes that fetch downloads, to be killed: `python -m tests.downloads_process FOLDER`.

For each line `go` a child is forked, when everything is imported already. `child PID` is said, and by it: `put ID` for each
download that is committed, `begun NAME`, and `idle` when all are over. When it has ended, `dead PID` is said.
"""

from __future__ import annotations

import fcntl
import os
import random
import sys
from pathlib import Path

import anyio
import anyio.lowlevel

from ouzel.model.download_tasks import NewDownload
from ouzel.model.downloads import OPEN, DownloadOutcome, DownloadProgress, DownloadWish, Pace
from ouzel.model.downloads import OnDownload as Tell
from ouzel.services.download_forms import DownloadRules
from ouzel.services.downloads import Downloads
from ouzel.services.events import EventBus
from ouzel.services.secrets import SecretBox
from ouzel.services.supervisor import Supervisor
from ouzel.store.db import open_db
from ouzel.store.downloads import DownloadRepo
from ouzel.store.ownership import SqliteOwnership
from ouzel.system.clock import SystemClock

PIECES = 6
_PUT = 6
"""Downloads that each child brings."""


def say(*words: object) -> None:
    os.write(1, f"{' '.join(map(str, words))}\n".encode())


class Counting:
    """Writes a number a piece, one after the other, into a file that it holds by a lock."""

    async def run(self, wish: DownloadWish, *, on_progress: Tell) -> DownloadOutcome:
        say("begun", wish.stem)
        path = wish.folder / f"{wish.stem}.ts"
        wish.folder.mkdir(exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            there = len(os.read(descriptor, 1000).splitlines())
            for number in range(there, PIECES):
                await anyio.lowlevel.checkpoint()
                os.write(descriptor, f"{number}\n".encode())
                on_progress(DownloadProgress("fetching", number + 1, PIECES, file=str(path)))
        except BlockingIOError:
            say("twice", wish.stem)
            raise
        finally:
            os.close(descriptor)
        return DownloadOutcome(path, None, "ts", 2 * PIECES, float(PIECES), PIECES, 0)


async def main(folder: Path, number: int) -> None:
    clock = SystemClock()
    async with open_db(folder / "ouzel.db", clock) as db:
        ownership, bus = SqliteOwnership(db), EventBus(db)
        repo, rules = DownloadRepo(db, ownership), DownloadRules(folder / "media", pace=Pace(retry_delay_s=0.0))
        downloads = Downloads(db, repo, bus, SecretBox(b"k" * 32), rules, Counting)
        supervisor = Supervisor(ownership, {"dl": downloads.body(3)}, clock, settle=downloads.settle)
        changed = anyio.Event()
        db.listen(lambda _event: changed.set())
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(supervisor.run)
            for each in range(_PUT):
                new = NewDownload("https://example.org/a.m3u8", f"{number}-{each}", prio=random.randrange(3))
                say("put", (await downloads.add(new)).id)
            while True:
                changed = anyio.Event()
                counts = await repo.counts()
                if not any(counts[state] for state in OPEN):
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
