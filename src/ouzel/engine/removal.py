"""Files of a recording are unlinked: media, ledgers, what was made of them, and folders that are empty then.

No link is followed on the way from the root to a file, and only regular files go: whatever leads out of the root stays, and is
told. The ledger goes last, so that what is killed in the middle finds the rest again. All of it blocking.
"""

from __future__ import annotations

import errno
import os
import re
import stat
from collections.abc import Generator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from ouzel.base.errors import NotALedger, OutsideRoot
from ouzel.engine import ledgers
from ouzel.engine.sinks.file import CONVERTING, LEDGER, PART, REPLACED, storage_error
from ouzel.model import ledger
from ouzel.model.ledger import Ledger

_INTO = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_OPENING_BYTES = 64 * 1024
_NEW = ".new"
_OF_STEPS = re.compile(r"\.(poster|storyboard(-\d+)?|clock|h264|hevc|av1|joined)\.\w+\.converting")
"""What steps of a pipeline have not finished beside a file: names that are no other recording's."""
_BLOCK = 512


def check_inside(root: Path, path: str, recording: str) -> None:
    """Whether `remove_file` would take it. Raises: OutsideRoot, StorageError."""
    with _folder_of(root, path) as place:
        if place is not None:
            _there(place, root / path, recording)


def remove_file(root: Path, path: str, recording: str) -> int:
    """Unlink a file and what belongs to it; what is gone already is no error.

    Args:
        path: from the root on, as its row has it.
        recording: id; what the ledger beside it says of another one stays.
    Returns: bytes that are free now. Raises: OutsideRoot, ReadOnly, StorageError.
    """
    freed = 0
    with _folder_of(root, path) as place:
        if place is None:
            return 0
        try:
            for name, status in _there(place, root / path, recording).items():
                os.unlink(name, dir_fd=place.fds[-1])
                freed += status.st_blocks * _BLOCK if status.st_nlink == 1 else 0
            os.fsync(place.fds[-1])
        except OSError as exc:
            raise storage_error(exc, root / path) from exc
        place.drop_empty()
    return freed


def remove_named(root: Path, path: str, endings: Sequence[str] = ()) -> None:
    """Unlink one file, and then those beside it that have its name but for these endings; what is gone already is no error.

    Args:
        path: from the root on.
        endings: `.ledger`
    Raises: OutsideRoot, ReadOnly, StorageError.
    """
    with _folder_of(root, path) as place:
        if place is None:
            return
        names = (place.name, *(PurePosixPath(place.name).with_suffix(ending).name for ending in endings))
        try:
            for name in names:
                if _status(place.fds[-1], name, root / path) is not None:
                    os.unlink(name, dir_fd=place.fds[-1])
            os.fsync(place.fds[-1])
        except OSError as exc:
            raise storage_error(exc, root / path) from exc
        place.drop_empty()


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a file is, by open folders: nobody can put another one in their way."""

    fds: list[int]
    """From the root to its folder."""
    folders: tuple[str, ...]
    name: str

    def drop_empty(self) -> None:
        """Its folder, and those above it but for the root, as long as nothing is in them."""
        for parent, folder in zip(reversed(self.fds[:-1]), reversed(self.folders), strict=True):
            try:
                os.rmdir(folder, dir_fd=parent)
            except OSError:  # something is in it, was put into it now, or it is not ours to remove
                return


@contextmanager
def _folder_of(root: Path, path: str) -> Generator[_Place | None]:
    """None: a folder on the way is not there. Raises: OutsideRoot, StorageError."""
    parts = PurePosixPath(path).parts
    if not parts or path.startswith("/") or ".." in parts or "\0" in path:
        raise OutsideRoot(f"{path[:200]!r} is no path in {root}", path=path)
    *folders, name = parts
    with ExitStack() as stack:
        fds: list[int] = []
        for folder in (None, *folders):
            try:
                fd = os.open(root, _INTO & ~os.O_NOFOLLOW) if folder is None else os.open(folder, _INTO, dir_fd=fds[-1])
            except FileNotFoundError:
                yield None
                return
            except OSError as exc:
                if exc.errno in (errno.ELOOP, errno.ENOTDIR):
                    raise OutsideRoot(f"{root / path} is behind a link, or what is no folder", path=path) from exc
                raise storage_error(exc, root / path) from exc
            stack.callback(os.close, fd)
            fds.append(fd)
        yield _Place(fds, tuple(folders), name)


def _status(folder: int, name: str, path: Path) -> os.stat_result | None:
    """None: it is not there. Raises: OutsideRoot, StorageError."""
    try:
        status = os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return None
    except OSError as exc:
        raise storage_error(exc, path) from exc
    if not stat.S_ISREG(status.st_mode):
        raise OutsideRoot(f"{path.with_name(name)} is a link, or no file", path=str(path))
    return status


def _there(place: _Place, path: Path, recording: str) -> dict[str, os.stat_result]:
    """What belongs to a file and is there, in the order in which it goes. Raises: OutsideRoot, StorageError."""
    found = {name: _status(place.fds[-1], name, path) for name in _belonging(path, recording)}
    return {name: status for name, status in found.items() if status is not None}


# -- what belongs together ---------------------------------------------------------------------------------------------


def _belonging(path: Path, recording: str) -> list[str]:
    """Names in its folder, whether or not they are there; those of ledgers last."""
    stem, own = path.stem, ledgers.ledger_path(path)
    names = [path.name, path.name + PART]
    held = _ledger(own)
    if held is not None and held.opening.recording not in ("", recording):
        return names
    if held is not None:
        names += [held.opening.file, held.opening.file + PART, *(product.file for product in held.products)]
    if held is not None or ledgers.looks_like_one(own):
        names += [f"{stem}{LEDGER}{ending}" for ending in (_NEW, REPLACED, "")]
    unfinished = [each.name for each in path.parent.iterdir() if _is_unfinished(each.name, stem)]
    ours = [name for name in (*unfinished, *names) if "/" not in name and name.startswith(f"{stem}.")]
    return [*dict.fromkeys(ours)]


def _is_unfinished(name: str, stem: str) -> bool:
    """A product or companion that was not finished, of this stem and no longer one."""
    ending = name.removeprefix(stem)
    if ending == name or not ending.endswith(CONVERTING):
        return False
    return ending.count(".") == 2 or _OF_STEPS.fullmatch(ending) is not None


def _ledger(path: Path) -> Ledger | None:
    try:
        return ledger.read(ledgers.content(path))
    except (FileNotFoundError, NotALedger):
        return None


# -- what no row knows -------------------------------------------------------------------------------------------------


def unknown_bytes(root: Path, known: set[str]) -> int:
    """Of recordings in a root whose ledgers say that they belong to a library, and whose paths it does not know.

    Args:
        known: paths from the root on, without their endings.
    Raises: StorageError.
    """
    total = 0
    try:
        for folder, _, names in os.walk(root, onerror=_refuse):
            for name in names:
                path = Path(folder, name)
                stem = path.with_suffix("")
                if path.suffix == LEDGER and stem.relative_to(root).as_posix() not in known and _is_of_library(path):
                    total += sum(_size(Path(folder, each)) for each in names if each.startswith(f"{stem.name}."))
    except OSError as exc:
        raise storage_error(exc, root) from exc
    return total


def _refuse(exc: OSError) -> None:
    if not isinstance(exc, FileNotFoundError):  # it was there a moment ago
        raise exc


def _is_of_library(path: Path) -> bool:
    """By its first line."""
    try:
        with path.open("rb") as file:
            return bool(ledger.read(file.readline(_OPENING_BYTES)).opening.recording)
    except (NotALedger, FileNotFoundError):
        return False


def _size(path: Path) -> int:
    try:
        return path.lstat().st_size
    except FileNotFoundError:
        return 0
