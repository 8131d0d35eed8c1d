"""The mask over the first packets of Bigo's segments."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from ouzel.engine.sources.disguise import Disguise, seed_in

SEED = 2020359253
PLAIN = b"".join(bytes([0x47, n, 0, 0x10]) + bytes((n * 7 + at) & 0xFF for at in range(184)) for n in range(5))


def undisguise(data: bytes, *cuts: int) -> bytes:
    taker = Disguise(SEED)
    pieces = [bytes(taker.feed(memoryview(data[a:b]))) for a, b in pairwise([0, *sorted(cuts), len(data)])]
    return b"".join([*pieces, bytes(taker.finish())])


def disguise(data: bytes) -> bytes:
    """The same sum once more, over bytes that it takes for disguised ones: they begin as such ones do."""
    first = next(bytes([n]) for n in range(256) if n != 0x47 and undisguise(bytes([n])) == b"\x47")
    return first + undisguise(first + data[1:])[1:]


def test_a_segment_of_the_site_begins_with_a_table_behind_its_disguise() -> None:
    assert undisguise(bytes.fromhex("3853197a")) == bytes.fromhex("47400010")


@given(st.lists(st.integers(0, len(PLAIN)), max_size=6))
def test_any_split_gives_the_same_bytes(cuts: list[int]) -> None:
    hidden = disguise(PLAIN)
    assert hidden[:16] != PLAIN[:16]
    assert hidden[188:204] != PLAIN[188:204]
    assert hidden[16:188] == PLAIN[16:188]
    assert hidden[204:] == PLAIN[204:]
    assert undisguise(hidden, *cuts) == PLAIN


def test_plain_packets_stay_as_they_are() -> None:
    assert undisguise(PLAIN) == PLAIN
    assert undisguise(b"") == b""


def test_the_seed_is_found_among_other_attributes() -> None:
    assert seed_in(["#EXT-X-BIGO-WEB-PROTECTION:VERSION=1,SEED=2020359253"]) == SEED
    assert seed_in(["#EXT-X-BIGO-WEB-PROTECTION:SEED=7", "#EXT-X-OTHER:SEED=8"]) == 7
    assert seed_in(["#EXT-X-BIGO-WEB-PROTECTION:VERSION=1", "#EXT-X-CUE-OUT"]) is None
