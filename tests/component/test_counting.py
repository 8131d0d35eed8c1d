"""Numbers for Prometheus, over a real database."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from tests.component.library import library

from ouzel.model.flow import Gap, GapCode
from ouzel.model.states import RecordingState
from ouzel.services.metrics import Metrics
from ouzel.services.notices import Notices
from ouzel.services.numbers import Counting
from ouzel.services.storage import RootGate, Storage
from ouzel.store.recordings import RecordingRepo

pytestmark = pytest.mark.anyio


async def test_what_is_there_is_counted(tmp_path: Path) -> None:
    async with library(tmp_path) as lib:
        for number in range(4):
            await lib.channel(f"c{number}", watch=number != 3)
        await lib.stands("c0", "live")
        await lib.stands("c1", "blocked")
        await lib.stands("c3", "live")
        done = await lib.recording(
            await lib.broadcast("c0"), state=RecordingState.DONE, bytes=100, media_s=2.5, reconnects=3
        )
        await lib.recording(await lib.broadcast("c1"), bytes=11)
        await lib.recording(await lib.broadcast("c2"), deleted_at=lib.clock.now())
        now = lib.clock.now()
        gaps = [Gap(at, GapCode.SEGMENT_GONE, "why", now, now + timedelta(seconds=2), 2.0) for at in (1.0, 2.0)]
        async with lib.db.transaction() as tx:
            await RecordingRepo(lib.db).set_gaps_in(tx, done.id, gaps, since_s=0.0)
        await Notices(lib.db).raise_notice("k", "hook.failed")
        storage = Storage(lib.db, {"a": RootGate("a", tmp_path / "media", min_free_bytes=0, probe_s=1.0)})
        counting = Counting(lib.db, storage, list)

        numbers = await counting.read()

        assert numbers.channels == {"live": 1, "blocked": 1, "unknown": 1, "unwatched": 1}
        assert numbers.recordings == {"done": 1, "recording": 1}
        assert (numbers.kept_bytes, numbers.kept_media_s, numbers.reconnects) == (111, 2.5, 3)
        assert numbers.gaps == {"segment_gone": (2, 4.0)}
        assert numbers.notices == {"warning": 1}
        assert numbers.writes == lib.db.writes > 10
        page = (await Metrics(counting.read).page()).decode()
        assert 'ouzel_channels{state="live"} 1.0' in page
        assert 'ouzel_recordings{state="parked"} 0.0' in page
        assert "process_resident_memory_bytes" in page
        await lib.channel("c9")
        assert (await counting.read()).channels["unknown"] == 2
