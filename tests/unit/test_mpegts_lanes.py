"""What the first bytes of a unit tell of its track."""

from __future__ import annotations

import pytest
from tests.mpegts_source import HEVC_SPS_160, SPS_320, adts, noise, picture

from ouzel.base.errors import FormatError
from ouzel.formats.mpegts.lanes import (
    Found,
    FrameCounter,
    Lane,
    differ,
    is_unchanged,
    lanes_of,
    lead_of,
    looks_random,
    parse_ts_opus,
    sniff,
)
from ouzel.formats.mpegts.psi import Program, Stream
from ouzel.formats.shape import Track, TrackKind


def lane(codec: str, kind: TrackKind = "video", descriptors: bytes = b"") -> Lane:
    stream = Stream(0x100, 0, kind, codec, descriptors)
    return lanes_of(Program(1, 0x1000, 0x100, (stream,)), {})[0x100]


def test_a_parameter_set_is_found_wherever_it_ends() -> None:
    data = picture(1, key=True, sps=SPS_320, sei=500)
    end = data.index(SPS_320) + len(SPS_320)
    verdicts = [sniff(lane("h264"), data[:size], complete=False) for size in range(len(data))]
    first = next(n for n, verdict in enumerate(verdicts) if verdict != "more")
    assert first == end + 4  # the next start code shows that it is whole
    found = verdicts[first]
    assert isinstance(found, Found)
    assert (found.track.width, found.track.height) == (320, 180)
    assert isinstance(sniff(lane("h264"), data[:end], complete=True), Found)
    assert is_unchanged(Lane(lane("h264").stream, "video", found.track, known=True, raw=found.raw), data)


def test_a_picture_without_parameter_set_ends_the_search() -> None:
    assert sniff(lane("h264"), picture(1, key=False), complete=False) == "none"
    assert sniff(lane("h264"), b"\0\0\1\x67\x01" + b"\0\0\1\x65" + noise(1, 50), complete=False) == "none"


def test_hevc_and_mpeg2() -> None:
    data = b"\0\0\1\x40\x01\x0c" + b"\0\0\1" + HEVC_SPS_160 + b"\0\0\1\x26\x01" + noise(1, 50)
    found = sniff(lane("hevc"), data, complete=False)
    assert isinstance(found, Found)
    assert (found.track.width, found.track.height, found.track.config) == (160, 90, b"\1\1\x08")
    found = sniff(lane("mpeg2video"), b"\0\0\1\xb3\x0a\x00\x5a\x13" + noise(1, 50), complete=False)
    assert isinstance(found, Found)
    assert (found.track.width, found.track.height) == (160, 90)
    assert sniff(lane("mpeg2video"), b"\0\0\1\0" + noise(1, 50), complete=False) == "none"
    assert sniff(lane("mpeg2video"), b"\0\0\1\xb3\x0a", complete=False) == "more"


def test_a_frame_of_sound_is_believed_when_another_follows() -> None:
    track = lane("aac", "audio")
    two = adts(1) + adts(2)
    assert sniff(track, adts(1), complete=False) == "more"
    assert isinstance(sniff(track, adts(1), complete=True), Found)
    assert isinstance(sniff(track, two, complete=False), Found)
    assert isinstance(sniff(track, noise(1, 100) + two, complete=False), Found)
    assert sniff(track, adts(1) + noise(1, 100), complete=True) == "none"
    assert sniff(track, adts(1) + adts(2, rate=4) + noise(1, 50), complete=True) == "none"
    assert sniff(track, noise(1, 100), complete=True) == "none"


def test_random_access_without_an_indicator() -> None:
    assert looks_random("h264", picture(1, key=True))
    assert not looks_random("h264", picture(1, key=False))
    assert looks_random("h264", b"\0\0\1\x06\x06\x01\x84\x80" + b"\0\0\1\x41" + noise(1, 50))  # a recovery point
    assert looks_random("hevc", b"\0\0\1\x2a\x01" + noise(1, 50))  # CRA
    assert not looks_random("hevc", b"\0\0\1\x02\x01" + noise(1, 50))
    assert looks_random("mpeg2video", b"\0\0\1\xb3\x0a\x00\x5a\x13")
    assert not looks_random("av1", noise(1, 50))


def test_what_is_not_known_does_not_differ() -> None:
    known = Track(1, "video", "h264", width=160, height=90, config=b"\1\1\x08")
    assert not differ(known, Track(1, "video", "h264"))
    assert not differ(Track(1, "video", "h264"), known)
    assert differ(known, Track(1, "video", "hevc"))
    assert differ(known, Track(2, "video", "h264"))
    assert differ(known, Track(1, "video", "h264", width=160, height=92, config=b"\1\1\x08"))
    assert not differ(Track(1, "audio", "mp3"), Track(1, "audio", "mp2", sample_rate=48000, config=b"\2"))
    assert differ(Track(1, "audio", "mp3", config=b"\3"), Track(1, "audio", "mp2", config=b"\2"))


def test_the_first_picture_leads_else_the_first_sound() -> None:
    sound, picture_, data = (
        Stream(1, 0x0F, "audio", "aac"),
        Stream(2, 0x1B, "video", "h264"),
        Stream(3, 0x86, "other", "scte35"),
    )
    assert lead_of(Program(1, 0, 0, (data, sound, picture_))) == 2
    assert lead_of(Program(1, 0, 0, (data, sound))) == 1
    assert lead_of(Program(1, 0, 0, (data,))) == -1


def test_opus_tells_its_channels_and_its_packets_their_length() -> None:
    assert lane("opus", "audio", b"\x7f\x02\x80\x02").track.channels == 2
    packet = b"\xfc" + noise(1, 99)  # CELT, 20 ms, stereo, one frame
    header = b"\x7f\xe0\x64"
    frame = parse_ts_opus((header + packet)[:16])
    assert (frame.header_size, frame.size, frame.samples) == (3, 103, 960)
    trimmed = b"\x7f\xf8\x64" + (100).to_bytes(2, "big") + (60).to_bytes(2, "big") + packet
    frame = parse_ts_opus(trimmed[:16])
    assert (frame.header_size, frame.samples) == (7, 800)
    long = b"\x7f\xe0\xff\xff\x05" + b"\xfc" + noise(1, 514)
    assert parse_ts_opus(long[:16]).size == 5 + 515
    for bad in (b"\x7f\xe0", b"\x7f\x00" + bytes(20), b"\xff" * 16):
        with pytest.raises(FormatError):
            parse_ts_opus(bad)
    counter = FrameCounter("opus")
    counter.add(header + packet + b"\x7f\xe0\x01\xfc")
    assert counter.close() == (2, pytest.approx(0.04))


@pytest.mark.parametrize("cut", [1, 5, 60, 67, 100, 133])
def test_frames_that_straddle_units_are_counted_once(cut: int) -> None:
    data = adts(1) + adts(2) + adts(3)
    counter = FrameCounter("aac")
    counter.add(data[:cut])
    first, first_s = counter.close()
    counter.add(data[cut:])
    copy = counter.copy()
    second, second_s = counter.close()
    assert first + second == 3
    assert first_s + second_s == pytest.approx(3 * 1024 / 48000)
    assert copy.close() == (second, second_s)


def test_garbage_between_frames_is_passed_over() -> None:
    counter = FrameCounter("aac")
    counter.add(noise(1, 30) + adts(1) + noise(2, 9) + adts(2))
    assert counter.close()[0] == 2
