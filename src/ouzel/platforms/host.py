"""The child process from outside: started on first use, asked, timed, recycled, replaced.

A plugin that hangs costs its own answer: after `timeout_s` the request is given up and the child gets no new ones; it is ended
when the others in it are done. One that takes the interpreter down is found by asking again, each request that was in the child
alone in a child of its own: only the one that does it a second time is an error.
"""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from subprocess import PIPE
from typing import Any

import anyio
import anyio.abc

from ouzel.base.errors import BadUrl, ResolverFailed
from ouzel.base.urls import redact_text
from ouzel.platforms import keeping, upgrade
from ouzel.platforms.chain import Told
from ouzel.platforms.contract import AdapterName, Options
from ouzel.platforms.peeking import Peeked
from ouzel.platforms.registry import registry
from ouzel.platforms.secrets import hide, secrets_of
from ouzel.platforms.upgrade import Upgrades
from ouzel.platforms.wire import parse_peeks, parse_told, render_options
from ouzel.system.process import open_worker, signal_all

_MOST_LINE = 64 * 1024 * 1024
_SHOWN = 300
_REQUEST_SHARE = 0.6
"""Of the time for one resolve that a single request may take: a site that does not answer is told as that."""
_SUSPECTS = 2
"""Children at once that are started for one request each."""


@dataclass(frozen=True, slots=True)
class HostLimits:
    """How much one child may do."""

    threads: int = 16
    """Requests at once."""
    requests: int = 2000
    """After so many a fresh one takes over."""
    rss_bytes: int = 700 * 1024 * 1024
    """The same, by its memory."""
    timeout_s: float = 90.0
    """For one request, with all its adapters."""


@dataclass(eq=False, slots=True)
class _Waiting:
    """A request that is in a child."""

    doc: Mapping[str, Any]
    done: anyio.Event = field(default_factory=anyio.Event)
    said: Told | dict[str, Peeked] | None = None
    lost: str = ""
    """How the child ended, if it did without an answer."""


@dataclass(eq=False, slots=True)
class _Child:
    process: anyio.abc.Process
    waiting: dict[int, _Waiting] = field(default_factory=dict[int, _Waiting])
    served: int = 0
    rss: int = 0
    retired: bool = False
    said: bytearray = field(default_factory=bytearray)


class ResolverHost:
    """Asks platforms, in a child process. Made by `open_host`."""

    def __init__(
        self, tasks: anyio.abc.TaskGroup, limits: HostLimits, worker: Sequence[str], env: Mapping[str, str]
    ) -> None:
        self._tasks = tasks
        self._env = env
        self._limits = limits
        self._worker = worker
        self._child: _Child | None = None
        self._children: set[_Child] = set()
        self._starting = anyio.Lock()
        self._places = anyio.CapacityLimiter(limits.threads)
        self._suspects = anyio.CapacityLimiter(_SUSPECTS)
        self._number = 0
        self.started = 0
        """Children that were started so far."""

    async def resolve(self, url: str, options: Options | None = None, *, only: AdapterName | None = None) -> Told:
        """What is on air there. Never raises an OuzelError: it is the outcome.

        Args:
            only: ask this adapter alone.
        """
        given = options or Options()
        waiting = await self._answered({"url": url, "only": only}, given)
        if isinstance(waiting.said, Told):
            return waiting.said
        return Told(only or "", self._gave_up(waiting, url, given), ())

    async def probe(self, urls: Mapping[str, str], options: Options | None = None) -> Mapping[str, Peeked]:
        """Who seems to be on air, by as few questions as the platforms allow. It may be behind what `resolve` says.

        Never raises an OuzelError, nor says "offline" on the word of a request that failed.

        Args:
            urls: addresses, each with the id of its identity, or with nothing where that is not known.
        Returns: for each of them what was told, why it was not, or None where the platform does not tell without more ado.
        """
        given, told = options or Options(), dict[str, Peeked]()
        groups: dict[str, dict[str, str]] = {}
        for url, known in urls.items():
            groups.setdefault(_platform_of(url), {})[url] = known

        async def ask(group: dict[str, str]) -> None:
            waiting = await self._answered({"probe": group}, given)
            if isinstance(waiting.said, dict):
                told.update(waiting.said)
            else:
                told.update(dict.fromkeys(group, self._gave_up(waiting, next(iter(group)), given)))

        async with anyio.create_task_group() as tasks:
            for group in groups.values():
                tasks.start_soon(ask, group)
        return told

    async def _answered(self, question: Mapping[str, Any], given: Options) -> _Waiting:
        self._number += 1
        asked = replace(given, timeout_s=min(given.timeout_s, _REQUEST_SHARE * self._limits.timeout_s))
        doc = {"n": self._number, **question, "options": render_options(asked)}
        async with self._places:
            waiting = await self._ask(await self._shared(), doc)
            if waiting.said is None and waiting.lost:
                waiting = await self._alone(doc)
        return waiting

    def _gave_up(self, waiting: _Waiting, url: str, given: Options) -> ResolverFailed:
        why = hide(redact_text(waiting.lost), secrets_of(given)) or f"no answer within {self._limits.timeout_s:g} s"
        return ResolverFailed(f"the resolver gave up on {url[:200]}: {why}")

    @property
    def pids(self) -> list[int]:
        return [child.process.pid for child in self._children]

    async def _alone(self, doc: Mapping[str, Any]) -> _Waiting:
        async with self._suspects:
            child = await self._start()
            child.retired = True
            return await self._ask(child, doc)

    async def _ask(self, child: _Child, doc: Mapping[str, Any]) -> _Waiting:
        waiting = child.waiting[doc["n"]] = _Waiting(doc)
        child.served += 1
        try:
            assert child.process.stdin is not None
            with anyio.move_on_after(self._limits.timeout_s):
                try:
                    await child.process.stdin.send(json.dumps(doc).encode() + b"\n")
                except (anyio.BrokenResourceError, anyio.ClosedResourceError):
                    child.retired = True
                await waiting.done.wait()
            if waiting.said is None:  # hung, or gone
                child.retired = True
        finally:
            child.waiting.pop(doc["n"], None)
            self._end_if_done(child)
        return waiting

    async def _shared(self) -> _Child:
        """The child that takes requests now."""
        async with self._starting:
            child, limits = self._child, self._limits
            if child is not None and (child.served >= limits.requests or child.rss >= limits.rss_bytes):
                child.retired = True
                self._end_if_done(child)
            if child is None or child.retired:
                child = self._child = await self._start()
            return child

    async def _start(self) -> _Child:
        command = [*self._worker, str(self._limits.threads)]
        child = _Child(await open_worker(command, env=self._env, stderr=PIPE))
        self._children.add(child)
        self.started += 1
        self._tasks.start_soon(self._read, child)
        self._tasks.start_soon(self._listen, child)
        return child

    def _end_if_done(self, child: _Child) -> None:
        if child.retired and not child.waiting and child.process.returncode is None:
            signal_all(child.process)

    async def _read(self, child: _Child) -> None:
        """Its answers, until it ends."""
        why = "its process ended"
        try:
            await self._take_answers(child)
        except (ValueError, KeyError, TypeError) as exc:
            why = f"it answered with nonsense ({type(exc).__name__})"
        finally:
            with anyio.CancelScope(shield=True):
                await self._bury(child, why)

    async def _bury(self, child: _Child, why: str) -> None:
        child.retired = True
        if child.process.returncode is None:
            signal_all(child.process)  # its output is closed, or cannot be read: it is of no more use
        code = await child.process.wait()
        last = child.said.decode("utf-8", "replace").strip().splitlines()[-1:]
        for waiting in child.waiting.values():
            waiting.lost = f"{why} ({code}){': ' + last[0][:_SHOWN] if last else ''}"
            waiting.done.set()
        await child.process.aclose()
        self._children.discard(child)

    async def _take_answers(self, child: _Child) -> None:
        assert child.process.stdout is not None
        held = bytearray()
        async for piece in child.process.stdout:
            held += piece
            while (end := held.find(b"\n")) >= 0:
                doc = json.loads(held[:end])
                del held[: end + 1]
                child.rss = doc["rss"]
                waiting = child.waiting.get(doc["n"])
                if waiting is not None:
                    waiting.said = parse_told(doc["told"]) if "told" in doc else parse_peeks(doc["peeks"])
                    waiting.done.set()
            if len(held) > _MOST_LINE:
                raise ValueError("an answer without end")

    async def _listen(self, child: _Child) -> None:
        """What it says on standard error: the end of it tells why it died."""
        assert child.process.stderr is not None
        try:
            async for piece in child.process.stderr:
                child.said += piece
                del child.said[:-4096]
        except (anyio.BrokenResourceError, anyio.ClosedResourceError):
            pass

    async def close(self) -> None:
        for child in [*self._children]:
            child.retired = True
            if child.process.returncode is None:
                signal_all(child.process)


def _usual() -> Mapping[str, str]:
    return {**Upgrades(upgrade.default_folder()).environment(), "OUZEL_STATE": str(keeping.default_folder())}


def _platform_of(url: str) -> str:
    try:
        match = registry().find(url)
    except BadUrl:
        return ""
    return match.platform.name if match else ""


@asynccontextmanager
async def open_host(
    limits: HostLimits | None = None,
    *,
    worker: Sequence[str] = ("-m", "ouzel.platforms.worker"),
    env: Mapping[str, str] | None = None,
) -> AsyncGenerator[ResolverHost]:
    """A host; no child is started before it is asked, and none is left behind.

    Args:
        worker: what the interpreter is told to run; it gets the number of threads as its last argument.
        env: variables for the child, beside those that every child gets; None: those that lead to upgraded libraries and to
            the tokens that are kept.
    """
    async with anyio.create_task_group() as tasks:
        host = ResolverHost(tasks, limits or HostLimits(), worker, _usual() if env is None else env)
        try:
            yield host
        finally:
            with anyio.CancelScope(shield=True):
                await host.close()
