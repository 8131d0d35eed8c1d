"""Any list of rooms can be read, and every line of it is accounted for, whatever was done to it."""

from __future__ import annotations

import re
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from ouzel.cli.import_ import sentence
from ouzel.config.importers.detect import read_foreign
from ouzel.config.importers.live_ini import parse_live_ini
from ouzel.config.importers.live_keys import KEYS
from ouzel.config.importers.live_rooms import parse_rooms
from ouzel.platforms.registry import registry
from ouzel.services.import_files import SourceFile
from ouzel.services.imports import plan_import

PIECES = [
    "https://live.bilibili.com/32", "https://live.bilibili.com/320", "live.douyin.com/1", "http:/", "https://", "://",
    "rtsp://u:p@h/1", "原画", "超清", "4K", ",", "，", "主播: ", "主播：", "主播", "小明", "x0", "/live", "?a=b", "#", "＃", " ",
    "\t", "\n", "\r\n", "\r", "\u2028", "\ufeff", "\x00", "[", "]", "=", "%", "\\", "abc", ".m3u8", "\ud7ff", "😀",
]  # fmt: skip
UNSEEN = re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff\x00]")
damaged = st.lists(st.sampled_from(PIECES) | st.text(max_size=4), max_size=60).map("".join)


@given(damaged)
def test_each_line_is_a_channel_or_a_problem_or_blank_or_a_remark(text: str) -> None:
    imported = parse_rooms(text)
    lines = re.split(r"\r\n|\r|\n", text)
    channels = {each.line for each in imported.channels}
    problems = {each.line for each in imported.problems}
    comments = set(imported.comments)
    assert not channels & problems
    assert not (channels | problems) & comments
    rest = set(range(1, len(lines) + 1)) - channels - problems - comments
    for number in rest:
        assert not UNSEEN.sub("", lines[number - 1]).strip()
    assert {each.line for each in imported.notices} <= channels
    for each in imported.channels:
        assert "\n" not in each.url + each.name
        assert "主播:" not in each.name


@given(damaged)
def test_a_plan_can_be_made_of_anything_and_told(text: str) -> None:
    sources = [SourceFile(Path("URL_config.ini"), text.encode("utf-8", "replace"))]
    plan = plan_import(sources, registry())
    lines = {each.line for each in plan.channels} | {each.of.line for each in (*plan.notices, *plan.problems)}
    if ("URL_config.ini", "live_rooms") in plan.files:
        assert {each.line for each in parse_rooms(text).channels} <= lines
    assert all(sentence(each.of.code, each.of.fields) for each in (*plan.notices, *plan.problems))
    plan.fields()


@given(st.binary(max_size=400))
def test_any_bytes_are_read(data: bytes) -> None:
    imported = read_foreign(data)
    assert imported.format or imported.problems


keys = st.sampled_from([*KEYS, "何物", "x"])
values = st.sampled_from(["是", "否", "", "1800", "-1", "nan", "1e999", "tiktok，a", "a=b", "%%", "h:1"]) | st.text(
    max_size=6
)
entries = st.lists(st.tuples(keys, st.sampled_from([" = ", "=", ":", "：", " "]), values), max_size=30)


@given(entries)
def test_each_key_is_a_setting_or_has_a_notice(pairs: list[tuple[str, str, str]]) -> None:
    text = "".join(f"{key}{equals}{value}\n" for key, equals, value in pairs)
    imported = parse_live_ini(text)
    told = {each.line for each in (*imported.settings, *imported.notices, *imported.problems)} | {*imported.comments}
    lines = re.split(r"\r\n|\r|\n", text)
    assert {number for number, line in enumerate(lines, 1) if UNSEEN.sub("", line).strip()} <= told
    untaken = {each.line for each in imported.settings if each.target is None and each.value is not None}
    assert untaken <= {each.line for each in imported.notices}
    assert all(sentence(each.code, each.fields) for each in (*imported.notices, *imported.problems))
