"""The child process (`system.worker`): hosts the adapters and all that they import. Started by `host`.

Tokens are kept in the folder OUZEL_STATE, if there is one.

Requests: `{"n", "url", "only", "options"}`, or `{"n", "probe": {URL: ID}, "options"}`. Answers: `{"n", "told", "rss"}`,
or with `peeks` in place of `told`.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from ouzel.base.errors import OuzelError
from ouzel.model.evidence import Evidence
from ouzel.platforms.adapters import adapter_for
from ouzel.platforms.chain import Told, expand, resolve
from ouzel.platforms.contract import Options
from ouzel.platforms.keeping import Store
from ouzel.platforms.peeking import probe
from ouzel.platforms.registry import registry
from ouzel.platforms.wire import parse_options, render_peeks, render_told
from ouzel.system.worker import Question, own_streams, serve


def main() -> None:
    """Serve until the input ends. The argument: how many requests at once."""
    streams = own_streams()
    registry()  # by one thread: Python 3.11 does not parse in several at once
    state = os.environ.get("OUZEL_STATE")
    store = Store(Path(state)) if state else None

    def serve_one(doc: Question) -> Mapping[str, Any]:
        options = parse_options(doc["options"])
        if "probe" in doc:
            said = {"peeks": render_peeks(probe(doc["probe"], registry(), options, adapter_for))}
        else:
            said = {"told": render_told(answer(doc["url"], doc["only"], options, store))}
        return {**said, "rss": _rss()}

    serve(streams, serve_one, int(sys.argv[1]))


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


def _rss() -> int:
    """Resident memory, bytes; 0 where the system does not tell."""
    try:
        with open("/proc/self/statm", encoding="ascii") as file:  # noqa: PTH123 - read for each answer
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0


if __name__ == "__main__":
    main()
