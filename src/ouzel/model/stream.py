"""Where and how to read media."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol

Protocol_ = Literal["hls", "flv", "ts", "mp4", "ffmpeg"]
"""How a stream is read: the first four by our own readers; `ffmpeg` is everything that goes through a child."""


@dataclass(frozen=True, slots=True)
class Stream:
    """An address with all that is needed to open it."""

    url: str
    headers: tuple[tuple[str, str], ...] = ()
    proxy: str | None = None
    verify_tls: bool = True
    protocol: Protocol_ | None = None
    """None: found from the address, the content type and the first bytes."""
    quality: str = "best"
    expires_at: datetime | None = None
    """When the address stops working, where that is known. Aware UTC."""
    title: str = ""


class Resolver(Protocol):
    """Turns what the user asked for into a stream. Called again after every drop, and before an address expires."""

    async def resolve(self) -> Stream | None:
        """The stream as it is now; None when the source says that it is offline.

        Raises: OuzelError that says why it is not known.
        """
        ...


@dataclass(frozen=True, slots=True)
class DirectResolver:
    """An address that the user gave: it resolves to itself."""

    stream: Stream = field()

    async def resolve(self) -> Stream | None:
        return self.stream
