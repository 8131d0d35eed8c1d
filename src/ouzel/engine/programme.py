"""Where a recording is in its programme: when each chunk was on air, and what is missing between two of them."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import NamedTuple

from ouzel.formats.shape import Span
from ouzel.model.flow import Chunk, Gap, GapCode, TrackScope

_CONTINUES_S = 0.1  # a source whose clock goes on within this has lost nothing
_NEW_S = 0.01
_JUMP_S = 1.0  # a clock that jumps by less may be corrected; and as long as this nothing must have come
_CLOCK_SLACK_S = 30.0  # a server may hold this much back; a larger difference is another clock, not a loss


class SegmentNote(NamedTuple):
    """What the source knows of a chunk beyond its bytes."""

    sequence: int | None = None
    wall: datetime | None = None
    """When its first frame was on air, where the source tells."""
    duration_s: float | None = None
    """How long it was on air, where the source tells; else its media time."""


@dataclass(slots=True)
class Loss:
    """A gap whose end is not known yet: it is written when media flows again."""

    code: GapCode
    why: str
    missing_s: float | None
    """None: measured on our clock, from the last media before to the first after."""
    first_sequence: int | None
    last_sequence: int | None
    scope: TrackScope
    ahead_s: float = 0.0
    """How far behind the last chunk it is: alternate sound is fetched before its pictures."""

    def take(self, other: Loss) -> bool:
        """Make the next loss a part of this one. Returns: False when it is of another kind, or does not follow on this one."""
        if self.code is not other.code or self.scope != other.scope:
            return False
        if (self.missing_s is None) != (other.missing_s is None):
            return False
        first = other.first_sequence
        if first is not None and (self.last_sequence is None or first != self.last_sequence + 1):
            return False
        if self.missing_s is not None and other.missing_s is not None:
            self.missing_s += other.missing_s
        self.last_sequence = other.last_sequence
        return True


class Programme:
    """Pure: it is told the time. Monotonic times in seconds; instants aware UTC.

    Args:
        began: when the recorder began.
        until: up to when the programme is kept already.
    """

    def __init__(self, began: datetime, until: datetime | None = None) -> None:
        self.goes_by = True
        """False in a complete playlist without dates: when it was on air nobody knows, and it does not go by."""
        self._began = began
        self._until = until
        self._is_dated = False
        self._source_until: float | None = None
        self._losses: list[Loss] = []
        self._arrivals: deque[tuple[float, float]] = deque(maxlen=3)
        """When the last chunks of this connection had come, and how long they are."""

    @property
    def has_losses(self) -> bool:
        return bool(self._losses)

    def connect(self) -> None:
        """Another connection: what comes over it says nothing of how the last one flowed."""
        self._arrivals.clear()

    def step(self, by_s: float) -> None:
        """Our clock was set."""
        if self._until is not None:
            self._until += timedelta(seconds=by_s)

    # -- what is missing ----------------------------------------------------------------------------------------------

    def lose(self, loss: Loss) -> None:
        """A stretch is missing here, merged with its like."""
        if self._losses and self._losses[-1].take(loss):
            return
        if loss.missing_s is None and any(each.missing_s is None and each.scope == loss.scope for each in self._losses):
            return  # an open loss is running already: its first cause stands
        self._losses.append(loss)

    def mend(self) -> None:
        """Nothing is known to be lost since the last chunk: all that the source has came again, or it never came back."""
        self._losses = [loss for loss in self._losses if loss.missing_s is not None]

    def forget(self) -> None:
        """Somebody else tells what is missing behind the last chunk."""
        self._losses.clear()

    def settle(self, span: Span, scope: TrackScope, away_s: float) -> None:
        """After a drop the source's own clock tells what is missing, if it went on running; nothing, if it continues."""
        if span.source_s is None or self._source_until is None:
            return
        missing = span.source_s - self._source_until
        for loss in [loss for loss in self._losses if loss.missing_s is None and loss.scope == scope]:
            goes_on = abs(missing) <= _CONTINUES_S
            if goes_on and not span.lost_s:
                self._losses.remove(loss)
            elif goes_on or 0 < missing < away_s + _CLOCK_SLACK_S:
                loss.missing_s = max(missing, span.lost_s)
            else:
                continue
            sound_s = span.sound_lost_s - (loss.missing_s or 0.0)
            if scope == "all" and sound_s > _NEW_S:
                self.lose(Loss(loss.code, loss.why, sound_s, None, None, "audio"))

    def look_for_jump(self, span: Span, now: float) -> None:
        """Whether the source was away while the connection stood: its clock jumped, and for a while nothing came."""
        self._arrivals.append((now, span.duration_s))
        if span.source_s is None or self._source_until is None or self._losses or len(self._arrivals) < 2:
            return
        jumped = span.source_s - self._source_until
        if abs(jumped) < _JUMP_S:
            return
        quiet = sum(max(0.0, late - before - took) for (before, _), (late, took) in pairwise(self._arrivals))
        missing = min(jumped, quiet) if jumped > 0 else quiet
        if missing >= _JUMP_S:
            why = f"nothing came for {quiet:.1f} s, and then the source's clock had jumped by {jumped:+.1f} s"
            self.lose(Loss(GapCode.UPSTREAM_JUMP, why, missing, None, None, "all"))

    def take_gaps(self, at_s: float, until: datetime) -> list[Gap]:
        """What is missing before a chunk that was on air at `until`, and stands at `at_s` in its file."""
        if not self._losses:
            return []
        starts = dict.fromkeys(("all", "audio"), self._until or self._began)
        losses, self._losses = self._losses, []
        gaps: list[Gap] = []
        for loss in losses:
            start = max(starts[loss.scope], (self._until or self._began) + timedelta(seconds=loss.ahead_s))
            missing = loss.missing_s
            if missing is None:
                missing = max(0.0, (until - start).total_seconds())
            end = start + timedelta(seconds=missing)
            if not self.goes_by:
                start = end = until
            elif not self._is_dated and end > until:
                end = until
                start = start if start < end else end - timedelta(seconds=missing)  # what we had came ahead of its time
            which = (loss.first_sequence, loss.last_sequence, loss.scope)
            gaps.append(Gap(at_s + loss.ahead_s, loss.code, loss.why, start, end, missing, *which))
            starts[loss.scope] = end
        return gaps

    # -- what came ----------------------------------------------------------------------------------------------------

    def wall_of(self, note: SegmentNote, span: Span, came: datetime) -> datetime:
        """When a chunk was on air, if the source tells; else when it came, less its length."""
        self._is_dated |= note.wall is not None
        self.goes_by = self._is_dated or note.sequence is None
        if note.wall is not None:
            return note.wall
        wall, before = came - timedelta(seconds=span.duration_s), self._until
        if before is None or (self._losses and self.goes_by):
            return wall
        if not self._is_dated:  # a file, or a burst at the start, comes faster than it plays; it is not ahead of us
            before = min(before, came)
        return max(wall, before)  # arrival jitters; the programme does not go back in time

    def follow(self, chunk: Chunk, span: Span, on_air_s: float) -> None:
        """This chunk of all tracks is kept."""
        self._until = chunk.wall + timedelta(seconds=on_air_s)
        self._source_until = None if span.source_s is None else span.source_s + span.duration_s

    def take_back(self, chunk: Chunk) -> None:
        """The last chunk is void: a whole copy of it follows."""
        self._until = chunk.wall
        self.mend()
