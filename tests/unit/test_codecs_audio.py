"""Audio headers, byte for byte as encoders and muxers write them."""

from __future__ import annotations

import pytest

from ouzel.base.errors import FormatError
from ouzel.formats.codecs import (
    AudioConfig,
    opus_packet_samples,
    parse_ac3,
    parse_adts,
    parse_audio_specific_config,
    parse_mpeg_audio,
    parse_opus_head,
)


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ("1190", AudioConfig("aac", 2, 48000, 2, 1024)),
        ("1208", AudioConfig("aac", 2, 44100, 1, 1024)),
        ("11b0", AudioConfig("aac", 2, 48000, 6, 1024)),
        ("1194", AudioConfig("aac", 2, 48000, 2, 960)),
        ("119056e500", AudioConfig("aac", 2, 48000, 2, 1024)),
        ("131056e598", AudioConfig("aac", 5, 48000, 2, 2048)),
        ("130856e59d4880", AudioConfig("aac", 29, 48000, 2, 2048)),
        ("2b118800", AudioConfig("aac", 5, 48000, 2, 2048)),
        ("eb098800", AudioConfig("aac", 29, 48000, 2, 2048)),
        ("1780" + "5dc010", AudioConfig("aac", 2, 48000, 2, 1024)),
        ("f94640", AudioConfig("aac", 42, 48000, 2, None)),
        ("f8460000", AudioConfig("mp3", 34, 48000, 0, None)),
        ("b98800", AudioConfig("aac", 23, 48000, 1, 512)),
    ],
    ids=[
        "LC",
        "LC mono",
        "5.1",
        "960 samples",
        "SBR said to be absent",
        "SBR behind",
        "SBR and PS behind",
        "SBR before",
        "PS before",
        "rate written out",
        "xHE-AAC",
        "MP3 in MP4",
        "low delay",
    ],
)
def test_audio_specific_config(config: str, expected: AudioConfig) -> None:
    assert parse_audio_specific_config(bytes.fromhex(config)) == expected


def test_channels_listed_in_a_program_config_element() -> None:
    """Channel layout 0: front 1 single and 1 pair, back 1 pair, 1 LFE, one data and one coupling element, a comment."""
    bits = "0001000110000000"  # LC, 48 kHz, layout 0, GASpecificConfig
    bits += "0000010011" + "001000000001010010001" + "1010101110"
    bits += "00000" + "10001" + "10010" + "0011" + "0100" + "00101"
    bits += "0" * (-len(bits) % 8) + format(2, "08b") + format(0x6869, "016b")
    data = int(bits, 2).to_bytes(len(bits) // 8, "big")

    assert parse_audio_specific_config(data).channels == 6
    assert parse_audio_specific_config(data + bytes.fromhex("56e500")).profile == 2


def test_adts() -> None:
    frame = parse_adts(bytes.fromhex("fff14c80 1f9ffc") + bytes(9))

    assert frame.config == AudioConfig("aac", 2, 48000, 2, 1024)
    assert (frame.size, frame.header_size, frame.samples) == (252, 7, 1024)
    protected = parse_adts(bytes.fromhex("fff04c801f9ffd"))
    assert (protected.header_size, protected.samples) == (9, 2048)


@pytest.mark.parametrize(
    ("header", "config", "size", "samples"),
    [
        ("fffb9064", AudioConfig("mp3", 3, 44100, 2, 1152), 417, 1152),
        ("fffb92c4", AudioConfig("mp3", 3, 44100, 1, 1152), 418, 1152),
        ("fff384c4", AudioConfig("mp3", 3, 24000, 1, 576), 192, 576),
        ("ffe318c4", AudioConfig("mp3", 3, 8000, 1, 576), 72, 576),
        ("fffda404", AudioConfig("mp2", 2, 48000, 2, 1152), 576, 1152),
        ("ffff4204", AudioConfig("mp1", 1, 44100, 2, 384), 140, 384),
    ],
)
def test_mpeg_audio(header: str, config: AudioConfig, size: int, samples: int) -> None:
    frame = parse_mpeg_audio(bytes.fromhex(header))

    assert (frame.config, frame.size, frame.samples) == (config, size, samples)


@pytest.mark.parametrize(
    ("header", "config", "size", "samples"),
    [
        ("0b77a2f3144043e106f5", AudioConfig("ac3", 8, 48000, 2, 1536), 768, 1536),
        ("0b7700005c40e1000000", AudioConfig("ac3", 8, 44100, 6, 1536), 1670, 1536),
        ("0b77017f3f8643ff", AudioConfig("eac3", 16, 48000, 6, 1536), 768, 1536),
        ("0b77417f1f86ffff", AudioConfig("eac3", 16, 48000, 6, 512), 768, 0),
        ("0b77003fe480ffff", AudioConfig("eac3", 16, 16000, 2, 1536), 128, 1536),
    ],
    ids=["stereo", "5.1 at 44.1 kHz", "E-AC-3", "dependent substream", "half rate"],
)
def test_ac3(header: str, config: AudioConfig, size: int, samples: int) -> None:
    frame = parse_ac3(bytes.fromhex(header))

    assert (frame.config, frame.size, frame.samples) == (config, size, samples)


def test_opus() -> None:
    head = b"OpusHead\x01\x06\x38\x01\x44\xac\0\0\0\0\x01" + bytes(8)

    assert parse_opus_head(head) == AudioConfig("opus", 1, 48000, 6)
    assert [opus_packet_samples(bytes([toc, 3])) for toc in (0x08, 0x7C, 0xFD, 0x80, 0xF8, 0xFB)] == [
        960,
        960,
        1920,
        120,
        960,
        2880,
    ]
    assert opus_packet_samples(b"") == 0


@pytest.mark.parametrize(
    ("parse", "wrong"),
    [
        (parse_audio_specific_config, "1f80"),
        (parse_audio_specific_config, "11"),
        (parse_audio_specific_config, "0000"),
        (parse_adts, "fff14c80000ffc"),
        (parse_adts, "fff17c801f9ffc"),
        (parse_adts, "fff54c801f9ffc"),
        (parse_mpeg_audio, "fffb0064"),
        (parse_mpeg_audio, "fffbf064"),
        (parse_mpeg_audio, "fffb9c64"),
        (parse_mpeg_audio, "ffeb9064"),
        (parse_mpeg_audio, "fff99064"),
        (parse_ac3, "0b770000e64040000000"),
        (parse_ac3, "0b77a2f3148843e1"),
        (parse_ac3, "0b770000ff80ffff"),
        (parse_opus_head, "4f70757348656164010038000000000000000000"),
        (opus_packet_samples, "1bff"),
        (opus_packet_samples, "03"),
    ],
)
def test_impossible_headers_are_refused(parse: object, wrong: str) -> None:
    with pytest.raises(FormatError):
        parse(bytes.fromhex(wrong))  # type: ignore[operator]
