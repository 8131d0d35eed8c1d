from __future__ import annotations

import socket
from ipaddress import ip_address

import pytest

from ouzel.base.errors import AddressRefused, BadUrl, HostNotFound
from ouzel.system.guard import AddressClass, Endpoint, Scope, addresses_of, check_literal, classify, resolve

PUBLIC, PRIVATE, LOOPBACK, LINK_LOCAL, OTHER = AddressClass


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def names(**hosts: list[str]):
    """A look-up that knows these names."""

    async def lookup(host: str, port: int) -> list[Endpoint]:
        if host not in hosts:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return [Endpoint(socket.AF_INET, (a, port), ip_address(a)) for a in hosts[host]]

    return lookup


@pytest.mark.parametrize(
    ("address", "kind"),
    [
        ("8.8.8.8", PUBLIC),
        ("2606:4700::1111", PUBLIC),
        ("198.18.0.5", PUBLIC),  # what tunnels answer for public names
        ("10.1.2.3", PRIVATE),
        ("172.16.0.1", PRIVATE),
        ("172.32.0.1", PUBLIC),
        ("192.168.1.1", PRIVATE),
        ("100.64.0.1", PRIVATE),
        ("fd12:3456::1", PRIVATE),
        ("127.0.0.1", LOOPBACK),
        ("127.255.255.254", LOOPBACK),
        ("::1", LOOPBACK),
        ("169.254.169.254", LINK_LOCAL),
        ("fe80::1", LINK_LOCAL),
        ("fe80::1%2", LINK_LOCAL),
        ("fd00:ec2::254", LINK_LOCAL),
        ("100.100.100.200", LINK_LOCAL),
        ("168.63.129.16", LINK_LOCAL),
        ("0.0.0.0", OTHER),
        ("::", OTHER),
        ("224.0.0.1", OTHER),
        ("255.255.255.255", OTHER),
        ("ff02::1", OTHER),
        ("2001:db8::1", OTHER),
        ("203.0.113.9", OTHER),
        ("4000::1", OTHER),
        # IPv4 in IPv6's clothes
        ("::ffff:8.8.8.8", PUBLIC),
        ("::ffff:127.0.0.1", LOOPBACK),
        ("::ffff:10.0.0.1", PRIVATE),
        ("::ffff:0:169.254.169.254", LINK_LOCAL),
        ("64:ff9b::8.8.8.8", PUBLIC),
        ("64:ff9b::127.0.0.1", LOOPBACK),
        ("64:ff9b:1::7f00:1", OTHER),
        ("2002:0808:0808::1", PUBLIC),
        ("2002:7f00:0001::1", LOOPBACK),
        ("2002:c0a8:0101::1", PRIVATE),
        ("::127.0.0.1", OTHER),
        ("2001:0:4136:e378::1", OTHER),
    ],
)
def test_classes(address: str, kind: AddressClass) -> None:
    assert classify(ip_address(address)) is kind


@pytest.mark.parametrize(
    ("own", "allowed"),
    [
        (["8.8.8.8"], {PUBLIC}),
        (["192.168.1.5"], {PUBLIC, PRIVATE}),
        (["127.0.0.1", "::1"], {PUBLIC, LOOPBACK}),
        (["169.254.7.7"], {PUBLIC, LINK_LOCAL}),
        (["8.8.8.8", "127.0.0.1"], {PUBLIC}),  # a public host whose name server points at us
        (["0.0.0.0"], {PUBLIC}),
        ([], {PUBLIC}),
    ],
)
def test_a_channel_may_name_addresses_like_its_own(own: list[str], allowed: set[AddressClass]) -> None:
    assert Scope.of(ip_address(a) for a in own).classes == allowed


@pytest.mark.anyio
async def test_only_permitted_addresses_come_out() -> None:
    lookup = names(both=["127.0.0.1", "8.8.8.8"])

    found = await resolve("both", 80, Scope.public(), lookup=lookup)

    assert [endpoint.sockaddr for endpoint in found] == [("8.8.8.8", 80)]


@pytest.mark.anyio
async def test_a_name_that_leads_home_is_refused() -> None:
    with pytest.raises(AddressRefused) as caught:
        await resolve("evil", 80, Scope.public(), lookup=names(evil=["10.0.0.7"]))

    assert caught.value.context["host"] == "evil"
    assert caught.value.context["address"] == "10.0.0.7"
    assert str(caught.value) == "evil (10.0.0.7) is a private address, and what names it lies in another network"


@pytest.mark.parametrize("host", ["127.0.0.1", "2130706433", "0x7f.1", "::1", "::ffff:127.0.0.1", "169.254.169.254"])
@pytest.mark.anyio
async def test_literal_addresses_need_no_look_up(host: str) -> None:
    with pytest.raises(AddressRefused):
        await resolve(host, 80, Scope.public(), lookup=names())
    with pytest.raises(AddressRefused):
        check_literal(host, Scope.public())

    assert len(await resolve(host, 80, Scope.anywhere(), lookup=names())) == 1


@pytest.mark.anyio
async def test_a_host_that_does_not_exist() -> None:
    with pytest.raises(HostNotFound, match="no such name; is it spelled right"):
        await resolve("exmaple", 80, Scope.public(), lookup=names())
    with pytest.raises(HostNotFound):
        await addresses_of("nothing", lookup=names(nothing=[]))
    with pytest.raises(BadUrl):
        await resolve("1.2.3.4.5", 80, Scope.public(), lookup=names())


@pytest.mark.anyio
async def test_a_name_server_that_does_not_answer() -> None:
    async def lookup(host: str, port: int) -> list[Endpoint]:
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    with pytest.raises(HostNotFound, match="is this machine online"):
        await resolve("example.org", 80, Scope.public(), lookup=lookup)


@pytest.mark.anyio
async def test_the_systems_resolver() -> None:
    with pytest.raises(AddressRefused):
        await resolve("localhost", 80, Scope.public())

    assert all(classify(address) is LOOPBACK for address in await addresses_of("localhost"))


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST.".lower(), "x.localhost", "10.0.0.1", "[::1]".strip("[]")])
def test_what_a_proxy_would_look_up_is_checked_by_its_text(host: str) -> None:
    with pytest.raises(AddressRefused):
        check_literal(host, Scope.public())


def test_names_for_a_proxy_pass() -> None:
    check_literal("example.org", Scope.public())
    check_literal("8.8.8.8", Scope.public())
