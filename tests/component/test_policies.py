"""Rules that delete, and what owners do with their recordings, over a real database."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import pytest
from sqlalchemy import select
from tests.component.library import Library, library
from tests.served import open_served

from ouzel.base.errors import BadOption, ChangedSince, Conflict, NotFound
from ouzel.model.policies import Per, Rule
from ouzel.model.states import RecordingState
from ouzel.services.library import Library as Owners
from ouzel.services.policies import Policies
from ouzel.store.recordings import RecordingFilter
from ouzel.store.tables import revisions

pytestmark = pytest.mark.anyio
WEEK = Rule(keep_days=7.0)


@pytest.fixture
async def lib(tmp_path: Path) -> AsyncGenerator[Library]:
    async with library(tmp_path) as opened:
        yield opened


@pytest.fixture
def policies(lib: Library) -> Policies:
    return Policies(lib.db)


async def last_number(lib: Library) -> int:
    rows = await lib.db.read(select(revisions.c.number).order_by(revisions.c.number))
    return rows[-1]["number"]


async def test_a_rule_is_made_changed_and_taken_away(lib: Library, policies: Policies) -> None:
    made = await policies.add("  a  week ", WEEK, by="me")
    assert (made.name, made.revision) == ("a week", 1)
    lib.clock.jump(5)
    changed = await policies.change("a week", lambda _: Rule(None, 10**12, 50, Per.ROOT), by="me", revision=1)
    assert (changed.revision, changed.updated_at) == (2, lib.clock.now())
    assert await Policies(lib.db).all() == [changed] == [await policies.get("a week")]
    assert (await policies.change("a week", lambda _: changed.spec, by="me")).revision == 2
    await policies.remove("a week", by="me", revision=2)
    assert await policies.all() == []
    assert await lib.codes() == ["policy.changed"] * 3


async def test_who_edits_what_was_changed_since_is_told(policies: Policies) -> None:
    await policies.add("a", WEEK, by="me")
    await policies.change("a", lambda _: Rule(keep_count=3), by="you")
    with pytest.raises(ChangedSince, match="revision 2"):
        await policies.change("a", lambda _: WEEK, by="me", revision=1)
    with pytest.raises(ChangedSince):
        await policies.remove("a", by="me", revision=1)
    assert (await policies.get("a")).spec == Rule(keep_count=3)


async def test_there_is_no_such_rule_or_there_is_one(policies: Policies) -> None:
    await policies.add("a", WEEK, by="me")
    with pytest.raises(Conflict):
        await policies.add(" a ", WEEK, by="me")
    for call in (policies.get("b"), policies.change("b", lambda _: WEEK, by="me"), policies.remove("b", by="me")):
        with pytest.raises(NotFound):
            await call


@pytest.mark.parametrize(
    ("rule", "pointer"),
    [
        (Rule(), "/keep_days"), (Rule(keep_days=0), "/keep_days"), (Rule(keep_days=float("nan")), "/keep_days"),
        (Rule(keep_days=float("inf")), "/keep_days"), (Rule(keep_bytes=0), "/keep_bytes"),
        (Rule(keep_bytes=1 << 61), "/keep_bytes"), (Rule(keep_count=-1), "/keep_count"),
    ],
)  # fmt: skip
async def test_a_rule_that_makes_no_sense(policies: Policies, rule: Rule, pointer: str) -> None:
    with pytest.raises(BadOption) as caught:
        await policies.add("a", rule, by="me")
    assert caught.value.context["pointer"] == pointer
    assert await policies.all() == []


@pytest.mark.parametrize("name", ["", "  ", "x" * 61, "a\x00b", "a/b"])
async def test_a_name_that_will_not_do(policies: Policies, name: str) -> None:
    with pytest.raises(BadOption):
        await policies.add(name, WEEK, by="me")


async def test_a_rule_that_is_named_stays(lib: Library, policies: Policies) -> None:
    await policies.add("a", WEEK, by="me")
    await lib.channel(settings={"policy": "a"})
    with pytest.raises(Conflict, match="1 channels"):
        await policies.remove("a", by="me")
    await lib.change_channel("c1", settings={})
    recording = await lib.recording(policy="a")
    with pytest.raises(Conflict, match="1 recordings"):
        await policies.remove("a", by="me")
    await lib.change(recording, policy=None)
    await policies.remove("a", by="me")


async def test_every_edit_can_be_undone(lib: Library, policies: Policies) -> None:
    await policies.add("a", WEEK, by="me")
    added = await last_number(lib)
    await policies.change("a", lambda _: Rule(keep_count=3, per=Per.ROOT), by="me")
    changed = await last_number(lib)
    with pytest.raises(Conflict):
        await policies.undo(added, by="me")
    await policies.undo(changed, by="me")
    assert ((await policies.get("a")).spec, (await policies.get("a")).revision) == (WEEK, 3)
    await policies.remove("a", by="me")
    await policies.undo(await last_number(lib), by="me")
    assert (await policies.get("a")).spec == WEEK
    await policies.undo(await last_number(lib), by="me")
    assert await policies.all() == []
    with pytest.raises(NotFound):
        await policies.undo(99, by="me")


# -- recordings --------------------------------------------------------------------------------------------------------


async def test_a_recording_is_edited(lib: Library, policies: Policies) -> None:
    await policies.add("a", WEEK, by="me")
    await lib.channel()
    recording = await lib.recording()
    owners = Owners(lib.db)
    after = await owners.edit(recording.id, by="me", title=" a  new\ntitle ", pinned=True, policy="a")
    assert (after.title, after.pinned, after.policy) == ("a new title", True, "a")
    await owners.edit(recording.id, by="me", pinned=True)
    told = [event for event in await lib.db.events_after(0) if event.code == "recording.changed"]
    assert [(event.data, event.channel_id) for event in told] == [
        ({"title": "a new title", "pinned": True, "policy": "a", "by": "me"}, "c1")
    ]
    assert (await owners.edit(recording.id, by="me", policy="")).policy is None


@pytest.mark.parametrize("words", [{"title": " "}, {"title": "x" * 501}, {"policy": "no such"}])
async def test_an_edit_that_makes_no_sense(lib: Library, words: dict[str, Any]) -> None:
    recording = await lib.recording()
    with pytest.raises(BadOption):
        await Owners(lib.db).edit(recording.id, by="me", **words)
    assert await Owners(lib.db).get(recording.id) == recording


async def test_into_the_trash_and_out_of_it(lib: Library) -> None:
    owners = Owners(lib.db)
    recording = await lib.recording(state=RecordingState.DONE)
    await lib.file(recording, "a.ts")
    assert (await owners.trash(recording.id, by="me")).deleted_at == lib.clock.now()
    assert await owners.page(RecordingFilter()) == []
    assert [each.id for each in await owners.page(RecordingFilter(deleted=True))] == [recording.id]
    with pytest.raises(NotFound, match="trash"):
        await owners.edit(recording.id, by="me", pinned=True)
    with pytest.raises(NotFound):
        await owners.trash(recording.id, by="me")
    assert (await owners.restore(recording.id, by="me")).deleted_at is None
    with pytest.raises(NotFound):
        await owners.restore(recording.id, by="me")
    told = [event.data["removed"] for event in await lib.db.events_after(0) if event.code == "recording.removed"]
    assert told == [True, False]


async def test_what_runs_or_is_pinned_does_not_go_into_the_trash(lib: Library) -> None:
    owners = Owners(lib.db)
    running = await lib.recording()
    pinned = await lib.recording(await lib.broadcast("c2"), state=RecordingState.DONE, pinned=True)
    for recording in (running, pinned):
        with pytest.raises(Conflict):
            await owners.trash(recording.id, by="me")
        assert (await owners.get(recording.id)).deleted_at is None


async def test_two_edits_at_once_are_both_kept(tmp_path: Path) -> None:
    async with open_served(tmp_path) as served, served.client(headers=served.local()) as client:
        await client.post("/api/policies", json={"name": "a", "keep_days": 7})
        async with anyio.create_task_group() as tasks:
            for patch in ({"keep_days": 8}, {"keep_count": 3}):
                tasks.start_soon(partial(client.patch, "/api/policies/a", json=patch))
        [rule] = (await client.get("/api/policies")).json()["items"]
    assert (rule["keep_days"], rule["keep_count"], rule["revision"]) == (8, 3, 3)


async def test_a_rule_that_is_named_is_not_taken_away_by_an_undo(lib: Library, policies: Policies) -> None:
    await policies.add("a", WEEK, by="me")
    await lib.channel(settings={"policy": "a"})
    with pytest.raises(Conflict, match="1 channels"):
        await policies.undo(await last_number(lib), by="me")
    assert (await policies.get("a")).spec == WEEK
