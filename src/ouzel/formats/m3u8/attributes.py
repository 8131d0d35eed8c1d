"""Attribute lists: `NAME=value,NAME="quoted, value"` (draft section 4.2).

Read more widely than the draft writes them: blanks around names, values and commas, names in lower case, quotes where none
belong and none where they belong.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import TypeVar

from ouzel.formats.m3u8.models import Extra, Resolution

# Possessive throughout: a hostile line of any length is read in linear time.
_ATTRIBUTE = re.compile(r'\s*+([^=,"\s]++)\s*+=\s*+("[^"]*+"|[^,]*+)\s*+(?:,|$)')
_HEX = re.compile(r"(?:0[xX])?([0-9A-Fa-f]{1,32})")
_RESOLUTION = re.compile(r"(\d{1,6})[xX](\d{1,6})")

T = TypeVar("T")

MAX_INTEGER = (1 << 64) - 1
MAX_SECONDS = 1e9
"""Thirty years: what is longer is no duration."""


def split(text: str) -> tuple[dict[str, str], bool]:
    """The attributes with their values as written, and whether all of the text could be read.

    Names become upper case; of a repeated name the last counts. Never raises; what is not `name=value` is passed over.
    """
    found: dict[str, str] = {}
    clean = True
    at, end = 0, len(text)
    while at < end:
        match = _ATTRIBUTE.match(text, at)
        if match is not None:
            found[match[1].upper()] = _tidy(match[2].rstrip())
            at = match.end()
            continue
        comma = text.find(",", at)
        comma = end if comma < 0 else comma
        clean = clean and not text[at:comma].strip()
        at = comma + 1
    return found, clean


def _tidy(value: str) -> str:
    """Quotes are at both ends or nowhere."""
    if '"' not in value or (len(value) > 1 and value[0] == '"' == value[-1] and '"' not in value[1:-1]):
        return value
    return value.replace('"', "").strip()


def unquoted(value: str) -> str:
    return value[1:-1] if value[:1] == '"' else value


def integer(value: str) -> int | None:
    """A decimal integer of at most 64 bits; None when it is not one. A minus sign is accepted, ranges are the caller's."""
    try:
        number = int(unquoted(value))
    except ValueError:
        return None
    return number if -MAX_INTEGER <= number <= MAX_INTEGER else None


def decimal(value: str) -> float | None:
    """A decimal number; None when it is not one, infinite or NaN."""
    try:
        number = float(unquoted(value))
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def seconds(value: str) -> float | None:
    """A duration: a decimal number that is not negative, and below thirty years."""
    number = decimal(value)
    return number if number is not None and 0 <= number < MAX_SECONDS else None


def hexadecimal(value: str) -> bytes | None:
    """A number of at most 128 bits as 16 bytes, big-endian; the prefix `0x` may be `0X` or missing."""
    match = _HEX.fullmatch(unquoted(value).strip())
    return int(match[1], 16).to_bytes(16, "big") if match else None


def resolution(value: str) -> Resolution | None:
    match = _RESOLUTION.fullmatch(unquoted(value).strip())
    return Resolution(int(match[1]), int(match[2])) if match else None


def byte_range(value: str) -> tuple[int, int | None] | None:
    """`length[@offset]` as (length, offset or None); None when it is neither."""
    length, _, offset = unquoted(value).partition("@")
    n, o = integer(length), integer(offset) if offset.strip() else None
    if n is None or n < 0 or (offset.strip() and (o is None or o < 0)):
        return None
    return n, o


def date(value: str) -> datetime | None:
    """An ISO 8601 date and time as aware UTC; one without a time zone is taken as UTC, as the draft says."""
    try:
        moment = datetime.fromisoformat(unquoted(value).strip())
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


class Attributes:
    """The attributes of one tag. Reading one takes it away, so that what remains is what was not understood.

    A value that is there but cannot be read stays, its name is noted in `unreadable`, and the reader says None.
    """

    __slots__ = ("_values", "unreadable")

    def __init__(self, values: dict[str, str]) -> None:
        self._values = values
        self.unreadable: list[str] = []

    def string(self, name: str) -> str | None:
        value = self._values.pop(name, None)
        return None if value is None else unquoted(value)

    def required(self, name: str) -> str | None:
        """Like `string`, but an empty value counts as missing."""
        return self.string(name) or None

    def word(self, name: str) -> str | None:
        """An enumerated string, in upper case."""
        value = self.string(name)
        return None if value is None else value.strip().upper()

    def flag(self, name: str) -> bool:
        """YES. Anything else is NO."""
        return self.word(name) == "YES"

    def integer(self, name: str) -> int | None:
        return self._read(
            name, lambda value: number if (number := integer(value)) is not None and number >= 0 else None
        )

    def decimal(self, name: str) -> float | None:
        return self._read(name, decimal)

    def seconds(self, name: str) -> float | None:
        return self._read(name, seconds)

    def hexadecimal(self, name: str) -> bytes | None:
        return self._read(name, hexadecimal)

    def resolution(self, name: str) -> Resolution | None:
        return self._read(name, resolution)

    def date(self, name: str) -> datetime | None:
        return self._read(name, date)

    def byte_range(self, name: str) -> tuple[int, int | None] | None:
        return self._read(name, byte_range)

    def rest(self) -> Extra:
        return tuple(self._values.items())

    def strings(self) -> Mapping[str, str]:
        """All of them unquoted, taking nothing away."""
        return {name: unquoted(value) for name, value in self._values.items()}

    def _read(self, name: str, reader: Callable[[str], T | None]) -> T | None:
        value = self._values.get(name)
        if value is None:
            return None
        result = reader(value)
        if result is None:
            self.unreadable.append(name)
        else:
            del self._values[name]
        return result
