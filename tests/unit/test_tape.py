"""The tape and its file sink, driven by hand."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ouzel.base.errors import DiskFull, FileBusy, OutputExists
from ouzel.engine.programme import SegmentNote
from ouzel.engine.sinks.file import FileSink
from ouzel.engine.tape import Tape, TapeLimits
from ouzel.formats.shape import Head, Span, Track
from ouzel.model import ledger
from ouzel.model.events import Event, EventCode
from ouzel.model.flow import EndReason, GapCode
from ouzel.model.ledger_lines import Opening

NOTE = SegmentNote()
HEAD = Head("ts", (Track(256, "video", "h264", 640, 360),), b"HEAD")
BIG = TapeLimits()


class HandClock:
    def __init__(self) -> None:
        self.wall = datetime(2026, 1, 1, tzinfo=UTC)
        self.mono = 100.0

    def now(self) -> datetime:
        return self.wall

    def monotonic(self) -> float:
        return self.mono

    def tick(self, seconds: float) -> None:
        self.wall += timedelta(seconds=seconds)
        self.mono += seconds


class Bench:
    """A tape in a temporary folder, and what it told."""

    def __init__(self, folder: Path, limits: TapeLimits = BIG) -> None:
        self.clock = HandClock()
        self.events: list[Event] = []
        self.folder = folder
        self.tape = Tape(
            lambda part, container: folder / f"show-{part}.{container}",
            source="http://host/show",
            software="ouzel test",
            clock=self.clock,
            limits=limits,
            listener=self.events.append,
        )
        self.at = 0.0
        self.source = 50.0

    def chunk(
        self,
        data: bytes,
        seconds: float = 2.0,
        *,
        source_jump: float = 0.0,
        lost: tuple[float, float] = (0.0, 0.0),
        **note: int,
    ) -> None:
        self.source += source_jump
        self.clock.tick(seconds)
        self.tape.write([data])
        span = Span(self.at, self.at + seconds, self.source, 50, True, lost_s=lost[0], sound_lost_s=lost[1])
        self.tape.commit(span, SegmentNote(**note))
        self.at += seconds
        self.source += seconds

    def head(self) -> None:
        self.tape.head(HEAD)
        self.at = 0.0

    def close(self, reason: EndReason = EndReason.ENDED) -> list[ledger.Ledger]:
        self.tape.finish(reason)
        read: list[ledger.Ledger] = []
        for closed in self.tape.closed:
            closed.sink.close(closed.reason.value, self.tape.wall())
            read.append(ledger.read(closed.sink.ledger_path.read_bytes()))
        return read


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_chunks_tile_the_file_and_its_time(bench: Bench) -> None:
    bench.head()
    bench.chunk(b"one")
    bench.chunk(b"three", sequence=8)
    (book,) = bench.close()
    assert (bench.folder / "show-1.ts").read_bytes() == b"HEADonethree"
    assert [(c.offset, c.length, c.start_s, c.end_s) for c in book.chunks] == [(4, 3, 0.0, 2.0), (7, 5, 2.0, 4.0)]
    assert book.chunks[1].sequence == 8
    assert book.closing is not None
    assert (book.closing.size, book.closing.duration_s, book.closing.reason) == (12, 4.0, "ended")
    assert ledger.tiling_holes(book.chunks) == []
    assert not (bench.folder / "show-1.ts.part").exists()


def test_what_is_not_committed_is_not_kept(bench: Bench) -> None:
    bench.head()
    bench.chunk(b"whole")
    bench.tape.write([b"half of a chu"])
    bench.tape.rollback()
    bench.chunk(b"next")
    bench.tape.write([b"the end is lost"])
    (book,) = bench.close()
    assert (bench.folder / "show-1.ts").read_bytes() == b"HEADwholenext"
    assert len(book.chunks) == 2


def test_a_loss_becomes_a_gap_before_the_next_chunk_and_like_is_merged_with_like(bench: Bench) -> None:
    bench.head()
    bench.chunk(b"a")
    bench.tape.lose(GapCode.SEGMENT_GONE, "HTTP 404", missing_s=2.0, first_sequence=2, last_sequence=2)
    bench.tape.lose(GapCode.SEGMENT_GONE, "HTTP 404", missing_s=2.0, first_sequence=3, last_sequence=3)
    bench.tape.lose(GapCode.SEGMENT_GONE, "HTTP 404", missing_s=2.0, first_sequence=7, last_sequence=7)
    bench.clock.tick(6)
    bench.chunk(b"b")
    (book,) = bench.close()
    assert [(g.at_s, g.missing_s, g.first_sequence, g.last_sequence) for g in book.gaps] == [
        (2.0, 4.0, 2, 3),
        (2.0, 2.0, 7, 7),
    ]
    assert (book.gaps[0].wall_end - book.gaps[0].wall_start).total_seconds() == 4.0
    assert [e.code for e in bench.events].count(EventCode.GAP) == 2


def test_after_a_drop_the_sources_own_clock_says_what_is_missing(bench: Bench) -> None:
    bench.head()
    bench.chunk(b"a")
    bench.tape.lose(GapCode.CONNECTION_LOST, "reset")
    bench.chunk(b"b", source_jump=7.0)
    bench.tape.lose(GapCode.CONNECTION_LOST, "reset")
    bench.chunk(b"c", source_jump=0.04)  # the same pictures go on: nothing was missed
    bench.tape.lose(GapCode.CONNECTION_LOST, "reset")
    bench.clock.tick(12)
    bench.chunk(b"d", source_jump=-40.0)  # another clock: ours decides
    (book,) = bench.close()
    assert [g.missing_s for g in book.gaps] == [7.0, 12.0]


@pytest.mark.parametrize(
    ("jump_s", "lost", "gaps"),
    [
        (0.04, (0.0, 0.0), []),
        (0.04, (0.04, 0.0), [("all", 0.04)]),
        (0.0, (0.0, 0.32), [("audio", 0.32)]),
        (0.3, (0.04, 0.32), [("all", 0.3), ("audio", 0.02)]),
        (0.3, (0.3, 0.2), [("all", 0.3)]),
    ],
)
def test_what_a_break_tore_off_is_a_gap_of_its_track(
    bench: Bench, jump_s: float, lost: tuple[float, float], gaps: list[tuple[str, float]]
) -> None:
    bench.head()
    bench.chunk(b"a")
    bench.tape.lose(GapCode.CONNECTION_LOST, "reset")
    bench.chunk(b"b", source_jump=jump_s, lost=lost)
    (book,) = bench.close()
    assert [(g.scope, round(g.missing_s, 3)) for g in book.gaps] == gaps


def test_a_drop_after_which_all_that_was_there_comes_again_is_no_gap(bench: Bench) -> None:
    bench.head()
    bench.chunk(b"a")
    bench.tape.lose(GapCode.STREAM_ENDED, "closed by the server")
    bench.tape.mend()
    (book,) = bench.close()
    assert book.gaps == []


def test_a_taken_back_chunk_is_void_and_its_better_copy_stands(bench: Bench) -> None:
    bench.head()
    bench.chunk(b"whole")
    bench.chunk(b"par", 1.0)
    bench.tape.lose(GapCode.CONNECTION_LOST, "reset")
    bench.tape.take_back()
    bench.at, bench.source = 2.0, 52.0
    bench.chunk(b"partial no more")
    (book,) = bench.close()
    assert (bench.folder / "show-1.ts").read_bytes() == b"HEADwholepartial no more"
    assert [(c.index, c.start_s, c.end_s) for c in book.chunks] == [(0, 0.0, 2.0), (1, 2.0, 4.0)]
    assert book.gaps == []
    assert bench.tape.counters.chunks == 2
    assert bench.tape.counters.bytes == 20


def test_a_new_head_goes_on_in_a_new_file_and_report_times_add_up(bench: Bench) -> None:
    bench.head()
    bench.chunk(b"a")
    bench.head()
    bench.tape.lose(GapCode.WINDOW_SLID, "slid", missing_s=3.0)
    bench.chunk(b"b")
    first, second = bench.close()
    assert first.closing is not None
    assert first.closing.reason == "split"
    assert second.opening.part == 2
    assert second.gaps[0].at_s == 0.0
    assert bench.tape.gaps[0].at_s == 2.0
    assert bench.tape.counters.media_s == 4.0


def test_a_connection_that_gave_nothing_is_not_counted(bench: Bench) -> None:
    bench.head()
    bench.tape.run("flv", "http://host/refused")
    bench.tape.write([b"half"])
    bench.tape.rollback()
    assert bench.tape.counters.runs == 0
    bench.tape.run("flv", "http://host/show")
    bench.chunk(b"one")
    bench.chunk(b"two")
    bench.tape.run("flv", "http://host/again")
    (book,) = bench.close()
    assert [(run.number, run.source) for run in book.runs] == [(1, "http://host/show")]
    assert bench.tape.counters.runs == 1
    assert [event.data["run"] for event in bench.events if event.code is EventCode.CONNECTED] == [1, 1, 2]


def test_a_file_of_which_nothing_came_gives_its_name_to_the_next(bench: Bench) -> None:
    for _ in range(2):  # a segment that is asked for again, as it is too short
        bench.head()
        bench.tape.write([b"half"])
        bench.tape.rollback()
    bench.head()
    bench.chunk(b"whole")
    bench.head()
    bench.chunk(b"others")
    bench.close()
    assert sorted(p.name for p in bench.folder.iterdir()) == [
        "show-1.ledger",
        "show-1.ts",
        "show-2.ledger",
        "show-2.ts",
    ]
    opened = [event.data for event in bench.events if event.code is EventCode.FILE_OPENED]
    assert [(Path(data["path"]).name, data["part"]) for data in opened] == [
        ("show-1.ts.part", 1),
        ("show-2.ts.part", 2),
    ]
    assert opened[0]["tracks"] == [{"kind": "video", "codec": "h264", "width": 640, "height": 360}]


def test_an_empty_file_that_cannot_be_removed_keeps_its_name(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.head()
    bench.tape.write([b"half"])

    def refuse(path: Path, missing_ok: bool = False) -> None:
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", refuse)
        bench.head()
    bench.chunk(b"whole")
    bench.close()
    assert (bench.folder / "show-2.ts").read_bytes() == b"HEADwhole"
    assert [e.data["code"] for e in bench.events if e.code is EventCode.WARNING] == ["read_only"]


@pytest.mark.parametrize(
    ("limits", "due"),
    [
        (TapeLimits(split_after_s=4.0), [False, True]),
        (TapeLimits(split_bytes=14), [False, True]),
        (BIG, [False, False]),
    ],
)
def test_a_file_is_due_for_a_split_by_time_or_by_size(tmp_path: Path, limits: TapeLimits, due: list[bool]) -> None:
    bench = Bench(tmp_path, limits)
    bench.head()
    seen: list[bool] = []
    for _ in range(2):
        bench.chunk(b"12345")
        seen.append(bench.tape.due_for_split())
    assert seen == due


def test_a_drop_that_never_came_back_is_no_gap_but_one_that_we_ended_is(tmp_path: Path) -> None:
    for reason, gaps in ((EndReason.GONE, 0), (EndReason.STOPPED, 1)):
        bench = Bench(tmp_path / reason.value)
        bench.head()
        bench.chunk(b"a")
        bench.tape.lose(GapCode.CONNECTION_LOST, "reset")
        bench.clock.tick(30)
        (book,) = bench.close(reason)
        assert [g.missing_s for g in book.gaps] == [30.0] * gaps


def test_a_clock_that_is_set_is_noted_and_changes_no_interval(bench: Bench) -> None:
    bench.head()
    bench.chunk(b"a")
    bench.clock.wall += timedelta(hours=1)
    bench.chunk(b"b")
    (book,) = bench.close()
    assert [c.by_s for c in book.clock_steps] == [3600.0]
    assert [c.end_s for c in book.chunks] == [2.0, 4.0]
    assert [e.data["by_s"] for e in bench.events if e.code is EventCode.CLOCK_SET] == [3600.0]


def test_files_that_exist_are_never_touched(tmp_path: Path) -> None:
    opening = Opening("x.ts", "ts", datetime.now(UTC), "s", 1, "o")
    for name in ("x.ts", "x.ts.part", "x.ledger"):
        folder = tmp_path / name.replace(".", "-")
        folder.mkdir()
        (folder / name).write_text("mine")
        with pytest.raises(OutputExists):
            FileSink(folder / "x.ts", opening, HEAD)
        assert [p.name for p in folder.iterdir()] == [name]
        assert (folder / name).read_text() == "mine"


def test_a_file_that_came_meanwhile_is_not_overwritten(tmp_path: Path) -> None:
    sink = FileSink(tmp_path / "x.ts", Opening("x.ts", "ts", datetime.now(UTC), "s", 1, "o"), HEAD)
    (tmp_path / "x.ts").write_text("mine")
    with pytest.raises(OutputExists):
        sink.close("ended", datetime.now(UTC))
    assert (tmp_path / "x.ts").read_text() == "mine"
    assert (tmp_path / "x.ts.part").read_bytes() == b"HEAD"


def test_a_disk_that_takes_a_part_gets_the_rest_of_the_index_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def taking(real: Callable[..., int]) -> Callable[..., int]:
        return lambda fd, data, *at: real(fd, data[: 2 if len(data) <= 4 else None], *at)

    sink = FileSink(tmp_path / "x.ts", Opening("x.ts", "ts", datetime.now(UTC), "s", 1, "o"), HEAD)
    monkeypatch.setattr(os, "write", taking(os.write))
    monkeypatch.setattr(os, "pwrite", taking(os.pwrite))
    closed = sink.close("ended", datetime.now(UTC), [(0, b"INDX")], b"TAIL")
    assert closed.read_bytes() == b"INDXTAIL"


def test_a_full_disk_takes_the_chunk_back_and_the_next_one_fits(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.head()
    bench.chunk(b"a")
    real: Callable[..., int] = os.writev

    def full(fd: int, buffers: list[bytes]) -> int:
        real(fd, [b"".join(buffers)[:2]])
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "writev", full)
        with pytest.raises(DiskFull):
            bench.tape.write([b"does not fit"])
    bench.tape.rollback()
    bench.tape.lose(GapCode.DISK_FULL, "no space")
    bench.chunk(b"fits", source_jump=9.0)
    (book,) = bench.close()
    assert (bench.folder / "show-1.ts").read_bytes() == b"HEADafits"
    assert [(g.code, g.missing_s) for g in book.gaps] == [(GapCode.DISK_FULL, 9.0)]


def test_the_ledger_of_a_running_recording_is_locked(bench: Bench) -> None:
    import fcntl

    bench.head()
    bench.chunk(b"a")
    with (bench.folder / "show-1.ledger").open("rb") as other, pytest.raises(BlockingIOError):
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
    assert FileBusy.code == "file_busy"
    bench.close()


def test_of_several_files_only_one_is_removed(bench: Bench) -> None:
    bench.head()
    bench.chunk(b"one")
    bench.head()
    bench.chunk(b"two")
    (bench.folder / "show-2.ts.part").unlink()
    bench.head()
    bench.chunk(b"three", 3.0)
    bench.tape.finish(EndReason.ENDED)
    for part in bench.tape.closed:
        part.sink.release()
    assert [part.lost for part in bench.tape.closed] == [False, True, False]
    assert [(gap.code.value, gap.at_s, gap.missing_s) for gap in bench.tape.gaps] == [("file_removed", 2.0, 2.0)]
    (gap,) = bench.tape.gaps
    assert (gap.wall_end - gap.wall_start).total_seconds() == 2.0
    counters = bench.tape.counters
    assert (counters.media_s, counters.bytes, counters.gaps, counters.missing_s) == (5.0, 8, 1, 2.0)


def test_what_is_no_broadcast_has_no_times_in_the_future(bench: Bench) -> None:
    """A complete playlist without dates, read ten times as fast as it plays: half a minute of media in three seconds."""
    bench.head()
    began = bench.clock.wall
    for number in range(10):
        if number == 5:
            bench.tape.lose(GapCode.SEGMENT_GONE, "404", missing_s=30.0, first_sequence=5, last_sequence=14)
        bench.clock.tick(-2.7)
        bench.chunk(b"chunk", 3.0, sequence=number + 10 * (number >= 5))
    bench.tape.lose(GapCode.DISK_FULL, "full", missing_s=60.0)
    (book,) = bench.close(EndReason.STOPPED)
    walls = [chunk.wall for chunk in book.chunks]
    assert walls == sorted(walls)
    assert walls[-1] <= bench.clock.wall
    first, last = book.gaps
    assert began <= first.wall_start == first.wall_end <= last.wall_start == last.wall_end == bench.clock.wall
    assert (first.missing_s, last.missing_s) == (30.0, 60.0)
    assert not first.is_dated


def test_a_gap_behind_what_came_ahead_of_its_time_has_a_length(bench: Bench) -> None:
    """A server sends some seconds at once to whoever connects."""
    bench.head()
    for _ in range(4):
        bench.clock.tick(-1.9)
        bench.chunk(b"burst")
    bench.clock.tick(0.5)
    bench.tape.lose(GapCode.CONNECTION_LOST, "reset")
    bench.source += 1.0
    bench.clock.tick(-1.5)
    bench.chunk(b"burst")
    (book,) = bench.close()
    (gap,) = book.gaps
    assert gap.missing_s == 1.0
    assert gap.wall_end == book.chunks[-1].wall
    assert gap.wall_start < gap.wall_end


def test_a_gap_of_a_stream_ends_where_what_follows_begins(bench: Bench) -> None:
    bench.head()
    bench.chunk(b"before")
    bench.clock.tick(5.0)
    bench.tape.lose(GapCode.CONNECTION_LOST, "reset")
    bench.source += 20.0
    bench.chunk(b"after")
    (book,) = bench.close()
    (gap,) = book.gaps
    assert gap.missing_s == 20.0
    assert gap.wall_start == book.chunks[0].wall + timedelta(seconds=2)
    assert gap.wall_end == book.chunks[1].wall
    assert gap.is_dated
