"""Periods on air: begun, parked, come back, over; and which of them are recorded.

What a platform says comes in through `heard_in`, in the transaction of whoever asked. Whether a broadcast is recorded is decided
anew at each answer and at each edit, and written as the desired row `rec:CHANNEL`, in the same transaction. The end that
a recorder sees comes in through `closed_in`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from ouzel.base.errors import NotFound
from ouzel.base.ids import new_id
from ouzel.model.broadcast import Broadcast, BroadcastState, move_broadcast
from ouzel.model.channel import Channel
from ouzel.model.channel_settings import ChannelSettings, wants
from ouzel.model.happening import Happening
from ouzel.model.live import Answer, Live
from ouzel.model.ownership import RECORD, Ownership, key_of
from ouzel.model.recording import Recording
from ouzel.model.schedule import is_open
from ouzel.model.states import RecordingState
from ouzel.services.channels import Channels
from ouzel.store.broadcasts import BroadcastRepo
from ouzel.store.db import Db, Tx
from ouzel.store.recordings import Chapter, RecordingRepo
from ouzel.system.zones import zone_of

CONFIRMED = 3
"""So many times in a row must a platform say that a broadcast is over."""
_LINGERS = timedelta(minutes=10)
"""A platform that says that it is over is believed against a stream that still flows after so long: some repeat their end."""
_S = BroadcastState


@dataclass(frozen=True, slots=True)
class OnAir:
    """The last broadcast of a channel, with what is kept of it."""

    broadcast: Broadcast
    recording: Recording | None


class Broadcasts:
    """Use cases around what is on air. Args: on_finished: in the transaction in which a recording is over."""

    def __init__(
        self,
        db: Db,
        channels: Channels,
        ownership: Ownership[Tx],
        *,
        on_finished: Callable[[Tx, Recording], Awaitable[None]] | None = None,
    ) -> None:
        self._db = db
        self._channels = channels
        self._ownership = ownership
        self._on_finished = on_finished
        self._repo = BroadcastRepo(db)
        self._recordings = RecordingRepo(db)

    # -- what a platform says -----------------------------------------------------------------------------------------

    async def heard_in(self, tx: Tx, channel: Channel, outcome: Answer, *, offline_in_row: int = 0) -> None:
        """An answer has come. `offline_in_row`: how many times in a row it was that one, this one included.

        An error is no answer: nothing is known then, and nothing changes.
        """
        last = await self._repo.last_in(tx, channel.id)
        if isinstance(outcome, Live):
            await self._live_in(tx, channel, outcome, last)
        elif last is not None and last.state is not _S.ENDED:
            await self._off_in(tx, channel, last, offline_in_row)

    async def _live_in(self, tx: Tx, channel: Channel, live: Live, last: Broadcast | None) -> None:
        now = self._db.clock.now()
        settings = self._channels.effective(channel).settings
        if last is not None and last.is_meant_by(live, now, settings.park_s):
            await self._goes_on_in(tx, channel, settings, last, live)
            return
        if last is not None and last.state is not _S.ENDED:
            await self._end_in(tx, channel, last)
        begun = live.started_at if live.started_at is not None and live.started_at <= now else None
        broadcast = Broadcast(
            id=new_id(now), channel_id=channel.id, state=_S.LIVE, started_at=begun or now, told_start=begun is not None,
            seen_at=now, own_name=live.broadcast or None, title=live.title, category=live.category, anchor=live.anchor,
            cover=live.cover,
        )  # fmt: skip
        await self._repo.add_in(tx, broadcast)
        self._tell(tx, "broadcast.began", broadcast, channel)
        await self._decide_in(tx, channel, settings, broadcast)

    async def _goes_on_in(
        self, tx: Tx, channel: Channel, settings: ChannelSettings, last: Broadcast, live: Live
    ) -> None:
        told = {
            "title": live.title or last.title, "category": live.category or last.category,
            "anchor": live.anchor or last.anchor, "cover": live.cover or last.cover,
        }  # fmt: skip
        back = last.state is not _S.LIVE
        now = replace(
            last, **told, state=move_broadcast(last.state, _S.LIVE), seen_at=self._db.clock.now(), ended_at=None,
            own_name=last.own_name or live.broadcast or None,
        )  # fmt: skip
        if back:
            self._tell(tx, "broadcast.resumed", now, channel)
        if (now.title, now.category) != (last.title, last.category):
            self._tell(tx, "broadcast.changed", now, channel, title=now.title, category=now.category)
        await self._repo.change_in(tx, now)
        await self._decide_in(tx, channel, settings, now)

    async def _off_in(self, tx: Tx, channel: Channel, last: Broadcast, offline_in_row: int) -> None:
        if last.state is _S.LIVE:
            last = await self._move_in(tx, channel, last, _S.PARKED)
        if offline_in_row < CONFIRMED:
            return
        recording = await self._recordings.of_broadcast_in(tx, last.id)
        flows = recording is not None and recording.state is RecordingState.RECORDING
        if not flows or self._db.clock.now() - last.seen_at >= _LINGERS:
            await self._end_in(tx, channel, last)

    # -- what a recorder sees -----------------------------------------------------------------------------------------

    async def seen_in(self, tx: Tx, broadcast_id: str) -> None:
        """Its media flow."""
        broadcast = await self._repo.get_in(tx, broadcast_id)
        if broadcast is not None:
            await self._repo.change_in(tx, replace(broadcast, seen_at=self._db.clock.now()))

    async def parked_in(self, tx: Tx, channel: Channel, broadcast_id: str) -> None:
        """Its stream has not come back, and nobody knows yet whether it is over. It is recorded again when it is back."""
        broadcast = await self._repo.get_in(tx, broadcast_id)
        if broadcast is not None and broadcast.state is _S.LIVE:
            await self._move_in(tx, channel, broadcast, _S.PARKED)
        await self._ownership.unwant_in(tx, key_of(RECORD, channel.id))

    async def forget_in(self, tx: Tx, channel_id: str) -> None:
        """There is nothing to be recorded."""
        await self._ownership.unwant_in(tx, key_of(RECORD, channel_id))

    async def closed_in(self, tx: Tx, channel: Channel, broadcast_id: str) -> None:
        """Its stream says that it is over."""
        broadcast = await self._repo.get_in(tx, broadcast_id)
        if broadcast is not None and broadcast.state is not _S.ENDED:
            await self._end_in(tx, channel, broadcast)

    async def enough_in(self, tx: Tx, channel: Channel, broadcast_id: str, why: str, *, for_good: bool = True) -> None:
        """No more of it is to be recorded; or, not for good, none until that is decided anew. `why`: a code."""
        broadcast = await self._repo.get_in(tx, broadcast_id)
        if broadcast is not None:
            skipped = broadcast.skipped or for_good
            await self._repo.change_in(tx, replace(broadcast, skipped=skipped, forced=False, why_not=why))
        await self._ownership.unwant_in(tx, key_of(RECORD, channel.id))

    # -- what users want ----------------------------------------------------------------------------------------------

    async def record_now(self, channel_id: str) -> OnAir | None:
        """Record what is on air, whatever mode, hours and filters say. Returns: None when nothing is known to be on air."""
        async with self._db.transaction() as tx:
            channel, broadcast = await self._on_air_in(tx, channel_id)
            if broadcast is None:
                return None
            await self._decide_in(
                tx,
                channel,
                self._channels.effective(channel).settings,
                replace(broadcast, forced=True, skipped=False),
                anew=True,
            )
            return OnAir(broadcast, await self._recordings.of_broadcast_in(tx, broadcast.id))

    async def stop_this(self, channel_id: str) -> OnAir:
        """Nothing more of what is on air; the next broadcast is recorded. Raises: NotFound when nothing is on air."""
        async with self._db.transaction() as tx:
            channel, broadcast = await self._on_air_in(tx, channel_id)
            if broadcast is None:
                raise NotFound(f"{channel.name} is not on air")
            await self.enough_in(tx, channel, broadcast.id, "skipped")
            self._tell(tx, "broadcast.changed", broadcast, channel, why_not="skipped")
            return OnAir(broadcast, await self._recordings.of_broadcast_in(tx, broadcast.id))

    async def reconsider(self, channel_id: str, *, anew: bool = True) -> None:
        """Something of its settings has changed, or may have."""
        async with self._db.transaction() as tx:
            try:
                channel, broadcast = await self._on_air_in(tx, channel_id)
            except NotFound:  # it was removed, and what runs is closed
                await self._ownership.unwant_in(tx, key_of(RECORD, channel_id))
                return
            if broadcast is not None:
                await self._decide_in(tx, channel, self._channels.effective(channel).settings, broadcast, anew=anew)

    async def last(self, channel_id: str) -> Broadcast | None:
        """The latest of a channel."""
        found = await self._repo.page(channel_id, before=None, limit=1)
        return found[0] if found else None

    async def _on_air_in(self, tx: Tx, channel_id: str) -> tuple[Channel, Broadcast | None]:
        channel = self._channels.get(channel_id)
        last = await self._repo.last_in(tx, channel.id)
        return channel, last if last is not None and last.state is not _S.ENDED else None

    # -- deciding -----------------------------------------------------------------------------------------------------

    async def _decide_in(
        self, tx: Tx, channel: Channel, settings: ChannelSettings, broadcast: Broadcast, *, anew: bool = False
    ) -> None:
        """`anew`: somebody has changed something, and what is held back is tried at once."""
        why_not = reason_against(settings, broadcast, self._db.clock.now())
        decided = replace(broadcast, why_not=why_not)
        await self._repo.change_in(tx, decided)
        recording = await self._recordings.of_broadcast_in(tx, broadcast.id)
        if recording is not None:
            await self._chapter_in(tx, recording, decided)
        if why_not is not None:
            await self._ownership.unwant_in(tx, key_of(RECORD, channel.id))
            return
        if broadcast.state is not _S.LIVE:
            return
        if recording is None:
            recording = await self._new_recording_in(tx, channel, settings, decided)
        elif recording.deleting_at is not None:  # soon there is none, and a new one can begin
            return
        elif recording.state is RecordingState.DONE:  # it came back, and out of the trash
            state = RecordingState.WAITING
            await self._recordings.change_in(
                tx, recording.id, state=state, ended_at=None, end_reason=None, deleted_at=None
            )
            if recording.deleted_at is not None:
                data = {"removed": False, "by": "ouzel"}
                tx.emit(Happening("recording.removed", recording.id, data, channel.id))
        spec = {"channel": channel.id, "broadcast": broadcast.id, "recording": recording.id}
        await self._ownership.want_in(tx, key_of(RECORD, channel.id), spec, prio=settings.priority, anew=anew)

    async def _new_recording_in(
        self, tx: Tx, channel: Channel, settings: ChannelSettings, broadcast: Broadcast
    ) -> Recording:
        now = self._db.clock.now()
        recording = Recording(
            id=new_id(now), broadcast_id=broadcast.id, channel_id=channel.id, state=RecordingState.WAITING,
            title=broadcast.title, started_at=now, updated_at=now, pinned=settings.pin,
        )  # fmt: skip
        await self._recordings.add_in(tx, recording)
        await self._chapter_in(tx, recording, broadcast)
        return recording

    async def _chapter_in(self, tx: Tx, recording: Recording, broadcast: Broadcast) -> None:
        """Where the title or the category has changed, a chapter begins."""
        if recording.state is RecordingState.DONE:
            return
        last = await self._recordings.last_chapter_in(tx, recording.id)
        if last is not None and (last.title, last.category) == (broadcast.title, broadcast.category):
            return
        at_s = recording.media_s if last is not None else 0.0
        chapter = Chapter(at_s, self._db.clock.now(), broadcast.title, broadcast.category)
        await self._recordings.add_chapter_in(tx, recording.id, chapter)
        if broadcast.title and not recording.title:
            await self._recordings.change_in(tx, recording.id, title=broadcast.title)

    # -- states -------------------------------------------------------------------------------------------------------

    async def _move_in(self, tx: Tx, channel: Channel, broadcast: Broadcast, state: BroadcastState) -> Broadcast:
        moved = replace(broadcast, state=move_broadcast(broadcast.state, state))
        await self._repo.change_in(tx, moved)
        self._tell(tx, f"broadcast.{state.value}", moved, channel)
        return moved

    async def _end_in(self, tx: Tx, channel: Channel, broadcast: Broadcast) -> None:
        ended = replace(broadcast, state=move_broadcast(broadcast.state, _S.ENDED), ended_at=broadcast.seen_at)
        await self._repo.change_in(tx, ended)
        self._tell(tx, "broadcast.ended", ended, channel)
        await self._ownership.unwant_in(tx, key_of(RECORD, channel.id))
        recording = await self._recordings.of_broadcast_in(tx, broadcast.id)
        if recording is not None and recording.state in {RecordingState.WAITING, RecordingState.PARKED}:
            await self.finish_in(tx, recording)

    async def finish_in(self, tx: Tx, recording: Recording, **values: Any) -> None:
        """Nothing more comes of a recording whose files are closed. `values`: of its row."""
        ended_at = values.pop("ended_at", None) or self._db.clock.now()
        await self._recordings.change_in(tx, recording.id, state=RecordingState.DONE, ended_at=ended_at, **values)
        kept = {name: values.get(name, getattr(recording, name)) for name in ("media_s", "missing_s", "bytes", "gaps")}
        tx.emit(Happening("recording.finished", recording.id, kept, recording.channel_id))
        if self._on_finished is not None:
            await self._on_finished(tx, recording)

    def _tell(self, tx: Tx, code: str, broadcast: Broadcast, channel: Channel, **more: Any) -> None:
        data = {"name": channel.name, "title": broadcast.title, "category": broadcast.category, **more}
        tx.emit(Happening(code, broadcast.id, data, channel.id))


def reason_against(settings: ChannelSettings, broadcast: Broadcast, now: datetime) -> str | None:
    """Why it is not recorded, as a code; None: it is."""
    if broadcast.skipped:
        return broadcast.why_not or "skipped"
    if broadcast.forced:
        return None
    if settings.mode != "record":
        return "mode"
    if not is_open(settings.schedule, now, zone_of(settings.time_zone)):
        return "schedule"
    return wants(settings, broadcast.title, broadcast.category)
