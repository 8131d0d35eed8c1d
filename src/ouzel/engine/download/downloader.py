"""One download, from its address to the file."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import anyio
import anyio.to_thread

from ouzel.base.errors import OutputExists, OuzelError
from ouzel.engine.disk import DiskGate
from ouzel.engine.download.asking import Address, Asking, Way
from ouzel.engine.download.crew import Crew
from ouzel.engine.download.finish import Fetched, Finish
from ouzel.engine.download.home import (
    TRACKS,
    begun_in,
    finish_coming,
    is_home,
    name_of,
)
from ouzel.engine.download.hosts import Hosts
from ouzel.engine.download.names import Names, stem_of
from ouzel.engine.download.sight import Sight, TrackPlan, see, unheeded_on_air
from ouzel.engine.download.tally import Bucket, Tally
from ouzel.engine.download.track import TrackRun
from ouzel.engine.sources.keys import MAX_KEY_ANSWER, Keyring
from ouzel.engine.tasks import beside
from ouzel.model.downloads import DownloadOutcome, DownloadWish, OnDownload, Stage
from ouzel.model.naming import safe_name
from ouzel.model.pieces import Piece, identifier
from ouzel.system.clock import Clock
from ouzel.system.ffmpeg import FfmpegFinder
from ouzel.system.http import HttpClient

_LOOK_S = 0.5

Find = Callable[[DownloadWish], Awaitable[Address]]
"""What stands at the address that is wished for: asked again when what it has told has run out."""
OnAir = Callable[[DownloadWish, Address, OnDownload], Awaitable[DownloadOutcome]]
"""Records what is on air."""


class Downloader:
    """Runs downloads, one for each call of `run`; what they share is what a process has once.

    Args:
        on_air: takes over what is on air, or can only be read as it comes.
        min_free_bytes: a download does not begin to eat the last of a disk.
    """

    def __init__(
        self,
        http: HttpClient,
        clock: Clock,
        ffmpeg: FfmpegFinder,
        find: Find,
        on_air: OnAir,
        *,
        min_free_bytes: int = 0,
    ) -> None:
        self._http = http
        self._clock = clock
        self._ffmpeg = ffmpeg
        self._find = find
        self._on_air = on_air
        self._min_free_bytes = min_free_bytes
        self._hosts = Hosts(clock)
        self._names = Names()

    async def run(self, wish: DownloadWish, *, on_progress: OnDownload) -> DownloadOutcome:
        """As `model.downloads.Downloading`."""
        gate = DiskGate(wish.folder, min_free_bytes=self._min_free_bytes, probe_s=0)
        run = _Run(self._http, self._clock, self._ffmpeg, self._find, self._on_air, self._hosts, self._names, wish)
        with self._names.running(wish):
            return await run.run(on_progress, gate)


class _Run:
    def __init__(
        self,
        http: HttpClient,
        clock: Clock,
        ffmpeg: FfmpegFinder,
        find: Find,
        on_air: OnAir,
        hosts: Hosts,
        names: Names,
        wish: DownloadWish,
    ) -> None:
        self._http = http
        self._clock = clock
        self._ffmpeg = ffmpeg
        self._find = find
        self._on_air = on_air
        self._hosts = hosts
        self._names = names
        self._wish = wish
        self._tally = Tally()
        self._tell: OnDownload = lambda _progress: None

    async def run(self, tell: OnDownload, gate: DiskGate) -> DownloadOutcome:
        self._tell = tell
        self._stage("resolving")
        gate.check_writable()
        gate.check()
        address = await self._find(self._wish)
        if self._wish.on_air:  # what is listed in the end is more than it has recorded, or less: it goes on where it is
            return await self._recorded(address)
        asking = await self._asking(address)
        sight = await see(asking, self._wish)
        if not sight.tracks:
            return await self._recorded(address)
        async with self._telling():
            return await self._fetch(asking, sight)

    async def _recorded(self, address: Address) -> DownloadOutcome:
        done = await self._on_air(self._wish, address, self._tell)
        return replace(done, warnings=(*unheeded_on_air(self._wish), *done.warnings))

    async def _asking(self, address: Address) -> Asking:
        return await Asking.of(self._http, address, self._wish.pace)

    async def _fetch(self, asking: Asking, sight: Sight) -> DownloadOutcome:
        tally = self._tally
        tally.pieces = sum(len(track.pieces) for track in sight.tracks)
        tally.media_s = sum(track.media_s for track in sight.tracks)
        sizes = [track.size for track in sight.tracks if track.size is not None]
        tally.bytes_total = sum(sizes) if len(sizes) == len(sight.tracks) else None
        alone = stem_of(self._wish, asking.address, _ending(sight.tracks[0]))
        begun = {} if self._wish.stem else await anyio.to_thread.run_sync(begun_in, self._wish.folder, alone)
        for stem in self._names.of(self._wish, alone, begun):
            with self._names.held(self._wish, stem):
                finish = Finish(self._wish, stem, self._ffmpeg, self._clock, tally, self._stage, asking.address.title)
                try:
                    if (there := await finish.there(sight)) is not None:
                        return there
                    folder, name = await anyio.to_thread.run_sync(self._home, sight, stem, sight.tracks[0], 0)
                    if folder != self._wish.folder:
                        await finish.look_ahead(sight, folder / name)
                    fetched = await self._tracks(asking, sight, stem)
                except OutputExists as exc:
                    if self._wish.stem or not exc.context.get("other"):
                        raise
                    self._forget()
                else:
                    done = await finish.run(fetched)
                    return replace(done, warnings=(*sight.warnings, *done.warnings))
        raise AssertionError("names do not end without a word")

    async def _tracks(self, asking: Asking, sight: Sight, stem: str) -> list[Fetched]:
        self._stage("fetching")
        fetched: list[Fetched] = []
        bucket = Bucket(self._wish.pace.rate_bps) if self._wish.pace.rate_bps else None
        for number, plan in enumerate(sight.tracks):
            way = Way(asking, plan.stream)
            keys = Keyring(lambda uri, way=way: way.fetch(uri, MAX_KEY_ANSWER))
            crew = Crew(
                self._http,
                self._hosts,
                keys,
                way.request,
                self._wish.pace,
                self._tally,
                self._clock,
                key=self._wish.key,
                renew=lambda number=number, plan=plan, way=way: self._renew(number, plan, way),
                in_order=self._wish.in_order,
                bucket=bucket,
            )
            wish = self._wish
            run = TrackRun(plan, way, crew, keys, self._tally, self._clock, wish.key, wish.url, wish.format or "")
            folder, name = await anyio.to_thread.run_sync(self._home, sight, stem, plan, number)
            files = await run.run(lambda part, ending, folder=folder, name=name: folder / name_of(name, part, ending))
            fetched.append(Fetched(plan, tuple(files)))
        return fetched

    async def _renew(self, number: int, plan: TrackPlan, way: Way) -> Sequence[Piece] | None:
        """The same pieces, as a fresh look at the address tells them; asked for from now on as it tells, too."""
        try:
            asking = await self._asking(await self._find(self._wish))
            sight = await see(asking, self._wish)
        except OuzelError:
            return None  # what could not be fetched under the old addresses is judged by what they answered
        if number >= len(sight.tracks):
            return None
        way.asking, way.stream = asking, sight.tracks[number].stream
        fresh = sight.tracks[number].pieces
        name_old, name_new = identifier(plan.pieces), identifier(fresh)
        return [each for each, before in zip(fresh, plan.pieces, strict=False) if name_new(each) == name_old(before)]

    # -- names --------------------------------------------------------------------------------------------------------

    def _home(self, sight: Sight, stem: str, plan: TrackPlan, number: int) -> tuple[Path, str]:
        """The folder of a track's files, and their name: where they are what is wanted in the end, its own."""
        main = sight.tracks[0]
        if len(sight.tracks) == 1 and self._wish.format is None and not main.is_broken:
            return self._wish.folder, stem
        if len(sight.tracks) == 1:
            finish_coming(self._wish.folder, stem, plan.kind if not plan.language else f"{plan.kind}-{plan.language}")
        if len(sight.tracks) == 1 and is_home(self._wish.folder, stem, self._wish.format):
            return self._wish.folder, stem
        name = f"{plan.kind}-{plan.language}" if plan.language else plan.kind
        twice = sum(each.kind == plan.kind and each.language == plan.language for each in sight.tracks[:number])
        return self._wish.folder / f"{stem}{TRACKS}", safe_name(f"{name}_{twice + 1}" if twice else name)

    # -- telling ------------------------------------------------------------------------------------------------------

    @asynccontextmanager
    async def _telling(self) -> AsyncGenerator[None]:
        async def tell() -> None:
            while True:
                await anyio.sleep(_LOOK_S)
                self._tell(self._tally.look(self._clock.monotonic()))

        async with beside(tell):
            yield
        self._tell(self._tally.look(self._clock.monotonic()))

    def _stage(self, stage: Stage) -> None:
        self._tally.stage = stage
        self._tally.share = 0.0
        self._tell(self._tally.look(self._clock.monotonic()))

    def _forget(self) -> None:
        tally = self._tally
        tally.pieces_done = tally.bytes_done = tally.gaps = 0
        tally.media_done_s = 0.0


def _ending(plan: TrackPlan) -> str:
    """Of a plain file, as its address tells; empty of a list of segments."""
    return "" if not plan.plain else urlsplit(plan.url).path.rpartition(".")[2]
