"""Who did what. Read by administrators."""

from __future__ import annotations

from dataclasses import dataclass

from ouzel.model.users import AuditLine, Principal
from ouzel.store.audit import AuditFilter, AuditRepo
from ouzel.store.db import Db, Tx

_LONGEST = 200  # of what comes from outside


@dataclass(frozen=True, slots=True)
class Client:
    """Where a request came from."""

    address: str = ""
    user_agent: str = ""
    request_id: str = ""


class Audit:
    def __init__(self, db: Db) -> None:
        self._db = db
        self._repo = AuditRepo(db)

    async def note(
        self,
        who: Principal | None,
        what: str,
        *,
        subject: str = "",
        outcome: str = "ok",
        client: Client,
        name: str = "",
    ) -> None:
        """Write a line by itself. `name`: of who is not known by anything else."""
        async with self._db.transaction() as tx:
            await self.note_in(tx, who, what, subject=subject, outcome=outcome, client=client, name=name)

    async def note_in(
        self,
        tx: Tx,
        who: Principal | None,
        what: str,
        *,
        subject: str = "",
        outcome: str = "ok",
        client: Client,
        name: str = "",
    ) -> None:
        """In the transaction of what it tells."""
        line = AuditLine(
            number=0, at=self._db.clock.now(), by=who.by if who else "", name=(who.name if who else name)[:_LONGEST],
            via=who.via.value if who else "", what=what, subject=subject[:_LONGEST], outcome=outcome,
            address=client.address, request_id=client.request_id,
        )  # fmt: skip
        await self._repo.add_in(tx, line)

    async def page(self, wanted: AuditFilter, *, before: int | None, limit: int) -> list[AuditLine]:
        """The latest first."""
        return await self._repo.page(wanted, before=before, limit=limit)

    async def count(self, wanted: AuditFilter) -> int:
        return await self._repo.count(wanted)
