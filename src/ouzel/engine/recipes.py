"""Which streams go into which format, and how: copied, or encoded where the format cannot hold them. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ouzel.base.errors import BadOption, Unsupported
from ouzel.model.media import Found, StreamFound
from ouzel.system.ffmpeg import Need

FORMATS = ("ts", "mkv", "mp4", "flv", "mp3", "m4a")
_MUXERS = {"ts": "mpegts", "mkv": "matroska", "mp4": "mp4", "flv": "flv", "mp3": "mp3", "m4a": "ipod"}
_NAMES = {"ts": "MPEG-TS"}
SOUND_ONLY = frozenset({"mp3", "m4a"})
"""Formats that keep no pictures."""
_SOUND_COPIED: dict[str, frozenset[str]] = {
    "ts": frozenset({"aac", "mp3", "mp2", "ac3", "eac3", "opus", "dts"}),
    "mp4": frozenset({"aac", "mp3", "mp2", "ac3", "eac3", "opus", "alac"}),
    "flv": frozenset({"aac", "mp3"}),
    "mp3": frozenset({"mp3"}),
    "m4a": frozenset({"aac", "alac"}),
}
_PICTURES: dict[str, frozenset[str]] = {
    "ts": frozenset({"h264", "hevc", "vvc", "mpeg1video", "mpeg2video", "mpeg4", "vc1", "cavs", "dirac"}),
    "mp4": frozenset({"h264", "hevc", "vvc", "av1", "vp9", "mpeg1video", "mpeg2video", "mpeg4", "mjpeg", "vc1"}),
    "flv": frozenset({"h264", "hevc", "av1", "vp9", "flv1", "vp6f", "vp6a", "flashsv", "flashsv2"}),
}
"""What ffmpeg writes into them; into Matroska nearly everything."""
_FAMILIES = {"mp1": "mp3", "mp2": "mp3", "mpeg1video": "mpeg2video"}
_FOURCC_IN_FLV = frozenset({"hevc", "av1", "vp9"})
_MP3_BPS = 192_000
_AAC_BPS = 160_000
_AAC_BITS_PER_SAMPLE = 4  # an AAC frame holds at most 6: beyond, the encoder complains
_MP3_MAX_RATE = 48_000


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a file of one format is made."""

    muxer: str
    options: tuple[str, ...]
    """For ffmpeg, between input and output."""
    streams: tuple[StreamFound, ...]
    """Of the source, those that go in."""
    codecs: tuple[str, ...]
    """What these are in the product."""
    need: frozenset[Need]


def family(codec: str) -> str:
    """One name for codecs that a container may not tell apart: MP4 has one mark for all layers of MPEG audio."""
    return _FAMILIES.get(codec, codec)


def check_format(target: str) -> None:
    """Raises: BadOption for an unknown format."""
    if target not in _MUXERS:
        raise BadOption(f"{target!r} is not a format that can be made; there are {', '.join(FORMATS)}")


def muxer_of(target: str) -> str:
    """As ffmpeg names it."""
    return _MUXERS[target]


def plan(source: Found, target: str, *, picture: Sequence[str] = ("copy",), copy_sound: bool = True) -> Recipe:
    """How to make `target` (one of FORMATS) of a source.

    Args:
        picture: its encoder, and the options for that; the streams of `source` are then told with the codec that comes of it.
        copy_sound: False: into AAC (or MP3, where that is the format) even where it could stay as it is.
    Raises: BadOption for an unknown format; Unsupported when nothing in the source could go into it, or not all of its pictures.
    """
    check_format(target)
    pictures = [] if target in SOUND_ONLY else [s for s in source.streams if s.kind == "video"]
    sounds = [s for s in source.streams if s.kind == "audio"]
    if target in SOUND_ONLY:
        sounds = sounds[:1]
    if not pictures and not sounds:
        raise Unsupported(f"there is no {'sound' if target in SOUND_ONLY else 'picture and no sound'} in it")
    check_room(target, pictures, sounds)
    options: list[str] = []
    need: set[Need] = set()
    codecs = [each.codec for each in pictures]
    for number, each in enumerate(pictures):
        options += ["-map", f"0:v:{number}", f"-c:v:{number}", *picture]
        if each.codec == "hevc" and target == "mp4":
            options += [f"-tag:v:{number}", "hvc1"]  # Apple's players take only this one
        if each.codec in _FOURCC_IN_FLV and target == "flv":
            need.add("enhanced_flv")
    for number, sound in enumerate(sounds):
        codec, more = _sound(sound, target, number, copied=copy_sound)
        codecs.append(codec)
        options += ["-map", f"0:a:{number}", *more]
        if more[1] != "copy":
            need.add("mp3" if codec == "mp3" else "aac")
    return Recipe(
        _MUXERS[target], (*options, *_muxer_options(target)), (*pictures, *sounds), tuple(codecs), frozenset(need)
    )


def check_room(target: str, pictures: Sequence[StreamFound], sounds: Sequence[StreamFound]) -> None:
    """Raises: Unsupported when a picture, or so many streams, cannot be put into this format."""
    name, held = _NAMES.get(target, target.upper()), _PICTURES.get(target)
    if foreign := sorted({s.codec for s in pictures if held is not None and s.codec not in held}):
        codecs = ", ".join(foreign)
        raise Unsupported(f"{codecs} video cannot be carried in {name}", codec=codecs)
    if target == "flv" and max(len(pictures), len(sounds)) > 1:
        raise Unsupported(f"FLV holds one picture and one sound, and there are {len(pictures)} and {len(sounds)}")


def _sound(sound: StreamFound, target: str, number: int, *, copied: bool) -> tuple[str, list[str]]:
    """The codec of one sound in the product, and the options for it."""
    held = _SOUND_COPIED.get(target)
    if copied and (held is None or sound.codec in held):
        return sound.codec, [f"-c:a:{number}", "copy"]
    rate, channels = sound.sample_rate or 48_000, sound.channels or 2
    if target != "mp3":
        bps = min(_AAC_BPS, _AAC_BITS_PER_SAMPLE * rate * channels)
        return "aac", [f"-c:a:{number}", "aac", f"-b:a:{number}", str(bps)]
    more = [f"-c:a:{number}", "libmp3lame", f"-b:a:{number}", str(_MP3_BPS)]
    if rate > _MP3_MAX_RATE:
        more += [f"-ar:a:{number}", str(_MP3_MAX_RATE)]
    if channels > 2:
        more += [f"-ac:a:{number}", "2"]
    return "mp3", more


def _muxer_options(target: str) -> tuple[str, ...]:
    match target:
        case "mp4" | "m4a":
            return ("-movflags", "+faststart")
        case "flv":
            return ("-flvflags", "+add_keyframe_index")
        case _:
            return ()
