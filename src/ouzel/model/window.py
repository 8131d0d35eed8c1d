"""Successive live playlists in, a plan out: fetch these, these are gone. Pure: no clock, no network, no log.

    window = Window()
    while True:
        plan = window.advance(parse(await load(url), base_url=url))
        for action in plan.actions:      # in the order of the media
            match action:
                case Fetch():        queue it; if `spliced`, it does not continue what was fetched before it
                case Missed():       write a Gap
                case NewTimeline():  write a Gap; what follows is another run of the source
                case Refresh():      if it is still queued, take this address instead
        if plan.ended: ...               # all that there is has been planned; a later playlist may take it back
        await sleep(reload_delay(...))

What holds, whatever the server does: a segment is planned once, segments come in order, and a segment that was listed
somewhere between two planned ones, or should have been, is told as missed once.

Segments are counted in a numbering of our own. It starts as the playlist's, rises for ever, and goes on over new timelines and
servers that renumber; missed segments take their numbers along.
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import copy
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from ouzel.formats.m3u8 import MediaPlaylist, Segment, complete
from ouzel.model.advertising import advertising
from ouzel.model.alignment import (
    COMPARED,
    REMEMBERED,
    Alignment,
    Known,
    align,
    align_renewed,
    average_s,
    looks_restarted,
    seconds_between,
)
from ouzel.model.flow import GapCode
from ouzel.model.live_edge import start_index

STUBBORN = 2
"""So many times must a list that seems to be an old state grow before it is believed to be the present one."""


@dataclass(frozen=True, slots=True)
class Fetch:
    """Get this segment."""

    segment: Segment
    number: int
    """In our own numbering."""
    expected: Literal["continuous", "spliced"]
    """`spliced`: a discontinuity, a gap or a new timeline lies before it. The very first one is continuous."""


@dataclass(frozen=True, slots=True)
class Missed:
    """These segments cannot be had, and why."""

    number: int
    """Of the first, in our own numbering."""
    first_sequence: int
    """Its media sequence number, as the playlist in hand counts."""
    count: int
    duration_s: float
    """From the wall clock where it is told, else from the listed durations."""
    reason: Literal[GapCode.WINDOW_SLID, GapCode.LISTED_GAP, GapCode.ADVERTISEMENT]


@dataclass(frozen=True, slots=True)
class NewTimeline:
    """The source began again, or cannot be recognised: what follows has nothing to do with the segments before it."""

    why: str
    missing_s: float | None
    """Seconds between the two by the wall clock; None when it is not told."""
    reason: Literal[GapCode.TIMELINE_RESET] = GapCode.TIMELINE_RESET


@dataclass(frozen=True, slots=True)
class Refresh:
    """A segment that was planned before and is not settled is listed with another address now."""

    segment: Segment
    number: int


Action: TypeAlias = Fetch | Missed | NewTimeline | Refresh


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do after one playlist."""

    actions: tuple[Action, ...] = ()
    changed: bool = True
    """It says something new: segments, parts, or that this is the end. To be handed to `reload_delay`."""
    ended: bool = False
    """ENDLIST, and everything listed is planned. Not for ever: some servers say it too early and go on."""
    stale: bool = False
    """An older state of what is known already; nothing was planned from it."""
    unchanged: int = 0
    """How many playlists in a row, this one included, said nothing new."""
    needs_full: bool = False
    """A delta update that does not fit what is known: load the playlist again without asking for a delta."""

    @property
    def fetches(self) -> tuple[Fetch, ...]:
        return tuple(action for action in self.actions if isinstance(action, Fetch))


class Window:
    """Where we stand in a live playlist.

    Args:
        from_start: begin with the first listed segment instead of near the live edge.
        beside: the first segment of another rendition of the same programme: begin with the one that was on air then, by the
            wall clock, else with that of the same media sequence number.
        keep_ads: what the platform calls an advertisement is fetched as if it were the show.
        after: the media sequence number with which a recording that was broken off has ended: begin with what follows.
    """

    __slots__ = (
        "_addresses_last",
        "_after",
        "_begun",
        "_behind",
        "_beside",
        "_doubtful",
        "_from_start",
        "_growths",
        "_keep_ads",
        "_known",
        "_last",
        "_next",
        "_said",
        "_shift",
        "_spliced",
        "_unchanged",
        "_unsettled",
    )

    def __init__(
        self,
        *,
        from_start: bool = False,
        beside: Segment | None = None,
        keep_ads: bool = False,
        after: int | None = None,
    ) -> None:
        self._from_start = from_start
        self._after = after
        self._keep_ads = keep_ads
        self._beside = beside
        self._known: dict[int, Segment] = {}
        """The newest listed segments by our number; empty before the first playlist that lists any."""
        self._shift = 0
        self._next = 0
        """Our number of the next segment to be planned."""
        self._last: MediaPlaylist | None = None
        self._addresses_last = True
        self._doubtful = False
        """A new timeline was told because all addresses had changed. When that happens again at once, it is their habit."""
        self._said: tuple[object, ...] = ()
        """What the last playlist that was not stale said, to see whether the next says more."""
        self._unchanged = 0
        self._begun = False
        """Something was planned to be fetched."""
        self._spliced = False
        """The next segment to be fetched does not continue the one before it."""
        self._unsettled: dict[int, str] = {}
        """Address by number of what was planned, until it is settled or leaves the list."""
        self._behind: dict[int, Segment] = {}
        """What far too old playlists listed, should it turn out that they are the present."""
        self._growths = 0
        """How often `_behind` grew."""

    def copy(self) -> Window:
        """A window that stands here and goes its own way."""
        twin = copy(self)
        twin._known, twin._unsettled, twin._behind = self._known.copy(), self._unsettled.copy(), self._behind.copy()
        return twin

    def settle(self, number: int) -> None:
        """A planned segment is fetched or given up: its address need not be refreshed any more."""
        self._unsettled.pop(number, None)

    def advance(self, playlist: MediaPlaylist) -> Plan:
        """The plan after loading the playlist (again)."""
        return self._step(playlist, renewed=False)

    def rebase(self, playlist: MediaPlaylist) -> Plan:
        """The plan after loading the playlist from a renewed address, perhaps of another server."""
        self._addresses_last, self._doubtful = True, False
        return self._step(playlist, renewed=True)

    # ---------------------------------------------------------------------------------------------- one step

    def _step(self, playlist: MediaPlaylist, *, renewed: bool) -> Plan:
        whole = playlist if playlist.skip is None else self._completed(playlist)
        if whole is None:
            return self._nothing_new(needs_full=True)
        if whole is self._last and not renewed:
            return self._judged(whole, ())
        if not whole.segments:
            self._last = whole
            return self._judged(whole, ())
        if not self._known:
            self._begin(whole)
            return self._judged(whole, tuple(self._planned(whole)))
        known = Known(self._known, self._shift, self._addresses_last)
        alignment = (align_renewed if renewed else align)(known, whole)
        if alignment.kind == "behind":
            if alignment.sure or not self._keeps_growing(known, whole):
                self._shift = alignment.shift  # old as it is, it may tell how a renewed address counts
                return self._nothing_new(stale=True)
            whole = replace(whole, segments=tuple(self._behind.values()))
            alignment = Alignment("new", self._shift, "an old list, by its numbers, that keeps growing")
        if alignment.kind == "new" and alignment.addresses == "differ":
            alignment = self._doubted(known, whole, alignment)
        actions: tuple[Action, ...] = ()
        if alignment.kind == "new":
            actions = (self._restart(whole, alignment),)
        else:
            self._adopt(whole, alignment)
        return self._judged(whole, (*actions, *self._planned(whole)))

    def _completed(self, delta: MediaPlaylist) -> MediaPlaylist | None:
        return None if self._last is None else complete(delta, self._last)

    def _nothing_new(self, *, stale: bool = False, needs_full: bool = False) -> Plan:
        self._unchanged += 1
        return Plan(changed=False, stale=stale, unchanged=self._unchanged, needs_full=needs_full)

    def _judged(self, playlist: MediaPlaylist, actions: tuple[Action, ...]) -> Plan:
        first = playlist.segments[0].media_sequence + self._shift if playlist.segments else None
        last = playlist.segments[-1].media_sequence + self._shift if playlist.segments else None
        said = (first, last, playlist.end_list, len(playlist.parts))
        changed = said != self._said
        self._said = said
        self._unchanged = 0 if changed else self._unchanged + 1
        return Plan(actions, changed, playlist.end_list, unchanged=self._unchanged)

    # -------------------------------------------------------------------------------------- where we stand

    def _begin(self, playlist: MediaPlaylist) -> None:
        at = start_index(playlist, from_start=self._from_start, beside=self._beside, after=self._after)
        self._next = playlist.segments[0].media_sequence + at

    def _adopt(self, playlist: MediaPlaylist, alignment: Alignment) -> None:
        self._shift = alignment.shift
        self._behind, self._growths = {}, 0
        went_on = playlist.segments[-1].media_sequence + self._shift > next(reversed(self._known))
        if alignment.addresses == "agree" and went_on:  # the same text twice would prove nothing
            self._addresses_last, self._doubtful = True, False

    def _restart(self, playlist: MediaPlaylist, alignment: Alignment) -> NewTimeline:
        """Forget the old timeline. The new one is taken from its first segment, or, when it may well be what we have already,
        from where a new recording would begin."""
        before = self._known[next(reversed(self._known))]
        missing_s = seconds_between(before, playlist.segments[0])
        at = start_index(playlist, from_start=alignment.all_new)
        self._shift = self._next - playlist.segments[at].media_sequence
        self._known.clear()
        self._unsettled.clear()
        self._behind, self._growths = {}, 0
        self._spliced = True
        return NewTimeline(alignment.reason, None if missing_s is None or missing_s < 0 else missing_s)

    def _doubted(self, known: Known, playlist: MediaPlaylist, alignment: Alignment) -> Alignment:
        """The first time that all addresses change under numbers that go on, the server began again. The second time in a row
        it is one whose addresses do not last, and only its numbers count."""
        goes_on = playlist.segments[-1].media_sequence + known.shift >= known.last
        if not (self._doubtful and goes_on):
            self._doubtful = goes_on
            return alignment
        self._addresses_last = False
        return Alignment("same", known.shift, addresses="differ")

    def _keeps_growing(self, known: Known, playlist: MediaPlaylist) -> bool:
        """Whether a list that seems to be an old state is the present one after all: of a server that began to count again,
        under the same names."""
        listed = playlist.segments
        if not looks_restarted(known, listed):
            self._behind, self._growths = {}, 0
            return False
        if self._behind and listed[-1].media_sequence > max(self._behind):
            self._growths += 1
        self._behind |= {segment.media_sequence: segment for segment in listed[-REMEMBERED:]}
        return self._growths >= STUBBORN

    # --------------------------------------------------------------------------------------------- the plan

    def _planned(self, playlist: MediaPlaylist) -> Iterator[Action]:
        """What is listed from where we stand on."""
        self._last = playlist
        listed, shift = playlist.segments, self._shift
        first = listed[0].media_sequence + shift
        yield from self._refreshed(listed, first)
        gap: Missed | None = None
        new = listed[max(0, self._next - first) :]
        is_ad = advertising(playlist) if new and not self._keep_ads else None
        for segment in new:
            number = segment.media_sequence + shift
            if number > self._next:
                yield self._slid(playlist, segment, number)
            self._next = number + 1
            why = GapCode.LISTED_GAP if segment.gap else GapCode.ADVERTISEMENT if is_ad and is_ad(segment) else None
            if gap is not None and gap.reason is not why:
                yield gap
                gap = None
            if why is None:
                yield self._fetch(segment, number)
                continue
            self._spliced = True
            gap = _longer(gap, segment, number, why)
        if gap is not None:
            yield gap
        self._remember(listed)

    def _fetch(self, segment: Segment, number: int) -> Fetch:
        spliced = self._begun and (self._spliced or segment.discontinuity)
        self._begun, self._spliced = True, False
        self._unsettled[number] = segment.uri
        return Fetch(segment, number, "spliced" if spliced else "continuous")

    def _slid(self, playlist: MediaPlaylist, segment: Segment, number: int) -> Missed:
        """The window slid past everything between where we stood and `segment`."""
        self._spliced = True
        count = number - self._next
        before = self._known.get(self._next - 1)
        duration_s = None if before is None else seconds_between(before, segment)
        if duration_s is None or duration_s <= 0:
            duration_s = count * average_s(playlist)
        return Missed(self._next, self._next - self._shift, count, duration_s, GapCode.WINDOW_SLID)

    def _refreshed(self, listed: tuple[Segment, ...], first: int) -> Iterator[Refresh]:
        for number, uri in list(self._unsettled.items()):
            at = number - first
            if at < 0:
                del self._unsettled[number]
            elif at < len(listed) and listed[at].uri != uri:
                self._unsettled[number] = listed[at].uri
                yield Refresh(listed[at], number)

    def _remember(self, listed: tuple[Segment, ...]) -> None:
        last = next(reversed(self._known), None)
        newest = listed[-1].media_sequence + self._shift
        count = REMEMBERED if last is None else min(REMEMBERED, max(COMPARED, newest - last))
        for segment in listed[-count:]:
            number = segment.media_sequence + self._shift
            if last is None or number > last or number in self._known:
                self._known[number] = segment
        while len(self._known) > REMEMBERED:
            del self._known[next(iter(self._known))]


def _longer(
    gap: Missed | None, segment: Segment, number: int, why: Literal[GapCode.LISTED_GAP, GapCode.ADVERTISEMENT]
) -> Missed:
    if gap is None:
        return Missed(number, segment.media_sequence, 1, segment.duration_s, why)
    return replace(gap, count=gap.count + 1, duration_s=gap.duration_s + segment.duration_s)


def reload_delay(playlist: MediaPlaylist, *, changed: bool, elapsed_s: float) -> float:
    """Seconds to wait before asking for a live media playlist again.

    Args:
        playlist: the one just read; its `target_duration_s` is > 0.
        changed: whether it said anything new (`Plan.changed`; True for the first).
        elapsed_s: seconds since that request was *sent*, from a monotonic clock.

    Returns: >= 0; the target duration after a change, half of it otherwise, less `elapsed_s`.

    Raises: ValueError if the target duration is not positive.

    Source: draft-pantos-hls-rfc8216bis-20 section 6.3.4.
    """
    target_s = playlist.target_duration_s
    if not target_s > 0:
        raise ValueError(f"target duration {target_s}")
    return max(0.0, (target_s if changed else target_s / 2) - elapsed_s)
