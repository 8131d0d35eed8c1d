"""`FlvShaper`: a stream of FLV tags in, a file's bytes and the edges of its chunks out.

The life of a connection: its first tags are held at the `gate` until tracks and time are known, then tags are *followed* and
handed on as they come (`follow`); behind garbage the next tag is *searched* (`search`). `chunks` says where chunks end.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass

from ouzel.base.errors import FormatError, TooLarge
from ouzel.formats.flv.amf import AmfValue, parse_metadata
from ouzel.formats.flv.chunks import Chunks, Look
from ouzel.formats.flv.gate import Gate
from ouzel.formats.flv.head import Setup, build_head
from ouzel.formats.flv.packets import PEEK, Packet, read_packet
from ouzel.formats.flv.rules import FlvRules
from ouzel.formats.flv.search import TagSearch
from ouzel.formats.flv.survey import Survey
from ouzel.formats.flv.tags import SCRIPT, SIZE, UNIT_HEADER, is_file_header, read_unit
from ouzel.formats.shape import Container, Edge, Head, Op, TakeBack

_Walk = Generator[Op, None, memoryview | None]


@dataclass(frozen=True, slots=True)
class _Stop:
    """What comes is not simply the next tag of the running file."""

    skip: int = 0
    """Bytes of it that are passed over."""
    search: bool = False
    """It is not a tag at all."""
    splice: bool = False
    """Time does not go on behind it."""
    opening: bool = False
    """It is a file header."""
    error: TooLarge | None = None
    """It is more than is allowed."""


_GARBAGE = _Stop(search=True)
_CHANGE = _Stop()
_RESTART = _Stop(4, splice=True, opening=True)


def _too_large(what: str, size: int, limit: int) -> _Stop:
    return _Stop(error=TooLarge(f"{what} too large", size=size, limit=limit))


class FlvShaper:
    """See `Shaper`. What is handed on are whole units but for the last bytes of a feed; an incomplete one at the end of the
    connection is taken back by `Span.excess`.

    After a `splice` and after a jump back of the source's clock, groups that were kept before are recognised: their Edge says
    `replay`, and the shaper goes on as if they had not come. A group that was cut off by the end of the connection and comes
    again is announced by `TakeBack`.

    With `FlvRules(replays=0)` it reads finished files: nothing is taken for a replay, and `chunk_range` tells where in the file
    each chunk is.
    """

    container: Container = "flv"

    def __init__(self, rules: FlvRules | None = None) -> None:
        self._rules = rules or FlvRules()
        self._chunks = Chunks(self._rules)
        self._follow = self._chunks.follow
        self._setups: dict[int, Setup] = {}
        self._metadata: dict[str, AmfValue] = {}
        self._begun = False  # there was a Head
        self._position = 0  # where in all that was fed the next buffer to be walked begins
        self._began_at = 0
        self.chunk_range = (0, 0)
        """Where the chunk of the last Edge stood in all that was fed: its first byte and the one behind its last. Counted from
        the first feed, connections added up."""
        self._hold(opening=True)

    # -- the contract -------------------------------------------------------------------------------------------------

    def feed(self, piece: memoryview) -> Iterator[Op]:
        left, n = self._left, len(piece)
        if left > n:  # most of a picture's pieces
            return iter((self._pass(piece),))
        if self._carry or self._gate is not None or self._search is not None:
            return self._feed(piece)
        follow = self._follow
        p = follow.follow(piece, -4 if follow.between else left)
        if p < n:
            self._left = 0
            if p < 0:  # the size before the first tag was handed on; it stands for itself
                self._position -= 4
                self._carry, self._wanted = bytearray(4), UNIT_HEADER
            return self._feed(piece, p)
        self._left = p - n
        self._position += n
        follow.span.emitted += n
        return iter((piece,))  # most other pieces: nothing but ordinary tags

    def _feed(self, piece: memoryview, p: int = 0) -> Iterator[Op]:
        """A piece in which there is more than ordinary tags, at `p` or wherever."""
        todo = [piece]
        if p > 0:
            rest = yield from self._walk(piece, p)
            todo = [rest] if rest else []
        while todo:
            buf = todo.pop()
            if self._search is not None:
                rest = self._seek(self._search, buf)
            elif self._gate is not None:
                rest = self._gate.feed(buf)
                if rest is not None:
                    rest = yield from self._release(self._gate, rest)
            elif self._carry:
                missing = self._wanted - len(self._carry)
                self._carry += buf[:missing]
                if len(self._carry) < self._wanted:
                    continue
                todo.append(buf[missing:])
                joint, self._carry = memoryview(self._carry), bytearray()
                rest = yield from self._walk(joint, 0)
            elif self._left > len(buf):
                yield self._pass(buf)
                continue
            else:
                rest = yield from self._walk(buf, self._left)
            if rest:
                todo.append(rest)

    def cut(self, *, broken: bool = False) -> Iterator[Op]:  # noqa: ARG002 - every tag shows whether it is whole
        yield from self._let_go()
        follow, span = self._follow, self._follow.span
        excess, end_at = 0, self._position
        if self._left:
            excess = follow.expect - self._left  # what was handed on of header and body
            end_at -= excess
            follow.forget_last()
            span.dropped_bytes += excess
        elif span.emitted and not follow.between:
            end_at += 4
            if follow.expect >= 0:
                span.emitted += 4
                yield SIZE.pack(follow.expect)
        behind = len(self._carry) + (self._search.held if self._search else 0) + (self._gate.held if self._gate else 0)
        span.dropped_bytes += max(0, behind - 4)
        self._position += behind
        if span.emitted:
            yield self._edge(None, end_at, excess=excess, whole=False)
            self._chunks.accept()
        self._hold(opening=True)

    def splice(self) -> None:
        self._chunks.splice()
        self._hold(opening=True)

    def rollback(self) -> None:
        self._chunks.rollback()
        self._hold(opening=True)

    def restart(self) -> Head:
        self._chunks.restart()
        return self._new_head()

    # -- where a connection begins, or tracks may change --------------------------------------------------------------

    def _hold(self, *, opening: bool = False) -> None:
        """Look ahead before going on."""
        survey = Survey(self._setups, self._chunks.partial, self._rules)
        self._gate: Gate | None = Gate(survey, opening=opening, search_bytes=self._rules.search_bytes)
        self._search: TagSearch | None = None
        self._carry = bytearray()
        self._wanted = 0  # bytes of the carried unit that are needed to judge it
        self._left = 0  # bytes of the running tag's body that are still to come
        self._settled = 0
        self._follow.halt()

    def _let_go(self) -> Iterator[Op]:
        """Nothing more will come: hand on what the gate holds."""
        while self._gate is not None and (held := self._gate.flush()) is not None:
            rest = yield from self._release(self._gate, held)
            try:
                yield from self.feed(rest)
            except FormatError:
                return  # of bytes that are dropped now, or already raised by the feed before

    def _release(self, gate: Gate, buf: memoryview) -> Generator[Op, None, memoryview]:
        """Enough is known: open a file, or go on in the running one. Returns what is to be walked."""
        survey, chunks = gate.survey, self._chunks
        self._gate = None
        self._position += gate.passed
        self._metadata = self._metadata if survey.metadata is None else survey.metadata
        start = survey.begin
        if not self._begun or survey.setups != self._setups:
            self._begun, self._setups = True, survey.setups
            chunks.new_file(self._setups, survey.firsts)
            chunks.begin()
            yield self._new_head()
        elif chunks.splicing:
            start = chunks.overlap(survey, buf) or start
            again = chunks.comes_again(survey, buf)
            if again:
                chunks.take_back()
                yield TakeBack()
            if start != survey.begin:
                survey = Survey(self._setups, None, self._rules)
                survey.look(buf[start:])
                survey.position += start
            chunks.join(survey.firsts, survey.delay, known=again)
        self._follow.span.dropped_bytes += gate.garbage
        self._settled = self._position + survey.position
        self._position += start
        return buf[start:]

    def _new_head(self) -> Head:
        return build_head(self._setups, self._metadata, index_room=self._rules.index_room)

    # -- the flow of tags ---------------------------------------------------------------------------------------------

    def _walk(self, buf: memoryview, p: int) -> _Walk:
        """Hand on the units in `buf`; the first that was not followed yet begins at `p`. Returns what is to be looked at
        otherwise."""
        follow, chunks, n = self._follow, self._chunks, len(buf)
        run = 0  # what begins here was not handed on yet
        while True:
            p = follow.follow(buf, p)
            if p > n or follow.between:
                break
            self._left = 0
            look = self._read(buf, p)
            if isinstance(look, _Stop):
                return (yield from self._interrupt(buf, run, p, look))
            if look is None or self._is_dropped(look, buf, p):
                yield from self._hand_on(buf, run, p)
                return self._step_over(look, buf, p)
            if follow.expect < 0:
                run = p + 4
            elif look.unit.previous != follow.expect:
                SIZE.pack_into(buf, p, follow.expect)
            if chunks.ends_before(look):
                yield from self._hand_on(buf, run, p + 4)
                run = p + 4
                yield (edge := self._edge(look, self._position + run))
                chunks.accept()
                if edge.span.replay:
                    self._position += p
                    self._hold()
                    return buf[p:]
            if follow.empty:
                self._began_at = self._position + p + 4
            chunks.begin_tag(look)
            follow.keep(buf, p, look.unit, look.packet, follow.span.emitted + p + 4 - run)
            p += UNIT_HEADER + look.unit.size
            if p > n:
                break
        self._left = p - n
        self._position += n
        follow.span.emitted += n - run
        yield buf[run:]
        return None

    def _pass(self, piece: memoryview) -> memoryview:
        """More of the body of the tag in progress, and not its end."""
        size = len(piece)
        self._left -= size
        self._position += size
        self._follow.pass_by(piece, self._left)
        self._follow.span.emitted += size
        return piece

    def _read(self, buf: memoryview, p: int) -> Look | _Stop | None:
        """The unit at `p`; None when more of it is needed (`_wanted`)."""
        self._wanted = UNIT_HEADER
        there = len(buf) - p
        if there < UNIT_HEADER:
            return None
        unit = read_unit(buf, p)
        if not unit.plausible:
            return _RESTART if is_file_header(buf, p + 4) else _GARBAGE
        if unit.size > self._rules.max_tag:
            return _too_large("FLV tag", unit.size, self._rules.max_tag)
        if not unit.size:
            return Look(unit)
        packet = None
        if unit.kind != SCRIPT:
            self._wanted = UNIT_HEADER + min(unit.size, PEEK)
            if there < self._wanted:
                return None
            packet = read_packet(unit.kind, buf[p + UNIT_HEADER : p + self._wanted])
        if packet is None or packet.role in {"config", "end"}:
            if unit.size > self._rules.max_collected:
                return _too_large("FLV script tag or sequence header", unit.size, self._rules.max_collected)
            self._wanted = UNIT_HEADER + unit.size
            if there < self._wanted:
                return None
        if packet is not None and packet.role == "end":
            return _Stop(UNIT_HEADER + unit.size, splice=True)
        if packet is not None and self._changes(packet, buf, p, unit.size):
            return _CHANGE
        return Look(unit, packet)

    def _changes(self, packet: Packet, buf: memoryview, p: int, size: int) -> bool:
        """Whether this tag is not what the head of the running file says."""
        if packet.role == "side" or self._position + p < self._settled:
            return False
        setup = self._setups.get(packet.kind)
        if packet.role == "config":
            return setup != Setup.of(packet, buf[p + UNIT_HEADER : p + UNIT_HEADER + size])
        return setup is None or setup.code != packet.code

    def _is_dropped(self, look: Look, buf: memoryview, p: int) -> bool:
        """Sequence headers and metadata are in the head already; empty tags are nothing."""
        if look.packet is not None or not look.unit.size:
            return look.packet is None or look.packet.role == "config"
        metadata = parse_metadata(buf[p + UNIT_HEADER : p + UNIT_HEADER + look.unit.size])
        if metadata is not None and self._position + p >= self._settled:
            self._metadata = metadata
            self._chunks.note_metadata()
        return metadata is not None

    def _step_over(self, look: Look | None, buf: memoryview, p: int) -> memoryview | None:
        """Leave out a tag; or keep the beginning of one for the next feed."""
        if look is None:
            self._position += p
            self._carry = bytearray(buf[p:])
            return None
        p += UNIT_HEADER + look.unit.size
        self._position += p
        return buf[p:]

    def _interrupt(self, buf: memoryview, run: int, p: int, stop: _Stop) -> _Walk:
        """End the run of tags here. Raises: TooLarge."""
        follow = self._follow
        if stop.error is not None:
            yield from self._hand_on(buf, run, p)
            self._position += p
            raise stop.error
        if stop.search:
            yield from self._hand_on(buf, run, p)
            follow.span.damage = "garbage"
            self._search = TagSearch(self._rules.search_bytes)
        else:
            if follow.expect >= 0:
                SIZE.pack_into(buf, p, follow.expect)
                yield from self._hand_on(buf, run, p + 4)
            if follow.span.emitted:
                yield self._edge(None, self._position + p + 4)
                self._chunks.accept()
            if stop.splice:
                self._chunks.splice()
            self._hold(opening=stop.opening)
        self._position += p + stop.skip
        return buf[p + stop.skip :]

    def _seek(self, search: TagSearch, buf: memoryview) -> memoryview | None:
        found = search.feed(buf)
        if found is not None:
            self._search = None
            self._position += search.skipped
            self._follow.span.dropped_bytes += search.skipped
        return found

    def _hand_on(self, buf: memoryview, start: int, end: int) -> Iterator[Op]:
        if start < end:
            self._follow.span.emitted += end - start
            yield buf[start:end]

    def _edge(self, following: Look | None, end_at: int, *, excess: int = 0, whole: bool = True) -> Edge:
        self.chunk_range = (self._began_at, end_at)
        self._follow.expect = -1
        return self._chunks.edge(following, excess=excess, whole=whole)
