"""Processes that run a download, to be killed: `python -m tests.engine_process FOLDER`.

For each line `go` a child is forked, when everything is imported already; it downloads the address in `FOLDER/url` into
`FOLDER/out`. `child PID` is said, and by it `done PATH`. When it has ended, `dead PID` is said.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import anyio
from tests.downloaded import download

import ouzel.engine.sources.aes


def say(*words: object) -> None:
    os.write(1, f"{' '.join(map(str, words))}\n".encode())


async def main(folder: Path) -> None:
    say("done", (await download((folder / "url").read_text(), folder / "out")).path)


def serve(folder: Path) -> None:
    assert ouzel.engine.sources.aes  # imported before the fork
    for _ in sys.stdin:
        pid = os.fork()
        if not pid:
            anyio.run(main, folder)
            os._exit(0)
        say("child", pid)
        os.waitpid(pid, 0)
        say("dead", pid)


if __name__ == "__main__":
    serve(Path(sys.argv[1]))
