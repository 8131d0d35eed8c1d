"""Cookies that the user hands over in a file: a Netscape `cookies.txt`, as browsers' extensions export it, or the value of one
Cookie header (`a=b; c=d`).

Sources: RFC 6265 section 5 (which cookie goes where); the Netscape format as curl documents it, `#HttpOnly_` included.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from ouzel.base.errors import BadOption, BadUrl, SchemeRefused
from ouzel.base.urls import parse_url

MAX_FILE_BYTES = 4 * 1024 * 1024
_HTTP_ONLY = "#HttpOnly_"
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_BAD_IN_VALUE = re.compile("[\x00-\x1f\x7f;]")


@dataclass(frozen=True, slots=True)
class Cookie:
    name: str
    value: str
    domain: str
    """Lower case, without a leading dot."""
    subdomains: bool
    path: str = "/"
    secure: bool = False
    expires_s: int = 0
    """Seconds since 1970; 0: with the session, which is to say never here."""


class CookieJar:
    def __init__(self, cookies: Iterable[Cookie] = ()) -> None:
        unique = {(c.domain, c.path, c.name): c for c in cookies}  # the last one of a kind holds
        self._cookies = sorted(unique.values(), key=lambda c: -len(c.path))  # longer paths first: RFC 6265 section 5.4

    def __len__(self) -> int:
        return len(self._cookies)

    def __iter__(self) -> Iterator[Cookie]:
        return iter(self._cookies)

    def header(self, url: str, now: datetime) -> str | None:
        """The value of the Cookie header for `url`; None when no cookie belongs there.

        Args:
            now: aware; expired cookies stay at home.
        """
        try:
            target = parse_url(url)
        except (BadUrl, SchemeRefused):
            return None
        path = target.target.partition("?")[0]
        seconds = now.timestamp()
        pairs = [
            f"{c.name}={c.value}"
            for c in self._cookies
            if _domain_matches(c, target.host)
            and _path_matches(c.path, path)
            and (target.scheme == "https" or not c.secure)
            and not 0 < c.expires_s <= seconds
        ]
        return "; ".join(pairs) or None


def read_cookies(path: Path, *, host: str) -> CookieJar:
    """Read a file of either kind; blocking. `host` as in `parse_cookies`. Raises: BadOption."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_FILE_BYTES + 1)
    except OSError as exc:
        raise BadOption(f"cannot read the cookies in {path}: {(exc.strerror or str(exc)).lower()}") from None
    if len(data) > MAX_FILE_BYTES:
        raise BadOption(f"{path} is larger than {MAX_FILE_BYTES} bytes: it is not a file of cookies")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise BadOption(f"{path} is not a file of cookies: it is not text in UTF-8") from None
    return parse_cookies(text, host=host, source=str(path))


def parse_cookies(text: str, *, host: str, source: str = "cookies") -> CookieJar:
    """Read the text of a file of either kind.

    Args:
        host: where the cookies of a bare header belong, with its subdomains; a Netscape file says it itself.
        source: the file's name, for the error.
    Raises: BadOption that names the line, and never shows a value.
    """
    lines = [(number, line) for number, line in enumerate(re.split(r"\r?\n", text), 1) if _says_something(line)]
    if not lines:
        raise BadOption(f"{source} has no cookies in it")
    if len(lines) == 1 and "\t" not in lines[0][1]:
        return CookieJar(_header_cookies(lines[0][1], host, f"{source}, line {lines[0][0]}"))
    return CookieJar(_netscape_cookie(line, f"{source}, line {number}") for number, line in lines)


def _says_something(line: str) -> bool:
    return bool(line.strip()) and (not line.startswith("#") or line.startswith(_HTTP_ONLY))


def _header_cookies(line: str, host: str, where: str) -> list[Cookie]:
    prefix, colon, rest = line.partition(":")
    if colon and prefix.strip().lower() == "cookie":
        line = rest
    cookies: list[Cookie] = []
    for pair in line.split(";"):
        name, equals, value = pair.strip().partition("=")
        if not name and not equals:
            continue
        if not equals:
            raise BadOption(f"{where}: a cookie is written as name=value")
        cookies.append(Cookie(*_checked(name, value, where), domain=host.lower(), subdomains=True))
    return cookies


def _netscape_cookie(line: str, where: str) -> Cookie:
    fields = line.removeprefix(_HTTP_ONLY).rstrip("\r\n").split("\t")
    if len(fields) == 6:
        fields.append("")  # an empty value, its tab lost
    if len(fields) != 7:
        raise BadOption(f"{where}: {len(fields)} fields between tabs, and a cookie has 7")
    domain, subdomains, path, secure, expires, name, value = fields
    for flag in (subdomains, secure):
        if flag.upper() not in ("TRUE", "FALSE"):
            raise BadOption(f"{where}: the second and the fourth field are TRUE or FALSE")
    if not re.fullmatch(r"-?\d{1,18}(\.\d+)?", expires):
        raise BadOption(f"{where}: the fifth field is the time when the cookie expires, in seconds since 1970, or 0")
    if not domain.strip(".") or not path.startswith("/"):
        raise BadOption(f"{where}: the first field is a domain, and the third a path that begins with a slash")
    name, value = _checked(name, value, where)
    return Cookie(
        name,
        value,
        domain=domain.lower().lstrip("."),
        subdomains=subdomains.upper() == "TRUE" or domain.startswith("."),
        path=path,
        secure=secure.upper() == "TRUE",
        expires_s=max(0, int(float(expires))),
    )


def _checked(name: str, value: str, where: str) -> tuple[str, str]:
    if not _NAME.fullmatch(name):
        raise BadOption(f"{where}: the name of a cookie has characters that it cannot have")
    if _BAD_IN_VALUE.search(value):
        raise BadOption(f"{where}: the value of the cookie {name} has characters that it cannot have")
    return name, value.strip()


def _domain_matches(cookie: Cookie, host: str) -> bool:
    return host == cookie.domain or (cookie.subdomains and host.endswith("." + cookie.domain))


def _path_matches(cookie_path: str, path: str) -> bool:
    """Source: RFC 6265 section 5.1.4."""
    if not path.startswith(cookie_path):
        return False
    return cookie_path.endswith("/") or path[len(cookie_path) :][:1] in ("", "/")
