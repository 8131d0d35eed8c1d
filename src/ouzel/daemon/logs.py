"""Where the daemon's log goes. Whoever logs puts a record into a bounded queue; a thread makes the line and waits for the disk.

When the queue is full, or the line cannot be written, it is lost; how many were is told as soon as lines can be written again.
"""

from __future__ import annotations

import copy
import logging
import logging.handlers
import queue
import sys
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from ouzel.config.tables import Level, LogSettings
from ouzel.daemon.log_lines import JsonLines, TextLines
from ouzel.engine.sinks.file import make_folder, storage_error

_RECORDS = 10_000
_LEVELS: Mapping[Level, int] = {
    "error": logging.ERROR,
    "warning": logging.WARNING,
    "info": logging.INFO,
    "debug": logging.DEBUG,
}
_QUIET: Mapping[str, int] = {
    "aiosqlite": logging.INFO,
    "asyncio": logging.INFO,
    "httpcore": logging.INFO,
    "httpx": logging.WARNING,
    "mcp": logging.INFO,
    "sqlalchemy": logging.WARNING,
    "uvicorn.asgi": logging.INFO,
    "uvicorn.error": logging.WARNING,
}
"""What libraries tell of each of their steps is nobody's concern."""
_ACCESS = "uvicorn.access"
"""A line for each request: at `debug` only."""
_HANDED_ON = ("uvicorn", "uvicorn.error", _ACCESS)


@contextmanager
def logging_to(settings: LogSettings, *, level: Level | None = None, stream: TextIO | None = None) -> Generator[None]:
    """Everything that is logged goes where the settings say, until the context ends; then what waits has been written.

    Start uvicorn with `log_config=None`: its loggers are among these.

    Args:
        level: of `--quiet` or `--verbose`, instead of the one that is set.
        stream: instead of standard error, where no file is set.
    Raises: ReadOnly, DiskFull, StorageError when the file cannot be opened.
    """
    handler = _handler(settings, stream)
    handler.setFormatter(JsonLines() if settings.format == "json" else TextLines())
    records: queue.Queue[logging.LogRecord | None] = queue.Queue(_RECORDS)
    losses = _Losses()
    handler.losses = losses
    listener = _Listener(records, handler, losses)
    with _handed_over(_Into(records, losses), _LEVELS[level or settings.level]):
        listener.start()
        try:
            yield
        finally:
            listener.stop()
            listener.tell_losses()
            handler.close()


class _Losses:
    """How many records became no line. One more or less is of no account: it is counted without a lock."""

    def __init__(self) -> None:
        self.count = 0

    def take(self) -> int:
        count, self.count = self.count, 0
        return count


class _Into(logging.handlers.QueueHandler):
    """On the loop's side: makes a record independent of what it tells of, and never waits."""

    def __init__(self, records: queue.Queue[logging.LogRecord | None], losses: _Losses) -> None:
        super().__init__(records)
        self._losses = losses

    def prepare(self, record: logging.LogRecord) -> logging.LogRecord:
        record = copy.copy(record)
        record.msg, record.args = record.getMessage(), None
        if record.exc_info:
            record.exc_text, record.exc_info = logging.Formatter().formatException(record.exc_info), None
        return record

    def enqueue(self, record: logging.LogRecord) -> None:
        try:
            self.queue.put_nowait(record)
        except queue.Full:
            self._losses.count += 1


class _Listener(logging.handlers.QueueListener):
    """On its own thread."""

    def __init__(
        self, records: queue.Queue[logging.LogRecord | None], handler: logging.Handler, losses: _Losses
    ) -> None:
        super().__init__(records, handler)
        self._records = records
        self._losses = losses

    def handle(self, record: logging.LogRecord) -> None:
        self.tell_losses()
        super().handle(record)

    def tell_losses(self) -> None:
        if count := self._losses.take():
            doc = {"levelno": logging.WARNING, "levelname": "WARNING", "lost": count}
            super().handle(logging.makeLogRecord({"name": __name__, "msg": "lines of this log were lost", **doc}))

    def enqueue_sentinel(self) -> None:
        self._records.put(None)  # in a full queue, too


class _Writer(logging.Handler):
    """What both have in common: a disk that refuses, or a reader that has gone away, costs lines and nothing else."""

    losses = _Losses()

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - its name
        if isinstance(sys.exc_info()[1], OSError | ValueError):  # the latter of a file that is closed
            self.losses.count += 1
        else:
            super().handleError(record)


class _ToStream(_Writer, logging.StreamHandler[TextIO]):
    pass


class _ToFile(_Writer, logging.handlers.RotatingFileHandler):
    pass


def _handler(settings: LogSettings, stream: TextIO | None) -> _ToStream | _ToFile:
    path = settings.file
    if path == Path():
        return _ToStream(stream or sys.stderr)
    make_folder(path.parent)
    try:
        return _ToFile(path, maxBytes=settings.file_size, backupCount=settings.files_kept, encoding="utf-8")
    except OSError as exc:
        raise storage_error(exc, path) from exc


@contextmanager
def _handed_over(handler: logging.Handler, level: int) -> Generator[None]:
    """All loggers speak to this handler, and to it alone."""
    root = logging.getLogger()
    before = root.handlers[:], root.level
    floors = {**_QUIET, _ACCESS: logging.INFO if level <= logging.DEBUG else logging.WARNING}
    loggers = {name: logging.getLogger(name) for name in (*floors, *_HANDED_ON)}
    told = {name: (each.handlers[:], each.level, each.propagate) for name, each in loggers.items()}
    for name, each in loggers.items():
        each.handlers, each.propagate = [], True
        each.setLevel(max(floors[name], level) if name in floors else logging.NOTSET)
    root.handlers = [handler]
    root.setLevel(level)
    logging.captureWarnings(True)
    try:
        yield
    finally:
        logging.captureWarnings(False)
        root.handlers = before[0]
        root.setLevel(before[1])
        for name, each in loggers.items():
            each.handlers, each.propagate = told[name][0], told[name][2]
            each.setLevel(told[name][1])
