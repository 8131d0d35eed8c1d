"""Whatever arrives, the header readers answer or raise FormatError, and never take long."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

from hypothesis import given, settings
from hypothesis import strategies as st

from ouzel.base.errors import FormatError
from ouzel.formats.codecs import (
    has_recovery_point,
    nals,
    obus,
    opus_packet_samples,
    parse_ac3,
    parse_adts,
    parse_audio_specific_config,
    parse_av1_sequence_header,
    parse_av1c,
    parse_avcc,
    parse_h264_sps,
    parse_hevc_sps,
    parse_hvcc,
    parse_mpeg_audio,
    parse_opus_head,
    unescape,
)

SEEDS: dict[Callable[[bytes], object], str] = {
    parse_h264_sps: "6764000dacd941419f9f01b5010202a500000303e90000ea600f142996",
    parse_hevc_sps: "4201010408000003009d0800000300007bb003c0801107c4b65959929385e096a020405c20000003002000000641",
    parse_av1_sequence_header: "0a0a20000003b50d936be508",
    parse_avcc: "0142c00bffe100186742c00bda0b378893011000000300100000030320f142aa01000468ce0fc8",
    parse_hvcc: "0101600000009000000000001ef000fcfdf8f800000f01210001002a42010101600000030090000003000003001ea0162061c4"
    "49965654a4c2f0168080000003008000000c84",
    parse_av1c: "81000c000a0a00000003b50d936be401",
    parse_audio_specific_config: "130856e59d4880",
    parse_adts: "fff14c801f9ffc",
    parse_mpeg_audio: "fffb9064",
    parse_ac3: "0b77a2f3144043e106f5",
    parse_opus_head: "4f70757348656164010238010000000000",
    opus_packet_samples: "7c02",
    has_recovery_point: "0605ff01060180",
    unescape: "000003000003000003",
    lambda data: list(nals(data)): "0000016700000168",
    lambda data: list(obus(data)): "12000a0a20000003b50d936be508",
}


@st.composite
def damaged(draw: st.DrawFn, seed: bytes) -> bytes:
    """A good header with a few bytes changed, cut or extended; or nothing but noise."""
    if draw(st.integers(0, 9)) == 0:
        return draw(st.binary(max_size=200))
    data = bytearray(seed)
    for _ in range(draw(st.integers(1, 4))):
        data[draw(st.integers(0, len(data) - 1))] = draw(st.integers(0, 255))
    end = draw(st.integers(0, len(data)))
    return bytes(data[:end] if draw(st.booleans()) else data) + draw(st.binary(max_size=8))


@settings(max_examples=400, deadline=None)
@given(st.data())
def test_damage_is_answered_or_refused(data: st.DataObject) -> None:
    parse = data.draw(st.sampled_from(list(SEEDS)))
    with contextlib.suppress(FormatError):
        parse(data.draw(damaged(bytes.fromhex(SEEDS[parse]))))


@settings(max_examples=100, deadline=None)
@given(st.lists(st.binary(min_size=1, max_size=30).map(lambda b: b.replace(b"\0", b"\1")), max_size=6))
def test_nal_units_come_back_as_they_were_joined(units: list[bytes]) -> None:
    stream = b"".join(b"\0\0\1" + unit for unit in units)

    assert [stream[a:b] for a, b in nals(stream)] == units
