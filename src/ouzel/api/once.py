"""Creations that are made once, however often they are asked for: `Idempotency-Key`.

async def add_user(body: UserIn, once: Once, …) -> Response:
    async def make() -> Made:
        user = await services.users.add(who, body.wanted())
        return Made(UserOut.of(user), f"/api/users/{user.id}")

    return await once.answer(make)
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Annotated, TypeAlias

import anyio
from fastapi import Depends, Header, Request
from pydantic import BaseModel
from starlette.responses import Response

from ouzel.api.auth import SignedIn
from ouzel.api.services import Served, Services
from ouzel.base.errors import Conflict, KeyReused
from ouzel.model.users import Principal
from ouzel.store.idempotency import Kept, keep_in, release_in, reserve_in

_KEPT_FOR = timedelta(hours=24)
_WORK = timedelta(minutes=2)
"""That making something may take; after a crash in its middle the key is free again."""


@dataclass(frozen=True, slots=True)
class Made:
    """What was created."""

    shown: BaseModel
    location: str
    """Its address."""
    status: int = 201


class Creation:
    def __init__(self, services: Services, who: Principal, key: str | None, fingerprint: str) -> None:
        self._services = services
        self._who = who
        self._key = key
        self._fingerprint = fingerprint

    async def answer(self, make: Callable[[], Awaitable[Made]]) -> Response:
        """The answer, made now or before. What `make` raises makes the key free again.

        Raises: KeyReused, Conflict: the first such request is still at work.
        """
        if self._key is None:
            return _respond(await make())
        now = self._services.db.clock.now()
        wanted = Kept(self._who.by, self._key, self._fingerprint, None, {}, None, now + _WORK)
        async with self._services.db.transaction() as tx:
            before = await reserve_in(tx, wanted, now)
        if before is not None:
            return self._again(before)
        done = False
        try:
            response = _respond(await make())
            done = True
        finally:
            if not done:
                with anyio.CancelScope(shield=True):
                    async with self._services.db.transaction() as tx:
                        await release_in(tx, wanted.by, wanted.key)
        sealed = self._services.secrets.box.seal(bytes(response.body).decode())
        headers = {"Location": response.headers["Location"]}
        answer = replace(wanted, status=response.status_code, headers=headers, body=sealed, expires_at=now + _KEPT_FOR)
        async with self._services.db.transaction() as tx:
            await keep_in(tx, answer)
        return response

    def _again(self, before: Kept) -> Response:
        if before.fingerprint != self._fingerprint:
            raise KeyReused("this Idempotency-Key came with another request before")
        if before.status is None or before.body is None:
            raise Conflict("the first request with this Idempotency-Key is still at work")
        headers = {**before.headers, "Idempotency-Replayed": "true"}
        body = self._services.secrets.box.open(before.body)
        return Response(body, before.status, headers, "application/json")


def _respond(made: Made) -> Response:
    return Response(made.shown.model_dump_json(), made.status, {"Location": made.location}, "application/json")


async def _creation(
    request: Request,
    services: Served,
    who: SignedIn,
    idempotency_key: Annotated[
        str | None,
        Header(min_length=1, max_length=200, description="The same one gives the same answer again, for a day"),
    ] = None,
) -> Creation:
    text = b"\n".join((request.method.encode(), str(request.url.path).encode(), await request.body()))
    return Creation(services, who, idempotency_key, hashlib.sha256(text).hexdigest())


Once: TypeAlias = Annotated[Creation, Depends(_creation)]
"""As a parameter of a route that creates something."""
