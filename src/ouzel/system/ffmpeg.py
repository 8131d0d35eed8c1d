"""Which ffmpeg program is used: the first of those at hand that passes a test of what is asked of it."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

import anyio

from ouzel.base.errors import ToolError, ToolFailed, ToolMissing
from ouzel.system.process import find_program, run

SETTING = "OUZEL_FFMPEG"
Need: TypeAlias = Literal[
    "enhanced_flv", "rtmp", "rtmps", "srt", "rtsp", "dash", "aac", "mp3", "opus", "h264", "hevc", "av1", "drawtext", "zscale"
]  # fmt: skip
"""What not every build does: HEVC, AV1 and VP9 in FLV by FourCC; a way in; an encoder; a filter."""

_TEST_S = 20.0
_ENHANCED_FLV = (60, 16)  # libavformat of FFmpeg 6.1
_NEW_RTSP_OPTIONS = (59, 0)  # FF_API_OLD_RTSP_OPTIONS went with FFmpeg 5.0
_LISTS: dict[Need, tuple[str, str]] = {
    "rtmp": ("-protocols", r"^\s+rtmp$"),
    "rtmps": ("-protocols", r"^\s+rtmps$"),
    "srt": ("-protocols", r"^\s+srt$"),
    "rtsp": ("-demuxers", r"^ D\S*\s+(\S+,)*rtsp[, ]"),
    "dash": ("-demuxers", r"^ D\S*\s+(\S+,)*dash[, ]"),
    "aac": ("-encoders", r"^ A\S*\s+aac "),
    "mp3": ("-encoders", r"^ A\S*\s+libmp3lame "),
    "opus": ("-encoders", r"^ A\S*\s+libopus "),
    "h264": ("-encoders", r"^ V\S*\s+libx264 "),
    "hevc": ("-encoders", r"^ V\S*\s+libx265 "),
    "av1": ("-encoders", r"^ V\S*\s+libsvtav1 "),
    "drawtext": ("-filters", r"^ \S+\s+drawtext "),
    "zscale": ("-filters", r"^ \S+\s+zscale "),
}
_PACKET_BYTES, _SYNC = 188, 0x47


@dataclass(frozen=True, slots=True)
class Ffmpeg:
    """A program that passed the self-test."""

    path: str
    version: str
    """As it calls itself: `7.1`, `5.1.9-0+deb12u1`, `N-118000-g1a2b3c`."""
    libavformat: tuple[int, int]

    @property
    def enhanced_flv(self) -> bool:
        """Whether it reads and writes HEVC, AV1 and VP9 in FLV."""
        return self.libavformat >= _ENHANCED_FLV

    @property
    def rtsp_timeout(self) -> str:
        """The option of its RTSP reader that ends a silent connection, in microseconds. In older builds `-timeout` means
        something else: to wait for a connection from outside."""
        return "timeout" if self.libavformat >= _NEW_RTSP_OPTIONS else "stimeout"


class FfmpegFinder:
    """Looks for the program in this order: the setting, PATH, the one that comes with `imageio-ffmpeg`.

    What was found out about a program is kept for the life of the finder: make one per process.
    """

    def __init__(self, setting: str | None = None) -> None:
        """`setting`: path or name; None: what the environment has in OUZEL_FFMPEG. When set, nothing else is tried."""
        self._setting = setting
        self._known: dict[str, Ffmpeg] = {}
        self._lists: dict[tuple[str, str], str] = {}
        self._lock = anyio.Lock()

    async def find(self, need: Collection[Need] = ()) -> Ffmpeg:
        """The first program that works and does all of `need`.

        Raises: ToolMissing, whose text says what is wrong with each program that was tried, and what to do.
        """
        wrong: list[str] = []
        async with self._lock:
            for path in self._candidates():
                found = await self._know(path)
                if isinstance(found, ToolError):
                    wrong.append(f"{path}: {found}")
                elif lacks := [n for n in sorted(need) if not await self._does(found, n)]:
                    wrong.append(f"{path} ({found.version}) cannot do {', '.join(lacks)}")
                else:
                    return found
        advice = f"install FFmpeg 6.1 or newer, or name a program in {SETTING}"
        raise ToolMissing("no ffmpeg program that fits: " + "; ".join([*wrong, advice]), need=sorted(need))

    async def _know(self, path: str) -> Ffmpeg | ToolError:
        if (known := self._known.get(path)) is None:
            try:
                known = self._known[path] = await examine(path)
            except ToolError as exc:  # not kept: it may be mended while the recording goes on
                return exc
        return known

    async def _does(self, ffmpeg: Ffmpeg, need: Need) -> bool:
        if need == "enhanced_flv":
            return ffmpeg.enhanced_flv
        option, pattern = _LISTS[need]
        if (text := self._lists.get((ffmpeg.path, option))) is None:
            result = await run([ffmpeg.path, "-hide_banner", option], timeout_s=_TEST_S, check=False)
            text = self._lists[ffmpeg.path, option] = result.stdout.decode("utf-8", "replace")
        return re.search(pattern, text, re.MULTILINE) is not None

    def _candidates(self) -> Iterator[str]:
        setting = self._setting or os.environ.get(SETTING)
        if setting:
            yield setting
            return
        yield "ffmpeg"
        if bundled := _bundled():
            yield bundled


async def examine(path: str) -> Ffmpeg:
    """Start the program: it must write MPEG-TS to a pipe, which is what recording and conversion rest on.

    Raises: ToolMissing, ToolFailed.
    """
    path = find_program(path)
    silence = ("-f", "s16le", "-ar", "48000", "-ac", "1", "-i", "/dev/zero", "-t", "0.1")
    result = await run(
        [path, "-nostdin", "-nostats", *silence, "-c:a", "mp2", "-f", "mpegts", "pipe:1"], timeout_s=_TEST_S
    )
    out = result.stdout
    if not out or len(out) % _PACKET_BYTES or set(out[::_PACKET_BYTES]) != {_SYNC}:
        raise ToolFailed(f"{path} does not write MPEG-TS to a pipe")
    version = re.search(r"^\S+ version (\S+)", result.errors)
    library = re.search(r"^\s*libavformat\s+(\d+)\.\s*(\d+)\.", result.errors, re.MULTILINE)
    if version is None or library is None:
        raise ToolFailed(f"{path} does not say which FFmpeg it is")
    return Ffmpeg(path, version[1], (int(library[1]), int(library[2])))


def _bundled() -> str | None:
    try:
        import imageio_ffmpeg
    except ImportError:
        return None
    try:
        return imageio_ffmpeg.get_ffmpeg_exe()
    except RuntimeError:  # a wheel without a program, as for platforms that it has none for
        return None
