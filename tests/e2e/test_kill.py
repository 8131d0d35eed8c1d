"""SIGKILL at fifty random moments: nothing before the last complete line of a ledger is lost."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from signal import SIGKILL

import pytest
from tests.command import Running, is_run, numbers, ouzel, proven

from ouzel.model import ledger
from ouzel.model.flow import Chunk
from ouzel.testing.clips import Clip
from ouzel.testing.origin import Hls, LiveOrigin, OriginProcess

MOMENTS = 50
AT_ONCE = 10
KINDS = ("flv", "ts", "mp4")


@pytest.fixture(scope="module")
def origin(clip: Clip) -> Iterator[LiveOrigin]:
    """Shows that give media all the time: FLV many times as fast as it is, HLS that can be fetched slowly for minutes."""
    with OriginProcess() as process:
        process.origin.channel("flv", clip, speed=16)
        for kind in ("ts", "mp4"):
            process.origin.channel(kind, clip, speed=1, lead_s=600, hls=Hls(window=0, container=kind))
            process.origin.on(f"live/{kind}/seg*").crawl(250_000)
        yield process.origin


def test_nothing_that_was_whole_is_lost_by_a_kill(origin: LiveOrigin, tmp_path: Path) -> None:
    rng = random.Random(20)
    urls = [f"{origin.url}/live/flv.flv", f"{origin.url}/live/ts/index.m3u8", f"{origin.url}/live/mp4/index.m3u8"]
    for number in range(0, MOMENTS, AT_ONCE):
        _record_and_kill(urls, [tmp_path / f"{number + n:02}" for n in range(AT_ONCE)], rng)
    before = {path: _chunks(path) for path in sorted(tmp_path.rglob("*.part"))}
    assert sum(bool(chunks) for chunks in before.values()) > MOMENTS, "most were killed in the middle of it"

    done = ouzel(tmp_path, "--json", command="recover", cwd=tmp_path)

    found = {doc["path"].removesuffix(".part"): doc for doc in done.told("recovered")}
    assert done.code == 3, "the pieces of chunks that were not whole are told"
    assert done.err == ""
    for part, chunks in before.items():
        path = part.with_suffix("")
        result = found[str(path)]
        assert (result["lost_chunks"], result["damaged"]) == (0, [])
        if chunks:
            assert result["outcome"] == "closed"
            assert proven(path).chunks == chunks
        else:  # of its first chunk as much is kept as can be told
            assert result["outcome"] in {"empty", "rebuilt", "unreadable"}
    for folder in tmp_path.iterdir():
        for kind in KINDS:
            marks = [mark for path in sorted(folder.glob(f"{kind}-*.{kind}")) for mark in numbers(path)]
            assert not marks or is_run(marks)


def _record_and_kill(urls: list[str], folders: list[Path], rng: random.Random) -> None:
    """Several recorders at once, each with its own random moment."""
    words = ["--name", "{name}", "--from-start", "--split-after", "5s", "--min-free", "0", "-q"]
    with ExitStack() as stack:
        moments: list[tuple[float, Running]] = []
        for folder in folders:
            folder.mkdir()
            running = stack.enter_context(Running(*urls, *words, cwd=folder))
            moments.append((time.monotonic() + rng.uniform(1.0, 4.5), running))
        for moment, running in sorted(moments, key=lambda each: each[0]):
            time.sleep(max(0.0, moment - time.monotonic()))
            running.send(SIGKILL)
            assert running.end().code == -SIGKILL


def _chunks(part: Path) -> list[Chunk]:
    """What the ledger vouches for; every byte of it is compared."""
    lines = part.with_suffix("").with_suffix(".ledger").read_bytes()
    if not lines or not ledger.read(lines).chunks:
        return []
    return proven(part, closed=False).chunks
