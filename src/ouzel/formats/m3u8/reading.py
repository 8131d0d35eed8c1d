"""What the readers of both kinds of playlist share: addresses, variables, warnings, and the tags that may stand in either."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import copy
from dataclasses import dataclass, field
from typing import ClassVar

from ouzel.base.errors import FormatError
from ouzel.formats.m3u8 import attributes, urls
from ouzel.formats.m3u8.attributes import Attributes
from ouzel.formats.m3u8.limits import Limits
from ouzel.formats.m3u8.models import IDENTITY, Key, ParseWarning, Start
from ouzel.formats.m3u8.variables import Variables


@dataclass(slots=True)
class Reading:
    """One playlist being read: where it came from, what was noticed, and what its header says."""

    url: str
    limits: Limits
    imported: Mapping[str, str]
    line: int = 0
    """Of the line in hand, from 1."""
    version: int | None = None
    independent_segments: bool = False
    start: Start | None = None
    substituting: bool = False
    """Whether the text holds a `{$` at all: most never do, and are spared the look into every value."""
    variables: Variables = field(init=False)
    at_start: list[ParseWarning] = field(default_factory=list[ParseWarning])
    """Warnings about the text as a whole, given before its first line is read."""
    noticed: list[ParseWarning] = field(default_factory=list[ParseWarning])
    unlisted: int = 0
    """Warnings beyond the limit."""
    _folder: str = field(init=False)
    _seen: set[str] = field(default_factory=set[str])

    def __post_init__(self) -> None:
        self.variables = Variables(self.url, self.imported, self.limits.expansion)
        self._folder = urls.folder_of(self.url)

    def fork(self) -> Reading:
        """A copy that goes its own way."""
        twin = copy(self)
        twin.variables = self.variables.fork()
        twin.noticed = self.noticed.copy()
        twin._seen = self._seen.copy()
        return twin

    def restarted(self) -> Reading:
        """As it was before the first line."""
        return Reading(self.url, self.limits, self.imported, substituting=self.substituting, at_start=self.at_start)

    def warn(self, code: str, text: str, *, line: int | None = None) -> None:
        if len(self.noticed) < self.limits.warnings:
            self.noticed.append(ParseWarning(self.line if line is None else line, code, text))
        else:
            self.unlisted += 1

    def warnings(self) -> tuple[ParseWarning, ...]:
        more = (ParseWarning(0, "more_warnings", f"and {self.unlisted} more"),) if self.unlisted else ()
        return (*self.at_start, *self.noticed, *more)

    def once(self, tag: str) -> None:
        """Note a tag that may stand only once. The draft wants a client to fail at the second; here the last counts."""
        if tag in self._seen:
            self.warn("repeated_tag", f"{tag} stands more than once: the last counts")
        self._seen.add(tag)

    def join(self, reference: str) -> str:
        """An address as the playlist writes it, with variables put in, made absolute."""
        if self.substituting:
            reference = self.fill(reference).strip()
            if not reference or reference[0] == "#":
                raise self.refuse("an address, but its variables leave none")
        if reference.startswith(("http://", "https://")) or not self._folder:
            return reference
        if reference[0] not in "/?#." and "/." not in reference and ":" not in reference:
            return self._folder + reference
        return urls.join(self.url, reference)

    def fill(self, text: str) -> str:
        return self.variables.fill(text, self.line) if "{$" in text else text

    def _filled(self, value: str) -> str:
        """A raw attribute value with variables put in; quoted afterwards, as what was put in may hold a comma."""
        filled = self.fill(value)
        return filled if filled == value or filled[0] == '"' else f'"{filled}"'

    def attributes(self, tag: str, text: str) -> Attributes:
        values, clean = attributes.split(text)
        if not clean:
            self.warn("attribute_list", f"{tag}: what is not NAME=value is passed over")
        if self.substituting:
            values = {name: self._filled(value) for name, value in values.items()}
        return Attributes(values)

    def unreadable(self, tag: str, found: Attributes) -> None:
        """Warn about attributes whose values could not be read."""
        for name in found.unreadable:
            self.warn("attribute_value", f"{tag}: {name} cannot be read and is ignored")

    def address(self, found: Attributes, name: str = "URI") -> str | None:
        """The address in an attribute, absolute; None when it is missing or blank."""
        reference = (found.string(name) or "").strip()
        return self.join(reference) if reference else None

    def refuse(self, expected: str) -> FormatError:
        """The error for a line that cannot be passed over without recording something wrong."""
        return FormatError(f"line {self.line}: {expected}", line=self.line, expected=expected)

    def key(self, tag: str, text: str) -> Key:
        """EXT-X-KEY and EXT-X-SESSION-KEY.

        Raises: FormatError when the method, or what it needs, is missing or unreadable: reading on would take encrypted bytes
            for media.
        """
        found = self.attributes(tag, text)
        method = found.word("METHOD")
        if not method:
            raise self.refuse(f"{tag} with a METHOD")
        if method == "NONE":
            return Key("NONE")
        uri = self.address(found)
        if uri is None:
            raise self.refuse(f"{tag} of method {method[:20]!r} with a URI")
        iv = found.hexadecimal("IV")
        if "IV" in found.unreadable:
            raise self.refuse(f"{tag} with an IV of at most 32 hexadecimal digits")
        keyformat = found.required("KEYFORMAT") or IDENTITY
        return Key(method, uri, iv, keyformat, found.string("KEYFORMATVERSIONS"), found.rest())

    def header(self, name: str, value: str) -> bool:
        """A tag that may stand in either kind of playlist. Returns False when it is none, or cannot be read."""
        read = self._HEADER.get(name)
        return read is not None and read(self, value)

    def _version(self, value: str) -> bool:
        self.once("EXT-X-VERSION")
        number = attributes.integer(value)
        if number is None or number < 0:
            self.warn("version", "EXT-X-VERSION is not a number and is ignored")
            return False
        self.version = number
        return True

    def _independent(self, _: str) -> bool:
        self.independent_segments = True
        return True

    def _start(self, value: str) -> bool:
        self.once("EXT-X-START")
        found = self.attributes("EXT-X-START", value)
        offset = found.decimal("TIME-OFFSET")
        if offset is None:
            self.warn("start", "EXT-X-START without a readable TIME-OFFSET is ignored")
            return False
        self.start = Start(offset, found.flag("PRECISE"), found.rest())
        return True

    def _define(self, value: str) -> bool:
        self.variables.define(self.attributes("EXT-X-DEFINE", value).strings(), self.line)
        return True

    def _nothing(self, _: str) -> bool:
        return True

    _HEADER: ClassVar[dict[str, Callable[[Reading, str], bool]]] = {
        "#EXTM3U": _nothing,
        "#EXT-X-VERSION": _version,
        "#EXT-X-INDEPENDENT-SEGMENTS": _independent,
        "#EXT-X-START": _start,
        "#EXT-X-DEFINE": _define,
    }
