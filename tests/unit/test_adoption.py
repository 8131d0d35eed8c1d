"""What other recorders have left on the disk."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from ouzel.services.adoption import AdoptionPlan, plan_adoption, spelled
from ouzel.services.adoption_bytes import format_of

TS = (b"\x47" + bytes(187)) * 4
MP4 = b"\0\0\0\x20ftypisom" + bytes(64)
FLV = b"FLV\x01\x05\0\0\0\x09" + bytes(16)
WHEN = "2026-01-02_03-04-05"


def keep(folder: Path, name: str, data: bytes = TS) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def plan(folder: Path, *names: str) -> AdoptionPlan:
    return plan_adoption(folder, zone=UTC, names=names)


@pytest.mark.parametrize(
    ("path", "platform", "channel", "title"),
    [
        (f"抖音直播/小明/小明_{WHEN}.ts", "douyin", "小明", ""),
        (f"抖音直播/小明/小明_标题_{WHEN}.ts", "douyin", "小明", "标题"),
        (f"B站直播/a_b/2026-01-02/a_b_{WHEN}_000.ts", "bilibili", "a_b", ""),
        (f"B站直播/a_b/2026-01-02/晚安_夜_a_b/a_b_{WHEN}.ts", "bilibili", "a_b", "晚安_夜"),
        (f"B站直播/a_b/2026-01-02_晚安/a_b_晚安_{WHEN}.ts", "bilibili", "a_b", "晚安"),
        (f"SOOP/a_b_晚安_{WHEN}.ts", "soop", "a_b", "晚安"),
        (f"SOOP/2026-01-02_晚_安/x_y_晚_安_{WHEN}.ts", "soop", "x_y", "晚_安"),
        (f"TwitchTV/x_y_{WHEN}.ts", "twitch", "x_y", ""),
        (f"自定义录制直播/自定义录制直播_1a2b3c4d_{WHEN}.ts", "direct", "自定义录制直播_1a2b3c4d", ""),
        (f"x_y_{WHEN}.ts", "", "x_y", ""),
        ("some_body_20260102_030405.mp4", "twitch", "some_body", ""),
    ],
)
def test_where_a_file_is_and_what_it_is_called_say_whose_it_is(
    path: str, platform: str, channel: str, title: str, tmp_path: Path
) -> None:
    file = keep(tmp_path, path)
    (recording,) = plan(tmp_path, "a b").recordings
    assert (recording.platform, recording.channel, recording.title) == (platform, channel, title)
    assert recording.started == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert [each.path for each in recording.files] == [file]
    assert recording.bytes == len(TS)


def test_the_folder_of_a_platform_may_be_named_itself(tmp_path: Path) -> None:
    keep(tmp_path, f"虎牙直播/小明/小明_{WHEN}.ts")
    assert [each.platform for each in plan(tmp_path / "虎牙直播").recordings] == ["huya"]


def test_parts_and_containers_of_one_recording_are_together_with_their_subtitles(tmp_path: Path) -> None:
    folder = "抖音直播/a/"
    keep(tmp_path, f"{folder}a_{WHEN}_001.ts")
    keep(tmp_path, f"{folder}a_{WHEN}_000.ts")
    keep(tmp_path, f"{folder}a_{WHEN}_000.mp4", MP4)
    keep(tmp_path, f"{folder}a_2026-01-02_05-00-00.m4a", TS)
    keep(tmp_path, f"{folder}a_2026-01-02_05-00-00.srt", b"1\n")
    one, two = plan(tmp_path).recordings
    assert [(each.path.suffix, each.part, each.format) for each in one.files] == [
        (".mp4", 0, "mp4"),
        (".ts", 0, "ts"),
        (".ts", 1, "ts"),
    ]
    (file,) = two.files
    assert (file.format, file.subtitles) == ("ts", tmp_path / f"{folder}a_2026-01-02_05-00-00.srt")
    assert two.fields()["files"][0]["format"] == "ts"


def test_what_is_left_and_why(tmp_path: Path) -> None:
    keep(tmp_path, f"a_{WHEN}.mp4", b"<html>" + bytes(600))
    keep(tmp_path, f"b_{WHEN}.ts", b"")
    keep(tmp_path, "holiday.mp4", MP4)
    keep(tmp_path, "c_2026-02-31_03-04-05.mp4", MP4)
    keep(tmp_path, f"d_{WHEN}.ts")
    keep(tmp_path, f"d_{WHEN}.ledger", b"{}")
    keep(tmp_path, f"e_{WHEN}.ts.part")
    keep(tmp_path, "alone.srt", b"1\n")
    found = plan(tmp_path)
    assert found.recordings == ()
    assert {path.name: why for path, why in found.left} == {
        f"a_{WHEN}.mp4": "no_media",
        f"b_{WHEN}.ts": "empty",
        "holiday.mp4": "no_time",
        "c_2026-02-31_03-04-05.mp4": "no_time",
        f"d_{WHEN}.ts": "own",
        f"e_{WHEN}.ts.part": "own",
        "alone.srt": "no_media",
    }


def test_nothing_is_written_and_links_to_folders_are_not_followed(tmp_path: Path) -> None:
    keep(tmp_path, f"a/a_{WHEN}.ts")
    (tmp_path / "b").symlink_to(tmp_path / "a")
    before = sorted((path, path.lstat().st_mtime_ns) for path in tmp_path.rglob("*"))
    assert len(plan(tmp_path).recordings) == 1
    assert sorted((path, path.lstat().st_mtime_ns) for path in tmp_path.rglob("*")) == before


def test_time_is_that_of_the_machine_where_no_zone_is_given(tmp_path: Path) -> None:
    keep(tmp_path, f"a_{WHEN}.ts")
    (recording,) = plan_adoption(tmp_path).recordings
    assert recording.started.utcoffset() is not None
    assert f"{recording.started:%Y-%m-%d_%H-%M-%S}" == WHEN


@pytest.mark.parametrize(
    ("first", "format_"),
    [
        (TS, "ts"),
        ((bytes(4) + b"\x47" + bytes(187)) * 4, "ts"),
        (FLV, "flv"),
        (MP4, "mp4"),
        (b"\0\0\0\x20ftypM4A " + bytes(64), "m4a"),
        (b"\x1aE\xdf\xa3" + bytes(64), "mkv"),
        (b"ID3\x04" + bytes(64), "mp3"),
        (b"\xff\xfb\x90\x64" + bytes(64), "mp3"),
        (b"\xff\xf1\x50\x80" + bytes(64), "aac"),
        (b"G" * 10, None),
        (b"#EXTM3U", None),
        (b"\xff\xfe\x00\x00", None),
        (b"", None),
    ],
)
def test_formats_are_told_by_bytes(first: bytes, format_: str | None) -> None:
    assert format_of(first) == format_


def test_names_are_spelled_as_paths_have_them() -> None:
    assert spelled(" 小明，a.b（c）😀! ") == "小明_a_b(c)_!"
