"""The command line as a client: over HTTP, against the real API."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import anyio.to_thread
import pytest
from tests.served import listening_server, open_served

from ouzel.cli.main import run

pytestmark = pytest.mark.anyio


async def test_channels_are_added_found_by_name_changed_undone_and_removed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with open_served(tmp_path) as served, listening_server(served.app) as address:
        key = served.local()["authorization"].partition(" ")[2]

        async def call(*args: str) -> tuple[int, list[dict[str, Any]], str]:
            given = [*args, "--server", address, "--api-key", key, "--json"]
            code = await anyio.to_thread.run_sync(run, given)
            told = capsys.readouterr()
            return code, [json.loads(line) for line in told.out.splitlines()], told.err

        code, [made], _ = await call("channels", "add", "huya.com/77", "--name", "某人", "--set", 'quality=["720p"]')
        assert (code, made["name"]) == (0, "某人")
        code, told, _ = await call("channels", "add", "huya.com/77", "https://www.huya.com/5")
        assert (code, [each["code"] for each in told]) == (3, ["conflict", None])
        _, [shown], _ = await call("channels", "show", "某人")
        assert shown["effective"]["quality"] == {"value": ["720p"], "source": "channel"}
        _, [edited], _ = await call("channels", "edit", made["id"][:-1], "--unset", "quality")
        assert edited["settings"] == {}
        _, edits, _ = await call("channels", "revisions", "某人")
        assert [(each["action"], each["by"]) for each in edits] == [("changed", "local"), ("added", "local")]
        number = str(edits[0]["number"])
        assert (await call("channels", "undo", number))[1] == [{"subjects": [made["id"]]}]
        assert len((await call("channels", "revisions", "--limit", "1"))[1]) == 1
        assert (await call("channels", "remove", "https://www.huya.com/77"))[0] == 0
        assert [each["id"] for each in (await call("channels", "list", "--trash"))[1]] == [made["id"]]
        code, [error], said = await call("channels", "stop", "某人")
        assert (code, error["code"], said.endswith("(not_found)\n")) == (2, "not_found", True)
        assert [each["name"] for each in (await call("users", "list"))[1]] == ["root"]


async def test_without_a_daemon_one_line_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert await anyio.to_thread.run_sync(run, ["channels", "list", "--data", str(tmp_path)]) == 7
    assert capsys.readouterr().err.strip().endswith("(no_daemon)")
