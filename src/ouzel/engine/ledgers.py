"""Ledger files at rest: found beside their media, read, locked, appended to."""

from __future__ import annotations

import errno
import fcntl
import os
import stat
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import xxhash

from ouzel.base.errors import FileBusy, InputError, NotALedger
from ouzel.engine.sinks.file import LEDGER, PART, storage_error, sync_folder
from ouzel.model import ledger
from ouzel.model.ledger import Ledger
from ouzel.model.ledger_lines import Line, Opening, Product

OnBytes = Callable[[int], None]
"""Told how many more bytes were read."""

_READ_BYTES = 1 << 20
_NO_FILE = (
    errno.EISDIR,
    errno.ENXIO,
    errno.ENODEV,
)  # of folders opened for writing, sockets, devices that are not there
_NOT_AS_TOLD = "is not what its ledger says"
_MOST_LINE = 64 * 1024
_BEGINNING = b'{"k":"ledger"'  # of every ledger's first line


@dataclass(frozen=True, slots=True)
class Held:
    """A media file that has a ledger."""

    media: Path
    ledger_path: Path
    ledger: Ledger
    product: Product | None
    """Set when the media file was made of the one that the ledger describes."""

    @property
    def opening(self) -> Opening:
        return self.ledger.opening

    @property
    def is_open(self) -> bool:
        """Still `.part`: it is being written, or was when its recorder died."""
        return self.media.name.endswith(PART)


def check_media(path: Path) -> None:
    """Raises: InputError when there is no file to be read at this path; StorageError."""
    try:
        mode = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError) as exc:
        raise InputError(f"{path} does not exist", path=str(path)) from exc
    except OSError as exc:
        raise storage_error(exc, path) from exc
    if stat.S_ISDIR(mode):
        raise InputError(f"{path} is a folder: name the files in it", path=str(path))
    if not stat.S_ISREG(mode):
        raise InputError(f"{path} is not a file", path=str(path))
    if path.suffix == LEDGER:
        raise InputError(f"{path} is a ledger: name the file beside it", path=str(path))


def ledger_path(media: Path) -> Path:
    """Where the ledger of a media file is, whether or not it is there."""
    return Path(str(media).removesuffix(PART)).with_suffix(LEDGER)


def find(media: Path) -> Held | None:
    """The media file with its ledger; None when it has none.

    Both may have been renamed, as long as they share their name but for the ending. Of a link with no ledger beside it, the file
    that it leads to.
    Raises: NotALedger when what is beside it cannot be read, or is damaged and does not tell what the file is; StorageError.
    """
    path = ledger_path(media)
    try:
        held = ledger.read(content(path))
    except FileNotFoundError:
        return find(media.resolve()) if media.is_symlink() else None
    ending = Path(media.name.removesuffix(PART)).suffix.lower()
    products = [p for p in held.products if Path(p.file).suffix.lower() == ending]
    is_like_original = ending == Path(held.opening.file).suffix.lower()
    for product in reversed(products):
        if product.file == media.name or not is_like_original or product.size == _size(media):
            return Held(media, path, held, product)
    if is_like_original:
        return Held(media, path, held, None)
    if held.closing is not None and held.closing.size == _size(media):  # another ending was given to it
        return Held(media, path, held, None)
    if held.torn:
        raise NotALedger(f"{path} is damaged, and may have told of {media.name}", path=str(path))
    return None


def content(path: Path) -> bytes:
    """What stands in a ledger. Raises: FileNotFoundError, NotALedger when it is no regular file, StorageError."""
    fd = _open(path, os.O_RDONLY)
    try:
        return b"".join(iter(lambda: os.read(fd, _READ_BYTES), b""))
    except OSError as exc:
        raise storage_error(exc, path) from exc
    finally:
        os.close(fd)


def _open(path: Path, flags: int) -> int:
    """Only a regular file: what else has this name may have no end, or never begin. Raises: as `content`."""
    try:
        fd = os.open(path, flags | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        raise
    except OSError as exc:
        if exc.errno in _NO_FILE:
            raise NotALedger(f"{path} is not a file", path=str(path)) from exc
        raise storage_error(exc, path) from exc
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise NotALedger(f"{path} is not a file", path=str(path))
    return fd


def remains(path: Path) -> list[Line]:
    """The whole lines of a ledger that has no beginning any more; none of another program's file. Raises: StorageError."""
    try:
        return ledger.salvage(content(path))
    except (FileNotFoundError, NotALedger):
        return []


def looks_like_one(path: Path) -> bool:
    """Whether a file that cannot be read was a ledger of ours: it begins like one, as far as it goes, or has lines of one."""
    try:
        data = content(path)
    except (FileNotFoundError, NotALedger):
        return False
    return _BEGINNING.startswith(data[: len(_BEGINNING)]) or bool(ledger.salvage(data))


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return -1


@contextmanager
def locked(path: Path) -> Generator[int, None, None]:
    """The ledger, open for reading and appending, while no other process may write it.

    Raises: FileBusy when another process is writing; NotALedger when it is no regular file; StorageError.
    """
    try:
        fd = _open(path, os.O_RDWR | os.O_APPEND)
    except FileNotFoundError as exc:
        raise storage_error(exc, path) from exc
    try:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as exc:
            raise FileBusy(f"another process is writing {path}", path=str(path)) from exc
        yield fd
    finally:
        os.close(fd)


def append(path: Path, lines: Iterable[Line]) -> None:
    """Add lines to a ledger, and make them outlive a power cut. A torn last line, the trace of a crash, is cut off before.

    Raises: NotALedger when not one line in it is whole; FileBusy, StorageError: nothing was added then.
    """
    with locked(path) as fd:
        try:
            end = ledger.whole_length(content(path))
            if not end:
                raise NotALedger(f"{path} is not a ledger", path=str(path))
            os.ftruncate(fd, end)
            try:
                write_all(fd, b"".join(ledger.render(line) for line in lines))
                os.fsync(fd)
            except OSError:
                os.ftruncate(fd, end)
                raise
        except OSError as exc:
            raise storage_error(exc, path) from exc


@contextmanager
def writable(path: Path) -> Generator[int, None, None]:
    """A file that exists, to be read and written. Raises: OSError."""
    fd = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    try:
        yield fd
    finally:
        os.close(fd)


def write_all(fd: int, data: bytes) -> None:
    """Write at the place of `fd`. A full disk takes a part, and says so only when it is asked again. Raises: OSError."""
    left = memoryview(data)
    while left:
        left = left[os.write(fd, left) :]


def create(path: Path, data: bytes) -> None:
    """Write a whole ledger, at once and for good. Raises: StorageError; there is then none."""
    temporary = path.with_name(path.name + ".new")
    try:
        with temporary.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.rename(path)
        sync_folder(path.parent)
    except OSError as exc:
        with suppress(OSError):
            temporary.unlink()
        raise storage_error(exc, path) from exc


def of_recording(folder: Path, recording: str) -> list[tuple[Path, Ledger]]:
    """The ledgers in a folder, and not below it, that name this recording, in the order of its files. Raises: StorageError."""
    word, found = recording.encode(), list[tuple[Path, Ledger]]()
    try:
        for path in sorted(folder.glob(f"*{LEDGER}")):
            with suppress(FileNotFoundError, NotALedger):
                if word in _first_line(path) and (held := ledger.read(content(path))).opening.recording == recording:
                    found.append((path, held))
    except OSError as exc:
        raise storage_error(exc, folder) from exc
    return sorted(found, key=lambda each: each[1].opening.part)


def media_of(path: Path, held: Ledger) -> Iterator[Path]:
    """Where the files are of which a ledger tells, whether or not they are there: what was made of the first one, and it."""
    for name in (*(product.file for product in reversed(held.products)), held.opening.file):
        yield path.with_suffix(Path(name).suffix)


def _first_line(path: Path) -> bytes:
    fd = _open(path, os.O_RDONLY)
    try:
        return os.read(fd, _MOST_LINE).partition(b"\n")[0]
    finally:
        os.close(fd)


def is_written(path: Path) -> bool:
    """Whether a process holds the ledger, that is, records into its file."""
    try:
        with locked(path):
            return False
    except FileBusy:
        return True


def what_is_wrong(held: Held, on_bytes: OnBytes) -> str:
    """Why a closed file, or a product, may not be whole: what follows its name in a sentence.

    Returns: empty when it holds the bytes of which its ledger tells, and no others. Raises: StorageError.
    """
    product, closing = held.product, held.ledger.closing
    if held.ledger.damaged:
        return "has a damaged ledger, which may have told of more"
    if product is not None:
        return "" if digest(held.media, on_bytes) == product.digest else _NOT_AS_TOLD
    if closing is None:
        return "was never closed: its ledger has no end"
    try:
        with held.media.open("rb", buffering=0) as file:
            fd = file.fileno()
            for chunk in held.ledger.chunks:
                if digest_of(fd, chunk.offset, chunk.length) != chunk.digest:
                    return _NOT_AS_TOLD
                on_bytes(chunk.length)
            around = digest_around(fd, held.ledger.media_start, held.ledger.media_end, closing.tail)
            whole = os.fstat(fd).st_size == closing.size and closing.digest in ("", around)
            return "" if whole else _NOT_AS_TOLD
    except OSError as exc:
        raise storage_error(exc, held.media) from exc


def digest(path: Path, on_bytes: OnBytes | None = None) -> str:
    """xxh3_64 of a whole file, 16 hex digits. Raises: StorageError."""
    total = xxhash.xxh3_64()
    buffer = bytearray(_READ_BYTES)
    view = memoryview(buffer)
    try:
        with path.open("rb", buffering=0) as file:
            while count := file.readinto(view):
                total.update(view[:count])
                if on_bytes is not None:
                    on_bytes(count)
    except OSError as exc:
        raise storage_error(exc, path) from exc
    return total.hexdigest()


def digest_of(fd: int, offset: int, length: int) -> str | None:
    """xxh3_64 of a stretch of an open file, 16 hex digits; None when the file ends before it does."""
    total = xxhash.xxh3_64()
    return total.hexdigest() if _sum_up(total, fd, offset, length) else None


def digest_around(fd: int, start: int, end: int, tail: int) -> str | None:
    """xxh3_64 of what an open file holds beside its chunks: the bytes before `start`, and `tail` bytes from `end` on.

    Returns: 16 hex digits; empty when there are no such bytes; None when the file ends before they do.
    """
    total = xxhash.xxh3_64()
    if not (_sum_up(total, fd, 0, start) and _sum_up(total, fd, end, tail)):
        return None
    return total.hexdigest() if start or tail else ""


def _sum_up(total: xxhash.xxh3_64, fd: int, offset: int, length: int) -> bool:
    """Whether the file holds all of it."""
    while length > 0:
        data = os.pread(fd, min(length, _READ_BYTES), offset)
        if not data:
            return False
        total.update(data)
        offset, length = offset + len(data), length - len(data)
    return True
