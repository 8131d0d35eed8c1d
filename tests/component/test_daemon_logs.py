"""What becomes of the daemon's log: lines for people and for programs, files that are renamed, and a disk that refuses."""

from __future__ import annotations

import errno
import io
import json
import logging
import logging.handlers
import warnings
from pathlib import Path
from threading import Event, current_thread
from typing import Any

import pytest

from ouzel.base.errors import StorageError
from ouzel.config.tables import LogSettings
from ouzel.config.values import Size
from ouzel.daemon import logs
from ouzel.daemon.logs import logging_to

log = logging.getLogger("ouzel.watching")


def told(fmt: str, *, level: Any = "info") -> tuple[LogSettings, io.StringIO]:
    return LogSettings(level=level, format=fmt), io.StringIO()  # type: ignore[arg-type]


def fail() -> None:
    raise KeyError("token=s3cret")


def test_an_object_a_line() -> None:
    settings, out = told("json")
    with logging_to(settings, stream=out):
        log.info("asked %s", "https://example.org/live?token=s3cret", extra={"channel": "c1", "took_s": 0.5})
        try:
            fail()
        except KeyError:
            log.exception("no answer")
        log.debug("not told")

    first, second = [json.loads(line) for line in out.getvalue().splitlines()]
    assert first.pop("at").endswith("Z")
    assert first == {
        "level": "info",
        "logger": "ouzel.watching",
        "message": "asked https://example.org/live?token=***",
        "channel": "c1",
        "took_s": 0.5,
    }
    assert (second["level"], second["message"]) == ("error", "no answer")
    assert "in fail" in second["error"]
    assert "s3cret" not in out.getvalue()


def test_lines_for_people() -> None:
    settings, out = told("text")
    with logging_to(settings, stream=out):
        log.warning("title: a\nb\x1b[31m", extra={"channel": "c1", "title": "two words\n"})
        try:
            fail()
        except KeyError:
            log.exception("no answer")

    lines = out.getvalue().splitlines()
    assert lines[0][23:] == r' warning ouzel.watching: title: a\nb\x1b[31m  channel=c1  title="two words\n"'
    assert lines[1][23:] == " error   ouzel.watching: no answer"
    assert lines[2] == "    Traceback (most recent call last):"
    assert "s3cret" not in out.getvalue()


def test_what_is_logged_is_as_it_was_then() -> None:
    settings, out = told("text")
    things = ["one"]
    with logging_to(settings, stream=out):
        log.info("%s", things)
        things.append("two")
    assert out.getvalue().endswith(": ['one']\n")


def test_the_lines_are_written_by_a_thread_of_their_own() -> None:
    writers: set[str] = set()

    class Stream(io.StringIO):
        def write(self, text: str) -> int:
            writers.add(current_thread().name)
            return super().write(text)

    settings, _ = told("text")
    out = Stream()
    with logging_to(settings, stream=out):
        log.info("x")
    assert out.getvalue()
    assert current_thread().name not in writers


def test_loggers_of_libraries_speak_to_it_and_say_less(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("uvicorn", "uvicorn.access"):
        monkeypatch.setattr(logging.getLogger(name), "handlers", [logging.StreamHandler(elsewhere := io.StringIO())])
        monkeypatch.setattr(logging.getLogger(name), "propagate", False)
    settings, out = told("json")

    with logging_to(settings, stream=out):
        logging.getLogger("uvicorn.error").info("a life line")
        logging.getLogger("uvicorn.error").warning("Started", extra={"color_message": "\x1b[1mStarted"})
        logging.getLogger("uvicorn.access").info("GET /")
        logging.getLogger("httpx").info("chatter")
        with warnings.catch_warnings():
            warnings.simplefilter("always")
            warnings.warn("old", DeprecationWarning, stacklevel=1)
    with logging_to(settings, level="debug", stream=out):
        logging.getLogger("uvicorn.access").info("GET /debug")
        logging.getLogger("aiosqlite").debug("chatter")

    docs = [json.loads(line) for line in out.getvalue().splitlines()]
    assert [(doc["logger"], doc["message"].split(":")[0]) for doc in docs] == [
        ("uvicorn.error", "Started"),
        ("py.warnings", __file__),
        ("uvicorn.access", "GET /debug"),
    ]
    assert "color_message" not in docs[0]
    assert elsewhere.getvalue() == ""


def test_everything_is_as_before_afterwards() -> None:
    def state() -> list[object]:
        loggers = [logging.getLogger(name) for name in ("", "uvicorn", "uvicorn.access", "httpx")]
        return [(each.handlers[:], each.level, each.propagate) for each in loggers]

    before = state()
    with logging_to(*told("text")[:1], stream=io.StringIO()):
        assert state() != before
    assert state() == before


def test_the_file_is_renamed_before_it_grows_too_large(tmp_path: Path) -> None:
    settings = LogSettings(file=tmp_path / "logs" / "o.log", file_size=Size(1000), files_kept=2)
    with logging_to(settings):
        for number in range(100):
            log.info("line %s", number)

    kept = sorted((tmp_path / "logs").iterdir())
    assert [path.name for path in kept] == ["o.log", "o.log.1", "o.log.2"]
    assert all(path.stat().st_size <= 1000 for path in kept)
    assert kept[0].read_text().endswith("line 99\n")


def test_a_file_that_cannot_be_opened_is_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "o.log").mkdir()
    with pytest.raises(StorageError, match=r"o\.log"), logging_to(LogSettings(file=tmp_path / "o.log")):
        pass


def test_lines_that_find_no_disk_are_counted_and_told(capsys: pytest.CaptureFixture[str]) -> None:
    class Full(io.StringIO):
        fails = 2

        def write(self, text: str) -> int:
            if self.fails:
                self.fails -= 1
                raise OSError(errno.ENOSPC, "no space")
            return super().write(text)

    settings, _ = told("json")
    out = Full()
    with logging_to(settings, stream=out):
        for number in range(3):
            log.info("line %s", number)

    docs = [json.loads(line) for line in out.getvalue().splitlines()]
    assert [doc["message"] for doc in docs][-1] == "line 2"
    assert sum(doc.get("lost", 0) for doc in docs) + len([doc for doc in docs if "lost" not in doc]) == 3
    assert capsys.readouterr().err == ""


def test_the_last_line_that_is_lost_is_told_too() -> None:
    class Once(io.StringIO):
        failed = False

        def write(self, text: str) -> int:
            if not self.failed:
                self.failed = True
                raise OSError(errno.ENOSPC, "no space")
            return super().write(text)

    settings, _ = told("json")
    out = Once()
    with logging_to(settings, stream=out):
        log.info("the only one")
    assert json.loads(out.getvalue())["lost"] == 1


def test_who_logs_never_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """The reader hangs: what finds no room in the queue is lost, and counted."""
    goes_on = Event()

    class Stuck(io.StringIO):
        def write(self, text: str) -> int:
            goes_on.wait()
            return super().write(text)

    monkeypatch.setattr(logs, "_RECORDS", 10)
    settings, _ = told("json")
    out = Stuck()
    with logging_to(settings, stream=out):
        for number in range(100):
            log.info("line %s", number)
        goes_on.set()

    docs = [json.loads(line) for line in out.getvalue().splitlines()]
    lost = sum(doc.get("lost", 0) for doc in docs)
    assert lost >= 80
    assert lost + len([doc for doc in docs if "lost" not in doc]) == 100
