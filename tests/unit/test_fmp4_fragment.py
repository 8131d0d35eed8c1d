"""Reading and writing a moof on its own."""

from __future__ import annotations

import struct
from collections.abc import Callable

import pytest
from tests.fmp4_source import NOT_SYNC, SYNC, Read, Source, Writer, box, boxes, child, fragment, init, read_file

from ouzel.base.errors import FormatError
from ouzel.formats.fmp4.fragment import build_moof, parse_moof
from ouzel.formats.fmp4.moov import Trex

TREX = {1: Trex(1, 100, 7, NOT_SYNC)}
DATA = bytes(range(1, 101))


def run(flags: int, count: int, *fields: int, version: int = 1) -> bytes:
    return box("trun", struct.pack(f">II{len(fields)}i", version << 24 | flags, count, *fields))


def moof(*truns: bytes, tfhd: bytes = struct.pack(">II", 0x20000, 1), more: bytes = b"") -> bytes:
    tfdt = box("tfdt", struct.pack(">IQ", 1 << 24, 5000))
    return box("moof", box("mfhd", bytes(8)), box("traf", box("tfhd", tfhd), tfdt, *truns, more))


def rewritten(data: bytes, *, trim: int = 0) -> list[Read]:
    """The samples of a fragment after it was read and written again."""
    found = parse_moof(data, TREX)
    start = found.trafs[0].trim(trim) if trim else 0
    built = build_moof(found, 1, [start], {1: 1})
    head = init([Source(1, "vide", 1000, trex=(1, 100, 7, NOT_SYNC))])
    return read_file(head + built + box("mdat", DATA)).tracks[1]


def with_offset(make: Callable[[int], bytes], *, extra: int = 0) -> bytes:
    """A moof whose run tells where its data are."""
    return make(len(make(0)) + 8 + extra)


def test_defaults_come_from_the_track_and_from_the_fragment() -> None:
    plain = with_offset(lambda at: moof(run(1, 2, at)))
    assert rewritten(plain) == [Read(0, 0, 100, False, DATA[:7]), Read(100, 0, 100, False, DATA[7:14])]

    tfhd = struct.pack(">IIIIII", 0x2003A, 1, 1, 40, 5, SYNC)
    own = with_offset(lambda at: moof(run(1, 2, at), tfhd=tfhd))
    assert rewritten(own) == [Read(0, 0, 40, True, DATA[:5]), Read(40, 0, 40, True, DATA[5:10])]


def test_fields_of_the_samples() -> None:
    data = with_offset(lambda at: moof(run(0xF01, 2, at, 10, 3, SYNC, -5, 20, 4, NOT_SYNC, 9)))

    assert rewritten(data) == [Read(0, -5, 10, True, DATA[:3]), Read(10, 9, 20, False, DATA[3:7])]
    found = parse_moof(data, TREX).trafs[0]
    assert (found.duration, found.samples, found.runs[0].first_cts, found.runs[0].last_duration) == (30, 2, -5, 20)
    assert found.runs[0].first_is_sync


def test_offsets_of_composition_without_a_sign() -> None:
    data = with_offset(lambda at: moof(run(0x801, 1, at, -5, version=0)))

    assert parse_moof(data, TREX).trafs[0].runs[0].first_cts == (1 << 32) - 5


def test_flags_of_the_first_sample_are_its_own() -> None:
    data = with_offset(lambda at: moof(run(5, 3, at, SYNC)))

    assert [read.sync for read in rewritten(data)] == [True, False, False]
    assert [read.sync for read in rewritten(data, trim=1)] == [False, False]


def test_trimming_moves_on_to_the_next_run() -> None:
    data = with_offset(lambda at: moof(run(1, 3, at), run(0, 3)))

    assert [(read.dts, read.data) for read in rewritten(data, trim=301)] == [(400, DATA[28:35]), (500, DATA[35:42])]
    assert parse_moof(data, TREX).trafs[0].trim(100) == 100
    assert parse_moof(data, TREX).trafs[0].trim(601) == 600


def test_boxes_that_speak_of_samples_go_with_them() -> None:
    groups = box("sbgp", bytes(8))
    data = with_offset(lambda at: moof(run(1, 3, at), more=groups + box("saio", bytes(8)) + box("senc", bytes(8))))
    found = parse_moof(data, TREX)

    assert found.trafs[0].extras == [groups]
    kept = child(build_moof(found, 1, [0], {1: 1}), "moof", "traf")
    assert [name for name, *_ in boxes(kept)] == ["tfhd", "tfdt", "trun", "sbgp"]
    found.trafs[0].trim(1)
    assert found.trafs[0].extras == []


def test_ids_sequence_and_time_are_written() -> None:
    whole = fragment([Writer(Source(1, "vide", 1000)).part(1, 10)])
    found = parse_moof(whole[: int.from_bytes(whole[:4], "big")], TREX)
    built = child(build_moof(found, 5, [1 << 40], {1: 9}), "moof")

    assert child(built, "mfhd") == struct.pack(">II", 0, 5)
    assert child(built, "traf", "tfhd")[4:8] == struct.pack(">I", 9)
    assert child(built, "traf", "tfdt") == struct.pack(">IQ", 1 << 24, 1 << 40)


@pytest.mark.parametrize(
    "data",
    [
        with_offset(lambda at: moof(run(1, 1, at)), extra=-1),  # its data overlap the header of the mdat
        with_offset(lambda at: moof(run(1, 1, at)), extra=1 << 30),
        with_offset(lambda at: moof(run(0x101, 1, at, 10)))[:-4] + b"\0\0",  # leaves its container
        moof(run(0x701, 3, 200)),  # fewer fields than samples
        moof(box("trun", bytes(3))),
        moof(tfhd=b"\0\2\0\0"),
        box("moof", box("traf")),
        moof(run(0x101, 1 << 10, 9999, *[2**31 - 1] * (1 << 10))),  # 70 years
    ],
)
def test_unusable_fragments_are_refused(data: bytes) -> None:
    with pytest.raises(FormatError):
        parse_moof(data, TREX)
