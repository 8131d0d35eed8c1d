"""The user's cookies go where the platform's own hosts redirect to within their site, and to no other site."""

from __future__ import annotations

from pathlib import Path

import anyio.to_thread
import pytest

from ouzel.platforms.asking import Site
from ouzel.platforms.contract import AdapterName, Options
from ouzel.platforms.cookies import pairs_of, site_of, sites_of
from ouzel.platforms.registry import registry
from ouzel.platforms.watch import Watch
from ouzel.platforms.worker import answer
from ouzel.testing.platforms import PlannedAnswer, PlatformServer, platform_server

COOKIES = "session=s3cr3t; theme=dark=1"


@pytest.fixture(autouse=True)
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))


def to(address: str, ask: str) -> PlannedAnswer:
    return PlannedAnswer(ask, "", status=302, headers={"Location": address})


def sent(server: PlatformServer) -> list[tuple[str, list[str]]]:
    """The hosts asked, in their order, and the cookies that they got."""
    return [(asked.host, sorted(filter(None, asked.headers.get("cookie", "").split("; ")))) for asked in server.asked]


BOTH = ["session=s3cr3t", "theme=dark=1"]


@pytest.mark.anyio
@pytest.mark.parametrize("browser_tls", [False, True], ids=["requests", "curl_cffi"])
async def test_our_own_code(browser_tls: bool, tmp_path: Path) -> None:
    async with platform_server(tmp_path) as server:
        server.play(
            [
                to("https://m.shop.example/a", "GET www.shop.example/a"),
                to("https://shop.elsewhere.test/a", "GET m.shop.example/a"),
                PlannedAnswer("*", "{}"),
            ]
        )

        def get() -> None:
            site = Site(Watch(), Options(proxy=server.proxy, cookies=COOKIES), browser_tls=browser_tls)
            try:
                site.get("https://www.shop.example/a")
                site.get("https://cdn.test/playlist", bare=True)
            finally:
                site.close()

        await anyio.to_thread.run_sync(get)
    assert sent(server) == [
        ("www.shop.example", BOTH),
        ("m.shop.example", BOTH),
        ("shop.elsewhere.test", []),
        ("cdn.test", []),
    ]


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("url", "adapter"),
    [
        ("https://picarto.tv/somebody", "streamlink"),
        ("https://parti.com/creator/somebody", "yt-dlp"),
        ("https://app.blued.cn/live?id=Mp6G2R", "streamget"),
    ],
    ids=["streamlink", "yt-dlp", "streamget"],
)
async def test_the_libraries(url: str, adapter: AdapterName, tmp_path: Path) -> None:
    found = registry().find(url)
    assert found is not None
    (site,) = sites_of(found)
    async with platform_server(tmp_path) as server:
        server.play(
            [
                to(f"https://else.{site}.org/a", f"GET m.{site}/a"),
                PlannedAnswer(f"GET else.{site}.org/a", "{}"),
                to(f"https://m.{site}/a", f"GET *{site}/*"),
            ]
        )
        await anyio.to_thread.run_sync(
            answer, url, adapter, Options(proxy=server.proxy, cookies=COOKIES, timeout_s=10.0)
        )
    first, within, elsewhere = sent(server)[:3]
    assert set(BOTH) <= set(first[1])
    assert (within[0], set(BOTH) - set(within[1])) == (f"m.{site}", set())
    assert (elsewhere[0], set(BOTH) & set(elsewhere[1])) == (f"else.{site}.org", set())


@pytest.mark.parametrize(
    ("host", "site"),
    [
        ("api.live.bilibili.com", "bilibili.com"),
        ("www.pandalive.co.kr", "pandalive.co.kr"),
        ("co.kr", "co.kr"),
        ("live.shopee.com.br", "shopee.com.br"),
        ("m.tb.cn", "tb.cn"),
        ("17.live", "17.live"),
        ("localhost", "localhost"),
    ],
)
def test_the_site_of_a_host(host: str, site: str) -> None:
    assert site_of(host) == site


def test_a_header_is_read_as_it_is_written() -> None:
    assert [*pairs_of(" a=b=c;d=;; e ; =f")] == [("a", "b=c"), ("d", ""), ("e", "")]
