"""One connection after the other through a child, on one timeline.

Reconnecting is ours: the child makes one connection and ends with it, because ffmpeg's own reconnecting glues restarts together
without a word. Only of a file, which can be read on from any byte, the child asks for the rest by itself.
"""

from __future__ import annotations

import signal
import ssl
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import urlsplit

import anyio

from ouzel.base.errors import ConnectionLost, NotMedia, OuzelError, Stalled, StorageError
from ouzel.base.urls import DEFAULT_PORTS, redact
from ouzel.engine.intake import Intake, TapeFull
from ouzel.engine.sources.context import SourceContext
from ouzel.engine.sources.ffmpeg.again import Again
from ouzel.engine.sources.ffmpeg.command import (
    Start,
    arguments,
    check_proxy,
    environment,
    listens,
    needs,
    scheme_of,
    script,
)
from ouzel.engine.sources.ffmpeg.holes import Holes
from ouzel.engine.sources.ffmpeg.picking import Picked, pick
from ouzel.engine.sources.ffmpeg.pipe import Pipe
from ouzel.engine.sources.ffmpeg.words import (
    Opened,
    behind_opening,
    failure_of,
    leave_out_skipped,
    leave_out_unmeasured,
    read_opened,
    trouble_of,
    written_s,
)
from ouzel.formats.mpegts import TsShaper
from ouzel.formats.shape import Span
from ouzel.model.events import EventCode
from ouzel.model.flow import EndReason, GapCode
from ouzel.model.stream import Stream
from ouzel.system.ffmpeg import Ffmpeg
from ouzel.system.guard import check_literal, resolve
from ouzel.system.process import Child, spawn

_STARTS = 3
_LAST_WORDS_S = 5.0
_BACK_S = 0.1  # a key frame is shown a little after it is decoded, and the first of a file may have been moved to 0
_BLIND_CHUNKS = 3  # a still picture beside a radio programme is sent anew more often than that
_CHUNK_S = 3.0  # the longest chunk without a key frame, at least
_SHORT_S = 2.0  # the tracks of a file do not all end with it
_SAME_S = 0.25


class Otherwise(Exception):
    """The child has to be started again, and to take this."""

    def __init__(self, picked: Picked | None, *, paced: bool) -> None:
        super().__init__(picked, paced)
        self.picked = picked
        self.paced = paced


@dataclass(frozen=True, slots=True)
class BrokenOff:
    """A file whose connection broke. Its last chunk is not whole; it is held until the next connection brings it again."""

    duration_s: float
    """Of the whole file."""
    came: float | None
    """When its last byte came, monotonic."""
    why: str


class PictureWatch:
    """Notices that the picture has stopped while the sound goes on."""

    def __init__(self) -> None:
        self.expected = False
        self._without = 0

    def take(self, frames: int) -> None:
        """A chunk was committed, with so many frames of the leading track. Raises: Stalled."""
        self._without = 0 if frames or not self.expected else self._without + 1
        if self._without >= _BLIND_CHUNKS:
            raise Stalled("there is sound, but no picture any more")


class FfmpegSource:
    """Keeps its shaper over reconnects, so that time goes on in the file."""

    def __init__(self, context: SourceContext) -> None:
        self._context = context
        self.picked: Picked | None = None
        """What the child is told to take; None: as it likes."""
        self.paced = False
        """It is told to read no faster than the media plays."""
        self.intake: Intake | None = None
        self.resume_s = 0.0
        """Of a file: how much of it is on the tape, by its own clock."""
        self.broken_off: BrokenOff | None = None
        """A file that has not come back yet."""
        self.holes = Holes()
        self.again = Again()
        """Of what may be a file of unknown length: what its last connection brought."""

    async def run(self, stream: Stream, url: str | None = None) -> EndReason | None:
        """Read one connection to its end.

        Args:
            url: the address, where it is another than the stream's.
        Returns: ENDED for a file that was read to its end; DURATION when the tape is full; None for a live stream that closed.
        Raises: BadOption, AddressRefused, NetworkError, NotMedia, Unsupported, UnknownQuality, ToolMissing, StorageError.
        """
        address = url or stream.url
        check_proxy(stream, address)
        await self._guard(stream, address)
        program = await self._context.ffmpeg.find(needs(address))
        for _ in range(_STARTS):
            try:
                return await self._connect(program, stream, address)
            except Otherwise as other:
                self.picked, self.paced = other.picked, other.paced
        raise NotMedia("what is in this stream changes each time that it is opened")

    def close(self, reason: EndReason) -> None:
        """The recording is over. Of a file that broke off, what came last is kept, and what never came is told, unless the user
        wanted no more of it."""
        broken, intake, tape = self.broken_off, self.intake, self._context.tape
        if broken is None or intake is None or reason is EndReason.NEVER_STARTED:
            return
        self.broken_off = None
        try:
            span = intake.finish(came=broken.came)
        except TapeFull:
            intake.abandon()
            return
        except StorageError as exc:
            intake.abandon()
            tape.emit(EventCode.WARNING, code=exc.code, why=f"the last of the file could not be written: {exc}")
            return
        if reason is EndReason.STOPPED:
            return
        until_s = self.resume_s if span is None or span.source_s is None else span.source_s + span.duration_s
        why = f"the rest of the file never came: {broken.why}"
        tape.lose(GapCode.CONNECTION_LOST, why, missing_s=max(0.0, broken.duration_s - until_s))

    async def _guard(self, stream: Stream, address: str) -> None:
        """Where ffmpeg will connect to, as far as that can be known before: it looks the name up again, and follows redirects."""
        host = urlsplit(address).hostname
        if host is None or listens(address):
            return
        if stream.proxy is not None:
            check_literal(host, self._context.scope)
        else:
            port = urlsplit(address).port or DEFAULT_PORTS.get(scheme_of(address), 0)
            await resolve(host, port, self._context.scope)

    async def _connect(self, program: Ffmpeg, stream: Stream, address: str) -> EndReason | None:
        ca_file = ssl.get_default_verify_paths().cafile
        resume_s = max(0.0, self.resume_s - _BACK_S)
        start = Start(self.picked, resume_s, self._context.cookies(address), self.paced, ca_file)
        command, stdin = arguments(program, stream, address, start), script(program, stream, address, start)
        async with spawn(command, stdin=stdin, env=environment(stream, start)) as child:
            connection = _Connection(self, self._context, child, stream, address, resume_s)
            try:
                return await connection.run()
            except TapeFull:
                return EndReason.DURATION
            except StorageError:
                connection.abandon()
                raise
            except OuzelError as exc:
                connection.leave(str(exc))
                raise
            except anyio.get_cancelled_exc_class():
                connection.leave("it was ended here")
                raise


class _Connection:
    """A running child, from its first byte to its last."""

    def __init__(
        self,
        source: FfmpegSource,
        context: SourceContext,
        child: Child,
        stream: Stream,
        address: str,
        resume_s: float,
    ) -> None:
        self._source = source
        self._context = context
        self._child = child
        self._stream = stream
        self._address = address
        self._resume_s = resume_s
        self._pipe = Pipe(child.stdout_fd, self._take, now=context.clock.monotonic, expected=(OuzelError, Otherwise))
        self._opened: Opened | None = None
        self._intake: Intake | None = None
        self._picture = PictureWatch()
        self._committed = 0
        self._skipped = 0
        self._again: Again | None = None
        self._had_s = context.tape.counters.media_s

    async def run(self) -> EndReason | None:
        """Raises: as `FfmpegSource.run`; what is not whole yet is still held."""
        with self._pipe:
            await self._watch()
        with anyio.move_on_after(_LAST_WORDS_S):  # it has closed its output, and says why
            await self._child.wait()
        if self._intake is None:
            self._source.picked = None  # perhaps what it was told to take is not there any more
            raise self._crash() or failure_of(self._child.errors)
        said, skipped, ends = self._read_skipped()
        said, unmeasured = leave_out_unmeasured(said)
        trouble = self._crash() or trouble_of(said) or (self._cut_short(said) if unmeasured else None)
        if trouble is not None and not (isinstance(trouble, ConnectionLost) and self._is_all(said)):
            raise trouble
        self.finish(good=True)
        if self._context.tape.full:
            return EndReason.DURATION
        if self._length_s is None:
            return EndReason.ENDED if self._again is not None and self._again.is_file else None
        if skipped or ends:
            self._tell_skipped(skipped)
        return EndReason.ENDED

    def finish(self, *, good: bool = False) -> None:
        """Commit what is whole. `good`: ffmpeg ended by itself, and had nothing to complain about."""
        if self._intake is None:
            return
        again, tape = self._again, self._context.tape
        if again is not None and (held := again.close()):
            with suppress(TapeFull):
                self._intake.take(held)
        self._intake.finish(broken=not good, came=self._pipe.last_byte)
        if again is not None:
            again.settle(tape.counters.media_s - self._had_s, good=good)
            if again.dropped_s:
                tape.counters.replays += 1
                tape.emit(EventCode.REPLAY_DROPPED, seconds=round(again.dropped_s, 3))
            if again.is_file:
                tape.mend()

    def _read_skipped(self) -> tuple[str, int, int]:
        """As `leave_out_skipped`, of the end of its words; the first number is the largest so far."""
        said, skipped, ends = leave_out_skipped(behind_opening(self._child.errors))
        self._skipped = max(self._skipped, skipped)
        return said, self._skipped, ends

    def _look_for_hole(self, span: Span) -> None:
        """Of a DASH show that is over: in front of this chunk segments may be missing."""
        tape = self._context.tape
        missing_s = self._source.holes.take(span, tape.counters.media_s)
        _, skipped, ends = self._read_skipped()
        if missing_s and (skipped or ends):
            tape.lose(
                GapCode.SEGMENT_FAILED, "ffmpeg could not have what belongs here, and went past it", missing_s=missing_s
            )

    def _tell_skipped(self, number: int) -> None:
        """A DASH show is over, of which ffmpeg could not have everything: what was not found by its clock.

        `number`: segments with another behind them. Where no hole was found for them the picture goes on over it, and nothing
        tells how long the sound is away.
        """
        tape, holes = self._context.tape, self._source.holes
        rest_s = holes.rest_s(self._length_s or 0.0, tape.counters.media_s)
        if rest_s:
            why = "somewhere in this show, most likely at its end, ffmpeg could not have all of its segments"
            tape.lose(GapCode.SEGMENT_FAILED, why, missing_s=rest_s)
        elif number and not holes.found:
            why = f"somewhere in this show ffmpeg could not have {number} of its segments, and went past them: at least this much"
            tape.lose(
                GapCode.SEGMENT_FAILED, why, missing_s=number * tape.counters.media_s / max(1, tape.counters.chunks)
            )

    def abandon(self) -> None:
        """Forget what was not committed."""
        self._source.again = Again()  # it is to be kept when it comes again
        if self._intake is not None:
            self._intake.abandon()

    def leave(self, why: str) -> None:
        """The connection is broken. A live stream will not send its last pictures again; a file will, if it comes back."""
        if self._intake is not None and self._length_s is not None:
            self._source.broken_off = BrokenOff(self._length_s, self._pipe.last_byte, why)
        else:
            self.finish()

    def _cut_short(self, said: str) -> ConnectionLost | None:
        """The answer was closed without having announced its length: only how long the media is tells whether it was all."""
        missing_s = self._missing_s(said)
        if missing_s is None or missing_s <= _SHORT_S:
            return None
        return ConnectionLost(f"closed {missing_s:.1f} s before the end of the file")

    def _is_all(self, said: str) -> bool:
        """Whether all media came, whatever ffmpeg says of bytes: an index follows, or it has lost its own way in the file."""
        missing_s = self._missing_s(said)
        return missing_s is not None and missing_s <= _SAME_S

    def _missing_s(self, said: str) -> float | None:
        """What was not written of the file's own duration; None when that is not known."""
        written = written_s(said)
        return None if self._length_s is None or written is None else self._length_s - self._resume_s - written

    @property
    def _length_s(self) -> float | None:
        """Of a file on a web server: how long an RTMP server says that a stream is means nothing. None: no end is known."""
        if self._opened is None or scheme_of(self._address) not in {"http", "https"}:
            return None
        return self._opened.duration_s

    async def _watch(self) -> None:
        """Until the child closes its output. Raises: Stalled, and what taking the bytes raises."""
        pipe, clock, stall_s = self._pipe, self._context.clock, self._context.policy.stall_s
        began, seen, idle = clock.monotonic(), None, 0
        while not pipe.ended:
            with anyio.move_on_after(min(1.0, stall_s / 4)):
                await pipe.wait()
            if pipe.last_byte != seen:
                seen, idle = pipe.last_byte, 0
                continue
            idle += 1
            limit_s = stall_s if seen is not None else 2 * stall_s  # it has to connect, and to look at the streams
            if idle > 1 and clock.monotonic() - (began if seen is None else seen) > limit_s:
                raise Stalled(f"no media for {limit_s:.0f} s")

    def _take(self, piece: memoryview) -> None:
        """Raises: what is expected of the pipe."""
        intake = self._intake
        if intake is None:
            intake = self._intake = self._begin()
        if self._again is not None:
            piece = self._again.new_of(piece)
        if piece:
            intake.take(piece)
        if intake.committed != self._committed:
            self._committed = intake.committed
            self._look_at(intake)

    def _begin(self) -> Intake:
        """The first bytes are there, and so is what ffmpeg says of them. Raises: Otherwise, and as `pick`."""
        stream, tape, source = self._stream, self._context.tape, self._source
        self._opened = opened = read_opened(self._child.errors)
        scheme = protocol = scheme_of(self._address)
        if opened is not None:
            picked = pick(opened, stream.quality)
            as_it_is = sorted(opened.taken) == sorted(picked.indices) and picked.audio_bps is None
            wanted = source.picked if as_it_is else picked
            paced = opened.demuxer == "dash" and opened.duration_s is None
            if (source.picked, source.paced) != (wanted, paced):
                raise Otherwise(wanted, paced=paced)
            self._picture.expected = picked.video is not None
            protocol = opened.demuxer if scheme in {"http", "https"} else scheme
        tape.run(protocol, redact(self._address), stream.quality)
        if source.intake is None or source.intake.superseded:
            longest_s = max(_CHUNK_S, self._context.policy.stall_s)
            # each child counts from zero, and a still picture looks the same each time: that is no replay
            shaper = TsShaper(mode="continuous", max_chunk_s=longest_s, replays=0)
            source.intake = Intake(shaper, tape, continuous=True)
        else:
            if source.broken_off is not None:
                source.broken_off = None
                source.intake.abandon()
            source.intake.splice()
        is_dash = opened is not None and opened.demuxer == "dash"
        source.intake.check = self._look_for_hole if is_dash and self._length_s is not None else None
        self._committed = source.intake.committed
        if (
            opened is not None
            and opened.duration_s is None
            and opened.demuxer != "dash"
            and scheme in {"http", "https"}
        ):
            self._again = source.again
            self._again.begin()
        return source.intake

    def _look_at(self, intake: Intake) -> None:
        """A chunk was committed. Raises: Stalled when the picture has stopped although sound comes."""
        span = intake.last
        if span is None:
            return
        if self._length_s is not None and span.source_s is not None:
            self._source.resume_s = span.source_s + span.duration_s
        self._picture.take(span.frames)

    def _crash(self) -> ConnectionLost | None:
        code = self._child.returncode
        if code is None or code >= 0:
            return None
        return ConnectionLost(f"ffmpeg was ended by {signal.Signals(-code).name}")
