"""Targets, routes and messages over the API."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any, cast

import httpx
import pytest
from tests.served import Served, open_served

from ouzel.base.errors import TargetRefused
from ouzel.model.targets import KINDS
from ouzel.model.users import Role
from ouzel.services.telling import Telling
from ouzel.services.telling_out import Outbox
from ouzel.testing.messages import FakeSending

pytestmark = pytest.mark.anyio
PHONE: dict[str, Any] = {"name": "phone", "kind": "ntfy", "settings": {"url": "https://ntfy.sh/SECRET"}}
LIVE: dict[str, Any] = {"name": "live", "targets": ["phone"], "events": ["storage.*"]}


@pytest.fixture
async def served(tmp_path: Path) -> AsyncGenerator[Served]:
    async with open_served(tmp_path) as opened:
        yield opened


@pytest.fixture
async def root(served: Served) -> AsyncGenerator[httpx.AsyncClient]:
    async with served.signed_in("root") as client:
        yield client


def sending(served: Served) -> FakeSending:
    return cast("FakeSending", served.services.targets._senders)


async def test_targets_come_and_go_and_show_no_secret(root: httpx.AsyncClient, served: Served) -> None:
    made = await root.post("/api/targets", json=PHONE | {"quiet": [{"from": "23:00", "to": "07:00"}], "loud": "error"})
    assert made.status_code == 201, made.text
    assert (made.json()["settings"], made.json()["quiet"][0]["from"]) == ({"url": "•••"}, "23:00")
    assert (await root.post("/api/targets", json=PHONE)).json()["code"] == "conflict"
    changed = await root.patch("/api/targets/phone", json={"settings": {"url": "•••", "tags": ["tada"]}})
    assert changed.json()["settings"] == {"url": "•••", "tags": ["tada"]}
    assert changed.json()["quiet"]
    old = await root.patch("/api/targets/phone", json={"enabled": False}, headers={"if-match": 'W/"1-0"'})
    assert old.status_code == 412
    assert "SECRET" not in (await root.get("/api/targets")).text + (await root.get("/api/revisions")).text
    bad = await root.post("/api/targets", json=PHONE | {"name": "x", "settings": {"url": "https://a/b", "colour": 1}})
    assert (bad.status_code, bad.json()["code"]) == (422, "bad_option")
    assert bad.json()["errors"][0]["pointer"] == "/settings/colour"
    assert {each["kind"] for each in (await root.get("/api/target-kinds")).json()["items"]} == KINDS.keys()
    assert (await root.delete("/api/targets/phone")).status_code == 204


async def test_a_test_says_what_came_of_it(root: httpx.AsyncClient, served: Served) -> None:
    await root.post("/api/targets", json=PHONE)
    assert (await root.post("/api/targets/phone/test")).json() == {"sent": True, "code": None, "why": None}
    assert len(sending(served).sent) == 1
    sending(served).errors["ntfy"] = [TargetRefused("forbidden")]
    said = await root.post("/api/targets/phone/test")
    assert said.json() == {"sent": False, "code": "target_refused", "why": "forbidden"}
    assert (await root.post("/api/targets/nobody/test")).status_code == 404


async def test_routes_and_what_they_bring_about(root: httpx.AsyncClient, served: Served) -> None:
    await root.post("/api/targets", json=PHONE)
    services = served.services
    outbox = Outbox(services.db, services.targets, sending(served), services.notices)
    telling = Telling(services.db, services.channels, outbox)
    await telling.look()
    made = await root.post("/api/routes", json=LIVE)
    assert (made.status_code, made.json()["debounce_s"]) == (201, None)
    bad = await root.patch("/api/routes/live", json={"title": "{streamer}"})
    assert (bad.status_code, bad.json()["errors"][0]["pointer"]) == (422, "/title")
    assert (await root.delete("/api/targets/phone")).json()["code"] == "conflict"
    sending(served).errors["ntfy"] = [TargetRefused("forbidden")]
    await services.notices.raise_notice("storage.low:r", "storage.low", data={"root": "r"})
    await telling.look()
    await outbox.send_due("phone")
    [message] = (await root.get("/api/messages", params={"state": "failed"})).json()["items"]
    assert (message["route"], message["why"]) == ("live", "forbidden")
    again = await root.post(f"/api/messages/{message['id']}/retry")
    assert again.json()["state"] == "waiting"
    await outbox.send_due("phone")
    assert (await root.get("/api/messages")).json()["items"][0]["state"] == "sent"
    assert (await root.post(f"/api/messages/{message['id']}/retry")).status_code == 409
    assert (await root.delete("/api/routes/live")).status_code == 204
    revision = (await root.get("/api/revisions")).json()["items"][0]
    assert (revision["kind"], revision["action"]) == ("route", "removed")
    assert (await root.post(f"/api/revisions/{revision['number']}/undo")).status_code == 200
    assert [each["name"] for each in (await root.get("/api/routes")).json()["items"]] == ["live"]


async def test_only_administrators_change_them(served: Served, root: httpx.AsyncClient) -> None:
    await root.post("/api/targets", json=PHONE)
    await served.add("anna", Role.EDITOR)
    async with served.signed_in("anna") as editor, served.client() as nobody:
        assert (await editor.get("/api/targets")).status_code == 200
        for path, body in (("targets", PHONE), ("routes", LIVE), ("targets/phone/test", {})):
            assert (await editor.post(f"/api/{path}", json=body)).status_code == 403
            assert (await nobody.post(f"/api/{path}", json=body)).status_code == 401
        for path in ("targets", "routes", "messages"):
            assert (await nobody.get(f"/api/{path}")).status_code == 401
