"""The shaper for fragmented MP4: init segments and media segments go in, the bytes of one file per set of tracks come out.

Of the top-level boxes, `moof` is held until it is whole (bounded), rewritten and handed on; the payload of `mdat` is handed on
as it arrives. `styp`, `emsg`, `prft` and the like pass; `sidx`, `ssix` and `mfra` go, since their offsets are wrong in one
long file (and ffmpeg stops reading where a sidx says that the media end). `ftyp` and `moov` begin a new head unless they say
the same as before.

A fragment counts once its data are there: when a segment ends too early, what was handed on of the last one is `Span.excess`.
An Edge counts once the iterator is advanced past it: a consumer that refuses the chunk leaves it there and calls `rollback`.

A fragment whose moof was kept before is a chunk of its own until its data are there: if they are the same, too, the Edge says
`replay`, and the shaper goes on as if it had not come.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from ouzel.base.errors import FormatError, IndexAtEnd, MediaError, TooLarge
from ouzel.formats.fmp4.boxes import name_of, u32
from ouzel.formats.fmp4.file import KIND_ORDER, File, FileState
from ouzel.formats.fmp4.fragment import Fragment, build_moof, parse_moof
from ouzel.formats.fmp4.moov import parse_init
from ouzel.formats.fmp4.place import Placed, place_fragment
from ouzel.formats.fmp4.replay import Print, ReplayMemory
from ouzel.formats.fmp4.timeline import TimelineState
from ouzel.formats.shape import Container, Edge, Head, KeyPoint, Op, SpanBuilder

Mode = Literal["segments", "continuous"]
BOX_LIMIT = 8 << 20
"""Bytes of any box but mdat."""
_SHORT_CHUNK_S, _LONG_CHUNK_S = 1.0, 10.0
_HELD = frozenset({b"ftyp", b"moov", b"moof"})
_INDEXES = frozenset({b"sidx", b"ssix", b"mfra"})
_PASSED = frozenset({b"styp", b"emsg", b"prft", b"free", b"skip", b"uuid", b"wide", b"pdin", b"meta", b"udta"})
_KNOWN = _HELD | _INDEXES | _PASSED | {b"mdat"}


@dataclass(slots=True)
class _Pending:
    """A fragment whose moof was handed on and whose data are still coming."""

    before: TimelineState
    placed: Placed
    offset: int
    """Of its moof in the chunk."""
    needed: int
    """Bytes from the start of the moof, as it came, to the end of its data."""
    seen: int
    known: Print | None
    """None where replays are not looked for."""


class Fmp4Shaper:
    """Implements `ouzel.formats.shape.Shaper`.

    Feed the init segment and then the media segments, `cut()` after each media segment (after an init segment it does no harm).
    A `Head` is also a point to which `rollback` returns: an init segment that was taken stays taken. After an error was
    raised the rest of the segment is ignored until `cut`, `splice` or `rollback`.

    Args:
        mode: `segments`: a chunk ends where `cut` is called. `continuous`: also before a fragment that starts with a key
            frame, if the chunk has at least 1 s, and before any after 10 s; garbage is always an error, since nobody will
            say where to go on.
        limit: bytes of a box other than mdat; beyond, TooLarge is raised.
        tolerance_s: forward jumps of the time stamps up to this are kept.
        back_s: backward ones up to this count as overlap.
        replays: fragments that are remembered, to recognise those that a server sends again after a reconnect. 0: none is
            taken for a replay, as for reading a finished file.
        file, index: given by `Fmp4Pair`, where two shapers write into one file.
    """

    container: Container = "mp4"

    def __init__(
        self,
        *,
        mode: Mode = "segments",
        limit: int = BOX_LIMIT,
        tolerance_s: float = 1.0,
        back_s: float = 0.5,
        replays: int = 0,
        file: File | None = None,
        index: int = 0,
    ) -> None:
        self._continuous = mode == "continuous"
        self._limit = limit
        self._file = file or File(1, forward_s=tolerance_s, back_s=back_s)
        self._index = index
        self._ftyp = b""
        self._memory = ReplayMemory(replays)
        self._start: FileState | None = None  # as it was before the present chunk; None between chunks
        self._begin_box()
        self._begin_chunk()

    def feed(self, piece: memoryview) -> Iterator[Op]:
        if not self._fragments and not self._span.emitted:  # the other input may have gone on since the last feed
            self._start = self._file.save()
        at, end = 0, len(piece)
        while at < end and not self._deaf:
            if self._left:
                taken = piece[at : at + self._left]
                at += len(taken)
                yield from self._stream(taken)
            else:
                taken = piece[at : at + self._want - len(self._carry)]
                self._carry += taken
                at += len(taken)
                if len(self._carry) == self._want:
                    yield from self._advance()
            if self._replayed is not None:
                yield from self._drop_replay(self._replayed)
        if at < end:
            self._span.dropped_bytes += end - at

    def cut(self, *, broken: bool = False) -> Iterator[Op]:
        short = bool(self._carry or self._left)
        self._span.dropped_bytes += len(self._carry)
        if self._pending and self._pending.seen < self._pending.needed:
            short = True
            self._file.timeline.restore(self._pending.before)
            self._file.sequence -= 1
            self._pending = None
        self._begin_box()
        if short and not broken and not self._span.damage:
            self._span.damage = "truncated"
        yield from self._end_chunk(short=short)

    def splice(self) -> None:
        self._begin_box()
        self._memory.splice()
        self._file.timeline.splice(self._file.ids(self._index).values(), leads=self._leads)

    def rollback(self) -> None:
        if self._start is not None:
            self._file.restore(self._start)
        self._begin_box()
        self._begin_chunk()

    def restart(self) -> Head:
        return self._file.restart()

    @property
    def _leads(self) -> bool:
        return self._index == 0

    def _begin_box(self) -> None:
        """Expect a box header; whatever was carried is gone."""
        self._carry = bytearray()
        self._want = 8  # bytes that `_carry` is to reach
        self._held = False  # `_want` is a whole box
        self._left = 0  # bytes still to come of a box that is not held
        self._keep = False  # they are handed on
        self._orphan = False  # they are media that belong to no fragment
        self._last = False  # it reaches to the end of the segment
        self._deaf = False  # nothing more is taken until the segment ends

    def _begin_chunk(self) -> None:
        self._start = None
        self._span = SpanBuilder()
        self._pending: _Pending | None = None
        self._prints: list[Print] = []  # of its whole fragments
        self._suspect = False  # its fragment says of itself what one that was kept said
        self._replayed: Print | None = None  # and so do the data
        self._whole = 0  # bytes handed on up to the end of the last whole fragment
        self._beside_s: dict[int, float] = {}  # length of the other tracks
        self._fragments = 0  # seen, be they whole or not
        self._boxes = 0

    # ------------------------------------------------------------------ boxes

    def _stream(self, taken: memoryview) -> Iterator[Op]:
        self._left -= len(taken)
        if self._keep:
            self._span.emitted += len(taken)
            if self._pending and self._pending.known:
                self._pending.known.add(taken)
            yield taken
        elif self._orphan:
            self._span.dropped_bytes += len(taken)
        self._count(len(taken))
        self._deaf = self._last and not self._left

    def _count(self, size: int) -> None:
        """So many bytes of the source went by behind the last moof."""
        pending = self._pending
        if pending:
            pending.seen += size
            if pending.seen >= pending.needed and not self._left:
                self._settle(pending)

    def _advance(self) -> Iterator[Op]:
        """`_carry` holds what was wanted: a header, or a whole box."""
        data = bytes(self._carry)
        if self._held:
            kind = data[4:8]
            self._begin_box()
            yield from self._whole_box(kind, data)
            return
        size = int.from_bytes(data[:4], "big")
        if size == 1:
            if len(data) == 8:
                self._want = 16
                return
            size = int.from_bytes(data[8:16], "big")
        yield from self._route(data, size, endless=size == 0)

    def _route(self, header: bytes, size: int, *, endless: bool) -> Iterator[Op]:
        """Decide from its header what becomes of a box."""
        kind = header[4:8]
        self._boxes += 1
        try:
            self._check(kind, size, len(header), endless=endless)
        except (FormatError, IndexAtEnd) as refusal:
            self._refuse(refusal)
            return
        if kind in _HELD:
            self._want = size
            self._held = True
            if size == len(header):
                yield from self._advance()
            return
        self._begin_box()
        if self._file.changed:
            yield from self._open()
        if kind == b"mdat":
            yield from self._begin_mdat(header, size, endless=endless)
            return
        if kind in _INDEXES and self._pending:  # data offsets count over it: it must keep its place
            header = header[:4] + b"free" + header[8:]
        self._keep = self._file.head is not None and (kind not in _INDEXES or self._pending is not None)
        self._left = size - len(header)
        yield from self._hand_on_header(header)

    def _check(self, kind: bytes, size: int, header: int, *, endless: bool) -> None:
        if self._boxes == 1 and kind not in _KNOWN:
            raise FormatError("not an MP4 segment", found=name_of(kind))
        if not all(0x20 <= byte < 0x7F or byte == 0xA9 for byte in kind):
            raise FormatError("garbage between boxes", found=name_of(kind))
        if endless and kind != b"mdat":
            raise FormatError(f"box {name_of(kind)} without a size")
        if size < header and not endless:
            raise FormatError(f"box {name_of(kind)} of {size} bytes")
        if size > self._limit and kind != b"mdat":
            raise TooLarge(f"box {name_of(kind)} of {size} bytes", size=size, limit=self._limit)
        if kind in {b"moof", b"mdat"} and self._file.head is None and not self._file.changed:
            if kind == b"mdat" and self._continuous:  # a plain file: its moov comes later
                raise IndexAtEnd("the index (moov) of this MP4 stands behind its media", media_bytes=size)
            raise FormatError("media without an init segment")

    def _begin_mdat(self, header: bytes, size: int, *, endless: bool) -> Iterator[Op]:
        pending = self._pending
        if pending is None:  # nothing refers to it
            self._left = max(0, size - len(header))
            self._orphan = True
            self._deaf = endless
            self._span.dropped_bytes += len(header)
            return
        if endless:  # it has an end in our file: where the data that its fragment speaks of end
            size = max(8, pending.needed - pending.seen)
            header = u32(size) + b"mdat"
            self._last = True
        self._keep = True
        self._left = size - len(header)
        yield from self._hand_on_header(header)

    def _hand_on_header(self, header: bytes) -> Iterator[Op]:
        if self._keep:
            self._span.emitted += len(header)
            yield header
        self._count(len(header))

    def _whole_box(self, kind: bytes, data: bytes) -> Iterator[Op]:
        if kind == b"ftyp":
            self._ftyp = data
        elif kind == b"moov":
            yield from self._take_init(data)
        else:
            if self._file.changed:
                yield from self._open()
            yield from self._take_fragment(data)

    def _refuse(self, refusal: FormatError | IndexAtEnd) -> None:
        """Garbage. What was whole before it is kept; without any, and for what is too large, the caller hears of it."""
        self._span.dropped_bytes += len(self._carry)
        self._begin_box()
        self._deaf = True
        self._span.damage = "garbage"
        if not self._fragments or self._continuous or isinstance(refusal, TooLarge):
            raise refusal

    # ------------------------------------------------------------------ heads

    def _take_init(self, moov: bytes) -> Iterator[Op]:
        try:
            self._file.take(self._index, parse_init(self._ftyp, moov))
        except MediaError:
            self._deaf = True
            raise
        if self._file.changed and not self._file.is_shared:
            yield from self._open()

    def _open(self) -> Iterator[Op]:
        yield from self._drop_pending()
        yield from self._end_chunk()
        yield self._file.open()
        self._start = self._file.save()

    # -------------------------------------------------------------- fragments

    def _take_fragment(self, moof: bytes) -> Iterator[Op]:
        init = self._file.inits[self._index]
        try:
            if init is None:
                raise FormatError("media without an init segment")
            fragment = parse_moof(moof, init.trex)
        except FormatError as refusal:
            self._refuse(refusal)
            return
        yield from self._drop_pending()
        tracks = {t.track.id: t for t in init.tracks}
        fragment.trafs.sort(key=lambda traf: KIND_ORDER[tracks[traf.track].track.kind])
        known = self._print_of(moof, fragment)
        suspect = known is not None and (self._memory.knows(known) or any(known.moof == p.moof for p in self._prints))
        if self._fragments and (self._suspect or suspect or self._ends_before(fragment)):
            yield from self._end_chunk()
            self._start = self._file.save()
        self._suspect = suspect
        self._fragments += 1
        before, ids = self._file.timeline.save(), self._file.ids(self._index)
        placed = place_fragment(
            fragment, self._file.timeline, tracks, ids, leading=self._file.leading(self._index), leads=self._leads
        )
        if not placed.times:  # nothing is in it, or nothing is left of it: its mdat goes as well
            self._span.dropped_bytes += len(moof)
            return
        self._file.sequence += 1
        self._pending = _Pending(before, placed, self._span.emitted, fragment.data_end, len(moof), known)
        built = build_moof(fragment, self._file.sequence, placed.times, ids)
        self._span.emitted += len(built)
        yield built

    def _print_of(self, moof: bytes, fragment: Fragment) -> Print | None:
        """None where replays are not looked for, and for a fragment that does not say when it is."""
        if not self._memory.enabled or any(traf.time is None for traf in fragment.trafs):
            return None
        return Print(moof)

    def _drop_replay(self, known: Print) -> Iterator[Op]:
        """The fragment that makes up this chunk was kept before: it is as if it had not come."""
        assert self._start is not None
        span, start = self._span, self._start
        if self._memory.drop(known):
            span.damage = "stuck"
        edge = Edge(span.build(start.ends_s[self._index], self._file.ends_s[self._index], replay=True))
        self._file.restore(start)
        self._file.timeline.splice(self._file.ids(self._index).values(), leads=self._leads)
        self._begin_chunk()
        self._start = self._file.save()
        yield edge

    def _ends_before(self, fragment: Fragment) -> bool:
        """Whether, in a stream without segments, this fragment begins another chunk."""
        if not self._continuous or self._start is None or not fragment.trafs:
            return False
        first = fragment.trafs[0]
        if self._file.ids(self._index)[first.track] != self._file.leading(self._index):
            return False
        duration_s = self._file.ends_s[self._index] - self._start.ends_s[self._index]
        return duration_s >= (_SHORT_CHUNK_S if first.runs[0].first_is_sync else _LONG_CHUNK_S)

    def _drop_pending(self) -> Iterator[Op]:
        """The data of the fragment before have ended too early, and others follow: they are in the file, and marked."""
        if self._pending:
            self._span.damage = self._span.damage or "truncated"
            self._settle(self._pending)
        if self._replayed is not None:  # as short as it was before
            yield from self._drop_replay(self._replayed)

    def _settle(self, pending: _Pending) -> None:
        """All data of the fragment were handed on."""
        span, placed, known = self._span, pending.placed, pending.known
        self._pending = None
        if known is not None:
            self._prints.append(known)
            if self._suspect and self._memory.is_replay(known):
                self._replayed = known
        self._whole = span.emitted
        if placed.frames and not span.frames:
            span.independent = placed.is_sync
        if span.source_s is None:
            span.source_s = placed.source_s
        span.frames += placed.frames
        for track, length_s in placed.beside_s.items():
            self._beside_s[track] = self._beside_s.get(track, 0.0) + length_s
        if placed.frames and placed.is_sync and self._leads:  # the chunks of another input are no place to begin
            span.keys.append(KeyPoint(pending.offset, placed.shown_s))
        if placed.end_s is not None:
            self._file.ends_s[self._index] = max(self._file.ends_s[self._index], placed.end_s)

    def _end_chunk(self, *, short: bool = False) -> Iterator[Op]:
        span = self._span
        if span.emitted:
            end_s = self._file.ends_s[self._index]
            start_s = self._start.ends_s[self._index] if self._start else end_s
            if not self._fragments:
                span.damage = span.damage or "no_media"
            span.beside_s = max(self._beside_s.values(), default=0.0)
            span.repairs.extend(self._file.take_repairs())
            yield Edge(span.build(start_s, end_s, excess=span.emitted - self._whole if span.damage or short else 0))
            for known in self._prints:
                self._memory.keep(known)
        self._begin_chunk()
