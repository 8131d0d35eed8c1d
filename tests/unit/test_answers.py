"""How answers look to people."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ouzel.base.errors import Blocked, ConnectFailed, NeedsLogin, OuzelError, RegionLocked, SiteChanged
from ouzel.cli import texts
from ouzel.cli.answers import evidence_lines, lines, table
from ouzel.cli.output import columns
from ouzel.model.evidence import Evidence
from ouzel.model.live import Answer, Identity, Live, Offline, state_of
from ouzel.model.stream import Stream
from ouzel.platforms.chain import Told
from ouzel.platforms.contract import AdapterName

WHO = Identity("shop", "7")
SHOW = Live(
    WHO, "某人", (Stream("https://cdn.example/1", label="蓝光", level="bluray"), Stream("https://cdn.example/2"))
)


@pytest.fixture(autouse=True, params=["en", "zh"])
def speaking(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("OUZEL_LANG", request.param)
    texts.language.cache_clear()
    yield request.param
    texts.language.cache_clear()


def asked(**said: Answer | OuzelError) -> list[tuple[Told, float]]:
    names: dict[str, AdapterName] = {"own": "own", "streamlink": "streamlink", "ytdlp": "yt-dlp"}
    return [(Told(names[name], outcome, ()), 0.25) for name, outcome in said.items()]


def test_adapters_stand_side_by_side_and_differences_are_marked(speaking: str) -> None:
    other = Live(WHO, "somebody else", (Stream("https://cdn.example/1", height=1080),), title="A title that has no end")
    head, *rows, legend = table(asked(own=SHOW, streamlink=other, ytdlp=Offline(WHO, "某人")))
    assert [row.split()[0] for row in rows] == ["own", "streamlink", "yt-dlp"]
    assert "≠" not in rows[0]
    assert rows[1].count("≠") == 2  # who, and the best quality; the first one knows no title
    assert rows[2].count("≠") == 1  # the state
    assert "某人" in rows[0]
    assert "蓝光" in rows[0]
    assert legend.startswith("≠")
    assert "own" in legend
    assert all(columns(line) <= 80 for line in (head, *rows))


def test_who_knows_nothing_is_compared_with_who_does() -> None:
    _, *rows, legend = table(asked(own=SiteChanged("no idea"), streamlink=SHOW, ytdlp=SHOW))
    assert ["≠" in row for row in rows] == [True, False, False]
    assert "streamlink" in legend


def test_a_state_that_differs_is_told_whole(speaking: str) -> None:
    for outcome in (SiteChanged("no"), Blocked("no"), NeedsLogin("no"), RegionLocked("no"), Offline(WHO, "")):
        row = [*table(asked(own=SHOW, streamlink=outcome))][2]
        assert f"≠ {texts.tr(f'known.{state_of(outcome).value}')}" in row


def test_where_all_agree_nothing_is_marked() -> None:
    assert not [line for line in table(asked(own=SHOW, streamlink=SHOW)) if "≠" in line]
    assert not [line for line in table(asked(own=Blocked("no"), streamlink=Blocked("no"))) if "≠" in line]


def test_what_was_asked_is_shown_whole(speaking: str) -> None:
    error = SiteChanged("own does not understand what it was told", words="KeyError: 'data'", tried=[
        {"adapter": "own", "code": "site_changed", "why": "no state"},
        {"adapter": "yt-dlp", "code": "resolver_failed", "why": "no extractor"},
    ])  # fmt: skip
    told = Told("own", error, (
        Evidence("GET", "https://a.example/x?token=***", 200, "application/json", '{"data":\n null}', took_s=0.0123),
        Evidence("POST", "https://a.example/y", error="stalled", why="Timeout: 20 s", took_s=20, adapter="yt-dlp"),
    ))  # fmt: skip
    first, answer, second, *tried, words = evidence_lines(told)
    for word in ("own", "GET https://a.example/x?token=***", "200 application/json", "12 ms"):
        assert word in first
    assert answer.strip() == '{"data": null}'
    for word in ("yt-dlp", "POST", "Timeout: 20 s (stalled)", "20000 ms"):
        assert word in second
    assert len(tried) == 2
    assert "yt-dlp" in tried[1]
    assert "KeyError: 'data'" in words
    assert "KeyError" not in "".join(lines(told, "Shop"))


def test_streams_stand_in_columns() -> None:
    shown = [line for line in lines(Told("own", SHOW, ()), "Shop") if "cdn.example" in line]
    assert len({columns(line.partition("cdn.example")[0]) for line in shown}) == 1


def test_an_error_says_what_helps(speaking: str) -> None:
    shown = [*lines(Told("own", ConnectFailed("a.example: nobody answers"), ()), "Shop")]
    assert len(shown) == 2
    assert "(connect_failed)" in shown[0].replace("（", "(").replace("）", ")")
    assert "--proxy" in shown[1]
    if speaking == "zh":
        assert "无法连接" in shown[0]
