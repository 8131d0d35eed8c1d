"""Which platform an address belongs to, found without importing any of them.

Each file in `sites/` begins with `PLATFORM = Platform(…)`, all literals. That statement is cut out of the text and read, which
takes a few milliseconds for all of them; their code is imported by the child process when it is asked for.
"""

from __future__ import annotations

import ast
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from urllib.parse import urlsplit, urlunsplit

from ouzel.base.errors import BadUrl, UnknownSite
from ouzel.platforms.contract import Match, Platform
from ouzel.platforms.templates import Template, parse_template

_OPENING = "PLATFORM = Platform(\n"
_AT_ONCE = re.compile(r"^    at_once = ([\d_]+)$", re.MULTILINE)
"""In the class of a site that tells of many channels in one answer."""
_MOST_CHARACTERS = 4096
_DAMAGED_SCHEME = re.compile(r"^(?:https?(?::/|//)|//)(?!/)", re.IGNORECASE)
_ENDS = re.compile(r"[\s，,、。；;\"'<>（）]|主播[:：]")
"""What cannot be in an address that people paste, and is found behind one in room lists."""


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
        for entry in self._entries.values():
            named = _first(entry.urls, url)
            if named is not None:
                return Match(entry.platform, _canonical(entry, url, named), named)
        return None

    def find_short(self, address: str) -> Match | None:
        """The platform whose short link this is: where it leads has to be asked. Raises: BadUrl."""
        url = tidy(address)
        for entry in self._entries.values():
            named = _first(entry.short, url)
            if named is not None:
                return Match(entry.platform, url, named)
        return None

    def unknown(self, address: str) -> UnknownSite:
        """Why nothing is known of this address, for who gave it."""
        host = urlsplit(tidy(address)).hostname or ""
        if not host.isascii() or host.startswith("xn--") or ".xn--" in host:
            looks = unicodedata.normalize("NFKD", host)
            return UnknownSite(
                f"{host} is no platform that Ouzel knows, and has letters of another alphabet: {looks!a}"
            )
        near = [p for p in self if any(host.endswith(_domain(u)) for u in (*p.urls, *p.short))]
        if near:
            return UnknownSite(f"this is no address of a channel of {near[0].title}; one looks like {near[0].example}")
        return UnknownSite(f"{host} is no platform that Ouzel knows; `ouzel platforms` lists them")


def tidy(address: str) -> str:
    """An address as it was meant: with a scheme, without what was left around it in a list. Raises: BadUrl."""
    text = unicodedata.normalize("NFC", address).strip().lstrip("\ufeff")
    if len(text) > _MOST_CHARACTERS:
        raise BadUrl(f"an address of {len(text)} characters; at most {_MOST_CHARACTERS} are read")
    text = _ENDS.split(text, maxsplit=1)[0]
    if "://" not in text:
        text = "https://" + _DAMAGED_SCHEME.sub("", text)
    try:
        parts = urlsplit(text)
        host = (parts.hostname or "").rstrip(".").lower()
        port = f":{parts.port}" if parts.port not in {None, 80, 443} else ""
    except ValueError as exc:
        raise BadUrl(f"not an address: {text[:80]!r}") from exc
    if not host:
        raise BadUrl(f"an address without a host: {text[:80]!r}")
    return urlunsplit(
        (parts.scheme.lower(), host + port, re.sub("/{2,}", "/", parts.path), parts.query, parts.fragment)
    )


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
    """The address as libraries know it: in the platform's first form, on the host of its example, and nothing else."""
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
