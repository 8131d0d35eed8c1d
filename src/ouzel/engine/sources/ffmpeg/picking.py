"""Which of the streams that ffmpeg found are recorded, and whether the sound has to be encoded for it. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from ouzel.base.errors import NotMedia, Unsupported
from ouzel.engine.sources.ffmpeg.words import InputStream, Opened
from ouzel.formats.m3u8 import MasterPlaylist, Resolution, Variant
from ouzel.model.quality import choose

_TS_AUDIO = frozenset({"aac", "mp2", "mp3", "ac3", "eac3", "opus"})
_TS_VIDEO = frozenset({"h264", "hevc", "mpeg2video", "mpeg4", "mpeg1video"})
_AAC_BPS, _AAC_BITS_PER_SAMPLE = 160_000, 4


@dataclass(frozen=True, slots=True)
class Picked:
    """What of the input is written. Indices as ffmpeg counts; None: nothing of that kind."""

    video: int | None
    audio: int | None
    audio_bps: int | None = None
    """The sound is encoded as AAC at this rate; None: it is copied."""

    @property
    def indices(self) -> tuple[int, ...]:
        return tuple(index for index in (self.video, self.audio) if index is not None)


def pick(opened: Opened, quality: str) -> Picked:
    """What MPEG-TS can carry, of the quality that is wanted.

    Raises: Unsupported for a picture that MPEG-TS cannot carry; UnknownQuality; NotMedia when nothing is left.
    """
    video = None if quality.lower() == "audio" else _pick_video(opened, quality)
    sounds = [stream for stream in opened.of("audio") if stream.codec != "none"]
    sound = next((stream for stream in sounds if stream.index in opened.taken), sounds[0] if sounds else None)
    if video is None and sound is None:
        raise NotMedia(
            "there is no sound in this stream" if opened.streams else "there is no picture and no sound in it"
        )
    index = video.index if video is not None else None
    if sound is None:
        return Picked(index, None)
    return Picked(index, sound.index, None if sound.codec in _TS_AUDIO else _audio_bps(sound))


def _pick_video(opened: Opened, quality: str) -> InputStream | None:
    pictures = opened.of("video")
    fitting = [stream for stream in pictures if stream.codec in _TS_VIDEO]
    if pictures and not fitting:
        codecs = ", ".join(dict.fromkeys(stream.codec for stream in pictures))
        raise Unsupported(
            f"{codecs} video cannot be carried in MPEG-TS, and only that way is this kind of stream read", codec=codecs
        )
    if len(fitting) < 2:
        return fitting[0] if fitting else None
    chosen = choose(MasterPlaylist("", variants=tuple(_variant(stream) for stream in fitting)), quality).variant
    return next(stream for stream in fitting if chosen is not None and str(stream.index) == chosen.uri)


def _variant(stream: InputStream) -> Variant:
    """In the terms of HLS, so that a word like `720p60` means the same for both."""
    size = None if stream.width is None or stream.height is None else Resolution(stream.width, stream.height)
    return Variant(str(stream.index), stream.bandwidth_bps or 0, resolution=size, frame_rate=stream.fps)


def _audio_bps(sound: InputStream) -> int:
    return min(_AAC_BPS, _AAC_BITS_PER_SAMPLE * (sound.sample_rate or 48_000) * (sound.channels or 2))
