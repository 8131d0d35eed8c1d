"""The platform that the page "How to add a platform" has as an example keeps the contract as it stands there."""

from __future__ import annotations

import ast
import re
import textwrap
import tomllib
from pathlib import Path
from types import ModuleType

import anyio.to_thread
import pytest

from ouzel.model.live import Live, Offline, State, state_of
from ouzel.platforms.chain import Told, ask
from ouzel.platforms.contract import Adapter, AdapterName, Match, Options
from ouzel.platforms.registry import Registry, read_head
from ouzel.testing.platforms import PlannedAnswer, PlatformServer, platform_server

pytestmark = pytest.mark.anyio
PAGE = (Path(__file__).parents[2] / "docs/design/platforms.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return [textwrap.dedent(found) for found in re.findall(rf"(?ms)^ *```{language}\n(.*?)^ *```$", PAGE)]


LIBRARY, OWN = blocks("python")
(LIVE,) = map(tomllib.loads, blocks("toml"))
PLATFORM = read_head("birdcam.py", OWN)


async def asked(server: PlatformServer) -> Told:
    module = ModuleType("birdcam")
    exec(compile(ast.parse(OWN), "birdcam.py", "exec"), module.__dict__)
    match = Registry([PLATFORM]).find(PLATFORM.example)
    assert match is not None

    def adapter_for(_name: AdapterName, _match: Match) -> Adapter:
        return module.adapter()

    return await anyio.to_thread.run_sync(ask, "own", adapter_for, match, Options(proxy=server.proxy))


def test_both_files_can_be_read() -> None:
    assert read_head("name.py", LIBRARY).chain == ("streamlink",)


async def test_it_is_live_offline_and_never_offline_where_a_field_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (planned,) = [PlannedAnswer(**each) for each in LIVE["answer"]]
    async with platform_server(tmp_path) as server:
        monkeypatch.setenv("SSL_CERT_FILE", str(server.ca_file))
        server.play([planned])
        told = await asked(server)
        assert isinstance(told.outcome, Live), told.outcome
        assert told.outcome.anchor == LIVE["expect"]["anchor"]
        assert told.outcome.started_at is not None
        assert told.outcome.streams[0].protocol == "hls"
        server.play([PlannedAnswer(planned.ask, planned.body.replace("true", "false"))])
        assert isinstance((await asked(server)).outcome, Offline)
        server.play([PlannedAnswer(planned.ask, planned.body.replace("online", "on_line"))])
        assert state_of((await asked(server)).outcome) is State.BROKEN
