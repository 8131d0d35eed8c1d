"""From an older version of the tables to the present one. Imported only when there is something to do: it brings Alembic."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine

FOLDER = Path(__file__).parent / "migrations"


def migrate(path: Path, *, to: str = "head") -> None:
    """Blocking. What fails leaves the file in the middle of its steps: give it a copy. Raises: what SQLAlchemy raises."""
    engine = create_engine(f"sqlite:///{path}")
    try:
        with engine.connect() as connection:
            config = Config()
            config.set_main_option("script_location", str(FOLDER))
            config.attributes["connection"] = connection
            command.upgrade(config, to)
    finally:
        engine.dispose()
