"""An unfinished file is ours alone, whatever a crash has left under its name."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ouzel.base.errors import FileBusy, StorageError
from ouzel.engine.reserving import reserved

pytestmark = pytest.mark.anyio


async def test_what_a_crash_has_left_is_not_written_into(tmp_path: Path) -> None:
    """A child of it may still hold the file open, and be in the middle of a last write."""
    unfinished = tmp_path / "a.mp4.part"
    with unfinished.open("ab") as left:
        left.write(b"half of a mov")
        left.flush()

        async with reserved(unfinished):
            left.write(b"ie")
            left.flush()

            assert not os.path.samestat(unfinished.stat(), os.fstat(left.fileno()))
            assert unfinished.stat().st_size == 0
    assert not unfinished.exists()


async def test_it_is_made_by_one_at_a_time(tmp_path: Path) -> None:
    unfinished = tmp_path / "folder" / "a.mp4.part"
    async with reserved(unfinished):
        unfinished.write_bytes(b"a movie")
        with pytest.raises(FileBusy, match=r"is making .*a\.mp4"):
            async with reserved(unfinished):
                raise AssertionError

        assert unfinished.read_bytes() == b"a movie"
    async with reserved(unfinished):
        assert unfinished.stat().st_size == 0


async def test_a_pipe_of_that_name_is_left_alone(tmp_path: Path) -> None:
    unfinished = tmp_path / "a.mp4.part"
    os.mkfifo(unfinished)
    with pytest.raises(StorageError, match="is in the way"):
        async with reserved(unfinished):
            raise AssertionError

    assert unfinished.exists()
