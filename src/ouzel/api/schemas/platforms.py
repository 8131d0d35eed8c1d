"""Sites with live channels."""

from __future__ import annotations

from pydantic import Field

from ouzel.api.schemas.base import Out


class PlatformOut(Out):
    name: str
    title: str
    title_zh: str
    example: str
    access: str = Field(description="whether it is open, or wants a cookie or a login")
    channels: int = Field(description="that are watched, as far as whoever asks may see them")
    requests: int | None = Field(description="since the daemon began; null: it is not asked")
    requests_per_minute: float | None = Field(description="the most")
    closed: bool = Field(description="it blocks, and is left alone")
    strained: bool = Field(description="the most is too little for its channels")


class PlatformsOut(Out):
    items: list[PlatformOut]
