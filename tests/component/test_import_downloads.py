"""`ouzel import` of a file of tasks: into the database, or through the daemon that runs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio.to_thread
import pytest
from sqlalchemy import select
from tests.served import listening_server, open_served

from ouzel.cli import texts
from ouzel.cli.main import run
from ouzel.store.db import open_db
from ouzel.store.tables import downloads, owns
from ouzel.system.clock import SystemClock

pytestmark = pytest.mark.anyio
TASKS = [
    {"name": "one", "url": "https://example.org/1.m3u8", "quality": "720p", "output_dir": "./films", "profile": "fast"},
    {"name": "two", "url": "https://u:hunter2@example.org/2.m3u8"},
    {"name": "out", "url": "https://example.org/3.m3u8", "output_dir": "/etc"},
    {"name": "broken"},
]


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    monkeypatch.setenv("OUZEL_LANG", "en")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    for name in ("OUZEL_CONFIG", "OUZEL_SERVER"):
        monkeypatch.delenv(name, raising=False)
    texts.language.cache_clear()
    yield
    texts.language.cache_clear()


def _tasks(folder: Path) -> str:
    path = folder / "tasks.json"
    path.write_text(json.dumps(TASKS))
    return str(path)


def _taken(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    return json.loads(capsys.readouterr().out.splitlines()[-1])


async def test_without_a_daemon_they_wait_in_the_database(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = tmp_path / "data"
    data.mkdir()
    ask = ["import", _tasks(tmp_path), "--data", str(data), "--json"]
    assert await anyio.to_thread.run_sync(run, ask) == 3
    taken = _taken(capsys)
    assert (taken["downloads"], taken["already"]) == (2, 0)
    assert [(each["url"], each["code"]) for each in taken["refused"]] == [("https://example.org/3.m3u8", "bad_option")]
    assert await anyio.to_thread.run_sync(run, ask) == 3
    again = _taken(capsys)
    assert (again["downloads"], again["already"]) == (0, 2)

    async with open_db(data / "ouzel.db", SystemClock()) as db:
        rows = await db.read(select(downloads).order_by(downloads.c.name))
        assert [(row["name"], row["state"], row["profile"], row["folder"]) for row in rows] == [
            ("one", "pending", "fast", str(data / "downloads" / "films")), ("two", "pending", "", str(data / "downloads")),
        ]  # fmt: skip
        assert rows[0]["wish"] == {"quality": "720p"}
        assert "hunter2" not in repr(rows)
        assert len(await db.read(select(owns.c.key).where(owns.c.want, owns.c.kind == "dl"))) == 2


async def test_a_daemon_that_runs_takes_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async with open_served(tmp_path) as served, listening_server(served.app) as address:
        key = served.local()["authorization"].partition(" ")[2]
        ask = ["import", _tasks(tmp_path), "--server", address, "--api-key", key]
        assert await anyio.to_thread.run_sync(run, [*ask, "--json"]) == 3
        taken = _taken(capsys)
        assert (taken["downloads"], taken["already"]) == (2, 0)
        assert [each["code"] for each in taken["refused"]] == ["bad_option"]
        assert await anyio.to_thread.run_sync(run, ask) == 3
        said = capsys.readouterr().out
        assert "there already: 2; refused: 1" in said
        assert {each.name for each in await served.services.downloads.repo.page()} == {"one", "two"}
