"""Which shaper reads a lane: found by the first bytes of its segments."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ouzel.base.errors import StorageError, Unsupported
from ouzel.engine.intake import Intake
from ouzel.engine.programme import SegmentNote
from ouzel.engine.sources.hls.lane import Lane
from ouzel.engine.sources.segment_kind import SegmentKind, kind_of_segment
from ouzel.engine.sources.shapers import SEGMENTS
from ouzel.engine.tape import Tape
from ouzel.formats.shape import Shaper

if TYPE_CHECKING:
    from ouzel.formats.fmp4 import Fmp4Pair
    from ouzel.formats.mpegts import TsPair


class LaneShapers:
    """Makes a lane's intake when its first bytes are there, and a new one when the container changes."""

    def __init__(self, tape: Tape) -> None:
        self._tape = tape
        self._kinds: dict[str, SegmentKind] = {}
        self._paired = False
        self._pair: Fmp4Pair | TsPair | None = None
        self._weaving: TsPair | None = None

    def pair(self) -> None:
        """There are two lanes, that write into one file."""
        self._paired = True

    def intake_for(self, lane: Lane, first: bytes) -> Intake:
        """The lane's intake. Raises: NotMedia; Unsupported for a picture and a sound that cannot share a file."""
        kind = kind_of_segment(first)
        if lane.intake is None or kind != self._kinds.get(lane.scope):
            shaper = self._paired_shaper(lane, kind) if self._paired else SEGMENTS[kind]()
            lane.intake = Intake(shaper, self._tape, continuous=False, scope=lane.scope)
            self._kinds[lane.scope] = kind
        return lane.intake

    @property
    def weaves(self) -> bool:
        """Sound waits for its pictures, and comes out between them: it goes into the file in which they are."""
        return self._weaving is not None

    def split(self, lanes: Sequence[Lane]) -> None:
        """Go on in a new file. It is the main lane's shaper that opens it. Raises: StorageError."""
        if lanes[0].intake is not None:
            self.flush(lanes)
            lanes[0].intake.split()
            for lane in lanes:
                lane.end_s = None

    def flush(self, lanes: Sequence[Lane], *, over: bool = False) -> None:
        """Write the sound that came later than its pictures; when the show is `over`, all that waits. Raises: StorageError."""
        if self._weaving is None or not lanes or (intake := lanes[0].intake) is None:
            return
        if over:
            self._weaving.finish()
        intake.note, intake.check = SegmentNote(), None
        try:
            intake.finish()
        except StorageError:
            intake.abandon()
            raise

    def _paired_shaper(self, lane: Lane, kind: SegmentKind) -> Shaper:
        if self._pair is None:
            self._pair = self._pair_of(kind)
        if (self._pair.main.container == "mp4") != (kind == "mp4") or (lane.scope == "all" and kind == "packed"):
            kinds = " and ".join(sorted({kind, *self._kinds.values()}))
            raise Unsupported(f"picture and sound come in containers that cannot share a file: {kinds}")
        return self._pair.main if lane.scope == "all" else self._pair.extra

    def _pair_of(self, kind: SegmentKind) -> Fmp4Pair | TsPair:
        if kind == "mp4":
            from ouzel.formats.fmp4 import Fmp4Pair

            return Fmp4Pair()
        from ouzel.formats.mpegts import TsPair

        self._weaving = TsPair()
        return self._weaving
