"""The tables as migrations make them, and a database on its way from one version to the next."""

from __future__ import annotations

import re
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory

from ouzel.base.errors import FileBusy, StorageError
from ouzel.store import migrating, opening
from ouzel.store.migrating import FOLDER, migrate
from ouzel.store.opening import HEAD, prepare

_STEP = """
from alembic import op

revision, down_revision = "0002", "0001"

def upgrade():
    op.execute("CREATE TABLE toys (name TEXT NOT NULL)")
    op.execute("INSERT INTO toys VALUES ('duck')")
    {more}
"""


def drawn(path: Path) -> dict[str, Any]:
    """Each table with its columns, keys and indexes, and how each index was made."""
    found: dict[str, Any] = {}
    with closing(sqlite3.connect(path)) as connection:
        ask = connection.execute
        for name, sql in ask("SELECT name, sql FROM sqlite_master WHERE type = 'table'").fetchall():
            indexes = ask(f"PRAGMA index_list({name})").fetchall()
            found[name] = {
                "columns": ask(f"PRAGMA table_xinfo({name})").fetchall(),
                "keys": sorted(key[2:] for key in ask(f"PRAGMA foreign_key_list({name})").fetchall()),
                "indexes": sorted(
                    (n, u, o, p, ask(f"PRAGMA index_xinfo({n})").fetchall()) for _, n, u, o, p in indexes
                ),
                "grows": "AUTOINCREMENT" in sql,
            }
        made = ask(
            "SELECT name, sql FROM sqlite_master WHERE type IN ('index', 'trigger') AND sql IS NOT NULL"
        ).fetchall()
        found["how"] = {name: re.sub(r"\s+", " ", sql) for name, sql in made}
    return found


@pytest.fixture
def next_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of migrations with one more, `0002`. Returns: its file."""
    folder = tmp_path / "migrations"
    shutil.copytree(FOLDER, folder)
    monkeypatch.setattr(migrating, "FOLDER", folder)
    monkeypatch.setattr(opening, "HEAD", "0002")
    return folder / "versions" / "0002_toys.py"


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A database of this version, with something in it."""
    path = tmp_path / "data" / "ouzel.db"
    prepare(path)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("INSERT INTO layers VALUES ('global', '{}', 1, 0)")
    return path


def content(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as connection:
        return list(connection.iterdump())


def test_migrations_make_what_the_tables_say(tmp_path: Path) -> None:
    """When this fails: `.venv/bin/python scripts/migration.py` (until the first release)."""
    prepare(tmp_path / "made.db")
    migrate(tmp_path / "migrated.db")

    made, migrated = drawn(tmp_path / "made.db"), drawn(tmp_path / "migrated.db")

    assert migrated.keys() == made.keys()
    for name in made:
        assert migrated[name] == made[name], name
    assert len(made) > 10


def test_the_last_migration_is_the_version_of_the_tables() -> None:
    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    assert ScriptDirectory.from_config(config).get_heads() == [HEAD]


def test_an_older_database_is_brought_forward_and_kept_beside(old: Path, next_version: Path) -> None:
    next_version.write_text(_STEP.format(more=""))
    before = content(old)

    prepare(old)

    with closing(sqlite3.connect(old)) as connection:
        assert connection.execute("SELECT name FROM toys").fetchall() == [("duck",)]
        assert connection.execute("SELECT scope FROM layers").fetchall() == [("global",)]
        assert opening.version_of(connection) == "0002"
    assert content(old.with_name("ouzel.db.before-0002")) == before
    prepare(old)  # there is nothing left to do


@pytest.mark.parametrize("more", ['op.execute("INSERT INTO nowhere VALUES (1)")', 'raise LookupError("a bug")'])
def test_a_migration_that_fails_leaves_the_database_as_it_was(old: Path, next_version: Path, more: str) -> None:
    next_version.write_text(_STEP.format(more=more))
    before = content(old)

    with pytest.raises((StorageError, LookupError)) as caught:
        prepare(old)

    if caught.type is StorageError:
        assert re.search(r"from version 0001 to 0002, and is left as it was: no such table", str(caught.value))
    assert content(old) == before
    assert [path.name for path in old.parent.iterdir()] == ["ouzel.db"]


def test_a_database_that_somebody_reads_is_not_brought_forward(old: Path, next_version: Path) -> None:
    next_version.write_text(_STEP.format(more=""))
    with closing(sqlite3.connect(old)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM layers").fetchall()
        with closing(sqlite3.connect(old)) as writer, writer:
            writer.execute("INSERT INTO layers VALUES ('platform:x', '{}', 1, 0)")
        with pytest.raises(FileBusy, match="another program"):
            prepare(old)
    prepare(old)
