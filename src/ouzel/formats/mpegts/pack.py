"""Packed audio (an HLS segment of bare AAC, MP3, AC-3 or E-AC-3 frames) as units of a transport stream.

Source: RFC 8216 section 3.4; ISO/IEC 13818-1 table 2-34 and ETSI TS 101 154 for stream types and ids.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from ouzel.base.errors import FormatError
from ouzel.formats import id3
from ouzel.formats.codecs import AudioConfig, AudioFrame, parse_ac3, parse_adts, parse_mpeg_audio
from ouzel.formats.mpegts.packets import SIZE, TICKS, WRAP, render_pat, render_pes, render_pmt

_UNIT_FRAMES = 8
_UNIT_BYTES = 2800
_HEADER = 8
"""Bytes that any parser needs."""
_LEAD = TICKS // 10
"""How long before its presentation a unit is to arrive, by the clock reference in it."""
_PMT_PID, _AUDIO_PID = 0x1000, 0x101
_REGISTRATION = 0x05


@dataclass(frozen=True, slots=True)
class SoundType:
    """What a PMT says of a sound track."""

    codec: str
    type: int
    descriptors: bytes
    stream_id: int


AAC = SoundType("aac", 0x0F, b"", 0xC0)
_TYPES = {
    "aac": AAC,
    "mp1": SoundType("mp1", 0x03, b"", 0xC0),
    "mp2": SoundType("mp2", 0x03, b"", 0xC0),
    "mp3": SoundType("mp3", 0x03, b"", 0xC0),
    "ac3": SoundType("ac3", 0x81, bytes((_REGISTRATION, 4)) + b"AC-3", 0xBD),
    "eac3": SoundType("eac3", 0x87, bytes((_REGISTRATION, 4)) + b"EAC3", 0xBD),
}


@dataclass(frozen=True, slots=True)
class Sound:
    """A few frames that go into one PES packet."""

    type: SoundType
    pts: int
    """Ticks of 90 kHz, modulo 2^33."""
    data: bytes
    frames: int


@dataclass(slots=True)
class _Clock:
    """Counts samples from an anchor, so that no rounding adds up."""

    anchor: int = 0
    samples: int = 0
    rate: int = TICKS

    @property
    def now(self) -> int:
        return (self.anchor + self.samples * TICKS // self.rate) % WRAP

    def step(self, frame: AudioFrame) -> None:
        rate = frame.config.sample_rate
        if rate != self.rate:
            self.anchor, self.samples, self.rate = self.now, 0, rate
        self.samples += frame.samples


class SoundReader:
    """Takes packed audio in pieces and yields it in units with time stamps.

    The time comes from the ID3 tag in front of each segment; without one it goes on by the count of samples.

    Args:
        search_limit: bytes in a row without a frame after which FormatError is raised.
    """

    def __init__(self, search_limit: int = 256 * 1024) -> None:
        self._limit = search_limit
        self._data = bytearray()
        self._clock = _Clock()
        self._skipped = 0
        self._pending: list[bytes] = []
        self._pending_at = 0
        self._type = AAC
        self._config: AudioConfig | None = None
        self.garbage_bytes = 0
        """Bytes between frames. The reader of this figure sets it back to 0."""
        self.torn_bytes = 0
        """Of an incomplete frame or tag, left by the last `end`."""

    def push(self, piece: memoryview) -> Iterator[Sound]:
        """Raises: FormatError when no frame is found for too long; TooLarge for a tag beyond any reason."""
        self._data += piece
        yield from self._read(final=False)

    def end(self) -> Iterator[Sound]:
        """The segment is over."""
        yield from self._read(final=True)
        yield from self._flush()
        self.torn_bytes = len(self._data)
        self._data.clear()
        self._skipped = 0

    def drop(self) -> None:
        """Forget what is carried."""
        self._data.clear()
        self._pending.clear()
        self._skipped = 0
        self.garbage_bytes = 0

    def save(self) -> _Clock:
        """The time of the next frame; to be taken between segments."""
        return replace(self._clock)

    def restore(self, clock: _Clock) -> None:
        self.drop()
        self._clock = replace(clock)

    def _read(self, *, final: bool) -> Iterator[Sound]:
        data, at = bytes(self._data), 0
        while len(data) - at >= (1 if final else id3.HEADER_SIZE):
            size = id3.tag_size(data[at : at + id3.HEADER_SIZE])
            if size:
                if at + size > len(data):
                    break
                stamp = id3.transport_timestamp(data[at : at + size])
                if stamp is not None:
                    yield from self._flush()
                    self._clock = _Clock(stamp)
                at += size
                continue
            if len(data) - at < _HEADER:
                break
            frame = parse_frame(data[at : at + 16])
            credible = frame is not None and (not self._skipped or self._followed(data, at + frame.size, final=final))
            if credible is None:
                break
            if frame is None or not credible:
                at += 1
                self._skip()
            elif at + frame.size > len(data):
                break
            else:
                self._skipped = 0
                yield from self._take(frame, data[at : at + frame.size])
                at += frame.size
        del self._data[:at]

    def _take(self, frame: AudioFrame, data: bytes) -> Iterator[Sound]:
        kind = _TYPES[frame.config.codec]
        size = sum(map(len, self._pending))
        full = len(self._pending) >= _UNIT_FRAMES or size + len(data) > _UNIT_BYTES
        if self._pending and frame.samples and (full or frame.config != self._config):
            yield from self._flush()
        if not self._pending:
            self._pending_at, self._type, self._config = self._clock.now, kind, frame.config
        self._pending.append(data)
        self._clock.step(frame)

    def _flush(self) -> Iterator[Sound]:
        if self._pending:
            yield Sound(self._type, self._pending_at, b"".join(self._pending), len(self._pending))
            self._pending.clear()

    def _followed(self, data: bytes, at: int, *, final: bool) -> bool | None:
        """Whether another frame starts here, as it must behind the first one after garbage; None when more bytes may tell."""
        if at + _HEADER > len(data):
            return at <= len(data) if final else None
        return parse_frame(data[at : at + 16]) is not None

    def _skip(self) -> None:
        self.garbage_bytes += 1
        self._skipped += 1
        if self._skipped > self._limit:
            raise FormatError("this is not packed audio: no frames found", searched=self._skipped)


def parse_frame(header: bytes) -> AudioFrame | None:
    """The frame of packed audio that starts here, whatever its codec; None when there is none."""
    if len(header) < _HEADER:
        return None
    parse = parse_ac3 if header[0] == 0x0B else parse_adts if header[1] & 0xF6 == 0xF0 else parse_mpeg_audio
    try:
        return parse(header)
    except FormatError:
        return None


class SoundMuxer:
    """Renders units of sound as a transport stream of their own."""

    def __init__(self) -> None:
        self._counters = {0: 0, _PMT_PID: 0, _AUDIO_PID: 0}
        self._announced: SoundType | None = None

    def render(self, sound: Sound) -> bytearray:
        """The unit as packets; with PAT and PMT in front at the start of a segment, and where the codec changes."""
        out = bytearray()
        if sound.type != self._announced:
            self._announced = sound.type
            stream = (sound.type.type, _AUDIO_PID, sound.type.descriptors)
            out += self._counted(0, render_pat([(1, _PMT_PID)], counter=self._counters[0]))
            pmt = render_pmt(_PMT_PID, [stream], pcr_pid=_AUDIO_PID, counter=self._counters[_PMT_PID])
            out += self._counted(_PMT_PID, pmt)
        out += self._counted(_AUDIO_PID, render_sound(sound, _AUDIO_PID, self._counters[_AUDIO_PID], clock=True))
        return out

    def begin_segment(self) -> None:
        """The next unit starts with the tables."""
        self._announced = None

    def save(self) -> dict[int, int]:
        return dict(self._counters)

    def restore(self, counters: dict[int, int]) -> None:
        self._counters = dict(counters)
        self.begin_segment()

    def _counted(self, pid: int, packets: bytes) -> bytes:
        self._counters[pid] = (self._counters[pid] + len(packets) // SIZE) & 0x0F
        return packets


def render_sound(sound: Sound, pid: int, counter: int, *, clock: bool) -> bytes:
    """The unit as packets. `clock`: with a clock reference, as a programme of sound alone needs."""
    return render_pes(
        pid,
        sound.type.stream_id,
        sound.data,
        pts=sound.pts,
        counter=counter,
        random_access=True,
        pcr=(sound.pts - _LEAD) % WRAP * 300 if clock else None,
    )
