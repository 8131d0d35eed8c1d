"""A daemon in a process of its own tells people: set up by commands, heard by a service on loopback."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
import pytest
from tests.command import Running

from ouzel.cli import texts
from ouzel.cli.main import EXIT_BAD_ARGUMENTS, EXIT_NOTHING, EXIT_OK, run
from ouzel.testing.messages import fake_service

pytestmark = pytest.mark.anyio
Ask = Callable[..., Awaitable[list[dict[str, Any]]]]


@pytest.fixture
def daemon(tmp_path: Path) -> Generator[Running]:
    settings = tmp_path / "ouzel.toml"
    settings.write_text('[platforms]\nproxy = "http://127.0.0.1:9"\n')  # nobody out there is asked
    options = ["--json", "--data", tmp_path / "data", "--recordings", tmp_path / "media", "--port", "0", "-q"]
    with Running(*options, cwd=tmp_path, command="serve", env={"OUZEL_CONFIG": str(settings)}) as daemon:
        daemon.until("ready")
        yield daemon
        daemon.process.terminate()
        assert daemon.process.wait(60) == 0


@pytest.fixture(autouse=True)
def english(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("OUZEL_LANG", "en")
    for name in ("OUZEL_SERVER", "OUZEL_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    texts.language.cache_clear()
    yield
    texts.language.cache_clear()


@pytest.fixture
def ask(daemon: Running, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Ask:
    async def asked(words: str, code: int = EXIT_OK) -> list[dict[str, Any]]:
        command = [*words.split(), "--json", "--data", str(tmp_path / "data")]
        done = await anyio.to_thread.run_sync(run, command)
        said = capsys.readouterr()
        assert done == code, said.err
        return [json.loads(line) for line in (said.out if done == code and said.out else said.err).splitlines()]

    return asked


async def test_it_tells_what_happens(ask: Ask, tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("shared\n")
    async with fake_service({}) as service, fake_service({}) as hanging:
        hanging.replies = [None]
        await ask(f"targets add hook webhook url={service.url}/in secret=@{tmp_path / 'secret.txt'}")
        await ask(f"targets add stuck webhook url={hanging.url}")
        assert await ask("targets test hook") == [{"sent": True, "code": None, "why": None}]
        assert service.got[0].json["type"] == "test"
        assert service.got[0].headers["webhook-signature"].startswith("v1,")
        await ask("routes add all --on job.* --on storage.* --on download.* --to hook --to stuck")
        await ask("downloads add http://127.0.0.1:9/film.mp4")
        with anyio.fail_after(60):
            await service.wait(2)
        told = service.got[1].json
        assert told["type"] == "download.failed"
        assert "could not be downloaded" in told["title"]
        with anyio.fail_after(60):
            while not (rows := await ask("messages list --state sent")):  # it is heard before it is written down
                pass
        [sent] = rows
        assert (sent["target"], sent["title"]) == ("hook", told["title"])
        [waiting] = await ask("messages list --target stuck")
        assert waiting["state"] == "waiting"


async def test_what_is_wrong_is_said_at_once(ask: Ask) -> None:
    assert "topic" in str(await ask("targets add x ntfy url=https://ntfy.sh/", EXIT_BAD_ARGUMENTS))
    async with fake_service({"errcode": 93000, "errmsg": "invalid webhook url"}) as service:
        await ask(f"targets add x wecom url={service.url}/send?key=SECRETKEY")
        [said] = await ask("targets test x", EXIT_NOTHING)
        assert said["code"] == "target_refused"
        assert "broadcast.began" in str(await ask("routes add r --on broadcast.begun --to x", EXIT_BAD_ARGUMENTS))
        assert "{streamer}" in str(await ask("routes add r --on * --to x --title {streamer}", EXIT_BAD_ARGUMENTS))
        [listed] = await ask("targets list")
        assert "SECRETKEY" not in str(listed)
