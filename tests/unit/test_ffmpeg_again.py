"""Whether a connection through ffmpeg brings again what the one before brought."""

from __future__ import annotations

from random import Random

import pytest

from ouzel.engine.sources.ffmpeg.again import BLOCK, Again


def film(size: int, seed: int = 1) -> bytes:
    return Random(seed).randbytes(size)


def connect(again: Again, data: bytes, *, good: bool = True, piece: int = 7777, gained_s: float = 0.0) -> bytes:
    """One connection; what is kept of it."""
    again.begin()
    kept = bytearray()
    for at in range(0, len(data), piece):
        kept += again.new_of(memoryview(bytearray(data[at : at + piece])))
    kept += again.close()
    again.settle(gained_s, good=good)
    return bytes(kept)


SIZES = [1, 188, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK, 3 * BLOCK + 500]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("piece", [7777, BLOCK, 1 << 19])
def test_the_same_from_first_to_last_is_a_file_and_nothing_of_it_is_kept_twice(size: int, piece: int) -> None:
    again, data = Again(), film(size)
    assert connect(again, data, piece=piece, gained_s=20.0) == data
    assert not again.is_file
    for _ in range(2):
        assert connect(again, data, piece=piece) == b""
        assert again.is_file
        assert again.dropped_s == pytest.approx(20.0)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("more", [1, 500, BLOCK, 2 * BLOCK + 3])
def test_what_comes_behind_it_is_kept_and_remembered(size: int, more: int) -> None:
    again, data = Again(), film(size + more)
    connect(again, data[:size], gained_s=10.0)
    assert connect(again, data, gained_s=2.0) == data[size:]
    assert not again.is_file
    assert again.dropped_s == pytest.approx(10.0)
    assert connect(again, data) == b""
    assert again.is_file
    assert again.dropped_s == pytest.approx(12.0)


def test_what_differs_is_kept_from_there_and_remembered_instead() -> None:
    again = Again()
    first = film(4 * BLOCK)
    other = first[: BLOCK + 300] + film(3 * BLOCK, seed=2)
    connect(again, first)
    assert connect(again, other) == other[BLOCK:]
    assert not again.is_file
    assert connect(again, first) == first[BLOCK:]
    assert connect(again, first) == b""


def test_what_is_on_air_is_kept() -> None:
    again = Again()
    for seed in range(5):
        data = film(2 * BLOCK + 99, seed)
        assert connect(again, data) == data
        assert not again.is_file
        assert again.dropped_s == 0.0


def test_one_that_breaks_off_sooner_changes_nothing() -> None:
    again, data = Again(), film(4 * BLOCK)
    connect(again, data)
    assert connect(again, data[: 2 * BLOCK + 10], good=False) == b""
    assert not again.is_file
    assert connect(again, data) == b""


def test_too_little_to_tell_is_kept() -> None:
    again, data = Again(), film(4 * BLOCK)
    connect(again, data)
    assert connect(again, data[:1000]) == data[:1000]
    assert not again.is_file


def test_only_what_ended_in_good_order_twice_is_a_file() -> None:
    again, data = Again(), film(2 * BLOCK)
    connect(again, data, good=False)
    assert connect(again, data) == b""
    assert not again.is_file
    assert connect(again, data) == b""
    assert again.is_file
    assert connect(again, data, good=False) == b""
    assert not again.is_file
