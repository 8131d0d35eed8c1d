"""Ctrl+C while a platform does not answer: it ends at once, says so, and leaves nothing running."""

from __future__ import annotations

import signal
from collections.abc import AsyncIterator
from pathlib import Path

import anyio
import pytest
from tests.command import Done, Running
from tests.e2e.processes import needs_proc
from tests.e2e.scenes import until

from ouzel.testing.platforms import PlatformServer, platform_server

pytestmark = [pytest.mark.anyio, needs_proc]
PAGE = "https://picarto.tv/somebody"


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[PlatformServer]:
    async with platform_server(tmp_path) as server:
        server.silent = True
        yield server


def started_below(folder: Path) -> list[str]:
    """Processes that were told to put their temporary files there: the command, and whatever it has started."""
    return [place.parent.name for place in Path("/proc").glob("[0-9]*/environ") if str(folder).encode() in _read(place)]


def _read(place: Path) -> bytes:
    try:
        return place.read_bytes()
    except OSError:  # it has ended, or is not ours
        return b""


async def interrupted(server: PlatformServer, command: str, *words: str, cwd: Path) -> Done:
    env = {"SSL_CERT_FILE": str(server.ca_file), "TMPDIR": str(cwd)}
    with Running(PAGE, "--proxy", server.proxy, *words, cwd=cwd, command=command, env=env) as running:
        await until(lambda: server.waiting > 0)
        running.send(signal.SIGINT)
        done = await anyio.to_thread.run_sync(running.end)
    assert not started_below(cwd)
    return done


async def test_record_reports_that_nothing_was_recorded(server: PlatformServer, tmp_path: Path) -> None:
    done = await interrupted(server, "record", "--json", cwd=tmp_path)
    (recording,) = done.report["recordings"]
    assert (done.code, recording["end_reason"], recording["files"], recording["error"]) == (4, "stopped", [], None)


@pytest.mark.parametrize("wait", [(), ("--wait",)])
async def test_people_are_told_so(server: PlatformServer, tmp_path: Path, wait: tuple[str, ...]) -> None:
    done = await interrupted(server, "record", *wait, cwd=tmp_path)
    assert done.code == 4
    assert done.err.splitlines()[-1] == f"{PAGE}: nothing was recorded: stopped"


async def test_resolve_ends_with_the_code_of_an_interruption(server: PlatformServer, tmp_path: Path) -> None:
    done = await interrupted(server, "resolve", cwd=tmp_path)
    assert (done.code, done.out, done.err.strip()) == (130, "", "ouzel: interrupted")
