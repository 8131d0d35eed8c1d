"""Ctrl+C and its relatives: the first one finishes the files, a second one ends at once and loses nothing that was whole."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from signal import SIGHUP, SIGINT, SIGTERM, Signals

import anyio
import pytest
from tests.command import Running, is_run, left_in, numbers, proven

from ouzel.engine.recover import recover
from ouzel.model.recovery import Outcome
from ouzel.testing.clips import Clip
from ouzel.testing.disk import tiny_disk
from ouzel.testing.origin import Hls, LiveOrigin, OriginProcess

SPEED = 8.0


@pytest.fixture(scope="module")
def origin() -> Iterator[LiveOrigin]:
    with OriginProcess() as process:
        yield process.origin


def both(origin: LiveOrigin, clip: Clip, name: str) -> list[str]:
    """The addresses of one show as HLS and as FLV."""
    channel = origin.channel(name, clip, hls=Hls(window=40), speed=SPEED)
    return [channel.url, channel.flv_url]


@pytest.mark.parametrize("first", [SIGINT, SIGTERM, SIGHUP])
def test_a_signal_finishes_all_files(first: Signals, origin: LiveOrigin, clip: Clip, tmp_path: Path) -> None:
    with Running(*both(origin, clip, first.name), "--json", cwd=tmp_path) as running:
        for _ in range(2):
            running.until_media(1)
        running.send(first)
        done = running.end()
    assert done.code == 0
    assert done.report["end_reason"] == "stopped"
    assert sorted(path.suffix for path in done.files) == [".flv", ".ts"]
    for path in done.files:
        book = proven(path)
        assert book.closing is not None
        assert book.closing.reason == "stopped"
        assert book.gaps == []
        assert is_run(numbers(path))
    assert not list(tmp_path.glob("*.part"))


def test_a_person_is_told_that_a_second_one_ends_at_once(origin: LiveOrigin, clip: Clip, tmp_path: Path) -> None:
    url = both(origin, clip, "told")[1]
    with Running(url, "-v", cwd=tmp_path) as running:
        while "writing" not in running.err:
            assert running.process.poll() is None
        running.send(SIGINT)
        done = running.end()
    assert "finishing files; press Ctrl+C again to end at once" in done.err


def test_a_second_signal_ends_at_once_and_the_file_can_be_recovered(
    origin: LiveOrigin, clip: Clip, tmp_path: Path
) -> None:
    with Running(*both(origin, clip, "twice"), "--json", cwd=tmp_path) as running:
        for _ in range(2):
            running.until_media(1)
        running.send(SIGINT, SIGTERM)
        done = running.end()
    assert done.code == 130
    assert done.err == ""
    parts = sorted(tmp_path.glob("*.part"))
    assert [path.suffixes[-2] for path in parts] == [".flv", ".ts"]
    before = {path.with_suffix(""): proven(path, closed=False) for path in parts}
    found = anyio.run(recover, tmp_path)
    assert {each.outcome for each in found} == {Outcome.CLOSED}
    for path, book in before.items():
        assert proven(path).chunks == book.chunks
        assert is_run(numbers(path))


def test_nohup_is_respected(origin: LiveOrigin, clip: Clip, tmp_path: Path) -> None:
    was = signal.signal(SIGHUP, signal.SIG_IGN)  # what is ignored stays so in a child
    try:
        running = Running(*both(origin, clip, "nohup"), "--json", cwd=tmp_path)
    finally:
        signal.signal(SIGHUP, was)
    with running:
        seen = running.until_media(1)["media_s"]
        running.send(SIGHUP)
        running.until_media(seen + 5)
        running.send(SIGTERM)
        assert running.end().code == 0


def test_while_it_connects_there_is_nothing_to_finish(origin: LiveOrigin, tmp_path: Path) -> None:
    url = origin.file("stalled.flv", b"")
    origin.on("stalled.flv").stall(after=None)
    with Running(url, "--json", "-o", "out/", cwd=tmp_path) as running:
        running.until("progress", state="connecting")
        running.send(SIGINT)
        done = running.end()
    assert (done.code, done.err) == (4, "")
    assert done.report["end_reason"] == "stopped"
    assert done.report["recordings"][0]["error"] is None
    assert left_in(tmp_path) == ["out"]


def test_while_it_waits_for_the_stream_to_come_back(origin: LiveOrigin, clip: Clip, tmp_path: Path) -> None:
    url = both(origin, clip, "parked")[1]
    origin.on("parked.flv").reset(after=120_000, times=1).status(503)
    with Running(url, "--json", cwd=tmp_path) as running:
        running.until("progress", state="parked")
        running.send(SIGTERM)
        done = running.end()
    assert done.code == 3, "what it missed meanwhile is a gap"
    assert [gap["code"] for gap in done.report["gaps"]] == ["connection_lost"]
    assert proven(done.files[0]).gaps
    assert is_run(numbers(done.files[0]))


def test_while_it_is_paused_on_a_full_disk(origin: LiveOrigin, clip: Clip, tmp_path: Path) -> None:
    url = both(origin, clip, "paused")[1]
    with (
        tiny_disk(tmp_path / "disk", megabytes=1) as disk,
        Running(url, "--json", "--min-free", "0", "-o", disk / "show.flv", cwd=tmp_path) as running,
    ):
        running.until("paused", code="disk_full")
        running.send(SIGINT)
        done = running.end()
        assert done.code == 3
        assert [gap["code"] for gap in done.report["gaps"]] == ["disk_full"]
        assert proven(disk / "show.flv").gaps
        assert is_run(numbers(disk / "show.flv"))


@pytest.fixture
def slow_ffmpeg(tmp_path: Path) -> dict[str, str]:
    """An environment in which every conversion takes for ever."""
    real = shutil.which("ffmpeg")
    folder = tmp_path / "bin"
    folder.mkdir()
    script = folder / "ffmpeg"
    script.write_text(f'#!/bin/sh\ncase "$*" in *.converting*) exec sleep 600;; esac\nexec {real} "$@"\n')
    script.chmod(0o755)
    return {"PATH": f"{folder}:{os.environ['PATH']}"}


def test_while_it_makes_another_format_the_native_file_stays(
    origin: LiveOrigin, clip: Clip, tmp_path: Path, slow_ffmpeg: dict[str, str]
) -> None:
    show = origin.channel("slow", clip, hls=Hls(window=0)).push(3).end()
    with Running(show.url, "--json", "-o", "show.mp4", cwd=tmp_path, env=slow_ffmpeg) as running:
        running.until("file_closed")
        running.until("progress", state="finishing")
        running.send(SIGINT, SIGTERM)
        assert running.end().code == 130
    assert proven(tmp_path / "show.ts").closing is not None
    assert numbers(tmp_path / "show.ts") == [0, 1, 2]
    assert not (tmp_path / "show.mp4").exists()
    found = {each.outcome for each in anyio.run(recover, tmp_path)}
    assert found <= {Outcome.LEFTOVER}
    assert left_in(tmp_path) == ["bin", "bin/ffmpeg", "show.ledger", "show.ts"]
