"""Write the migration that makes the tables: `.venv/bin/python scripts/migration.py`.

Until the first release there is only this one, and it is written anew whenever a table changes. From then on it stays as it is,
and each change of the tables is a file of its own beside it.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

from alembic.autogenerate import render_python_code
from alembic.migration import MigrationContext
from alembic.operations import ops
from sqlalchemy import REAL, TypeDecorator
from sqlalchemy.dialects import sqlite

from ouzel.store.migrating import FOLDER
from ouzel.store.tables import EXTRAS, METADATA

FIRST = FOLDER / "versions" / "0001_first.py"
_HEAD = '''"""All tables, as they were in the first release. Written by `scripts/migration.py`."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
'''


def render() -> str:
    """The file, before it is formatted."""
    steps: list[Any] = []
    for table in METADATA.sorted_tables:
        steps.append(ops.CreateTableOp.from_table(table))
        steps += [ops.CreateIndexOp.from_index(i) for i in sorted(table.indexes, key=lambda each: str(each.name))]
    context = MigrationContext.configure(dialect=sqlite.dialect())
    steps += [ops.ExecuteSQLOp(each) for each in EXTRAS]
    code = render_python_code(ops.UpgradeOps(steps), render_item=_plain_type, migration_context=context)
    return _HEAD + "\n".join(line for line in code.splitlines() if not line.lstrip().startswith("#")) + "\n"


def _plain_type(kind: str, item: Any, _context: object) -> str | bool:
    """A migration does not lean on types of ours, which may change: only on what SQLite stores."""
    if kind == "type" and isinstance(item, TypeDecorator):
        return f"sa.{item.impl!r}"
    return "sa.REAL" if kind == "type" and isinstance(item, REAL) else False  # `REAL()` has no whole type


if __name__ == "__main__":
    FIRST.write_text(render())
    ruff = str(Path(sys.executable).with_name("ruff"))
    subprocess.run([ruff, "check", "--quiet", "--fix", "--select", "I", str(FIRST)], check=True)
    subprocess.run([ruff, "format", "--quiet", str(FIRST)], check=True)
