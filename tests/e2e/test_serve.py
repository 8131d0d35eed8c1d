"""The real `ouzel serve`, from outside: it begins, records, ends in time, and says in one line why it cannot."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
import anyio.abc
import pytest
from anyio.streams.buffered import BufferedByteReceiveStream
from tests.command import environment

from ouzel.testing.clips import Clip
from ouzel.testing.origin import Hls, LiveOrigin

pytestmark = pytest.mark.anyio


@dataclass
class Served:
    """A daemon that runs."""

    process: anyio.abc.Process
    ready: Mapping[str, Any]
    env: dict[str, str]

    async def ouzel(self, *args: str, code: int = 0) -> Any:
        """What a command prints as JSON."""
        command = [sys.executable, "-m", "ouzel", *args, "--json"]
        done = await anyio.run_process(command, env=self.env, check=False)
        assert done.returncode == code, (done.stdout, done.stderr)
        return [json.loads(line) for line in done.stdout.splitlines()]

    async def end(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        with anyio.fail_after(30):
            return await self.process.wait()


@asynccontextmanager
async def serving(folder: Path, *args: str, **variables: str) -> AsyncGenerator[Served]:
    env = environment() | {
        "OUZEL_STORAGE__DATA": str(folder), "OUZEL_STORAGE__MIN_FREE": "1KiB", "OUZEL_WATCH__INTERVAL": "10s", **variables,
    }  # fmt: skip
    command = [sys.executable, "-m", "ouzel", "serve", "--port", "0", "--json", *args]
    async with await anyio.open_process(command, env=env, stdin=subprocess.DEVNULL, stderr=None) as process:
        assert process.stdout is not None
        with anyio.fail_after(60):
            line = await BufferedByteReceiveStream(process.stdout).receive_until(b"\n", 1 << 16)
        try:
            yield Served(process, json.loads(line), env)
        finally:
            if process.returncode is None:
                process.kill()


async def refused(folder: Path, *args: str, **variables: str) -> tuple[int, str]:
    """Exit code, and what it said."""
    env = environment() | {"OUZEL_STORAGE__DATA": str(folder), **variables}
    done = await anyio.run_process([sys.executable, "-m", "ouzel", "serve", *args], env=env, check=False)
    said = done.stderr.decode().strip()
    assert "Traceback" not in said
    return done.returncode, said


async def test_it_records_what_is_added_and_ends_with_whole_files(tmp_path: Path, clip: Clip) -> None:
    async with LiveOrigin() as origin, serving(tmp_path / "data") as served:
        show = origin.channel("show", clip, hls=Hls(window=8), speed=1.0)
        await served.ouzel("channels", "add", show.url, "--name", "小明")
        with anyio.fail_after(30):
            while not any(each["bytes"] for each in await _recordings(served)):  # noqa: ASYNC110 - another process
                await anyio.sleep(0.5)
        assert await served.end() == 0
    (media,) = (tmp_path / "data" / "recordings").rglob("*.ts")
    assert media.parent.name == "小明"
    assert not [*(tmp_path / "data" / "recordings").rglob("*.part")]


async def _recordings(served: Served) -> list[dict[str, Any]]:
    docs = await served.ouzel("recordings", "list")
    return [each for doc in docs for each in (doc.get("items") or [doc]) if "bytes" in each]


async def test_a_followed_folder_takes_effect_while_it_is_edited(tmp_path: Path) -> None:
    rooms = tmp_path / "config" / "URL_config.ini"
    rooms.parent.mkdir()
    rooms.write_text("https://www.huya.com/660000,主播: one\n", "utf-8-sig")
    async with serving(tmp_path / "data", "--follow", str(rooms.parent)) as served:
        await _until_channels(served, {("one", True)})
        rooms.write_text("#https://www.huya.com/660000,主播: one\nhttps://www.huya.com/660001,主播: two\n", "utf-8-sig")
        await _until_channels(served, {("one", False), ("two", True)})
        rooms.write_text("")
        assert await served.end() == 0
    async with serving(tmp_path / "data") as served:
        await _until_channels(served, {("one", False), ("two", True)})


async def _until_channels(served: Served, expected: set[tuple[str, bool]]) -> None:
    with anyio.fail_after(30):
        while True:
            docs = await served.ouzel("channels", "list")
            found = {
                (each["name"], each["watch"]) for doc in docs for each in (doc.get("items") or [doc]) if "watch" in each
            }
            if found == expected:
                return
            await anyio.sleep(0.3)


async def test_a_second_daemon_is_told_who_holds_the_folder(tmp_path: Path) -> None:
    async with serving(tmp_path / "data") as served:
        code, said = await refused(tmp_path / "data", "--port", "0")
    assert code == 5
    assert str(served.process.pid) in said
    assert len(said.splitlines()) == 1


async def test_a_port_that_is_taken_is_told(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, said = await refused(tmp_path / "data", "--port", str(port))
    assert (code, len(said.splitlines())) == (4, 1)
    assert f"port {port} of 127.0.0.1 is taken" in said


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[server\n", "line 1"),
        ("[server]\nprot = 1\n", "did you mean port?"),
        ("[daemon]\nshutdown_timeout = 10\n", "line 2"),
    ],
)
async def test_a_file_of_settings_that_is_wrong_is_told_with_its_line(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "ouzel.toml"
    path.write_text(text)
    code, said = await refused(tmp_path / "data", "--config", str(path))
    assert (code, len(said.splitlines())) == (2, 1)
    assert words in said
    assert not (tmp_path / "data").exists()


async def test_a_folder_for_recordings_that_cannot_be_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    code, said = await refused(tmp_path / "data", "--port", "0", "--recordings", str(tmp_path / "file" / "media"))
    assert (code, len(said.splitlines())) == (5, 1)
    assert str(tmp_path / "file" / "media") in said


async def test_recordings_are_kept_where_a_followed_file_says(tmp_path: Path) -> None:
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "config.json").write_text('{"uids": [], "data_path": "data_of_it", "shutdown_timeout": 3}')
    async with serving(tmp_path / "own", "--follow", str(tmp_path)) as served:
        assert (await served.ouzel("status"))[0]["roots"][0]["folder"] == str(tmp_path / "data_of_it")
        assert await served.end() == 0


@pytest.mark.parametrize("content", [b"this is a text, and no database", b""])
async def test_a_database_that_is_none_is_told_and_left_alone(tmp_path: Path, content: bytes) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (data / "ouzel.db").write_bytes(content or b"SQLite format 3\x00" + os.urandom(5000))
    before = (data / "ouzel.db").read_bytes()
    code, said = await refused(data, "--port", "0")
    assert (code, len(said.splitlines())) == (5, 1)
    assert "ouzel.db" in said
    assert (data / "ouzel.db").read_bytes() == before
