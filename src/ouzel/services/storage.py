"""Storage roots: where media go. Each has one gate for all its recordings; what it holds, and how long it will do.

A root has a file `.ouzel-root` in its folder. Where that is missing while rows tell of files, and none of these is there, the
disk is not mounted: the gate stays closed, so that nothing is written onto the mount point below. The folder of a root that
the settings name (`[storage.roots.NAME]`) is not made, either: where it is missing, so is its disk.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Awaitable, Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from pathlib import Path

import anyio
import anyio.to_thread

from ouzel.base.errors import DiskFull, ReadOnly, RootMissing, StorageError
from ouzel.engine.disk import DiskGate
from ouzel.engine.sinks.file import PART, make_folder, storage_error
from ouzel.model.happening import Happening
from ouzel.model.notices import Trouble
from ouzel.services.recordings import Root
from ouzel.store.db import Db
from ouzel.store.usage import Held, UsageRepo

MARKER = ".ouzel-root"
_TEXT = "Ouzel keeps recordings here. This file tells it that the disk is mounted: please leave it.\n"
_log = logging.getLogger(__name__)
_EVERY_S = 10.0
_ROOM_BYTES = 4 * 1024 * 1024
"""A closed gate opens only when so much more is free than the floor."""
_LOOKED_BACK = timedelta(days=7)
_DAY = timedelta(days=1)


class RootState(StrEnum):
    """The spelling is a promise: events, notices and metrics key on it."""

    OPEN = "open"
    LOW = "low"
    READ_ONLY = "read_only"
    MISSING = "missing"
    TROUBLE = "trouble"


@dataclass(frozen=True, slots=True)
class RootView:
    """One root, as it is now. Sizes in bytes."""

    name: str
    folder: Path
    state: RootState
    why: str
    """Empty while it is open."""
    total_bytes: int
    free_bytes: int
    min_free_bytes: int
    files: int
    held_bytes: int
    """By the recordings in it."""
    per_day_bytes: float
    """That came in the last seven days, or since the first recording."""
    days_left: float | None
    """Until the floor is reached, if it goes on like this. None: nothing comes, or its disk is not there."""


class RootGate(DiskGate):
    """A gate that also stays closed while the root is not mounted."""

    def __init__(self, name: str, folder: Path, *, min_free_bytes: int, probe_s: float, is_named: bool = False) -> None:
        """Args: is_named: by the settings. Then its folder is not made where it is missing."""
        super().__init__(folder, min_free_bytes=min_free_bytes, probe_s=probe_s)
        self.name = name
        self.is_named = is_named
        self.is_marked = False
        """Its marker was there, or has to be."""

    @property
    def root(self) -> Root:
        return Root(self.name, self.folder, self)

    @property
    def least_bytes(self) -> int:
        """With so much free it takes recordings, also after it was full."""
        return self.min_free_bytes + _ROOM_BYTES

    def check(self, *, room: int = 0) -> None:
        """Raises: RootMissing, and as the gate does."""
        self.require()
        super().check(room=room)

    def require(self) -> None:
        """Raises: RootMissing while its disk is not mounted."""
        if self.is_named and not self.folder.is_dir():
            raise RootMissing(f"there is no folder {self.folder}: is its disk mounted? If it is, make the folder")
        if self.is_marked and not self.has_marker():
            raise RootMissing(f"{self.folder} is not what it was: is its disk mounted? There is no {MARKER} in it")

    def check_writable(self) -> None:
        """Raises: as `check`, and as the gate does."""
        self.check()
        super().check_writable()

    def has_marker(self) -> bool:
        return os.path.lexists(self.folder / MARKER)

    def mark(self, sample: list[str]) -> None:
        """Write the marker, unless this may not be the root; blocking.

        Args:
            sample: paths of files that should be in it.
        Raises: ReadOnly, DiskFull, StorageError.
        """
        self.is_marked = self.is_marked or bool(sample) or self.has_marker()
        if self.is_marked and not any(self._has(path) for path in sample):
            return
        make_folder(self.folder)
        try:
            with suppress(FileExistsError), (self.folder / MARKER).open("x", encoding="ascii") as file:
                file.write(_TEXT)
                file.flush()
                os.fsync(file.fileno())
        except OSError as exc:
            raise storage_error(exc, self.folder) from exc
        self.is_marked = True

    def _has(self, path: str) -> bool:
        return os.path.lexists(self.folder / path) or os.path.lexists(self.folder / (path + PART))

    def look(self, sample: list[str], *, was_open: bool, thoroughly: bool) -> StorageError | None:
        """What is wrong now; blocking. `thoroughly`: a file is made, too."""
        try:
            if not self.has_marker() and (self.folder.is_dir() or not self.is_named):
                self.mark(sample)
            self.check(room=0 if was_open else _ROOM_BYTES)
            if os.statvfs(self.folder).f_flag & os.ST_RDONLY:
                raise ReadOnly(f"{self.folder} is mounted for reading only")
            if thoroughly or not was_open:
                self.check_writable()
        except StorageError as exc:
            return exc
        except OSError as exc:
            return storage_error(exc, self.folder)
        return None

    def disk(self) -> str:
        """Of all roots on one file system the same; blocking. Empty when nobody knows."""
        try:
            return str(self.folder.stat().st_dev)
        except OSError:
            return ""

    def space(self) -> tuple[int, int]:
        """Total and free bytes of its file system; blocking. Zeros when nobody knows."""
        try:
            stat = os.statvfs(self.folder)
        except OSError:
            return 0, 0
        return stat.f_blocks * stat.f_frsize, stat.f_bavail * stat.f_frsize


class Storage:
    """Args:
    gates: by name of their roots.
    named: names of roots that settings of channels have.
    """

    def __init__(
        self,
        db: Db,
        gates: Mapping[str, RootGate],
        *,
        named: Callable[[], Collection[str]] = tuple,
        sleep: Callable[[float], Awaitable[None]] = anyio.sleep,
    ) -> None:
        self._db = db
        self._repo = UsageRepo(db)
        self._gates = gates
        self._named = named
        self._sleep = sleep
        self._noted: set[str] = set()
        """Of which the rows say that they were marked."""
        self._errors: dict[str, StorageError | None] = {}
        """What is wrong with each; none before it was looked at."""

    @property
    def roots(self) -> dict[str, Root]:
        """For `Recordings`."""
        return {name: gate.root for name, gate in self._gates.items()}

    async def run(self) -> None:
        """Until cancelled. `look` once before anything is recorded."""
        while True:
            await self._sleep(_EVERY_S)
            try:
                await self.look()
            except StorageError as exc:  # of the database: it stands in its own folder
                _log.warning("storage roots could not be looked at: %s", exc)

    async def look(self) -> None:
        """Whether each root takes media; what has changed is told."""
        is_writing = await self._repo.is_writing()
        for name, gate in self._gates.items():
            sample = await self._prepare(name, gate)
            before = self._errors.get(name)
            thoroughly = is_writing or name not in self._errors
            error = await anyio.to_thread.run_sync(
                lambda gate=gate, sample=sample, was_open=before is None, thoroughly=thoroughly: gate.look(
                    sample, was_open=was_open, thoroughly=thoroughly
                )
            )
            self._errors[name] = error
            if error is None and gate.is_named and name not in self._noted:
                await self._repo.note_marked(name, str(gate.folder))
                self._noted.add(name)
            if _state(error) is not _state(before):
                await self._tell(name, error)

    async def _prepare(self, name: str, gate: RootGate) -> list[str]:
        """What should be on a root whose marker is not there. One that was marked once has to be so, also without files."""
        if await anyio.to_thread.run_sync(gate.has_marker):
            return []
        if gate.is_named and await self._repo.was_marked(name, str(gate.folder)):
            gate.is_marked = True
        return await self._repo.sample(name)

    async def _tell(self, name: str, error: StorageError | None) -> None:
        data = {"root": name, "state": _state(error).value, "why": str(error) if error else ""}
        (_log.warning if error else _log.info)("storage root %s: %s", name, str(error or "takes media again"))
        async with self._db.transaction() as tx:
            tx.emit(Happening("storage.changed", name, data))

    def most_room(self) -> int | None:
        """Bytes of the largest disk; None while one is not there, which may be larger. Blocking."""
        totals = [gate.space()[0] for gate in self._gates.values()]
        return max(totals) if totals and all(totals) else None

    # -- asking -------------------------------------------------------------------------------------------------------

    async def views(self) -> list[RootView]:
        """All roots, as they are now."""
        now = self._db.clock.now()
        held = await self._repo.held(now - _LOOKED_BACK)
        views: list[RootView] = []
        for name, gate in sorted(self._gates.items()):
            total, free = await anyio.to_thread.run_sync(gate.space)
            has = held.get(name, Held())
            past = min(max(now - has.oldest, _DAY), _LOOKED_BACK) if has.oldest else _LOOKED_BACK
            per_day = has.recent_bytes / (past / _DAY)
            error = self._errors.get(name)
            views.append(
                RootView(
                    name, gate.folder, _state(error), str(error or ""), total, free, gate.min_free_bytes, has.files,
                    has.bytes, per_day, max(0, free - gate.min_free_bytes) / per_day if per_day and total else None,
                )
            )  # fmt: skip
        return views

    async def troubles(self) -> list[Trouble]:
        """For `Noticing`: one for each root that takes nothing, and for each that the settings do not have any more."""
        return [*self._of_gates(), *await self._not_set()]

    def _of_gates(self) -> list[Trouble]:
        return [
            Trouble(f"storage.{_state(error)}:{name}", f"storage.{_state(error)}", {"root": name, "why": str(error)})
            for name, error in self._errors.items()
            if error is not None
        ]

    async def _not_set(self) -> list[Trouble]:
        """What rows and settings name, and nobody knows where it is. A folder outside of all roots has no name."""
        held = await self._repo.files_of()
        unknown = {name for name in (*held, *self._named()) if not name.startswith("/")} - self._gates.keys()
        there = ", ".join(self._gates)
        return [
            Trouble(
                f"storage.not_set:{name}", "storage.not_set", {"root": name, "files": held.get(name, 0), "roots": there}
            )
            for name in sorted(unknown)
        ]


def _state(error: StorageError | None) -> RootState:
    match error:
        case None:
            return RootState.OPEN
        case RootMissing():
            return RootState.MISSING
        case DiskFull():
            return RootState.LOW
        case ReadOnly():
            return RootState.READ_ONLY
        case _:
            return RootState.TROUBLE
