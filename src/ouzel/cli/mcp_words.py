"""What the arguments of tools are called, and described as."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, TypeAlias

from pydantic import Field

Doc: TypeAlias = dict[str, Any]
Tool: TypeAlias = Callable[..., Doc]
ChannelWord = Annotated[str, Field(description="id, the beginning of one (4 characters or more), name, or address")]
RecordingWord = Annotated[str, Field(description="id, the beginning of one (4 characters or more), or title")]
Limit = Annotated[int, Field(ge=1, le=200, description="entries on a page")]
Cursor = Annotated[str | None, Field(description="`next_cursor` of the page before; the other arguments as they were")]
Scope = Annotated[str, Field(description="`global`, or `platform:NAME`")]
Layer = Annotated[Doc, Field(description="by the names of `settings_schema`; null takes a value away")]
Window = Annotated[
    Doc, Field(description='such as {"days": ["sat", "sun"], "from": "20:00", "to": "02:00"}; without days: every day')
]
