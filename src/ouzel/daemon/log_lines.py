"""A record of the log as a line: for people, or as a JSON object. Addresses and secrets in it are redacted."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from ouzel.base.urls import redact_text
from ouzel.model.ledger import stamp

_OWN = frozenset({*vars(logging.makeLogRecord({})), "message", "asctime", "taskName", "color_message"})
"""What every record has; uvicorn says its messages once more, for terminals."""
_CONTROL: Mapping[int, str] = {
    **{number: f"\\x{number:02x}" for number in (*range(32), *range(127, 160))},
    **dict.fromkeys((*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x2028, 0x2029), "\ufffd"),
    ord("\n"): "\\n",
    ord("\t"): "\\t",
    ord("\r"): "\\r",
}
"""Titles and names are written by strangers: they begin no line of their own, and steer no terminal."""


class JsonLines(logging.Formatter):
    """`{"at", "level", "logger", "message", …}`: what was given as `extra`, and `error` with the traceback of an exception."""

    def format(self, record: logging.LogRecord) -> str:
        doc: dict[str, Any] = {
            "at": stamp(_when(record)),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": redact_text(record.getMessage()),
        }
        doc |= {name: value for name, value in _fields(record).items() if name not in doc}
        if error := _error(record):
            doc["error"] = error
        return json.dumps(doc, ensure_ascii=False)


class TextLines(logging.Formatter):
    """Local time, level, logger, message, and what was given as `extra`; the traceback of an exception on lines of its own."""

    def format(self, record: logging.LogRecord) -> str:
        at = _when(record).astimezone().isoformat(sep=" ", timespec="milliseconds")[:23]
        message = redact_text(record.getMessage()).translate(_CONTROL)
        fields = "".join(f"  {name}={_written(value)}" for name, value in _fields(record).items())
        line = f"{at} {record.levelname.lower():<7} {record.name}: {message}{fields}"
        error = _error(record)
        return "\n".join([line, *(f"    {each.translate(_CONTROL)}" for each in error.splitlines())])


def _when(record: logging.LogRecord) -> datetime:
    return datetime.fromtimestamp(record.created, UTC)


def _fields(record: logging.LogRecord) -> Mapping[str, Any]:
    return {name: _redacted(value) for name, value in vars(record).items() if name not in _OWN}


def _redacted(value: object) -> object:
    """A number or a truth as it is, everything else as a text."""
    if value is None or isinstance(value, bool | int | float):
        return value
    return redact_text(str(value))


def _written(value: object) -> str:
    return str(value).translate(_CONTROL) if isinstance(value, str) and " " not in value else _quoted(value)


def _quoted(value: object) -> str:
    return json.dumps(value, ensure_ascii=False).translate(_CONTROL)


def _error(record: logging.LogRecord) -> str:
    text = record.exc_text or (logging.Formatter().formatException(record.exc_info) if record.exc_info else "")
    stack = record.stack_info or ""
    return redact_text("\n".join(each for each in (text, stack) if each))
