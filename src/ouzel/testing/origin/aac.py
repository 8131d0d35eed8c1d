"""Packed audio pieces: ADTS frames behind an ID3 tag with their time stamp (RFC 8216 section 3.4)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from ouzel.testing.clips import AAC_FRAME, Clip
from ouzel.testing.markers import BLANK, PICTURE_ID
from ouzel.testing.origin.mp4 import audio_range
from ouzel.testing.origin.pieces import TICKS, Part

_TIMESTAMP_OWNER = b"com.apple.streaming.transportStreamTimestamp\0"
_MARK_OWNER = b"ouzel.mark\0"
_WRAP = (1 << 33) - 1


@dataclass(frozen=True, slots=True)
class AacPiece:
    data: bytes
    duration_90k: int
    start_90k: int
    """Of the first frame, in the clip's time."""
    stamp_at: int
    mark_at: int
    parts: tuple[Part, ...] = ()

    @property
    def size(self) -> int:
        return len(self.data)

    def stamped(self, base_90k: int, mark: bytes, sequence: int) -> bytearray:
        del sequence  # packed audio has no counter
        data = bytearray(self.data)
        data[self.stamp_at : self.stamp_at + 8] = (self.start_90k + base_90k & _WRAP).to_bytes(8, "big")
        data[self.mark_at : self.mark_at + len(mark)] = mark
        return data


@lru_cache(maxsize=32)
def aac_pieces(clip: Clip) -> tuple[AacPiece, ...]:
    """One piece for the time of each group of pictures."""
    clip.tracks("audio")
    return tuple(_piece(clip, group) for group in range(clip.gops))


def _piece(clip: Clip, group: int) -> AacPiece:
    numbers = audio_range(clip, group * clip.gop_90k, (group + 1) * clip.gop_90k)
    rate = clip.sample_rate or 1
    stamp, mark = _private(_TIMESTAMP_OWNER + bytes(8)), _private(_MARK_OWNER + PICTURE_ID + BLANK)
    size = len(stamp) + len(mark)
    data = b"ID3\x04\0\0" + bytes(size >> shift & 0x7F for shift in (21, 14, 7, 0)) + stamp + mark
    at = data.index(_TIMESTAMP_OWNER) + len(_TIMESTAMP_OWNER)
    mark_at = data.index(PICTURE_ID) + len(PICTURE_ID)
    sound = b"".join(clip.audio()[numbers.start : numbers.stop])
    step = AAC_FRAME * TICKS
    return AacPiece(data + sound, len(numbers) * step // rate, numbers.start * step // rate, at, mark_at)


def _private(body: bytes) -> bytes:
    """An ID3v2.4 PRIV frame of less than 128 bytes."""
    return b"PRIV" + len(body).to_bytes(4, "big") + b"\0\0" + body
