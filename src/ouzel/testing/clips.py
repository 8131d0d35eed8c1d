"""Short clips to serve: encoded once, kept in a folder, and cut into every container from the one encode.

A clip is periodic: it holds a whole number of groups of pictures and a whole number of AAC frames, so that an origin can
play it in a loop for ever with time stamps that rise by one frame at each seam.
"""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal, NamedTuple

from ouzel.base.errors import ToolFailed, ToolMissing
from ouzel.testing import boxes
from ouzel.testing.boxes import Run, Sample
from ouzel.testing.markers import Codec, blank_sei
from ouzel.testing.picture import overlay

Tracks = Literal["av", "video", "audio"]
AAC_FRAME = 1024
"""Samples in one AAC frame."""
_RECIPE = 2
"""Part of the name of a clip's folder: raise it when the same parameters give another clip."""
_SAMPLE_RATES = (48_000, 32_000, 64_000)
_ENCODERS = {
    "h264": ("libx264", "-preset", "veryfast", "-sc_threshold", "0"),
    "hevc": ("libx265", "-preset", "ultrafast", "-tag:v", "hvc1"),
}
_FRAGMENTS = "+empty_moov+frag_keyframe+default_base_moof+delay_moov"


@dataclass(frozen=True)
class Clip:
    """A clip in a folder of its own. Made by `make_clip`; two that compare equal hold the same bytes."""

    folder: Path
    seconds: int
    width: int
    height: int
    rate: int
    """Frames a second."""
    gop_frames: int
    codec: Codec
    sample_rate: int | None
    """Of the AAC-LC stereo sound; None: silent."""
    start: datetime | None
    """What the burnt-in clock shows in the first frame; None: it counts from zero."""
    ffmpeg: str

    @property
    def frames(self) -> int:
        return self.seconds * self.rate

    @property
    def gops(self) -> int:
        return self.frames // self.gop_frames

    @property
    def gop_90k(self) -> int:
        """Duration of a group of pictures, in ticks of 1/90,000 s."""
        return self.gop_frames * 90_000 // self.rate

    @property
    def length_90k(self) -> int:
        return self.seconds * 90_000

    def tracks(self, wanted: Tracks) -> Tracks:
        """What a rendition of `wanted` holds: sound is left out where there is none. Raises: ValueError if nothing is left."""
        if self.sample_rate is not None:
            return wanted
        if wanted == "audio":
            raise ValueError("this clip is silent")
        return "video"

    def video(self) -> VideoTrack:
        return _read_video(self)

    def audio(self) -> list[bytes]:
        """The ADTS frames, headers included; frame n begins n * 1024 samples after the first picture."""
        return _read_adts(self.folder / "audio.aac")

    def init(self, tracks: Tracks) -> bytes:
        """The MP4 init segment: track 1 is the picture (or the sound, where that is all), track 2 the sound."""
        return _read_init(self, self.tracks(tracks))

    def ts_segments(self, tracks: Tracks) -> list[Path]:
        """One MPEG-TS file for each group of pictures, as ffmpeg's muxer cuts them."""
        return _cut_ts(self, self.tracks(tracks))

    def file(self, suffix: str) -> Path:
        """The whole clip as one finished file, by ffmpeg's muxer for `.ts`, `.mp4`, `.mkv`, `.flv` …; marks are blank."""

        def build(folder: Path) -> None:
            command = [*_inputs(self, self.tracks("av")), "-c", "copy", "-movflags", "+faststart"]
            run_ffmpeg(self.ffmpeg, [*command, str(folder / f"clip{suffix}")])

        return build_once(self.folder / f"file-{suffix.lstrip('.')}", build) / f"clip{suffix}"


class VideoTrack(NamedTuple):
    """The picture. Time stamps count from the presentation of the first frame, so that the first decode times are below 0."""

    timescale: int
    samples: list[Sample]
    record: bytes
    """The decoder configuration record: body of `avcC` or `hvcC`."""


def make_clip(
    folder: Path,
    *,
    seconds: int,
    size: str = "640x360",
    rate: int = 25,
    gop_s: float = 2,
    video: Codec = "h264",
    audio: bool = True,
    start: datetime | None = None,
    bframes: int = 2,
    bitrate_bps: int | None = None,
    ffmpeg: str = "ffmpeg",
) -> Clip:
    """Encode a clip, or find it in `folder` if it was made before with the same parameters.

    A moving picture, a strip with the frame number, a clock (see `picture`), and a 440 Hz tone with a beep each second. The
    sound's sample rate is the first of 48, 32 and 64 kHz that fits: 48 for a multiple of 8 s, 32 of 4 s, 64 of 2 s.

    Args:
        seconds: length, a whole number of groups of pictures.
        size: `WIDTHxHEIGHT`, even, at least 160x90.
        gop_s: distance of key frames; groups are closed.
        start: an aware date-time: the burnt-in clock of a channel that begins at `start` shows UTC.
        bframes: B-frames between two others; 0 where decode and presentation order must agree (RTSP).
        bitrate_bps: of the picture; noise is added to reach it. None: whatever the encoder needs (about 0.5 Mb/s).
    Raises: ValueError for parameters that do not fit together; ToolMissing, ToolFailed.
    """
    width, height = (int(side) for side in size.split("x"))
    gop_frames = round(gop_s * rate)
    if width < 160 or height < 90 or width % 2 or height % 2:
        raise ValueError(f"size {size}: even numbers from 160x90 up are needed")
    if gop_frames < 2 or abs(gop_frames - gop_s * rate) > 1e-9 or 90_000 % rate:
        raise ValueError(f"a group of {gop_s} s at {rate} frames a second is no whole number of frames")
    if seconds * rate % gop_frames:
        raise ValueError(f"{seconds} s are no whole number of groups of {gop_s} s")
    made = Clip(folder, seconds, width, height, rate, gop_frames, video, _sample_rate(seconds, audio), start, ffmpeg)
    key = hashlib.blake2b(repr((_RECIPE, made, bframes, bitrate_bps)).encode(), digest_size=8).hexdigest()
    folder.mkdir(parents=True, exist_ok=True)
    place = build_once(folder / key, lambda part: _encode(made, part, bframes, bitrate_bps))
    return Clip(place, seconds, width, height, rate, gop_frames, video, made.sample_rate, start, ffmpeg)


def run_ffmpeg(ffmpeg: str, arguments: Sequence[str]) -> None:
    """Run one ffmpeg to its end. Raises: ToolMissing; ToolFailed with the last lines of what it said."""
    try:
        done = subprocess.run(
            [ffmpeg, "-nostdin", "-v", "error", "-y", *arguments], capture_output=True, text=True, check=False
        )
    except FileNotFoundError as exc:
        raise ToolMissing(f"{ffmpeg} is not installed", tool=ffmpeg) from exc
    if done.returncode != 0:
        raise ToolFailed(f"{ffmpeg} failed: {done.stderr.strip()[-500:]}", tool=ffmpeg, exit_code=done.returncode)


def _sample_rate(seconds: int, audio: bool) -> int | None:
    if not audio:
        return None
    fitting = [rate for rate in _SAMPLE_RATES if seconds * rate % AAC_FRAME == 0]
    if not fitting:
        raise ValueError(f"{seconds} s hold no whole number of AAC frames: take a multiple of 2 s")
    return fitting[0]


def _encode(clip: Clip, part: Path, bframes: int, bitrate_bps: int | None) -> None:
    """The one encode: `video.mp4`, a fragment for each group, with a blank mark in each key frame; and `audio.aac`."""
    drawn = overlay(clip.width, clip.height, rate=clip.rate, start=clip.start)
    noise = f"noise=alls={40 if bitrate_bps else 0}:allf=t," if bitrate_bps else ""
    gop = str(clip.gop_frames)
    command = ["-f", "lavfi", "-i", f"testsrc2=size={clip.width}x{clip.height}:rate={clip.rate},{noise}{drawn}"]
    if clip.sample_rate:
        command += ["-f", "lavfi", "-i", f"sine=frequency=440:beep_factor=4:sample_rate={clip.sample_rate}"]
    command += ["-map", "0:v", "-t", str(clip.seconds), "-c:v", *_ENCODERS[clip.codec], "-pix_fmt", "yuv420p"]
    command += ["-g", gop, "-keyint_min", gop, "-bf", str(bframes)]
    if clip.codec == "hevc":
        command += [
            "-x265-params",
            f"keyint={gop}:min-keyint={gop}:scenecut=0:open-gop=0:bframes={bframes}:log-level=error",
        ]
    if bitrate_bps:
        command += ["-b:v", str(bitrate_bps), "-maxrate", str(bitrate_bps), "-bufsize", str(bitrate_bps)]
    command += ["-use_editlist", "0", "-movflags", _FRAGMENTS, "-f", "mp4", str(part / "raw.mp4")]
    if clip.sample_rate:
        command += ["-map", "1:a", "-t", str(clip.seconds + 1), "-c:a", "aac", "-b:a", "96k", "-ac", "2"]
        command += ["-f", "adts", str(part / "raw.aac")]
    run_ffmpeg(clip.ffmpeg, command)
    (part / "video.mp4").write_bytes(_mark_groups(clip, (part / "raw.mp4").read_bytes()))
    (part / "raw.mp4").unlink()
    if clip.sample_rate:
        frames = _read_adts(part / "raw.aac")[1:]  # the first only primes the decoder
        (part / "audio.aac").write_bytes(b"".join(frames[: clip.seconds * clip.sample_rate // AAC_FRAME]))
        (part / "raw.aac").unlink()


def _mark_groups(clip: Clip, raw: bytes) -> bytes:
    """The file again, with an SEI message at the head of each key frame."""
    samples, ticks = boxes.read_samples(raw), boxes.timescale(raw)
    sei = blank_sei(clip.codec)
    head = len(sei).to_bytes(4, "big") + sei
    keys = [index for index, sample in enumerate(samples) if sample.key]
    if keys != list(range(0, clip.frames, clip.gop_frames)) or len(samples) != clip.frames:
        raise ToolFailed(f"{clip.ffmpeg} put key frames at {keys} of {len(samples)} frames, not each {clip.gop_frames}")
    marked = [sample._replace(data=head + sample.data) if sample.key else sample for sample in samples]
    step = ticks // clip.rate
    parts = [boxes.init_segment(raw)]
    for number, first in enumerate(keys):
        group = marked[first : first + clip.gop_frames]
        built = boxes.build_fragment([Run(1, group, group[-1].dts + step)])
        fragment = bytearray(built.data)
        fragment[built.sequence_at : built.sequence_at + 4] = (number + 1).to_bytes(4, "big")
        at = built.times_at[0][1]
        fragment[at : at + 8] = group[0].dts.to_bytes(8, "big")
        parts.append(bytes(fragment))
    return b"".join(parts)


@lru_cache(maxsize=32)
def _read_video(clip: Clip) -> VideoTrack:
    data = (clip.folder / "video.mp4").read_bytes()
    samples = boxes.read_samples(data)
    zero = samples[0].dts + samples[0].cts
    record = boxes.find_record(data, b"avcC" if clip.codec == "h264" else b"hvcC")
    return VideoTrack(boxes.timescale(data), [sample._replace(dts=sample.dts - zero) for sample in samples], record)


@lru_cache(maxsize=32)
def _read_adts(path: Path) -> list[bytes]:
    data, frames, at = path.read_bytes(), list[bytes](), 0
    while at + 7 <= len(data):
        size = (data[at + 3] & 3) << 11 | data[at + 4] << 3 | data[at + 5] >> 5
        frames.append(data[at : at + size])
        at += size
    return frames


@lru_cache(maxsize=64)
def _read_init(clip: Clip, tracks: Tracks) -> bytes:
    def build(part: Path) -> None:
        command = [*_inputs(clip, tracks), "-t", "1", "-c", "copy", "-bsf:a", "aac_adtstoasc"]
        command += ["-use_editlist", "0", "-movflags", _FRAGMENTS]
        run_ffmpeg(clip.ffmpeg, [*command, str(part / "init.mp4")])

    return boxes.init_segment((build_once(clip.folder / f"init-{tracks}", build) / "init.mp4").read_bytes())


@lru_cache(maxsize=64)
def _cut_ts(clip: Clip, tracks: Tracks) -> list[Path]:
    def build(part: Path) -> None:
        command = [*_inputs(clip, tracks), "-c", "copy", "-f", "hls", "-hls_time", str(clip.gop_frames / clip.rate)]
        command += ["-hls_list_size", "0", "-hls_segment_filename", str(part / "%04d.ts")]
        run_ffmpeg(clip.ffmpeg, [*command, str(part / "index.m3u8")])

    return sorted(build_once(clip.folder / f"ts-{tracks}", build).glob("*.ts"))


def _inputs(clip: Clip, tracks: Tracks) -> list[str]:
    """Arguments that open the clip's tracks; ffmpeg lets the first frame of each input be shown at 0."""
    opened: list[str] = []
    if tracks != "audio":
        opened += ["-i", str(clip.folder / "video.mp4")]
    if tracks != "video":
        opened += ["-i", str(clip.folder / "audio.aac")]
    return [*opened, "-map", "0", *(["-map", "1"] if tracks == "av" else [])]


def build_once(target: Path, build: Callable[[Path], None]) -> Path:
    """`target`, a folder, filled by `build` under another name first: several processes may want it at the same time."""
    if target.exists():
        return target
    with TemporaryDirectory(dir=target.parent, prefix=".making-") as making:
        part = Path(making, "part")
        part.mkdir()
        build(part)
        try:
            part.rename(target)
        except OSError:
            if not target.exists():
                raise
    return target
