"""What is told, and to whom: made, changed and taken away."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ouzel.base.errors import BadOption
from ouzel.model.routes import Route
from ouzel.services.named import NamedThings
from ouzel.services.targets import target_repo
from ouzel.store.db import Db, Tx
from ouzel.store.named import Named, NamedRepo, kept_as_doc
from ouzel.store.tables import routes

KIND = "route"
"""Of its revisions."""


class Routes(NamedThings[Route]):
    kind = KIND

    def __init__(self, db: Db) -> None:
        super().__init__(db, route_repo(db), KIND)
        self._targets = target_repo(db)

    def parse(self, doc: Mapping[str, Any]) -> Route:
        return Route.parse(doc)

    def render(self, spec: Route) -> dict[str, Any]:
        return spec.doc()

    async def check_in(self, tx: Tx, name: str, spec: Route) -> None:  # noqa: ARG002
        for place, target in enumerate(spec.targets):
            if await self._targets.get_in(tx, target) is None:
                raise BadOption(f"there is no target {target[:60]}", pointer=f"/targets/{place}")

    async def add(self, name: str, doc: Mapping[str, Any], *, by: str) -> Named[Route]:
        """Raises: BadOption, Conflict."""
        return await self.put_new(name, Route.parse(doc), by=by)

    async def change(
        self, name: str, patch: Mapping[str, Any], *, by: str, revision: int | None = None
    ) -> Named[Route]:
        """Raises: NotFound, BadOption, ChangedSince."""
        before = await self.get(name)
        expected = before.revision if revision is None else revision
        return await self.put(name, Route.parse({**before.spec.doc(), **patch}), by=by, revision=expected)


def route_repo(db: Db) -> NamedRepo[Route]:
    return kept_as_doc(db, routes, Route.parse, Route.doc)
