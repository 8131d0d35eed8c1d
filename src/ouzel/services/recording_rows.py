"""What a recorder tells, as rows: files, gaps, counters. Gathered for a few seconds; files are written at once.

Mostly a recording has only grown: then its size waits for those of all others, and they are written in one transaction.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio

from ouzel.base.ids import new_id
from ouzel.model.events import Event, EventCode
from ouzel.model.flow import Gap
from ouzel.model.happening import Happening
from ouzel.model.ownership import RunContext
from ouzel.model.recording import FileState, RecordedFile, Recording
from ouzel.model.states import RecordingState
from ouzel.services.file_log import Begun, FileLog
from ouzel.store.db import Db, Tx
from ouzel.store.recordings import RecordingRepo, Size

if TYPE_CHECKING:
    from ouzel.engine.recorder import Recorder
    from ouzel.engine.tape import Tape

_PART = ".part"
_EVERY_S = 5.0
_TOGETHER_S = 5.0
"""Between two transactions for the sizes of all. Who asks about one that runs is told by its recorder."""
_GROWING = frozenset({"bytes", "media_s"})
_AT_ONCE_S = 0.5
"""Several things that happen together are written together."""
_URGENT = frozenset(
    {
        EventCode.FILE_OPENED,
        EventCode.FILE_CLOSED,
        EventCode.CONVERTED,
        EventCode.PAUSED,
        EventCode.RESUMED,
        EventCode.RECONNECTING,
    }
)


@dataclass(frozen=True, slots=True)
class Before:
    """What the recording had when this owner took it up."""

    media_s: float = 0.0
    missing_s: float = 0.0
    bytes: int = 0
    gaps: int = 0
    runs: int = 0
    reconnects: int = 0

    @classmethod
    def of(cls, recording: Recording) -> Before:
        return cls(
            recording.media_s, recording.missing_s, recording.bytes, recording.gaps, recording.runs,
            recording.reconnects,
        )  # fmt: skip


class Sizes:
    """Of all recordings that grow. Whoever has noted the size of his finds out whether it is time to write them all."""

    def __init__(self, db: Db, repo: RecordingRepo) -> None:
        self._db = db
        self._repo = repo
        self._noted: dict[str, Size] = {}
        self._written_s = -math.inf

    async def note(self, size: Size) -> None:
        """Raises: StorageError."""
        self._noted[size.recording_id] = size
        now_s = anyio.current_time()
        if now_s - self._written_s < _TOGETHER_S:
            return
        self._written_s = now_s
        async with self._db.transaction() as tx:
            sizes, self._noted = [*self._noted.values()], {}  # now, not before: its turn may come after a last word
            if sizes:
                await self._repo.grow_in(tx, sizes)

    def forget(self, recording_id: str) -> None:
        """In the transaction that writes what is newer."""
        self._noted.pop(recording_id, None)


class RecordingRows:
    """The rows of one recording, as one owner writes them."""

    def __init__(
        self,
        ctx: RunContext[Tx],
        repo: RecordingRepo,
        recording: Recording,
        root: str,
        folder: Path,
        log: FileLog,
        sizes: Sizes,
        *,
        last_gap: int,
    ) -> None:
        """Args: last_gap: number of the last one that is told already."""
        self.recording = recording
        self.before = Before.of(recording)
        self.quality = recording.quality or ""
        """Of the stream that is read."""
        self._ctx = ctx
        self._repo = repo
        self._root = root
        self._folder = folder
        self._log = log
        self._sizes = sizes
        self._last_gap = last_gap
        self._events: deque[Event] = deque()
        self._wake = anyio.Event()
        self._told_state: RecordingState | None = None
        self._written: dict[str, Any] = {}
        self._gaps: list[Gap] | None = None

    def listen(self, event: Event) -> None:
        """Take what the recorder tells. Never waits."""
        self._events.append(event)
        if event.code is EventCode.CONNECTED:
            self.quality = event.data["quality"]
        if event.code in _URGENT:
            self._wake.set()

    def will_open(self, part: int, path: Path) -> None:
        """A file of this name is about to be made. Never waits."""
        self._log.note(self._begun(part, path))

    def close(self) -> None:
        """No more files will come."""
        self._log.forget(self.recording.id)

    async def run(self, recorder: Recorder, tape: Tape) -> None:
        """Write until cancelled. Raises: StaleOwner."""
        while True:
            with anyio.move_on_after(_EVERY_S):
                await self._wake.wait()
                await anyio.sleep(_AT_ONCE_S)
            self._wake = anyio.Event()
            values = self.counters(recorder, tape)
            grown = {name for name, value in values.items() if self._written.get(name) != value}
            if self._events or grown - _GROWING:
                await self.write(recorder, tape)
            elif grown and self._ctx.owned():
                self._written = values
                await self._sizes.note(Size(self.recording.id, self._ctx.epoch, values["bytes"], values["media_s"]))

    async def write(self, recorder: Recorder, tape: Tape) -> None:
        """What is new. Raises: StaleOwner."""
        values = self.counters(recorder, tape)
        if not self._events and values == self._written:
            return
        events, self._events = [*self._events], deque()
        gaps = shifted(tape.gaps, self.before.media_s)

        async def put(tx: Tx) -> None:
            for event in events:
                await self._event_in(tx, event)
            self._sizes.forget(self.recording.id)
            if gaps != self._gaps:
                since_s, kept = self.before.media_s, self._last_gap
                await self._repo.set_gaps_in(tx, self.recording.id, gaps, since_s=since_s, kept=kept)
            await self._repo.change_in(tx, self.recording.id, **values)
            if values["state"] is not self._told_state:
                data = {"state": values["state"].value, "code": values["code"], "why": values["why"]}
                tx.emit(Happening("recording.changed", self.recording.id, data, self.recording.channel_id))

        try:
            await self._ctx.commit(put)
        except BaseException:
            self._events.extendleft(reversed(events))
            raise
        self._written, self._gaps, self._told_state = values, gaps, values["state"]

    def counters(self, recorder: Recorder, tape: Tape) -> dict[str, Any]:
        """Of the row, as they are now."""
        counters, before = tape.counters, self.before
        error = None if recorder.state is RecordingState.RECORDING else recorder.error  # it has got over it
        return {
            "state": RecordingState.FINISHING if recorder.state is RecordingState.DONE else recorder.state,
            "code": error.code if error else None,
            "why": str(error)[:500] if error else None,
            "media_s": round(before.media_s + counters.media_s, 3),
            "missing_s": round(before.missing_s + counters.missing_s, 3),
            "bytes": before.bytes + counters.bytes,
            "gaps": before.gaps + counters.gaps,
            "runs": before.runs + counters.runs,
            "reconnects": before.reconnects + counters.reconnects,
            "epoch": self._ctx.epoch,
        }

    # -- events -------------------------------------------------------------------------------------------------------

    async def _event_in(self, tx: Tx, event: Event) -> None:
        match event.code:
            case EventCode.FILE_OPENED:
                await self._opened_in(tx, event)
            case EventCode.FILE_CLOSED:
                await self._closed_in(tx, event)
            case EventCode.CONVERTED:
                await self._converted_in(tx, event)
            case EventCode.CONNECTED:
                protocol, quality = event.data["protocol"], event.data["quality"]
                await self._repo.change_in(tx, self.recording.id, protocol=protocol, quality=quality)
            case EventCode.GAP:
                data = {**event.data, "at_s": event.data["at_s"] + self.before.media_s}
                tx.emit(Happening("recording.gap", self.recording.id, data, self.recording.channel_id))
            case _:
                pass

    def _begun(self, part: int, path: Path) -> Begun:
        return Begun(self.recording.id, part, self._root, self._inside(path), path.suffix.lstrip("."))

    async def _opened_in(self, tx: Tx, event: Event) -> None:
        begun = self._begun(event.data["part"], Path(event.data["path"].removesuffix(_PART)))
        now = event.wall
        file = RecordedFile(
            id=new_id(now), recording_id=begun.recording, part=begun.part, root=begun.root, path=begun.path,
            state=FileState.OPEN, format=begun.format, opened_at=now, tracks=event.data["tracks"],
        )  # fmt: skip
        stale = await self._repo.file_at_in(tx, self._root, file.path)
        if stale is not None:  # of a file that somebody took away
            await self._repo.remove_file_in(tx, stale.id)
        await self._repo.add_file_in(tx, file)
        if file.part == 1:
            self._tell(tx, "recording.began", path=file.path)
        self._tell(tx, "recording.file", path=file.path, state=file.state.value, part=file.part)

    async def _closed_in(self, tx: Tx, event: Event) -> None:
        path = Path(event.data["path"])
        file = await self._repo.file_at_in(tx, self._root, self._inside(path))
        if file is None:
            return
        size, media_s = event.data["bytes"], event.data["media_s"]
        await self._repo.change_file_in(
            tx, file.id, state=FileState.CLOSED, bytes=size, media_s=media_s, closed_at=event.wall
        )
        self._tell(tx, "recording.file", path=file.path, state="closed", part=file.part, bytes=size, media_s=media_s)

    async def _converted_in(self, tx: Tx, event: Event) -> None:
        made = Path(event.data["path"])
        for ending in (".ts", ".flv", ".mp4"):
            file = await self._repo.file_at_in(tx, self._root, self._inside(made.with_suffix(ending)))
            if file is not None and file.recording_id == self.recording.id:
                values = {"path": self._inside(made), "format": made.suffix.lstrip("."), "bytes": event.data["bytes"]}
                await self._repo.change_file_in(tx, file.id, **values)
                return

    def _inside(self, path: Path) -> str:
        return path.relative_to(self._folder).as_posix()

    def _tell(self, tx: Tx, code: str, **data: Any) -> None:
        tx.emit(Happening(code, self.recording.id, data, self.recording.channel_id))


def shifted(gaps: list[Gap], by_s: float) -> list[Gap]:
    """In the time of the whole recording."""
    return [replace(gap, at_s=gap.at_s + by_s) for gap in gaps]
