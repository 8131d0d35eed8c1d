"""What the words of `ouzel download` become."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ouzel.base.errors import BadOption, OuzelError
from ouzel.cli.download_defaults import Usual, read_usual
from ouzel.cli.downloading import Task, Words, read_tasks
from ouzel.cli.output import Output
from ouzel.model.downloads import PROFILES, Pace

URL = "https://example.org/film.m3u8"
KEY = bytes(range(16))
Read = Callable[..., list[Task]]


def words(*urls: str, **given: Any) -> Words:
    usual: dict[str, Any] = {
        **dict.fromkeys(("output", "name", "profile", "threads", "limit_rate", "from_", "to", "format_", "key")),
        "quality": "best", "audio": (), "subs": (), "headers": (), "streaming": False, "allow_gaps": False,
        "keep_tracks": False, "min_free": "0",
    }  # fmt: skip
    usual |= given
    return Words(urls or (URL,), **usual)


def read(*urls: str, usual: Usual | None = None, **given: Any) -> list[Task]:
    tasks, broken = read_tasks(words(*urls, **given), usual or Usual(), Output())
    assert not broken
    return tasks


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OUZEL_LANG", "en")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "none"))


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"key": "0011"}, "the key has 2 bytes"),
        ({"key": ""}, "the key has 0 bytes"),
        ({"key": "no hex"}, "as a file: no such file"),
        ({"key": "/"}, "as a file: is a directory"),
        ({"key": "x" * 300}, "as a file: file name too long"),
        ({"key": "~nobody-of-this-name/key"}, "as a file: no such user"),
        ({"key": __file__}, "the key has more than 1024 bytes"),
        ({"from_": "20", "to": "10"}, "--from must lie before --to"),
        ({"to": "0"}, "--from must lie before --to"),
        ({"from_": "soon"}, "'soon' is not a duration"),
        ({"limit_rate": "0"}, "more than nothing"),
        ({"limit_rate": ""}, "'' is not a size"),
        ({"output": "film.avi"}, "Ouzel makes no .avi"),
        ({"output": "~nobody-of-this-name/x.ts"}, "there is no user of this name"),
        ({"output": "film.ts", "format_": "mp4"}, "--format says mp4"),
        ({"output": "film.ts", "name": "other"}, "another name"),
        ({"headers": ("nothing",)}, "a header is written as"),
        ({"threads": 16, "usual": Usual(most_connections=8)}, "most_connections = 8"),
    ],
)
def test_what_cannot_be_is_one_sentence(given: dict[str, Any], why: str) -> None:
    with pytest.raises(BadOption) as told:
        read(**given)
    assert why in str(told.value)


def test_a_key_is_hexadecimal_or_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "bytes").write_bytes(KEY)
    (tmp_path / "digits").write_text(f"0x{KEY.hex()}\n")
    for text in (KEY.hex(), f"0x{KEY.hex()}", "bytes", "digits"):
        [task] = read(key=text)
        assert task.wish.key == KEY


@pytest.mark.parametrize("given", [{"name": "x"}, {"output": "x.ts"}])
def test_several_addresses_and_one_name_are_refused(given: dict[str, Any]) -> None:
    with pytest.raises(BadOption, match="several addresses, and one name"):
        read(URL, "https://example.org/other.m3u8", **given)


def test_an_address_is_not_fetched_twice() -> None:
    with pytest.raises(BadOption, match="the same address is given twice"):
        read(URL, URL)


# -- files of tasks ---------------------------------------------------------------------------------------------------


def of_file(tmp_path: Path, text: str, capsys: pytest.CaptureFixture[str]) -> tuple[list[Task], list[str]]:
    (tmp_path / "tasks.json").write_text(text)
    tasks, broken = read_tasks(words("tasks.json"), Usual(), Output())
    told = capsys.readouterr().err.splitlines()
    assert sum("error" in line for line in told) == broken
    return tasks, told


@pytest.mark.parametrize(
    ("entry", "why"),
    [
        ({"name": "none"}, "there is no address"),
        ({"url": "zzz"}, "zzz"),
        ("a text", "there is no address"),
        ({"url": "ftp://example.org/x.m3u8"}, "ftp: is no scheme"),
        ({"url": "https://example.org/1.m3u8", "profile": "faster"}, "faster is no profile"),
        ({"url": "https://example.org/1.m3u8", "output_dir": "a\0b"}, "no folder has such a name"),
        ({"url": "https://example.org/1.m3u8", "output_dir": __file__}, "is not a folder"),
        ({"url": "https://example.org/1.m3u8", "name": "One"}, "one name: one"),
        ({"url": URL, "name": "one"}, "given twice"),
    ],
)
def test_a_broken_entry_is_told_with_its_line_and_the_others_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], entry: Any, why: str
) -> None:
    entries = [{"url": URL, "name": "one"}, entry, {"url": "https://example.org/2.m3u8", "name": "two"}]
    tasks, [told] = of_file(tmp_path, json.dumps(entries, indent=0).replace('{\n"', '{"'), capsys)
    assert [task.wish.stem for task in tasks] == ["one", "two"]
    assert why in told
    assert "tasks.json:" in told


def test_a_key_that_is_not_known_is_told_and_the_entry_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tasks, [told] = of_file(tmp_path, f'[\n{{"url": "{URL}", "colour": "red"}}]', capsys)
    assert len(tasks) == 1
    assert told == "warning: tasks.json:2: tasks.colour is not known, and not taken (key_unknown)"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('[{"url": "x"', "tasks.json:1: it cannot be read from here on"),
        ('[\n{"url": "x" "name": 5}]', "tasks.json:2: it cannot be read from here on"),
        ("", "tasks.json: it is empty"),
        ('{"x": 1}', "tasks.json is no list of tasks"),
        ("[]", "tasks.json is no list of tasks"),
    ],
)
def test_a_file_without_tasks_says_why(tmp_path: Path, text: str, why: str) -> None:
    (tmp_path / "tasks.json").write_text(text)
    with pytest.raises(BadOption) as told:
        read("tasks.json")
    assert str(told.value).startswith(why)


def test_a_file_that_is_not_there_says_so() -> None:
    with pytest.raises(OuzelError, match=r"tasks\.json cannot be read: no such file or directory"):
        read("tasks.json")


def test_a_folder_of_an_entry_is_from_that_of_the_call_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "tasks.json").write_text(
        json.dumps([{"url": URL, "output_dir": "films"}, {"url": URL, "output_dir": "/f"}])
    )
    folders = [task.wish.folder for task in read("tasks.json", output="out")]
    assert folders == [tmp_path / "out" / "films", Path("/f")]


# -- what is set ------------------------------------------------------------------------------------------------------


def test_nothing_set_is_as_an_empty_file(tmp_path: Path) -> None:
    (tmp_path / "ouzel.toml").write_text("")
    assert read_usual(None) == Usual() == read_usual(tmp_path / "ouzel.toml")


def test_what_is_set_counts_where_the_words_do_not_say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "ouzel.toml").write_text(
        '[download]\nfolder = "films"\nat_once = 5\nconnections = 4\nread_timeout = "30s"\nprofile = "stable"\n'
        "[download.profiles.stable]\nretries = 9\n"
    )
    usual = read_usual(tmp_path / "ouzel.toml")
    assert usual.at_once == 5
    [task] = read(usual=usual)
    assert task.wish.folder == tmp_path / "films"
    assert task.wish.pace == Pace(8, 9, 2.0, read_s=30.0)
    [task] = read(usual=usual, profile="fast", threads=3, output=".", limit_rate="5M")
    assert task.wish.folder == tmp_path
    assert task.wish.pace == Pace(3, 1, PROFILES["fast"].retry_delay_s, read_s=30.0, rate_bps=5_000_000)
    monkeypatch.setenv("OUZEL_DOWNLOAD__FOLDER", "/elsewhere")
    assert read_usual(tmp_path / "ouzel.toml").folder == Path("/elsewhere")
