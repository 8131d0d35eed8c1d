"""The library's list is what its sources say, after whatever was done to them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from ouzel.store.opening import prepare
from ouzel.store.tables.video_triggers import COLUMNS, EXTRAS, TOLD

_TRACKS = '[{"kind":"audio","codec":"aac"},{"kind":"video","codec":"h264","width":1920,"height":1080}]'


@pytest.fixture
def db(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    prepare(tmp_path / "ouzel.db")
    with closing(sqlite3.connect(tmp_path / "ouzel.db", isolation_level=None)) as connection:
        connection.row_factory = sqlite3.Row
        connection.execute("PRAGMA foreign_keys=ON")
        yield connection


def put(db: sqlite3.Connection, table: str, **values: Any) -> None:
    """With something in each column that must not be empty."""
    for _, name, sort, needed, default, _, hidden in db.execute(f"PRAGMA table_xinfo({table})"):
        if needed and default is None and not hidden:
            values.setdefault(name, "[]" if name in {"aliases", "labels"} else "" if sort == "TEXT" else 0)
    names = ", ".join(f'"{each}"' for each in values)
    db.execute(f"INSERT INTO {table} ({names}) VALUES ({', '.join('?' * len(values))})", [*values.values()])


def agree(db: sqlite3.Connection) -> None:
    """What the triggers made is what the queries say."""
    told = {row[-1]: tuple(row)[:-1] for query in TOLD.values() for row in db.execute(query)}
    kept = {row["id"]: tuple(row[name] for name in COLUMNS) for row in db.execute("SELECT * FROM videos")}
    assert kept == told


def video(db: sqlite3.Connection, id_: str = "r1") -> sqlite3.Row:
    return db.execute("SELECT * FROM videos WHERE id = ?", (id_,)).fetchone()


@pytest.fixture
def recording(db: sqlite3.Connection) -> str:
    put(db, "channels", id="c1", name="Lofi", platform="youtube", settings="{}", addresses="[]")
    put(db, "broadcasts", id="b1", channel_id="c1", state="live", category="music")
    put(db, "recordings", id="r1", broadcast_id="b1", channel_id="c1", state="recording", title="rain", started_at=7)
    return "r1"


def test_a_recording_is_there_as_soon_as_it_begins(db: sqlite3.Connection, recording: str) -> None:
    row = video(db, recording)
    assert (row["kind"], row["state"], row["title"], row["at"]) == ("recording", "running", "rain", 7)
    assert (row["channel_name"], row["platform"], row["category"]) == ("Lofi", "youtube", "music")
    agree(db)


def test_it_follows_whatever_changes(db: sqlite3.Connection, recording: str) -> None:
    put(
        db,
        "files",
        id="f1",
        recording_id=recording,
        role="original",
        part=1,
        root="recordings",
        path="a.ts",
        tracks=_TRACKS,
    )
    put(db, "media_info", file_id="f1", doc='{"fps": 29.97}')
    db.execute(
        "UPDATE recordings SET state = 'done', media_s = 60.5, bytes = 1000, gaps = 2, missing_s = 3.5, pinned = 1"
    )
    db.execute("UPDATE channels SET name = 'Lofi girl', platform = 'twitch'")
    db.execute("UPDATE broadcasts SET category = 'chill'")
    row = video(db)
    assert (row["state"], row["duration_s"], row["bytes"], row["gaps"], row["missing_s"]) == (
        "ready",
        60.5,
        1000,
        2,
        3.5,
    )
    assert (row["width"], row["height"], row["fps"], row["vcodec"], row["acodec"]) == (1920, 1080, 29.97, "h264", "aac")
    assert (row["channel_name"], row["platform"], row["category"], row["pinned"]) == ("Lofi girl", "twitch", "chill", 1)
    agree(db)
    db.execute("DELETE FROM files")
    assert video(db)["height"] is None
    agree(db)
    db.execute("UPDATE recordings SET deleted_at = 9")
    assert video(db)["deleted_at"] == 9
    db.execute("DELETE FROM channels")
    agree(db)
    put(db, "channels", id="c1", name="Lofi", platform="youtube", settings="{}", addresses="[]")
    agree(db)
    db.execute("DELETE FROM recordings")
    assert video(db) is None
    agree(db)


def test_a_recording_with_files_goes_at_once(db: sqlite3.Connection, recording: str) -> None:
    put(
        db,
        "files",
        id="f1",
        recording_id=recording,
        role="original",
        part=1,
        root="recordings",
        path="a.ts",
        tracks=_TRACKS,
    )
    db.execute("DELETE FROM recordings")
    assert video(db) is None
    assert not db.execute("SELECT count(*) FROM files").fetchone()[0]


def test_downloads_and_imports_are_in_the_same_list(db: sqlite3.Connection, recording: str) -> None:
    empty = {"wish": "{}", "metadata": "{}", "tracks": "[]", "warnings": "[]", "url": '""'}
    put(db, "downloads", id="d1", stem="film", address="https://a.example/film", state="downloading", **empty)
    put(db, "imports", id="i1", title="holiday", state="looking", how="adopted", made_at=3, description="at sea")
    assert (video(db, "d1")["title"], video(db, "d1")["state"]) == ("film", "unfinished")
    put(db, "files", id="f2", download_id="d1", role="original", part=1, root="/tmp", path="film.mp4", tracks=_TRACKS)
    put(db, "files", id="f3", import_id="i1", role="original", part=1, root="/tmp", path="holiday.mp4", tracks=_TRACKS)
    db.execute("UPDATE downloads SET state = 'completed', name = 'Film', media_s = 9")
    db.execute("UPDATE imports SET state = 'ready', pinned = 1")
    assert [video(db, each)["state"] for each in ("d1", "i1")] == ["ready", "ready"]
    assert [video(db, each)["height"] for each in ("d1", "i1")] == [1080, 1080]
    assert (video(db, "d1")["title"], video(db, "i1")["description"]) == ("Film", "at sea")
    agree(db)
    db.execute("UPDATE downloads SET after = 'repair'")
    assert video(db, "d1")["state"] == "unfinished"
    db.execute("DELETE FROM imports")
    agree(db)


def test_what_a_person_wrote_stays_until_it_is_taken_back(db: sqlite3.Connection, recording: str) -> None:
    db.execute("""UPDATE videos SET edited = '{"title": "Rain on the roof", "at": 5}'""")
    db.execute("UPDATE recordings SET title = 'rain, second hour'")
    row = video(db)
    assert (row["title"], row["at"], row["told_title"]) == ("Rain on the roof", 5, "rain, second hour")
    db.execute("UPDATE videos SET edited = '{}'")
    assert (video(db)["title"], video(db)["at"]) == ("rain, second hour", 7)
    agree(db)


def due(db: sqlite3.Connection) -> list[int]:
    found = [row[0] for row in db.execute("SELECT number FROM video_words_due ORDER BY number")]
    db.execute("DELETE FROM video_words_due")
    return found


def test_words_are_due_when_what_they_say_has_changed_and_only_then(db: sqlite3.Connection, recording: str) -> None:
    number = video(db)["number"]
    assert due(db) == [number]
    db.execute("UPDATE recordings SET media_s = 4, bytes = 5, state = 'done'")
    db.execute("UPDATE channels SET platform = 'twitch'")
    assert due(db) == []
    put(db, "tags", id="t1", kind="tag", name="cats", key="cats")
    for change in (
        "UPDATE recordings SET title = 'sun'",
        """UPDATE videos SET edited = '{"description": "a long day"}'""",
        "UPDATE channels SET name = 'Sunny'",
        f"INSERT INTO video_tags (tag_id, number, at) VALUES ('t1', {number}, 0)",
        "UPDATE tags SET name = 'Cats'",
        "DELETE FROM video_tags",
    ):
        db.execute(change)
        assert due(db) == [number], change


def test_tags_count_their_videos_also_when_these_go(db: sqlite3.Connection, recording: str) -> None:
    put(db, "tags", id="t1", kind="tag", name="cats", key="cats")
    db.execute("INSERT INTO video_tags (tag_id, number, at) SELECT 't1', number, 0 FROM videos")
    assert db.execute("SELECT videos FROM tags").fetchone()[0] == 1
    db.execute("DELETE FROM recordings")
    assert db.execute("SELECT videos FROM tags").fetchone()[0] == 0
    assert due(db) == []


def test_the_index_follows_its_text(db: sqlite3.Connection, recording: str) -> None:
    def found(words: str) -> int:
        return db.execute("SELECT count(*) FROM video_words WHERE video_words MATCH ?", (words,)).fetchone()[0]

    put(db, "video_words_text", number=video(db)["number"], title="rain", tags="cats", people="", channel="lofi")
    assert (found("rain"), found("title: cats"), found("tags: ca*")) == (1, 0, 1)
    db.execute("UPDATE video_words_text SET title = 'sun'")
    assert (found("rain"), found("sun")) == (0, 1)
    db.execute("DELETE FROM recordings")
    assert found("sun") == 0
    db.execute("INSERT INTO video_words (video_words) VALUES ('integrity-check')")


def test_what_a_row_has_to_be_stands_once_in_the_schema() -> None:
    """Each connection keeps all triggers as they were parsed: with the queries in all of them it took 1.2 MB, not 0.3."""
    for query in TOLD.values():
        assert sum(query in statement for statement in EXTRAS) == 1
    tables = [f"FROM {table} s" for table in TOLD]
    assert sum(statement.count(each) for statement in EXTRAS for each in tables) == len(tables)
