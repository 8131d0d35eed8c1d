"""A process that works with an engine, for tests that kill, freeze or double it.

    python -m tests.station_process ENGINE FOLDER KEY

It wants KEY, runs a body for each key that it gets, and says in lines what happens: `up`, `began KEY EPOCH`, `wrote KEY EPOCH`,
`refused KEY EPOCH`, `ended KEY REASON`, `freezing`, `fenced`, `left`. It obeys lines: `write` (each grant that it ever had writes
an event), `beat`, `unwant`, `freeze` (outside of any transaction: an embedded database waits for whoever is within one), `stop`.
Beats come only when they are asked for: no test depends on when.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import anyio
from tests.engines import ENGINES, Station

from ouzel.base.errors import StaleOwner
from ouzel.model.happening import Happening
from ouzel.model.ownership import Terms
from ouzel.services.bodies import Body, Context
from ouzel.services.supervisor import Supervisor
from ouzel.system.clock import SystemClock

_LONGEST_S = 60


def say(*words: object) -> None:
    print(*words, flush=True)


class Worker:
    def __init__(self, station: Station, key: str) -> None:
        self.station = station
        self.key = key
        self.contexts: list[Context] = []
        self.supervisor = Supervisor(station.ownership, {"rec": Body(self.run, 5, 5.0)}, SystemClock())

    async def run(self, ctx: Context) -> None:
        self.contexts.append(ctx)
        say("began", ctx.key, ctx.epoch)
        try:
            await ctx.stopping.wait()
        finally:
            say("ended", ctx.key, ctx.reason)

    async def obey(self) -> None:
        buffer = ""
        while True:
            await anyio.wait_readable(sys.stdin)
            if not (heard := os.read(sys.stdin.fileno(), 4096)):
                return self.supervisor.stop(0)  # whoever started us is gone
            *lines, buffer = (buffer + heard.decode()).split("\n")
            for line in lines:
                await self.do(line)

    async def do(self, line: str) -> None:
        if line == "write":
            for ctx in self.contexts:
                await self.write(ctx)
        elif line == "beat":
            self.supervisor.wake()
        elif line == "unwant":
            await self.station.ownership.unwant(self.key)
        elif line == "freeze":
            async with self.station.rows.transaction():
                say("freezing")
            os.kill(os.getpid(), signal.SIGSTOP)
        elif line == "stop":
            self.supervisor.stop(5.0)

    async def write(self, ctx: Context) -> None:
        try:
            await ctx.emit(Happening("recording.changed", ctx.key, {"epoch": ctx.epoch}))
        except StaleOwner:
            say("refused", ctx.key, ctx.epoch)
        else:
            say("wrote", ctx.key, ctx.epoch)

    async def work(self) -> None:
        try:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self.obey)
                await self.station.ownership.want(self.key, {})
                say("up")
                await self.supervisor.run()
                tasks.cancel_scope.cancel()
            say("left")
        except* StaleOwner:
            say("fenced")


async def main(engine: str, folder: Path, key: str) -> None:
    with anyio.fail_after(_LONGEST_S):  # a test that waits for a line hears of it
        async with ENGINES[engine](folder).station(SystemClock(), terms=Terms(beat_s=3600, ttl_s=7200)) as station:
            await Worker(station, key).work()


if __name__ == "__main__":
    anyio.run(main, sys.argv[1], Path(sys.argv[2]), sys.argv[3])
