"""The ledger's lines: what is written is what is read, and no damage passes for truth."""

from __future__ import annotations

import zlib
from datetime import UTC, datetime, timedelta
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ouzel.base.errors import NotALedger
from ouzel.formats.shape import KeyPoint, Repair, RepairCode, Track
from ouzel.model import ledger
from ouzel.model.flow import Chunk, EndReason, Gap, GapCode
from ouzel.model.ledger_lines import ClockLine, Closing, CutLine, HeadLine, Line, Opening, Product, RunLine

MILLISECONDS = st.integers(0, 4_000_000_000_000)
WALLS = MILLISECONDS.map(lambda ms: datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ms))
TEXTS = st.text(max_size=40) | st.just('a "quoted" \\ 直播 \udce9 \n\r\x00 line')
COUNTS = st.integers(0, 2**40)
MICROSECONDS = st.integers(0, 10**12)  # eleven days
SECONDS = MICROSECONDS.map(lambda n: round(n / 1e6, 6))
SIGNED_SECONDS = st.integers(-(10**12), 10**12).map(lambda n: round(n / 1e6, 6))
LENGTHS = st.integers(0, 10**9).map(lambda n: round(n / 1e3, 3))
DIGESTS = st.integers(0, 2**64 - 1).map(lambda n: f"{n:016x}")
SCOPES = st.sampled_from(["all", "audio"])

TRACKS = st.builds(
    Track, st.integers(0, 8191), st.sampled_from(["video", "audio", "other"]), TEXTS,
    *[st.none() | st.integers(0, 200_000)] * 4, st.binary(max_size=60),
)  # fmt: skip


@st.composite
def chunks(draw: st.DrawFn) -> Chunk:
    start = draw(MICROSECONDS)
    return Chunk(
        draw(COUNTS), draw(COUNTS), draw(COUNTS), round(start / 1e6, 6), round((start + draw(MICROSECONDS)) / 1e6, 6),
        draw(WALLS), draw(COUNTS), draw(st.booleans()), draw(DIGESTS), draw(st.none() | COUNTS), draw(SCOPES),
        tuple(
            KeyPoint(offset, round((start + after) / 1e6, 6))
            for offset, after in draw(st.lists(st.tuples(COUNTS, MICROSECONDS), max_size=4))
        ),
        draw(TEXTS),
    )  # fmt: skip


@st.composite
def gaps(draw: st.DrawFn) -> Gap:
    first = draw(st.none() | COUNTS)
    last = None if first is None else draw(st.none() | COUNTS)
    return Gap(
        draw(SECONDS), draw(st.sampled_from(GapCode)), draw(TEXTS), draw(WALLS), draw(WALLS), draw(LENGTHS), first, last,
        draw(SCOPES),
    )  # fmt: skip


OPENINGS = st.builds(
    Opening, TEXTS, st.sampled_from(["ts", "mp4", "flv"]), WALLS, TEXTS, st.integers(1, 999), TEXTS, st.booleans()
)
LATER_LINES: dict[type, st.SearchStrategy[Line]] = {
    HeadLine: st.builds(HeadLine, COUNTS, COUNTS, st.lists(TRACKS, max_size=3).map(tuple), st.binary(max_size=60)),
    RunLine: st.builds(RunLine, COUNTS, WALLS, TEXTS, TEXTS, TEXTS),
    Chunk: chunks(),
    Gap: gaps(),
    Repair: st.builds(Repair, SECONDS, st.sampled_from(get_args(RepairCode)), SIGNED_SECONDS),
    CutLine: st.builds(CutLine, COUNTS),
    ClockLine: st.builds(ClockLine, WALLS, st.integers(-(10**9), 10**9).map(lambda n: round(n / 1e3, 3))),
    Closing: st.builds(
        Closing,
        WALLS,
        st.sampled_from(EndReason).map(lambda r: r.value),
        COUNTS,
        SECONDS,
        COUNTS,
        COUNTS,
        COUNTS,
        st.just("") | DIGESTS,
    ),
    Product: st.builds(Product, WALLS, TEXTS, TEXTS, COUNTS, SECONDS, DIGESTS, st.sampled_from(["", "bytes_changed"])),
}
LINES = st.one_of(OPENINGS, *LATER_LINES.values())
LEDGERS = st.tuples(OPENINGS, st.lists(st.one_of(*LATER_LINES.values()), max_size=6))


def render_all(opening: Opening, lines: list[Line]) -> bytes:
    return b"".join(ledger.render(line) for line in (opening, *lines))


@settings(max_examples=250)
@given(LINES)
def test_a_line_is_read_as_it_was_written(line: Line) -> None:
    data = ledger.render(line)
    assert data.endswith(b"}\n")
    assert data.count(b"\n") == 1
    assert ledger.parse_line(data) == line
    assert ledger.parse_line(data[:-1]) == line


def test_every_kind_of_line_is_drawn_above() -> None:
    assert {Opening, *LATER_LINES} == set(get_args(Line))


@settings(max_examples=100)
@given(LINES, st.data())
def test_no_damaged_line_is_read(line: Line, data: st.DataObject) -> None:
    good = ledger.render(line)[:-1]
    at = data.draw(st.integers(0, len(good) - 1))
    bit = data.draw(st.integers(0, 7))
    flipped = bytearray(good)
    flipped[at] ^= 1 << bit
    for damaged in (bytes(flipped), good[:at], good[:at] + good[at + 1 :], bytes(len(good))):
        with pytest.raises(NotALedger):
            ledger.parse_line(damaged)


@settings(max_examples=60)
@given(LEDGERS, st.data())
def test_whatever_is_cut_off_the_whole_lines_before_are_kept(
    content: tuple[Opening, list[Line]], data: st.DataObject
) -> None:
    opening, lines = content
    rendered = [ledger.render(line) for line in (opening, *lines)]
    whole = b"".join(rendered)
    size = data.draw(st.integers(len(rendered[0]), len(whole)))
    tail = data.draw(st.sampled_from([b"", b"\0" * 100, b"\n", b"\xff\n\xff\n"]))
    cut = whole[:size] + tail  # the tail may be all that a line was short of: its end
    kept = 0
    while kept < len(rendered) and cut.startswith(b"".join(rendered[: kept + 1])):
        kept += 1
    expected = ledger.read(b"".join(rendered[:kept]))
    found = ledger.read(cut)
    assert found.good_bytes == sum(map(len, rendered[:kept]))
    assert found.torn == (found.good_bytes != len(cut))
    assert (found.chunks, found.gaps, found.heads) == (expected.chunks, expected.gaps, expected.heads)
    assert (found.closing, found.products) == (expected.closing, expected.products)


@settings(max_examples=60)
@given(LEDGERS, st.data())
def test_salvage_finds_every_line_that_is_whole(content: tuple[Opening, list[Line]], data: st.DataObject) -> None:
    opening, lines = content
    everything = [opening, *lines]
    rendered = [ledger.render(line) for line in everything]
    bad = data.draw(st.integers(0, len(rendered) - 1))
    at = data.draw(st.integers(0, len(rendered[bad]) - 2))
    broken = bytearray(rendered[bad])
    broken[at] ^= 0x20
    rendered[bad] = bytes(broken)
    assert ledger.salvage(b"".join(rendered)) == everything[:bad] + everything[bad + 1 :]


@settings(max_examples=100)
@given(st.binary(max_size=200))
def test_anything_else_is_refused_without_a_crash(data: bytes) -> None:
    with pytest.raises(NotALedger):
        ledger.read(data)
    for body in (data, b'{"k":"chunk"', b'{"k":["ledger"]', b'{"k":"chunk","t":1e999,"n":1e999', b"[" * 100_000, b"7"):
        with pytest.raises(NotALedger):
            ledger.parse_line(_with_sum(body))


def _with_sum(body: bytes) -> bytes:
    return b'%s,"x":"%08x"}' % (body, zlib.crc32(body))
