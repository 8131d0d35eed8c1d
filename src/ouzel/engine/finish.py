"""Closing files off the event loop, and making the format that was asked for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import anyio
import anyio.to_thread

from ouzel.base.errors import OuzelError
from ouzel.engine.closing import closing_patches
from ouzel.engine.convert import convert
from ouzel.engine.sinks.file import FileSink
from ouzel.engine.tape import ClosedSink, Tape
from ouzel.formats.shape import Container
from ouzel.model import ledger
from ouzel.model.events import EventCode
from ouzel.model.report import FileReport
from ouzel.system.ffmpeg import FfmpegFinder

ENDINGS: dict[Container, str] = {"ts": "ts", "mp4": "mp4", "flv": "flv"}


@dataclass(frozen=True, slots=True)
class FormatWish:
    """What the user wants to have in the end. None: the stream's own container, as it came."""

    format: str | None = None
    keep_original: bool = False


class Finisher:
    """Closes the tape's sinks one after the other, in the order in which they were filled."""

    def __init__(self, tape: Tape, wish: FormatWish, ffmpeg: FfmpegFinder) -> None:
        self.files: list[FileReport] = []
        self._tape = tape
        self._wish = wish
        self._ffmpeg = ffmpeg
        self._wake = anyio.Event()
        self._last = False
        self._done = anyio.Event()
        tape.on_closed = self._nudge

    async def run(self) -> None:
        """Serve until `drain`, also when everything around is cancelled: a file that is not closed is a file lost."""
        with anyio.CancelScope(shield=True):
            while True:
                while self._tape.closed:
                    await self._finish(self._tape.closed.pop(0))
                if self._last:
                    self._done.set()
                    return
                await self._wake.wait()
                self._wake = anyio.Event()

    async def drain(self) -> None:
        """All sinks are in: return when the last one is closed."""
        self._last = True
        self._nudge()
        await self._done.wait()

    def _nudge(self) -> None:
        self._wake.set()

    async def _finish(self, closed: ClosedSink) -> None:
        sink = closed.sink
        if not sink.chunks:
            await anyio.to_thread.run_sync(sink.discard)
            return
        try:
            path, size = await anyio.to_thread.run_sync(self._close, closed)
        except OuzelError as exc:
            self._tape.emit(EventCode.WARNING, code=exc.code, why=f"{sink.part_path} could not be closed: {exc}")
            self._add(sink, sink.part_path, sink.size, len(closed.gaps), str(exc))
            return
        self._tape.emit(EventCode.FILE_CLOSED, path=str(path), bytes=size, media_s=round(sink.media_s, 3))
        await self._convert(sink, path, size, len(closed.gaps))

    def _close(self, closed: ClosedSink) -> tuple[Path, int]:
        sink = closed.sink
        patches, tail = closing_patches(sink.part_path, ledger.read(sink.ledger_path.read_bytes()))
        path = sink.close(closed.reason.value, self._tape.wall(), patches, tail)
        return path, path.stat().st_size

    async def _convert(self, sink: FileSink, path: Path, size: int, gaps: int) -> None:
        wish = self._wish.format
        if wish is None or wish == ENDINGS[sink.container]:
            self._add(sink, path, size, gaps)
            return
        try:
            product = await convert(path, wish, keep_original=self._wish.keep_original, ffmpeg=self._ffmpeg)
        except OuzelError as exc:
            self._tape.emit(EventCode.WARNING, code=exc.code, why=f"{path} stays as it is: {exc}")
            self._add(sink, path, size, gaps, str(exc))
            return
        for words in product.warnings:
            self._tape.emit(EventCode.WARNING, code="ffmpeg", why=words)
        self._tape.emit(EventCode.CONVERTED, path=str(product.path), bytes=product.size)
        self._add(sink, product.path, product.size, gaps)

    def _add(self, sink: FileSink, path: Path, size: int, gaps: int, error: str = "") -> None:
        ending = path.suffix.lstrip(".")
        self.files.append(FileReport(str(path), str(sink.ledger_path), ending, size, sink.media_s, gaps, error))
