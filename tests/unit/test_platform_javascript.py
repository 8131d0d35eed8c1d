"""Where deno is looked for, and that yt-dlp is told."""

from __future__ import annotations

import sys
import sysconfig
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ouzel.cli.main import cli
from ouzel.platforms.adapters import of_ytdlp
from ouzel.platforms.contract import Options
from ouzel.platforms.javascript import deno
from ouzel.platforms.watch import watching


@pytest.fixture
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No wheel, an empty folder beside the interpreter, and an empty PATH."""
    monkeypatch.setitem(sys.modules, "deno", None)
    monkeypatch.setenv("PATH", str(tmp_path / "path"))
    monkeypatch.setenv("OUZEL_RESOLVERS", str(tmp_path / "resolvers"))
    real = sysconfig.get_path
    monkeypatch.setattr(sysconfig, "get_path", lambda name, *a: str(tmp_path) if name == "scripts" else real(name, *a))
    return tmp_path


def program(place: Path) -> str:
    place.parent.mkdir(exist_ok=True)
    place.write_text('#!/bin/sh\necho "deno 2.9.8 (stable)"\n', encoding="utf-8")
    place.chmod(0o755)
    return str(place)


def test_the_wheel_then_beside_the_interpreter_then_the_path(nowhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert deno() is None
    on_path = program(nowhere / "path" / "deno")
    assert deno() == on_path
    beside = program(nowhere / "deno")
    assert deno() == beside
    of_wheel = program(nowhere / "wheel" / "deno")
    monkeypatch.setitem(sys.modules, "deno", SimpleNamespace(find_deno_bin=lambda: of_wheel))
    assert deno() == of_wheel


def test_yt_dlp_runs_the_wheel_s_without_a_path(nowhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    of_wheel = program(nowhere / "wheel" / "deno")
    monkeypatch.setitem(sys.modules, "deno", SimpleNamespace(find_deno_bin=lambda: of_wheel))
    with watching(), of_ytdlp.Watched(of_ytdlp._parameters(Options(), of_ytdlp._Heard()), {}) as ydl:
        runtimes: Any = ydl._js_runtimes
        found = runtimes["deno"].info
    assert (found.path, found.version, found.supported) == (of_wheel, "2.9.8", True)


def test_resolvers_shows_whether_it_is_there(nowhere: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli.main(["resolvers"])
    assert "ouzel[javascript]" in capsys.readouterr().out
    program(nowhere / "deno")
    with pytest.raises(SystemExit):
        cli.main(["resolvers"])
    assert str(nowhere / "deno") in capsys.readouterr().out
