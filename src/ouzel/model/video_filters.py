"""Which videos: one text, whoever writes it (a person, a link, a smart playlist, a rule, a bulk action). Pure.

    live -tag:seen site:bilibili res:>=1080 dur:10m-2h after:7d

`parse_filter` reads it, `write_filter` writes it in one spelling: `parse_filter(write_filter(f)) == f`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from difflib import get_close_matches
from types import MappingProxyType
from typing import Literal, TypeAlias, cast, get_args

from ouzel.base.errors import BadOption
from ouzel.base.units import parse_duration, parse_size

_MOST_TEXT, _MOST_TERMS, _MOST_VALUES = 2000, 60, 100

ListKey = Literal["type", "site", "channel", "label", "root", "category", "codec", "playlist", "id"]
TagKey = Literal["tag", "person"]
RangeKey = Literal["res", "dur", "size", "gaps"]
DayKey = Literal["after", "before", "on"]
FlagKey = Literal["running", "pinned", "favourite", "trash", "unfinished", "gaps", "watched", "started"]


@dataclass(frozen=True, slots=True)
class Words:
    """In what it is called, tagged and described with; several stand together in this order."""

    text: str
    wanted: bool = True


@dataclass(frozen=True, slots=True)
class OneOf:
    """Is one of these, as people write them."""

    key: ListKey
    values: tuple[str, ...]
    wanted: bool = True


@dataclass(frozen=True, slots=True)
class Tagged:
    """Has at least one of these."""

    key: TagKey
    values: tuple[str, ...]
    wanted: bool = True


@dataclass(frozen=True, slots=True)
class Between:
    """Lines, seconds, bytes, or how many. None: without an end."""

    key: RangeKey
    low: float | None = None
    high: float | None = None
    over: bool = False
    """`low` itself does not count."""
    under: bool = False
    """`high` itself does not count."""
    wanted: bool = True


@dataclass(frozen=True, slots=True)
class Day:
    """`after` and `before` a day, which begins in the zone of who asks; an instant; or so long ago. `on` a day."""

    key: DayKey
    when: date | datetime | timedelta
    wanted: bool = True


@dataclass(frozen=True, slots=True)
class Flag:
    key: FlagKey
    wanted: bool = True


Term: TypeAlias = Words | OneOf | Tagged | Between | Day | Flag


@dataclass(frozen=True, slots=True)
class VideoFilter:
    """All of its terms hold. Without one that says so, neither what is in the trash nor what is unfinished is meant."""

    terms: tuple[Term, ...] = ()

    def has(self, key: FlagKey) -> bool:
        """Whether it asks for that."""
        return Flag(key) in self.terms


def parse_filter(text: str) -> VideoFilter:
    """Raises: BadOption, with `position` (characters from the beginning) where it stands."""
    if len(text) > _MOST_TEXT:
        raise BadOption(f"a filter has {_MOST_TEXT} characters at most", position=_MOST_TEXT)
    terms: list[Term] = []
    for token in _tokens(text):
        try:
            term = _term(token)
        except BadOption as exc:
            raise BadOption(str(exc), position=token.at) from exc
        if term not in terms:
            terms.append(term)
    if len(terms) > _MOST_TERMS:
        raise BadOption(f"a filter has {_MOST_TERMS} terms at most", position=len(text))
    return VideoFilter(tuple(terms))


def write_filter(which: VideoFilter) -> str:
    """In the one spelling."""
    return " ".join(_written(term) for term in which.terms)


# -- reading --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Token:
    at: int
    wanted: bool
    key: str
    """Empty: words."""
    values: tuple[str, ...]


_SPACE = re.compile(r"\s*")
_KEY = re.compile(r"(-?)([A-Za-z]{2,12})[:：](?!//)")
_VALUE = re.compile(r'"((?:[^"\\]|\\.)*)"|([^\s,"]+)')
_BARE = re.compile(r"\S+")


def _tokens(text: str) -> Iterator[_Token]:
    at = 0
    while (at := cast("re.Match[str]", _SPACE.match(text, at)).end()) < len(text):
        if (found := _KEY.match(text, at)) and (found[2].lower() in _READ or found[2].islower()):
            values, end = _values(text, found.end())
            if not values:
                raise BadOption(f"there is nothing behind {found[2]}:", position=at)
            yield _Token(at, not found[1], found[2].lower(), values)
        else:
            wanted = not (text[at] == "-" and len(text) > at + 1 and not text[at + 1].isspace())
            start = at if wanted else at + 1
            quoted = _VALUE.match(text, start)
            if quoted and quoted[1] is not None:
                value, end = _unquoted(quoted[1]), quoted.end()
            else:
                bare = cast("re.Match[str]", _BARE.match(text, start))
                value, end = bare[0], bare.end()
            if value.strip():
                yield _Token(at, wanted, "", (value,))
        at = end


def _values(text: str, at: int) -> tuple[tuple[str, ...], int]:
    values: list[str] = []
    while found := _VALUE.match(text, at):
        value = _unquoted(found[1]) if found[1] is not None else found[2]
        if value.strip():
            values.append(_single(value))
        at = found.end()
        if not text.startswith(",", at):
            break
        at += 1
    if len(values) > _MOST_VALUES:
        raise BadOption(f"one of at most {_MOST_VALUES} values", position=at)
    if at < len(text) and not text[at].isspace():
        raise BadOption('quotes stand around a whole value: tag:"two words"', position=at)
    return tuple(values), at


def _unquoted(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text)


def _single(text: str) -> str:
    return " ".join(text.split())


def _term(token: _Token) -> Term:
    if not token.key:
        return Words(_single(token.values[0]), token.wanted)
    read = _READ.get(token.key)
    if read is None:
        near = get_close_matches(token.key, _READ, 1, 0.0)[0]
        raise BadOption(
            f'there is no key {token.key}; {near} is one. To look for the words, write "{token.key}:{token.values[0][:40]}"'
        )
    term = read(token.key, token.values)
    return term if token.wanted else replace(term, wanted=not term.wanted)


def _one_of(key: str, values: tuple[str, ...]) -> Term:
    kept = tuple(dict.fromkeys(_lower(values) if key in {"type", "site", "codec"} else values))
    if key == "type" and (wrong := [each for each in kept if each not in _TYPES]):
        raise BadOption(f"there is no type {wrong[0][:40]}: {', '.join(_TYPES)}")
    return OneOf(cast("ListKey", key), kept)


def _lower(values: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(each.lower() for each in values)


def _tagged(key: str, values: tuple[str, ...]) -> Term:
    return Tagged(cast("TagKey", key), tuple(dict.fromkeys(values)))


def _between(key: str, values: tuple[str, ...]) -> Term:
    text = _only(key, values)
    name, number = cast("RangeKey", key), _NUMBERS[key]
    if found := re.fullmatch(r"(>=|<=|>|<|=)(.+)", text):
        sign, value = found[1], number(found[2].strip())
        low, high = (None, value) if "<" in sign else (value, None if ">" in sign else value)
        return Between(name, low, high, over=sign == ">", under=sign == "<")
    first, dash, second = text.partition("-")
    if dash and first and second:
        low, high = number(first), number(second)
        if low > high:
            raise BadOption(f"{key}:{text} is empty: the smaller one comes first")
        return Between(name, low, high)
    value = number(text)
    if key not in {"res", "gaps"}:
        raise BadOption(f"write {key}:>{text}, {key}:<{text}, or from-to")
    return Between(name, value, value)


def _only(key: str, values: tuple[str, ...]) -> str:
    if len(values) != 1:
        raise BadOption(f"{key}: takes one value")
    return values[0]


_NAMED_LINES = {"sd": 480, "hd": 720, "fhd": 1080, "2k": 1440, "4k": 2160, "uhd": 2160, "8k": 4320}


def _lines(text: str) -> float:
    word = text.lower()
    if word in _NAMED_LINES:
        return _NAMED_LINES[word]
    if found := re.fullmatch(r"(\d{2,5})p?", word):
        return int(found[1])
    raise BadOption(f"{text[:40]} is no number of lines: 720, 1080p, 4k")


def _count(text: str) -> float:
    if re.fullmatch(r"\d{1,9}", text):
        return int(text)
    raise BadOption(f"{text[:40]} is no number: gaps:yes, gaps:no, gaps:>3")


def _gaps(key: str, values: tuple[str, ...]) -> Term:
    word = _only(key, values).lower()
    return Flag("gaps", _YES[word]) if word in _YES else _between(key, values)


def _day(key: str, values: tuple[str, ...]) -> Term:
    text, name = _only(key, values), cast("DayKey", key)
    if key != "on" and re.fullmatch(r"\d{1,5}[hdwHDW]", text):
        many, unit = int(text[:-1]), text[-1].lower()
        return Day(name, timedelta(hours=many) if unit == "h" else timedelta(days=many * (7 if unit == "w" else 1)))
    try:
        if len(text) == len("2026-01-31"):
            return Day(name, date.fromisoformat(text))
        instant = datetime.fromisoformat(text)
        if key != "on" and instant.tzinfo is not None:
            return Day(name, instant)
    except ValueError:
        pass
    ago = "" if key == "on" else ", an instant with its zone, or how long ago: 7d"
    raise BadOption(f"{text[:40]} is no day: 2026-01-31{ago}")


def _is(key: str, values: tuple[str, ...]) -> Term:
    word = _ALIASES.get(_only(key, values).lower(), _only(key, values).lower())
    if word not in _IS:
        near = get_close_matches(word, _IS, 1, 0.0)[0]
        raise BadOption(f"there is no is:{word[:40]}; is:{near} is one of {', '.join(_IS)}")
    return Flag(cast("FlagKey", word))


def _watched(key: str, values: tuple[str, ...]) -> Term:
    word = _only(key, values).lower()
    if word == "started":
        return Flag("started")
    if word in _YES:
        return Flag("watched", _YES[word])
    raise BadOption(f"watched:{word[:40]}: yes, no, or started")


_YES: Mapping[str, bool] = MappingProxyType({"yes": True, "no": False, "true": True, "false": False})
_TYPES = ("recording", "download", "import")
_IS = ("running", "pinned", "favourite", "trash", "unfinished")
_ALIASES: Mapping[str, str] = MappingProxyType({"favorite": "favourite", "live": "running"})
_NUMBERS: Mapping[str, Callable[[str], float]] = MappingProxyType(
    {"res": _lines, "dur": parse_duration, "size": parse_size, "gaps": _count}
)
_READ: Mapping[str, Callable[[str, tuple[str, ...]], Term]] = MappingProxyType(
    {
        **dict.fromkeys(get_args(ListKey), _one_of),
        **dict.fromkeys(get_args(TagKey), _tagged),
        **dict.fromkeys(("res", "dur", "size"), _between),
        **dict.fromkeys(get_args(DayKey), _day),
        "gaps": _gaps,
        "is": _is,
        "watched": _watched,
    }
)
KEYS = tuple(sorted(_READ))
"""What may stand before a colon."""


# -- writing --------------------------------------------------------------------------------------------------------


def _written(term: Term) -> str:
    match term:
        case Words(text, wanted):
            is_plain = _BARE.fullmatch(text) and '"' not in text and not text.startswith("-") and not _KEY.match(text)
            return _signed(wanted, text if is_plain else _quoted(text))
        case OneOf(key, values, wanted) | Tagged(key, values, wanted):
            return _signed(wanted, f"{key}:{','.join(map(_value, values))}")
        case Between():
            return _signed(term.wanted, f"{term.key}:{_range(term)}")
        case Day(key, when, wanted):
            return _signed(wanted, f"{key}:{_ago(when) if isinstance(when, timedelta) else when.isoformat()}")
        case Flag("gaps" | "watched" as key, wanted):
            return f"{key}:{'yes' if wanted else 'no'}"
        case Flag("started", wanted):
            return _signed(wanted, "watched:started")
        case Flag(key, wanted):
            return _signed(wanted, f"is:{key}")


def _signed(wanted: bool, text: str) -> str:
    return text if wanted else f"-{text}"


def _value(text: str) -> str:
    return text if re.fullmatch(r'[^\s,"]+', text) else _quoted(text)


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _range(term: Between) -> str:
    low, high = (None if each is None else _number(term.key, each) for each in (term.low, term.high))
    if high is None:
        return f"{'>' if term.over else '>='}{low}"
    if low is None:
        return f"{'<' if term.under else '<='}{high}"
    if low != high:
        return f"{low}-{high}"
    return low if term.key in {"res", "gaps"} else f"={low}"


def _number(key: RangeKey, value: float) -> str:
    if key == "dur":
        minutes, seconds = divmod(value, 60)
        hours, minutes = divmod(int(minutes), 60)
        parts = [f"{hours}h" if hours else "", f"{minutes}m" if minutes else ""]
        rest = f"{round(seconds, 6):.6f}".rstrip("0").rstrip(".")
        return "".join(parts) + (f"{rest}s" if rest != "0" or not any(parts) else "")
    whole = int(value)
    if key == "size":
        for power, unit in ((4, "TB"), (3, "GB"), (2, "MB"), (1, "kB")):
            if whole and whole % 1000**power == 0:
                return f"{whole // 1000**power}{unit}"
    return str(whole)


def _ago(when: timedelta) -> str:
    return f"{when.days}d" if not when.seconds else f"{when // timedelta(hours=1)}h"
