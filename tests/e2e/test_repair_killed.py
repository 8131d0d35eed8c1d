"""`ouzel repair`, killed again and again while what stands behind the holes makes room: in the end it is whole."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from anyio.to_thread import run_sync
from tests.command import ouzel
from tests.component.test_download_cases import clear
from tests.downloaded import download, packets, playlist
from tests.e2e.test_engine_killed import Killer, position, whole

from ouzel.base.errors import Incomplete
from ouzel.testing.vod import Faults, VodServer

pytestmark = pytest.mark.anyio
_COUNT = 24
_KILLS = 8
PARTS = [packets(900 + 3 * number, number) for number in range(_COUNT)]
LOST = (0, 3, 4, 11, 17, 23)


async def test_killed_at_eight_moments(tmp_path: Path) -> None:
    chance, refetched, codes = random.Random(20261123), 0, list[int]()
    listed = playlist([f"{number}.ts" for number in range(_COUNT)])
    async with VodServer({**clear(PARTS, "ts"), "/film.m3u8": listed}) as vod:
        vod.faults = {f"/{number}.ts": Faults(answers=[404] * 50) for number in LOST}
        with pytest.raises(Incomplete):
            await download(vod.url("/film.m3u8"), tmp_path)
        film = tmp_path / "film.ts"
        total = sum(len(PARTS[number]) for number in LOST)
        for _ in range(_KILLS):
            vod.faults = {f"/{number}.ts": Faults(slow_bps=2_000_000) for number in LOST}
            there = await run_sync(whole, tmp_path)
            vod.forget()
            killer = Killer(vod, chance.randrange(total // 4))
            command = [sys.executable, "-m", "ouzel", "repair", str(film), "--json"]
            process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # noqa: ASYNC220
            killer.pid = process.pid
            codes.append(await run_sync(process.wait))
            refetched += len({position(each) for each in vod.requests} & there)
            if not codes[-1]:
                break
        vod.watch, vod.faults = lambda: None, {}
        done = await run_sync(lambda: ouzel(str(film), "--json", cwd=tmp_path, command="repair"))
        assert done.code == 0, done.out + done.err
    assert json.loads(done.out.splitlines()[-1])["left"] == []
    assert film.read_bytes() == b"".join(PARTS)
    assert codes.count(-signal.SIGKILL) >= 3, "nothing was killed in its middle: the test tests nothing"
    assert refetched <= _KILLS, "one at most is between two places when it is killed"
