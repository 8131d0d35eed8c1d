"""What somebody should know, over a real database."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import anyio
import pytest
from sqlalchemy import insert
from tests.component.library import Library, library

from ouzel.base.errors import NotFound
from ouzel.model.notices import Severity, Trouble
from ouzel.model.ownership import TaskState, TaskView
from ouzel.model.states import RecordingState
from ouzel.services.notices import Notices
from ouzel.services.noticing import NOT_RECORDED_S, TROUBLE_S, Noticing
from ouzel.store.notices import NoticeFilter
from ouzel.store.tables import pipeline_runs

pytestmark = pytest.mark.anyio


@pytest.fixture
async def lib(tmp_path: Path) -> AsyncGenerator[Library]:
    async with library(tmp_path) as opened:
        yield opened


@pytest.fixture
def notices(lib: Library) -> Notices:
    return Notices(lib.db)


async def open_codes(notices: Notices) -> list[str]:
    return sorted(notice.code for notice in await notices.page())


# -- one notice for each thing ----------------------------------------------------------------------------------------


async def test_what_happens_again_is_counted_and_told_once(lib: Library, notices: Notices) -> None:
    first = await notices.raise_notice("hook.failed:a", "hook.failed", data={"hook": "a", "why": "code 1"})
    lib.clock.jump(60)
    again = await notices.raise_notice("hook.failed:a", "hook.failed", data={"hook": "a", "why": "code 2"})
    assert (first.count, again.count, again.id) == (1, 2, first.id)
    assert (again.severity, again.data["why"], again.last_at) == (Severity.WARNING, "code 2", lib.clock.now())
    assert await lib.codes() == ["notice.raised"]


async def test_it_is_over_and_then_a_new_one(lib: Library, notices: Notices) -> None:
    first = await notices.raise_notice("k", "files.recovered")
    assert await notices.over("k")
    assert not await notices.over("k")
    second = await notices.raise_notice("k", "files.recovered")
    assert second.id != first.id
    assert [each.id for each in await notices.page()] == [second.id]
    assert await lib.codes() == ["notice.raised", "notice.over", "notice.raised"]


async def test_what_was_dismissed_does_not_come_back_until_it_was_over(lib: Library, notices: Notices) -> None:
    first = await notices.raise_notice("k", "storage.low")
    dismissed = await notices.dismiss(first.id, by="user-1")
    assert (dismissed.dismissed_at, dismissed.dismissed_by) == (lib.clock.now(), "user-1")
    assert (await notices.raise_notice("k", "storage.low")).count == 2
    assert await notices.page() == []
    await notices.over("k")
    await notices.raise_notice("k", "storage.low")
    assert await open_codes(notices) == ["storage.low"]
    assert await lib.codes() == ["notice.raised", "notice.over", "notice.raised"]


async def test_there_is_no_such_notice(notices: Notices) -> None:
    with pytest.raises(NotFound):
        await notices.dismiss("nothing", by="me")


async def test_a_list_goes_on_where_its_last_page_ended(lib: Library, notices: Notices) -> None:
    made = [  # at the same instant: the id decides
        await notices.raise_notice(f"k{number}", "hook.failed", channel_id=f"c{number % 2}") for number in range(5)
    ]
    whole = await notices.page(limit=100)
    assert {each.id for each in whole} == {each.id for each in made}
    pages, last = [], None
    while page := await notices.page(before=last, limit=2):
        pages += page
        last = (page[-1].raised_at, page[-1].id)
    assert pages == whole
    assert {each.channel_id for each in await notices.page(NoticeFilter(channels=["c1"]))} == {"c1"}
    await notices.over("k0")
    assert await notices.count() == 4
    assert await notices.count(NoticeFilter(is_open=None)) == 5
    assert await notices.count(NoticeFilter(severities=["error"])) == 0


# -- what is so --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", ["blocked", "needs_login", "region_locked", "broken", "gone"])
async def test_a_channel_that_nobody_hears_of_for_minutes(lib: Library, notices: Notices, state: str) -> None:
    noticing = Noticing(lib.db, notices)
    await lib.channel()
    await lib.stands("c1", state, code=state)
    lib.clock.jump(299)
    await noticing.look()
    assert await notices.page() == []
    lib.clock.jump(2)
    await noticing.look()
    await noticing.look()
    [notice] = await notices.page()
    assert (notice.code, notice.channel_id, notice.count) == (f"channel.{state}", "c1", 1)
    assert notice.data == {"name": "name of c1", "platform": "huya", "code": state, "why": f"why {state}"}
    await lib.stands("c1", "offline")
    await noticing.look()
    assert await notices.page() == []


async def test_nobody_is_told_of_a_channel_that_is_not_watched(lib: Library, notices: Notices) -> None:
    await lib.channel()
    await lib.stands("c1", "blocked")
    lib.clock.jump(1000)
    noticing = Noticing(lib.db, notices)
    await noticing.look()
    assert await open_codes(notices) == ["channel.blocked"]
    await lib.change_channel("c1", watch=False)
    await noticing.look()
    assert await notices.page() == []


async def test_a_platform_that_blocks_is_one_notice_and_not_one_for_each_channel(
    lib: Library, notices: Notices
) -> None:
    for number in range(9):
        await lib.channel(f"c{number}", "huya" if number else "douyu")
        await lib.stands(f"c{number}", "blocked", code="blocked")
    lib.clock.jump(1000)
    await Noticing(lib.db, notices).look()
    assert await open_codes(notices) == ["channel.blocked", "platform.blocked"]
    [notice] = await notices.page(NoticeFilter(codes=["platform.blocked"]))
    assert (notice.data["platform"], notice.data["channels"]) == ("huya", 8)
    await lib.stands("c1", "offline")
    await Noticing(lib.db, notices).look()
    [restated] = await notices.page(NoticeFilter(codes=["platform.blocked"]))
    assert (restated.id, restated.data["channels"]) == (notice.id, 7)


async def test_on_air_for_minutes_and_nothing_recorded(lib: Library, notices: Notices) -> None:
    noticing = Noticing(lib.db, notices)
    await lib.channel()
    broadcast = await lib.broadcast()
    await noticing.look()
    recording = await lib.recording(broadcast, state=RecordingState.CONNECTING)
    lib.clock.jump(NOT_RECORDED_S - 1)
    await noticing.look()
    assert await notices.page() == []
    lib.clock.jump(2)
    await noticing.look()
    assert await open_codes(notices) == ["broadcast.not_recorded"]
    await lib.change(recording, state=RecordingState.RECORDING, bytes=5)
    await noticing.look()
    assert await notices.page() == []
    lib.clock.jump(NOT_RECORDED_S + 1)  # it says that it records, and no byte comes
    await noticing.look()
    assert await open_codes(notices) == ["broadcast.not_recorded"]


async def test_a_recording_that_grows_is_well(lib: Library, notices: Notices) -> None:
    noticing = Noticing(lib.db, notices)
    await lib.channel()
    recording = await lib.recording(bytes=1)
    for number in range(2, 9):
        await noticing.look()
        lib.clock.jump(60)
        await lib.change(recording, bytes=number)
    assert await notices.page(NoticeFilter(is_open=None)) == []


async def test_what_is_not_to_be_recorded_is_not_missed(lib: Library, notices: Notices) -> None:
    noticing = Noticing(lib.db, notices)
    await lib.channel()
    recording = await lib.recording(state=RecordingState.PAUSED)  # the disk is full, and that is told already
    assert recording.bytes == 0
    await noticing.look()
    lib.clock.jump(1000)
    await noticing.look()
    assert await notices.page() == []


async def test_a_recording_in_trouble_and_one_that_failed(lib: Library, notices: Notices) -> None:
    noticing = Noticing(lib.db, notices)
    await lib.channel()
    recording = await lib.recording(state=RecordingState.PARKED, bytes=7, code="stalled", why="no bytes")
    await noticing.look()
    lib.clock.jump(TROUBLE_S + 1)
    await noticing.look()
    assert await open_codes(notices) == ["recording.trouble"]
    await lib.change(
        recording, state=RecordingState.DONE, end_reason="failed", ended_at=lib.clock.now(), code="encrypted"
    )
    async with lib.db.transaction() as tx:
        from sqlalchemy import update

        from ouzel.store.tables import broadcasts

        await tx.execute(update(broadcasts).values(state="ended"))
    await noticing.look()
    assert await open_codes(notices) == ["recording.failed"]
    await lib.change(recording, deleted_at=lib.clock.now())
    await noticing.look()
    assert await notices.page() == []


async def test_after_a_new_start_what_is_so_still_stays_told(lib: Library, notices: Notices) -> None:
    before = Noticing(lib.db, notices)
    await lib.channel()
    await lib.recording(state=RecordingState.CONNECTING)
    await before.look()
    lib.clock.jump(1000)
    await before.look()
    assert await open_codes(notices) == ["broadcast.not_recorded"]
    await Noticing(lib.db, notices).look()
    assert await open_codes(notices) == ["broadcast.not_recorded"]
    assert (await lib.codes()).count("notice.over") == 0


async def test_other_rooms_tell_what_is_wrong_with_them(lib: Library, notices: Notices) -> None:
    wrong = [Trouble("storage.low:a", "storage.low", {"root": "a"})]

    async def source() -> list[Trouble]:
        return wrong

    noticing = Noticing(lib.db, notices, sources=[source])
    await noticing.look()
    await notices.raise_notice("follow.problem:/x", "follow.problem")  # where it happens, and not ours to end
    wrong.clear()
    await noticing.look()
    assert await open_codes(notices) == ["follow.problem"]


@pytest.mark.parametrize("code", ["pipeline.missing", "hook.failed", "target.failed", "retention.stuck"])
async def test_what_is_raised_where_it_happens_is_over_where_it_ends(lib: Library, notices: Notices, code: str) -> None:
    await notices.raise_notice(f"{code}:a", code)
    await Noticing(lib.db, notices).look()
    assert await open_codes(notices) == [code]


async def test_a_run_that_failed_is_told_until_its_recording_is_removed(lib: Library, notices: Notices) -> None:
    await lib.channel()
    recording = await lib.recording(state=RecordingState.DONE)
    run: dict[str, Any] = {
        "id": "run1", "pipeline": "p", "recording_id": recording.id, "steps": [{"step": "thumbnails"}], "at": 0,
        "taken": [], "files": [], "skipped": [], "state": "failed", "job_id": "j", "by": "", "created_at": lib.clock.now(),
    }  # fmt: skip
    async with lib.db.transaction() as tx:
        await tx.execute(insert(pipeline_runs).values(run))
    await notices.raise_notice("pipeline.failed:run1", "pipeline.failed")
    noticing = Noticing(lib.db, notices)
    await noticing.look()
    assert await open_codes(notices) == ["pipeline.failed"]
    await lib.change(recording, deleted_at=lib.clock.now())
    await noticing.look()
    assert await notices.page() == []


async def test_a_task_that_crashed_and_is_well_again(lib: Library, notices: Notices) -> None:
    def view(state: TaskState, since_s: float, code: str = "internal") -> TaskView:
        return TaskView("poll:huya", "poll", state, since_s, 1, 3, "KeyError: 'x'", code)

    tasks = [view(TaskState.HELD, 1.0)]
    noticing = Noticing(lib.db, notices, tasks=lambda: tasks)
    await notices.crashed(view(TaskState.HELD, 1.0, code="network"))  # on purpose: no bug
    assert await notices.page() == []
    await notices.crashed(tasks[0])
    [notice] = await notices.page()
    assert (notice.code, notice.data) == (
        "task.crashed", {"task": "poll:huya", "why": "KeyError: 'x'", "restarts": 3},
    )  # fmt: skip
    tasks[:] = [view(TaskState.RUNNING, 599.0)]
    await noticing.look()
    assert await open_codes(notices) == ["task.crashed"]
    tasks[:] = [view(TaskState.RUNNING, 601.0)]
    await noticing.look()
    assert await notices.page() == []


async def test_it_looks_at_once_when_something_happens(lib: Library, notices: Notices) -> None:
    looked: list[int] = []
    again = anyio.Event()

    async def source() -> list[Trouble]:
        looked.append(len(looked))
        if len(looked) == 2:
            again.set()
        return []

    async def sleep(seconds: float) -> None:
        if seconds > 10:
            await anyio.sleep_forever()

    noticing = Noticing(lib.db, notices, sources=[source], sleep=sleep)
    end = lib.db.listen(noticing.hear)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(noticing.run)
        await anyio.wait_all_tasks_blocked()
        while not looked:
            await anyio.lowlevel.checkpoint()
        await notices.raise_notice("k", "hook.failed")  # not one of those
        async with lib.db.transaction() as tx:
            from ouzel.model.happening import Happening

            tx.emit(Happening("storage.changed", "recordings"))
        with anyio.fail_after(10):
            await again.wait()
        tasks.cancel_scope.cancel()
    end()
