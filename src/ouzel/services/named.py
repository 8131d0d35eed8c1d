"""Things with a name that people make, change and take away, with a revision for each edit that can be undone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Generic, TypeVar

from ouzel.base.errors import ChangedSince, Conflict, NotFound
from ouzel.model.happening import Happening
from ouzel.model.targets import plain_name
from ouzel.store.channels import ChannelRepo
from ouzel.store.db import Db, Tx
from ouzel.store.named import Named, NamedRepo

S = TypeVar("S")


class NamedThings(Generic[S]):
    """Args:
    kind: of its revisions; `KIND.changed` is its event.
    noun: what people call it, where that is another word.
    """

    def __init__(self, db: Db, repo: NamedRepo[S], kind: str, noun: str = "") -> None:
        self._db = db
        self._repo = repo
        self._kind = kind
        self._noun = noun or kind
        self._revisions = ChannelRepo(db)

    # -- what each noun says ------------------------------------------------------------------------------------------

    def parse(self, doc: Mapping[str, Any]) -> S:
        """Of a document as it is stored. Raises: BadOption."""
        raise NotImplementedError

    def render(self, spec: S) -> dict[str, Any]:
        """As it is stored."""
        raise NotImplementedError

    async def check_in(self, tx: Tx, name: str, spec: S) -> None:
        """Whether it fits what else is there. Raises: BadOption, Conflict."""

    async def check_removal_in(self, tx: Tx, name: str) -> None:
        """Raises: Conflict while something names it."""

    async def came_in(self, tx: Tx, name: str) -> None:
        """There is one of this name now, and there was none."""

    # -- asking -------------------------------------------------------------------------------------------------------

    async def all(self) -> list[Named[S]]:
        """In the order of their names."""
        return await self._repo.all()

    async def get(self, name: str) -> Named[S]:
        """Raises: NotFound."""
        return self._there(await self._repo.get(name), name)

    # -- editing ------------------------------------------------------------------------------------------------------

    async def put_new(self, name: str, spec: S, *, by: str) -> Named[S]:
        """Raises: BadOption; Conflict when there is one of that name."""
        async with self._db.transaction() as tx:
            return await self.put_new_in(tx, name, spec, by=by)

    async def put_new_in(self, tx: Tx, name: str, spec: S, *, by: str) -> Named[S]:
        name, now = plain_name(name, self._noun), self._db.clock.now()
        if await self._repo.get_in(tx, name) is not None:
            raise Conflict(f"there is a {self._noun} {name} already", existing=name)
        await self.check_in(tx, name, spec)
        named = Named(name, spec, 1, now, now)
        await self._repo.put_in(tx, named)
        await self.came_in(tx, name)
        await self._note(tx, "added", None, named, by)
        return named

    async def put(self, name: str, spec: S, *, by: str, revision: int | None) -> Named[S]:
        """In place of the one of this name, if it is at this revision. Raises: NotFound, BadOption, ChangedSince."""
        return await self.edit(name, lambda _: spec, by=by, revision=revision)

    async def edit(self, name: str, edit: Callable[[S], S], *, by: str, revision: int | None) -> Named[S]:
        """Args: edit: of what it is by then. Raises: as `put`."""
        async with self._db.transaction() as tx:
            before = await self._present(tx, name, revision)
            spec = edit(before.spec)
            if before.spec == spec:
                return before
            await self.check_in(tx, name, spec)
            after = replace(before, spec=spec, revision=before.revision + 1, updated_at=self._db.clock.now())
            await self._repo.put_in(tx, after)
            await self._note(tx, "changed", before, after, by)
        return after

    async def remove(self, name: str, *, by: str, revision: int | None = None) -> None:
        """Raises: NotFound, ChangedSince, Conflict."""
        async with self._db.transaction() as tx:
            before = await self._present(tx, name, revision)
            await self.check_removal_in(tx, name)
            await self._repo.remove_in(tx, name)
            await self._note(tx, "removed", before, None, by)

    async def undo(self, number: int, *, by: str) -> str:
        """Make undone what this revision did. Returns: the name. Raises: NotFound; Conflict when it was changed since."""
        async with self._db.transaction() as tx:
            row = await self._revisions.revision_in(tx, number)
            if row is None or row["kind"] != self._kind:
                raise NotFound(f"there is no revision {number} of a {self._noun}")
            name: str = row["subject"]
            present = await self._repo.get_in(tx, name)
            is_as_then = present is None if row["after"] is None else present and present.revision == row["revision"]
            if not is_as_then:
                raise Conflict(f"the {self._noun} {name} was changed since")
            await self._restore(tx, name, present, row["before"], row["revision"] + 1, by)
        return name

    async def _restore(
        self, tx: Tx, name: str, present: Named[S] | None, doc: Mapping[str, Any] | None, revision: int, by: str
    ) -> None:
        now = self._db.clock.now()
        if doc is None:
            await self.check_removal_in(tx, name)
            await self._repo.remove_in(tx, name)
            await self._note(tx, "removed", present, None, by)
            return
        spec = self.parse(doc)
        await self.check_in(tx, name, spec)
        after = Named(name, spec, revision, present.created_at if present else now, now)
        await self._repo.put_in(tx, after)
        if present is None:
            await self.came_in(tx, name)
        await self._note(tx, "restored", present, after, by)

    async def _present(self, tx: Tx, name: str, revision: int | None) -> Named[S]:
        found = self._there(await self._repo.get_in(tx, name), name)
        if revision is not None and revision != found.revision:
            raise ChangedSince(
                f"it was changed meanwhile: it is at revision {found.revision}", revision=found.revision
            )  # fmt: skip
        return found

    async def _note(self, tx: Tx, action: str, before: Named[S] | None, after: Named[S] | None, by: str) -> None:
        named = after or before
        assert named is not None
        revision = named.revision if after is not None else named.revision + 1
        number = await self._revisions.note_in(
            tx, self._kind, named.name, revision=revision, action=action, by=by,
            before=self.render(before.spec) if before else None, after=self.render(after.spec) if after else None,
        )  # fmt: skip
        tx.emit(Happening(f"{self._kind}.changed", named.name, {"action": action, "by": by, "number": number}))

    def _there(self, found: Named[S] | None, name: str) -> Named[S]:
        if found is None:
            raise NotFound(f"there is no {self._noun} {name[:60]}")
        return found
