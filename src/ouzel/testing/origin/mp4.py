"""Fragmented MP4 (CMAF) pieces: one `moof` and `mdat` for each group of pictures, or for each part of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from ouzel.testing import boxes
from ouzel.testing.boxes import Run, Sample
from ouzel.testing.clips import AAC_FRAME, Clip, Tracks
from ouzel.testing.markers import PICTURE_ID, blank_box
from ouzel.testing.origin.pieces import TICKS, Part

_ADTS_HEADER = 7


@dataclass(frozen=True, slots=True)
class Mp4Piece:
    data: bytes
    duration_90k: int
    parts: tuple[Part, ...]
    mark_at: int
    """Offset of the text of the mark."""
    sequences_at: tuple[int, ...]
    times: tuple[tuple[int, int, int], ...]
    """Offset of each `tfdt` value, the track's ticks a second, and the value in the clip's time (the first is below 0)."""

    @property
    def size(self) -> int:
        return len(self.data)

    def stamped(self, base_90k: int, mark: bytes, sequence: int) -> bytearray:
        data = bytearray(self.data)
        for number, at in enumerate(self.sequences_at, start=sequence * len(self.sequences_at) + 1):
            data[at : at + 4] = (number & 0xFFFF_FFFF).to_bytes(4, "big")
        for at, scale, value in self.times:
            data[at : at + 8] = (value + base_90k * scale // TICKS).to_bytes(8, "big")
        data[self.mark_at : self.mark_at + len(mark)] = mark
        return data


def audio_range(clip: Clip, start_90k: int, end_90k: int) -> range:
    """Numbers of the AAC frames that begin in this stretch of the clip's time."""
    step = TICKS * AAC_FRAME
    rate = clip.sample_rate or 0
    return range(-(-start_90k * rate // step), -(-end_90k * rate // step))


@lru_cache(maxsize=64)
def mp4_pieces(clip: Clip, tracks: Tracks, part_frames: int = 0) -> tuple[Mp4Piece, ...]:
    """The pieces of a clip; with `part_frames` > 0 each is divided into parts of so many pictures' time."""
    wanted = clip.tracks(tracks)
    frames = part_frames or clip.gop_frames
    cuts = [*range(0, clip.gop_frames, frames), clip.gop_frames]
    spans = list(pairwise(cuts))
    return tuple(_piece(clip, wanted, group, spans, divided=part_frames > 0) for group in range(clip.gops))


def _piece(clip: Clip, tracks: Tracks, group: int, spans: list[tuple[int, int]], *, divided: bool) -> Mp4Piece:
    scales = {1: clip.video().timescale if tracks != "audio" else clip.sample_rate or 0, 2: clip.sample_rate or 0}
    data = bytearray(blank_box() if tracks == "audio" else b"")
    frame_90k = TICKS // clip.rate
    parts: list[Part] = []
    sequences: list[int] = []
    times: list[tuple[int, int, int]] = []
    first = group * clip.gop_frames
    for begin, end in spans:
        start = len(data) if parts else 0
        runs = list(_runs(clip, tracks, first + begin, first + end))
        fragment = boxes.build_fragment(runs)
        sequences.append(len(data) + fragment.sequence_at)
        times += [(len(data) + at, scales[track], value) for track, at, value in fragment.times_at]
        data += fragment.data
        duration = (end - begin) * frame_90k
        if tracks == "audio":
            duration = len(runs[0].samples) * AAC_FRAME * TICKS // scales[1]
        parts.append(Part(start, len(data) - start, duration, tracks == "audio" or begin == 0))
    mark_at = data.index(PICTURE_ID) + len(PICTURE_ID)
    whole = sum(part.duration_90k for part in parts)
    return Mp4Piece(bytes(data), whole, tuple(parts) if divided else (), mark_at, tuple(sequences), tuple(times))


def _runs(clip: Clip, tracks: Tracks, first: int, stop: int) -> Iterator[Run]:
    """The runs of one fragment that shows the pictures from `first` until `stop`."""
    if tracks != "audio":
        track = clip.video()
        samples = track.samples[first:stop]
        yield Run(1, samples, samples[-1].dts + track.timescale // clip.rate)
    if tracks != "video":
        frames = clip.audio()
        numbers = audio_range(clip, first * TICKS // clip.rate, stop * TICKS // clip.rate)
        sound = [Sample(n * AAC_FRAME, 0, True, frames[n][_ADTS_HEADER:]) for n in numbers]
        yield Run(1 if tracks == "audio" else 2, sound, numbers.stop * AAC_FRAME)
