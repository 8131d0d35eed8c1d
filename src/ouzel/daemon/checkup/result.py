"""What was found out about one thing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

Level: TypeAlias = Literal["ok", "warning", "error"]


@dataclass(frozen=True, slots=True)
class Result:
    """`code` is a promise, as that of an error. How it is said, and how it is mended, stands with the texts."""

    level: Level
    """`warning`: it works, but not all of it, or not for long; `error`: the daemon would not start, or would record nothing."""
    code: str
    about: Mapping[str, object]
    """JSON values. Redacted."""


def ok(code: str, **about: object) -> Result:
    return Result("ok", code, about)


def warning(code: str, **about: object) -> Result:
    return Result("warning", code, about)


def error(code: str, **about: object) -> Result:
    return Result("error", code, about)
