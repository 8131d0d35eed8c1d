"""What the first bytes of a unit tell: whether decoding can start with it, whether the tracks change, which one it is."""

from __future__ import annotations

from typing import Literal

import xxhash

from ouzel.formats.mpegts.lanes import (
    AUDIO_BYTES,
    VIDEO_BYTES,
    Found,
    Lane,
    differ,
    is_unchanged,
    looks_random,
    sniff,
)
from ouzel.formats.mpegts.packets import SIZE
from ouzel.formats.mpegts.units import Unit, gather

_PRINT_BYTES = 1024
"""Of a picture: so many tell it from all others. With their entropy coding no two are alike in them."""


def is_key(lane: Lane, block: memoryview, unit: Unit, end: int) -> bool:
    """Whether a picture is a random access point. `end`: of its first packet."""
    if unit.random_access:
        lane.indicator = True
        return True
    if lane.indicator:
        return False
    return looks_random(lane.stream.codec, bytes(block[unit.data_at : end]))


def repeats_known(lane: Lane, block: memoryview, unit: Unit, end: int) -> bool:
    """Whether the first packet of a key frame has the parameter set that is known."""
    return is_unchanged(lane, bytes(block[unit.data_at : end]))


def inspect(
    lane: Lane, block: memoryview, headers: bytes, number: int, unit: Unit, reach: int, *, final: bool
) -> Literal["same", "more", "changed"]:
    """Whether the configuration that a unit carries is the one that is known. One that was not known is noted.

    Args:
        number: of the packet in which it starts.
        reach: packets that may be looked at.
        final: no more packets will come.
    """
    limit = VIDEO_BYTES if lane.kind == "video" else AUDIO_BYTES
    got = gather(block, headers, number, unit, limit, reach)
    found = sniff(lane, got.data, complete=got.complete or final)
    if found == "more":
        return "more"
    if not isinstance(found, Found):
        lane.tries -= 1
        return "same"
    if lane.known and differ(lane.track, found.track):
        return "changed"
    lane.track, lane.raw, lane.known = found.track, found.raw, True
    return "same"


def print_of(
    block: memoryview, headers: bytes, number: int, unit: Unit, reach: int, *, final: bool
) -> int | Literal["more", "none"]:
    """Digest of the first bytes of a unit, however they are cut into packets. `more`: more packets are needed; `none`: and there
    are no more.

    Args: as of `inspect`.
    """
    got = gather(block, headers, number, unit, _PRINT_BYTES, reach)
    if not got.complete:
        return "none" if final else "more"
    return xxhash.xxh3_64_intdigest(got.data)


def packet_end(number: int) -> int:
    return (number + 1) * SIZE
