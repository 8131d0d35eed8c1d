"""A ledger as a whole: what its lines amount to, and what they cost."""

from __future__ import annotations

import json
import math
import zlib
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta

import pytest

from ouzel.base.errors import NotALedger
from ouzel.formats.shape import Head, KeyPoint, Repair, Track
from ouzel.model import ledger
from ouzel.model.flow import Chunk, Gap, GapCode
from ouzel.model.ledger_lines import ClockLine, Closing, CutLine, Line, Opening, Product, RunLine

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
OPENING = Opening("show.ts", "ts", NOON, "https://host/live.m3u8", 1, "ouzel 0.1")
CLOSING = Closing(NOON, "ended", 300, 6.0, 3, 0)


def chunk(n: int, **changes: object) -> Chunk:
    made = Chunk(
        n, n * 100, 100, n * 2.0, n * 2 + 2.0, NOON + timedelta(seconds=2 * n), 50, True, "0123456789abcdef", n
    )
    return replace(made, **changes)


def read(*lines: Line, tail: bytes = b"") -> ledger.Ledger:
    return ledger.read(b"".join(ledger.render(line) for line in (OPENING, *lines)) + tail)


def test_a_line_reads_as_the_documentation_shows_it() -> None:
    """docs/reference/ledger.md shows these bytes."""
    key = KeyPoint(0, 2.04)
    assert ledger.render(chunk(1, sequence=47, keys=(key,))) == (
        b'{"k":"chunk","n":1,"at":100,"len":100,"t":2.000000,"d":2.000000,"w":"2026-11-22T12:00:02.000Z","f":50,'
        b'"h":"0123456789abcdef","i":1,"s":47,"kp":[[0,0.040000]],"x":"bf345a36"}\n'
    )


def test_the_cost_is_far_below_a_thousandth_of_the_media() -> None:
    """Under 0.1 % at 4 Mb/s, with the two-second chunks of a continuous stream and one key frame in each."""
    line = chunk(1, index=99_999, offset=10**12, length=10**6, start_s=86_400.0, end_s=86_402.0, frames=120,
                 sequence=10**9, keys=(KeyPoint(376, 86_400.04),))  # fmt: skip
    assert len(ledger.render(line)) < 0.001 * 4e6 / 8 * 2.0 / 4


def test_a_cut_voids_chunks_their_repairs_and_the_closing_line() -> None:
    found = read(
        chunk(0), Repair(1.0, "splice", 3.0), chunk(1), Repair(3.0, "jump", 4.0), chunk(2), CLOSING, CutLine(1)
    )
    assert [c.index for c in found.chunks] == [0]
    assert [r.code for r in found.repairs] == ["splice"]
    assert found.closing is None
    assert found.media_end == 100
    assert found.media_s == 2.0


def test_a_closing_line_may_be_given_again_after_a_cut() -> None:
    again = replace(CLOSING, reason="recovered", size=200)
    assert read(chunk(0), chunk(1), CLOSING, CutLine(1), again).closing == again


def test_alternate_audio_does_not_lengthen_the_media() -> None:
    audio = chunk(1, offset=100, start_s=0.0, end_s=9.0, scope="audio")
    found = read(chunk(0), audio)
    assert found.media_s == 2.0
    assert found.media_end == 200


def test_before_the_first_chunk_the_head_is_all_that_is_vouched_for() -> None:
    track = Track(9, "video", "h264", 1280, 720, config=b"\x01\x64")
    head = ledger.head_line(Head("flv", (track,), b"FLV-and-more", b"FLV"), 0)
    found = read(head)
    assert (found.media_end, found.media_s) == (12, 0.0)
    assert found.head is not None
    assert (found.head.tracks, found.head.preamble) == ((track,), b"FLV")
    assert ledger.head_line(Head("ts", (), b"", b""), 0).preamble == b""


def test_products_are_found_by_name_the_last_first() -> None:
    first = Product(NOON, "show.mp4", "mp4", 90, 6.0, "00" * 8)
    second = replace(first, size=91)
    found = read(chunk(0), CLOSING, first, second)
    assert found.product("show.mp4") == second
    assert found.product("show.ts") is None
    assert found.closing == CLOSING


def test_whole_lines_behind_a_damaged_one_are_read_and_it_is_said() -> None:
    after = ledger.render(chunk(2))
    found = read(chunk(0), tail=b"\0" * 30 + b"\n" + after)
    assert ([c.index for c in found.chunks], found.torn, found.damaged) == ([0, 2], True, True)
    assert found.good_bytes == len(ledger.render(OPENING)) + len(ledger.render(chunk(0)))
    cut = read(chunk(0), tail=b"damage\n" + after + ledger.render(CutLine(2)))
    assert [c.index for c in cut.chunks] == [0]
    torn = read(chunk(0), tail=after[:-1])
    assert (torn.torn, torn.damaged) == (True, False)
    assert not read(chunk(0), tail=after).torn


def test_a_second_opening_line_ends_the_first_ledger() -> None:
    assert read(chunk(0), OPENING, chunk(1)).torn


@pytest.mark.parametrize("data", [b"", b"\n", b"hello\n", ledger.render(chunk(0)), ledger.render(OPENING)[:-1]])
def test_what_does_not_begin_with_a_whole_opening_line_is_no_ledger(data: bytes) -> None:
    with pytest.raises(NotALedger):
        ledger.read(data)


def test_a_newer_version_is_refused() -> None:
    with pytest.raises(NotALedger, match="version 2; this Ouzel reads up to 1"):
        ledger.read(ledger.render(replace(OPENING, version=2)))


def test_holes_between_chunks_are_found_in_bytes_and_in_time() -> None:
    whole = [chunk(0), chunk(1), chunk(2)]
    assert ledger.tiling_holes(whole) == []
    assert ledger.tiling_holes([chunk(0), chunk(2)]) == [2]
    assert ledger.tiling_holes([chunk(0), chunk(1, start_s=2.1)]) == [1]
    sound = chunk(1, start_s=0.0, end_s=2.0, scope="audio")
    assert ledger.tiling_holes([chunk(0), sound, chunk(2, start_s=2.0, end_s=4.0)]) == []
    woven = chunk(1, offset=100, length=0, start_s=9.0, end_s=9.0, scope="audio")
    assert ledger.tiling_holes([chunk(0), woven, chunk(2, offset=100, start_s=2.0)]) == []


@pytest.mark.parametrize("torn", [b"", b"\0" * 9, b"\0\n\0", ledger.render(chunk(2))[:-1]])
def test_a_ledger_is_whole_up_to_its_last_whole_line(torn: bytes) -> None:
    whole = ledger.render(OPENING) + b"damage\n" + ledger.render(chunk(1))
    assert ledger.whole_length(whole + torn) == len(whole)
    assert ledger.whole_length(torn) == 0


LINES: list[Line] = [
    OPENING,
    ledger.head_line(Head("flv", (Track(9, "video", "h264", 1280, 720, config=b"\x01"),), b"FLV-and-more", b"FLV"), 0),
    RunLine(1, NOON, "hls", "https://host/live.m3u8", "best"),
    chunk(1, keys=(KeyPoint(0, 2.04),), damage="garbage"),
    Gap(2.0, GapCode.SEGMENT_GONE, "404", NOON, NOON, 2.0, 3, 4),
    Repair(2.0, "splice", 3.0),
    ClockLine(NOON, -1.5),
    CutLine(1),
    replace(CLOSING, digest="00" * 8),
    Product(NOON, "show.mp4", "mp4", 90, 6.0, "00" * 8, "bytes_changed"),
]


@pytest.mark.parametrize("wrong", [None, {}, math.nan, math.inf, 10**400, 2**70, True, -1, "x", [[1]]])
@pytest.mark.parametrize("line", LINES, ids=lambda line: type(line).__name__)
def test_a_line_with_a_wrong_value_is_damaged_or_holds_what_it_is_declared_to(line: Line, wrong: object) -> None:
    doc = json.loads(ledger.render(line))
    del doc["x"]
    for name in doc:
        body = json.dumps({**doc, name: wrong})[:-1].encode()
        try:
            found = ledger.parse_line(b'%s,"x":"%08x"}' % (body, zlib.crc32(body)))
        except NotALedger:
            continue
        for value, good in zip(values(found), values(line), strict=True):
            assert type(value) is type(good) or value is None
            assert not isinstance(value, float) or math.isfinite(value)


@pytest.mark.parametrize("year", ["0001", "1969", "9999"])
def test_an_instant_that_cannot_be_shown_everywhere_is_damage(year: str) -> None:
    body = json.dumps({"k": "clock", "w": f"{year}-06-01T00:00:00.000Z", "by": 1.0})[:-1].encode()
    with pytest.raises(NotALedger):
        ledger.parse_line(b'%s,"x":"%08x"}' % (body, zlib.crc32(body)))


def values(line: Line) -> list[object]:
    return [getattr(line, field.name) for field in fields(line)]


# -- downloads: any order ---------------------------------------------------------------------------------------------


def download(*lines: Line) -> ledger.Ledger:
    return ledger.read(b"".join(ledger.render(line) for line in (replace(OPENING, download=True), *lines)))


def test_chunks_of_a_download_stand_in_the_order_of_their_positions() -> None:
    held = download(chunk(2), chunk(0), chunk(1))
    assert [each.index for each in held.chunks] == [0, 1, 2]
    assert ledger.tiling_holes(held.chunks) == []


def test_of_two_lines_of_one_position_the_later_counts() -> None:
    held = download(chunk(0), chunk(1), chunk(0, digest="f" * 16))
    assert [each.digest[0] for each in held.chunks] == ["f", "0"]


def test_a_cut_in_a_download_voids_positions_and_not_places_in_the_list() -> None:
    held = download(chunk(0), chunk(5), chunk(7), CutLine(6))
    assert [each.index for each in held.chunks] == [0, 5]


def test_what_only_downloads_have_is_read_as_it_was_written() -> None:
    told = chunk(3, discontinuity=True, identity="00112233445566ff")
    held = download(told)
    assert held.opening.download
    assert held.chunks == [told]
