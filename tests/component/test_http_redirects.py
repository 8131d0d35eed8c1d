"""Where redirects lead, and what is taken along."""

from __future__ import annotations

import socket
from ipaddress import ip_address

import pytest

from ouzel.base.errors import AddressRefused, BadResponse, BadUrl, Gone, OuzelError, SchemeRefused, TooManyRedirects
from ouzel.system.guard import Endpoint, Scope
from ouzel.system.http import MAX_REDIRECTS, Http1Client, Request

from .http_server import Asked, Peer, Script, answer, serving

pytestmark = pytest.mark.anyio

SECRETS = (("Authorization", "Bearer abc"), ("Cookie", "a=b"), ("Referer", "https://site/"))


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def ask(url: str, **options: object) -> Request:
    return Request(url, **{"scope": Scope.anywhere(), **options})


def to(location: str, status: int = 302) -> bytes:
    return answer(b"<a>over there</a>", status=f"{status} Elsewhere", Location=location)


async def everything_is_here(host: str, port: int) -> list[Endpoint]:
    return [Endpoint(socket.AF_INET, ("127.0.0.1", port), ip_address("127.0.0.1"))]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_every_redirect_is_followed_on_the_same_connection(status: int) -> None:
    routes = {"/a": to("b?x=1", status), "/b": to("/sub/c#there", status), "/sub/c": answer(b"here")}
    async with serving(routes) as server, Http1Client() as http:
        page = await http.fetch(ask(server.url("/a"), headers=SECRETS), max_bytes=9)

    assert page.data == b"here"
    assert page.answer.redirects == 2
    assert page.answer.url == server.url("/sub/c")
    assert [asked.target for asked in server.asked] == ["/a", "/b?x=1", "/sub/c"]
    assert server.connections == 1
    assert all(asked.headers["authorization"] == "Bearer abc" for asked in server.asked)


async def test_the_range_goes_along() -> None:
    there = answer(b"cd", status="206 Partial Content", Content_Range="bytes 2-3/9")
    async with serving({"/a": to("/b"), "/b": there}) as server, Http1Client() as http:
        page = await http.fetch(ask(server.url("/a"), byte_range=(2, 3)), max_bytes=9)

    assert page.data == b"cd"
    assert [asked.headers["range"] for asked in server.asked] == ["bytes=2-3"] * 2


async def test_secrets_stay_at_home() -> None:
    async with (
        serving({"/b": to("/c"), "/c": answer(b"here")}) as other,
        serving({"/a": to(other.url("/b"))}) as server,
        Http1Client() as http,
    ):
        await http.fetch(ask(server.url("/a", user="u:p@"), headers=SECRETS[1:]), max_bytes=9)

    assert "authorization" in server.asked[0].headers
    assert "cookie" in server.asked[0].headers
    for asked in other.asked:
        assert "authorization" not in asked.headers
        assert "cookie" not in asked.headers
        assert asked.headers["referer"] == "https://site/"


async def test_a_user_in_the_address_holds_for_its_origin() -> None:
    async with serving({"/a": to("/b"), "/b": answer(b"here")}) as server, Http1Client() as http:
        page = await http.fetch(ask(server.url("/a", user="u:p@")), max_bytes=9)

    assert server.asked[1].headers["authorization"] == "Basic dTpw"
    assert page.answer.url == server.url("/b", user="u:p@")


async def test_another_name_for_the_same_server_is_another_origin() -> None:
    async with serving({}) as server, Http1Client(lookup=everything_is_here) as http:
        server.routes.update({"/a": to(f"http://other.test:{server.port}/b"), "/b": answer(b"here")})
        headers = (*SECRETS, ("Host", "virtual.test"))
        await http.fetch(ask(f"http://one.test:{server.port}/a", headers=headers), max_bytes=9)

    assert server.asked[0].headers["host"] == "virtual.test"
    assert "cookie" not in server.asked[1].headers
    assert "authorization" not in server.asked[1].headers
    assert server.asked[1].headers["host"] == f"other.test:{server.port}"


async def test_a_location_in_raw_utf_8() -> None:
    async with (
        serving({"/a": to("/直播?q=é"), "/%E7%9B%B4%E6%92%AD": answer(b"here")}) as server,
        Http1Client() as http,
    ):
        assert (await http.fetch(ask(server.url("/a")), max_bytes=9)).data == b"here"


def counting() -> Script:
    async def script(peer: Peer, asked: Asked) -> None:
        await peer.send(to(f"/n?{int(asked.target.partition('?')[2] or 0) + 1}"))

    return script


@pytest.mark.parametrize(
    ("routes", "asked"),
    [
        ({"/n": to("/n")}, 1),
        ({"/n": to("/m"), "/m": to("/n")}, 2),
        ({"/n": counting()}, MAX_REDIRECTS + 1),
    ],
)
async def test_redirects_come_to_an_end(routes: dict[str, Script | bytes], asked: int) -> None:
    async with serving(routes) as server, Http1Client() as http:
        with pytest.raises(TooManyRedirects):
            await http.fetch(ask(server.url("/n")), max_bytes=9)

    assert len(server.asked) == asked


@pytest.mark.parametrize(
    ("location", "error"),
    [
        ("file:///etc/passwd", SchemeRefused),
        ("ftp://h/x", SchemeRefused),
        ("http://[nonsense/", BadUrl),
        ("/nowhere", Gone),
    ],
)
async def test_redirects_that_lead_nowhere(location: str, error: type[OuzelError]) -> None:
    async with serving({"/a": to(location)}) as server, Http1Client() as http:
        with pytest.raises(error):
            await http.fetch(ask(server.url("/a")), max_bytes=9)


async def test_a_redirect_without_a_location() -> None:
    async with serving({"/a": answer(status="302 Found")}) as server, Http1Client() as http:
        with pytest.raises(BadResponse, match="does not say where"):
            await http.fetch(ask(server.url("/a")), max_bytes=9)


@pytest.mark.parametrize(
    "home", ["10.255.255.1", "2130706433", "0x7f.1", "[::ffff:127.0.0.1]", "169.254.169.254", "localhost"]
)
async def test_redirects_are_checked_on_every_hop(home: str) -> None:
    async def lookup(host: str, port: int) -> list[Endpoint]:
        # the public host is here too, as far as the socket is concerned
        shown = "8.8.8.8" if host == "public.test" else "127.0.0.1"
        return [Endpoint(socket.AF_INET, ("127.0.0.1", port), ip_address(shown))]

    async with serving({}) as server, Http1Client(lookup=lookup) as http:
        server.routes["/a"] = to(f"http://{home}:{server.port}/b")
        with pytest.raises(AddressRefused):
            await http.fetch(ask(f"http://public.test:{server.port}/a", scope=Scope.public()), max_bytes=9)

    assert len(server.asked) == 1
