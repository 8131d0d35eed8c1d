"""What a person sees of the daemon: a live table in a terminal; anywhere its tasks, at Ctrl+P or SIGUSR1.

Whoever reads it slowly, or not at all, sees less of it: the daemon never waits for that.
"""

from __future__ import annotations

import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass

import anyio
from anyio.abc import TaskStatus

from ouzel.base.errors import OuzelError
from ouzel.daemon.keys import CTRL_P, Keyboard, never_stopped, open_keyboard
from ouzel.daemon.screen import Box, Screen
from ouzel.daemon.words import Words
from ouzel.model.overview import Overview

_TICK_S = 1.0
_AWAY_S = 2.0
"""Between two looks whether we are in the foreground again."""

Look = Callable[[], Awaitable[Overview]]


@dataclass(frozen=True, slots=True)
class Terminal:
    """Where the table is drawn."""

    fd: int
    size: Callable[[], tuple[int, int]]
    """Columns and rows, now."""
    colour: bool
    keys_fd: int
    """Where keys are read: a terminal, or anything."""

    def is_front(self) -> bool:
        """Whether it shows us now, or another job of the same shell."""
        try:
            return os.tcgetpgrp(self.fd) == os.getpgrp()
        except OSError:  # it steers nobody's jobs
            return True


class View:
    """Made by `open_view`.

    Args:
        box: of standard output.
        terminal: None where it is none.
    """

    def __init__(self, box: Box, words: Words, terminal: Terminal | None, keyboard: Keyboard | None) -> None:
        self.log: Screen | None = None
        """Where log lines go, so that they scroll above the table; None: to standard error, as ever."""
        self._box = box
        self._words = words
        self._terminal = terminal
        self._keyboard = keyboard
        self._asked = anyio.Event()
        if terminal is not None:
            self.log = Screen(box, terminal.size, lambda count: words.tr("output_lost", count=count))

    async def run(self, look: Look, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        """Show until cancelled. Started when signals are obeyed. What cannot be looked up is shown as such."""
        with _afterwards_as_before(signal.SIGUSR1), anyio.open_signal_receiver(signal.SIGUSR1) as signals:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self._obey, signals)
                tasks.start_soon(self._answer, look)
                if self._keyboard is not None:
                    tasks.start_soon(self._keyboard.run, self._pressed)
                if self._terminal is not None and self.log is not None:
                    tasks.start_soon(self._draw, look, self._terminal, self.log)
                task_status.started()

    def close(self) -> None:
        """The terminal as it was; also to be called before an end that runs no clean-up."""
        if self.log is not None:
            self.log.clear()
        if self._keyboard is not None:
            self._keyboard.restore()

    def tell(self, text: str) -> None:
        """Lines of the output, above the table."""
        if self.log is not None:
            self.log.write(f"{text}\n")
        else:
            self._box.put(f"{text}\n")

    async def _draw(self, look: Look, terminal: Terminal, screen: Screen) -> None:
        from ouzel.daemon.table import Table

        while True:
            if not terminal.is_front():
                await anyio.sleep(_AWAY_S)
                continue
            try:
                seen = await look()
            except OuzelError as exc:
                picture = [self._words.reason(exc.code, str(exc))[: terminal.size()[0] - 1]]
            else:
                width, height = terminal.size()
                picture = Table(self._words, width, height - 1, terminal.colour).picture(seen)
            if terminal.is_front():
                screen.paint(picture)
            await anyio.sleep(_TICK_S)

    def _pressed(self, key: str) -> None:
        if key == CTRL_P:
            self._asked.set()

    async def _obey(self, signals: AsyncIterator[signal.Signals]) -> None:
        async for _ in signals:
            self._asked.set()

    async def _answer(self, look: Look) -> None:
        """Print every task with its state whenever somebody has asked; who asks again while that waits is answered once."""
        while True:
            await self._asked.wait()
            from ouzel.daemon.table import Table  # and with it rich's table of characters

            self._asked = anyio.Event()
            width = self._terminal.size()[0] if self._terminal is not None else None
            try:
                lines = Table(self._words, width).tasks(await look())
            except OuzelError as exc:
                lines = [self._words.reason(exc.code, str(exc))]
            self.tell("\n".join(lines))
            while not self._box.empty:
                await anyio.sleep(_TICK_S)
                (self.log or self._box).flush()


@contextmanager
def _afterwards_as_before(number: signal.Signals) -> Generator[None]:
    """The loop would leave it to the system, which ends the process."""
    before = signal.getsignal(number)
    try:
        yield
    finally:
        signal.signal(number, before)


@contextmanager
def open_view(box: Box, words: Words, terminal: Terminal | None) -> Generator[View]:
    """However the context ends, the terminal is then as it was."""
    if terminal is None:
        yield View(box, words, None, None)
        return
    with never_stopped(), open_keyboard(terminal.keys_fd) as keyboard:
        view = View(box, words, terminal, keyboard)
        try:
            yield view
        finally:
            view.close()
