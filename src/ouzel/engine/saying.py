"""How a child that looks into files answers: JSON on lines of its standard output, the document on the last one.

Lines before that tell with `done` the share that is done. What cannot be read is a document, too: `refused`. `probe.ask` reads
it.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any


def say(doc: dict[str, Any]) -> None:
    """One line."""
    sys.stdout.write(json.dumps(doc) + "\n")
    sys.stdout.flush()


def answer(work: Callable[[], dict[str, Any]]) -> None:
    """What the work says, or that PyAV or the system refuse the file; anything else is a bug, and ends the child."""
    from av.error import FFmpegError, InvalidDataError

    try:
        doc = work()
    except (FFmpegError, OSError) as exc:
        why = getattr(exc, "strerror", None) or str(exc)
        doc = {"refused": {"not_media": isinstance(exc, InvalidDataError), "why": why}}
    say(doc)
