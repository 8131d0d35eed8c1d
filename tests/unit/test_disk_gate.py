"""What a gate says of disks that do not answer."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from ouzel.base.errors import ReadOnly, StorageError
from ouzel.engine.disk import DiskGate


@pytest.mark.parametrize(
    ("number", "kind"), [(errno.ENOTCONN, StorageError), (errno.ESTALE, StorageError), (errno.EACCES, ReadOnly)]
)
def test_a_disk_that_does_not_answer_is_an_error_of_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, kind: type[StorageError]
) -> None:
    def refuse(path: object, **_: object) -> None:
        raise OSError(number, os.strerror(number), str(path))

    monkeypatch.setattr(os, "statvfs", refuse)
    monkeypatch.setattr(os, "stat", refuse)
    with pytest.raises(kind, match=str(tmp_path)):
        DiskGate(tmp_path, min_free_bytes=0, probe_s=0.0).check()


def test_the_room_of_a_folder_that_is_still_to_be_made_is_that_of_the_one_above(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    for folder in (tmp_path / "a" / "b", tmp_path / "file" / "c"):
        assert DiskGate(folder, min_free_bytes=0, probe_s=0.0).free_bytes() > 0
