"""Which encoder is used for a codec, and how it is told a quality.

Software is there or is not, which the lists of a build say. Of hardware they say nothing but what the build was compiled for, so
that an encoder of that kind has to encode a picture before it is believed in.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

from ouzel.base.errors import BadOption, ToolError, ToolMissing
from ouzel.system.ffmpeg import Ffmpeg
from ouzel.system.process import run

Codec: TypeAlias = Literal["h264", "hevc", "av1"]
Hardware: TypeAlias = Literal["off", "auto", "nvenc", "qsv", "vaapi", "videotoolbox", "v4l2m2m"]

CODECS: tuple[Codec, ...] = get_args(Codec)
HARDWARE: tuple[Hardware, ...] = get_args(Hardware)
QUALITIES: Mapping[Codec, tuple[int, int, int]] = {"h264": (0, 51, 23), "hevc": (0, 51, 26), "av1": (1, 63, 35)}
"""The best, the worst, and what is used when nothing is said: the scale of the software encoder, on which hardware is put too."""

_KINDS: tuple[Hardware, ...] = ("nvenc", "qsv", "vaapi", "videotoolbox", "v4l2m2m")
"""In the order in which they are tried."""
_H26X = frozenset[Codec]({"h264", "hevc"})
_ENCODES: Mapping[Hardware, frozenset[Codec]] = {
    "nvenc": frozenset(CODECS),
    "qsv": frozenset(CODECS),
    "vaapi": frozenset(CODECS),
    "videotoolbox": _H26X,
    "v4l2m2m": _H26X,
}
_RENDER_NODE = "/dev/dri/renderD128"
_TEST_S = 20.0
_KEY_S = 4.0
_RATE = 30.0  # where the source does not tell
_BITS_PER_PIXEL, _AT_QUALITY, _HALVED_EACH = 0.09, 23, 6  # of H.264 at its usual quality; six steps are half as many
_PICTURE = ("-f", "lavfi", "-i", "color=c=gray:s=256x256:r=25", "-frames:v", "1")


@dataclass(frozen=True, slots=True)
class Shape:
    """Of the pictures that come out."""

    width: int
    height: int
    rate: float | None
    ten_bits: bool


@dataclass(frozen=True, slots=True)
class Encoder:
    """An encoder of a program, that is there and works."""

    codec: Codec
    hardware: Hardware
    """`off`: in software."""
    quality: int
    warnings: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        if self.hardware == "off":
            return {"h264": "libx264", "hevc": "libx265", "av1": "libsvtav1"}[self.codec]
        return f"{self.codec}_{self.hardware}"

    @property
    def device(self) -> tuple[str, ...]:
        """Options before the input."""
        return ("-vaapi_device", _RENDER_NODE) if self.hardware == "vaapi" else ()

    def tail(self, *, ten_bits: bool) -> tuple[str, ...]:
        """The last filters: pictures as this encoder takes them."""
        if self.hardware == "off":
            return (f"format={'yuv420p10le' if ten_bits else 'yuv420p'}",)
        taken = f"format={'p010le' if ten_bits else 'nv12'}"
        return (taken, "hwupload") if self.hardware == "vaapi" else (taken,)

    def options(self, shape: Shape) -> tuple[str, ...]:
        """The encoder, and what it is told."""
        keys = ("-g", str(round(_KEY_S * (shape.rate or _RATE))))
        return (self.name, *_TOLD[self.hardware](self, shape), *keys)


def _software(encoder: Encoder, _shape: Shape) -> tuple[str, ...]:
    preset = {"h264": "fast", "hevc": "fast", "av1": "8"}[encoder.codec]
    quiet = ("-x265-params", "log-level=error") if encoder.codec == "hevc" else ()
    return ("-preset", preset, "-crf", str(encoder.quality), *quiet)


def _bit_rate(encoder: Encoder, shape: Shape) -> tuple[str, ...]:
    """For encoders that know no quality."""
    steps = (encoder.quality - QUALITIES[encoder.codec][2] + QUALITIES["h264"][2] - _AT_QUALITY) / _HALVED_EACH
    bps = shape.width * shape.height * (shape.rate or _RATE) * _BITS_PER_PIXEL / 2**steps
    return ("-b:v", str(round(bps)))


def _of_a_hundred(encoder: Encoder, _shape: Shape) -> tuple[str, ...]:
    best, worst, _usual = QUALITIES[encoder.codec]
    return ("-q:v", str(round(100 - 99 * (encoder.quality - best) / (worst - best))))


_TOLD: Mapping[Hardware, Callable[[Encoder, Shape], tuple[str, ...]]] = {
    "off": _software,
    "nvenc": lambda e, _s: ("-rc", "vbr", "-cq", str(e.quality), "-b:v", "0"),
    "qsv": lambda e, _s: ("-global_quality", str(e.quality)),
    "vaapi": lambda e, _s: ("-rc_mode", "CQP", "-global_quality", str(e.quality)),
    "videotoolbox": _of_a_hundred,
    "v4l2m2m": _bit_rate,
}


def check_quality(codec: Codec, quality: int | None) -> int:
    """Returns: the usual one for None. Raises: BadOption."""
    best, worst, usual = QUALITIES[codec]
    if quality is not None and not best <= quality <= worst:
        raise BadOption(
            f"quality {quality} is none of {codec}: {best} is the best, {worst} the worst, {usual} is usual"
        )
    return usual if quality is None else quality


async def find_encoder(ffmpeg: Ffmpeg, codec: Codec, hardware: Hardware, quality: int | None) -> Encoder:
    """The encoder that is to be used.

    Args:
        ffmpeg: a program that has the software encoder, unless a kind of hardware is asked for by its name.
        hardware: `auto`: the first kind that works here, and software where none does, with a warning.
    Raises: BadOption; ToolMissing when hardware was asked for by its name and does not work.
    """
    number = check_quality(codec, quality)
    if hardware == "off":
        return Encoder(codec, "off", number)
    if hardware != "auto":
        encoder = Encoder(codec, hardware, number)
        if codec not in _ENCODES[hardware]:
            raise BadOption(f"{hardware} does not encode {codec}")
        if why := await _fails(ffmpeg, encoder):
            raise ToolMissing(f"{encoder.name} does not work here: {why}", encoder=encoder.name)
        return encoder
    for kind in _KINDS:
        encoder = Encoder(codec, kind, number)
        if codec in _ENCODES[kind] and not await _fails(ffmpeg, encoder):
            return encoder
    return Encoder(codec, "off", number, (f"no hardware here encodes {codec}: it is done in software",))


async def _fails(ffmpeg: Ffmpeg, encoder: Encoder) -> str:
    """Why it cannot encode one picture; empty when it can."""
    args = [ffmpeg.path, "-nostdin", "-hide_banner", "-nostats", "-loglevel", "error", *encoder.device, *_PICTURE]
    shape = Shape(256, 256, 25.0, ten_bits=False)
    args += ["-vf", ",".join(encoder.tail(ten_bits=False)), "-c:v", *encoder.options(shape), "-f", "null", "-"]
    try:
        await run(args, timeout_s=_TEST_S)
    except ToolError as exc:
        lines = str(exc.context.get("errors") or exc).splitlines()
        return lines[0] if lines else str(exc)
    return ""
