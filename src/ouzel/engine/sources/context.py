"""What every source is handed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ouzel.engine.policy import Policy
from ouzel.engine.tape import Tape
from ouzel.model.stream import Stream
from ouzel.system.clock import Clock
from ouzel.system.ffmpeg import FfmpegFinder
from ouzel.system.guard import Scope
from ouzel.system.http import HttpClient, Request


@dataclass(slots=True)
class SourceContext:
    """The world of one recording's sources."""

    http: HttpClient
    clock: Clock
    tape: Tape
    policy: Policy
    scope: Scope
    """Which addresses may be reached: what a public channel names must be public."""
    ffmpeg: FfmpegFinder
    cookies: Callable[[str], str | None]
    """The Cookie header for an address; None when there is none."""
    from_start: bool = False
    keep_ads: bool = False
    """What the platform shows in the place of the show is recorded too."""
    after: int | None = None
    """The media sequence number with which a recording that was broken off has ended: it goes on with what follows."""
    stopping: bool = False
    """The user wants the recording to end: a segment that is half there is kept as far as it is whole."""

    def request(self, stream: Stream, url: str, *, byte_range: tuple[int, int | None] | None = None) -> Request:
        """A GET for `url` as the stream asks for it: its headers, cookies, proxy, limits."""
        headers = stream.headers_for(url)
        if not any(name.lower() == "cookie" for name, _ in headers) and (cookie := self.cookies(url)):
            headers = (*headers, ("Cookie", cookie))
        return Request(
            url=url,
            headers=headers,
            byte_range=byte_range,
            proxy=stream.proxy,
            scope=self.scope,
            limits=self.policy.limits,
            gather_s=self.policy.gather_s,
            verify_tls=stream.verify_tls,
        )
