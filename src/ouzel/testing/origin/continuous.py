"""Endless bodies: HTTP-FLV and continuous MPEG-TS, paced like the show, with what goes wrong on real networks."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from itertools import pairwise

from ouzel.testing.markers import mark_text
from ouzel.testing.origin.flv import (
    MAX_TAG,
    VIDEO,
    FlvGroup,
    HevcStyle,
    flv_groups,
    flv_header,
    flv_opening,
)
from ouzel.testing.origin.pieces import TICKS
from ouzel.testing.origin.rendition import Rendition
from ouzel.testing.origin.show import Show
from ouzel.testing.origin.timeline import Slot
from ouzel.testing.origin.ts import PACKET

_TICK_S = 0.1
"""Tags are gathered for so long and sent at once, as servers do."""


@dataclass(slots=True)
class FlvOptions:
    """How FLV is sent. All may be changed while the channel runs; they count for connections and groups from then on."""

    hevc: HevcStyle = "enhanced"
    gop_cache: int = 0
    """A connection begins with so many groups from before the present one: a reconnecting client gets them again."""
    chunked: bool = False
    """Framed in chunks, so that a clean end can be told from a broken one; otherwise the body ends with the connection."""


class FlvFaults:
    """What happens inside a channel's FLV. Each method takes `at`, the number of a group; None: the next that is not complete."""

    def __init__(self, show: Show) -> None:
        self._show = show
        self._garbage: dict[int, tuple[bytes, int]] = {}
        self._repeats: dict[int, int] = {}
        self._oversized: set[int] = set()
        self._keyless: set[int] = set()
        self._away: set[int] = set()

    def garbage(self, data: bytes = b"\x00\xff\x17\x2a" * 64, *, tag: int = 5, at: int | None = None) -> FlvFaults:
        """Put bytes that are no tag ahead of a tag of the group (0 = ahead of the group)."""
        self._garbage[self._at(at)] = (data, tag)
        return self

    def oversized_tag(self, *, at: int | None = None) -> FlvFaults:
        """Ahead of the group, the head of a tag that announces the most that 24 bits can say, followed by the group itself."""
        self._oversized.add(self._at(at))
        return self

    def hide_keys(self, groups: int, *, at: int | None = None) -> FlvFaults:
        """Send `groups` groups whose key frames are called inter frames: as if the encoder made none."""
        first = self._at(at)
        self._keyless.update(range(first, first + groups))
        return self

    def repeat(self, times: int, *, at: int | None = None) -> FlvFaults:
        """Send the group `times` times more, as a stuck CDN does; then the show goes on."""
        self._repeats[self._at(at)] = times
        return self

    def away(self, groups: int, *, at: int | None = None) -> FlvFaults:
        """Send nothing for the time of `groups` groups, and then what is on: the source was away while the connection stood."""
        first = self._at(at)
        self._away.update(range(first, first + groups))
        return self

    def is_away(self, number: int) -> bool:
        return number in self._away

    def ahead(self, number: int, tags: int) -> dict[int, bytes]:
        """What is put ahead of which tag of a group of so many tags."""
        found: dict[int, bytes] = {}
        if number in self._garbage:
            junk, tag = self._garbage[number]
            found[min(tag, tags - 1)] = junk
        if number in self._oversized:
            found[0] = bytes([VIDEO]) + MAX_TAG.to_bytes(3, "big") + bytes(7) + found.get(0, b"")
        return found

    def times(self, number: int) -> int:
        """How often a group is sent."""
        return 1 + self._repeats.get(number, 0)

    def is_keyless(self, number: int) -> bool:
        return number in self._keyless

    def _at(self, at: int | None) -> int:
        return self._show.groups if at is None else at


def joining_group(show: Show, cache: int = 0) -> int:
    """The group that a client which connects now gets first: the one that is on (stepped by hand: the last complete one), or
    `cache` groups earlier."""
    by_hand = show.speed is None or show.ended
    now = show.groups - 1 if by_hand else show.timeline.number_at(show.now_90k)
    return max(now - cache, 0)


async def flv_stream(
    name: str, show: Show, options: FlvOptions, faults: FlvFaults, number: int
) -> AsyncGenerator[bytes | bytearray, None]:
    """From the key frame of group `number` on: header, metadata, sequence headers, and tags in real time."""
    clip = show.timeline.at(number).stretch.clip
    yield flv_header(audio=clip.sample_rate is not None) + flv_opening(clip, options.hevc, 0)
    while await _next(show, number):
        if faults.is_away(number):
            number += 1
            continue
        slot = show.timeline.at(number)
        index, base_90k = slot.place()
        if slot.stretch.clip != clip:
            clip = slot.stretch.clip
            yield flv_opening(clip, options.hevc, _to_ms(base_90k + index * clip.gop_90k))
        group = flv_groups(clip, options.hevc)[index]
        for _ in range(faults.times(number)):
            async with aclosing(_group(name, show, slot, group, faults)) as pieces:
                async for piece in pieces:
                    yield piece
        number += 1


async def ts_stream(rendition: Rendition, show: Show, number: int) -> AsyncGenerator[bytes, None]:
    """From the key frame of group `number` on, packets in real time."""
    while await _next(show, number):
        slot = show.timeline.at(number)
        data = rendition.group(slot)
        sent = 0
        while sent < len(data):
            share = 1.0
            if show.speed is not None:
                share = min((show.now_90k - slot.start_90k) / slot.duration_90k, 1)
            due = len(data) if share >= 1 else max(int(len(data) * share), 0) // PACKET * PACKET
            if due > sent:
                yield bytes(data[sent:due])
                sent = due
            else:
                await show.sleep(show.now_90k, at_least_s=_TICK_S)
        number += 1


async def _group(
    name: str, show: Show, slot: Slot, group: FlvGroup, faults: FlvFaults
) -> AsyncGenerator[bytes | bytearray, None]:
    """The tags of one group, each not before its time, with what is put between them."""
    base_ms, mark, keyless = _to_ms(slot.place()[1]), mark_text(name, slot.number), faults.is_keyless(slot.number)
    ahead = faults.ahead(slot.number, len(group.times_ms))
    async with aclosing(_due(show, slot, group)) as ranges:
        async for first, stop in ranges:
            cuts = [first, *(tag for tag in sorted(ahead) if first < tag < stop), stop]
            for tag, end in pairwise(cuts):
                data = group.cut(tag, end, base_ms=base_ms, mark=mark, keyless=keyless)
                yield ahead[tag] + data if tag in ahead else data


async def _due(show: Show, slot: Slot, group: FlvGroup) -> AsyncGenerator[tuple[int, int], None]:
    """Ranges of the group's tags, each not before its time."""
    first_ms = _to_ms(slot.place()[0] * slot.duration_90k)  # when the group is shown, in the clip's time
    sent, tags = 0, len(group.times_ms)
    while sent < tags:
        due = tags
        if show.speed is not None:
            due = bisect_right(group.times_ms, first_ms + _to_ms(show.now_90k - slot.start_90k))
        if due > sent:
            yield sent, due
            sent = due
        if sent < tags:
            wait_ms = group.times_ms[sent] - first_ms
            await show.sleep(slot.start_90k + wait_ms * TICKS // 1000, at_least_s=_TICK_S)


async def _next(show: Show, number: int) -> bool:
    """Wait for a group; False when the show ended before it."""
    await show.wait(lambda: show.has(number) or show.ended)
    return show.has(number)


def _to_ms(ticks: int) -> int:
    return ticks * 1000 // TICKS
