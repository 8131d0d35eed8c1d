"""The step `move`: all files of a recording or download to another storage root, a few that belong together after the other.

Of files that share a ledger each gets a second place (`engine.placing`), the ledger last; then their rows are changed, and only
then they go where they were (`services.old_places`). So a kill costs the files at hand, and nothing is ever at no place.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread

from ouzel.base.errors import BadOption, Conflict, FileBusy, InUse, NoRoom
from ouzel.base.units import format_size
from ouzel.model.steps import MOVE
from ouzel.services.places import Places
from ouzel.services.steps import Item, ItemFile, Made, StepKind, StepWork
from ouzel.services.storage import RootGate

_OUTSIDE = "downloads"
"""Folder on a root of what lay outside of all."""
Held = Callable[[str, str], Awaitable[set[str]]]
"""Ids of files of an item with which other runs than this one have something to do now."""


@dataclass(frozen=True, slots=True)
class Group:
    """Files that share a ledger, which has no row."""

    root: str
    stem: str
    """From the root on."""
    files: tuple[ItemFile, ...]

    @property
    def ledger(self) -> Path:
        return self.files[0].path.with_name(f"{Path(self.stem).name}.ledger")


def groups_of(files: Sequence[ItemFile]) -> list[Group]:
    """In the order of the files. Pure."""
    found: dict[tuple[str, str], list[ItemFile]] = {}
    for each in files:
        found.setdefault((each.row.root, str(Path(each.row.path).with_suffix(""))), []).append(each)
    return [Group(root, stem, tuple(of)) for (root, stem), of in found.items()]


def move_kind(places: Places, gates: Mapping[str, RootGate], held: Held) -> StepKind:
    """Args: gates: of the storage roots, by name."""

    async def check(fields: Mapping[str, Any]) -> None:
        if fields["to"] not in gates:
            raise BadOption(f"there is no storage root {fields['to'][:60]!r}; there is {', '.join(gates)}")

    moving: set[str] = set()

    async def run(work: StepWork) -> Made:
        if work.item.id in moving:
            raise InUse("another run moves its files: this one goes on when that is done")
        moving.add(work.item.id)
        try:
            return await move(work)
        finally:
            moving.remove(work.item.id)

    async def move(work: StepWork) -> Made:
        to: str = work.fields["to"]
        _check_at_rest(work.item)
        await work.move({})  # what an attempt before has left where it was
        busy = await held(work.item.id, work.run.id)
        wanted = [group for group in groups_of(work.all_files) if group.root != to]
        groups = [group for group in wanted if not any(each.row.id in busy for each in group.files)]
        if wanted and not groups:
            raise InUse("another run works on its files: they are moved when it is done")
        way = _Way(work, to, places, gates[to])
        await way.plan(groups)
        for group in groups:
            await way.move(group)
        left = sum(len(group.files) for group in wanted) - way.moved
        return Made(result={"moved": way.moved, "bytes": way.bytes, **({"left": left} if left else {})})

    return StepKind(MOVE, run, check)


def _check_at_rest(item: Item) -> None:
    """Raises: InUse."""
    if not item.is_over or (item.recording is not None and item.recording.deleting_at is not None):
        raise InUse(f"{item.title[:60]} is on air again, or being deleted: it is not moved now")


class _Way:
    """From where files are to another root."""

    def __init__(self, work: StepWork, to: str, places: Places, gate: RootGate) -> None:
        self._work = work
        self._to = to
        self._places = places
        self._gate = gate
        self._sizes: dict[Path, int] = {}
        """Of all that is moved, ledgers too."""
        self._done = 0
        self.moved = 0
        """Files with rows."""

    @property
    def bytes(self) -> int:
        return sum(self._sizes.values())

    async def plan(self, groups: Sequence[Group]) -> None:
        """Raises: NoRoom: for all of it; RootMissing, ReadOnly, OutsideRoot, StorageError."""
        await anyio.to_thread.run_sync(self._plan, groups)

    def _plan(self, groups: Sequence[Group]) -> None:
        from ouzel.engine.placing import is_on_one_disk, size_of

        self._gate.check_writable()
        room = 0
        for group in groups:
            self._places.require(group.root)
            for path in _paths(group):
                self._sizes[path] = size_of(path)
                is_there = self._target(group, path).exists()  # since an attempt before
                room += 0 if is_there or is_on_one_disk(path, self._gate.folder) else self._sizes[path]
        free, floor = self._gate.free_bytes(), self._gate.min_free_bytes
        if room and free < floor + room:
            raise NoRoom(
                f"{self._to} has {format_size(free)} free, of which {format_size(floor)} stay free: there is no room for"
                f" {format_size(room)}",
                free=free, floor=floor, room=room,
            )  # fmt: skip

    async def move(self, group: Group) -> None:
        """Raises: OutputExists, InUse, DiskFull, ReadOnly, StorageError, ToolFailed; the group is then where it was."""
        from ouzel.engine.placing import place

        placed: list[Path] = []
        async with _locked(group.ledger):
            try:
                for path in await anyio.to_thread.run_sync(_paths, group):
                    target = self._target(group, path)
                    if await place(path, target, self._counter(path)):
                        placed.append(target)
            except BaseException:
                with anyio.CancelScope(shield=True):
                    await anyio.to_thread.run_sync(_take_back, placed)
                raise
        moved = {each.row.id: (self._to, self._inside(each.row.root, each.row.path)) for each in group.files}
        try:
            await self._work.move(moved)
        except (InUse, Conflict):  # after others it may be that rows tell of the new place already
            await anyio.to_thread.run_sync(_take_back, placed)
            raise
        self.moved += len(group.files)

    def _target(self, group: Group, path: Path) -> Path:
        inside = str(Path(group.stem).with_name(path.name))
        return self._gate.folder / self._inside(group.root, inside)

    def _inside(self, root: str, path: str) -> str:
        """From the new root on."""
        return path if root in self._places.roots else f"{_OUTSIDE}/{path}"

    def _counter(self, path: Path) -> Callable[[int], None]:
        from ouzel.engine.placing import PASSES

        total = max(1, PASSES * self.bytes)

        def on_bytes(count: int) -> None:
            self._done += count
            words = f"{format_size(self._done // PASSES)}/{format_size(self.bytes)} {path.name}"
            self._work.progress(min(1.0, self._done / total), words)

        return on_bytes


def _paths(group: Group) -> list[Path]:
    """What lies on the disk, the ledger last: it tells of the rest. Blocking."""
    ledger = group.ledger
    return [*(each.path for each in group.files), *([ledger] if ledger.is_file() else [])]


def _take_back(placed: Sequence[Path]) -> None:
    for path in placed:
        path.unlink(missing_ok=True)


@asynccontextmanager
async def _locked(ledger: Path) -> AsyncGenerator[None]:
    """Nobody writes what it tells of. Raises: InUse; NotALedger, StorageError."""
    from ouzel.engine import ledgers

    with ExitStack() as stack:
        if await anyio.Path(ledger).is_file():
            try:
                await anyio.to_thread.run_sync(stack.enter_context, ledgers.locked(ledger))
            except FileBusy as exc:
                raise InUse(f"another process writes {ledger}: it is moved when that is done") from exc
        yield
