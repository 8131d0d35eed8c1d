"""What must be true of work on closed files, at whichever moment it is killed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import anyio.to_thread
from tests.media_process import DEAD, MOMENTS
from tests.recordings import record

from ouzel.engine import ledgers
from ouzel.testing.clips import Clip


async def killed(
    kind: str,
    folder: Path,
    clip: Clip,
    products: set[str],
    *,
    originals: set[str],
    replaced: bool = False,
    last: str = "",
) -> None:
    """See `tests.media_process`. `replaced`: the originals go when the products are there. `last`: the product
    that tells of all others."""
    (folder / "seed").mkdir()
    for name in sorted(originals):
        record(folder / "seed", clip, name=name.partition(".")[0])
    seed = {name: ledgers.digest(folder / "seed" / name) for name in originals}
    command = [sys.executable, "-m", "tests.media_process", kind, str(folder)]
    ended = await anyio.to_thread.run_sync(lambda: subprocess.run(command, check=True, capture_output=True, text=True))
    first, *moments = [json.loads(line) for line in ended.stdout.splitlines()]
    whole = {name: first["names"][name] for name in products}
    assert len(moments) == MOMENTS
    assert [each["code"] for each in moments] == [DEAD] * MOMENTS, ended.stderr
    for each in moments:
        left = each["left"]
        assert last not in left or products <= left.keys(), "what tells of the others comes last"
        for name in products & left.keys():
            is_whole = left[name] == whole[name] or left[name] in each["told"]
            assert is_whole, "nothing half has the name of the whole"
        if not products <= left.keys():
            assert seed.items() <= left.items(), "nothing is lost"
        assert each["again"] == 0, ended.stderr
        assert each["names"].keys() == first["names"].keys(), "nothing unfinished stays"
        for (
            name,
            digest,
        ) in whole.items():  # what was encoded may be laid out in another way, and its ledger tells of that
            assert each["names"][name] in {digest, *each["told"]}, (whole, each)
        assert replaced or seed.items() <= each["names"].items()
