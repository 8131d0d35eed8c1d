"""What an import does to the database, and a followed folder that is edited while it is obeyed."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from pathlib import Path

import anyio
import pytest
from sqlalchemy import select
from tests.component.newsroom import Box

from ouzel.base.errors import OuzelError, StorageError
from ouzel.cli import texts
from ouzel.model.channel import Channel
from ouzel.model.live import Identity
from ouzel.model.policies import Rule
from ouzel.platforms.registry import registry
from ouzel.services.adoption import plan_adoption
from ouzel.services.channel_forms import ChannelEdit, NewChannel
from ouzel.services.channels import Channels
from ouzel.services.exports import Exports
from ouzel.services.following import Follower
from ouzel.services.import_files import gather
from ouzel.services.imports import plan_import
from ouzel.services.notices import Notices
from ouzel.services.obedience import Obedience
from ouzel.services.policies import Policies
from ouzel.services.taking_over import TakingOver
from ouzel.store.db import Db, open_db
from ouzel.store.pipelines import PipelineRepo
from ouzel.store.recordings import RecordingFilter, RecordingRepo
from ouzel.store.tables.channels import followed
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
    obedience = Obedience(house.db, house.channels, Notices(house.db), _follower(path), path.parent)

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
    obedience = Obedience(house.db, house.channels, notices, _follower(path), path.parent)
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
    obedience = Obedience(house.db, house.channels, Notices(house.db), _follower(path), path.parent)
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


async def test_what_is_done_with_finished_recordings_is_a_pipeline(house: House) -> None:
    path = _settings(house, "录制完成后自动转为mp4格式 = 是\n追加格式后删除原文件 = 是\n")
    await house.taking_over.apply(plan_import(gather([path]), registry()), by="me")
    repo = PipelineRepo(house.db)
    remux = {"step": "remux", "format": "mp4", "keep": False}
    assert {each.name: [step.doc() for step in each.spec] for each in await repo.all()} == {"MP4": [remux]}
    assert house.channels.layer("global")[0] == {"pipeline": "MP4"}
    await house.channels.set_layer("global", {"pipeline": None}, by="me")

    obedience = _obedience(house, path)
    await _look(obedience, 1)
    assert house.channels.layer("global")[0] == {"pipeline": "MP4"}
    _settings(house, "录制完成后自动转为mp4格式 = 是\n")
    await _look(obedience, 3)
    assert house.channels.layer("global")[0] == {"pipeline": "MP4 (originals kept)"}
    _settings(house, "录制完成后自动转为mp4格式 = 否\n")
    await _look(obedience, 3)
    assert house.channels.layer("global")[0] == {}
    assert [each.name for each in await repo.all()] == ["MP4", "MP4 (originals kept)"]


async def test_how_long_cameras_keep_their_recordings_is_a_rule_that_follows_its_file(house: House) -> None:
    path = house.folder / "config" / "config.yaml"
    path.parent.mkdir(exist_ok=True)

    def says(days: str) -> None:
        text = "cameras:\n  - {name: door, rtsp_url: 'rtsp://192.0.2.8/a', output_dir: x}\nrecording:\n"
        path.write_text(f"{text}  {days}\n")

    says("retention_days: 7")
    obedience = Obedience(house.db, house.channels, Notices(house.db), _follower(path), path.parent)
    await _look(obedience, 1)
    assert house.by_name("door").settings == {"policy": "7 days"}
    assert [(each.name, each.spec) for each in await Policies(house.db).all()] == [("7 days", Rule(keep_days=7.0))]

    says("retention_days: 2.5")
    await _look(obedience, 3)
    assert house.by_name("door").settings == {"policy": "2.5 days"}
    says("segment_duration: 2")
    await _look(obedience, 3)
    assert house.by_name("door").settings == {}


async def test_bad_lines_of_a_followed_file_are_told_until_they_are_mended(house: House) -> None:
    path = house.rooms(_ROOMS + "just words\n")
    notices = Notices(house.db)
    obedience = Obedience(house.db, house.channels, notices, _follower(path), path.parent)
    await _look(obedience, 1)
    (notice,) = (await notices.not_over()).values()
    assert (notice.code, notice.data["path"], notice.data["why"]) == ("follow.problem", str(path), "line 4: no_address")
    assert texts.notice(notice.code, notice.data) == f"{path}: line 4: there is no address: just words"

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
    obedience = Obedience(house.db, house.channels, Notices(house.db), follower, house.folder, sleep=sleep)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(obedience.run)
        with anyio.fail_after(60):
            while len(house.names()) < 3:  # noqa: ASYNC110 - of what it does not tell
                await anyio.sleep(0.01)
        tasks.cancel_scope.cancel()
    assert slept == [30.0]


async def test_what_is_taken_out_of_a_followed_file_while_no_daemon_runs_is_taken_back(house: House) -> None:
    path = _settings(
        house, "循环时间(秒) = 60\n抖音cookie = secret=1\n视频保存格式ts|mkv|flv|mp4|mp3音频|m4a音频 = mkv\n"
    )
    await _look(_obedience(house, path), 1)
    assert house.channels.opened_layer("platform:douyin") == {"cookies": "secret=1"}
    assert "secret=1" not in str([row["said"] for row in await house.db.read(select(followed))])

    _settings(house, "视频保存格式ts|mkv|flv|mp4|mp3音频|m4a音频 = mkv\n")
    await _look(_obedience(house, path), 1)
    assert house.channels.layer("global")[0] == {"format": "mkv"}
    assert house.channels.layer("platform:douyin")[0] == {}


async def test_what_an_unreadable_file_set_stays_over_a_restart(house: House) -> None:
    path = _settings(house, "循环时间(秒) = 60\n")
    await _look(_obedience(house, path), 1)
    path.write_bytes(b"")
    await _look(_obedience(house, path), 8)
    path.unlink()
    await _look(_obedience(house, path), 8)
    assert house.channels.layer("global")[0] == {"interval_s": 60}
    _settings(house, "视频保存格式ts|mkv|flv|mp4|mp3音频|m4a音频 = mkv\n")
    await _look(_obedience(house, path), 8)
    assert house.channels.layer("global")[0] == {"format": "mkv"}


async def test_an_edit_by_hand_stays_until_the_file_says_something_else_of_it(house: House) -> None:
    path = house.rooms(_ROOMS)
    _settings(house, "循环时间(秒) = 60\n")
    await _look(_obedience(house, path), 1)
    edit = ChannelEdit(name="hand", watch=False, settings={"quality": ["hd"], "format": "mkv"})
    await house.channels.edit(house.by_name("小明").id, edit, by="me")
    await house.channels.remove(house.by_name("lpl").id, by="me")
    await house.channels.set_layer("global", {"interval_s": 90}, by="me")

    _settings(house, "循环时间(秒) = 60\n分段录制是否开启 = 是\n视频分段时间(秒) = 900\n")
    house.rooms(_ROOMS.replace("#超清", "超清"))
    await _look(_obedience(house, path), 3)
    assert house.names() == [("hand", False), ("小红", True)]
    assert house.by_name("hand").settings == {"quality": ["hd"], "format": "mkv"}
    assert house.channels.layer("global")[0] == {"interval_s": 90, "split_after_s": 900}

    house.rooms(_ROOMS.replace("https://live.bili", "流畅,https://live.bili").replace("lpl", "lpl,主播: lpl!"))
    await _look(_obedience(house, path), 3)
    assert house.names() == [("hand", False), ("小红", False), ("lpl!", True)]
    assert house.by_name("hand").settings == {"quality": ["ld"], "format": "mkv"}


async def test_a_line_that_comes_back_is_the_channel_that_it_was(house: House) -> None:
    path = house.rooms(_ROOMS)
    obedience = _obedience(house, path)
    await _look(obedience, 1)
    before = house.by_name("小红")
    house.rooms("https://www.huya.com/lpl\n")
    await _look(obedience, 3)
    assert house.names() == [("lpl", True)]
    house.rooms(_ROOMS.replace("#超清", "流畅"))
    await _look(obedience, 3)
    after = house.by_name("小红")
    assert (after.id, after.folder, after.watch, after.settings) == (before.id, "小红", True, {"quality": ["ld"]})


async def test_a_list_that_was_imported_is_obeyed_when_it_is_followed(house: House) -> None:
    path = house.rooms(_ROOMS)
    await house.taking_over.apply(plan_import(gather([path]), registry()), by="me")
    obedience = _obedience(house, path)
    await _look(obedience, 1)
    assert {channel.follows for channel in house.channels.all()} == {str(path)}
    house.rooms(_ROOMS.replace("https://live.bili", "#https://live.bili").replace("https://www.huya.com/lpl\n", ""))
    await _look(obedience, 3)
    assert house.names() == [("小明", False), ("小红", False)]


async def test_a_line_that_cannot_be_taken_keeps_no_other_out(house: House) -> None:
    path = house.rooms(_ROOMS)
    obedience = _obedience(house, path)
    await _look(obedience, 1)
    house.rooms(_ROOMS.replace("小明", "明" * 300).replace("#超清", "超清"))
    await _look(obedience, 3)
    assert house.names() == [("小明", True), ("小红", True), ("lpl", True)]


async def test_an_export_that_was_imported_is_exported_as_it_was(house: House) -> None:
    path = house.folder / "all.toml"
    path.write_text(_EXPORT)
    await house.taking_over.apply(plan_import(gather([path]), registry()), by="me")
    assert await Exports(house.db, Box()).text() == _EXPORT
    assert house.by_name("小明").identity == Identity("twitch", "4711")

    path.write_text(_EXPORT.replace("somebody", "renamed"))
    taken = await house.taking_over.apply(plan_import(gather([path]), registry()), by="me")
    assert [each.url for each in taken.already] == ["https://www.twitch.tv/renamed"]  # the same one


_EXPORT = """# Channels and settings of Ouzel; `ouzel import` reads this file.
format = "ouzel export 1"

[layers.global]
split_after_s = 5

[[channels]]
addresses = ["https://www.twitch.tv/somebody"]
name = "小明"
watch = false
labels = ["music"]
folder = "ming"
aliases = ["Somebody", "somebody"]
identity = "twitch:4711"
[channels.settings]
quality = ["uhd", "best"]
"""


def _obedience(house: House, path: Path) -> Obedience:
    """As it begins with the daemon."""
    return Obedience(house.db, house.channels, Notices(house.db), _follower(path), path.parent)


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
