"""`ouzel import`: line by line, for people and for programs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from ouzel.cli import texts
from ouzel.cli.main import run

DATA = Path(__file__).parents[1] / "data" / "import"
SECRETS = ("secret-mail", "secret-soop", "secret-cam", "secret-redis", "secret-proxy", "ttwid", "AuthTicket")


@pytest.fixture(autouse=True)
def english(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("OUZEL_LANG", "en")
    texts.language.cache_clear()
    yield
    texts.language.cache_clear()


def test_a_list_of_rooms_line_by_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["import", "--dry-run", str(DATA / "rooms.ini")]) == 3
    told = capsys.readouterr().out.splitlines()
    assert told[0].endswith("rooms.ini: live recorder, list of rooms")
    assert told[1] == "     3  taken    https://live.douyin.com/745964462470  original"
    assert "    10  changed  a comma was missing before the name" in told
    assert "    18  REFUSED  there is no address: just words" in told
    assert told[-2] == "14 channel(s), 0 setting(s), 0 download(s); 10 notice(s), 2 problem(s)"
    assert told[-1] == "nothing was changed: this is what would be taken"


def test_one_object_for_programs(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["import", "--dry-run", "--json", str(DATA / "rooms.ini")]) == 3
    doc = json.loads(capsys.readouterr().out)
    assert doc["event"] == "import"
    assert set(doc) >= {"channels", "settings", "notices", "problems"}
    assert [each["line"] for each in doc["problems"]] == [17, 18]
    assert all(each["message"] for each in (*doc["notices"], *doc["problems"]))
    assert doc["channels"][1] | {"file": "", "settings": {}, "extra": {}} == {
        "url": "https://live.bilibili.com/32",
        "name": "x",
        "quality": "uhd",
        "paused": False,
        "platform": "bilibili",
        "line": 4,
        "file": "",
        "why_paused": "",
        "has_own_quality": True,
        "mode": "record",
        "settings": {},
        "extra": {},
    }


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("options", [[], ["-v"], ["--json"]])
def test_everything_is_told_but_secrets(
    language: str, options: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OUZEL_LANG", language)
    assert run(["import", "--dry-run", *options, str(DATA)]) == 3
    told = "".join(capsys.readouterr())
    assert [word for word in SECRETS if word in told] == []
    assert "rtsp://***@192.0.2.7" in told


def test_recordings_on_the_disk(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "抖音直播" / "小明"
    folder.mkdir(parents=True)
    (folder / "小明_2026-01-02_03-04-05.ts").write_bytes((b"\x47" + bytes(187)) * 4)
    (folder / "notes.txt").write_text("x")
    assert run(["import", "--dry-run", "--adopt", str(tmp_path), "-v"]) == 0
    told = capsys.readouterr().out
    assert "2026-01-02 03:04:05  douyin  小明  1 file(s)  752 B" in told
    assert f"left alone: {folder / 'notes.txt'} (no media)" in told
    assert run(["import", "--dry-run", "--json", "--adopt", str(tmp_path)]) == 0
    doc = json.loads(capsys.readouterr().out)
    assert [(each["channel"], each["platform"], each["bytes"]) for each in doc["recordings"]] == [
        ("小明", "douyin", 752)
    ]
    assert [each["why"] for each in doc["left"]] == ["no_media"]


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        ([], 2, "no file or folder is given"),
        (["--dry-run", "none.ini"], 4, ""),
        (["--dry-run", "empty"], 2, "nothing in empty can be imported"),
        (["--dry-run", "--adopt", "none"], 2, "none"),
        (["notes.txt"], 4, ""),
        (["--dry-run", "notes.txt"], 4, ""),
    ],
)
def test_what_cannot_be(
    arguments: list[str],
    code: int,
    told: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    (tmp_path / "notes.txt").write_text("hello")
    assert run(["import", *arguments]) == code
    assert told in capsys.readouterr().err


def test_files_are_not_written_to(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for path in DATA.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in tmp_path.iterdir()}
    run(["import", "--dry-run", str(tmp_path)])
    capsys.readouterr()
    assert {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in tmp_path.iterdir()} == before


def test_what_becomes_a_pipeline_is_taken(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "config.ini"
    path.write_text("[录制设置]\n录制完成后自动转为mp4格式 = 是\n")
    assert run(["import", "--dry-run", str(path)]) == 0
    told = capsys.readouterr().out
    assert told.count("  taken  ") == 2
    assert "  left  " not in told
