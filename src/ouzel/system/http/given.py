"""What users write of who asks, and by which way, made fit to be used."""

from __future__ import annotations

import re
from urllib.parse import quote

from ouzel.base.errors import BadOption, InputError
from ouzel.system.http.dial import parse_proxy

DIRECT = "direct"
"""Instead of a proxy: none, whatever else is set."""
_BEYOND_ASCII = re.compile(r"[^\x00-\x7f]+")


def read_proxy(text: str | None, where: str) -> str:
    """The proxy that is meant; empty for none, and for `direct`. Raises: BadOption, which shows nothing of it."""
    if text is None or text.strip().lower() in ("", DIRECT):
        return ""
    try:
        parse_proxy(text)
    except InputError:
        raise BadOption(
            f"{where} is not understood: a proxy is http://, socks5:// or socks5h://, then user:password@ if it wants them "
            f"(what is neither letter nor digit in them as %40), then host:port; or {DIRECT}"
        ) from None
    scheme, mark, rest = text.strip().partition("://")
    return f"{scheme.lower()}{mark}{rest}"


def sendable(cookies: str) -> str:
    """Not every library can send what is beyond ASCII, such as a nickname."""
    return _BEYOND_ASCII.sub(lambda found: quote(found[0]), cookies)
