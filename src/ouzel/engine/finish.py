"""Closing files off the event loop, and making the format that was asked for."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path

import anyio
import anyio.to_thread
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream

from ouzel.base.errors import OuzelError, ToolMissing
from ouzel.engine.parts import Part
from ouzel.engine.sinks.file import storage_error
from ouzel.engine.tape import Tape
from ouzel.formats.shape import Container
from ouzel.model import ledger
from ouzel.model.events import EventCode
from ouzel.model.report import FileReport
from ouzel.system.ffmpeg import FfmpegFinder

ENDINGS: dict[Container, str] = {"ts": "ts", "mp4": "mp4", "flv": "flv"}
_TEST_S = 3.0
"""The test of a program takes a tenth of a second. What is on air does not wait for one that answers no more."""


@dataclass(frozen=True, slots=True)
class FormatWish:
    """What the user wants to have in the end. None: the stream's own container, as it came."""

    format: str | None = None
    keep_original: bool = False

    def converts(self, container: Container) -> bool:
        """Whether a file that comes in this container has to be converted."""
        return self.format not in (None, ENDINGS[container])


async def why_not_made(wish: FormatWish, ffmpeg: FfmpegFinder) -> ToolMissing | None:
    """To be asked before anything is recorded: why the format that is wished for could not be made of a stream in another.

    Returns: None when it can, when none is wished for, and when that takes long to find out.
    """
    if wish.format is None:
        return None
    with anyio.move_on_after(_TEST_S):
        try:
            await ffmpeg.find()
        except ToolMissing as exc:
            return exc
    return None


class Finisher:
    """Closes the tape's sinks in the order in which they were filled; other formats are made beside that, one after the other.

    Args:
        turns: how many conversions may run at once, for all recordings together.
    """

    def __init__(self, tape: Tape, wish: FormatWish, ffmpeg: FfmpegFinder, turns: anyio.CapacityLimiter) -> None:
        self.files: list[FileReport] = []
        self._tape = tape
        self._wish = wish
        self._ffmpeg = ffmpeg
        self._turns = turns
        self._wake = anyio.Event()
        self._last = False
        self._done = anyio.Event()
        self._until = math.inf
        self._conversion: anyio.CancelScope | None = None
        tape.on_closed = self._nudge

    async def run(self) -> None:
        """Serve until `drain`, also when everything around is cancelled: a file that is not closed is a file lost."""
        try:
            with anyio.CancelScope(shield=True):
                async with anyio.create_task_group() as tg:
                    numbers_in, numbers = anyio.create_memory_object_stream[int](math.inf)  # one for each file
                    tg.start_soon(self._convert_each, numbers)
                    async with numbers_in:
                        await self._close_each(numbers_in)
        finally:
            self._done.set()

    async def drain(self) -> None:
        """All sinks are in: return when the last one is closed."""
        self._last = True
        self._nudge()
        await self._done.wait()

    def hurry(self, within_s: float) -> None:
        """The user wants to go: files are closed all the same, but other formats are made for so long at most."""
        self._until = min(self._until, anyio.current_time() + within_s)
        if self._conversion is not None:
            self._conversion.deadline = self._until

    def _nudge(self) -> None:
        self._wake.set()

    async def _close_each(self, to_convert: MemoryObjectSendStream[int]) -> None:
        while True:
            while self._tape.closed:
                await self._finish(self._tape.closed.pop(0), to_convert)
            if self._last:
                return
            await self._wake.wait()
            self._wake = anyio.Event()

    async def _finish(self, closed: Part, to_convert: MemoryObjectSendStream[int]) -> None:
        sink = closed.sink
        if closed.lost:
            await anyio.to_thread.run_sync(
                sink.release
            )  # now its room is free again, which takes a large one some time
            return
        try:
            path, size = await anyio.to_thread.run_sync(self._close, closed)
        except OuzelError as exc:
            if not sink.is_there():
                self._tape.look(closed)
                return
            self._tape.emit(EventCode.WARNING, code=exc.code, why=f"{sink.part_path} could not be closed: {exc}")
            self._add(closed, sink.part_path, sink.size, str(exc))
            return
        self._tape.emit(EventCode.FILE_CLOSED, path=str(path), bytes=size, media_s=round(sink.media_s, 3))
        self._add(closed, path, size)
        if self._wish.converts(sink.container):
            to_convert.send_nowait(len(self.files) - 1)

    def _close(self, closed: Part) -> tuple[Path, int]:
        from ouzel.engine.closing import closing_patches  # and with it the readers of all formats

        sink = closed.sink
        try:
            held = ledger.read(sink.ledger_path.read_bytes())
            patches, tail = closing_patches(sink.part_path, held)
            path = sink.close(closed.reason.value, self._tape.wall(), patches, tail)
            return path, path.stat().st_size
        except OSError as exc:
            raise storage_error(exc, sink.part_path) from exc
        finally:
            sink.release()

    async def _convert_each(self, numbers: MemoryObjectReceiveStream[int]) -> None:
        async with numbers:
            async for number in numbers:
                with anyio.CancelScope(deadline=self._until) as self._conversion:
                    await self._convert(number)
                if self._conversion.cancelled_caught:
                    self._stays(number, "stopped", f"there was no time left to make {self._wish.format} of it")
                self._conversion = None

    async def _convert(self, number: int) -> None:
        from ouzel.engine.convert import convert

        native, wish = self.files[number], self._wish
        assert wish.format is not None
        try:
            async with self._turns:
                path, keep = Path(native.path), wish.keep_original
                product = await convert(path, wish.format, keep_original=keep, ffmpeg=self._ffmpeg)
        except OuzelError as exc:
            self._stays(number, exc.code, str(exc))
            return
        for words in product.warnings:
            self._tape.emit(EventCode.WARNING, code="ffmpeg", why=words)
        self._tape.emit(EventCode.CONVERTED, path=str(product.path), bytes=product.size)
        if not (product.readable or keep):
            self.files[number] = replace(
                native, error=f"{product.path} was made, but the ffmpeg at hand cannot read it"
            )
            return
        self.files[number] = replace(native, path=str(product.path), format=wish.format, bytes=product.size)

    def _stays(self, number: int, code: str, why: str) -> None:
        """A file is not in the format that was asked for, but it is there and whole."""
        native = self.files[number]
        words = f"{native.path} stays as it is: {why}"
        self._tape.emit(EventCode.WARNING, code=code, why=words, path=native.path, format=self._wish.format, reason=why)
        self.files[number] = replace(native, error=why)

    def _add(self, closed: Part, path: Path, size: int, error: str = "") -> None:
        sink, ending = closed.sink, ENDINGS[closed.sink.container]
        counts = sink.gaps, sink.damaged_chunks
        self.files.append(FileReport(str(path), str(sink.ledger_path), ending, size, sink.media_s, *counts, error))
