"""`ouzel status` shows what a daemon tells, and says in a line why there is nothing to show."""

from __future__ import annotations

import json
from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from ouzel.cli import texts
from ouzel.cli.main import EXIT_BAD_ARGUMENTS, EXIT_NO_DAEMON, EXIT_NOTHING, EXIT_OK, run
from ouzel.daemon.lock import hold
from ouzel.model.overview import ChannelLine, Overview, TaskLine

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
SEEN = Overview(
    NOON, "1.0", "", NOON, (ChannelLine("a", "小明", "huya", "recording", title="第一局"),),
    (TaskLine("recording", "rec:a", "小明", "queued"),),
)  # fmt: skip


@pytest.fixture(autouse=True)
def english(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("OUZEL_LANG", "en")
    texts.language.cache_clear()
    yield
    texts.language.cache_clear()


@contextmanager
def daemon(body: bytes, *, key: str = "") -> Generator[str]:
    """What answers so at `/api/status`."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            let_in = not key or self.headers["Authorization"] == f"Bearer {key}"
            self.send_response(404 if self.path != "/api/status" else 200 if let_in else 401)
            self.end_headers()
            self.wfile.write(body if let_in else b'{"code": "not_signed_in", "detail": "sign in"}')

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server, ThreadPoolExecutor(1) as thread:
        thread.submit(server.serve_forever)
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()


def told() -> bytes:
    return json.dumps(SEEN.fields()).encode()


def test_it_is_found_by_its_data_folder_and_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with daemon(told()) as address, hold(tmp_path, now=NOON) as lock:
        lock.tell(address)
        assert run(["status", "--data", str(tmp_path)]) == EXIT_OK
        shown = capsys.readouterr().out
        assert "小明" in shown
        assert "recording" in shown
        assert run(["status", "--data", str(tmp_path), "--tasks"]) == EXIT_OK
        assert capsys.readouterr().out == "recording: 1\n  小明  queued\n"
        assert run(["status", "--data", str(tmp_path), "--json"]) == EXIT_OK
        assert json.loads(capsys.readouterr().out) == SEEN.fields()


def test_an_api_key_is_taken_from_the_environment(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with daemon(told(), key="k1") as address:
        monkeypatch.delenv("OUZEL_API_KEY", raising=False)
        assert run(["status", "--server", address]) == EXIT_BAD_ARGUMENTS
        assert capsys.readouterr().err.endswith("(not_signed_in)\n")
        monkeypatch.setenv("OUZEL_API_KEY", "k1")
        monkeypatch.setenv("OUZEL_SERVER", address)
        assert run(["status"]) == EXIT_OK


def test_no_daemon_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["status", "--data", str(tmp_path)]) == EXIT_NO_DAEMON
    assert run(["status", "--server", "http://127.0.0.1:1"]) == EXIT_NO_DAEMON
    with daemon(b"[]") as address:
        assert run(["status", "--server", address]) == EXIT_NOTHING
        assert run(["status", "--server", f"{address}/other"]) == EXIT_NOTHING
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 4
    assert "ouzel serve" in lines[0]
