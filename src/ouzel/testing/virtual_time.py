"""Time that passes at once: an event loop whose clock jumps to the next timer whenever nothing else can run.

    simulate(main)       # an hour of `anyio.sleep` in as long as the work between takes

What threads are at work on stops the clock: that of `anyio.to_thread` is known, other work says so itself
(`VirtualLoop.working`), such as what waits for another process. What the database is asked is done on the spot. Sockets are
served, but do not stop the clock.
"""

from __future__ import annotations

import asyncio
import selectors
from asyncio import Future
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from queue import SimpleQueue
from typing import Any, TypeVar
from unittest import mock

import aiosqlite.core
import anyio
import anyio.to_thread

T = TypeVar("T")
_Work = tuple[Future[Any] | None, Callable[[], Any]]


class _Selector(selectors.BaseSelector):
    """In place of waiting for a timer it moves the clock on."""

    def __init__(self, now_s: float) -> None:
        self._real = selectors.DefaultSelector()
        self.now_s = now_s
        self.busy = 0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None or timeout <= 0 or self.busy:
            return self._real.select(None if self.busy and timeout != 0 else timeout)
        ready = self._real.select(0)
        if not ready:
            self.now_s += timeout
        return ready

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return self._real.register(fileobj, events, data)

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        return self._real.unregister(fileobj)

    def get_map(self) -> Any:
        return self._real.get_map()

    def close(self) -> None:
        self._real.close()


class VirtualLoop(asyncio.SelectorEventLoop):
    def __init__(self, begin_s: float = 0.0) -> None:
        self._hands = _Selector(begin_s)
        super().__init__(self._hands)

    def time(self) -> float:
        return self._hands.now_s

    @contextmanager
    def working(self) -> Generator[None]:
        """The clock stands still meanwhile. Whatever is waited for must wake the loop: a thread, a pipe, a socket."""
        self.begin_work()
        try:
            yield
        finally:
            self.end_work()

    def begin_work(self) -> None:
        self._hands.busy += 1

    def end_work(self, _done: object = None) -> None:
        self._hands.busy -= 1


class VirtualClock:
    """The hands of a running `VirtualLoop`, as a clock that is handed in."""

    def __init__(self, start: datetime = datetime(2026, 1, 1, tzinfo=UTC)) -> None:
        self._start = start

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self.monotonic())

    def monotonic(self) -> float:
        return asyncio.get_running_loop().time()


class _Queue(SimpleQueue[_Work]):
    """What is handed to a thread of the database is done on the spot instead: nothing to wait for, and always one order."""

    def put_nowait(self, item: _Work) -> None:
        future, function = item
        if future is None or not isinstance(future.get_loop(), VirtualLoop):
            super().put_nowait(item)
            return
        try:
            result = function()
        except Exception as exc:  # noqa: BLE001 - it is whoever waits for the future who is to know
            future.set_exception(exc)
            return
        future.set_result(result)
        if result is aiosqlite.core._STOP_RUNNING_SENTINEL:  # pyright: ignore[reportPrivateUsage]
            super().put_nowait((None, lambda: result))  # the thread that had nothing to do ends


_run_sync = anyio.to_thread.run_sync


async def _run_in_thread(func: Callable[..., Any], *args: Any, **options: Any) -> Any:
    loop = asyncio.get_running_loop()
    if not isinstance(loop, VirtualLoop):
        return await _run_sync(func, *args, **options)
    with loop.working():
        return await _run_sync(func, *args, **options)


def simulate(main: Callable[[], Awaitable[T]], *, begin_s: float = 0.0) -> T:
    """Run it like `anyio.run`, in virtual time, which begins at `begin_s`."""
    with mock.patch("aiosqlite.core.SimpleQueue", _Queue), mock.patch("anyio.to_thread.run_sync", _run_in_thread):
        return anyio.run(main, backend_options={"loop_factory": partial(VirtualLoop, begin_s)})


def virtual_loop() -> VirtualLoop:
    """The one that is running."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    return loop
