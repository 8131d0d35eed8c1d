"""The whole daemon in the process of the test, so that a test can look into it, and make it impatient."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

import anyio

from ouzel.config.load import load_settings
from ouzel.config.sources import Override
from ouzel.daemon.build import Daemon
from ouzel.daemon.run import Ready, serve


@asynccontextmanager
async def daemon_on(**options: object) -> AsyncGenerator[Daemon]:
    """Args: options: keys of the settings, with their tables; the port is any that is free."""
    told = {"server.port": 0, **options}
    settings = load_settings(None, [], [Override("test", key, str(value)) for key, value in told.items()])
    stop, begun = anyio.Event(), anyio.Event()
    found: list[Daemon] = []

    def ready(now: Ready) -> None:
        found.append(now.daemon)
        begun.set()

    async def run() -> None:
        await serve(settings, ready, stop=stop)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(run)
        with anyio.fail_after(60):
            await begun.wait()
        try:
            yield found[0]
        finally:
            stop.set()


async def reached(test: Callable[[], bool]) -> None:
    with anyio.fail_after(60):
        while not test():  # noqa: ASYNC110 - plain numbers, which tell nobody
            await anyio.sleep(0.05)
