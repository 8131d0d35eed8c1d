"""RTMP, RTSP, SRT, DASH and whatever else only ffmpeg reads: one child that writes MPEG-TS into a pipe.

Reconnecting is ours: the child makes one connection and ends with it (its own reconnecting glues restarts together without a
word). Its exit code means nothing; what it wrote on stderr does. Facts: `field/cameras.md` section 6 of the design notes.
"""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Callable
from typing import Self
from urllib.parse import urlsplit

import anyio

from ouzel.base.errors import (
    ConnectFailed,
    ConnectionLost,
    Forbidden,
    Gone,
    HostNotFound,
    NotMedia,
    OuzelError,
    ProxyFailed,
    Stalled,
    StorageError,
    Unsupported,
)
from ouzel.base.urls import redact, redact_text
from ouzel.engine.intake import Intake, TapeFull
from ouzel.engine.sources.context import SourceContext
from ouzel.formats.mpegts import TsShaper
from ouzel.model.flow import EndReason
from ouzel.model.stream import Stream
from ouzel.system.ffmpeg import Ffmpeg, Need
from ouzel.system.process import Child, spawn

_BUFFER = 256 * 1024
_TS_AUDIO = frozenset({"aac", "mp2", "mp3", "ac3", "eac3", "opus"})
_TS_VIDEO = frozenset({"h264", "hevc", "mpeg2video", "mpeg4", "mpeg1video"})
_STREAM_LINE = re.compile(r"Stream #\d+:\d+.*?: (Video|Audio): ([\w-]+)")
_FILE_SCHEMES = frozenset({"http", "https"})
_SAYINGS: tuple[tuple[str, type[OuzelError]], ...] = (
    (r"401 Unauthorized|403 Forbidden|Authorization failed", Forbidden),
    (r"404 Not Found|NetStream\.Play\.StreamNotFound", Gone),
    (r"Connection refused|No route to host|Network is unreachable", ConnectFailed),
    (r"Failed to resolve hostname|Name or service not known", HostNotFound),
    (r"Protocol not found|Option .* not found", Unsupported),
    (r"Connection timed out|Operation timed out", Stalled),
    (r"Invalid data found|could not find codec parameters|does not contain any stream", NotMedia),
)


class FfmpegSource:
    """Keeps its shaper over reconnects, so that time goes on in the file."""

    def __init__(self, context: SourceContext) -> None:
        self._context = context
        self._intake: Intake | None = None
        self._encode_audio = False

    async def run(self, stream: Stream, url: str | None = None) -> EndReason | None:
        """Read one connection to its end.

        Returns: ENDED for a file that was read to its end; DURATION when the tape is full; None for a live stream that closed.
        Raises: NetworkError, Forbidden, Gone, NotMedia, Unsupported, ToolMissing, StorageError.
        """
        address = url or stream.url
        program = await self._context.ffmpeg.find(_needs(address))
        while True:
            try:
                return await self._connection(program, stream, address)
            except _AudioNotForTs:
                self._encode_audio = True

    async def _connection(self, program: Ffmpeg, stream: Stream, address: str) -> EndReason | None:
        intake = self._begin(stream, address)
        async with spawn(arguments(program, stream, address, encode_audio=self._encode_audio)) as child:
            try:
                await self._pump(child, intake)
            except TapeFull:
                return EndReason.DURATION
            except (StorageError, _AudioNotForTs):
                intake.abandon()
                raise
            except BaseException:
                intake.finish()
                raise
            before = intake.committed
            intake.finish()
            code = await child.wait()
        said = child.errors
        if self._context.tape.full:
            return EndReason.DURATION
        if code == 0 and intake.committed and urlsplit(address).scheme in _FILE_SCHEMES:
            return EndReason.ENDED
        if intake.committed > before or (code == 0 and intake.committed):
            return None
        raise error_of(said, address)

    def _begin(self, stream: Stream, address: str) -> Intake:
        tape = self._context.tape
        tape.run(urlsplit(address).scheme, redact(address), stream.quality)
        if self._intake is None:
            self._intake = Intake(TsShaper(mode="continuous"), tape, continuous=True)
        else:
            self._intake.splice()
        return self._intake

    async def _pump(self, child: Child, intake: Intake) -> None:
        """Hand everything that the child writes to the intake, as it comes. Raises: Stalled, and what the intake raises."""
        pipe = _Pipe(child.stdout_fd, intake.take)
        clock, stall_s = self._context.clock, self._context.policy.stall_s
        first_limit_s = 2 * stall_s  # connecting, probing
        opened = clock.monotonic()
        checked = False
        with pipe:
            while not pipe.ended:
                with anyio.move_on_after(1.0):
                    await pipe.wait()
                if not checked and pipe.received:
                    checked = True
                    self._check_codecs(child.errors)
                limit_s = stall_s if pipe.received else first_limit_s
                if clock.monotonic() - max(pipe.last_byte or opened, opened) > limit_s:
                    raise Stalled(f"no media for {limit_s:.0f} s")

    def _check_codecs(self, said: str) -> None:
        for kind, codec in _STREAM_LINE.findall(said.partition("Output #0")[0]):
            if kind == "Audio" and codec not in _TS_AUDIO and not self._encode_audio:
                raise _AudioNotForTs
            if kind == "Video" and codec not in _TS_VIDEO:
                raise Unsupported(
                    f"{codec} video cannot be carried in MPEG-TS; this source cannot be recorded", codec=codec
                )


class _AudioNotForTs(Exception):
    """The child has to be started again, with its sound encoded."""


class _Pipe:
    """Reads a pipe from the event loop's own callback: one buffer, no copy, no thread."""

    def __init__(self, fd: int, take: Callable[[memoryview], None]) -> None:
        self.received = 0
        self.last_byte: float | None = None
        self.ended = False
        self._fd = fd
        self._take = take
        self._view = memoryview(bytearray(_BUFFER))
        self._loop = asyncio.get_running_loop()
        self._event = asyncio.Event()
        self._error: BaseException | None = None

    def __enter__(self) -> Self:
        os.set_blocking(self._fd, False)
        self._loop.add_reader(self._fd, self._readable)
        return self

    def __exit__(self, *_exc: object) -> None:
        self._loop.remove_reader(self._fd)

    async def wait(self) -> None:
        """Until something happened. Raises: whatever the taker raised."""
        await self._event.wait()
        self._event.clear()
        if self._error is not None:
            raise self._error

    def _readable(self) -> None:
        self._event.set()
        try:
            count = os.readv(self._fd, [self._view])
        except BlockingIOError:
            return
        if count == 0:
            self.ended = True
            self._loop.remove_reader(self._fd)
            return
        self.received += count
        self.last_byte = self._loop.time()
        try:
            self._take(self._view[:count])
        except (OuzelError, TapeFull) as exc:
            self._error = exc
            self._loop.remove_reader(self._fd)


def arguments(program: Ffmpeg, stream: Stream, address: str, *, encode_audio: bool) -> list[str]:
    """The child's command line: one input, copied into MPEG-TS on stdout."""
    scheme = urlsplit(address).scheme.lower()
    args = [program.path, "-nostdin", "-hide_banner", "-loglevel", "level+info"]
    match scheme:
        case "rtsp" | "rtsps":
            args += [
                "-rtsp_transport",
                "tcp",
                program.rtsp_timeout,
                "5000000",
                "-analyzeduration",
                "500000",
            ]
        case "http" | "https":
            args += ["-rw_timeout", "15000000", *_http_options(stream)]
        case "rtmp" | "rtmps":
            args += ["-rw_timeout", "15000000", "-analyzeduration", "3000000"]
        case _:
            args += ["-analyzeduration", "3000000"]
    args += ["-i", address, "-sn", "-dn", "-c:v", "copy"]
    args += ["-c:a", "aac", "-b:a", "64k"] if encode_audio else ["-c:a", "copy"]
    if stream.quality == "audio":
        args.append("-vn")
    return [*args, "-f", "mpegts", "-flush_packets", "1", "-muxdelay", "0", "-muxpreload", "0", "pipe:1"]


def _needs(address: str) -> tuple[Need, ...]:
    match urlsplit(address).scheme.lower():
        case "rtmps":
            return ("rtmps",)
        case "srt":
            return ("srt",)
        case "rtsp" | "rtsps":
            return ("rtsp",)
        case _:
            return ()


def _http_options(stream: Stream) -> list[str]:
    args: list[str] = []
    if stream.proxy:
        if not stream.proxy.startswith("http://"):
            raise ProxyFailed("this kind of stream is read by ffmpeg, which knows http:// proxies only")
        args += ["-http_proxy", stream.proxy]
    if stream.headers:
        args += ["-headers", "".join(f"{k}: {v}\r\n" for k, v in stream.headers)]
    if not stream.verify_tls:
        args += ["-tls_verify", "0"]
    return args


def error_of(said: str, address: str) -> OuzelError:
    """The error that ffmpeg's words mean."""
    words = redact_text(said)
    lines = [line for line in words.splitlines() if "[error]" in line or "[fatal]" in line]
    line = re.sub(r"^(\[[^\]]*\]\s*)+", "", lines[-1]) if lines else "the stream ended without any media"
    line = line.removeprefix(f"{redact_text(address)}: ")
    for pattern, kind in _SAYINGS:
        if re.search(pattern, said):
            text = f"ffmpeg: {line}"
            if kind is Forbidden:
                return Forbidden(text, status=401 if "401" in said else 403)
            return Gone(text, status=404) if kind is Gone else kind(text)
    return ConnectionLost(f"ffmpeg: {line}")
