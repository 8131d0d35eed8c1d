"""`config.ini` of the INI recorder: all of its keys, in all of their spellings."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import pytest

from ouzel.config.importers import keys
from ouzel.config.importers.live_ini import parse_live_ini
from ouzel.config.importers.live_keys import KEYS
from ouzel.config.importers.live_platforms import PLATFORMS, of_folder, with_word
from ouzel.config.importers.result import Imported, NoticeCode
from ouzel.platforms.registry import registry

DATA = Path(__file__).parents[1] / "data" / "import"


def read(name: str) -> Imported:
    return parse_live_ini((DATA / name).read_text("utf-8-sig"))


def values(imported: Imported) -> dict[str, object]:
    """What is set, by its target."""
    return {each.target: each.value for each in imported.settings if each.target and each.value is not None}


def test_all_119_keys_of_the_shipped_file_are_taken_or_said_not_to_be() -> None:
    imported = read("shipped.ini")
    assert len(imported.settings) == 119
    assert imported.problems == ()
    told = {each.line for each in imported.notices}
    assert [
        each.key for each in imported.settings if each.target is None and each.line not in told and each.value
    ] == []
    assert "key_unknown" not in {each.code for each in imported.notices}


def test_what_the_shipped_file_says() -> None:
    found = values(read("shipped.ini"))
    assert {key: found[key] for key in found if key.startswith("record.")} == {
        "record.template": "{platform}/{folder}/{channel}_{start:%Y-%m-%d_%H-%M-%S}",
        "record.without_emoji": True,
        "record.format": "ts",
        "record.quality": "original",
        "record.interval_s": 300,
        "record.split_after_s": 1800,
        "record.force_https": False,
        "record.mode": "record",
    }
    assert found["storage.min_free_bytes"] == 1024**3
    assert found["watch.notify_interval_s"] == 1800
    assert [key for key in found if key.startswith("platforms.")] == ["platforms.twitcasting.login_kind"]


def test_the_cookie_that_came_with_the_program_is_left() -> None:
    imported = read("shipped.ini")
    (cookie,) = [each for each in imported.settings if each.target == "platforms.douyin.cookies"]
    assert (cookie.value, cookie.is_secret) == (None, True)
    assert [each.line for each in imported.notices if each.code == "cookie_shared"] == [cookie.line]


def test_old_spellings() -> None:
    imported = read("old.ini")
    found = values(imported)
    assert {
        key: each for key, each in found.items() if key.startswith(("record.", "storage.", "after.", "hooks."))
    } == {
        "storage.recordings": "D:\\直播",
        "record.format": "mp4",
        "record.quality": "hd",
        "record.split_bytes": 1000 * 1024**2,
        "record.mode": "notify",
        "after.to_mp4": True,
        "after.to_m4a": False,
        "after.to_mp3": False,
        "after.clock_subtitles": True,
        "hooks.recorded.on": True,
        "hooks.recorded.command": "/opt/done.sh",
    }
    assert {key: each for key, each in found.items() if key.startswith("platforms.")} == {
        "platforms.tiktok.proxy": "http://127.0.0.1:7890",
        "platforms.soop.proxy": "http://127.0.0.1:7890",
        "platforms.douyin.proxy": "http://127.0.0.1:7890",
        "platforms.douyin.cookies": "ttwid=own; a=b%3D",
        "platforms.soop.cookies": "AuthTicket=a%3Db",
        "platforms.soop.login": "somebody",
        "platforms.soop.password": "secret-soop",
        "platforms.changliao.cookies": "s=1",
    }
    assert found["notify.channels"] == ("wechat", "telegram")
    assert found["notify.email.from"] == "me@example.org"
    assert found["notify.email.to"] == ("you@example.org", "they@example.org")
    assert found["watch.notify_interval_s"] == 600
    assert imported.quality == "hd"


def test_what_is_wrong_with_an_old_file_is_said_with_its_line() -> None:
    imported = read("old.ini")
    told = {(each.line, each.code) for each in imported.notices}
    assert {(7, "proxy_word_unknown"), (21, "key_repeated"), (30, "value_changed"), (31, "key_unknown")} <= told
    assert {(15, "hook_in_file"), (16, "hook_in_file")} <= told
    assert [(each.line, each.code) for each in imported.problems] == [(32, "no_key")]


@pytest.mark.parametrize("name", ["shipped.ini", "old.ini"])
def test_no_secret_is_shown(name: str) -> None:
    imported = read(name)
    shown = repr(imported)
    for each in imported.settings:
        if each.is_secret and len(str(each.value or "")) > 3:
            assert str(each.value) not in shown


@pytest.mark.parametrize(
    ("text", "target", "value"),
    [
        ("分段录制是否开启=是\n视频分段时间(秒)=60", "record.split_after_s", 60),
        ("分段录制是否开启=否\n视频分段时间(秒)=60", "record.split_after_s", 0),
        ("视频分段时间(秒)=60", "record.split_after_s", 0),
        ("视频保存格式ts|mkv|flv|mp4|mp3音频|m4a音频 = MP3音频", "record.format", "mp3"),
        ("视频保存格式 = avi", "record.format", None),
        ("视频保存格式ts|mkv = avi", "record.format", "ts"),
        ("保存文件夹是否以时间区分：是\n保存文件夹是否以标题区分=是\n保存文件夹是否以作者区分=否\n保存文件名是否包含标题=是",
         "record.template", "{platform}/{start:%Y-%m-%d}/{title}_{channel}/{channel}_{title}_{start:%Y-%m-%d_%H-%M-%S}"),
        ("保存文件夹是否以标题区分=是", "record.template",
         "{platform}/{folder}/{start:%Y-%m-%d}_{title}/{channel}_{start:%Y-%m-%d_%H-%M-%S}"),
        ("录制空间剩余阈值(GB) = 2.5", "storage.min_free_bytes", 2684354560),
        ("录制空间剩余阈值(GB) = nan", "storage.min_free_bytes", None),
        ("是否去除名称中的表情符号 = perhaps", "record.without_emoji", True),
        ("b站cookie = SESSDATA=1%2C2;\n  bili_jct=3", "platforms.bilibili.cookies", "SESSDATA=1%2C2;bili_jct=3"),
        ("twitcasting_cookie = a%%3Db", "platforms.twitcasting.cookies", "a%3Db"),
        ("tiktok_cookie = a%%3Db", "platforms.tiktok.cookies", "a%%3Db"),
        ("抖音Cookie = x:y=z", "platforms.douyin.cookies", "x:y=z"),
        ("循环时间 = 45", "record.interval_s", 45),
        ("是否使用代理ip=否\n代理地址=h:1\n使用代理录制的平台(逗号分隔)=twitch", "platforms.twitch.proxy", None),
        ("是否使用代理ip(是/否)=否\n代理地址=h:1\n使用代理录制的平台(逗号分隔)=twitch", "platforms.twitch.proxy", None),
        ("是否使用代理ip(是/否)=否\n代理地址=h:1\n额外使用代理录制的平台(逗号分隔)=twitch", "platforms.twitch.proxy", "http://h:1"),
        ("是否使用代理ip(是/否)=是\n代理地址=h:1", "platforms.faceit.proxy", "http://h:1"),
    ],
)  # fmt: skip
def test_a_key(text: str, target: str, value: object) -> None:
    assert values(parse_live_ini(text)).get(target) == value


def test_the_table_says_nothing_that_nobody_reads() -> None:
    assert {each.kind for each in KEYS.values()} <= set(get_args(keys.Kind))
    assert {each.notice for each in KEYS.values() if each.notice} <= set(get_args(NoticeCode))
    assert {each.name for each in PLATFORMS} <= {each.name for each in registry()}
    assert len(PLATFORMS) == 51


def test_platforms_by_word_and_folder() -> None:
    assert with_word("youtu") == ("youtube",)
    assert with_word("SHP") == ("shopee",)
    assert of_folder("抖音直播") == "douyin"
    assert of_folder("自定义录制直播") == ""
    assert of_folder("电影") is None
