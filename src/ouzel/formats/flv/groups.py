"""Recognising groups of pictures that were sent before.

After a reconnect a server sends again what it still holds, often from the start of the group in which the connection broke;
some servers get stuck and send the same groups for ever. Time stamps alone do not tell: they may be the same as before, or
shifted by a constant. A still picture does not tell either: its groups are alike, but their time goes on.
"""

from __future__ import annotations

from array import array
from collections import deque
from dataclasses import dataclass
from typing import Literal, NamedTuple

import xxhash

from ouzel.formats.flv.tags import UNIT_HEADER, VIDEO, read_unit
from ouzel.formats.shape import Buffer

Verdict = Literal["", "replay", "stuck"]
TAIL = 8
"""Bytes at the end of a body that are remembered."""
PROOF_TAGS = 8
"""Tags, from the key frame on, in which a group must equal an incomplete one to be taken for the same."""


def print_of(kind: int, body: Buffer) -> int:
    """What is remembered of a tag: its kind, its size and the last eight bytes of its body, in 64 bits.

    That is less than a digest, and is had without going through the body. It is enough because it is never compared alone: the
    key frame of a group is digested whole, and the sizes and ends of all tags behind it must be the same, too. A compressed frame
    ends in the state of an entropy coder, which depends on all that stands before. Where an encoder fills up to a constant rate
    sizes and ends say little; then the key frames differ, unless the picture stands still, and of groups that are alike only
    those with the right time stamps are taken for replays.
    """
    return kind << 24 ^ len(body) ^ int.from_bytes(body[-TAIL:], "big")


class Group:
    """What is remembered of the group that is passing by."""

    __slots__ = ("broken", "key_at", "key_print", "key_size", "prints", "raw", "sounds_behind")

    key_print: int | None
    """XXH3 of the body of the key frame; None when there is none, or not a whole one."""

    raw: int | None
    """Source time stamp of the key frame, or of the first tag when there is none."""
    broken: bool
    """The source's time does not simply continue here."""

    def __init__(self) -> None:
        self.prints = array("Q")
        """Tag by tag, see `print_of`."""
        self.sounds_behind = 0
        """Tags at the end that are sound: with the next picture they may turn out to belong to the next group."""
        self.key_at = -1
        """Which of the tags the key frame is; -1: none. Sound may stand before it."""
        self.key_size = 0
        self.key_print = None
        self.raw = None
        self.broken = False

    def begin_key(self, raw: int, size: int) -> None:
        """The next tag is the key frame of this group."""
        self.key_at = len(self.prints)
        self.key_size = size
        self.raw = raw

    def digest(self) -> int:
        """Equal for groups with the same key frame and the same tags behind it, in the same order, up to the last picture,
        whatever their time stamps. Without a key frame all tags count."""
        end = len(self.prints) - (self.sounds_behind if self.key_at >= 0 else 0)
        prints = self.prints[max(self.key_at, 0) : end].tobytes()
        return xxhash.xxh3_64_intdigest(prints, seed=self.key_print or 0)


def print_at(held: memoryview, at: int) -> int | None:
    """`print_of` the unit at `at`; None when it is not whole."""
    if at + UNIT_HEADER > len(held):
        return None
    unit = read_unit(held, at)
    end = at + UNIT_HEADER + unit.size
    return None if end > len(held) else print_of(unit.kind, held[at + UNIT_HEADER : end])


@dataclass(frozen=True, slots=True)
class Partial:
    """A group that ended with its connection."""

    lead: tuple[int, ...]
    """Prints of the tags of its chunk that stand before the key frame."""
    prints: tuple[int, ...]
    """Of the key frame and the tags behind it, at most `PROOF_TAGS`."""
    key_size: int
    key_print: int

    @classmethod
    def of(cls, group: Group) -> Partial | None:
        """None when the group has no whole key frame: then it cannot be told from another."""
        if group.key_print is None:
            return None
        at = group.key_at
        prints = tuple(group.prints[at : at + PROOF_TAGS])
        return cls(tuple(group.prints[:at]), prints, group.key_size, group.key_print)

    def could_begin(self, held: Buffer, at: int) -> bool:
        """Whether the unit at `at` may be the same key frame: as far as its header tells."""
        unit = read_unit(held, at)
        return unit.kind == VIDEO and unit.size == self.key_size

    def is_same(self, held: memoryview, at: int) -> bool:
        """Whether the group that begins with the unit at `at` is this one: all that is remembered must be held, and equal.

        What begins like it but breaks off before that is no better than what is there.
        """
        body_at = at + UNIT_HEADER
        if xxhash.xxh3_64_intdigest(held[body_at : body_at + self.key_size]) != self.key_print:
            return False
        for expected in self.prints:
            if print_at(held, at) != expected:
                return False
            at += UNIT_HEADER + read_unit(held, at).size
        return True


class _Print(NamedTuple):
    serial: int
    digest: int
    key: int | None
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
        if self.enabled and group.raw is not None and group.prints:
            self._prints.append(_Print(self.serial, group.digest(), group.key_print, group.raw))
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
        if group.raw is None or not group.prints or not self._prints:
            return None
        if whole:
            digest = group.digest()
            alike = [p for p in self._prints if p.digest == digest]
        else:
            alike = [p for p in self._prints if p.key is not None and p.key == group.key_print]
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
