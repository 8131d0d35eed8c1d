"""Cookies that the user hands over, and which of them goes where. `cookie_files` reads them.

Source: RFC 6265 section 5.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from ouzel.base.errors import BadUrl, SchemeRefused
from ouzel.base.urls import parse_url


@dataclass(frozen=True, slots=True)
class Cookie:
    name: str
    value: str = field(repr=False)
    domain: str
    """Lower case, without a leading dot."""
    subdomains: bool
    path: str = "/"
    secure: bool = False
    expires_s: int = 0
    """Seconds since 1970; 0: with the session, which is to say never here."""

    def is_over(self, now: datetime) -> bool:
        """`now`: aware."""
        return 0 < self.expires_s <= now.timestamp()


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
        return "; ".join(f"{c.name}={c.value}" for c in self._for(url) if not c.is_over(now)) or None

    def expired(self, url: str, now: datetime) -> list[Cookie]:
        """Those that would belong there, and are over."""
        return [c for c in self._for(url) if c.is_over(now)]

    def _for(self, url: str) -> Iterator[Cookie]:
        try:
            target = parse_url(url)
        except (BadUrl, SchemeRefused):
            return
        path = target.target.partition("?")[0]
        for cookie in self._cookies:
            if (
                _domain_matches(cookie, target.host)
                and _path_matches(cookie.path, path)
                and (target.scheme == "https" or not cookie.secure)
            ):
                yield cookie


def _domain_matches(cookie: Cookie, host: str) -> bool:
    return host == cookie.domain or (cookie.subdomains and host.endswith("." + cookie.domain))


def _path_matches(cookie_path: str, path: str) -> bool:
    """Source: RFC 6265 section 5.1.4."""
    if not path.startswith(cookie_path):
        return False
    return cookie_path.endswith("/") or path[len(cookie_path) :][:1] in ("", "/")
