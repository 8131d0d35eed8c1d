"""The parts of the live origin that are arithmetic: marks, frame numbers, time lines, patterns, boxes, stamps."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ouzel.testing import boxes, markers, picture
from ouzel.testing.boxes import Run, Sample
from ouzel.testing.clips import Clip, make_clip
from ouzel.testing.origin import Aes, Hls
from ouzel.testing.origin.faults import matches
from ouzel.testing.origin.server import Request, Response, apply_range, parse_request
from ouzel.testing.origin.timeline import Timeline
from ouzel.testing.origin.ts import get_stamp, put_stamp

CLIP = Clip(Path("none"), 8, 160, 90, 25, 50, "h264", 48_000, None, "ffmpeg")
OTHER = replace(CLIP, seconds=4, width=320)


# ---- marks


def test_marks_are_read_in_order_and_blank_ones_are_none() -> None:
    packets = [markers.blank_packet()]
    for name, number in (("show", 0), ("a.b-c_d", 123), ("x" * 20, 999_999_999_999)):
        packets.append(markers.blank_packet().replace(markers.BLANK, markers.mark_text(name, number)))

    assert {len(packet) for packet in packets} == {188}
    assert markers.read_markers(b"".join(packets), "ts") == [
        ("show", 0),
        ("a.b-c_d", 123),
        ("x" * 20, 999_999_999_999),
    ]
    assert markers.read_markers(b"".join(packets), "mp4") == []


@pytest.mark.parametrize("codec", ["h264", "hevc"])
def test_the_message_in_the_picture_is_read_from_any_container(codec: markers.Codec) -> None:
    nal = markers.blank_sei(codec).replace(markers.BLANK, markers.mark_text("show", 7))

    assert b"\0\0" not in nal  # so that it needs no emulation prevention
    for container in ("flv", "mp4", "mkv"):
        assert markers.read_markers(b"xx" + nal + b"yy", container) == [("show", 7)]  # type: ignore[arg-type]
    assert markers.read_markers(nal, "ts") == []


@pytest.mark.parametrize(("name", "number"), [("", 1), ("x" * 21, 1), ("a b", 1), ("ü", 1), ("a", -1), ("a", 10**12)])
def test_what_does_not_fit_a_mark_is_refused(name: str, number: int) -> None:
    with pytest.raises(ValueError, match=r"channel name|digits"):
        markers.mark_text(name, number)


# ---- the picture


def cells(number: int, white: int = 235, black: int = 16) -> bytearray:
    bits = [bool(number >> place & 1) for place in reversed(range(16))]
    parity = sum(bits) % 2 == 1
    return bytearray(white if bit else black for bit in [True, False, *bits, parity, not parity])


@given(st.integers(0, 65_535))
@settings(max_examples=50)
def test_a_frame_number_survives_any_brightness_and_one_wrong_cell_is_noticed(number: int) -> None:
    assert picture.read_cells(bytes(cells(number, 140, 110))) == number
    for place in range(20):
        wrong = cells(number)
        wrong[place] = 255 - wrong[place]
        assert picture.read_cells(bytes(wrong)) == picture.UNREADABLE


def test_breaks_tell_where_numbers_do_not_rise_by_one() -> None:
    assert picture.breaks([198, 199, 0, 1], frames=200) == []
    assert picture.breaks([5, 6, 8, 8, -1, 10], frames=200) == [(2, 6, 8), (3, 8, 8), (4, 8, -1), (5, -1, 10)]
    assert picture.breaks([], frames=200) == []


# ---- the time line


def test_stamps_rise_by_one_group_for_ever() -> None:
    line = Timeline(CLIP, zero_s=10)
    shown = []
    for number in (0, 1, 3, 4, 5, 1_000_000):
        index, base = line.at(number).place()
        shown.append((index, base + index * CLIP.gop_90k))

    assert shown == [(n % 4, 900_000 + n * 180_000) for n in (0, 1, 3, 4, 5, 1_000_000)]
    assert line.number_at(180_000 * 7) == 7
    assert line.number_at(180_000 * 7 - 1) == 6
    assert line.number_at(-1) == -1


def test_a_change_of_clip_continues_the_stamps_and_begins_the_clip() -> None:
    line = Timeline(CLIP, zero_s=10)
    line.change_clip(5, OTHER, discontinuity=True)
    slot = line.at(6)

    assert (slot.stretch.clip, slot.stretch.init, slot.discontinuity) == (OTHER, 1, False)
    assert slot.place() == (1, 900_000 + 5 * 180_000)
    assert line.at(5).discontinuity
    assert list(line.breaks()) == [5]
    assert line.at(7).start_90k == 7 * 180_000


def test_jumps_and_restarts_change_stamps_and_nothing_else() -> None:
    line = Timeline(CLIP, zero_s=10)
    line.shift_stamps(2, 90_000 * 60, discontinuity=False)
    line.restart_stamps(6, zero_s=2, discontinuity=True)
    line.new_init(6)
    stamps = [(slot.place()[0], sum_stamp(line, slot.number)) for slot in map(line.at, (1, 2, 5, 6, 9))]

    assert stamps == [
        (1, 1_080_000),
        (2, 1_260_000 + 5_400_000),
        (1, 1_800_000 + 5_400_000),
        (2, 180_000),
        (1, 720_000),
    ]
    assert [line.at(n).stretch.init for n in (5, 6)] == [0, 1]
    assert line.at(6).discontinuity
    assert [line.at(n).start_90k for n in (5, 6, 9)] == [5 * 180_000, 6 * 180_000, 9 * 180_000]


def sum_stamp(line: Timeline, number: int) -> int:
    index, base = line.at(number).place()
    return base + index * CLIP.gop_90k


def test_what_is_settled_cannot_be_changed() -> None:
    line = Timeline(CLIP, zero_s=10)
    line.new_init(5)
    with pytest.raises(ValueError, match="settled"):
        line.new_init(4)
    with pytest.raises(ValueError, match="below 1 s"):
        line.shift_stamps(6, -90_000 * 60, discontinuity=False)
    with pytest.raises(ValueError, match="1 s or later"):
        Timeline(CLIP, zero_s=0.5)


# ---- bytes


@given(st.integers(-(1 << 34), 1 << 34), st.sampled_from([0x21, 0x31, 0x11]))
@settings(max_examples=50)
def test_a_stamp_keeps_its_33_bits_and_its_marker_bits(ticks: int, head: int) -> None:
    field = bytearray([head, 0, 1, 0, 1])
    put_stamp(field, 0, ticks)

    assert get_stamp(field, 0) == ticks % (1 << 33)
    assert field[0] >> 4 == head >> 4
    assert field[0] & field[2] & field[4] & 1


def test_samples_come_out_of_a_fragment_as_they_went_in() -> None:
    video = [Sample(0, 1024, True, b"key"), Sample(512, 2048, False, b"p"), Sample(1024, 0, False, b"b" * 9)]
    fragment = boxes.build_fragment([Run(1, video, 1536)])

    assert boxes.read_samples(fragment.data) == video
    (track, at, value) = fragment.times_at[0]
    assert (track, fragment.data[at : at + 8], value) == (1, bytes(8), 0)
    kinds = [kind for kind, _, _ in boxes.walk(fragment.data)]
    assert kinds == [b"moof", b"mfhd", b"traf", b"tfhd", b"tfdt", b"trun", b"mdat"]


def test_a_box_that_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="does not fit"):
        list(boxes.walk(b"\0\0\1\0moov"))


# ---- requests


@pytest.mark.parametrize(
    ("pattern", "path", "meant"),
    [
        ("seg3.ts", "/live/show/seg3.ts", True),
        ("seg3.ts", "/live/show/seg13.ts", False),
        ("seg*.ts", "/live/show/en/seg13.ts", True),
        ("show/seg3.ts", "/live/show/seg3.ts", True),
        ("/live/show/*", "/live/show/seg3.ts", True),
        ("how/seg3.ts", "/live/show/seg3.ts", False),
        ("*", "/", True),
    ],
)
def test_patterns(pattern: str, path: str, meant: bool) -> None:
    assert matches(pattern, path) is meant


def test_a_request_is_taken_apart() -> None:
    request = parse_request(b"GET /a%20b/c.ts?x=1&y= HTTP/1.1\r\nHost: h\r\nX-A:  b: c \r\n\r\n", at=1.5)

    assert (request.method, request.path, dict(request.query)) == ("GET", "/a b/c.ts", {"x": "1"})
    assert request.headers == {"host": "h", "x-a": "b: c"}
    with pytest.raises(ConnectionError):
        parse_request(b"nonsense\r\n\r\n", at=0)


@pytest.mark.parametrize("asked", ["", "bytes=-3", "bytes=1-2,4-5", "lines=1-2"])
def test_a_range_that_is_not_served_gives_the_whole(asked: str) -> None:
    response = Response(200, {}, b"0123456789")
    apply_range(Request("GET", "/", {}, {"range": asked}, 0), response)
    assert (response.status, response.body) == (200, b"0123456789")


# ---- what does not fit together


@pytest.mark.parametrize(
    ("parameters", "reason"),
    [
        ({"seconds": 3}, "whole number of groups"),
        ({"seconds": 8, "size": "158x90"}, "160x90"),
        ({"seconds": 8, "size": "161x91"}, "even"),
        ({"seconds": 8, "gop_s": 0.03}, "whole number of frames"),
        ({"seconds": 3, "gop_s": 1}, "AAC frames"),
    ],
)
def test_clips_that_cannot_be(tmp_path: Path, parameters: dict[str, object], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        make_clip(tmp_path, **parameters)  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []


def test_offers_that_cannot_be() -> None:
    with pytest.raises(ValueError, match="encrypted"):
        Hls(aes=Aes(), byte_ranges=True)
    with pytest.raises(ValueError, match="parts"):
        Hls(part_s=0.5, gops_per_segment=2)
    with pytest.raises(ValueError, match="explicit IV"):
        Aes(encrypted_map=True, explicit_iv=False)
