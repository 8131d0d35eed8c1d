"""A small disk fills up while something is recorded: one notice, a pause, a gap; and room that retention makes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import anyio
import pytest
from tests.component.library import Library
from tests.component.newsroom import Newsroom, live, newsroom

from ouzel.model.broadcast import BroadcastState
from ouzel.model.recording import Recording
from ouzel.model.states import RecordingState
from ouzel.services.jobs import Jobs
from ouzel.services.notices import Notices
from ouzel.services.noticing import Noticing
from ouzel.services.retention import QUEUE, Retention, RetentionRules
from ouzel.services.storage import RootGate, Storage
from ouzel.store.jobs import SqliteJobQueue
from ouzel.store.recordings import RecordingRepo
from ouzel.testing.clips import Clip
from ouzel.testing.disk import tiny_disk
from ouzel.testing.origin import LiveOrigin

pytestmark = pytest.mark.anyio
_MB = 1024 * 1024
_MISSED = 6
"""Groups of pictures that go by while the disk is full."""


async def _reached(test: Callable[[], bool]) -> None:
    with anyio.fail_after(20):
        while not test():  # noqa: ASYNC110 - plain numbers, which tell nobody
            await anyio.sleep(0.01)


async def _removed(room: Newsroom, path: Path, size: int) -> Recording:
    """A recording in the trash, with its file."""
    lib = Library(room.db, room.db.clock)  # type: ignore[arg-type]
    broadcast = await lib.broadcast("c9", state=BroadcastState.ENDED)
    made = await lib.recording(broadcast, state=RecordingState.DONE, deleted_at=room.db.clock.now())
    await lib.file(made, path.name, bytes=size)
    await anyio.Path(path).write_bytes(bytes(size))
    return made


async def test_a_full_disk_pauses_and_the_trash_that_is_emptied_lets_it_go_on(tmp_path: Path, clip: Clip) -> None:
    with tiny_disk(tmp_path / "media", megabytes=30) as disk:
        async with LiveOrigin() as origin, newsroom(tmp_path) as room:
            gate = RootGate("recordings", disk, min_free_bytes=2 * _MB, probe_s=0.05)
            storage, notices = Storage(room.db, {gate.name: gate}), Notices(room.db)
            noticing = Noticing(room.db, notices, sources=[storage.troubles])
            retention = Retention(room.db, room.channels, {gate.name: gate}, notices, RetentionRules())
            queue = SqliteJobQueue(room.db, room.broadcasts._ownership)  # type: ignore[arg-type]
            jobs = Jobs(queue, retention.kinds(), {QUEUE: 1}, room.db.clock)
            retention.serve(jobs)
            room.supervisor._bodies = {**room.supervisor._bodies, **jobs.bodies()}
            await storage.look()
            room.recordings._roots = storage.roots
            old = await _removed(room, disk / "old.ts", 12 * _MB)

            async def look() -> list[str]:
                await storage.look()
                await noticing.look()
                return sorted(notice.code for notice in (await notices.not_over()).values())

            show = origin.channel("show", clip, speed=8.0)
            channel = await room.channel()
            await room.says(channel, live(show.flv_url, broadcast="b1"))
            await _reached(lambda: any(r.tape.counters.media_s >= 2 for r in room.recordings.running.values()))
            (running,) = room.recordings.running.values()
            assert await look() == []

            (disk / "ballast").write_bytes(bytes(gate.free_bytes() - _MB))
            await _reached(lambda: running.recorder.state is RecordingState.PAUSED)
            assert await look() == await look() == ["storage.low"]
            before = show.segments
            await _reached(lambda: show.segments >= before + _MISSED)

            await retention.look()
            await _reached(lambda: running.recorder.state is RecordingState.RECORDING)
            kept_s = running.tape.counters.media_s
            await _reached(lambda: running.tape.counters.media_s >= kept_s + 2)
            assert await look() == ["retention.freed"]
            assert not (disk / "old.ts").exists()
            assert await RecordingRepo(room.db).get(old.id) is None

            await room.broadcasts.stop_this(channel.id)
            await room.finished()
            (recording,) = await room.all_recordings()
            gaps = await RecordingRepo(room.db).gaps(recording.id)
            raised = [e.data["code"] for e in await room.db.events_after(0) if e.code == "notice.raised"]
    assert [gap.code.value for gap in gaps] == ["disk_full"]
    assert gaps[0].missing_s >= _MISSED / 2
    assert sorted(raised) == ["retention.freed", "storage.low"]
