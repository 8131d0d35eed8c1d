"""The libraries that know platforms, each behind the same contract. Imported in the child process only."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from ouzel.base.errors import ResolverFailed
from ouzel.platforms.contract import Adapter, AdapterName, Match

_MODULES = {"streamlink": "of_streamlink", "yt-dlp": "of_ytdlp", "streamget": "of_streamget"}


def adapter_for(name: AdapterName, match: Match) -> Adapter:
    """Raises: ResolverFailed when it cannot be imported."""
    module = f"sites.{match.platform.name.replace('-', '_')}" if name == "own" else f"adapters.{_MODULES[name]}"
    if name == "yt-dlp":
        _unpatch()
    try:
        found = import_module(f"ouzel.platforms.{module}")
    except ImportError as exc:
        raise ResolverFailed(f"{name} cannot be imported: {exc}", adapter=name) from exc
    return found.adapter()


def _unpatch() -> None:
    """Give urllib3 its own pattern back before yt-dlp is imported.

    Both put an object of their own in its place, to the same end. yt-dlp's around streamlink's finds no methods in it, and every
    request by `requests` fails from then on, whoever makes it.
    """
    from urllib3.util import url

    pattern: Any = vars(url)["_PERCENT_RE"]
    vars(url)["_PERCENT_RE"] = getattr(pattern, "_re_percent_encoding", pattern)
