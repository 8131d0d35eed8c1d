"""One channel of an origin: what a test says to it, and what it answers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from math import ceil
from urllib.parse import urlencode

from ouzel.testing.clips import Clip, Tracks
from ouzel.testing.clock import Clock
from ouzel.testing.origin.continuous import FlvFaults, FlvOptions, flv_stream, joining_group, ts_stream
from ouzel.testing.origin.edge import Edge
from ouzel.testing.origin.hls import Context, MediaPlaylist, encrypt, master_playlist
from ouzel.testing.origin.options import CONTENT_TYPE, VARIABLE, VARIABLE_VALUE, Container, Hls
from ouzel.testing.origin.pieces import TICKS
from ouzel.testing.origin.rendition import Rendition
from ouzel.testing.origin.server import Request, Response, compress, requested_range
from ouzel.testing.origin.show import Show

_MEDIA = re.compile(r"(seg|init|key|all)(\d+)\.(ts|m4s|aac|mp4|bin)")
_PART = re.compile(r"part(\d+)\.(\d+)\.(ts|m4s)")
_M3U8 = {"Content-Type": "application/vnd.apple.mpegurl", "Cache-Control": "no-cache"}
_RELOAD_AHEAD = 2
"""A blocking reload may ask for so many segments ahead (rfc8216bis section 6.2.5.2)."""


@dataclass(slots=True)
class _Tokens:
    """Signed addresses: which tokens there are, and until when."""

    ttl_s: float | None = None
    until: dict[str, float] = field(default_factory=dict[str, float])


class Channel:
    """A live channel, offered as HLS, HTTP-FLV and continuous HTTP-TS at the same time. Made by `LiveOrigin.channel`.

    All media are numbered: group of pictures n and segment n are the n-th since the start of the show. Changes of the show
    take effect with segment `at`; None: with the next one that is not complete.
    """

    def __init__(self, name: str, origin_url: str, clock: Clock, show: Show, hls: Hls) -> None:
        if not re.fullmatch(r"[A-Za-z0-9_-]+", name):
            raise ValueError(f"{name!r} is no channel name: letters, digits, '_' and '-'")
        self.name = name
        self.show = show
        self.hls = hls
        self.flv = FlvOptions()
        self.flv_faults = FlvFaults(show)
        self._root = origin_url
        self._clock = clock
        self._edge = Edge(show, hls)
        self._tokens = _Tokens()
        self._main = self._rendition("", "av", hls.container)
        self._variants = [self._main]
        self._sounds: list[Rendition] = []
        self._silent: Rendition | None = None

    # ---- addresses

    @property
    def url(self) -> str:
        """Where a player begins: the master playlist if there is anything to choose or defined in it, else the media playlist."""
        choice = len(self._variants) > 1 or self._sounds or self.hls.define == "import"
        return self.master_url if choice else self.index_url

    @property
    def index_url(self) -> str:
        return self._address(f"{self.name}/index.m3u8")

    @property
    def master_url(self) -> str:
        return self._address(f"{self.name}/master.m3u8")

    @property
    def flv_url(self) -> str:
        return self._address(f"{self.name}.flv")

    @property
    def ts_url(self) -> str:
        return self._address(f"{self.name}.ts")

    def sign(self, ttl_s: float) -> Channel:
        """From now on every address needs a token, good for `ttl_s` seconds of the clock; without a good one: 403."""
        self._tokens.ttl_s = ttl_s
        return self

    def fresh_url(self, url: str | None = None) -> str:
        """`url` (by default the one a player begins with) with a new token, as a platform hands it out: `token` and `expire`,
        the latter in Unix time."""
        if self._tokens.ttl_s is None:
            return url or self.url
        token = f"{self.name}-{len(self._tokens.until) + 1}"
        self._tokens.until[token] = self._clock.monotonic() + self._tokens.ttl_s
        expire = ceil((self._clock.now() + timedelta(seconds=self._tokens.ttl_s)).timestamp())
        base = url or self.url
        return f"{base}{'&' if '?' in base else '?'}{urlencode({'token': token, 'expire': expire})}"

    def revoke_tokens(self) -> Channel:
        """All tokens that were handed out are bad from now on."""
        self._tokens.until = dict.fromkeys(self._tokens.until, float("-inf"))
        return self

    # ---- what is offered

    def variant(self, name: str, clip: Clip) -> Channel:
        """Another quality in the master playlist, with its own clip of the same length of groups."""
        if clip.gop_90k != self.show.timeline.at(0).stretch.clip.gop_90k:
            raise ValueError("the groups of a variant are as long as the channel's")
        self._variants.append(self._rendition(name, "av", self.hls.container, clip))
        return self

    def sound(self, name: str, container: Container | None = None) -> Channel:
        """Offer the sound as an alternate rendition called `name`; from the first on, the other playlists hold no sound."""
        if not self._sounds:
            for index, old in enumerate(self._variants):
                clip = old.clip() if old.name else None
                self._variants[index] = self._rendition(old.name, "video", old.container, clip)
        self._sounds.append(self._rendition(name, "audio", container or self.hls.container))
        return self

    # ---- the show

    @property
    def segments(self) -> int:
        """How many segments are complete."""
        return self._edge.segments

    def push(self, segments: int = 1) -> Channel:
        """Complete so many more segments. A paced show leaps forward by their time."""
        self._edge.parts = 0
        self.show.push(segments * self.hls.gops_per_segment)
        return self

    def push_part(self, parts: int = 1) -> Channel:
        """Publish so many more partial segments of a show that is stepped by hand; the last one completes the segment."""
        whole = len(self._main.segment(self.segments).parts)
        for _ in range(parts):
            self._edge.parts += 1
            if self._edge.parts >= whole:
                self.push()
        self.show.touch()
        return self

    def end(self) -> Channel:
        """The show is over: playlists say ENDLIST, endless bodies end cleanly."""
        self.show.end()
        return self

    def change_clip(self, clip: Clip, *, discontinuity: bool = True, at: int | None = None) -> Channel:
        """Show another clip: other pictures, another init segment and another codec if it has one. Time stamps go on."""
        self.show.timeline.change_clip(self._group(at), clip, discontinuity=discontinuity)
        return self

    def jump_stamps(self, by_s: float, *, discontinuity: bool = False, at: int | None = None) -> Channel:
        """The time stamps jump, forward or back; nothing of the show is missing."""
        self.show.timeline.shift_stamps(self._group(at), round(by_s * TICKS), discontinuity=discontinuity)
        return self

    def restart_stamps(self, *, zero_s: float = 1, discontinuity: bool = True, at: int | None = None) -> Channel:
        """The time stamps begin anew; nothing of the show is missing."""
        self.show.timeline.restart_stamps(self._group(at), zero_s=zero_s, discontinuity=discontinuity)
        return self

    def new_init(self, *, at: int | None = None) -> Channel:
        """The init segment moves to another address; its bytes stay the same."""
        self.show.timeline.new_init(self._group(at))
        return self

    # ---- what playlists get wrong

    def gap(self, *segments: int) -> Channel:
        """These segments are listed with EXT-X-GAP and cannot be fetched."""
        self._edge.gaps.update(segments)
        return self

    def advertise(self, *segments: int) -> Channel:
        """These segments are marked as advertisements, as Twitch marks them."""
        self._edge.ads.update(segments)
        return self

    def freeze(self) -> Channel:
        """Playlists stay as they are, whatever happens, until `thaw`."""
        self._edge.freeze()
        return self

    def thaw(self) -> Channel:
        self._edge.thaw()
        return self

    def step_back(self, segments: int, *, times: int = 1) -> Channel:
        """The next `times` playlists are older by so many segments, as from a cache that lags behind."""
        self._edge.step_back(segments, times)
        return self

    def restart_sequence(self, *, sequence: int = 0, reuse_names: bool = False) -> Channel:
        """As if the encoder were started anew: from the next segment on the media sequence counts from `sequence`, and older
        segments are listed no more. With `reuse_names` segments are called seg0, seg1 … again."""
        self._edge.restart(sequence=sequence, reuse_names=reuse_names)
        return self

    def early_endlist(self, *, times: int = 1) -> Channel:
        """The next `times` playlists say ENDLIST; then the show goes on."""
        self._edge.end_early(times)
        return self

    def slide(self, segments: int) -> Channel:
        """Let so many segments appear and leave the playlist at once, so that a client never sees them listed."""
        return self.push(segments + self.hls.window)

    # ---- answers

    async def answer(self, request: Request, rest: str) -> Response:
        """The right answer for `rest`, the path behind the channel's name: `.flv`, `.ts` or `/…`."""
        if not self._allowed(request):
            return Response(403)
        if rest == ".flv":
            first = joining_group(self.show, self.flv.gop_cache)
            body = flv_stream(self.name, self.show, self.flv, self.flv_faults, first)
            return Response(200, {"Content-Type": "video/x-flv"}, body, chunked=self.flv.chunked)
        if rest == ".ts":
            stream = ts_stream(self._main, self.show, joining_group(self.show, self.flv.gop_cache))
            return Response(200, {"Content-Type": "video/mp2t"}, stream, chunked=self.flv.chunked)
        path = rest.removeprefix("/")
        if path == "master.m3u8":
            return self._playlist(
                request, master_playlist(self.hls, self._context(request), self._variants, self._sounds)
            )
        folder, _, name = path.rpartition("/")
        rendition = next((r for r in (*self._variants, *self._sounds) if r.name == folder), None)
        if rendition is None:
            return Response(404)
        if name == "index.m3u8":
            if not await self._reload_ready(request, rendition):
                return Response(400)
            view = self._edge.view(rendition)
            return self._playlist(request, MediaPlaylist(self.hls, self._context(request), rendition, view).render())
        if self.hls.define and request.query.get(VARIABLE) != VARIABLE_VALUE:
            return Response(404)
        return await self._media(request, rendition, name)

    async def _media(self, request: Request, rendition: Rendition, name: str) -> Response:
        if part := _PART.fullmatch(name):
            number, index = self._edge.number(int(part[1])), int(part[2])
            if number > self.segments or index >= len(rendition.segment(number).parts):
                return Response(404)
            await self.show.wait(lambda: self._edge.has_part(rendition, number, index) or self.show.ended)
            return self._bytes(rendition, rendition.part(number, index))
        found = _MEDIA.fullmatch(name)
        if not found:
            return Response(404)
        kind, number = found[1], int(found[2])
        if kind == "key" and self.hls.aes:
            return Response(200, {"Content-Type": "application/octet-stream"}, self.hls.aes.key(self.name, number))
        if kind == "seg":
            return self._segment(rendition, self._edge.number(number))
        if number > self.show.timeline.stretches[-1].init:
            return Response(404)
        if kind == "init" and rendition.container == "mp4":
            data = rendition.init(number)
            aes = self.hls.aes
            if aes is not None and aes.encrypted_map:
                data = encrypt(data, aes.key(self.name, 0), aes.iv(self.name, 0, 0))
            return Response(200, {"Content-Type": "video/mp4"}, data)
        if kind == "all" and self.hls.byte_ranges:
            return self._file(request, rendition, number)
        return Response(404)

    def _segment(self, rendition: Rendition, number: int) -> Response:
        if not self._edge.is_there(number):
            return Response(404)
        data, aes = rendition.data(number), self.hls.aes
        key = aes.key_number(number) if aes else None
        if aes is not None and key is not None:
            iv = aes.iv(self.name, key, self._edge.sequence(number))
            return self._bytes(rendition, encrypt(data, aes.key(self.name, key), iv))
        return self._bytes(rendition, data)

    def _file(self, request: Request, rendition: Rendition, init: int) -> Response:
        asked = requested_range(request)
        start, stop = asked or (0, None)
        data = rendition.file_range(init, start, stop, segments=self.segments)
        response = self._bytes(rendition, data)
        if asked and not data:
            response.status = 416
        elif asked:
            response.status = 206
            response.headers["Content-Range"] = f"bytes {start}-{start + len(data) - 1}/*"
        return response

    @staticmethod
    def _bytes(rendition: Rendition, data: bytes | bytearray | memoryview) -> Response:
        return Response(200, {"Content-Type": CONTENT_TYPE[rendition.container], "Accept-Ranges": "bytes"}, data)

    async def _reload_ready(self, request: Request, rendition: Rendition) -> bool:
        """Hold a blocking reload until what it asks for is there; False when it asks for too much."""
        sequence = request.query.get("_HLS_msn", "")
        if not sequence.isdigit() or not self.hls.part_s:
            return True
        number, index = self._edge.find(int(sequence)), int(request.query.get("_HLS_part", "-1"))
        if number > self.segments + _RELOAD_AHEAD:
            return False
        await self.show.wait(lambda: self._edge.has_part(rendition, number, index) or self.show.ended)
        return True

    def _playlist(self, request: Request, text: str) -> Response:
        response = Response(200, dict(_M3U8), text.encode())
        compress(request, response)
        return response

    def _allowed(self, request: Request) -> bool:
        if self._tokens.ttl_s is None:
            return True
        return self._clock.monotonic() < self._tokens.until.get(request.query.get("token", ""), float("-inf"))

    def _context(self, request: Request) -> Context:
        base = {"relative": "", "path": f"/live/{self.name}/", "absolute": f"{self._root}/live/{self.name}/"}[
            self.hls.uris
        ]
        keep = ("token", "expire") if self._tokens.ttl_s is not None else ()
        query: Mapping[str, str] = {key: request.query[key] for key in keep if key in request.query}
        return Context(self.name, self.show.begin, base, query, self._edge.name)

    def _rendition(self, name: str, tracks: Tracks, container: Container, clip: Clip | None = None) -> Rendition:
        return Rendition(self.name, name, self.show.timeline, self.hls, tracks=tracks, container=container, clip=clip)

    def _group(self, at: int | None) -> int:
        return (self.segments if at is None else at) * self.hls.gops_per_segment

    def _address(self, path: str) -> str:
        query = f"?{VARIABLE}={VARIABLE_VALUE}" if self.hls.define == "query" else ""
        return f"{self._root}/live/{path}{query}"
