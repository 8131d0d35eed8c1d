"""A folder of foreign files that is edited while it is obeyed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import pytest

from ouzel.platforms.registry import registry
from ouzel.services.following import PATIENCE, FollowChange, Follower
from ouzel.testing.clock import FakeClock

pytestmark = pytest.mark.anyio
ONE, TWO = "https://live.bilibili.com/1", "https://live.bilibili.com/2"


class Watch:
    """A follower whose looks a test counts."""

    def __init__(self, folder: Path) -> None:
        self.clock = FakeClock()
        self.follower = Follower(folder, registry(), self.clock, sleep=self.clock.sleep)
        self.changes: list[FollowChange] = []

    async def run(self) -> None:
        while True:
            self.changes.append(await self.follower.next_change())

    async def looks(self, number: int) -> list[FollowChange]:
        """What is told in so many more looks, a second apart."""
        self.changes.clear()
        for _ in range(number):
            await self.clock.wait_sleepers(1)
            self.clock.advance(1.0)
        await self.clock.wait_sleepers(1)
        return [*self.changes]


@asynccontextmanager
async def followed(folder: Path) -> AsyncIterator[Watch]:
    watch = Watch(folder)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(watch.run)
        await watch.clock.wait_sleepers(1)
        yield watch
        tasks.cancel_scope.cancel()


@pytest.fixture
def rooms(tmp_path: Path) -> Path:
    path = tmp_path / "URL_config.ini"
    path.write_text(f"{ONE},主播: a\n")
    return path


def write(path: Path, text: str) -> None:
    """`\\x80` alone is no text in any encoding."""
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"\xff\xff\xff\x80\xff" if text == "\x80" else text.encode())


def remove(path: Path) -> None:
    path.unlink()


async def test_it_begins_with_what_is_there(rooms: Path) -> None:
    async with followed(rooms.parent) as watch:
        (change,) = watch.changes
        assert [each.url for each in change.added] == [ONE]
        assert await watch.looks(3) == []


async def test_an_edit_counts_within_three_seconds(rooms: Path) -> None:
    async with followed(rooms.parent) as watch:
        write(rooms, f"# hello\n#{ONE},主播: a\n{TWO}\n")
        (change,) = await watch.looks(2)
        assert [each.url for each in change.added] == [TWO]
        assert [(each.url, each.paused) for each in change.changed] == [(ONE, True)]
        assert change.removed == ()
        write(rooms, f"超清,{TWO}\n")
        (change,) = await watch.looks(2)
        assert [each.url for each in change.removed] == [ONE]
        assert [(each.url, each.quality) for each in change.changed] == [(TWO, "uhd")]


async def test_another_line_number_is_no_change_of_a_channel(rooms: Path) -> None:
    async with followed(rooms.parent) as watch:
        write(rooms, f"\n\n{ONE},主播: a\n")
        (change,) = await watch.looks(2)
        assert not change.is_news


async def test_a_file_that_is_still_being_written_is_waited_for(rooms: Path) -> None:
    async with followed(rooms.parent) as watch:
        for text in (f"{TWO}", f"{TWO}\n{ONE}", f"{TWO}\n{ONE},主播: a", f"{TWO}\n{ONE},主播: a\n#"):
            write(rooms, text)
            assert await watch.looks(1) == []
        (change,) = await watch.looks(1)
        assert [each.url for each in change.added] == [TWO]
        assert change.removed == change.changed == ()


@pytest.mark.parametrize("how", ["empty", "blank", "gone", "noise"])
async def test_a_list_does_not_vanish_with_its_file(how: str, rooms: Path) -> None:
    text = f"{ONE},主播: a\n"
    async with followed(rooms.parent) as watch:
        match how:
            case "gone":
                remove(rooms)
            case "noise":
                write(rooms, "\x80")
            case _:
                write(rooms, "" if how == "empty" else "\n \n")
        assert await watch.looks(PATIENCE - 1) == []
        (change,) = await watch.looks(1)
        assert [(each.file, each.of.line) for each in change.problems] == [(str(rooms), 0)]
        assert change.removed == ()
        assert change.doubtful == (str(rooms),)
        assert [each.url for each in change.plan.channels] == [ONE]
        assert await watch.looks(5) == []  # told once
        write(rooms, text)
        changes = await watch.looks(2)
        assert [each.mended for each in changes] == [(str(rooms),)]
        assert changes[0].removed == changes[0].changed == changes[0].problems == ()


async def test_a_list_that_is_empty_for_a_moment_is_not_even_told_of(rooms: Path) -> None:
    async with followed(rooms.parent) as watch:
        write(rooms, "")
        assert await watch.looks(PATIENCE - 2) == []
        write(rooms, f"{ONE},主播: a\n{TWO}\n")
        (change,) = await watch.looks(2)
        assert [each.url for each in change.added] == [TWO]
        assert change.problems == change.mended == ()


async def test_a_list_that_was_emptied_by_hand_but_for_a_remark_is_empty(rooms: Path) -> None:
    async with followed(rooms.parent) as watch:
        write(rooms, "# nobody\n")
        (change,) = await watch.looks(2)
        assert [each.url for each in change.removed] == [ONE]


async def test_a_list_that_is_empty_from_the_first_is_its_backup_until_it_is_edited(rooms: Path) -> None:
    write(rooms.parent / "backup_config" / "URL_config.ini_2026-01-01_00-00-00", f"{ONE}\n{TWO}\n")
    write(rooms, "")
    async with followed(rooms.parent) as watch:
        assert [each.url for each in watch.changes[0].added] == [ONE, TWO]
        await watch.looks(PATIENCE)
        write(rooms, f"{TWO}\n")
        changes = await watch.looks(2)
        assert [each.url for each in changes[-1].removed] == [ONE]
        write(rooms, "# none\n")
        changes = await watch.looks(2)
        assert [each.url for each in changes[-1].removed] == [TWO]


async def test_a_list_that_is_empty_from_the_first_is_doubtful(rooms: Path) -> None:
    write(rooms, "")
    async with followed(rooms.parent) as watch:
        (change,) = watch.changes
        assert (change.added, change.doubtful) == ((), (str(rooms),))


async def test_settings_and_json_are_obeyed_too(rooms: Path) -> None:
    settings = rooms.with_name("config.ini")
    write(settings, "循环时间(秒) = 60\n直播保存路径 =\n")
    logins = rooms.with_name("config.json")
    write(logins, '{"uids": ["one"]}')
    async with followed(rooms.parent) as watch:
        write(settings, "循环时间(秒) = 90\n")
        write(logins, '{"uids": ["one", "tw')
        (change,) = await watch.looks(2)
        assert [(each.of.target, each.of.value) for each in change.settings] == [("record.interval_s", 90)]
        assert [each.of.target for each in change.settings_removed] == ["storage.recordings"]
        write(logins, '{"uids": ["one", "two"]}')
        (change,) = await watch.looks(2)
        assert [each.url for each in change.added] == ["https://www.twitch.tv/two"]


async def test_a_file_that_comes_later_is_found(rooms: Path) -> None:
    async with followed(rooms.parent) as watch:
        write(rooms.with_name("notes.txt"), "hello")
        assert await watch.looks(PATIENCE + 2) == []
        write(rooms.with_name("more.txt"), TWO)
        (change,) = await watch.looks(2)
        assert [each.url for each in change.added] == [TWO]
