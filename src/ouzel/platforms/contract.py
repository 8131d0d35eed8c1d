"""What a platform declares, and what everything that resolves has to do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import PurePosixPath
from typing import Literal, Protocol, TypeAlias, TypedDict, Unpack, cast, runtime_checkable
from urllib.parse import urlsplit

from ouzel.base.headers import Fields
from ouzel.model.live import Answer, Identity
from ouzel.model.stream import Level, Protocol_, Stream
from ouzel.platforms.asking import Site
from ouzel.platforms.expiry import expiry_of

AdapterName: TypeAlias = Literal["own", "streamlink", "yt-dlp", "streamget"]
Access: TypeAlias = Literal["open", "cookie", "login"]
"""Whether it tells everybody, more to whom it knows, or nothing to others."""
_ENDINGS: Mapping[str, Protocol_] = {".m3u8": "hls", ".flv": "flv", ".ts": "ts", ".mp4": "mp4"}


@dataclass(frozen=True, slots=True)
class Platform:
    """A site with live channels, as it stands at the top of its file in `sites/`.

    It is read from the text of that file: all values must be literals.
    """

    name: str
    """Stable, in lower case: part of every identity."""
    title: str
    title_zh: str
    urls: tuple[str, ...]
    """Templates of the addresses of its channels (see `templates`)."""
    example: str
    chain: tuple[AdapterName, ...]
    """Whom to ask, the best kept first."""
    short: tuple[str, ...] = ()
    """Templates of addresses that redirect to one of `urls`."""
    any_case: bool = False
    """Whether names in its addresses are the same in upper and lower case."""
    streams: tuple[str, ...] = ("hls",)
    access: Access = "open"
    login: tuple[AdapterName, ...] = ()
    """Who of the chain can sign in with name and password; nobody else is told them."""
    proxy_advised: bool = False
    """Whether it answers in a part of the world only."""
    sound_only: bool = False
    streamget: str = ""
    """The name of its class there."""
    browser_tls: bool = False
    """Whether it looks at how the client greets in TLS."""
    headers: tuple[tuple[str, str], ...] = ()
    """What its media servers want to see beside the user agent, such as a Referer."""
    off_air: tuple[str, ...] = ()
    """Patterns of what it answers for a channel that is off air. A library's "offline" is believed only on an answer that has
    one of them; its status is then no fault."""
    stable: tuple[str, ...] = ()
    """Patterns of a channel's stable id, as their group, in what it answers libraries, which tell another or none; the first that
    is found counts. Where there is none: what the address names."""
    note: str = ""
    at_once: int = 0
    """Of how many channels it tells in one answer, as its code says (`Probing`); 0: of each by itself."""


class Known(TypedDict, total=False):
    """What a site tells of a stream beside its address, as in `Stream`."""

    headers: Fields
    """In place of the platform's."""
    protocol: Protocol_
    quality: str
    expires_at: datetime | None
    label: str
    level: Level | None
    height: int | None
    fps: float | None
    bitrate_bps: int | None
    codec: str
    cdn: str


@dataclass(frozen=True, slots=True)
class Match:
    """An address, and what it names."""

    platform: Platform
    url: str
    """Without what was damaged or does not matter in it."""
    named: Mapping[str, str]

    def __getitem__(self, name: str) -> str:
        return self.named[name]

    def identity(self, stable: object) -> Identity:
        return Identity(self.platform.name, str(stable))

    def stream(self, url: str, options: Options, **known: Unpack[Known]) -> Stream:
        """The media at an address that the platform told, with all that it takes to open it as the user wishes.

        What is not `known` is told by the address: how it is read, when it stops working, and by its host who delivers it.
        """
        headers = known.pop("headers", self.platform.headers)
        if options.user_agent and not any(name.lower() == "user-agent" for name, _ in headers):
            headers = (("User-Agent", options.user_agent), *headers)
        stream = Stream(
            url,
            headers,
            options.proxy or None,
            options.verify_tls,
            protocol=self._protocol(url),
            expires_at=expiry_of(url),
            cdn=urlsplit(url).hostname or "",
        )
        return replace(stream, **known)

    def _protocol(self, url: str) -> Protocol_:
        """By the ending; where that says nothing, what is usual on the platform."""
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"}:
            return "ffmpeg"
        usual = cast("Protocol_", self.platform.streams[0])
        return _ENDINGS.get(PurePosixPath(parts.path).suffix.lower(), usual)


@dataclass(frozen=True, slots=True)
class Options:
    """What the user has set for a platform. Secrets: never shown, logged, or put into arguments."""

    cookies: str = field(default="", repr=False)
    """As a Cookie header."""
    proxy: str = field(default="", repr=False)
    """`http://`, `socks5://` or `socks5h://`, as the user wrote it; the media go the same way."""
    user_agent: str = ""
    login: str = ""
    """Name of an account; with `cookies` beside it these count."""
    password: str = field(default="", repr=False)
    verify_tls: bool = True
    codecs: tuple[str, ...] = ()
    """Preferred, the first most; empty: H.264, which plays everywhere."""
    timeout_s: float = 20.0
    """For each request."""

    @property
    def page_proxy(self) -> str:
        """The proxy for what libraries ask: names are looked up by it, since it may reach what is not known here."""
        return self.proxy.replace("socks5://", "socks5h://")


class Adapter(Protocol):
    """One way to ask. Blocking: it runs in a thread of the child process."""

    name: AdapterName

    def resolve(self, match: Match, site: Site, options: Options) -> Answer:
        """What is on air.

        Raises: NeedsLogin, RegionLocked, ChannelGone, Blocked, NetworkError: what the site said. SiteChanged, ResolverFailed:
            this way is broken, and another may know.
        """
        ...


@dataclass(frozen=True, slots=True)
class Peek:
    """What a cheap question for many channels told of one."""

    live: bool
    title: str = ""
    anchor: str = ""


@runtime_checkable
class Probing(Protocol):
    """A site that tells of many channels in one answer."""

    at_once: int
    """Channels in one question."""
    by: str
    """The name in `Match.named` of what it is asked by; empty: the id of the identity, which an answer in full has told."""

    def probe(self, ids: Sequence[str], site: Site) -> Mapping[str, Peek]:
        """By the ids asked for; one that the answer does not mention is missing. Raises: as `Adapter.resolve`."""
        ...
