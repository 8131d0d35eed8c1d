"""All that is looked at."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import TypeVar

import anyio.to_thread

from ouzel.config.load import with_folders
from ouzel.config.settings import Settings
from ouzel.daemon.checkup.configuration import check_secrets, check_settings
from ouzel.daemon.checkup.database import check_database
from ouzel.daemon.checkup.doors import check_online, check_port
from ouzel.daemon.checkup.folders import check_folders
from ouzel.daemon.checkup.machine import check_clock, check_descriptors, check_packages, check_power, check_python
from ouzel.daemon.checkup.programs import check_ffmpeg, check_javascript, check_resolvers
from ouzel.daemon.checkup.result import Result
from ouzel.system.clock import Clock
from ouzel.system.ffmpeg import FfmpegFinder
from ouzel.system.http import Http1Client

T = TypeVar("T")


async def examine(given: Path | None, clock: Clock, *, online: bool) -> AsyncIterator[Result]:
    """What is found, as soon as it is known. Settings that cannot be read are told of, and the default ones used instead.

    Args:
        given: the settings file; None: the usual one.
        online: ask the network, too; nothing is asked otherwise.
    """
    settings, found = await _in_thread(lambda: check_settings(given))
    for each in found:
        yield each
    settings = settings or with_folders(Settings())
    for each in await _in_thread(lambda: [*check_secrets(settings, settings.storage.data)]):
        yield each
    yield check_python()
    for each in await check_packages():
        yield each
    yield await check_ffmpeg(FfmpegFinder())
    yield check_javascript()
    yield await _in_thread(check_resolvers)
    for each in await _in_thread(lambda: [*check_folders(settings)]):
        yield each
    yield await _in_thread(lambda: check_database(settings.storage.data))
    yield await _in_thread(lambda: check_port(settings))
    yield check_power()
    yield check_descriptors()
    for each in check_clock(clock.now()):
        yield each
    if online:
        async with Http1Client() as http:
            async for each in check_online(settings, http, clock):
                yield each


async def _in_thread(work: Callable[[], T]) -> T:
    return await anyio.to_thread.run_sync(work)
