"""What an import does to the database, and a followed folder that is edited while it is obeyed."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from pathlib import Path

import anyio
import pytest
from tests.component.newsroom import Box

from ouzel.base.errors import OuzelError, StorageError
from ouzel.model.channel import Channel
from ouzel.platforms.registry import registry
from ouzel.services.adoption import plan_adoption
from ouzel.services.channel_forms import NewChannel
from ouzel.services.channels import Channels
from ouzel.services.following import Follower
from ouzel.services.import_files import gather
from ouzel.services.imports import plan_import
from ouzel.services.notices import Notices
from ouzel.services.taking_over import Obedience, TakingOver
from ouzel.store.db import Db, open_db
from ouzel.store.recordings import RecordingFilter, RecordingRepo
from ouzel.system.clock import SystemClock

pytestmark = pytest.mark.anyio
_ROOMS = """https://live.bilibili.com/21495945,主播: 小明
#超清,https://live.douyin.com/123456789,主播: 小红
https://www.huya.com/lpl
"""


@dataclass
class House:
    db: Db
    channels: Channels
    taking_over: TakingOver
    folder: Path

    def rooms(self, text: str) -> Path:
        path = self.folder / "config" / "URL_config.ini"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, "utf-8-sig")
        return path

    def names(self) -> list[tuple[str, bool]]:
        return [(channel.name, channel.watch) for channel in self.channels.all()]

    def by_name(self, name: str) -> Channel:
        return next(channel for channel in self.channels.all() if channel.name == name)


@pytest.fixture
async def house(tmp_path: Path) -> AsyncGenerator[House]:
    async with open_db(tmp_path / "ouzel.db", SystemClock()) as db:
        channels = Channels(db, Box())
        await channels.load()
        yield House(db, channels, TakingOver(db, channels, {"recordings": tmp_path / "media"}), tmp_path)


async def test_an_import_adds_what_is_not_there_and_is_undone_as_a_whole(house: House) -> None:
    plan = plan_import(gather([house.rooms(_ROOMS)]), registry())
    taken = await house.taking_over.apply(plan, by="me")
    again = await house.taking_over.apply(plan, by="me")
    assert (len(taken.added), len(again.added), len(again.already)) == (3, 0, 3)
    assert house.names() == [("小明", True), ("小红", False), ("lpl", True)]
    assert house.by_name("小红").settings["quality"] == ["uhd"]
    (number, *_) = [event.data["number"] for event in await house.db.events_after(0)]
    await house.channels.undo(number, by="me")
    assert house.names() == []


async def test_recordings_on_the_disk_are_adopted_once_and_left_where_they_are(house: House) -> None:
    media = house.folder / "media" / "抖音直播" / "小红"
    media.mkdir(parents=True)
    for number in range(2):
        (media / f"小红_2026-01-02_20-00-00_{number:03}.ts").write_bytes((b"G" + bytes(187)) * 50)
    (media / "小红_2026-01-03_20-00-00.ts").write_bytes((b"G" + bytes(187)) * 50)
    await house.taking_over.apply(plan_import(gather([house.rooms(_ROOMS)]), registry()), by="me")
    plan = plan_adoption(house.folder / "media")

    first, second = await house.taking_over.adopt(plan, by="me"), await house.taking_over.adopt(plan, by="me")

    assert (first.recordings, first.known, second.recordings, second.known) == (2, 0, 0, 2)
    repo = RecordingRepo(house.db)
    recordings = [*reversed(await repo.page(RecordingFilter()))]
    assert [recording.channel_id for recording in recordings] == [house.by_name("小红").id] * 2
    files = await repo.files([recording.id for recording in recordings])
    assert [[file.path for file in files[recording.id]] for recording in recordings] == [
        ["抖音直播/小红/小红_2026-01-02_20-00-00_000.ts", "抖音直播/小红/小红_2026-01-02_20-00-00_001.ts"],
        ["抖音直播/小红/小红_2026-01-03_20-00-00.ts"],
    ]
    assert len([*media.iterdir()]) == 3


async def test_a_followed_list_is_the_truth_for_its_channels_and_for_no_others(house: House) -> None:
    own = await house.taking_over.apply(
        plan_import(gather([_other(house, "https://www.huya.com/mine,主播: mine\n")]), registry()), by="me"
    )
    assert len(own.added) == 1
    path = house.rooms(_ROOMS)
    obedience = Obedience(house.channels, Notices(house.db), _follower(path), path.parent)

    await _look(obedience, 1)
    assert house.names() == [("mine", True), ("小明", True), ("小红", False), ("lpl", True)]
    assert house.by_name("小红").settings["mode"] == "manual"  # what is paused is not recorded on

    house.rooms(_ROOMS.replace("#超清,", "流畅,").replace("https://www.huya.com/lpl\n", ""))
    await _look(obedience, 3)
    assert house.names() == [("mine", True), ("小明", True), ("小红", True)]
    changed = house.by_name("小红").settings
    assert (changed["quality"], changed.get("mode")) == (["ld"], None)


async def test_a_list_that_is_empty_for_a_moment_takes_nothing_away(house: House) -> None:
    path = house.rooms(_ROOMS)
    notices = Notices(house.db)
    obedience = Obedience(house.channels, notices, _follower(path), path.parent)
    await _look(obedience, 1)
    path.write_text("")
    await _look(obedience, 8)
    assert len(house.names()) == 3
    assert [notice.data["path"] for notice in (await notices.not_over()).values()] == [str(path)]
    path.unlink()
    await _look(obedience, 8)
    assert len(house.names()) == 3


async def test_what_a_followed_file_sets_goes_when_the_file_does_not_say_it_any_more(house: House) -> None:
    proxy = (
        "是否使用代理ip(是/否) = 是\n代理地址 = http://me:word@192.0.2.1:8080\n使用代理录制的平台(逗号分隔) = tiktok\n"
    )
    path = _settings(house, f"循环时间(秒) = 60\n视频保存格式ts|mkv|flv|mp4|mp3音频|m4a音频 = mkv\n{proxy}")
    obedience = Obedience(house.channels, Notices(house.db), _follower(path), path.parent)
    await _look(obedience, 1)
    assert house.channels.layer("global")[0] == {"interval_s": 60, "format": "mkv"}
    assert house.channels.layer("platform:tiktok")[0].keys() == {"proxy"}
    _, revision = house.channels.layer("platform:tiktok")
    house.rooms(_ROOMS)
    await _look(obedience, 3)
    assert house.channels.layer("platform:tiktok")[1] == revision  # of a secret too it is known what it says
    await house.channels.set_layer("global", {"interval_s": 90}, by="me")

    _settings(house, proxy.replace("= 是", "= 否"))
    await _look(obedience, 3)
    assert house.channels.layer("global")[0] == {"interval_s": 90}  # somebody has set that meanwhile
    assert house.channels.layer("platform:tiktok")[0] == {}


async def test_bad_lines_of_a_followed_file_are_told_until_they_are_mended(house: House) -> None:
    path = house.rooms(_ROOMS + "just words\n")
    notices = Notices(house.db)
    obedience = Obedience(house.channels, notices, _follower(path), path.parent)
    await _look(obedience, 1)
    (notice,) = (await notices.not_over()).values()
    assert (notice.code, notice.data) == ("follow.problem", {"path": str(path), "why": "line 4: no_address"})

    house.rooms(_ROOMS)
    await _look(obedience, 3)
    assert await notices.not_over() == {}


async def test_what_cannot_be_written_at_the_moment_is_obeyed_later(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    follower = _follower(house.rooms(_ROOMS))
    slept: list[float] = []
    full = [True]
    add_many = house.channels.add_many

    async def add(new: Sequence[NewChannel], *, by: str) -> Sequence[Channel | OuzelError]:
        if full[0]:
            raise StorageError("the disk is full")
        return await add_many(new, by=by)

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        full[0] = False

    monkeypatch.setattr(house.channels, "add_many", add)
    obedience = Obedience(house.channels, Notices(house.db), follower, house.folder, sleep=sleep)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(obedience.run)
        with anyio.fail_after(60):
            while len(house.names()) < 3:  # noqa: ASYNC110 - of what it does not tell
                await anyio.sleep(0.01)
        tasks.cancel_scope.cancel()
    assert slept == [30.0]


def _settings(house: House, text: str) -> Path:
    path = house.folder / "config" / "config.ini"
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"[录制设置]\n{text}", "utf-8-sig")
    return path


def _other(house: House, text: str) -> Path:
    path = house.folder / "URL_config.ini"
    path.write_text(text, "utf-8")
    return path


def _follower(path: Path) -> Follower:
    async def at_once(_seconds: float) -> None:
        return

    return Follower(path.parent, registry(), SystemClock(), sleep=at_once)


async def _look(obedience: Obedience, times: int) -> None:
    """So many looks at the folder, and what they tell is obeyed."""
    follower = obedience._follower
    for _ in range(times):
        change = follower._look(follower._clock.now().timestamp())
        if change is not None:
            await obedience.obey(change)
