"""Whether files can be joined, and whether what came of that holds all of them. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ouzel.base.errors import ToolFailed, Unsupported
from ouzel.engine.comparing import compare_times
from ouzel.engine.recipes import check_room
from ouzel.model.media import Found, StreamFound


def check_alike(first: tuple[Path, Found], other: tuple[Path, Found], format_: str) -> None:
    """Whether the packets of both can stand in one file. Raises: Unsupported that names the other one, and says what differs."""
    streams = [each for each in first[1].streams if each.kind in {"video", "audio"}]
    others = [each for each in other[1].streams if each.kind in {"video", "audio"}]
    if not streams:
        raise Unsupported(f"there is no picture and no sound in {first[0]}")
    check_room(format_, [s for s in streams if s.kind == "video"], [s for s in streams if s.kind == "audio"])
    mine, theirs = [_shown(each) for each in streams], [_shown(each) for each in others]
    if mine != theirs:
        differs = f"{', '.join(theirs) or 'nothing'} instead of {', '.join(mine)}"
        raise Unsupported(
            f"{other[0]} cannot be joined to {first[0].name}: {differs}; the step convert makes them alike"
        )
    for one, two in zip(streams, others, strict=True):
        if one.framing != two.framing:
            words = "the step remux gives both one container"
            raise Unsupported(
                f"{other[0]} cannot be joined to {first[0].name}: its pictures are framed otherwise; {words}"
            )
        if one.sets != two.sets and format_ != "ts":
            words = "the step convert makes them alike, ts holds both"
            raise Unsupported(
                f"{other[0]} cannot be joined to {first[0].name}: its {one.codec} has other settings; {words}"
            )


def _shown(stream: StreamFound) -> str:
    if stream.kind == "video":
        return f"{stream.codec} {stream.width}x{stream.height} {stream.pixels or ''}".rstrip()
    return f"{stream.codec} {stream.sample_rate} Hz, {stream.channels} channels"


def compare_joined(made: Found, founds: Sequence[Found], lasts: Sequence[float]) -> None:
    """Whether all packets of all files are there, and it is as long as they are. Raises: ToolFailed that says what differs."""
    if made.error:
        raise ToolFailed(f"the product cannot be read to its end: {made.error}")
    for kind in ("video", "audio"):
        there = [each.packets for each in made.streams if each.kind == kind]
        each_s = [[each.packets for each in found.streams if each.kind == kind] for found in founds]
        wanted = [sum(counts) for counts in zip(*each_s, strict=True)]
        if there != wanted:
            what = "pictures" if kind == "video" else "frames of sound"
            raise ToolFailed(f"the product has {there} {what}, its sources {wanted}")
    compare_times("its sources together", made.media_s, sum(lasts))
