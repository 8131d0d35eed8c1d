"""Ctrl+C and its relatives: the first one finishes the files, a second one ends at once and loses nothing that was whole.

The promise of ten seconds is shown without a watch: what a recorder would otherwise wait for never comes.
"""

from __future__ import annotations

import os
import shutil
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from signal import SIGHUP, SIGINT, SIGTERM

import pytest
from tests.command import Running, is_run, left_in, numbers, ouzel, proven

from ouzel.engine.policy import Policy
from ouzel.engine.sinks.file import CONVERTING
from ouzel.testing.clips import Clip
from ouzel.testing.disk import tiny_disk
from ouzel.testing.origin import Hls, LiveOrigin, OriginProcess

SPEED = 8.0
ALL = Hls(window=0)
FOR_EVER_S = 600
START_S = 0.6
"""What a recorder takes to its first byte, about."""


@pytest.fixture(scope="module")
def origin() -> Iterator[LiveOrigin]:
    with OriginProcess() as process:
        yield process.origin


@pytest.fixture(scope="module")
def slow_ffmpeg(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """An environment in which every conversion takes for ever."""
    real = shutil.which("ffmpeg")
    folder = tmp_path_factory.mktemp("bin")
    script = folder / "ffmpeg"
    script.write_text(f'#!/bin/sh\ncase "$*" in *{CONVERTING}*) exec sleep {FOR_EVER_S};; esac\nexec {real} "$@"\n')
    script.chmod(0o755)
    return {"PATH": f"{folder}:{os.environ['PATH']}"}


@pytest.fixture(scope="module", autouse=True)
def stopped_while_converting(
    origin: LiveOrigin, clip: Clip, slow_ffmpeg: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Running]:
    """It takes most of the ten seconds to end; the other tests run meanwhile."""
    url = origin.channel("hurried", clip, hls=ALL).push(3).end().url
    folder = tmp_path_factory.mktemp("hurried")
    with Running(url, "--json", "-o", "show.mp4", cwd=folder, env=slow_ffmpeg) as running:
        running.until("file_closed")
        running.send(SIGTERM)
        yield running


def both(origin: LiveOrigin, clip: Clip, name: str) -> list[str]:
    """The addresses of one show as HLS and as FLV."""
    channel = origin.channel(name, clip, hls=Hls(window=40), speed=SPEED)
    return [channel.url, channel.flv_url]


def closed(path: Path, *, gaps: int = 0) -> None:
    """A file that was finished, with nothing missing or twice in it but for so many gaps."""
    book = proven(path)
    assert book.closing is not None
    assert book.closing.reason == "stopped"
    assert len(book.gaps) == gaps
    assert is_run(numbers(path))


# -- the first one -----------------------------------------------------------------------------------------------------


def test_a_signal_finishes_all_files(origin: LiveOrigin, clip: Clip, tmp_path: Path) -> None:
    urls = both(origin, clip, "first")
    with ExitStack() as stack:
        running = {
            each: Running(*urls, "--json", "-o", f"{each.name}/", cwd=tmp_path) for each in (SIGINT, SIGTERM, SIGHUP)
        }
        for each in running.values():
            stack.enter_context(each)
        for number, each in running.items():
            each.until_kept(2, *urls)
            each.send(number)
            done = each.end()
            assert (done.code, done.err) == (0, "")
            assert done.report["end_reason"] == "stopped"
            assert sorted(path.suffix for path in done.files) == [".flv", ".ts"]
            for path in done.files:
                closed(path)
    assert not list(tmp_path.rglob("*.part"))


def test_twenty_channels_whose_servers_hang_or_crawl(origin: LiveOrigin, clip: Clip, tmp_path: Path) -> None:
    urls: list[str] = []
    for n in range(5):
        shows = {
            kind: origin.channel(f"{kind}{n}", clip, hls=ALL).push(4) for kind in ("hang", "crawl", "stuck", "idle")
        }
        shows["stuck"].flv.gop_cache = shows["idle"].flv.gop_cache = 4
        urls += [shows["hang"].url, shows["crawl"].url, shows["stuck"].flv_url, shows["idle"].flv_url]
    origin.on("live/hang?/seg2.ts").stall(after=10_000)
    origin.on("live/crawl?/seg2.ts").crawl(1_000)
    origin.on("stuck?.flv").stall(after=100_000)
    with Running(*urls, "--from-start", "--json", cwd=tmp_path) as running:
        running.until_kept(2, *urls)
        running.send(SIGTERM)
        done = running.end()
    assert (done.code, done.err) == (0, "")
    assert len(done.files) == 20
    for path in done.files:
        closed(path)
    assert not list(tmp_path.glob("*.part"))


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


def test_while_it_waits_for_the_stream(origin: LiveOrigin, tmp_path: Path) -> None:
    with Running(f"{origin.url}/live/later.flv", "--wait", "--json", "-o", "out/", cwd=tmp_path) as running:
        running.until("reconnecting", code="gone")
        running.send(SIGTERM)
        done = running.end()
    assert (done.code, done.err) == (4, "")
    assert done.report["end_reason"] == "stopped"
    assert left_in(tmp_path) == ["out"]


def test_while_it_waits_for_the_stream_to_come_back(origin: LiveOrigin, clip: Clip, tmp_path: Path) -> None:
    url = both(origin, clip, "parked")[1]
    origin.on("parked.flv").reset(after=120_000, times=1).status(503)
    with Running(url, "--json", cwd=tmp_path) as running:
        running.until("reconnecting", code="server_trouble")
        running.send(SIGTERM)
        done = running.end()
    assert done.code == 3, "what it missed meanwhile is a gap"
    assert [gap["code"] for gap in done.report["gaps"]] == ["connection_lost"]
    closed(done.files[0], gaps=1)


def test_while_it_is_paused_on_a_full_disk(origin: LiveOrigin, clip: Clip, tmp_path: Path) -> None:
    show = origin.channel("paused", clip, hls=ALL).push(20)
    with (
        tiny_disk(tmp_path / "disk", megabytes=1) as disk,
        Running(show.url, "--from-start", "--json", "--min-free", "0", "-o", disk / "show.ts", cwd=tmp_path) as running,
    ):
        (disk / "ballast").write_bytes(bytes(500_000))
        running.until("paused", code="disk_full")
        running.send(SIGINT)
        done = running.end()
        assert done.code == 3
        assert [gap["code"] for gap in done.report["gaps"]] == ["disk_full"]
        closed(disk / "show.ts", gaps=1)


def test_nohup_is_respected(origin: LiveOrigin, clip: Clip, tmp_path: Path) -> None:
    show = origin.channel("nohup", clip).push(3)
    was = signal.signal(SIGHUP, signal.SIG_IGN)  # what is ignored stays so in a child
    try:
        running = Running(show.flv_url, "--json", cwd=tmp_path)
    finally:
        signal.signal(SIGHUP, was)
    with running:
        running.until("connected")
        running.send(SIGHUP)
        show.push(4)
        running.until_kept(3, show.flv_url)
        running.send(SIGTERM)
        assert running.end().code == 0


# -- the second one ----------------------------------------------------------------------------------------------------


def test_a_person_is_told_that_a_second_one_ends_at_once(origin: LiveOrigin, clip: Clip, tmp_path: Path) -> None:
    url = both(origin, clip, "told")[1]
    with Running(url, "-v", cwd=tmp_path) as running:
        while "writing" not in running.err:
            assert running.process.poll() is None
            time.sleep(0.005)
        running.send(SIGINT)
        done = running.end()
    assert "finishing files; press Ctrl+C again to end at once" in done.err


def test_a_second_signal_ends_at_once_and_the_file_can_be_recovered(
    origin: LiveOrigin, clip: Clip, tmp_path: Path
) -> None:
    urls = both(origin, clip, "twice")
    with Running(*urls, "--json", cwd=tmp_path) as running:
        parts = running.until_kept(2, *urls)
        running.send(SIGINT, SIGTERM)
        done = running.end()
    assert (done.code, done.err) == (130, "")
    before = {part: proven(part, closed=False) for part in parts}
    assert ouzel(tmp_path, command="recover", cwd=tmp_path).code in {0, 3}
    for part, book in before.items():
        path = part.with_suffix("")
        assert proven(path).chunks == book.chunks
        assert is_run(numbers(path))
        assert not part.exists()


def test_while_it_makes_another_format_the_native_file_stays(
    origin: LiveOrigin, clip: Clip, tmp_path: Path, slow_ffmpeg: dict[str, str]
) -> None:
    show = origin.channel("slow", clip, hls=ALL).push(3).end()
    with Running(show.url, "--json", "-o", "show.mp4", cwd=tmp_path, env=slow_ffmpeg) as running:
        running.until("file_closed")
        running.send(SIGINT, SIGTERM)
        assert running.end().code == 130
    assert proven(tmp_path / "show.ts").closing is not None
    assert numbers(tmp_path / "show.ts") == [0, 1, 2]
    assert not (tmp_path / "show.mp4").exists()
    assert ouzel(tmp_path, command="recover", cwd=tmp_path).code == 0
    assert left_in(tmp_path) == ["show.ledger", "show.ts"]


# -- early -------------------------------------------------------------------------------------------------------------


def test_at_any_moment_of_its_start(origin: LiveOrigin, clip: Clip, tmp_path: Path) -> None:
    """Before Python has come to our code a signal ends it as it ends any program; then with 130, and once it runs as above."""
    url = both(origin, clip, "early")[1]
    moments = 8
    with ExitStack() as stack:
        for n in range(moments):
            running = stack.enter_context(Running(url, "--json", "-o", f"{n}.flv", cwd=tmp_path))
            time.sleep(n * START_S / moments)  # whatever it has come to by then
            running.send(SIGTERM)
            done = running.end()
            assert done.code in {-SIGTERM, 130, 4, 0}, done
            assert done.err == ""
            assert (tmp_path / f"{n}.flv").exists() == (done.code == 0)
    assert not list(tmp_path.glob("*.part"))


# -- last, so that it need not be waited for for long --------------------------------------------------------------------


def test_a_conversion_gets_what_is_left_of_the_time(stopped_while_converting: Running) -> None:
    """Left to itself it would take ten minutes."""
    assert Policy().stop_s < 10
    done = stopped_while_converting.end()
    (file,) = done.report["files"]
    path = Path(file["path"])
    assert (done.code, done.err) == (3, "")
    assert path.name == "show.ts"
    assert "no time left" in file["error"]
    assert [doc["code"] for doc in done.told("warning")] == ["stopped"]
    assert proven(path).closing is not None
    assert left_in(path.parent) == ["show.ledger", "show.ts"]
