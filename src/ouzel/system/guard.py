"""Which addresses may be reached.

A playlist, a redirect or a key line is somebody else's text: it must not send us to the router, to a metadata service or to a
port of this machine. So every host is looked up by us, every address that comes back is classified, and connections go to the
checked addresses only, never to the name again. This happens on every hop.

What cannot be seen: with an HTTP proxy or `socks5h://` the proxy resolves names. Then only literal addresses and the name
`localhost` are checked (`check_literal`); what a name means there is the proxy's to guard.

Sources: IANA special-purpose address registries; RFC 6890, 6598 (shared space), 6052 and 8215 (NAT64), 3056 (6to4), 6761.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from enum import Enum
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from ouzel.base.errors import AddressRefused, BadUrl, HostNotFound
from ouzel.base.urls import literal_address

Address = IPv4Address | IPv6Address


class AddressClass(Enum):
    PUBLIC = "public"
    PRIVATE = "private"  # RFC 1918, RFC 4193, shared space of carriers
    LOOPBACK = "loopback"
    LINK_LOCAL = "link-local"  # with the metadata services of clouds, wherever they live
    OTHER = "reserved"  # multicast, documentation, unspecified, unassigned


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One address to connect to, checked; `sockaddr` as the socket module wants it."""

    family: socket.AddressFamily
    sockaddr: tuple[str, int] | tuple[str, int, int, int]
    address: Address


Lookup = Callable[[str, int], Awaitable[list[Endpoint]]]
"""Host and port to endpoints, unchecked. Raises: OSError as getaddrinfo does."""

_V4 = tuple(
    (ip_network(net), kind)
    for net, kind in (
        ("127.0.0.0/8", AddressClass.LOOPBACK),
        ("168.63.129.16/32", AddressClass.LINK_LOCAL),  # Azure's wire server
        ("100.100.100.200/32", AddressClass.LINK_LOCAL),  # Alibaba's metadata
        ("192.0.0.192/32", AddressClass.LINK_LOCAL),  # Oracle's metadata
        ("169.254.0.0/16", AddressClass.LINK_LOCAL),
        ("10.0.0.0/8", AddressClass.PRIVATE),
        ("172.16.0.0/12", AddressClass.PRIVATE),
        ("192.168.0.0/16", AddressClass.PRIVATE),
        ("100.64.0.0/10", AddressClass.PRIVATE),
        ("0.0.0.0/8", AddressClass.OTHER),
        ("192.0.0.0/24", AddressClass.OTHER),
        ("192.0.2.0/24", AddressClass.OTHER),
        ("192.88.99.0/24", AddressClass.OTHER),
        ("198.51.100.0/24", AddressClass.OTHER),
        ("203.0.113.0/24", AddressClass.OTHER),
        ("224.0.0.0/3", AddressClass.OTHER),
        # 198.18.0.0/15, reserved for benchmarks, is left public: tunnels with "fake IP" name service answer every public name
        # from it, and nothing else is ever found there.
    )
)
_V6 = tuple(
    (ip_network(net), kind)
    for net, kind in (
        ("::1/128", AddressClass.LOOPBACK),
        ("fd00:ec2::254/128", AddressClass.LINK_LOCAL),  # Amazon's metadata
        ("fd20:ce::254/128", AddressClass.LINK_LOCAL),  # Google's metadata
        ("fe80::/10", AddressClass.LINK_LOCAL),
        ("fc00::/7", AddressClass.PRIVATE),
        ("fec0::/10", AddressClass.PRIVATE),
        ("2001::/23", AddressClass.OTHER),  # Teredo and protocol assignments
        ("2001:db8::/32", AddressClass.OTHER),
        ("3fff::/20", AddressClass.OTHER),
        ("2000::/3", AddressClass.PUBLIC),
    )
)
_EMBEDDING = tuple(
    (ip_network(net), shift)
    for net, shift in (
        ("::ffff:0:0/96", 0),  # IPv4-mapped
        ("::ffff:0:0:0/96", 0),  # IPv4-translated
        ("64:ff9b::/96", 0),  # NAT64
        ("2002::/16", 80),  # 6to4
    )
)


def classify(address: Address) -> AddressClass:
    """The class of an address; an IPv6 address that stands for an IPv4 one has the class of the latter."""
    if isinstance(address, IPv4Address):
        return next((kind for net, kind in _V4 if address in net), AddressClass.PUBLIC)
    for net, shift in _EMBEDDING:
        if address in net:
            return classify(IPv4Address((int(address) >> shift) & 0xFFFFFFFF))
    return next((kind for net, kind in _V6 if address in net), AddressClass.OTHER)


@dataclass(frozen=True, slots=True)
class Scope:
    """The classes of addresses that a channel may make us reach."""

    classes: frozenset[AddressClass]

    @classmethod
    def public(cls) -> Scope:
        return _PUBLIC

    @classmethod
    def anywhere(cls) -> Scope:
        """For addresses that the user wrote down: the channel itself, a proxy."""
        return _ANYWHERE

    @classmethod
    def of(cls, addresses: Iterable[Address]) -> Scope:
        """What may be named by a channel whose own host has these addresses.

        Public addresses, and the class of its own; a host with one public address is a public host, whatever else its name
        server says (or else any name server could open the local network by adding an address).
        """
        kinds = {classify(address) for address in addresses}
        if AddressClass.PUBLIC in kinds:
            return _PUBLIC
        return cls(frozenset({AddressClass.PUBLIC, *kinds} - {AddressClass.OTHER}))

    def permits(self, address: Address) -> bool:
        return classify(address) in self.classes

    def check(self, host: str, address: Address) -> None:
        """Raises: AddressRefused."""
        if not self.permits(address):
            raise _refusal(host, address)


_PUBLIC = Scope(frozenset({AddressClass.PUBLIC}))
_ANYWHERE = Scope(frozenset(AddressClass))


def check_literal(host: str, scope: Scope) -> None:
    """Check a host that a proxy will look up, as far as its text says where it leads. Raises: AddressRefused, BadUrl."""
    address = _literal(host)
    if address is None and (host.rstrip(".") == "localhost" or host.rstrip(".").endswith(".localhost")):
        address = IPv4Address("127.0.0.1")
    if address is not None:
        scope.check(host, address)


async def resolve(host: str, port: int, scope: Scope, *, lookup: Lookup | None = None) -> list[Endpoint]:
    """The endpoints of `host` that `scope` permits, in the resolver's order of preference; at least one.

    Raises: HostNotFound; AddressRefused when there are addresses but none may be reached.
    """
    endpoints = await _endpoints(host, port, lookup)
    permitted = [endpoint for endpoint in endpoints if scope.permits(endpoint.address)]
    if not permitted:
        raise _refusal(host, endpoints[0].address)
    return permitted


async def addresses_of(host: str, *, lookup: Lookup | None = None) -> tuple[Address, ...]:
    """All addresses of a host, for `Scope.of`. Raises: HostNotFound."""
    return tuple(endpoint.address for endpoint in await _endpoints(host, 0, lookup))


async def system_lookup(host: str, port: int) -> list[Endpoint]:
    """By the system's resolver, off the loop."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [
        Endpoint(family, _sockaddr(sockaddr), ip_address(sockaddr[0]))
        for family, _, _, _, sockaddr in found
        if family in (socket.AF_INET, socket.AF_INET6)
    ]


async def _endpoints(host: str, port: int, lookup: Lookup | None) -> list[Endpoint]:
    literal = _literal(host)
    try:
        if literal is None:
            found = await (lookup or system_lookup)(host, port)
        elif isinstance(literal, IPv6Address) and literal.scope_id:
            found = await system_lookup(host, port)  # only the system knows the number of a zone
        else:
            found = [_endpoint(literal, port)]
    except socket.gaierror as exc:
        raise HostNotFound(f"host not found: {host} ({_why_not_found(exc)})", host=host) from None
    except OSError as exc:
        raise HostNotFound(f"host not found: {host} ({exc.strerror or exc})", host=host) from None
    except UnicodeError:
        raise HostNotFound(f"host not found: {host} (not a valid name)", host=host) from None
    if not found:
        raise HostNotFound(f"host not found: {host} (the name has no address)", host=host)
    return found


def _endpoint(address: Address, port: int) -> Endpoint:
    if isinstance(address, IPv4Address):
        return Endpoint(socket.AF_INET, (str(address), port), address)
    return Endpoint(socket.AF_INET6, (str(address), port, 0, 0), address)


def _sockaddr(sockaddr: tuple[object, ...]) -> tuple[str, int] | tuple[str, int, int, int]:
    match sockaddr:
        case (str(host), int(port)):
            return (host, port)
        case (str(host), int(port), int(flow), int(zone)):
            return (host, port, flow, zone)
        case _:
            raise OSError(f"the resolver gave {sockaddr!r}, which is no internet address")


def _literal(host: str) -> Address | None:
    try:
        return literal_address(host)
    except ValueError as exc:
        raise BadUrl(f"{host!r} is not a usable host: {exc}", host=host) from None


def _why_not_found(exc: socket.gaierror) -> str:
    if exc.errno == socket.EAI_AGAIN:
        return "the name server did not answer; is this machine online?"
    if exc.errno in (socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME)):
        return "no such name; is it spelled right?"
    return exc.strerror or "the look-up failed"


def _refusal(host: str, address: Address) -> AddressRefused:
    kind = classify(address).value
    where = str(address) if host == str(address) else f"{host} ({address})"
    return AddressRefused(
        f"{where} is a {kind} address, and what names it lies in another network",
        host=host,
        address=str(address),
        address_class=kind,
    )
