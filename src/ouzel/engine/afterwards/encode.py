"""A closed file with another codec, smaller, with a watermark, or its sound alone: re-encoded, verified, put in place.

wish ─check_encode─▶ what is there to do it with ─▶ `convert.Work`, with other options for ffmpeg and its own comparison
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, TypeAlias, get_args

from ouzel.base.errors import BadOption, ToolFailed, Unsupported
from ouzel.engine.afterwards.encoders import (
    CODECS,
    HARDWARE,
    Codec,
    Encoder,
    Hardware,
    Shape,
    check_quality,
    find_encoder,
)
from ouzel.engine.afterwards.watermark import Watermark, check_watermark, draw
from ouzel.engine.comparing import compare_streams, compare_times
from ouzel.engine.convert import NICE, Converted, OnProgress, Work, ignore, make
from ouzel.engine.recipes import Recipe, plan
from ouzel.model.ledger import Ledger
from ouzel.model.media import Found, StreamFound
from ouzel.system.clock import Clock, SystemClock
from ouzel.system.ffmpeg import Ffmpeg, FfmpegFinder, Need

Sound: TypeAlias = Literal["copy", "aac", "none"]

SOUNDS: tuple[Sound, ...] = get_args(Sound)
PICTURES_IN = ("mp4", "mkv", "ts", "flv")
SOUND_ONLY = ("mp3", "m4a", "opus")
_LOWEST, _HIGHEST = 64, 8640
_OPUS_BPS = 128_000
_LOST_SHARE, _LOST = 0.005, 2  # of the pictures, that a decoder may pass over: those before the first key frame
_TO_SDR = "zscale=t=linear:npl=100,tonemap=hable:desat=0,zscale=p=bt709:t=bt709:m=bt709:r=tv"
_EVERY_PICTURE = ("-fps_mode", "passthrough", "-enc_time_base", "1:90000")
"""Each picture once, at its own time: a live stream's rate is a rumour."""


@dataclass(frozen=True, slots=True)
class EncodeWish:
    """What is to come out."""

    format: str = "mp4"
    """mp4, mkv, ts, flv; or mp3, m4a, opus, which keep sound only: what follows, but for `hardware`, has then no meaning."""
    video: Codec = "h264"
    quality: int | None = None
    """As of the codec's usual encoder: less is better. None: 23 of h264, 26 of hevc, 35 of av1."""
    height: int | None = None
    """Pixels, of the picture as it is shown. A lower one stays as it is."""
    audio: Sound = "copy"
    """`copy`: as it is, or as AAC where the format cannot hold it."""
    watermark: Watermark | None = None
    hardware: Hardware = "off"

    @property
    def is_sound_only(self) -> bool:
        return self.format in SOUND_ONLY


@dataclass(frozen=True, slots=True)
class Means:
    """What there is to do it with. Made by `check_encode`."""

    ffmpeg: Ffmpeg
    encoder: Encoder | None
    """None: sound only."""
    font: str = ""

    @property
    def warnings(self) -> tuple[str, ...]:
        return self.encoder.warnings if self.encoder else ()


async def check_encode(wish: EncodeWish, ffmpeg: FfmpegFinder) -> Means:
    """Whether this can be done here, before anything is begun.

    Raises: BadOption for what makes no sense; InputError when the picture or the font of a watermark is not there; ToolMissing
        when no ffmpeg at hand does it.
    """
    _check_words(wish)
    if wish.is_sound_only:
        needs: dict[str, Need] = {"mp3": "mp3", "m4a": "aac", "opus": "opus"}
        return Means(await ffmpeg.find({needs[wish.format]}), None)
    font = await check_watermark(wish.watermark) if wish.watermark else ""
    need: set[Need] = {"drawtext"} if font else set()
    if wish.audio != "none":
        need.add("aac")
    if wish.hardware in {"off", "auto"}:
        need.add(wish.video)
    program = await ffmpeg.find(need)
    return Means(program, await find_encoder(program, wish.video, wish.hardware, wish.quality), font)


def _check_words(wish: EncodeWish) -> None:
    if wish.format not in (*PICTURES_IN, *SOUND_ONLY):
        raise BadOption(
            f"{wish.format!r} is not a format that can be made; there are {', '.join(PICTURES_IN + SOUND_ONLY)}"
        )
    if wish.video not in CODECS:
        raise BadOption(f"{wish.video!r} is not a codec that can be made; there are {', '.join(CODECS)}")
    if wish.audio not in SOUNDS:
        raise BadOption(f"sound is one of {', '.join(SOUNDS)}, not {wish.audio!r}")
    if wish.hardware not in HARDWARE:
        raise BadOption(f"hardware is one of {', '.join(HARDWARE)}, not {wish.hardware!r}")
    if wish.height is not None and not _LOWEST <= wish.height <= _HIGHEST:
        raise BadOption(f"a height of {wish.height} makes no sense: {_LOWEST} to {_HIGHEST} do")
    check_quality(wish.video, wish.quality)
    if wish.is_sound_only:
        if wish.height is not None or wish.watermark is not None or wish.audio == "none":
            raise BadOption(f"{wish.format} holds sound only: no height, no watermark, and not without sound")
        return
    if wish.format == "ts" and wish.video == "av1":
        raise BadOption("av1 video cannot be carried in MPEG-TS: mp4 and mkv hold it")
    if wish.format == "flv" and wish.video != "h264":
        raise BadOption(f"few programs read {wish.video} in FLV: mp4 and mkv hold it")


def how(wish: EncodeWish) -> str:
    """What makes its product another one than that of another wish; empty: its format alone."""
    if wish.is_sound_only:
        return ""
    words = [wish.video, f"quality {check_quality(wish.video, wish.quality)}"]
    words += [f"height {wish.height}"] if wish.height else []
    words += [f"sound {wish.audio}"] if wish.audio != "copy" else []
    if (mark := wish.watermark) is not None:
        what = f"picture {mark.picture}" if mark.picture else f"text {mark.text!r}"
        words.append(f"{what} {mark.place}, size {mark.size:g}, opacity {mark.opacity:g}, margin {mark.margin}")
    return ", ".join(words)


def out_path(source: Path, wish: EncodeWish) -> Path:
    """Where the product goes when nothing is said: beside its source, under a name of its own."""
    out = source.with_suffix(f".{wish.format}")
    return out if out != source else source.with_name(f"{source.stem}.{wish.video}.{wish.format}")


async def encode(
    source: Path,
    wish: EncodeWish,
    *,
    out: Path | None = None,
    keep_original: bool = True,
    ffmpeg: FfmpegFinder | None = None,
    clock: Clock | None = None,
    on_progress: OnProgress | None = None,
    nice: int = NICE,
) -> Converted:
    """Encode a closed file. Asked for again after a kill, it takes the product that is there and whole.

    Args: as of `convert`; `out` as of `out_path` when None.
    Raises: as `check_encode` and `convert`. The source is then untouched, and there is no product.
    """
    finder = ffmpeg or FfmpegFinder()
    means = await check_encode(wish, finder)
    work = Encoding(
        source,
        wish.format,
        out or out_path(source, wish),
        finder,
        clock or SystemClock(),
        on_progress or ignore,
        nice,
        None,
        True,
        wish,
        means,
    )
    made = await make(work, keep_original=keep_original)
    return replace(made, warnings=(*means.warnings, *made.warnings))


@dataclass(frozen=True, slots=True)
class Encoding(Work):
    wish: EncodeWish
    means: Means

    @property
    def _how(self) -> str:
        return how(self.wish)

    def _check_target(self) -> None:
        """`check_encode` did."""

    async def _plan(self, found: Found) -> Recipe:
        if self.wish.is_sound_only:
            return _sound_alone(found, self.wish.format)
        if found.video is None or self.means.encoder is None:
            raise Unsupported("there is no picture in it")
        return _recipe(found, self.wish, self.means, self.means.encoder)

    async def _program(self, recipe: Recipe, *, fed: bool) -> Ffmpeg:
        """The one whose hardware was tried; in software the first that does all that has turned out to be needed."""
        encoder = self.means.encoder
        if encoder is not None and encoder.hardware != "off":
            return self.means.ffmpeg
        need: set[Need] = {*recipe.need}
        need |= {encoder.codec} if encoder else set()
        need |= {"drawtext"} if self.means.font else set()
        need |= {"enhanced_flv"} if fed else set()
        return await self.ffmpeg.find(need)

    def _before_input(self) -> tuple[str, ...]:
        return self.means.encoder.device if self.means.encoder else ()

    def _compare(self, source: Found, made: Found, recipe: Recipe, held: Ledger | None) -> tuple[str, ...]:
        compare_streams(made, recipe)
        compare_times("its source", made.media_s, replace(source, streams=[*recipe.streams]).media_s)
        lead = made.video or made.audio
        if held is not None and lead is not None and (lead.kind == "video" or source.video is None):
            compare_times("the ledger", lead.duration_s, held.media_s)
        return (*self._losses(source), *_lost(recipe, made))

    def _is_wished(self, made: Found) -> bool:
        sound = {"mp3": "mp3", "m4a": "aac", "opus": "opus"}.get(self.wish.format)
        if sound is not None:
            return made.video is None and made.audio is not None and made.audio.codec == sound
        picture, most = made.video, self.wish.height
        small = picture is not None and (most is None or (picture.height or 0) <= most)
        return small and picture is not None and picture.codec == self.wish.video

    def _losses(self, source: Found) -> tuple[str, ...]:
        """What of the source cannot be in the product."""
        if self.wish.is_sound_only:
            return ()
        more = sum(each.kind == "video" for each in source.streams) - 1
        first = source.video
        words = [f"only the first of {more + 1} pictures was kept"] if more > 0 else []
        if first is not None and first.is_hdr and not _keeps_hdr(self.wish, first):
            words.append("the picture is HDR, which h264 does not keep: it was made SDR")
        return tuple(words)


def _recipe(found: Found, wish: EncodeWish, means: Means, encoder: Encoder) -> Recipe:
    picture = found.video
    assert picture is not None
    height = _height(picture, wish)
    ten_bits = wish.video != "h264" and "10" in (picture.pixels or "")
    shape = Shape(round((picture.width or 0) * height / (picture.height or height)), height, picture.rate, ten_bits)
    filters = [*_sizing(picture, wish)]
    need: set[Need] = set()
    if picture.is_hdr and not _keeps_hdr(wish, picture):
        filters.append(_TO_SDR)
        need.add("zscale")
    if wish.watermark is not None:
        filters.append(draw(wish.watermark, means.font, height))
    filters += encoder.tail(ten_bits=ten_bits)
    sounds = [s for s in found.streams if s.kind == "audio" and wish.audio != "none"]
    told = replace(found, streams=[replace(picture, codec=wish.video), *sounds])
    options = (*encoder.options(shape), "-filter:v:0", ",".join(filters), *_EVERY_PICTURE)
    recipe = plan(told, wish.format, picture=options, copy_sound=wish.audio == "copy")
    return replace(recipe, need=recipe.need | need)


def _keeps_hdr(wish: EncodeWish, picture: StreamFound) -> bool:
    return wish.video != "h264" and "10" in (picture.pixels or "")


def _height(picture: StreamFound, wish: EncodeWish) -> int:
    """Of the pictures that come out, unless the source says that it is to be turned."""
    height = picture.height or wish.height or 0
    return min(height, wish.height or height) // 2 * 2


def _sizing(picture: StreamFound, wish: EncodeWish) -> tuple[str, ...]:
    """Sizes are told as the filter sees them: ffmpeg turns what is to be shown turned before that."""
    odd = (picture.width or 0) % 2 or (picture.height or 0) % 2
    even = ("crop=w=trunc(iw/2)*2:h=trunc(ih/2)*2",) if odd else ()
    return even if wish.height is None else (*even, f"scale=w=-2:h='min(ih,{wish.height // 2 * 2})':flags=bicubic")


def _sound_alone(found: Found, format_: str) -> Recipe:
    if format_ != "opus":
        return plan(found, format_)
    sound = found.audio
    if sound is None:
        raise Unsupported("there is no sound in it")
    if sound.codec == "opus":
        return Recipe("opus", ("-map", "0:a:0", "-c:a:0", "copy"), (sound,), ("opus",), frozenset())
    stereo = ("-ac", "2") if (sound.channels or 2) > 2 else ()
    options = ("-map", "0:a:0", "-c:a:0", "libopus", "-b:a:0", str(_OPUS_BPS), "-ar", "48000", *stereo)
    return Recipe("opus", options, (sound,), ("opus",), frozenset({"opus"}))


def _lost(recipe: Recipe, made: Found) -> tuple[str, ...]:
    """Pictures that could not be decoded, as a warning. Raises: ToolFailed when there are too many."""
    wanted = sum(s.packets for s in recipe.streams if s.kind == "video")
    there = made.video.packets if made.video else 0
    if wanted == there:
        return ()
    if abs(wanted - there) > max(_LOST, _LOST_SHARE * wanted):
        raise ToolFailed(f"the product has {there} pictures, its source {wanted}")
    return (f"the product has {there} pictures, its source {wanted}",)
