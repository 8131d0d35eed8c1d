"""`ouzel downloads` against the API over HTTP."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Awaitable, Callable
from pathlib import Path
from typing import Any

import anyio.to_thread
import pytest
from sqlalchemy import update
from tests.served import Served, listening_server, open_served

from ouzel.cli import groups, texts
from ouzel.cli.main import run
from ouzel.cli.output import columns
from ouzel.store.tables import downloads

pytestmark = pytest.mark.anyio
Call = Callable[..., Awaitable[tuple[int, list[dict[str, Any]], str]]]
URL = "https://user:hunter2@example.org/vod/index.m3u8"


@pytest.fixture
async def served(tmp_path: Path) -> AsyncGenerator[Served]:
    async with open_served(tmp_path) as opened:
        yield opened


@pytest.fixture
async def call(
    served: Served, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> AsyncGenerator[Call]:
    monkeypatch.setenv("OUZEL_LANG", "en")
    texts.language.cache_clear()
    async with listening_server(served.app) as address:
        key = served.local()["authorization"].partition(" ")[2]

        async def call(*args: str, as_json: bool = True) -> tuple[int, Any, str]:
            given = ["downloads", *args, "--server", address, "--api-key", key, *(["--json"] if as_json else [])]
            code = await anyio.to_thread.run_sync(run, given)
            told = capsys.readouterr()
            return code, [json.loads(each) if as_json else each for each in told.out.splitlines()], told.err

        yield call
    texts.language.cache_clear()


async def test_one_is_added_shown_changed_and_removed(call: Call) -> None:
    code, [made], _ = await call("add", URL, "--name", "a film", "--profile", "fast", "--priority", "5")
    assert (code, made["name"], made["profile"], made["prio"]) == (0, "a film", "fast", 5)
    assert "hunter2" not in json.dumps(made)
    for command, state in (("pause", "paused"), ("resume", "pending"), ("cancel", "cancelled"), ("retry", "pending")):
        code, [doc], _ = await call(command, "a film")
        assert (code, doc["state"]) == (0, state)
    assert (await call("priority", made["id"], "9"))[1][0]["prio"] == 9
    assert (await call("show", made["id"][:-2]))[1][0]["prio"] == 9
    assert [each["id"] for each in (await call("list", "--state", "pending"))[1]] == [made["id"]]
    assert (await call("list", "--text", "nothing like it"))[1] == []
    assert (await call("remove", "a film", "--files"))[0] == 0
    assert (await call("list"))[1] == []
    code, [error], _ = await call("pause", "a film")
    assert (code, error["code"]) == (2, "not_found")


async def test_several_are_added_and_what_is_wrong_with_one_is_told(call: Call) -> None:
    code, told, _ = await call("add", "https://example.org/1.m3u8", "nothing", "https://example.org/2.m3u8")
    assert code == 3
    assert [(each["address"], each["code"]) for each in told] == [
        ("https://example.org/1.m3u8", None), ("nothing", "bad_url"), ("https://example.org/2.m3u8", None),
    ]  # fmt: skip
    code, _, said = await call("add", "https://a.example/1", "https://a.example/2", "--name", "x")
    assert (code, "--name is for one address" in said) == (2, True)


async def test_people_are_shown_a_table(call: Call) -> None:
    await call("add", URL, "--name", "a film")
    _, lines, _ = await call("list", as_json=False)
    assert lines[0].split() == ["id", "name", "state", "done", "size", "speed", "left", "priority", "why"]
    assert "a film" in lines[1]
    _, [line], _ = await call("pause", "a film", as_json=False)
    assert line == "a film: paused"
    _, lines, _ = await call("show", "a film", as_json=False)
    shown = dict(line.split(maxsplit=1) for line in lines)
    assert (shown["options"], shown["bytes"], shown["fraction"]) == ("quality best", "0 B", "0%")
    assert not any("{" in line for line in lines)


async def test_the_table_fits_its_terminal_and_speaks_chinese(
    call: Call, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    await call("add", URL, "--name", "a film with a name that is longer than any terminal is wide, and longer still")
    failed = (await call("add", "https://example.org/2.m3u8", "--name", "gone"))[1][0]["id"]
    why = "example.org answered 404 Not Found, after all the tries that there are for it and for all the others"
    async with served.services.db.transaction() as tx:
        values = {"state": "failed", "code": "gone", "why": why, "pieces": 100, "pieces_done": 50, "bytes": 123_456_789}
        await tx.execute(update(downloads).where(downloads.c.id == failed).values(values))
    monkeypatch.setattr(groups, "_room", lambda: 80)
    _, lines, _ = await call("list", as_json=False)
    assert max(map(len, lines)) <= 80
    assert lines[0].split() == ["id", "name", "state", "done", "size", "why"], "what nothing stands in is left out"
    monkeypatch.setenv("OUZEL_LANG", "zh")
    texts.language.cache_clear()
    _, lines, _ = await call("list", as_json=False)
    assert max(map(columns, lines)) <= 80
    assert [line.split()[2] for line in lines if "gone" in line] == ["失败"]
    texts.language.cache_clear()


async def test_a_file_of_tasks_is_added_but_for_what_is_broken(call: Call, tmp_path: Path) -> None:
    tasks = [
        {"name": "one", "url": "https://example.org/1.m3u8", "quality": "720p", "output_dir": "./films", "profile": "fast"},
        {"name": "broken", "url": ""},
        {"name": "two", "url": "https://example.org/2.m3u8", "profile": "faster"},
        {"name": "three", "url": "https://example.org/3.m3u8"},
    ]  # fmt: skip
    path = tmp_path / "tasks.json"
    path.write_text(json.dumps(tasks))
    code, told, said = await call("import", str(path))
    assert code == 3
    assert "broken" in said
    added = [each for each in told if each.get("id")]
    assert [each["address"] for each in added] == ["https://example.org/1.m3u8", "https://example.org/3.m3u8"]
    one = (await call("show", "one"))[1][0]
    assert (one["options"]["quality"], one["profile"], one["folder"][-16:]) == ("720p", "fast", "/downloads/films")
    again = await call("import", str(path))
    assert next(each["code"] for each in again[1] if "address" in each) == "conflict"


async def test_a_file_without_tasks_says_so(call: Call, tmp_path: Path) -> None:
    path = tmp_path / "tasks.json"
    path.write_text("[]")
    code, _, said = await call("import", str(path))
    assert (code, "there is no task" in said) == (2, True)
