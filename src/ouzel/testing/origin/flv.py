"""FLV groups: the tags of one group of pictures and its sound, in decode order, as a CDN sends them.

AVC as in the classic format; HEVC either as the enhanced format's FourCC (`hvc1`) or as the codec id 12 that Chinese CDNs
use. Source: Adobe's FLV specification 10.1 annex E, Enhanced RTMP v1.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from ouzel.testing.clips import AAC_FRAME, Clip
from ouzel.testing.markers import PICTURE_ID
from ouzel.testing.origin.mp4 import audio_range
from ouzel.testing.origin.pieces import TICKS

AUDIO, VIDEO, SCRIPT = 8, 9, 18
HevcStyle = Literal["enhanced", "legacy"]
_RATE_INDEX = {64_000: 2, 48_000: 3, 32_000: 5}
_AAC_HEAD = 0xAF  # AAC; rate, size and channels as the specification fixes them
MAX_TAG = 0xFF_FFFF


@dataclass(frozen=True, slots=True)
class FlvGroup:
    data: bytes
    edges: tuple[int, ...]
    """Offset of each tag, and the length of all."""
    times_ms: tuple[int, ...]
    """Decode time of each tag in the clip's time; the first may be below 0."""
    key_at: int
    """Offset of the byte with the frame type of the key frame."""
    mark_at: int

    def cut(self, first: int, stop: int, *, base_ms: int, mark: bytes, keyless: bool = False) -> bytearray:
        """The bytes of the tags from `first` until `stop`.

        Args:
            base_ms: added to the clip's time (modulo 2**32).
            mark: text of `mark_text`.
            keyless: the key frame is called an inter frame.
        """
        start, end = self.edges[first], self.edges[stop]
        data = bytearray(self.data[start:end])
        for tag in range(first, stop):
            at = self.edges[tag] - start
            stamp = (self.times_ms[tag] + base_ms & 0xFFFF_FFFF).to_bytes(4, "big")
            data[at + 4 : at + 8] = stamp[1:] + stamp[:1]
        if start <= self.mark_at < end:
            data[self.mark_at - start : self.mark_at - start + len(mark)] = mark
        if keyless and start <= self.key_at < end:
            data[self.key_at - start] = data[self.key_at - start] & 0x8F | 0x20
        return data


def flv_header(*, audio: bool) -> bytes:
    """The file header and the first PreviousTagSize."""
    return b"FLV\x01" + bytes([5 if audio else 1]) + struct.pack(">II", 9, 0)


def flv_tag(kind: int, time_ms: int, body: bytes) -> bytes:
    """A whole tag with the PreviousTagSize behind it; a body of at most 16 MB less one byte."""
    stamp = (time_ms & 0xFFFF_FFFF).to_bytes(4, "big")
    head = bytes([kind]) + len(body).to_bytes(3, "big") + stamp[1:] + stamp[:1] + b"\0\0\0"
    return head + body + (11 + len(body)).to_bytes(4, "big")


def flv_opening(clip: Clip, style: HevcStyle, time_ms: int) -> bytes:
    """onMetaData and the sequence headers, as at the start of a connection or where the codec changes."""
    opening = flv_tag(SCRIPT, time_ms, _metadata(clip, style))
    opening += flv_tag(VIDEO, time_ms, _video_head(clip, style, key=True, kind=0, cts=0) + clip.video().record)
    if clip.sample_rate:
        config = 2 << 11 | _RATE_INDEX[clip.sample_rate] << 7 | 2 << 3  # AAC-LC, two channels
        opening += flv_tag(AUDIO, time_ms, bytes([_AAC_HEAD, 0]) + config.to_bytes(2, "big"))
    return opening


@lru_cache(maxsize=32)
def flv_groups(clip: Clip, style: HevcStyle) -> tuple[FlvGroup, ...]:
    """The groups of a clip. Sound that belongs before the first picture's decode time is taken from the clip's end."""
    return tuple(_group(clip, style, number) for number in range(clip.gops))


def _group(clip: Clip, style: HevcStyle, number: int) -> FlvGroup:
    tags = sorted([*_pictures(clip, style, number), *_sounds(clip, number)], key=lambda tag: (tag[0], tag[1]))
    data = bytearray()
    offsets: list[int] = []
    key_at = 0
    for time, kind, body in tags:
        if kind == VIDEO and not key_at:
            key_at = len(data) + 11
        offsets.append(len(data))
        data += flv_tag(kind, time, body)
    mark_at = data.index(PICTURE_ID) + len(PICTURE_ID)
    return FlvGroup(bytes(data), (*offsets, len(data)), tuple(tag[0] for tag in tags), key_at, mark_at)


def _pictures(clip: Clip, style: HevcStyle, number: int) -> Iterator[tuple[int, int, bytes]]:
    track = clip.video()
    for sample in track.samples[number * clip.gop_frames : (number + 1) * clip.gop_frames]:
        shown = _to_ms(sample.dts + sample.cts, track.timescale)
        time = _to_ms(sample.dts, track.timescale)
        yield time, VIDEO, _video_head(clip, style, key=sample.key, kind=1, cts=shown - time) + sample.data


def _sounds(clip: Clip, number: int) -> Iterator[tuple[int, int, bytes]]:
    if not clip.sample_rate:
        return
    frames, track = clip.audio(), clip.video()
    ahead = track.samples[0].dts * TICKS // track.timescale  # the decoder runs ahead of the display by this; <= 0
    for n in audio_range(clip, number * clip.gop_90k + ahead, (number + 1) * clip.gop_90k + ahead):
        time = _to_ms(n * AAC_FRAME, clip.sample_rate)
        yield time, AUDIO, bytes([_AAC_HEAD, 1]) + frames[n % len(frames)][7:]


def _to_ms(ticks: int, scale: int) -> int:
    return ticks * 1000 // scale


def _video_head(clip: Clip, style: HevcStyle, *, key: bool, kind: int, cts: int) -> bytes:
    """What stands before the frame: `kind` 0 is a sequence header, 1 a coded frame; `cts` in milliseconds."""
    frame = 1 if key else 2
    offset = (cts & 0xFF_FFFF).to_bytes(3, "big")
    if clip.codec == "hevc" and style == "enhanced":
        return bytes([0x80 | frame << 4 | kind]) + b"hvc1" + (offset if kind == 1 else b"")
    codec = 12 if clip.codec == "hevc" else 7
    return bytes([frame << 4 | codec, kind]) + offset


def _metadata(clip: Clip, style: HevcStyle) -> bytes:
    codec = 7 if clip.codec == "h264" else 12 if style == "legacy" else int.from_bytes(b"hvc1", "big")
    values: Sequence[tuple[str, float]] = [
        ("width", clip.width),
        ("height", clip.height),
        ("framerate", clip.rate),
        ("videocodecid", codec),
    ]
    if clip.sample_rate:
        values = [*values, ("audiocodecid", 10), ("audiosamplerate", clip.sample_rate), ("audiosamplesize", 16)]
    pairs = b"".join(_amf_name(name) + b"\0" + struct.pack(">d", value) for name, value in values)
    return b"\x02" + _amf_name("onMetaData") + b"\x08" + len(values).to_bytes(4, "big") + pairs + b"\0\0\x09"


def _amf_name(name: str) -> bytes:
    return len(name).to_bytes(2, "big") + name.encode()
