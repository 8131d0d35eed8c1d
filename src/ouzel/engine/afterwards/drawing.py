"""The child process of `pictures`: a poster, and sheets of small pictures, of one file.

    python -m ouzel.engine.afterwards.drawing FILE|pipe:0 PLAN

PLAN is JSON: `duration_s`, `every_s`, `count`, `box` (the longest side of a small picture), `poster` (path and the longest
side), `sheet` (path with `{}` for its number), `columns`, `rows`. It answers like `probing`: the share that is done on some
lines, and one document on the last.

Key frames are sought, one for each place: with one in ten seconds that is a quarter of the processor time of decoding all of
them, and next to nothing is read. Where a file cannot be searched, such as one from a pipe, its key frames are read through.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ouzel.engine.saying import answer, say

_PIPE = "pipe:0"
_DARK, _BRIGHT, _FLAT = 28, 235, 6
"""Of the luma of a picture: below and above which it is as good as black or white, and what it varies by at least where there is
something to be seen."""
_BACK_S = (0.0, 10.0, 60.0)
_EARLY = 0.25
"""Of the time of a small picture, by which its key frame may come before it."""
_LOOKED_AT = 7  # each seventh pixel says enough of how light a picture is
_QUALITY = "4"
_MOST_FRAMES, _EACH = 1500, 5
"""How far pictures between key frames are looked at, where these show nothing; each fifth of them."""


@dataclass(slots=True)
class _Seen:
    """A key frame, made small."""

    at_s: float
    planes: list[bytes]


def main(argv: list[str]) -> None:
    answer(lambda: _Work(argv[0], json.loads(argv[1])).run())


class _Work:
    def __init__(self, path: str, plan: dict[str, Any]) -> None:
        self._path = path
        self._plan = plan
        self._size = (0, 0)
        self._seen: list[_Seen] = []
        self._sample = 1.0
        """Width of a pixel by its height."""
        self._first: tuple[float, Any] | None = None
        """How much there is to be seen in the first picture, and itself."""
        self._best: tuple[float, Any] | None = None
        """Of all others the one in which there is most to be seen."""

    def run(self) -> dict[str, Any]:
        places: list[tuple[float, float, int]] = []
        """Of each small picture: from, to, and which of `_seen` it is."""
        every_s, duration_s = self._plan["every_s"], self._plan["duration_s"]
        with self._open() as container:
            for number, seen in enumerate(self._small(container)):
                if seen is not None:
                    self._seen.append(seen)
                if self._seen:
                    end_s = duration_s if number + 1 == self._plan["count"] else (number + 1) * every_s
                    places.append((number * every_s, end_s, len(self._seen) - 1))
                if number % 20 == 0:
                    say({"done": round(0.9 * number / self._plan["count"], 4)})
        if not self._seen:
            return {"refused": {"not_media": False, "why": "no picture in it could be decoded"}}
        if places[0][0] > 0:  # nothing could be decoded before
            places[0] = (0.0, *places[0][1:])
        sheets = self._sheets(places)
        dark = self._poster()
        width, height = self._size
        return {"places": places, "sheets": sheets, "width": width, "height": height, "dark": dark}

    def _open(self) -> Any:
        import av

        if self._path == _PIPE:
            return av.open(_PIPE, format="flv", options={"protocol_whitelist": "pipe"})
        return av.open(self._path, options={"protocol_whitelist": "file"})

    def _small(self, container: Any) -> Iterator[_Seen | None]:
        """For each place its key frame; None: the same as before, or none."""
        from av.error import FFmpegError

        stream: Any = container.streams.video[0]
        stream.codec_context.skip_frame = "NONKEY"
        stream.thread_type = "SLICE"
        self._sample = float(stream.sample_aspect_ratio or 1)
        zero_s = (container.start_time or 0) / 1e6
        if self._path == _PIPE or not self._can_search(container, zero_s):
            yield from self._walk(container, stream, zero_s)
            return
        last_s = -1.0
        for number in range(self._plan["count"]):
            try:
                frame = self._key(container, stream, zero_s, number * self._plan["every_s"])
            except FFmpegError:
                frame = None
            if frame is None or frame.time == last_s:
                yield None
                continue
            last_s = frame.time
            yield self._shrunk(frame, zero_s)

    def _key(self, container: Any, stream: Any, zero_s: float, from_s: float) -> Any:
        """The first key frame of a place, or, where none begins there, the last one before it.

        Some formats land behind the one that was asked for: what is sought lies earlier then.
        """
        every_s, best = self._plan["every_s"], None
        for back_s in _BACK_S:
            container.seek(round((zero_s + from_s - back_s) * 1e6), backward=True)
            for frame in container.decode(stream):
                if frame.pts is None:
                    continue
                if frame.time - zero_s >= from_s + every_s:
                    break
                best = frame
                if frame.time - zero_s >= from_s - _EARLY * every_s:
                    break
            if best is not None:
                break
        return best

    def _can_search(self, container: Any, zero_s: float) -> bool:
        """Whether the file has its index, or its format does without."""
        from av.error import FFmpegError

        try:
            container.seek(round((zero_s + self._plan["duration_s"] / 2) * 1e6), backward=True)
            packet = next((p for p in container.demux(video=0) if p.pts is not None), None)
            lands_s = None if packet is None else float(packet.pts * packet.time_base) - zero_s
            container.seek(container.start_time or 0, backward=True)
        except FFmpegError:
            return False
        few = self._plan["duration_s"] < 4 * self._plan["every_s"]
        return lands_s is not None and (few or lands_s > 0)

    def _walk(self, container: Any, stream: Any, zero_s: float) -> Iterator[_Seen | None]:
        number, waiting = 0, None
        for frame in container.decode(stream):
            if frame.pts is None:
                continue
            place = int(max(0.0, frame.time - zero_s) / self._plan["every_s"])
            while number < min(place, self._plan["count"]):
                yield None if waiting is None else self._shrunk(waiting, zero_s)
                number, waiting = number + 1, None
            waiting = waiting or frame
        while number < self._plan["count"]:
            yield None if waiting is None else self._shrunk(waiting, zero_s)
            number, waiting = number + 1, None

    def _shrunk(self, frame: Any, zero_s: float) -> _Seen:
        upright, aspect = self._upright(frame)
        if self._size == (0, 0):
            self._size = _fitted(aspect, self._plan["box"])
        width, height = self._size
        small = upright.reformat(width=width, height=height, format="yuv420p", dst_color_range="JPEG")
        planes = [_tight(plane) for plane in small.planes]
        luma = planes[0][::_LOOKED_AT]
        mean = sum(luma) / len(luma)
        spread = (sum(value * value for value in luma) / len(luma) - mean * mean) ** 0.5
        score = spread if _DARK < mean < _BRIGHT else 0.0
        if self._first is None or frame.time <= self._first[1].time:
            self._first = (score, frame)
        elif self._best is None or score > self._best[0]:
            self._best = (score, frame)
        return _Seen(frame.time - zero_s, planes)

    def _sheets(self, places: list[tuple[float, float, int]]) -> list[str]:
        columns, rows = self._plan["columns"], self._plan["rows"]
        paths: list[str] = []
        for start in range(0, len(places), columns * rows):
            cells = [self._seen[number].planes for _from, _to, number in places[start : start + columns * rows]]
            path = self._plan["sheet"].format(len(paths) + 1)
            Path(path).write_bytes(_jpeg(_pasted(cells, self._size, columns)))
            paths.append(path)
        return paths

    def _poster(self) -> bool:
        """Returns: whether all pictures are black or flat."""
        path, longest = self._plan["poster"]
        if self._path != _PIPE and (self._best is None or self._best[0] < _FLAT):
            with self._open() as container:
                self._between(container)
        best = self._best or self._first
        assert best is not None
        upright, aspect = self._upright(best[1])
        width, height = _fitted(aspect, min(longest, max(upright.width, upright.height)))
        big = upright.reformat(width=width, height=height, format="yuv420p", dst_color_range="JPEG")
        Path(path).write_bytes(_jpeg(big))
        return best[0] < _FLAT

    def _between(self, container: Any) -> None:
        """Looks for a better one among the first pictures, key frames or not."""
        stream: Any = container.streams.video[0]
        stream.thread_type = "AUTO"
        for number, frame in enumerate(container.decode(stream)):
            if number % _EACH == 0 and frame.pts is not None:
                self._shrunk(frame, 0.0)
            if number >= _MOST_FRAMES:
                break

    def _upright(self, frame: Any) -> tuple[Any, float]:
        """As it is to be shown, and width by height: cameras that are held upright say so beside the picture."""
        turns = round(frame.rotation / 90) % 4
        sample = 1 / self._sample if turns % 2 else self._sample
        frame = _turned(frame, turns) if turns else frame
        return frame, frame.width / frame.height * sample


def _fitted(aspect: float, box: int) -> tuple[int, int]:
    """Even sides of a picture in a square box."""
    width, height = (box, box / aspect) if aspect >= 1 else (box * aspect, box)
    return max(2, round(width / 2) * 2), max(2, round(height / 2) * 2)


def _turned(frame: Any, turns: int) -> Any:
    """Counterclockwise by so many right angles."""
    from av.filter import Graph

    graph = Graph()
    source = graph.add_buffer(
        width=frame.width, height=frame.height, format=frame.format.name, time_base=frame.time_base
    )
    last = source
    for _turn in range(turns):
        turn = graph.add("transpose", "cclock")
        last.link_to(turn)
        last = turn
    sink = graph.add("buffersink")
    last.link_to(sink)
    graph.configure()
    graph.push(frame)
    return graph.pull()


def _tight(plane: Any) -> bytes:
    """The bytes of a plane, without what fills its lines up."""
    data = memoryview(plane)
    return b"".join(data[at : at + plane.width] for at in range(0, plane.height * plane.line_size, plane.line_size))


def _pasted(cells: list[list[bytes]], size: tuple[int, int], columns: int) -> Any:
    """One picture of small ones, row by row."""
    from av.video.frame import VideoFrame

    width, height = size
    columns = min(columns, len(cells))
    frame = VideoFrame(width * columns, height * -(-len(cells) // columns), "yuv420p")
    for number, plane in enumerate(frame.planes):
        shrink = 2 if number else 1
        wide, high, stride = width // shrink, height // shrink, plane.line_size
        data = bytearray(bytes([128 if number else 0]) * plane.buffer_size)
        for cell, planes in enumerate(cells):
            across, down = cell % columns * wide, cell // columns * high
            for line in range(high):
                at = (down + line) * stride + across
                data[at : at + wide] = planes[number][line * wide : (line + 1) * wide]
        plane.update(bytes(data))
    return frame


def _jpeg(frame: Any) -> bytes:
    """A JPEG file; it was decoded again."""
    from fractions import Fraction

    from av.codec import CodecContext

    encoder: Any = CodecContext.create("mjpeg", "w")
    encoder.width, encoder.height, encoder.pix_fmt = frame.width, frame.height, "yuv420p"
    encoder.time_base, encoder.color_range = Fraction(1), 2
    encoder.options = {"qmin": _QUALITY, "qmax": _QUALITY, "strict": "unofficial"}
    frame.pts, frame.time_base = 0, Fraction(1)
    packets = [*encoder.encode(frame), *encoder.encode(None)]
    data = b"".join(bytes(packet) for packet in packets)
    decoder: Any = CodecContext.create("mjpeg", "r")
    seen = [*decoder.decode(packets[0]), *decoder.decode(None)]
    assert [(each.width, each.height) for each in seen] == [(frame.width, frame.height)]
    return data


if __name__ == "__main__":
    main(sys.argv[1:])
