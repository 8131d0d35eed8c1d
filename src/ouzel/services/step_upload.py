"""The step `upload`: what is in hand is copied to a remote, with its ledgers; what lies here may go into the trash then.

The row of a copy is written when that was verified. An attempt that is begun again takes what is there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

import anyio.to_thread

from ouzel.base.errors import BadOption, NotFound, RemoteTaken
from ouzel.base.ids import new_id
from ouzel.base.units import format_size
from ouzel.engine.sinks.file import LEDGER
from ouzel.engine.transfer.transport import Transport
from ouzel.model.broadcast import BroadcastState
from ouzel.model.happening import Happening
from ouzel.model.naming import CHANNEL_FIELDS, render_name
from ouzel.model.recording import MEDIA, Recording
from ouzel.model.remotes import Copy, Found, check_folder, key_of
from ouzel.model.states import RecordingState
from ouzel.services.channels import Channels
from ouzel.services.remotes import STEP, Remotes
from ouzel.services.removal import is_pinned_by_channel
from ouzel.services.steps import Item, ItemFile, Made, StepKind, StepWork
from ouzel.store.broadcasts import BroadcastRepo
from ouzel.store.db import Db, Tx
from ouzel.store.recordings import RecordingRepo

_ANYTHING = ".ouzel-test"
"""A name that is asked for to see whether the remote answers."""


def upload_kind(db: Db, channels: Channels, remotes: Remotes) -> StepKind:
    """Copies at a remote."""

    async def check(fields: Mapping[str, Any]) -> None:
        check_folder(fields["path"])
        try:
            way, settings = await remotes.way(fields["to"])
        except NotFound:
            name = fields["to"][:60]
            raise BadOption(
                f"there is no remote {name}: `ouzel remotes` tells which there are", pointer="/to"
            ) from None
        await way.look(key_of(settings, _ANYTHING))

    async def run(work: StepWork) -> Made:
        return await _Upload(db, channels, remotes, work).run()

    return StepKind(STEP, run, check)


@dataclass(frozen=True, slots=True)
class _Job:
    """A file that is to be copied."""

    of: ItemFile
    """The same, or the media that it is the ledger of."""
    file: Path
    path: str
    """From its storage root on."""
    key: str
    bytes: int


class _Upload:
    def __init__(self, db: Db, channels: Channels, remotes: Remotes, work: StepWork) -> None:
        self._db = db
        self._channels = channels
        self._remotes = remotes
        self._work = work
        self._to: str = work.fields["to"]
        self._files = RecordingRepo(db)
        self._broadcasts = BroadcastRepo(db)
        self._done_bytes = self._sent_bytes = self._taken = 0

    async def run(self) -> Made:
        way, settings = await self._remotes.way(self._to)
        jobs = await self._plan(settings)
        total = sum(job.bytes for job in jobs)
        for job in jobs:
            await self._copy(way, job, total)
        result = {"copies": len(jobs), "there_already": self._taken, "bytes": self._sent_bytes}
        if not self._work.fields["remove_local"]:
            return Made(result=result)
        kept = await self._why_kept(way, jobs)
        if kept:
            return Made(result={**result, "kept": kept})
        return Made(write=self._trash_in, result=result)

    # -- copying ------------------------------------------------------------------------------------------------------

    async def _plan(self, settings: Mapping[str, Any]) -> list[_Job]:
        """Raises: BadOption; RemoteTaken where two files would have one place."""
        template: str = self._work.fields["path"]
        folder = render_name(template, await self._fields()) if template else ""
        found: dict[str, _Job] = {}
        for of in self._work.files:
            pairs = [(of.path, of.row.path)]
            if of.row.role in MEDIA:
                ledger = of.path.with_suffix(LEDGER)
                pairs.append((ledger, str(PurePosixPath(of.row.path).with_suffix(LEDGER))))
            for file, path in pairs:
                size = await anyio.to_thread.run_sync(_size, file)
                if size is None and file != of.path:  # without a ledger
                    continue
                key = key_of(settings, f"{folder}/{file.name}" if folder else path)
                if key in found and found[key].file != file:
                    raise RemoteTaken(f"{found[key].path} and {path} would both be {key}: leave path empty")
                found[key] = _Job(of, file, path, key, size or 0)
        return [*found.values()]

    async def _copy(self, way: Transport, job: _Job, total: int) -> None:
        known = await self._remotes.copies.at(self._to, job.key)
        is_ours = known is not None and self._is_of_item(known) and known.path == job.path

        def tell(count: int) -> None:
            share = min(1.0, (self._done_bytes + count) / total) if total else None
            self._work.progress(share, f"{job.file.name}: {format_size(count)} / {format_size(job.bytes)}")

        sent = await way.put(job.file, job.key, may_replace=is_ours, on_bytes=tell)
        self._done_bytes += job.bytes
        self._taken += sent.was_there
        self._sent_bytes += 0 if sent.was_there else job.bytes
        now, item = self._db.clock.now(), self._work.item
        copied_at = known.copied_at if known is not None and sent.was_there and is_ours else now
        copy = Copy(
            id=new_id(now), remote=self._to, key=job.key, recording_id=item.recording.id if item.recording else "",
            download_id=item.download.id if item.download else "", channel_id=item.channel_id or "",
            file_id=job.of.row.id, path=job.path, bytes=sent.found.bytes, etag=sent.found.etag,
            digest=sent.found.digest, copied_at=copied_at, verified_at=now,
        )  # fmt: skip
        async with self._db.transaction() as tx:
            await self._remotes.copies.put_in(tx, copy)

    def _is_of_item(self, copy: Copy) -> bool:
        return self._work.item.id in {copy.recording_id, copy.download_id}

    # -- what lies here -----------------------------------------------------------------------------------------------

    async def _why_kept(self, way: Transport, jobs: Sequence[_Job]) -> str:
        """Why what lies here must stay; empty: all of it has a copy that was verified just now."""
        if self._work.item.recording is None:
            return "downloads have no trash"
        sure = {job.of.row.id for job in jobs}
        copies = await self._remotes.copies.of(self._work.item.id)
        for each in self._work.all_files:
            if each.row.id not in sure and not await self._is_there(way, each, copies):
                return f"{each.row.path} has no copy there"
        async with self._db.transaction() as tx:
            recording = await self._files.get_in(tx, self._work.item.id)
            return "it is gone" if recording is None else await self._why_not_in(tx, recording)

    async def _is_there(self, way: Transport, file: ItemFile, copies: Sequence[Copy]) -> bool:
        """Of what was copied before: whether it is there still, as it was."""
        known = next(
            (
                each
                for each in copies
                if (each.remote, each.file_id, each.path) == (self._to, file.row.id, file.row.path)
            ),
            None,
        )
        if known is None or known.bytes != await anyio.to_thread.run_sync(_size, file.path):
            return False
        found = await way.look(known.key)
        return found is not None and _is_same(found, known)

    async def _trash_in(self, tx: Tx) -> None:
        """As somebody would put it there; what must stay by now does."""
        recording = await self._files.get_in(tx, self._work.item.id)
        if recording is None or await self._why_not_in(tx, recording):
            return
        values = {"deleted_at": self._db.clock.now(), "revision": recording.revision + 1}
        await self._files.change_in(tx, recording.id, **values)
        data = {"removed": True, "by": STEP, "why": "copied"}
        tx.emit(Happening("recording.removed", recording.id, data, recording.channel_id))

    async def _why_not_in(self, tx: Tx, recording: Recording) -> str:
        """As its rows say; empty: it may go."""
        if recording.deleted_at is not None:
            return "it is in the trash already"
        if recording.pinned or await is_pinned_by_channel(self._channels, recording.channel_id):
            return "it is pinned"
        broadcast = await self._broadcasts.get_in(tx, recording.broadcast_id)
        may_come_back = broadcast is not None and not broadcast.skipped and broadcast.state is not BroadcastState.ENDED
        if recording.state is not RecordingState.DONE or may_come_back:
            return "it may go on"
        seen = {each.row.id for each in self._work.all_files}
        unseen = [row.path for row in await self._files.files_in(tx, recording.id) if row.id not in seen]
        return f"{unseen[0]} was not copied" if unseen else ""

    # -- names --------------------------------------------------------------------------------------------------------

    async def _fields(self) -> dict[str, Any]:
        """Of the template. What a download does not have is empty."""
        item = self._work.item
        fields: dict[str, Any] = dict.fromkeys(CHANNEL_FIELDS, "")
        if item.recording is None:
            return fields | _of_download(item)
        recording = item.recording
        broadcast = await self._broadcasts.get(recording.broadcast_id)
        fields |= {
            "title": recording.title, "name": broadcast.anchor if broadcast else "",
            "category": broadcast.category if broadcast else "", "quality": recording.quality or "",
            "start": recording.started_at.astimezone(), "id": recording.channel_id,
        }  # fmt: skip
        try:
            channel = self._channels.get(recording.channel_id)
        except NotFound:
            return fields
        host = urlsplit(channel.address).hostname or ""
        named = {"name": fields["name"] or channel.name, "title": fields["title"] or channel.name}
        return fields | named | {
            "folder": channel.folder, "channel": channel.name, "platform": channel.platform, "host": host,
        }  # fmt: skip


def _of_download(item: Item) -> dict[str, Any]:
    download = item.download
    assert download is not None
    host = urlsplit(download.address).hostname or ""
    return {"name": download.shown_name, "title": item.title, "host": host, "start": download.created_at.astimezone()}


def _is_same(found: Found, known: Copy) -> bool:
    """What the remote tells now, and what it told."""
    if found.bytes != known.bytes:
        return False
    if known.etag is not None:
        return found.etag == known.etag
    return found.digest is None or found.digest == known.digest


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except OSError:
        return None
