"""`ouzel mcp`: tools over the real API, asked by the SDK's own client."""

from __future__ import annotations

import re
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import Client, StdioServerParameters, stdio_client
from tests.command import environment
from tests.served import Served, listening_server, open_served

from ouzel.cli.client import connect
from ouzel.cli.mcp_server import make_server
from ouzel.model.users import Role

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def served_at(folder: Path) -> AsyncGenerator[tuple[Served, str]]:
    async with open_served(folder) as served, listening_server(served.app) as address:
        yield served, address


@asynccontextmanager
async def agent(address: str, key: str, *, read_only: bool = False) -> AsyncGenerator[Client]:
    with connect(address, key, None) as api:
        async with Client(make_server(api, read_only=read_only)) as client:
            yield client


def key_of(served: Served) -> str:
    return served.local()["authorization"].partition(" ")[2]


async def told(client: Client, tool: str, **arguments: Any) -> Any:
    answer = await client.call_tool(tool, arguments)
    assert not answer.is_error, answer.content
    return answer.structured_content


async def refused(client: Client, tool: str, **arguments: Any) -> str:
    answer = await client.call_tool(tool, arguments)
    assert answer.is_error
    return answer.content[0].text  # type: ignore[union-attr]


async def test_an_agent_adds_channels_sets_them_and_takes_it_back(tmp_path: Path) -> None:
    async with served_at(tmp_path) as (served, address), agent(address, key_of(served)) as client:
        batch = await told(client, "add_channels", addresses=["huya.com/77", "no address"], labels=["games"])
        assert (batch["added"], [each["code"] for each in batch["items"]]) == (1, [None, "bad_url"])
        page = await told(client, "list_channels", label="games")
        assert [each["addresses"] for each in page["items"]] == [["https://www.huya.com/77"]]
        await told(client, "edit_channel", channel="https://www.huya.com/77", name="小明")
        await told(client, "set_quality", channel="小明", quality=["720p", "worst"])
        hours = [{"days": ["sat"], "from": "20:00", "to": "02:00"}]
        await told(client, "set_schedule", channel="小明", windows=hours, time_zone="Asia/Shanghai")
        await told(client, "label_channel", channel="小明", add=["new"], remove=["games"])
        shown = await told(client, "show_channel", channel="小明")
        assert shown["labels"] == ["new"]
        assert shown["settings"] == {
            "quality": ["720p", "worst"], "schedule": hours, "time_zone": "Asia/Shanghai",
        }  # fmt: skip
        last = (await told(client, "list_revisions", limit=1))["items"][0]["number"]
        await told(client, "undo", number=last)
        assert (await told(client, "show_channel", channel=shown["id"]))["labels"] == ["games"]
        assert (await told(client, "remove_channel", channel="小明"))["removed"]
        assert [each["name"] for each in (await told(client, "list_removed_channels"))["items"]] == ["小明"]
        assert (await told(client, "restore_channel", channel="小明"))["id"] == shown["id"]


async def test_every_reading_tool_answers_and_what_is_unusual_is_in_one_place(tmp_path: Path) -> None:
    async with served_at(tmp_path) as (served, address), agent(address, key_of(served)) as client:
        await served.services.notices.raise_notice("test", "files.recovered", data={"files": 3})
        unusual = await told(client, "unusual")
        assert [each["code"] for each in unusual["notices"]] == ["files.recovered"]
        assert unusual["channels"] == unusual["jobs"] == []
        await told(client, "add_channels", addresses=["huya.com/77"])
        [channel] = (await told(client, "list_channels"))["items"]
        given = {"channel": channel["id"], "address": "huya.com/5"}
        tools = (await client.list_tools()).tools
        reading = [each for each in tools if each.annotations and each.annotations.read_only_hint]
        for tool in reading:
            wanted = tool.input_schema.get("required", [])
            if tool.name not in {"show_recording", "list_copies"}:
                await told(client, tool.name, **{name: given[name] for name in wanted})
        said = await refused(client, "show_recording", recording="nothing")
        assert said.endswith("there is no nothing among recordings (not_found)")
        assert "not_found" in await refused(client, "list_copies", recording="nothing")
        await told(client, "dismiss_notice", notice=unusual["notices"][0]["id"])
        assert (await told(client, "list_notices"))["items"] == []


async def test_an_agent_may_do_what_its_key_may_and_who_only_reads_is_offered_nothing_else(tmp_path: Path) -> None:
    async with served_at(tmp_path) as (served, address):
        await served.add("viewer", Role.VIEWER)
        viewer = (await served.bearer("viewer"))["authorization"].partition(" ")[2]
        async with agent(address, viewer) as client:
            assert "(not_allowed)" in await refused(client, "add_channels", addresses=["huya.com/77"])
        async with agent(address, viewer, read_only=True) as client:
            tools = (await client.list_tools()).tools
            assert len(tools) > 10
            assert all(each.annotations and each.annotations.read_only_hint for each in tools)
            assert "Unknown tool" in await refused(client, "add_channels", addresses=["huya.com/77"])


async def test_the_command_speaks_over_its_standard_streams(tmp_path: Path) -> None:
    async with served_at(tmp_path) as (served, address):
        env = environment({"OUZEL_SERVER": address, "OUZEL_API_KEY": key_of(served)})
        command = StdioServerParameters(command=sys.executable, args=["-m", "ouzel", "mcp"], env=env, cwd=tmp_path)
        with anyio.fail_after(120):
            async with Client(stdio_client(command)) as client:
                assert client.server_info.name == "ouzel"
                assert (await told(client, "add_channels", addresses=["huya.com/77"]))["added"] == 1
                assert (await told(client, "list_channels"))["total"] == 1


async def test_every_tool_is_in_the_reference(tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs/reference/mcp.md").read_text()
    reading, changing = (set(re.findall(r"`(\w+)`", text)) for text in page.split("## ")[1:])
    async with served_at(tmp_path) as (served, address), agent(address, key_of(served)) as client:
        tools = {each.name: each.annotations for each in (await client.list_tools()).tools}
    assert {name for name, hints in tools.items() if hints and hints.read_only_hint} == reading
    assert set(tools) - reading == changing - {"list_revisions"}
