"""Where and how to read media."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol
from urllib.parse import urlsplit

from ouzel.base.headers import Fields, away_from_home

Protocol_ = Literal["hls", "flv", "ts", "mp4", "ffmpeg"]
"""How a stream is read: the first four by our own readers; `ffmpeg` is everything that goes through a child."""

Level = Literal["original", "bluray", "uhd", "hd", "sd", "ld", "audio"]
"""Qualities as Chinese platforms name them, from the best down: 原画, 蓝光, 超清, 高清, 标清, 流畅; and sound alone."""


@dataclass(frozen=True, slots=True)
class Stream:
    """An address with all that is needed to open it."""

    url: str
    headers: Fields = ()
    proxy: str | None = None
    verify_tls: bool = True
    protocol: Protocol_ | None = None
    """None: found from the address, the content type and the first bytes."""
    quality: str = "best"
    expires_at: datetime | None = None
    """When the address stops working, where that is known. Aware UTC."""
    title: str = ""
    label: str = ""
    """What the platform calls this quality."""
    level: Level | None = None
    """The same in words that mean the same everywhere."""
    height: int | None = None
    fps: float | None = None
    bitrate_bps: int | None = None
    codec: str = ""
    """Of the picture: `h264`, `hevc`, `av1`; empty when nobody says."""
    cdn: str = ""
    """Of addresses that differ only in who delivers them: who."""
    sound: Stream | None = None
    """Of a video that is over: its sound, where the site keeps it apart. None: it is with the pictures, or there is none."""

    def headers_for(self, url: str) -> Fields:
        """Its headers, as far as they may be sent to `url`, which a playlist may have named.

        Those that prove who we are stay with its own host and the hosts below that, and are not sent in the clear where it
        is not clear itself.
        """
        if url == self.url or not self.headers:
            return self.headers
        home, there = urlsplit(self.url), urlsplit(url)
        host, below = there.hostname or "", f".{home.hostname}"
        if (host == home.hostname or host.endswith(below)) and (there.scheme == home.scheme or there.scheme == "https"):
            return self.headers
        return away_from_home(self.headers)


class Resolver(Protocol):
    """Turns what the user asked for into a stream. Called again after every drop, and before an address expires."""

    async def resolve(self, *, failed: bool = False) -> Stream | None:
        """The stream as it is now; None when the source says that it is offline.

        Args:
            failed: the stream that was given last brought no media: another one, if there is one.
        Raises: OuzelError that says why it is not known.
        """
        ...


class Turns(Protocol):
    """When to ask a resolver again while nothing is on air yet."""

    def patience_s(self, delay_s: float) -> float:
        """Seconds until that makes sense; `delay_s` where nothing better is known."""
        ...

    async def rest(self, seconds: float) -> None:
        """Wait so long, or less when it is known earlier that something is on air."""
        ...


@dataclass(frozen=True, slots=True)
class DirectResolver:
    """An address that the user gave: it resolves to itself."""

    stream: Stream = field()

    async def resolve(self, *, failed: bool = False) -> Stream | None:  # noqa: ARG002 - there is no other
        return self.stream
