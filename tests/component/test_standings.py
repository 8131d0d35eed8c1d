"""What is known of channels, in a real database: one row each, and history where something changed."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from ouzel.base.errors import Blocked, ConnectFailed, OuzelError
from ouzel.model.evidence import Evidence
from ouzel.model.live import Answer, Identity, Live, Offline
from ouzel.model.standing import Standing
from ouzel.model.stream import Stream
from ouzel.store import standings as module
from ouzel.store.db import Db, open_db
from ouzel.store.standings import StandingRepo
from ouzel.store.tables import standing_history
from ouzel.system.clock import SystemClock

pytestmark = pytest.mark.anyio
AT = datetime(2026, 11, 22, 20, 0, tzinfo=UTC)
WHO = Identity("huya", "1")
LIVE = Live(WHO, "somebody", (Stream("https://a.example/x.flv"),), "A show", "Chess", "https://a.example/x.jpg")
PROOF = Evidence("GET", "https://huya.com/1", 200, "text/html", "<html>", took_s=0.1)


@pytest.fixture
async def db(tmp_path: Path) -> AsyncGenerator[Db]:
    async with open_db(tmp_path / "ouzel.db", SystemClock()) as opened:
        yield opened


def after(before: Standing, outcome: Answer | OuzelError, minutes: int = 0) -> Standing:
    return before.heard(outcome, adapter="own", evidence=(PROOF,), at=AT + timedelta(minutes=minutes))


def test_what_is_known_after_answers() -> None:
    first = after(Standing("c1", AT), LIVE)
    blocked = after(first, Blocked("a captcha"), 1)
    again = after(blocked, Blocked("a captcha"), 2)
    off = after(again, Offline(WHO, available_at=AT + timedelta(hours=9)), 3)
    assert [(s.state, s.code, s.errors, s.since) for s in (first, blocked, again, off)] == [
        ("live", None, 0, AT),
        ("blocked", "blocked", 1, AT + timedelta(minutes=1)),
        ("blocked", "blocked", 2, AT + timedelta(minutes=1)),
        ("offline", None, 0, AT + timedelta(minutes=3)),
    ]
    assert (blocked.title, blocked.why, again.is_other(blocked)) == ("A show", "a captcha", False)
    assert after(blocked, ConnectFailed("?"), 2).is_other(blocked)  # blocked still, and for another reason
    assert off.available_at == AT + timedelta(hours=9)
    assert after(off, LIVE, 4).available_at is None


async def test_each_channel_has_one_row_and_changes_are_kept_with_their_proof(db: Db) -> None:
    repo, first = StandingRepo(db), after(Standing("c1", AT), LIVE)
    second = after(first, Blocked("a captcha"), 1)
    async with db.transaction() as tx:
        await repo.change_in(tx, first, "unknown")
        await repo.change_in(tx, second, "live")
        await repo.put_in(tx, after(Standing("c2", AT), Offline(WHO)), after(second, Blocked("a captcha"), 2))

    assert await repo.get("c1") == after(second, Blocked("a captcha"), 2)
    assert await repo.get("c3") is None
    known = await repo.all()
    assert {name: (s.state, s.errors, s.evidence) for name, s in known.items()} == {
        "c1": ("blocked", 2, ()),
        "c2": ("offline", 0, ()),
    }
    history = await repo.history("c1")
    assert [(row["state"], row["code"], row["evidence"][0]["status"]) for row in history] == [
        ("blocked", "blocked", 200),
        ("live", None, 200),
    ]
    assert [row["state"] for row in await repo.history("c1", before=history[0]["number"])] == ["live"]
    told = await db.events_after(0)
    assert [(e.code, e.channel_id, e.data["before"], e.data["state"]) for e in told] == [
        ("channel.standing", "c1", "unknown", "live"),
        ("channel.standing", "c1", "live", "blocked"),
    ]
    assert told[1].data["evidence"] == [PROOF.fields()]


async def test_history_is_cut_for_each_channel(db: Db, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "KEPT", 5)
    repo = StandingRepo(db)
    async with db.transaction() as tx:
        for minute in range(9):
            for channel in ("c1", "c2") if minute < 3 else ("c1",):
                await repo.change_in(tx, after(Standing(channel, AT), LIVE, minute), "unknown")
    counted = select(standing_history.c.channel_id, func.count()).group_by(standing_history.c.channel_id)
    assert {row["channel_id"]: row["count_1"] for row in await db.read(counted)} == {"c1": 5, "c2": 3}
    assert (await repo.history("c1"))[0]["at"] == AT + timedelta(minutes=8)
