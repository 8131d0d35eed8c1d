"""The JavaScript runtime with which yt-dlp understands YouTube: deno, of the extra `javascript` or the system's own."""

from __future__ import annotations

import shutil
import sysconfig
from importlib import import_module
from pathlib import Path


def deno() -> str | None:
    """The program: where its wheel says that it is, beside this interpreter, or on PATH. None: there is none."""
    beside = Path(sysconfig.get_path("scripts")) / f"deno{sysconfig.get_config_var('EXE') or ''}"
    return _of_the_wheel() or (str(beside) if beside.is_file() else None) or shutil.which("deno")


def _of_the_wheel() -> str | None:
    try:
        return str(import_module("deno").find_deno_bin())
    except (ImportError, AttributeError, FileNotFoundError):
        return None
