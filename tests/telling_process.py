"""Processes that tell what happens, to be killed: `python -m tests.telling_process FOLDER`.

For each line `go` a child is forked, when everything is imported already. `child PID` is said, and by it: `put NUMBER` for each
event that is committed, and `idle` when nothing waits to be told. What is told is written to `FOLDER/told`, a line for each
message that is sent: the number of the child, the target, and the numbers of the events in it.
"""

from __future__ import annotations

import os
import random
import sys
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
from tests.component.newsroom import Box

from ouzel.base.errors import ConnectFailed, NotFound
from ouzel.model.happening import Happening
from ouzel.notify.sender import Outgoing
from ouzel.services.channels import Channels
from ouzel.services.notices import Notices
from ouzel.services.routes import Routes
from ouzel.services.targets import Targets
from ouzel.services.telling import Telling
from ouzel.services.telling_out import Outbox
from ouzel.store.db import open_db
from ouzel.store.messages import MessageRepo
from ouzel.system.clock import SystemClock

_PUT = 12
"""Events that each child brings."""


def say(*words: object) -> None:
    os.write(1, f"{' '.join(map(str, words))}\n".encode())


class Hasty(SystemClock):
    """A thousand times as fast as others, the same in all processes."""

    def now(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=self.monotonic() * 1000)


class Paper:
    """A service that writes down what it is told, and is away now and then."""

    def __init__(self, path: Path, child: int) -> None:
        self._child = child
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    async def send(self, kind: str, settings: Mapping[str, Any], message: Outgoing) -> None:
        await anyio.lowlevel.checkpoint()
        if random.random() < 0.1:
            raise ConnectFailed("away")
        numbers = [each["data"]["number"] for each in message.data.get("messages", ())] or [message.data["number"]]
        os.write(self._file, f"{self._child} {settings['url']} {' '.join(map(str, numbers))}\n".encode())

    async def check(self, kind: str, settings: Mapping[str, Any]) -> None:
        pass


async def main(folder: Path, number: int) -> None:
    async with open_db(folder / "ouzel.db", Hasty()) as db:
        channels, notices, box = Channels(db, Box()), Notices(db), Box()
        paper = Paper(folder / "told", number)
        targets = Targets(db, box, paper)

        async def nap(_seconds: float) -> None:
            await anyio.sleep(0.001)

        outbox = Outbox(db, targets, paper, notices, sleep=nap)
        telling = Telling(db, channels, outbox, sleep=nap)
        db.listen(telling.hear)
        changed = anyio.Event()
        db.listen(lambda _event: changed.set())
        await telling.look()
        try:
            await targets.get("a")
        except NotFound:
            for name in ("a", "b"):
                await targets.add(name, {"kind": "webhook", "settings": {"url": f"http://{name}"}}, by="test")
            await Routes(db).add("all", {"targets": ["a", "b"], "events": ["download.finished"]}, by="test")
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(telling.run)
            for each in range(_PUT):
                async with db.transaction() as tx:
                    tx.emit(Happening("download.finished", f"{number}-{each}", {"name": "x"}))
                say("put", f"{number}-{each}")
            while True:
                changed = anyio.Event()
                events = await db.events_after(await MessageRepo(db).told_until() or 0)
                behind = any(event.code == "download.finished" for event in events)
                if not await MessageRepo(db).waited_for() and not behind:
                    say("idle")
                with anyio.move_on_after(0.05):
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
