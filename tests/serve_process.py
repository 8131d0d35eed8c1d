"""Daemons on one data folder, one after the other, to be killed: `python -m tests.serve_process FOLDER`.

For each line `go` a child is forked, when everything is imported already; it says `child PID`, `ready`, and `event CODE CHANNEL`
for each event that it stores. When it has ended, `dead PID STATUS` is said.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import anyio

from ouzel.config.load import load_settings
from ouzel.config.sources import Override
from ouzel.daemon.run import Ready, serve
from ouzel.model.happening import StoredEvent


def say(*words: object) -> None:
    os.write(1, f"{' '.join(map(str, words))}\n".encode())


async def main(folder: Path) -> None:
    options = {"storage.data": str(folder), "server.port": "0", "storage.min_free": "1KiB"}
    settings = load_settings(None, [], [Override("test", key, text) for key, text in options.items()])

    def heard(event: StoredEvent) -> None:
        say("event", event.code, event.channel_id or "")

    def ready(now: Ready) -> None:
        now.daemon.db.listen(heard)
        say("ready")

    await serve(settings, ready)


def mother(folder: Path) -> None:
    for _line in sys.stdin:
        pid = os.fork()
        if not pid:
            anyio.run(main, folder)
            os._exit(0)
        say("child", pid)
        _, status = os.waitpid(pid, 0)
        say("dead", pid, status)


if __name__ == "__main__":
    mother(Path(sys.argv[1]))
