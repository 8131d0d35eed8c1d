"""Tars: what is rendered is read again, and any bytes are read or refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ouzel.base.errors import FormatError
from ouzel.formats.tars import parse_answer, parse_fields, render_call, render_fields

INTS = st.integers(-(2**63), 2**63 - 1)
VALUES = st.recursive(
    INTS | st.text(max_size=40) | st.binary(max_size=300),
    lambda inner: st.dictionaries(st.integers(0, 255), inner, max_size=4),
    max_leaves=6,
)
FIELDS = st.dictionaries(st.integers(0, 255), VALUES, max_size=6)


@given(FIELDS)
def test_what_was_rendered_is_read_again(fields: dict[int, object]) -> None:
    assert parse_fields(render_fields(fields)) == fields  # type: ignore[arg-type]


@given(FIELDS)
def test_a_call_carries_its_argument(fields: dict[int, object]) -> None:
    call = render_call("liveui", "getSomething", "tReq", fields)  # type: ignore[arg-type]
    assert parse_answer(call) == {"tReq": fields}
    assert parse_fields(call[4:])[5] == "liveui"


@given(st.binary(max_size=400))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    for parse in (parse_fields, parse_answer):
        try:
            parse(data)
        except FormatError:
            pass


@given(FIELDS, st.data())
def test_a_call_that_is_cut_off_is_refused(fields: dict[int, object], data: st.DataObject) -> None:
    call = render_call("liveui", "getSomething", "tReq", fields)  # type: ignore[arg-type]
    with pytest.raises(FormatError):
        parse_answer(call[: data.draw(st.integers(0, len(call) - 1))])


def test_structures_inside_of_each_other_without_end_are_refused() -> None:
    with pytest.raises(FormatError):
        parse_fields(b"\x0a" * 100_000)


def test_a_known_call_has_the_known_bytes() -> None:
    call = render_call("s", "f", "tReq", {0: 1, 1: "ab", 4: 66, 5: 300})
    assert [
        call[begin:end].hex(" ") for begin, end in ((0, 4), (4, 9), (9, 15), (15, 19), (19, 32), (32, 45), (45, 50))
    ] == [
        "00 00 00 32",
        "10 03 2c 3c 4c",  # version, kinds of packet and message, number
        "56 01 73 66 01 66",  # servant, function
        "7d 00 00 1a",  # 26 bytes
        "08 00 01 06 04 74 52 65 71 1d 00 00 0d",  # a map of one: "tReq", 13 bytes
        "0a 00 01 16 02 61 62 40 42 51 01 2c 0b",
        "8c 98 0c a8 0c",
    ]
