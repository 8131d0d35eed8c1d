"""One media playlist, followed: its window's plan becomes a queue of things to fetch and things that are missing."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from types import MappingProxyType

import anyio

from ouzel.base.errors import FormatError, NetworkError, OuzelError, Retry, Stalled
from ouzel.base.urls import redact
from ouzel.engine.intake import Intake
from ouzel.engine.sources.context import SourceContext
from ouzel.engine.sources.detect import discreet
from ouzel.engine.tape import Tape
from ouzel.formats.m3u8 import Follower, InitSegment, MasterPlaylist, MediaPlaylist, Playlist, Segment, parse
from ouzel.model.flow import TrackScope
from ouzel.model.stream import Stream
from ouzel.model.window import Fetch, Missed, NewTimeline, Plan, Refresh, Window, reload_delay
from ouzel.system.http import Page

_QUICK_S = 0.4
_GRID_S = 0.25
_TURN_S = 2**33 / 90_000  # after which an MPEG clock begins anew
Variables = Mapping[str, str]
NO_VARIABLES: Variables = MappingProxyType({})


@dataclass(slots=True)
class Item:
    """Something to do, in order."""

    what: Fetch | Missed | NewTimeline
    wall: datetime | None = None
    attempts: int = 0
    renewals: int = 0
    since: float | None = None
    """Monotonic time of the first attempt."""


class Lane:
    """Keeps its window and its queue over reconnects: what was queued is still to be fetched, under whatever new address."""

    def __init__(
        self, context: SourceContext, scope: TrackScope, wake: Callable[[], None], *, beside: Segment | None = None
    ) -> None:
        """`beside`: the first segment of the main lane: this one begins where that was on air."""
        self.scope: TrackScope = scope
        self.queue: deque[Item] = deque()
        self.ended = False
        self.error: OuzelError | None = None
        self.intake: Intake | None = None
        self.init: InitSegment | None = None
        """The init segment that the intake has seen last."""
        self.position_s = 0.0
        """Programme time that was taken from the queue, kept or lost: how far this lane is."""
        self.clock_s: float | None = None
        """The same on the stream's own clock; None while that is not known."""
        self.kept: tuple[tuple[int, int], float | None] | None = None
        """What was kept last: its likeness, and where it begins on the stream's clock; None behind a break."""
        self.end_s: float | None = None
        """Where what was kept last ends in the running file, if it takes time of its own there."""
        self.leader: Lane | None = None
        """The lane of the pictures, where this one is beside it."""
        self.playlist: MediaPlaylist | None = None
        self._context = context
        self._wake = wake
        self._window = Window(
            from_start=context.from_start, beside=beside, keep_ads=context.keep_ads, after=context.after
        )
        self.stream: Stream | None = None
        self._url = ""
        self._live = False
        self._started = False
        self._plan_ended = False
        self._follower = Follower()

    def open(self, stream: Stream, playlist: MediaPlaylist, variables: Variables) -> None:
        """Take up an address; the first, or a fresh one for the same show."""
        self._follower = Follower(variables=variables)
        self.stream = stream
        self._url = playlist.url
        self.ended = False
        self.error = None
        self._take(self._window.rebase(playlist) if self._started else self._window.advance(playlist), playlist)
        self._started = True

    async def poll(self) -> None:
        """Read the playlist again and again. An error is left in `error` for the reader to find when the queue is empty."""
        try:
            await self._poll()
        except OuzelError as exc:
            self.error = exc
        self._wake()

    async def _poll(self) -> None:
        clock, policy = self._context.clock, self._context.policy
        asked = fresh = clock.monotonic()
        changed = True
        ended = self._plan_ended
        confirm_until: float | None = None
        while True:
            playlist = self.playlist
            assert playlist is not None
            now = clock.monotonic()
            if ended:
                if not self._live:
                    self.ended = True
                    return
                confirm_s = min(policy.end_confirm_s, policy.end_confirm_targets * playlist.target_duration_s)
                confirm_until = confirm_until or now + confirm_s
                if now >= confirm_until:
                    self.ended = True
                    return
            else:
                self._live = True
                confirm_until = None
                targets_s = policy.frozen_targets * playlist.target_duration_s if playlist.segments else 0.0
                limit_s = max(policy.frozen_min_s, targets_s)
                if now - fresh > limit_s:
                    what = "has had nothing new" if playlist.segments else "has listed no segment"
                    raise Stalled(f"the playlist {what} for {now - fresh:.0f} s")
            delay_s = reload_delay(playlist, changed=changed, elapsed_s=now - asked)
            await anyio.sleep(delay_s + _to_common_time(now + delay_s, playlist.target_duration_s))
            asked = clock.monotonic()
            try:
                read = await self._read()
            except OuzelError:
                if confirm_until is not None:  # ENDLIST was the last word, and now it is gone: that agrees
                    self.ended = True
                    return
                raise
            plan = self._window.advance(read)
            changed, ended = plan.changed, plan.ended
            if changed:
                fresh = asked
            self._take(plan, read)

    async def _read(self) -> MediaPlaylist:
        """The playlist, after a few quick tries. Raises: NetworkError, NotMedia, FormatError, Refused."""
        assert self.stream is not None
        attempts = self._context.policy.playlist_attempts
        for attempt in range(attempts):
            try:
                page = await fetch_playlist(self._context, self.stream, self._url)
                with discreet(self._context.scope):
                    playlist = self._follower.parse(page.data, base_url=page.answer.url)
                return _media_only(playlist, self._url)
            except NetworkError as exc:
                if exc.retry is not Retry.SOON or attempt == attempts - 1:
                    raise
                await anyio.sleep(_QUICK_S * (attempt + 1))
        raise AssertionError("unreachable")

    def _take(self, plan: Plan, playlist: MediaPlaylist) -> None:
        if not plan.stale or self.playlist is None:
            self.playlist = playlist
        self._plan_ended = plan.ended
        walls = _walls(playlist, self._context.clock.now())
        for action in plan.actions:
            match action:
                case Refresh(segment, number):
                    self._refresh(segment, number)
                case Fetch(segment):
                    self.queue.append(Item(action, walls.get(segment.media_sequence)))
                case _:
                    self.queue.append(Item(action))
        if self.queue or plan.ended:
            self._wake()

    def _refresh(self, segment: Segment, number: int) -> None:
        """The same segment has another address now."""
        for item in self.queue:
            if isinstance(item.what, Fetch) and item.what.number == number:
                item.what = replace(item.what, segment=segment)

    def done(self) -> None:
        """The first item of the queue is on the tape, or given up."""
        item = self.queue.popleft()
        if isinstance(item.what, Fetch):
            self._window.settle(item.what.number)

    def advance(self, duration_s: float, began_s: float | None = None) -> None:
        """A stretch of the programme was taken from the queue; `began_s`: at which time of the stream's clock it began.

        Announced lengths are rounded, so that their sums part after a while, and playlists need not begin at the same moment:
        how far sound is from its pictures is taken from the clock that they share, if they share one.
        """
        self.position_s += duration_s
        self.clock_s = self.clock_s if began_s is None else began_s
        if self.clock_s is None:
            return
        self.clock_s += duration_s
        if self.leader is not None and self.leader.clock_s is not None:
            apart_s = (self.clock_s - self.leader.clock_s + _TURN_S / 2) % _TURN_S - _TURN_S / 2
            target_s = self.playlist.target_duration_s if self.playlist else 0.0
            if abs(apart_s - (self.position_s - self.leader.position_s)) <= 2 * target_s:
                self.position_s = self.leader.position_s + apart_s

    def ahead_s(self, tape: Tape) -> float:
        """How much longer this lane is in the running file than its pictures are; 0 for these."""
        if self.leader is None:
            return 0.0
        if self.end_s is not None:
            return self.end_s - tape.file_s
        return max(0.0, self.position_s - self.leader.position_s)

    @property
    def next_s(self) -> float:
        """Length of the first thing in the queue; 0 without any."""
        what = self.queue[0].what if self.queue else None
        match what:
            case Fetch(segment=segment):
                return segment.duration_s
            case Missed(duration_s=duration_s):
                return duration_s
            case _:
                return 0.0

    @property
    def at_break(self) -> bool:
        """What comes next does not continue what came before."""
        what = self.queue[0].what if self.queue else None
        return isinstance(what, NewTimeline) or (isinstance(what, Fetch) and what.expected == "spliced")

    def has_left(self, segment: Segment) -> bool:
        """Whether the playlist does not list the segment any more."""
        return self.playlist is not None and segment.media_sequence < self.playlist.media_sequence

    def leaves_soon(self, segment: Segment) -> bool:
        """Whether the segment is about to leave the window, or has left it."""
        if self.playlist is None or self.playlist.end_list:
            return False
        return segment.media_sequence < self.playlist.media_sequence + 2


async def fetch_playlist(context: SourceContext, stream: Stream, url: str) -> Page:
    """Raises: NetworkError, Refused, TooLarge."""
    request, policy = context.request(stream, url), context.policy
    limits = replace(request.limits, total_s=policy.playlist_s)
    return await context.http.fetch(request._replace(limits=limits), max_bytes=policy.max_playlist_bytes)


async def read_playlist(
    context: SourceContext, stream: Stream, url: str, variables: Variables = NO_VARIABLES
) -> Playlist:
    """Fetch and parse. `variables`: what the master playlist defined. Raises: NetworkError, Refused, NotMedia, FormatError."""
    page = await fetch_playlist(context, stream, url)
    with discreet(context.scope):
        return parse(page.data, base_url=page.answer.url, variables=variables)


async def read_media_playlist(
    context: SourceContext, stream: Stream, url: str, variables: Variables = NO_VARIABLES
) -> MediaPlaylist:
    """As `read_playlist`, where a master playlist would make no sense."""
    return _media_only(await read_playlist(context, stream, url, variables), url)


def _media_only(playlist: Playlist, url: str) -> MediaPlaylist:
    if isinstance(playlist, MasterPlaylist):
        raise FormatError("the address of a media playlist gives a master playlist", url=redact(url))
    return playlist


def _to_common_time(when: float, target_s: float) -> float:
    """Seconds from `when` to the next moment at which all playlists of the process are asked for.

    Many playlists at once cost less than one at a time: what reads them is in the processor's caches then.
    """
    return -when % min(_GRID_S, target_s / 8)


def _walls(playlist: MediaPlaylist, now: datetime) -> dict[int, datetime]:
    """When each segment was on air: by its program date-time, else by a live edge that ends now."""
    walls: dict[int, datetime] = {}
    edge = now
    for segment in reversed(playlist.segments):
        edge -= timedelta(seconds=segment.duration_s)
        if segment.starts_at is not None:
            walls[segment.media_sequence] = segment.starts_at
        elif not playlist.end_list:
            walls[segment.media_sequence] = edge
    return walls
