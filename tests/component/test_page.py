"""The page as browsers are given it: what is there, what is not, below which path, and for how long it may be kept."""

from __future__ import annotations

import gzip
from collections.abc import AsyncIterator
from ipaddress import ip_network
from pathlib import Path

import httpx
import pytest
from tests.served import PASSWORD, open_served

from ouzel.api.app import make_app
from ouzel.api.page import setup_link
from ouzel.api.services import ApiRules
from ouzel.model.users import Role

pytestmark = pytest.mark.anyio
HTML = {"accept": "text/html,application/xhtml+xml"}
PROXY = (ip_network("192.0.2.7"),)


@pytest.fixture
def built(tmp_path: Path) -> Path:
    folder = tmp_path / "ui"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text('<html><head><base href="/" /></head></html>')
    (folder / "assets" / "index-abc.js").write_text("let it;")
    (folder / "assets" / "index-abc.js.gz").write_bytes(gzip.compress(b"let it;"))
    (folder / "icon.svg").write_text("<svg/>")
    (folder / ".stamp").write_text("not for browsers")
    (tmp_path / "secret.key").write_text("nor this")
    return folder


@pytest.fixture
async def client(tmp_path: Path, built: Path) -> AsyncIterator[httpx.AsyncClient]:
    async with open_served(tmp_path / "data") as served:
        served.app = make_app(served.services, built)
        async with served.client() as client:
            yield client


async def test_every_address_of_the_page_is_the_page_and_may_be_asked_about_anew(client: httpx.AsyncClient) -> None:
    answer = await client.get("/library/some/where", headers=HTML)

    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["cache-control"] == "no-cache"
    again = await client.get("/", headers=HTML | {"if-none-match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    head = await client.head("/", headers=HTML)
    assert (head.status_code, head.content) == (200, b"")


async def test_its_policy_lets_no_script_run_that_is_not_a_file_of_ours(client: httpx.AsyncClient) -> None:
    policy = (await client.get("/")).headers["content-security-policy"]

    rules = dict(each.strip().split(" ", 1) for each in policy.split(";"))
    assert rules["script-src"] == "'self'"
    assert rules["frame-ancestors"] == "'none'"
    assert "unsafe-eval" not in policy


async def test_an_asset_is_kept_for_ever_and_sent_packed(client: httpx.AsyncClient) -> None:
    packed = await client.get("/assets/index-abc.js", headers={"accept-encoding": "gzip, deflate"})
    plain = await client.get("/assets/index-abc.js", headers={"accept-encoding": "identity"})

    assert packed.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert packed.text == plain.text == "let it;"
    assert packed.headers["content-type"].startswith("text/javascript")
    assert "immutable" in packed.headers["cache-control"]
    assert (await client.get("/icon.svg")).headers["cache-control"] == "no-cache"


@pytest.mark.parametrize(
    "path",
    [
        "/api/nothing", "/api", "/health/x", "/assets/index-old.js", "/assets/index-abc.js.gz", "/.stamp",
        "/../secret.key", "/%2e%2e/secret.key", "/assets/..%2f..%2fsecret.key", "//etc/passwd",
    ],
)  # fmt: skip
async def test_what_is_neither_page_nor_asset_is_a_problem(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(path, headers={"accept": "*/*"})

    assert answer.status_code == 404
    assert answer.json()["code"] == "not_found"


@pytest.mark.parametrize("path", ["/api/nothing", "/assets/index-old.js"])
async def test_a_browser_is_told_so_too(client: httpx.AsyncClient, path: str) -> None:
    assert (await client.get(path, headers=HTML)).status_code == 404


async def test_other_methods_find_nothing(client: httpx.AsyncClient) -> None:
    assert (await client.post("/library", headers=HTML)).status_code == 404


@pytest.mark.parametrize(
    ("rules", "headers", "base"),
    [
        (ApiRules(), {}, "/"),
        (ApiRules(public_url="https://example.org/tv"), {}, "/tv/"),
        (ApiRules(public_url="https://example.org"), {}, "/"),
        (ApiRules(trusted_proxies=PROXY), {"x-forwarded-prefix": "/live/tv/"}, "/live/tv/"),
        (ApiRules(public_url="https://example.org/tv", trusted_proxies=PROXY), {"x-forwarded-prefix": "/a"}, "/a/"),
        (ApiRules(), {"x-forwarded-prefix": "/not-trusted"}, "/"),
        (ApiRules(trusted_proxies=PROXY), {"x-forwarded-prefix": '/"><script>'}, "/"),
        (ApiRules(trusted_proxies=PROXY), {"x-forwarded-prefix": "//evil.example"}, "/"),
    ],
)
async def test_it_knows_below_which_path_it_is_reached(
    tmp_path: Path, built: Path, rules: ApiRules, headers: dict[str, str], base: str
) -> None:
    async with open_served(tmp_path / "data", rules=rules) as served:
        served.app = make_app(served.services, built)
        async with served.client() as client:
            text = (await client.get("/", headers=HTML | headers)).text

    assert f'<base href="{base}" />' in text


@pytest.mark.parametrize("asked", ["/api/auth/login", "/tv/api/auth/login"])
async def test_cookies_are_good_below_the_path_that_browsers_see(tmp_path: Path, asked: str) -> None:
    """Whether the proxy takes the path away or not."""
    async with open_served(tmp_path, rules=ApiRules(public_url="http://ouzel.test/tv")) as served:
        await served.add("ann", Role.VIEWER)
        async with served.client() as client:
            answer = await client.post(asked, json={"name": "ann", "password": PASSWORD})
            paths = {cookie.name: cookie.path for cookie in client.cookies.jar}

    assert answer.status_code == 200
    assert paths == {"ouzel_access": "/tv/", "ouzel_refresh": "/tv/api/auth", "ouzel_csrf": "/tv/"}


async def test_without_a_build_it_says_how_to_make_one(tmp_path: Path) -> None:
    async with open_served(tmp_path) as served:
        served.app = make_app(served.services, tmp_path / "no")
        async with served.client() as client:
            answer = await client.get("/setup", headers=HTML)

    assert "scripts/page" in answer.text
    assert "script-src" not in answer.headers["content-security-policy"]  # nothing is allowed but what is named


async def test_a_new_build_is_seen_without_a_restart(client: httpx.AsyncClient, built: Path) -> None:
    await client.get("/")
    (built / "assets" / "index-new.js").write_text("it;")
    (built / "index.html").write_text("<html>new</html>")

    assert "new" in (await client.get("/")).text
    assert (await client.get("/assets/index-new.js")).status_code == 200


def test_the_link_of_the_first_start_has_its_secret_behind_the_hash() -> None:
    assert setup_link("https://example.org/tv/", "abc") == "https://example.org/tv/setup#abc"
