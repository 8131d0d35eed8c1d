"""Rules that delete: made, changed and taken away. What they delete, retention decides."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import anyio.to_thread

from ouzel.base.errors import BadOption, Conflict
from ouzel.model.channel import Layer
from ouzel.model.policies import Per, Rule, check_rule
from ouzel.services.named import NamedThings
from ouzel.store.db import Db, Tx
from ouzel.store.named import Named
from ouzel.store.policies import PolicyRepo, rule_doc

KIND = "policy"
"""Of its revisions."""


class Policies(NamedThings[Rule]):
    kind = KIND

    def __init__(self, db: Db, most_room: Callable[[], int | None] = lambda: None) -> None:
        """Args: most_room: bytes of the largest disk; None: of one nobody knows. Blocking."""
        self._policies = PolicyRepo(db)
        super().__init__(db, self._policies, KIND, "rule")
        self._most_room = most_room

    def parse(self, doc: Mapping[str, Any]) -> Rule:
        return Rule(doc["keep_days"], doc["keep_bytes"], doc["keep_count"], Per(doc["per"]), doc["keep_free"])

    def render(self, spec: Rule) -> dict[str, Any]:
        return rule_doc(spec)

    async def check_in(self, tx: Tx, name: str, spec: Rule) -> None:  # noqa: ARG002
        check_rule(spec)

    async def check_removal_in(self, tx: Tx, name: str) -> None:
        """What it kept would be kept for ever, unseen."""
        held, named = await self._policies.users_in(tx, name)
        if held or named:
            raise Conflict(
                f"{held} recordings, and settings of {named} channels or layers, name the rule {name}: "
                "give them another one first",
                recordings=held, settings=named,
            )  # fmt: skip

    async def add(self, name: str, rule: Rule, *, by: str) -> Named[Rule]:
        """Raises: BadOption; Conflict when there is one of that name."""
        check_rule(rule, await anyio.to_thread.run_sync(self._most_room))
        return await self.put_new(name, rule, by=by)

    async def change(
        self, name: str, edit: Callable[[Rule], Rule], *, by: str, revision: int | None = None
    ) -> Named[Rule]:
        """Args: edit: of the rule as it is by then. Raises: NotFound, BadOption; ChangedSince when `revision` is not the present
        one.
        """
        most_room = await anyio.to_thread.run_sync(self._most_room)

        def checked(before: Rule) -> Rule:
            rule = edit(before)
            check_rule(rule, most_room)
            return rule

        return await self.edit(name, checked, by=by, revision=revision)


async def check_named_in(tx: Tx, repo: PolicyRepo, given: Layer) -> None:
    """Whatever else is wrong with these settings is told elsewhere. Raises: BadOption when they name a rule that there is not."""
    name = given.get("policy")
    if isinstance(name, str) and name and await repo.get_in(tx, name) is None:
        raise BadOption(f"there is no rule {name[:60]}", pointer="/policy")
