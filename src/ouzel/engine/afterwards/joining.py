"""One file of several that hold the same sort of streams: packets as they are, one file after the other; verified, put in place.

    NAME-001.mp4, NAME-002.mp4 ─look, compare─▶ NAME.mp4.converting ─probe─▶ NAME.ledger, whole ─▶ NAME.mp4

The originals are read, and no more: nobody can fetch again what a kill would take of a recording, so that there has to be room
for both, which is asked before anything is written.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import anyio.from_thread
import anyio.to_thread
import xxhash

from ouzel import __version__
from ouzel.base.errors import BadOption, DiskFull, MediaError, NotALedger, OutputExists, ToolFailed, Unsupported
from ouzel.base.units import format_size
from ouzel.engine import ledgers
from ouzel.engine.afterwards.alike import check_alike, compare_joined
from ouzel.engine.comparing import compare_times
from ouzel.engine.convert import NICE, OnProgress, ignore
from ouzel.engine.ledgers import Held
from ouzel.engine.modern import feeder
from ouzel.engine.probe import ask, probe
from ouzel.engine.products import is_whole, settle
from ouzel.engine.recipes import muxer_of
from ouzel.engine.reserving import reserved
from ouzel.engine.room import missing_bytes
from ouzel.engine.sinks.file import CONVERTING, PART
from ouzel.model import ledger
from ouzel.model.flow import Gap
from ouzel.model.joined import JoinedPart, joined_lines
from ouzel.model.ledger_lines import BYTES_CHANGED, Line, Product
from ouzel.model.media import Found
from ouzel.model.naming import part_name
from ouzel.system.clock import Clock

FORMATS = ("mp4", "mkv", "ts", "flv")
_MODULE = "ouzel.engine.afterwards.splicing"
_BESIDE = ".joined"
_SHARES = (0.0, 0.2, 0.4, 0.8, 0.95, 1.0)
"""Of the work: digests of the sources, a look at them, splicing, a look at what came of it, its digest."""


@dataclass(frozen=True, slots=True)
class Joined:
    """A file that was verified."""

    path: Path
    size: int
    duration_s: float
    gaps: int
    """Of which its ledger tells."""
    warnings: tuple[str, ...] = ()
    is_damaged: bool = False
    """One of the sources was not what its ledger says, and so nobody knows what this is."""
    found: Found | None = field(default=None, compare=False)
    """What is in it, where it was looked at now."""


def check_join(format_: str) -> None:
    """Raises: BadOption."""
    if format_ not in FORMATS:
        raise BadOption(f"files cannot be joined in {format_!r}; they can in {', '.join(FORMATS)}")


async def join_files(
    sources: Sequence[Path],
    format_: str,
    *,
    clock: Clock,
    part: int = 1,
    on_progress: OnProgress | None = None,
    nice: int = NICE,
) -> Joined:
    """Make one file of closed files, in this order. Asked for again after a kill, it takes the one that is there and whole.

    Args:
        sources: two at least, in one folder or several; what comes of them lies beside the first.
        part: number of the first one in its recording: its name loses that.
    Raises: BadOption, InputError; Unsupported that names the file which is of another sort than the first; OutputExists;
        ToolFailed when not all of them is in what came of them; DiskFull, MediaError, StorageError. The sources are untouched.
    """
    check_join(format_)
    work = _Work(tuple(sources), format_, part, clock, on_progress or ignore, nice)
    return await work.run()


@dataclass(frozen=True, slots=True)
class _Work:
    sources: tuple[Path, ...]
    format: str
    part: int
    clock: Clock
    on_progress: OnProgress
    nice: int

    async def run(self) -> Joined:
        helds = await anyio.to_thread.run_sync(self._helds)
        how = await anyio.to_thread.run_sync(self._how)
        out = await anyio.to_thread.run_sync(self._out, how)
        if (there := await anyio.to_thread.run_sync(self._there, out, how)) is not None:
            self.on_progress(1.0)
            return there
        damage = await anyio.to_thread.run_sync(self._damage, helds)
        founds = [await self._look(number) for number in range(len(self.sources))]
        for path, found in zip(self.sources, founds, strict=True):
            check_alike((self.sources[0], founds[0]), (path, found), self.format)
        if await anyio.Path(out).exists():  # no ledger tells of it: only a look at it says what it is
            return await self._like(out, founds)
        lasts = [_lasts_s(held, found) for held, found in zip(helds, founds, strict=True)]
        lines = self._lines(helds, lasts, out)
        async with reserved(temporary := out.with_name(out.name + CONVERTING)):
            await self._splice(temporary, lasts, out)
            made = await probe(temporary, on_progress=self._stage(3), nice=self.nice)
            compare_joined(made, founds, lasts)
            size = await anyio.to_thread.run_sync(self._settle, temporary, out, made, lines, how, damage)
        self.on_progress(1.0)
        gaps = sum(isinstance(line, Gap) for line in lines)
        return Joined(out, size, made.media_s, gaps, (*damage, *self._untold(helds)), bool(damage), made)

    # -- looking ------------------------------------------------------------------------------------------------------

    def _helds(self) -> list[Held | None]:
        """Ledgers of recordings; None: it has none, and nothing is told of it. Raises: InputError, NotALedger, StorageError."""
        helds: list[Held | None] = []
        for path in self.sources:
            ledgers.check_media(path)
            if path.name.endswith(PART):
                raise BadOption(f"{path} is not closed yet")
            held = ledgers.find(path)
            tells = held is not None and not held.opening.download and bool(held.ledger.chunks)
            helds.append(held if tells else None)
        return helds

    def _how(self) -> str:
        total = xxhash.xxh3_64()
        for path in self.sources:
            total.update(f"{path.name}\0{path.stat().st_size}\n".encode())
        return f"joined of {len(self.sources)} files, {total.hexdigest()}"

    def _out(self, how: str) -> Path:
        """The name of the first one without its number, where no other file has that. Raises: OutputExists, StorageError."""
        first = self.sources[0]
        stem = first.stem.removesuffix(part_name("", self.part, numbered=True))
        books = {ledgers.ledger_path(path) for path in self.sources}
        for name in (stem, stem + _BESIDE):
            path = first.with_name(f"{name}.{self.format}")
            book = ledgers.ledger_path(path)
            if path in self.sources or book in books:
                continue
            if _tells(book, path.name, how) or not (book.exists() or _has_others(path)):
                return path
        raise OutputExists(f"{first.with_name(stem)}.{self.format} exists already; give another name or remove it")

    def _there(self, out: Path, how: str) -> Joined | None:
        if not out.exists() or (held := ledgers.find(out)) is None or held.product is None:
            return None
        if not is_whole(held, how, lambda _count: anyio.from_thread.check_cancelled()):
            raise OutputExists(f"{out} exists already, and is not what its ledger says; remove it")
        made, gaps = held.product, len(held.ledger.gaps)
        words = (f"one of the files that {out.name} was joined of was not what its ledger says",) if made.damage else ()
        return Joined(out, made.size, made.duration_s, gaps, words, bool(made.damage))

    def _damage(self, helds: Sequence[Held | None]) -> tuple[str, ...]:
        """What is wrong with sources, so that what comes of them does not pass for whole."""
        total = sum(path.stat().st_size for path in self.sources) or 1
        tell, done, words = self._stage(0), 0, list[str]()

        def on_bytes(count: int) -> None:
            nonlocal done
            done += count
            anyio.from_thread.check_cancelled()
            anyio.from_thread.run_sync(tell, min(1.0, done / total))

        for path, held in zip(self.sources, helds, strict=True):
            if held is None:
                continue
            if what := ledgers.what_is_wrong(held, on_bytes):
                words.append(f"{path} {what}")
            elif held.product is not None and held.product.damage:
                words.append(f"{path} was made of a file that was not what its ledger says")
        return tuple(words)

    async def _look(self, number: int) -> Found:
        path, of = self.sources[number], len(self.sources)
        if await anyio.to_thread.run_sync(feeder, path) is not None:
            raise Unsupported(
                f"{path} has to be put into another container before it can be joined: the step remux does"
            )
        tell = self._stage(1)
        found = await probe(path, on_progress=lambda share: tell((number + share) / of), nice=self.nice)
        if found.error:
            raise Unsupported(f"{path} cannot be read to its end, and so not be joined: {found.error}")
        return found

    def _lines(self, helds: Sequence[Held | None], lasts: Sequence[float], out: Path) -> list[Line]:
        """Of the ledger; none where one of the sources has none."""
        whole = [held for held in helds if held is not None]
        if len(whole) < len(helds):
            return []
        first = whole[0].opening
        ending = ledgers.ledger_path(out).with_suffix(Path(first.file).suffix).name
        opening = replace(first, file=ending, part=1, software=f"ouzel {__version__}")
        return joined_lines([JoinedPart(held.ledger, s) for held, s in zip(whole, lasts, strict=True)], opening)

    def _untold(self, helds: Sequence[Held | None]) -> tuple[str, ...]:
        untold = [path.name for path, held in zip(self.sources, helds, strict=True) if held is None]
        return (f"{untold[0]} has no ledger of a recording: nothing tells what is missing",) if untold else ()

    # -- making -------------------------------------------------------------------------------------------------------

    async def _splice(self, temporary: Path, lasts: Sequence[float], out: Path) -> None:
        short = await anyio.to_thread.run_sync(missing_bytes, out.parent, self.sources)
        if short:
            raise DiskFull(
                f"there is no room for {out} beside what it is joined of: {format_size(short)} more", path=str(out)
            )
        begins = [round(sum(lasts[:number]), 6) for number in range(len(lasts))]
        plan = {
            "out": str(temporary),
            "muxer": muxer_of(self.format),
            "options": {"movflags": "+faststart"} if self.format == "mp4" else {},
        }
        places = zip(begins, self.sources, strict=True)
        args = [json.dumps(plan), *(word for begin_s, path in places for word in (str(begin_s), str(path)))]
        try:
            await ask(_MODULE, args, out, self._stage(2), self.nice)
        except MediaError as exc:
            if "No space left on device" in str(exc):
                raise DiskFull(f"no space left for {out}", path=str(out)) from exc
            raise

    def _settle(
        self, temporary: Path, out: Path, made: Found, lines: list[Line], how: str, damage: tuple[str, ...]
    ) -> int:
        size = temporary.stat().st_size
        harm = BYTES_CHANGED if damage else ""
        digest = ledgers.digest(temporary, lambda _count: anyio.from_thread.check_cancelled())
        product = Product(self.clock.now(), out.name, self.format, size, made.media_s, digest, harm, how=how)

        def tell() -> None:
            if lines:
                told = b"".join(ledger.render(line) for line in (*lines, product))
                ledgers.create(ledgers.ledger_path(out), told)

        settle(temporary, out, tell)
        return size

    async def _like(self, out: Path, founds: Sequence[Found]) -> Joined:
        """Raises: OutputExists: it is another one."""
        made = await probe(out, nice=self.nice)
        try:
            compare_joined(made, founds, [found.media_s for found in founds])
        except ToolFailed as exc:
            raise OutputExists(f"{out} exists already; give another name or remove it") from exc
        self.on_progress(1.0)
        return Joined(out, (await anyio.Path(out).stat()).st_size, made.media_s, 0)

    def _stage(self, number: int) -> OnProgress:
        start, end = _SHARES[number : number + 2]
        return lambda share: self.on_progress(start + (end - start) * share)


def _tells(book: Path, name: str, how: str) -> bool:
    """Whether this is the ledger of what was joined of the same files. Raises: StorageError."""
    try:
        made = ledger.read(ledgers.content(book)).product(name)
    except (FileNotFoundError, NotALedger):
        return False
    return made is not None and made.how == how


def _has_others(path: Path) -> bool:
    """Whether another file has this name, but for its ending."""
    return any(path.with_suffix(f".{each}").exists() for each in FORMATS if f".{each}" != path.suffix)


def _lasts_s(held: Held | None, found: Found) -> float:
    """How long a file is in the joined one: until its last stream ends, and not shorter than its ledger says."""
    told_s = held.ledger.media_s if held is not None else 0.0
    if held is not None:
        leading = found.video or found.audio
        compare_times("its ledger", leading.duration_s if leading else 0.0, told_s)
    return round(max(found.media_s, told_s), 6)
