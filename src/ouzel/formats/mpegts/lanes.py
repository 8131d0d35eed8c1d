"""What is known of each elementary stream, and how it is learnt from the first bytes of its units."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from ouzel.base.errors import FormatError
from ouzel.formats.codecs import (
    AudioConfig,
    AudioFrame,
    H264Nal,
    HevcNal,
    VideoConfig,
    has_recovery_point,
    is_random_access,
    is_slice,
    nal_type,
    nals,
    opus_packet_samples,
    parse_ac3,
    parse_adts,
    parse_h264_sps,
    parse_hevc_sps,
    parse_mpeg_audio,
)
from ouzel.formats.mpegts.psi import Program, Stream, opus_channels
from ouzel.formats.shape import Buffer, Track, TrackKind

VIDEO_BYTES = 8 * 1024
"""Where in an access unit its parameter sets are looked for."""
AUDIO_BYTES = 16 * 1024
"""Room for two frames of any audio codec that frames itself."""
_TRIES = 16
_PEEK = 16
"""Bytes that are enough for the header of any frame."""
_MPEG_AUDIO = frozenset(("mp1", "mp2", "mp3"))  # the PMT does not tell which
_START_CODE = b"\0\0\1"
_SEQUENCE = b"\0\0\1\xb3"

Parser = Callable[[Buffer], AudioFrame]
FRAMING: dict[str, tuple[Parser, int, bytes]] = {
    "aac": (parse_adts, 7, b"\xff"),
    "mp3": (parse_mpeg_audio, 4, b"\xff"),
    "ac3": (parse_ac3, 8, b"\x0b\x77"),
    "eac3": (parse_ac3, 8, b"\x0b\x77"),
}
"""By codec of the PMT: parser of a frame's header, bytes it needs, bytes every frame starts with."""
_SETS: dict[str, tuple[int, Callable[[Buffer], VideoConfig]]] = {
    "h264": (H264Nal.SPS, parse_h264_sps),
    "hevc": (HevcNal.SPS, parse_hevc_sps),
}


@dataclass(slots=True)
class Lane:
    """One elementary stream of the programme."""

    stream: Stream
    kind: TrackKind
    track: Track
    known: bool
    """The configuration was seen, or there is none to be seen."""
    raw: bytes = b""
    """How it looked: parameter set with its start code; the fixed bits of an ADTS header."""
    indicator: bool = False
    """The stream sets random_access_indicator, so that nothing else need be asked."""
    tries: int = _TRIES
    """Units of sound in which the configuration will still be looked for."""
    usual: int = 0
    """Bytes of a unit that is not the short one at the end of a segment."""
    declared: int = 0
    """Bytes of the unit in progress; 0 where the stream does not tell."""
    packets: int = 0
    """Packets with payload of the unit in progress."""
    unit_at: int = -1
    """Bytes of the chunk in front of the unit in progress; -1 = it began in the chunk before."""
    frames_before: int = 0
    """Frames of the leading track in front of it."""
    since: int = -1
    """Where it starts in the block in progress; -1 = before it."""

    def copy(self) -> Lane:
        return Lane(
            self.stream,
            self.kind,
            self.track,
            self.known,
            self.raw,
            self.indicator,
            self.tries,
            self.usual,
            self.declared,
            self.packets,
            self.unit_at,
            self.frames_before,
            self.since,
        )


@dataclass(frozen=True, slots=True)
class Found:
    track: Track
    raw: bytes


Sniffed = Found | Literal["more", "none"]


def lanes_of(program: Program, before: dict[int, Lane]) -> dict[int, Lane]:
    """A lane for each stream; what is known of one that was there before, and is the same, stays."""
    lanes: dict[int, Lane] = {}
    for stream in program.streams:
        old = before.get(stream.pid)
        if old is not None and (old.stream.codec, old.stream.kind) == (stream.codec, stream.kind):
            lanes[stream.pid] = old.copy()
            lanes[stream.pid].stream = stream
            continue
        track = Track(stream.pid, stream.kind, stream.codec)
        if stream.codec == "opus":
            track = replace(track, sample_rate=48_000, channels=opus_channels(stream.descriptors))
        lanes[stream.pid] = Lane(stream, stream.kind, track, known=not _has_config(stream.codec))
    return lanes


def _has_config(codec: str) -> bool:
    return codec in FRAMING or codec in _SETS or codec == "mpeg2video"


def lead_of(program: Program) -> int:
    """PID of the track that gives the programme its time: the first picture, else the first sound."""
    media = program.media
    return next((s.pid for s in media if s.kind == "video"), media[0].pid if media else -1)


def differ(old: Track, new: Track) -> bool:
    """Whether two tracks may not share a file. What is not known of one of them does not count."""
    if (old.id, old.kind) != (new.id, new.kind):
        return True
    if old.codec != new.codec and not ({old.codec, new.codec} <= _MPEG_AUDIO and not (old.config and new.config)):
        return True
    pairs = (
        (old.width, new.width),
        (old.height, new.height),
        (old.sample_rate, new.sample_rate),
        (old.channels, new.channels),
        (old.config or None, new.config or None),
    )
    return any(a is not None and b is not None and a != b for a, b in pairs)


# -- pictures -----------------------------------------------------------------------------------------------------------


def is_unchanged(lane: Lane, first: bytes) -> bool:
    """Whether the first bytes of a random access unit repeat the parameter set that is known."""
    return bool(lane.raw) and lane.raw in first


def looks_random(codec: str, first: bytes) -> bool:
    """Whether an access unit can be entered, by its first bytes, for streams that do not set the indicator."""
    if codec == "mpeg2video":
        return _SEQUENCE in first
    if codec not in _SETS:
        return False
    for start, stop in nals(first):
        kind = nal_type(codec, first[start])
        if is_random_access(codec, kind) or kind == _SETS[codec][0]:
            return True
        if codec == "h264" and kind == H264Nal.SEI and has_recovery_point(first[start:stop]):
            return True
        if is_slice(codec, kind):
            return False
    return False


def sniff(lane: Lane, data: bytes, *, complete: bool) -> Sniffed:
    """Look for the configuration in the first bytes of a unit.

    `more`: nothing yet, and more bytes may tell; `none`: this unit does not tell, or what it says is damaged.
    """
    codec = lane.stream.codec
    if codec in _SETS:
        return _sniff_sets(lane.track, codec, data, complete=complete)
    if codec == "mpeg2video":
        return _sniff_sequence(lane.track, data, complete=complete)
    if codec in FRAMING:
        return _sniff_frames(lane.track, codec, data, complete=complete)
    return "none"


def _sniff_sets(track: Track, codec: str, data: bytes, *, complete: bool) -> Sniffed:
    wanted, parse = _SETS[codec]
    for start, stop in nals(data, len(data)):
        kind = nal_type(codec, data[start])
        if kind == wanted:
            if not complete and data.find(_START_CODE, start) < 0:
                return "more"
            nal = data[start:stop]
            try:
                config = parse(nal)
            except FormatError:
                continue
            told = bytes((config.profile, config.chroma, config.bit_depth))
            return Found(replace(track, width=config.width, height=config.height, config=told), _START_CODE + nal)
        if is_slice(codec, kind):
            return "none"
    return "none" if complete else "more"


def _sniff_sequence(track: Track, data: bytes, *, complete: bool) -> Sniffed:
    """The sequence header of MPEG-2 video: two sizes of 12 bits. Source: ISO/IEC 13818-2 section 6.2.2.1."""
    at = data.find(_SEQUENCE)
    if at < 0 or at + 8 > len(data):
        return "none" if complete or b"\0\0\1\0" in data else "more"
    size = int.from_bytes(data[at + 4 : at + 7], "big")
    if not size >> 12 or not size & 0xFFF:
        return "none"
    return Found(replace(track, width=size >> 12, height=size & 0xFFF, config=b"\2"), data[at : at + 8])


# -- sound --------------------------------------------------------------------------------------------------------------


def _sniff_frames(track: Track, codec: str, data: bytes, *, complete: bool) -> Sniffed:
    """A frame header, believed when a second frame like it follows, or when the unit ends with the frame."""
    parse, size, sync = FRAMING[codec]
    at = data.find(sync)
    while 0 <= at <= len(data) - size:
        frame = _frame(parse, data, at)
        if frame is not None:
            following = at + frame.size
            if following + size <= len(data):
                other = _frame(parse, data, following)
                if other is not None and (other.config == frame.config or not other.samples):
                    return _found_audio(track, codec, frame, data[at : at + size])
            elif not complete:
                return "more"
            elif following == len(data):
                return _found_audio(track, codec, frame, data[at : at + size])
        at = data.find(sync, at + 1)
    return "none" if complete else "more"


def _found_audio(track: Track, codec: str, frame: AudioFrame, header: bytes) -> Found:
    config = frame.config
    known = replace(
        track,
        codec=config.codec,
        sample_rate=config.sample_rate,
        channels=config.channels or None,
        config=bytes((config.profile,)),
    )
    return Found(known, adts_mark(header) if codec == "aac" else header)


def _frame(parse: Parser, data: bytes, at: int) -> AudioFrame | None:
    try:
        return parse(data[at : at + _PEEK])
    except FormatError:
        return None


def adts_mark(header: Buffer) -> bytes:
    """The bits of an ADTS header that stay while the configuration stays: profile, sample rate, channels."""
    return bytes((header[2] & 0xFD, header[3] & 0xC0))


def sounds_changed(lane: Lane, first: memoryview) -> bool:
    """Whether a unit of sound starts with a frame header that is not like the known one: worth a closer look."""
    codec = lane.stream.codec
    if codec not in FRAMING or len(first) < 16:
        return False
    if not lane.known:
        return lane.tries > 0
    if codec == "aac":
        same = first[2] & 0xFD == lane.raw[0] and first[3] & 0xC0 == lane.raw[1]
        return not same and first[0] == 0xFF and first[1] & 0xF6 == 0xF0
    if bytes(first[: len(lane.raw)]) == lane.raw:
        return False
    frame = _frame(FRAMING[codec][0], bytes(first[:16]), 0)
    if frame is None:
        return False
    config, track = frame.config, lane.track
    return config.sample_rate != track.sample_rate or bool(frame.samples and config.channels != (track.channels or 0))


def is_short_of_usual(lane: Lane, length: int) -> bool:
    """Whether a unit of sound has so few bytes that it may hold fewer frames than the others."""
    usual = lane.usual
    if length * 5 >= usual * 4:
        lane.usual = length
        return False
    return length > 0 and lane.known and is_counted(lane.stream)


def parse_ts_opus(header: Buffer) -> AudioFrame:
    """Read the control header in front of an Opus packet, and what the packet says of its length, from 16 bytes.

    Raises: FormatError. Source: "Opus in MPEG-2 transport streams" (opus_control_header), as libavcodec implements it.
    """
    if len(header) < _PEEK or header[0] != 0x7F or header[1] & 0xE0 != 0xE0:
        raise FormatError("not an Opus control header")
    at, size = 2, 0
    while header[at] == 0xFF and at < 10:
        size += header[at]
        at += 1
    size += header[at]
    at += 1
    trimmed = 0
    for flag in (0x10, 0x08):  # start_trim, end_trim
        if header[1] & flag:
            trimmed += int.from_bytes(header[at : at + 2], "big") & 0x1FFF
            at += 2
    if header[1] & 0x04:
        at += 1 + header[at]
    samples = opus_packet_samples(header[at : at + 2]) if size and at + 2 <= len(header) else 0
    return AudioFrame(AudioConfig("opus", 0, 48_000, 0), at + size, at, max(0, samples - trimmed))


_COUNTED: dict[str, tuple[Parser, int, bytes]] = {**FRAMING, "opus": (parse_ts_opus, 16, b"\x7f")}
"""What a unit of sound holds can be counted for these."""


def is_counted(stream: Stream) -> bool:
    return stream.kind == "audio" and stream.codec in _COUNTED


class FrameCounter:
    """Counts the frames of a sound track that has no picture beside it.

    A unit holds several frames; how many is known when the next one starts.
    """

    __slots__ = ("_data", "_parse", "_size", "_skip", "_sync")

    _LIMIT = 1 << 20

    def __init__(self, codec: str) -> None:
        self._parse, self._size, self._sync = _COUNTED[codec]
        self._data = bytearray()
        self._skip = 0

    def add(self, payload: bytes) -> None:
        if len(self._data) < self._LIMIT:
            self._data += payload

    def close(self) -> tuple[int, float]:
        """The unit is over. Returns: frames that started in it, and their length in seconds."""
        data, end, at = bytes(self._data) + bytes(_PEEK), len(self._data), self._skip
        frames, seconds = 0, 0.0
        while at < end:
            frame = _frame(self._parse, data, at)
            if frame is None and end - at < self._size and data[at : at + 1] == self._sync[:1]:
                break  # a header that goes on in the next unit
            if frame is None:
                at = data.find(self._sync[:1], at + 1, end)
                at = end if at < 0 else at
                continue
            frames += frame.samples > 0
            seconds += frame.samples / frame.config.sample_rate
            at += frame.size
        self._skip = max(0, at - end)
        self._data = bytearray(data[at:end])
        return frames, seconds

    def copy(self) -> FrameCounter:
        other = FrameCounter.__new__(FrameCounter)
        other._parse, other._size, other._sync = self._parse, self._size, self._sync
        other._data, other._skip = bytearray(self._data), self._skip
        return other
