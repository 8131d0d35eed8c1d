"""WebVTT as HLS cuts it up: segments in, one clean file out.

Each segment is a file of its own: a header, perhaps the map from its clock to that of the media, and the cues that are shown
during the segment, so that a cue at an edge comes twice.

Source: WebVTT (W3C), RFC 8216 section 3.5 (X-TIMESTAMP-MAP).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

TURN_S = 2**33 / 90_000
"""After this many seconds the clock of a transport stream begins again."""
_TOUCH_S = 0.002
_TIME = r"(?:(\d+):)?(\d\d):(\d\d)[.,](\d{3})"
_TIMING = re.compile(rf"\s*{_TIME}[ \t]+-->[ \t]+{_TIME}[ \t]*(.*)")
_LOCAL = re.compile(rf"LOCAL:{_TIME}")
_MPEGTS = re.compile(r"MPEGTS:(\d+)")
_LINE_ENDS = re.compile(r"\r\n|\r|\n")  # not `splitlines`, which knows more of them than WebVTT


@dataclass(frozen=True, slots=True, order=True)
class Cue:
    """Times in seconds from the start of the programme."""

    start_s: float
    end_s: float
    text: str
    """One line or more, as it stands there."""
    settings: str = ""


def near(seconds: float) -> float:
    """A difference of two clocks that wrap as a transport stream's, as the least that it can be."""
    return seconds - round(seconds / TURN_S) * TURN_S


def parse(segments: Iterable[str], origin_s: float, begins_s: float = 0.0) -> tuple[Cue, ...]:
    """Read the segments of one track: its cues in order of time, each once.

    What is no cue is passed over, STYLE and REGION too: no container holds them, and readers lose the cues behind them.

    Args:
        origin_s: what the media's own clock says where the cues that are returned count from.
        begins_s: where that is in the programme. A segment without a map counts from the start of the programme: its author
            did not know of the media's clock.
    """
    cues: dict[tuple[int, int, str], Cue] = {}
    for segment in segments:
        shift_s = -begins_s
        for lines in _blocks(segment):
            if lines[0].startswith("WEBVTT"):
                shift_s = _shift(lines, origin_s, begins_s)
            elif (cue := _cue(lines, shift_s)) is not None and cue.end_s > max(cue.start_s, 0):
                key = (round(cue.start_s * 100), round(cue.end_s * 100), cue.text)
                cues.setdefault(key, cue)
    return tuple(sorted(cues.values()))


def joined(cues: Iterable[Cue]) -> tuple[Cue, ...]:
    """In order of time; those that say the same without a pause between them are one."""
    whole: list[Cue] = []
    last: dict[tuple[str, str], int] = {}
    for cue in sorted(cues):
        at = last.get((cue.text, cue.settings))
        if at is not None and cue.start_s <= whole[at].end_s + _TOUCH_S:
            whole[at] = replace(whole[at], end_s=max(whole[at].end_s, cue.end_s))
        else:
            last[cue.text, cue.settings] = len(whole)
            whole.append(cue)
    return tuple(whole)


def render(cues: Iterable[Cue]) -> str:
    """One WebVTT file. What begins before the programme does, begins with it."""
    blocks = ["WEBVTT"]
    for cue in cues:
        timing = f"{_told(max(cue.start_s, 0))} --> {_told(cue.end_s)} {cue.settings}".rstrip()
        blocks.append(f"{timing}\n{cue.text}")
    return "\n\n".join(blocks) + "\n"


def _blocks(segment: str) -> Iterator[list[str]]:
    lines: list[str] = []
    for line in _LINE_ENDS.split(segment.removeprefix("\ufeff")):
        if line.strip():
            lines.append(line)
        elif lines:
            yield lines
            lines = []
    if lines:
        yield lines


def _shift(header: list[str], origin_s: float, begins_s: float) -> float:
    told = next((line for line in header if line.startswith("X-TIMESTAMP-MAP")), "")
    local, mpegts = _LOCAL.search(told), _MPEGTS.search(told)
    if local is None or mpegts is None:
        return -begins_s
    return near(int(mpegts[1]) / 90_000 - _seconds(local.groups()) - origin_s)


def _cue(lines: list[str], shift_s: float) -> Cue | None:
    for at, line in enumerate(lines[:2]):  # a name may stand before the times
        if (found := _TIMING.fullmatch(line)) is not None:
            groups = found.groups()
            start_s, end_s = _seconds(groups[:4]) + shift_s, _seconds(groups[4:8]) + shift_s
            return Cue(start_s, end_s, "\n".join(lines[at + 1 :]), groups[8].strip())
    return None


def _seconds(parts: tuple[str | None, ...]) -> float:
    hours, minutes, seconds, thousandths = (int(part or 0) for part in parts)
    return hours * 3600 + minutes * 60 + seconds + thousandths / 1000


def _told(seconds: float) -> str:
    thousandths = round(seconds * 1000)
    minutes, rest = divmod(thousandths, 60_000)
    return f"{minutes // 60:02}:{minutes % 60:02}:{rest // 1000:02}.{rest % 1000:03}"
