"""A daemon's view in a process of its own, on a terminal that is handed in: `python -m tests.view_process [crash]`.

It says `ready` on the descriptor $VIEW_SAYS, logs a line at SIGUSR2, ends at SIGTERM, and with `crash` with an exception then.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
from datetime import UTC, datetime

import anyio

from ouzel.cli.live import live_view
from ouzel.config.tables import LogSettings
from ouzel.daemon.logs import logging_to
from ouzel.model.overview import ChannelLine, Overview, TaskLine

_SAYS = int(os.environ["VIEW_SAYS"])
_NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
_SEEN = Overview(
    _NOON,
    "1.0",
    "",
    _NOON,
    (ChannelLine("a", "小明", "huya", "recording", title="第一局"),),
    (TaskLine("process", "poll:huya", "huya", "running"), TaskLine("recording", "rec:a", "小明", "queued")),
)


async def look() -> Overview:
    return _SEEN


async def main() -> None:
    with (
        live_view() as view,
        logging_to(LogSettings(), stream=view.log),
        anyio.open_signal_receiver(signal.SIGTERM, signal.SIGUSR2) as signals,
    ):
        async with anyio.create_task_group() as tasks:
            await tasks.start(view.run, look)
            os.write(_SAYS, b"ready\n")
            async for number in signals:
                if number == signal.SIGUSR2:
                    for _ in range(int(os.environ.get("LINES_AT_ONCE", "1"))):
                        logging.getLogger("test").info("a line of the log, of some length, so that it takes room")
                    os.write(_SAYS, b"logged\n")
                elif "crash" in sys.argv:
                    raise RuntimeError("a bug")
                else:
                    tasks.cancel_scope.cancel()
                    break


if __name__ == "__main__":
    anyio.run(main)
