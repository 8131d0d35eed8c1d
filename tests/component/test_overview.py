"""What the daemon shows of itself, while it really watches and records."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import anyio
import pytest
from tests.component.newsroom import OFF, Newsroom, live, newsroom

from ouzel.base.errors import Blocked
from ouzel.model.channel import Channel
from ouzel.model.overview import ChannelLine, Overview, Trouble
from ouzel.model.standing import Standing
from ouzel.services.channel_forms import ChannelEdit
from ouzel.services.overview import Overviews
from ouzel.services.recordings import Root
from ouzel.store.ownership import SqliteOwnership
from ouzel.store.standings import StandingRepo
from ouzel.testing.clips import Clip
from ouzel.testing.origin import Hls, LiveOrigin

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def watched(room: Newsroom) -> AsyncGenerator[Overviews]:
    gate = next(iter(room.recordings._roots.values())).gate
    overviews = Overviews(
        room.db, room.channels, room.recordings, room.supervisor, {"recordings": Root("recordings", room.folder, gate)}
    )
    end = room.db.listen(overviews.hear)
    room.supervisor._on_crash = overviews.crashed
    yield overviews
    end()


async def shown(overviews: Overviews, channel: Channel) -> ChannelLine:
    overviews._stored._read_s = float("-inf")
    return next(line for line in (await overviews.look()).channels if line.id == channel.id)


async def stands(room: Newsroom, channel: Channel, **values: object) -> None:
    standing = replace(Standing(channel.id, datetime.now(UTC)), **values)  # type: ignore[arg-type]
    async with room.db.transaction() as tx:
        await StandingRepo(room.db).change_in(tx, standing, "unknown")


async def test_a_recording_is_shown_from_live_to_over(tmp_path: Path, clip: Clip) -> None:
    async with LiveOrigin() as origin, newsroom(tmp_path) as room, watched(room) as overviews:
        channel = await room.channel()
        assert (await shown(overviews, channel)).state == "unknown"
        show = origin.channel("show", clip, hls=Hls(window=8)).push(6)
        await room.says(channel, live(show.url, title="第一局", broadcast="b1"))
        with anyio.fail_after(20):
            while (line := await shown(overviews, channel)).state != "recording" or not line.bitrate_bps:
                show.push()
                await anyio.sleep(0.2)
        assert (line.state, line.title, line.name, line.quality) == ("recording", "第一局", "77", "best")
        assert line.since is not None
        assert line.file
        assert line.bitrate_bps > 0
        seen = await overviews.look()
        assert seen.totals.recording == 1
        assert [(task.kind, task.name, task.state) for task in seen.tasks] == [("recording", "77", "running")]
        assert seen.roots[0].free_bytes is not None
        assert Overview.parse(seen.fields()).channels == tuple(
            replace(each, since=each.since and each.since.replace(microsecond=each.since.microsecond // 1000 * 1000))
            for each in seen.channels
        )
        show.push(2).end()
        await room.finished()
        await stands(room, channel, state="offline")
        line = await shown(overviews, channel)
        assert (line.state, line.bytes, line.title) == ("offline", 0, "")


async def test_why_nothing_is_known_or_recorded_is_shown(tmp_path: Path) -> None:
    async with newsroom(tmp_path) as room, watched(room) as overviews:
        channel = await room.channel(mode="notify")
        await stands(room, channel, state="blocked", code=Blocked.code, why="it answers 403")
        line = await shown(overviews, channel)
        assert (line.state, line.last_error) == ("blocked", Trouble("blocked", "it answers 403"))
        await room.says(channel, live("http://127.0.0.1:1/none", title="第一局"))
        await stands(room, channel, state="live")
        line = await shown(overviews, channel)
        assert (line.state, line.not_recorded, line.title) == ("live", "mode", "第一局")
        await room.says(channel, OFF, times=3)
        await room.channels.edit(channel.id, ChannelEdit(watch=False), by="test")
        assert (await shown(overviews, channel)).state == "unwatched"


async def test_a_recorder_that_fails_is_shown_with_its_error_while_it_waits(tmp_path: Path) -> None:
    async with newsroom(tmp_path) as room, watched(room) as overviews:
        room.channels._roots = ["nowhere"]  # it was in the settings when the channel was told so
        channel = await room.channel(root="nowhere")
        await room.says(channel, live("http://127.0.0.1:1/none"))
        with anyio.fail_after(20):
            while (line := await shown(overviews, channel)).state != "tried_again":  # noqa: ASYNC110
                await anyio.sleep(0.02)
        assert line.last_error is not None
        assert line.last_error.code == "not_found"
        assert "nowhere" in line.last_error.message
        (task,) = (await overviews.look()).tasks
        assert (task.state, task.last_error, task.restarts) == ("failed", line.last_error, 1)


async def test_what_waits_for_a_place_is_queued(tmp_path: Path) -> None:
    async with newsroom(tmp_path) as room, watched(room) as overviews:
        await SqliteOwnership(room.db).want("job:1", {}, kind="job/slow")  # nobody here does such work
        (task,) = (await overviews.look()).tasks
        assert (task.kind, task.name, task.state) == ("job", "1", "queued")
        await SqliteOwnership(room.db).want("dl:2", {})
        assert ("download", "2", "queued") in [(t.kind, t.name, t.state) for t in (await overviews.look()).tasks]
