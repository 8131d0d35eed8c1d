"""Segments that Bigo disguises: the first bytes of their first two packets are masked by a number that stands in the playlist.

Source: https://github.com/streamlink/streamlink/pull/7106 and thread 7056, and the notes on bigo of
https://github.com/liuchuancong/pure_live, which give a segment's first bytes before and after.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

_TAG = "#EXT-X-BIGO-WEB-PROTECTION:"
_SEED = re.compile(r"(?:^|,)\s*SEED=(\d+)")
_PACKET, _PACKETS, _MASKED, _SYNC = 188, 2, 16, 0x47
_GOLDEN, _NEVER_ZERO, _NEVER_BLANK = 0x9E3779B9, 0x6D2B79F5, 0xA5
_32 = 0xFFFFFFFF


class Disguise:
    """Takes it off one segment. Bytes that already begin like a packet are left as they are."""

    __slots__ = ("_at", "_masks", "_off")

    def __init__(self, seed: int) -> None:
        self._masks = [_mask(seed, number) for number in range(_PACKETS)]
        self._at = 0
        self._off = False

    def feed(self, piece: memoryview) -> memoryview:
        """The same bytes, plain; writable, the caller's to keep."""
        out = bytearray(piece)
        if self._at == 0 and out:
            self._off = out[0] ^ self._masks[0][0] == _SYNC
        if self._off:
            for number, mask in enumerate(self._masks):
                start = number * _PACKET - self._at
                for place in range(max(start, 0), min(start + _MASKED, len(out))):
                    out[place] ^= mask[place - start]
        self._at += len(out)
        return memoryview(out)

    def finish(self) -> memoryview:
        """Nothing was held back."""
        return memoryview(bytearray())


def seed_in(tags: Iterable[str]) -> int | None:
    """The number in the last of these lines that has one; None where nothing is disguised."""
    found = None
    for tag in tags:
        if tag.startswith(_TAG) and (seed := _SEED.search(tag.removeprefix(_TAG))) is not None:
            found = int(seed[1]) & _32
    return found


def _mask(seed: int, number: int) -> bytes:
    """What the site's player makes of it: xorshift32."""
    state = (seed ^ ((number + 1) * _GOLDEN & _32)) or _NEVER_ZERO
    mask = bytearray()
    for _ in range(_MASKED):
        state ^= state << 13 & _32
        state ^= state >> 17
        state ^= state << 5 & _32
        mask.append(state & 0xFF or _NEVER_BLANK)
    return bytes(mask)
