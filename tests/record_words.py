"""What the command line of `ouzel record` says, for tests that begin behind it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ouzel.cli.job import Options


def record_words(*urls: str, folder: Path, **said: Any) -> Options:
    """The words for these addresses, into a folder: as by default, but for what is `said`."""
    words = {
        "output": f"{folder}/",
        "template": "{title}",
        "format_": None,
        "keep_original": False,
        "quality": "best",
        "duration": None,
        "split_after": None,
        "split_size": None,
        "from_start": False,
        "headers": (),
        "wait": False,
        "min_free": "0",
        "park": "4s",
    }
    return Options(urls=urls, **{**words, **said})
