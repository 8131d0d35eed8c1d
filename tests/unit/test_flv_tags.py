"""The parts of FLV that need no stream: tags, AMF, the first bytes of packets, heads and their index, the search, conversion."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.flv_source import AVCC, opening, picture, shaped, sound

from ouzel.base.errors import FormatError, TooLarge
from ouzel.formats.flv import amf, finish, modernise
from ouzel.formats.flv.head import Setup, build_head
from ouzel.formats.flv.packets import plain_codes, read_packet
from ouzel.formats.flv.search import TagSearch
from ouzel.formats.flv.tags import AUDIO, SCRIPT, VIDEO, read_tags, render_file_header, render_tag

# -- tags ----------------------------------------------------------------------------------------------------------------


@given(st.sampled_from([8, 9, 18]), st.integers(0, 2**32 - 1), st.binary(max_size=300))
@settings(max_examples=50)
def test_a_tag_reads_as_it_was_written(kind: int, stamp: int, body: bytes) -> None:
    (tag,) = read_tags(render_tag(kind, stamp, body))
    assert (tag.kind, tag.stamp, bytes(tag.body), tag.offset) == (kind, stamp, body, 0)


def test_a_tag_as_the_specification_writes_it() -> None:
    assert render_tag(9, 0x12345678, b"\x27").hex() == "09000001" + "34567812" + "000000" + "27" + "0000000c"
    assert render_file_header(video=True, audio=True).hex() == "464c56010500000009" + "00000000"


def test_what_is_no_tag_is_refused() -> None:
    with pytest.raises(FormatError):
        list(read_tags(b"\x07" * 20))
    with pytest.raises(TooLarge):
        render_tag(9, 0, bytes(1 << 24))
    assert list(read_tags(render_tag(9, 0, b"abc")[:-1])) == []


# -- AMF -----------------------------------------------------------------------------------------------------------------

amf_values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.floats(allow_nan=False), st.text(max_size=40)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=5), st.dictionaries(st.text(min_size=1, max_size=10), inner, max_size=5)
    ),
    max_leaves=20,
)


@given(st.lists(amf_values, max_size=4))
@settings(max_examples=60)
def test_amf_reads_as_it_was_written(values: list[amf.AmfValue]) -> None:
    assert amf.parse(amf.render(*values)) == values


@given(st.binary(max_size=200))
@settings(max_examples=200)
def test_amf_of_random_bytes_is_refused_or_read(data: bytes) -> None:
    try:
        amf.parse(data)
    except FormatError:
        pass
    amf.parse_metadata(data)
    amf.parse_metadata(amf.render("onMetaData") + data)


def test_amf_limits() -> None:
    with pytest.raises(TooLarge):
        amf.parse(b"\x0a\0\0\0\1" * 40)
    with pytest.raises(FormatError):
        amf.parse(b"\x0a\xff\xff\xff\xff\5")
    with pytest.raises(FormatError):
        amf.parse(b"\x0c\x7f\xff\xff\xffabc")


def test_amf_types_that_are_only_read() -> None:
    date = b"\x0b" + bytes.fromhex("4059000000000000") + b"\0\0"
    typed = b"\x10\0\4Name" + b"\0\1a\2\0\1b" + b"\0\0\x09"
    assert amf.parse(date + typed + b"\x06\x0d\x07\0\1" + b"\x0f\0\0\0\4<a/>") == [
        100.0,
        {"a": "b"},
        None,
        None,
        None,
        "<a/>",
    ]


def test_metadata_is_found_behind_a_wrapper_and_read_up_to_damage() -> None:
    fields = {"width": 640.0, "encoder": "x"}
    body = amf.render("@setDataFrame", "onMetaData") + amf.render_ecma_array(fields)
    assert amf.parse_metadata(body) == fields
    assert amf.parse_metadata(body[:-12]) == {"width": 640.0}
    assert amf.parse_metadata(amf.render("onMetaData", fields)) == fields
    assert amf.parse_metadata(amf.render("onCuePoint", fields)) is None
    assert amf.parse_metadata(amf.render("onMetaData", 5.0)) == {}


# -- packets -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "body", "expected"),
    [
        (VIDEO, "1700000000", ("config", "h264", True, 0, VIDEO)),
        (VIDEO, "1701000028", ("frame", "h264", True, 40, VIDEO)),
        (VIDEO, "2701ffffd8", ("frame", "h264", False, -40, VIDEO)),
        (VIDEO, "1702000000", ("end", "h264", True, 0, VIDEO)),
        (VIDEO, "4c01000000", ("frame", "hevc", True, 0, VIDEO)),
        (VIDEO, "5700", ("side", "", False, 0, 0)),
        (VIDEO, "1709000000", ("side", "h264", False, 0, 0)),
        (VIDEO, "17", ("side", "h264", False, 0, 0)),
        (VIDEO, "90" + b"hvc1".hex(), ("config", "hevc", True, 0, VIDEO)),
        (VIDEO, "a1" + b"hvc1".hex() + "000050", ("frame", "hevc", False, 80, VIDEO)),
        (VIDEO, "a1" + b"av01".hex() + "000050", ("frame", "av1", False, 0, VIDEO)),
        (VIDEO, "93" + b"hvc1".hex(), ("frame", "hevc", True, 0, VIDEO)),
        (VIDEO, "92" + b"av01".hex(), ("end", "av1", True, 0, VIDEO)),
        (VIDEO, "94" + b"hvc1".hex(), ("side", "", False, 0, 0)),
        (VIDEO, "97" + "01aabb01" + b"avc1".hex() + "000007", ("frame", "h264", True, 7, VIDEO)),
        (VIDEO, "97ff", ("side", "", False, 0, 0)),
        (VIDEO, "a603" + b"avc1".hex() + "02", ("frame", "h264", False, 0, VIDEO | 2 << 8)),
        (VIDEO, "9610" + b"hvc1".hex() + "00000010", ("config", "hevc", True, 0, VIDEO)),
        (VIDEO, "a1" + b"xyz9".hex(), ("frame", "xyz9", False, 0, VIDEO)),
        (AUDIO, "af001210", ("config", "aac", True, 0, AUDIO)),
        (AUDIO, "af0121", ("frame", "aac", True, 0, AUDIO)),
        (AUDIO, "2f", ("frame", "mp3", True, 0, AUDIO)),
        (AUDIO, "90" + b"Opus".hex(), ("config", "opus", True, 0, AUDIO)),
        (AUDIO, "91" + b"ec-3".hex(), ("frame", "eac3", True, 0, AUDIO)),
        (AUDIO, "94" + b"Opus".hex(), ("side", "opus", True, 0, 0)),
        (AUDIO, "9501" + b"mp4a".hex() + "01", ("side", "aac", True, 0, AUDIO | 1 << 8)),
    ],
)
def test_packets(kind: int, body: str, expected: tuple[str, str, bool, int, int]) -> None:
    packet = read_packet(kind, bytes.fromhex(body))
    role, codec, key, cts, lane = expected
    role = "side" if lane >> 8 else role
    assert (packet.role, packet.codec, packet.key, packet.cts, packet.lane) == (role, codec, key, cts, lane)


@given(st.sampled_from([AUDIO, VIDEO]), st.binary(min_size=1, max_size=40))
@settings(max_examples=200)
def test_any_bytes_are_some_packet(kind: int, body: bytes) -> None:
    packet = read_packet(kind, body)
    assert packet.kind == kind


@given(st.sampled_from([AUDIO, VIDEO]), st.binary(min_size=8, max_size=40))
@settings(max_examples=300)
def test_plain_codes_are_only_of_frames_that_are_no_key_frames(kind: int, body: bytes) -> None:
    packet = read_packet(kind, body)
    if packet.role != "side" and body[0] << 8 | body[1] in plain_codes(kind, packet.code):
        assert packet.role == "frame"
        assert packet.lane == kind
        assert kind == AUDIO or not packet.key


# -- heads and their index -------------------------------------------------------------------------------------------------


def setups() -> dict[int, Setup]:
    body = b"\x17\0\0\0\0" + AVCC
    return {VIDEO: Setup.of(read_packet(VIDEO, body), body)}


def test_useful_fields_of_the_source_are_kept() -> None:
    given: dict[str, amf.AmfValue] = {
        "encoder": "OBS",
        "framerate": 30.0,
        "width": 1.0,
        "duration": 99.0,
        "keyframes": {"times": [1.0]},
        "odd": math.inf,
        "": 3.0,
        "long": "x" * 5000,
    }
    head = build_head(setups(), given)
    tag = next(read_tags(head.data, 13))
    fields = amf.parse_metadata(tag.body)
    assert fields is not None
    assert (fields["encoder"], fields["framerate"]) == ("OBS", 30.0)
    assert (fields["width"], fields["height"]) == (162.0, 90.0)
    assert (fields["duration"], fields["filesize"]) == (0.0, 0.0)
    assert "keyframes" not in fields
    assert (fields["hasVideo"], fields["hasAudio"]) == (True, False)
    assert fields["long"] == "x" * 256
    assert not {"odd", ""} & fields.keys()


def test_the_preamble_is_small() -> None:
    head = build_head(setups(), {"encoder": "OBS"})
    assert len(head.data) > 119_000
    assert len(head.preamble) < 700
    assert [tag.kind for tag in read_tags(head.preamble, 13)] == [SCRIPT, VIDEO]


@pytest.mark.parametrize("count", [0, 1, 2, 7, 10])
def test_finish_fills_the_room_in_place(count: int) -> None:
    head = build_head(setups(), {"encoder": "OBS"}, index_room=10).data
    keys = [(2.0 * n, 1000 + 500 * n) for n in range(count)]
    ((at, data),) = finish(head, keys, duration_s=20.5, size=9_999)
    patched = head[:at] + data + head[at + len(data) :]
    assert len(patched) == len(head)
    tags = list(read_tags(patched, 13))
    assert [tag.kind for tag in tags] == [SCRIPT, VIDEO]
    fields = amf.parse_metadata(tags[0].body)
    assert fields is not None
    assert amf.parse(tags[0].body)[0] == "onMetaData"
    index = {"times": [k[0] for k in keys], "filepositions": [float(k[1]) for k in keys]}
    assert fields.get("keyframes") == (index if count > 1 else None), "one key frame makes no index"
    assert (fields["duration"], fields["filesize"], fields["encoder"]) == (20.5, 9999.0, "OBS")
    assert fields["lastkeyframelocation"] == (keys[-1][1] if keys else 0)
    assert fields["hasKeyframes"] is fields["canSeekToEnd"] is (count > 1)
    ((_, again),) = finish(patched, keys, duration_s=20.5, size=9_999)
    assert again == data


def test_an_index_without_room_for_all_spans_the_whole_file() -> None:
    head = build_head(setups(), {}, index_room=10).data
    keys = [(0.5 * n, 1000 + n) for n in range(400)]
    ((_, data),) = finish(head, keys, duration_s=200, size=9_999)
    fields = amf.parse_metadata(data)
    assert fields is not None
    index = fields["keyframes"]
    assert isinstance(index, dict)
    times = index["times"]
    assert isinstance(times, list)
    assert 5 <= len(times) <= 10
    assert times[0] == 0
    assert isinstance(times[-1], float)
    assert times[-1] > 170


def test_room_for_a_single_key_frame_is_room_for_none() -> None:
    head = build_head(setups(), {}, index_room=1).data
    ((_, data),) = finish(head, [(2.0 * n, 1000 + n) for n in range(9)], duration_s=18, size=9_999)
    fields = amf.parse_metadata(data)
    assert fields is not None
    assert "keyframes" not in fields


def test_finish_leaves_the_files_of_others_alone() -> None:
    assert finish(opening() + picture(0, key=True), [], duration_s=1, size=1) == []
    assert finish(b"", [], duration_s=1, size=1) == []
    assert finish(build_head(setups(), {}, index_room=0).data[:40], [], duration_s=1, size=1) == []


def test_a_file_of_ours_is_read_back_as_it_was_written() -> None:
    first = shaped(opening() + picture(0, key=True) + sound(0) + picture(40, key=False)).file
    again = shaped(first.head.data + first.media).file
    assert again.head == first.head
    assert again.media == first.media


# -- the search ----------------------------------------------------------------------------------------------------------


@given(st.binary(max_size=300), st.integers(1, 40))
@settings(max_examples=60)
def test_the_next_tag_is_found_behind_anything(noise: bytes, piece: int) -> None:
    tag = picture(0, key=True, body=b"found")
    data = bytes(4) + noise + tag
    search, found = TagSearch(10_000), None
    for at in range(0, len(data), piece):
        found = search.feed(memoryview(data[at : at + piece]))
        if found is not None:
            break
    assert found is not None
    assert bytes(found[4:]) == tag[: len(found) - 4] or noise.find(bytes(found[4:12])) >= 0
    assert search.skipped == len(noise) or noise.find(bytes(found[4:12])) >= 0


def test_a_header_whose_size_does_not_stand_behind_it_is_passed() -> None:
    fake = b"\x09\0\0\x20" + bytes(7) + b"\x17"
    search = TagSearch(10_000)
    assert search.feed(memoryview(bytes(4) + fake + sound(0)[:-1])) is None
    found = search.feed(memoryview(sound(0)[-1:] + sound(23)))
    assert found is not None
    assert bytes(found[4:]) == sound(0) + sound(23)
    assert search.skipped == len(fake)


# -- conversion ----------------------------------------------------------------------------------------------------------


def test_modernise_rewrites_the_codec_ids() -> None:
    video = {
        b"\x1c\0\0\0\0record": b"\x90hvc1record",
        b"\x1c\1\0\0\x28key": b"\x91hvc1\0\0\x28key",
        b"\x2c\1\0\0\0inter": b"\xa3hvc1inter",
        b"\x1d\1\0\0\0av1": b"\x91av01av1",
        b"\x1c\2\0\0\0": b"\x92hvc1",
        b"\x17\1\0\0\0avc": b"\x17\1\0\0\0avc",
        b"\x91hvc1\0\0\0new": b"\x91hvc1\0\0\0new",
    }
    fields: dict[str, amf.AmfValue] = {"videocodecid": 12.0, "keyframes": {}, "encoder": "x"}
    script = amf.render("onMetaData") + amf.render_ecma_array(fields)
    header = render_file_header(video=True, audio=True)
    data = header + render_tag(SCRIPT, 0, script) + sound(5)
    data += b"".join(render_tag(VIDEO, 0x1234567 + n, body) for n, body in enumerate(video))
    for piece in (1, 13, 1000):
        out = b"".join(modernise(data[at : at + piece] for at in range(0, len(data), piece)))
        assert out.startswith(header)
        tags = list(read_tags(out, 13))
        assert amf.parse_metadata(tags[0].body) == {"videocodecid": float(0x68766331), "encoder": "x"}
        assert bytes(tags[1].body) == b"\xaf\1sound"
        assert [bytes(tag.body) for tag in tags[2:]] == list(video.values())
        assert [tag.stamp for tag in tags[2:]] == [0x1234567 + n for n in range(len(video))]
        assert 13 + sum(tag.size for tag in tags) == len(out)


def test_modernise_refuses_what_is_no_flv() -> None:
    with pytest.raises(FormatError):
        list(modernise([b"GIF89a and more"]))
    with pytest.raises(FormatError):
        list(modernise([opening() + b"garbage" * 9]))
    assert b"".join(modernise([opening() + sound(0)[:-3]])) == opening()
