"""Work on closed files that is killed at several moments: `python -m tests.media_process KIND FOLDER`.

`FOLDER/seed` holds the files to begin with. For each moment a copy of it, 1 … 10, is worked on by a child that dies there as by
`kill -9`, and then by one that may finish. Prints one JSON object a moment.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import anyio
from tests.recordings import NOON

from ouzel.engine.afterwards.clock import make_clock
from ouzel.engine.afterwards.encode import EncodeWish, encode
from ouzel.engine.afterwards.pictures import PicturesWish, make_pictures
from ouzel.engine.ledgers import digest
from ouzel.model import ledger
from ouzel.testing.clock import FakeClock

MOMENTS = 10
DEAD = 99

Tell = Callable[[float], None]
Kind = Callable[[Path, Tell], Awaitable[Any]]


async def _encode(folder: Path, tell: Tell) -> None:
    wish = EncodeWish("mp4", height=90)
    await encode(folder / "show.ts", wish, keep_original=False, clock=FakeClock(NOON), on_progress=tell)


async def _pictures(folder: Path, tell: Tell) -> None:
    await make_pictures(folder / "show.ts", PicturesWish(every_s=1), on_progress=tell)


async def _clock(folder: Path, _tell: Tell) -> None:
    await make_clock(folder / "show.ts")


KINDS: dict[str, Kind] = {"encode": _encode, "pictures": _pictures, "clock": _clock}


class Fuse:
    """Counts the moments at which something is about to happen on the disk, or was told; at the last one it ends all."""

    def __init__(self, left: int) -> None:
        self.left = left
        self.count = 0

    def burn(self) -> None:
        self.count += 1
        if self.count == self.left:
            os._exit(DEAD)

    def before(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def step(*args: Any, **options: Any) -> Any:
            self.burn()
            return call(*args, **options)

        return step


def work(kind: str, folder: Path, left: int, told: Path) -> int:
    """In a child of its own. Returns: how it ended; a child that came to its end has written down how many moments it saw."""
    if child := os.fork():
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    fuse = Fuse(left)
    for name in ("rename", "replace", "unlink"):
        setattr(Path, name, fuse.before(getattr(Path, name)))
    for name in ("open", "fsync", "ftruncate", "write"):
        setattr(os, name, fuse.before(getattr(os, name)))
    code = 1
    try:
        anyio.run(KINDS[kind], folder, lambda _share: fuse.burn())
        told.write_text(str(fuse.count))
        code = 0
    except BaseException as exc:  # noqa: BLE001
        sys.stderr.write(f"{folder}: {exc!r}\n")
        sys.stderr.flush()
    finally:
        os._exit(code)


def names(folder: Path) -> dict[str, str]:
    return {path.name: digest(path) for path in sorted(folder.iterdir())}


def told_digests(folder: Path) -> list[str]:
    """Of products, by their ledgers."""
    held = [ledger.read(path.read_bytes()) for path in sorted(folder.glob("*.ledger"))]
    return [product.digest for each in held for product in each.products]


def main(kind: str, folder: Path) -> None:
    told, whole = folder / "count", folder / "whole"
    shutil.copytree(folder / "seed", whole)
    assert work(kind, whole, 0, told) == 0
    total = int(told.read_text())
    print(json.dumps({"total": total, "names": names(whole)}))
    for moment in range(1, MOMENTS + 1):
        here = folder / str(moment)
        shutil.copytree(folder / "seed", here)
        code = work(kind, here, max(1, round(total * moment / MOMENTS)), told)
        left = names(here)
        again = work(kind, here, 0, told)
        doc = {"code": code, "left": left, "again": again, "names": names(here), "told": told_digests(here)}
        print(json.dumps(doc), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
