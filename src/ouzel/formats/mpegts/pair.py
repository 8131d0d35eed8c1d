"""Alternate audio: a playlist of pictures and one of sound, in one file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ouzel.formats.mpegts.counters import pid_at
from ouzel.formats.mpegts.framing import Framer
from ouzel.formats.mpegts.pack import AAC, Sound, SoundReader, SoundType, render_sound
from ouzel.formats.mpegts.packets import SIZE, SYNC, TICKS
from ouzel.formats.mpegts.psi import Stream, Tables
from ouzel.formats.mpegts.shaper import TsShaper
from ouzel.formats.mpegts.units import unit_at
from ouzel.formats.mpegts.weave import SoundUnit, Weaver
from ouzel.formats.shape import Container, Edge, Head, Op, SpanBuilder

_SNIFF = 4 * SIZE
_UNIT_LIMIT = 1 << 20


class TsPair:
    """Alternate audio: two shapers that write into one file.

    Each is fed and cut on its own, like any shaper, with these rules for the one who feeds them:

    * bytes of one chunk stay together: feed one shaper from its first byte to its Edge, then the other;
    * the sound of a stretch goes first. It is kept, and comes out of `main` between the pictures of its time, which is what
      players of a transport stream need. Sound that comes later than its pictures is still taken, with the next of them;
      where none follow in this file, cut `main` once more for it, and at the very end call `finish` before that: then
      sound that lasts longer than the pictures comes out, too;
    * after a gap call `splice` of the one that has it; after a discontinuity, of both. It is `main` that sets the clock: sound
      that belongs to no picture any more is left out.

    `extra` takes transport streams and packed audio. Its Edges have no bytes; their Spans take no time, stand where `main`
    has got to, and count the frames (PES packets, from a transport stream) that came.

    Args: `limit`: bytes of sound kept at most; the others as of `TsShaper`, for `main`.
    """

    def __init__(self, *, limit: int = 16 << 20, **options: Any) -> None:
        weaver = Weaver(limit)
        self._weaver = weaver
        self.main = TsShaper("segments", weaver=weaver, **options)
        self.extra = ExtraSound(self.main, weaver)

    def finish(self) -> None:
        """No more pictures will come: the next `cut` of `main` hands on all the sound that waits."""
        self._weaver.over = True


class ExtraSound:
    """The sound of a `TsPair`. Implements `ouzel.formats.shape.Shaper`, but hands on nothing."""

    container: Container = "ts"

    def __init__(self, main: TsShaper, weaver: Weaver) -> None:
        self._main = main
        self._weaver = weaver
        self._packed = SoundReader()
        self._streamed = _StreamedSound()
        self._first = bytearray()
        self._is_stream: bool | None = None
        self._units: list[SoundUnit] = []
        self._type: SoundType = AAC
        self._span = SpanBuilder()
        self._saved = self._packed.save()

    def feed(self, piece: memoryview) -> Iterator[Op]:
        """Take the next bytes. Raises: FormatError, TooLarge, Unsupported."""
        if self._is_stream is None:
            self._first += piece
            if len(self._first) >= _SNIFF:
                self._begin()
        else:
            self._take(piece)
        return iter(())

    def cut(self, *, broken: bool = False) -> Iterator[Op]:  # noqa: ARG002 - sound shows whether it is whole
        if self._is_stream is None and self._first:
            self._begin()
        span, torn = self._span, 0
        if self._is_stream:
            self._units += self._streamed.end()
            self._type = self._streamed.type
            torn, span.dropped_bytes = self._streamed.torn_bytes, self._streamed.dropped_bytes
        elif self._is_stream is not None:
            self._add(self._packed.end())
            torn, span.dropped_bytes = self._packed.torn_bytes, self._packed.garbage_bytes
            self._packed.garbage_bytes = 0
        span.damage = "truncated" if torn else "garbage" if span.dropped_bytes else ""
        span.dropped_bytes += torn
        if not self._units:
            self._restart_segment()
            return
        span.frames = span.frames or len(self._units)
        span.source_s = self._units[0].dts / TICKS
        span.independent = True
        span.dropped_bytes += self._weaver.dropped_bytes
        self._weaver.dropped_bytes = 0
        at = self._main.position_s
        yield Edge(span.build(at, at))
        self._weaver.add(self._type, self._units)
        self._saved = self._packed.save()
        self._restart_segment()

    def splice(self) -> None:
        self._packed.drop()
        self._restart_segment()

    def rollback(self) -> None:
        self._packed.restore(self._saved)
        self._restart_segment()

    def restart(self) -> Head:
        return self._main.restart()

    def _restart_segment(self) -> None:
        self._first.clear()
        self._is_stream = None
        self._units = []
        self._span = SpanBuilder()
        self._streamed.reset()

    def _begin(self) -> None:
        self._is_stream = SYNC in self._first[:1] or _looks_like_stream(self._first)
        first, self._first = self._first, bytearray()
        self._take(memoryview(first))

    def _take(self, piece: memoryview) -> None:
        if self._is_stream:
            self._units += self._streamed.push(piece)
        else:
            self._add(self._packed.push(piece))

    def _add(self, sounds: Iterator[Sound]) -> None:
        for sound in sounds:
            self._type = sound.type
            self._span.frames += sound.frames
            self._units.append(SoundUnit(sound.pts, bytearray(render_sound(sound, 0, 0, clock=False))))


def _looks_like_stream(data: bytearray) -> bool:
    """Whether garbage in front hides packets: three sync bytes at their distance."""
    return any(data[at] == data[at + SIZE] == data[at + 2 * SIZE] == SYNC for at in range(len(data) - 2 * SIZE))


class _StreamedSound:
    """The first sound track of a transport stream, unit by unit."""

    def __init__(self) -> None:
        self._framer = Framer(256 * 1024)
        self._tables = Tables()
        self._open: SoundUnit | None = None
        self.type: SoundType = AAC
        self.torn_bytes = 0
        self.dropped_bytes = 0

    def push(self, piece: memoryview) -> Iterator[SoundUnit]:
        """Yield the units that end in this piece. Raises: FormatError, Unsupported."""
        for block, headers in self._framer.push(piece):
            yield from self._read(block, headers)

    def end(self) -> Iterator[SoundUnit]:
        """Yield the last units."""
        for block, headers in self._framer.end():
            yield from self._read(block, headers)
        if self._open is not None:
            yield self._open
        self._open = None
        self.torn_bytes = self._framer.torn
        self.dropped_bytes = self._framer.dropped - self.torn_bytes
        self._framer.dropped = 0

    def reset(self) -> None:
        """Another segment begins; the tables stay known."""
        self._framer.reset(self._framer.spacing)
        self._framer.dropped = 0
        self._tables.forget_partials()
        self._open = None

    def _read(self, block: memoryview, headers: bytes) -> Iterator[SoundUnit]:
        for number in range(len(headers) // 4):
            pid = pid_at(headers, number)
            at = number * SIZE
            starts = headers[number * 4 + 1] & 0xC0 == 0x40
            if pid in self._tables.pids:
                if starts or pid in self._tables.waiting:
                    self._tables.look(block, at)
                continue
            stream = self._stream()
            if stream is None or pid != stream.pid:
                continue
            if starts and (unit := unit_at(block, at)) is not None and unit.dts is not None:
                if self._open is not None:
                    yield self._open
                self.type = SoundType(stream.codec, stream.type, stream.descriptors, 0)
                self._open = SoundUnit(unit.dts, bytearray())
            if self._open is not None and len(self._open.packets) < _UNIT_LIMIT:
                self._open.packets += block[at : at + SIZE]

    def _stream(self) -> Stream | None:
        program = self._tables.program
        return next((s for s in program.streams if s.kind == "audio"), None) if program else None


__all__ = ["ExtraSound", "TsPair"]
