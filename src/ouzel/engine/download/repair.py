"""Fetches what was missing when a download was closed. What is there is not fetched again, and only moved where it must be."""

from __future__ import annotations

import shutil
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import anyio
import anyio.to_thread

from ouzel.base.errors import BadOption, InputError
from ouzel.base.urls import MASK, redact
from ouzel.engine.download.asking import Asking, Way
from ouzel.engine.download.crew import Crew
from ouzel.engine.download.downloader import Find
from ouzel.engine.download.holes import Case, Holed, look
from ouzel.engine.download.hosts import Hosts
from ouzel.engine.download.sight import TrackPlan, every_track
from ouzel.engine.download.tally import Bucket, Tally
from ouzel.engine.download.track import TrackRun
from ouzel.engine.sinks.file import LEDGER, storage_error, sync_folder
from ouzel.engine.sources.keys import MAX_KEY_ANSWER, Keyring
from ouzel.engine.tasks import beside
from ouzel.model.downloads import DownloadWish, OnDownload
from ouzel.model.flow import Gap, GapCode
from ouzel.system.clock import Clock
from ouzel.system.ffmpeg import FfmpegFinder
from ouzel.system.http import HttpClient

_LOOK_S = 0.5
_ANEW = "anew"
"""Folder among the tracks."""


@dataclass(frozen=True, slots=True)
class Repaired:
    """What came of it."""

    path: Path
    filled: int
    """Segments that are there now."""
    left: tuple[Gap, ...]
    """What still is not, without what the playlist itself leaves out."""
    fetched_bytes: int = 0
    warnings: tuple[str, ...] = ()


class Repairer:
    """Repairs one file after the other."""

    def __init__(self, http: HttpClient, clock: Clock, ffmpeg: FfmpegFinder, find: Find) -> None:
        self._http = http
        self._clock = clock
        self._ffmpeg = ffmpeg
        self._find = find
        self._hosts = Hosts(clock)

    async def run(self, case: Case, wish: DownloadWish, *, on_progress: OnDownload) -> Repaired:
        """
        Args:
            wish: its address, key and pace count. The address is that of the ledger, or another one of the same.
        Raises: OuzelError. The file is then as it was, and has perhaps got a part of what was missing.
        """
        tally = Tally(pieces=sum(file.count for file in case.files if file.holes))
        address = await self._find(wish)
        asking = await Asking.of(self._http, address, wish.pace)
        plans = await _match(case, asking)
        left: list[Gap] = []
        async with self._telling(tally, on_progress):
            tally.stage = "fetching"
            for file, plan in zip(case.files, plans, strict=True):
                if file.holes:
                    left += await self._fill(file, plan, asking, wish, tally)
            filled = case.holes - len(left)
            if case.whole is None or not filled or (left and case.product is None):
                return Repaired(case.named, filled, tuple(left), tally.fetched)
            tally.stage = "muxing"
            path, warnings = await self._join(case, plans, tally)
        return Repaired(path, filled, tuple(left), tally.fetched, warnings)

    async def _fill(
        self, file: Holed, plan: TrackPlan, asking: Asking, wish: DownloadWish, tally: Tally
    ) -> Sequence[Gap]:
        way = Way(asking, plan.stream)
        keys = Keyring(lambda uri: way.fetch(uri, MAX_KEY_ANSWER))
        crew = Crew(
            self._http,
            self._hosts,
            keys,
            way.request,
            wish.pace,
            tally,
            self._clock,
            key=wish.key,
            bucket=Bucket(wish.pace.rate_bps) if wish.pace.rate_bps else None,
        )
        run = TrackRun(plan, way, crew, keys, tally, self._clock, wish.key)

        def path_for(part: int, _ending: str) -> Path:
            if part > 1:
                raise InputError(f"the init segments of {file.path} are others by now; download it again")
            return file.path

        (done,) = await run.run(path_for)
        return [gap for gap in done.gaps if gap.code is not GapCode.LISTED_GAP]

    async def _join(self, case: Case, plans: Sequence[TrackPlan], tally: Tally) -> tuple[Path, tuple[str, ...]]:
        """One file of the tracks; in the place of that which was made of them before."""
        from ouzel.engine.download.join import Track, join  # and with it the formats

        assert case.whole is not None
        order = {"video": 0, "audio": 1, "subtitles": 2}
        tracks = [
            Track(
                plan.kind,
                (file.path,),
                plan.language,
                plan.name,
                plan.default,
                plan.forced,
                plan.begins_s,
            )
            for plan, file in sorted(zip(plans, case.files, strict=True), key=lambda each: order[each[0].kind])
        ]
        before, out = case.product, case.whole
        if before is not None:
            out = await anyio.to_thread.run_sync(_workplace, case)
        joined = await join(
            tracks,
            out,
            (case.wanted or None) if before is None else before.suffix.lstrip("."),
            ffmpeg=self._ffmpeg,
            clock=self._clock,
            on_progress=lambda share: setattr(tally, "share", share),
            keep_tracks=before is not None,
        )
        if before is None:
            return joined.path, joined.warnings
        await anyio.to_thread.run_sync(_put_in_place, joined.path, before)
        return before, joined.warnings

    @asynccontextmanager
    async def _telling(self, tally: Tally, tell: OnDownload) -> AsyncGenerator[None]:
        async def look_again() -> None:
            while True:
                await anyio.sleep(_LOOK_S)
                tell(tally.look(self._clock.monotonic()))

        async with beside(look_again):
            yield
        tell(tally.look(self._clock.monotonic()))


async def find_holes(path: Path) -> Case:
    """What is missing in a file, and in those that belong to it. Raises: as `holes.look`."""
    return await anyio.to_thread.run_sync(look, path)


def address_of(case: Case, url: str | None) -> str:
    """Where it is asked for. Raises: BadOption when only somebody who knows its secrets can say that."""
    if url:
        return url
    if MASK in case.source or not case.source:
        raise BadOption(f"the ledger of {case.named} has no secrets of addresses: give the address again with --url")
    return case.source


async def _match(case: Case, asking: Asking) -> list[TrackPlan]:
    """For each file the track that it is of. Raises: InputError when it is of none."""
    found: dict[Path, TrackPlan] = {}
    async for track in every_track(asking):
        for file in case.files:
            if file.path not in found and (pieces := file.find_in(track.pieces)) is not None:
                found[file.path] = track.only(pieces)
                break
        if len(found) == len(case.files):
            return [found[file.path] for file in case.files]
    missing = next(file for file in case.files if file.path not in found)
    shown = redact(asking.address.stream.url)
    raise InputError(f"{shown} does not list the segments that {missing.path} is made of", path=str(missing.path))


def _workplace(case: Case) -> Path:
    """Where the product is made anew, under its own name; what a kill has left there goes."""
    assert case.whole is not None
    folder = case.files[0].path.parent / _ANEW
    try:
        if folder.exists():
            shutil.rmtree(folder)
        folder.mkdir()
    except OSError as exc:
        raise storage_error(exc, folder) from exc
    return folder / case.whole.name


def _put_in_place(made: Path, product: Path) -> None:
    try:
        made.with_suffix(LEDGER).replace(product.with_suffix(LEDGER))
        made.replace(product)
        sync_folder(product.parent)
        made.parent.rmdir()
    except OSError as exc:
        raise storage_error(exc, product) from exc
