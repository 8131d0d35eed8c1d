"""Files that a browser sends, in pieces and over many connections: the server's side of tus 1.0 (https://tus.io).

An upload is a row and a file `.uploads/ID` on its storage root; how much has come is what the file holds. When it is whole it
gets its name in the folder `uploads`, and is a video.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import count
from pathlib import Path

import anyio
import anyio.to_thread

from ouzel.base.errors import BadOption, BodyTooLarge, ChecksumMismatch, Conflict, MediaError, NotFound, OuzelError
from ouzel.base.ids import new_id
from ouzel.engine.sinks.file import make_folder, storage_error, sync_folder
from ouzel.model.imports import Import, ImportHow, Upload
from ouzel.model.naming import safe_name
from ouzel.services.storage import RootGate
from ouzel.services.video_imports import VideoImports, candidate, looks_like_media
from ouzel.store.db import Db, Tx
from ouzel.store.imports import UploadRepo

COMING, THERE = ".uploads", "uploads"
_PIECE = 1024 * 1024
_SYNC_EVERY = 32 * 1024 * 1024
_KEPT = timedelta(days=7)
"""So long an upload that nobody goes on with stays, and the row of one that is whole."""
CHECKSUMS = ("sha1", "sha256", "md5")


@dataclass(frozen=True, slots=True)
class Digest:
    """What a piece has to be."""

    name: str
    """Of `CHECKSUMS`."""
    value: bytes


class Uploads:
    """Args: gates: of the storage roots, by name; the first is the usual one."""

    def __init__(self, db: Db, gates: Mapping[str, RootGate], imports: VideoImports) -> None:
        self._db = db
        self._gates = gates
        self._imports = imports
        self._repo = UploadRepo(db)
        self._at_work: dict[str, _Turn] = {}

    async def begin(self, name: str, length: int, *, root: str, by: str, user_id: str | None) -> Upload:
        """Args: name: of the file, as its sender calls it. root: empty: the usual one. Raises: BadOption, StorageError."""
        await self.sweep()
        name = safe_name(Path(name).name, fallback="")
        if not looks_like_media(name):
            raise BadOption(f"{name or 'a file without a name'} is no media by its ending", pointer="/filename")
        gate = self._gate(root)
        await anyio.to_thread.run_sync(lambda: gate.check(room=length))
        now = self._db.clock.now()
        new = Upload(new_id(now), user_id, name, length, gate.name, by, now, now)
        await anyio.to_thread.run_sync(_make, self._path(new))
        await self._repo.add(new)
        return new

    async def get(self, upload_id: str) -> Upload:
        """With how much has come. Raises: NotFound."""
        found = await self._repo.get(upload_id)
        if found is None:
            raise NotFound(f"there is no upload {upload_id[:40]}")
        if found.import_id is not None:
            return replace(found, received=found.length)
        if found.path is not None:  # it has come, and became no video yet
            return replace(found, received=found.length)
        try:
            size = await anyio.to_thread.run_sync(lambda: self._path(found).stat().st_size)
        except FileNotFoundError:
            raise NotFound(f"upload {upload_id[:40]} is not on its disk any more") from None
        except OSError as exc:
            raise storage_error(exc, self._path(found)) from exc
        return replace(found, received=size)

    async def append(
        self, upload_id: str, offset: int, pieces: AsyncIterator[bytes], digest: Digest | None = None
    ) -> Upload:
        """What comes is there as far as it came, also when the connection breaks, or `pieces` raises.

        One that comes while another is at work ends that: its connection is dead, and nobody knows it yet.

        Args:
            digest: of all of `pieces`: where they are another, none of them are kept.
        Raises: NotFound; Conflict: `offset` is not where it goes on; BodyTooLarge, ChecksumMismatch, StorageError.
        """
        async with self._turn(upload_id):
            found = await self.get(upload_id)
            if offset != found.received:
                raise Conflict(f"it goes on at {found.received}, not at {offset}", offset=found.received)
            if found.import_id is not None:
                return found
            if found.received < found.length:
                await self._write(found, pieces, digest)
                await self._repo.touch(upload_id, self._db.clock.now())
                found = await self.get(upload_id)
            return await self._finish(found) if found.received == found.length else found

    async def cancel(self, upload_id: str) -> None:
        """What has come goes; what is a video already stays. Raises: NotFound."""
        async with self._turn(upload_id):
            found = await self.get(upload_id)
            await self._remove(found)

    async def sweep(self) -> int:
        """Those that nobody goes on with go. Returns: how many."""
        old = [each for each in await self._repo.all() if each.touched_at < self._db.clock.now() - _KEPT]
        for each in old:
            with suppress(OuzelError):  # of a disk that is not there: the next time
                async with self._turn(each.id):
                    await self._remove(each)
        return len(old)

    async def settle(self) -> None:
        """At the start: what came whole before a kill becomes what it is."""
        for each in await self._repo.all():
            with suppress(OuzelError):
                found = await self.get(each.id)
                if found.import_id is None and found.received == found.length:
                    await self._finish(found)

    # -- one upload ---------------------------------------------------------------------------------------------------

    async def _write(self, upload: Upload, pieces: AsyncIterator[bytes], digest: Digest | None) -> None:
        gate, room = self._gate(upload.root), upload.length - upload.received
        summed = hashlib.new(digest.name, usedforsecurity=False) if digest else None
        writing = _Writing(self._path(upload), gate)
        await anyio.to_thread.run_sync(writing.open)
        try:
            async with aclosing(_gathered(pieces)) as gathered:
                async for piece in gathered:
                    room -= len(piece)
                    if room < 0:
                        raise BodyTooLarge(f"the file has {upload.length} bytes, and more of it came")
                    if summed is not None:
                        summed.update(piece)
                    await anyio.to_thread.run_sync(writing.write, piece)
            if digest is not None and summed is not None and summed.digest() != digest.value:
                await anyio.to_thread.run_sync(writing.take_back)
                raise ChecksumMismatch(f"the {digest.name} of this piece is another: send it again")
        finally:
            with anyio.CancelScope(shield=True):
                await anyio.to_thread.run_sync(writing.close)

    async def _finish(self, upload: Upload) -> Upload:
        """Its place is noted before it is moved there, so that a kill in between leaves none of both without the other.

        Raises: NotMedia, MediaError: it is no video, and goes; StorageError.
        """
        folder, temporary = self._gate(upload.root).folder, self._path(upload)
        if upload.path is None:
            final = await anyio.to_thread.run_sync(_reserve, folder / THERE, upload.name)
            path = final.relative_to(folder).as_posix()
            await self._repo.will_be(upload.id, path)
            upload = replace(upload, path=path)
        final = folder / str(upload.path)
        await anyio.to_thread.run_sync(_settle, temporary, final)

        async def note(tx: Tx, made: Import) -> None:
            await self._repo.become_in(tx, upload.id, made.id)

        try:
            found = await anyio.to_thread.run_sync(candidate, final, ())
            title = Path(upload.name).stem
            made = await self._imports.take(found, how=ImportHow.UPLOADED, by=upload.by, title=title, write=note)
        except MediaError:
            await anyio.to_thread.run_sync(_unlink, final)
            await self._repo.remove(upload.id)
            raise
        return replace(upload, import_id=made.id if made else None)

    async def _remove(self, upload: Upload) -> None:
        """A video stays."""
        if upload.import_id is None:
            places = [self._path(upload), *([self._gate(upload.root).folder / upload.path] if upload.path else [])]
            for each in places:
                await anyio.to_thread.run_sync(_unlink, each)
        await self._repo.remove(upload.id)

    def _gate(self, root: str) -> RootGate:
        """Raises: BadOption."""
        if not root:
            return next(iter(self._gates.values()))
        if root not in self._gates:
            raise BadOption(f"there is no storage root {root[:60]}; there is {', '.join(self._gates)}", pointer="/root")
        return self._gates[root]

    def _path(self, upload: Upload) -> Path:
        return self._gate(upload.root).folder / COMING / upload.id

    @asynccontextmanager
    async def _turn(self, upload_id: str) -> AsyncGenerator[None]:
        """The last to come works; who was at work is cancelled, and waited for. Raises: Conflict: a later one came."""
        while (before := self._at_work.get(upload_id)) is not None:
            before.scope.cancel()
            await before.over.wait()
        own = self._at_work[upload_id] = _Turn()
        try:
            with own.scope:
                yield
        finally:
            del self._at_work[upload_id]
            own.over.set()
        if own.scope.cancelled_caught:
            raise Conflict("the same upload goes on over another connection")


class _Turn:
    def __init__(self) -> None:
        self.scope = anyio.CancelScope()
        self.over = anyio.Event()


class _Writing:
    """One request's bytes into the file; blocking."""

    def __init__(self, path: Path, gate: RootGate) -> None:
        self._path = path
        self._gate = gate
        self._fd = -1
        self._began = self._size = self._synced = 0

    def open(self) -> None:
        try:
            self._fd = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)
            self._began = self._size = self._synced = os.fstat(self._fd).st_size
        except OSError as exc:
            raise storage_error(exc, self._path) from exc

    def write(self, piece: bytes) -> None:
        """Raises: DiskFull, StorageError."""
        self._gate.check()
        try:
            rest = memoryview(piece)
            while rest:
                rest = rest[os.write(self._fd, rest) :]
            self._size += len(piece)
            if self._size - self._synced >= _SYNC_EVERY:
                os.fsync(self._fd)
                self._synced = self._size
        except OSError as exc:
            raise storage_error(exc, self._path) from exc

    def take_back(self) -> None:
        try:
            os.ftruncate(self._fd, self._began)
        except OSError as exc:
            raise storage_error(exc, self._path) from exc

    def close(self) -> None:
        if self._fd < 0:
            return
        fd, self._fd = self._fd, -1
        try:
            os.fsync(fd)
        except OSError as exc:
            raise storage_error(exc, self._path) from exc
        finally:
            os.close(fd)


async def _gathered(pieces: AsyncIterator[bytes]) -> AsyncGenerator[bytes]:
    """In larger pieces; what came before one raises is given first."""
    held = bytearray()
    try:
        async for piece in pieces:
            held += piece
            if len(held) >= _PIECE:
                yield bytes(held)
                held.clear()
    except Exception:
        if held:
            yield bytes(held)
        raise
    if held:
        yield bytes(held)


def _make(path: Path) -> None:
    make_folder(path.parent)
    try:
        path.open("xb").close()
    except OSError as exc:
        raise storage_error(exc, path) from exc


def _reserve(folder: Path, name: str) -> Path:
    """The name, or the first free one like it: an empty file has it. Raises: StorageError."""
    make_folder(folder)
    stem, ending = Path(name).stem, Path(name).suffix
    for number in count(1):
        final = folder / (name if number == 1 else f"{stem}_{number}{ending}")
        try:
            final.open("xb").close()
        except FileExistsError:
            continue
        except OSError as exc:
            raise storage_error(exc, final) from exc
        return final
    raise AssertionError


def _settle(temporary: Path, final: Path) -> None:
    """Unless it is there already. Raises: StorageError."""
    try:
        with suppress(FileNotFoundError):
            temporary.replace(final)
        sync_folder(final.parent)
    except OSError as exc:
        raise storage_error(exc, final) from exc


def _unlink(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as exc:
        raise storage_error(exc, path) from exc
