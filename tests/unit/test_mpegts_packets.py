"""Packets, PES headers and tables: what is rendered is what is read, and what is patched is only that."""

from __future__ import annotations

import pytest

from ouzel.formats.mpegts.packets import (
    NULL_PACKET,
    NULL_PID,
    SIZE,
    SYNC,
    WRAP,
    counter_of,
    crc32_mpeg,
    has_payload,
    is_discontinuity,
    is_random_access,
    payload_at,
    pcr_of,
    pid_of,
    read_pes,
    read_stamp,
    render_packet,
    render_pat,
    render_pes,
    render_pmt,
    set_counter,
    set_pcr,
    set_pid,
    set_random_access,
    shift_pcr,
    shift_pes,
    starts_unit,
    write_stamp,
)


def test_the_header_is_read_and_patched_field_by_field() -> None:
    packet = bytearray(render_packet(0x1ABC, 9, b"x" * 184, start=True))
    assert len(packet) == SIZE
    assert packet[0] == SYNC
    assert (pid_of(packet), counter_of(packet), starts_unit(packet), has_payload(packet)) == (0x1ABC, 9, True, True)
    assert payload_at(packet) == 4
    set_pid(packet, 0, 0x0101)
    set_counter(packet, 0, 15)
    assert (pid_of(packet), counter_of(packet), starts_unit(packet)) == (0x0101, 15, True)
    assert packet[4:] == b"x" * 184


@pytest.mark.parametrize("size", range(185))
def test_any_payload_that_fits_is_stuffed_to_a_packet(size: int) -> None:
    packet = render_packet(5, 3, b"y" * size)
    assert len(packet) == SIZE
    assert packet[payload_at(packet) :] == b"y" * size
    assert has_payload(packet) == (size > 0)
    assert pcr_of(packet) is None


@pytest.mark.parametrize(("size", "pcr"), [(185, None), (177, 5), (184, 5)])
def test_a_payload_that_does_not_fit_is_refused(size: int, pcr: int | None) -> None:
    with pytest.raises(ValueError, match="does not fit"):
        render_packet(5, 3, b"y" * size, pcr=pcr)


def test_flags_of_the_adaptation_field() -> None:
    packet = bytearray(render_packet(5, 3, b"y", random_access=True, discontinuity=True, pcr=12345))
    assert is_random_access(packet)
    assert is_discontinuity(packet)
    assert pcr_of(packet) == 12345
    set_random_access(packet, 0, False)
    assert not is_random_access(packet)
    assert is_discontinuity(packet)
    with pytest.raises(ValueError, match="adaptation"):
        set_random_access(bytearray(render_packet(5, 3, b"y" * 184)), 0, True)


def test_the_clock_keeps_its_extension_when_it_moves_and_wraps() -> None:
    packet = bytearray(render_packet(5, 3, pcr=(WRAP - 1) * 300 + 299))
    shift_pcr(packet, 0, 3)
    assert pcr_of(packet) == 2 * 300 + 299
    set_pcr(packet, 0, -300)
    assert pcr_of(packet) == (WRAP - 1) * 300
    before = bytearray(render_packet(5, 3, b"y"))
    after = bytearray(before)
    shift_pcr(after, 0, 3)
    assert after == before


@pytest.mark.parametrize("ticks", [0, 1, 0x1_5555_5555, 0x0_AAAA_AAAA, WRAP - 1])
def test_a_stamp_is_read_as_it_was_written(ticks: int) -> None:
    buf = bytearray(b"\x31....")
    write_stamp(buf, 0, ticks)
    assert read_stamp(buf, 0) == ticks
    assert buf[0] & 0xF1 == 0x31
    assert buf[2] & 1
    assert buf[4] & 1


def test_a_stamp_is_taken_modulo_its_range() -> None:
    buf = bytearray(5)
    write_stamp(buf, 0, WRAP + 7)
    assert read_stamp(buf, 0) == 7
    write_stamp(buf, 0, -1)
    assert read_stamp(buf, 0) == WRAP - 1


@pytest.mark.parametrize("size", [0, 1, 150, 163, 164, 165, 170, 348, 349, 5000, 70000])
@pytest.mark.parametrize("pcr", [None, 777])
def test_a_unit_becomes_whole_packets(size: int, pcr: int | None) -> None:
    data = bytes(n % 251 for n in range(size))
    packets = render_pes(0x100, 0xE0, data, pts=9000, dts=4500, counter=14, random_access=True, pcr=pcr)
    assert len(packets) % SIZE == 0
    assert [counter_of(packets, at) for at in range(0, len(packets), SIZE)] == [
        (14 + n) % 16 for n in range(len(packets) // SIZE)
    ]
    pes = read_pes(packets)
    assert pes is not None
    assert (pes.stream_id, pes.pts, pes.dts) == (0xE0, 9000, 4500)
    assert pes.length == (size + 13 if size + 13 <= 0xFFFF else 0)
    assert is_random_access(packets)
    assert pcr_of(packets) == pcr
    payload = b"".join(packets[payload_at(packets, at) : at + SIZE] for at in range(0, len(packets), SIZE))
    assert payload[19:] == data


def test_only_the_stamps_move() -> None:
    packets = bytearray(render_pes(0x100, 0xE0, b"z" * 300, pts=WRAP - 10, dts=WRAP - 20, pcr=600))
    before = bytes(packets)
    shift_pes(packets, 0, 15)
    pes = read_pes(packets)
    assert pes is not None
    assert (pes.pts, pes.dts) == (5, WRAP - 5)
    assert sum(a != b for a, b in zip(before, packets, strict=True)) <= 10
    packets = bytearray(render_pes(0x100, 0xC0, b"z", pts=50))
    shift_pes(packets, 0, -20)
    pes = read_pes(packets)
    assert pes is not None
    assert (pes.pts, pes.dts) == (30, 30)


@pytest.mark.parametrize(
    "packet",
    [
        NULL_PACKET,
        render_packet(5, 0, b"\0\0\2\xe0" + b"x" * 100, start=True),
        render_packet(5, 0, b"\0\0\1\xe0", start=True),
        render_packet(5, 0),
        bytes((SYNC, 0x40, 5, 0x30, 255)) + b"\0" * 183,
    ],
)
def test_what_is_no_pes_header_is_none(packet: bytes) -> None:
    assert read_pes(packet) is None


def test_a_header_without_stamps_and_a_stream_without_flags() -> None:
    packet = bytearray(render_packet(5, 0, b"\0\0\1\xe0\0\0\x80\0\0" + b"x" * 100, start=True))
    pes = read_pes(packet)
    assert pes is not None
    assert pes.pts is None
    padding = read_pes(render_packet(5, 0, b"\0\0\1\xbe\0\x05" + b"\xff" * 100, start=True))
    assert padding is not None
    assert (padding.length, padding.pts) == (5, None)


def test_tables_carry_a_good_checksum() -> None:
    pat = render_pat([(1, 0x1000)], counter=5)
    assert crc32_mpeg(b"123456789") == 0x0376E6E7  # the catalogue's check value of CRC-32/MPEG-2
    assert crc32_mpeg(pat[5 : 5 + 16]) == 0
    assert counter_of(pat) == 5
    many = render_pmt(0x1000, [(0x1B, 0x100 + n, b"\x05\x04test") for n in range(40)], pcr_pid=0x100)
    assert len(many) == 3 * SIZE
    assert [starts_unit(many, at) for at in range(0, len(many), SIZE)] == [True, False, False]
    assert pid_of(NULL_PACKET) == NULL_PID
