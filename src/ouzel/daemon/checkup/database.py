"""The database, as it lies there: read, and not opened as a daemon would."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from ouzel.base.errors import DatabaseDamaged, DatabaseOdd
from ouzel.daemon.checkup.folders import is_there
from ouzel.daemon.checkup.result import Result, error, ok

NAME = "ouzel.db"
_BUSY_S = 5.0


def check_database(folder: Path) -> Result:
    """Blocking, and long where it is large: all of it is read."""
    from ouzel.store.opening import HEAD, check_tables, version_of  # and with it SQLAlchemy

    path = folder / NAME
    if not is_there(path):
        return ok("database_none", path=str(path))
    try:
        with closing(sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True, timeout=_BUSY_S)) as connection:
            version = version_of(connection) or ""
            said = [str(row[0]) for row in connection.execute("PRAGMA quick_check(5)")]
            if version == HEAD and said == ["ok"]:
                check_tables(path, connection)
    except DatabaseOdd as exc:
        return error("database_odd", why=str(exc))
    except (sqlite3.Error, DatabaseDamaged) as exc:
        return error("database_broken", path=str(path), why=str(exc))
    if said != ["ok"]:
        return error("database_broken", path=str(path), why="; ".join(said))
    about = {"path": str(path), "version": version, "known": HEAD, "size_bytes": path.stat().st_size}
    if version > HEAD:
        return error("database_newer", **about)
    return ok("database_older", **about) if version < HEAD else ok("database", **about)
