"""The user's cookies, for the hosts of one site: a redirect within it keeps them, and no other site gets them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from http.cookiejar import Cookie

    from ouzel.platforms.contract import Match

_SECOND_LEVEL = frozenset({"ac", "co", "com", "edu", "go", "gov", "ne", "net", "or", "org"})


class Jar(Protocol):
    def set_cookie(self, cookie: Cookie, /) -> object: ...


def site_of(host: str) -> str:
    """The domain under which a site has its hosts: of `api.live.example.co.kr` it is `example.co.kr`."""
    labels = host.lower().rstrip(".").split(".")
    below_country = len(labels[-1]) == 2 and labels[-2:-1] != [] and labels[-2] in _SECOND_LEVEL
    return ".".join(labels[-3:] if below_country else labels[-2:])


def sites_of(match: Match) -> frozenset[str]:
    """Those of the platform: where its pages are."""
    places = (match.url, *(f"https://{template}" for template in match.platform.urls))
    found = {site_of(urlsplit(place).netloc) for place in places}
    return frozenset(site for site in found if "{" not in site)


def pairs_of(cookies: str) -> Iterator[tuple[str, str]]:
    """Names and values of a Cookie header."""
    for pair in cookies.split(";"):
        name, _, value = pair.strip().partition("=")
        if name:
            yield name, value


def keep(jar: Jar, cookies: str, sites: Iterable[str]) -> None:
    """Put a Cookie header into a jar, for all hosts of these sites, over TLS only."""
    from http.cookiejar import Cookie  # which brings urllib.request

    for site in sites:
        for name, value in pairs_of(cookies):
            jar.set_cookie(
                Cookie(
                    0, name, value, None, False, f".{site}", True, True, "/", True, True, None, False, None, None, {}
                )
            )
