"""A remote in memory: what was put there, and what it says when it is told to fail."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio.lowlevel

from ouzel.base.errors import OuzelError, RemoteTaken
from ouzel.model.remotes import Found, Sent


@dataclass
class FakeRemote:
    """Does what `engine.transfer` does; and gives itself, whatever way is asked for."""

    files: dict[str, bytes] = field(default_factory=dict[str, bytes])
    puts: list[str] = field(default_factory=list[str])
    """Keys of what was sent, in their order."""
    errors: list[OuzelError] = field(default_factory=list[OuzelError])
    """Raised by the next calls, one each."""
    on_put: Callable[[], None] = lambda: None
    """Called when something is there, before that is told."""

    def open(self, kind: str, settings: Mapping[str, Any]) -> FakeRemote:  # noqa: ARG002
        return self

    async def put(self, path: Path, key: str, *, may_replace: bool, on_bytes: Callable[[int], None]) -> Sent:
        await self._visit()
        data = path.read_bytes()  # noqa: ASYNC240
        if (was_there := self.files.get(key) == data) is False:
            if key in self.files and not may_replace:
                raise RemoteTaken(f"something else is at {key} already: give the step another path")
            self.files[key] = data
            self.puts.append(key)
        on_bytes(len(data))
        self.on_put()
        return Sent(_found(data), was_there)

    async def look(self, key: str) -> Found | None:
        await self._visit()
        return _found(self.files[key]) if key in self.files else None

    async def test(self, key: str) -> None:  # noqa: ARG002
        await self._visit()

    async def _visit(self) -> None:
        await anyio.lowlevel.checkpoint()
        if self.errors:
            raise self.errors.pop(0)


def _found(data: bytes) -> Found:
    digest = hashlib.md5(data, usedforsecurity=False).hexdigest()
    return Found(len(data), f'"{digest}"', f"md5:{digest}")
