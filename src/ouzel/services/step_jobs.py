"""The jobs of steps: what is given to the code of a step, and what becomes of what it gives back.

    rows of what was made ─▶ what it was made of is removed, if it goes ─▶ its rows away, the job done, the next one put

Killed between two of these, the step is begun again: what it has made is there, with its row, and is taken.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import anyio
import anyio.to_thread

from ouzel.base.errors import Conflict, NotFound
from ouzel.base.ids import new_id
from ouzel.model.happening import Happening
from ouzel.model.pipelines import PipelineRun, RunState
from ouzel.model.recording import MEDIA, FileRole, FileState, RecordedFile
from ouzel.model.states import RecordingState
from ouzel.model.steps import SHAPES
from ouzel.services.afterwards import Afterwards
from ouzel.services.jobs import JobContext, JobKind
from ouzel.services.old_places import OldPlaces
from ouzel.services.places import Places
from ouzel.services.steps import Item, ItemFile, Made, MadeFile, Steps, StepWork
from ouzel.store.db import Db, Tx
from ouzel.store.downloads import DownloadRepo
from ouzel.store.pipelines import RunRepo
from ouzel.store.recordings import RecordingRepo

QUEUES = frozenset(shape.queue for shape in SHAPES.values())


class StepJobs:
    """Args: check_room: raises StorageError where a root takes nothing now; blocking."""

    def __init__(
        self,
        db: Db,
        steps: Steps,
        afterwards: Afterwards,
        downloads: DownloadRepo,
        places: Places,
        check_room: Callable[[str], None],
    ) -> None:
        self._db = db
        self._steps = steps
        self._afterwards = afterwards
        self._downloads = downloads
        self._places = places
        self._old = OldPlaces(db, places, downloads)
        self._check_room = check_room
        self._runs = RunRepo(db)
        self._files = RecordingRepo(db)

    def kinds(self) -> list[JobKind]:
        return [JobKind(name, self.run, SHAPES[name].queue) for name in self._steps.kinds]

    async def run(self, work: JobContext) -> None:
        """A step, from its beginning. Raises: OuzelError."""
        run = await self._runs.get(work.args["run"])
        number: int = work.args["step"]
        if run is None or (run.job_id == work.job.id and run.state is not RunState.RUNNING):
            return  # its item is gone, or it was cancelled
        step, item = run.steps[number], await self._item(run)
        if item is None:
            return
        kind = self._steps.of(step)
        async with self._db.transaction() as tx:
            rows = await self._files.files_in(tx, item.id)
        there = [ItemFile(row, self._places.path(row)) for row in rows if row.state is FileState.CLOSED]
        hand = [each for name in run.files for each in there if each.row.id == name]
        if not any(each.row.role in MEDIA for each in hand):
            raise NotFound("none of its files is there any more")
        await kind.check(step.fields)
        writes = SHAPES[step.name].queue == "media"  # what makes room, or none, goes on where there is none
        for root in {each.row.root for each in hand} if writes else ():
            await anyio.to_thread.run_sync(self._check_room, root)

        async def move(moved: Mapping[str, tuple[str, str]]) -> None:
            await self._old.leave(work.run, item, moved)

        seen = StepWork(run, number, work.job.attempts, item, hand, there, step.fields, work.progress, move)
        made = await kind.run(seen)
        await self._finish(work, item, hand, there, made)

    async def settle(self) -> None:
        """At the start."""
        await self._old.settle()

    async def _item(self, run: PipelineRun) -> Item | None:
        """None where it is about to go."""
        recording = await self._files.get(run.recording_id) if run.recording_id else None
        download = await self._downloads.find(run.download_id) if run.download_id else None
        return Item(recording, download) if recording or download else None

    # -- writing down -------------------------------------------------------------------------------------------------

    async def _finish(
        self, work: JobContext, item: Item, hand: Sequence[ItemFile], there: Sequence[ItemFile], made: Made
    ) -> None:
        if made.gone:
            await work.run.commit(lambda tx: self._add_in(tx, item, there, made.files))

        async def write(tx: Tx) -> None:
            ids = await self._add_in(tx, item, there, made.files)
            await self._go_in(tx, item, made)
            if made.write is not None:
                await made.write(tx)
            files = in_hand([each.row.id for each in hand], [*zip(ids, made.files, strict=True)])
            await self._afterwards.next_in(tx, work.job, files)

        with anyio.CancelScope(shield=True):  # what is removed is written down
            for each in there:
                if each.row.id in made.gone:
                    await anyio.to_thread.run_sync(_remove, each.path)
            await work.done(write, result=made.result)

    async def _add_in(self, tx: Tx, item: Item, there: Sequence[ItemFile], files: Sequence[MadeFile]) -> list[str]:
        """Ids of their rows, which may be there from an attempt before."""
        known = {each.row.id: each.row for each in there}
        return [await self._add_one_in(tx, item, [known[of] for of in each.made_of], each) for each in files]

    async def _add_one_in(self, tx: Tx, item: Item, sources: Sequence[RecordedFile], made: MadeFile) -> str:
        root, path = self._places.place(made.path, sources[0].root)
        row = await self._files.file_at_in(tx, root, path)
        if row is not None:
            if item.id not in {row.recording_id, row.download_id}:
                raise Conflict(f"{made.path} is a file of another recording or download")
            values = {"bytes": made.bytes, "media_s": made.media_s, "made_of": [*made.made_of]}
            await self._files.change_file_in(tx, row.id, state=FileState.CLOSED, **values)
            return row.id
        now, part = self._db.clock.now(), min(each.part for each in sources)
        file = RecordedFile(
            id=new_id(now), recording_id=item.recording.id if item.recording else "",
            download_id=item.download.id if item.download else "", part=part, root=root, path=path,
            state=FileState.CLOSED, format=made.format or made.path.suffix.lstrip("."), opened_at=now, closed_at=now,
            bytes=made.bytes, media_s=made.media_s, gaps=made.gaps, tracks=made.tracks, role=made.role, made_of=made.made_of,
        )  # fmt: skip
        await self._files.add_file_in(tx, file)
        _tell(
            tx, item, path=path, state="closed", part=part, bytes=made.bytes, media_s=made.media_s, role=made.role.value
        )
        return file.id

    async def _go_in(self, tx: Tx, item: Item, made: Made) -> None:
        """Rows away; what stands in their place is an original from now on."""
        if not made.gone:
            return
        rows = {row.id: row for row in await self._files.files_in(tx, item.id)}
        for row in (rows[each] for each in made.gone if each in rows):
            await self._files.remove_file_in(tx, row.id)
            _tell(tx, item, path=row.path, state="removed", part=row.part)
        for row in rows.values():
            if row.role is FileRole.PRODUCT and row.made_of and {*row.made_of} <= {*made.gone}:
                await self._files.change_file_in(tx, row.id, role=FileRole.ORIGINAL)
                if item.download is not None:
                    path = str(self._places.path(row))
                    await self._downloads.replace_in(
                        tx, item.download.id, path=path, format=row.format, bytes=row.bytes
                    )
        if item.recording is not None and item.recording.state is RecordingState.DONE:
            kept = await self._files.totals_in(tx, item.recording.id)
            await self._files.change_in(tx, item.recording.id, **kept)


def in_hand(before: Sequence[str], made: Sequence[tuple[str, MadeFile]]) -> tuple[str, ...]:
    """Ids of what the next step takes: a product stands in the place of the first file that it was made of. Pure."""
    media = [(name, file) for name, file in made if file.role in MEDIA]
    replaced = {of for _, file in media for of in file.made_of}
    places = {file.made_of[0]: name for name, file in media}
    kept = [places.get(each, each) for each in before if each not in replaced or each in places]
    rest = [name for name, _ in made if name not in kept]
    return (*kept, *rest)


def _remove(path: Path) -> None:
    from ouzel.engine.products import drop_ledger, remove

    if path.exists():
        remove(path)
    drop_ledger(path)  # what was made of it tells of the same, where it has a ledger of its own


def _tell(tx: Tx, item: Item, **data: object) -> None:
    if item.recording is not None:
        tx.emit(Happening("recording.file", item.recording.id, data, item.recording.channel_id))
