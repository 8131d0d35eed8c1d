"""Killed at twenty moments while rules are kept: what must stay is whole, and what goes is gone with all that belongs to it."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import anyio
import pytest
from tests.e2e.mother import Mother
from tests.retained import Keeper, keeper

from ouzel.model.ledger import render
from ouzel.model.ledger_lines import Product
from ouzel.model.policies import Rule

_KILLS = 20
_OLD, _FILES = 60, 2


@pytest.fixture
def mother(tmp_path: Path) -> Iterator[Mother]:
    begun = Mother("retention_process", tmp_path)
    yield begun
    begun.close()


async def _fill(folder: Path) -> set[str]:
    """Many recordings whose time in the trash is over, some that are too old, and some that stay. Returns: files that stay."""
    async with keeper(folder) as keep:
        await keep.rule("a", Rule(keep_days=10))
        await keep.channel("c1", policy="a")
        for number in range(_OLD):
            recording = await keep.recording(f"old {number % 7}/{number}.ts", days=100)
            await _with_a_product(keep, f"old {number % 7}/{number}.ts")
            await keep.file(recording, f"old {number % 7}/{number} again.ts", part=2)
            deleted_at = keep.lib.clock.now() - timedelta(days=30)
            await keep.lib.change(recording, deleted_at=deleted_at)
        for number in range(10):
            await keep.recording(f"too old/{number}.ts", days=20)
            await keep.recording(f"old {number % 7}/new {number}.ts", days=number)
            await keep.recording(f"old {number % 7}/pinned {number}.ts", days=100, pinned=True)
        (keep.gate.folder / "old 1" / "another's.txt").write_text("mine")
        files = {name for name in keep.all_files() if (keep.gate.folder / name).is_file()}
        return {name for name in files if any(word in name for word in ("new", "pinned", "too old", ".txt"))}


async def _with_a_product(keep: Keeper, path: str) -> None:
    media = keep.gate.folder / path
    media.with_suffix(".mkv").write_bytes(b"made")
    with media.with_suffix(".ledger").open("ab") as ledger:
        ledger.write(render(Product(keep.lib.clock.now(), f"{media.stem}.mkv", "mkv", 4, 1.0, "0" * 16)))


def test_nothing_is_half_and_nothing_is_gone_that_must_stay(mother: Mother, tmp_path: Path) -> None:
    stays = anyio.run(_fill, tmp_path)
    chance = random.Random(20261123)
    said: list[str] = []
    for _ in range(_KILLS):
        pid = mother.bear()
        for _ in range(chance.randrange(24)):
            said.append(mother.line())
            if said[-1] == "idle":
                break
        mother.kill(pid)
        _look(tmp_path)
    assert "idle" not in said, "it was done before it was killed often enough: the test tests less than it says"

    last = mother.bear()
    while mother.line() != "idle":
        pass
    mother.kill(last)

    folder = tmp_path / "media"
    there = {path.relative_to(folder).as_posix() for path in folder.rglob("*")} - {".ouzel-root"}
    assert there == stays | {path.rpartition("/")[0] for path in stays}
    with closing(sqlite3.connect(tmp_path / "ouzel.db")) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        counted = connection.execute(
            "SELECT deleted_at IS NULL, deleting_at IS NULL, count(*) FROM recordings GROUP BY 1, 2"
        )
        assert sorted(counted.fetchall()) == [(0, 1, 10), (1, 1, 20)]
        deleted = connection.execute("SELECT subject FROM events WHERE code = 'recording.deleted'").fetchall()
        orphans = connection.execute("SELECT count(*) FROM files WHERE recording_id NOT IN (SELECT id FROM recordings)")
        assert orphans.fetchone() == (0,)
    assert len(deleted) == len({*deleted}) == _OLD, "told twice, or not at all"


def _look(folder: Path) -> None:
    """After any kill: what has lost a file has a row that says that it goes."""
    with closing(sqlite3.connect(folder / "ouzel.db")) as connection:
        rows = connection.execute(
            "SELECT path, deleting_at FROM files JOIN recordings ON recordings.id = files.recording_id"
        ).fetchall()
    for path, deleting_at in rows:
        media = folder / "media" / path
        assert deleting_at is not None or (media.is_file() and media.with_suffix(".ledger").is_file()), path
