"""Recordings that take real time: all of a module are made at the same time, and each test looks at one of them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import anyio
from tests.component.conftest import QUICK, Studio

HANG_S = 90.0
"""Far beyond anything that is right. Not a measure of speed."""
PATIENT = replace(QUICK, stall_s=10.0, park_s=60.0)
"""For a machine that has other things to do: what is slow has not stalled."""

Scene = Callable[[Studio], Awaitable[Any]]


class Takes:
    """What the scenes gave, by name. One that failed fails the test that asks for it."""

    def __init__(self, made: Mapping[str, Any]) -> None:
        self._made = made

    def __getitem__(self, name: str) -> Any:
        found = self._made[name]
        if isinstance(found, BaseException):
            raise found
        return found


def shoot(scenes: Mapping[str, Scene], folder: Path) -> Takes:
    """Play all scenes at the same time, each with a patient studio and a folder of its own."""

    async def play_all() -> list[Any]:
        takes = (scene(Studio(folder / name, PATIENT)) for name, scene in scenes.items())
        return await asyncio.gather(*takes, return_exceptions=True)

    return Takes(dict(zip(scenes, anyio.run(play_all), strict=True)))


async def until(condition: Callable[[], bool]) -> None:
    with anyio.fail_after(HANG_S):
        while not condition():  # noqa: ASYNC110 - counters, of which no event tells
            await anyio.sleep(0.01)
