"""What is kept, as its owners arrange it: pinned, renamed, under a rule, in the trash and out of it. Files stay."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from ouzel.base.errors import BadOption, Conflict, NotFound
from ouzel.model.happening import Happening
from ouzel.model.recording import Recording
from ouzel.model.states import RecordingState
from ouzel.services.channel_forms import check_revision
from ouzel.store.db import Db, Tx
from ouzel.store.policies import PolicyRepo
from ouzel.store.recordings import RecordingFilter, RecordingRepo

_MOST_TITLE = 500


class Library:
    """Use cases around recordings that are there."""

    def __init__(self, db: Db) -> None:
        self._db = db
        self._repo = RecordingRepo(db)
        self._policies = PolicyRepo(db)

    async def get(self, recording_id: str) -> Recording:
        """In the trash or not. Raises: NotFound."""
        return _there(await self._repo.get(recording_id), recording_id)

    async def page(
        self, which: RecordingFilter, *, before: tuple[datetime, str] | None = None, limit: int = 60
    ) -> list[Recording]:
        """The latest first. `before`: `started_at` and id of the one after which to go on."""
        return await self._repo.page(which, before=before, limit=limit)

    async def edit(
        self,
        recording_id: str,
        *,
        by: str,
        title: str | None = None,
        pinned: bool | None = None,
        policy: str | None = None,
        revision: int | None = None,
    ) -> Recording:
        """What is None stays.

        Args:
            pinned: no rule deletes it.
            policy: name of the rule that deletes it; empty: that of its channel.
        Raises: NotFound, BadOption; ChangedSince when `revision` is not the present one.
        """
        async with self._db.transaction() as tx:
            before = await self._kept(tx, recording_id)
            check_revision(before.revision, revision)
            values: dict[str, Any] = {}
            if title is not None:
                values["title"] = _title(title)
            if pinned is not None:
                values["pinned"] = pinned
            if policy is not None:
                if policy and await self._policies.get_in(tx, policy) is None:
                    raise BadOption(f"there is no rule {policy[:60]}", pointer="/policy")
                values["policy"] = policy or None
            changed = {name: value for name, value in values.items() if getattr(before, name) != value}
            if changed:
                await self._repo.change_in(tx, recording_id, **changed, revision=before.revision + 1)
                tx.emit(Happening("recording.changed", recording_id, {**changed, "by": by}, before.channel_id))
            return _there(await self._repo.get_in(tx, recording_id), recording_id)

    async def trash(self, recording_id: str, *, by: str, revision: int | None = None) -> Recording:
        """Raises: NotFound; ChangedSince; Conflict while it is being recorded, or when it is pinned."""
        async with self._db.transaction() as tx:
            recording = await self._kept(tx, recording_id)
            check_revision(recording.revision, revision)
            if recording.state is not RecordingState.DONE:
                raise Conflict("it is not over yet: stop it first", state=recording.state.value)
            if recording.pinned:
                raise Conflict("it is pinned: unpin it first")
            return await self._move(tx, recording, self._db.clock.now(), by)

    async def restore(self, recording_id: str, *, by: str) -> Recording:
        """Out of the trash; rules count from now on.

        Raises: NotFound when it is not in it; Conflict when its files go already.
        """
        async with self._db.transaction() as tx:
            recording = await self._repo.get_in(tx, recording_id)
            if recording is None or recording.deleted_at is None:
                raise NotFound(f"there is no recording {recording_id[:40]} in the trash")
            if recording.deleting_at is not None:
                raise Conflict("it is being deleted: some of its files are gone already")
            await self._repo.change_in(tx, recording_id, restored_at=self._db.clock.now())
            return await self._move(tx, recording, None, by)

    async def _move(self, tx: Tx, recording: Recording, deleted_at: datetime | None, by: str) -> Recording:
        await self._repo.change_in(tx, recording.id, deleted_at=deleted_at, revision=recording.revision + 1)
        data = {"removed": deleted_at is not None, "by": by}
        tx.emit(Happening("recording.removed", recording.id, data, recording.channel_id))
        return _there(await self._repo.get_in(tx, recording.id), recording.id)

    async def _kept(self, tx: Tx, recording_id: str) -> Recording:
        recording = _there(await self._repo.get_in(tx, recording_id), recording_id)
        if recording.deleted_at is not None:
            raise NotFound(f"recording {recording_id[:40]} is in the trash")
        return recording


def _title(text: str) -> str:
    title = " ".join(text.split())
    if not title or len(title) > _MOST_TITLE:
        raise BadOption(f"a title has 1 to {_MOST_TITLE} characters", pointer="/title")
    return title


def _there(recording: Recording | None, recording_id: str) -> Recording:
    if recording is None:
        raise NotFound(f"there is no recording {recording_id[:40]}")
    return recording
