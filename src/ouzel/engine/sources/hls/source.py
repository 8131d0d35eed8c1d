"""A show in HLS: one variant, perhaps with alternate sound, taken segment by segment in the order in which it was on air."""

from __future__ import annotations

from collections.abc import Iterable

import anyio

from ouzel.base.errors import OuzelError, StorageError
from ouzel.base.urls import redact
from ouzel.engine.sources.context import SourceContext
from ouzel.engine.sources.hls.lane import NO_VARIABLES, Item, Lane, Variables, read_media_playlist, read_playlist
from ouzel.engine.sources.hls.segment import SegmentReader
from ouzel.engine.sources.hls.shapers import LaneShapers
from ouzel.engine.sources.progressive import Playlist
from ouzel.engine.tasks import beside
from ouzel.formats.m3u8 import MasterPlaylist, MediaPlaylist, Segment, parse
from ouzel.model.events import EventCode
from ouzel.model.flow import EndReason, GapCode, because
from ouzel.model.quality import choose, label
from ouzel.model.stream import Stream
from ouzel.model.window import Fetch, Missed, NewTimeline

_LOOK_S = 0.25


class HlsSource:
    """Keeps windows, queues and shapers over reconnects and fresh addresses: one show, one timeline."""

    def __init__(self, context: SourceContext) -> None:
        self._context = context
        self._shapers = LaneShapers(context.tape)
        self._reader = SegmentReader(context, self._shapers)
        self._lanes: list[Lane] = []
        self._wakeup = anyio.Event()
        self._fresh: Stream | None = None
        self._fresh_came = anyio.Event()
        self._chosen = ""
        self._waiting_since: float | None = None
        """Monotonic time since when a lane waits for the other."""

    async def run(self, stream: Stream, first: Playlist | None = None) -> EndReason | None:
        """Follow the show from this address until it ends.

        Returns: ENDED after ENDLIST; DURATION when the tape is full.
        Raises: OuzelError. What is queued stays queued for the next call.
        """
        await self._open(stream, first)
        self._context.tape.run(
            "hls", redact(self._lanes[0].playlist.url if self._lanes[0].playlist else ""), self._chosen
        )
        try:
            async with beside(*(lane.poll for lane in self._lanes), self._take_up_fresh):
                return await self._drain(stream)
        except StorageError:
            raise
        except OuzelError as exc:
            self._reader.blame = self._reader.blame or (GapCode.CONNECTION_LOST, because(GapCode.CONNECTION_LOST, exc))
            raise

    def renew(self, stream: Stream) -> None:
        """A fresh address for the same show; taken up between two requests."""
        self._fresh = stream
        self._fresh_came.set()

    def blame(self, code: GapCode, why: str) -> None:
        """Until media flows again, what slides away does so because of this."""
        self._reader.blame = (code, why)

    @property
    def blamed(self) -> tuple[GapCode, str]:
        return self._reader.blame or (GapCode.CONNECTION_LOST, "the recording was stopped before the stream came back")

    # -- opening ------------------------------------------------------------------------------------------------------

    async def _open(self, stream: Stream, first: Playlist | None) -> None:
        """Choose the variant, read its playlists, and hand them to the lanes."""
        if first is not None:
            top = parse(first.data, base_url=first.answer.url)
        else:
            top = await read_playlist(self._context, stream, stream.url)
        playlists = await self._choose(stream, top)
        variables = variables_of(top)
        if not self._lanes:
            self._lanes = [Lane(self._context, "all", self._wake)]
        self._lanes[0].open(stream, playlists[0], variables)
        if len(self._lanes) < len(playlists):
            self._lanes.append(Lane(self._context, "audio", self._wake, beside=_first(self._lanes[0].queue)))
            self._shapers.pair()
        for lane, playlist in zip(self._lanes[1:], playlists[1:], strict=False):
            lane.open(stream, playlist, variables)

    async def _choose(self, stream: Stream, top: MasterPlaylist | MediaPlaylist) -> list[MediaPlaylist]:
        if isinstance(top, MediaPlaylist):
            self._chosen = stream.quality
            return [top]
        choice = choose(top, stream.quality)
        self._chosen = label(choice.variant) if choice.variant is not None else "audio"
        addresses = [choice.variant.uri] if choice.variant is not None else []
        if choice.audio is not None and choice.audio.uri is not None:
            addresses.append(choice.audio.uri)
        return [await read_media_playlist(self._context, stream, url, variables_of(top)) for url in addresses]

    async def _take_up_fresh(self) -> None:
        """Renewed addresses, between two polls; a failure costs nothing, because the old address still works."""
        while True:
            await self._fresh_came.wait()
            self._fresh_came = anyio.Event()
            fresh, self._fresh = self._fresh, None
            if fresh is None:
                continue
            try:
                top = await read_playlist(self._context, fresh, fresh.url)
                for lane, playlist in zip(self._lanes, await self._choose(fresh, top), strict=False):
                    lane.open(fresh, playlist, variables_of(top))
            except OuzelError as exc:
                self._context.tape.emit(
                    EventCode.WARNING, code=exc.code, why=f"the fresh address cannot be read: {exc}"
                )

    # -- the loop -----------------------------------------------------------------------------------------------------

    async def _drain(self, stream: Stream) -> EndReason | None:
        tape = self._context.tape
        while True:
            lane = self._next_lane()
            if lane is None:
                for each in self._lanes:
                    if each.error is not None:
                        raise each.error
                if all(each.ended for each in self._lanes):
                    self._reader.judge_start(ended=True)
                    return EndReason.ENDED
                self._wakeup = anyio.Event()
                if self._waiting_since is None:
                    await self._wakeup.wait()
                else:
                    with anyio.move_on_after(_LOOK_S):
                        await self._wakeup.wait()
                continue
            self._waiting_since = None
            await self._process(lane.stream or stream, lane)
            self._reader.judge_start(ended=False)
            if tape.full and self._level():
                return EndReason.DURATION
            if tape.due_for_split() and self._level():
                self._shapers.split(self._lanes)

    async def _process(self, stream: Stream, lane: Lane) -> None:
        item = lane.queue[0]
        match item.what:
            case Fetch(segment=segment, expected=expected):
                if len(self._lanes) > 1:
                    await self._reader.feed_inits(stream, self._lanes)
                if expected == "spliced" and item.attempts == 0 and lane.intake is not None:
                    lane.intake.splice()
                await self._reader.read(stream, lane, item, segment)
                lane.position_s += segment.duration_s
            case Missed():
                self._miss(lane, item.what)
            case NewTimeline(why=why, missing_s=missing_s):
                if lane.intake is not None:
                    lane.intake.splice()
                if lane.scope == "all" and self._context.tape.recorded:
                    self._context.tape.lose(GapCode.TIMELINE_RESET, why, missing_s=missing_s)
        lane.done()

    def _miss(self, lane: Lane, missed: Missed) -> None:
        code = GapCode(missed.reason)
        why = "EXT-X-GAP" if code is GapCode.LISTED_GAP else "left the playlist before it could be fetched"
        if code is GapCode.WINDOW_SLID and self._reader.blame is not None:
            code, why = self._reader.blame
        self._context.tape.lose(
            code,
            why,
            missing_s=missed.duration_s,
            first_sequence=missed.first_sequence,
            last_sequence=missed.first_sequence + missed.count - 1,
            scope=lane.scope,
        )
        lane.position_s += missed.duration_s
        if lane.intake is not None:
            lane.intake.splice()

    def _next_lane(self) -> Lane | None:
        """The lane that is furthest behind, if it has something to do; of two at one point the sound, which goes first.

        The picture waits for its sound for a while: a server lists the two at slightly different times.
        """
        behind = sorted(self._lanes, key=lambda lane: (lane.position_s, lane.scope == "all"))
        if behind[0].queue:
            return behind[0]
        ahead = next((lane for lane in behind if lane.queue), None)
        if ahead is None or behind[0].ended or behind[0].error is not None:
            return ahead
        now = self._context.clock.monotonic()
        self._waiting_since = self._waiting_since or now
        if now - self._waiting_since < self._patience_s(ahead):
            return None
        return ahead

    def _patience_s(self, lane: Lane) -> float:
        return 2 * lane.playlist.target_duration_s if lane.playlist else 0.0

    def _level(self) -> bool:
        """Whether the lanes are at the same point, so that a file may end here."""
        first = self._lanes[0]
        return all(lane.position_s >= first.position_s - 0.5 or lane.ended for lane in self._lanes)

    def _wake(self) -> None:
        self._wakeup.set()


def variables_of(top: MasterPlaylist | MediaPlaylist) -> Variables:
    return dict(top.variables) if isinstance(top, MasterPlaylist) else NO_VARIABLES


def _first(queue: Iterable[Item]) -> Segment | None:
    return next((item.what.segment for item in queue if isinstance(item.what, Fetch)), None)
