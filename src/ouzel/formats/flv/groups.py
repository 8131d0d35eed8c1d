"""Recognising groups of pictures that were sent before.

After a reconnect a server sends again what it still holds, often from the start of the group in which the connection broke;
some servers get stuck and send the same groups for ever. Time stamps alone do not tell: they may be the same as before, or
shifted by a constant. A still picture does not tell either: its groups are alike, but their time goes on.
"""

from __future__ import annotations

from array import array
from collections import deque
from dataclasses import dataclass
from typing import Literal

import xxhash

from ouzel.formats.flv.tags import UNIT_HEADER, read_unit
from ouzel.formats.shape import Buffer

Verdict = Literal["", "replay", "stuck"]
PROOF_TAGS = 8
"""Tags, from the key frame on, in which a group must equal an incomplete one to be taken for the same."""


class Group:
    """What is remembered of the group that is passing by: the sizes of its tags, and a digest of their bodies."""

    __slots__ = ("bodies", "broken", "key", "key_at", "raw", "sizes")

    raw: int | None
    """Source time stamp of the key frame, or of the first tag when there is none."""
    broken: bool
    """The source's time does not simply continue here."""

    def __init__(self) -> None:
        self.sizes = array("I")
        """Type * 2**24 + size of the body, tag by tag."""
        self.bodies = xxhash.xxh3_64()
        """Of all bodies behind the key frame; of all when there is none."""
        self.key = xxhash.xxh3_64()
        """Of the key frame's body."""
        self.key_at = -1
        """Which of the tags the key frame is; -1: none. Sound may stand before it."""
        self.raw = None
        self.broken = False

    def begin_key(self, raw: int) -> None:
        """The next tag is the key frame of this group."""
        self.key_at = len(self.sizes)
        self.bodies.reset()
        self.raw = raw

    def digest(self) -> int:
        """Equal for groups with the same bodies in the same order from the key frame on, whatever their time stamps."""
        whole = xxhash.xxh3_64(self.sizes[max(self.key_at, 0) :].tobytes())
        whole.update(self.key.digest())
        whole.update(self.bodies.digest())
        return whole.intdigest()


@dataclass(frozen=True, slots=True)
class Partial:
    """A group that ended with its connection."""

    lead: tuple[int, ...]
    """Sizes (with types) of the tags of its chunk that stand before the key frame."""
    sizes: tuple[int, ...]
    """Of the key frame and the tags behind it, at most `PROOF_TAGS`."""
    raw: int
    """Source time stamp of the key frame."""
    key_digest: int

    @classmethod
    def of(cls, group: Group) -> Partial | None:
        """None when the group has no whole key frame: then it cannot be told from another."""
        at = group.key_at
        if at < 0 or group.raw is None or at >= len(group.sizes):
            return None
        sizes = tuple(group.sizes[at : at + PROOF_TAGS])
        return cls(tuple(group.sizes[:at]), sizes, group.raw, group.key.intdigest())

    def could_begin(self, held: Buffer, at: int) -> bool:
        """Whether the unit at `at` may be the same key frame: as far as its header tells."""
        unit = read_unit(held, at)
        return unit.kind << 24 | unit.size == self.sizes[0]

    def is_same(self, held: Buffer, at: int) -> bool:
        """Whether the group that begins with the unit at `at` is this one, as far as it is held.

        With the same time stamp what is held must equal; with another all that is remembered must be held and equal, so that a
        still picture with a new clock is less easily mistaken.
        """
        first = read_unit(held, at)
        end = at + UNIT_HEADER + first.size
        if not self.could_begin(held, at) or end > len(held):
            return False
        with memoryview(held) as view:
            if xxhash.xxh3_64_intdigest(view[at + UNIT_HEADER : end]) != self.key_digest:
                return False
        seen = held_sizes(held, at, len(self.sizes))
        if seen != self.sizes[: len(seen)]:
            return False
        return first.stamp == self.raw or len(seen) == len(self.sizes)


def held_sizes(held: Buffer, at: int, count: int) -> tuple[int, ...]:
    """Types and sizes of the next `count` whole units from `at` on, fewer when fewer are there."""
    sizes: list[int] = []
    while len(sizes) < count and at + UNIT_HEADER <= len(held):
        unit = read_unit(held, at)
        at += UNIT_HEADER + unit.size
        if at > len(held):
            break
        sizes.append(unit.kind << 24 | unit.size)
    return tuple(sizes)


@dataclass(frozen=True, slots=True)
class _Print:
    serial: int
    digest: int
    key_digest: int
    raw: int


class ReplayMemory:
    """The last groups that were kept.

    Args:
        size: how many; 0 switches recognition off.
        stuck_after: replays in a row, with no progress between them, after which the server is taken to be stuck.
    """

    def __init__(self, size: int, stuck_after: int) -> None:
        self._prints: deque[_Print] = deque(maxlen=size)
        self._stuck_after = stuck_after
        self._run = 0
        self._looped = False
        self._previous: _Print | None = None
        self._previous_raw = 0
        self.serial = 0
        """Counts the groups that were kept."""

    @property
    def enabled(self) -> bool:
        return self._prints.maxlen != 0

    def remember(self, group: Group) -> None:
        """A group was kept."""
        if self.enabled and group.raw is not None and group.sizes:
            self._prints.append(_Print(self.serial, group.digest(), group.key.intdigest(), group.raw))
        self.serial += 1
        self._forget_run()

    def forget_since(self, serial: int) -> None:
        """The groups from `serial` on are taken back."""
        while self._prints and self._prints[-1].serial >= serial:
            self._prints.pop()
        self.serial = serial

    def knows(self, raw: int) -> bool:
        """Whether a group with this source time stamp was kept."""
        return any(p.raw == raw for p in self._prints)

    def judge(self, group: Group, *, whole: bool) -> Verdict:
        """Whether a group was seen before; to be asked only where replays may be expected.

        Args:
            whole: False when its end is missing; then its key frame has to do.
        """
        seen = self._find(group, whole=whole)
        if seen is None or group.raw is None:
            self._forget_run()
            return ""
        if self._previous is not None and seen.serial <= self._previous.serial:
            self._looped = True
        self._previous, self._previous_raw = seen, group.raw
        self._run += 1
        return "stuck" if self._looped and self._run > self._stuck_after else "replay"

    def _find(self, group: Group, *, whole: bool) -> _Print | None:
        if group.raw is None or not self._prints or not group.sizes or not (whole or group.key_at >= 0):
            return None
        if whole:
            digest = group.digest()
            alike = [p for p in self._prints if p.digest == digest]
        else:
            digest = group.key.intdigest()
            alike = [p for p in self._prints if p.key_digest == digest]
        for seen in alike:
            if seen.raw == group.raw:
                return seen
        if not (group.broken and alike):
            return None
        if self._previous is None or group.raw <= self._previous_raw:
            return (
                alike[-1] if whole else None
            )  # of a still picture's groups the latest: rather keep one twice than lose one
        due = self._previous.raw + group.raw - self._previous_raw
        return next((p for p in alike if p.raw == due), None)

    def _forget_run(self) -> None:
        self._run = 0
        self._looped = False
        self._previous = None
