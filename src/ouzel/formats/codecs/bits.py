"""Reading bits out of small headers."""

from __future__ import annotations

from ouzel.base.errors import FormatError, TooLarge
from ouzel.formats.shape import Buffer

MAX_HEADER = 16 * 1024
"""Longest header that is read, in bytes. Real parameter sets stay under 1 KB; scaling lists and VUI fit into this."""


class Bits:
    """A cursor over the bits of one header, most significant first.

    Args:
        data: at most `MAX_HEADER` bytes, with emulation prevention removed already.
        what: what is being read, for the error message.

    Every read beyond the end raises FormatError.
    """

    __slots__ = ("_left", "_value", "_what")

    def __init__(self, data: Buffer, what: str) -> None:
        if len(data) > MAX_HEADER:
            raise TooLarge(f"{what}: {len(data)} bytes", size=len(data), limit=MAX_HEADER)
        self._value = int.from_bytes(data, "big")
        self._left = len(data) * 8
        self._what = what

    @property
    def left(self) -> int:
        """Bits that were not read yet."""
        return self._left

    def u(self, count: int) -> int:
        """An unsigned number of `count` bits."""
        left = self._left - count
        if left < 0:
            raise FormatError(f"{self._what}: cut short")
        self._left = left
        return (self._value >> left) & ((1 << count) - 1)

    def flag(self) -> bool:
        return self.u(1) == 1

    def skip(self, count: int) -> None:
        if count > self._left:
            raise FormatError(f"{self._what}: cut short")
        self._left -= count

    def peek(self, count: int) -> int:
        """The next `count` bits without taking them; zeros stand in for what is missing."""
        missing = max(0, count - self._left)
        kept = count - missing
        return ((self._value >> (self._left - kept)) & ((1 << kept) - 1)) << missing

    def ue(self) -> int:
        """Exp-Golomb, unsigned (H.264 section 9.1)."""
        rest = self._value & ((1 << self._left) - 1)
        zeros = self._left - rest.bit_length()
        if zeros > 32 or zeros >= self._left:
            raise FormatError(f"{self._what}: bad Exp-Golomb code")
        self.skip(zeros)
        return self.u(zeros + 1) - 1

    def se(self) -> int:
        """Exp-Golomb, signed (H.264 section 9.1.1)."""
        code = self.ue()
        return (code + 1) >> 1 if code & 1 else -(code >> 1)

    def ue_max(self, highest: int) -> int:
        """Exp-Golomb that the specification limits: what is beyond is damage, and must not be looped over."""
        code = self.ue()
        if code > highest:
            raise FormatError(f"{self._what}: {code} where at most {highest} is allowed")
        return code

    def uvlc(self) -> int:
        """AV1 section 4.10.3: like `ue`, but 32 zeros or more stand for the highest number."""
        zeros = 0
        while not self.flag():
            zeros += 1
        return 0xFFFFFFFF if zeros >= 32 else self.u(zeros) + (1 << zeros) - 1
