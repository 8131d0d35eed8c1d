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

_WHY = {
    GapCode.LISTED_GAP: "EXT-X-GAP",
    GapCode.WINDOW_SLID: "left the playlist before it could be fetched",
    GapCode.ADVERTISEMENT: "an advertisement in the place of the show",
}
_LOOK_S = 0.25
_LEVEL_S = 0.2  # frames of sound are not as long as pictures: lanes that are no further apart are at one point
_SPLIT_PATIENCE = 4
"""Segments for which a file that is due to end waits for a point where picture and sound end together."""


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
        self._overdue = 0
        """Segments of pictures since the running file was due to end."""

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

    def close(self) -> None:
        """The recording is over, for whatever reason: sound that came later than its pictures is written, if there is room."""
        try:
            self._shapers.flush(self._lanes)
        except StorageError as exc:
            why = f"the last of the alternate sound could not be written: {exc}"
            self._context.tape.emit(EventCode.WARNING, code=exc.code, why=why)

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
            self._lanes[1].leader = self._lanes[0]
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
            lane = self._turn()
            if lane is None:
                for each in self._lanes:
                    if each.error is not None:
                        raise each.error
                if all(each.ended for each in self._lanes):
                    self._reader.judge_start(ended=True)
                    self._shapers.flush(self._lanes, over=True)
                    return EndReason.ENDED
                self._wakeup = anyio.Event()
                if self._waiting_since is None:
                    await self._wakeup.wait()
                else:
                    with anyio.move_on_after(_LOOK_S):
                        await self._wakeup.wait()
                continue
            if tape.full and lane.scope == "all":
                return EndReason.DURATION
            await self._process(lane.stream or stream, lane)
            self._reader.judge_start(ended=False)
            if tape.full and self._sound_is_there():
                return EndReason.DURATION
            if len(self._lanes) == 1 and tape.due_for_split():
                self._shapers.split(self._lanes)

    async def _process(self, stream: Stream, lane: Lane) -> None:
        item = lane.queue[0]
        match item.what:
            case Fetch(segment=segment, expected=expected):
                if len(self._lanes) > 1:
                    await self._reader.feed_inits(stream, self._lanes)
                if expected == "spliced" and item.attempts == 0 and lane.intake is not None:
                    lane.intake.splice()
                    lane.kept = None  # behind a break it may well be the same again
                span = await self._reader.read(stream, lane, item, segment)
                lane.advance(segment.duration_s, span.source_s if span else None)
                if lane.scope == "all":
                    self._overdue = self._overdue + 1 if self._context.tape.due_for_split() else 0
            case Missed():
                self._miss(lane, item.what)
            case NewTimeline(why=why, missing_s=missing_s):
                if lane.intake is not None:
                    lane.intake.splice()
                lane.clock_s = lane.kept = None
                if lane.scope == "all" and self._context.tape.recorded:
                    self._context.tape.lose(GapCode.TIMELINE_RESET, why, missing_s=missing_s)
        lane.done()

    def _miss(self, lane: Lane, missed: Missed) -> None:
        code = GapCode(missed.reason)
        why = _WHY[missed.reason]
        if code is GapCode.WINDOW_SLID and self._reader.blame is not None:
            code, why = self._reader.blame
        self._context.tape.lose(
            code,
            why,
            missing_s=missed.duration_s,
            first_sequence=missed.first_sequence,
            last_sequence=missed.first_sequence + missed.count - 1,
            scope=lane.scope,
            ahead_s=lane.ahead_s(self._context.tape),
        )
        if code is GapCode.ADVERTISEMENT and lane.scope == "all":
            self._context.tape.counters.passed_over(missed.duration_s, self._context.clock.monotonic())
        lane.advance(missed.duration_s)
        if lane.intake is not None:
            lane.intake.splice()

    def _turn(self) -> Lane | None:
        """The lane whose turn it is; None: wait. A new file is begun before the first that belongs into it."""
        lane = self._next_lane()
        main = self._lanes[0]
        if lane is None or len(self._lanes) == 1 or not self._context.tape.due_for_split() or not self._may_split():
            return lane
        if any(isinstance(item.what, Fetch) for item in main.queue):
            self._shapers.split(self._lanes)
        elif not main.ended and main.error is None:
            return None  # sound without pictures is no file: whether any come is not known yet
        return lane

    def _next_lane(self) -> Lane | None:
        """The lane that is behind, if it has something to do; sound goes before the pictures with which it is heard.

        One waits for the other for a while: a server lists the two at slightly different times.
        """
        main, *sounds = self._lanes
        ahead_s = main.next_s - min(_LEVEL_S, main.next_s / 2) if main.next_s else _LEVEL_S
        behind = [lane for lane in sounds if lane.position_s < main.position_s + self._lead_s(lane, ahead_s)]
        order = [*behind, main] if behind else [main, *sounds]
        first = order[0]
        if first.queue:
            self._waiting_since = None
            return first
        ahead = next((lane for lane in order if lane.queue), None)
        if ahead is None or first.ended or first.error is not None:
            return ahead
        now = self._context.clock.monotonic()
        self._waiting_since = self._waiting_since or now
        if now - self._waiting_since < self._patience_s(ahead):
            return None
        return ahead

    def _lead_s(self, lane: Lane, usual_s: float) -> float:
        """How far sound is to be ahead of the pictures. Behind a break it is they that set the clock: sound that does not wait
        for them inside its shaper does so here."""
        return -_LEVEL_S if lane.at_break and not self._shapers.weaves else usual_s

    def _patience_s(self, lane: Lane) -> float:
        return 2 * lane.playlist.target_duration_s if lane.playlist else 0.0

    def _sound_is_there(self) -> bool:
        """Whether all sound that belongs to the pictures was taken."""
        main, *sounds = self._lanes
        return all(lane.position_s >= main.position_s - _LEVEL_S or (lane.ended and not lane.queue) for lane in sounds)

    def _may_split(self) -> bool:
        """Whether a file may end here. Sound that is woven goes with its pictures; other sound has to end where they do, unless
        it does not do so for long."""
        main, *sounds = self._lanes
        level = self._shapers.weaves or all(lane.position_s <= main.position_s + _LEVEL_S for lane in sounds)
        return (level and self._sound_is_there()) or self._overdue > _SPLIT_PATIENCE

    def _wake(self) -> None:
        self._wakeup.set()


def variables_of(top: MasterPlaylist | MediaPlaylist) -> Variables:
    return dict(top.variables) if isinstance(top, MasterPlaylist) else NO_VARIABLES


def _first(queue: Iterable[Item]) -> Segment | None:
    return next((item.what.segment for item in queue if isinstance(item.what, Fetch)), None)
