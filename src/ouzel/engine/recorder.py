"""The recorder: the policy around the sources. `run` is the whole recording, `run_once` one connection."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import anyio

from ouzel.base.backoff import Backoff
from ouzel.base.errors import (
    Blocked,
    ChannelGone,
    InputError,
    NeedsLogin,
    NetworkError,
    NotMedia,
    NotOnAir,
    OuzelError,
    RateLimited,
    ReadOnly,
    Refused,
    RegionLocked,
    Retry,
    Stalled,
    StorageError,
    ToolMissing,
    Unsupported,
)
from ouzel.base.urls import literal_address
from ouzel.engine.disk import DiskGate
from ouzel.engine.finish import Finisher
from ouzel.engine.sources.context import SourceContext
from ouzel.engine.sources.detect import FFMPEG_SCHEMES, scheme_of
from ouzel.engine.sources.hls import HlsSource
from ouzel.engine.sources.progressive import ForFfmpeg, Playlist, ProgressiveSource
from ouzel.engine.tasks import beside
from ouzel.engine.watchdog import Watchdog
from ouzel.model.events import EventCode
from ouzel.model.flow import EndReason, GapCode, because
from ouzel.model.report import Report, StreamReport
from ouzel.model.states import RecordingState, move
from ouzel.model.stream import Resolver, Stream, Turns
from ouzel.system.guard import Scope, addresses_of

if TYPE_CHECKING:
    from ouzel.engine.sources.ffmpeg import FfmpegSource

_FIRST_TRIES = 4  # before anything was recorded and nobody asked us to wait: then the address is said to be wrong
_FIRST_S = 20.0  # … or after this long, when each try takes its time
_WAIT_S = 1.0  # between two looks for a stream that is not on air yet, growing from here
_OFFLINE_ANSWERS = 3
_HOPELESS = (InputError, Refused, ToolMissing, Unsupported, NeedsLogin, RegionLocked, ChannelGone)
"""Waiting for the show does not help against these."""
_S = RecordingState


@dataclass(frozen=True, slots=True)
class RecordSpec:
    """What is to be recorded."""

    source: str
    """As events and reports name it: redacted."""
    resolver: Resolver
    wait: bool = False
    """Wait for a stream that is not on air yet, for as long as it takes."""
    turns: Turns | None = None
    """When to ask again meanwhile; None: after a delay that grows."""
    has_others: bool = False
    """Where a stream brings no media, the resolver may have another one."""
    resumed: bool = False
    """Something of it was recorded before: a server that does not give it now is a drop like any other."""


class Recorder:
    """One recording, from the first attempt to the last closed file."""

    def __init__(self, spec: RecordSpec, context: SourceContext, gate: DiskGate, finisher: Finisher) -> None:
        self.spec = spec
        self._state = _S.WAITING
        self._chunks_at_connect = 0
        self._chunks_at_pause = -1
        self.error: OuzelError | None = None
        """The last error; None while all is well."""
        self._context = context
        self._tape = context.tape
        self._policy = context.policy
        self._gate = gate
        self._finisher = finisher
        self._progressive = ProgressiveSource(context, self._leave_hls)
        self._hls = HlsSource(context)
        self._ffmpeg: FfmpegSource | None = None
        self._reads_hls = False
        self._asking = False
        """For an address: nothing is read meanwhile, as after an answer that was none."""
        self._scope_known = False
        self._media = anyio.CancelScope()
        self._attempt: anyio.CancelScope | None = None
        self._verdict: OuzelError | None = None
        self._offline = 0
        self._unsent_bytes = 0
        self._given: Stream | None = None
        """What the resolver gave for the attempt that is running, or was the last."""
        self._failed = False
        """That brought no media."""
        self._goes_on = False
        self._kept: Stream | None = None
        """The last that did."""

    @property
    def state(self) -> RecordingState:
        if self._state is _S.CONNECTING and self._tape.counters.chunks > self._chunks_at_connect:
            self._state = move(self._state, _S.RECORDING)
        return self._state

    def stop(self, *, goes_on: bool = False) -> None:
        """End the recording: keep what is whole, close the files. Callable once `run` was started.

        `goes_on`: it is taken up again later, and what is missing until then is told there.
        """
        self._context.stopping, self._goes_on = True, goes_on
        self._media.cancel()
        self._finisher.hurry(self._policy.stop_s)

    async def run(self) -> Report:
        """Record until the stream ends, the length is reached, or `stop`. Never raises an OuzelError: the report has it."""
        started = self._tape.wall()
        reason = EndReason.STOPPED
        async with anyio.create_task_group() as files:
            files.start_soon(self._finisher.run)
            try:
                with self._media:
                    reason = await self._follow_watched()
            except OuzelError as exc:
                self.error = exc
                reason = self._reason_of(exc)
            finally:
                with anyio.CancelScope(shield=True):
                    self._account_for_waiting()
                    self._hls.close()
                    if self._ffmpeg is not None and reason is not EndReason.DISK:
                        self._ffmpeg.close(reason)
                    self._move(_S.FINISHING)
                    self._tape.finish(reason, goes_on=self._goes_on)
                    await self._finisher.drain()
        self._move(_S.DONE)
        return self._report(started, reason)

    async def run_once(self, stream: Stream) -> EndReason | None:
        """One connection, or in HLS one stay with one address. None: it was closed without a word about why.

        Raises: OuzelError. What was whole is on the tape.
        """
        if scheme_of(stream.url) in FFMPEG_SCHEMES or stream.protocol == "ffmpeg":
            self._leave_hls()
            return await self._by_ffmpeg().run(stream)
        if stream.protocol == "hls" or (self._reads_hls and stream.protocol is None):
            self._reads_hls = True
            return await self._hls.run(stream)
        outcome = await self._progressive.run(stream)
        match outcome:
            case Playlist():
                self._reads_hls = True
                return await self._hls.run(stream, outcome)
            case ForFfmpeg(url):
                return await self._by_ffmpeg().run(stream, url)
            case _:
                return outcome

    def _leave_hls(self) -> None:
        """The page gives a stream of another kind now. What was listed meanwhile nobody has read, and nobody will."""
        if not self._reads_hls:
            return
        self._hls.close()
        if self._tape.recorded:
            self._tape.lose(*self._hls.blamed)
        self._hls, self._reads_hls = HlsSource(self._context), False

    def _by_ffmpeg(self) -> FfmpegSource:
        if self._ffmpeg is None:
            from ouzel.engine.sources.ffmpeg import FfmpegSource

            self._ffmpeg = FfmpegSource(self._context)
        return self._ffmpeg

    async def _learn_scope(self, stream: Stream) -> None:
        """What a channel may name depends on where it is itself: a public one must not lead into the local network."""
        if self._scope_known:
            return
        host = urlsplit(stream.url).hostname or ""
        if stream.proxy is None or stream.proxy.startswith("socks5:"):
            self._context.scope = Scope.of(await addresses_of(host))
        elif (literal := literal_address(host)) is not None:
            self._context.scope = Scope.of([literal])
        self._scope_known = True

    # -- the policy ---------------------------------------------------------------------------------------------------

    async def _follow_watched(self) -> EndReason:
        async with beside(Watchdog(self._context, self._gate, lambda: self.state, self._end_attempt).run):
            return await self._follow()

    async def _follow(self) -> EndReason:
        backoff = Backoff(self._policy.retry_base_s, self._policy.retry_cap_s)
        tries = 0
        while True:
            before = self._tape.counters.last_media
            began, had_s = self._context.clock.monotonic(), self._tape.counters.media_s
            error: OuzelError | None = None
            try:
                self._move(_S.CONNECTING)
                reason = await self._resolve_and_run()
                if reason is not None and self._tape.recorded:
                    return reason
                if reason is not None:
                    error = NotMedia("the stream ends without any media", reason=reason.value)
            except StorageError as exc:
                if exc.retry is Retry.NEVER or not self._tape.recorded:
                    raise
                await self._wait_for_disk(exc)
                continue
            except OuzelError as exc:
                error = exc
            self.error = error
            if self._tape.counters.last_media > before:
                tries = 0
                backoff.ease(self._context.clock.monotonic() - began, self._tape.counters.media_s - had_s)
                self._unsent_bytes = 0
            if error is not None and not self._reads_hls:
                self._unsent_bytes = _unsent(error) or self._unsent_bytes
            tries += 1
            if (over := self._judge(error, tries)) is not None:
                return over
            await self._park(error, backoff.next_s())

    async def _resolve_and_run(self) -> EndReason | None:
        failed, self._failed = self._failed, False
        self._asking = True
        stream = await self.spec.resolver.resolve(failed=failed)
        self._asking = False
        if stream is None:
            self._offline += 1
            if not self._tape.recorded:
                raise NotOnAir("it is not on air")
            return EndReason.ENDED if self._offline >= _OFFLINE_ANSWERS else None
        self._offline, self._given = 0, stream
        before = self._tape.counters.last_media
        try:
            await self._learn_scope(stream)
            with anyio.CancelScope() as self._attempt:
                async with beside(lambda: self._renew(stream)):
                    return await self.run_once(stream)
        finally:
            self._failed = self._tape.counters.last_media <= before
            self._kept = self._kept if self._failed else self._given
        verdict, self._verdict = self._verdict, None
        raise verdict or Stalled("the watchdog ended the connection")

    def _judge(self, error: OuzelError | None, tries: int) -> EndReason | None:
        """After a drop: None = try again; a reason = over. Raises the error when it never began."""
        away_s = self._context.clock.monotonic() - self._tape.counters.last_media
        takes_next = self._failed and self.spec.has_others
        if not self._tape.recorded:
            if self.spec.wait and not isinstance(error, _HOPELESS):
                return None
            if isinstance(error, (NotOnAir, Blocked)):
                raise error
            if self.spec.resumed and (error is None or isinstance(error, NetworkError)):
                return EndReason.GONE if away_s >= self._policy.park_s else None
            if tries >= _FIRST_TRIES or (away_s >= _FIRST_S and not takes_next):
                raise error or NotMedia("the stream closes at once, without any media")
            if error is not None and error.retry is Retry.NEVER and not takes_next:
                raise error
            return None
        if isinstance(error, (InputError, Refused, Unsupported)) and not takes_next:
            return EndReason.FAILED
        return EndReason.GONE if away_s >= self._policy.park_s else None

    async def _park(self, error: OuzelError | None, delay_s: float) -> None:
        turns: Turns | None = None
        if isinstance(error, RateLimited) and error.retry_after_s is not None:
            delay_s = max(delay_s, min(error.retry_after_s, self._policy.park_s))
        if self._tape.recorded or self.spec.resumed:
            if not self._reads_hls:
                code = GapCode.STREAM_ENDED if error is None else GapCode.CONNECTION_LOST
                self._tape.lose(code, "closed by the server" if error is None else because(code, error))
            self._move(_S.PARKED)
            self._tape.counters.reconnects += 1
            if isinstance(error, Blocked):
                delay_s = max(delay_s, self._policy.blocked_s)
        elif self.spec.wait:
            delay_s = max(delay_s, _WAIT_S)
            turns = self.spec.turns
            if turns is not None:
                delay_s = turns.patience_s(delay_s)
            self._move(_S.WAITING)
        self._tape.emit(
            EventCode.RECONNECTING,
            code=error.code if error else "closed",
            why=str(error) if error else "closed by the server",
            delay_s=round(delay_s, 3),
        )
        await (anyio.sleep(delay_s) if turns is None else turns.rest(delay_s))

    async def _wait_for_disk(self, exc: StorageError) -> None:
        self.error, self._failed = exc, False
        code = GapCode.READ_ONLY if isinstance(exc, ReadOnly) else GapCode.DISK_FULL
        if self._reads_hls:
            self._hls.blame(code, str(exc))  # the playlist tells exactly what slides away meanwhile
        else:
            self._tape.lose(code, str(exc))
        self._move(_S.PAUSED)
        self._tape.emit(EventCode.PAUSED, code=exc.code, why=str(exc))
        if (
            self._tape.counters.chunks == self._chunks_at_pause
        ):  # the gate was open, but not to us: a quota, another disk
            await anyio.sleep(self._policy.disk_probe_s)
        self._chunks_at_pause = self._tape.counters.chunks
        await self._gate.wait_open()
        self._tape.counters.last_media = self._context.clock.monotonic()
        self.error = None
        self._tape.emit(EventCode.RESUMED)

    async def _renew(self, stream: Stream) -> None:
        """Fetch a fresh address before this one expires; the source takes it up at its next request.

        One that is over when it is given, by what it says of itself, is asked for again when it does not work.
        """
        backoff = Backoff(self._policy.retry_base_s, self._policy.retry_cap_s)
        while (life_s := self._life_s(stream)) > 0:
            await anyio.sleep(max(1.0, life_s * self._policy.renew_at))
            if not self._reads_hls:  # one long answer: a new address is asked for when it breaks off
                return
            backoff.attempt = 1
            fresh = await self._renewed()
            while isinstance(fresh, OuzelError):
                self._tape.emit(EventCode.WARNING, code=fresh.code, why=f"the address could not be renewed: {fresh}")
                await anyio.sleep(backoff.next_s())
                fresh = await self._renewed()
            if fresh is None or fresh.protocol != stream.protocol:  # which this reader cannot take up
                return
            stream = self._given = fresh
            self._hls.renew(fresh)

    def _life_s(self, stream: Stream) -> float:
        """Seconds for which its address is good; 0 where that is not known."""
        return (stream.expires_at - self._context.clock.now()).total_seconds() if stream.expires_at else 0.0

    async def _renewed(self) -> Stream | OuzelError | None:
        try:
            return await self.spec.resolver.resolve()
        except OuzelError as exc:
            return exc

    def _end_attempt(self, verdict: OuzelError) -> None:
        if self._attempt is not None:
            self._verdict = verdict
            self._attempt.cancel()

    # -- the end ------------------------------------------------------------------------------------------------------

    def _account_for_waiting(self) -> None:
        """Stopped while nothing came: in HLS nobody has read meanwhile what is listed, and so what was missed."""
        missed = self._reads_hls and self._tape.on_air  # what is a file does not go by
        idle = self.state in {_S.PARKED, _S.PAUSED} or (self.state is _S.CONNECTING and self._asking)
        if self._context.stopping and missed and idle:
            code, why = self._hls.blamed
            missing_s = self._context.clock.monotonic() - self._tape.counters.last_media
            self._tape.lose(code, why, missing_s=missing_s)

    def _move(self, then: RecordingState) -> None:
        self._state = move(self.state, then)
        self._chunks_at_connect = self._tape.counters.chunks

    def _reason_of(self, exc: OuzelError) -> EndReason:
        if isinstance(exc, StorageError):
            return EndReason.DISK
        return EndReason.FAILED if self._tape.recorded else EndReason.NEVER_STARTED

    def _report(self, started: datetime, reason: EndReason) -> Report:
        counters = self._tape.counters
        over = reason in {EndReason.FAILED, EndReason.NEVER_STARTED, EndReason.DISK, EndReason.GONE}
        error = self.error if over else None
        if not self._finisher.files:  # what there was is gone, whatever else ended it
            error = self._tape.removed or error
        return Report(
            source=self.spec.source,
            started=started,
            ended=self._tape.wall(),
            end_reason=reason,
            files=tuple(self._finisher.files),
            gaps=tuple(self._tape.gaps),
            media_s=counters.media_s,
            bytes=sum(file.bytes for file in self._finisher.files),
            runs=counters.runs,
            reconnects=counters.reconnects,
            replays_dropped=counters.replays,
            error=(error.code, str(error)) if error else None,
            unsent_bytes=self._unsent_bytes if over else 0,
            stream=StreamReport.of(self._kept) if self._kept else None,
        )


def _unsent(error: OuzelError) -> int:
    """How much of its announced length an answer fell short of; 0 where none was announced."""
    announced, received = error.context.get("announced_bytes"), error.context.get("received_bytes")
    return announced - received if isinstance(announced, int) and isinstance(received, int) else 0
