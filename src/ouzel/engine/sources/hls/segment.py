"""Getting one segment onto the tape: key, init segment, bytes, and the judgement whether what came is what was announced."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import anyio
import xxhash

from ouzel.base.errors import (
    Forbidden,
    FormatError,
    Gone,
    InputError,
    MediaError,
    NetworkError,
    NotDecrypted,
    OuzelError,
    RateLimited,
    Refused,
    Retry,
    ShortBody,
    StorageError,
    ToolError,
    Unsupported,
)
from ouzel.engine.intake import Intake
from ouzel.engine.programme import SegmentNote
from ouzel.engine.sources.context import SourceContext
from ouzel.engine.sources.detect import discreet
from ouzel.engine.sources.disguise import Disguise, seed_in
from ouzel.engine.sources.hls.lane import Item, Lane
from ouzel.engine.sources.hls.shapers import LaneShapers
from ouzel.engine.sources.keys import MAX_KEY_ANSWER, Keyring
from ouzel.engine.sources.segment_kind import is_noise
from ouzel.formats.m3u8 import ByteRange, InitSegment, Key, Segment
from ouzel.formats.shape import Span
from ouzel.model.flow import GapCode, lost_as
from ouzel.model.stream import Stream
from ouzel.model.window import Fetch
from ouzel.system.http import Answer

if TYPE_CHECKING:
    from ouzel.engine.sources.aes import Aes128Stream

_RENEW_EVERY_S = 15.0
_LOST_AT_START = 3
_TELLING_BYTES = 16  # tell what container a segment is
_LIKENESS_BYTES = 32 * 1024
Taker = Callable[[memoryview], None]


class SegmentReader:
    """Fetches segments one after the other; remembers keys."""

    def __init__(self, context: SourceContext, shapers: LaneShapers) -> None:
        self._context = context
        self._shapers = shapers
        self._keys = Keyring(self._fetch_key)
        self._asking: Stream
        self._renewed_at = float("-inf")
        self.blame: tuple[GapCode, str] | None = None
        """Until media flows again: why whatever is gone by now could not be fetched in time."""
        self._lost: OuzelError | None = None
        self._lost_count = 0

    async def read(self, stream: Stream, lane: Lane, item: Item, segment: Segment) -> Span | None:
        """Put the segment on the tape, or a loss in its place. Returns: what was kept; None for a loss.

        Raises: StorageError; ToolError; Unsupported; NetworkError when only a fresh address can help, or when the server does not
            give anything and nothing was recorded yet: the item is then still to be done.
        """
        clock, policy = self._context.clock, self._context.policy
        item.since = item.since or clock.monotonic()
        while True:
            item.attempts += 1
            try:
                span = await self._once(stream, lane, item, segment)
            except (StorageError, ToolError, Unsupported):
                raise
            except OuzelError as exc:
                if self._wants_renewal(exc, item, stream, segment):
                    self._renewed_at = clock.monotonic()
                    item.renewals += 1
                    raise
                elapsed_s = clock.monotonic() - item.since
                if self._hopeless(exc, lane, item, segment, elapsed_s):
                    if isinstance(exc, NetworkError) and not isinstance(exc, Gone) and not self._context.tape.recorded:
                        raise
                    self._lose(lane, segment, exc)
                    return None
                await anyio.sleep(self._delay_s(exc, item.attempts))
                segment = _latest(item, segment)
                continue
            self.blame = None
            if item.attempts > 1 and policy.segment_attempts < item.attempts:
                item.attempts = policy.segment_attempts
            return span

    async def _once(self, stream: Stream, lane: Lane, item: Item, segment: Segment) -> Span | None:
        """One attempt. Raises: OuzelError; nothing of the segment is then on the tape."""
        key = segment.key
        decryptor: Aes128Stream | Disguise | None = None
        if key is not None:
            decryptor = _decryptor(await self._key(stream, key), key.iv_for(segment.media_sequence))
        elif (seed := seed_in((*(lane.playlist.tags if lane.playlist else ()), *segment.tags))) is not None:
            decryptor = Disguise(seed)
        if segment.map is not None and segment.map != lane.init:
            await self._feed_init(stream, lane, segment.map)
        taker = _SegmentTaker(self, lane, segment, decryptor)
        request = self._context.request(stream, segment.uri, byte_range=_range(segment.byte_range))
        try:
            await self._context.http.stream(request, taker.on_answer)
            span = taker.finish(_note(item, segment), self._check(lane, item, segment, taker))
        except OuzelError as exc:
            _abandon(lane)
            if key is None or not isinstance(exc, MediaError) or not taker.is_noise:
                raise
            self._keys.forget(key)
            raise NotDecrypted(
                "decrypted, the segment is no media: it may have another key than the playlist says"
            ) from exc
        except BaseException:  # cancelled: the user stops (keep what is there), or the watchdog does (fetch it again)
            if self._context.stopping:
                taker.finish(_note(item, segment), None, broken=True)
            else:
                _abandon(lane)
            raise
        lane.kept = (taker.likeness, span.source_s if span else None)
        lane.end_s = span.end_s if span and span.duration_s else None
        self._tell_shortness(lane, segment, span)
        return span

    def _tell_shortness(self, lane: Lane, segment: Segment, span: Span | None) -> None:
        """What was kept although it is shorter than announced leaves a gap behind it."""
        missing = segment.duration_s - (_length_s(span) if span else 0.0)
        if lane.scope == "all" and missing > _shortness(segment):
            self._context.tape.lose(
                GapCode.SEGMENT_SHORT,
                f"the segment holds {segment.duration_s - missing:.2f} s of {segment.duration_s:.2f} s",
                missing_s=missing,
                first_sequence=segment.media_sequence,
                last_sequence=segment.media_sequence,
                scope=lane.scope,
            )
            assert lane.intake is not None
            lane.intake.splice()

    def _check(self, lane: Lane, item: Item, segment: Segment, taker: _SegmentTaker) -> Callable[[Span], None]:
        last = item.attempts > self._context.policy.short_attempts

        def check(span: Span) -> None:
            if span.source_s is not None and lane.kept == (taker.likeness, span.source_s):
                raise FormatError("the segment is the one before it once more")
            missing = segment.duration_s - _length_s(span)
            short = lane.scope == "all" and missing > _shortness(segment)  # other sound may take no time of its own
            if span.damage not in {"truncated", "no_media"} and not short:
                return
            if not last or not span.frames:
                raise ShortBody(
                    f"the segment holds {_length_s(span):.2f} s of {segment.duration_s:.2f} s"
                    + (f" ({span.damage})" if span.damage else "")
                )

        return check

    async def _feed_init(self, stream: Stream, lane: Lane, init: InitSegment) -> None:
        request = self._context.request(stream, init.uri, byte_range=_range(init.byte_range))
        page = await self._context.http.fetch(request, max_bytes=self._context.policy.max_init_bytes)
        data = bytearray(page.data)
        if init.key is not None and init.iv is not None:
            decryptor = _decryptor(await self._key(stream, init.key), init.iv)
            data = bytearray(decryptor.feed(memoryview(data)))
            data += decryptor.finish()
        intake = self.intake_for(lane, bytes(data[:_TELLING_BYTES]))
        try:
            intake.take(memoryview(data))
        except OuzelError:
            _abandon(lane)
            raise
        lane.init = init

    async def _key(self, stream: Stream, key: Key) -> bytes:
        self._asking = stream
        return await self._keys.find(key)

    async def _fetch_key(self, uri: str) -> bytes:
        request = self._context.request(self._asking, uri)
        return (await self._context.http.fetch(request, max_bytes=MAX_KEY_ANSWER)).data

    async def feed_inits(self, stream: Stream, lanes: Sequence[Lane]) -> None:
        """Where picture and sound share a file, its head needs the init segments of both before any media."""
        for lane in lanes:
            segment = next((item.what.segment for item in lane.queue if isinstance(item.what, Fetch)), None)
            if segment is not None and segment.map is not None and segment.map != lane.init:
                await self._feed_init(lane.stream or stream, lane, segment.map)

    def intake_for(self, lane: Lane, first: bytes) -> Intake:
        """The lane's intake; a new one when the first bytes show another container than before."""
        with discreet(self._context.scope):
            return self._shapers.intake_for(lane, first)

    # -- judgement ----------------------------------------------------------------------------------------------------

    def _wants_renewal(self, exc: OuzelError, item: Item, stream: Stream, segment: Segment) -> bool:
        """Signed addresses run out: 403 at once; 404 and 410 when trying again did not help and the address is signed at all."""
        if not isinstance(exc, (Forbidden, Gone)) or item.renewals >= 2:
            return False
        signed = stream.expires_at is not None or bool(urlsplit(segment.uri).query)
        if isinstance(exc, Gone) and (not signed or item.attempts < self._context.policy.segment_gone_attempts):
            return False
        return self._context.clock.monotonic() - self._renewed_at > _RENEW_EVERY_S or item.renewals == 0

    def _hopeless(self, exc: OuzelError, lane: Lane, item: Item, segment: Segment, elapsed_s: float) -> bool:
        policy, recorded = self._context.policy, self._context.tape.recorded
        if isinstance(exc, Gone) and lane.has_left(segment):
            return True
        if isinstance(exc, (Gone, Forbidden)) or (isinstance(exc, MediaError) and not recorded):
            return item.attempts >= policy.segment_gone_attempts
        if exc.retry is Retry.NEVER and not isinstance(exc, MediaError):
            return True
        if item.attempts < policy.segment_attempts:
            return False
        if isinstance(exc, MediaError) or not recorded:
            return True
        return lane.leaves_soon(segment) or elapsed_s > policy.segment_longest_s

    def _delay_s(self, exc: OuzelError, attempts: int) -> float:
        if isinstance(exc, RateLimited) and exc.retry_after_s is not None:
            return min(exc.retry_after_s, self._context.policy.park_s)
        base_s = self._context.policy.segment_retry_s
        return min(base_s * 2 ** (attempts - 1), 12 * base_s)

    def judge_start(self, *, ended: bool) -> None:
        """Raises: why nothing is on the tape, once it is clear that nothing will be: the show is wrong, not one segment of it."""
        if self._context.tape.recorded or self._lost is None:
            return
        if ended or self._lost_count >= _LOST_AT_START or isinstance(self._lost, (Refused, InputError)):
            raise self._lost

    def _lose(self, lane: Lane, segment: Segment, exc: OuzelError) -> None:
        if lane.scope == "all":
            self._lost = exc
            self._lost_count += 1
        if isinstance(exc, Gone) and self.blame is not None:
            code, why = self.blame
        else:
            code, why = lost_as(exc)
        self._context.tape.lose(
            code,
            why,
            missing_s=segment.duration_s,
            first_sequence=segment.media_sequence,
            last_sequence=segment.media_sequence,
            scope=lane.scope,
            ahead_s=lane.ahead_s(self._context.tape),
        )
        if lane.intake is not None:
            lane.intake.splice()


class _SegmentTaker:
    """Takes the body of one segment; decrypts it; finds the container by its first bytes."""

    def __init__(
        self, reader: SegmentReader, lane: Lane, segment: Segment, decryptor: Aes128Stream | Disguise | None
    ) -> None:
        self._reader = reader
        self._lane = lane
        self._segment = segment
        self._decryptor = decryptor
        self._first = bytearray()
        self._digest = xxhash.xxh3_64()
        self._size = 0
        self._telling = b""
        self._intake: Intake | None = None

    @property
    def likeness(self) -> tuple[int, int]:
        """How many bytes came so far, decrypted, and the digest of the first ones. With the time stamp that tells a segment that
        comes again, without reading all of it a second time."""
        return self._size, self._digest.intdigest()

    @property
    def is_noise(self) -> bool:
        """Whether it was decrypted, and does not begin like any container."""
        return self._decryptor is not None and is_noise(self._telling)

    def on_answer(self, _answer: Answer) -> Taker:
        return self._take if self._decryptor is None else self._decrypt

    def finish(self, note: SegmentNote, check: Callable[[Span], None] | None, *, broken: bool = False) -> Span | None:
        """The body is complete, or, `broken`, no more of it will come. Raises: ShortBody, NotMedia."""
        if self._decryptor is not None:
            self._take(self._decryptor.finish())
        if self._intake is None:
            if not self._first:
                raise ShortBody("the segment is empty")
            self._begin(memoryview(self._first))
        assert self._intake is not None
        self._intake.note = note
        self._intake.check = check
        try:
            span = self._intake.finish(broken=broken)
        finally:
            self._intake.check = None  # it speaks of this segment only
        if span is None and check is not None:
            raise ShortBody("the segment holds no media")
        return span

    def _decrypt(self, piece: memoryview) -> None:
        assert self._decryptor is not None
        self._take(self._decryptor.feed(piece))

    def _take(self, piece: memoryview) -> None:
        if self._size < _LIKENESS_BYTES:
            self._digest.update(piece[: _LIKENESS_BYTES - self._size])
        self._size += len(piece)
        if self._intake is not None:
            self._intake.take(piece)
            return
        if self._first or len(piece) < _TELLING_BYTES:
            self._first += piece
            if len(self._first) < _TELLING_BYTES:
                return
            piece, self._first = memoryview(self._first), bytearray()
        self._begin(piece)

    def _begin(self, piece: memoryview) -> None:
        self._telling = bytes(piece[:_TELLING_BYTES])
        self._intake = self._reader.intake_for(self._lane, self._telling)
        self._intake.take(piece)


def _decryptor(key: bytes, iv: bytes) -> Aes128Stream:
    from ouzel.engine.sources.aes import Aes128Stream  # and with it `cryptography`

    return Aes128Stream(key, iv)


def _abandon(lane: Lane) -> None:
    if lane.intake is not None:
        lane.intake.abandon()
    lane.init = None  # it may have been fed since the last edge: then it has to be fed again


def _note(item: Item, segment: Segment) -> SegmentNote:
    return SegmentNote(segment.media_sequence, item.wall, segment.duration_s)


def _length_s(span: Span) -> float:
    """What a segment holds, by the longest of its tracks: a picture may stand still."""
    return max(span.duration_s, span.beside_s)


def _shortness(segment: Segment) -> float:
    """Seconds by which a segment may be shorter than EXTINF says: servers round, and cut at key frames."""
    return max(0.3, 0.25 * segment.duration_s)


def _range(byte_range: ByteRange | None) -> tuple[int, int | None] | None:
    return None if byte_range is None else (byte_range.offset, byte_range.end - 1)


def _latest(item: Item, segment: Segment) -> Segment:
    """The segment as the newest playlist names it."""
    return getattr(item.what, "segment", segment)
