"""What the adapters keep between resolves, and what they must not: cookies, trust; and that yt-dlp keeps to one site."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import anyio.to_thread
import pytest
from yt_dlp.extractor.common import InfoExtractor
from yt_dlp.globals import extractors

from ouzel.base.errors import NeedsLogin, OuzelError, RegionLocked, ResolverFailed, SiteChanged, TlsFailed
from ouzel.model.live import Live
from ouzel.platforms import tls
from ouzel.platforms.adapters import of_streamlink, of_ytdlp
from ouzel.platforms.asking import Site
from ouzel.platforms.chain import Told
from ouzel.platforms.contract import AdapterName, Match, Options, Platform
from ouzel.platforms.registry import registry
from ouzel.platforms.watch import watching
from ouzel.platforms.worker import answer
from ouzel.testing.platforms import PlannedAnswer, PlatformServer, platform_server, read_case

pytestmark = pytest.mark.anyio
DATA = Path(__file__).parent.parent / "data" / "platforms"
WAYS: dict[str, AdapterName] = {
    "bilibili": "own",
    "faceit": "own",  # greets as a browser does
    "picarto": "streamlink",
    "parti": "yt-dlp",
    "chaturbate": "yt-dlp",  # as a browser, too
    "blued": "streamget",
}
SHOP = Platform(
    name="shop",
    title="Shop",
    title_zh="商店",
    urls=("shop.test/{user}",),
    example="https://shop.test/somebody",
    chain=("yt-dlp",),
)
MATCH = Match(SHOP, SHOP.example, {"user": "somebody"})


@pytest.fixture
def trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))


async def ask(server: PlatformServer, name: str, **options: Any) -> Told:
    given = Options(proxy=server.proxy, timeout_s=10.0, **options)
    return await anyio.to_thread.run_sync(answer, registry()[name].example, WAYS[name], given)


@pytest.mark.usefixtures("trusted")
@pytest.mark.parametrize("name", WAYS)
async def test_nothing_of_one_user_is_in_the_next_one_s_requests(name: str, tmp_path: Path) -> None:
    async with platform_server(tmp_path) as server:
        case = read_case(DATA / name / WAYS[name] / "live.toml")
        for planned in case.answers:
            planned.headers["Set-Cookie"] = "visitor=of-the-site; Path=/; Secure"  # type: ignore[index]
        server.play(case)
        await ask(server, name, cookies="session=s3cr3t", user_agent="Somebody/1.0")
        assert any("s3cr3t" in asked.headers.get("cookie", "") for asked in server.asked)
        server.play(case)
        told = await ask(server, name)
        asked = [*server.asked]
    assert isinstance(told.outcome, Live), told
    assert not [each for each in asked if "s3cr3t" in str(each) or "Somebody/1.0" in str(each)]
    assert not asked[0].headers.get("cookie")


@pytest.mark.filterwarnings("ignore::urllib3.exceptions.InsecureRequestWarning")
@pytest.mark.parametrize("name", WAYS)
async def test_an_authority_that_is_not_trusted_is_told_unless_it_does_not_matter(name: str, tmp_path: Path) -> None:
    async with platform_server(tmp_path) as server:
        server.play(read_case(DATA / name / WAYS[name] / "live.toml"))
        told = await ask(server, name)
        assert not server.asked
        assert isinstance(told.outcome, TlsFailed), told
        told = await ask(server, name, verify_tls=False)
    assert isinstance(told.outcome, Live), told


@pytest.mark.usefixtures("trusted")
async def test_what_is_costly_to_read_is_read_once(tmp_path: Path) -> None:
    tls._context.cache_clear()
    async with platform_server(tmp_path) as server:
        for name in ("bilibili", "picarto", "blued") * 2:
            server.play(read_case(DATA / name / WAYS[name] / "live.toml"))
            assert isinstance((await ask(server, name)).outcome, Live)
    assert tls._context.cache_info().misses == 1
    assert of_streamlink._plugins() is of_streamlink._plugins()


class ShopIE(InfoExtractor):
    """Made up: a page on which it finds a video of another site."""

    _VALID_URL = r"https://shop\.test/(?P<id>\w+)"

    def _real_extract(self, url: str) -> Any:
        return self.url_result("https://other.test/video")


def of_shop(server: PlatformServer) -> OuzelError:
    options = Options(proxy=server.proxy)
    with watching() as watch, pytest.raises(OuzelError) as caught:
        of_ytdlp.adapter().resolve(MATCH, Site(watch, options), options)
    return caught.value


@pytest.mark.usefixtures("trusted")
async def test_yt_dlp_does_not_guess_at_a_site_that_it_does_not_know(tmp_path: Path) -> None:
    async with platform_server(tmp_path) as server:
        error = await anyio.to_thread.run_sync(of_shop, server)
        assert not server.asked
    assert isinstance(error, ResolverFailed)


@pytest.mark.usefixtures("trusted")
async def test_yt_dlp_does_not_go_on_at_another_site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(of_ytdlp._found, "shop", {ShopIE.ie_key(): ShopIE})
    monkeypatch.setitem(extractors.value, "ShopIE", ShopIE)
    async with platform_server(tmp_path) as server:
        error = await anyio.to_thread.run_sync(of_shop, server)
        assert not server.asked
    assert isinstance(error, SiteChanged)
    assert "other.test" in str(error)


def test_the_extractors_of_a_site_are_those_of_no_other() -> None:
    found = of_ytdlp._extractors("youtube", "https://www.youtube.com/watch?v=jfKfPfyJRdk")
    assert {"Youtube", "YoutubeTab"} <= found.keys()
    assert not {key for key in found if not key.startswith("Youtube")} - {"YoutubeYtUser"}


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        ("You need to be logged in to view this", NeedsLogin),
        ("This content is not available in your region", RegionLocked),
        ("Unable to open URL: https://login.example/app/LoginAction.php (403 Client Error)", SiteChanged),
    ],
)
def test_what_a_plugin_says_is_told_by_its_words_and_not_by_an_address(words: str, kind: type[OuzelError]) -> None:
    assert type(of_streamlink._meaning(of_streamlink.PluginError(words), "any")) is kind  # pyright: ignore[reportPrivateUsage]


@pytest.mark.usefixtures("trusted")
async def test_a_field_that_is_missing_is_no_wish_for_a_login(tmp_path: Path) -> None:
    async with platform_server(tmp_path) as server:
        server.play([PlannedAnswer("POST gql.twitch.tv/gql", '{"data": {}}')])
        options = Options(proxy=server.proxy, timeout_s=10.0)
        told = await anyio.to_thread.run_sync(answer, registry()["twitch"].example, "streamget", options)
    assert isinstance(told.outcome, ResolverFailed | SiteChanged), told  # not NeedsLogin, for the name of a field
