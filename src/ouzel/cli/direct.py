"""What is at the address of a stream: `ouzel resolve` for what is no platform's page."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

from ouzel.base.errors import NotMedia, OuzelError
from ouzel.base.urls import redact
from ouzel.engine.sources.detect import SNIFF_BYTES, Kind, kind_of_bytes, kind_of_rest
from ouzel.model.live import Answer, Identity, Live, Vod
from ouzel.model.stream import Stream
from ouzel.platforms.contract import Options
from ouzel.system.guard import Scope, addresses_of
from ouzel.system.http import Answer as HttpAnswer
from ouzel.system.http import Http1Client, Request

_PLAYLIST_BYTES = 1024 * 1024
_ENDED = b"#EXT-X-ENDLIST"


class _Enough(Exception):
    pass


class _Look:
    """The beginning of one answer; of a playlist all of it."""

    def __init__(self) -> None:
        self.first = bytearray()
        self.kind: Kind | None = None
        self.length: int | None = None
        self._type = ""

    def on_answer(self, answer: HttpAnswer) -> Callable[[memoryview], None]:
        self.length, self._type = answer.length, answer.content_type
        return self._take

    def finish(self) -> Kind:
        """Raises: NotMedia."""
        return self.kind or kind_of_rest(bytes(self.first), self._type)

    def _take(self, piece: memoryview) -> None:
        self.first += piece
        self.kind = self.kind or kind_of_bytes(bytes(self.first[:SNIFF_BYTES]), self._type)
        if self.kind is not None and (self.kind != "hls" or len(self.first) > _PLAYLIST_BYTES):
            raise _Enough


async def look(url: str, options: Options) -> Answer | OuzelError:
    """Media, by its first bytes: live, or a file or playlist that is over. An error says why it is none."""
    seen = _Look()
    agent = (("User-Agent", options.user_agent),) if options.user_agent else ()
    cookie = (("Cookie", options.cookies),) if options.cookies else ()
    try:
        scope = Scope.public() if options.proxy else Scope.of(await addresses_of(urlsplit(url).hostname or ""))
        request = Request(
            url, (*agent, *cookie), proxy=options.proxy or None, scope=scope, verify_tls=options.verify_tls
        )
        async with Http1Client() as http:
            await http.stream(request, seen.on_answer)
    except _Enough:
        pass
    except OuzelError as exc:
        return exc
    try:
        kind = seen.finish()
    except NotMedia as exc:
        return exc
    stream = Stream(
        url, proxy=options.proxy or None, verify_tls=options.verify_tls, protocol=None if kind == "other" else kind
    )
    identity, over = Identity("direct", redact(url)), seen.length is not None
    if kind == "hls":
        over = _ENDED in seen.first
    return Vod(identity, "", (stream,)) if over else Live(identity, "", (stream,))
