"""A second place for a closed file: another name, or a copy that was read again."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import anyio
import pytest

from ouzel.base.errors import DiskFull, FileBusy, OutputExists, OutsideRoot, ToolFailed
from ouzel.engine import placing
from ouzel.engine.placing import place
from ouzel.engine.reserving import reserved
from ouzel.testing.disk import tiny_disk

pytestmark = pytest.mark.anyio
_CONTENT = os.urandom(3_000_001)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "here" / "a.ts"
    path.parent.mkdir()
    path.write_bytes(_CONTENT)
    os.utime(path, (1_600_000_000, 1_600_000_000))
    return path


@pytest.fixture
def apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on two file systems."""

    def refuse(*_args: object, **_options: object) -> None:
        raise OSError(errno.EXDEV, "Invalid cross-device link")

    monkeypatch.setattr(placing.os, "link", refuse)


def names(folder: Path) -> list[str]:
    return sorted(each.name for each in folder.iterdir())


def holds(path: Path, content: bytes = _CONTENT) -> bool:
    return path.read_bytes() == content


def names_of(path: Path) -> int:
    return path.stat().st_nlink


def nothing(_count: int) -> None:
    pass


async def test_on_one_file_system_it_gets_another_name(source: Path, tmp_path: Path) -> None:
    told: list[int] = []
    target = tmp_path / "there" / "x" / "a.ts"
    assert await place(source, target, told.append)
    assert names_of(source) == 2
    assert sum(told) == 2 * len(_CONTENT)
    assert not await place(source, target, told.append), "it is there"


@pytest.mark.usefixtures("apart")
async def test_elsewhere_it_is_copied_with_its_time_and_nothing_else_is_left(source: Path, tmp_path: Path) -> None:
    told: list[int] = []
    target = tmp_path / "there" / "x" / "a.ts"
    assert await place(source, target, told.append)
    assert holds(target)
    assert holds(source)
    assert (target.stat().st_mtime, target.stat().st_nlink, sum(told)) == (1_600_000_000, 1, 2 * len(_CONTENT))
    assert names(target.parent) == ["a.ts"]
    assert not await place(source, target, told.append), "it is there"


@pytest.mark.parametrize("content", [b"other", _CONTENT[:-1] + b"!"])
async def test_what_is_something_else_stays(source: Path, content: bytes) -> None:
    target = source.with_name("b.ts")
    target.write_bytes(content)
    with pytest.raises(OutputExists, match="is another file"):
        await place(source, target, nothing)
    assert holds(target, content)
    assert holds(source)


async def test_a_link_is_no_file(source: Path, tmp_path: Path) -> None:
    link = tmp_path / "link.ts"
    link.symlink_to(source)
    with pytest.raises(OutsideRoot):
        await place(link, tmp_path / "b.ts", nothing)
    assert not (tmp_path / "b.ts").exists()


@pytest.mark.usefixtures("apart")
async def test_what_is_read_again_and_is_not_what_was_written_gets_no_name(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask = placing._ask

    async def lie(*args: Any) -> dict[str, Any]:
        return {**(await ask(*args)), "digest_again": "0" * 16}

    monkeypatch.setattr(placing, "_ask", lie)
    with pytest.raises(ToolFailed, match="look after that disk"):
        await place(source, tmp_path / "b.ts", nothing)
    assert names(tmp_path) == ["here"]


@pytest.mark.usefixtures("apart")
async def test_what_another_process_makes_is_left_to_it(source: Path, tmp_path: Path) -> None:
    target = tmp_path / "b.ts"
    async with reserved(target.with_name("b.ts.converting")):
        with pytest.raises(FileBusy):
            await place(source, target, nothing)


@pytest.mark.usefixtures("apart")
async def test_what_is_cancelled_leaves_nothing(source: Path, tmp_path: Path) -> None:
    with anyio.CancelScope() as scope:

        def cancel(_count: int) -> None:
            scope.cancel()

        with source.open("ab") as file:
            file.truncate(200_000_000)  # of which it tells in its middle
        await place(source, tmp_path / "b.ts", cancel)
    assert scope.cancelled_caught
    assert names(tmp_path) == ["here"]


async def test_a_disk_that_fills_up_meanwhile_is_told_and_left_clean(source: Path, tmp_path: Path) -> None:
    with tiny_disk(tmp_path / "disk", megabytes=2) as disk:
        with pytest.raises(DiskFull, match="no space left"):
            await place(source, disk / "x" / "a.ts", nothing)
        assert names(disk / "x") == []
    assert holds(source)
