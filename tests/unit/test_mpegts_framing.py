"""Where packets begin: loss of sync, packets of other sizes, counters."""

from __future__ import annotations

from random import Random

import pytest
from tests.mpegts_source import noise

from ouzel.base.errors import FormatError
from ouzel.formats.mpegts.counters import Counters, errors_in
from ouzel.formats.mpegts.framing import Framer, headers_of
from ouzel.formats.mpegts.packets import NULL_PACKET, SIZE, render_packet, set_counter


def packets(count: int, pid: int = 0x100, first: int = 0) -> bytes:
    return b"".join(render_packet(pid, first + n, noise(n, 184)) for n in range(count))


def framed(data: bytes, sizes: list[int], limit: int = 1 << 20) -> tuple[bytes, Framer]:
    framer, out, at, turn = Framer(limit), bytearray(), 0, 0
    while at < len(data):
        piece = memoryview(bytearray(data[at : at + sizes[turn % len(sizes)]]))
        at += len(piece)
        turn += 1
        for block, headers in framer.push(piece):
            assert headers == headers_of(block)
            out += block
    for block, headers in framer.end():
        assert headers == headers_of(block)
        out += block
    return bytes(out), framer


SIZES = [[1 << 20], [1], [187, 188, 189], [376], [5000]]


@pytest.mark.parametrize("sizes", SIZES)
def test_packets_pass_as_they_are(sizes: list[int]) -> None:
    data = packets(50)
    out, framer = framed(data, sizes)
    assert out == data
    assert (framer.spacing, framer.dropped, framer.torn) == (188, 0, 0)


@pytest.mark.parametrize("sizes", SIZES)
@pytest.mark.parametrize("garbage", [1, 100, 188, 1000])
def test_garbage_between_packets_is_dropped(sizes: list[int], garbage: int) -> None:
    out, framer = framed(packets(9) + noise(1, garbage) + packets(20), sizes)
    assert out == packets(9) + packets(20)
    assert framer.dropped == garbage


@pytest.mark.parametrize("sizes", SIZES)
def test_garbage_in_front_and_a_torn_end(sizes: list[int]) -> None:
    out, framer = framed(noise(1, 77) + packets(9) + packets(1)[:100], sizes)
    assert out == packets(9)
    assert (framer.dropped, framer.torn) == (177, 100)


@pytest.mark.parametrize("sizes", SIZES)
def test_a_sync_byte_in_garbage_is_no_packet(sizes: list[int]) -> None:
    garbage = noise(1, 50) + b"\x47" + noise(2, 120)
    out, framer = framed(packets(9) + garbage + packets(9), sizes)
    assert out == packets(9) * 2
    assert framer.dropped == len(garbage)


@pytest.mark.parametrize("sizes", SIZES)
def test_m2ts_packets_lose_their_stamps(sizes: list[int]) -> None:
    plain = packets(40)
    stamped = b"".join(b"\x12\x34\x56\x78" + plain[at : at + SIZE] for at in range(0, len(plain), SIZE))
    out, framer = framed(stamped, sizes)
    assert out == plain
    assert (framer.spacing, framer.dropped) == (192, 0)


@pytest.mark.parametrize("sizes", SIZES)
def test_packets_of_204_bytes_lose_their_code(sizes: list[int]) -> None:
    plain = packets(40)
    coded = b"".join(plain[at : at + SIZE] + noise(at, 16) for at in range(0, len(plain), SIZE))
    out, framer = framed(coded, sizes)
    assert out == plain
    assert (framer.spacing, framer.dropped) == (204, 0)


@pytest.mark.parametrize("sizes", [[1 << 20], [1000]])
def test_what_has_no_packets_is_refused(sizes: list[int]) -> None:
    with pytest.raises(FormatError, match="not a transport stream"):
        framed(Random(1).randbytes(60_000), sizes, limit=50_000)
    with pytest.raises(FormatError):
        framed(b"<html>" * 10_000, sizes, limit=50_000)


def test_one_packet_is_enough_at_the_end() -> None:
    out, framer = framed(packets(1), [1 << 20])
    assert out == packets(1)
    assert framer.dropped == 0


PIDS = [0x100, 0x101, 0x1000, 0, 0x1001, 0x300, 0x1E]


def watching(*pids: int) -> Counters:
    counters = Counters()
    counters.watch(pids)
    return counters


def breaks(counters: Counters, data: bytes) -> int:
    block = memoryview(bytearray(data))
    return counters.check(block, counters.survey(headers_of(block)), 0, len(data) // SIZE)


@pytest.mark.parametrize("block", [1, 7, 1000])
def test_interleaved_counters_that_go_on_are_fine(block: int) -> None:
    rng = Random(3)
    last = dict.fromkeys(PIDS, 0)
    data = bytearray()
    for _ in range(2000):
        pid = rng.choice(PIDS)
        data += render_packet(pid, last[pid], b"x" * 184)
        last[pid] += 1
        if rng.random() < 0.1:
            data += NULL_PACKET + render_packet(pid, last[pid] - 1)  # an adaptation field only does not count
    counters = watching(*PIDS)
    for at in range(0, len(data), block * SIZE):
        assert breaks(counters, data[at : at + block * SIZE]) == 0
    assert counters.last == {pid: (count - 1) & 15 for pid, count in last.items()}


@pytest.mark.parametrize("pid", PIDS)
def test_a_lost_packet_is_one_break(pid: int) -> None:
    data = bytearray(packets(20, pid))
    del data[SIZE * 5 : SIZE * 6]
    other = next(p for p in PIDS if p != pid)
    assert breaks(watching(*PIDS), packets(7, other) + data) == 1
    assert breaks(watching(other), packets(7, other) + data) == 0


def test_what_the_standard_allows_is_no_break() -> None:
    twice = packets(3) + packets(3)[-SIZE:] + packets(3, first=3)
    assert breaks(watching(0x100), twice) == 0
    thrice = packets(3) + packets(3)[-SIZE:] * 2 + packets(3, first=3)
    assert breaks(watching(0x100), thrice) == 1
    announced = packets(3) + render_packet(0x100, 8, discontinuity=True) + packets(3, first=9)
    assert breaks(watching(0x100), announced) == 0
    with_payload = packets(3) + render_packet(0x100, 9, b"x", discontinuity=True) + packets(3, first=10)
    assert breaks(watching(0x100), with_payload) == 0


@pytest.mark.parametrize("cut", range(1, 9))
def test_what_is_allowed_is_allowed_over_blocks_too(cut: int) -> None:
    announced = packets(3) + render_packet(0x100, 8, discontinuity=True) + packets(3, first=9)
    twice = packets(3) + packets(3)[-SIZE:] + packets(3, first=3)
    for data in (announced, twice):
        counters = watching(0x100)
        assert breaks(counters, data[: cut * SIZE]) + breaks(counters, data[cut * SIZE :]) == 0
    thrice = packets(3) + packets(3)[-SIZE:] * 2 + packets(3, first=3)
    counters = watching(0x100)
    assert breaks(counters, thrice[: cut * SIZE]) + breaks(counters, thrice[cut * SIZE :]) == 1


def test_the_first_packet_of_a_pid_is_found() -> None:
    counters = watching(*PIDS)
    block = memoryview(bytearray(packets(5, 0x100) + packets(3, 0x1000, first=7)))
    survey = counters.survey(headers_of(block))
    assert counters.first(survey, 0x1000) == (5, 7)
    assert counters.first(survey, 0x100) == (0, 0)
    assert counters.first(survey, 0x101) is None
    assert counters.count_in(survey, 0x1000, 6, 8) == 2


def test_marked_errors_count_for_the_programme_only() -> None:
    data = bytearray(packets(5))
    data[SIZE * 2 + 1] |= 0x80
    headers = headers_of(memoryview(data))
    assert errors_in(headers, {0x100}) == 1
    assert errors_in(headers, {0x101}) == 0
    set_counter(data, 0, 0)
    assert errors_in(headers_of(memoryview(bytearray(packets(5)))), {0x100}) == 0
