"""A bucket that speaks S3: each request is a child process that has obstore, so that the daemon never imports it.

An object is there whole, or not at all: S3 shows nothing of an upload before its last part was taken.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import anyio

from ouzel.base.errors import (
    CopyDiffers,
    OuzelError,
    RemoteFull,
    RemoteRefused,
    RemoteTaken,
    RemoteUnreachable,
    StorageError,
    ToolFailed,
    ToolMissing,
)
from ouzel.engine.transfer.transport import OnBytes, Settings, TransferRules
from ouzel.model.remotes import Found, Sent
from ouzel.system.process import NICE, Child, read_lines, spawn

_CHILD = ("-m", "ouzel.engine.transfer.s3_child")
_ERRORS: Mapping[str, type[OuzelError]] = {
    each.code: each
    for each in (
        RemoteRefused, RemoteUnreachable, RemoteFull, RemoteTaken, CopyDiffers, ToolMissing, StorageError,
        *StorageError.__subclasses__(),
    )
}  # fmt: skip
_LOOKS_S = 60.0
"""More than the timeout: what the child may take for what it does beside waiting, before it is given up."""


class S3:
    """A `Transport`."""

    def __init__(self, settings: Settings, rules: TransferRules) -> None:
        self._settings = dict(settings)
        self._rules = rules

    async def put(self, path: Path, key: str, *, may_replace: bool, on_bytes: OnBytes) -> Sent:
        more = {"path": str(path), "may_replace": may_replace, "rate": self._rules.rate_bytes_s}
        doc = await self._ask("put", key, more, on_bytes)
        return Sent(Found(**doc["found"]), bool(doc["was_there"]))

    async def look(self, key: str) -> Found | None:
        doc = await self._ask("look", key, {}, None)
        return None if doc["found"] is None else Found(**doc["found"])

    async def test(self, key: str) -> None:
        await self._ask("test", key, {}, None)

    async def _ask(self, op: str, key: str, more: Mapping[str, Any], on_bytes: OnBytes | None) -> dict[str, Any]:
        request = {"op": op, "key": key, "settings": self._settings, "timeout_s": self._rules.timeout_s, **more}
        data = json.dumps(request).encode() + b"\n"
        limit_s = None if op == "put" else self._rules.timeout_s * 5 + _LOOKS_S
        last: dict[str, Any] = {}

        def hear(line: str) -> None:
            doc: dict[str, Any] = json.loads(line)
            if "bytes" not in doc:
                last.update(doc)
            elif on_bytes is not None:
                on_bytes(doc["bytes"])

        async with spawn([sys.executable, *_CHILD], stdin=data, nice=NICE) as child:
            with anyio.move_on_after(limit_s):
                await read_lines(child, hear)
                if await child.wait() or not last:
                    raise _died(child)
                return _answer(last)
        raise RemoteUnreachable(f"no answer within {limit_s:g} s")


def _died(child: Child) -> OuzelError:
    """Who was killed from outside did nothing wrong."""
    if child.returncode is not None and child.returncode < 0:
        return RemoteUnreachable(f"what sends {child.failure().message.partition(' ')[2]}")
    return child.failure() if child.returncode else ToolFailed("the child that sends said nothing")


def _answer(doc: dict[str, Any]) -> dict[str, Any]:
    """Raises: what the child says."""
    if "code" in doc:
        raise _ERRORS.get(doc["code"], RemoteRefused)(doc["why"])
    return doc
