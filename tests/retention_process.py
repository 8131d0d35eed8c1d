"""Processes that keep rules, to be killed: `python -m tests.retention_process FOLDER`.

For each line `go` a child is forked, when everything is imported already. `child PID` is said, and by it: `gone` for each file
that it has unlinked, `event CODE` for each event, and `idle` when nothing is left. When it has ended, `dead PID` is said.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import anyio
from tests.retained import keeper

from ouzel.engine import removal
from ouzel.model.happening import StoredEvent
from ouzel.model.jobs import OPEN


def say(*words: object) -> None:
    os.write(1, f"{' '.join(map(str, words))}\n".encode())


def _tell_unlink() -> None:
    """A kill is as likely between two files as anywhere else."""
    unlink = os.unlink

    def told(path: str, *, dir_fd: int | None = None) -> None:
        unlink(path, dir_fd=dir_fd)
        say("gone")

    removal.os.unlink = told  # type: ignore[attr-defined]


async def main(folder: Path) -> None:
    async with keeper(folder) as keep:
        keep.lib.db.listen(_tell)
        await keep.queue.settle()
        while True:
            if (await keep.retention.plan()).plan.steps:
                await keep.retention.start()
            elif not any(row[state] for row in (await keep.queue.stats()).values() for state in OPEN):
                say("idle")
                await anyio.sleep_forever()
            await anyio.sleep(0.001)


def _tell(event: StoredEvent) -> None:
    say("event", event.code)


def serve(folder: Path) -> None:
    for _line in sys.stdin:
        pid = os.fork()
        if not pid:
            _tell_unlink()
            anyio.run(main, folder)
        say("child", pid)
        os.waitpid(pid, 0)
        say("dead", pid)


if __name__ == "__main__":
    serve(Path(sys.argv[1]))
