"""What is shown while downloads run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ouzel.base.errors import Gone
from ouzel.cli import texts
from ouzel.cli.download_bars import Bars
from ouzel.cli.output import Output, columns, fit
from ouzel.model.downloads import DownloadOutcome, DownloadProgress

BUSY = DownloadProgress(
    "fetching", 1234, 17000, 1_570_000_000, 100.0, 1400.0, speed_bps=12_800_000, eta_s=185, retries=12, gaps=3,
    file="/films/a film with a name that is long.ts",
)  # fmt: skip


@pytest.fixture(autouse=True, params=["en", "zh"])
def language(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("OUZEL_LANG", request.param)
    texts.language.cache_clear()
    yield request.param
    texts.language.cache_clear()


def drawn(bars: Bars, width: int, height: int = 24, most: int = 20) -> list[str]:
    return bars.picture(most=min(most, height - 2), width=width - 1)


def many(count: int, progress: DownloadProgress = BUSY) -> Bars:
    bars = Bars(Output(), [f"https://example.org/{number}.m3u8" for number in range(count)])
    for number in range(count):
        bars.begin(number)
        bars.tell(number, progress)
    return bars


@pytest.mark.parametrize("width", [80, 140])
def test_nothing_that_changes_is_cut_off(width: int) -> None:
    line = fit(drawn(many(1), width)[0], width - 1)
    for word in ("1234/17000", "12.8 MB/", "3 min 05 s", "12", "3", " %"):
        assert word in line
    assert line.startswith("a film ")
    assert (width == 140) == ("1.57 GB" in line) == ("█" in line)


def test_where_there_is_room_there_is_a_bar_at_80_columns() -> None:
    [line] = drawn(many(1, DownloadProgress("fetching", 15, 30, 1_970_000, speed_bps=159e3, eta_s=6.2)), 80)
    assert columns(line) < 80
    assert line.count("█") == line.count("░") > 4


@pytest.mark.parametrize(("count", "lines"), [(1, 1), (3, 4), (30, 11)])
def test_as_many_bars_as_there_are_lines_and_their_total_under_them(count: int, lines: int) -> None:
    bars = many(count)
    told = drawn(bars, 80, height=12)
    assert len(told) == lines
    if count > 1:
        assert f"{count}" in told[-1]
        assert "GB" in told[-1]
    if count == 30:
        assert "21" in told[-2]


def test_the_total_tells_what_has_failed_apart(language: str, tmp_path: Path) -> None:
    bars = many(3)
    bars.failed(0, Gone("it is gone", status=404))
    bars.done(1, DownloadOutcome(tmp_path / "film.ts", None, "ts", 5, 1.0, 1, 5))
    told = drawn(bars, 80)
    assert len(told) == 2
    assert ("1 of 3 done" if language == "en" else "完成 1/3") in told[-1]
    assert ("1 failed" if language == "en" else "失败 1") in told[-1]


@pytest.mark.parametrize(
    ("label", "file", "shown"),
    [
        ("https://example.org/a/very/long/way/to/720p.m3u8?token=1", "", "…y/long/way/to/720p.m3u8"),
        ("a name given by its user which is long", "", "a name given by its use…"),
        ("x", "/films/x.tracks/audio-en.ts", "audio-en x"),
    ],
)
def test_lines_are_told_apart_by_their_labels(label: str, file: str, shown: str) -> None:
    bars = Bars(Output(), [label])
    bars.begin(0)
    bars.tell(0, DownloadProgress("fetching", file=file))
    [line] = drawn(bars, 140)
    assert line.startswith(shown)
