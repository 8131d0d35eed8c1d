"""The one rule by which a file's time stamps rise, whatever the source's clock does.

All values are integer ticks of the caller's time base (90,000 a second in TS, 1,000 in FLV, the track's own in MP4, brought to
a common base by the caller). Decode time stamps go in; the number to *add* to the sample's time stamps comes out.

Three things may happen to a sample:

* it follows its predecessor within `tolerance`: the offset of its track stays;
* it does not (a jump, either way): the offset moves so that the sample continues one frame after its predecessor. The other
  tracks follow the same new offset as soon as that makes *them* continuous, so that sound and picture stay together;
* a break was declared (`splice`): one offset for all tracks, the smallest with which every track still rises.

Source for the thresholds: BililiveRecorder's and rust-srec's published rules (500 ms and 1,000 ms).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from ouzel.formats.shape import Repair, RepairCode


@dataclass(slots=True)
class _Lane:
    """One track's state. `last` is in file time, `raw` in source time."""

    raw: int
    last: int
    step: int
    offset: int


@dataclass(frozen=True, slots=True)
class RetimerState:
    lanes: Mapping[int, _Lane]
    offset: int | None
    repairs: int


class Retimer:
    """Follows the decode time stamps of all tracks of one stream.

    Args:
        ticks: ticks per second.
        tolerance: forward steps of a track up to this many ticks are left as they are; so are backward steps, which are
            clamped to rise by one tick.
        wrap_bits: width of the source's counter (33 in TS, 32 in FLV); None when it does not wrap.
        default_step: assumed duration of a sample before two of a track were seen.
        zero: file time of the first sample; None leaves the source's own stamps (offset 0) at the start.
    """

    __slots__ = ("_default_step", "_half", "_lanes", "_offset", "_ticks", "_tolerance", "_wrap", "_zero", "repairs")

    def __init__(
        self, ticks: int, *, tolerance: int, default_step: int, wrap_bits: int | None = None, zero: int | None = 0
    ) -> None:
        self._ticks = ticks
        self._tolerance = tolerance
        self._default_step = default_step
        self._wrap = 1 << wrap_bits if wrap_bits else 0
        self._half = self._wrap >> 1
        self._zero = zero
        self._lanes: dict[int, _Lane] = {}
        self._offset: int | None = None
        self.repairs: list[Repair] = []

    @property
    def offset(self) -> int:
        """What is being added at present; 0 before the first sample."""
        return self._offset or 0

    @property
    def started(self) -> bool:
        return self._offset is not None

    def start(self, firsts: Mapping[int, int]) -> int:
        """Begin a file: `firsts` are the first decode time stamps of its tracks. Returns the offset for all of them."""
        self._lanes.clear()
        if self._zero is None:
            self._offset = 0
        else:
            base = next(iter(firsts.values()))
            self._offset = self._zero - min(base + self._delta(raw, base) for raw in firsts.values())
        if self._offset:
            self._note("start", 0)
        return self._offset

    def splice(self, firsts: Mapping[int, int]) -> int:
        """Continue after a declared break: the smallest common offset with which every track still rises.

        Tracks that were never seen before follow the others. Without any track in common the file goes on after its latest sample.
        """
        if not self._lanes or not firsts:
            return self.start(firsts) if firsts else self.offset
        base = next(iter(firsts.values()))
        unwrapped = {track: base + self._delta(raw, base) for track, raw in firsts.items()}
        common = [lane.last + lane.step - unwrapped[t] for t, lane in self._lanes.items() if t in unwrapped]
        if not common:
            latest = max(lane.last + lane.step for lane in self._lanes.values())
            common = [latest - min(unwrapped.values())]
        self._offset = max(common)
        for track, raw in unwrapped.items():
            if track in self._lanes:
                lane = self._lanes[track]
                lane.offset = self._offset
                lane.raw = raw - lane.step
                lane.last = raw + self._offset - lane.step
        for track in [t for t in self._lanes if t not in unwrapped]:
            del self._lanes[track]  # a track that is not in the new stretch has no say in it, should it come back
        self._note("splice", max(lane.last for lane in self._lanes.values()) if self._lanes else 0)
        return self._offset

    def place(self, track: int, raw: int) -> int:
        """The offset to add to this sample's time stamps (decode and presentation alike)."""
        lane = self._lanes.get(track)
        if lane is None:
            return self._enter(track, raw)
        step = raw - lane.raw
        if self._wrap:
            step = (step + self._half) % self._wrap - self._half
        if 0 < step <= self._tolerance:
            lane.raw = raw
            lane.last += step
            lane.step = step
            return lane.offset
        return self._stumble(lane, raw, step)

    def end(self, track: int) -> int:
        """File time at which the next sample of this track is expected."""
        lane = self._lanes[track]
        return lane.last + lane.step

    def last(self, track: int) -> int | None:
        lane = self._lanes.get(track)
        return None if lane is None else lane.last

    def save(self) -> RetimerState:
        return RetimerState({t: replace(lane) for t, lane in self._lanes.items()}, self._offset, len(self.repairs))

    def restore(self, state: RetimerState) -> None:
        self._lanes = {t: replace(lane) for t, lane in state.lanes.items()}
        self._offset = state.offset
        del self.repairs[state.repairs :]

    def _enter(self, track: int, raw: int) -> int:
        if self._offset is None:
            self.start({track: raw})
        offset = self._offset or 0
        if self._wrap and self._lanes:  # the other tracks may have wrapped already, or not yet
            near = next(iter(self._lanes.values()))
            last = near.last + self._delta(raw, near.raw)
            offset = last - raw
        self._lanes[track] = _Lane(raw, raw + offset, self._default_step, offset)
        return offset

    def _stumble(self, lane: _Lane, raw: int, step: int) -> int:
        """Not one clean step forward."""
        if -self._tolerance <= step <= 0:  # too small to be a jump: keep it rising, by one tick
            lane.raw = raw
            lane.last += 1
            lane.offset = lane.last - raw
            return lane.offset
        offset = self.offset
        followed = self._delta(raw + offset, lane.last)  # another track has jumped already: does its offset fit here?
        if not (offset != lane.offset and 0 < followed <= self._tolerance):
            offset = self._offset = lane.last + lane.step - raw
            followed = lane.step
            self._note("jump", lane.last)
        lane.raw = raw
        lane.last += followed
        lane.offset = offset
        return offset

    def _delta(self, later: int, earlier: int) -> int:
        step = later - earlier
        return (step + self._half) % self._wrap - self._half if self._wrap else step

    def _note(self, code: RepairCode, at: int) -> None:
        self.repairs.append(Repair(at / self._ticks, code, self.offset / self._ticks))
