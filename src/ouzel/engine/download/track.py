"""Fetches one track into its file, or its files where the init segment changes to another."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import anyio
import anyio.to_thread

from ouzel import __version__
from ouzel.base.errors import Forbidden, Gone, NotDecrypted
from ouzel.base.urls import redact
from ouzel.engine.download.asking import Way
from ouzel.engine.download.crew import Crew, Lost
from ouzel.engine.download.file import Complete, PlacedFile, begun_as
from ouzel.engine.download.looks import LOOK_BYTES, is_media
from ouzel.engine.download.sight import TrackPlan
from ouzel.engine.download.straighten import straighten
from ouzel.engine.download.taker import OtherContainer, Place
from ouzel.engine.download.tally import Tally
from ouzel.engine.policy import Policy
from ouzel.engine.sources.detect import discreet, not_media
from ouzel.engine.sources.keys import Keyring
from ouzel.engine.sources.segment_kind import SegmentKind
from ouzel.formats.m3u8 import InitSegment
from ouzel.formats.shape import Container
from ouzel.model.flow import Gap, GapCode
from ouzel.model.layout import Layout, Misplaced
from ouzel.model.ledger import Ledger
from ouzel.model.ledger_lines import Opening
from ouzel.model.pieces import Piece, identifier, stretches
from ouzel.system.clock import Clock

if TYPE_CHECKING:
    from ouzel.engine.download.check import Checked

_PACKED = frozenset({"aac", "mp3", "ac3", "ec3", "eac3", "mp2"})
_TEXT = frozenset({"vtt", "webvtt", "srt", "ttml"})
_MOVIE = frozenset({"mp4", "m4s", "m4a", "m4v", "cmfv", "cmfa", "m4f"})

PathFor = Callable[[int, str], Path]
"""The path of a file of the track: which of its files it is, from 1, and its ending."""


@dataclass(frozen=True, slots=True)
class TrackFile:
    """A file of a track, closed."""

    path: Path
    container: Container
    size: int
    media_s: float
    pieces: int
    gaps: tuple[Gap, ...]
    broken: bool = False
    """Its clock begins anew on the way."""
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Part:
    """Pieces that share a file."""

    head: bytes
    pieces: tuple[Piece, ...]


class TrackRun:
    """One track of a download."""

    def __init__(
        self,
        plan: TrackPlan,
        way: Way,
        crew: Crew,
        keys: Keyring,
        tally: Tally,
        clock: Clock,
        key: bytes | None,
        source: str = "",
        wanted: str = "",
    ) -> None:
        """The ledger tells `source`, the address as it was given, and `wanted`, the format that is to be made of the track."""
        self._wanted = wanted
        self._source = redact(source or way.stream.url)
        self._plan = plan
        self._way = way
        self._crew = crew
        self._keys = keys
        self._key = key
        self._tally = tally
        self._clock = clock
        self._opened = False
        """A key has opened something of it."""
        self._sealed: list[PlacedFile] = []
        """Its files that wait for those behind them."""

    async def run(self, path_for: PathFor) -> list[TrackFile]:
        """Raises: OuzelError. What is there stays for the next call; nothing has its name before all of it is there."""
        parts = await self._parts()
        files: list[TrackFile] = []
        first = 0
        try:
            for number, part in enumerate(parts, 1):
                files.append(await self._fetch(part, first, number, path_for))
                first += len(part.pieces)
            for file in self._sealed:
                await anyio.to_thread.run_sync(file.publish)
        finally:
            for file in self._sealed:
                file.release()
        return files

    async def _parts(self) -> list[_Part]:
        """An init segment that says the same as the one before it is left out, and its pieces belong to the same file."""
        parts: list[_Part] = []
        for stretch in stretches(self._plan.pieces):
            head = b"" if stretch.init is None else await self._head(stretch.init, stretch.pieces[0])
            if parts and (head == parts[-1].head or _are_alike(head, parts[-1].head)):
                parts[-1] = replace(parts[-1], pieces=(*parts[-1].pieces, *stretch.pieces))
            else:
                parts.append(_Part(head, stretch.pieces))
        return parts

    async def _head(self, init: InitSegment, piece: Piece) -> bytes:
        """Raises: as `_init`, when it cannot be had under a fresh address either."""
        try:
            return await self._init(init)
        except (Forbidden, Gone):
            fresh = await self._crew.renewed(piece)
            if fresh is None or fresh.segment.map is None:
                raise
            return await self._init(fresh.segment.map)

    async def _init(self, init: InitSegment) -> bytes:
        byte_range = init.byte_range
        wanted = None if byte_range is None else (byte_range.offset, byte_range.end - 1)
        request = self._way.request(init.uri, wanted)
        data = (await self._way.fetch_patiently(request, Policy().max_init_bytes)).data
        if init.key is not None and init.iv is not None:
            from ouzel.engine.sources.aes import Aes128Stream  # and with it `cryptography`

            decryptor = Aes128Stream(self._key or await self._keys.find(init.key), init.iv)
            data = bytes(decryptor.feed(memoryview(data))) + bytes(decryptor.finish())
        if not is_media(data[:LOOK_BYTES]):
            if init.key is not None:
                raise NotDecrypted(
                    "decrypted, the init segment is no media: it may have another key than the playlist says"
                )
            with discreet(self._way.asking.scope):
                raise not_media("the init segment is no media", data)
        return data

    async def _fetch(self, part: _Part, first: int, number: int, path_for: PathFor) -> TrackFile:
        ending = self._ending(part)
        ending = await anyio.to_thread.run_sync(begun_as, path_for(number, ending)) or ending
        while True:
            try:
                return await self._fetch_as(ending, part, first, path_for(number, ending))
            except OtherContainer as found:
                ending = found.ending
            except Complete as found:
                return self._there(found.held, path_for(number, ending))

    def _there(self, held: Ledger, path: Path) -> TrackFile:
        """Somebody has fetched it before."""
        self._tally.pieces_done += len(held.chunks)
        self._tally.bytes_done += held.media_end
        self._tally.media_done_s += held.media_s
        assert held.closing is not None
        count = len(held.chunks) + len(held.gaps)
        broken = any(chunk.discontinuity for chunk in held.chunks)
        return TrackFile(path, held.opening.container, held.closing.size, held.media_s, count, tuple(held.gaps), broken)

    async def _fetch_as(self, ending: str, part: _Part, first: int, path: Path) -> TrackFile:
        identify = identifier(part.pieces)
        container = _container(ending)
        opening = Opening(
            path.name, container, self._clock.now(), self._source, 1,
            f"ouzel {__version__}", download=True, wanted=self._wanted,
        )  # fmt: skip

        def identity(index: int) -> str | None:
            return identify(part.pieces[index]) if index < len(part.pieces) else None

        self._tally.file = str(path)
        async with _opened(path, opening, part.head, identity) as file:
            place = Place(
                file,
                Layout(len(part.head), len(part.pieces)),
                "plain" if self._plan.plain else "text" if ending in _TEXT else "media",
                first,
                container=None if self._plan.plain or ending in _TEXT else _kind(ending),
                identity=lambda piece: identify(part.pieces[piece.position - first]),
                independent=self._plan.independent,
                scope=self._way.asking.scope,
                since_s=part.pieces[0].at_s,
                least_bytes=self._plan.least_bytes,
                version=self._plan.version,
                opened=self._opened
                or (self._key is None and any(part.pieces[index].segment.key for index in file.whole)),
            )
            for index, chunk in sorted(file.whole.items()):
                place.layout.stand(index, chunk.offset, chunk.length)
                self._tally.pieces_done += 1
                self._tally.bytes_done += chunk.length
                self._tally.media_done_s += chunk.duration_s
            try:
                lost = await self._drain(place, part, first)
            except BaseException:
                if file.before is not None:  # it was somebody's file already, and is not left without its name
                    with anyio.CancelScope(shield=True):
                        await anyio.to_thread.run_sync(file.close_again, self._clock.now())
                elif not file.whole:
                    file.discard()  # nothing came of it
                raise
            self._opened = place.opened
            return await self._seal(place, part, lost)

    async def _drain(self, place: Place, part: _Part, first: int) -> list[Lost]:
        """Fetch until nothing is left to do, setting the file right in between where a length was not what was told."""
        lost = [Lost(piece, GapCode.LISTED_GAP, "EXT-X-GAP") for piece in part.pieces if piece.segment.gap]
        for each in lost:
            with suppress(Misplaced):
                place.layout.learn(each.piece.position - first, 0)
        while True:
            await straighten(place)
            over = {*place.file.whole, *(each.piece.position - first for each in lost)}
            todo = [piece for piece in part.pieces if piece.position - first not in over]
            try:
                await self._crew.fetch(place, todo, lost)
            except Misplaced:
                place.foresees = False
            else:
                return sorted(lost, key=lambda each: each.piece.position)

    async def _seal(self, place: Place, part: _Part, lost: Sequence[Lost]) -> TrackFile:
        file = place.file
        end = place.layout.end
        assert end is not None, "every piece is there or lost"
        gaps = tuple(self._gap(each, part, place) for each in lost)
        for each in lost:
            at = place.place(each.piece.position)
            size = place.size(each.piece.position)
            if at is not None and size:
                await anyio.to_thread.run_sync(file.pad, at, size)
        media_s = sum(chunk.duration_s for chunk in file.whole.values())
        checked = await self._check(file)
        await anyio.to_thread.run_sync(file.seal, end, media_s, gaps, checked.tracks, self._clock.now())
        self._sealed.append(file)
        broken = any(chunk.discontinuity for chunk in file.whole.values())
        count = len(part.pieces)
        return TrackFile(file.path, file.opening.container, end, media_s, count, gaps, broken, checked.warnings)

    async def _check(self, file: PlacedFile) -> Checked:
        from ouzel.engine.download.check import Checked, check  # and with it the readers of all formats

        if self._plan.plain:  # its pieces are none of the media
            return Checked()
        self._tally.stage = "checking"
        checked = await anyio.to_thread.run_sync(check, file)
        for line in checked.changed:
            file.commit(line)
        self._tally.stage = "fetching"
        return checked

    def _gap(self, lost: Lost, part: _Part, place: Place) -> Gap:
        segment = lost.piece.segment
        wall: datetime = segment.starts_at or place.file.opening.started
        number = segment.media_sequence
        at_s = lost.piece.at_s - part.pieces[0].at_s
        return Gap(at_s, lost.code, lost.why, wall, wall, segment.duration_s, number, number)

    def _ending(self, part: _Part) -> str:
        """By what the addresses say; the first bytes have the last word."""
        uri = part.pieces[0].segment.uri
        told = urlsplit(uri).path.rpartition(".")[2].lower()
        if self._plan.plain:
            return told if told.isalnum() and len(told) <= 5 else "bin"
        if part.head or told in _MOVIE:
            return "mp4"
        if told in _PACKED | _TEXT:
            return told
        return "vtt" if self._plan.kind == "subtitles" else "ts"


@asynccontextmanager
async def _opened(
    path: Path, opening: Opening, head: bytes, identity: Callable[[int], str | None]
) -> AsyncGenerator[PlacedFile]:
    file = await anyio.to_thread.run_sync(PlacedFile.open, path, opening, head, identity)
    try:
        yield file
    except BaseException:
        file.release()
        raise


def _container(ending: str) -> Container:
    return "ts" if ending == "ts" else "mp4" if ending == "mp4" else "raw"


def _kind(ending: str) -> SegmentKind:
    return "ts" if ending == "ts" else "mp4" if ending == "mp4" else "packed"


def _are_alike(one: bytes, other: bytes) -> bool:
    """Whether two init segments describe the same tracks, so that fragments of both may stand behind one of them."""
    if not (one and other):
        return False
    from ouzel.engine.download.check import tracks_in

    return (tracks := tracks_in("mp4", one)) == tracks_in("mp4", other) and bool(tracks)
