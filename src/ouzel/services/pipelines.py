"""Pipelines: made, changed and taken away, with a revision for each edit. `services.afterwards` runs them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ouzel.base.errors import ChangedSince, Conflict, NotFound
from ouzel.model.happening import Happening
from ouzel.model.pipelines import Pipeline, Step, parse_steps, pipeline_name, stored_step
from ouzel.services.notices import Notices
from ouzel.store.channels import ChannelRepo
from ouzel.store.db import Db, Tx
from ouzel.store.pipelines import PipelineRepo

KIND = "pipeline"
"""Of its revisions."""
Check = Callable[[Sequence[Step]], Awaitable[None]]


def missing(name: str) -> str:
    """Key of the notice that there is no pipeline of this name."""
    return f"pipeline.missing:{name}"


class Pipelines:
    """Use cases around pipelines."""

    kind = KIND

    def __init__(self, db: Db, check: Check, *, downloads: str = "") -> None:
        """
        Args:
            check: whether this machine can do these steps. Raises BadOption that says why not.
            downloads: the name of the one that `[download] pipeline` says.
        """
        self._db = db
        self._check = check
        self._downloads = downloads
        self._repo = PipelineRepo(db)
        self._revisions = ChannelRepo(db)
        self._notices = Notices(db)

    async def all(self) -> list[Pipeline]:
        """In the order of their names."""
        return await self._repo.all()

    async def get(self, name: str) -> Pipeline:
        """Raises: NotFound."""
        return _there(await self._repo.get(name), name)

    async def one_step(self, doc: Mapping[str, Any]) -> Step:
        """Of no pipeline. Raises: BadOption: there is no such step, or this machine cannot do it."""
        [step] = await self._read([doc])
        return step

    async def add(self, name: str, steps: Sequence[object], *, by: str) -> Pipeline:
        """Args: steps: as JSON. Raises: BadOption; Conflict when there is one of that name."""
        name, read, now = pipeline_name(name), await self._read(steps), self._db.clock.now()
        async with self._db.transaction() as tx:
            if await self._repo.get_in(tx, name) is not None:
                raise Conflict(f"there is a pipeline {name} already", existing=name)
            pipeline = Pipeline(name, read, 1, now, now)
            await self._repo.add_in(tx, pipeline)
            await self._notices.over_in(tx, missing(name))
            await self._note(tx, "added", None, pipeline, by)
        return pipeline

    async def change(self, name: str, steps: Sequence[object], *, by: str, revision: int | None = None) -> Pipeline:
        """Runs that have begun go on as they were. Raises: NotFound, as `add`; ChangedSince when `revision` is not the present
        one.
        """
        read = await self._read(steps)
        async with self._db.transaction() as tx:
            before = await self._present(tx, name, revision)
            if before.steps == read:
                return before
            after = replace(before, steps=read, revision=before.revision + 1, updated_at=self._db.clock.now())
            await self._repo.change_in(tx, after)
            await self._note(tx, "changed", before, after, by)
        return after

    async def remove(self, name: str, *, by: str, revision: int | None = None) -> None:
        """Runs that have begun go on. Raises: NotFound, ChangedSince; Conflict while something names it."""
        async with self._db.transaction() as tx:
            before = await self._present(tx, name, revision)
            named = await self._repo.users_in(tx, name)
            if named or name == self._downloads:
                words = f"settings of {named} channels or layers name" if named else "[download] names"
                raise Conflict(f"{words} the pipeline {name}: give them another one first", settings=named)
            await self._repo.remove_in(tx, name)
            await self._note(tx, "removed", before, None, by)

    async def undo(self, number: int, *, by: str) -> str:
        """Make undone what this revision of a pipeline did. Returns: its name.

        Raises: NotFound; Conflict when it was changed since, or something names what would go.
        """
        async with self._db.transaction() as tx:
            row = await self._revisions.revision_in(tx, number)
            if row is None or row["kind"] != KIND:
                raise NotFound(f"there is no revision {number} of a pipeline")
            name, present = row["subject"], await self._repo.get_in(tx, row["subject"])
            is_as_then = present is None if row["after"] is None else present and present.revision == row["revision"]
            if not is_as_then:
                raise Conflict(f"the pipeline {name} was changed since")
            await self._restore(tx, name, present, row["before"], row["revision"] + 1, by)
        return name

    async def _restore(
        self, tx: Tx, name: str, present: Pipeline | None, doc: Mapping[str, Any] | None, revision: int, by: str
    ) -> None:
        now = self._db.clock.now()
        if doc is None:
            if await self._repo.users_in(tx, name):
                raise Conflict(f"settings name the pipeline {name}: give them another one first")
            await self._repo.remove_in(tx, name)
            await self._note(tx, "removed", present, None, by)
            return
        steps = tuple(map(stored_step, doc["steps"]))
        if present is None:
            after = Pipeline(name, steps, revision, now, now)
            await self._repo.add_in(tx, after)
            await self._notices.over_in(tx, missing(name))
        else:
            after = replace(present, steps=steps, revision=revision, updated_at=now)
            await self._repo.change_in(tx, after)
        await self._note(tx, "restored", present, after, by)

    async def _read(self, docs: Sequence[object]) -> tuple[Step, ...]:
        steps = parse_steps(docs)
        await self._check(steps)
        return steps

    async def _present(self, tx: Tx, name: str, revision: int | None) -> Pipeline:
        pipeline = _there(await self._repo.get_in(tx, name), name)
        if revision is not None and revision != pipeline.revision:
            raise ChangedSince(
                f"it was changed meanwhile: it is at revision {pipeline.revision}", revision=pipeline.revision
            )
        return pipeline

    async def _note(self, tx: Tx, action: str, before: Pipeline | None, after: Pipeline | None, by: str) -> None:
        pipeline = after or before
        assert pipeline is not None
        revision = pipeline.revision if after is not None else pipeline.revision + 1
        number = await self._revisions.note_in(
            tx, KIND, pipeline.name, revision=revision, action=action, by=by, before=_doc(before), after=_doc(after)
        )
        tx.emit(Happening("pipeline.changed", pipeline.name, {"action": action, "by": by, "number": number}))


def _doc(pipeline: Pipeline | None) -> dict[str, Any] | None:
    return None if pipeline is None else {"steps": [each.doc() for each in pipeline.steps]}


def _there(pipeline: Pipeline | None, name: str) -> Pipeline:
    if pipeline is None:
        raise NotFound(f"there is no pipeline {name[:60]}")
    return pipeline
