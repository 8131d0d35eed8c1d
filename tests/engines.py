"""Adapters of ownership and of the queue, for the contract suites: opened as often as there are processes that work with them."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from ouzel.model.happening import Happening, StoredEvent
from ouzel.model.jobs import JobQueue
from ouzel.model.ownership import ALONE, Ownership, Terms
from ouzel.store.db import open_db
from ouzel.store.jobs import SqliteJobQueue
from ouzel.store.ownership import SqliteOwnership
from ouzel.system.clock import Clock


class Write(Protocol):
    """What a transaction of any engine can do."""

    def emit(self, happening: Happening) -> None: ...


class Rows(Protocol):
    """The rows that an engine keeps: what is written together, and what was told by it."""

    def transaction(self) -> AbstractAsyncContextManager[Any]: ...

    async def events_after(self, number: int) -> Sequence[StoredEvent]: ...


@dataclass
class Station:
    """What one process has of an engine: its ports, and nothing of the adapter behind them."""

    rows: Rows
    ownership: Ownership[Any]
    queue: JobQueue[Any]


class Engine(Protocol):
    """What an adapter must bring to be held to the contract. `clock` gives the time to all stations that a test opens."""

    name: str

    def station(self, clock: Clock, *, terms: Terms = ...) -> AbstractAsyncContextManager[Station]: ...


class Sqlite:
    name = "sqlite"

    def __init__(self, folder: Path) -> None:
        self._path = folder / "ouzel.db"

    @asynccontextmanager
    async def station(self, clock: Clock, *, terms: Terms = ALONE) -> AsyncGenerator[Station]:
        async with open_db(self._path, clock) as db:
            ownership = SqliteOwnership(db, terms=terms, lease_clock=clock.monotonic)
            yield Station(db, ownership, SqliteJobQueue(db, ownership))


ENGINES: dict[str, Any] = {Sqlite.name: Sqlite}
