"""Addresses: read strictly, joined, compared, and shown without their secrets. Pure text, no look-ups.

A `Url` is canonical: the host is in its ASCII form and lower case, and every spelling of a literal IPv4 address that the system's
resolver would accept (`2130706433`, `0x7f.1`, `127.1`) has become its dotted form, so that a check on the host sees what the
connection will see.

Sources: RFC 3986 (syntax, joining); WHATWG URL section 3.5 (IPv4 spellings); IDNA 2003 as in Python's `idna` codec.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from functools import lru_cache
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from typing import NamedTuple
from urllib.parse import quote, unquote, urljoin, urlsplit

from ouzel.base.errors import BadUrl, SchemeRefused

HTTP_SCHEMES = frozenset({"http", "https"})
DEFAULT_PORTS = {
    "http": 80,
    "https": 443,
    "rtmp": 1935,
    "rtmps": 443,
    "rtsp": 554,
    "rtsps": 322,
    "socks5": 1080,
    "socks5h": 1080,
}
MAX_URL = 16 * 1024
"""Characters in an address; signed ones reach a few thousand."""

_ELSEWHERE = frozenset({"about", "blob", "data", "file", "javascript"})
"""Schemes of addresses without a host."""
_UNFIT = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")
_TO_QUOTE = re.compile(r'[^\x21-\x7e]|["<>]')
_NAME = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)(\.(?!-)[a-z0-9_-]{1,63}(?<!-))*\.?")
_NUMBER = re.compile(r"[0-9]+|0[xX][0-9a-fA-F]*")
_ORDINARY = re.compile(r"(https?)://([a-z0-9.-]+)(?::([1-9][0-9]{0,3}|[1-5][0-9]{4}))?(/[!$-;=?-Z_a-z|~]*(?<!\?))")
"""What nearly every address is like: nothing in it has to be looked at twice, encoded or left out."""


class Url(NamedTuple):
    """An absolute address without its fragment.

    `host` has no brackets; `port` is 0 where the scheme has no usual one and none was written; `target` is the path and the
    query as they go into a request, percent-encoded, beginning with a slash.
    """

    scheme: str
    host: str
    port: int
    target: str = "/"
    user: str | None = None
    password: str | None = None

    @property
    def origin(self) -> tuple[str, str, int]:
        return (self.scheme, self.host, self.port)

    @property
    def authority(self) -> str:
        """As in a Host header: the port only where it is not the scheme's own."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port in (0, DEFAULT_PORTS.get(self.scheme)) else f"{host}:{self.port}"

    @property
    def anonymous(self) -> str:
        """The whole address without user and password."""
        return f"{self.scheme}://{self.authority}{self.target}"

    def __str__(self) -> str:
        if self.user is None:
            return self.anonymous
        secret = "" if self.password is None else ":" + quote(self.password, safe="")
        return f"{self.scheme}://{quote(self.user, safe='')}{secret}@{self.authority}{self.target}"


def parse_url(text: str, *, schemes: Collection[str] = HTTP_SCHEMES) -> Url:
    """Read an absolute address.

    Raises: BadUrl when it is not one; SchemeRefused when it is, but its scheme is not among `schemes`.
    """
    return _parse(text, frozenset(schemes))


@lru_cache(maxsize=2048)  # a live playlist is asked for every second or two
def _parse(text: str, schemes: frozenset[str]) -> Url:
    text = text.strip()
    if len(text) <= MAX_URL and (found := _ORDINARY.fullmatch(text)) and found[1] in schemes:
        scheme, host, port, target = found.groups()
        return Url(scheme, _canonical_host(host, text), int(port) if port else DEFAULT_PORTS[scheme], target)
    if len(text) > MAX_URL:
        raise BadUrl(f"an address of {len(text)} characters is too long; the limit is {MAX_URL}")
    if _UNFIT.search(text):
        raise _bad(text, "it has a control or broken character in it")
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as exc:
        raise _bad(text, str(exc)) from None
    scheme = parts.scheme.lower()
    if scheme not in schemes and (parts.netloc or scheme in _ELSEWHERE):
        shown = redact(text)
        raise SchemeRefused(f"{shown[:120]} is not followed: it is not {' or '.join(sorted(schemes))}", url=shown)
    if not scheme or not parts.netloc:
        raise _bad(text, "it must begin with a scheme and a host, as in https://host/path")
    if "\\" in parts.netloc or port == 0:
        raise _bad(text, "its host or port is malformed")
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Url(
        scheme,
        _canonical_host(parts.hostname or "", text),
        port or DEFAULT_PORTS.get(scheme, 0),
        _TO_QUOTE.sub(lambda c: quote(c[0]), target),
        None if parts.username is None else unquote(parts.username),
        None if parts.password is None else unquote(parts.password),
    )


def join(base: str, reference: str) -> str:
    """The address that `reference`, found in the document at `base`, means. Raises: BadUrl.

    Source: RFC 3986 section 5. The scheme is checked by whoever opens the address.
    """
    reference = reference.strip()
    if _UNFIT.search(reference):
        raise _bad(reference, "it has a control or broken character in it")
    try:
        return urljoin(base, reference)
    except ValueError as exc:
        raise _bad(reference, str(exc)) from None


def same_origin(one: str, other: str) -> bool:
    """Whether both have the same scheme, host and port (RFC 6454). False when either is not an http address."""
    try:
        return parse_url(one).origin == parse_url(other).origin
    except (BadUrl, SchemeRefused):
        return False


def literal_address(host: str) -> IPv4Address | IPv6Address | None:
    """The address that `host` spells out, in any form the system's resolver takes; None for a name.

    Raises: ValueError for a host that ends in a number and yet is no address (`1.2.3.4.5`, `999.1.1.1`): no such name exists, and
    resolvers disagree about what it means.
    """
    if ":" in host:
        return IPv6Address(host.replace("%25", "%"))  # RFC 6874: the zone's percent sign is itself encoded
    parts = host.removesuffix(".").split(".")
    if not _NUMBER.fullmatch(parts[-1]):
        return None
    if len(parts) > 4 or not all(_NUMBER.fullmatch(part) for part in parts):
        raise AddressValueError(f"{host!r} is not an IPv4 address")
    numbers = [_number(part) for part in parts]
    *leading, last = numbers
    if any(n > 255 for n in leading) or last >= 256 ** (4 - len(leading)):
        raise AddressValueError(f"{host!r} has a part too large for an IPv4 address")
    for place, n in enumerate(leading):
        last += n << 8 * (3 - place)
    return IPv4Address(last)


def _number(part: str) -> int:
    if part[:2] in ("0x", "0X"):
        return int(part[2:] or "0", 16)
    if part[0] == "0":
        try:
            return int(part, 8)
        except ValueError:
            raise AddressValueError(f"{part!r} is not an octal number") from None
    return int(part) if len(part) <= 10 else 1 << 32


def _canonical_host(host: str, text: str) -> str:
    try:
        return _canonical(host)
    except ValueError as exc:
        raise _bad(text, str(exc)) from None


@lru_cache(maxsize=1024)
def _canonical(host: str) -> str:
    """Raises: ValueError, with what is wrong."""
    if not host.isascii():
        try:
            host = host.encode("idna").decode("ascii").lower()
        except UnicodeError as exc:
            raise ValueError(f"its host is not a valid name: {exc}") from None
    address = literal_address(host)
    if address is not None:
        return str(address)
    if len(host) > 253 or not _NAME.fullmatch(host):
        raise ValueError("its host is not a valid name")
    return host


def _bad(text: str, why: str) -> BadUrl:
    return BadUrl(f"{redact(text)[:200]!r} is not a usable address: {why}")


# What is shown: hosts, paths and short plain parameters help to understand a log; whatever may open a door does not.

_ADDRESS = re.compile(r"((?:[a-z][a-z0-9+.-]*:)?//)([^/?#]*)([^?#]*)(\?[^#]*)?(?:#.*)?", re.IGNORECASE | re.DOTALL)
_SECRET_KEY = re.compile(
    r"token|sign|secret|auth|pass|pwd|pw$|key|hash|hmac|md5|sess|^sid$|sig$|ticket|credential|jwt|cookie|policy|hdn|acl",
    re.IGNORECASE,
)
_PLAIN_VALUE = re.compile(r"[\w.,-]{0,12}", re.ASCII)
_BETWEEN_PAIRS = re.compile(r"([&;/~!?])")
_USER_IN_PATH = re.compile(r"[^/:@]+:[^/@]*@")
_LONG_SEGMENT = re.compile(r"[^/.]{65,}")
_IN_TEXT = re.compile(r"\b[a-z][a-z0-9+.-]{0,20}://[^\s\"'<>\\]+", re.IGNORECASE)
_HEADER_IN_TEXT = re.compile(r"\b((?:proxy-)?authorization|(?:set-)?cookie)(\s*[:=]\s*)[^\r\n]+", re.IGNORECASE)
_PAIR_IN_TEXT = re.compile(
    r"(\b\w{0,40}(?:token|secret|passw|signature|apikey|api_key)\w{0,40}\"?\s{0,4}[:=]\s{0,4}\"?)[^\s\"'&,;}<]+",
    re.IGNORECASE,
)
MASK = "***"


def redact(url: str) -> str:
    """`url` as it may be logged: no user, password or fragment; signatures, tokens and long values masked. Never raises.

    A `data:` address keeps only its scheme: in a playlist it holds a key.
    """
    if url[:5].lower() == "data:":
        return f"data:{MASK}"
    found = _ADDRESS.fullmatch(url)
    if found is None:
        path, mark, query = url.partition("#")[0].partition("?")
        return _redact_path(path) + _redact_query(mark + query)
    scheme, netloc, path, query = found[1], found[2], found[3], found[4] or ""
    who, at, host = netloc.rpartition("@")
    return f"{scheme}{MASK if who else ''}{at}{host}{_redact_path(path)}{_redact_query(query)}"


def redact_text(text: str) -> str:
    """Free text as it may be logged: every address in it redacted, and values of headers and fields that hold secrets masked."""
    text = _IN_TEXT.sub(lambda found: redact(found[0]), text)
    text = _HEADER_IN_TEXT.sub(rf"\1\2{MASK}", text)
    return _PAIR_IN_TEXT.sub(rf"\1{MASK}", text)


def _redact_path(path: str) -> str:
    path = _USER_IN_PATH.sub(f"{MASK}@", path)  # the scheme was forgotten, or one address is inside another
    path = _redact_pairs(path, plain=False)  # some CDNs sign in the path: /hls/st=…~hmac=…/live.m3u8
    return _LONG_SEGMENT.sub(lambda found: found[0][:8] + MASK, path)


def _redact_query(query: str) -> str:
    if "=" not in query:
        return query if _PLAIN_VALUE.fullmatch(query[1:]) else f"?{MASK}"  # a query that is one bare token
    return _redact_pairs(query, plain=True)


def _redact_pairs(text: str, *, plain: bool) -> str:
    """Mask the values of secret keys and, where only plain ones are to be shown, all that are long or not of word characters."""
    words = _BETWEEN_PAIRS.split(text)
    for place, word in enumerate(words):
        key, equals, value = word.partition("=")
        if value and (_SECRET_KEY.search(key) or (plain and not _PLAIN_VALUE.fullmatch(value))):
            words[place] = key + equals + MASK
    return "".join(words)
