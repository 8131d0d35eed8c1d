"""EXT-X-DEFINE and the `{$name}` references that it feeds (draft sections 4.3 and 4.4.2.3)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from copy import copy
from urllib.parse import unquote

from ouzel.base.errors import FormatError, TooLarge

_NAME = re.compile(r"[A-Za-z0-9_-]+")
_REFERENCE = re.compile(r"\{\$([A-Za-z0-9_-]+)\}")


class Variables:
    """The variables of one playlist while it is read.

    Args:
        url: the playlist's own address, for QUERYPARAM.
        imported: the master playlist's variables, for IMPORT.
        limit: characters that substitution may produce in all.
    """

    __slots__ = ("_imported", "_limit", "_produced", "_url", "defined")

    def __init__(self, url: str, imported: Mapping[str, str], limit: int) -> None:
        self._url = url
        self._imported = imported
        self._limit = limit
        self._produced = 0
        self.defined: dict[str, str] = {}

    def fork(self) -> Variables:
        """A copy that goes its own way."""
        twin = copy(self)
        twin.defined = self.defined.copy()
        return twin

    def define(self, attributes: Mapping[str, str], line: int) -> None:
        """Take one EXT-X-DEFINE with its attributes unquoted.

        Raises: FormatError wherever the draft says that a client must fail: not exactly one of NAME, IMPORT and QUERYPARAM, no
            VALUE, a bad or repeated name, an import or a parameter that is not there.
        """
        ways = [way for way in ("NAME", "IMPORT", "QUERYPARAM") if way in attributes]
        if len(ways) != 1:
            raise FormatError(f"line {line}: EXT-X-DEFINE needs one of NAME, IMPORT and QUERYPARAM", line=line)
        name = attributes[ways[0]]
        if not _NAME.fullmatch(name) or name in self.defined:
            raise FormatError(f"line {line}: EXT-X-DEFINE with a bad or repeated name {name[:60]!r}", line=line)
        if ways[0] == "NAME":
            value = attributes.get("VALUE")
        else:
            value = self._imported.get(name) if ways[0] == "IMPORT" else self._parameter(name)
        if value is None:
            raise FormatError(f"line {line}: EXT-X-DEFINE of {name[:60]!r} finds no value ({ways[0]})", line=line)
        if any(mark in value for mark in '"\r\n') or _REFERENCE.search(value):
            raise FormatError(
                f"line {line}: the value of {name[:60]!r} holds a quote, line break or reference", line=line
            )
        self.defined[name] = value

    def fill(self, text: str, line: int) -> str:
        """`text` with its references replaced. What was put in is not looked through again.

        Raises: FormatError for an unknown name, and when the result would again hold a reference; TooLarge.
        """

        def value(reference: re.Match[str]) -> str:
            name = reference[1]
            if name not in self.defined:
                raise FormatError(
                    f"line {line}: {name[:60]!r} is used, but no EXT-X-DEFINE before it defines it", line=line
                )
            return self._count(self.defined[name], line)

        filled = _REFERENCE.sub(value, text)
        if _REFERENCE.search(filled):
            raise FormatError(f"line {line}: a value that was put in makes up a new reference", line=line)
        return filled

    def _count(self, value: str, line: int) -> str:
        self._produced += len(value)
        if self._produced > self._limit:
            raise TooLarge(
                f"line {line}: variables expand beyond {self._limit} characters", line=line, limit=self._limit
            )
        return value

    def _parameter(self, name: str) -> str | None:
        query = self._url.partition("#")[0].partition("?")[2]
        for pair in query.split("&"):
            key, equals, value = pair.partition("=")
            if equals and unquote(key) == name:
                return unquote(value)
        return None
