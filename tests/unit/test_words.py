"""How words are cut for the index, and how they are asked for."""

from __future__ import annotations

import pytest

from ouzel.model.words import asked, indexed, normal


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("直播间", "直播 播间 间"),
        ("猫", "猫"),
        ("スプラトゥーン3", "スプ プラ ラト トゥ ゥー ーン ン 3"),
        ("ﾊﾞｶ ＡＢＣ", "バカ カ abc"),
        ("人々の夏", "人々 々の の夏 夏"),
        ("서울 시", "서울 울 시"),
        ("㐀㐁 𠀀𠀁", "㐀㐁 㐁 𠀀𠀁 𠀁"),
        ("Straße・東京", "strasse・ 東京 京"),
        ("", ""),
    ],
)
def test_what_the_index_has(text: str, tokens: str) -> None:
    assert indexed([text]) == tokens


@pytest.mark.parametrize(
    ("words", "phrase"),
    [
        ("直播间", '"直播 播间" *'),
        ("猫", '"猫" *'),
        ("スプラトゥーン3", '"スプ プラ ラト トゥ ゥー ーン ン 3" *'),
        ("3月", '"3 月" *'),
        ("東京 タワー", '"東京 京 タワ ワー" *'),
        ("cats!", '"cats!" *'),
        ("cats !!", '"cats" *'),
        ('a"b', '"a b" *'),
        ("!!!", ""),
        ("", ""),
        ('"*', ""),
    ],
)
def test_how_it_is_asked(words: str, phrase: str) -> None:
    assert asked(words) == phrase


def test_texts_of_one_column_stand_apart() -> None:
    assert indexed(["big", "cat"]) == "big \ue000 cat"
    assert indexed(["big\ue000", "cat"]).count("\ue000") == 1


def test_wide_and_narrow_large_and_small_are_the_same() -> None:
    assert normal("ＡbＣ ｶﾞ") == normal("aBc ガ") == "abc ガ"
