"""One shaper joined to a tape: bytes from the network in, chunks on the tape out."""

from __future__ import annotations

from collections.abc import Callable

from ouzel.base.errors import MediaError
from ouzel.engine.programme import SegmentNote
from ouzel.engine.tape import Tape
from ouzel.formats.shape import Buffer, Edge, Head, Op, Shaper, Span, TakeBack
from ouzel.model.events import EventCode
from ouzel.model.flow import TrackScope

_NO_NOTE = SegmentNote()
_LINK_BYTES = 16  # what a container writes behind a chunk once it sees the next (FLV: the size of the last tag)


class TapeFull(MediaError):
    """Not a failure: the length that was asked for is on the tape. Raised to leave the reader's callback."""

    code = "tape_full"


class Stuck(MediaError):
    """The server sends the same pictures again and again: the connection is dropped."""

    code = "stuck"


ChunkCheck = Callable[[Span], None]
"""Looks at a chunk before it is committed; may raise to have it taken back."""


class Intake:
    """Takes the pieces that a reader receives.

    In a segmented stream the source calls `finish` at the end of each segment, or `abandon` to try it again. In a continuous
    one chunks are committed as their edges pass by, and `finish` is called when the connection ends.
    """

    __slots__ = (
        "_batch",
        "_before",
        "_came",
        "_ending",
        "_heads",
        "_now",
        "_shaper",
        "_tape",
        "check",
        "committed",
        "continuous",
        "last",
        "note",
        "opened",
        "scope",
    )

    def __init__(
        self,
        shaper: Shaper,
        tape: Tape,
        *,
        continuous: bool,
        scope: TrackScope = "all",
        check: ChunkCheck | None = None,
    ) -> None:
        self._shaper = shaper
        self._tape = tape
        self.check = check
        self._batch: list[Buffer] = []
        self._ending = False
        self._came: float | None = None
        self._before: float | None = None
        self._now = tape.now
        self._heads = 0
        self.scope: TrackScope = scope
        self.continuous = continuous
        self.note = _NO_NOTE
        self.committed = 0
        """Chunks committed through this intake."""
        self.last: Span | None = None
        self.opened = False
        """The stream has said what it is: there was a Head."""

    @property
    def superseded(self) -> bool:
        """Another one's media has come since: what is on the tape now is not what this one would go on with."""
        return self.opened and self._heads != self._tape.heads

    def take(self, piece: memoryview) -> None:
        """Bytes as they arrive. Raises: FormatError, Unsupported, StorageError, TapeFull, Stuck."""
        self._tape.counters.received += len(piece)
        batch, first = self._batch, True
        try:
            for op in self._shaper.feed(piece):
                if isinstance(op, (Head, Edge, TakeBack)):
                    late = first and sum(map(len, batch)) <= _LINK_BYTES  # whole but for it, before this piece came
                    self._came, first = self._before if late else None, False
                    self._flush()
                    self._act(op)
                else:
                    batch.append(op)
        finally:  # also when the shaper gives up in the middle: the buffer is another channel's after this call
            self._came, self._before = None, self._now()
            if batch:
                self._flush()

    def finish(self, *, broken: bool = False, came: float | None = None) -> Span | None:
        """The segment or connection is over: commit what is whole. Returns the span of the last chunk, None if there was none.

        `broken`: the source may not end here (see `Shaper.cut`).
        `came`: monotonic time of the last byte; None: when it was taken. A connection that stalls is given up much later.
        """
        self.last = None
        self._came = self._before if came is None else came
        self._ending = True
        # the last chunk may be partial: a file is not split behind it, it may be taken back
        for op in self._shaper.cut(broken=broken):
            if isinstance(op, (Head, Edge, TakeBack)):
                self._flush()
                self._act(op)
            else:
                self._batch.append(op)
        self._flush()
        self._ending = False
        self._came = None
        return self.last

    def abandon(self) -> None:
        """Forget the chunk in progress."""
        self._ending = False
        self._came = None
        self._batch.clear()
        self._shaper.rollback()
        self._tape.rollback()

    def splice(self) -> None:
        """What follows does not continue what came before."""
        self._batch.clear()
        self._shaper.splice()

    def split(self) -> None:
        """Go on in a new file, at this edge."""
        self._begin(self._shaper.restart())

    def _begin(self, head: Head) -> None:
        self._tape.head(head)
        self._heads = self._tape.heads

    def _act(self, op: Op) -> None:
        match op:
            case Edge(span):
                self._edge(span)
            case Head():
                self.opened = True
                self._begin(op)
            case _:
                self._tape.take_back()

    def _edge(self, span: Span) -> None:
        tape = self._tape
        if span.replay:
            tape.rollback()
            tape.counters.replays += 1
            tape.counters.replayed_s += span.duration_s
            tape.emit(EventCode.REPLAY_DROPPED, seconds=round(span.duration_s, 3))
        else:
            if span.excess:
                if span.excess >= tape.pending:
                    tape.rollback()
                    return
                tape.trim(span.excess)
            if self.check is not None:
                self.check(span)
            if not tape.pending:  # sound that was woven into another lane's chunks
                self.last = span
                return
            tape.commit(span, self.note, scope=self.scope, came=self._came)
            self.committed += 1
            self.last = span
        if span.damage == "stuck":
            raise Stuck("the server repeats the same pictures")
        if self.continuous:
            if tape.full:
                raise TapeFull("the length that was asked for is recorded")
            if tape.due_for_split() and not self._ending:
                self.split()

    def _flush(self) -> None:
        if self._batch:
            try:
                self._tape.write(self._batch)
            finally:
                self._batch.clear()
