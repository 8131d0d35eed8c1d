"""What is shown while recordings run, and what is only told to those who want to know more."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

import pytest

from ouzel.cli import texts
from ouzel.cli.output import NORMAL, QUIET, VERBOSE, Output
from ouzel.cli.progress import Progress, fit
from ouzel.cli.reports import end_code, joined_report, print_reports
from ouzel.engine.parts import Counters
from ouzel.engine.recorder import Recorder
from ouzel.engine.tape import Tape
from ouzel.model.events import Event, EventCode
from ouzel.model.flow import EndReason, Gap, GapCode
from ouzel.model.report import FileReport, Report
from ouzel.model.states import RecordingState

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def english(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("OUZEL_LANG", "en")
    texts.language.cache_clear()
    yield
    texts.language.cache_clear()


def event(code: EventCode, source: str = "one", /, **data: Any) -> Event:
    return Event(NOON, code, source, data)


def trouble(source: str = "one") -> Event:
    return event(EventCode.RECONNECTING, source, code="stalled", why="nothing came", delay_s=1.0)


def lines(
    events: list[Event], capsys: pytest.CaptureFixture[str], *, level: int = NORMAL, several: bool = False
) -> list[str]:
    progress = Progress(Output(level=level), several=several)
    for each in events:
        progress.listen(each)
    return [line.partition("  ")[2] for line in capsys.readouterr().err.splitlines()]


def test_the_first_tries_are_told_only_to_those_who_want_more(capsys: pytest.CaptureFixture[str]) -> None:
    opened = event(EventCode.FILE_OPENED, path="x.ts.part")
    told = "nothing came (stalled); trying again in 1.0 s"
    assert lines([trouble()], capsys) == []
    assert lines([trouble()], capsys, level=VERBOSE) == [told]
    assert lines([opened, trouble()], capsys) == [told]
    assert lines([opened, trouble("two")], capsys, several=True) == []
    assert lines([opened, trouble()], capsys, level=QUIET) == []


def test_why_is_told_in_the_users_language(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OUZEL_LANG", "zh")
    texts.language.cache_clear()
    assert lines([trouble()], capsys, level=VERBOSE) == ["长时间没有收到数据：nothing came（stalled）；1.0 s 后重试"]


def test_who_waits_is_told_why_once_for_each_reason(capsys: pytest.CaptureFixture[str]) -> None:
    def wait(code: str) -> Event:
        return event(EventCode.RECONNECTING, code=code, why=f"it is {code}", delay_s=1.0)

    assert lines([wait("gone")] * 3, capsys) == []
    events = [wait("gone")] * 5 + [wait("stalled")] * 2 + [wait("gone")]
    assert [line.partition(";")[0] for line in lines(events, capsys)] == [
        "it is gone (gone)",
        "it is stalled (stalled)",
        "it is gone (gone)",
    ]


def test_who_waits_for_a_page_is_told_why_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    """The next try is half a minute away."""
    wait = event(EventCode.RECONNECTING, code="blocked", why="a captcha", delay_s=31.0)
    assert lines([wait] * 3, capsys) == ["a captcha (blocked); trying again in 31.0 s"]


def test_a_full_disk_is_one_notice_for_all_that_write_to_it(capsys: pytest.CaptureFixture[str]) -> None:
    def full(source: str) -> Event:
        return event(EventCode.PAUSED, source, code="disk_full", why="no space left")

    def room(source: str) -> Event:
        return event(EventCode.RESUMED, source)

    events = [full("a"), full("b"), full("c"), room("b"), room("a"), room("c"), full("b"), room("b")]
    told = ["paused: no space left (disk_full)", "going on"]
    assert lines(events, capsys, several=True) == told * 2
    assert len(lines(events, capsys, several=True, level=VERBOSE)) == len(events)


def test_a_line_fits_into_the_terminal() -> None:
    assert fit("recording", 20) == "recording"
    assert fit("recording", 4) == "reco"
    assert fit("录制中 1", 5) == "录制", "a wide character takes two columns"
    assert fit("录制中 1", 8) == "录制中 1"
    assert fit("", 0) == ""


def recordings(states: list[RecordingState]) -> list[tuple[Recorder, Tape]]:
    return [
        (
            cast("Recorder", SimpleNamespace(state=state, spec=SimpleNamespace(source=f"http://h/{n}"))),
            cast("Tape", SimpleNamespace(counters=Counters())),
        )
        for n, state in enumerate(states)
    ]


@pytest.mark.anyio
async def test_where_there_is_no_room_for_all_those_in_trouble_come_first() -> None:
    states = [RecordingState.RECORDING] * 5 + [RecordingState.PARKED, RecordingState.DONE]
    progress = Progress(Output(), several=True)
    built = recordings(states)
    progress.begin(built, 1.0)
    assert len(progress.lines(built, 20)) == 6, "the one that is over has none"
    first, *_, last = shown = progress.lines(built, 4)
    assert first == "reconnecting  00:00:00.0  0 B  0 kb/s  gaps 0  reconnects 0  http://h/5"
    assert last == "... and 3 more"
    assert len(shown) == 4


@pytest.mark.anyio
@pytest.mark.parametrize("rows", [0, 1, 2, 50])
async def test_no_terminal_is_too_small(
    rows: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Output, "terminal_size", lambda _output: (1, rows))
    progress = Progress(Output(), several=True)
    built = recordings([RecordingState.RECORDING] * 3)
    progress.begin(built, 1.0)
    progress._draw(built)
    assert capsys.readouterr().err.count("\x1b[2K") == max(1, min(3, rows - 1))


GAP = Gap(1.0, GapCode.CONNECTION_LOST, "reset", NOON, NOON, 2.0)
FILE = FileReport("a.ts", "a.ledger", "ts", 10, 1.0, 0)


def report(
    reason: EndReason = EndReason.ENDED, *, files: int = 1, damaged: int = 0, error: str = "", **more: Any
) -> Report:
    kept = (replace(FILE, damaged_chunks=damaged),) * files
    return Report("s", NOON, NOON, reason, kept, error=(error, "words") if error else None, **more)


@pytest.mark.parametrize(
    ("reports", "code"),
    [
        ([report()], 0),
        ([report(EndReason.GONE)], 0),
        ([report(EndReason.GONE, error="short_body", unsent_bytes=1)], 3),
        ([report(EndReason.STOPPED)], 0),
        ([report(gaps=(GAP,))], 3),
        ([report(EndReason.FAILED, error="unsupported_media")], 3),
        ([report(damaged=2)], 3),
        ([report(EndReason.NEVER_STARTED, files=0, error="gone")], 4),
        ([report(EndReason.STOPPED, files=0)], 4),
        ([report(EndReason.NEVER_STARTED, files=0, error="unknown_quality")], 2),
        ([report(EndReason.NEVER_STARTED, files=0, error="bad_url")], 4),  # one that a playlist names
        ([report(EndReason.DISK, error="disk_full")], 5),
        ([report(), report(gaps=(GAP,)), report(EndReason.NEVER_STARTED, files=0, error="gone")], 4),
    ],
)
def test_the_worst_recording_gives_the_exit_code(reports: list[Report], code: int) -> None:
    assert end_code(reports) == code


def test_a_joined_report_adds_up() -> None:
    joined = joined_report(
        [report(media_s=1.5, bytes=10, runs=1), report(EndReason.GONE, media_s=2.0, gaps=(GAP,), runs=2)]
    )
    assert joined["media_s"] == 3.5
    assert joined["missing_s"] == 2.0
    assert joined["runs"] == 3
    assert joined["end_reason"] == "mixed"
    assert [gap["source"] for gap in joined["gaps"]] == ["s"]
    assert type(joined_report([report()])["missing_s"]) is float


def test_what_came_damaged_is_counted_and_told(capsys: pytest.CaptureFixture[str]) -> None:
    reports = [report(files=2, damaged=2), report()]
    joined = joined_report(reports)
    assert joined["damaged_chunks"] == 4
    assert [file["damaged_chunks"] for file in joined["files"]] == [2, 2, 0]
    assert [doc["damaged_chunks"] for doc in joined["recordings"]] == [4, 0]
    print_reports(reports, Output())
    assert capsys.readouterr().out.count("4 chunk(s) came damaged") == 1


@pytest.mark.parametrize("command", [["record", "http://h/a.flv"], ["verify", "a.ts"]])
def test_more_and_less_cannot_both_be_told(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    from ouzel.cli.main import run

    assert run([*command, "-v", "-q"]) == 2
    assert capsys.readouterr().err.endswith("(bad_option)\n")


def test_a_file_that_stays_as_it_is_is_told_in_the_language_of_the_user(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    told = {"path": "x.ts", "format": "mkv", "reason": "no ffmpeg", "why": "x.ts stays as it is: no ffmpeg"}
    failed, late = (event(EventCode.WARNING, code=code, **told) for code in ("tool_missing", "stopped"))
    assert lines([failed], capsys) == ["x.ts stays as it is: no ffmpeg (tool_missing)"]
    monkeypatch.setenv("OUZEL_LANG", "zh")
    texts.language.cache_clear()
    assert lines([failed, late], capsys) == [
        "x.ts 保持原样：no ffmpeg（tool_missing）",
        "x.ts 保持原样：没有时间再转成 mkv（stopped）",
    ]
