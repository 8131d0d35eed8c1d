"""The database: one connection that writes, a few that read, and events that are sent when what they tell is committed."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote

import anyio
from sqlalchemy import URL, Connection, Executable, event, insert, select
from sqlalchemy.engine import CursorResult, RowMapping
from sqlalchemy.exc import DatabaseError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from ouzel.base.errors import DatabaseDamaged, OuzelError, StorageError
from ouzel.model.happening import Happening, StoredEvent
from ouzel.store.opening import check_present, prepare
from ouzel.store.tables.events import events
from ouzel.system.clock import Clock

_READERS = 3
_BUSY_S = 10.0
_CACHE_KIB = 16 * 1024

_log = logging.getLogger(__name__)
EventListener = Callable[[StoredEvent], None]


class Tx:
    """The transaction that is running. Only inside `Db.transaction`."""

    def __init__(self, connection: AsyncConnection, clock: Clock) -> None:
        self._connection = connection
        self._clock = clock
        self.happened: list[Happening] = []
        self.afterwards: list[Callable[[], None]] = []

    async def execute(
        self, statement: Executable, rows: Sequence[Mapping[str, Any]] | None = None
    ) -> CursorResult[Any]:
        """`rows`: parameters, to run it once for each."""
        return await self._connection.execute(statement, rows)

    async def read(self, query: Executable) -> Sequence[RowMapping]:
        """As the transaction sees it."""
        return (await self._connection.execute(query)).mappings().all()

    async def one(self, query: Executable) -> RowMapping | None:
        return (await self._connection.execute(query)).mappings().first()

    def emit(self, *happened: Happening) -> None:
        """It is stored with the transaction, and sent when that is committed."""
        self.happened += happened

    def after_commit(self, call: Callable[[], None]) -> None:
        """Called once, when the transaction is committed; it must not wait."""
        if call not in self.afterwards:
            self.afterwards.append(call)

    async def store_events(self) -> list[StoredEvent]:
        stored: list[StoredEvent] = []
        at = self._clock.now()
        for each in self.happened:
            row = {
                "at": at, "code": each.code, "subject": each.subject, "channel_id": each.channel_id,
                "data": dict(each.data),
            }  # fmt: skip
            result = await self._connection.execute(insert(events).values(row).returning(events.c.number))
            number: int = result.scalar_one()
            stored.append(StoredEvent(number, at, each.code, each.subject, each.channel_id, each.data))
        return stored


class Db:
    """Made by `open_db`."""

    def __init__(self, writer: AsyncConnection, readers: AsyncEngine, clock: Clock) -> None:
        self.clock = clock
        self.writes = 0
        """Transactions that were committed."""
        self._writer = writer
        self._readers = readers
        self._turn = anyio.Lock()
        self._listeners: list[EventListener] = []

    def listen(self, listener: EventListener) -> Callable[[], None]:
        """To be called with each event, in their order, after it is committed; it must not wait. Returns: what ends that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    async def read(self, query: Executable) -> Sequence[RowMapping]:
        """All rows. What is committed when it begins is seen."""
        rows: Sequence[RowMapping] = ()
        with anyio.CancelScope(shield=True), _translated():  # short; cut off in its middle it would cost the connection
            async with self._readers.connect() as connection:
                rows = (await connection.execute(query)).mappings().all()
        return rows

    async def one(self, query: Executable) -> RowMapping | None:
        """The first row."""
        rows = await self.read(query)
        return rows[0] if rows else None

    async def scalar(self, query: Executable) -> Any:
        """The first value of the first row; None when there is none."""
        row = await self.one(query)
        return next(iter(row.values())) if row is not None else None

    @asynccontextmanager
    async def transaction(self) -> AsyncGenerator[Tx]:
        """One at a time. Committed at its end; what raises rolls it back. Not cancelled: keep it short, and off the network."""
        stored: list[StoredEvent] = []
        with anyio.CancelScope(shield=True), _translated():
            async with self._turn, self._writer.begin():
                tx = Tx(self._writer, self.clock)
                yield tx
                stored = await tx.store_events()
            self.writes += 1
            for call in tx.afterwards:
                call()
            for each in stored:
                for listener in [*self._listeners]:
                    _tell(listener, each)

    async def events_after(self, number: int, *, limit: int = 500) -> list[StoredEvent]:
        """Stored events with greater numbers, in their order."""
        query = select(events).where(events.c.number > number).order_by(events.c.number).limit(limit)
        return [StoredEvent(**row) for row in await self.read(query)]


def _tell(listener: EventListener, event: StoredEvent) -> None:
    """What a listener does wrong is none of the business of who has written."""
    try:
        listener(event)
    except Exception:
        _log.exception("a listener failed at %s", event.code)


class _translated:  # noqa: N801 - it reads as a clause
    """What the database itself complains about, as ours. Raises: StorageError, DatabaseDamaged."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _kind: object, exc: BaseException | None, _trace: object) -> None:
        if isinstance(exc, DatabaseError) and (error := storage_trouble(exc.orig)) is not None:
            raise error from exc


def storage_trouble(exc: BaseException | None) -> OuzelError | None:
    """What of its complaints is about the disk; None: a bug of ours."""
    name = getattr(exc, "sqlite_errorname", "")
    if name.startswith("SQLITE_FULL"):
        return StorageError("the disk with the database is full")
    if name.startswith(("SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_IOERR")):
        return StorageError(f"the database cannot be written: {exc}")
    if name.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")):
        return DatabaseDamaged(f"the database is damaged: {exc}")
    return None


@asynccontextmanager
async def open_db(path: Path, clock: Clock) -> AsyncGenerator[Db]:
    """Open, after making or migrating it.

    Raises: DatabaseTooNew, DatabaseDamaged, StorageError.
    """
    await anyio.to_thread.run_sync(prepare, path)
    async with AsyncExitStack() as stack:
        writers = _engine(path, size=1, begin="BEGIN IMMEDIATE")
        readers = _engine(path, size=_READERS, begin="BEGIN")
        stack.push_async_callback(_dispose, writers)
        stack.push_async_callback(_dispose, readers)
        writer = await stack.enter_async_context(writers.connect())
        yield Db(writer, readers, clock)


@asynccontextmanager
async def open_to_read(path: Path, clock: Clock) -> AsyncGenerator[Db]:
    """Open what is there, beside a daemon or without one; nothing is made, migrated or written.

    Raises: NotFound, DatabaseTooNew, DatabaseDamaged, StorageError.
    """
    await anyio.to_thread.run_sync(check_present, path)
    async with AsyncExitStack() as stack:
        engine = _engine(path, size=_READERS, begin="BEGIN", read_only=True)
        stack.push_async_callback(_dispose, engine)
        with _translated():
            writer = await stack.enter_async_context(engine.connect())
        yield Db(writer, engine, clock)


async def _dispose(engine: AsyncEngine) -> None:
    with anyio.CancelScope(shield=True):
        await engine.dispose()


def _engine(path: Path, *, size: int, begin: str, read_only: bool = False) -> AsyncEngine:
    url = URL.create("sqlite+aiosqlite", database=str(path))
    if read_only:
        url = url.set(database=f"file:{quote(str(path.absolute()))}?mode=ro", query={"uri": "true"})
    engine = create_async_engine(url, pool_size=size, max_overflow=0, connect_args={"timeout": _BUSY_S})

    def on_connect(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None  # transactions are begun below, and nowhere else
        cursor = connection.cursor()
        for pragma in (
            *(() if read_only else ("journal_mode=WAL",)), "synchronous=NORMAL", "foreign_keys=ON", f"cache_size=-{_CACHE_KIB}",
            f"busy_timeout={int(_BUSY_S * 1000)}", "temp_store=MEMORY",
        ):  # fmt: skip
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    def on_begin(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    event.listen(engine.sync_engine, "connect", on_connect)
    event.listen(engine.sync_engine, "begin", on_begin)
    return engine
