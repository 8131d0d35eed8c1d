"""From tracks to the file: one product, made by ffmpeg without re-encoding.

tracks ─▶ those with a broken clock are re-stamped ─▶ ffmpeg ─▶ probed ─▶ NAME.mp4 ─▶ the tracks go
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import anyio
import anyio.to_thread

from ouzel.base.errors import Unsupported
from ouzel.engine import ledgers
from ouzel.engine.convert import convert
from ouzel.engine.download.home import clear_beginning, product_of
from ouzel.engine.download.mux import Joined, Mux, Track, fits, holds, remove
from ouzel.engine.download.restamp import is_restamped, restamp
from ouzel.engine.download.spend import FIFO, is_tight
from ouzel.engine.probe import probe
from ouzel.engine.sinks.file import LEDGER, PART, storage_error, sync_folder
from ouzel.engine.sinks.lines import refuse_existing
from ouzel.system.clock import Clock
from ouzel.system.ffmpeg import FfmpegFinder

_RESTAMPED = ".one-clock"

__all__ = ["Joined", "Track", "join"]


async def join(
    tracks: Sequence[Track],
    out: Path,
    format_: str | None,
    *,
    ffmpeg: FfmpegFinder,
    clock: Clock,
    on_progress: Callable[[float], None],
    keep_tracks: bool,
) -> Joined:
    """Make one file of the tracks.

    Args:
        out: without its ending.
        format_: mp4, mkv, ts, m4a …; None: mp4 where it can hold what there is, else mkv.
    Raises: OutputExists; Unsupported when they cannot share a file; ToolFailed, ToolMissing; MediaError, StorageError. The tracks
        are then untouched.
    """
    if any(len(track.parts) > 1 for track in tracks):
        raise Unsupported("the tracks change on the way (another init segment), so that no single file can hold them")
    made: list[Path] = []
    try:
        sources = [await _one_clock(track, len(tracks) == 1, clock, made) for track in tracks]
        joined = await _product(
            tracks, sources, out, format_, ffmpeg, clock, on_progress, made, may_spend=not keep_tracks
        )
    finally:
        with anyio.CancelScope(shield=True):
            await anyio.to_thread.run_sync(_clear, made)
    if not keep_tracks:
        spent = [t.parts[0] for t in tracks if t.parts[0] != joined.path and t.parts[0] not in joined.left]
        await anyio.to_thread.run_sync(remove, spent)
    on_progress(1.0)
    return joined


async def _one_clock(track: Track, alone: bool, clock: Clock, made: list[Path]) -> Path:
    """The track itself, or what is made of it where its clock does not run through.

    Raises: Unsupported where that would move it against the tracks beside it.
    """
    part = track.parts[0]
    held = await anyio.to_thread.run_sync(ledgers.find, part)
    if track.kind == "subtitles" or held is None or not is_restamped(held):
        return part
    if not alone:
        if not any(chunk.discontinuity for chunk in held.ledger.chunks[1:]):
            return part  # a hole stays a hole in one of several, or what is beside it would be early from there on
        if held.ledger.gaps:
            raise Unsupported(
                f"{part} has gaps and a clock that begins anew, so that nothing says what belongs beside it"
            )
    out = part.with_name(f"{part.stem}{_RESTAMPED}{part.suffix}")
    await anyio.to_thread.run_sync(_clear, [out])  # what a kill has left
    made.append(out)
    return await anyio.to_thread.run_sync(restamp, held, out, clock)


async def _product(
    tracks: Sequence[Track],
    sources: Sequence[Path],
    out: Path,
    format_: str | None,
    ffmpeg: FfmpegFinder,
    clock: Clock,
    on_progress: Callable[[float], None],
    made: list[Path],
    *,
    may_spend: bool,
) -> Joined:
    found = [
        await probe(source) if track.kind != "subtitles" else None
        for track, source in zip(tracks, sources, strict=True)
    ]
    target = format_ or ("mp4" if all(each is None or fits(each) for each in found) else "mkv")
    path = out.with_name(f"{out.name}.{target}")
    if (before := await anyio.to_thread.run_sync(_before, path, target, tracks[0].parts[0])) is not None:
        return before
    if len(tracks) == 1 and sources[0].suffix == f".{target}":
        return await _renamed(sources[0], path, target)
    media = [source for track, source in zip(tracks, sources, strict=True) if track.kind != "subtitles"]
    spends = [source for source in media if may_spend or source in made]  # a copy is ours, whatever is kept
    if not spends or not holds(target) or not await anyio.to_thread.run_sync(is_tight, out.parent, media):
        spends = []
    if len(tracks) == 1 and not spends:
        converted = await convert(sources[0], target, out=path, ffmpeg=ffmpeg, clock=clock, on_progress=on_progress)
        return Joined(path, target, converted.size, converted.duration_s, path.with_suffix(LEDGER), converted.warnings)
    return await Mux(tracks, sources, found, path, target, clock, made, on_progress, spends=spends).run(ffmpeg)


def _clear(made: Sequence[Path]) -> None:
    """What we have made for this only, as far as a muxer has left it."""
    for path in made:
        path.with_name(path.name + PART).unlink(missing_ok=True)
        path.with_suffix(FIFO).unlink(missing_ok=True)
    remove(made)


def _before(path: Path, target: str, main: Path) -> Joined | None:
    """The product itself, when a kill has come between its name and the end of its tracks. What is half there goes."""
    clear_beginning(path, main)
    track = ledgers.find(main)
    names = [chunk.identity for chunk in track.ledger.chunks] if track is not None else []
    held = product_of(path.parent, path.name.removesuffix(f".{target}"), target, names) if names else None
    if held is None or held.product is None:
        return None
    return Joined(path, target, held.product.size, held.product.duration_s, held.ledger_path)


async def _renamed(source: Path, path: Path, target: str) -> Joined:
    def rename() -> Joined:
        ledger = source.with_suffix(LEDGER)
        refuse_existing(path, path.with_suffix(LEDGER))
        try:
            ledger.rename(path.with_suffix(LEDGER))
            source.rename(path)
            sync_folder(path.parent)
        except OSError as exc:
            raise storage_error(exc, path) from exc
        held = ledgers.find(path)
        media_s = held.ledger.media_s if held else 0.0
        return Joined(path, target, path.stat().st_size, media_s, path.with_suffix(LEDGER))

    return await anyio.to_thread.run_sync(rename)
