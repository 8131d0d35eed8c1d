"""The commands about files, as a shell sees them: what they print, and how they end."""

from __future__ import annotations

import json
import os
import re
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.recordings import record

from ouzel.cli import texts
from ouzel.cli.main import run
from ouzel.engine import ledgers
from ouzel.engine import recover as recovery
from ouzel.testing.clips import Clip


@pytest.fixture(autouse=True)
def _english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OUZEL_LANG", "en")
    monkeypatch.setenv("TZ", "UTC")
    texts.language.cache_clear()


class Shell:
    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, *args: object) -> tuple[int, str, str]:
        """Exit code, what was printed, what was said on stderr."""
        code = run([str(arg) for arg in args])
        out, err = self._capsys.readouterr()
        return code, out, err

    def json(self, *args: object) -> tuple[int, list[dict[str, Any]]]:
        code, out, _ = self(*args, "--json")
        return code, [json.loads(line) for line in out.splitlines()]


@pytest.fixture
def shell(capsys: pytest.CaptureFixture[str]) -> Shell:
    return Shell(capsys)


def test_verify_prints_gaps_and_says_how_it_is(tmp_path: Path, clip: Clip, shell: Shell) -> None:
    whole = record(tmp_path, clip, name="whole")
    holes = record(tmp_path, clip, name="holes", lost=[4])
    assert shell("verify", whole) == (0, f"clean  {whole}  00:00:12.0  522 kB  12 chunks\n", "")
    code, out, _ = shell("verify", whole, holes)
    assert code == 3
    assert out.splitlines()[2].startswith("  gap  1.0 s missing at 00:00:04.0, on air 2026-11-22 ")
    assert out.splitlines()[2].endswith(": 404 (segment_gone)")
    os.truncate(holes, 1000)
    code, out, _ = shell("verify", holes)
    assert code == 6
    assert "the file is too short" in out
    assert out.rstrip().endswith(")")


def test_verify_as_json(tmp_path: Path, clip: Clip, shell: Shell) -> None:
    media = record(tmp_path, clip, lost=[4])
    ledgers.ledger_path(media).unlink()
    code, (verdict,) = shell.json("verify", media)
    assert (code, verdict["event"], verdict["status"]) == (0, "verdict", "clean")
    assert verdict["findings"][0]["code"] == "rebuilt"


def test_verify_goes_on_after_a_file_that_is_none(tmp_path: Path, clip: Clip, shell: Shell) -> None:
    media = record(tmp_path, clip)
    (tmp_path / "page.ts").write_text("<html>" * 100)
    code, out, err = shell("verify", tmp_path / "none.ts", media)
    assert (code, out.split()[0]) == (2, "clean")
    assert err == f"ouzel: error: {tmp_path}/none.ts does not exist (bad_input)\n"
    assert shell("verify", tmp_path / "page.ts")[0] == 6


def test_recover_says_what_was_lost(tmp_path: Path, clip: Clip, shell: Shell) -> None:
    part = record(tmp_path, clip, close=False)
    os.truncate(part, part.stat().st_size - 60_000)
    code, out, _ = shell("recover", tmp_path)
    assert code == 3
    lines = out.splitlines()
    assert lines[0].startswith(f"closed  {tmp_path}/show.ts  00:00:1")
    assert lines[1].startswith("  cut off: ")
    assert lines[2].startswith("  lost: ")
    assert shell("recover", tmp_path) == (0, "nothing to recover\n", "")
    assert shell("recover", tmp_path / "none")[0] == 2


def test_recover_tells_each_file_when_it_is_done(
    tmp_path: Path, clip: Clip, shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a", "b"):
        record(tmp_path, clip, name=name, close=False)
    close_one = recovery._one  # pyright: ignore[reportPrivateUsage]

    def die_at_the_second(path: Path, tools: Any) -> Any:
        if path.name.startswith("b"):
            raise KeyboardInterrupt
        return close_one(path, tools)

    monkeypatch.setattr(recovery, "_one", die_at_the_second)
    code, (told, *_) = shell.json("recover", tmp_path)
    assert (code, told["path"], told["outcome"]) == (130, f"{tmp_path}/a.ts", "closed")


def test_a_ledger_of_wrong_values_is_no_traceback(tmp_path: Path, clip: Clip, shell: Shell) -> None:
    media = record(tmp_path, clip)
    book = ledgers.ledger_path(media)
    first, *others = book.read_bytes().splitlines(keepends=True)
    body = first.replace(b'"v":1', b'"v":"2"').rpartition(b',"x"')[0]
    book.write_bytes(b"".join((body + b',"x":"%08x"}\n' % zlib.crc32(body), *others)))
    assert shell("verify", media)[0] == 6
    assert shell("info", media)[0] == 0
    assert shell("clip", media, "--from", "2", "-o", tmp_path / "piece.ts")[0] == 2
    assert shell("recover", tmp_path)[0] == 3
    assert shell("verify", media)[0] == 0


def test_a_ledger_that_is_damaged_in_its_middle_is_not_passed_for_whole(
    tmp_path: Path, clip: Clip, shell: Shell
) -> None:
    """By none of the commands: all of the media is told of, and that its ledger is damaged."""
    media = record(tmp_path, clip, lost=[8])
    whole_s = shell.json("info", media)[1][0]["media_s"]
    book = ledgers.ledger_path(media)
    data = book.read_bytes()
    book.write_bytes(data.replace(b'"chunk","n":2', b'"chunc","n":2'))
    _, (known,) = shell.json("info", media)
    assert (known["media_s"], known["state"], known["chunks"]) == (whole_s, "closed", 10)
    assert known["ledger_damage"].startswith("unreadable at its byte")
    assert "the ledger is damaged" in shell("info", media)[1]
    code, (piece,) = shell.json("clip", media, "-o", tmp_path / "piece.ts")
    assert (code, piece["end_s"], len(piece["gaps"])) == (0, pytest.approx(whole_s, abs=0.001), 1)
    assert "is damaged" in piece["warnings"][0]
    assert shell("clip", media, "--from", "9", "--to", "10", "-o", tmp_path / "end.ts")[0] == 0
    code, (made,) = shell.json("remux", media, "-o", tmp_path / "show.mp4", "--replace")
    assert (code, media.exists()) == (0, True)
    assert "has a damaged ledger" in made["warnings"][0]
    assert shell("verify", tmp_path / "show.mp4")[0] == 6
    book.write_bytes(data.replace(b'"chunk","n":11', b'"chunc","n":11'))
    assert shell("remux", media, "-o", tmp_path / "show.mkv")[0] == 0


def test_a_ledger_without_its_beginning_is_a_damaged_one(tmp_path: Path, clip: Clip, shell: Shell) -> None:
    media = record(tmp_path, clip, lost=[8])
    book = ledgers.ledger_path(media)
    book.write_bytes(b"[" + book.read_bytes()[1:])
    code, (verdict,) = shell.json("verify", media)
    assert (code, len(verdict["gaps"])) == (6, 1)
    assert verdict["findings"][0]["code"] == "ledger_torn"
    _, (known,) = shell.json("info", media)
    assert (known["ledger"], bool(known["ledger_damage"])) == (None, True)


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir])
def test_what_has_the_name_of_a_ledger_and_is_no_file_is_not_waited_for(
    tmp_path: Path, clip: Clip, shell: Shell, make: Callable[[Path], None]
) -> None:
    media = record(tmp_path, clip)
    ledgers.ledger_path(media).unlink()
    make(tmp_path / "show.ledger")
    code, (verdict,) = shell.json("verify", media)
    assert (code, [f["code"] for f in verdict["findings"]]) == (0, ["rebuilt", "ledger_not_saved"])
    assert shell.json("info", media)[1][0]["state"] == "foreign"
    for words in (["clip", media, "-o", tmp_path / "piece.ts"], ["remux", media, "-o", tmp_path / "show.mkv"]):
        code, _, err = shell(*words)
        assert (code, "show.ledger is not a file" in err) == (2, True)
    make(tmp_path / "pipe.ts.part")
    make(tmp_path / "pipe.mp4.converting")
    assert shell("recover", tmp_path) == (0, "nothing to recover\n", "")
    media.rename(tmp_path / "show.ts.part")
    code, (told,) = shell.json("recover", tmp_path)
    assert (code, told["outcome"]) == (3, "unreadable")
    assert "is not a file" in told["detail"]


def test_clip_says_what_it_holds(tmp_path: Path, clip: Clip, shell: Shell) -> None:
    media = record(tmp_path, clip)
    code, out, _ = shell("clip", media, "--from", "00:00:02.5", "--to", "5s", "-o", tmp_path / "piece.ts")
    assert code == 0
    assert out.startswith(f"made {tmp_path}/piece.ts  00:00:02.0 to 00:00:05.0  (00:00:03.0, ")
    code, (made,) = shell.json("clip", media, "--from", "8", "-o", tmp_path / "end.ts")
    assert (code, made["start_s"], made["end_s"], made["gaps"]) == (0, 8.0, 12.0, [])
    assert shell("clip", media, "--from", "soon", "-o", tmp_path / "x.ts")[0] == 2
    assert shell("clip", media, "-o", tmp_path / "piece.ts")[0] == 2
    assert shell("clip", media)[0] == 2


def test_remux_replaces_only_when_told(tmp_path: Path, clip: Clip, shell: Shell) -> None:
    media = record(tmp_path, clip)
    code, (made,) = shell.json("remux", media, "-o", tmp_path / "show.mp4", "--replace")
    assert (code, made["event"], made["warnings"], media.exists()) == (0, "converted", [], False)
    assert shell("verify", tmp_path / "show.mp4")[0] == 0
    code, _, err = shell("remux", tmp_path / "show.mp4", "-o", tmp_path / "show.avi")
    assert (code, "not a format" in err) == (2, True)


def test_info_tells_all(tmp_path: Path, clip: Clip, shell: Shell) -> None:
    media = record(tmp_path, clip, lost=[4])
    code, out, _ = shell("info", media)
    assert code == 0
    words = [line.split()[0] for line in out.splitlines()]
    assert words == [
        "file",
        "media",
        "track",
        "track",
        "on",
        "source",
        "run",
        "gap",
        "missing",
        "stamps",
        "ended",
        "ledger",
    ]
    _, (known,) = shell.json("info", media)
    assert (known["state"], known["end_reason"], known["missing_s"]) == ("closed", "ended", 1.0)
    assert [(t["kind"], t["codec"]) for t in known["tracks"]] == [("video", "h264"), ("audio", "aac")]
    assert known["runs"][0]["chunks"] == 11
    assert known["wall_start"] == "2026-11-22T12:00:00.000Z"
    assert known["wall_end"].startswith("2026-11-22T12:00:12")


def test_info_of_what_is_running_unfinished_or_foreign(tmp_path: Path, clip: Clip, shell: Shell) -> None:
    part = record(tmp_path, clip, close=False)
    assert shell.json("info", part)[1][0]["state"] == "unfinished"
    with ledgers.locked(ledgers.ledger_path(part)):
        assert shell.json("info", part)[1][0]["state"] == "recording"
    _, (known,) = shell.json("info", clip.file(".mkv"))
    assert (known["state"], known["ledger"], known["media_s"]) == ("foreign", None, 12.0)
    assert shell("info", tmp_path / "none.ts")[0] == 2


def test_texts_are_chinese_where_that_is_wished(
    tmp_path: Path, clip: Clip, shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OUZEL_LANG", "zh_CN")
    texts.language.cache_clear()
    assert shell("verify", record(tmp_path, clip))[1].startswith("完好  ")
    texts.language.cache_clear()


def test_info_tells_the_tracks_of_a_product_not_of_what_it_was_made_of(
    tmp_path: Path, clip: Clip, shell: Shell
) -> None:
    media = record(tmp_path, clip)
    sound = tmp_path / "show.mp3"
    assert shell("remux", media, "-o", sound)[0] == 0
    code, (told,) = shell.json("info", sound)
    assert (code, told["state"]) == (0, "product")
    assert [(track["kind"], track["codec"]) for track in told["tracks"]] == [("audio", "mp3")]
    sound.write_bytes(b"no media any more")
    code, (told,) = shell.json("info", sound)
    assert (code, told["state"], told["tracks"]) == (0, "product", [])


@pytest.mark.parametrize("command", ["verify", "recover", "clip", "remux", "info"])
def test_every_field_of_the_json_is_in_the_reference(tmp_path: Path, clip: Clip, shell: Shell, command: str) -> None:
    media = record(tmp_path, clip, lost=[4], close=command != "recover")
    if command == "verify":
        os.truncate(media, media.stat().st_size - 1000)  # so that there are findings
    out = ["-o", tmp_path / "out.mkv"] if command in {"clip", "remux"} else []
    _, docs = shell.json(command, tmp_path if command == "recover" else media, *out)
    page = (Path(__file__).parents[2] / "docs/reference/commands.md").read_text()
    section = page.split(f"## `ouzel {command} ", 1)[1].split("\n## ", 1)[0]
    listed = set(re.findall(r"`(\w+)`", section.partition("JSON")[2]))
    assert docs
    for doc in docs:
        assert doc["event"] in listed
        assert set(doc) - listed == set()
        for inner in [*doc.get("findings", []), *doc.get("runs", [])]:
            assert set(inner) - listed == set()
