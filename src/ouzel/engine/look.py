"""What is at the address of a stream, told without recording it: by its first bytes, or by ffmpeg where that would read it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from urllib.parse import urlsplit

import anyio

from ouzel.base.errors import HttpStatus, InputError, OuzelError, Stalled
from ouzel.base.urls import redact, redact_text
from ouzel.engine.beginning import Beginning, Enough
from ouzel.engine.policy import Policy
from ouzel.engine.sources.detect import (
    FFMPEG_SCHEMES,
    discreet,
    kind_of_rest,
    scheme_of,
)
from ouzel.formats.m3u8 import MasterPlaylist, MediaPlaylist, parse
from ouzel.model.evidence import Evidence
from ouzel.model.live import Answer, Identity, Live, Vod
from ouzel.model.quality import choose
from ouzel.model.stream import Stream
from ouzel.model.variants import streams_of
from ouzel.system.ffmpeg import FfmpegFinder
from ouzel.system.guard import Scope, addresses_of
from ouzel.system.http import Answer as HttpAnswer
from ouzel.system.http import HttpClient, Request

PLATFORM = "direct"
"""What stands for the platform in the identity of such a stream."""
_SHOWN = 160


@dataclass(frozen=True, slots=True)
class Looked:
    """What is there, or why that is not known, and what was answered."""

    outcome: Answer | OuzelError
    evidence: tuple[Evidence, ...]


class _Beginning(Beginning):
    def check(self, answer: HttpAnswer) -> None:  # noqa: ARG002
        if self.kind not in {None, "hls"} or len(self.data) > Policy().max_playlist_bytes:
            raise Enough


async def look(http: HttpClient, ffmpeg: FfmpegFinder, stream: Stream, *, timeout_s: float) -> Looked:
    """On air, a file or playlist that is over, or an error that says why neither is known.

    Raises: BadUrl, BadOption: the caller's words.
    """
    begun, began = _Beginning(), anyio.current_time()
    outcome: Answer | OuzelError = Stalled(f"no answer within {timeout_s:g} s")
    try:
        with anyio.move_on_after(timeout_s):
            outcome = await _look(http, ffmpeg, stream, begun)
    except InputError:
        raise
    except OuzelError as exc:
        outcome = exc
    evidence = _evidence(stream, begun, outcome, anyio.current_time() - began)
    if isinstance(outcome, OuzelError):
        outcome.context["evidence"] = [evidence.fields()]
    return Looked(outcome, (evidence,))


async def _look(http: HttpClient, ffmpeg: FfmpegFinder, stream: Stream, begun: _Beginning) -> Answer:
    if scheme_of(stream.url) in FFMPEG_SCHEMES:
        return await _through_ffmpeg(ffmpeg, stream, stream.url, length=None)
    request = await _request(stream)
    with discreet(request.scope):
        try:
            await http.stream(request, begun.on_answer)
        except Enough:
            pass
        answer = begun.answer
        assert answer is not None
        kind = begun.kind or kind_of_rest(bytes(begun.data), answer.content_type)
    if kind == "other":
        return await _through_ffmpeg(ffmpeg, stream, answer.url, length=answer.length)
    if kind == "hls":
        with discreet(request.scope):
            playlist = parse(bytes(begun.data), base_url=answer.url)
        found, over = _listed(playlist, stream), await _is_over(http, request, playlist)
    else:
        found, over = (replace(stream, protocol=kind),), answer.length is not None
    return Vod(_identity(stream), "", found) if over else Live(_identity(stream), "", found)


def _listed(playlist: MasterPlaylist | MediaPlaylist, asked: Stream) -> tuple[Stream, ...]:
    """Of a master each variant, to be opened as was asked for; elsewhere without what proves who we are."""
    bare = tuple(streams_of(playlist)) if isinstance(playlist, MasterPlaylist) else ()
    return tuple(
        replace(each, headers=asked.headers_for(each.url), proxy=asked.proxy, verify_tls=asked.verify_tls)
        for each in bare
    ) or (replace(asked, protocol="hls"),)


async def _through_ffmpeg(finder: FfmpegFinder, stream: Stream, address: str, *, length: int | None) -> Answer:
    """`length`: bytes that were announced; a manifest's say nothing."""
    from ouzel.engine.sources.ffmpeg.looking import open_input

    asked = replace(stream, headers=stream.headers_for(address))  # it may be where a redirect has led
    opened, picked = await open_input(finder, asked, address)
    picture = next((each for each in opened.streams if each.index == picked.video), None)
    found = Stream(
        stream.url,
        stream.headers,
        stream.proxy,
        stream.verify_tls,
        protocol="ffmpeg",
        level=None if picture else "audio",
        height=picture.height if picture else None,
        fps=picture.fps if picture else None,
        bitrate_bps=picture.bandwidth_bps if picture else None,
        codec=picture.codec if picture else "",
    )
    is_file = scheme_of(address) not in FFMPEG_SCHEMES  # how long a camera says that it is means nothing
    if is_file and (opened.duration_s is not None or (opened.demuxer != "dash" and length is not None)):
        return Vod(_identity(stream), "", (found,), duration_s=opened.duration_s)
    return Live(_identity(stream), "", (found,))


def _identity(stream: Stream) -> Identity:
    return Identity(PLATFORM, redact(stream.url))


def _evidence(stream: Stream, begun: _Beginning, outcome: Answer | OuzelError, took_s: float) -> Evidence:
    answer = begun.answer
    error = outcome if isinstance(outcome, OuzelError) else None
    status, first = (
        (error.status, str(error.context.get("excerpt", ""))) if isinstance(error, HttpStatus) else (None, "")
    )
    if answer is not None:
        status, first = answer.status, _text(bytes(begun.data[:_SHOWN]))
    return Evidence(
        "OPEN" if scheme_of(stream.url) in FFMPEG_SCHEMES else "GET",
        redact(answer.url if answer is not None else stream.url),
        status,
        answer.content_type if answer is not None else "",
        redact_text(first),
        error.code if error is not None else "",
        str(error.context.get("words", error)) if error is not None else "",
        took_s,
    )


def _text(first: bytes) -> str:
    """Empty for what is no text, such as media."""
    text = first.decode("utf-8", "ignore")
    return " ".join(text.split()) if all(c.isprintable() or c.isspace() for c in text) and text.isascii() else ""


async def _is_over(http: HttpClient, request: Request, playlist: MasterPlaylist | MediaPlaylist) -> bool:
    """Whether nothing will be added to this playlist; of a master, to the variant that would be recorded."""
    if isinstance(playlist, MasterPlaylist):
        choice = choose(playlist, "best")
        chosen = choice.variant or choice.audio
        if chosen is None or chosen.uri is None:
            return False
        page = await http.fetch(request._replace(url=chosen.uri), max_bytes=Policy().max_playlist_bytes)
        with discreet(request.scope):
            playlist = parse(page.data, base_url=page.answer.url)
    return not isinstance(playlist, MasterPlaylist) and playlist.end_list


async def _request(stream: Stream) -> Request:
    """With a proxy it looks the name up, and what is on the way is its affair."""
    scope = Scope.public() if stream.proxy else Scope.of(await addresses_of(urlsplit(stream.url).hostname or ""))
    return Request(stream.url, stream.headers, proxy=stream.proxy, scope=scope, verify_tls=stream.verify_tls)
