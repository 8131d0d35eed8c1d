"""Before the database is opened: made when there is none, migrated when it is of an older version, refused when of a newer."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Generator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import quote

from sqlalchemy.dialects import sqlite
from sqlalchemy.schema import CreateIndex, CreateTable

from ouzel.base.errors import DatabaseDamaged, DatabaseOdd, DatabaseTooNew, FileBusy, NotFound, ReadOnly, StorageError
from ouzel.store.tables import EXTRAS, METADATA

HEAD = "0001"
"""The version of the tables as they stand in `tables`."""
_HEADER = b"SQLite format 3\x00"


def prepare(path: Path) -> None:
    """Blocking. A database of an older version is copied to `NAME.before-VERSION` before it is migrated.

    Raises: DatabaseTooNew, DatabaseOdd, DatabaseDamaged, FileBusy, StorageError: the database is as it was.
    """
    with _explained(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab"):  # it can be written
            pass
        with path.open("rb") as file:
            beginning = file.read(len(_HEADER))
        if beginning not in (b"", _HEADER):
            raise DatabaseDamaged(f"{path} is no database of SQLite")
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            version = version_of(connection)
            if version is None:
                _make(connection)
            elif version > HEAD:
                raise DatabaseTooNew(
                    f"{path} is of version {version}, and this Ouzel knows up to {HEAD}: use the newer Ouzel that wrote it"
                )
            elif version < HEAD:
                _gather(connection)
            else:
                check_tables(path, connection)
        if version is not None and version < HEAD:
            _bring_forward(path, version)


def _gather(connection: sqlite3.Connection) -> None:
    """Everything into the one file."""
    (busy, *_) = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    if busy:
        raise FileBusy("another program has the database open, which is to be brought to a new version: end that first")


def _bring_forward(path: Path, version: str) -> None:
    """On a copy, which takes the place of the old file when all steps are done."""
    from sqlalchemy.exc import DatabaseError

    from ouzel.store.migrating import migrate  # and with it Alembic

    fresh = path.with_name(f"{path.name}.migrating")
    try:
        shutil.copy2(path, fresh)
        migrate(fresh)
        shutil.copy2(path, path.with_name(f"{path.name}.before-{HEAD}"))
        fresh.replace(path)
    except DatabaseError as exc:
        raise StorageError(
            f"{path} could not be brought from version {version} to {HEAD}, and is left as it was: {exc.orig}"
        ) from exc
    finally:
        for ending in ("", "-wal", "-shm", "-journal"):
            fresh.with_name(fresh.name + ending).unlink(missing_ok=True)


def check_present(path: Path) -> None:
    """Whether there is a database of this version; blocking.

    Raises: NotFound, DatabaseTooNew, DatabaseOdd, DatabaseDamaged, StorageError.
    """
    if not path.is_file():
        raise NotFound(f"there is no database {path}")
    with (
        _explained(path),
        closing(sqlite3.connect(f"file:{quote(str(path.absolute()))}?mode=ro", uri=True)) as connection,
    ):
        version = version_of(connection)
        if version == HEAD:
            check_tables(path, connection)
    if version != HEAD:
        if version is not None and version > HEAD:
            raise DatabaseTooNew(f"{path} is of version {version}, and this Ouzel knows up to {HEAD}")
        raise StorageError(f"{path} is of an older version: start the daemon once, which brings it forward")


def version_of(connection: sqlite3.Connection) -> str | None:
    """None of an empty file."""
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if not tables:
        return None
    if "alembic_version" not in tables:
        raise DatabaseDamaged("it is a database, but none of Ouzel's")
    row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    return row[0] if row else ""


def check_tables(path: Path, connection: sqlite3.Connection) -> None:
    """Whether they are those of `HEAD`: states of the source between two releases have the same number. Raises: DatabaseOdd."""
    for table in METADATA.sorted_tables:
        there = {row[1] for row in connection.execute(f'PRAGMA table_xinfo("{table.name}")')}
        lacking = [column.name for column in table.columns if column.name not in there]
        if lacking:
            what = f"{table.name}.{lacking[0]}" if there else table.name
            raise DatabaseOdd(
                f"{path} is of version {HEAD}, and has no {what}: an Ouzel between two releases wrote it; use that one, "
                "or put the file aside and start with a new one"
            )


def _make(connection: sqlite3.Connection) -> None:
    """All tables, or none."""
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("BEGIN IMMEDIATE")
    for table in METADATA.sorted_tables:
        connection.execute(str(CreateTable(table).compile(dialect=sqlite.dialect())))
        for index in sorted(table.indexes, key=lambda each: str(each.name)):
            connection.execute(str(CreateIndex(index).compile(dialect=sqlite.dialect())))
    for statement in EXTRAS:
        connection.execute(statement)
    connection.execute("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)")
    connection.execute("INSERT INTO alembic_version VALUES (?)", (HEAD,))
    connection.execute("COMMIT")


@contextmanager
def _explained(path: Path) -> Generator[None]:
    try:
        yield
    except (PermissionError, sqlite3.OperationalError) as exc:
        raise ReadOnly(f"{path}: the database cannot be written: {getattr(exc, 'strerror', None) or exc}") from exc
    except sqlite3.DatabaseError as exc:
        raise DatabaseDamaged(f"{path} is damaged: {exc}") from exc
    except OSError as exc:
        raise StorageError(f"{path}: {(exc.strerror or str(exc)).lower()}") from exc
