"""What is at an address, as a download sees it: tracks of pieces, or something that is on air."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from ouzel.base.errors import BadOption, FormatError, HttpStatus, NotMedia, OuzelError
from ouzel.base.urls import redact
from ouzel.engine.download.asking import Asking
from ouzel.engine.policy import Policy
from ouzel.engine.sources.detect import FFMPEG_SCHEMES, SNIFF_BYTES, Kind, kind_of_bytes, kind_of_rest, scheme_of
from ouzel.formats.m3u8 import MasterPlaylist, MediaPlaylist, Playlist, Rendition, Variant, parse
from ouzel.model.downloads import DownloadWish, track_label
from ouzel.model.pieces import Piece, pieces_of, ranges_of
from ouzel.model.quality import choose, label
from ouzel.model.stream import Stream
from ouzel.system.http import Answer

TrackKind = Literal["video", "audio", "subtitles"]
_KINDS: Mapping[str, TrackKind] = {"AUDIO": "audio", "VIDEO": "video", "SUBTITLES": "subtitles"}
_MOST_PLAYLIST = 64 * 1024 * 1024
"""A VOD of a day in two-second segments with signed addresses has 40 MB."""


@dataclass(frozen=True, slots=True)
class TrackPlan:
    """One track, before it is fetched."""

    kind: TrackKind
    stream: Stream
    pieces: tuple[Piece, ...]
    url: str
    """Of its playlist, or the file."""
    independent: bool = False
    language: str = ""
    name: str = ""
    default: bool = False
    forced: bool = False
    size: int | None = None
    """Of a plain file, in bytes; None of a list of segments."""

    @property
    def label(self) -> str:
        return track_label(self.kind, self.language, self.name)

    @property
    def media_s(self) -> float:
        return sum(piece.segment.duration_s for piece in self.pieces)

    @property
    def is_broken(self) -> bool:
        """Whether the clock of the track may begin anew on the way, as its list says."""
        return any(piece.discontinuity for piece in self.pieces)


@dataclass(frozen=True, slots=True)
class Sight:
    """What there is to fetch. Without tracks: it is on air, and a matter of the recorder."""

    tracks: tuple[TrackPlan, ...]
    quality: str = ""


class _Enough(Exception):
    """More bytes would tell nothing."""


class _Beginning:
    """The beginning of an answer; of a playlist all of it."""

    def __init__(self) -> None:
        self.data = bytearray()
        self.answer: Answer | None = None
        self.kind: Kind | None = None

    def on_answer(self, answer: Answer) -> Callable[[memoryview], None]:
        self.answer = answer
        return self._take

    def _take(self, piece: memoryview) -> None:
        assert self.answer is not None
        self.data += piece
        self.kind = self.kind or kind_of_bytes(bytes(self.data[:SNIFF_BYTES]), self.answer.content_type)
        if self.kind not in {None, "hls"}:
            raise _Enough
        if len(self.data) > _MOST_PLAYLIST:
            raise FormatError(f"a playlist of more than {_MOST_PLAYLIST} bytes")


async def see(asking: Asking, wish: DownloadWish) -> Sight:
    """Raises: BadUrl, BadOption, UnknownQuality; NotMedia, FormatError; NetworkError, Refused."""
    stream = asking.address.stream
    sight = await _see(asking, wish, stream)
    if stream.sound is None or not sight.tracks:
        return sight
    beside = await _see(asking, wish, stream.sound)
    return Sight((*sight.tracks, *(replace(track, kind="audio") for track in beside.tracks)), sight.quality)


async def _see(asking: Asking, wish: DownloadWish, stream: Stream) -> Sight:
    match await _top(asking, stream):
        case None:
            return Sight(())
        case TrackPlan() as plain:
            return Sight((plain,))
        case playlist:
            return await _listed(asking, wish, stream, playlist)


async def every_track(asking: Asking) -> AsyncGenerator[TrackPlan]:
    """All that is over at an address, of any quality and language, each asked for when it is wanted.

    Raises: as `see`; what a single playlist is to be blamed for when all others were given.
    """
    stream = asking.address.stream
    async for track in _every(asking, stream):
        yield track
    if stream.sound is not None:
        async for track in _every(asking, stream.sound):
            yield replace(track, kind="audio")


async def _every(asking: Asking, stream: Stream) -> AsyncGenerator[TrackPlan]:
    wish = DownloadWish(stream.url, Path())
    failed: OuzelError | None = None
    top = await _top(asking, stream)
    if isinstance(top, TrackPlan):
        yield top
    elif isinstance(top, MediaPlaylist):
        if top.end_list:
            yield _track(top, stream, wish, "video")
    elif top is not None:
        for told in (*top.variants, *(each for each in top.renditions if each.uri)):
            try:
                if isinstance(told, Variant):
                    track = _track(await _media(asking, top, told.uri), stream, wish, "video")
                else:
                    track = await _rendition(asking, top, told, wish, _KINDS[told.type])
            except OuzelError as exc:
                failed = failed or exc
            else:
                yield track
    if failed is not None:
        raise failed


async def _top(asking: Asking, stream: Stream) -> Playlist | TrackPlan | None:
    """What an address leads to; None for what is on air, or can only be read as it comes."""
    if scheme_of(stream.url) in FFMPEG_SCHEMES:
        return None
    begun = await asking.patiently(lambda: _begin(asking, stream))
    answer = begun.answer
    assert answer is not None
    kind = begun.kind or kind_of_rest(bytes(begun.data), answer.content_type)
    if kind == "hls":
        return parse(bytes(begun.data), base_url=answer.url)
    is_manifest = bytes(begun.data[:SNIFF_BYTES]).lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<")
    if is_manifest or answer.length is None:
        return None  # DASH; or something that goes on and on
    whole = not await _gives_ranges(asking, stream, answer.url)
    pieces = ranges_of(answer.url, answer.length, whole=whole)
    return TrackPlan("video", stream, pieces, answer.url, size=answer.length)


async def _begin(asking: Asking, stream: Stream) -> _Beginning:
    begun = _Beginning()
    try:
        await asking.http.stream(asking.request(stream, stream.url), begun.on_answer)
    except _Enough:
        pass
    return begun


async def _gives_ranges(asking: Asking, stream: Stream, url: str) -> bool:
    """Who answers a range with the whole file would send it once for each."""
    given = False

    def on_answer(answer: Answer) -> Callable[[memoryview], None]:
        nonlocal given
        given = answer.status == 206
        raise _Enough

    try:
        await asking.http.stream(asking.request(stream, url, (0, 0)), on_answer)
    except (_Enough, HttpStatus):
        pass
    return given


async def _listed(asking: Asking, wish: DownloadWish, stream: Stream, top: Playlist) -> Sight:
    if isinstance(top, MediaPlaylist):
        if not top.end_list:
            if _says_nothing(top):
                raise NotMedia(f"an empty playlist: {redact(top.url)}", url=redact(top.url))
            return Sight(())
        return Sight((_track(top, stream, wish, "video"),), wish.quality)
    language = wish.audio[0] if wish.audio and wish.audio[0] != "all" else None
    choice = choose(top, wish.quality, language=language)
    tracks: list[TrackPlan] = []
    if choice.variant is not None:
        main = await _media(asking, top, choice.variant.uri)
        if not main.end_list:
            return Sight(())
        tracks.append(_track(main, stream, wish, "video"))
    group = choice.variant.audio if choice.variant is not None else None
    sounds = _wanted(top.group("AUDIO", group), wish.audio, choice.audio, "--audio")
    tracks += [await _rendition(asking, top, sound, wish, "audio") for sound in sounds]
    if choice.variant is not None and wish.subtitles:
        texts = top.group("SUBTITLES", choice.variant.subtitles)
        chosen = _wanted(texts, wish.subtitles, None, "--subs")
        tracks += [await _rendition(asking, top, text, wish, "subtitles") for text in chosen]
    return Sight(tuple(tracks), label(choice.variant) if choice.variant is not None else "audio")


def _says_nothing(playlist: MediaPlaylist) -> bool:
    """Of a broadcast that is to begin one tells at least how long segments will be."""
    told = any(warning.code == "no_target_duration" for warning in playlist.warnings)
    return told and not playlist.segments and playlist.open_segment is None


def _wanted(
    group: Sequence[Rendition], languages: Sequence[str], usual: Rendition | None, option: str
) -> Iterator[Rendition]:
    """Those with a playlist of their own. Raises: BadOption for a language that there is not."""
    there = [each for each in group if each.uri is not None]
    if not languages:
        yield from () if usual is None or usual.uri is None else (usual,)
        return
    if "all" in languages:
        yield from there
        return
    for wanted in languages:
        found = next((each for each in there if _speaks(each, wanted)), None)
        if found is not None:
            yield found
        elif not any(_speaks(each, wanted) for each in group):  # it may be in the variant itself
            spoken = ", ".join(dict.fromkeys(each.language or each.name for each in group)) or "none"
            raise BadOption(f"{option} {wanted}: there is no such language; there is {spoken}")


def _speaks(rendition: Rendition, wanted: str) -> bool:
    spoken, wish = (rendition.language or "").lower(), wanted.lower()
    return spoken == wish or spoken.startswith(f"{wish}-") or rendition.name.lower() == wish


async def _rendition(
    asking: Asking, top: MasterPlaylist, rendition: Rendition, wish: DownloadWish, kind: TrackKind
) -> TrackPlan:
    assert rendition.uri is not None
    playlist = await _media(asking, top, rendition.uri)
    return replace(
        _track(playlist, asking.address.stream, wish, kind),
        language=rendition.language or "",
        name=rendition.name,
        default=rendition.default,
        forced=rendition.forced,
    )


async def _media(asking: Asking, top: MasterPlaylist, url: str) -> MediaPlaylist:
    request = asking.request(asking.address.stream, url)
    page = await asking.fetch_patiently(request, max(_MOST_PLAYLIST, Policy().max_playlist_bytes))
    playlist = parse(page.data, base_url=page.answer.url, variables=dict(top.variables))
    if isinstance(playlist, MasterPlaylist):
        raise FormatError("the address of a media playlist gives a master playlist", url=redact(url))
    return playlist


def _track(playlist: MediaPlaylist, stream: Stream, wish: DownloadWish, kind: TrackKind) -> TrackPlan:
    """Raises: NotMedia, BadOption when it lists nothing."""
    pieces = pieces_of(playlist, wish.from_s, wish.to_s)
    if not playlist.segments:
        raise NotMedia(f"the playlist lists no segments: {redact(playlist.url)}", url=redact(playlist.url))
    if not pieces:
        raise BadOption(f"--from and --to leave nothing of {playlist.duration_s:.1f} s")
    return TrackPlan(kind, stream, pieces, playlist.url, playlist.independent_segments)
