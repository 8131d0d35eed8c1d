"""TTML: what is said, and when. How it looks is left out, and so are pictures.

Source: TTML2 (W3C) sections 8 and 12; ISO/IEC 14496-30 section 5 for documents in MP4.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from xml.etree import ElementTree as ET
from xml.etree.ElementTree import Element

from ouzel.base.errors import FormatError
from ouzel.formats.webvtt import Cue

_PARAMETERS = "{http://www.w3.org/ns/ttml#parameter}"
_CLOCK = re.compile(r"(\d{2,}):(\d\d):(\d\d)(?:\.(\d+)|:(\d{2,})(?:\.\d+)?)?")
_OFFSET = re.compile(r"(\d+(?:\.\d+)?)(h|ms|m|s|f|t)")
_FORBIDDEN = re.compile(r"<!(DOCTYPE|ENTITY)", re.IGNORECASE)
_FOREVER_S = float("inf")
_MAX_DEPTH = 64


def parse(document: bytes, ends_s: float) -> tuple[Cue, ...]:
    """The cues of one document, in its order; times as it has them.

    Args:
        ends_s: where those end of which it does not say it.
    Raises: FormatError.
    """
    text = document.decode("utf-16" if document[:2] in {b"\xff\xfe", b"\xfe\xff"} else "utf-8-sig", "replace")
    if _FORBIDDEN.search(text):
        raise FormatError("a TTML document with a document type, which none has")
    try:
        # no entities of its own can be in it, so that it grows by nothing
        root = ET.fromstring(re.sub(r"^\s*<\?xml[^>]*\?>", "", text))  # noqa: S314
    except ET.ParseError as exc:
        raise FormatError(f"a TTML document that is no XML: {exc}") from exc
    if _is_deep(root):
        raise FormatError("a TTML document that is too deep", limit=_MAX_DEPTH)
    if _name(root) != "tt":
        raise FormatError(f"no TTML document: <{_name(root)[:40]}>")
    rates = _Rates.of(root)
    found = (cue for body in root if _name(body) == "body" for cue in _cues(body, 0.0, _FOREVER_S, rates))
    return tuple(replace(cue, end_s=ends_s) if cue.end_s == _FOREVER_S else cue for cue in found)


def shown(document: bytes, start_s: float, end_s: float) -> tuple[Cue, ...]:
    """Of a document in a sample, what is seen while that is.

    Its times are those of the track. Where all of them are over before the sample begins, its author has counted from
    there. Raises: FormatError.
    """
    cues = parse(document, end_s)
    if cues and all(cue.end_s <= start_s for cue in cues):
        cues = tuple(replace(cue, start_s=cue.start_s + start_s, end_s=cue.end_s + start_s) for cue in cues)
    cut = (replace(cue, start_s=max(cue.start_s, start_s), end_s=min(cue.end_s, end_s)) for cue in cues)
    return tuple(cue for cue in cut if cue.end_s > cue.start_s)


@dataclass(frozen=True, slots=True)
class _Rates:
    frames: float
    ticks: float

    @classmethod
    def of(cls, root: Element) -> _Rates:
        def number(name: str) -> float:
            value = root.get(_PARAMETERS + name, "")
            return float(value) if value.isdigit() else 0.0

        over, _, under = root.get(f"{_PARAMETERS}frameRateMultiplier", "1 1").partition(" ")
        share = int(over) / int(under) if over.isdigit() and under.isdigit() and int(under) else 1.0
        frames = (number("frameRate") or 30.0) * share
        return cls(frames, number("tickRate") or (frames if number("frameRate") else 1.0))

    def seconds(self, told: str | None) -> float | None:
        """None when no time is told. Raises: FormatError when it is none."""
        if told is None:
            return None
        if (clock := _CLOCK.fullmatch(told.strip())) is not None:
            hours, minutes, whole = (int(part) for part in clock.groups()[:3])
            part_s = float(f"0.{clock[4]}") if clock[4] else int(clock[5] or 0) / self.frames
            return hours * 3600 + minutes * 60 + whole + part_s
        if (offset := _OFFSET.fullmatch(told.strip())) is not None:
            unit_s = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001, "f": 1 / self.frames, "t": 1 / self.ticks}
            return float(offset[1]) * unit_s[offset[2]]
        raise FormatError(f"a time in a TTML document that is none: {told[:40]!r}")


def _cues(node: Element, begin_s: float, end_s: float, rates: _Rates) -> Iterator[Cue]:
    """Times count from where the element around it begins. Raises: FormatError."""
    start_s = begin_s + (rates.seconds(node.get("begin")) or 0.0)
    duration_s, stop_s = rates.seconds(node.get("dur")), rates.seconds(node.get("end"))
    until_s = min(
        end_s,
        begin_s + stop_s if stop_s is not None else _FOREVER_S,
        start_s + duration_s if duration_s is not None else _FOREVER_S,
    )
    if _name(node) in {"p", "span"}:
        lines = [" ".join(line.split()) for line in "".join(_words(node)).split("\n")]
        if text := "\n".join(line for line in lines if line):
            yield Cue(start_s, until_s, html.escape(text, quote=False))
    for child in _timed(node) if _name(node) in {"p", "span"} else node:
        yield from _cues(child, start_s, until_s, rates)


def _timed(node: Element) -> Iterator[Element]:
    """What in a paragraph has a time of its own, the outermost of each."""
    for child in node:
        if _is_timed_span(child):
            yield child
        else:
            yield from _timed(child)


def _words(node: Element) -> Iterator[str]:
    """What is said in an element, without what has a time of its own."""
    yield (node.text or "").replace("\n", " ")
    for child in node:
        if _name(child) == "br":
            yield "\n"
        elif _name(child) == "span" and not _is_timed_span(child):
            yield from _words(child)
        yield (child.tail or "").replace("\n", " ")


def _is_timed_span(node: Element) -> bool:
    return _name(node) == "span" and not {"begin", "end", "dur"}.isdisjoint(node.keys())


def _is_deep(root: Element) -> bool:
    """Whether reading it one element within the other would not come to an end in good time."""
    level = [root]
    for _ in range(_MAX_DEPTH):
        level = [child for node in level for child in node]
    return bool(level)


def _name(node: Element) -> str:
    return node.tag.rpartition("}")[2]
