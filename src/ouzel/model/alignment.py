"""How a playlist lines up with the ones before it: which of its segments are which of theirs.

The media sequence number is the first evidence, but servers restart it, forget it, or write 0 for ever; addresses carry tokens
that change; and not every server tells the time of day. So the three are weighed against each other here, in one place.

Segments known so far are counted in a numbering of our own: it starts as the playlist's, but never goes back. `shift` is what
has to be added to the playlist's numbers to get ours.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from ouzel.formats.m3u8 import MediaPlaylist, Segment
from ouzel.model.same_segment import file_name, is_same, series, telling

COMPARED = 16
"""How many of the newest segments are compared with each other: enough to be sure, and little for a playlist of a whole day."""
REMEMBERED = 128
"""How many of the newest known segments are kept for it."""
JUMP = 1000
"""A step forward of more segments than this, and of ten times what is listed, is no gap but another numbering, unless the wall
clock says that so much was indeed missed."""
SHORT_TARGETS = 10
"""A list of so many target durations may rather be recorded twice than be lost; a longer one reaches far back."""


@dataclass(frozen=True, slots=True)
class Alignment:
    """What became of it."""

    kind: Literal["same", "behind", "new"]
    """`behind`: an older state of the same list, as a slow edge of a CDN serves it. `new`: nothing in common."""
    shift: int
    reason: str = ""
    """Of `new`: why."""
    addresses: Literal["agree", "differ", "unknown"] = "unknown"
    """Whether segments that are the same have the same address but for tokens."""
    sure: bool = False
    """Of `behind`: the wall clock says so too."""
    all_new: bool = True
    """Of `new`: nothing in it can have been seen before, so that it is to be taken from its first segment. False when it may
    well be what is known already, unrecognisable, and long."""


@dataclass(frozen=True, slots=True)
class Known:
    """What was listed so far on this timeline, by our number; the newest `REMEMBERED` of it."""

    segments: dict[int, Segment]
    shift: int
    addresses_last: bool = True
    """Whether addresses stay the same, but for tokens, from one playlist to the next. True unless they were seen not to."""

    @property
    def first(self) -> int:
        return next(iter(self.segments))

    @property
    def last(self) -> int:
        return next(reversed(self.segments))

    @property
    def newest(self) -> Segment:
        return self.segments[self.last]

    def beside(self, listed: Sequence[Segment], shift: int) -> list[tuple[Segment, Segment]]:
        """Pairs of known and listed segments of the same number, the newest `COMPARED` of them."""
        pairs: list[tuple[Segment, Segment]] = []
        for segment in reversed(listed):
            known = self.segments.get(segment.media_sequence + shift)
            if known is not None:
                pairs.append((known, segment))
                if len(pairs) == COMPARED:
                    break
        return pairs


def align(known: Known, playlist: MediaPlaylist) -> Alignment:
    """A playlist that was loaded again from where the last one came from. It lists at least one segment.

    In short: what agrees in number and address is the same list, shifted if need be. When all addresses differ it is a new
    timeline, unless the wall clock knows better, or addresses are known not to last; then numbers are all there is. A list that
    ends before what is known ended is behind, if anything shows that it belongs here.
    """
    listed, shift = playlist.segments, known.shift
    behind = listed[-1].media_sequence + shift < known.last
    pairs = known.beside(listed, shift)
    if not pairs:
        return _behind_all(known, playlist) if behind else _ahead(known, playlist)
    kind = "behind" if behind else "same"
    agreeing = _agreeing(pairs, listed)
    if agreeing == len(pairs):
        clock = _clock_agrees(pairs, playlist) if behind else None
        if clock is False and is_far_behind(known, listed):
            return Alignment("new", shift, "the numbers began again, at another time of day")
        return Alignment(kind, shift, addresses="agree", sure=clock is True)
    moved = _moved(known, listed, least=1)
    if moved is not None:
        return _shifted(known, listed, shift + moved)
    if agreeing:
        return Alignment(kind, shift, addresses="agree")
    clock = _clock_agrees(pairs, playlist)
    if clock is False:
        return Alignment("new", shift, "other addresses, at another time of day", addresses="differ")
    if clock or _names_agree(pairs):
        return Alignment(kind, shift, addresses="differ")
    if known.addresses_last or (behind and is_far_behind(known, listed)):
        return Alignment("new", shift, "other addresses under the same numbers", addresses="differ")
    return Alignment(kind, shift, addresses="differ")


def align_renewed(known: Known, playlist: MediaPlaylist) -> Alignment:
    """A playlist from a renewed address, perhaps of another server. It lists at least one segment.

    Matched by number where addresses agree, else by the wall clock, else by address without token, else by number again where
    the addresses are at least of the same series and the numbers go on; else it is new.
    """
    listed, shift = playlist.segments, known.shift
    pairs = known.beside(listed, shift)
    if pairs and _agreeing(pairs, listed) == len(pairs):
        return _shifted(known, listed, shift)
    by_clock = _shift_by_clock(known, playlist)
    if by_clock is not None:
        return _shifted(known, listed, by_clock)
    moved = _moved(known, listed, least=1)
    if moved is not None:
        return _shifted(known, listed, shift + moved)
    if pairs and _names_agree(pairs):
        return _shifted(known, listed, shift)
    goes_on = listed[0].media_sequence + shift > known.last
    if goes_on and series(listed[0].uri) == series(known.newest.uri):
        ahead = _ahead(known, playlist)
        if ahead.kind == "same":
            return ahead
    began_again = listed[-1].media_sequence + shift < known.last and series(listed[0].uri) == series(known.newest.uri)
    short = playlist.duration_s <= SHORT_TARGETS * playlist.target_duration_s
    why = "the numbers began again" if began_again else "nothing in common with the playlist of the address before"
    return Alignment("new", shift, why, all_new=began_again or short)


def _shifted(known: Known, listed: Sequence[Segment], shift: int) -> Alignment:
    kind = "behind" if listed[-1].media_sequence + shift < known.last else "same"
    return Alignment(kind, shift, addresses="agree")


def _ahead(known: Known, playlist: MediaPlaylist) -> Alignment:
    """Every number is beyond what is known, or falls into holes of it."""
    listed, shift = playlist.segments, known.shift
    missing = listed[0].media_sequence + shift - known.last - 1
    if missing <= 0:
        return Alignment("same", shift)
    moved = _moved(known, listed, least=2)
    if moved is not None:
        return _shifted(known, listed, shift + moved)
    missing_s = seconds_between(known.newest, listed[0])
    if missing_s is not None and missing_s < -tolerance_s(playlist):
        return Alignment("new", shift, "the numbers jumped forward, the time of day went back")
    if missing > max(JUMP, 10 * len(listed)):
        expected_s = missing * average_s(playlist)
        if missing_s is None or abs(missing_s - expected_s) > expected_s / 2:
            return Alignment("new", shift, "the numbers jumped further than the time that can have passed")
    return Alignment("same", shift)


def _behind_all(known: Known, playlist: MediaPlaylist) -> Alignment:
    """Every number is below what is remembered."""
    listed, shift = playlist.segments, known.shift
    moved = _moved(known, listed, least=1)
    if moved is not None:
        return _shifted(known, listed, shift + moved)
    before, after = listed[-1].starts_at, known.newest.starts_at
    if before is not None and after is not None:
        if before <= after:
            return Alignment("behind", shift, sure=True)
    elif listed[0].media_sequence + shift > known.first and series(listed[0].uri) == series(known.newest.uri):
        return Alignment("behind", shift)  # within a stretch that was missed
    return Alignment("new", shift, "the numbers began again")


def _agreeing(pairs: Sequence[tuple[Segment, Segment]], listed: Sequence[Segment]) -> int:
    """How many pairs are of one segment, going by address."""
    literally = sum(one.uri == other.uri and one.byte_range == other.byte_range for one, other in pairs)
    if literally == len(pairs):
        return literally
    identity = telling(listed[-COMPARED:])
    return sum(is_same(*pair, identity) for pair in pairs)


def _names_agree(pairs: Sequence[tuple[Segment, Segment]]) -> bool:
    """Every pair has the same file name, and it is a name of its own: only folders differ, as with a token in the path."""
    names = {file_name(segment.uri) for _, segment in pairs}
    return len(names) == len(pairs) and all(file_name(one.uri) == file_name(other.uri) for one, other in pairs)


def is_far_behind(known: Known, listed: Sequence[Segment]) -> bool:
    """So far that it and the newest list have nothing in common any more."""
    return listed[-1].media_sequence + known.shift < known.last - max(len(listed), 3)


def looks_restarted(known: Known, listed: Sequence[Segment]) -> bool:
    """Not only far behind, but as a server is that counts from the beginning again, and no slow edge of a CDN is."""
    lag = known.last - listed[-1].media_sequence - known.shift
    return is_far_behind(known, listed) and (listed[0].media_sequence <= 1 or lag > 4 * max(len(listed), 3))


def _moved(known: Known, listed: Sequence[Segment], *, least: int) -> int | None:
    """By how much the listed numbers are off, going by addresses; None when addresses do not tell.

    Evidence is an address that stands exactly once on either side (fillers stand many times), and then all pairs that meet under
    the new numbers, at least `least`, must agree.
    """
    recent, old = listed[-COMPARED:], list(known.segments.items())[-COMPARED:]
    identity = telling(recent)
    theirs = [(identity(segment.uri), segment.byte_range) for segment in recent]
    ours = [(identity(segment.uri), segment.byte_range) for _, segment in old]
    once = {name for name, times in Counter(theirs).items() if times == 1}
    once &= {name for name, times in Counter(ours).items() if times == 1}
    number_of = {name: number for name, (number, _) in zip(ours, old, strict=True) if name in once}
    candidates = {
        number_of[name] - segment.media_sequence - known.shift
        for name, segment in zip(theirs, recent, strict=True)
        if name in once
    }
    for moved in sorted(candidates, key=abs):
        pairs = known.beside(listed, known.shift + moved)
        if len(pairs) >= least and all(is_same(*pair, identity) for pair in pairs):
            return moved
    return None


# ------------------------------------------------------------------------------------------------ the wall clock


def average_s(playlist: MediaPlaylist) -> float:
    """Duration of a segment, as far as the newest that are listed tell; > 0."""
    recent = [segment.duration_s for segment in playlist.segments[-COMPARED:]]
    return sum(recent) / len(recent) if any(recent) else playlist.target_duration_s


def tolerance_s(playlist: MediaPlaylist) -> float:
    """How far two tellings of the same instant may be apart."""
    return average_s(playlist) / 2


def ends_at(segment: Segment) -> datetime | None:
    return None if segment.starts_at is None else segment.starts_at + timedelta(seconds=segment.duration_s)


def seconds_between(before: Segment, after: Segment) -> float | None:
    """From the end of one segment to the beginning of the other, by the wall clock; None when it is not told."""
    end = ends_at(before)
    return None if end is None or after.starts_at is None else (after.starts_at - end).total_seconds()


def _clock_agrees(pairs: Sequence[tuple[Segment, Segment]], playlist: MediaPlaylist) -> bool | None:
    apart = [
        abs((one.starts_at - other.starts_at).total_seconds())
        for one, other in pairs
        if one.starts_at is not None and other.starts_at is not None
    ]
    return min(apart) <= tolerance_s(playlist) if apart else None


def _shift_by_clock(known: Known, playlist: MediaPlaylist) -> int | None:
    """The shift with which the listed segments stand where the wall clock puts them; None when it does not tell."""
    newest, listed, remembered = known.newest, playlist.segments, list(known.segments.items())
    if newest.starts_at is None or listed[0].starts_at is None:
        return None
    for segment in reversed(listed[-REMEMBERED:]):
        for number, old in reversed(remembered):
            if segment.starts_at is None or old.starts_at is None:
                continue
            apart_s = (segment.starts_at - old.starts_at).total_seconds()
            if abs(apart_s) <= tolerance_s(playlist):
                return number - segment.media_sequence
            if apart_s > 0:
                break  # the older ones are further away
    missing_s = seconds_between(newest, listed[0])
    if missing_s is None or missing_s < -tolerance_s(playlist):
        return None
    return known.last + 1 + round(missing_s / average_s(playlist)) - listed[0].media_sequence
