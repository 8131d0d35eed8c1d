"""Pipelines: made, changed and taken away. `services.afterwards` runs them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from ouzel.base.errors import Conflict
from ouzel.model.pipelines import Step, Steps, parse_steps, steps_doc, stored_steps
from ouzel.services.named import NamedThings
from ouzel.services.notices import Notices
from ouzel.store.db import Db, Tx
from ouzel.store.named import Named
from ouzel.store.pipelines import PipelineRepo

KIND = "pipeline"
"""Of its revisions."""
Check = Callable[[Sequence[Step]], Awaitable[None]]


def missing(name: str) -> str:
    """Key of the notice that there is no pipeline of this name."""
    return f"pipeline.missing:{name}"


class Pipelines(NamedThings[Steps]):
    """Args:
    check: whether this machine can do these steps. Raises BadOption that says why not.
    downloads: the name of the one that `[download] pipeline` says.
    """

    kind = KIND

    def __init__(self, db: Db, check: Check, *, downloads: str = "") -> None:
        self._pipelines = PipelineRepo(db)
        super().__init__(db, self._pipelines, KIND)
        self._check = check
        self._downloads = downloads
        self._notices = Notices(db)

    def parse(self, doc: Mapping[str, Any]) -> Steps:
        return stored_steps(doc)

    def render(self, spec: Steps) -> dict[str, Any]:
        return steps_doc(spec)

    async def came_in(self, tx: Tx, name: str) -> None:
        await self._notices.over_in(tx, missing(name))

    async def check_removal_in(self, tx: Tx, name: str) -> None:
        named = await self._pipelines.users_in(tx, name)
        if named or name == self._downloads:
            words = f"settings of {named} channels or layers name" if named else "[download] names"
            raise Conflict(f"{words} the pipeline {name}: give them another one first", settings=named)

    async def one_step(self, doc: Mapping[str, Any]) -> Step:
        """Of no pipeline. Raises: BadOption: there is no such step, or this machine cannot do it."""
        [step] = await self._read([doc])
        return step

    async def add(self, name: str, steps: Sequence[object], *, by: str) -> Named[Steps]:
        """Args: steps: as JSON. Raises: BadOption; Conflict when there is one of that name."""
        return await self.put_new(name, await self._read(steps), by=by)

    async def change(self, name: str, steps: Sequence[object], *, by: str, revision: int | None = None) -> Named[Steps]:
        """Runs that have begun go on as they were. Raises: NotFound, as `add`; ChangedSince when `revision` is not the present
        one.
        """
        return await self.put(name, await self._read(steps), by=by, revision=revision)

    async def _read(self, docs: Sequence[object]) -> Steps:
        steps = parse_steps(docs)
        await self._check(steps)
        return steps
