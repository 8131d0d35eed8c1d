"""Through HTTP and SOCKS proxies."""

from __future__ import annotations

import socket
import ssl
from ipaddress import ip_address
from pathlib import Path

import pytest
import trustme

from ouzel.base.errors import AddressRefused, BadOption, ProxyFailed
from ouzel.cli.texts.sentences import in_chinese
from ouzel.system.guard import Endpoint, Scope
from ouzel.system.http import Http1Client, Limits, Request

from .http_server import Peer, answer, http_proxy, listening, serving, socks_proxy

pytestmark = pytest.mark.anyio


@pytest.fixture(params=[False, True], ids=["asyncio", "uvloop"])
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, bool]]:
    return "asyncio", {"use_uvloop": request.param}


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def tls(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("media.test").configure_cert(context)
    return context


@pytest.fixture(scope="module")
def ca_file(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("ca") / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return path


def a_host(*addresses: str):
    async def lookup(host: str, port: int) -> list[Endpoint]:
        family = {4: socket.AF_INET, 6: socket.AF_INET6}
        return [Endpoint(family[ip_address(a).version], (a, port), ip_address(a)) for a in addresses]

    return lookup


async def no_lookup(host: str, port: int) -> list[Endpoint]:
    raise AssertionError(f"{host} was looked up here")


def ask(url: str, proxy: str, **options: object) -> Request:
    return Request(url, **{"scope": Scope.anywhere(), "proxy": proxy, **options})


async def test_http_through_an_http_proxy() -> None:
    async with serving({"/a": answer(b"here")}) as server, http_proxy() as proxy, Http1Client(lookup=no_lookup) as http:
        url = f"http://media.test:{server.port}/a?b"
        page = await http.fetch(ask(url, f"http://127.0.0.1:{proxy.port}"), max_bytes=9)

    assert page.data == b"here"
    assert proxy.forwarded == [url]
    assert server.asked[0].headers["host"] == f"media.test:{server.port}"


async def test_https_through_an_http_proxy(tls: ssl.SSLContext, ca_file: Path) -> None:
    async with (
        serving({"/a": answer(b"here")}, tls=tls) as server,
        http_proxy(user="us er:p@ss") as proxy,
        Http1Client(ca_file=ca_file, lookup=no_lookup) as http,
    ):
        url = f"https://media.test:{server.port}/a"
        for _ in range(2):
            page = await http.fetch(ask(url, f"http://us%20er:p%40ss@127.0.0.1:{proxy.port}"), max_bytes=9)

    assert page.data == b"here"
    assert proxy.targets == [("media.test", server.port)]
    assert proxy.logins == ["us er:p@ss"]
    assert "proxy-authorization" not in server.asked[0].headers
    assert [asked.target for asked in server.asked] == ["/a", "/a"]


@pytest.mark.parametrize("user", ["", "wrong:password@"])
@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_a_proxy_that_wants_a_user(scheme: str, user: str) -> None:
    async with http_proxy(user="right:password") as proxy, Http1Client() as http:
        with pytest.raises(ProxyFailed, match=r"wants a user and password \(407\)"):
            await http.fetch(ask(f"{scheme}://media.test/", f"http://{user}127.0.0.1:{proxy.port}"), max_bytes=9)


async def test_a_proxy_that_does_not_connect() -> None:
    async with http_proxy(refuse="502 Bad Gateway") as proxy, Http1Client() as http:
        with pytest.raises(ProxyFailed, match=r"does not connect to media.test:443 \(502 Bad Gateway\)"):
            await http.fetch(ask("https://media.test/", f"http://127.0.0.1:{proxy.port}"), max_bytes=9)


@pytest.mark.parametrize("user", ["", "us%20er:p%40ss@"])
async def test_socks_with_names_looked_up_by_the_proxy(user: str, tls: ssl.SSLContext, ca_file: Path) -> None:
    async with (
        serving({"/a": answer(b"here")}, tls=tls) as server,
        socks_proxy(user="us er:p@ss" if user else None) as proxy,
        Http1Client(ca_file=ca_file, lookup=no_lookup) as http,
    ):
        url = f"https://media.test:{server.port}/a"
        for _ in range(2):
            page = await http.fetch(ask(url, f"socks5h://{user}127.0.0.1:{proxy.port}"), max_bytes=9)

    assert page.data == b"here"
    assert proxy.targets == [("media.test", server.port)]


@pytest.mark.parametrize(
    ("addresses", "sent"),
    [(["8.8.8.8"], "8.8.8.8"), (["2606:4700::1"], "2606:4700::1"), (["2606:4700::1", "8.8.8.8"], "8.8.8.8")],
)
async def test_socks_with_names_looked_up_here(addresses: list[str], sent: str) -> None:
    async with (
        serving({"/a": answer(b"here")}) as server,
        socks_proxy() as proxy,
        Http1Client(lookup=a_host(*addresses)) as http,
    ):
        url = f"http://media.test:{server.port}/a"
        request = ask(url, f"socks5://127.0.0.1:{proxy.port}", scope=Scope.public())
        page = await http.fetch(request, max_bytes=9)

    assert page.data == b"here"
    assert proxy.targets == [(sent, server.port)]
    assert server.asked[0].headers["host"] == f"media.test:{server.port}"


@pytest.mark.parametrize("proxy_scheme", ["http", "socks5", "socks5h"])
@pytest.mark.parametrize("home", ["127.0.0.1", "2130706433", "[::1]", "localhost"])
async def test_what_can_be_checked_is_checked(proxy_scheme: str, home: str) -> None:
    async with Http1Client() as http:
        with pytest.raises(AddressRefused, match="is a loopback address, and ") as refused:
            await http.fetch(ask(f"http://{home}/", f"{proxy_scheme}://127.0.0.1:9", scope=Scope.public()), max_bytes=9)
    if proxy_scheme != "socks5":  # who looks names up itself knows nothing of its proxy
        assert "the proxy 127.0.0.1:9 is asked for public ones only" in str(refused.value)
    assert in_chinese(str(refused.value)) is not None


async def test_a_name_that_leads_home_is_refused_before_the_socks_proxy() -> None:
    async with socks_proxy() as proxy, Http1Client(lookup=a_host("10.0.0.1")) as http:
        with pytest.raises(AddressRefused):
            await http.fetch(
                ask("http://evil.test/", f"socks5://127.0.0.1:{proxy.port}", scope=Scope.public()), max_bytes=9
            )

    assert proxy.targets == []


async def test_a_tunnel_is_not_lent_to_a_channel_that_may_not_have_it() -> None:
    async with serving({"/a": answer(b"here")}) as server, socks_proxy() as proxy, Http1Client() as http:
        via = f"socks5h://127.0.0.1:{proxy.port}"
        await http.fetch(ask(server.url("/a"), via), max_bytes=9)
        with pytest.raises(AddressRefused):
            await http.fetch(ask(server.url("/a"), via, scope=Scope.public()), max_bytes=9)


async def test_a_socks_proxy_that_wants_a_user() -> None:
    async with socks_proxy(user="right:password") as proxy, Http1Client() as http:
        with pytest.raises(ProxyFailed, match="wants a user and password"):
            await http.fetch(ask("http://media.test/", f"socks5h://127.0.0.1:{proxy.port}"), max_bytes=9)
        with pytest.raises(ProxyFailed, match="does not accept the user and password"):
            await http.fetch(ask("http://media.test/", f"socks5h://wrong:word@127.0.0.1:{proxy.port}"), max_bytes=9)
        with pytest.raises(BadOption, match="1 to 255 bytes"):
            await http.fetch(ask("http://media.test/", f"socks5h://only@127.0.0.1:{proxy.port}"), max_bytes=9)


@pytest.mark.parametrize(("reply", "words"), [(5, "the connection was refused"), (2, "its rules"), (99, "code 99")])
async def test_a_socks_proxy_that_does_not_connect(reply: int, words: str) -> None:
    async with socks_proxy(reply=reply) as proxy, Http1Client() as http:
        with pytest.raises(ProxyFailed, match=f"does not connect to media.test:80: {words}"):
            await http.fetch(ask("http://media.test/", f"socks5h://127.0.0.1:{proxy.port}"), max_bytes=9)
        assert http.connections == 0


async def test_what_is_no_socks_proxy() -> None:
    async with socks_proxy(version=4) as proxy, Http1Client() as http:
        with pytest.raises(ProxyFailed, match="does not speak SOCKS 5"):
            await http.fetch(ask("http://media.test/", f"socks5h://127.0.0.1:{proxy.port}"), max_bytes=9)


@pytest.mark.parametrize("scheme", ["http", "socks5h"])
async def test_a_proxy_that_hangs_up_or_hangs(scheme: str) -> None:
    async def hang_up(stream) -> None:
        await stream.receive(1)

    async def hang(stream) -> None:
        await Peer(stream, 0).until_gone()

    async with Http1Client() as http:
        async with listening(hang_up) as port:
            with pytest.raises(ProxyFailed, match="it closed the connection"):
                await http.fetch(ask("https://media.test/", f"{scheme}://127.0.0.1:{port}"), max_bytes=9)
        async with listening(hang) as port:
            request = ask("https://media.test/", f"{scheme}://127.0.0.1:{port}", limits=Limits(connect_s=0.1))
            with pytest.raises(ProxyFailed, match=r"within 0.1 s: the proxy .* does not connect to it"):
                await http.fetch(request, max_bytes=9)
        assert http.connections == 0


async def test_a_proxy_that_is_not_there() -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        async with Http1Client() as http:
            with pytest.raises(ProxyFailed, match=r"cannot connect to the proxy .*: connection refused"):
                await http.fetch(ask("http://media.test/", f"http://127.0.0.1:{bound.getsockname()[1]}"), max_bytes=9)
