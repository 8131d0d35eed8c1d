"""The shaper for packed audio: it becomes a transport stream, which then goes the way of all others."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from ouzel.formats.mpegts.pack import Sound, SoundMuxer, SoundReader
from ouzel.formats.mpegts.shaper import TsShaper
from ouzel.formats.shape import Container, Edge, Head, Op


class AudioPacker:
    """Implements `ouzel.formats.shape.Shaper` for segments of AAC (ADTS), MP3, AC-3 and E-AC-3 frames.

    What comes out is a transport stream with one sound track.

    Args: as of `TsShaper`, which does the rest.
    """

    container: Container = "ts"

    def __init__(self, *, search_limit: int = 256 * 1024, **options: Any) -> None:
        self._inner = TsShaper("segments", **options)
        self._reader = SoundReader(search_limit)
        self._muxer = SoundMuxer()
        self._saved = (self._reader.save(), self._muxer.save())

    def feed(self, piece: memoryview) -> Iterator[Op]:
        """Take the next bytes. Raises: FormatError, TooLarge."""
        yield from self._mux(self._reader.push(piece))

    def cut(self, *, broken: bool = False) -> Iterator[Op]:
        yield from self._mux(self._reader.end())
        if self._reader.torn_bytes:
            self._inner.blame("" if broken else "truncated", self._reader.torn_bytes)
        for op in self._inner.cut(broken=broken):
            yield op
            if isinstance(op, Edge):
                self._save()
        self._muxer.begin_segment()

    def splice(self) -> None:
        self._reader.drop()
        self._muxer.begin_segment()
        self._inner.splice()
        self._save()

    def rollback(self) -> None:
        clock, counters = self._saved
        self._reader.restore(clock)
        self._muxer.restore(counters)
        self._inner.rollback()

    def restart(self) -> Head:
        return self._inner.restart()

    def _mux(self, sounds: Iterable[Sound]) -> Iterator[Op]:
        for sound in sounds:
            yield from self._inner.feed(memoryview(self._muxer.render(sound)))
        if self._reader.garbage_bytes:
            self._inner.blame("garbage", self._reader.garbage_bytes)
            self._reader.garbage_bytes = 0

    def _save(self) -> None:
        self._saved = (self._reader.save(), self._muxer.save())
