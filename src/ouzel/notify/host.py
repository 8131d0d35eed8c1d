"""The child process from outside: started when there is something to send, ended when there was nothing for a while."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import anyio
import anyio.abc

from ouzel.base.errors import BadOption, ConnectionLost, Stalled, TargetRefused, ToolMissing
from ouzel.notify.posting import shown
from ouzel.notify.sender import Outgoing, Settings
from ouzel.system.process import open_worker, signal_all

_MOST_LINE = 1024 * 1024
_MOST_PLAIN = 1000
_WORKER = ("-m", "ouzel.notify.worker")


@dataclass(frozen=True, slots=True)
class AppriseLimits:
    threads: int = 4
    """Messages at once."""
    timeout_s: float = 50.0
    """For one, with the start of the process."""
    idle_s: float = 60.0
    """Without anything to send, before it is ended."""


@dataclass(eq=False, slots=True)
class _Child:
    process: anyio.abc.Process
    waiting: dict[int, _Waiting] = field(default_factory=dict[int, "_Waiting"])
    used_at: float = 0.0
    """By the loop's clock."""


@dataclass(eq=False, slots=True)
class _Waiting:
    done: anyio.Event = field(default_factory=anyio.Event)
    answer: Mapping[str, Any] | None = None


class AppriseHost:
    """A `Send` for all that apprise knows. Made by `open_apprise`."""

    def __init__(self, tasks: anyio.abc.TaskGroup, limits: AppriseLimits, worker: Sequence[str]) -> None:
        self._tasks = tasks
        self._limits = limits
        self._worker = worker
        self._child: _Child | None = None
        self._children: set[_Child] = set()
        self._starting = anyio.Lock()
        self._places = anyio.CapacityLimiter(limits.threads)
        self._number = 0
        self._plain: dict[str, None] = {}
        """Ids of messages that failed with a picture, the latest last: some services send the words first, and then say no to it.
        They are not to have the words again and again."""

    async def __call__(self, message: Outgoing, settings: Settings) -> None:
        """Raises: TargetRefused for what is no address; ConnectionLost for all else, as apprise does not say what it was."""
        lines = [message.text, message.url if message.url not in message.text else ""]
        body = "\n".join(line for line in lines if line) or message.title
        picture = "" if message.id in self._plain else message.picture
        doc = {"url": settings["url"], "title": message.title, "body": body, "picture": picture}
        ok, why = await self._ask(doc, settings)
        if ok:
            self._plain.pop(message.id, None)
            return
        if picture:
            self._plain[message.id] = None
            while len(self._plain) > _MOST_PLAIN:
                del self._plain[next(iter(self._plain))]
        if "no address that apprise knows" in why:
            raise TargetRefused(why)
        raise ConnectionLost(f"apprise: {why}")

    async def check(self, settings: Settings) -> None:
        """Raises: BadOption when apprise does not know such an address; ToolMissing, ConnectionLost, Stalled."""
        ok, why = await self._ask({"url": settings["url"]}, settings)
        if not ok:
            raise BadOption(why, pointer="/settings/url")

    @property
    def pids(self) -> list[int]:
        return [child.process.pid for child in self._children]

    async def _ask(self, doc: Mapping[str, Any], settings: Settings) -> tuple[bool, str]:
        async with self._places:
            child = await self._shared()
            self._number += 1
            waiting = child.waiting[number := self._number] = _Waiting()
            try:
                with anyio.move_on_after(self._limits.timeout_s):
                    assert child.process.stdin is not None
                    with suppress(anyio.BrokenResourceError, anyio.ClosedResourceError):
                        await child.process.stdin.send(json.dumps({"n": number, **doc}).encode() + b"\n")
                        await waiting.done.wait()
            finally:
                child.waiting.pop(number, None)
                child.used_at = anyio.current_time()
        if not waiting.done.is_set():
            self._give_up(child)
            raise Stalled(f"apprise did not answer within {self._limits.timeout_s:g} s")
        if waiting.answer is None:
            raise ConnectionLost("the process of apprise ended")
        ok, why = bool(waiting.answer["ok"]), shown(str(waiting.answer["why"]), settings)
        if not ok and "is not installed" in why:
            raise ToolMissing(why)
        return ok, why

    async def _shared(self) -> _Child:
        async with self._starting:
            if self._child is None:
                command = [*self._worker, str(self._limits.threads)]
                child = self._child = _Child(await open_worker(command), used_at=anyio.current_time())
                self._children.add(child)
                self._tasks.start_soon(self._read, child)
                self._tasks.start_soon(self._end_when_idle, child)
            return self._child

    async def _end_when_idle(self, child: _Child) -> None:
        while child.process.returncode is None:
            left_s = child.used_at + self._limits.idle_s - anyio.current_time()
            if child.waiting:
                left_s = self._limits.idle_s
            elif left_s <= 0:
                self._give_up(child)
                return
            with anyio.move_on_after(left_s):
                await child.process.wait()

    def _give_up(self, child: _Child) -> None:
        """It gets no more requests, and ends, with what it has started."""
        if self._child is child:
            self._child = None
        if child.process.returncode is None:
            signal_all(child.process)

    async def _read(self, child: _Child) -> None:
        """Its answers, until it ends."""
        assert child.process.stdout is not None
        held = bytearray()
        try:
            async for piece in child.process.stdout:
                held += piece
                while (end := held.find(b"\n")) >= 0:
                    self._take(child, bytes(held[:end]))
                    del held[: end + 1]
                if len(held) > _MOST_LINE:
                    break
        except ValueError:  # nonsense: it is of no more use
            pass
        finally:
            with anyio.CancelScope(shield=True):
                self._give_up(child)
                await child.process.wait()
                for waiting in child.waiting.values():
                    waiting.done.set()
                await child.process.aclose()
                self._children.discard(child)

    def _take(self, child: _Child, line: bytes) -> None:
        doc: dict[str, Any] = json.loads(line)
        waiting = child.waiting.get(doc["n"])
        if waiting is not None:
            waiting.answer = doc
            waiting.done.set()

    async def close(self) -> None:
        for child in [*self._children]:
            self._give_up(child)


@asynccontextmanager
async def open_apprise(
    limits: AppriseLimits | None = None, *, worker: Sequence[str] = _WORKER
) -> AsyncGenerator[AppriseHost]:
    """No child is started before there is something to send, and none is left behind."""
    async with anyio.create_task_group() as tasks:
        host = AppriseHost(tasks, limits or AppriseLimits(), worker)
        try:
            yield host
        finally:
            with anyio.CancelScope(shield=True):
                await host.close()
