"""The test picture: what is drawn into it, and how it is read back.

Everything is drawn by ffmpeg's `drawbox`, which every build has, so that no font is needed:

* a strip of 20 cells along the top edge: one white, one black, the frame number in 16 bits (highest first), its parity,
  and the opposite of the parity. A cell is read by its mean brightness, so that it survives encoding and scaling;
* below it a clock in seven segments, HH:MM:SS.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

STRIP_HEIGHT = 16
"""Pixels; one macroblock."""
CELLS = 20
NUMBER_BITS = 16
UNREADABLE = -1

_SEGMENTS = {  # which digits light a segment, by the usual letters
    "a": (0, 2, 3, 5, 6, 7, 8, 9),
    "b": (0, 1, 2, 3, 4, 7, 8, 9),
    "c": (0, 1, 3, 4, 5, 6, 7, 8, 9),
    "d": (0, 2, 3, 5, 6, 8, 9),
    "e": (0, 2, 6, 8),
    "f": (0, 4, 5, 6, 8, 9),
    "g": (2, 3, 4, 5, 6, 8, 9),
}
_DAY_S = 86_400
_DIGITS = (  # of `s`, the second of the day
    "floor(s/36000)",
    "mod(floor(s/3600),10)",
    "mod(floor(s/600),6)",
    "mod(floor(s/60),10)",
    "mod(floor(s/10),6)",
    "mod(s,10)",
)


class Box(NamedTuple):
    """A rectangle in pixels."""

    x: int
    y: int
    w: int
    h: int


def overlay(width: int, height: int, *, rate: int, start: datetime | None) -> str:
    """The filters that draw strip and clock over a picture of `width` x `height` with `rate` frames a second.

    The clock shows the UTC time of day of each frame, the first being `start`; without it the time since the first frame.
    """
    return ",".join((*_strip(width), *_clock(height, rate, _start_frame(start, rate))))


def clock_segments(height: int) -> list[dict[str, Box]]:
    """Where each segment of the six digits is in a picture of this height: one mapping from letter to box for each digit."""
    high = max(height // 5, 14)
    wide, line = high // 2, max(high // 8, 2)
    top, left = STRIP_HEIGHT + 2 * line, 2 * line
    middle, lower = top + (high - line) // 2, top + high - line
    half = (high - line) // 2 + line
    digits: list[dict[str, Box]] = []
    for index in range(6):
        x = left + index * (wide + 2 * line) + (index // 2) * 2 * line  # room for a colon after two digits
        right = x + wide - line
        digits.append(
            {
                "a": Box(x, top, wide, line),
                "b": Box(right, top, line, half),
                "c": Box(right, middle, line, half),
                "d": Box(x, lower, wide, line),
                "e": Box(x, middle, line, half),
                "f": Box(x, top, line, half),
                "g": Box(x, middle, wide, line),
            }
        )
    return digits


def digit_segments(value: int) -> str:
    """The letters of the segments that a digit lights, in alphabetical order."""
    return "".join(letter for letter, digits in _SEGMENTS.items() if value in digits)


def read_frame_numbers(media: str | Path, *, ffmpeg: str = "ffmpeg", options: Sequence[str] = ()) -> list[int]:
    """The number in the strip of every decoded frame, in presentation order.

    Args:
        media: a file, or an address that ffmpeg opens.
        options: put before the input.
    Returns: numbers modulo 65,536; `UNREADABLE` (-1) for a frame whose strip makes no sense. Empty without any picture.
    Raises: subprocess.CalledProcessError when ffmpeg gives up (what went wrong is in its `stderr`).
    """
    area = f"crop=iw:{STRIP_HEIGHT // 2}:0:{STRIP_HEIGHT // 4},format=gray,scale={CELLS}:1:flags=area"
    command = [ffmpeg, "-nostdin", "-v", "error", *options, "-i", str(media), "-map", "0:v:0", "-vf", area]
    command += ["-fps_mode", "passthrough", "-f", "rawvideo", "-pix_fmt", "gray", "pipe:1"]
    gray = subprocess.run(command, check=True, capture_output=True).stdout
    return [read_cells(gray[i : i + CELLS]) for i in range(0, len(gray), CELLS)]


def read_cells(cells: bytes) -> int:
    """The frame number from the mean brightness (0 to 255) of the 20 cells; `UNREADABLE` when they contradict themselves."""
    bits = [level >= 128 for level in cells]
    number, (parity, opposite) = bits[2 : 2 + NUMBER_BITS], bits[-2:]
    if not bits[0] or bits[1] or parity == opposite or parity != sum(number) % 2:
        return UNREADABLE
    return sum(bit << place for place, bit in enumerate(reversed(number)))


def breaks(numbers: Sequence[int], *, frames: int) -> list[tuple[int, int, int]]:
    """Where the numbers of a clip of `frames` frames, played in a loop, do not rise by one.

    Returns: (position, number before, number found); empty when nothing is lost, repeated or unreadable.
    """
    pairs = enumerate(pairwise(numbers), start=1)
    return [(at, before, found) for at, (before, found) in pairs if found != (before + 1) % frames]


def _strip(width: int) -> Iterator[str]:
    edges = [width * cell // CELLS for cell in range(CELLS + 1)]
    boxes = [Box(left, 0, right - left, STRIP_HEIGHT) for left, right in pairwise(edges)]
    bits = [f"mod(floor(n/{1 << place}),2)" for place in reversed(range(NUMBER_BITS))]
    parity = f"mod({'+'.join(bits)},2)"
    yield _draw(Box(0, 0, width, STRIP_HEIGHT), "black")
    yield _draw(boxes[0], "white")
    for box, lit in zip(boxes[2:], [*bits, parity, f"1-{parity}"], strict=True):
        yield _draw(box, "white", lit)


def _clock(height: int, rate: int, first: int) -> Iterator[str]:
    digits = clock_segments(height)
    line = digits[0]["a"].h
    bottom, right = digits[0]["d"], digits[-1]["b"]
    yield _draw(Box(0, STRIP_HEIGHT, right.x + 3 * line, bottom.y + 3 * line - STRIP_HEIGHT), "black")
    second = f"mod(floor((n+{first})/{rate}),{_DAY_S})"
    for segments, formula in zip(digits, _DIGITS, strict=True):
        digit = formula.replace("(s", f"({second}")
        for letter, box in segments.items():
            mask = sum(1 << value for value in _SEGMENTS[letter])
            yield _draw(box, "white", f"mod(floor({mask}/pow(2,{digit})),2)")
    for left in (digits[1], digits[3]):
        x = left["b"].x + 2 * line
        for y in (left["b"].y + left["b"].h // 2, left["c"].y + left["c"].h // 2):
            yield _draw(Box(x, y, line, line), "white")


def _draw(box: Box, color: str, enable: str = "") -> str:
    when = f":enable='{enable}'" if enable else ""
    return f"drawbox={box.x}:{box.y}:{box.w}:{box.h}:color={color}:t=fill{when}"


def _start_frame(start: datetime | None, rate: int) -> int:
    """`start` as a number of frames since midnight, so that the filters count in whole frames."""
    if start is None:
        return 0
    if start.utcoffset() is None:
        raise ValueError("start must be an aware date-time")
    microseconds = round(start.timestamp() * 1_000_000) % (_DAY_S * 1_000_000)
    return round(microseconds * rate / 1_000_000)
