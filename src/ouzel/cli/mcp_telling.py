"""The tools of `ouzel mcp` about who is told what."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Any, Literal, TypeAlias
from urllib.parse import quote

from pydantic import Field

from ouzel.cli.client import Api

Doc: TypeAlias = dict[str, Any]
Tool: TypeAlias = Callable[..., Doc]
Events = Annotated[
    list[str], Field(description="codes such as broadcast.began, recording.failed; storage.*, *: all that begin so")
]
Template = Annotated[str | None, Field(description="with {channel}, {title}, {url}, {time} …; empty: the usual words")]
Severity: TypeAlias = Literal["info", "warning", "error"]


def reading(api: Api) -> Sequence[Tool]:
    def list_targets() -> Doc:
        """Where messages go. Secrets are hidden."""
        return api.get("targets")

    def list_routes() -> Doc:
        """What is told, of which channels, and to which targets."""
        return api.get("routes")

    def list_messages(
        state: Literal["waiting", "sent", "failed", "dropped"] | None = None,
        target: str | None = None,
        limit: Annotated[int, Field(ge=1, le=200)] = 50,
        cursor: Annotated[str | None, Field(description="`next_cursor` of the page before")] = None,
    ) -> Doc:
        """What was told, waits, failed, or was dropped; the latest first."""
        return api.get("messages", state=state, target=target, limit=limit, cursor=cursor)

    return list_targets, list_routes, list_messages


def changing(api: Api) -> Sequence[Tool]:
    def test_target(target: str) -> Doc:
        """Send a message to a target now, and tell what came of it. For administrators."""
        return api.post(f"targets/{quote(target, safe='')}/test")

    def add_route(
        name: str,
        targets: list[str],
        events: Events,
        labels: Sequence[str] = (),
        severity: Severity = "info",
        title: Template = None,
        text: Template = None,
    ) -> Doc:
        """Tell what happens from now on: all conditions have to hold. For administrators."""
        body = {"name": name, "targets": targets, "events": events, "labels": [*labels], "severity": severity}
        return api.post("routes", body | {"title": title or "", "text": text or ""})

    def edit_route(
        name: str,
        targets: list[str] | None = None,
        events: Events | None = None,
        labels: list[str] | None = None,
        severity: Severity | None = None,
        title: Template = None,
        text: Template = None,
        enabled: bool | None = None,
    ) -> Doc:
        """Change what is told, and to whom. What is null or left out stays. For administrators."""
        told = {
            "targets": targets, "events": events, "labels": labels, "severity": severity, "title": title, "text": text,
            "enabled": enabled,
        }  # fmt: skip
        return api.patch(_route(name), {key: value for key, value in told.items() if value is not None})

    def remove_route(name: str) -> Doc:
        """Tell this no more. `undo` brings it back. For administrators."""
        api.delete(_route(name))
        return {"name": name, "removed": True}

    def retry_message(message: str) -> Doc:
        """Send a message again that failed. For administrators."""
        return api.post(f"messages/{api.find('messages', message)['id']}/retry")

    return test_target, add_route, edit_route, remove_route, retry_message


def _route(name: str) -> str:
    return f"routes/{quote(name, safe='')}"
