"""What the user asked us to watch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ouzel.model.live import Identity
from ouzel.model.naming import safe_name

DIRECT = "direct"
"""The platform of the address of a stream."""
_MOST_ALIASES = 50

Layer = Mapping[str, Any]
"""Settings that are set, by the names of `ChannelSettings`; JSON values."""


@dataclass(frozen=True, slots=True)
class Channel:
    """A platform page, or a permanent address, and what is set for it."""

    id: str
    addresses: tuple[str, ...]
    """At least one; the first is asked first."""
    platform: str
    name: str
    folder: str
    """Its name in paths: it stays when the name changes."""
    created_at: datetime
    updated_at: datetime
    identity: Identity | None = None
    """None until a platform has told it."""
    named_by_user: bool = False
    aliases: tuple[str, ...] = ()
    """Names that it had before, the latest last."""
    labels: tuple[str, ...] = ()
    watch: bool = True
    settings: Layer = field(default_factory=dict[str, Any])
    """Its own layer."""
    follows: str | None = None
    """The foreign file that is the truth for it."""
    revision: int = 1
    deleted_at: datetime | None = None

    @property
    def address(self) -> str:
        return self.addresses[0]

    def renamed(self, told: str) -> dict[str, Any]:
        """What changes when the platform calls it so: nothing where that is no news. The folder stays."""
        told = told.strip()
        if not told or told == self.name or told in self.aliases[-1:]:
            return {}
        if self.named_by_user:  # the user's name stays, and the platform's is one of its others
            return {} if told in self.aliases else {"aliases": (*self.aliases, told)[-_MOST_ALIASES:]}
        return {"name": told, "aliases": (*(a for a in self.aliases if a != told), self.name)[-_MOST_ALIASES:]}


def folder_name(name: str, platform: str) -> str:
    """How a channel's folder is called: its name as it is when the first file is written, made safe."""
    return safe_name(name, fallback=platform or "channel")
