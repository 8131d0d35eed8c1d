"""What is looked for is found, and nothing else: in the index as SQLite has it, beside a scan of the texts."""

from __future__ import annotations

import random
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest

from ouzel.model.words import asked, indexed, normal
from ouzel.store.opening import prepare

_SCRIPTS = {
    "zh": "直播间游戏音乐晚安我们一起看电影明天早上好中国上海北京",
    "ja": "スプラトゥーン配信です今日も歌枠雑談ゲームー々夜中",
    "ko": "오늘방송게임노래서울라이브한국",
}
_LATIN = ("stream", "Music", "gäming", "Live", "LoFi", "night", "2026", "part3", "ＡＢＣ")


def titles(count: int) -> list[str]:
    chance, made = random.Random(7), list[str]()
    for _ in range(count):
        words: list[str] = []
        for _ in range(chance.randint(1, 4)):
            script = chance.choice([*_SCRIPTS, "latin"])
            run = (
                "".join(chance.choice(_SCRIPTS[script]) for _ in range(chance.randint(1, 6)))
                if script in _SCRIPTS
                else ""
            )
            words.append((run or chance.choice(_LATIN)) + chance.choice(["", "", "3", "!", "・ok"]))
        made.append(chance.choice([" ", "", " - "]).join(words))
    return made


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[sqlite3.Connection, list[str]]]:
    path = tmp_path_factory.mktemp("search") / "ouzel.db"
    prepare(path)
    texts = titles(2000)
    with closing(sqlite3.connect(path)) as db:
        rows = [(number, indexed([text]), "", "", "", "") for number, text in enumerate(texts)]
        db.executemany("INSERT INTO video_words_text VALUES (?, ?, ?, ?, ?, ?)", rows)
        yield db, texts


def found(db: sqlite3.Connection, words: str) -> set[int]:
    query = "SELECT rowid FROM video_words WHERE video_words MATCH ?"
    return {number for (number,) in db.execute(query, (asked(words),))}


_CJK = "[\u3005\u3040-\u30ff\u4e00-\u9fff\uac00-\ud7ff]"


def test_all_that_hold_it_and_no_others(library: tuple[sqlite3.Connection, list[str]]) -> None:
    """One, two, three and four characters of each script, with what stands behind them, anywhere in a title."""
    db, texts = library
    chance, asked_for = random.Random(8), set[str]()
    for text in texts:
        for run in re.findall(f"{_CJK}+3?", normal(text).replace("・", " ")):
            at = chance.randrange(len(run))
            asked_for.add(run[at : at + chance.randint(1, 5)])
    queries = [each for each in sorted(asked_for) if re.match(_CJK, each)]
    assert len(queries) > 500
    for query in queries:
        truth = {number for number, text in enumerate(texts) if query in normal(text)}
        assert found(db, query) == truth, query


def test_latin_words_are_found_by_their_beginning(library: tuple[sqlite3.Connection, list[str]]) -> None:
    db, texts = library
    for query in ("stream", "STR", "ＭＵＳ", "gaming", "gäm", "abc", "part3", "ok"):
        plain = {"gäm": "gam"}.get(query, normal(query))
        truth = {
            number
            for number, text in enumerate(texts)
            if re.search(rf"(?:^|[\W_]|{_CJK}){plain}", normal(text).replace("ä", "a"))
        }
        assert truth
        assert found(db, query) == truth, query


@pytest.mark.parametrize(
    "query", ['"', "*", "NEAR(", "a AND", "title:x", "-", "^a", '猫"', "(", "a OR b", "{title}: x", "\x00a"]
)
def test_the_language_of_the_index_is_not_spoken_from_outside(
    library: tuple[sqlite3.Connection, list[str]], query: str
) -> None:
    db, _ = library
    if asked(query):
        found(db, query)
