"""Audio headers: AudioSpecificConfig, ADTS, MPEG audio, AC-3 and E-AC-3, Opus."""

from __future__ import annotations

from ouzel.base.errors import FormatError
from ouzel.formats.codecs.bits import Bits
from ouzel.formats.codecs.config import AudioConfig, AudioFrame
from ouzel.formats.shape import Buffer

AAC_RATES = (96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350)
_AAC_CHANNELS = {1: 1, 2: 2, 3: 3, 4: 4, 5: 5, 6: 6, 7: 8, 11: 7, 12: 8, 14: 8}
_SBR, _PS = 5, 29
_GENERAL_AUDIO = frozenset({1, 2, 3, 4, 6, 7, 17, 19, 20, 21, 22, 23})
_MPEG_LAYERS = {32: "mp1", 33: "mp2", 34: "mp3"}


def parse_audio_specific_config(data: Buffer) -> AudioConfig:
    """Read an AudioSpecificConfig (esds, FLV AAC sequence header).

    SBR and parametric stereo are seen when they are signalled, in either of the two ways; a stream that only uses them
    without saying so looks like plain AAC. Raises: FormatError. Source: ISO/IEC 14496-3 section 1.6.2.1.
    """
    bits = Bits(data[:256], "AudioSpecificConfig")
    kind = _object_type(bits)
    rate = base_rate = _rate(bits)
    layout = bits.u(4)
    sbr, stereo = kind in {_SBR, _PS}, kind == _PS
    signalled = kind
    if sbr:
        rate = _rate(bits)
        kind = _object_type(bits)
    channels = _AAC_CHANNELS.get(layout, 0)
    short = False
    if kind in _GENERAL_AUDIO:
        short, found = _general_audio(bits, kind, layout)
        channels = found if layout == 0 else channels
        if not sbr:
            extended, stereo = _extension(bits)
            sbr = extended is not None
            rate = extended or rate
            signalled = _PS if stereo else _SBR if sbr else kind
    if stereo and channels == 1:
        channels = 2
    samples = None
    if kind in _GENERAL_AUDIO:
        samples = (960 if short else 1024) if kind != 23 else (480 if short else 512)
        samples = samples * rate // base_rate if sbr else samples
    return AudioConfig(_MPEG_LAYERS.get(kind, "aac"), signalled, rate, channels, samples)


def _object_type(bits: Bits) -> int:
    kind = bits.u(5)
    kind = 32 + bits.u(6) if kind == 31 else kind
    if kind == 0:
        raise FormatError("AudioSpecificConfig: no object type")
    return kind


def _rate(bits: Bits) -> int:
    index = bits.u(4)
    rate = bits.u(24) if index == 15 else AAC_RATES[index] if index < len(AAC_RATES) else 0
    if rate <= 0:
        raise FormatError("AudioSpecificConfig: bad sample rate")
    return rate


def _general_audio(bits: Bits, kind: int, layout: int) -> tuple[bool, int]:
    """Read GASpecificConfig: whether frames are of the short kind, and the channels where it lists them itself."""
    short = bits.flag()
    if bits.flag():
        bits.skip(14)  # coreCoderDelay
    extension = bits.flag()
    channels = _program_channels(bits) if layout == 0 else 0
    if kind in {6, 20}:
        bits.skip(3)  # layerNr
    if extension:
        if kind == 22:
            bits.skip(16)
        if kind in {17, 19, 20, 23}:
            bits.skip(3)
        bits.skip(1)
    return short, channels


def _program_channels(bits: Bits) -> int:
    """Count the channels of a program_config_element (section 4.4.1.1)."""
    bits.skip(10)  # element_instance_tag, object_type, sampling_frequency_index
    front, side, back, lfe, data, coupling = (bits.u(4), bits.u(4), bits.u(4), bits.u(2), bits.u(3), bits.u(4))
    for width in (4, 4, 3):  # the mix-down elements
        if bits.flag():
            bits.skip(width)
    channels = lfe
    for _ in range(front + side + back):
        channels += 2 if bits.flag() else 1
        bits.skip(4)
    bits.skip(4 * lfe + 4 * data + 5 * coupling)
    bits.skip(bits.left % 8)  # byte_alignment, counted from the start of the config
    bits.skip(8 * bits.u(8))  # comment
    return channels


def _extension(bits: Bits) -> tuple[int | None, bool]:
    """The backward compatible signalling behind the config: the SBR rate, and whether there is parametric stereo."""
    if bits.left < 16 or bits.peek(11) != 0x2B7:
        return None, False
    bits.skip(11)
    if _object_type(bits) != _SBR or not bits.flag():
        return None, False
    rate = _rate(bits)
    stereo = False
    if bits.left >= 12 and bits.peek(11) == 0x548:
        bits.skip(11)
        stereo = bits.flag()
    return rate, stereo


def parse_adts(header: Buffer) -> AudioFrame:
    """Read an ADTS header from at least 7 bytes. Raises: FormatError. Source: ISO/IEC 13818-7 section 6.2."""
    if len(header) < 7 or header[0] != 0xFF or header[1] & 0xF6 != 0xF0:
        raise FormatError("not an ADTS header")
    index = header[2] >> 2 & 0x0F
    size = (header[3] & 3) << 11 | header[4] << 3 | header[5] >> 5
    header_size = 7 if header[1] & 1 else 9
    if index >= len(AAC_RATES) or size <= header_size:
        raise FormatError("bad ADTS header")
    layout = (header[2] & 1) << 2 | header[3] >> 6
    config = AudioConfig("aac", (header[2] >> 6) + 1, AAC_RATES[index], _AAC_CHANNELS.get(layout, 0), 1024)
    return AudioFrame(config, size, header_size, 1024 * ((header[6] & 3) + 1))


_MPEG_RATES = (44100, 48000, 32000)
_MPEG_KBPS = {
    (1, 1): (32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (1, 2): (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (1, 3): (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (2, 1): (32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (2, 2): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (2, 3): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}


def parse_mpeg_audio(header: Buffer) -> AudioFrame:
    """Read the header of an MPEG audio frame (layer I, II or III) from at least 4 bytes.

    Raises: FormatError, also for the free bit rate, whose frame size a header does not tell.
    Source: ISO/IEC 11172-3 section 2.4.1.3, 13818-3; version 2.5 as widely used.
    """
    if len(header) < 4 or header[0] != 0xFF or header[1] & 0xE0 != 0xE0:
        raise FormatError("not an MPEG audio header")
    version = header[1] >> 3 & 3  # 3: MPEG-1, 2: MPEG-2, 0: 2.5
    layer = 4 - (header[1] >> 1 & 3)
    bit_rate, rate_index = header[2] >> 4, header[2] >> 2 & 3
    if version == 1 or layer == 4 or bit_rate in {0, 15} or rate_index == 3:
        raise FormatError("bad MPEG audio header")
    low = version != 3
    rate = _MPEG_RATES[rate_index] >> {3: 0, 2: 1, 0: 2}[version]
    bps = 1000 * _MPEG_KBPS[2 if low else 1, layer][bit_rate - 1]
    padding = header[2] >> 1 & 1
    samples = 384 if layer == 1 else 576 if layer == 3 and low else 1152
    size = (12 * bps // rate + padding) * 4 if layer == 1 else samples // 8 * bps // rate + padding
    channels = 1 if header[3] >> 6 == 3 else 2
    return AudioFrame(AudioConfig(f"mp{layer}", layer, rate, channels, samples), size, 4, samples)


_AC3_RATES = (48000, 44100, 32000)
_AC3_KBPS = (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384, 448, 512, 576, 640)
_AC3_CHANNELS = (2, 1, 2, 3, 3, 4, 4, 5)
_EAC3_BLOCKS = (1, 2, 3, 6)


def parse_ac3(header: Buffer) -> AudioFrame:
    """Read the header of an AC-3 or E-AC-3 frame from at least 8 bytes.

    E-AC-3: a dependent substream (channels beyond 5.1) is a frame of its own, with 0 samples.
    Raises: FormatError. Source: ETSI TS 102 366 sections 4.3, 4.4 and E.1.2.
    """
    if len(header) < 8 or header[0] != 0x0B or header[1] != 0x77:
        raise FormatError("not an AC-3 header")
    bsid = header[5] >> 3
    if bsid > 16:
        raise FormatError("AC-3: unknown bit stream", bsid=bsid)
    return _eac3(header, bsid) if bsid > 10 else _plain_ac3(header, bsid)


def _plain_ac3(header: Buffer, bsid: int) -> AudioFrame:
    rate_index, code = header[4] >> 6, header[4] & 0x3F
    if rate_index == 3 or code >= 2 * len(_AC3_KBPS):
        raise FormatError("bad AC-3 header")
    rate, kbps = _AC3_RATES[rate_index], _AC3_KBPS[code >> 1]
    words = kbps * 96000 // rate + (code & 1 if rate == 44100 else 0)
    bits = Bits(header[6:8], "AC-3")
    mode = bits.u(3)
    if mode & 1 and mode != 1:
        bits.skip(2)  # cmixlev
    if mode & 4:
        bits.skip(2)  # surmixlev
    if mode == 2:
        bits.skip(2)  # dsurmod
    channels = _AC3_CHANNELS[mode] + bits.u(1)
    rate >>= max(bsid, 8) - 8
    return AudioFrame(AudioConfig("ac3", bsid, rate, channels, 1536), 2 * words, 5, 1536)


def _eac3(header: Buffer, bsid: int) -> AudioFrame:
    bits = Bits(header[2:6], "E-AC-3")
    stream_type = bits.u(2)
    bits.skip(3)  # substreamid
    words = bits.u(11) + 1
    code = bits.u(2)
    if code == 3:
        half = bits.u(2)
        if half == 3:
            raise FormatError("bad E-AC-3 header")
        rate, blocks = _AC3_RATES[half] // 2, 6
    else:
        rate, blocks = _AC3_RATES[code], _EAC3_BLOCKS[bits.u(2)]
    channels = _AC3_CHANNELS[bits.u(3)] + bits.u(1)
    samples = 256 * blocks
    return AudioFrame(
        AudioConfig("eac3", bsid, rate, channels, samples), 2 * words, 5, 0 if stream_type == 1 else samples
    )


def parse_opus_head(data: Buffer) -> AudioConfig:
    """Read an OpusHead identification header; Opus always decodes at 48 kHz.

    Raises: FormatError. Source: RFC 7845 section 5.1.
    """
    if len(data) < 19 or bytes(data[:8]) != b"OpusHead" or data[8] >> 4:
        raise FormatError("not an OpusHead")
    if not data[9]:
        raise FormatError("OpusHead: no channels")
    return AudioConfig("opus", data[18], 48000, data[9])


def opus_packet_samples(packet: Buffer) -> int:
    """Samples at 48 kHz in one Opus packet, 0 for an empty one. Raises: FormatError. Source: RFC 6716 section 3.1."""
    if not len(packet):
        return 0
    config, code = packet[0] >> 3, packet[0] & 3
    if config < 12:
        size = (480, 960, 1920, 2880)[config & 3]
    elif config < 16:
        size = (480, 960)[config & 1]
    else:
        size = (120, 240, 480, 960)[config & 3]
    if code == 3:
        if len(packet) < 2:
            raise FormatError("Opus packet: cut short")
        count = packet[1] & 0x3F
    else:
        count = 1 if code == 0 else 2
    if size * count > 5760:
        raise FormatError("Opus packet: longer than 120 ms")
    return size * count
