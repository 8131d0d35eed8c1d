"""One media playlist's worth of a channel: its segments as numbers, and their bytes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from ouzel.testing.clips import Clip, Tracks
from ouzel.testing.markers import mark_text
from ouzel.testing.origin.aac import aac_pieces
from ouzel.testing.origin.mp4 import mp4_pieces
from ouzel.testing.origin.options import FILE_SUFFIX, SEGMENT_SUFFIX, Container, Hls
from ouzel.testing.origin.pieces import Part, Piece
from ouzel.testing.origin.timeline import Slot, Stretch, Timeline
from ouzel.testing.origin.ts import ts_pieces


@dataclass(frozen=True, slots=True)
class Segment:
    """One media segment, as it is listed."""

    number: int
    """Counts from 0 at the start of the channel."""
    start_90k: int
    """Show time."""
    duration_90k: int
    parts: tuple[Part, ...]
    discontinuity: bool
    init: int
    """Number of its init segment, and of the file that it is a range of where byte ranges are used."""
    offset: int
    """Where it begins in that file."""
    size: int


class Rendition:
    """Tracks of a channel in a container.

    Args:
        channel: name of the channel.
        name: empty for the channel itself; else the folder below the channel's in which playlist and segments are.
        clip: shown instead of the channel's clip; its groups are as long.
    """

    def __init__(
        self,
        channel: str,
        name: str,
        timeline: Timeline,
        hls: Hls,
        *,
        tracks: Tracks,
        container: Container,
        clip: Clip | None,
    ) -> None:
        self.name = name
        self.folder = f"{name}/" if name else ""
        self.tracks: Tracks = tracks
        self.container: Container = container
        self.mark_name = f"{channel}.{name}" if name else channel
        self.suffix = SEGMENT_SUFFIX[container]
        self._timeline = timeline
        self._hls = hls
        self._clip = clip
        mark_text(self.mark_name, 0)

    def clip(self, slot: Slot | None = None) -> Clip:
        """What is shown at a slot, by default the first."""
        return self._clip or (slot or self._timeline.at(0)).stretch.clip

    def file_name(self, init: int) -> str:
        """The file with all segments that belong to an init segment."""
        return f"all{init}.{FILE_SUFFIX[self.container]}"

    def init(self, number: int) -> bytes:
        """The init segment with this number; empty where the container needs none. Raises: StopIteration if there is none yet."""
        stretch = next(stretch for stretch in self._timeline.stretches if stretch.init == number)
        return self._init_of(stretch)

    def segment(self, number: int) -> Segment:
        """What is listed of a segment."""
        slots = self._slots(number)
        pieces = [self._piece(slot)[0] for slot in slots]
        stretch = slots[0].stretch
        return Segment(
            number,
            slots[0].start_90k,
            sum(piece.duration_90k for piece in pieces),
            pieces[0].parts,
            slots[0].discontinuity,
            stretch.init,
            self._offset(slots[0]) if self._hls.byte_ranges else 0,
            sum(piece.size for piece in pieces),
        )

    def data(self, number: int) -> bytearray:
        """The bytes of a segment, not encrypted."""
        first, *rest = [self.group(slot) for slot in self._slots(number)]
        for data in rest:
            first += data
        return first

    def part(self, number: int, index: int) -> memoryview:
        """The bytes of a partial segment."""
        part = self.segment(number).parts[index]
        return memoryview(self.data(number))[part.offset : part.offset + part.length]

    def group(self, slot: Slot) -> bytearray:
        """The bytes of one group."""
        piece, base = self._piece(slot)
        return piece.stamped(base, mark_text(self.mark_name, slot.number), slot.number)

    def file_range(self, init: int, start: int, stop: int | None, *, segments: int) -> bytes:
        """Bytes of the file that `init` begins, as far as it has grown when `segments` are published; `stop` is exclusive."""
        data = bytearray(self.init(init)[start:stop])
        numbers = (number for number in range(segments) if self._slots(number)[0].stretch.init == init)
        for segment in map(self.segment, numbers):
            first, end = max(start - segment.offset, 0), segment.size
            if stop is not None:
                end = min(end, stop - segment.offset)
            if first < end:
                data += memoryview(self.data(segment.number))[first:end]
        return bytes(data)

    def average_bps(self) -> tuple[int, int]:
        """Bits a second of the largest group, and of all."""
        pieces = self._pieces(self.clip())
        peak = max(piece.size * 720_000 // piece.duration_90k for piece in pieces)
        return peak, sum(piece.size for piece in pieces) * 720_000 // sum(piece.duration_90k for piece in pieces)

    def _slots(self, number: int) -> list[Slot]:
        size = self._hls.gops_per_segment
        return [self._timeline.at(group) for group in range(number * size, (number + 1) * size)]

    def _pieces(self, clip: Clip) -> tuple[Piece, ...]:
        if self.container == "aac":
            return aac_pieces(clip)
        frames = round(self._hls.part_s * clip.rate)
        return (ts_pieces if self.container == "ts" else mp4_pieces)(clip, self.tracks, frames)

    def _piece(self, slot: Slot) -> tuple[Piece, int]:
        clip = self.clip(slot)
        index, base = slot.place(clip)
        return self._pieces(clip)[index], base

    def _init_of(self, stretch: Stretch) -> bytes:
        return (self._clip or stretch.clip).init(self.tracks) if self.container == "mp4" else b""

    def _offset(self, slot: Slot) -> int:
        """Where a group begins in its file: behind the init segment and all groups since."""
        offset = len(self.init(slot.stretch.init))
        same = [s for s in self._timeline.stretches if s.init == slot.stretch.init and s.first <= slot.number]
        ends = [*(s.first for s in same[1:]), slot.number]
        for stretch, end in zip(same, ends, strict=True):
            sizes = _offsets(self._pieces(self._clip or stretch.clip))
            offset += _bytes_before(sizes, stretch.phase + end - stretch.first) - _bytes_before(sizes, stretch.phase)
        return offset


@lru_cache(maxsize=64)
def _offsets(pieces: tuple[Piece, ...]) -> tuple[int, ...]:
    """Bytes before each piece, and of all."""
    offsets = [0]
    for piece in pieces:
        offsets.append(offsets[-1] + piece.size)
    return tuple(offsets)


def _bytes_before(offsets: Sequence[int], position: int) -> int:
    """Bytes before a position in the endless loop of the pieces."""
    turns, index = divmod(position, len(offsets) - 1)
    return turns * offsets[-1] + offsets[index]
