"""The list of rooms of the INI recorder: its grammar, and what its own program makes of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from ouzel.config.importers.live_rooms import parse_rooms

DATA = Path(__file__).parents[1] / "data" / "import"


def room(line: str) -> tuple[str, str, str, bool]:
    imported = parse_rooms(line)
    assert imported.problems == ()
    (channel,) = imported.channels
    return channel.quality, channel.url, channel.name, channel.paused


@pytest.mark.parametrize(
    ("line", "quality", "name", "paused"),
    [
        ("https://live.douyin.com/1234", "", "", False),
        ("超清,https://live.douyin.com/1234", "uhd", "", False),
        ("原画，https://live.douyin.com/1234，主播: 小明", "original", "小明", False),
        ("蓝光,https://live.douyin.com/1234,主播：小明", "bluray", "小明", False),
        ("https://live.douyin.com/1234,主播: a,b，c", "", "a,b，c", False),
        ("#流畅,https://live.douyin.com/1234,主播: 小明", "ld", "小明", True),
        ("＃ # https://live.douyin.com/1234", "", "", True),
        ("标清 , https://live.douyin.com/1234 ,", "sd", "", False),
        ("live.douyin.com/1234", "", "", False),
        ("\ufeffhttps://live.douyin.com/1234\u200b", "", "", False),
        ("https://live.douyin.com/1234,小明", "", "小明", False),
        ("https://live.douyin.com/1234,主播: AC/DC", "", "AC/DC", False),
        ("https://live.douyin.com/1234,主播: Mr.Bean", "", "Mr.Bean", False),
        ("https://live.douyin.com/1234,主播:", "", "", False),
    ],
)
def test_a_line_as_it_is_meant_to_be(line: str, quality: str, name: str, paused: bool) -> None:
    assert room(line) == (quality, "https://live.douyin.com/1234", name, paused)
    assert parse_rooms(line).notices == ()


@pytest.mark.parametrize(
    ("line", "found", "codes"),
    [
        ("https://yy.com/1主播: aa", ("", "https://yy.com/1", "aa", False), ["comma_missing"]),
        ("https://yy.com/1，主播: x，主播: x", ("", "https://yy.com/1", "x", False), ["names_several"]),
        ("https://yy.com/1,主播: a,主播: b", ("", "https://yy.com/1", "b", False), ["names_several"]),
        ("4K,https://yy.com/1", ("original", "https://yy.com/1", "", False), ["quality_unknown"]),
        ("高清,https://yy.com/1,甲,乙,丙", ("hd", "https://yy.com/1", "甲,乙,丙", False), ["fields_many"]),
        ("打开 https://yy.com/1 看看", ("", "https://yy.com/1", "", False), ["words_around_address"]),
        ("https://tiktok.com/@a,主播: 张三/live", ("", "https://tiktok.com/@a/live", "", False), ["name_cut_address"]),
        ("https://b.tv/x,主播: 张三?h=5", ("", "https://b.tv/x?h=5", "", False), ["name_cut_address"]),
    ],
)
def test_a_damaged_line(line: str, found: tuple[str, str, str, bool], codes: list[str]) -> None:
    assert room(line) == found
    assert [each.code for each in parse_rooms(line).notices] == codes


def test_a_name_that_was_put_into_a_longer_address_is_taken_out_of_it() -> None:
    imported = parse_rooms(
        "https://live.bilibili.com/32,主播: x\n"
        "https://live.bilibili.com/32,主播: x0,主播: y\n"
        "https://live.bilibili.com/33,主播: x0\n"
    )
    assert [(each.url, each.name) for each in imported.channels] == [
        ("https://live.bilibili.com/32", "x"),
        ("https://live.bilibili.com/320", "y"),
        ("https://live.bilibili.com/33", "x0"),
    ]
    assert [(each.line, each.code) for each in imported.notices] == [(2, "name_cut_address")]


def test_lines_that_have_lost_their_ends() -> None:
    imported = parse_rooms(
        "https://yy.com/1,主播: a#流畅,https://yy.com/2,主播: b超清，https://yy.com/3https://yy.com/4"
    )
    assert [(each.line, each.url, each.name, each.quality, each.paused) for each in imported.channels] == [
        (1, "https://yy.com/1", "a", "", False),
        (1, "https://yy.com/2", "b", "ld", True),
        (1, "https://yy.com/3", "", "uhd", False),
        (1, "https://yy.com/4", "", "", False),
    ]
    assert [each.code for each in imported.notices] == ["channels_joined"]


def test_an_address_within_an_address_is_no_second_one() -> None:
    assert room("https://a.b/x.m3u8?from=https://c.d/e")[1] == "https://a.b/x.m3u8?from=https://c.d/e"


def test_numbers_of_lines_are_those_of_editors() -> None:
    imported = parse_rooms("\r\n# 朋友\rhttps://yy.com/1\u2028\x0b\nwords")
    assert [each.line for each in imported.channels] == [3]
    assert imported.comments == (2,)
    assert [(each.line, each.code) for each in imported.problems] == [(4, "no_address")]


def test_a_line_without_end() -> None:
    imported = parse_rooms("https://yy.com/" + "a" * 5000)
    assert [(each.line, each.code) for each in imported.problems] == [(1, "line_too_long")]
    assert imported.channels == ()


def test_a_whole_list() -> None:
    imported = parse_rooms((DATA / "rooms.ini").read_text())
    assert [each.line for each in imported.channels] == [3, 4, 5, 6, 7, 8, 9, 10, 11, 11, 12, 13, 14, 15, 16, 17]
    assert imported.comments == (2,)
    assert [each.line for each in imported.problems] == [18]
    assert [each.line for each in imported.channels if each.paused] == [6, 7, 8, 11]
