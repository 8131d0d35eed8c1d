"""Addresses of a platform's pages as templates: `live.bilibili.com/{id:int}`, `tiktok.com/@{user}/live`, `yy.com/x?sid={sid}`.

* The host fits with `www.`, `m.` and `wap.` before it, too. `{}` stands for one label, `live.shopee.{}`; `{..}` for the rest of
  a name.
* `{name}` is one segment of the path or the value of one parameter, `{name:int}` a number, `{name:word}` of letters of ASCII,
  digits, `_` and `-`. What stands beside it must be there. It is a name that can stand in an address again: `a/b`, `a?b`,
  `..` are none, however they are written; only `{name:any}` may be these.
* `{}` in the path is one segment that does not matter, `{..}` is the rest, which may be empty.
* Parameters may come in any order, and others with them. A slash at the end and the case of the host do not matter.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, quote, unquote, urlsplit

_HOLE = re.compile(r"\{(?:(\w+)(?::(int|word|any))?|(\.\.))?\}")
_KEPT = re.compile(r"%(?=2f|3f|23|25|5c|(?![0-9a-f]{2}))", re.IGNORECASE)
"""Escapes of what would be another path when it stood there itself."""
_NO_NAME = re.compile(r"\.{1,2}|\s*|.*[/?#%\\\x00-\x1f\x7f-\x9f\ufffd].*", re.DOTALL)
_KINDS = {"int": "[0-9]+", "word": "[A-Za-z0-9_-]+"}
_BEFORE = r"(?:(?:www|m|wap)\.)?"


@dataclass(frozen=True, slots=True)
class Template:
    """One form of address."""

    text: str
    host: re.Pattern[str]
    path: re.Pattern[str]
    query: tuple[tuple[str, re.Pattern[str]], ...]
    names: Mapping[str, str]
    """Of its holes, with their kinds."""

    def match(self, url: str) -> Mapping[str, str] | None:
        """What stands in its named holes; None when the address is of another form."""
        parts = urlsplit(url)
        if not self.host.fullmatch((parts.hostname or "").rstrip(".").lower()):
            return None
        found = self.path.fullmatch(unquote(_KEPT.sub("%25", parts.path)).rstrip("/"))
        if found is None:
            return None
        named = {name: unquote(value) for name, value in found.groupdict().items()}
        if self.query:
            given = dict(parse_qsl(parts.query, keep_blank_values=True))
            fragment = parts.fragment.partition("?")[2]
            given |= dict(parse_qsl(fragment))
            for name, pattern in self.query:
                value = pattern.fullmatch(given.get(name, ""))
                if value is None:
                    return None
                named |= value.groupdict()
        if any(self.names[name] != "any" and _NO_NAME.fullmatch(value) for name, value in named.items()):
            return None
        return named

    def render(self, named: Mapping[str, str]) -> str | None:
        """Host, path and parameters with these in its holes; None when its holes have other names."""
        if {hole[1] for hole in _HOLE.finditer(self.text)} != set(named):
            return None
        place, mark, query = self.text.partition("?")
        path = _HOLE.sub(lambda hole: quote(named[hole[1]], safe="@:+,~!$&'()*;"), place)
        return path + mark + _HOLE.sub(lambda hole: quote(named[hole[1]], safe="@:,~"), query)


def parse_template(text: str) -> Template:
    """Raises: ValueError when it is none."""
    place, _, query = text.partition("?")
    host, slash, path = place.partition("/")
    if not host or "//" in text:
        raise ValueError(f"not a template of an address: {text!r}")
    pairs = [pair.partition("=") for pair in query.split("&") if pair]
    return Template(
        text,
        re.compile(_BEFORE + _pattern(host, "[^.]+", rest=".+")),
        re.compile(_path(slash + path.rstrip("/"))),
        tuple((name, re.compile(_pattern(value, ".+", rest=".*"))) for name, _, value in pairs),
        {hole[1]: hole[2] or "" for hole in _HOLE.finditer(text) if hole[1]},
    )


def _path(text: str) -> str:
    if text.endswith("/{..}"):
        return _pattern(text.removesuffix("/{..}"), "[^/]+", rest=".*") + "(?:/.*)?"
    return "" if text == "/" else _pattern(text, "[^/]+", rest=".*")


def _pattern(text: str, one: str, *, rest: str) -> str:
    out, at = "", 0
    for hole in _HOLE.finditer(text):
        out += re.escape(text[at : hole.start()])
        name, kind, dots = hole.groups()
        what = rest if dots else _KINDS.get(kind, one)
        out += f"(?P<{name}>{what})" if name else what
        at = hole.end()
    return out + re.escape(text[at:])
