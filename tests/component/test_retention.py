"""Rules are kept over a real database, real files and a real queue."""

from __future__ import annotations

import shutil
from collections.abc import AsyncGenerator
from datetime import timedelta
from pathlib import Path

import pytest
from tests.component.library import library
from tests.retained import DAY_S, ROOT, Gate, Keeper, keeper

from ouzel.base.errors import Conflict, NotFound
from ouzel.model.jobs import NewJob
from ouzel.model.policies import Rule
from ouzel.model.recording import FileState
from ouzel.model.retention import Kept
from ouzel.model.states import RecordingState
from ouzel.services.retention import RetentionRules
from ouzel.services.storage import MARKER
from ouzel.store.jobs import SqliteJobQueue
from ouzel.store.ownership import SqliteOwnership
from ouzel.store.recordings import RecordingRepo
from ouzel.store.retention import RetentionRepo

pytestmark = pytest.mark.anyio


@pytest.fixture
async def keep(tmp_path: Path) -> AsyncGenerator[Keeper]:
    async with keeper(tmp_path) as opened:
        yield opened


async def test_what_is_old_goes_into_the_trash_and_leaves_it_after_a_while(keep: Keeper) -> None:
    await keep.rule("fortnight", Rule(keep_days=14))
    await keep.channel("c1", policy="fortnight")
    old = await keep.recording("who/old.ts", days=14)
    new = await keep.recording("who/new.ts", days=13)

    assert await keep.run() == {"trashed": 1}
    assert (await keep.kept(), await keep.trashed()) == ([new.id], [old.id])
    assert keep.there() == ["who/new.ts", "who/old.ts"]

    keep.lib.clock.jump(6.9 * DAY_S)
    assert (await keep.run())["trashed"] == 1
    assert keep.there() == ["who/new.ts", "who/old.ts"]

    keep.lib.clock.jump(0.2 * DAY_S)
    result = await keep.run()
    assert (result["removed"], result["freed_bytes"] >= 10_000) == (1, True)
    assert keep.all_files() == ["who", "who/new.ledger", "who/new.ts"]
    with pytest.raises(NotFound):
        await keep.owners.get(old.id)
    told = [event for event in await keep.lib.db.events_after(0) if event.subject == old.id]
    assert [event.code for event in told] == ["recording.removed", "recording.deleted"]
    assert (told[0].data, told[0].channel_id) == ({"removed": True, "by": "retention", "why": "age"}, "c1")
    assert (told[1].data["why"], told[1].data["freed_bytes"]) == ("trash", result["freed_bytes"])
    assert await keep.open_notices() == {"retention.freed": {"recordings": 1, "bytes": result["freed_bytes"]}}


async def test_what_is_taken_out_of_the_trash_has_its_time_again(keep: Keeper) -> None:
    await keep.rule("a", Rule(keep_days=14))
    await keep.channel("c1", policy="a")
    old = await keep.recording("old.ts", days=20)
    await keep.run()
    await keep.owners.restore(old.id, by="me")

    assert await keep.run() == {}
    keep.lib.clock.jump(14 * DAY_S)
    assert await keep.run() == {"trashed": 1}


async def test_what_must_stay_stays(keep: Keeper, tmp_path: Path) -> None:
    """Each of these is old enough, and the rule is for all."""
    keep.gates["away"] = Gate("away", tmp_path / "away", min_free_bytes=0, probe_s=0.01)
    await keep.rule("a", Rule(keep_days=1))
    await keep.channel("c1", policy="a")
    await keep.channel("pinned", policy="a", pin=True)
    await keep.channel("gone", policy="a", pin=True)
    await keep.channel("none")
    await keep.recording("pinned.ts", days=30, pinned=True)
    await keep.recording("of a pinned channel.ts", days=30, channel="pinned")
    await keep.recording("of a pinned channel that was removed.ts", days=30, channel="gone")
    await keep.lib.change_channel("gone", deleted_at=keep.lib.clock.now())
    await keep.channels.load()
    await keep.recording("running.ts", days=30, state=RecordingState.RECORDING)
    await keep.recording("may go on.ts", days=30, on_air=True)
    used = await keep.recording("in use.ts", days=30)
    keep.used.add(used.id)
    await keep.recording("without a rule.ts", days=30, channel="none")
    await keep.recording("of no channel.ts", days=30, channel="unheard of")
    lost = await keep.recording("lost.ts", days=30)
    [file] = (await RecordingRepo(keep.lib.db).files([lost.id]))[lost.id]
    async with keep.lib.db.transaction() as tx:
        await RecordingRepo(keep.lib.db).change_file_in(tx, file.id, state=FileState.LOST)
    away = await keep.recording("here.ts", days=30)
    await keep.file(away, "there.ts", root="away", part=2)
    goes = await keep.recording("goes.ts", days=30)
    before = keep.there()

    assert await keep.run() == {"trashed": 1}

    assert await keep.trashed() == [goes.id]
    keep.lib.clock.jump(30 * DAY_S)
    await keep.run()
    assert keep.there() == [path for path in before if path != "goes.ts"]
    assert (tmp_path / "away" / "there.ts").exists()
    plan = (await keep.retention.plan()).plan
    assert {why.value: number for why, number in plan.kept.items()} == {
        "pinned": 3, "not_over": 2, "in_use": 1, "lost": 1, "root_missing": 1,
    }  # fmt: skip


async def test_a_recording_may_have_a_rule_of_its_own(keep: Keeper) -> None:
    await keep.rule("channel's", Rule(keep_days=1))
    await keep.rule("own", Rule(keep_days=100))
    await keep.channel("c1", policy="channel's")
    kept = await keep.recording("kept.ts", days=30, policy="own")
    goes = await keep.recording("goes.ts", days=30)

    await keep.run()
    assert (await keep.kept(), await keep.trashed()) == ([kept.id], [goes.id])

    await keep.owners.edit(kept.id, by="me", policy="")
    assert await keep.run() == {"trashed": 1}


async def test_a_low_disk_empties_the_trash_first_and_then_keeps_free_what_the_rule_says(keep: Keeper) -> None:
    await keep.rule("room", Rule(keep_free=50_000))
    await keep.channel("c1", policy="room")
    await keep.channel("c2")
    trashed = await keep.recording("trashed.ts", days=1, channel="c2")
    await keep.owners.trash(trashed.id, by="me")
    for days in (1, 2, 3):
        await keep.recording(f"{days}.ts", days=days)
    await keep.recording("of no rule.ts", days=9, channel="c2")
    keep.gate.room = 50_000 + 5 * 10_000 - 100  # so much fits beside what is to be free; ledgers are small
    keep.gate.min_free_bytes = -keep.gate.least_bytes
    assert (await keep.run())["removed"] == 1
    assert keep.there() == ["1.ts", "2.ts", "3.ts", "of no rule.ts"]

    keep.gate.room -= 20_000
    assert (await keep.run())["removed"] == 2
    assert keep.there() == ["1.ts", "of no rule.ts"]
    assert "storage.all_pinned" not in await keep.open_notices()

    assert (await keep.open_notices())["retention.freed"]["recordings"] == 2

    keep.gate.room -= 30_000  # others have filled the disk: there would be less than that without any recording
    assert await keep.run() == {}
    assert keep.there() == ["1.ts", "of no rule.ts"]
    notices = await keep.open_notices()
    assert notices["retention.out_of_reach"] == {"root": ROOT, "keep_free": 50_000}
    assert "storage.all_pinned" not in notices
    keep.gate.room += 30_000
    await keep.run()
    assert "retention.out_of_reach" not in await keep.open_notices()


async def test_a_floor_that_cannot_be_kept_is_told_until_it_is(keep: Keeper) -> None:
    await keep.rule("room", Rule(keep_free=50_000))
    await keep.channel("c1", policy="room")
    pinned = await keep.recording("pinned.ts", pinned=True)
    keep.gate.min_free_bytes = -keep.gate.least_bytes
    keep.gate.room = 51_000 + (keep.gate.folder / MARKER).stat().st_size
    held = sum((keep.gate.folder / name).stat().st_size for name in keep.all_files())

    for _ in range(2):
        await keep.run()
        assert await keep.open_notices() == {"storage.all_pinned": {"root": ROOT, "lacks": held - 1000}}
    [notice] = (await keep.notices.not_over()).values()
    assert notice.count == 1

    await keep.owners.edit(pinned.id, by="me", pinned=False)
    assert (await keep.run())["removed"] == 1
    await keep.run()
    assert "storage.all_pinned" not in await keep.open_notices()


async def test_without_a_trash_rules_delete_at_once(tmp_path: Path) -> None:
    async with keeper(tmp_path, RetentionRules(trash=timedelta())) as keep:
        await keep.rule("a", Rule(keep_count=1))
        await keep.channel("c1", policy="a")
        for days in (1, 2):
            await keep.recording(f"{days}.ts", days=days)
        assert (await keep.run())["removed"] == 1
        assert keep.there() == ["1.ts"]
        assert await keep.trashed() == []


async def test_a_disk_that_is_not_mounted(keep: Keeper) -> None:
    await keep.rule("a", Rule(keep_days=1))
    await keep.channel("c1", policy="a")
    old = await keep.recording("old.ts", days=30)
    await keep.owners.trash(old.id, by="me")
    keep.lib.clock.jump(30 * DAY_S)
    shutil.rmtree(keep.gate.folder)
    keep.gate.folder.mkdir()

    assert await keep.run() == {}
    assert await keep.trashed() == [old.id]
    assert await keep.run(await keep.retention.empty(by="me")) == {
        "failed": 1, "why": "the storage root recordings is not mounted",
    }  # fmt: skip
    assert (await keep.owners.get(old.id)).deleting_at is None


async def test_a_disk_that_goes_away_in_the_middle_takes_no_row_with_it(
    keep: Keeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = await keep.recording("old.ts", days=30)
    await keep.owners.trash(old.id, by="me")

    def vanish(*_: object) -> int:
        (keep.gate.folder / MARKER).unlink()
        return 0

    monkeypatch.setattr("ouzel.services.removal.remove_file", vanish)
    assert (await keep.run(await keep.retention.empty(by="me")))["failed"] == 1
    monkeypatch.undo()
    assert await keep.trashed() == [old.id]
    with pytest.raises(Conflict, match="being deleted"):
        await keep.owners.restore(old.id, by="me")

    (keep.gate.folder / MARKER).touch()
    await keep.lib.change(old, pinned=True)  # too late
    assert (await keep.run())["removed"] == 1
    assert (keep.all_files(), await keep.trashed()) == ([], [])
    assert "retention.stuck" not in await keep.open_notices()


async def test_an_old_database_beside_a_full_disk_deletes_nothing(keep: Keeper) -> None:
    await keep.rule("a", Rule(keep_count=1))
    await keep.channel("c1", policy="a")
    for days in (1, 2, 3):
        await keep.recording(f"{days}.ts", days=days)
    forgotten = await keep.recording("forgotten.ts", days=4, size=8_000)
    async with keep.lib.db.transaction() as tx:
        await RetentionRepo(keep.lib.db).delete_in(tx, forgotten.id)

    assert await keep.run() == {}
    assert await keep.trashed() == []
    data = (await keep.open_notices())["retention.held_back"]
    assert (data["root"], data["known"], data["unknown"] >= 8_000) == (ROOT, 30_000, True)

    keep.gate.folder.joinpath("forgotten.ts").write_bytes(bytes(5_000))  # few, beside what is known
    assert await keep.run() == {"trashed": 2}
    assert "retention.held_back" not in await keep.open_notices()


# -- more than one root ------------------------------------------------------------------------------------------------


@pytest.fixture
def nas(keep: Keeper, tmp_path: Path) -> Gate:
    gate = keep.gates["nas"] = Gate("nas", tmp_path / "nas", min_free_bytes=0, probe_s=0.01)
    gate.mark([])
    return gate


async def on_two(keep: Keeper) -> tuple[list[str], list[str]]:
    """Old ones, by root. Returns: their ids."""
    await keep.rule("a", Rule(keep_days=1))
    await keep.channel("c1", policy="a")
    here = [(await keep.recording(f"{days}.ts", days=days)).id for days in (30, 31)]
    there = [(await keep.recording(f"{days}.ts", days=days, root="nas")).id for days in (32, 33)]
    return here, there


async def test_of_two_roots_the_one_that_is_not_mounted_keeps_what_it_has(keep: Keeper, nas: Gate) -> None:
    here, there = await on_two(keep)
    (nas.folder / MARKER).unlink()
    assert await keep.run() == {"trashed": 2}
    assert sorted(await keep.trashed()) == sorted(here)
    assert (await keep.retention.plan()).plan.kept == {Kept.ROOT_MISSING: 2}
    (nas.folder / MARKER).touch()
    assert await keep.run() == {"trashed": 2}
    assert sorted(await keep.trashed()) == sorted(here + there)
    keep.lib.clock.jump(8 * DAY_S)
    assert (await keep.run())["removed"] == 4
    assert ([each.name for each in nas.folder.iterdir()], keep.all_files()) == ([MARKER], [])


async def test_of_two_roots_the_one_that_holds_what_no_row_knows_is_held_back(keep: Keeper, nas: Gate) -> None:
    here, _ = await on_two(keep)
    for number in range(3):
        forgotten = await keep.recording(f"forgotten {number}.ts", days=40, root="nas")
        async with keep.lib.db.transaction() as tx:
            await RetentionRepo(keep.lib.db).delete_in(tx, forgotten.id)
    assert await keep.run() == {"trashed": 2}
    assert sorted(await keep.trashed()) == sorted(here)
    assert (await keep.open_notices())["retention.held_back"]["root"] == "nas"
    assert len([*nas.folder.glob("*.ts")]) == 5


async def test_what_was_moved_is_no_leftover_where_it_was_and_goes_from_both(keep: Keeper, nas: Gate) -> None:
    """As a kill leaves it behind the first transaction of a move."""
    here, there = await on_two(keep)
    repo = RecordingRepo(keep.lib.db)
    for recording_id in here:
        [file] = (await repo.files([recording_id]))[recording_id]
        for ending in ("ts", "ledger"):
            shutil.copy(keep.gate.folder / f"{Path(file.path).stem}.{ending}", nas.folder)
        async with keep.lib.db.transaction() as tx:
            await repo.change_file_in(tx, file.id, root="nas", was_root=ROOT, was_path=file.path)
    kept = await keep.recording("kept.ts", days=0)
    assert await keep.run() == {"trashed": 4}, "the root where they were is not held back"
    keep.lib.clock.jump(8 * DAY_S)
    assert (await keep.run())["removed"] == 4
    assert ([each.name for each in nas.folder.iterdir()], keep.there()) == ([MARKER], ["kept.ts"])
    assert there
    assert await keep.trashed() == [kept.id]


async def test_files_of_others_in_a_root_are_none_of_its_business(keep: Keeper) -> None:
    (keep.gate.folder / "film.ts").write_bytes(bytes(1_000_000))
    await keep.rule("a", Rule(keep_count=1))
    await keep.channel("c1", policy="a")
    for days in (1, 2):
        await keep.recording(f"{days}.ts", days=days)
    assert await keep.run() == {"trashed": 1}


async def test_a_row_that_leads_out_of_its_root_is_left_alone_and_told(keep: Keeper, tmp_path: Path) -> None:
    await keep.rule("a", Rule(keep_days=1))
    await keep.channel("c1", policy="a")
    outside = await keep.recording("../out.ts", days=30)
    linked = await keep.recording("linked.ts", days=30)
    (keep.gate.folder / "linked.ts").rename(tmp_path / "elsewhere.ts")
    (keep.gate.folder / "linked.ts").symlink_to(tmp_path / "elsewhere.ts")
    plain = await keep.recording("plain.ts", days=30)
    await keep.run()
    keep.lib.clock.jump(8 * DAY_S)

    result = await keep.run()

    assert (result["removed"], result["failed"]) == (1, 2)
    assert (tmp_path / "out.ts").exists()
    assert (tmp_path / "elsewhere.ts").exists()
    assert (await keep.open_notices())["retention.stuck"]["recordings"] == 2
    for each in (outside, linked):
        assert (await keep.owners.get(each.id)).deleting_at is None
    with pytest.raises(NotFound):
        await keep.owners.get(plain.id)


async def test_the_trash_is_emptied_of_all_or_of_some(keep: Keeper) -> None:
    await keep.channel("pinned", pin=True)
    made = [await keep.recording(f"{number}.ts") for number in range(3)]
    pinned = await keep.recording("pinned.ts", channel="pinned")
    kept = await keep.recording("kept.ts")
    for each in (*made, pinned):
        await keep.owners.trash(each.id, by="me")

    assert (await keep.run(await keep.retention.empty([made[1].id, kept.id], by="me")))["removed"] == 1
    assert keep.there() == ["0.ts", "2.ts", "kept.ts", "pinned.ts"]
    result = await keep.run(await keep.retention.empty(by="me"))
    assert (result["removed"], result["kept"]) == (2, 1)
    assert keep.there() == ["kept.ts", "pinned.ts"]
    told = [event.data["by"] for event in await keep.lib.db.events_after(0) if event.code == "recording.deleted"]
    assert told == ["me"] * 3


# -- when --------------------------------------------------------------------------------------------------------------


async def test_it_is_looked_at_every_now_and_then_and_put_when_there_is_something_to_do(keep: Keeper) -> None:
    await keep.rule("a", Rule(keep_days=1))
    await keep.channel("c1", policy="a")
    await keep.retention.look()
    await keep.recording("a.ts", days=2)
    keep.lib.clock.advance(3599)
    await keep.retention.look()
    assert await keep.queue.count() == 0

    keep.lib.clock.advance(1)
    await keep.retention.look()
    assert await keep.queue.count() == 1


async def test_it_is_looked_at_sooner_when_a_disk_is_low_but_not_all_the_time(keep: Keeper) -> None:
    await keep.channel("c1")
    await keep.retention.look()
    for number in range(2):
        await keep.owners.trash((await keep.recording(f"{number}.ts")).id, by="me")
        keep.lib.clock.jump(1)
    keep.gate.room = 20_000 + keep.gate.least_bytes - 5_000
    keep.lib.clock.advance(30)
    await keep.retention.look()
    [job] = await keep.queue.page()
    assert (await keep.run(job))["removed"] == 1
    assert keep.there() == ["1.ts"]

    keep.gate.room -= 20_000
    keep.lib.clock.advance(30)
    await keep.retention.look()
    assert await keep.queue.count() == 1
    keep.lib.clock.advance(300)
    await keep.retention.look()
    assert await keep.queue.count() == 2


async def test_switched_off_it_does_nothing_by_itself(tmp_path: Path) -> None:
    async with keeper(tmp_path, RetentionRules(on=False)) as keep:
        await keep.retention.run()  # and does not wait
        await keep.rule("a", Rule(keep_days=1))
        await keep.channel("c1", policy="a")
        await keep.recording("a.ts", days=2)
        assert await keep.run() == {"trashed": 1}  # when somebody asks


async def test_what_a_job_names_is_in_use_until_the_job_is_over(tmp_path: Path) -> None:
    async with library(tmp_path) as lib:
        queue = SqliteJobQueue(lib.db, SqliteOwnership(lib.db, lease_clock=lib.clock.monotonic))
        job = await queue.put(NewJob("anything", {"recording": "r1", "step": 2}, "disk"))
        await queue.put(NewJob("anything", {}, "disk"))
        assert await RetentionRepo(lib.db).in_jobs() == {"r1"}
        await queue.abort(job.id)
        assert await RetentionRepo(lib.db).in_jobs() == set()


async def test_where_deleting_makes_no_room_not_all_is_deleted(keep: Keeper, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ouzel.services.retention._MUCH_BYTES", 15_000)
    await keep.rule("room", Rule(keep_free=30_000, keep_count=4))
    await keep.channel("c1", policy="room")
    for days in range(1, 6):
        await keep.recording(f"{days}.ts", days=days)
    keep.gate.min_free_bytes = -keep.gate.least_bytes
    keep.gate.has_snapshots, keep.gate.room = True, 10_000

    assert (await keep.run())["removed"] == 2
    assert (await keep.open_notices())["retention.in_vain"] == {"root": ROOT, "bytes": 20_000, "free": 10_000}
    assert await keep.run() == {}
    assert keep.there() == ["1.ts", "2.ts", "3.ts"]

    keep.lib.clock.advance(6 * 3600)
    keep.gate.has_snapshots = False
    keep.gate.room = 42_000 + (keep.gate.folder / MARKER).stat().st_size
    assert (await keep.run())["removed"] == 2
    assert "retention.in_vain" not in await keep.open_notices()


async def test_a_disk_that_does_not_say_how_much_is_free_is_not_taken_for_a_full_one(keep: Keeper) -> None:
    await keep.rule("room", Rule(keep_free=1))
    await keep.channel("c1", policy="room")
    await keep.recording("a.ts", days=300)
    await keep.owners.trash((await keep.recording("b.ts", days=300)).id, by="me")
    keep.gate.is_silent = True
    assert await keep.run() == {}
    assert keep.there() == ["a.ts", "b.ts"]
