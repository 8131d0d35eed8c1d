"""`ouzel platforms`: what is known of each, for people and for programs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib import import_module

import pytest

from ouzel.cli import texts
from ouzel.cli.main import run
from ouzel.cli.output import columns
from ouzel.platforms.contract import Platform, Probing
from ouzel.platforms.registry import registry


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    texts.language.cache_clear()
    yield
    texts.language.cache_clear()


@pytest.mark.parametrize("language", ["en", "zh"])
def test_it_fits_a_terminal_but_for_addresses_that_do_not(
    language: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OUZEL_LANG", language)
    assert run(["platforms"]) == 0
    told = capsys.readouterr().out.splitlines()
    assert [line for line in told if columns(line) > 80 and not line.startswith("  https://")] == []
    for platform in registry():
        assert any(platform.title in line and platform.title_zh in line for line in told)
        assert any(line.startswith(f"  {platform.example}") for line in told)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("bili", ["bilibili"]),
        ("哔哩", ["bilibili"]),
        ("BILIBILI.com", ["bilibili"]),
        ("https://www.twitch.tv/somebody", ["twitch"]),
        ("https://b23.tv/abc", ["bilibili"]),
        ("https://www.twitch.tv/", ["twitch"]),
    ],
)
def test_some_of_them(text: str, names: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["platforms", text, "--json"]) == 0
    assert [json.loads(line)["name"] for line in capsys.readouterr().out.splitlines()] == names


def test_none_of_them(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OUZEL_LANG", "en")
    assert run(["platforms", "hyua"]) == 2
    assert "no platform has 'hyua' in its names or addresses; is it huya" in capsys.readouterr().err


def test_everything_is_told_to_who_wants_it(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OUZEL_LANG", "en")
    assert run(["platforms", "bilibili", "-v"]) == 0
    told = capsys.readouterr().out
    for words in ("own > streamlink", "flv/hls", "cookie helps, many at once", "live.bilibili.com/{room:int}", " 50 "):
        assert words in told


@pytest.mark.parametrize("platform", [*registry()], ids=lambda platform: platform.name)
def test_what_is_said_of_many_at_once_is_what_its_code_does(platform: Platform) -> None:
    asked_by = None
    if "own" in platform.chain:
        asked_by = import_module(f"ouzel.platforms.sites.{platform.name.replace('-', '_')}").adapter()
    assert platform.at_once == (asked_by.at_once if isinstance(asked_by, Probing) else 0)
