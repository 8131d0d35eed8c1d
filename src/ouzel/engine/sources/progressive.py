"""Streams that are one long answer: HTTP-FLV, HTTP-TS, a fragmented MP4, and files of these kinds.

The kind is known only when the first bytes are there, and a second request may be one too many (a token may be good for one
use): so the first answer is opened once, and either becomes the stream or, if it is a playlist, is handed back whole.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

import xxhash

from ouzel.base.errors import Encrypted, FormatError, IndexAtEnd, StorageError, TooLarge, Unsupported
from ouzel.base.urls import redact
from ouzel.engine.intake import Intake, TapeFull
from ouzel.engine.sources.context import SourceContext
from ouzel.engine.sources.detect import SNIFF_BYTES, Kind, discreet, kind_of_bytes, kind_of_rest
from ouzel.engine.sources.shapers import ENDLESS
from ouzel.model.flow import EndReason
from ouzel.model.stream import Stream
from ouzel.system.guard import Scope
from ouzel.system.http import Answer

_PARTIAL_CONTENT = 206
_NO_RANGES = (
    "and the server sends files only from their start (it knows no byte ranges): "
    "download the whole file, then `ouzel remux` makes another format of it"
)


@dataclass(frozen=True, slots=True)
class Playlist:
    """The answer was a playlist: here it is."""

    answer: Answer
    data: bytes


@dataclass(frozen=True, slots=True)
class ForFfmpeg:
    """The answer is media that only the ffmpeg child reads."""

    url: str


class _OtherKind(Exception):
    pass


class _Answered(Exception):
    """The head of the answer said enough."""


class _OverAgain(Exception):
    """A file of unknown length begins anew."""


_BEGINNING = 48 * 1024
"""Bytes by which the beginning of an answer is known again."""
_FILE_S = 60.0
"""Seconds of media, and more than twice as many as the answer took: only a file is sent so fast for so long. A live stream may
begin with the same bytes each time, where it shows a notice first."""


class ProgressiveSource:
    """Keeps its shaper over reconnects, so that replays are recognised and time goes on."""

    def __init__(self, context: SourceContext, on_media: Callable[[], None] = lambda: None) -> None:
        """`on_media`: called when an answer turns out to be media that is read here."""
        self._context = context
        self._on_media = on_media
        self._intake: Intake | None = None
        self._kind: Kind | None = None
        self.file: int | None = None
        """Digest of the beginning of the last answer, if that was a file of unknown length, whole."""
        self._broken_off: int | None = None
        """The same of the last answer of unknown length that broke off."""

    async def run(self, stream: Stream) -> EndReason | Playlist | ForFfmpeg | None:
        """Read until the stream ends.

        Returns: ENDED when a file was read to its announced end, or begins anew where none was announced; None for a clean
            close of a live stream (which decides nothing); DURATION when the tape is full; or what else the address turned
            out to be.
        Raises: NotMedia, FormatError, Unsupported, NetworkError, Refused, StorageError. What was whole is on the tape then, too.
        """
        opening = _Opening(self, stream, self._context.policy.max_playlist_bytes)
        counters = self._context.tape.counters
        began, had_s, dropped_s = self._context.clock.monotonic(), counters.media_s, counters.replayed_s
        try:
            answer = await self._context.http.stream(self._context.request(stream, stream.url), opening.on_answer)
        except _OtherKind:
            return ForFfmpeg(stream.url)
        except TapeFull:
            return EndReason.DURATION
        except _OverAgain:
            self._context.tape.mend()
            return EndReason.ENDED
        except (FormatError, Unsupported) as exc:
            opened = self._intake is not None and self._intake.opened
            if self._kind != "mp4" or opened or isinstance(exc, Encrypted):  # which ffmpeg would copy as it is
                self._keep_what_is_whole()
                raise
            self._intake = None
            if isinstance(exc, IndexAtEnd) and not await self._gives_ranges(stream, opening.answer):
                raise IndexAtEnd(f"{exc}, {_NO_RANGES}", **exc.context) from exc
            return ForFfmpeg(stream.url)
        except StorageError:
            self._forget_the_rest()
            raise
        except BaseException:  # the user stops, the connection breaks: what is whole is kept
            self._broken_off = opening.beginning.digest or self._broken_off
            self._keep_what_is_whole()
            raise
        if (playlist := opening.finish()) is not None:
            return playlist
        self._keep_what_is_whole(broken=answer.length is None)
        if self._context.tape.full:
            return EndReason.DURATION
        lasted_s, held_s = self._context.clock.monotonic() - began, counters.media_s - had_s
        beginning = opening.beginning.digest
        if beginning == self._broken_off:  # what was dropped is what had come of this file before
            held_s += counters.replayed_s - dropped_s
        self.file = beginning if held_s >= max(_FILE_S, 2 * lasted_s) else None
        return EndReason.ENDED if answer.length is not None else None

    @property
    def scope(self) -> Scope:
        return self._context.scope

    def intake_for(self, kind: Kind) -> Intake:
        """The intake for this kind; a new one when the kind changed since the last connection, or something else was recorded."""
        tape = self._context.tape
        self._on_media()
        if self._intake is None or kind != self._kind or self._intake.superseded:
            self._intake = Intake(ENDLESS[kind](), tape, continuous=True)
            self._kind = kind
        else:
            self._intake.splice()
        return self._intake

    def tell_run(self, kind: Kind, stream: Stream, answer: Answer) -> None:
        """The connection counts: it gives what its first bytes promised."""
        self._context.tape.run(kind, redact(answer.url), stream.quality)

    async def _gives_ranges(self, stream: Stream, answer: Answer) -> bool:
        """Whether the server sends parts of this file. Few say that they do not; then it is asked for its first byte.

        Raises: NetworkError, Refused. Source: RFC 9110 section 14.3.
        """
        units = ",".join(answer.headers.all("accept-ranges")).lower()
        if units:
            return "bytes" in units
        statuses: list[int] = []

        def on_answer(answer: Answer) -> Callable[[memoryview], None]:
            statuses.append(answer.status)
            raise _Answered

        with suppress(_Answered):
            await self._context.http.stream(self._context.request(stream, stream.url, byte_range=(0, 0)), on_answer)
        return statuses == [_PARTIAL_CONTENT]

    def _keep_what_is_whole(self, *, broken: bool = True) -> None:
        if self._intake is not None:
            self._intake.finish(broken=broken)

    def _forget_the_rest(self) -> None:
        if self._intake is not None:
            self._intake.abandon()


class _Opening:
    """The first bytes of one answer, until it is known what they are."""

    def __init__(self, source: ProgressiveSource, stream: Stream, max_playlist_bytes: int) -> None:
        self._source = source
        self._stream = stream
        self._max_playlist_bytes = max_playlist_bytes
        self._answer: Answer | None = None
        self._first = bytearray()
        self._page: bytearray | None = None
        self._intake: Intake | None = None
        self._kind: Kind | None = None
        self._take: Callable[[memoryview], None] = self._sniff
        self.beginning = _Beginning(self.take, source.file)

    @property
    def answer(self) -> Answer:
        """The answer that was opened."""
        assert self._answer is not None
        return self._answer

    def on_answer(self, answer: Answer) -> Callable[[memoryview], None]:
        self._answer = answer
        return self.take if answer.length is not None else self.beginning.take

    def take(self, piece: memoryview) -> None:
        self._take(piece)

    def finish(self) -> Playlist | None:
        """The answer is complete: the playlist, if it is one. Raises: NotMedia, FormatError."""
        self.beginning.close()
        if self._page is None and self._take == self._sniff:
            with discreet(self._source.scope):
                kind = kind_of_rest(bytes(self._first), self.answer.content_type)
            self._settle(kind)
        return None if self._page is None else Playlist(self.answer, bytes(self._page))

    def _sniff(self, piece: memoryview) -> None:
        self._first += piece
        with discreet(self._source.scope):
            kind = kind_of_bytes(bytes(self._first[:SNIFF_BYTES]), self.answer.content_type)
        if kind is not None:
            self._settle(kind)

    def _settle(self, kind: Kind) -> None:
        if kind == "other":
            raise _OtherKind
        if kind == "hls":
            self._page = self._first
            self._take = self._collect
            return
        self._intake = self._source.intake_for(kind)
        self._kind = kind
        if self._intake.opened or kind != "mp4":
            self._source.tell_run(kind, self._stream, self.answer)
            self._take = self._intake.take
        else:
            self._take = self._until_opened
        first, self._first = self._first, bytearray()
        self._take(memoryview(first))

    def _until_opened(self, piece: memoryview) -> None:
        """An MP4 may turn out to be one that has to be read by ffmpeg."""
        assert self._intake is not None
        assert self._kind is not None
        self._intake.take(piece)
        if self._intake.opened:
            self._source.tell_run(self._kind, self._stream, self.answer)
            self._take = self._intake.take

    def _collect(self, piece: memoryview) -> None:
        assert self._page is not None
        limit = self._max_playlist_bytes
        if len(self._page) + len(piece) > limit:
            raise TooLarge(f"the playlist has more than {limit} bytes", limit=limit)
        self._page += piece


class _Beginning:
    """The first bytes of an answer of unknown length, on their way to whoever takes them.

    Args:
        known: digest of the beginning of a file that is kept already: bytes are held until it is clear that they are not its.
    """

    def __init__(self, take: Callable[[memoryview], None], known: int | None) -> None:
        self._onward = take
        self._known = known
        self._first = bytearray()
        self._step = self._note if known is None else self._compare
        self.digest: int | None = None
        """None as long as there are too few."""

    def take(self, piece: memoryview) -> None:
        """Raises: _OverAgain, and what the taker raises."""
        self._step(piece)

    def close(self) -> None:
        """The answer is complete."""
        if self._step == self._compare:
            self._release()

    def _note(self, piece: memoryview) -> None:
        self._add(piece[: _BEGINNING - len(self._first)])
        if self.digest is not None:
            self._step = self._onward
        self._onward(piece)

    def _compare(self, piece: memoryview) -> None:
        self._add(piece)
        if self.digest is not None and self.digest == self._known:
            raise _OverAgain
        if self.digest is not None:
            self._release()

    def _add(self, piece: memoryview) -> None:
        self._first += piece
        if len(self._first) >= _BEGINNING:
            self.digest = xxhash.xxh3_64_intdigest(memoryview(self._first)[:_BEGINNING])

    def _release(self) -> None:
        held, self._first = self._first, bytearray()
        self._step = self._onward
        self._onward(memoryview(held))
