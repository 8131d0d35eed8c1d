"""Cookies as the user has them: a Netscape `cookies.txt`, the JSON that browsers' extensions and test tools write, or the
value of one Cookie header (`a=b; c=d`). Which it is, is told by the content.

Sources: the Netscape format as curl documents it, `#HttpOnly_` included; Chrome's `cookies.Cookie` (`expirationDate`,
`hostOnly`), which EditThisCookie and Cookie-Editor export; the storage state of Playwright (`cookies`, `expires`, -1 with the
session); WebDriver's `expiry`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

from ouzel.base.errors import BadOption
from ouzel.system.http.cookies import Cookie, CookieJar

MAX_FILE_BYTES = 4 * 1024 * 1024
TAKEN = "a Netscape cookies.txt, the JSON of a browser's extension, or one line 'name=value; name=value'"
_HTTP_ONLY = "#HttpOnly_"
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_BAD_IN_NAME = re.compile("[\x00-\x20\x7f=;,\ud800-\udfff]")
_BAD_IN_VALUE = re.compile("[\x00-\x1f\x7f;\ud800-\udfff]")
_FIELDS = 7
_FLAGS = ("TRUE", "FALSE")
_EXPIRES = ("expirationDate", "expires", "expiry")
_MILLISECONDS = 100_000_000_000
"""From here on a time is no longer in seconds, which would be the year 5138."""


def is_header(text: str) -> bool:
    """Whether this is the value of a Cookie header, and not the path of a file."""
    name, equals, _ = text.strip().partition("=")
    return bool(equals) and (name.lower().startswith("cookie:") or _TOKEN.fullmatch(name) is not None)


def read_cookies(path: Path, *, host: str) -> CookieJar:
    """Read a file of any kind; blocking. `host` as in `parse_cookies`. Raises: BadOption."""
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
        raise BadOption(f"{path} is not a file of cookies: it is not text in UTF-8. Taken is {TAKEN}") from None
    return parse_cookies(text, host=host, source=str(path))


def parse_cookies(text: str, *, host: str, source: str = "cookies") -> CookieJar:
    """Read the text of a file of any kind.

    Args:
        host: where the cookies of a bare header belong, with its subdomains; a file of another kind says it itself.
        source: the file's name, for the error.
    Raises: BadOption that names the line, or the cookie, and never shows a value.
    """
    if text.lstrip()[:1] in {"[", "{"}:
        return CookieJar(_json_cookies(text, source))
    lines = [(number, line) for number, line in enumerate(re.split(r"\r\n|\r|\n", text), 1) if _says_something(line)]
    if not lines:
        raise BadOption(f"{source} has no cookies in it. Taken is {TAKEN}")
    if len(lines) == 1 and len(_fields(lines[0][1])) == 1:
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
            raise BadOption(f"{where}: a cookie is written as name=value. Taken is {TAKEN}")
        cookies.append(Cookie(*_checked(name, value, where), domain=host.lower(), subdomains=True))
    return cookies


def _fields(line: str) -> list[str]:
    """Between tabs; or between spaces, where an editor has made these of them."""
    fields = line.removeprefix(_HTTP_ONLY).split("\t")
    if len(fields) > 1:
        return fields
    words = line.removeprefix(_HTTP_ONLY).split(None, _FIELDS - 1)
    return words if len(words) >= _FIELDS - 1 and words[1].upper() in _FLAGS and words[3].upper() in _FLAGS else fields


def _netscape_cookie(line: str, where: str) -> Cookie:
    fields = _fields(line)
    if len(fields) == _FIELDS - 1:
        fields.append("")  # an empty value, its tab lost
    if len(fields) != _FIELDS:
        raise BadOption(f"{where}: {len(fields)} fields between tabs, and a cookie has 7. Taken is {TAKEN}")
    domain, subdomains, path, secure, expires, name, value = fields
    for flag in (subdomains, secure):
        if flag.upper() not in _FLAGS:
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


def _json_cookies(text: str, source: str) -> Iterator[Cookie]:
    try:
        doc: object = json.loads(text)
    except json.JSONDecodeError as exc:
        raise BadOption(
            f"{source}, line {exc.lineno}, column {exc.colno}: it begins as JSON, and is none. Taken is {TAKEN}"
        ) from None
    except RecursionError:
        raise BadOption(f"{source} is no JSON of cookies: it is nested too deeply") from None
    found = cast("Mapping[str, object]", doc).get("cookies") if isinstance(doc, dict) else doc
    if not isinstance(found, list):
        raise BadOption(f'{source} is JSON without a list of cookies: [{{…}}], or {{"cookies": [{{…}}]}}')
    if not found:
        raise BadOption(f"{source} has no cookies in it")
    for number, each in enumerate(cast("list[object]", found), 1):
        where = f"{source}, cookie {number}"
        if not isinstance(each, dict):
            raise BadOption(f"{where}: it is no object with name, value and domain")
        yield _json_cookie(cast("dict[str, object]", each), where)


def _json_cookie(doc: Mapping[str, object], where: str) -> Cookie:
    name, domain, path = (doc.get(key) for key in ("name", "domain", "path"))
    value = doc.get("value")
    if not isinstance(name, str) or not isinstance(value, str):
        raise BadOption(f"{where}: its name and its value have to be texts")
    if not isinstance(domain, str) or not domain.strip("."):
        raise BadOption(f"{where} ({name[:80]!r}): it has no domain")
    if not isinstance(path, (str, type(None))) or not (path or "/").startswith("/"):
        raise BadOption(f"{where} ({name[:80]!r}): its path does not begin with a slash")
    alone = doc.get("hostOnly")
    name, value = _checked(name, value, where)
    return Cookie(
        name,
        value,
        domain=domain.lower().lstrip("."),
        subdomains=not alone if isinstance(alone, bool) else domain.startswith("."),
        path=path or "/",
        secure=doc.get("secure") is True,
        expires_s=_expiry(next((doc[key] for key in _EXPIRES if doc.get(key) is not None), 0), where),
    )


def _expiry(given: object, where: str) -> int:
    """Seconds since 1970, from a number of them or of milliseconds, or from a date."""
    try:
        if isinstance(given, str) and not re.fullmatch(r"-?\d+(\.\d+)?", given):
            when = datetime.fromisoformat(given)
            return int((when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp())
        seconds = float(cast("float", given))
        return max(0, int(seconds / 1000 if seconds >= _MILLISECONDS else seconds))
    except (ValueError, TypeError, OverflowError):
        raise BadOption(f"{where}: it does not say when it expires in seconds since 1970") from None


def _checked(name: str, value: str, where: str) -> tuple[str, str]:
    if not name or _BAD_IN_NAME.search(name):
        raise BadOption(f"{where}: the name of a cookie has characters that it cannot have")
    if _BAD_IN_VALUE.search(value):
        raise BadOption(f"{where}: the value of the cookie {name} has characters that it cannot have")
    return name, value.strip()
