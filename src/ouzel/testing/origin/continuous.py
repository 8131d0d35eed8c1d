"""Endless bodies: HTTP-FLV and continuous MPEG-TS, paced like the show, with what goes wrong on real networks."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import AsyncGenerator
from dataclasses import dataclass

from ouzel.testing.clips import Clip
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

    def render(self, group: FlvGroup, data: bytearray, number: int) -> tuple[bytearray, dict[int, bytes], int]:
        """The group's bytes, what is put ahead of which of its tags, and how often it is sent."""
        ahead: dict[int, bytes] = {}
        if number in self._keyless:
            data[group.key_at] = data[group.key_at] & 0x8F | 0x20
        if number in self._garbage:
            junk, tag = self._garbage[number]
            ahead[min(tag, len(group.tags_at) - 1)] = junk
        if number in self._oversized:
            ahead[0] = bytes([VIDEO]) + MAX_TAG.to_bytes(3, "big") + data[4:8] + b"\0\0\0" + ahead.get(0, b"")
        return data, ahead, 1 + self._repeats.get(number, 0)

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
) -> AsyncGenerator[bytes, None]:
    """From the key frame of group `number` on: header, metadata, sequence headers, and tags in real time."""
    clip = show.timeline.at(number).stretch.clip
    yield flv_header(audio=clip.sample_rate is not None) + flv_opening(clip, options.hevc, 0)
    while await _next(show, number):
        slot = show.timeline.at(number)
        index, base_90k = slot.place()
        if slot.stretch.clip != clip:
            clip = slot.stretch.clip
            yield flv_opening(clip, options.hevc, _to_ms(base_90k + index * clip.gop_90k))
        group = flv_groups(clip, options.hevc)[index]
        stamped = group.stamped(_to_ms(base_90k), mark_text(name, number))
        data, ahead, times = faults.render(group, stamped, number)
        for _ in range(times):
            async for piece in _pace_tags(show, slot, clip, group, data, ahead):
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


async def _pace_tags(
    show: Show, slot: Slot, clip: Clip, group: FlvGroup, data: bytearray, ahead: dict[int, bytes]
) -> AsyncGenerator[bytes, None]:
    """The group's tags, each not before its time."""
    first_ms = _to_ms((slot.place()[0]) * clip.gop_90k)  # when the group's key frame is shown, in the clip's time
    sent, tags = 0, len(group.tags_at)
    while sent < tags:
        due = tags
        if show.speed is not None:
            due = bisect_right(group.times_ms, first_ms + _to_ms(show.now_90k - slot.start_90k))
        if due > sent:
            yield _join(group, data, ahead, sent, due)
            sent = due
        if sent < tags:
            wait_ms = group.times_ms[sent] - first_ms
            await show.sleep(slot.start_90k + wait_ms * TICKS // 1000, at_least_s=_TICK_S)


def _join(group: FlvGroup, data: bytearray, ahead: dict[int, bytes], first: int, stop: int) -> bytes:
    """Tags from `first` until `stop`, with what is put ahead of them."""
    parts: list[bytes | memoryview] = []
    view = memoryview(data)
    edges = [*group.tags_at, len(data)]
    for cut in [first, *(tag for tag in sorted(ahead) if first < tag < stop)]:
        end = min([tag for tag in ahead if tag > cut] + [stop])
        parts += [ahead.get(cut, b""), view[edges[cut] : edges[end]]]
    return b"".join(parts)


async def _next(show: Show, number: int) -> bool:
    """Wait for a group; False when the show ended before it."""
    await show.wait(lambda: show.has(number) or show.ended)
    return show.has(number)


def _to_ms(ticks: int) -> int:
    return ticks * 1000 // TICKS
