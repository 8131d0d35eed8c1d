"""`GET /api/events`: who hears what, from where on, and when it ends."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from datetime import UTC, datetime
from pathlib import Path

import anyio
import pytest
from sqlalchemy import insert, update
from starlette.types import Message
from tests.served import Served, open_served

from ouzel.api.events import EventStream
from ouzel.api.services import ApiRules
from ouzel.model.happening import Happening
from ouzel.model.users import Role, Via
from ouzel.store.tables.channels import channels

pytestmark = pytest.mark.anyio
_AT = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
async def served(tmp_path: Path) -> AsyncGenerator[Served]:
    async with open_served(tmp_path) as opened:
        yield opened


async def _emit(served: Served, *happened: Happening) -> None:
    async with served.services.db.transaction() as tx:
        tx.emit(*happened)


async def _channel(served: Served, name: str, *labels: str) -> None:
    row = {
        "id": name, "addresses": [], "platform": "direct", "name": name, "named_by_user": False, "aliases": [],
        "folder": name, "labels": list(labels), "watch": True, "settings": {}, "revision": 1, "created_at": _AT,
        "updated_at": _AT,
    }  # fmt: skip
    async with served.services.db.transaction() as tx:
        await tx.execute(insert(channels).values(**row))


def _live(channel: str) -> Happening:
    return Happening("broadcast.began", channel + "1", {"title": "早上好"}, channel)


async def test_what_happened_and_what_happens(served: Served) -> None:
    await _emit(served, Happening("layer.changed", "global"), Happening("layer.changed", "platform:huya"))
    async with served.listening("/api/events?after=2", served.local()) as stream:
        ready, stored = await stream.next() or {}, await stream.next() or {}
        await _emit(served, _live("c"))
        new = await stream.next() or {}

    assert (stream.status, ready["event"], ready["id"], ready["retry"]) == (200, "ready", "2", "3000")
    assert (stored["event"], stored["id"]) == ("layer.changed", "3")
    assert (new["event"], new["id"]) == ("broadcast.began", "4")
    assert json.loads(new["data"]) == {
        "number": 4, "at": "2026-01-01T00:00:00+00:00", "code": "broadcast.began", "subject": "c1", "channel_id": "c",
        "data": {"title": "早上好"},
    }  # fmt: skip


async def test_a_browser_that_comes_back_goes_on_where_it_was(served: Served) -> None:
    await _emit(served, *[Happening("layer.changed", str(number)) for number in range(4)])
    headers = served.local() | {"last-event-id": "4"}
    async with served.listening("/api/events?after=1", headers) as stream:
        assert [(await stream.next() or {})["id"] for _ in range(2)] == ["4", "5"]


async def test_only_topics_that_were_asked_for(served: Served) -> None:
    async with served.listening("/api/events?topics=storage,daemon", served.local()) as stream:
        assert await stream.codes(1) == ["ready"]
        await _emit(served, _live("c"), Happening("storage.changed", "s"), Happening("daemon.stopping", ""))
        assert await stream.codes(2) == ["storage.changed", "daemon.stopping"]
    async with served.client(headers=served.local()) as client:
        for wrong in ("topics=weather", "after=-1", "after=x", "after=" + "9" * 19):
            assert (await client.get(f"/api/events?{wrong}")).status_code == 422


async def test_nobody_hears_of_channels_that_they_do_not_see(served: Served) -> None:
    await _channel(served, "news1", "news")
    await _channel(served, "games1", "games")
    await served.add("ann", Role.VIEWER, "news")
    async with served.listening("/api/events", await served.bearer("ann")) as stream:
        assert await stream.codes(1) == ["ready"]
        await _emit(served, _live("games1"), Happening("layer.changed", "global"), _live("news1"), _live("gone"))
        heard = await stream.next() or {}
        assert (heard["event"], json.loads(heard["data"])["channel_id"]) == ("broadcast.began", "news1")

        async with served.services.db.transaction() as tx:
            await tx.execute(update(channels).where(channels.c.id == "games1").values(labels=["games", "news"]))
            tx.emit(Happening("channel.changed", "games1", channel_id="games1"))
        heard = await stream.next() or {}
        assert heard["event"] == "channel.changed"


async def test_for_who_sees_all_channels_none_is_looked_up(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(served.services.labels, "of", asked.append)
    async with served.listening("/api/events", served.local()) as stream:
        await stream.next()
        await _emit(served, _live("c"))
        assert await stream.codes(1) == ["broadcast.began"]
    assert asked == []


async def test_who_may_not_listen_any_more_is_cut_off(served: Served) -> None:
    ann = await served.add("ann", Role.VIEWER)
    async with served.listening("/api/events", await served.bearer("ann")) as stream, served.client() as client:
        assert await stream.codes(1) == ["ready"]
        await client.patch(f"/api/users/{ann}", json={"disabled": True}, headers=served.local())
        await _emit(served, _live("c"))
        assert await stream.next() is None


async def test_signs_of_life_while_nothing_happens_carry_the_place(tmp_path: Path) -> None:
    async with (
        open_served(tmp_path, ApiRules(heartbeat_s=0.01)) as served,
        served.listening("/api/events?topics=storage", served.local()) as stream,
    ):
        assert await stream.codes(1) == ["ready"]
        assert (await stream.next() or {})[""] == "still here"
        await _emit(served, _live("c"))
        while "id" not in (sign := await stream.next() or {}):
            assert "" in sign
        assert sign["id"] == "2"


async def test_who_is_too_far_behind_is_told_and_cut_off(served: Served) -> None:
    await _emit(served, *[Happening("layer.changed", "global")] * 10_001)
    async with served.listening("/api/events?after=0", served.local()) as stream:
        assert (await stream.next() or {})["event"] == "ready"
        resync = await stream.next() or {}
        assert (resync["event"], resync["id"]) == ("resync", "10002")
        assert await stream.next() is None


async def test_who_does_not_read_is_cut_off(tmp_path: Path) -> None:
    async def send(message: Message) -> None:
        if message["type"] == "http.response.body":
            await anyio.sleep_forever()

    async def receive() -> Message:
        await anyio.sleep_forever()
        raise AssertionError

    async with open_served(tmp_path, ApiRules(send_s=0.01)) as served:
        who = await served.services.auth.identify(served.services.auth.tokens.local(), Via.BEARER)
        with anyio.fail_after(10):
            await EventStream(served.services, who, None, frozenset())({"type": "http"}, receive, send)
        assert served.services.events.listeners == 0


async def test_it_ends_when_the_daemon_does(served: Served) -> None:
    async with served.listening("/api/events", served.local()) as stream:
        assert await stream.codes(1) == ["ready"]
        served.services.events.close()
        assert await stream.next() is None
    assert served.services.events.listeners == 0


async def test_it_ends_when_the_listener_goes(served: Served) -> None:
    async with served.listening("/api/events", served.local()) as stream:
        assert await stream.codes(1) == ["ready"]
        assert served.services.events.listeners == 1
    assert served.services.events.listeners == 0
