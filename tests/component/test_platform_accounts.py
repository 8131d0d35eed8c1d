"""Accounts: who is told the password, and what comes of one that is refused."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import anyio.to_thread
import pytest

from ouzel.model.live import Live, State, state_of
from ouzel.platforms.chain import Told
from ouzel.platforms.contract import AdapterName, Options
from ouzel.platforms.registry import registry
from ouzel.platforms.worker import answer
from ouzel.testing.platforms import PlannedAnswer, PlatformServer, platform_server, read_case

pytestmark = pytest.mark.anyio
DATA = Path(__file__).parent.parent / "data" / "platforms"
SOOP = "https://play.sooplive.com/somebody"
LOGIN = "login.sooplive.com/app/LoginAction.php"


@pytest.fixture
async def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[PlatformServer]:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
    monkeypatch.setattr("streamlink.cache.CACHE_DIR", tmp_path)
    monkeypatch.setattr("streamlink.cache.Timer", AtOnce)
    async with platform_server(tmp_path) as server:
        yield server


class AtOnce:
    """A timer that does not wait."""

    def __init__(self, _after_s: float, function: Callable[[], None]) -> None:
        self.start = function

    def cancel(self) -> None: ...


async def ask(server: PlatformServer, url: str, only: AdapterName | None, **options: str) -> Told:
    given = Options(proxy=server.proxy, timeout_s=10.0, login="me@h", password="s3same", **options)  # type: ignore[arg-type]
    return await anyio.to_thread.run_sync(answer, url, only, given)


def told_the_password(server: PlatformServer) -> list[str]:
    return [asked.place for asked in server.asked if "s3same" in asked.body + asked.query + str(asked.headers)]


def test_who_signs_in_is_in_the_chain() -> None:
    for platform in registry():
        assert set(platform.login) <= set(platform.chain), platform.name


@pytest.mark.parametrize("adapter", ["streamlink", "yt-dlp"])
async def test_a_library_is_given_the_account(server: PlatformServer, tmp_path: Path, adapter: AdapterName) -> None:
    welcome = PlannedAnswer(
        f"POST {LOGIN}", '{"RESULT": 1}', headers={"Set-Cookie": "AuthTicket=t1cket; Domain=.sooplive.com; Path=/"}
    )
    server.play([welcome, *read_case(DATA / "soop" / adapter / "live.toml").answers])
    told = await ask(server, SOOP, adapter)
    assert isinstance(told.outcome, Live), told
    assert told_the_password(server) == [LOGIN]
    assert "AuthTicket=t1cket" in server.asked[-1].headers["cookie"]
    kept = [path async for path in anyio.Path(tmp_path).rglob("*") if await path.is_file()]
    assert not [path for path in kept if b"t1cket" in await path.read_bytes()]


REFUSED = {
    "soop-streamlink": (SOOP, "streamlink", LOGIN, '{"RESULT": -1}'),
    "soop-yt-dlp": (SOOP, "yt-dlp", LOGIN, '{"RESULT": -1}'),
    "openrec-yt-dlp": (
        "",
        "yt-dlp",
        "www.mellow-fan.com/apiv5/email/login",
        '{"status": -1, "message": "パスワードが違います"}',
    ),
    "vimeo-yt-dlp": ("", "yt-dlp", "vimeo.com/log_in", ""),
}


@pytest.mark.parametrize(("url", "adapter", "place", "body"), REFUSED.values(), ids=REFUSED)
async def test_an_account_that_is_refused_is_told_and_nobody_else_is_asked(
    server: PlatformServer, request: pytest.FixtureRequest, url: str, adapter: AdapterName, place: str, body: str
) -> None:
    name = request.node.callspec.id.partition("-")[0]
    refusal = PlannedAnswer(f"POST {place}", body, status=418 if name == "vimeo" else 200)
    viewer = PlannedAnswer("GET vimeo.com/_next/viewer", '{"xsrft": "x", "jwt": "y", "vuid": "1"}')
    server.play([refusal, viewer, *read_case(DATA / name / ("own" if not url else adapter) / "live.toml").answers])
    told = await ask(server, url or registry()[name].example, adapter if url else None)
    assert state_of(told.outcome) is State.NEEDS_LOGIN, (told, server.unplanned)
    assert told.adapter == adapter
    assert "not let in" in str(told.outcome) or "does not let the account in" in str(told.outcome)
    assert len(told.outcome.context["tried"]) == 1


async def test_who_cannot_sign_in_is_not_told_the_password(server: PlatformServer) -> None:
    server.play(read_case(DATA / "twitch" / "yt-dlp" / "live.toml"))
    told = await ask(server, "https://www.twitch.tv/somebody", "yt-dlp")
    assert isinstance(told.outcome, Live), (told, server.unplanned)
    assert told_the_password(server) == []


async def test_cookies_count_before_an_account(server: PlatformServer) -> None:
    server.play(read_case(DATA / "openrec" / "own" / "live.toml"))
    told = await ask(server, registry()["openrec"].example, None, cookies="a=b")
    assert (told.adapter, state_of(told.outcome)) == ("own", State.LIVE)


@pytest.mark.parametrize("adapter", ["own", "streamlink", "yt-dlp", "streamget"])
async def test_everybody_names_himself_as_the_user_wants(server: PlatformServer, adapter: AdapterName) -> None:
    server.play(read_case(DATA / "twitch" / adapter / "live.toml"))
    told = await ask(server, "https://www.twitch.tv/somebody", adapter, user_agent="Somebody/1.0")
    assert isinstance(told.outcome, Live), (told, server.unplanned)
    assert {asked.headers["user-agent"] for asked in server.asked} == {"Somebody/1.0"}
    assert {dict(stream.headers).get("User-Agent") for stream in told.outcome.streams} == {"Somebody/1.0"}
