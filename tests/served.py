"""The API in process: services over a real database, and clients that have signed in."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI

from ouzel.api.app import make_app
from ouzel.api.services import ApiRules, Services
from ouzel.model.users import Role, Via
from ouzel.services.audit import Audit
from ouzel.services.auth import Auth, AuthRules
from ouzel.services.events import EventBus
from ouzel.services.health import Health
from ouzel.services.labels import ChannelLabels
from ouzel.services.metrics import Metrics
from ouzel.services.passwords import Passwords
from ouzel.services.secrets import Secrets
from ouzel.services.users import NewUser, Users
from ouzel.store.db import Db, open_db
from ouzel.testing.clock import FakeClock

PASSWORD = "a bird that lives in streams"
ORIGIN = "http://ouzel.test"


@dataclass
class Served:
    """An app with an administrator called `root`, once `open_served` says so."""

    services: Services
    app: FastAPI
    clock: FakeClock

    def client(self, address: str = "192.0.2.7", **more: Any) -> httpx.AsyncClient:
        transport = httpx.ASGITransport(self.app, client=(address, 1), raise_app_exceptions=False)
        return httpx.AsyncClient(transport=transport, base_url=ORIGIN, headers={"origin": ORIGIN}, **more)

    async def signed_in(self, name: str) -> httpx.AsyncClient:
        """A browser."""
        client = self.client()
        answer = await client.post("/api/auth/login", json={"name": name, "password": PASSWORD})
        assert answer.status_code == 200, answer.text
        return client

    async def bearer(self, name: str) -> dict[str, str]:
        """Headers of a program."""
        async with self.client() as client:
            body = {"name": name, "password": PASSWORD, "tokens": "body"}
            token = (await client.post("/api/auth/login", json=body)).json()["access_token"]
        return {"authorization": f"Bearer {token}"}

    async def local(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self.services.auth.tokens.local()}"}

    async def add(self, name: str, role: Role, *labels: str) -> str:
        """An account; its id."""
        who = await self.services.auth.identify(self.services.auth.tokens.local(), Via.LOCAL)
        new = NewUser(name, PASSWORD, role, frozenset(labels))
        return (await self.services.users.add(who, new)).id


@asynccontextmanager
async def open_served(
    folder: Path, rules: ApiRules | None = None, auth_rules: AuthRules | None = None, *, empty: bool = False
) -> AsyncGenerator[Served]:
    clock = FakeClock()
    async with open_db(folder / "ouzel.db", clock) as db:
        services = make_services(db, rules or ApiRules(), auth_rules or AuthRules())
        served = Served(services, make_app(services), clock)
        if not empty:
            await served.add("root", Role.ADMIN)
        yield served
        services.events.close()
        services.auth.close()
        services.labels.close()


def make_services(db: Db, rules: ApiRules, auth_rules: AuthRules) -> Services:
    keys, passwords, audit = Secrets(b"k" * 32), Passwords(cheap=True), Audit(db)
    return Services(
        db=db, secrets=keys, auth=Auth(db, keys, passwords, audit, auth_rules), users=Users(db, passwords), audit=audit,
        events=EventBus(db), labels=ChannelLabels(db), health=Health(db), metrics=Metrics(), rules=rules,
    )  # fmt: skip
