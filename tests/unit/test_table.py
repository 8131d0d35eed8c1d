"""The picture of a daemon fits every terminal, in both languages, and says in words what it says in colour."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from rich.cells import cell_len

from ouzel.cli import texts
from ouzel.daemon.table import Table
from ouzel.model.overview import (
    CHANNEL_STATES,
    TASK_KINDS,
    TASK_STATES,
    ChannelLine,
    NoticeLine,
    Overview,
    RootLine,
    TaskLine,
    Trouble,
)

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
STALLED = Trouble("stalled", "nothing came for 10 s")
CHANNELS = (
    ChannelLine(
        "a", "小明", "huya", "recording", NOON, "第一局", "", "原画", 61.5, 10**6, 4 * 10**6, 1, 2.5, "/m/a.ts"
    ),
    ChannelLine("b", "bob", "twitch", "live", NOON, "a title", not_recorded="schedule"),
    ChannelLine("c", "carol", "twitch", "offline"),
    ChannelLine("d", "一个名字非常非常长的频道，长得放不下", "douyin", "parked", last_error=STALLED),
    ChannelLine("e", "eve \x1b[2J\n\u202e", "kick", "blocked", last_error=Trouble("blocked", "it answers 403\x07")),
)
SEEN = Overview(
    NOON, "1.0", "http://127.0.0.1:8521", NOON, CHANNELS,
    roots=(RootLine("recordings", "/m", 10**9, 5 * 10**9),),
    notices=tuple(NoticeLine("disk_low", "warning", "there is little room", NOON) for _ in range(5)),
)  # fmt: skip


@pytest.fixture(autouse=True, params=["en", "zh"])
def language(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("OUZEL_LANG", request.param)
    texts.language.cache_clear()
    yield request.param
    texts.language.cache_clear()


def test_it_fits_every_terminal() -> None:
    for width in range(2, 180):
        for height in (1, 4, 8, 24):
            picture = Table(texts, width, height).picture(SEEN)
            assert max(map(cell_len, picture)) < width
            assert len(picture) <= max(height, 3)


def test_columns_stand_below_each_other() -> None:
    picture = Table(texts).picture(SEEN)
    head, *rows = picture[-6:]
    place = cell_len(head[: head.index(texts.tr("table.state"))])
    for row, line in zip(rows, CHANNELS, strict=True):
        state = texts.tr(f"state.{line.state}")
        assert cell_len(row[: row.index(state)]) == place + 2


def test_all_is_there_where_there_is_room() -> None:
    text = "\n".join(Table(texts, 200, 50).picture(SEEN))
    for word in (
        "小明",
        "原画",
        "00:01:01.5",
        "1 MB",
        "4.0 Mb/s",
        "1 (2.5 s)",
        "第一局",
        "stalled",
        "403",
        "8521",
        "1 GB",
    ):
        assert word in text
    assert text.count("disk_low") == 3


def test_the_troubled_and_the_live_are_shown_where_there_is_no_room() -> None:
    many = tuple(ChannelLine(str(n), f"n{n}", "huya", "offline") for n in range(500))
    picture = Table(texts, 160, 12).picture(replace(SEEN, channels=many + CHANNELS, notices=()))
    assert len(picture) == 12
    shown = "\n".join(picture)
    assert shown.index("stalled") < shown.index("小明") < shown.index("bob") < shown.index("blocked")
    assert "497" in picture[-1]


def test_colours_say_nothing_that_words_do_not() -> None:
    plain = Table(texts, 120, 30).picture(SEEN)
    coloured = Table(texts, 120, 30, colour=True).picture(SEEN)
    assert not any("\x1b" in line for line in plain)
    assert any("\x1b[31m" in line for line in coloured)
    assert [re.sub(r"\x1b\[\d+m", "", line) for line in coloured] == plain


def test_names_steer_nothing() -> None:
    for line in Table(texts, 120, 30).picture(SEEN):
        assert line.isprintable()


def test_every_state_has_words() -> None:
    channels = tuple(ChannelLine(state, state, "huya", state) for state in CHANNEL_STATES)
    assert len(Table(texts).picture(Overview(NOON, "1", "", NOON, channels))) == len(channels) + 2


def test_no_channels_at_all() -> None:
    assert Table(texts).picture(Overview(NOON, "1", "", NOON))[-1] == texts.tr("table.none")


def test_tasks_are_told_by_kind_with_their_states() -> None:
    tasks = tuple(
        TaskLine(kind, f"{kind}:{state}", f"小 {state}", state, 61.0, 2, STALLED if state == "failed" else None)
        for kind in TASK_KINDS
        for state in TASK_STATES
    )
    lines = Table(texts).tasks(replace(SEEN, tasks=tasks))
    assert len(lines) == len(TASK_KINDS) * (len(TASK_STATES) + 1)
    for state in TASK_STATES:
        assert sum(state in line for line in lines) == len(TASK_KINDS)
    assert "process" in lines[0]
    assert "stalled" in next(line for line in lines if "failed" in line)
    assert Table(texts).tasks(SEEN) == [texts.tr("tasks.none")]


def test_downloads_are_counted_where_there_are_any() -> None:
    tasks = (TaskLine("download", "dl:1", "1", "running"), TaskLine("download", "dl:2", "2", "queued"))
    words = texts.tr("table.downloads", count=2)
    assert words in Table(texts).picture(replace(SEEN, tasks=tasks))[0]
    assert words not in Table(texts).picture(SEEN)[0]
