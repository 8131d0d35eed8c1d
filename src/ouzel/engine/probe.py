"""What is in a media file, asked of FFmpeg's libraries in a child process: a demuxer or decoder that crashes takes only it down.

    found = await probe(path)                    # every packet is looked at
    found = await probe(path, depth="decode")    # and every frame

The child is this module, run as a program; it answers with one JSON document on its last line of output, and with the share
that is done on the lines before.
"""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

from ouzel.base.errors import MediaError, NotMedia, ToolFailed
from ouzel.system.process import run

if TYPE_CHECKING:
    from av.container import InputContainer

Depth = Literal["header", "packets", "decode"]
OnProgress = Callable[[float], None]
"""Told the share that is done, 0 to 1."""

_LOCAL_ONLY = {"protocol_whitelist": "file"}  # a file may be a playlist that names others
_PIPE = "pipe:0"
_PIPE_ONLY = {"protocol_whitelist": "pipe"}
_REPORT_EVERY = 2000


@dataclass(slots=True)
class StreamFound:
    """One stream of a file. Times in seconds, as they stand in the file; None where nothing of the kind was found.

    From `packets` on: counted only if packets were looked at; from `frames` on: only if they were decoded.
    """

    kind: str
    """video, audio, subtitle, data"""
    codec: str
    width: int | None = None
    height: int | None = None
    rate: float | None = None
    """Frames a second."""
    sample_rate: int | None = None
    channels: int | None = None
    packets: int = 0
    keys: int = 0
    first_s: float | None = None
    """Lowest presentation time."""
    end_s: float | None = None
    """Highest presentation time with its duration."""
    first_dts_s: float | None = None
    last_dts_s: float | None = None
    unordered: int = 0
    """Packets whose decode time lies before that of the one before."""
    corrupt: int = 0
    """Packets that the demuxer says are damaged."""
    frames: int = 0
    frames_unordered: int = 0
    frames_corrupt: int = 0
    errors: int = 0
    """Packets that could not be decoded."""

    @property
    def duration_s(self) -> float:
        return 0.0 if self.first_s is None or self.end_s is None else self.end_s - self.first_s


@dataclass(slots=True)
class Found:
    """What is in a file."""

    container: str
    """As FFmpeg names the format: `mpegts`, `flv`, `mov,mp4,m4a,3gp,3g2,mj2`, `matroska,webm`."""
    duration_s: float | None
    """What the header says; of a file that was cut off it is wrong."""
    start_s: float | None
    streams: list[StreamFound] = field(default_factory=list[StreamFound])
    error: str = ""
    """Why reading ended before the end of the file."""

    @property
    def video(self) -> StreamFound | None:
        return self.first("video")

    @property
    def audio(self) -> StreamFound | None:
        return self.first("audio")

    def first(self, kind: str) -> StreamFound | None:
        return next((s for s in self.streams if s.kind == kind), None)

    @property
    def media_s(self) -> float:
        """From the first to the last presentation time of all streams, measured on the packets."""
        firsts = [s.first_s for s in self.streams if s.first_s is not None]
        ends = [s.end_s for s in self.streams if s.end_s is not None]
        return max(ends) - min(firsts) if firsts and ends else 0.0


@dataclass(frozen=True, slots=True)
class Edges:
    """Where a file can be cut without re-encoding, in seconds from its start: at key frames (at any packet in sound only)."""

    start_s: float
    """The last at or before the wished start."""
    end_s: float | None
    """The first at or after the wished end; None: the end of the file."""
    cut_s: float | None
    """Its decode time: all packets before it belong to the piece."""


async def probe(
    path: Path,
    *,
    depth: Depth = "packets",
    on_progress: OnProgress | None = None,
    nice: int = 0,
    fed_by: Sequence[str] | None = None,
) -> Found:
    """Look into a file.

    Args:
        fed_by: a program that gives what is to be read in its place, as FLV.
    Raises: NotMedia when FFmpeg does not know what it is; MediaError when it cannot be read.
    """
    doc = await _ask([depth, _PIPE if fed_by else str(path)], path, on_progress, nice, fed_by)
    doc["streams"] = [StreamFound(**s) for s in doc["streams"]]
    return Found(**doc)


async def find_edges(path: Path, from_s: float, to_s: float) -> Edges:
    """The key frames around a stretch of a file; times in seconds from its start. Raises: as `probe`."""
    return Edges(**await _ask(["edges", str(path), str(from_s), str(to_s)], path, None, 0))


async def _ask(
    args: list[str], path: Path, on_progress: OnProgress | None, nice: int, fed_by: Sequence[str] | None = None
) -> dict[str, Any]:
    doc: dict[str, Any] = {}

    def read(line: str) -> None:
        doc.update(json.loads(line))
        share = doc.pop("done", None)
        if share is not None and on_progress is not None:
            on_progress(share)

    try:
        await run([sys.executable, "-P", "-m", "ouzel.engine.probe", *args], fed_by=fed_by, on_line=read, nice=nice)
    except ToolFailed as exc:
        code = cast("int", exc.context.get("returncode", 0))
        how = signal.Signals(-code).name if code < 0 else exc.message
        raise MediaError(f"{path} cannot be read: the reader crashed ({how})") from exc
    if (refusal := doc.pop("refused", None)) is not None:
        raise (NotMedia if refusal["not_media"] else MediaError)(f"{path}: {refusal['why']}")
    return doc


# -- the child ------------------------------------------------------------------------------------------------------------


def main(argv: list[str]) -> None:
    import av
    from av.error import FFmpegError, InvalidDataError

    try:
        piped = argv[1] == _PIPE
        with av.open(
            argv[1], format="flv" if piped else None, options=_PIPE_ONLY if piped else _LOCAL_ONLY
        ) as container:
            doc = _edges(container, *map(float, argv[2:])) if argv[0] == "edges" else _look(container, argv[0])
    except (FFmpegError, OSError) as exc:
        why = getattr(exc, "strerror", None) or str(exc)
        doc = {"refused": {"not_media": isinstance(exc, InvalidDataError), "why": why}}
    _print(doc)


def _print(doc: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(doc) + "\n")
    sys.stdout.flush()


def _look(container: InputContainer, depth: str) -> dict[str, Any]:
    start = cast("int | None", container.start_time)
    found = Found(
        container.format.name,
        None if container.duration is None else container.duration / 1e6,
        None if start is None else start / 1e6,
    )
    counts = [_Count(stream) for stream in container.streams]
    if depth != "header":
        found.error = _read(container, counts, decode=depth == "decode")
    found.streams = [count.found for count in counts]
    doc = {f.name: getattr(found, f.name) for f in fields(found)}
    doc["streams"] = [{f.name: getattr(s, f.name) for f in fields(s)} for s in found.streams]
    return doc


def _read(container: InputContainer, counts: list[_Count], *, decode: bool) -> str:
    from av.error import FFmpegError

    size, seen = container.size or 1, 0
    try:
        for packet in container.demux():
            seen += 1
            if seen % _REPORT_EVERY == 0 and packet.pos is not None:
                _print({"done": round(min(1.0, packet.pos / size), 4)})
            count = counts[packet.stream_index]
            if packet.size:
                count.take(packet)
            if decode:
                count.decode(packet)
    except FFmpegError as exc:
        return exc.strerror or str(exc)
    return ""


class _Count:
    """Follows one stream."""

    def __init__(self, stream: Any) -> None:
        codec = stream.codec_context.codec if stream.codec_context else None
        self.found = StreamFound(stream.type, codec.canonical_name if codec else "unknown")
        context = stream.codec_context
        if stream.type == "video":
            self.found.width, self.found.height = context.width or None, context.height or None
            self.found.rate = float(stream.average_rate) if stream.average_rate else None
        elif stream.type == "audio":
            self.found.sample_rate, self.found.channels = context.sample_rate or None, context.channels or None
        if stream.type in {"video", "audio"}:
            context.thread_type = "AUTO"
        self._decodable = stream.type in {"video", "audio"} and codec is not None
        self._base = float(stream.time_base or 1)
        self._last: int | None = None
        self._last_frame: int | None = None
        self._step = 0

    def take(self, packet: Any) -> None:
        found = self.found
        found.packets += 1
        found.keys += packet.is_keyframe
        found.corrupt += packet.is_corrupt
        if packet.dts is not None:
            self._order(packet.dts)
        pts = packet.pts if packet.pts is not None else packet.dts
        if pts is None:
            return
        start, end = pts * self._base, (pts + (packet.duration or self._step)) * self._base
        found.first_s = start if found.first_s is None else min(found.first_s, start)
        found.end_s = end if found.end_s is None else max(found.end_s, end)

    def _order(self, dts: int) -> None:
        found = self.found
        if self._last is not None:
            found.unordered += dts < self._last
            self._step = dts - self._last if dts > self._last else self._step
        self._last = dts
        if found.first_dts_s is None:
            found.first_dts_s = dts * self._base
        found.last_dts_s = dts * self._base

    def decode(self, packet: Any) -> None:
        from av.error import FFmpegError

        if not self._decodable:
            return
        try:
            frames = packet.decode()
        except FFmpegError:
            self.found.errors += 1
            return
        for frame in frames:
            self.found.frames += 1
            self.found.frames_corrupt += frame.is_corrupt
            if frame.pts is not None:
                self.found.frames_unordered += self._last_frame is not None and frame.pts <= self._last_frame
                self._last_frame = frame.pts


def _edges(container: InputContainer, from_s: float, to_s: float) -> dict[str, Any]:
    for back_s in (0.0, 10.0, 60.0, from_s):  # some formats land after the key frame that was asked for
        start, end, cut = _keys_between(container, max(0.0, from_s - back_s), from_s, to_s)
        if start is not None and start <= from_s:
            break
    return {"start_s": max(0.0, start or 0.0), "end_s": end, "cut_s": cut}


def _keys_between(
    container: InputContainer, seek_s: float, from_s: float, to_s: float
) -> tuple[float | None, float | None, float | None]:
    """Presentation times of the first and the last key frame, and the decode time of the last."""
    stream: Any = next((s for s in container.streams if s.type == "video"), None) or container.streams[0]
    base, zero = float(stream.time_base or 1), (container.start_time or 0) / 1e6
    slack = 0.5 * base  # of rounding to ticks
    start: float | None = None
    container.seek(round((zero + seek_s) * 1e6), backward=True)
    for packet in cast("Any", container).demux(stream):
        if not packet.size or not packet.is_keyframe or packet.pts is None:
            continue
        at = float(packet.pts * base - zero)
        if start is None or at <= from_s + slack:
            start = at
        if at >= to_s - slack:
            return start, at, float((packet.dts if packet.dts is not None else packet.pts) * base - zero)
    return start, None, None


if __name__ == "__main__":
    main(sys.argv[1:])
