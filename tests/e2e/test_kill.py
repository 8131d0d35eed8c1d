"""SIGKILL at fifty random moments: nothing before the last complete line of a ledger is lost."""

from __future__ import annotations

import os
import random
import shutil
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from signal import SIGKILL
from typing import Any

import pytest
from tests.command import HANG_S, Running, is_run, left_in, numbers, ouzel, proven

from ouzel.engine.sinks.file import CONVERTING
from ouzel.model import ledger
from ouzel.testing.clips import Clip
from ouzel.testing.origin import Hls, LiveOrigin, OriginProcess

KINDS = {"tags": "flv", "packets": "ts", "segments": "ts", "fragments": "mp4"}
"""The channels, and the files that they become."""
MOMENTS, AT_ONCE = 47, 6
CONVERSIONS = 3
"""Besides, so many are killed while another format is being made."""
MOST_BYTES = 300_000
"""The random moment: one of the channels has this much in its files, or less."""
WORDS = ("--name", "{name}", "--from-start", "--split-after", "2s", "--min-free", "0", "-q")


@dataclass(frozen=True)
class Victim:
    recorder: Running
    folder: Path
    channel: str
    moment: int
    """It is killed when this channel has so many bytes in its files."""


@dataclass(frozen=True)
class Unfinished:
    """A media file at the moment of the kill."""

    path: Path
    """As it will be called."""
    size: int
    ledger: ledger.Ledger | None
    """None: not even its head was whole."""


@pytest.fixture(scope="module")
def origin(clip: Clip) -> Iterator[LiveOrigin]:
    """Shows that give media all the time, in small pieces."""
    with OriginProcess() as process:
        origin = process.origin
        for name in ("tags", "packets"):
            origin.channel(name, clip, speed=8)
        for name in ("segments", "fragments"):
            origin.channel(name, clip, hls=Hls(window=0, container="mp4" if name == "fragments" else "ts")).push(120)
            origin.on(f"live/{name}/seg*").crawl(300_000)
        yield origin


def test_nothing_that_was_whole_is_lost_by_a_kill(origin: LiveOrigin, tmp_path: Path) -> None:
    rng = random.Random(20)
    roots = [f"{origin.url}/live/{name}" for name in KINDS]
    urls = [f"{roots[0]}.flv", f"{roots[1]}.ts", f"{roots[2]}/index.m3u8", f"{roots[3]}/index.m3u8"]
    folders = [tmp_path / f"{number:02}" for number in range(MOMENTS)]
    record_and_kill(urls, folders, rng)
    before = [look(part) for part in sorted(tmp_path.rglob("*.part"))]
    assert sum(each.ledger is not None for each in before) > MOMENTS, "most were killed in the middle of it"

    done = ouzel(tmp_path, "--json", command="recover", cwd=tmp_path)

    assert (done.code, done.err) == (3, ""), "the pieces of chunks that were not whole are told"
    told = {doc["path"].removesuffix(".part"): doc for doc in done.told("recovered")}
    for each in before:
        check(each, told[str(each.path)])
    pieces = {Path(path) for path, doc in told.items() if doc["outcome"] == "rebuilt"}
    files = {path for ending in KINDS.values() for path in tmp_path.rglob(f"*.{ending}")}
    assert ouzel(*(files - pieces), "-q", command="verify", cwd=tmp_path).code == 0
    for folder in folders:
        for name, ending in KINDS.items():
            marks = [mark for path in sorted(folder.glob(f"{name}-*.{ending}")) for mark in numbers(path)]
            assert not marks or is_run(marks)


def record_and_kill(urls: list[str], folders: list[Path], rng: random.Random) -> None:
    """A few recorders at once, each with a random moment of its own."""
    waiting = list(folders)
    running: list[Victim] = []
    until = time.monotonic() + HANG_S
    with ExitStack() as stack:
        while waiting or running:
            assert time.monotonic() < until, running
            while waiting and len(running) < AT_ONCE:
                folder = waiting.pop()
                folder.mkdir()
                recorder = stack.enter_context(Running(*urls, *WORDS, cwd=folder))
                running.append(Victim(recorder, folder, rng.choice(list(KINDS)), rng.randrange(MOST_BYTES)))
            for victim in running[:]:
                if written(victim.folder, victim.channel) >= victim.moment:
                    victim.recorder.send(SIGKILL)
                    assert victim.recorder.end().code == -SIGKILL
                    running.remove(victim)
                    until = time.monotonic() + HANG_S
            time.sleep(0.005)


def written(folder: Path, name: str) -> int:
    """Bytes in the files of a channel, which may be renamed meanwhile."""
    size = 0
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith(name):
                with suppress(FileNotFoundError):
                    size += entry.stat().st_size
    return size


def look(part: Path) -> Unfinished:
    """What is there after the kill; every byte that the ledger vouches for is compared."""
    path = part.with_suffix("")
    try:
        held = ledger.read(path.with_suffix(".ledger").read_bytes())
    except ledger.NotALedger:
        held = None
    if held is not None and held.chunks:
        proven(part, closed=False)
    return Unfinished(path, part.stat().st_size, held)


def check(before: Unfinished, told: dict[str, Any]) -> None:
    """What became of a file, and what was said of it."""
    held = before.ledger
    assert (told["lost_chunks"], told["damaged"]) == (0, [])
    if held is not None and held.chunks:
        assert told["outcome"] == "closed"
        assert told["cut_bytes"] == (0 if held.closing else before.size - held.media_end)
        assert told["chunks"] == len(held.chunks)
        assert proven(before.path).chunks == held.chunks
    else:  # of its first chunk as much is kept as can be told
        assert told["outcome"] in {"empty", "rebuilt", "unreadable"}


@pytest.fixture
def slow_ffmpeg(tmp_path: Path) -> dict[str, str]:
    """An environment in which conversions take as long as the media."""
    folder = tmp_path / "bin"
    folder.mkdir()
    script = folder / "ffmpeg"
    script.write_text(f"""#!/bin/sh
case "$*" in *{CONVERTING}*) exec {shutil.which("ffmpeg")} -re "$@";; esac
exec {shutil.which("ffmpeg")} "$@"
""")
    script.chmod(0o755)
    return {"PATH": f"{folder}:{os.environ['PATH']}"}


def test_while_another_format_is_made(
    origin: LiveOrigin, clip: Clip, tmp_path: Path, slow_ffmpeg: dict[str, str]
) -> None:
    rng = random.Random(21)
    url = origin.channel("over", clip, hls=Hls(window=0)).push(12).end().url
    names = [f"{n}.mp4" for n in range(CONVERSIONS)]
    with ExitStack() as stack:
        left = {
            name: stack.enter_context(Running(url, "-q", "-o", name, cwd=tmp_path, env=slow_ffmpeg)) for name in names
        }
        moments = {name: rng.randrange(60_000) for name in names}
        until = time.monotonic() + HANG_S
        while left:
            assert time.monotonic() < until, left
            for name, running in list(left.items()):
                temporary = tmp_path / (name + CONVERTING)
                if temporary.exists() and temporary.stat().st_size >= moments[name]:
                    running.send(SIGKILL)
                    assert running.end().code == -SIGKILL
                    del left[name]
            time.sleep(0.005)

    done = ouzel(tmp_path, "--json", command="recover", cwd=tmp_path)

    assert (done.code, done.err) == (0, "")
    assert [doc["outcome"] for doc in done.told("recovered")] == ["leftover"] * CONVERSIONS
    assert left_in(tmp_path) == sorted(
        ["bin", "bin/ffmpeg", *(f"{n}.{e}" for n in range(CONVERSIONS) for e in ("ledger", "ts"))]
    )
    for n in range(CONVERSIONS):
        proven(tmp_path / f"{n}.ts")
        assert numbers(tmp_path / f"{n}.ts", channel="over") == list(range(12))
