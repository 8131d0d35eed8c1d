"""A download that dies at one of the steps that finish it: `python -m tests.join_process URL FOLDER STEP`.

It dies as by `kill -9`: nothing is cleaned up. It ends with 0 when there were fewer steps.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
from tests.downloaded import download

from ouzel.engine.download.finish import Finish

DEAD = 99


def mortal(call: Callable[..., Any], left: list[int]) -> Callable[..., Any]:
    def step(*args: Any, **options: Any) -> Any:
        left[0] -= 1
        if left[0] < 0:
            os._exit(DEAD)
        return call(*args, **options)

    return step


def main(url: str, folder: Path, steps: int) -> None:
    run, left = Finish.run, [steps]

    async def dying(self: Finish, fetched: Any) -> Any:
        for name in ("rename", "unlink", "open", "rmdir"):
            setattr(Path, name, mortal(getattr(Path, name), left))
        os.fsync = mortal(os.fsync, left)
        return await run(self, fetched)

    Finish.run = dying
    anyio.run(lambda: download(url, folder))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
