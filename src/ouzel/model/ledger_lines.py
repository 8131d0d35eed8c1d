"""What the lines of a ledger say. `ouzel.model.ledger` has their text, and the ledger as a whole.

Chunk and Gap, which travel in the flow as well, are in `ouzel.model.flow`; Repair is the shapers'.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ouzel.formats.shape import Container, Repair, Track
from ouzel.model.flow import Chunk, Gap

VERSION = 1


@dataclass(frozen=True, slots=True)
class Opening:
    """First line: what this file is."""

    file: str
    container: Container
    started: datetime
    source: str
    """The page or stream address, redacted."""
    part: int
    """1 for the first file of a recording, then 2, 3 …"""
    software: str
    rebuilt: bool = False
    """Made from the media afterwards: wall times are guesses, and what was missing is not known."""
    version: int = VERSION
    recording: str = ""
    """Id of the recording that it belongs to, where there is a library."""
    download: bool = False
    """Its bytes are as the server has them, and its chunks were written in any order; the index of one is its position."""
    wanted: str = ""
    """Of a download: the format that is to be made of it, where one was named."""


@dataclass(frozen=True, slots=True)
class HeadLine:
    """The bytes that open the file, and its tracks. `offset` is 0; chunks follow after `length`."""

    offset: int
    length: int
    tracks: tuple[Track, ...]
    preamble: bytes


@dataclass(frozen=True, slots=True)
class RunLine:
    """A connection to a stream begins."""

    number: int
    wall: datetime
    protocol: str
    source: str
    quality: str = ""


@dataclass(frozen=True, slots=True)
class CutLine:
    """Chunks from this index on are void: their bytes were taken back. So is a closing line before it."""

    index: int


@dataclass(frozen=True, slots=True)
class ClockLine:
    """The machine's clock was set."""

    wall: datetime
    by_s: float


@dataclass(frozen=True, slots=True)
class Closing:
    """Last line of a closed file; only products may follow."""

    wall: datetime
    reason: str
    size: int
    duration_s: float
    chunks: int
    gaps: int
    tail: int = 0
    """Bytes after the last chunk that the container's own index takes (MP4: mfra)."""
    digest: str = ""
    """xxh3_64 of the bytes that are in no chunk: the head as it is in the closed file, and the tail. Empty when there are none,
    and in ledgers of before this was written."""


BYTES_CHANGED = "bytes_changed"
"""Damage of what was made of a file that is not what its ledger says."""


@dataclass(frozen=True, slots=True)
class Product:
    """Another file that was made of the closed one, and verified: it may stand in its place."""

    wall: datetime
    file: str
    format: str
    size: int
    duration_s: float
    digest: str
    """xxh3_64 of the whole file, 16 hex digits."""
    damage: str = ""
    """`BYTES_CHANGED`, or empty."""
    beside: tuple[str, ...] = ()
    """Tracks that were joined with the one that the ledger tells of, by kind, language and name."""
    how: str = ""
    """What else was done to it than to put it into another container, as its maker says it; empty: nothing."""


Line = Opening | HeadLine | RunLine | Chunk | Gap | Repair | CutLine | ClockLine | Closing | Product
