"""The child process of `probe`: looks into one file with PyAV, and says what it saw.

    python -m ouzel.engine.probing header|packets|decode FILE
    python -m ouzel.engine.probing edges FILE FROM TO

It answers with one JSON document on its last line of output, and with the share that is done on the lines before. Kept apart from
what starts it, so that it imports little.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable, Iterator
from dataclasses import fields
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from ouzel.engine.saying import answer, say
from ouzel.model.media import Edges, Found, StreamFound

if TYPE_CHECKING:
    from av.container import InputContainer

PIPE = "pipe:0"
"""In the place of FILE: FLV from standard input."""
_LOCAL_ONLY = {"protocol_whitelist": "file"}  # a file may be a playlist that names others
_PIPE_ONLY = {"protocol_whitelist": "pipe"}
_REPORT_EVERY = 2000
_UNITS = {"h264": frozenset({7, 8}), "hevc": frozenset({32 << 1, 33 << 1, 34 << 1})}
"""Parameter sets, by the bits of the first byte of a unit that say its kind."""
_EARLIER_S = 1.0  # a seek goes by decode times, and that of a key frame comes before the time at which it is shown


def main(argv: list[str]) -> None:
    answer(lambda: _asked(argv))


def _asked(argv: list[str]) -> dict[str, Any]:
    import av

    if argv[0] == "edges":
        return _edges(lambda: av.open(argv[1], options=_LOCAL_ONLY), *map(float, argv[2:]))
    format_, options = ("flv", _PIPE_ONLY) if argv[1] == PIPE else (None, _LOCAL_ONLY)
    with av.open(argv[1], format=format_, options=options) as container:
        return _look(container, argv[0])


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
                say({"done": round(min(1.0, packet.pos / size), 4)})
            if packet.stream_index >= len(counts):  # it appears in mid-file
                counts += (_Count(stream) for stream in container.streams[len(counts) :])
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
            self.found.pixels = context.pix_fmt
            self.found.transfer = int(context.color_trc) or None
            self.found.sets, self.found.framing = _sets(context.extradata or b"", self.found.codec)
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


def _sets(told: bytes, codec: str) -> tuple[str, str]:
    """Digest of the parameter sets, and how pictures are framed."""
    if codec not in _UNITS:
        return (_digest([told]) if told else ""), ""
    if not told:
        return "", "start"
    if told[:3] == b"\0\0\1" or told[:4] == b"\0\0\0\1":
        units = [unit.rstrip(b"\0") for unit in told.split(b"\0\0\1")]
        kind = 0x1F if codec == "h264" else 0x7E
        return _digest([unit for unit in units if unit and (unit[0] & kind) in _UNITS[codec]]), "start"
    return _digest(_units_of_avcc(told) if codec == "h264" else _units_of_hvcc(told)), "length"


def _digest(units: list[bytes]) -> str:
    return hashlib.blake2b(b"".join(sorted(unit.rstrip(b"\0") for unit in units)), digest_size=8).hexdigest()


def _units_of_avcc(record: bytes) -> list[bytes]:
    """Source: ISO/IEC 14496-15, 5.3.3.1."""
    units: list[bytes] = []
    at = 5
    for mask in (0x1F, 0xFF):
        count = record[at] & mask if at < len(record) else 0
        at += 1
        for _ in range(count):
            end = at + 2 + int.from_bytes(record[at : at + 2], "big")
            units.append(record[at + 2 : end])
            at = end
    return units


def _units_of_hvcc(record: bytes) -> list[bytes]:
    """Those of the kinds that are compared. Source: ISO/IEC 14496-15, 8.3.3.1."""
    units: list[bytes] = []
    at = 23
    for _ in range(record[22] if len(record) > 22 else 0):
        count = int.from_bytes(record[at + 1 : at + 3], "big")
        at += 3
        for _ in range(count):
            end = at + 2 + int.from_bytes(record[at : at + 2], "big")
            unit = record[at + 2 : end]
            units += [unit] if unit and (unit[0] & 0x7E) in _UNITS["hevc"] else []
            at = end
    return units


def _edges(open_it: Callable[[], InputContainer], from_s: float, to_s: float) -> dict[str, Any]:
    from av.error import FFmpegError

    with open_it() as container:
        first_s = next((packet.at_s for packet in _leading(container) if packet.is_key), 0.0)
    found = Edges(first_s, 0.0, first_s, None, is_first=True)
    for back_s in (0.0, 10.0, 60.0, from_s):  # some formats land after the key frame that was asked for
        with open_it() as container:
            seek_s = from_s - back_s - _EARLIER_S
            try:
                if seek_s > 0:
                    container.seek(round(seek_s * 1e6) + (container.start_time or 0), backward=True)
            except FFmpegError:  # FLV, where no key frame comes before
                continue
            found = _edges_from_here(container, first_s, from_s, to_s) or found
        if found.start_s <= from_s:
            break
    return {f.name: getattr(found, f.name) for f in fields(found)}


def _edges_from_here(container: InputContainer, first_s: float, from_s: float, to_s: float) -> Edges | None:
    start, end_s, cut_s = None, 0.0, None
    for packet in _leading(container):
        end_s = max(end_s, packet.end_s)
        if not packet.is_key:
            continue
        if start is None or packet.at_s <= from_s + packet.slack_s:
            start = packet
        elif packet.at_s >= to_s - packet.slack_s:
            end_s, cut_s = packet.at_s, packet.decoded_s
            break
    if start is None:
        return None
    is_first = start.at_s <= first_s + start.slack_s
    return Edges(max(0.0, start.at_s), start.at_s - start.decoded_s, end_s, cut_s, is_first)


class _Packet(NamedTuple):
    """Times in seconds from the start of the file."""

    at_s: float
    decoded_s: float
    end_s: float
    is_key: bool
    slack_s: float
    """Of rounding to ticks."""


def _leading(container: InputContainer) -> Iterator[_Packet]:
    """What follows of the picture, or, where there is none, of the first stream."""
    stream: Any = next((s for s in container.streams if s.type == "video"), None) or container.streams[0]
    base, zero = float(stream.time_base or 1), (container.start_time or 0) / 1e6
    for packet in cast("Any", container).demux(stream):
        if packet.size and packet.pts is not None:
            at_s, dts = packet.pts * base - zero, packet.pts if packet.dts is None else packet.dts
            end_s = at_s + (packet.duration or 0) * base
            yield _Packet(at_s, dts * base - zero, end_s, packet.is_keyframe, 0.5 * base)


if __name__ == "__main__":
    main(sys.argv[1:])
