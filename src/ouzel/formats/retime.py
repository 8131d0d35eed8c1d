"""The one rule by which a file's time stamps rise, whatever the source's clock does.

All values are integer ticks of the caller's time base (90,000 a second in TS, 1,000 in FLV, the track's own in MP4, brought to
a common base by the caller). Decode time stamps go in; the number to *add* to the sample's time stamps comes out.

What may happen to a sample, in the order in which it is looked at:

* it follows its predecessor within `tolerance`: the offset of its track stays. When it would not rise (two samples with one
  stamp, a small step back) it alone is pushed forward to rise by one tick; its successors stay where the source puts them;
* another track has jumped already, and its offset makes this one continuous, too: it is taken over, so that sound and picture
  stay together;
* only this track paused: the stamp fits in beside the other tracks, or the pauses of this track are that long always. The
  offset stays;
* it jumped, either way: the offset moves so that the sample continues one frame after its predecessor;
* a break was declared (`splice`): the offset stays where the tracks simply continue; else there is one offset for all tracks,
  the smallest with which every track still rises.

Source for the thresholds: BililiveRecorder's and rust-srec's published rules (500 ms and 1,000 ms).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from ouzel.formats.shape import Repair, RepairCode

_ENTRY = 20
"""A track that begins later than the others may lie this many tolerances away from them; beyond that its clock is another."""


@dataclass(slots=True)
class _Lane:
    """One track's state. `last` is in file time, `raw` in source time."""

    raw: int
    last: int
    step: int
    offset: int
    ahead: int = 0
    """How far `last` was pushed beyond `raw + offset`."""
    stride: int = 0
    """The last step that was beyond the tolerance …"""
    stride_at: int = -1
    """… and the source time at its end: a slow track is one whose steps are alike and follow each other."""

    def copy(self) -> _Lane:
        return _Lane(self.raw, self.last, self.step, self.offset, self.ahead, self.stride, self.stride_at)

    def is_slow(self, step: int) -> bool:
        return self.stride_at == self.raw and abs(step - self.stride) * 4 <= self.stride


_NEVER = 1 << 62
Undo: TypeAlias = tuple[int, _Lane | None, int | None, int, Mapping[int, int]]


class RetimerState(NamedTuple):
    lanes: Mapping[int, _Lane]
    offset: int | None
    repairs: tuple[Repair, ...]
    expected: Mapping[int, int]
    floors: Mapping[int, int]


class Retimer:
    """Follows the decode time stamps of all tracks of one stream.

    Args:
        ticks: ticks per second.
        tolerance: forward steps of a track up to this many ticks are left as they are; so are backward steps, which are
            clamped to rise by one tick.
        backward: the same for backward steps, where it is not the same.
        wrap_bits: width of the source's counter (33 in TS, 32 in FLV); None when it does not wrap. Offsets grow by a whole
            turn with each wrap, so that stamp + offset is the time in the file; the caller masks it to the field's width.
        default_step: assumed duration of a sample before two of a track were seen; at most `tolerance`.
        zero: file time of the first sample; None leaves the source's own stamps (offset 0) at the start.
    """

    __slots__ = (
        "_backward",
        "_default_step",
        "_expected",
        "_floors",
        "_half",
        "_lanes",
        "_offset",
        "_ticks",
        "_wrap",
        "_zero",
        "repairs",
        "tolerance",
    )

    def __init__(
        self,
        ticks: int,
        *,
        tolerance: int,
        default_step: int,
        wrap_bits: int | None = None,
        zero: int | None = 0,
        backward: int | None = None,
    ) -> None:
        self._ticks = ticks
        self.tolerance = tolerance
        """Forward steps up to this many ticks are left as they are."""
        self._backward = tolerance if backward is None else backward
        self._default_step = default_step
        self._wrap = 1 << wrap_bits if wrap_bits else 0
        self._half = self._wrap >> 1
        self._zero = zero
        self._lanes: dict[int, _Lane] = {}
        self._offset: int | None = None
        self._expected: Mapping[
            int, int
        ] = {}  # source time at which the tracks were expected to go on before `restart`
        self._floors: dict[int, int] = {}  # last file time of tracks that were not in the stretch after a splice
        self.repairs: list[Repair] = []
        """What was changed, in order. The caller may empty the list when it has taken note."""

    @property
    def offset(self) -> int:
        """What is being added at present; 0 before the first sample."""
        return self._offset or 0

    @property
    def started(self) -> bool:
        return self._offset is not None

    def start(self, firsts: Mapping[int, int]) -> int:
        """Begin a file: `firsts` are the first decode time stamps of its tracks. Returns the offset for all of them.

        A track whose clock is far from that of the first one named will begin beside it.
        """
        self._lanes.clear()
        self._floors.clear()
        self._expected = {}
        if self._zero is None:
            self._offset = 0
        else:
            self._offset = self._zero - min(self._near(firsts).values())
        if self._offset:
            self._note("start", 0)
        return self._offset

    def restart(self) -> None:
        """Begin a file with the next sample, whichever track it is of. The other tracks are expected to go on where they are."""
        if self._lanes:
            self._expected = {track: lane.raw + lane.step for track, lane in self._lanes.items()}
        self._lanes = {}
        self._floors = {}
        self._offset = None

    def splice(self, firsts: Mapping[int, int]) -> int:
        """Continue after a declared break: the smallest common offset with which every track still rises.

        The present offset stays when all tracks simply continue with it. Tracks that were never seen before follow the others.
        Without any track in common the file goes on after its latest sample.
        """
        if not firsts:
            return self.offset
        if not self._lanes and not self._floors:
            return self.start(firsts)
        if all(self.continues(track, raw) for track, raw in firsts.items()):
            return self.offset
        near = self._near(firsts)
        common = [lane.last + min(lane.step, self.tolerance) - near[t] for t, lane in self._lanes.items() if t in near]
        lasts = {**self._floors, **{t: lane.last for t, lane in self._lanes.items()}}
        if not common:
            step = max((lane.step for lane in self._lanes.values()), default=self._default_step)
            common = [max(lasts.values()) + step - min(near.values())]
        self._offset = max(common)
        for track, lane in list(self._lanes.items()):
            if track not in firsts:  # a track that is not in the new stretch has no say in it, should it come back
                self._floors[track] = self._lanes.pop(track).last
                continue
            raw, step = near.get(track, firsts[track]), min(lane.step, self.tolerance)
            offset = self._offset if track in near else lane.last + step - raw
            self._lanes[track] = _Lane(raw - step, raw + offset - step, step, offset)
        self._note("splice", max(lasts.values()))
        return self._offset

    def place(self, track: int, raw: int) -> int:
        """The offset to add to this sample's time stamps (decode and presentation alike)."""
        lane = self._lanes.get(track)
        if lane is None:
            return self._enter(track, raw)
        step = raw - lane.raw
        if 0 < step <= self.tolerance and not lane.ahead:
            lane.raw = raw
            lane.last += step
            lane.step = step
            return lane.offset
        return self._stumble(lane, raw, step)

    def so_far(self, track: int) -> tuple[int, int, int]:
        """What is needed to place the next samples of a track without `place`, as long as they are ordinary: 1 to `tolerance`
        ticks beyond the one before. `went_on` then tells of them.

        Returns: source time stamp of the last sample, its step from the one before, and the offset that `place` would return.
            Where no sample can be ordinary, the time stamp is later than any.
        """
        lane = self._lanes.get(track)
        if lane is None:
            return _NEVER, 0, self.offset
        return _NEVER if lane.ahead else lane.raw, lane.step, lane.offset

    def went_on(self, track: int, raw: int, step: int) -> None:
        """As if `place` had been called for ordinary samples, the last of them with the stamp `raw`, `step` after the one before
        it. What `so_far` gave before them takes them back."""
        if raw != _NEVER:
            lane = self._lanes[track]
            lane.last += raw - lane.raw
            lane.raw = raw
            lane.step = step

    def due(self, track: int, raw: int) -> int:
        """File time at which `place` would put this sample."""
        lane = self._lanes.get(track)
        if lane is not None and not lane.ahead and 0 < raw - lane.raw <= self.tolerance:
            return raw + lane.offset
        undo = self.undo_for(track)
        at = raw + self.place(track, raw)
        self.undo(undo)
        return at

    def step(self, track: int, raw: int) -> int | None:
        """From the last sample of this track to one with the stamp `raw`, in source time; None when there was none."""
        lane = self._lanes.get(track)
        return None if lane is None else self._delta(raw, lane.raw)

    def continues(self, track: int, raw: int) -> bool:
        """Whether this sample would simply follow: within two frames of the last one, no jump and no repeat."""
        lane = self._lanes.get(track)
        return lane is not None and 0 < self._delta(raw, lane.raw) <= 2 * lane.step

    def end(self, track: int) -> int:
        """File time at which the next sample of this track is expected."""
        lane = self._lanes[track]
        return lane.last + lane.step

    def lasts(self, track: int, duration: int) -> None:
        """The last sample of this track is known to last this long; else it is taken to last as long as the one before it."""
        lane = self._lanes.get(track)
        if lane is not None:
            lane.step = max(1, duration)

    def last(self, track: int) -> int | None:
        lane = self._lanes.get(track)
        return None if lane is None else lane.last

    def raw(self, track: int) -> int | None:
        """Source time stamp of the last sample of this track."""
        lane = self._lanes.get(track)
        return None if lane is None else lane.raw

    def save(self) -> RetimerState:
        return RetimerState(
            {t: lane.copy() for t, lane in self._lanes.items()},
            self._offset,
            tuple(self.repairs),
            self._expected,
            dict(self._floors),
        )

    def restore(self, state: RetimerState) -> None:
        self._lanes = {t: lane.copy() for t, lane in state.lanes.items()}
        self._offset = state.offset
        self._expected = state.expected
        self._floors = dict(state.floors)
        self.repairs[:] = state.repairs

    def undo_for(self, track: int) -> Undo:
        """What `undo` needs to take back the next `place` of this track, and nothing else: cheaper than `save`."""
        lane = self._lanes.get(track)
        return (track, lane and lane.copy(), self._offset, len(self.repairs), self._expected)

    def undo(self, undo: Undo) -> None:
        """Take back the last `place`. An `Undo` is good for once."""
        track, lane, self._offset, repairs, self._expected = undo
        if lane is None:
            del self._lanes[track]
        else:
            self._lanes[track] = lane
        del self.repairs[repairs:]

    def _enter(self, track: int, raw: int) -> int:
        """The first sample of a track."""
        if self._offset is None:
            near = {t: due for t, due in self._expected.items() if abs(self._delta(due, raw)) <= self.tolerance}
            self.start({**near, track: raw})
        at = raw + self.offset
        earliest = self._floors.get(track, (self._zero or 0) - 1) + 1
        others = [*self._floors.values(), *(lane.last for lane in self._lanes.values())]
        if others:  # they may have wrapped already, or not yet
            other = max(others)
            at = other + self._delta(at, other)
            if abs(at - other) > _ENTRY * self.tolerance:
                at = other
        lane = _Lane(raw, max(at, earliest), self._default_step, at - raw)
        lane.ahead = lane.last - at
        self._lanes[track] = lane
        return lane.last - raw

    def _stumble(self, lane: _Lane, raw: int, step: int) -> int:
        """Not one clean step forward."""
        folded = self._fold(step)
        if folded != step:  # the counter wrapped: one turn more is added from here on
            before = lane.offset
            lane.offset += folded - step
            if self._offset == before:
                self._offset = lane.offset
                self._note("wrap", lane.last)
            step = folded
        at = lane.last - lane.ahead + step
        if -self._backward <= step <= self.tolerance and lane.last + 1 - at <= self._backward:
            lane.step = step if step > 0 else lane.step
            return self._settle(lane, raw, at)
        common = self.offset
        followed = lane.last + self._delta(raw + common, lane.last)
        if self._delta(common, lane.offset) and abs(followed - lane.last) <= self.tolerance:
            lane.offset = followed - raw
            return self._settle(lane, raw, followed)
        paused = step > 0 and at > lane.last and (self._beside_another(lane, at) or lane.is_slow(step))
        lane.stride, lane.stride_at = step, raw
        if paused:
            return self._settle(lane, raw, at)
        at = lane.last + lane.step
        self._offset = lane.offset = at - raw
        self._note("jump", lane.last)
        return self._settle(lane, raw, at)

    def _settle(self, lane: _Lane, raw: int, at: int) -> int:
        """Give a sample the file time `at`, or the next tick where that would not rise."""
        lane.raw = raw
        lane.last = max(at, lane.last + 1)
        lane.ahead = lane.last - at
        return lane.last - raw

    def _beside_another(self, lane: _Lane, at: int) -> bool:
        return any(abs(at - other.last) <= self.tolerance for other in self._lanes.values() if other is not lane)

    def _near(self, firsts: Mapping[int, int]) -> dict[int, int]:
        """Those stamps that may be of one clock with the first, unwrapped around it."""
        base = next(iter(firsts.values()))
        deltas = {track: self._delta(raw, base) for track, raw in firsts.items()}
        return {track: base + delta for track, delta in deltas.items() if abs(delta) <= _ENTRY * self.tolerance}

    def _fold(self, step: int) -> int:
        return (step + self._half) % self._wrap - self._half if self._wrap else step

    def _delta(self, later: int, earlier: int) -> int:
        return self._fold(later - earlier)

    def _note(self, code: RepairCode, at: int) -> None:
        self.repairs.append(Repair(at / self._ticks, code, self.offset / self._ticks))
