"""The database of the daemon, for real: one writer, readers that do not wait, events after commits, and bad files."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncGenerator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import anyio
import pytest
from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError

from ouzel.base.errors import DatabaseDamaged, DatabaseOdd, DatabaseTooNew, StorageError
from ouzel.model.happening import Happening, StoredEvent
from ouzel.store.db import Db, open_db
from ouzel.store.opening import HEAD, check_present, prepare
from ouzel.store.tables import layers
from ouzel.system.clock import SystemClock

pytestmark = pytest.mark.anyio
_AT = datetime(2026, 11, 22, 19, 30, 0, 123456, UTC)


@pytest.fixture
async def db(tmp_path: Path) -> AsyncGenerator[Db]:
    async with open_db(tmp_path / "ouzel.db", SystemClock()) as opened:
        yield opened


def _layer(scope: str) -> dict[str, object]:
    return {"scope": scope, "settings": {"quality": ["原画"]}, "revision": 1, "updated_at": _AT}


async def test_what_is_written_is_read_as_it_was(db: Db) -> None:
    async with db.transaction() as tx:
        await tx.execute(insert(layers), [_layer("global"), _layer("platform:huya")])

    rows = await db.read(select(layers).order_by(layers.c.scope))

    assert [dict(row) for row in rows] == [_layer("global"), _layer("platform:huya")]


async def test_an_event_is_heard_once_it_is_committed_and_kept(db: Db) -> None:
    heard: list[StoredEvent] = []
    end = db.listen(heard.append)

    async with db.transaction() as tx:
        await tx.execute(insert(layers), [_layer("global")])
        tx.emit(Happening("layer.changed", "global", {"by": "me"}))
        assert heard == []
    end()
    async with db.transaction() as tx:
        tx.emit(Happening("layer.changed", "global"))

    assert [(each.number, each.code, each.data) for each in heard] == [(1, "layer.changed", {"by": "me"})]
    assert [each.number for each in await db.events_after(0)] == [1, 2]
    assert (await db.events_after(0))[0] == heard[0]


async def test_what_fails_leaves_nothing_behind(db: Db) -> None:
    heard: list[StoredEvent] = []
    db.listen(heard.append)

    async def write_twice() -> None:
        async with db.transaction() as tx:
            tx.emit(Happening("layer.changed", "global"))
            await tx.execute(insert(layers), [_layer("global"), _layer("global")])

    with pytest.raises(IntegrityError):
        await write_twice()

    assert (await db.read(select(layers)), await db.events_after(0), heard) == ([], [], [])


async def test_readers_do_not_wait_for_the_writer_and_writers_take_turns(db: Db) -> None:
    seen: list[int] = []

    async def write(scope: str) -> None:
        async with db.transaction() as tx:
            await tx.execute(insert(layers), [_layer(scope)])
            seen.append(len(await db.read(select(layers))))

    async with anyio.create_task_group() as tasks:
        for number in range(20):
            tasks.start_soon(write, f"platform:{number}")

    assert seen == list(range(20))


async def test_a_transaction_that_has_begun_is_not_cut_off(db: Db) -> None:
    with anyio.CancelScope() as scope:
        async with db.transaction() as tx:
            scope.cancel()
            await tx.execute(insert(layers), [_layer("global")])

    assert len(await db.read(select(layers))) == 1


async def test_a_code_that_nobody_has_described_is_a_bug() -> None:
    with pytest.raises(ValueError, match="no code"):
        Happening("channel.exploded", "x")


def test_a_database_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "ouzel.db"
    prepare(path)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")

    with pytest.raises(DatabaseTooNew, match=rf"9999.*{HEAD}"):
        prepare(path)


@pytest.mark.parametrize(
    ("change", "lacks"),
    [("DROP TABLE copies", "copies"), ("ALTER TABLE notices DROP COLUMN dismissed_by", "notices.dismissed_by")],
)
def test_a_database_of_between_two_releases_is_refused_in_one_line(tmp_path: Path, change: str, lacks: str) -> None:
    path = tmp_path / "ouzel.db"
    prepare(path)
    prepare(path)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(change)

    for look in (prepare, check_present):
        with pytest.raises(DatabaseOdd, match=rf"{HEAD}, and has no {lacks}:.*put the file aside"):
            look(path)


@pytest.mark.parametrize("content", [b"hello, this is a text and no database", b"SQLite format 3\x00" + b"\x7f" * 5000])
def test_what_is_no_database_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "ouzel.db"
    path.write_bytes(content)

    with pytest.raises(DatabaseDamaged, match=r"ouzel\.db"):
        prepare(path)

    assert path.read_bytes() == content


def test_another_programs_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "ouzel.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE theirs (x)")

    with pytest.raises(DatabaseDamaged, match="none of Ouzel's"):
        prepare(path)


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(StorageError, match="file"):
        prepare(tmp_path / "file" / "ouzel.db")


async def test_a_listener_that_fails_spoils_nothing(db: Db, caplog: pytest.LogCaptureFixture) -> None:
    heard: list[StoredEvent] = []

    def fail(_event: StoredEvent) -> None:
        raise RuntimeError("a bug of its own")

    db.listen(fail)
    db.listen(heard.append)
    async with db.transaction() as tx:
        tx.emit(Happening("layer.changed", "global"))

    assert [each.code for each in heard] == ["layer.changed"]
    assert "a bug of its own" in caplog.text
