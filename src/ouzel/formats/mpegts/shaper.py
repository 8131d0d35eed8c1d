"""The shaper for transport streams: segments or an endless stream go in, the bytes of one file per set of tracks come out.

Packets pass as they are, in runs, without a loop over them. Looked at are only those in which a unit or a table starts; they are
found by strided slices of the headers. Where time stamps must move, these and the packets with a clock reference are patched.

A shaper is in one of two states. *Opening*: packets are held until a `Scout` knows the tracks; at the start, after a splice,
and where a unit or the PMT shows that the tracks change. *Flowing*: everything else; see `flow.py`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal, NamedTuple

from ouzel.base.errors import FormatError
from ouzel.formats.mpegts.flow import Flow, FlowState
from ouzel.formats.mpegts.framing import Framer
from ouzel.formats.mpegts.lanes import differ
from ouzel.formats.mpegts.limits import Limits
from ouzel.formats.mpegts.packets import SIZE
from ouzel.formats.mpegts.psi import Tables
from ouzel.formats.mpegts.region import without
from ouzel.formats.mpegts.replay import Opening, ReplayMemory, Sight, first_sight
from ouzel.formats.mpegts.scout import Scout
from ouzel.formats.mpegts.weave import Weaver, WeaverState
from ouzel.formats.shape import Container, Edge, Head, Op, Span, TakeBack

Mode = Literal["segments", "continuous"]

_SAME_S = 0.1
"""By which two takes of the same stretch may differ in length: the last picture of one that is cut is estimated."""


class _State(NamedTuple):
    spacing: int
    opening: bool
    spliced: bool
    opened: bool
    flow: FlowState
    woven: WeaverState | None


class _Partial(NamedTuple):
    """The chunk with which the last connection ended, as long as it may be taken back."""

    opening: Opening
    frames: int
    before: FlowState


class TsShaper:
    """Implements `ouzel.formats.shape.Shaper`.

    Of several programmes the first that has a picture is followed (`program` says which); the packets of all are kept.

    Args:
        mode: `segments`: chunks end at `cut`. `continuous`: they end in front of a random access point of the picture.
        min_chunk_s: `continuous`: length from which a chunk may end. It is short, because groups of pictures that share a chunk
            are not told apart when they come again.
        sound_chunk_s: the same for sound alone.
        max_chunk_s: `continuous`: without a random access point for so long, a chunk ends at any unit, and the next is not
            independent.
        tolerance_s: steps of a track's time stamps up to this are holes, and stay; beyond, they are jumps. None: 1 s in
            `continuous`, 10 s in `segments`.
        backward_s: the same for steps back.
        replays: `continuous`: chunks that are remembered, to recognise those that a server sends again after a reconnect. They
            are marked `replay`, and a chunk that was cut off by the end of the connection and comes again is announced by
            `TakeBack`. 0: nothing is taken for a replay.
        hold_bytes: held at most while a decision about tracks is pending.
        hold_s: media time for which a track is waited for.
        search_limit: bytes in a row without packets after which FormatError is raised.
        weaver: adds packets to those that are fed (`TsPair`).
    """

    container: Container = "ts"

    def __init__(
        self,
        mode: Mode = "segments",
        *,
        min_chunk_s: float = 0.5,
        sound_chunk_s: float = 1.9,
        max_chunk_s: float = 10.0,
        tolerance_s: float | None = None,
        backward_s: float = 0.5,
        replays: int = 64,
        hold_bytes: int = 512 * 1024,
        hold_s: float = 3.0,
        search_limit: int = 256 * 1024,
        weaver: Weaver | None = None,
    ) -> None:
        continuous = mode == "continuous"
        if tolerance_s is None:
            tolerance_s = 1.0 if continuous else 10.0
        self._limits = Limits(continuous, min_chunk_s, sound_chunk_s, max_chunk_s, max(1, hold_bytes // SIZE))
        self._hold_s = hold_s
        self._framer = Framer(search_limit)
        self._weaver = weaver
        self._tables = Tables()
        self._memory = ReplayMemory(replays if continuous else 0)
        self._flow = Flow(self._tables, self._limits, self._memory, tolerance_s, backward_s)
        self._held = bytearray()
        self._held_headers = bytearray()
        self._scout: Scout | None = self._new_scout()
        self._spliced = False
        self._opened = False
        self._partial: _Partial | None = None
        self._kept = (0.0, -1.0)  # from when to when the last chunk lasts, by the source's clock
        self.torn_bytes = 0
        """Of an incomplete packet behind the chunk that the last `cut` ended; its Span counts them as dropped."""
        self._save_all()

    @property
    def program(self) -> int | None:
        """Number of the programme that is followed; None until it is known."""
        return self._tables.program.number if self._tables.program else None

    @property
    def position_s(self) -> float:
        """Media time of the file up to the last edge."""
        return self._flow.time.position_s

    @property
    def bad_sections(self) -> int:
        """Table sections that were ignored because their CRC is wrong."""
        return self._tables.bad_sections

    # -- the contract -------------------------------------------------------------------------------------------------

    def feed(self, piece: memoryview) -> Iterator[Op]:
        """Take the next bytes. Raises: FormatError; Encrypted; Unsupported."""
        blocks = None if self._weaver is not None else self._framer.straight(piece)
        for block, headers in self._framer.push(piece) if blocks is None else blocks:
            if self._framer.dropped:
                yield from self._break()
            if self._weaver is not None:
                for woven in self._weaver.push(block, headers):
                    yield from self._take(*woven, final=False)
            elif self._held or self._scout is not None or not self._flow.glide(block, headers):
                yield from self._take(block, headers, final=False)
            else:
                yield block
        if self._framer.dropped:
            yield from self._break()

    def cut(self, *, broken: bool = False) -> Iterator[Op]:
        """The segment, the file or the connection ended here. Raises: like `feed`."""
        flow, self.torn_bytes = self._flow, 0
        for block, headers in self._framer.end():
            woven = self._weaver.push(block, headers) if self._weaver else ((block, headers),)
            for part in woven:
                yield from self._take(*part, final=False)
        for part in self._weaver.end() if self._weaver else ():
            yield from self._take(*part, final=False)
        torn = self._framer.torn
        self._framer.dropped -= torn  # the beginning of a packet is no garbage
        if self._framer.dropped:
            yield from self._break()
        if self._held:
            yield from self._take(memoryview(b""), b"", final=True)
        flow.time.span.dropped_bytes += torn
        self.torn_bytes = torn
        opening, replayed, size, units = flow.opening, flow.replayed, flow.time.span.emitted, flow.time.units
        lead_in = flow.lead_in
        span = flow.finish(torn=torn > 0, broken=broken)
        if span is None:
            return
        again = replayed is not None and span.frames <= replayed.frames
        if lead_in:  # without any key frame: it is the rest of the last chunk once more, or goes on behind it
            (since, until), (begins, ends) = self._kept, _source_of(span)
            again = again or since <= begins <= ends <= until + _SAME_S
        if self._partial is not None and not units:  # a connection that brought tables only
            span = span._replace(excess=size)
        yield Edge(span._replace(replay=True) if again else span)
        if again or span.excess == size:  # nothing is left of it
            left_out: Mapping[int, int] = {} if again else flow.time.left_out
            self._return()
            flow.time.left_out = {**left_out, **flow.time.left_out}
            return
        self._partial = _Partial(opening, span.frames, self._mark) if opening is not None else None
        self._kept = _source_of(span)
        self._save_all()

    def splice(self) -> None:
        self._drop_carried()
        self._framer.reset(self._framer.spacing)
        self._tables.forget_partials()
        if self._weaver is not None:
            self._weaver.splice()
        self._flow.splice()
        self._scout = self._new_scout()
        self._spliced = self._flow.time.started
        self._save_all()

    def rollback(self) -> None:
        self._drop_carried()
        self._framer.reset(self._saved.spacing)
        self._framer.dropped = 0
        self._return()

    def restart(self) -> Head:
        if not self._opened:
            raise ValueError("there is no file to go on from")
        head = self._head(self._flow.restart())
        self._partial = None
        self._save_all()
        return head

    def blame(self, damage: str, dropped_bytes: int) -> None:
        """Bytes were lost on the way to this shaper: the chunk's Span will say so. `damage`: `garbage` or `truncated`."""
        self._flow.time.span.dropped_bytes += dropped_bytes
        self._flow.time.blame(damage)

    # -- inside -------------------------------------------------------------------------------------------------------

    def _take(self, block: memoryview, headers: bytes, *, final: bool) -> Iterator[Op]:
        """Packets go through the scout, when the shaper is opening, and then through the flow; some may be held."""
        if self._held:
            self._held += block
            self._held_headers += headers
            block, headers = memoryview(self._held), bytes(self._held_headers)
        while True:
            if self._scout is not None:
                if not self._scout.look(block, headers, final=final):
                    break
                if not self._scout.finish():
                    if not final:
                        raise FormatError("this transport stream has no programme", searched=len(block))
                    self._flow.time.span.dropped_bytes += len(block)
                    block, self._scout = block[:0], self._new_scout()
                    break
                if self._limits.continuous and (headless := self._scout.headless(headers)):
                    self._flow.time.span.dropped_bytes += len(headless) * SIZE
                    block, headers = without(block, headers, headless)
                sight = self._look_for_key(block, headers, self._scout, final=final)
                if sight == "more":
                    break
                opening = None if sight == "none" else sight
                partial = self._partial
                if partial is not None and self._comes_again(partial, opening, self._scout):
                    yield from self._take_back(partial)
                    passed = opening.at if opening is not None and not partial.opening.at else 0
                    self._flow.time.span.dropped_bytes += passed * SIZE
                    block, headers = block[passed * SIZE :], headers[passed * 4 :]
                    continue
                yield from self._open(self._scout, opening)
            for op in self._flow.run(block, headers, final=final):
                yield op
                if isinstance(op, Edge) and not op.span.replay:  # the consumer has not refused it
                    self._partial, self._kept = None, _source_of(op.span)
                    self._save_all()
            stop = self._flow.stop
            if stop is None:
                block = block[:0]
                break
            block, headers = block[stop.at * SIZE :], headers[stop.at * 4 :]
            if not stop.opening:
                break
            if stop.replay:
                self._return()
            self._scout = self._new_scout()
        if len(block) != len(self._held):
            self._held, self._held_headers = bytearray(block), bytearray(headers[: len(block) // SIZE * 4])

    def _look_for_key(self, block: memoryview, headers: bytes, scout: Scout, *, final: bool) -> Sight:
        """With which key frame a chunk of an endless stream begins."""
        lead = next((pid for pid in scout.lanes if pid in scout.firsts and scout.lanes[pid].kind == "video"), None)
        if lead is None or not self._memory.enabled:
            return "none"
        return first_sight(block, headers, scout.lanes, lead, self._limits.reach, final=final)

    def _comes_again(self, partial: _Partial, opening: Opening | None, scout: Scout) -> bool:
        """Whether the chunk that the last connection broke off begins here."""
        return self._spliced and not self._is_new(scout) and partial.opening.is_whole_again(opening)

    def _take_back(self, partial: _Partial) -> Iterator[Op]:
        """The last chunk is void."""
        self._flow.take_back(partial.before)
        self._partial = None
        self._scout = self._new_scout()
        self._save_all()
        yield TakeBack()

    def _is_new(self, scout: Scout) -> bool:
        """Whether the tracks are others than those of the running file."""
        known = {pid: lane.track for pid, lane in self._flow.lanes.items() if lane.kind != "other"}
        found = {pid: lane.track for pid, lane in scout.lanes.items() if lane.kind != "other"}
        return not self._opened or known.keys() != found.keys() or any(differ(known[pid], found[pid]) for pid in found)

    def _open(self, scout: Scout, opening: Opening | None) -> Iterator[Head]:
        """The tracks are known: flow on, in a new file where they are others than before."""
        program = self._tables.program
        assert program is not None
        flow, new = self._flow, self._is_new(scout)
        data = b"" if scout.psi_first or not new else self._tables.render({**flow.out.counters.last, **scout.counters})
        flow.adopt(program, scout.lanes, new_file=new)
        flow.begin(scout, new_file=new, spliced=self._spliced)
        flow.opening = opening
        flow.replayed = self._memory.find(opening) if self._spliced and not new else None
        flow.lead_in = self._spliced and not new and opening is None and self._memory.enabled
        flow.broken_off = self._partial.opening if self._partial is not None else None
        if self._partial is not None and self._spliced and flow.replayed is None:
            self._memory.keep(self._partial.opening, self._partial.frames, opening)  # it may have been whole after all
        self._scout = None
        self._spliced = False
        self._opened = True
        if new:
            self._partial = None
            self._mark = flow.save()
            yield self._head(data)

    def _break(self) -> Iterator[Op]:
        """Bytes were dropped between packets: what is held will not be continued."""
        if self._held and self._scout is None:
            yield from self._take(memoryview(b""), b"", final=True)
        if self._framer.dropped:
            self.blame("garbage", self._framer.dropped)
        self._framer.dropped = 0

    def _head(self, data: bytes) -> Head:
        tracks = tuple(lane.track for lane in self._flow.lanes.values())
        return Head("ts", tracks, data, self._tables.render())

    def _new_scout(self) -> Scout:
        return Scout(self._tables, self._flow.lanes, self._limits.reach, self._hold_s)

    def _drop_carried(self) -> None:
        self._held, self._held_headers = bytearray(), bytearray()
        self._flow.time.drop_chunk()

    def _return(self) -> None:
        """Back to the last edge, with whatever comes next."""
        state = self._saved
        self._flow.restore(state.flow)
        if self._weaver is not None and state.woven is not None:
            self._weaver.restore(state.woven)
        self._opened, self._spliced = state.opened, state.spliced
        self._scout = self._new_scout() if state.opening else None
        self._mark = state.flow

    def _save_all(self) -> None:
        """A chunk begins here."""
        self._saved = self._save()
        self._mark = self._saved.flow

    def _save(self) -> _State:
        stop = self._flow.stop
        opening = self._scout is not None or (stop is not None and stop.opening)
        woven = self._weaver.save() if self._weaver else None
        return _State(self._framer.spacing, opening, self._spliced, self._opened, self._flow.save(), woven)


def _source_of(span: Span) -> tuple[float, float]:
    """From when to when it lasts by the source's clock; never within anything where that is not known."""
    begins = span.source_s
    return (0.0, -1.0) if begins is None else (begins, begins + span.duration_s)
