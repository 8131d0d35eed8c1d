"""Every platform, every way to ask it, through the real libraries: what answers mean, and that nothing else means "offline"."""

from __future__ import annotations

import json
import re
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, unquote

import anyio.to_thread
import pytest

from ouzel.base.errors import OuzelError
from ouzel.base.urls import parse_url
from ouzel.model.live import Live, Offline, State, Vod, state_of
from ouzel.platforms.adapters import adapter_for
from ouzel.platforms.chain import Told
from ouzel.platforms.contract import AdapterName, Options, Platform, Probing
from ouzel.platforms.registry import registry
from ouzel.platforms.templates import parse_template
from ouzel.platforms.worker import answer
from ouzel.testing.platforms import AskedOf, Case, PlannedAnswer, PlatformServer, platform_server, read_case

pytestmark = pytest.mark.anyio
DATA = Path(__file__).parent.parent / "data" / "platforms"
PLATFORMS = [*registry()]
WAYS = [(platform, adapter) for platform in PLATFORMS for adapter in platform.chain]
CASES = sorted(DATA.glob("*/*/*.toml"))
OWN_LIVE = [path for path in CASES if path.parts[-2] == "own" and read_case(path).expect["state"] in {"live", "vod"}]
SIGNED = re.compile(
    r"(?i)[?&/~=](exp|(x-)?expires?|expire_ts|wsTime|wsABStime|txTime|hwTime|volcTime|ty_Time|auth_key)[=/][0-9a-f]{8,13}(?![0-9a-z.])"
)
PROGRAMS = {"huya": "HYSDK("}
"""Of addresses that are signed for a program: that one."""
CAPTCHA = '<!doctype html><html><head><title>Security check</title></head><body><div id="captcha"></div></body></html>'
PAGE = "<!doctype html><html><head><title>Welcome</title></head><body><h1>We have a new design</h1></body></html>"

HOLES = [
    (platform, template, name)
    for platform in PLATFORMS
    for template in platform.urls
    for name, kind in parse_template(template).names.items()
    if kind != "int"
]

# what every site may answer to every request, and what may come of it
TROUBLE: dict[str, tuple[PlannedAnswer, set[State]]] = {
    "captcha": (PlannedAnswer("*", CAPTCHA, type="text/html"), {State.BLOCKED}),
    "too-many": (PlannedAnswer("*", "slow down", status=429, type="text/plain"), {State.BLOCKED}),
    "not-there": (PlannedAnswer("*", "404 page not found", status=404, type="text/plain"), {State.BROKEN, State.GONE}),
    "error": (PlannedAnswer("*", "oops", status=502, type="text/plain"), {State.BLOCKED}),
    "new-page": (PlannedAnswer("*", PAGE, type="text/html"), {State.BROKEN}),
    "empty": (PlannedAnswer("*", ""), {State.BROKEN}),
    "nothing-known": (PlannedAnswer("*", "{}"), {State.BROKEN, State.GONE, State.NEEDS_LOGIN}),
}


async def ask(server: PlatformServer, url: str, adapter: AdapterName | None = None, **options: Any) -> Told:
    given = Options(proxy=server.proxy, timeout_s=10.0, **options)
    return await anyio.to_thread.run_sync(answer, url, adapter, given)


@pytest.fixture(autouse=True)
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
    return tmp_path


@pytest.mark.parametrize("platform", PLATFORMS, ids=lambda p: p.name)
def test_a_platform_is_found_by_its_example_alone(platform: Platform) -> None:
    found = registry().find(platform.example)
    assert found is not None
    assert found.platform is platform
    assert platform.chain


@pytest.mark.parametrize("platform", PLATFORMS, ids=lambda p: p.name)
def test_a_platform_has_a_live_and_an_offline_case(platform: Platform) -> None:
    first = DATA / platform.name / platform.chain[0]
    assert {"live", "offline"} <= {path.stem for path in first.glob("*.toml")}, f"write them into {first}"


@pytest.mark.parametrize("platform", [p for p in PLATFORMS if "own" in p.chain], ids=lambda p: p.name)
def test_our_own_code_that_tells_of_many_channels_keeps_the_contract(platform: Platform) -> None:
    found = registry().find(platform.example)
    assert found is not None
    adapter = adapter_for("own", found)
    assert adapter.name == "own"
    if hasattr(adapter, "probe") or hasattr(adapter, "at_once"):
        assert isinstance(adapter, Probing)
        assert adapter.at_once > 1


@pytest.mark.parametrize("path", CASES, ids=lambda p: "-".join(p.relative_to(DATA).with_suffix("").parts))
async def test_a_case_means_what_it_says(path: Path, tmp_path: Path) -> None:
    case, platform = read_case(path), registry()[path.parts[-3]]
    assert case.source, "say where this shape is documented"
    assert path.parts[-2] in platform.chain
    async with platform_server(tmp_path) as server:
        server.play(case)
        told = await ask(server, case.url or platform.example, path.parts[-2])  # type: ignore[arg-type]
        assert not server.unplanned, f"no answer for {[a.method + ' ' + a.place for a in server.unplanned]}: {told}"
        asked = len(server.asked)
    assert_as_expected(told, case)
    assert len(told.evidence) >= asked > 0
    assert all(evidence.url.startswith("http") for evidence in told.evidence)


@pytest.mark.filterwarnings("ignore:Unverified HTTPS request")
@pytest.mark.parametrize("path", OWN_LIVE, ids=lambda p: "-".join(p.relative_to(DATA).with_suffix("").parts))
async def test_our_own_streams_have_all_that_it_takes_to_open_them(path: Path, tmp_path: Path) -> None:
    case, platform = read_case(path), registry()[path.parts[-3]]
    async with platform_server(tmp_path) as server:
        server.play(case)
        told = await ask(server, case.url or platform.example, "own", user_agent="Mine/1", verify_tls=False)
    assert isinstance(told.outcome, (Live, Vod)), told.outcome
    for stream in told.outcome.streams:
        assert stream.protocol
        assert stream.proxy == server.proxy
        assert not stream.verify_tls
        (agent,) = [value for name, value in stream.headers if name == "User-Agent"]
        assert agent == "Mine/1" or agent.startswith(PROGRAMS[platform.name])
        assert stream.expires_at or not SIGNED.search(stream.url), stream.url


def assert_as_expected(told: Told, case: Case) -> None:
    outcome, expected = told.outcome, dict(case.expect)
    why = (outcome, outcome.context.get("words", "")) if isinstance(outcome, OuzelError) else ""
    assert state_of(outcome).value == expected.pop("state"), why
    if isinstance(outcome, OuzelError):
        assert expected.pop("code", outcome.code) == outcome.code
        assert outcome.context["evidence"]
        assert not expected
        return
    assert outcome.identity.platform
    assert outcome.identity.id
    if isinstance(outcome, (Live, Vod)):
        assert outcome.streams
        for stream in outcome.streams:
            parse_url(stream.url, schemes={"http", "https", "rtmp", "ws", "wss"})
        labels = expected.pop("labels", None)
        assert labels is None or sorted(labels) == sorted({s.label for s in outcome.streams})
        urls = expected.pop("urls", None)
        assert urls is None or urls == [s.url for s in outcome.streams][: len(urls)]
        protocols = expected.pop("protocols", None)
        assert protocols is None or set(protocols) == {s.protocol for s in outcome.streams}
    given = asdict(outcome)
    given["id"] = outcome.identity.id
    for name, value in expected.items():
        got = given[name]
        assert (got.isoformat() if isinstance(got, datetime) else got) == value, name


@pytest.mark.parametrize(("planned", "states"), TROUBLE.values(), ids=TROUBLE)
@pytest.mark.parametrize(("platform", "adapter"), WAYS, ids=[f"{p.name}-{a}" for p, a in WAYS])
async def test_trouble_is_never_offline(
    platform: Platform, adapter: AdapterName, planned: PlannedAnswer, states: set[State], tmp_path: Path
) -> None:
    async with platform_server(tmp_path) as server:
        server.play([planned])
        told = await ask(server, platform.example, adapter)
    assert server.asked, told
    assert not isinstance(told.outcome, (Offline, Live)), told
    assert state_of(told.outcome) in states, told.outcome
    assert told.evidence


@pytest.mark.parametrize(("platform", "adapter"), WAYS, ids=[f"{p.name}-{a}" for p, a in WAYS])
async def test_a_site_that_cannot_be_reached_is_not_offline(
    platform: Platform, adapter: AdapterName, tmp_path: Path
) -> None:
    async with platform_server(tmp_path) as server:
        server.refusing = True
        told = await ask(server, platform.example, adapter)
    assert state_of(told.outcome) in {State.BLOCKED, State.BROKEN}, told.outcome
    assert isinstance(told.outcome, OuzelError)


def filled(template: str, hole: str, name: str) -> str:
    """An address of this form, with this written where the name stands; in the other holes, what is harmless."""
    text = template.replace(f"{{{hole}}}", name).replace(f"{{{hole}:any}}", name).replace("/{..}", "/x")
    return "https://" + re.sub(r"\{(\w+):int\}", "7", re.sub(r"\{(\w*|\.\.)\}", "zz", text))


@pytest.mark.parametrize(
    "written", ["a%2Fb", "a%2fb", "..", "%2e%2e", ".", "a%3Fb", "a%23b", "a%5Cb", "a%252Fb", "%00", "%20", "%FF"]
)
def test_what_is_no_name_is_none_of_any_platform(written: str) -> None:
    for platform, template, hole in HOLES:
        found = registry().find(filled(template, hole, written))
        assert found is None or found.named.get(hole) != unquote(written) or f"{{{hole}:any}}" in template, (
            platform.name
        )
        assert found is None or not set("/?#\\%") & set(found.named.get(hole, "")) or f"{{{hole}:any}}" in template, (
            platform.name
        )


@pytest.mark.parametrize(("platform", "template", "hole"), HOLES, ids=[f"{p.name}-{t}-{n}" for p, t, n in HOLES])
async def test_a_strange_name_is_asked_for_as_it_is(
    platform: Platform, template: str, hole: str, tmp_path: Path
) -> None:
    async with platform_server(tmp_path) as server:
        for name in ("名字", "a b", 'é"<', "a&b=c+d"):
            url = filled(template, hole, quote(name, safe=""))
            if (found := registry().find(url)) is None:
                continue
            assert found.named.get(hole, name) == name
            server.play([PlannedAnswer("*", "{}")])
            told = await ask(server, url, found.platform.chain[0])
            assert state_of(told.outcome) is not State.BLOCKED, told.outcome
            if found.platform.chain[0] == "own":
                assert isinstance(told.outcome, OuzelError), told
                spelt = {name, once := json.dumps(name)[1:-1], json.dumps(once)[1:-1]}
                other = [text for each in server.asked if "zz" not in (text := text_of(each)) and MARKED.search(text)]
                assert all(any(way in text for way in spelt) for text in other), other


MARKED = re.compile("名|a.?b|é|u00e9|u540d")


def text_of(asked: AskedOf) -> str:
    """All that a request names, without the escapes of an address."""
    fields = {**dict(parse_qsl(asked.query)), **dict(parse_qsl(asked.body))}
    return "\n".join((unquote(asked.path), *fields.values(), asked.body))
