"""Which variant of a master playlist to record, and which audio goes with it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from ouzel.base.errors import FormatError, UnknownQuality
from ouzel.formats.m3u8 import MasterPlaylist, Rendition, Variant
from ouzel.model.wish import USUAL_HEIGHT, Height, Named, Rate, read_wish

_RATE_WITHOUT_UNIT = re.compile(r"\d{1,2}(?:\.\d{1,3})?k")
_SOURCE_NAMES = frozenset({"source", "original", "chunked"})
_AUDIO_CODECS = ("mp4a", "ac-3", "ec-3", "ac-4", "opus", "flac", "alac", "mp3", "vorbis", "dts")


@dataclass(frozen=True, slots=True)
class Choice:
    """What to fetch: the variant, the audio rendition beside it, or, for `audio`, perhaps the rendition alone."""

    variant: Variant | None
    audio: Rendition | None
    """A rendition with a playlist of its own; None when the sound is in the variant."""
    reason: str
    """Why, in a few words for people."""


def choose(master: MasterPlaylist, wanted: str, *, language: str | None = None) -> Choice:
    """The variant that comes nearest to what is wanted.

    `wanted`, in upper or lower case:

    * `best`, `worst`: by height, frame rate, then bandwidth. A variant that does not tell its height counts as high as the
      highest that needs no more bandwidth.
    * `source`, `original`, 原画: the variant that is called so (or `chunked`), else the best.
    * a variant's NAME, its VIDEO group, or the NAME of a rendition in that group.
    * `1080p`, `1080`: that height, of several the highest frame rate, then bandwidth. Where nothing has it, the next lower
      height; where nothing is lower, the next higher. The height is the shorter side, so that upright video is `1080p` too.
    * `720p60`: the same over pairs of height and frame rate, in that order: `720p30` is the next lower of `720p60`.
    * `2k`, `4k`, `8k`: 1440p, 2160p, 4320p; `4k60` is 2160p60.
    * `2500kbps`, `2.5Mbps`, `8M` (also `Mb/s`, `Mbit/s`): the highest bandwidth that is not above, else the lowest.
    * `bluray`, `uhd`, `hd`, `sd`, `ld`, 蓝光, 超清, 高清, 标清, 流畅: the height that platforms usually mean by it.
    * `audio`: a variant without picture, else an audio rendition, else, where there is neither, the smallest variant.

    Variants without a picture are chosen otherwise only when there are no others; I-frame variants never.

    The audio rendition of a variant's group is the one in the wanted language, else the default, else one to be selected
    automatically, else the first. When that one has no address of its own, or the variant's, the sound is in the variant.

    Args:
        language: RFC 5646 tag; `de` is also satisfied by `de-AT`.

    Raises:
        UnknownQuality: `wanted` is none of these; the message names what is there.
        FormatError: the playlist has no variant and no audio.
    """
    if not master.variants and not _sounds(master):
        raise FormatError("a master playlist that lists nothing to play")
    word = wanted.strip().lower()
    if word == "audio" or not master.variants or (read_wish(word) == "audio" and not _named(master, word)):
        return _choose_audio(master, language)
    variant, reason = _choose_variant(master, word)
    if variant is None:
        hint = f" (a rate is written {word}bps)" if _RATE_WITHOUT_UNIT.fullmatch(word) else ""
        raise UnknownQuality(f"no such quality: {wanted[:40]!r}{hint}; {offered(master)}", wanted=wanted[:40])
    return Choice(variant, _audio_for(master, variant, language), reason)


def offered(master: MasterPlaylist) -> str:
    """What there is to choose from, for a message: `there is 1080p60, 720p; or best, worst, source, audio, …`."""
    labels = dict.fromkeys(
        label(variant) for variant in sorted(master.variants, key=_ranks(master.variants), reverse=True)
    )
    return f"there is {', '.join(labels) or 'sound only'}; or best, worst, source, audio, or a rate such as 2500kbps"


def label(variant: Variant) -> str:
    """`1080p60`, `720p`; its name where the size is unknown; `audio` without picture; else the bandwidth, `2500kbps`."""
    height, fps = _height(variant), _fps(variant)
    if height:
        return f"{height}p{fps}" if fps > 30 else f"{height}p"
    if _is_audio(variant):
        return "audio"
    return variant.name or variant.video or f"{variant.bandwidth_bps // 1000}kbps"


def _choose_variant(master: MasterPlaylist, word: str) -> tuple[Variant | None, str]:
    pictures = [variant for variant in master.variants if not _is_audio(variant)] or list(master.variants)
    rank = _ranks(pictures)
    match word:
        case "best":
            return max(pictures, key=rank), "the best there is"
        case "worst":
            return min(pictures, key=rank), "the smallest there is"
        case _:
            pass
    named = _named(master, word)
    match read_wish(word):
        case "original":
            named = named or [variant for variant in pictures if _SOURCE_NAMES & _names(master, variant)]
            return max(
                named or pictures, key=rank
            ), "the source" if named else "the best there is: none is called source"
        case _ if named:
            return max(named, key=rank), "by its name"
        case Height(lines, fps):
            return _nearest(pictures, lines, fps)
        case Rate(bps):
            return _by_rate(pictures, bps)
        case Named():
            return None, ""
        case level:
            return _nearest(pictures, USUAL_HEIGHT[level], None)


def _nearest(variants: list[Variant], height: int, fps: int | None) -> tuple[Variant, str]:
    sized = [variant for variant in variants if _height(variant)]
    if not sized:
        return max(variants, key=_ranks(variants)), "the best there is: no sizes are told"
    target = (height,) if fps is None else (height, fps)

    def size(variant: Variant) -> tuple[int, ...]:
        return (_height(variant), _fps(variant))[: len(target)]

    lower = [size(variant) for variant in sized if size(variant) <= target]
    found = max(lower) if lower else min(size(variant) for variant in sized)
    chosen = max((variant for variant in sized if size(variant) == found), key=_ranks(sized))
    if found == target:
        return chosen, "as asked for"
    return chosen, f"the next {'lower' if found < target else 'higher'} one"


def _by_rate(variants: list[Variant], rate_bps: float) -> tuple[Variant, str]:
    below = [variant for variant in variants if variant.bandwidth_bps <= rate_bps]
    if below:
        return max(below, key=lambda variant: variant.bandwidth_bps), "the highest rate that is not above"
    return min(variants, key=lambda variant: variant.bandwidth_bps), "the lowest rate there is"


# ------------------------------------------------------------------------------------------------------ audio


def _choose_audio(master: MasterPlaylist, language: str | None) -> Choice:
    alone = [variant for variant in master.variants if _is_audio(variant)]
    renditions = _sounds(master)
    preferred = next((each for each in renditions if language is not None and _speaks(each, language)), None)
    if preferred is not None:
        return Choice(None, preferred, "the rendition in the wanted language")
    if alone:
        return Choice(max(alone, key=lambda variant: variant.bandwidth_bps), None, "a variant without picture")
    if renditions:
        best = max(master.variants, key=_ranks(master.variants), default=None)
        beside = _audio_for(master, best, language) if best is not None else None
        return Choice(None, beside or _preferred(renditions, language), "an audio rendition")
    smallest = min(master.variants, key=lambda variant: variant.bandwidth_bps)
    return Choice(smallest, None, "the smallest variant: there is none without picture")


def _sounds(master: MasterPlaylist) -> list[Rendition]:
    return [each for each in master.renditions if each.type == "AUDIO" and each.uri is not None]


def _audio_for(master: MasterPlaylist, variant: Variant, language: str | None) -> Rendition | None:
    group = master.group("AUDIO", variant.audio)
    rendition = _preferred(group, language) if group else None
    return None if rendition is None or rendition.uri in (None, variant.uri) else rendition


def _preferred(group: Iterable[Rendition], language: str | None) -> Rendition:
    """The first of the best; `max` keeps the order of the playlist among equals."""
    return max(
        group, key=lambda each: (language is not None and _speaks(each, language), each.default, each.autoselect)
    )


def _speaks(rendition: Rendition, language: str) -> bool:
    spoken, wanted = (rendition.language or "").lower(), language.lower()
    return spoken == wanted or spoken.startswith(f"{wanted}-")


def _is_audio(variant: Variant) -> bool:
    """Without picture: it tells no size, and only codecs of sound."""
    if variant.resolution is not None or variant.frame_rate is not None or not variant.codecs:
        return False
    return all(codec.strip().lower().startswith(_AUDIO_CODECS) for codec in variant.codecs.split(","))


# ----------------------------------------------------------------------------------------------------- measures


def _named(master: MasterPlaylist, word: str) -> list[Variant]:
    return [variant for variant in master.variants if word in _names(master, variant)]


def _names(master: MasterPlaylist, variant: Variant) -> set[str]:
    names = [variant.name, variant.video, *(each.name for each in master.group("VIDEO", variant.video))]
    return {name.strip().lower() for name in names if name and name.strip()}


def _height(variant: Variant) -> int:
    return min(variant.resolution) if variant.resolution is not None else 0


def _fps(variant: Variant) -> int:
    return round(variant.frame_rate) if variant.frame_rate is not None else 0


def _ranks(variants: Iterable[Variant]) -> Callable[[Variant], tuple[tuple[int, int], int]]:
    """A key that orders variants by height, frame rate and bandwidth, as `choose` says."""
    sized = [variant for variant in variants if _height(variant)]

    def size(variant: Variant) -> tuple[int, int]:
        return _height(variant), _fps(variant)

    def rank(variant: Variant) -> tuple[tuple[int, int], int]:
        if _height(variant):
            return size(variant), variant.bandwidth_bps
        smaller = (size(each) for each in sized if each.bandwidth_bps <= variant.bandwidth_bps)
        return max(smaller, default=(0, _fps(variant))), variant.bandwidth_bps

    return rank
