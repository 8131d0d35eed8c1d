"""One answer among several that is not what it should be, with status 200 too: a channel that is on air is then never offline."""

from __future__ import annotations

import gc
import json
from dataclasses import replace
from pathlib import Path

import anyio.to_thread
import pytest

from ouzel.model.live import Live, Offline
from ouzel.platforms.chain import Told
from ouzel.platforms.contract import AdapterName, Options, Platform
from ouzel.platforms.registry import registry
from ouzel.platforms.worker import answer
from ouzel.testing.platforms import Case, PlannedAnswer, PlatformServer, platform_server, read_case

pytestmark = pytest.mark.anyio
DATA = Path(__file__).parent.parent / "data" / "platforms"
ON_AIR = sorted(DATA.glob("*/*/live.toml"))
QUERIES = sorted(  # answered in GraphQL, where errors may stand beside data
    path
    for path in DATA.glob("*/*/*.toml")
    if read_case(path).expect["state"] == "offline"
    and any(each.ask.endswith(("/gql", "/graphql")) for each in read_case(path).answers)
)
ERROR = """
{"code": 9004, "error": {"code": 9004}, "errors": [{"message": "service error"}], "message": "no", "content": null,
 "data": null}
"""
SPOILT: dict[str, tuple[str, int]] = {
    "an error": (ERROR, 200),
    "an error without the word": ('{"code": 9004, "message": "no", "content": null, "data": null}', 200),
    "nothing in it": ('{"code": 0, "error": 0, "status": 0, "result": 1, "message": "ok", "data": {}}', 200),
    "nothing": ("", 200),
    "not there": ('{"error": "not_found"}', 404),
}


@pytest.fixture(autouse=True)
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))


async def ask(server: PlatformServer, path: Path, case: Case) -> Told:
    adapter: AdapterName = path.parts[-2]  # type: ignore[assignment]
    given = Options(proxy=server.proxy, timeout_s=10.0)
    return await anyio.to_thread.run_sync(answer, case.url or registry()[path.parts[-3]].example, adapter, given)


def name_of(path: Path) -> str:
    return "-".join(path.relative_to(DATA).with_suffix("").parts)


@pytest.mark.parametrize("platform", [*registry()], ids=lambda p: p.name)
def test_where_a_library_is_asked_it_is_declared_what_off_air_looks_like(platform: Platform) -> None:
    assert platform.off_air or platform.chain == ("own",)


@pytest.mark.parametrize("path", ON_AIR, ids=name_of)
async def test_a_channel_on_air_is_not_offline_when_one_answer_is_spoilt(path: Path, tmp_path: Path) -> None:
    case = read_case(path)
    async with platform_server(tmp_path) as server:
        for number, planned in enumerate(case.answers):
            for what, (body, status) in SPOILT.items():
                answers = list(case.answers)
                answers[number] = replace(planned, body=body, status=status)
                server.play(answers)
                told = await ask(server, path, case)
                assert not isinstance(told.outcome, Offline), f"{planned.ask} answered with {what}: {told}"
    gc.collect()  # the libraries leave circles behind, with sockets in them


@pytest.mark.parametrize("path", QUERIES, ids=name_of)
async def test_data_with_errors_beside_it_is_no_word_for_off_air(path: Path, tmp_path: Path) -> None:
    case = read_case(path)
    async with platform_server(tmp_path) as server:
        server.play([_in_part(each) for each in case.answers])
        told = await ask(server, path, case)
    assert not isinstance(told.outcome, (Offline, Live)), told


def _in_part(planned: PlannedAnswer) -> PlannedAnswer:
    if not planned.ask.endswith(("/gql", "/graphql")):
        return planned
    doc = json.loads(planned.body)
    for each in doc if isinstance(doc, list) else [doc]:
        each["errors"] = [{"message": "service timeout", "path": ["user", "stream"]}]
    return replace(planned, body=json.dumps(doc))
