"""Calls that nobody means, and that happen: a folder for a file, names that no disk takes, streams that are closed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from io import BytesIO, TextIOWrapper
from pathlib import Path

import pytest
from tests.recordings import record

from ouzel.cli.main import run
from ouzel.cli.options import without_ledgers
from ouzel.cli.output import Output
from ouzel.testing.clips import Clip

LONG = "x" * 300
_HANG_S = 60


def call(*args: object, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    """Exit code, and the one line that says what is wrong."""
    code = run([str(arg) for arg in args])
    (line,) = capsys.readouterr().err.splitlines()
    return code, line


@pytest.mark.parametrize("what", ["a folder", "a pipe", "a ledger", "a long name"])
@pytest.mark.parametrize("command", ["info", "verify", "clip", "remux"])
def test_what_is_no_file_is_refused_in_one_line(
    tmp_path: Path, clip: Clip, capsys: pytest.CaptureFixture[str], command: str, what: str
) -> None:
    match what:
        case "a folder":
            path, code, said = Path("/"), 2, "/ is a folder: name the files in it (bad_input)"
        case "a pipe":
            os.mkfifo(path := tmp_path / "pipe.ts")
            code, said = 2, "is not a file (bad_input)"
        case "a ledger":
            path = record(tmp_path, clip).with_suffix(".ledger")
            code, said = 2, "name the file beside it (bad_input)"
        case _:
            path, code, said = tmp_path / f"{LONG}.ts", 5, "File name too long (storage)"
    out = ["-o", tmp_path / "out.mkv"] if command in {"clip", "remux"} else []
    found, line = call(command, path, *out, capsys=capsys)
    assert (found, line.endswith(said)) == (code, True), line


@pytest.mark.parametrize("command", ["clip", "remux"])
@pytest.mark.parametrize(
    "name", [LONG, "x" * 250]
)  # the ledger and the unfinished file have longer names than the file
def test_a_name_that_no_disk_takes_leaves_nothing(
    tmp_path: Path, clip: Clip, capsys: pytest.CaptureFixture[str], command: str, name: str
) -> None:
    source = record(tmp_path, clip)
    before = sorted(tmp_path.iterdir())
    code, line = call(command, source, "-o", tmp_path / f"{name}.mkv", capsys=capsys)
    assert (code, line.endswith("File name too long (storage)")) == (5, True), line
    assert sorted(tmp_path.iterdir()) == before


def test_a_folder_whose_name_is_too_long_is_none(capsys: pytest.CaptureFixture[str]) -> None:
    assert call("recover", LONG, capsys=capsys) == (2, f"ouzel: error: {LONG} is not a folder (bad_input)")


def test_a_product_may_be_made_in_a_new_folder(tmp_path: Path, clip: Clip) -> None:
    source = record(tmp_path, clip)
    for command in ("clip", "remux"):
        assert run([command, str(source), "-q", "-o", str(tmp_path / command / "made.mkv")]) == 0
        assert (tmp_path / command / "made.mkv").exists()


def test_all_files_of_a_folder_may_be_named(tmp_path: Path, clip: Clip, capsys: pytest.CaptureFixture[str]) -> None:
    record(tmp_path, clip, name="one")
    record(tmp_path, clip, name="two", close=False)
    named = sorted(map(str, tmp_path.iterdir()))
    assert [Path(name).name for name in named] == ["one.ledger", "one.ts", "two.ledger", "two.ts.part"]
    assert run(["info", *named, "--json"]) == 0
    assert [json.loads(line)["state"] for line in capsys.readouterr().out.splitlines()] == ["closed", "unfinished"]
    alone = [Path("one.ledger"), Path("folder/two.ledger"), Path("two.ts")]
    assert without_ledgers(alone) == alone


def test_a_link_to_nowhere_is_a_name_that_is_taken(
    tmp_path: Path, clip: Clip, capsys: pytest.CaptureFixture[str]
) -> None:
    source = record(tmp_path, clip)
    (tmp_path / "link.mkv").symlink_to("nowhere")
    for command in ("clip", "remux"):
        code, line = call(command, source, "-o", tmp_path / "link.mkv", capsys=capsys)
        assert (code, line.endswith("(output_exists)")) == (2, True), line
    assert (tmp_path / "link.mkv").is_symlink()


def test_a_link_leads_to_the_ledger_of_its_file(tmp_path: Path, clip: Clip, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "kept").mkdir()
    media = record(tmp_path / "kept", clip, lost=[4])
    (tmp_path / "link.ts").symlink_to(media)
    assert run(["verify", str(tmp_path / "link.ts"), "--json"]) == 3, "with its gap"
    assert json.loads(capsys.readouterr().out)["ledger"] == str(media.with_suffix(".ledger"))
    assert run(["remux", str(tmp_path / "link.ts"), "-q", "-o", str(tmp_path / "made.mkv")]) == 0
    assert run(["verify", str(tmp_path / "made.mkv"), "-q"]) == 3
    assert sorted(path.name for path in tmp_path.iterdir()) == ["kept", "link.ts", "made.ledger", "made.mkv"]


@pytest.mark.parametrize("closed", ["0<&-", "1>&-", "2>&-", "0<&- 1>&- 2>&-"])
def test_a_closed_standard_stream_does_no_harm(tmp_path: Path, closed: str) -> None:
    words = [sys.executable, "-m", "ouzel", "record", "http://127.0.0.1:1/x", "http://127.0.0.1:1/y"]
    shell = ["sh", "-c", f'exec "$@" {closed}', "sh", *words]
    done = subprocess.run(shell, cwd=tmp_path, timeout=_HANG_S, capture_output=True, check=False)
    assert done.returncode == 4
    assert b"Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


FULL = Path("/dev/full")
needs_full = pytest.mark.skipif(not FULL.exists(), reason="this system has no device that is always full")
NO_ROOM = "ouzel: error: no space left for standard output: what was written to it is not whole (disk_full)\n"
WORDS = {
    "help": ["--help"],
    "help of a command": ["record", "--help"],
    "version": ["--version"],
    "lines": ["info", "FILE"],
    "json": ["verify", "FILE", "--json"],
}


@needs_full
@pytest.mark.parametrize("words", WORDS.values(), ids=WORDS)
def test_a_result_for_which_there_is_no_room_is_told_in_one_line(tmp_path: Path, clip: Clip, words: list[str]) -> None:
    file = str(record(tmp_path, clip))
    command = [sys.executable, "-m", "ouzel", *(file if word == "FILE" else word for word in words)]
    with FULL.open("w") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, timeout=_HANG_S, check=False)
    assert (done.returncode, done.stderr) == (5, NO_ROOM)


@pytest.mark.parametrize("words", WORDS.values(), ids=WORDS)
def test_a_reader_that_has_gone_away_is_no_error(tmp_path: Path, clip: Clip, words: list[str]) -> None:
    file = str(record(tmp_path, clip))
    command = [sys.executable, "-m", "ouzel", *(file if word == "FILE" else word for word in words)]
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing) as sink:
        done = subprocess.run(command, stdout=sink, stderr=subprocess.PIPE, text=True, timeout=_HANG_S, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@needs_full
def test_events_for_which_there_is_no_room_stop_nothing_and_are_told_in_the_end(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    output = Output(is_json=True)
    with FULL.open("w") as full:
        monkeypatch.setattr(sys, "stdout", full)
        with output.without_waiting():
            output.json({"event": "state"})
            output.json({"event": "report"})
            assert capsys.readouterr().err == ""
    assert capsys.readouterr().err == NO_ROOM


@needs_full
def test_an_error_is_told_on_stderr_where_stdout_has_no_room(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with FULL.open("w") as full:
        monkeypatch.setattr(sys, "stdout", full)
        assert run(["info", "none.ts", "--json"]) == 2
    assert capsys.readouterr().err == "ouzel: error: none.ts does not exist (bad_input)\n"


def test_json_is_json_on_a_terminal_that_knows_no_unicode(monkeypatch: pytest.MonkeyPatch) -> None:
    written = BytesIO()
    monkeypatch.setattr(sys, "stdout", TextIOWrapper(written, encoding="latin-1", errors="backslashreplace"))
    doc = {"path": "é 🎬 \udcff"}
    Output(is_json=True).json(doc)
    assert json.loads(written.getvalue()) == doc
