"""The child process: hosts the adapters and all that they import. Started by `host`; speaks JSON lines over its standard streams.

Tokens are kept in the folder OUZEL_STATE, if there is one.

Requests: `{"n", "url", "only", "options"}`, or `{"n", "probe": {URL: ID}, "options"}`. Answers: `{"n", "told", "rss"}`,
or with `peeks` in place of `told`, in any order. What the libraries print goes to standard error. It ends when its input does,
whatever its threads are doing.
"""

from __future__ import annotations

import json
import os
import re
import sys
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TextIO, cast

from ouzel.base.errors import OuzelError
from ouzel.model.evidence import Evidence
from ouzel.platforms.adapters import adapter_for
from ouzel.platforms.chain import Told, expand, resolve
from ouzel.platforms.contract import Options
from ouzel.platforms.keeping import Store
from ouzel.platforms.peeking import probe
from ouzel.platforms.registry import registry
from ouzel.platforms.wire import parse_options, render_peeks, render_told

_HALVES = re.compile("[\ud800-\udfff]")
"""Of characters that a site has cut through: they cannot be written."""


def main() -> None:
    """Serve until the input ends. The argument: how many requests at once."""
    lines, answers = _own_streams()
    registry()  # by one thread: Python 3.11 does not parse in several at once
    lock = threading.Lock()
    state = os.environ.get("OUZEL_STATE")
    store = Store(Path(state)) if state else None

    def serve(doc: Mapping[str, Any]) -> None:
        options = parse_options(doc["options"])
        if "probe" in doc:
            said = {"peeks": render_peeks(probe(doc["probe"], registry(), options, adapter_for))}
        else:
            said = {"told": render_told(answer(doc["url"], doc["only"], options, store))}
        line = json.dumps({"n": doc["n"], **said, "rss": _rss()}, ensure_ascii=False)
        with lock:
            answers.write(_HALVES.sub("\ufffd", line) + "\n")
            answers.flush()

    pool = ThreadPoolExecutor(int(sys.argv[1]), thread_name_prefix="resolve")
    for line in lines:
        pool.submit(_whole, serve, json.loads(line))
    os._exit(0)


def answer(url: str, only: Any, options: Options, store: Store | None = None) -> Told:
    """What is on air at this address of a platform, or where its short link leads."""
    platforms = registry()
    try:
        match = platforms.find(url)
        if match is None:
            short = platforms.find_short(url)
            if short is None:
                raise platforms.unknown(url)
            match = expand(short, platforms, options)
    except OuzelError as exc:
        seen = cast("list[dict[str, Any]]", exc.context.get("evidence", []))
        return Told(only or "", exc, tuple(Evidence(**each) for each in seen))
    return resolve(match, options, adapter_for, only, store)


def _whole(serve: Any, doc: Mapping[str, Any]) -> None:
    """A bug of ours must not look like a site that does not answer: the process ends, and its owner sees why."""
    try:
        serve(doc)
    except BaseException as exc:  # noqa: BLE001 - told, and not survived
        sys.excepthook(type(exc), exc, exc.__traceback__)
        os._exit(70)


def _own_streams() -> tuple[TextIO, TextIO]:
    """Our two pipes, moved to where no library writes."""
    lines = os.fdopen(os.dup(0), "r", encoding="utf-8")
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    return lines, answers


def _rss() -> int:
    """Resident memory, bytes; 0 where the system does not tell."""
    try:
        with open("/proc/self/statm", encoding="ascii") as file:  # noqa: PTH123 - read for each answer
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0


if __name__ == "__main__":
    main()
