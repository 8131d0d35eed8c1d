"""Settings for all channels, and what was edited."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import Field, RootModel

from ouzel.api.schemas.base import Out

_EXAMPLES: list[Any] = [{"quality": ["1080p", "best"], "proxy": None}]


class LayerPatch(RootModel[dict[str, Any]]):
    """A merge patch by the names of `/api/settings/schema`: null takes a value away."""

    model_config = {"json_schema_extra": {"examples": _EXAMPLES}}


class LayerOut(Out):
    scope: str = Field(description="`global`, or `platform:NAME`")
    settings: dict[str, Any] = Field(description="what is set here; secrets hidden")
    revision: int = Field(description="0: nothing was ever set")


class LayersOut(Out):
    items: list[LayerOut]


class RevisionOut(Out):
    number: int
    kind: str = Field(description="`channel`, `layer`, `policy`, `pipeline`, `target`, `route`, `remote`")
    subject: str = Field(description="id of the channel, scope of the layer, name of the rule")
    revision: int = Field(description="the one that it made")
    action: str = Field(description="`added`, `changed`, `removed`, `restored`, `merged`")
    batch: str | None = Field(description="what has the same one is undone together")
    by: str
    at: datetime
    before: dict[str, Any] | None
    after: dict[str, Any] | None


class UndoneOut(Out):
    subjects: list[str] = Field(description="ids, scopes and names of what is as it was before")
