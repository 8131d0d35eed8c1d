"""What is told while recordings run must never stop them.

A terminal that was halted with Ctrl+S, or a pipe that nobody empties, makes every write wait; on the event loop that would be
the end of all recordings. So what cannot be written now is kept here until it can.
"""

from __future__ import annotations

import errno
import os
import select
import stat
import time
from typing import TextIO

_LIMIT_BYTES = 16 * 1024 * 1024
"""Kept for a reader that does not read. That is days of events; what comes after it is counted, and lost."""
_PIECE = 4096
"""A pipe that is ready takes so much without waiting (pipe(7), PIPE_BUF)."""
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class Outbox:
    """Writes to one stream, in order, without ever waiting but in `drain`.

    Raises: OSError, ValueError when the stream has no descriptor.
    """

    def __init__(self, stream: TextIO) -> None:
        self._encoding, self._errors = stream.encoding, stream.errors or "strict"
        stream.flush()
        self._fd = stream.fileno()
        self._own = _reopened(self._fd)
        self._piece = _LIMIT_BYTES if stat.S_ISREG(os.fstat(self._fd).st_mode) else _PIECE
        self._poll = select.poll()
        self._poll.register(self._out, select.POLLOUT)
        self._waiting = bytearray()
        self.lost = 0
        """Texts that were not dispensable, and for which there was no room."""
        self.full = False
        """The disk had no room for some of it."""

    @property
    def _out(self) -> int:
        return self._fd if self._own is None else self._own

    @property
    def empty(self) -> bool:
        """Nothing waits."""
        return not self._waiting

    def put(self, text: str, *, dispensable: bool = False) -> bool:
        """Write, or keep for later. Returns: whether it is or will be written; what is dispensable is not, while others wait."""
        self.flush()
        if self._waiting and (dispensable or len(self._waiting) > _LIMIT_BYTES):
            self.lost += not dispensable
            return False
        self._waiting += text.encode(self._encoding, self._errors)
        self.flush()
        return True

    def flush(self) -> None:
        """Write what can be written at once."""
        while self._waiting and self._poll.poll(0):
            try:
                done = os.write(self._out, self._waiting[: self._piece])
            except BlockingIOError:
                return
            except OSError as exc:  # the reader has gone away, or its disk is full: no reason to end a recording
                self.full = self.full or is_full(exc)
                done = len(self._waiting)
            if not done:  # a terminal with room for one byte, and none for the two of a line's end
                return
            del self._waiting[:done]

    def drain(self, within_s: float | None = None) -> None:
        """Write all of it, for as long as that takes, or for so long at most; then the stream is as it was."""
        until = None if within_s is None else time.monotonic() + within_s
        while self._waiting:
            left_s = None if until is None else until - time.monotonic()
            if left_s is not None and left_s <= 0:
                self._waiting.clear()  # nobody reads it
                break
            self._poll.poll(None if left_s is None else left_s * 1000)
            self.flush()
        if self._own is not None:
            os.close(self._own)
            self._own = None


def is_full(exc: OSError) -> bool:
    """Whether there was no room on a disk for what was to be written."""
    return exc.errno in _FULL


def _reopened(fd: int) -> int | None:
    """The same pipe or terminal, opened for us alone, so that it can be told not to wait: others share what we were given."""
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        try:
            return os.open(f"/dev/fd/{fd}", os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
        except OSError:
            pass  # a socket, or a system that has no such folder
    return None
