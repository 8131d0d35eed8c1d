"""Another format of a closed file: made by ffmpeg without re-encoding, verified, and only then put in place.

    NAME.ts ──ffmpeg──▶ NAME.mp4.converting ──probe, compare──▶ line in NAME.ledger ──▶ NAME.mp4 ──▶ NAME.ts removed, if wished

Whatever fails or is interrupted before the last arrow leaves the original as it was.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import anyio
import anyio.from_thread
import anyio.to_thread

from ouzel.base.errors import BadOption, DiskFull, NotALedger, OutputExists, ToolFailed
from ouzel.engine import ledgers
from ouzel.engine.probe import probe
from ouzel.engine.recipes import Recipe, check_format, family, plan
from ouzel.engine.reserving import reserved
from ouzel.engine.sinks.file import CONVERTING, PART, storage_error, sync_folder
from ouzel.model import ledger
from ouzel.model.ledger import Ledger
from ouzel.model.ledger_lines import BYTES_CHANGED, Line, Product
from ouzel.model.media import Found
from ouzel.system.clock import Clock, SystemClock
from ouzel.system.ffmpeg import Ffmpeg, FfmpegFinder
from ouzel.system.process import NICE, run

_ROUNDING_S = 0.0005  # of times that ffmpeg is told, so that it stops before the packet and not behind it
_SLACK_S, _SLACK_SHARE = 0.5, 0.001
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
        False,
    )
    made = await work.take() if take_made else None
    return await make(work, keep_original=keep_original, made=made)


async def make(work: Work, *, keep_original: bool, made: Converted | None = None) -> Converted:
    """Do it, and remove the original where that is wished and wise. `made`: it was done before. Raises: as `convert`."""
    converted = made or await work.run()
    if keep_original or converted.is_damaged:
        return converted
    if not converted.readable:
        return replace(converted, warnings=(*converted.warnings, f"{work.source} is kept therefore"))
    await anyio.to_thread.run_sync(remove, work.source)
    return converted


def remove(original: Path) -> None:
    """Once there is a product of it. Raises: StorageError."""
    try:
        original.unlink(missing_ok=True)
        sync_folder(original.parent)
    except OSError as exc:
        raise storage_error(exc, original) from exc


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
    resume: bool

    async def take(self) -> Converted | None:
        """What is there already under this name, and was made of this source. None: nothing. Raises: as `run`."""
        if not await anyio.to_thread.run_sync(os.path.lexists, self.out):
            return None
        held = await anyio.to_thread.run_sync(ledgers.find, self.out)
        if held is not None:
            product, path = held.product, ledgers.ledger_path(self.source)
            if product is None or (held.ledger_path != path and held.opening.file != self.source.name):
                return None
            if await anyio.to_thread.run_sync(ledgers.digest, self.out) != product.digest:
                return None
            return Converted(self.out, product.size, product.duration_s, (), bool(product.damage))
        if await anyio.to_thread.run_sync(ledgers.find, self.source) is not None:
            return None  # a product of it would be told of
        found, made = await probe(self.source, nice=self.nice), await probe(self.out, nice=self.nice)
        try:
            compare(found, made, plan(found, self.target), None)
        except ToolFailed:
            return None
        return Converted(self.out, (await anyio.Path(self.out).stat()).st_size, made.media_s, ())

    async def run(self) -> Converted:
        if self.resume and (product := await anyio.to_thread.run_sync(self._made_before)) is not None:
            return await self._take(product)
        held = await anyio.to_thread.run_sync(self._check)
        damage, words = await anyio.to_thread.run_sync(self._damage, held) if held else ("", "")
        from ouzel.engine.modern import feeder  # and with it the readers of all formats

        fed_by = await anyio.to_thread.run_sync(feeder, self.source)
        found = await probe(self.source, on_progress=self._stage(1), nice=self.nice, fed_by=fed_by)
        recipe = await self._plan(found)
        if (
            held is None and await anyio.Path(self.out).exists()
        ):  # of a source without a ledger, so that only looking at it tells what it is
            made = await probe(self.out, nice=self.nice)
            warnings = self._compare(found, made, recipe, None)
            return Converted(self.out, (await anyio.Path(self.out).stat()).st_size, made.media_s, warnings)
        program = await self._program(recipe, fed=fed_by is not None)
        temporary = self.out.with_name(self.out.name + CONVERTING)
        async with reserved(temporary):
            warnings = await self._mux(program.path, found, recipe, temporary, fed_by)
            made = await probe(temporary, on_progress=self._stage(3), nice=self.nice)
            if self.piece is None:
                warnings += self._compare(found, made, recipe, None if damage else _told_whole(held))
            else:
                compare_piece(made, recipe, self.piece)
            size = await anyio.to_thread.run_sync(self._settle, temporary, made, held, damage)
        self.on_progress(1.0)
        if damage:
            warnings = (f"{self.source} {words}: so it is with {self.out.name}", *warnings)
        blind = await self._unread_by(recipe)
        warnings = (*warnings, *blind)
        return Converted(self.out, size, made.media_s, warnings, bool(damage), readable=not blind)

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

    def _made_before(self) -> Product | None:
        """What stands in the place of the product, and is what its ledger tells. Runs in a worker thread."""
        if not os.path.lexists(self.out) or (held := ledgers.find(self.out)) is None or held.product is None:
            return None
        product, size = held.product, held.media.stat().st_size
        if product.file != self.out.name or (product.size, product.digest) != (
            size,
            ledgers.digest(self.out, self._counter(0, size)),
        ):
            return None
        return product

    async def _take(self, product: Product) -> Converted:
        """Raises: OutputExists when it is of another kind."""
        if not self._is_wished(await probe(self.out, depth="header")):
            raise OutputExists(
                f"{self.out} exists already, and was made in another way; give another name or remove it"
            )
        self.on_progress(1.0)
        warnings = (f"{self.source} was not what its ledger says: so it is with {self.out.name}",)
        damaged = bool(product.damage)
        return Converted(self.out, product.size, product.duration_s, warnings if damaged else (), damaged)

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
        if not (self.resume and held is None):
            _refuse_existing(self.out)
        if held and (self.piece or path != held.ledger_path) and not (self.resume and _tells_of(path, held)):
            _refuse_existing(path)
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
        product = Product(self.clock.now(), self.out.name, self.target, size, made.media_s, digest, damage)
        try:
            _sync(temporary)
            if self.piece is not None:
                if self.piece.lines:
                    lines = (*self.piece.lines, product)
                    ledgers.create(ledgers.ledger_path(self.out), b"".join(ledger.render(line) for line in lines))
            elif held is not None:
                _write_down(held, self.out, product)
            _refuse_existing(self.out)
            temporary.rename(self.out)
            sync_folder(self.out.parent)
        except OSError as exc:
            raise storage_error(exc, self.out) from exc
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


def compare(source: Found, made: Found, recipe: Recipe, held: Ledger | None) -> None:
    """Whether a product holds what it was made of: the same streams, as many pictures, the same length.

    Raises: ToolFailed that says what differs.
    """
    compare_streams(made, recipe)
    pictures = [s.packets for s in made.streams if s.kind == "video"]
    wanted = [s.packets for s in recipe.streams if s.kind == "video"]
    if pictures != wanted:
        raise ToolFailed(f"the product has {pictures} pictures, its source {wanted}")
    compare_times("its source", made.media_s, replace(source, streams=[*recipe.streams]).media_s)
    leading = made.video or made.audio
    if held is not None and leading is not None and (leading.kind == "video" or source.video is None):
        compare_times("the ledger", leading.duration_s, held.media_s)


def _told_whole(held: ledgers.Held | None) -> Ledger | None:
    """The ledger, if it tells of all that is in its file."""
    if held is None or held.product is not None or held.ledger.closing is None or held.ledger.damaged:
        return None
    return None if held.opening.download else held.ledger  # that one says what the playlist has announced


def compare_piece(made: Found, recipe: Recipe, piece: Piece) -> None:
    """As `compare`, for a part of the source. Raises: ToolFailed."""
    compare_streams(made, recipe)
    leading = made.video or made.audio
    compare_times("the piece", leading.duration_s if leading else 0.0, piece.duration_s)


def compare_streams(made: Found, recipe: Recipe) -> None:
    codecs = sorted(s.codec for s in made.streams if s.kind in {"video", "audio"})
    if sorted(map(family, codecs)) != sorted(map(family, recipe.codecs)):
        raise ToolFailed(f"the product holds {', '.join(codecs)}, not {', '.join(sorted(recipe.codecs))}")
    if made.error:
        raise ToolFailed(f"the product cannot be read to its end: {made.error}")


def compare_times(other: str, made_s: float, other_s: float) -> None:
    if abs(made_s - other_s) > max(_SLACK_S, _SLACK_SHARE * other_s):
        raise ToolFailed(f"the product has {made_s:.3f} s, {other} {other_s:.3f} s")


def _write_down(held: ledgers.Held, out: Path, product: Product) -> None:
    """Beside its source a product shares its ledger; elsewhere it gets a copy, so that gaps and wall times are told there too."""
    path = ledgers.ledger_path(out)
    if path == held.ledger_path or path.exists():
        ledgers.append(path, [product])
    else:
        told = held.ledger_path.read_bytes()
        ledgers.create(path, told[: ledger.whole_length(told)] + ledger.render(product))


def _tells_of(path: Path, held: ledgers.Held) -> bool:
    """Whether the ledger at this path is a copy of that of the source: it was written for a product of it."""
    try:
        return ledger.read(ledgers.content(path)).opening == held.opening
    except (FileNotFoundError, NotALedger):
        return False


def _refuse_existing(*paths: Path) -> None:
    for path in paths:
        if os.path.lexists(path):
            raise OutputExists(f"{path} exists already; give another name or remove it")


def _sync(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())


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
