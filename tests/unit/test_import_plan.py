"""What foreign files become together."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ouzel.config.load import load_settings
from ouzel.model.channel_settings import parse_layer
from ouzel.model.pipelines import parse_steps
from ouzel.platforms.registry import registry
from ouzel.services.import_files import SourceFile, gather
from ouzel.services.import_plan import ImportPlan
from ouzel.services.imports import plan_import

DATA = Path(__file__).parents[1] / "data" / "import"
SECRETS = ("secret-mail", "secret-soop", "secret-cam", "secret-redis", "secret-proxy", "ttwid", "AuthTicket")


def plan(*texts: str, name: str = "URL_config.ini") -> ImportPlan:
    sources = [SourceFile(Path(f"{n}") / name, text.encode()) for n, text in enumerate(texts)]
    return plan_import(sources, registry())


def told(found: ImportPlan) -> list[tuple[int, str]]:
    return [(each.of.line, each.of.code) for each in (*found.notices, *found.problems)]


def test_a_list_of_rooms() -> None:
    found = plan((DATA / "rooms.ini").read_text())
    shown = [(each.line, each.platform, each.url, each.name, each.quality, each.why_paused) for each in found.channels]
    assert shown == [
        (3, "douyin", "https://live.douyin.com/745964462470", "", "original", ""),
        (4, "bilibili", "https://live.bilibili.com/32", "x", "uhd", ""),
        (5, "bilibili", "https://live.bilibili.com/320", "y", "bluray", ""),
        (16, "huya", "https://www.huya.com/660000", "小明", "original", ""),
        (7, "", "https://www.example.invalid/1", "不见了", "original", "unknown_site"),
        (8, "douyin", "https://v.douyin.com/iRNBho5/", "", "original", "short_link"),
        (9, "tiktok", "https://www.tiktok.com/@abc/live", "", "original", ""),
        (10, "yy", "https://www.yy.com/1", "aa", "original", ""),
        (11, "yy", "https://www.yy.com/2", "bb", "original", ""),
        (11, "yy", "https://www.yy.com/3", "", "ld", "by_hand"),
        (12, "bilibili", "https://live.bilibili.com/99", "", "original", ""),
        (13, "douyin", "https://v.douyin.com/abcdef/", "", "original", ""),
        (14, "twitch", "https://www.twitch.tv/somebody", "甲,乙", "hd", ""),
        (15, "direct", "https://cdn.example.org/live/show.m3u8?key=1", "AC/DC", "original", ""),
    ]
    assert [(each.of.line, each.of.code) for each in found.problems] == [(17, "unknown_site"), (18, "no_address")]
    assert (16, "channel_repeated") in told(found)


def test_the_quality_of_the_settings_holds_for_lines_without_one() -> None:
    sources = gather([DATA / "old.ini", DATA / "rooms.ini"])
    found = plan_import(sources, registry())
    assert {each.line: each.quality for each in found.channels if each.line < 5} == {3: "hd", 4: "uhd"}
    assert {each.line: each.settings for each in found.channels if each.line < 5} == {3: {}, 4: {"quality": ["uhd"]}}


def test_two_addresses_of_one_channel_are_one_and_what_is_active_stays_so() -> None:
    found = plan(
        "#https://live.bilibili.com/5,主播: a\nhttps://live.bilibili.com/h5/5?x=1", "https://live.bilibili.com/5"
    )
    (channel,) = found.channels
    assert (channel.paused, channel.name, channel.line) == (False, "a", 2)
    assert [code for _, code in told(found)].count("channel_repeated") == 2


def test_an_address_that_is_another_as_the_platform_writes_it() -> None:
    found = plan("https://live.bilibili.com/h5/5\nhttp://www.huya.com/7/?a=b")
    assert [each.url for each in found.channels] == ["https://live.bilibili.com/5", "https://www.huya.com/7"]
    assert told(found) == [(1, "address_changed")]


def test_layers_are_what_channel_settings_take() -> None:
    found = plan_import(gather([DATA / "old.ini", DATA / "twitch.json"]), registry())
    assert set(found.layers) == {
        "global",
        *(f"platform:{n}" for n in ("tiktok", "soop", "douyin", "changliao", "twitch")),
    }
    for layer in found.layers.values():
        parse_layer(layer)
    assert found.layers["global"]["quality"] == ["hd"]
    assert found.layers["platform:soop"] == {
        "proxy": "http://127.0.0.1:7890",
        "cookies": "AuthTicket=a%3Db",
        "login": "somebody",
        "password": "secret-soop",
    }


def test_new_recordings_stand_beside_the_old_ones_whose_folders_have_names_of_their_own(tmp_path: Path) -> None:
    rooms, settings = tmp_path / "URL_config.ini", tmp_path / "config.ini"
    rooms.write_text("https://live.bilibili.com/1\nhttps://www.huya.com/2\n#https://unknown.example/some/room\n")
    settings.write_text("[录制设置]\n保存文件夹是否以作者区分 = 是\n")
    found = plan_import(gather([rooms, settings]), registry()).layers
    assert found == {
        "global": {"template": "{platform}/{folder}/{channel}_{start:%Y-%m-%d_%H-%M-%S}"},
        "platform:bilibili": {"template": "B站直播/{folder}/{channel}_{start:%Y-%m-%d_%H-%M-%S}"},
        "platform:huya": {"template": "虎牙直播/{folder}/{channel}_{start:%Y-%m-%d_%H-%M-%S}"},
    }


def test_a_value_that_a_setting_cannot_have_is_a_problem_of_its_line() -> None:
    found = plan('{"uids": ["a"],\n"max_time_limit": 0.5}', name="config.json")
    assert [(each.of.line, each.of.code) for each in found.problems] == [(2, "bad_value")]
    assert found.layers == {}


def test_what_stands_in_ouzel_toml_is_told_as_it_is_written_there() -> None:
    found = plan_import(gather([DATA]), registry())
    written = [each.of.fields["toml"] for each in found.notices if each.of.code == "in_file"]
    assert '[storage] recordings = "D:\\\\直播"' in written
    assert '[storage] min_free = "1GiB"' in written
    assert '[daemon] shutdown_timeout = "10s"' in written
    assert '[watch] notify_interval = "600s"' in written
    assert '[log] level = "warning"' in written
    assert f'[download] folder = "{DATA}/downloads"' in written
    assert '[download] profile = "stable"' in written
    assert "[download] connections = 8" in written
    assert '[download] connect_timeout = "10s"' in written
    assert '[download.profiles.fast] retry_delay = "0.5s"' in written
    assert "[download.profiles.low_bandwidth] connections = 2" in written
    assert '[platforms.youtube] cookies = "/app/cookies.txt"' in written


def test_what_a_downloader_has_more_of_than_there_can_be_is_told_as_the_most() -> None:
    found = plan("max_threads: 32\ndefault_profile: mine\nprofiles:\n  mine: {threads: 4}\n", name="downloader.yaml")
    assert [(each.of.code, each.of.fields.get("toml")) for each in found.notices] == [
        ("in_file", "[download] most_connections = 16"), ("key_unknown", None), ("key_unknown", None),
    ]  # fmt: skip


def test_what_is_secret_is_not_in_the_line_for_ouzel_toml() -> None:
    found = plan("PROXY=http://u:secret-way@192.0.2.1:8080", name=".env")
    assert [each.of.fields["toml"] for each in found.notices] == ['[platforms] proxy = "…"']
    assert "secret-way" not in json.dumps(found.fields())


def test_ouzel_toml_takes_those_lines(tmp_path: Path) -> None:
    found = plan_import(gather([DATA]), registry())
    written = {each.of.fields["toml"] for each in found.notices if each.of.code == "in_file"}
    assert len(written) >= 8
    for number, line in enumerate(written):
        path = tmp_path / f"{number}.toml"
        path.write_text(line.replace("] ", "]\n", 1))
        load_settings(path, [each.name for each in registry()])


def test_secrets_are_shown_to_nobody_and_handed_to_who_carries_it_out() -> None:
    found = plan_import(gather([DATA]), registry())
    shown, whole = json.dumps(found.fields()), json.dumps(found.fields(secrets=True))
    assert [word for word in SECRETS if word in shown or word in repr(found)] == []
    assert [word for word in SECRETS if word not in whole] == []
    assert "rtsp://***@192.0.2.7:554/stream1" in shown


def test_fields_are_those_that_are_promised() -> None:
    doc = plan("超清,https://live.bilibili.com/5,主播: a\n#x\nb").fields()
    assert [*doc] == [
        "channels", "settings", "downloads", "policies", "notices", "problems", "targets", "routes", "files", "pipelines",
    ]  # fmt: skip
    (channel,) = doc["channels"]
    assert {key: channel[key] for key in ("url", "name", "quality", "paused", "platform", "line")} == {
        "url": "https://live.bilibili.com/5",
        "name": "a",
        "quality": "uhd",
        "paused": False,
        "platform": "bilibili",
        "line": 1,
    }
    assert doc["problems"] == [{"file": "0/URL_config.ini", "line": 3, "code": "no_address", "about": {"text": "b"}}]


def test_a_schedule_and_a_format_of_its_own() -> None:
    one = plan_import(gather([DATA / "recordings.json"]), registry()).channels[0]
    assert one.settings == {
        "quality": ["uhd"],
        "format": "ts",
        "split_after_s": 1800,
        "schedule": [{"from": "22:30", "to": "00:30"}, {"from": "08:00", "to": "09:30"}],
    }
    assert one.extra == {"folder": "/rec", "notify.on": False}


# ------------------------------------------------------------------------------------------------ files and backups


def rooms(folder: Path, live: str, **backups: str) -> Path:
    (folder / "config").mkdir()
    (folder / "backup_config").mkdir()
    for stamp, text in backups.items():
        (folder / "backup_config" / f"URL_config.ini_2026-01-{stamp[1:]}_00-00-00").write_text(text)
    path = folder / "config" / "URL_config.ini"
    path.write_text(live)
    return path


@pytest.mark.parametrize("live", ["", "\n\n", "# nobody\n"])
def test_an_empty_list_is_taken_from_its_newest_backup_that_is_not(live: str, tmp_path: Path) -> None:
    path = rooms(tmp_path, live, d01="https://yy.com/1", d02="https://yy.com/2\nhttps://yy.com/3", d03="")
    found = plan_import(gather([path]), registry())
    assert [each.url for each in found.channels] == ["https://www.yy.com/2", "https://www.yy.com/3"]
    assert {Path(each.file).name for each in found.channels} == {"URL_config.ini_2026-01-02_00-00-00"}
    assert [(each.of.code, each.file) for each in found.notices] == [("backup_used", str(path))]
    assert found.problems == ()


def test_a_list_that_has_shrunk_is_taken_and_its_backup_offered(tmp_path: Path) -> None:
    path = rooms(
        tmp_path,
        "https://yy.com/1",
        d01="".join(f"https://yy.com/{n}\n" for n in range(1, 4)),
        d02="https://yy.com/1\n",
    )
    found = plan_import(gather([tmp_path]), registry())
    assert [each.url for each in found.channels] == ["https://www.yy.com/1"]
    (notice,) = found.notices
    assert notice.of.code == "backup_has_more"
    assert notice.of.fields["count"] == "3"
    assert notice.file == str(path)


def test_a_list_that_is_gone_is_taken_from_its_backup(tmp_path: Path) -> None:
    path = rooms(tmp_path, "", d01="https://yy.com/1")
    path.unlink()
    found = plan_import(gather([tmp_path]), registry())
    assert [each.url for each in found.channels] == ["https://www.yy.com/1"]
    assert [(each.of.code, each.file) for each in found.notices] == [("backup_used", str(path))]


def test_of_a_folder_what_is_known_is_taken(tmp_path: Path) -> None:
    rooms(tmp_path, "https://yy.com/1")
    (tmp_path / "config" / "notes.txt").write_text("hello")
    (tmp_path / "config" / "config.ini").write_text("循环时间(秒) = 60")
    (tmp_path / "config" / "picture.png").write_bytes(b"https://yy.com/9")
    found = plan_import(gather([tmp_path]), registry())
    assert [each for _, each in found.files] == ["live_rooms", "live_ini"]
    assert (len(found.channels), found.layers, found.problems) == (1, {"global": {"interval_s": 60}}, ())


def test_a_file_that_is_named_is_told_of_whatever_it_is(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("hello")
    found = plan_import(gather([tmp_path / "notes.txt", tmp_path / "none.ini"]), registry())
    assert [each.of.code for each in found.problems] == ["file_unknown", "file_unreadable"]


def test_an_interval_below_the_least_is_taken_as_that_and_told(tmp_path: Path) -> None:
    (tmp_path / "config.ini").write_text("循环时间(秒) = 3")
    found = plan_import(gather([tmp_path]), registry())
    assert (found.layers, found.problems) == ({"global": {"interval_s": 5}}, ())
    assert [(each.of.code, each.of.line, each.of.fields["taken"]) for each in found.notices] == [
        ("value_changed", 1, "5")
    ]


# -- what the INI recorder does with what is over ------------------------------------------------------------------------


def ini_plan(*lines: str) -> ImportPlan:
    return plan("\n".join(["[录制设置]", *lines]), name="config.ini")


REMUX, KEPT = {"step": "remux", "format": "mp4"}, {"keep": True}
CONVERT = {"step": "convert", "format": "mp4", "video": "h264", "quality": 23}
CLOCK, SCRIPT = {"step": "clock", "format": "srt"}, {"step": "command", "hook": "recorded"}


@pytest.mark.parametrize(
    ("lines", "steps"),
    [
        (["录制完成后自动转为mp4格式 = 是"], [REMUX | KEPT]),
        (["录制完成后自动转为mp4格式 = 是", "追加格式后删除原文件 = 是"], [REMUX]),
        (["录制完成后自动转为mp4格式 = 是", "mp4格式重新编码为h264 = 是"], [CONVERT | KEPT]),
        (["录制完成后自动转为mp4格式 = 否", "mp4格式重新编码为h264 = 是", "追加格式后删除原文件 = 是"], []),
        (["视频保存格式ts|mkv|flv|mp4|mp3音频|m4a音频 = mp4", "录制完成后自动转为mp4格式 = 是"], []),
        (["生成时间字幕文件 = 是"], [CLOCK]),
        (["是否录制完成后执行自定义脚本 = 是", "自定义脚本执行命令 = python3 done.py"], [SCRIPT]),
        (["是否录制完成后执行自定义脚本 = 是", "自定义脚本执行命令 = "], []),
        (["是否录制完成后执行自定义脚本 = 否", "自定义脚本执行命令 = a"], []),
        (
            [
                "录制完成后自动转为mp4格式 = 是", "追加格式后删除原文件 = 是", "生成时间字幕文件 = 是",
                "是否录制完成后执行自定义脚本 = 是", "自定义脚本执行命令 = a",
            ],
            [REMUX, CLOCK, SCRIPT],
        ),
    ],
)  # fmt: skip
def test_what_is_done_afterwards_becomes_a_pipeline(lines: list[str], steps: list[dict[str, object]]) -> None:
    plan = ini_plan(*lines)
    named = plan.layers.get("global", {}).get("pipeline")
    if not steps:
        assert (named, plan.pipelines) == (None, {})
        assert all(each.of.code in {"not_needed", "hook_in_file"} for each in plan.notices)
        return
    assert plan.pipelines == {named: {"steps": steps}}
    assert parse_steps(steps)
    told = [each.of.fields["name"] for each in plan.notices if each.of.code == "into_pipeline"]
    assert told == [named] * sum(line.endswith("= 是") and "脚本" not in line for line in lines)
