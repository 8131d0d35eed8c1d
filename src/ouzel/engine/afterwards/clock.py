"""Subtitles that tell when what is shown was on air, and what is missing: from the ledger, so that they hold for every product.

A clock counts from the wall time of each chunk; a gap, which takes no time in the file, is told as it begins.
"""

from __future__ import annotations

import string
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from typing import Literal, TypeAlias, get_args

import anyio.to_thread

from ouzel.base.errors import BadOption, NotALedger
from ouzel.engine import ledgers
from ouzel.engine.afterwards.companions import place, stamp_srt, stamp_vtt
from ouzel.engine.sinks.file import CONVERTING, storage_error
from ouzel.model.clips import wall_at
from ouzel.model.flow import Gap
from ouzel.model.ledger import Ledger
from ouzel.system.zones import zone_of

ClockFormat: TypeAlias = Literal["srt", "vtt"]

FORMATS: tuple[ClockFormat, ...] = get_args(ClockFormat)
FIELDS = ("date", "time", "zone", "position")
_GAP_FIELDS = ("missing", "from", "to", "why")
_GAP_S = 5.0
"""How long a gap is told."""
_LEAST_S, _MOST_S = 0.5, 3600.0
_ROUNDING_S = 0.0005
_SLIVER_S = 0.1
"""Too short for a cue of its own: sound ends a little behind the picture."""
_HALF = timedelta(seconds=0.5)
"""The second that is told is the nearest one: a cue of a second shows that for most of its time."""
_LONGEST = 200


@dataclass(frozen=True, slots=True)
class ClockWish:
    format: ClockFormat = "srt"
    template: str = "{date} {time}"
    """Fields: `date` 2026-11-22, `time` 13:04:05, `zone` +08:00, `position` 01:02:03 in the file."""
    gap_template: str = "[{missing} s missing, {from} to {to}]"
    """Fields: `missing` whole seconds, `from` and `to` 13:04:05, `why`. Empty: gaps are not told."""
    every_s: float = 1.0
    zone: str = ""
    """IANA name of a time zone; empty: the machine's."""


DLR = ClockWish(gap_template="")
"""As DouyinLiveRecorder writes them: SRT, a cue each second, date and time."""


@dataclass(frozen=True, slots=True)
class Cue:
    """Seconds of the file."""

    start_s: float
    end_s: float
    text: str


def check_clock(wish: ClockWish) -> tzinfo:
    """Raises: BadOption for what makes no sense."""
    if wish.format not in FORMATS:
        raise BadOption(f"{wish.format!r} is no format of subtitles; there are {', '.join(FORMATS)}")
    if not _LEAST_S <= wish.every_s <= _MOST_S:
        raise BadOption(f"a time each {wish.every_s:g} s makes no sense: {_LEAST_S:g} to {_MOST_S:g} do")
    if not wish.template.strip():
        raise BadOption("the template of the clock is empty")
    _check_template(wish.template, FIELDS)
    _check_template(wish.gap_template, _GAP_FIELDS)
    return zone_of(wish.zone)


def _check_template(template: str, fields: tuple[str, ...]) -> None:
    if len(template) > _LONGEST or "\n\n" in template or "-->" in template:
        raise BadOption(f"a template has at most {_LONGEST} characters, no empty line and no arrow")
    try:
        used = [(name, spec, conversion) for _text, name, spec, conversion in string.Formatter().parse(template)]
    except ValueError as exc:
        raise BadOption(f"the template {template!r} cannot be read: {exc}") from exc
    for name, spec, conversion in used:
        if name is not None and (name not in fields or spec or conversion):
            raise BadOption(f"{{{name}}} is no field of this template; there are {', '.join(fields)}")


async def make_clock(source: Path, wish: ClockWish | None = None, *, out: Path | None = None) -> Path:
    """Subtitles of a closed file, from its ledger. Those that are there are replaced by the same ones.

    Args:
        out: `NAME.clock.srt` (or `.vtt`) beside the source when None. That name is ours; under another one nothing is replaced
            that says something else.
    Raises: BadOption, InputError; NotALedger where nothing tells when it was on air; StorageError.
    """
    wish = wish or ClockWish()
    zone = check_clock(wish)
    return await anyio.to_thread.run_sync(_make, source, wish, zone, out)


def _make(source: Path, wish: ClockWish, zone: tzinfo, out: Path | None) -> Path:
    """Runs in a worker thread."""
    ledgers.check_media(source)
    held = ledgers.find(source)
    if held is None or held.opening.download or not any(chunk.scope == "all" for chunk in held.ledger.chunks):
        raise NotALedger(f"nothing tells when {source} was on air: it has no ledger of a recording")
    if held.is_open:
        raise BadOption(f"{source} is not closed yet")
    path = out or source.with_name(f"{source.stem}.clock.{wish.format}")
    data = render(list(plan(held.ledger, wish, zone)), wish.format).encode()
    temporary = path.with_name(path.name + CONVERTING)
    try:
        if out is not None and path.exists():
            if path.read_bytes() != data:
                raise BadOption(f"{path} exists already, and says something else; give another name or remove it")
            return path
        try:
            temporary.write_bytes(data)
            place([(temporary, path)])
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as exc:
        raise storage_error(exc, path) from exc
    return path


def plan(ledger: Ledger, wish: ClockWish, zone: tzinfo) -> Iterator[Cue]:
    """What is shown when: in order, without holes and overlaps. Pure.

    A cue begins each `every_s`, and anew where time jumps; with a gap it tells of that first.
    """
    chunks = [chunk for chunk in ledger.chunks if chunk.scope == "all"]
    gaps = [gap for gap in ledger.gaps if gap.scope == "all" and wish.gap_template]
    end_s = chunks[-1].end_s
    count = int(end_s / wish.every_s) + 1
    starts = {round(number * wish.every_s, 6) for number in range(count)}
    starts |= {min(gap.at_s, end_s) for gap in ledger.gaps if gap.scope == "all"}
    edges = [start for start in sorted(starts) if start < end_s - _SLIVER_S]
    for start_s, until_s in zip(edges, [*edges[1:], end_s], strict=True):
        told = [_gap_text(gap, wish, zone) for gap in gaps if gap.at_s - _ROUNDING_S <= start_s < gap.at_s + _GAP_S]
        wall = (wall_at(chunks, start_s) + _HALF).astimezone(zone)
        yield Cue(start_s, until_s, "\n".join([*told, _clock_text(wall, start_s, wish)]))


def _clock_text(wall: datetime, at_s: float, wish: ClockWish) -> str:
    offset = wall.strftime("%z")
    return wish.template.format(
        date=f"{wall:%Y-%m-%d}",
        time=f"{wall:%H:%M:%S}",
        zone=f"{offset[:3]}:{offset[3:]}",
        position=stamp_vtt(at_s).partition(".")[0],
    )


def _gap_text(gap: Gap, wish: ClockWish, zone: tzinfo) -> str:
    start = gap.wall_start.astimezone(zone)
    end = max(gap.wall_end.astimezone(zone), start + timedelta(seconds=gap.missing_s))
    why = " ".join(gap.why.replace("-->", "").split())
    named = {"missing": round(gap.missing_s), "from": f"{start:%H:%M:%S}", "to": f"{end:%H:%M:%S}", "why": why}
    return wish.gap_template.format(**named)


def render(cues: list[Cue], format_: ClockFormat) -> str:
    """The text of the file."""
    if format_ == "srt":
        blocks = (
            f"{number}\n{stamp_srt(cue.start_s)} --> {stamp_srt(cue.end_s)}\n{cue.text}\n"
            for number, cue in enumerate(cues, 1)
        )
        return "\n".join(blocks)
    marked = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
    texts = (f"{stamp_vtt(c.start_s)} --> {stamp_vtt(c.end_s)}\n{c.text.translate(marked)}\n" for c in cues)
    return "\n".join(["WEBVTT\n", *texts])
