"""Rules that delete: made, changed and taken away, with a revision for each edit. What they delete, retention decides."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any

import anyio.to_thread

from ouzel.base.errors import BadOption, ChangedSince, Conflict, NotFound
from ouzel.model.channel import Layer
from ouzel.model.happening import Happening
from ouzel.model.policies import Per, Policy, Rule, check_rule, policy_name
from ouzel.store.channels import ChannelRepo
from ouzel.store.db import Db, Tx
from ouzel.store.policies import PolicyRepo

KIND = "policy"
"""Of its revisions."""


class Policies:
    """Use cases around rules."""

    kind = KIND

    def __init__(self, db: Db, most_room: Callable[[], int | None] = lambda: None) -> None:
        """Args: most_room: bytes of the largest disk; None: of one nobody knows. Blocking."""
        self._db = db
        self._most_room = most_room
        self._repo = PolicyRepo(db)
        self._revisions = ChannelRepo(db)

    async def all(self) -> list[Policy]:
        """In the order of their names."""
        return await self._repo.all()

    async def get(self, name: str) -> Policy:
        """Raises: NotFound."""
        return _there(await self._repo.get(name), name)

    async def add(self, name: str, rule: Rule, *, by: str) -> Policy:
        """Raises: BadOption; Conflict when there is one of that name."""
        name, now = policy_name(name), self._db.clock.now()
        check_rule(rule, await anyio.to_thread.run_sync(self._most_room))
        async with self._db.transaction() as tx:
            if await self._repo.get_in(tx, name) is not None:
                raise Conflict(f"there is a rule {name} already", existing=name)
            policy = Policy(name, rule, 1, now, now)
            await self._repo.add_in(tx, policy)
            await self._note(tx, "added", None, policy, by)
        return policy

    async def change(self, name: str, edit: Callable[[Rule], Rule], *, by: str, revision: int | None = None) -> Policy:
        """Args: edit: of the rule as it is by then. Raises: NotFound, BadOption; ChangedSince when `revision` is not the present
        one.
        """
        most_room = await anyio.to_thread.run_sync(self._most_room)
        async with self._db.transaction() as tx:
            before = await self._present(tx, name, revision)
            rule = edit(before.rule)
            check_rule(rule, most_room)
            if before.rule == rule:
                return before
            after = replace(before, rule=rule, revision=before.revision + 1, updated_at=self._db.clock.now())
            await self._repo.change_in(tx, after)
            await self._note(tx, "changed", before, after, by)
        return after

    async def remove(self, name: str, *, by: str, revision: int | None = None) -> None:
        """Raises: NotFound; ChangedSince; Conflict while something names it: what it kept would be kept for ever, unseen."""
        async with self._db.transaction() as tx:
            before = await self._present(tx, name, revision)
            held, named = await self._repo.users_in(tx, name)
            if held or named:
                raise Conflict(
                    f"{held} recordings, and settings of {named} channels or layers, name the rule {name}: "
                    "give them another one first",
                    recordings=held, settings=named,
                )  # fmt: skip
            await self._repo.remove_in(tx, name)
            await self._note(tx, "removed", before, None, by)

    async def undo(self, number: int, *, by: str) -> str:
        """Make undone what this revision of a rule did. Returns: its name.

        Raises: NotFound; Conflict when it was changed since.
        """
        async with self._db.transaction() as tx:
            row = await self._revisions.revision_in(tx, number)
            if row is None or row["kind"] != KIND:
                raise NotFound(f"there is no revision {number} of a rule")
            present = await self._repo.get_in(tx, row["subject"])
            is_as_then = present is None if row["after"] is None else present and present.revision == row["revision"]
            if not is_as_then:
                raise Conflict(f"the rule {row['subject']} was changed since")
            await self._restore(tx, row["subject"], present, row["before"], row["revision"] + 1, by)
        return row["subject"]

    async def _restore(
        self, tx: Tx, name: str, present: Policy | None, doc: dict[str, Any] | None, revision: int, by: str
    ) -> None:
        now = self._db.clock.now()
        if doc is None:
            await self._repo.remove_in(tx, name)
            await self._note(tx, "removed", present, None, by)
            return
        rule = Rule(doc["keep_days"], doc["keep_bytes"], doc["keep_count"], Per(doc["per"]), doc["keep_free"])
        if present is None:
            after = Policy(name, rule, revision, now, now)
            await self._repo.add_in(tx, after)
        else:
            after = replace(present, rule=rule, revision=revision, updated_at=now)
            await self._repo.change_in(tx, after)
        await self._note(tx, "restored", present, after, by)

    async def _present(self, tx: Tx, name: str, revision: int | None) -> Policy:
        policy = _there(await self._repo.get_in(tx, name), name)
        if revision is not None and revision != policy.revision:
            raise ChangedSince(
                f"it was changed meanwhile: it is at revision {policy.revision}", revision=policy.revision
            )
        return policy

    async def _note(self, tx: Tx, action: str, before: Policy | None, after: Policy | None, by: str) -> None:
        policy = after or before
        assert policy is not None
        revision = policy.revision if after is not None else policy.revision + 1
        number = await self._revisions.note_in(
            tx, KIND, policy.name, revision=revision, action=action, by=by,
            before=asdict(before.rule) if before else None, after=asdict(after.rule) if after else None,
        )  # fmt: skip
        tx.emit(Happening("policy.changed", policy.name, {"action": action, "by": by, "number": number}))


async def check_named_in(tx: Tx, repo: PolicyRepo, given: Layer) -> None:
    """Whatever else is wrong with these settings is told elsewhere. Raises: BadOption when they name a rule that there is not."""
    name = given.get("policy")
    if isinstance(name, str) and name and await repo.get_in(tx, name) is None:
        raise BadOption(f"there is no rule {name[:60]}", pointer="/policy")


def _there(policy: Policy | None, name: str) -> Policy:
    if policy is None:
        raise NotFound(f"there is no rule {name[:60]}")
    return policy
