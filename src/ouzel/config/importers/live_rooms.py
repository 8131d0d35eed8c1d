"""`URL_config.ini`: a room a line, `[#][quality,]address[,主播: name]`, and what became of such lines.

The recorder that writes these files replaces parts of their text from several threads at once: an address that begins like
another gets a name in its midst, names are added twice, line ends vanish. What was meant can nearly always be told.

Source: DouyinLiveRecorder v4.0.7; its issues 307, 410, 555, 774, 796, 1323, 1330, 1354.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from ouzel.config.importers.qualities import quality_of
from ouzel.config.importers.result import Imported, ImportedChannel, Notice, NoticeCode, Problem
from ouzel.config.importers.text import lines_of

USUAL_QUALITY = "original"
MOST_CHARACTERS = 4096
"""On a line."""
_PAUSED = re.compile(r"[#＃\s]+")
_NAMED = re.compile(r"[\s,，]*主播\s*[:：]\s*")
_COMMA = re.compile(r"\s*[,，]\s*")
_SCHEME = re.compile(r"(?:https?|rtmps?|rtsps?|srt)(?=:)", re.IGNORECASE)
_BEGINS = re.compile(r"(?:https?|rtmps?|rtsps?|srt):/*(?=[^\s/])", re.IGNORECASE)
_BARE = re.compile(r"(?:(?:[a-z0-9][a-z0-9-]*\.)+[a-z]{2,}|\d+(?:\.\d+){3})(?::\d+)?/", re.IGNORECASE)
"""An address without a scheme has a path: `Mr.Bean` is a name."""
_STOPS = re.compile(r"[\s\"'<>（）【】「」，、。；]")
"""What ends an address in a text."""
_INSIDE = "=/:?&@+%"
"""Before an address that is the value of a parameter, or a part of a path."""
_HEAD = re.compile(r"(?:[#＃]\s*)?(?:(?:原画|蓝光|超清|高清|标清|流畅)\s*[,，]\s*)?\Z")
"""What begins a line whose line end before it was lost."""
_TAIL = re.compile(r"(?:/live|(?:/[\w-]+)*\?[\w-]+=[!-~]*)\Z", re.ASCII)
"""Of an address, and of no name: `AC/DC` is one."""
_URL_TEXT = re.compile(r"[\w~!$&'()*+;=:@%?/.-]+", re.ASCII)
_SHOWN = 60


@dataclass(slots=True)
class _Line:
    """One line, taken apart."""

    number: int
    paused: bool
    url: str = field(repr=False)
    quality: str = ""
    names: tuple[str, ...] = ()
    notices: list[Notice] = field(default_factory=list["Notice"])

    def note(self, code: NoticeCode, **fields: str) -> None:
        self.notices.append(Notice(self.number, code, fields))


def parse_rooms(text: str) -> Imported:
    """Each line that is neither blank nor a remark gives channels, or a problem; what was mended in it has notices beside."""
    lines: list[_Line] = []
    comments: list[int] = []
    problems: list[Problem] = []
    for number, line in lines_of(text):
        body = _PAUSED.sub("", line, count=1) if line[:1] in ("#", "＃") else line
        if not body:
            comments += [number] if line else []
        elif len(body) > MOST_CHARACTERS:
            problems.append(Problem(number, "line_too_long", {"most": str(MOST_CHARACTERS)}))
        elif (found := _first_address(body)) is None:
            if body != line:
                comments.append(number)
            else:
                problems.append(Problem(number, "no_address", {"text": body[:_SHOWN]}))
        else:
            lines.extend(_take(number, body, found, paused=body != line))
    _rejoin(lines)
    return Imported(
        "live_rooms",
        channels=tuple(
            ImportedChannel(each.url, each.number, _name(each.names), each.quality, each.paused) for each in lines
        ),
        notices=tuple(notice for each in lines for notice in each.notices),
        problems=tuple(problems),
        quality=USUAL_QUALITY,
        comments=tuple(comments),
    )


def _name(names: Sequence[str]) -> str:
    return names[-1] if names else ""


def _first_address(text: str) -> int | None:
    """Where it begins."""
    for found in (_BEGINS.search(text), _BARE.search(text)):
        if found is not None:
            return found.start()
    return None


def _take(number: int, body: str, begin: int, *, paused: bool) -> Iterator[_Line]:
    """What stands on a line: one channel, or, where line ends were lost, several."""
    starts = [
        begin,
        *(found.start() for found in _BEGINS.finditer(body, begin + 1) if body[found.start() - 1] not in _INSIDE),
    ]
    heads = [0, *(_HEAD.search(body, 0, start).start() for start in starts[1:])]  # pyright: ignore[reportOptionalMemberAccess]
    for head, start, end in zip(heads, starts, [*heads[1:], len(body)], strict=True):
        before = body[head:start]
        line = _one(number, before, body[start:end], paused=paused if head == 0 else before[:1] in ("#", "＃"))
        if len(starts) > 1 and head == 0:
            line.note("channels_joined", count=str(len(starts)))
        yield line


def _one(number: int, before: str, rest: str, *, paused: bool) -> _Line:
    line = _Line(number, paused, "")
    head, *names = _NAMED.split(rest)
    if names and not re.search(r"[,，]\s*主播", rest):
        line.note("comma_missing")
    url, *more = _COMMA.split(head, maxsplit=1)
    stop = _STOPS.search(url)
    words = [*_quality(line, before), *([url[stop.start() :].strip()] if stop else [])]
    line.url = _with_scheme(url[: stop.start()] if stop else url)
    if more and (name := more[0].strip(" ,，")):
        names.insert(0, name)
        if _COMMA.search(name):
            line.note("fields_many", kept=name[:_SHOWN])
    if words := [each for each in words if each]:
        line.note("words_around_address", text=" ".join(words)[:_SHOWN])
    line.names = tuple(name for each in names if (name := each.strip(" ,，")))
    return line


def _quality(line: _Line, before: str) -> Iterator[str]:
    """Sets the quality; gives what else stands there."""
    fields = [each for each in _COMMA.split(before.strip("#＃ \t")) if each]
    if not fields:
        return
    *others, word = fields
    if quality := next((found for each in fields if (found := quality_of(each))), None):
        line.quality = quality
        yield from (each for each in fields if quality_of(each) is None)
    elif re.search(r"[,，]\s*$", before):  # it stands where a quality does
        line.quality = USUAL_QUALITY
        line.note("quality_unknown", word=word[:_SHOWN], taken=USUAL_QUALITY)
        yield from others
    else:
        yield from fields


def _with_scheme(url: str) -> str:
    found = _SCHEME.match(url)
    return f"{found[0].lower()}{url[found.end() :]}" if found else f"https://{url}"


def _rejoin(lines: Sequence[_Line]) -> None:
    """Addresses that were cut by the name of another, shorter one are joined again; of several names the last is kept."""
    named: Mapping[str, str] = {each.url: each.names[0] for each in lines if len(each.names) == 1}
    for line in lines:
        if line.names and (cut := _cut(line, named)):
            name, tail = cut
            line.url, line.names = line.url + tail, line.names[1:]
            line.note("name_cut_address", name=name[:_SHOWN], address=_shown(line.url))
        if len(line.names) > 1:
            *left, kept = line.names
            line.note("names_several", kept=kept[:_SHOWN], left=", ".join(left)[:_SHOWN])


def _cut(line: _Line, named: Mapping[str, str]) -> tuple[str, str] | None:
    """The name that stands in the midst of the address, and the end of the address behind it."""
    first = line.names[0]
    twin = named.get(line.url, "")
    if twin and first != twin and first.startswith(twin) and _URL_TEXT.fullmatch(tail := first[len(twin) :]):
        return twin, tail
    found = _TAIL.search(first)
    return (first[: found.start()], found[0]) if found and found.start() else None


def _shown(url: str) -> str:
    return url.partition("?")[0][:200]
