"""A source that was away while the connection stood: its clock tells, and ours."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from tests.flv_source import groups, opening, stream
from tests.unit.test_tape import Bench, HandClock

from ouzel.engine.intake import Intake
from ouzel.engine.tape import Tape, TapeLimits
from ouzel.formats.flv import FlvShaper
from ouzel.model import ledger
from ouzel.model.flow import EndReason, GapCode


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    made = Bench(tmp_path)
    made.head()
    made.chunk(b"a")
    made.chunk(b"b")
    return made


def missing(bench: Bench) -> list[float]:
    (book,) = bench.close()
    assert {gap.code for gap in book.gaps} <= {GapCode.UPSTREAM_JUMP}
    return [round(gap.missing_s, 3) for gap in book.gaps]


@pytest.mark.parametrize(
    ("quiet_s", "jump_s", "expected"),
    [
        (7.0, 7.0, [7.0]),
        (7.3, 7.0, [7.0]),  # the source knows better than the network
        (5.0, 3600.0, [5.0]),  # its clock was set: no more can be missing than time has passed
        (5.0, -40.0, [5.0]),  # it began again
        (7.0, 0.0, []),  # late, and nothing lost
        (0.0, 40.0, []),  # a clock that jumps, and nothing lost
        (0.5, 0.5, []),
    ],
)
def test_what_is_missing_is_a_gap(bench: Bench, quiet_s: float, jump_s: float, expected: list[float]) -> None:
    bench.clock.tick(quiet_s)
    bench.chunk(b"c", source_jump=jump_s)
    bench.chunk(b"d")
    assert missing(bench) == expected


def test_the_gap_stands_where_it_was_quiet(bench: Bench) -> None:
    quiet_since = bench.clock.wall
    bench.clock.tick(7)
    bench.chunk(b"c", source_jump=7.0)
    (book,) = bench.close()
    (gap,) = book.gaps
    assert gap.at_s == 4.0
    assert (gap.wall_start, gap.wall_end) == (quiet_since, quiet_since + timedelta(seconds=7))
    assert book.chunks[2].wall == gap.wall_end


def test_silence_inside_a_chunk_is_told_before_the_next(bench: Bench) -> None:
    bench.clock.tick(7)
    bench.chunk(b"c")  # its last tags come from behind the jump
    bench.chunk(b"d", source_jump=7.0)
    assert missing(bench) == [7.0]


def test_what_a_playlist_lists_is_not_judged_by_the_clock(bench: Bench) -> None:
    bench.clock.tick(7)
    bench.chunk(b"c", source_jump=7.0, sequence=9)
    assert missing(bench) == []


def test_another_connection_has_its_own_reason(bench: Bench) -> None:
    bench.tape.run("flv", "http://host/show")
    bench.clock.tick(7)
    bench.chunk(b"c", source_jump=7.0)
    assert missing(bench) == []


def test_a_chunk_that_was_whole_before_the_silence_is_dated_before_it(tmp_path: Path) -> None:
    """Only the tag behind it shows that it was whole."""
    clock = HandClock()
    tape = Tape(
        lambda _part, ending: tmp_path / f"show.{ending}",
        source="http://host/show.flv",
        software="ouzel test",
        clock=clock,
        limits=TapeLimits(),
        listener=lambda _event: None,
    )
    intake = Intake(FlvShaper(), tape, continuous=True)
    tape.run("flv", "http://host/show.flv")
    intake.take(memoryview(bytearray(opening())))
    away_s = 7
    for number, group in enumerate(groups(8)):
        clock.tick(1 + (away_s if number == 4 else 0))
        intake.take(memoryview(bytearray(stream([group], away_s * 1000 if number >= 4 else 0))))
    intake.finish()
    tape.finish(EndReason.ENDED)
    (closed,) = tape.closed
    closed.sink.close("ended", tape.wall())
    book = ledger.read(closed.sink.ledger_path.read_bytes())
    (gap,) = book.gaps
    assert (gap.code, round(gap.missing_s, 2), round(gap.at_s, 1)) == (GapCode.UPSTREAM_JUMP, away_s, 4.0)
    walls = [(chunk.wall - book.chunks[0].wall).total_seconds() for chunk in book.chunks]
    assert walls == pytest.approx([0, 1, 2, 3, 11, 12, 13, 14], abs=0.3)
