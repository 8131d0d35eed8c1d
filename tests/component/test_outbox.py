"""A reader that does not read: what is told waits, and who tells it does not."""

from __future__ import annotations

import fcntl
import io
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ouzel.cli import outbox as outbox_module
from ouzel.cli.outbox import Outbox
from ouzel.cli.output import Output
from ouzel.testing.clips import Clip
from ouzel.testing.origin import Hls, OriginProcess

LINES = [f"line {number} of some length, so that it takes room\n" for number in range(5000)]
F_SETPIPE_SZ = 1031


@pytest.fixture
def pipe() -> Iterator[tuple[io.FileIO, io.TextIOWrapper]]:
    reading, writing = os.pipe()
    with io.FileIO(reading) as source, os.fdopen(writing, "w", encoding="utf-8") as sink:
        yield source, sink


def test_what_cannot_be_written_waits_in_order(pipe: tuple[io.FileIO, io.TextIOWrapper]) -> None:
    source, sink = pipe
    box = Outbox(sink)
    for line in LINES:  # far more than a pipe holds: a write that waits would wait for ever here
        assert box.put(line)
    read = bytearray()
    while len(read) < sum(map(len, LINES)):
        read += source.read(65536) or b""
        box.flush()
    assert read.decode() == "".join(LINES)
    box.drain()
    assert os.get_blocking(sink.fileno()), "others share what we were given: it must stay as it was"


def test_what_is_dispensable_is_left_out_while_others_wait(pipe: tuple[io.FileIO, io.TextIOWrapper]) -> None:
    source, sink = pipe
    box = Outbox(sink)
    assert box.put("first\n", dispensable=True)
    for line in LINES:
        box.put(line)
    assert not box.put("progress\n", dispensable=True)
    assert box.lost == 0
    with ThreadPoolExecutor(1) as readers:
        readers.submit(lambda: [None for _ in iter(lambda: source.read(65536), b"")])
        box.drain()
        assert box.put("progress\n", dispensable=True)
        sink.close()


def test_there_is_an_end_to_what_is_kept_and_it_is_counted(
    pipe: tuple[io.FileIO, io.TextIOWrapper], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox_module, "_LIMIT_BYTES", 100_000)
    _, sink = pipe
    box = Outbox(sink)
    taken = [box.put(line) for line in LINES]
    assert 0 < taken.count(True) < len(LINES)
    assert box.lost == taken.count(False)


def test_a_reader_that_has_gone_away_is_no_error(pipe: tuple[io.FileIO, io.TextIOWrapper]) -> None:
    source, sink = pipe
    box = Outbox(sink)
    for line in LINES:
        box.put(line)
    source.close()
    assert box.put("nobody hears this\n")
    box.drain()


def test_a_file_goes_on_where_it_was(tmp_path: Path) -> None:
    path = tmp_path / "log"
    with path.open("w", encoding="utf-8") as file:
        file.write("before\n")
        box = Outbox(file)
        for line in LINES:
            box.put(line)
        box.drain()
        file.write("after\n")
    assert path.read_text() == "before\n" + "".join(LINES) + "after\n"


def test_a_recording_whose_output_nobody_reads_goes_on(clip: Clip, tmp_path: Path) -> None:
    with OriginProcess() as process:
        urls: list[str] = []
        for number in range(8):
            channel = process.origin.channel(f"c{number}", clip, hls=Hls(window=0))
            urls.append(channel.push(6).end().url)
        reading, writing = os.pipe()
        fcntl.fcntl(writing, F_SETPIPE_SZ, 4096)
        out = tmp_path / "out"
        command = [sys.executable, "-m", "ouzel", "record", *urls, "-o", f"{out}/", "--json", "--min-free", "0"]
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=writing)
        os.close(writing)
        with child, os.fdopen(reading, encoding="utf-8") as told:
            try:
                closed = _wait_for(out, len(urls), child)
                lines = told.read().splitlines()  # only now does anybody read
            finally:
                child.kill()
        assert closed == len(urls)
        report = json.loads(lines[-1])
        assert report["event"] == "report"
        assert len(report["files"]) == len(urls)
        assert sum(map(len, lines)) > 3 * 4096, "it would have fitted: this test shows nothing"


def _wait_for(folder: Path, count: int, child: subprocess.Popen[bytes]) -> int:
    """Until so many recordings are closed, or the child is gone, or nothing happens any more."""
    ticks = threading.Event()
    for _ in range(600):
        closed = len(list(folder.glob("*.ts"))) if folder.exists() else 0
        if closed >= count or child.poll() is not None:
            return closed
        ticks.wait(0.05)
    return len(list(folder.glob("*.ts")))


def test_what_was_lost_is_told_once_somebody_reads(
    pipe: tuple[io.FileIO, io.TextIOWrapper], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox_module, "_LIMIT_BYTES", 100_000)
    source, sink = pipe
    monkeypatch.setattr(sys, "stdout", sink)
    output = Output(is_json=True)
    read = bytearray()
    with output.without_waiting():
        for number in range(5000):
            output.json({"event": "gap", "number": number, "room": "x" * 40})
            output.catch_up()  # still full: the count must not be forgotten
        while not read.count(b"output_lost"):
            read += source.read(65536) or b""
            output.catch_up()
    *kept, told = (json.loads(line) for line in read.decode().splitlines())
    assert 0 < len(kept) < 5000
    assert told["code"] == "output_lost"
    assert f"{5000 - len(kept)} " in told["why"]
