"""What is there to be watched."""

from __future__ import annotations

from datetime import datetime
from typing import Self

from pydantic import Field

from ouzel.api.schemas.base import Out
from ouzel.model.recording import Item, ItemKind


class ItemOut(Out):
    kind: ItemKind
    id: str
    href: str = Field(description="where all of it stands, and where it is changed and removed")
    channel_id: str | None = Field(description="null: it was downloaded")
    channel: str = Field(description="name of the channel; empty when it is in the trash, or there is none")
    title: str
    begun_at: datetime = Field(description="on air, or asked for")
    ended_at: datetime | None
    media_s: float
    bytes: int
    gaps: int

    @classmethod
    def of(cls, item: Item, channel: str) -> Self:
        """Args: channel: its name."""
        own = {name: getattr(item, name) for name in cls.model_fields if hasattr(item, name)}
        return cls(**own, href=f"/api/{item.kind}s/{item.id}", channel=channel)
