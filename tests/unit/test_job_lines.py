"""`ouzel jobs list --follow`: what it tells, from look to look."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Mapping
from typing import Any

import pytest

from ouzel.cli import texts
from ouzel.cli.job_lines import JobLines
from ouzel.cli.output import Output


class Api:
    """Jobs, as a test says."""

    def __init__(self) -> None:
        self.jobs: dict[str, dict[str, Any]] = {}

    def put(self, name: str, **values: Any) -> None:
        usual = {
            "id": name,
            "kind": "remux",
            "state": "running",
            "fraction": None,
            "eta_s": None,
            "message": "",
            "why": None,
        }
        self.jobs[name] = usual | self.jobs.get(name, {}) | values

    def all(self, _path: str, *, state: str) -> list[dict[str, Any]]:
        return [each for each in self.jobs.values() if each["state"] == state]

    def get(self, path: str, *, state: str = "", **_query: Any) -> Mapping[str, Any]:
        if path == "jobs":
            return {"total": len(self.all(path, state=state))}
        return self.jobs[path.removeprefix("jobs/")]


@pytest.fixture(autouse=True)
def english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OUZEL_LANG", "en")
    texts.language.cache_clear()


def lines_of(api: Api, output: Output) -> JobLines:
    return JobLines(output, api)  # pyright: ignore[reportArgumentType] - of its methods these


def test_elsewhere_a_line_for_each_change(capsys: pytest.CaptureFixture[str]) -> None:
    api = Api()
    lines = lines_of(api, Output())

    def look() -> list[str]:
        lines.look()
        return capsys.readouterr().out.splitlines()

    assert look() == []
    api.put("one", fraction=0.25, eta_s=90.0, message="1.mp4")
    [line] = look()
    assert line.split("  ")[0] == "remux one"
    assert ("25 %" in line, line.endswith("1.mp4")) == (True, True)
    api.put("one", fraction=0.28)
    assert look() == []
    api.put("one", fraction=0.31)
    assert "31 %" in look()[0]
    api.put("one", state="failed", why="no room")
    assert [" ".join(each.split()) for each in look()] == ["remux one failed no room"]
    assert look() == []


def test_for_programs_each_change_is_an_object(capsys: pytest.CaptureFixture[str]) -> None:
    api = Api()
    lines = lines_of(api, Output(is_json=True))

    def look() -> list[tuple[str, float | None]]:
        lines.look()
        docs = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        return [(doc["state"], doc["fraction"]) for doc in docs]

    api.put("one", fraction=0.25)
    assert look() == [("running", 0.25)]
    assert look() == []
    api.put("one", fraction=0.26)
    assert look() == [("running", 0.26)]
    api.put("one", state="done", fraction=1.0)
    assert look() == [("done", 1.0)]


def test_on_a_terminal_there_is_a_bar_for_each(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    drawn = Terminal()
    monkeypatch.setattr(sys, "stderr", drawn)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(Output, "terminal_size", lambda _self: (100, 24))
    api = Api()
    lines = lines_of(api, Output())
    api.put("one", fraction=0.5)
    api.put("two", state="queued")
    lines.look()
    first, last = drawn.getvalue().split("\n")
    assert ("█" * 10 + "░" * 10 + "  50 %" in first, last) == (True, "1 run, 1 wait")
    drawn.truncate(0)
    api.put("one", state="done")
    lines.look()
    assert drawn.getvalue().strip("\0").startswith("\r\x1b[1A\x1b[J")
    assert "done" in drawn.getvalue()
    lines.close()
    assert drawn.getvalue().endswith("0 run, 1 wait\n")


def test_it_ends_when_nobody_reads() -> None:
    output, slept = Output(), list[float]()

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        output.unread = len(slept) == 3

    lines_of(Api(), output).follow(sleep)
    assert slept == [1.0] * 3
