"""What goes in and what comes out: requests, limits, answers. The seam behind which any client may stand.

What is made for every request is a named tuple: a frozen dataclass of that width costs five times as much to make.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from ouzel import __version__
from ouzel.system.guard import Scope

USER_AGENT = f"Ouzel/{__version__}"

Take = Callable[[memoryview], None]
"""Takes the next bytes of a body. The view is writable and valid during the call only."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Times in seconds. Every one is a fault of the other side or of the way there; a slow consumer is not counted."""

    connect_s: float = 10.0
    """Name, connection, proxy and TLS together: ConnectFailed."""
    head_s: float = 15.0
    """From the request sent to the last byte of the answer's head: Stalled."""
    stall_s: float = 10.0
    """Without one byte of body: Stalled. Noticed at most a quarter later."""
    low_speed_bps: int = 0
    """Bytes a second, as an average over `low_speed_s`: Stalled below it. 0 = never."""
    low_speed_s: float = 30.0
    total_s: float | None = None
    """The whole of it, redirects and all: Stalled."""


DEFAULT_LIMITS = Limits()


class Request(NamedTuple):
    """A GET; with a `body` a POST, which is sent once, on a connection of its own, and follows no redirect."""

    url: str
    headers: tuple[tuple[str, str], ...] = ()
    """Sent as they are, in place of our own of the same name. Authorization, Cookie and Host are left out when a redirect leaves
    the origin. Those that decide how the answer is framed are refused: BadOption."""
    byte_range: tuple[int, int | None] | None = None
    """First and last byte, inclusive; None as the last: to the end."""
    proxy: str | None = None
    """`http://`, `socks5://` (names are resolved here, and checked) or `socks5h://` (by the proxy); user and password in it."""
    scope: Scope = Scope.public()
    limits: Limits = DEFAULT_LIMITS
    gather_s: float = 0.0
    """How long bytes of a stream without known length may wait in the kernel so that more of them come at once; 0: not at all.
    Costs so much delay, half a second when the stream falters, and saves a good part of the CPU."""
    brake: Callable[[int], float] | None = None
    """Of a stream: told how many bytes have come since it was asked last, returns for how many seconds to read nothing more.
    Such a rest is not counted as the server's."""
    verify_tls: bool = True
    user_agent: str = USER_AGENT
    body: bytes | None = None
    """Its type is the caller's to say: Content-Type in `headers`."""


class Headers:
    """The header fields of a message, in order; names without regard to case, several of one name kept apart."""

    __slots__ = ("_by_name", "_fields")

    def __init__(self, fields: Iterable[tuple[str, str]] = ()) -> None:
        self._fields = tuple(fields)
        self._by_name: dict[str, tuple[str, ...]] = {}
        for name, value in self._fields:
            key = name.lower()
            self._by_name[key] = (*self._by_name.get(key, ()), value)

    def get(self, name: str, default: str | None = None) -> str | None:
        """The first value of this name."""
        return self._by_name.get(name.lower(), (default,))[0]

    def all(self, name: str) -> tuple[str, ...]:
        return self._by_name.get(name.lower(), ())

    def __contains__(self, name: str) -> bool:
        return self.get(name) is not None

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self._fields)

    def __len__(self) -> int:
        return len(self._fields)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Headers) and self._fields == other._fields

    def __hash__(self) -> int:
        return hash(self._fields)

    def __repr__(self) -> str:
        return f"Headers({', '.join(name for name, _ in self._fields)})"  # values may be secrets


class Answer(NamedTuple):
    """The head of a 2xx answer."""

    status: int
    headers: Headers
    url: str
    """Where it came from, after redirects, with whatever secrets are in it; relative references are joined to it."""
    redirects: int
    reused: bool
    """Whether the connection had served another request before."""
    length: int | None
    """Bytes that the body will have as it is handed out; None where only its end will tell."""

    @property
    def content_type(self) -> str:
        """Without parameters, in lower case; empty where the server gave none."""
        return (self.headers.get("content-type") or "").partition(";")[0].strip().lower()


class Page(NamedTuple):
    """A small answer, whole."""

    answer: Answer
    data: bytes


class HttpClient(Protocol):
    """Fetches media. One per process; it keeps connections between requests.

    Both calls raise: BadUrl, BadOption, SchemeRefused, AddressRefused; HostNotFound, ConnectFailed, ProxyFailed, TlsFailed;
    ConnectionLost, Stalled, BadResponse, ShortBody; TooManyRedirects; Gone, Forbidden, RateLimited, ServerTrouble, HttpStatus.
    Cancelling either closes its connection at once.
    """

    async def fetch(self, request: Request, *, max_bytes: int) -> Page:
        """A small thing whole: a playlist, a key, an init segment. Compressed on the way where the server can.

        Raises: as above, and TooLarge beyond `max_bytes`, counted after decompression.
        """
        ...

    async def stream(self, request: Request, on_answer: Callable[[Answer], Take]) -> Answer:
        """A body, piece by piece, straight from the receive buffer.

        Args:
            on_answer: called once, for the final 2xx answer; returns the function that takes the body. Whatever either raises
                closes the connection and comes out of here unchanged.
        Returns: when the body is complete.
        """
        ...

    async def aclose(self) -> None:
        """Close all connections; calls still running end with ConnectionLost."""
        ...
