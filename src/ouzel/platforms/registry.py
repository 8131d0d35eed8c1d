"""Which platform an address belongs to, found without importing any of them.

Each file in `sites/` begins with `PLATFORM = Platform(…)`, all literals. That statement is cut out of the text and read, which
takes a few milliseconds for all of them; their code is imported by the child process when it is asked for.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from urllib.parse import urlsplit

from ouzel.base.errors import UnknownSite
from ouzel.base.urls import HTTP_SCHEMES
from ouzel.platforms.contract import Match, Platform
from ouzel.platforms.spelling import alike, resembles, tidy
from ouzel.platforms.templates import Template, parse_template

_OPENING = "PLATFORM = Platform(\n"
_AT_ONCE = re.compile(r"^    at_once = ([\d_]+)$", re.MULTILINE)
"""In the class of a site that tells of many channels in one answer."""


@dataclass(frozen=True, slots=True)
class _Entry:
    platform: Platform
    urls: tuple[Template, ...]
    short: tuple[Template, ...]


class Registry:
    """All platforms."""

    def __init__(self, platforms: Iterable[Platform]) -> None:
        self._entries = {p.name: _Entry(p, _parsed(p.urls), _parsed(p.short)) for p in platforms}

    def __iter__(self) -> Iterator[Platform]:
        return (entry.platform for entry in self._entries.values())

    def __len__(self) -> int:
        return len(self._entries)

    def __getitem__(self, name: str) -> Platform:
        return self._entries[name].platform

    def find(self, address: str) -> Match | None:
        """The platform whose channel this names, however it is spelt; None for any other address. Raises: BadUrl."""
        url = tidy(address)
        for entry in self._entries.values() if _may_be_page(url) else ():
            named = _first(entry.urls, url)
            if named is not None:
                return Match(entry.platform, _canonical(entry, _anonymous(url), named), named)
        return None

    def find_short(self, address: str) -> Match | None:
        """The platform whose short link this is: where it leads has to be asked. Raises: BadUrl."""
        url = tidy(address)
        for entry in self._entries.values() if _may_be_page(url) else ():
            named = _first(entry.short, url)
            if named is not None:
                return Match(entry.platform, _anonymous(url), named)
        return None

    def known(self, address: str) -> Match | None:
        """What it names, as a page or as a short link. Raises: BadUrl."""
        return self.find(address) or self.find_short(address)

    def nearest(self, host: str) -> Sequence[Platform]:
        """Those whose hosts are spelt, or look, most like this one, the nearest first."""
        hosts = {_place(template): platform for platform in self for template in (*platform.urls, *platform.short)}
        return [*dict.fromkeys(hosts[name] for name in alike(host, hosts))]

    def unknown(self, address: str) -> UnknownSite:
        """Why nothing is known of this address, for who gave it."""
        parts = urlsplit(tidy(address))
        host = parts.hostname or ""
        near = next((p for p in self if any(_is_below(host, _domain(u)) for u in (*p.urls, *p.short))), None)
        if near is None:
            return UnknownSite(self._of_strange(host))
        if parts.scheme not in HTTP_SCHEMES:
            return UnknownSite(f"pages of {near.title} begin with https://, not with {parts.scheme}://")
        if parts.port is not None:
            return UnknownSite(f"pages of {near.title} are not behind the port {parts.port}: leave it out")
        return UnknownSite(f"this is no address of a channel of {near.title}; one looks like {near.example}")

    def _of_strange(self, host: str) -> str:
        hosts = {_host(u) for p in self for u in (*p.urls, *p.short)} - {""}
        like = resembles(host, hosts | {_domain(u) for p in self for u in p.urls})
        if not host.isascii() or re.search(r"(?:^|\.)xn--", host):
            meant = f"; it resembles {like}, and is another" if like else ""
            return f"{host} is no platform that Ouzel knows, and has letters of another alphabet: {host!a}{meant}"
        meant = f"; was {like} meant?" if like else ""
        return f"{host} is no platform that Ouzel knows{meant}; `ouzel platforms` lists them"


@cache
def registry() -> Registry:
    """The platforms that come with Ouzel."""
    return Registry(declared())


def declared() -> Iterator[Platform]:
    """Raises: ValueError for a file whose head cannot be read."""
    for file in sorted(files("ouzel.platforms.sites").iterdir(), key=lambda f: f.name):
        if file.name.endswith(".py") and not file.name.startswith("_"):
            yield read_head(file.name, file.read_text(encoding="utf-8"))


def read_head(name: str, text: str) -> Platform:
    """What a site's file declares. Raises: ValueError."""
    start = text.find(_OPENING)
    end = text.find("\n)\n", start)
    if start < 0 or end < 0:
        raise ValueError(f"{name} does not begin with `PLATFORM = Platform(`")
    (statement,) = ast.parse(text[start : end + 2]).body
    assert isinstance(statement, ast.Assign)
    assert isinstance(statement.value, ast.Call)
    given = {word.arg: ast.literal_eval(word.value) for word in statement.value.keywords if word.arg}
    at_once = _AT_ONCE.search(text, end)
    platform = Platform(**given, at_once=int(at_once[1]) if at_once else 0)
    if f"{platform.name.replace('-', '_')}.py" != name:
        raise ValueError(f"{name} declares the platform {platform.name!r}")
    return platform


def _canonical(entry: _Entry, url: str, named: Mapping[str, str]) -> str:
    """The address as libraries know it: in the platform's first form, on the host of its example, and nothing else.

    Where case does not matter in names it is the lower one: whoever is spelt in two ways has one address.
    """
    if entry.platform.any_case:
        named = {name: value.lower() for name, value in named.items()}
    rendered = next((text for t in entry.urls if (text := t.render(named)) is not None), None)
    if rendered is None or not named:
        return url
    host, slash, rest = rendered.partition("/")
    usual = urlsplit(entry.platform.example).hostname or host
    return f"https://{usual if usual.removeprefix('www.') == host.removeprefix('www.') else host}{slash}{rest}"


def _parsed(templates: Iterable[str]) -> tuple[Template, ...]:
    return tuple(parse_template(text) for text in templates)


def _first(templates: Iterable[Template], url: str) -> Mapping[str, str] | None:
    return next((named for t in templates if (named := t.match(url)) is not None), None)


def _domain(template: str) -> str:
    """The part of its host that it has in common with other addresses of the platform."""
    host = template.partition("/")[0]
    return ".".join(host.rpartition("}")[2].lstrip(".").split(".")[-2:]) or host


def _host(template: str) -> str:
    """Empty when it has holes."""
    host = template.partition("/")[0]
    return "" if "{" in host else host


def _place(template: str) -> str:
    """Its host without holes, and without the `www.` that says nothing."""
    return template.partition("/")[0].rpartition("}")[2].strip(".").removeprefix("www.")


def _is_below(host: str, domain: str) -> bool:
    return host == domain or host.endswith("." + domain)


def _may_be_page(url: str) -> bool:
    """Pages are where browsers look for them."""
    parts = urlsplit(url)
    return parts.scheme in HTTP_SCHEMES and parts.port is None


def _anonymous(url: str) -> str:
    """Without a name and a password: a page asks for none in this way."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
