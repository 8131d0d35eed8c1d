"""What is at an address, as a download sees it: tracks of pieces, or something that is on air."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, Protocol

from ouzel.base.errors import BadOption, FormatError, HttpStatus, NotMedia, OuzelError
from ouzel.base.urls import redact
from ouzel.engine.beginning import Beginning, Enough
from ouzel.engine.download.asking import Address, Asking
from ouzel.engine.download.ends import least_size
from ouzel.engine.download.looks import version_of
from ouzel.engine.policy import Policy
from ouzel.engine.recipes import SOUND_ONLY
from ouzel.engine.sources.detect import (
    FFMPEG_SCHEMES,
    SNIFF_BYTES,
    discreet,
    kind_of_rest,
    scheme_of,
)
from ouzel.formats.m3u8 import MasterPlaylist, MediaPlaylist, Playlist, Rendition, Variant, parse
from ouzel.model.downloads import DownloadWish
from ouzel.model.pieces import Piece, pieces_of, ranges_of
from ouzel.model.quality import choose, label
from ouzel.model.stream import Stream
from ouzel.system.http import Answer

TrackKind = Literal["video", "audio", "subtitles"]
_ANY_QUALITY = frozenset({"", "best", "worst", "source", "original"})
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
    """Of a plain file, in bytes; None where only its end will tell, and of a list of segments."""
    plain: bool = False
    """A plain file: its pieces are none of the media."""
    version: str = ""
    """Of a plain file, as its server tells it; empty where it does not."""
    least_bytes: int = 0
    """So long it is at least, where its length is not told."""
    begins_s: float = 0.0
    """Where the first of its pieces stands in the programme, by the lengths that are announced."""
    own_sound: Rendition | None = None
    """Of a variant: the sound in it is wanted beside that of other tracks."""

    @property
    def media_s(self) -> float:
        return sum(piece.segment.duration_s for piece in self.pieces)

    @property
    def is_broken(self) -> bool:
        """Whether the clock of the track may begin anew on the way, as its list says."""
        return any(piece.discontinuity for piece in self.pieces)

    def only(self, pieces: tuple[Piece, ...]) -> TrackPlan:
        """Of the same track these pieces, which are some of its own in another counting."""
        first = pieces[0].segment.media_sequence
        before_s = sum(piece.segment.duration_s for piece in self.pieces if piece.segment.media_sequence < first)
        return replace(self, pieces=pieces, begins_s=self.begins_s + before_s)


@dataclass(frozen=True, slots=True)
class Sight:
    """What there is to fetch. Without tracks: it is on air, and a matter of the recorder."""

    tracks: tuple[TrackPlan, ...]
    quality: str = ""
    warnings: tuple[str, ...] = ()
    """What was wished for, and is not among them."""
    has_choice: bool = False
    """They were chosen from several."""


class Labelled(Protocol):
    """A track, before or after it was fetched."""

    @property
    def kind(self) -> str: ...
    @property
    def language(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def own_sound(self) -> Rendition | None: ...


def besides(tracks: Sequence[Labelled]) -> tuple[str, ...]:
    """What is joined with the main track, for people and in the ledger: `audio en (English)`."""
    own = [_label("audio", each.own_sound.language, each.own_sound.name) for each in tracks[:1] if each.own_sound]
    return (*own, *(_label(each.kind, each.language, each.name) for each in tracks[1:]))


def _label(kind: str, language: str | None, name: str) -> str:
    return " ".join(each for each in (kind, language, f"({name})" if name else "") if each)


class _Beginning(Beginning):
    least_bytes: int | None = None
    """Of a file that tells no length; 0: perhaps it is none."""

    def check(self, answer: Answer) -> None:
        if self.kind in {"mp4", "other"} and answer.length is None:
            self.least_bytes = least_size(bytes(self.data))
            if self.least_bytes is None:
                return
        if self.kind not in {None, "hls"}:
            raise Enough
        if len(self.data) > _MOST_PLAYLIST:
            raise FormatError(f"a playlist of more than {_MOST_PLAYLIST} bytes")


async def see(asking: Asking, wish: DownloadWish) -> Sight:
    """Raises: BadUrl, BadOption, UnknownQuality; NotMedia, FormatError; NetworkError, Refused."""
    stream = asking.address.stream
    sight = await _see(asking, wish, stream)
    if stream.sound is not None and sight.tracks:
        beside = await _see(asking, wish, stream.sound)
        sounds = (replace(track, kind="audio") for track in beside.tracks)
        sight = replace(sight, tracks=(*sight.tracks, *sounds))
    sight = replace(sight, warnings=(*sight.warnings, *_unheeded(sight, wish, asking.address)))
    return _heard(sight) if wish.format in SOUND_ONLY else sight


def _unheeded(sight: Sight, wish: DownloadWish, address: Address) -> Iterator[str]:
    """What was wished for where there is nothing to choose from, or nothing to open."""
    if sight.tracks and not sight.has_choice:
        if wish.quality.strip().lower() not in _ANY_QUALITY and address.page is None:
            yield f"--quality {wish.quality}: there is one quality, and nothing to choose from"
        if languages := [each for each in wish.audio if each != "all"]:
            yield f"--audio {', '.join(languages)}: there is one sound, and no word about its language"
        if languages := [each for each in wish.subtitles if each != "all"]:
            yield f"--subs {', '.join(languages)}: there are no subtitles"
    if (wish.from_s or wish.to_s is not None) and any(track.plain for track in sight.tracks):
        yield "--from and --to: a plain file is fetched whole"
    keys = {piece.segment.key.method for each in sight.tracks for piece in each.pieces if piece.segment.key is not None}
    if wish.key is not None and sight.tracks and "AES-128" not in keys:
        yield "the key is not used: nothing is encrypted with AES-128"


def unheeded_on_air(wish: DownloadWish) -> Iterator[str]:
    """What was wished for, and means nothing to the recorder."""
    given = {
        "--audio": [each for each in wish.audio if each != "all"],
        "--subs": wish.subtitles,
        "--from": wish.from_s,
        "--to": wish.to_s is not None,
        "--limit-rate": wish.pace.rate_bps,
        "--key": wish.key,
    }
    if names := [name for name, value in given.items() if value]:
        yield f"it is on air, and recorded as it comes: {', '.join(names)} cannot be heeded"


def _heard(sight: Sight) -> Sight:
    """Without pictures, where the sound lies apart from them."""
    is_apart = any(track.kind == "audio" for track in sight.tracks) and sight.tracks[0].own_sound is None
    return replace(sight, tracks=tuple(track for track in sight.tracks if track.kind != "video" or not is_apart))


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
    with discreet(asking.scope):
        begun = await asking.patiently(lambda: _begin(asking, stream))
        answer = begun.answer
        assert answer is not None
        kind = begun.kind or kind_of_rest(bytes(begun.data), answer.content_type)
    if kind == "hls":
        with discreet(asking.scope):
            return parse(bytes(begun.data), base_url=answer.url)
    is_manifest = bytes(begun.data[:SNIFF_BYTES]).lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<")
    if is_manifest or (answer.length is None and not begun.least_bytes):
        return None  # DASH; or something that goes on and on
    in_ranges, told = await _look_for_ranges(asking, stream, answer.url)
    size = told if answer.length is None else answer.length
    whole = not in_ranges or size is None
    version, least = version_of(answer), (begun.least_bytes or 0) if whole else 0
    pieces = ranges_of(answer.url, size or 0, whole=whole, version=version)
    return TrackPlan("video", stream, pieces, answer.url, size=size, plain=True, version=version, least_bytes=least)


async def _begin(asking: Asking, stream: Stream) -> _Beginning:
    begun = _Beginning()
    try:
        await asking.http.stream(asking.request(stream, stream.url), begun.on_answer)
    except Enough:
        pass
    else:
        begun.least_bytes = len(begun.data)  # it was all
    return begun


async def _look_for_ranges(asking: Asking, stream: Stream, url: str) -> tuple[bool, int | None]:
    """Whether ranges are given, and of how many bytes: who answers one with the whole file would send it once for each."""
    given, size = False, None

    def on_answer(answer: Answer) -> Callable[[memoryview], None]:
        nonlocal given, size
        given = answer.status == 206
        told = (answer.headers.get("content-range") or "").rpartition("/")[2].strip()
        size = int(told) if given and told.isdecimal() else None
        raise Enough

    try:
        await asking.http.stream(asking.request(stream, url, (0, 0)), on_answer)
    except (Enough, HttpStatus):
        pass
    return given, size


async def _listed(asking: Asking, wish: DownloadWish, stream: Stream, top: Playlist) -> Sight:
    if isinstance(top, MediaPlaylist):
        if not top.end_list:
            if _says_nothing(top):
                raise NotMedia(f"an empty playlist: {redact(top.url)}", url=redact(top.url))
            return Sight(())
        return Sight((_track(top, stream, wish, "video"),), wish.quality)
    language = wish.audio[0] if wish.audio and wish.audio[0] != "all" else None
    choice = choose(top, wish.quality, language=language)
    tracks, warnings = list[TrackPlan](), tuple[str, ...]()
    if choice.variant is not None:
        main = await _media(asking, top, choice.variant.uri)
        if not main.end_list:
            return Sight(())
        tracks.append(_track(main, stream, wish, "video"))
    chosen_by = choice.variant or choice.audio
    group = chosen_by.audio if isinstance(chosen_by, Variant) else chosen_by.group_id if chosen_by else None
    sounds = _wanted(top.group("AUDIO", group), wish.audio, choice.audio, "--audio")
    within = {None, choice.variant.uri if choice.variant else None}
    apart = [await _rendition(asking, top, sound, wish, "audio") for sound in sounds if sound.uri not in within]
    own = next((sound for sound in sounds if sound.uri in within), None)
    if tracks and apart and own is not None:
        tracks[0] = replace(tracks[0], own_sound=own)
    tracks += apart
    if choice.variant is not None and wish.subtitles:
        texts = top.group("SUBTITLES", choice.variant.subtitles)
        chosen = _wanted(texts, wish.subtitles, None, "--subs")
        for text in chosen:
            try:
                tracks += [await _rendition(asking, top, text, wish, "subtitles")] if text.uri is not None else []
            except BadOption as exc:
                if not exc.context.get("nothing_left"):
                    raise
                warnings += (f"there are no subtitles {text.language or text.name} between --from and --to",)
    return Sight(
        tuple(tracks), label(choice.variant) if choice.variant is not None else "audio", warnings, has_choice=True
    )


def _says_nothing(playlist: MediaPlaylist) -> bool:
    """Of a broadcast that is to begin one tells at least how long segments will be."""
    told = any(warning.code == "no_target_duration" for warning in playlist.warnings)
    return told and not playlist.segments and playlist.open_segment is None


def _wanted(
    group: Sequence[Rendition], languages: Sequence[str], usual: Rendition | None, option: str
) -> list[Rendition]:
    """Each once; what is in the variant itself has no address. Raises: BadOption for a language that there is not."""
    if not languages:
        return [] if usual is None else [usual]
    if "all" in languages:
        return [*group]
    found: dict[int, Rendition] = {}
    apart_first = sorted(group, key=lambda each: each.uri is None)
    for wanted in languages:
        spoken = next((each for each in apart_first if _speaks(each, wanted)), None)
        if spoken is None:
            offered = ", ".join(dict.fromkeys(each.language or each.name for each in group)) or "none"
            raise BadOption(f"{option} {wanted}: there is no such language; there is {offered}")
        found[id(spoken)] = spoken
    return [*found.values()]


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
    with discreet(asking.scope):
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
        raise BadOption(f"--from and --to leave nothing of {playlist.duration_s:.1f} s", nothing_left=True)
    first = pieces[0].segment.media_sequence
    begins_s = sum(segment.duration_s for segment in playlist.segments if segment.media_sequence < first)
    return TrackPlan(kind, stream, pieces, playlist.url, playlist.independent_segments, begins_s=begins_s)
