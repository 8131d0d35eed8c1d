"""A worker whose adapters do what plugins do on bad days. What, stands in the address: picarto.tv/WHAT."""

from __future__ import annotations

import ctypes
import os
import sys
import time
from pathlib import Path

from ouzel.base.errors import SiteChanged
from ouzel.model.live import Answer, Live
from ouzel.model.stream import Stream
from ouzel.platforms import worker
from ouzel.platforms.asking import Site
from ouzel.platforms.contract import Adapter, AdapterName, Match, Options
from ouzel.platforms.watch import current


class Odd:
    def __init__(self, name: AdapterName) -> None:
        self.name = name

    def resolve(self, match: Match, site: Site, options: Options) -> Answer:
        current().answered("GET", match.url, 200, "application/json", "{}")
        what = match["user"]
        if what == "sleeps":
            time.sleep(3600)
        if what == "holds":
            Path(os.environ["HELD"]).touch()
            ctypes.PyDLL(None).sleep(3600)  # and no other thread can run
        if what == "crashes":
            ctypes.string_at(0)
        if what == "exits":
            os._exit(3)
        if what == "tells":
            print(f"options: {options}", file=sys.stderr, flush=True)
            os._exit(3)
        if what == "prints":
            print("{garbage" * 1000)
            sys.stdout.flush()
            os.write(1, b"more garbage\n")
        if what == "grows":
            held.append(bytearray(40_000_000))
        if what == "stumbles":
            raise IndexError("list index out of range")
        if what == "changed":
            raise SiteChanged("no data.room any more")
        if what == "secret":
            raise ValueError(f"cannot log in with {options.cookies}")
        return Live(
            match.identity(what), what, (Stream(f"https://cdn.example/{what}.flv", headers=(("Referer", "x"),)),)
        )


held: list[bytearray] = []


def adapter_for(name: AdapterName, _match: Match) -> Adapter:
    return Odd(name)


if __name__ == "__main__":
    worker.adapter_for = adapter_for
    worker.main()
