"""The child process of `placing`: copies one file, makes it last, and reads it again from the disk.

    python -m ouzel.engine.copying SOURCE TARGET

TARGET is there, and its content of no use. It answers with one JSON document on its last line of output: sizes and digests of
what it has read and of what it has read again; or, in `refused`, what the system says of which file. On the lines before it
tells how many bytes are done, of twice the size. Kept apart from what starts it, so that it imports little.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import xxhash

from ouzel.engine.saying import say

_BUFFER_BYTES = 1 << 20
_SETTLED_BYTES = 32 << 20
"""So much is at most on its way to the disk: who records has to write there, too."""


def main(argv: list[str]) -> None:
    source, target = argv
    try:
        doc = _copy(source, target)
    except OSError as exc:
        doc = {"refused": {"errno": exc.errno, "path": exc.filename or target}}
    say(doc)


def _copy(source: str, target: str) -> dict[str, Any]:
    reading = os.open(source, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        writing = os.open(target, os.O_RDWR | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            size, digest = _pass(reading, lambda data: _write(writing, data, target), 0, lambda: _settle(writing))
            status = os.fstat(reading)
            with suppress(
                PermissionError
            ):  # of a share that belongs to somebody else: its time is worth less than its place
                os.utime(writing, ns=(status.st_atime_ns, status.st_mtime_ns))
            os.fsync(writing)
            _settle(writing)
            os.lseek(writing, 0, os.SEEK_SET)
            again, digest_again = _pass(writing, lambda _data: None, size, lambda: None)
            return {"size": size, "digest": digest, "size_again": again, "digest_again": digest_again}
        finally:
            os.close(writing)
    finally:
        os.close(reading)


def _pass(fd: int, take: Callable[[memoryview], None], before: int, settle: Callable[[], None]) -> tuple[int, str]:
    """Bytes, and their digest. What was read is not kept in memory: others have more use for that."""
    total, buffer = xxhash.xxh3_64(), bytearray(_BUFFER_BYTES)
    view, done, settled = memoryview(buffer), 0, 0
    while count := os.readv(fd, [buffer]):
        total.update(view[:count])
        take(view[:count])
        done += count
        if done - settled >= _SETTLED_BYTES:
            settle()
            _forget(fd)
            settled = done
            say({"done": before + done})
    return done, total.hexdigest()


def _write(fd: int, data: memoryview, target: str) -> None:
    """A full disk takes a part, and says so only when it is asked again."""
    left = data
    while left:
        try:
            left = left[os.write(fd, left) :]
        except OSError as exc:
            raise OSError(exc.errno, exc.strerror, target) from exc


def _settle(fd: int) -> None:
    os.fsync(fd)
    _forget(fd)


def _forget(fd: int) -> None:
    """It is read from the disk next time."""
    if hasattr(os, "posix_fadvise"):
        os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)


if __name__ == "__main__":
    main(sys.argv[1:])
