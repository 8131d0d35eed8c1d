"""The libraries that know platforms, each behind the same contract. Imported in the child process only."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from threading import Lock
from typing import Any

from ouzel.base.errors import ResolverFailed
from ouzel.platforms.contract import Adapter, AdapterName, Match

_KEPT_HEADERS = frozenset({"referer", "origin", "user-agent", "cookie"})
_MODULES = {"streamlink": "of_streamlink", "yt-dlp": "of_ytdlp", "streamget": "of_streamget"}
_IMPORTING = Lock()
"""Two libraries change urllib3 while they are imported: one after the other, see `_unpatch`."""


def adapter_for(name: AdapterName, match: Match) -> Adapter:
    """Raises: ResolverFailed when it cannot be imported."""
    module = f"sites.{match.platform.name.replace('-', '_')}" if name == "own" else f"adapters.{_MODULES[name]}"
    try:
        with _IMPORTING:
            if name == "yt-dlp":
                _unpatch()
            found = import_module(f"ouzel.platforms.{module}")
    except ImportError as exc:
        raise ResolverFailed(f"{name} cannot be imported: {exc}", adapter=name) from exc
    return found.adapter()


def kept_headers(found: Mapping[str, str] | None) -> tuple[tuple[str, str], ...]:
    """Of the headers with which a library would read a stream those that the server may look at."""
    return tuple((name, value) for name, value in (found or {}).items() if value and name.lower() in _KEPT_HEADERS)


def _unpatch() -> None:
    """Give urllib3 its own pattern back before yt-dlp is imported.

    Both put an object of their own in its place, to the same end. yt-dlp's around streamlink's finds no methods in it, and every
    request by `requests` fails from then on, whoever makes it.
    """
    urls: Any = import_module("urllib3.util.url")
    urls._PERCENT_RE = getattr(urls._PERCENT_RE, "_re_percent_encoding", urls._PERCENT_RE)
