"""Files that lie on the disk become videos, where they are: a folder at a time, as a job, or one that has just come."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread

from ouzel.base.errors import Invalid, NotFound, NotMedia, OuzelError
from ouzel.base.ids import new_id
from ouzel.engine.sinks.file import storage_error
from ouzel.model.happening import Happening
from ouzel.model.imports import MEDIA_ENDINGS, SUBTITLE_ENDINGS, Import, ImportHow
from ouzel.model.jobs import Job
from ouzel.model.recording import FileRole, FileState, RecordedFile
from ouzel.services.jobs import JobContext, JobKind, Jobs
from ouzel.services.places import Places
from ouzel.store.db import Db, Tx
from ouzel.store.imports import ImportRepo
from ouzel.store.recordings import RecordingRepo

QUEUE, IMPORT = "disk", "import_files"
_AT_ONCE = 2
_TOLD_ERRORS = 100
"""Are told with their paths; all are counted."""
_OF_TRACK = ("kind", "codec", "width", "height", "sample_rate", "channels")
_NICE = 10
Write = Callable[[Tx, Import], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A file that looks like media, and what lies beside it under the same name."""

    path: Path
    bytes: int
    written_at: datetime
    subtitles: tuple[Path, ...] = ()


@dataclass(slots=True)
class Outcome:
    """What became of a folder."""

    imported: int = 0
    known: int = 0
    failed: int = 0
    errors: list[dict[str, str]] = field(default_factory=list[dict[str, str]])
    """Of the first that failed: path, code, why."""

    def fail(self, path: Path, exc: OuzelError) -> None:
        self.failed += 1
        if len(self.errors) < _TOLD_ERRORS:
            self.errors.append({"path": str(path), "code": exc.code, "why": str(exc)})

    def fields(self) -> dict[str, Any]:
        return {"imported": self.imported, "known": self.known, "failed": self.failed, "errors": self.errors}


class VideoImports:
    """Args: own: folders of ours that hold no videos: that of the database."""

    def __init__(self, db: Db, places: Places, own: Sequence[Path] = ()) -> None:
        self._db = db
        self._places = places
        self._own = own
        self._repo = ImportRepo(db)
        self._files = RecordingRepo(db)
        self._jobs: Jobs | None = None

    def kinds(self) -> list[JobKind]:
        return [JobKind(IMPORT, self._run, QUEUE)]

    def serve(self, jobs: Jobs) -> None:
        self._jobs = jobs

    async def look(self, path: Path) -> tuple[Sequence[Candidate], int]:
        """What `put` would take. Returns: files that are new, and how many are known. Raises: Invalid."""
        await anyio.to_thread.run_sync(self._check, path)
        found = await anyio.to_thread.run_sync(lambda: [*candidates(path)])
        new = [each for each in found if not await self._is_known(each.path)]
        return new, len(found) - len(new)

    async def put(self, path: Path, *, by: str) -> Job:
        """Take a file, or all that is media in a folder and below it. Raises: Invalid."""
        assert self._jobs is not None
        await anyio.to_thread.run_sync(self._check, path)
        return await self._jobs.put(IMPORT, {"path": str(path), "by": by}, dedupe=f"{IMPORT}:{path}")

    async def take(
        self, found: Candidate, *, how: ImportHow, by: str, title: str = "", write: Write | None = None
    ) -> Import | None:
        """Make a video of a file.

        Args:
            write: called with the transaction and the import, to do more in it.
        Returns: None where the file is one already.
        Raises: NotMedia, MediaError.
        """
        if await self._is_known(found.path):
            return None
        new, files = await self._read(found, how, by, title)
        async with self._db.transaction() as tx:
            if await self._files.file_at_in(tx, files[0].root, files[0].path) is not None:
                return None
            await self._repo.add_in(tx, new)
            for each in files:
                if await self._files.file_at_in(tx, each.root, each.path) is None:
                    await self._files.add_file_in(tx, each)
            if write is not None:
                await write(tx, new)
            data = {"title": new.title, "how": new.how.value, "by": by, "path": str(found.path)}
            tx.emit(Happening("import.finished", new.id, data))
        return new

    # -- the job ------------------------------------------------------------------------------------------------------

    async def _run(self, work: JobContext) -> None:
        path, by = Path(work.args["path"]), str(work.args["by"])
        found = await anyio.to_thread.run_sync(lambda: [*candidates(path)])
        outcome, slots = Outcome(), anyio.CapacityLimiter(_AT_ONCE)

        async def take(each: Candidate) -> None:
            async with slots:
                if work.run.stopping.is_set():
                    return
                try:
                    made = await self.take(each, how=ImportHow.ADOPTED, by=by)
                except OuzelError as exc:
                    outcome.fail(each.path, exc)
                else:
                    outcome.imported += made is not None
                    outcome.known += made is None
                done = outcome.imported + outcome.known + outcome.failed
                work.progress(done / len(found), f"{done} of {len(found)}: {each.path.name}")

        for start in range(0, len(found), 100):
            async with anyio.create_task_group() as beside:
                for each in found[start : start + 100]:
                    beside.start_soon(take, each)
        if not work.run.stopping.is_set():
            await work.done(result=outcome.fields())

    # -- looking ------------------------------------------------------------------------------------------------------

    def _check(self, path: Path) -> None:
        """Raises: Invalid."""
        if not path.is_absolute() or not path.exists():
            raise Invalid(f"there is no {path} on the daemon's machine", pointer="/path")
        real = path.resolve()
        if real == Path(real.anchor):
            raise Invalid("the whole machine is no folder of videos", pointer="/path")
        if any(real.is_relative_to(own) or own.is_relative_to(real) for own in map(Path.resolve, self._own)):
            raise Invalid(f"{path} holds the database of Ouzel", pointer="/path")

    async def _is_known(self, path: Path) -> bool:
        return await self._files.is_at(*self._places.place(path))

    async def _read(self, found: Candidate, how: ImportHow, by: str, title: str) -> tuple[Import, list[RecordedFile]]:
        """Raises: NotMedia, MediaError."""
        from ouzel.engine.probe import probe

        inside = await probe(found.path, depth="header", nice=_NICE)
        streams = [each for each in inside.streams if each.kind in {"video", "audio"}]
        if not streams:
            raise NotMedia(f"{found.path} holds neither pictures nor sound")
        now = self._db.clock.now()
        new = Import(
            id=new_id(now), how=how, title=title or found.path.stem, made_at=found.written_at, created_at=now,
            media_s=round(inside.duration_s or 0.0, 3), bytes=found.bytes, by=by,
        )  # fmt: skip
        tracks = [{name: value for name in _OF_TRACK if (value := getattr(each, name)) is not None} for each in streams]
        root, path = self._places.place(found.path)
        media = RecordedFile(
            id=new_id(now), recording_id="", import_id=new.id, part=1, root=root, path=path, state=FileState.CLOSED,
            format=found.path.suffix[1:].lower(), opened_at=now, closed_at=now, bytes=found.bytes, media_s=new.media_s,
            tracks=tracks,
        )  # fmt: skip
        return new, [media, *(self._beside(media, each, now) for each in found.subtitles)]

    def _beside(self, media: RecordedFile, path: Path, now: datetime) -> RecordedFile:
        root, inner = self._places.place(path)
        return RecordedFile(
            id=new_id(now), recording_id="", import_id=media.import_id, part=1, root=root, path=inner,
            state=FileState.CLOSED, format=path.suffix[1:].lower(), opened_at=now, closed_at=now,
            bytes=_size(path), role=FileRole.SUBTITLES, made_of=(media.id,),
        )  # fmt: skip


def candidates(path: Path) -> Iterator[Candidate]:
    """A file, or what looks like media in a folder and below it, in order; blocking. Links to folders are not followed.

    Raises: NotFound, StorageError: it cannot be read.
    """
    if path.is_file():
        yield candidate(path, [each.name for each in path.parent.iterdir()])
        return

    def refuse(exc: OSError) -> None:
        raise storage_error(exc, path) from exc

    for place, inner, names in os.walk(path, onerror=refuse):
        inner[:] = sorted(each for each in inner if not each.startswith("."))
        for name in sorted(names):
            if looks_like_media(name):
                with suppress(NotFound):  # it went while we looked
                    yield candidate(Path(place, name), names)


def looks_like_media(name: str) -> bool:
    stem, _, ending = name.rpartition(".")
    return bool(stem.strip(".")) and not name.startswith(".") and ending.lower() in MEDIA_ENDINGS


def candidate(path: Path, beside: Sequence[str]) -> Candidate:
    """Args: beside: names in its folder. Blocking. Raises: NotFound."""
    try:
        stat = path.stat()
    except FileNotFoundError as exc:
        raise NotFound(f"there is no {path} any more") from exc
    except OSError as exc:
        raise storage_error(exc, path) from exc
    texts = [path.with_name(name) for name in sorted(beside) if _is_text_of(path.stem, name)]
    return Candidate(path, stat.st_size, datetime.fromtimestamp(stat.st_mtime, UTC), tuple(texts))


def _is_text_of(stem: str, name: str) -> bool:
    """`film.srt`, `film.en.srt` beside `film.mp4`."""
    return name.startswith(f"{stem}.") and name.rpartition(".")[2].lower() in SUBTITLE_ENDINGS


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
