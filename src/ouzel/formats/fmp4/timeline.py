"""The rule of `ouzel.formats.retime` for stretches of samples: one fragment's part of a track is placed as a whole.

A fragment tells where it begins and how long it is, so continuity is measured from the end of one to the start of the next,
whatever their lengths. What may happen, in the order in which it is looked at:

* it begins where its predecessor ended, within the tolerance: what is added to the track's time stamps stays;
* another track has jumped already, and its offset makes this one continuous, too: it is taken over;
* only this track paused: it begins beside another track. The offset stays;
* it jumped, either way: the offset moves so that it begins at the end of its predecessor;
* a break was declared (`splice`): the offset stays where the tracks simply continue; else there is one offset for all tracks,
  the smallest with which every track still rises. Tracks that come later, in other fragments or from another playlist, take
  that offset if it makes sense for them;
* it begins before its predecessor ended, so that decode times would not rise. Sound is asked for shorter
  (`Placement.surplus`), a picture is moved to that end until the source has caught up.

All times are in ticks of the track, hence exact over any number of fragments; the offset that tracks share is in ticks of the
least common multiple of their time scales.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from math import lcm

from ouzel.formats.shape import Repair, RepairCode

_REACH_S = 30
"""Tracks whose clocks differ by less share a clock. Playlists of one presentation are seldom a segment or two apart."""
_LAG_S = 10
"""At the start of a new file a track may lag behind the others by this much, and nothing of it is lost."""


@dataclass(slots=True)
class _Lane:
    """One track. `raw_end` is in source time, the rest in file time; all in its ticks."""

    shift: int = 0
    raw_end: int = 0
    begin: int = 0
    """Of what was placed last."""
    end: int = 0
    last: int = 0
    """Duration of the last sample; 0 before anything was placed."""
    loose: bool = True
    """The shared offset is to be looked at again: nothing was placed yet, or not since a break."""


@dataclass(frozen=True, slots=True)
class Placement:
    start: int
    """File time of the first sample, ticks."""
    surplus: int
    """Ticks by which it begins too early: the samples that begin within them must go."""


@dataclass(frozen=True, slots=True)
class TimelineState:
    lanes: Mapping[int, _Lane]
    offset: int | None
    broken: bool
    since: int
    expected: Mapping[int, int]
    repairs: int


class Timeline:
    """Follows the fragments of all tracks of one file.

    Args:
        forward_s: a fragment that begins up to this much after the end of its predecessor keeps its time stamps.
        back_s: likewise before it, apart from the surplus; beyond, it is a jump.
    """

    def __init__(self, *, forward_s: float = 1.0, back_s: float = 0.5) -> None:
        self._forward_s = forward_s
        self._back_s = back_s
        self.repairs: list[Repair] = []
        """What was changed, in order. The caller may empty the list when it has taken note."""
        self.begin({})

    def begin(self, timescales: Mapping[int, int], sparse: Collection[int] = ()) -> None:
        """A file with new tracks: their ticks a second, by id. Its first fragment will begin at 0.

        `sparse`: tracks that are silent for long, such as subtitles; nobody waits for them.
        """
        self._common = lcm(*timescales.values())
        self._scales = {track: self._common // scale for track, scale in timescales.items()}
        self._sparse = frozenset(sparse)
        self._lanes: dict[int, _Lane] = {}
        self._expected: Mapping[int, int] = {}  # source time at which tracks of the previous file go on, common ticks
        self._offset: int | None = None
        self._broken = False
        self._since = 0  # file time at which the present stretch began, common ticks

    def restart(self) -> None:
        """A new file with the same tracks, which are expected to go on where they are."""
        if self._lanes:
            self._expected = {track: lane.raw_end * self._scales[track] for track, lane in self._lanes.items()}
        self._lanes = {}
        self._offset = None
        self._broken = False
        self._since = 0

    def splice(self, tracks: Iterable[int], *, leads: bool) -> None:
        """The next fragments of these tracks do not continue what came before.

        `leads`: the offset is to be found anew and all tracks shall look at it; otherwise these follow what the others have.
        """
        for track in self._lanes if leads else tracks:
            if track in self._lanes:
                self._lanes[track].loose = True
        self._broken = self._broken or (leads and self._offset is not None)
        self._expected = {}

    def expected(self, track: int) -> int:
        """Source time at which the track goes on, for a fragment that does not say it itself."""
        lane = self._lanes.get(track)
        return lane.raw_end if lane else self._expected.get(track, 0) // self._scales[track]

    def arrange(self, firsts: Mapping[int, int], *, leads: bool) -> None:
        """A fragment is about to be placed: `firsts` are the decode times of its tracks, the most important one first."""
        scaled = {track: raw * self._scales[track] for track, raw in firsts.items()}
        anchor = next(iter(scaled.values()))
        near = {track: raw for track, raw in scaled.items() if abs(raw - anchor) <= _REACH_S * self._common}
        if self._offset is None:
            self._offset = -min(*near.values(), *self._lagging(scaled, anchor), anchor)
            if self._offset:
                self._note("start", 0)
        elif leads and self._broken:
            self._broken = False
            if not all(self._follows_closely(track, raw) for track, raw in firsts.items()):
                self._rejoin(near, anchor)

    def place(self, track: int, raw: int, *, trimmable: bool) -> Placement:
        """Where the fragment's part of `track`, which begins at `raw`, goes. `advance` makes it count."""
        lane = self._lanes.setdefault(track, _Lane())
        if lane.loose:
            self._enter(track, lane, raw, trimmable=trimmable)
        elif not self._continues(track, lane, raw):
            self._jump(track, lane, raw)
        start = raw + lane.shift
        floor = lane.end - max(lane.last - 1, 0)  # later than the decode time of the last sample
        if start >= floor:
            return Placement(start, 0)
        if trimmable:
            return Placement(start, floor - start)
        self._note("clamp", lane.end * self._scales[track])
        return Placement(lane.end, 0)

    def advance(self, track: int, raw_end: int, begin: int, end: int, last: int) -> None:
        """What was placed takes `begin` to `end` in the file and ends at `raw_end` in source time; its last sample takes
        `last` ticks."""
        lane = self._lanes[track]
        lane.raw_end, lane.begin, lane.end, lane.last = raw_end, begin, end, last

    def skip(self, track: int, raw_end: int) -> None:
        """What was placed is left out as a whole; it ended at `raw_end`."""
        self._lanes[track].raw_end = raw_end

    def save(self) -> TimelineState:
        lanes = {track: replace(lane) for track, lane in self._lanes.items()}
        return TimelineState(lanes, self._offset, self._broken, self._since, self._expected, len(self.repairs))

    def restore(self, state: TimelineState) -> None:
        self._lanes = {track: replace(lane) for track, lane in state.lanes.items()}
        self._offset = state.offset
        self._broken = state.broken
        self._since = state.since
        self._expected = state.expected
        del self.repairs[state.repairs :]

    def _lagging(self, firsts: Mapping[int, int], anchor: int) -> list[int]:
        """At the start of a new file: where the tracks go on that are not in its first fragment, if that one simply goes on."""
        slack = self._forward_s * self._common
        if not any(abs(raw - self._expected.get(track, raw + slack + 1)) <= slack for track, raw in firsts.items()):
            return []
        absent = [track for track in self._expected if track not in firsts and track not in self._sparse]
        return [self._expected[t] for t in absent if abs(self._expected[t] - anchor) <= _LAG_S * self._common]

    def _rejoin(self, firsts: Mapping[int, int], anchor: int) -> None:
        """Find the offset after a break.

        A track that is not in this fragment may be ahead in the source's time already (another playlist, fetched earlier);
        then it binds the offset only as far as it has got.
        """
        needs: list[int] = []
        for track, lane in self._lanes.items():
            scale = self._scales[track]
            ahead = lane.raw_end * scale - anchor
            raw = firsts.get(track, anchor + (ahead if 0 <= ahead <= _REACH_S * self._common else 0))
            needs.append(lane.end * scale - raw)
            lane.loose = True
        self._offset = max(needs)
        self._since = anchor + self._offset
        self._note("splice", self._since)

    def _enter(self, track: int, lane: _Lane, raw: int, *, trimmable: bool) -> None:
        """The first fragment of a track, or its first after a break."""
        scale = self._scales[track]
        shift = self._shared_shift(scale)
        reach = _REACH_S * self._common // scale
        latest = max(other.end * self._scales[t] for t, other in self._lanes.items()) // scale
        if lane.end - reach <= raw + shift <= latest + reach:
            missing = lane.end - raw - shift
            if missing > 0 and not trimmable:  # pictures are not cut: all go later instead
                self._offset = (self._offset or 0) + missing * scale
                shift += missing
                for other in self._lanes.values():
                    other.loose = True
            lane.shift = shift
            lane.loose = False
        elif not (lane.last and self._continues(track, lane, raw)):  # its clock has nothing to do with the others'
            lane.shift = max(lane.end, self._since // scale) - raw
            lane.loose = False

    def _jump(self, track: int, lane: _Lane, raw: int) -> None:
        scale = self._scales[track]
        shift = self._shared_shift(scale)
        gap = (raw + shift - lane.end) * scale
        if shift != lane.shift and -self._back_s * self._common <= gap <= self._forward_s * self._common:
            lane.shift = shift
        elif raw + lane.shift < lane.end or not self._is_beside_another(lane, (raw + lane.shift) * scale):
            shared = shift == lane.shift
            lane.shift = lane.end - raw
            if shared:  # else its clock was its own already
                self._offset = lane.shift * scale
            self._note("jump", lane.end * scale)

    def _is_beside_another(self, lane: _Lane, at: int) -> bool:
        slack = self._forward_s * self._common
        return any(
            other is not lane
            and other.begin * self._scales[track] - slack <= at <= other.end * self._scales[track] + slack
            for track, other in self._lanes.items()
        )

    def _continues(self, track: int, lane: _Lane, raw: int) -> bool:
        gap = (raw - lane.raw_end) * self._scales[track]
        return -self._back_s * self._common <= gap <= self._forward_s * self._common

    def _follows_closely(self, track: int, raw: int) -> bool:
        """Within one sample of the end of its predecessor: nothing is missing, nothing is repeated."""
        lane = self._lanes.get(track)
        return lane is not None and abs(raw - lane.raw_end) <= lane.last

    def _shared_shift(self, scale: int) -> int:
        """The shared offset, to the nearest tick of a track; so it never falls below what any track needs in whole ticks."""
        return ((self._offset or 0) * 2 + scale) // (2 * scale)

    def _note(self, code: RepairCode, at: int) -> None:
        self.repairs.append(Repair(at / self._common, code, (self._offset or 0) / self._common))
