"""The libraries that know platforms, each behind the same contract. Imported in the child process only."""

from __future__ import annotations

from importlib import import_module

from ouzel.base.errors import ResolverFailed
from ouzel.platforms.contract import Adapter, AdapterName, Match

_MODULES = {"streamlink": "of_streamlink", "yt-dlp": "of_ytdlp", "streamget": "of_streamget"}


def adapter_for(name: AdapterName, match: Match) -> Adapter:
    """Raises: ResolverFailed when it cannot be imported."""
    module = f"sites.{match.platform.name.replace('-', '_')}" if name == "own" else f"adapters.{_MODULES[name]}"
    try:
        found = import_module(f"ouzel.platforms.{module}")
    except ImportError as exc:
        raise ResolverFailed(f"{name} cannot be imported: {exc}", adapter=name) from exc
    return found.adapter()
