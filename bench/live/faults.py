"""Some channels go wrong among many: a fault must cost only what left the origin, and nothing of anybody else."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from live.cases import Kind
from live.marks import Kept
from ouzel.testing.origin import LiveOrigin

EVERY = 5
"""Each so many-th channel has a fault."""
HEALTHY = "none"


@dataclass(frozen=True)
class Fault:
    name: str
    script: Callable[[LiveOrigin, str], object]
    """Given the origin and the name of the channel."""
    never_served: frozenset[int] = frozenset()
    """Segments that nobody can get."""


FAULTS: Mapping[Kind, Sequence[Fault]] = {
    "hls": (
        Fault("404 for a segment, for ever", lambda o, c: o.on(f"{c}/seg12.ts").status(404), frozenset({12})),
        Fault("reset in a segment, twice", lambda o, c: o.on(f"{c}/seg11.ts").reset(after=300_000, times=2)),
        Fault("503 for a segment, twice", lambda o, c: o.on(f"{c}/seg13.ts").status(503, times=2)),
        Fault("segment stalls for 3 s", lambda o, c: o.on(f"{c}/seg12.ts").stall(after=200_000, seconds=3, times=1)),
        Fault("segment ends early", lambda o, c: o.on(f"{c}/seg14.ts").short(100_000, times=1)),
        Fault("playlist answers 500 for 4 s", lambda o, c: o.on(f"{c}/index.m3u8").allow(times=4).status(500, for_s=4)),
        Fault("a web page instead of a segment", lambda o, c: o.on(f"{c}/seg15.ts").html(times=1)),
    ),
    "flv": (
        Fault("reset after 4 MB, twice", lambda o, c: o.on(f"{c}.flv").reset(after=4_000_000, times=2)),
        Fault("ends cleanly after 5 MB", lambda o, c: o.on(f"{c}.flv").cut(5_000_000, times=1)),
        Fault("503 at the start, twice", lambda o, c: o.on(f"{c}.flv").status(503, times=2)),
        Fault("stalls for 3 s", lambda o, c: o.on(f"{c}.flv").stall(after=3_000_000, seconds=3, times=1)),
    ),
}


def assigned(kind: Kind, names: Sequence[str]) -> dict[str, Fault]:
    """Which channels have which fault."""
    faults = FAULTS[kind]
    return {name: faults[number % len(faults)] for number, name in enumerate(names[EVERY - 1 :: EVERY])}


def spoil(kind: Kind) -> Callable[[LiveOrigin, Sequence[str]], None]:
    def script(origin: LiveOrigin, names: Sequence[str]) -> None:
        for name, fault in assigned(kind, names).items():
            fault.script(origin, name)

    return script


def sort_out(kind: Kind, kept: Mapping[str, Kept]) -> dict[str, dict[str, int]]:
    """By fault: channels, segments lost that could have been had, segments that could not, repeated ones, the fewest kept."""
    faults = assigned(kind, list(kept))
    by_fault: dict[str, dict[str, int]] = {}
    for name, one in kept.items():
        fault = faults.get(name)
        missing = set(one.missing)
        never = fault.never_served if fault else frozenset[int]()
        row = by_fault.setdefault(
            fault.name if fault else HEALTHY,
            {"channels": 0, "lost": 0, "never_served": 0, "repeated": 0, "segments_min": one.segments},
        )
        row["channels"] += 1
        row["lost"] += len(missing - never)
        row["never_served"] += len(missing & never)
        row["repeated"] += one.repeated
        row["segments_min"] = min(row["segments_min"], one.segments)
    return by_fault
