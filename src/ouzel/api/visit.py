"""One request, as all parts of the frame see it."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.requests import HTTPConnection
from starlette.types import Scope

from ouzel.api.services import ApiRules, Network
from ouzel.model.users import Principal
from ouzel.services.audit import Client

_KEY = "ouzel.visit"
_PREFIX = re.compile(r"(/[\w.~-]+)*", re.ASCII)
_REQUEST_ID = re.compile(r"[\w.-]{8,64}", re.ASCII)


@dataclass(slots=True)
class Visit:
    client: Client
    secure: bool
    """Whether it came over TLS."""
    prefix: str = ""
    """What stands before all of our paths where browsers reach us: `` or `/tv`."""
    principal: Principal | None = None
    """Known once a route has asked for it."""
    code: str | None = None
    """Of the error that it was answered with."""
    revision: int | None = None
    """Of the object that it was answered with."""


def open_visit(scope: Scope, rules: ApiRules) -> Visit:
    headers = Headers(scope=scope)
    asked = headers.get("x-request-id", "")
    peer = _plain(scope["client"][0]) if scope.get("client") else ""
    trusted = not peer or _is_in(peer, rules.trusted_proxies)  # to a unix socket comes whom its owner lets in: a proxy
    told = headers.get("x-forwarded-proto", "").rpartition(",")[2].strip() if trusted else ""
    scheme = told or scope.get("scheme", "http")
    visit = Visit(
        client=Client(
            address=_client_address(peer, headers.getlist("x-forwarded-for"), rules) if trusted else peer,
            user_agent=headers.get("user-agent", ""),
            request_id=asked if _REQUEST_ID.fullmatch(asked) else secrets.token_hex(8),
        ),
        secure=scheme == "https" or rules.public_url.startswith("https://"),
        prefix=_prefix(headers.get("x-forwarded-prefix", "") if trusted else "", rules),
    )
    scope[_KEY] = visit
    return visit


def visit_of(connection: HTTPConnection) -> Visit:
    return connection.scope[_KEY]


def within(visit: Visit, path: str) -> str:
    """A path as our routes have it: of proxies that pass the prefix on, too."""
    if visit.prefix and (path == visit.prefix or path.startswith(f"{visit.prefix}/")):
        return path.removeprefix(visit.prefix) or "/"
    return path


def _prefix(told: str, rules: ApiRules) -> str:
    """What a proxy says goes before what is set. It gets into the page: nothing but plain paths."""
    path = (told.rpartition(",")[2].strip() or urlsplit(rules.public_url).path).rstrip("/")
    return path if _PREFIX.fullmatch(path) else ""


def _client_address(peer: str, forwarded: list[str], rules: ApiRules) -> str:
    """The last address that no trusted proxy has: what stands before it, anybody can have written."""
    address = peer
    for each in reversed([part.strip() for value in forwarded for part in value.split(",")]):
        try:
            address = _plain(str(ip_address(each.strip("[]"))))
        except ValueError:
            break
        if not _is_in(address, rules.trusted_proxies):
            break
    return address


def _plain(address: str) -> str:
    """An IPv4 address that came to a socket of IPv6, as it is written else."""
    return address.removeprefix("::ffff:") if "." in address else address


def _is_in(address: str, networks: tuple[Network, ...]) -> bool:
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    return any(parsed.version == network.version and parsed in network for network in networks)
