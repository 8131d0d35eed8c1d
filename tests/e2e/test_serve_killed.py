"""The daemon, killed at fifty moments while it records: one recording for each broadcast, whole and in order."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, closing
from itertools import pairwise
from pathlib import Path

import anyio
import anyio.abc
import pytest
from anyio.streams.buffered import BufferedByteReceiveStream

from ouzel.engine.ledgers import find
from ouzel.engine.verify import verify
from ouzel.model.recording import Recording
from ouzel.services.channel_forms import NewChannel
from ouzel.services.channels import Channels
from ouzel.services.secrets import load_secrets
from ouzel.store.db import open_db
from ouzel.store.recordings import RecordingFilter, RecordingRepo
from ouzel.system.clock import SystemClock
from ouzel.testing.clips import Clip
from ouzel.testing.markers import read_markers
from ouzel.testing.origin import Hls, LiveOrigin

pytestmark = pytest.mark.anyio
_HOUSE = Path(__file__).parents[2]
_KILLS = 50
_HOUSES = 2
"""Data folders, each with a daemon that is killed again and again."""


class Mother:
    """Forks the daemons."""

    def __init__(self, process: anyio.abc.Process) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._out = process.stdin
        self._in = BufferedByteReceiveStream(process.stdout)
        self.pid = 0
        self.events = 0

    async def bear(self) -> None:
        await self._out.send(b"go\n")
        self.pid = int((await self.until("child "))[0])
        await self.until("ready")

    async def until(self, beginning: str) -> list[str]:
        with anyio.fail_after(60):
            while True:
                line = (await self._in.receive_until(b"\n", 1 << 20)).decode()
                self.events += line.startswith("event ")
                if line.startswith(beginning):
                    return line[len(beginning) :].split()

    async def end(self, number: int) -> int:
        """Returns: the status with which it ended."""
        os.kill(self.pid, number)
        return int((await self.until(f"dead {self.pid} "))[0])


@asynccontextmanager
async def mother_of(folder: Path) -> AsyncGenerator[Mother]:
    command = [sys.executable, "-m", "tests.serve_process", str(folder)]
    async with await anyio.open_process(command, cwd=_HOUSE, stdin=subprocess.PIPE, stderr=None) as process:
        yield Mother(process)
        process.kill()


async def _prepare(folder: Path, addresses: list[str]) -> None:
    await anyio.Path(folder).mkdir()
    async with open_db(folder / "ouzel.db", SystemClock()) as db:
        channels = Channels(db, load_secrets(folder / "secret.key").box)
        await channels.load()
        for address in addresses:
            await channels.add(NewChannel((address,), settings={"from_start": True, "split_after_s": 7.0}), by="test")


async def _kill_again_and_again(folder: Path, number: int) -> None:
    chance = random.Random(number)
    async with mother_of(folder) as mother:
        for _ in range(_KILLS // _HOUSES):
            await mother.bear()
            await anyio.sleep(chance.choice([0.0, 0.05, 0.3, 0.8]) * chance.random())
            await mother.end(signal.SIGKILL)
        await mother.bear()
        recorded: set[str] = set()
        while len(recorded) < 4:  # on a busy machine nothing of some may have been written before
            recorded |= {*await mother.until("event recording.file ")}
        assert await mother.end(signal.SIGTERM) == 0
        assert mother.events > 10


def _is_torn(path: Path) -> bool:
    """Nothing of it was whole: it is a piece of a segment, which was fetched again."""
    found = find(path)
    return found is not None and found.opening.rebuilt


async def _numbers(files: list[Path]) -> list[int]:
    found: list[int] = []
    for path in files:
        found += [number for _, number in read_markers(path.read_bytes(), path.suffix.lstrip("."))]
    return found


async def test_killed_again_and_again_nothing_is_lost_or_doubled(tmp_path: Path, clip: Clip) -> None:
    async with LiveOrigin() as origin:
        shows = [origin.channel(f"show{n}", clip, hls=Hls(window=5000), speed=2.0) for n in range(4)]
        houses = [tmp_path / f"house{n}" for n in range(_HOUSES)]
        async with anyio.create_task_group() as tasks:
            for number, house in enumerate(houses):
                await _prepare(house, [*(show.url for show in shows[:3]), shows[3].flv_url])
                tasks.start_soon(_kill_again_and_again, house, number)
    for house in houses:
        with closing(sqlite3.connect(house / "ouzel.db")) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        await _check(house)


async def _check(house: Path) -> None:
    async with open_db(house / "ouzel.db", SystemClock()) as db:
        repo = RecordingRepo(db)
        recordings = await repo.page(RecordingFilter())
        assert len(recordings) == len({recording.channel_id for recording in recordings}) == 4
        known: set[Path] = set()
        for recording in recordings:
            known |= await _check_one(house / "recordings", recording, repo)
    media = {path for path in (house / "recordings").rglob("*") if path.suffix in {".ts", ".flv", ".part"}}
    assert media == known


async def _check_one(root: Path, recording: Recording, repo: RecordingRepo) -> set[Path]:
    files = (await repo.files([recording.id]))[recording.id]
    paths = [root / file.path for file in files]
    assert [file.state.value for file in files] == ["closed"] * len(files)
    assert [path.stat().st_size for path in paths] == [file.bytes for file in files]
    assert [file.part for file in files] == sorted({file.part for file in files})
    for path in paths:
        verdict = await verify(path)
        assert verdict.status != "damaged", verdict.findings
    torn = {path for path in paths if _is_torn(path)}
    numbers = await _numbers([path for path in paths if path not in torn])
    assert all(later > former for former, later in pairwise(numbers)), "something stands there twice"
    if paths[0].suffix == ".ts":  # what a list still has is missed by nobody
        assert {*numbers, *await _numbers([*torn])} == {*range(numbers[0], numbers[-1] + 1)}
        assert recording.gaps == 0, await repo.gaps(recording.id)
    assert recording.media_s == pytest.approx(sum(file.media_s for file in files), abs=0.01)
    return {*paths}
