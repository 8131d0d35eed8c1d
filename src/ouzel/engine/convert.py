"""Another format of a closed file: made by ffmpeg without re-encoding, verified, and only then put in place.

    NAME.ts ──ffmpeg──▶ NAME.mp4.converting ──probe, compare──▶ line in NAME.ledger ──▶ NAME.mp4 ──▶ NAME.ts removed, if wished

Whatever fails or is interrupted before the last arrow leaves the original as it was.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import anyio
import anyio.from_thread
import anyio.to_thread

from ouzel.base.errors import BadOption, DiskFull, OutputExists, ToolFailed
from ouzel.engine import ledgers
from ouzel.engine.comparing import compare, compare_piece, told_whole
from ouzel.engine.probe import probe
from ouzel.engine.products import is_whole, remove, settle, tells_of, write_down
from ouzel.engine.recipes import Recipe, check_format, plan
from ouzel.engine.reserving import reserved
from ouzel.engine.sinks.file import CONVERTING, PART
from ouzel.engine.sinks.lines import refuse_existing
from ouzel.model import ledger
from ouzel.model.ledger import Ledger
from ouzel.model.ledger_lines import BYTES_CHANGED, Line, Product
from ouzel.model.media import Found
from ouzel.system.clock import Clock, SystemClock
from ouzel.system.ffmpeg import Ffmpeg, FfmpegFinder
from ouzel.system.process import NICE, run

_ROUNDING_S = 0.0005  # of times that ffmpeg is told, so that it stops before the packet and not behind it
_MAX_WARNINGS = 20
_QUIET = {"SVT_LOG": "1"}  # SVT-AV1 tells the world of itself, otherwise
_ABOUT_NAME = "extension is not .m4a"  # true of the unfinished product only
_SHARES = (0.05, 0.15, 0.7, 0.9, 1.0)  # of the work: digests of the source, a look at it, muxing, product, its digest

OnProgress = Callable[[float], None]


@dataclass(frozen=True, slots=True)
class Converted:
    """A product that was verified."""

    path: Path
    size: int
    duration_s: float
    warnings: tuple[str, ...]
    """What ffmpeg had to complain about, that the source is damaged, and that the ffmpeg at hand cannot read the product;
    normally nothing."""
    is_damaged: bool = False
    """The source was not what its ledger says, and so nobody knows what the product is."""
    readable: bool = True
    """False: it was made, and verified, by a newer FFmpeg than the one that is found first."""
    found: Found | None = field(default=None, compare=False)
    """What is in it, where it was looked at now."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of the source, between key frames. Seconds from its start."""

    seek_s: float
    """The piece begins with the first key frame at or after this, and with the sound from here on. 0: with all there is."""
    cut_s: float | None
    """Where ffmpeg is to stop; None: at the end of the file."""
    duration_s: float
    lines: tuple[Line, ...] = ()
    """What the ledger of the product begins with; it gets none without."""


async def convert(
    source: Path,
    target: str,
    *,
    out: Path | None = None,
    keep_original: bool = True,
    ffmpeg: FfmpegFinder | None = None,
    clock: Clock | None = None,
    on_progress: OnProgress | None = None,
    nice: int = NICE,
    piece: Piece | None = None,
    take_made: bool = False,
) -> Converted:
    """Make another format of a closed file.

    Args:
        target: ts, mkv, mp4, flv, mp3 or m4a; the last two keep sound only.
        out: the product; beside the source, with the format as its ending, when None. Must not exist. Elsewhere it gets a ledger
            of its own, so that its gaps are told there too.
        keep_original: False: remove the source once the product is verified. Its ledger stays always, and describes the product.
            A source that is not what its ledger says is never removed, nor one whose product is not `readable`.
        on_progress: told the share that is done, 0 to 1.
        piece: only this part of it.
        take_made: what an earlier call has made of it under this name is the product, if it is what was verified then; else it
            is in the way.
    Raises: InputError, ToolMissing, ToolFailed when ffmpeg fails or the product does not hold what the source holds,
        MediaError, StorageError. The source is then untouched, and there is no product.
    """
    out = out or source.with_suffix(f".{target}")
    work = Work(
        source,
        target,
        out,
        ffmpeg or FfmpegFinder(),
        clock or SystemClock(),
        on_progress or ignore,
        nice,
        piece,
        take_made,
    )
    return await make(work, keep_original=keep_original)


async def make(work: Work, *, keep_original: bool) -> Converted:
    """Do it, and remove the original where that is wished and wise. Raises: as `convert`."""
    converted = await work.run()
    if keep_original or converted.is_damaged:
        return converted
    if not converted.readable:
        return replace(converted, warnings=(*converted.warnings, f"{work.source} is kept therefore"))
    await anyio.to_thread.run_sync(remove, work.source)
    return converted


@dataclass(frozen=True, slots=True)
class Work:
    """From a source to its product. Another way of making one says so in `_plan`, `_compare` and `_is_wished`."""

    source: Path
    target: str
    out: Path
    ffmpeg: FfmpegFinder
    clock: Clock
    on_progress: OnProgress
    nice: int
    piece: Piece | None
    take_made: bool
    """What an earlier call has made under this name is the product, if it is what was verified then."""

    async def run(self) -> Converted:
        """Raises: as `convert`."""
        if self.take_made and (there := await self._take()) is not None:
            self.on_progress(1.0)
            return there
        held = await anyio.to_thread.run_sync(self._check)
        damage, words = await anyio.to_thread.run_sync(self._damage, held) if held else ("", "")
        fed_by = await self._feeder()
        found = await probe(self.source, on_progress=self._stage(1), nice=self.nice, fed_by=fed_by)
        recipe = await self._plan(found)
        program = await self._program(recipe, fed=fed_by is not None)
        temporary = self.out.with_name(self.out.name + CONVERTING)
        async with reserved(temporary):
            warnings = await self._mux(program.path, found, recipe, temporary, fed_by)
            made = await probe(temporary, on_progress=self._stage(3), nice=self.nice)
            if self.piece is None:
                warnings += self._compare(found, made, recipe, None if damage else told_whole(held))
            else:
                compare_piece(made, recipe, self.piece.duration_s)
            size = await anyio.to_thread.run_sync(self._settle, temporary, made, held, damage)
        self.on_progress(1.0)
        if damage:
            warnings = (f"{self.source} {words}: so it is with {self.out.name}", *warnings)
        blind = await self._unread_by(recipe)
        warnings = (*warnings, *blind)
        return Converted(self.out, size, made.media_s, warnings, bool(damage), readable=not blind, found=made)

    @property
    def _how(self) -> str:
        """What is done besides putting it into another container, as the ledger has it."""
        return ""

    def _check_target(self) -> None:
        """Raises: BadOption."""
        check_format(self.target)

    async def _plan(self, found: Found) -> Recipe:
        """How it is made of this. Raises: Unsupported, ToolMissing."""
        return plan(found, self.target)

    async def _program(self, recipe: Recipe, *, fed: bool) -> Ffmpeg:
        """Raises: ToolMissing."""
        return await self.ffmpeg.find({*recipe.need, "enhanced_flv"} if fed else recipe.need)

    def _before_input(self) -> tuple[str, ...]:
        """Options for the whole of ffmpeg."""
        return ()

    def _compare(self, source: Found, made: Found, recipe: Recipe, held: Ledger | None) -> tuple[str, ...]:
        """Returns: what there is to be said of a product that holds what it should. Raises: ToolFailed when it does not."""
        compare(source, made, recipe, held)
        return ()

    def _is_wished(self, made: Found) -> bool:
        """Whether a product that was made before is of the kind that is wanted now; its format is."""
        return bool(made.streams)

    async def _take(self) -> Converted | None:
        """What is there already under this name, and was made of this source in this way.

        Returns: None: nothing is, or it is not what was verified then, and so in the way. Raises: OutputExists, MediaError,
            StorageError.
        """
        if not await anyio.to_thread.run_sync(os.path.lexists, self.out):
            return None
        held = await anyio.to_thread.run_sync(ledgers.find, self.out)
        if held is None:
            return await self._take_like()
        product = held.product
        if product is None or not await anyio.to_thread.run_sync(self._is_of_source, held):
            return None
        if product.how != self._how:
            words = "exists already, and was made in another way; give another name or remove it"
            raise OutputExists(f"{self.out} {words}")
        if not await anyio.to_thread.run_sync(is_whole, held, self._how, self._counter(0, product.size)):
            return None
        warnings = (f"{self.source} was not what its ledger says: so it is with {self.out.name}",)
        damaged = bool(product.damage)
        return Converted(self.out, product.size, product.duration_s, warnings if damaged else (), damaged)

    async def _take_like(self) -> Converted | None:
        """Of a source without a ledger, so that only looking at both tells what it is."""
        if await anyio.to_thread.run_sync(ledgers.find, self.source) is not None:
            return None  # a product of it would be told of
        fed_by = await self._feeder()
        found, made = (
            await probe(self.source, nice=self.nice, fed_by=fed_by),
            await probe(self.out, nice=self.nice),
        )
        recipe = await self._plan(found)
        try:
            warnings = self._compare(found, made, recipe, None)
        except ToolFailed:
            return None
        if not self._is_wished(made):
            return None
        return Converted(self.out, (await anyio.Path(self.out).stat()).st_size, made.media_s, warnings)

    def _is_of_source(self, held: ledgers.Held) -> bool:
        path = ledgers.ledger_path(self.source)
        return held.ledger_path == path or held.opening.file == self.source.name or tells_of(path, held)

    async def _feeder(self) -> list[str] | None:
        """What reads the source for ffmpeg."""
        from ouzel.engine.modern import feeder  # and with it the readers of all formats

        return await anyio.to_thread.run_sync(feeder, self.source)

    async def _unread_by(self, recipe: Recipe) -> tuple[str, ...]:
        """The program that made it may be another than the one that a user's players and tools rest on."""
        if "enhanced_flv" not in recipe.need or (first := await self.ffmpeg.find()).enhanced_flv:
            return ()
        return (
            f"{first.path} ({first.version}) cannot read {recipe.streams[0].codec} in FLV; FFmpeg 6.1 and newer can",
        )

    def _check(self) -> ledgers.Held | None:
        """The ledger of the source, if it has one. Raises: InputError when the names are not right."""
        self._check_target()
        ledgers.check_media(self.source)
        if self.source.name.endswith(PART):
            raise BadOption(f"{self.source} is not closed yet")
        held = ledgers.find(self.source)
        path = ledgers.ledger_path(self.out)
        refuse_existing(self.out)
        if held and (self.piece or path != held.ledger_path) and not (self.take_made and tells_of(path, held)):
            refuse_existing(path)
        return held

    def _damage(self, held: ledgers.Held) -> tuple[str, str]:
        """What is wrong with the source, so that its product does not pass for whole: code, and words that follow its name.

        Runs in a worker thread.
        """
        if words := ledgers.what_is_wrong(held, self._counter(0, held.media.stat().st_size)):
            return BYTES_CHANGED, words
        before = held.product.damage if held.product else ""
        return before, "was made of a file that was not what its ledger says" if before else ""

    async def _mux(
        self, program: str, found: Found, recipe: Recipe, temporary: Path, fed_by: list[str] | None
    ) -> tuple[str, ...]:
        tell = self._stage(2)

        def on_line(line: str) -> None:
            name, _, value = line.partition("=")
            if name == "out_time_us" and value.strip().isdigit() and found.media_s:
                tell(min(1.0, int(value) / 1e6 / found.media_s))

        args = [program, "-nostdin", "-hide_banner", "-nostats", "-loglevel", "level+warning", "-progress", "pipe:1"]
        args += self._before_input()
        source = ["-f", "flv", "-i", "pipe:0"] if fed_by else ["-i", f"file:{self.source}"]
        args += ["-protocol_whitelist", "pipe" if fed_by else "file", *_span(self.piece), *source]
        args += [*recipe.options, *_exact(self.piece), "-f", recipe.muxer, "-y", f"file:{temporary}"]
        try:
            result = await run(args, fed_by=fed_by, on_line=on_line, nice=self.nice, env=_QUIET)
        except ToolFailed as exc:
            if "No space left on device" in str(exc.context.get("errors")):
                raise DiskFull(f"no space left for {self.out}", path=str(self.out)) from exc
            raise
        return _warnings(result.errors)

    def _settle(self, temporary: Path, made: Found, held: ledgers.Held | None, damage: str) -> int:
        """The product is good: write it down, make it last, give it its name. Returns its size. Runs in a worker thread."""
        size = temporary.stat().st_size
        digest = ledgers.digest(temporary, self._counter(4, size))
        product = Product(
            self.clock.now(), self.out.name, self.target, size, made.media_s, digest, damage, how=self._how
        )

        def tell() -> None:
            if self.piece is not None:
                if self.piece.lines:
                    lines = (*self.piece.lines, product)
                    ledgers.create(ledgers.ledger_path(self.out), b"".join(ledger.render(line) for line in lines))
            elif held is not None:
                write_down(held, self.out, product)

        settle(temporary, self.out, tell)
        return size

    def _counter(self, number: int, size: int) -> ledgers.OnBytes:
        """Tells of a stage that reads so many bytes in a worker thread, and ends it when it is cancelled."""
        tell, done = self._stage(number), 0

        def on_bytes(count: int) -> None:
            nonlocal done
            done += count
            anyio.from_thread.check_cancelled()
            anyio.from_thread.run_sync(tell, min(1.0, done / size))

        return on_bytes

    def _stage(self, number: int) -> OnProgress:
        start, end = (0.0, *_SHARES)[number : number + 2]
        return lambda share: self.on_progress(start + (end - start) * share)


def _span(piece: Piece | None) -> list[str]:
    """Options for the input."""
    if piece is None:
        return []
    start = ["-ss", f"{piece.seek_s:.6f}"] if piece.seek_s else []
    end = [] if piece.cut_s is None else ["-t", f"{piece.cut_s - piece.seek_s - _ROUNDING_S:.6f}"]
    return [*start, *end]


def _exact(piece: Piece | None) -> list[str]:
    """Options for the output: a search lands at a key frame before the place, and what comes before the place is left out."""
    return ["-copypriorss", "0"] if piece is not None and piece.seek_s else []


def _warnings(errors: str) -> tuple[str, ...]:
    """What ffmpeg said, each thing once, without the addresses of its objects."""
    lines = dict.fromkeys(re.sub(r"\[(\w+) @ 0x[0-9a-f]+\]", r"[\1]", line).strip() for line in errors.splitlines())
    return tuple(line for line in lines if line and _ABOUT_NAME not in line)[:_MAX_WARNINGS]


def ignore(_share: float) -> None:
    pass
