"""The tools of `ouzel mcp` about copies at remotes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias
from urllib.parse import quote

from ouzel.cli.client import Api
from ouzel.cli.remotes import copied_id

Doc: TypeAlias = dict[str, Any]
Tool: TypeAlias = Callable[..., Doc]


def reading(api: Api) -> Sequence[Tool]:
    def list_remotes() -> Doc:
        """Where copies of recordings go. Secrets are hidden."""
        return api.get("remotes")

    def list_copies(recording: str) -> Doc:
        """What is at remotes of a recording; by its whole id also of one that is here no more."""
        return api.get(f"recordings/{copied_id(api, recording)}/copies")

    return list_remotes, list_copies


def changing(api: Api) -> Sequence[Tool]:
    def test_remote(remote: str) -> Doc:
        """Write, read and remove a small file at a remote now, and tell what came of it. For administrators."""
        return api.post(f"remotes/{quote(remote, safe='')}/test")

    return (test_remote,)
