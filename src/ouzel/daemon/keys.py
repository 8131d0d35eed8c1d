"""Keys that are pressed in the terminal while the daemon runs. They are a convenience: nothing about them may stop it.

The terminal is left to whoever has it: only while we are in its foreground is its mode changed, and read from it.
"""

from __future__ import annotations

import os
import signal
import termios
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from typing import Any

import anyio

CTRL_P = "\x10"
_LOOK_S = 0.5
"""Between two looks whether we are in the foreground."""
_LFLAG, _CC = 3, 6
_MOST = 64


class Keyboard:
    """The terminal's input, with each key given at once and not shown. Signals (Ctrl+C, Ctrl+Z) and Ctrl+S stay as they are.

    Made by `open_keyboard`.
    """

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._before: list[Any] | None = None
        """The mode that was there when we changed it."""

    def is_ours(self) -> bool:
        """Whether we are in the foreground of the terminal; then its mode is ours, too. Raises: OSError when it is gone."""
        if os.tcgetpgrp(self._fd) != os.getpgrp():
            self._before = None  # who has it now has set a mode of its own
            return False
        if self._before is None:
            self._take()
        return True

    def _take(self) -> None:
        try:
            before, mode = termios.tcgetattr(self._fd), termios.tcgetattr(self._fd)
            mode[_LFLAG] &= ~(termios.ICANON | termios.ECHO)
            mode[_CC][termios.VMIN], mode[_CC][termios.VTIME] = 1, 0
            termios.tcsetattr(self._fd, termios.TCSANOW, mode)
        except termios.error as exc:
            raise OSError(*exc.args) from exc
        self._before = before

    def restore(self) -> None:
        """As it was; also before an end that runs no clean-up."""
        before, self._before = self._before, None
        if before is not None:
            with suppress(OSError, termios.error):  # the terminal is gone
                if os.tcgetpgrp(self._fd) == os.getpgrp():
                    termios.tcsetattr(self._fd, termios.TCSANOW, before)

    async def run(self, pressed: Callable[[str], None]) -> None:
        """Tell of keys until cancelled, or the terminal is gone."""
        with suppress(OSError):
            while True:
                if not self.is_ours():
                    await anyio.sleep(_LOOK_S)
                    continue
                with anyio.move_on_after(_LOOK_S):
                    await anyio.wait_readable(self._fd)
                keys = self._read()
                if keys is None:
                    continue
                if not keys:
                    return
                for key in keys.decode(errors="replace"):
                    pressed(key)

    def _read(self) -> bytes | None:
        """None: nothing was pressed."""
        try:
            return os.read(self._fd, _MOST)
        except BlockingIOError:
            return None
        except OSError:
            if self.is_ours():
                raise
            return None  # we were put into the background a moment ago


@contextmanager
def open_keyboard(fd: int) -> Generator[Keyboard | None]:
    """The keyboard of a terminal, until the context ends; then its mode is as it was. None where `fd` is no terminal."""
    own = _reopened(fd)
    if own is None:
        yield None
        return
    keyboard = Keyboard(own)
    try:
        yield keyboard
    finally:
        keyboard.restore()
        os.close(own)


@contextmanager
def never_stopped() -> Generator[None]:
    """A job in the background that reads from the terminal, sets its mode, or (`stty tostop`) writes, is stopped, unless it
    ignores that."""
    numbers = (signal.SIGTTIN, signal.SIGTTOU)
    before = {number: signal.signal(number, signal.SIG_IGN) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _reopened(fd: int) -> int | None:
    """The same terminal, opened for us alone, so that it can be told not to wait: others share what we were given."""
    try:
        return os.open(os.ttyname(fd), os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    except OSError:  # closed, no terminal, or another user's
        return None
