"""The words of a request."""

from __future__ import annotations

import re
from functools import lru_cache

from ouzel.base.errors import BadOption
from ouzel.base.headers import Fields
from ouzel.base.urls import Url
from ouzel.system.http.messages import Request
from ouzel.system.http.tunnels import basic, proxy_authorization

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_ZONE = re.compile(r"%[^\]]*")  # of a link-local address: of meaning to this machine only (RFC 6874 section 1)
_NOT_IN_VALUES = re.compile("[\r\n\x00\ud800-\udfff]")
_OURS = frozenset(
    {
        "connection",
        "content-length",
        "transfer-encoding",
        "te",
        "upgrade",
        "range",
        "accept-encoding",
        "proxy-authorization",
    }
)
"""Fields that decide how the answer is framed or coded, or that belong to another option."""


def checked_fields(request: Request) -> Fields:
    """The caller's header fields. Raises: BadOption for what cannot be sent."""
    _check(request.headers)
    if request.byte_range is not None:
        first, last = request.byte_range
        if first < 0 or (last is not None and last < first):
            raise BadOption(f"{first} to {last} is not a range of bytes")
    return request.headers


@lru_cache(maxsize=1024)
def _check(fields: Fields) -> None:
    for name, value in fields:
        if not _TOKEN.fullmatch(name):
            raise BadOption(f"{name[:80]!r} is not the name of a header")
        if _NOT_IN_VALUES.search(value):
            raise BadOption(f"the header {name} has a line break, or another character that cannot be sent, in it")
        if name.lower() in _OURS:
            raise BadOption(f"the header {name} is set by Ouzel itself")


def render_request(request: Request, url: Url, fields: Fields, *, compressed: bool, proxy: Url | None) -> bytes:
    """The request for `url`, which may be where a redirect led.

    Args:
        fields: the caller's, as far as they may be sent there.
        compressed: whether gzip is welcome; ranges of a compressed body are of no use.
        proxy: a proxy that is spoken to in HTTP itself, without a tunnel.
    """
    method = "GET" if request.body is None else "POST"
    line = f"{method} {url.target if proxy is None else url.anonymous} HTTP/1.1\r\n"
    if request.byte_range is not None:
        first, last = request.byte_range
        line += f"Range: bytes={first}-{'' if last is None else last}\r\n"
    if request.body is not None:
        line += f"Content-Length: {len(request.body)}\r\n"
    login = None if url.user is None else (url.user, url.password)
    credentials = None if proxy is None else proxy_authorization(proxy)
    rest = _rest(url.authority, request.user_agent, fields, compressed, login, credentials)
    return b"".join((line.encode(), rest, request.body or b""))


@lru_cache(maxsize=1024)
def _rest(
    authority: str,
    user_agent: str,
    fields: Fields,
    compressed: bool,
    login: tuple[str, str | None] | None,
    credentials: str | None,
) -> bytes:
    """What stays the same from one request to the next of a channel: everything but the target and the range."""
    given = {name.lower() for name, _ in fields}
    ours = [("Host", _ZONE.sub("", authority)), ("User-Agent", user_agent), ("Accept", "*/*")]
    if login is not None:
        ours.append(("Authorization", basic(*login)))
    lines = [f"{name}: {value}" for name, value in ours if name.lower() not in given]
    lines.append(f"Accept-Encoding: {'gzip' if compressed else 'identity'}")
    if credentials is not None:
        lines.append(f"Proxy-Authorization: {credentials}")
    lines.extend(f"{name}: {value}" for name, value in fields)
    return "\r\n".join([*lines, "", ""]).encode()
