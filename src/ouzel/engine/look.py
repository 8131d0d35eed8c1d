"""What is at the address of a stream, told by its first bytes, without recording it."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

from ouzel.base.urls import redact
from ouzel.engine.policy import Policy
from ouzel.engine.sources.detect import SNIFF_BYTES, Kind, kind_of_bytes, kind_of_rest
from ouzel.formats.m3u8 import MasterPlaylist, parse
from ouzel.model.live import Answer, Identity, Live, Vod
from ouzel.model.quality import choose
from ouzel.model.stream import Stream
from ouzel.system.guard import Scope, addresses_of
from ouzel.system.http import Answer as HttpAnswer
from ouzel.system.http import HttpClient, Request

PLATFORM = "direct"
"""What stands for the platform in the identity of such a stream."""


class _Enough(Exception):
    """More bytes would tell nothing."""


class _Beginning:
    """The beginning of one answer; of a playlist all of it."""

    def __init__(self) -> None:
        self.data = bytearray()
        self.answer: HttpAnswer | None = None
        self._kind: Kind | None = None

    def on_answer(self, answer: HttpAnswer) -> Callable[[memoryview], None]:
        self.answer = answer
        return self._take

    def kind(self, answer: HttpAnswer) -> Kind:
        """Raises: NotMedia."""
        return self._kind or kind_of_rest(bytes(self.data), answer.content_type)

    def _take(self, piece: memoryview) -> None:
        assert self.answer is not None
        self.data += piece
        self._kind = self._kind or kind_of_bytes(bytes(self.data[:SNIFF_BYTES]), self.answer.content_type)
        if self._kind not in {None, "hls"} or len(self.data) > Policy().max_playlist_bytes:
            raise _Enough


async def look(http: HttpClient, stream: Stream) -> Answer:
    """On air, or a file or playlist that is over.

    Raises: NotMedia; BadUrl, NetworkError, Refused; FormatError of a playlist that cannot be read.
    """
    begun = _Beginning()
    request = await _request(stream)
    try:
        await http.stream(request, begun.on_answer)
    except _Enough:
        pass
    answer = begun.answer
    assert answer is not None
    kind = begun.kind(answer)
    if kind == "hls":
        over = await _is_over(http, request, bytes(begun.data), answer.url)
    else:
        over = answer.length is not None
    found = Stream(
        stream.url, stream.headers, stream.proxy, stream.verify_tls, protocol=None if kind == "other" else kind
    )
    told = Identity(PLATFORM, redact(stream.url)), "", (found,)
    return Vod(*told) if over else Live(*told)


async def _is_over(http: HttpClient, request: Request, data: bytes, url: str) -> bool:
    """Whether nothing will be added to this playlist; of a master, to the variant that would be recorded."""
    playlist = parse(data, base_url=url)
    if isinstance(playlist, MasterPlaylist):
        choice = choose(playlist, "best")
        chosen = choice.variant or choice.audio
        if chosen is None or chosen.uri is None:
            return False
        page = await http.fetch(request._replace(url=chosen.uri), max_bytes=Policy().max_playlist_bytes)
        playlist = parse(page.data, base_url=page.answer.url)
    return not isinstance(playlist, MasterPlaylist) and playlist.end_list


async def _request(stream: Stream) -> Request:
    """With a proxy it looks the name up, and what is on the way is its affair."""
    scope = Scope.public() if stream.proxy else Scope.of(await addresses_of(urlsplit(stream.url).hostname or ""))
    return Request(stream.url, stream.headers, proxy=stream.proxy, scope=scope, verify_tls=stream.verify_tls)
