"""The inside of a child process that answers questions: JSON lines come and go over its standard streams, in any order.

A question is `{"n", …}`, its answer `{"n", …}` with the same number. What libraries print goes to standard error. It ends when
its input does, whatever its threads are doing. `system.process.open_worker` starts it.
"""

from __future__ import annotations

import json
import os
import re
import sys
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NoReturn, TextIO

Question = Mapping[str, Any]
_HALVES = re.compile("[\ud800-\udfff]")
"""Of characters that somebody has cut through: they cannot be written."""
_BUG = 70
"""`EX_SOFTWARE` of sysexits.h."""


def own_streams() -> tuple[TextIO, TextIO]:
    """Our two pipes, moved to where no library writes."""
    lines = os.fdopen(os.dup(0), "r", encoding="utf-8")
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    return lines, answers


def serve(streams: tuple[TextIO, TextIO], answer: Callable[[Question], Mapping[str, Any]], at_once: int) -> NoReturn:
    """Until the input ends.

    Args:
        streams: of `own_streams`.
        answer: called in one of `at_once` threads; a bug of ours must not look like somebody who does not answer: whatever it
            raises ends the process, and its owner sees why.
    """
    lines, answers = streams
    lock = threading.Lock()

    def reply(doc: Question) -> None:
        try:
            line = json.dumps({"n": doc["n"], **answer(doc)}, ensure_ascii=False)
            with lock:
                answers.write(_HALVES.sub("\ufffd", line) + "\n")
                answers.flush()
        except BaseException as exc:  # noqa: BLE001 - told, and not survived
            sys.excepthook(type(exc), exc, exc.__traceback__)
            os._exit(_BUG)

    pool = ThreadPoolExecutor(at_once, thread_name_prefix="worker")
    for line in lines:
        pool.submit(reply, json.loads(line))
    os._exit(0)
