"""Small files beside a recording: subtitles, pictures."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from ouzel.engine.sinks.file import sync_folder


def place(pairs: Sequence[tuple[Path, Path]]) -> None:
    """Give finished files, all of one folder, their names, in this order; they outlive a power cut. Blocking. Raises: OSError."""
    for unfinished, _path in pairs:
        with unfinished.open("rb") as file:
            os.fsync(file.fileno())
    for unfinished, path in pairs:
        unfinished.replace(path)
    sync_folder(pairs[0][1].parent)


def stamp_vtt(at_s: float) -> str:
    """`01:02:03.450`"""
    ms = round(at_s * 1000)
    return f"{ms // 3_600_000:02}:{ms // 60_000 % 60:02}:{ms // 1000 % 60:02}.{ms % 1000:03}"


def stamp_srt(at_s: float) -> str:
    """`01:02:03,450`"""
    return stamp_vtt(at_s).replace(".", ",")
