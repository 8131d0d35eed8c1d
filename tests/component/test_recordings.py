"""One broadcast is one recording: over drops, restarts and changes, with a real supervisor, database, network and disk."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import anyio
import pytest
from tests.component.newsroom import OFF, Newsroom, live, newsroom

from ouzel.base.errors import ConnectFailed, DiskFull, OuzelError
from ouzel.engine.ledgers import find
from ouzel.model.flow import Gap
from ouzel.model.ledger import Ledger
from ouzel.model.ownership import Grant
from ouzel.model.recording import Recording
from ouzel.services import broadcasts, recordings
from ouzel.services.bodies import Context, Ending
from ouzel.services.channel_forms import ChannelEdit, NewChannel
from ouzel.services.library import Library
from ouzel.store.db import open_db
from ouzel.store.ownership import SqliteOwnership
from ouzel.store.recordings import RecordingFilter, RecordingRepo
from ouzel.system.clock import SystemClock
from ouzel.testing.clips import Clip
from ouzel.testing.markers import read_markers
from ouzel.testing.origin import Hls, LiveOrigin

pytestmark = pytest.mark.anyio
_HLS = Hls(window=8)


async def _numbers(room: Newsroom, recording: Recording) -> list[list[int]]:
    """Of the groups of pictures in each file."""
    found = []
    for file in await room.files(recording):
        path = room.folder / file.path
        found.append([number for _, number in read_markers(path.read_bytes(), path.suffix.lstrip("."))])
    return found


async def _media(room: Newsroom, seconds: float) -> None:
    """The only recording has so much."""

    async def enough() -> bool:
        return any(running.tape.counters.media_s >= seconds for running in room.recordings.running.values())

    with anyio.fail_after(20):
        while not await enough():  # noqa: ASYNC110 - plain numbers, which tell nobody
            await anyio.sleep(0.02)


async def test_a_broadcast_is_recorded_from_live_to_over(tmp_path: Path, clip: Clip) -> None:
    async with LiveOrigin() as origin, newsroom(tmp_path) as room:
        channel = await room.channel(format="mp4")
        show = origin.channel("show", clip, hls=_HLS).push(6)
        await room.says(channel, live(show.url, title="第一局", broadcast="b1"))
        await _media(room, 3)
        show.push(2).end()
        await room.finished()

        (recording,) = await room.all_recordings()
        (file,) = await room.files(recording)
        assert recording.end_reason == "ended"
        assert (recording.title, recording.gaps, recording.protocol) == ("第一局", 0, "hls")
        assert recording.media_s == pytest.approx(file.media_s) == pytest.approx(5.0, abs=1.1)
        assert (file.state.value, file.format, file.path.endswith(".mp4")) == ("closed", "mp4", True)
        assert (room.folder / file.path).stat().st_size == file.bytes
        assert file.path.startswith("77/小明_")
        assert [b.state.value for b in await room.all_broadcasts()] == ["ended"]
        order = ["broadcast.began", "recording.began", "recording.finished", "broadcast.ended"]
        assert [code for code in await room.codes() if code in order] == order


async def test_a_restart_goes_on_in_the_same_recording_with_the_next_segment(tmp_path: Path, clip: Clip) -> None:
    async with LiveOrigin() as origin:
        show = origin.channel("show", clip, hls=_HLS).push(5)
        async with newsroom(tmp_path) as room:
            channel = await room.channel(from_start=True)
            await room.says(channel, live(show.url, broadcast="b1"))
            await _media(room, 5)
        show.push(3)
        async with newsroom(tmp_path) as room:
            room.watchers.answers[channel.id] = live(show.url, broadcast="b1")
            await _media(room, 3)
            show.end()
            await room.finished()
            (recording,) = await room.all_recordings()
            assert await _numbers(room, recording) == [[*range(5)], [*range(5, 8)]]
            assert (recording.gaps, recording.missing_s, recording.media_s) == (0, 0.0, pytest.approx(8.0, abs=0.05))
            assert [file.part for file in await room.files(recording)] == [1, 2]


async def _told_of(folder: Path) -> tuple[Recording, list[Gap], list[Ledger]]:
    """The only recording with its gaps, and what the ledgers of its files say."""
    async with open_db(folder / "ouzel.db", SystemClock()) as db:
        repo = RecordingRepo(db)
        (recording,) = await repo.page(RecordingFilter())
        files = (await repo.files([recording.id]))[recording.id]
        gaps = await repo.gaps(recording.id)
    found = [find(folder / "media" / file.path) for file in files]
    return recording, gaps, [held.ledger for held in found if held is not None]


async def _is(room: Newsroom, state: str) -> bool:
    return any(each.state.value == state for each in await room.all_recordings())


async def test_a_stream_that_is_away_while_its_recorder_is_stopped_has_one_gap(tmp_path: Path, clip: Clip) -> None:
    async with LiveOrigin() as origin:
        show = origin.channel("show", clip, speed=1.0)
        away = origin.on("show.flv").reset(after=90_000, times=1).status(404)
        async with newsroom(tmp_path) as room:
            channel = await room.channel(park_s=60.0)
            await room.says(channel, live(show.flv_url, broadcast="b1"))
            await room.until(lambda: _is(room, "parked"))
        async with newsroom(tmp_path) as room:
            room.watchers.answers[channel.id] = live(show.flv_url, broadcast="b1")
            await room.until(lambda: _is(room, "parked"))  # nobody but the recorder itself asks for it again
            away.clear()
            await _media(room, 1)
        recording, gaps, ledgers = await _told_of(tmp_path)
    assert [(gap.code, round(gap.at_s, 3)) for gap in gaps] == [("recorder_stopped", round(ledgers[0].media_s, 3))]
    assert [len(ledger.gaps) for ledger in ledgers] == [0, 1]
    assert (recording.gaps, recording.missing_s) == (1, pytest.approx(gaps[0].missing_s, abs=0.01))


async def test_what_was_missing_when_somebody_stopped_it_is_not_missing_twice(tmp_path: Path, clip: Clip) -> None:
    async with LiveOrigin() as origin:
        show = origin.channel("show", clip, speed=1.0)
        away = origin.on("show.flv").reset(after=90_000, times=1).status(404)
        async with newsroom(tmp_path) as room:
            channel = await room.channel(park_s=60.0)
            await room.says(channel, live(show.flv_url, broadcast="b1"))
            await room.until(lambda: _is(room, "parked"))
            await room.broadcasts.stop_this(channel.id)
            await room.finished()
            away.clear()
            await room.broadcasts.record_now(channel.id)
            await _media(room, 1)
        recording, gaps, ledgers = await _told_of(tmp_path)
    assert [gap.code for gap in gaps] == ["connection_lost", "recorder_stopped"]
    assert [len(ledger.gaps) for ledger in ledgers] == [1, 1]
    assert (recording.gaps, recording.missing_s) == (2, pytest.approx(sum(gap.missing_s for gap in gaps), abs=0.01))


async def test_a_drop_with_the_same_name_is_the_same_broadcast_and_another_name_another(
    tmp_path: Path, clip: Clip
) -> None:
    async with LiveOrigin() as origin, newsroom(tmp_path) as room:
        channel = await room.channel()
        first = origin.channel("one", clip, hls=_HLS).push(4).end()
        await room.says(channel, live(first.url, broadcast="b1"))
        await room.finished()
        again = origin.channel("two", clip, hls=replace(_HLS, first_sequence=500)).push(4).end()
        await room.says(channel, live(again.url, broadcast="b1"))
        await room.until(lambda: _parts(room, 2))
        await room.finished()
        await room.says(channel, live(again.url, broadcast="b2"))
        await room.finished(2)

        first_recording, second = await room.all_recordings()
        assert [gap.code for gap in await _gaps(room, first_recording)] == ["recorder_stopped"]
        assert [len(await room.files(each)) for each in (first_recording, second)] == [2, 1]
        assert [b.own_name for b in await room.all_broadcasts()] == ["b1", "b2"]


async def _parts(room: Newsroom, number: int) -> bool:
    (recording, *_) = await room.all_recordings()
    return len(await room.files(recording)) >= number


async def _gaps(room: Newsroom, recording: Recording) -> list[Gap]:
    return await RecordingRepo(room.db).gaps(recording.id)


async def test_a_list_that_says_its_end_again_and_again_is_not_recorded_again(tmp_path: Path, clip: Clip) -> None:
    """The platform is behind: it still says that it is on air, though the stream is over."""
    async with LiveOrigin() as origin, newsroom(tmp_path) as room:
        channel = await room.channel(from_start=True)
        show = origin.channel("show", clip, hls=_HLS).push(4).end()
        await room.says(channel, live(show.url, broadcast="b1"))
        await room.finished()
        await room.says(channel, live(show.url, broadcast="b1"))
        await room.until(lambda: _failed_again(room))
        await room.says(channel, OFF, times=3)
        await room.finished()

        (recording,) = await room.all_recordings()
        assert await _numbers(room, recording) == [[0, 1, 2, 3]]
        assert recording.media_s == pytest.approx(4.0, abs=0.05)


async def _failed_again(room: Newsroom) -> bool:
    events = await room.db.events_after(0)
    return any(event.data.get("code") == "not_media" for event in events if event.code == "recording.changed")


async def test_this_show_only_is_stopped_and_the_next_one_recorded(tmp_path: Path, clip: Clip) -> None:
    async with LiveOrigin() as origin, newsroom(tmp_path) as room:
        channel = await room.channel()
        show = origin.channel("show", clip, hls=_HLS, speed=4.0)
        await room.says(channel, live(show.url, broadcast="b1"))
        await _media(room, 2)
        await room.broadcasts.stop_this(channel.id)
        await room.finished()
        await room.says(channel, live(show.url, broadcast="b1"))
        assert room.recordings.running == {}
        assert [b.why_not for b in await room.all_broadcasts()] == ["skipped"]

        await room.says(channel, live(show.url, broadcast="b2"))
        await _media(room, 1)
        assert len(await room.all_recordings()) == 2


async def test_what_is_recorded_on_is_not_in_the_trash_any_more(tmp_path: Path, clip: Clip) -> None:
    """Else it would be thrown away with what was there before."""
    async with LiveOrigin() as origin, newsroom(tmp_path) as room:
        channel = await room.channel()
        show = origin.channel("show", clip, hls=_HLS, speed=4.0)
        await room.says(channel, live(show.url, broadcast="b1"))
        await _media(room, 1)
        await room.broadcasts.stop_this(channel.id)
        await room.finished()
        (recording,) = await room.all_recordings()
        await Library(room.db).trash(recording.id, by="me")

        async with room.db.transaction() as tx:  # its files go by now: nothing can be put into it
            await RecordingRepo(room.db).change_in(tx, recording.id, deleting_at=recording.updated_at)
        await room.broadcasts.record_now(channel.id)
        assert (await Library(room.db).get(recording.id)).state.value == "done"
        assert not await room.all_recordings()

        async with room.db.transaction() as tx:
            await RecordingRepo(room.db).change_in(tx, recording.id, deleting_at=None)
        await room.broadcasts.record_now(channel.id)
        await _media(room, 1)
        assert [each.deleted_at for each in await room.all_recordings()] == [None]
        told = [each.data for each in await room.db.events_after(0) if each.code == "recording.removed"]
        assert told == [{"removed": True, "by": "me"}, {"removed": False, "by": "ouzel"}]


async def test_what_is_not_wanted_is_not_recorded_until_somebody_says_so(tmp_path: Path, clip: Clip) -> None:
    async with LiveOrigin() as origin, newsroom(tmp_path) as room:
        channel = await room.channel(title_exclude=["rerun"])
        show = origin.channel("show", clip, hls=_HLS, speed=4.0)
        await room.says(channel, live(show.url, title="Rerun of finals"))
        assert (await room.all_recordings(), [b.why_not for b in await room.all_broadcasts()]) == ([], ["title"])
        await room.broadcasts.record_now(channel.id)
        await _media(room, 1)
        await room.channels.edit(channel.id, ChannelEdit(settings={"mode": "notify"}), by="me")
        await room.broadcasts.reconsider(channel.id)
        assert len(room.recordings.running) == 1  # what somebody wants by hand does not depend on that


async def test_a_mode_that_is_changed_closes_what_runs(tmp_path: Path, clip: Clip) -> None:
    async with LiveOrigin() as origin, newsroom(tmp_path) as room:
        channel = await room.channel()
        show = origin.channel("show", clip, hls=_HLS, speed=4.0)
        await room.says(channel, live(show.url))
        await _media(room, 1)
        await room.channels.edit(channel.id, ChannelEdit(settings={"mode": "notify"}), by="me")
        await room.broadcasts.reconsider(channel.id)
        await room.finished()
        (recording,) = await room.all_recordings()
        assert recording.end_reason == "stopped"


async def test_titles_become_chapters(tmp_path: Path, clip: Clip) -> None:
    async with LiveOrigin() as origin, newsroom(tmp_path) as room:
        channel = await room.channel()
        show = origin.channel("show", clip, hls=_HLS, speed=4.0)
        await room.says(channel, live(show.url, title="one", category="chess"))
        await _media(room, 2)
        running = next(iter(room.recordings.running.values()))
        await running.rows.write(running.recorder, running.tape)
        await room.says(channel, live(show.url, title="two", category="chess"))
        (recording,) = await room.all_recordings()
        first, second = await room.chapters(recording)
        assert (first.at_s, first.title, second.title) == (0.0, "one", "two")
        assert second.at_s >= 2.0


async def test_the_longest_duration_ends_a_recording_and_not_its_broadcast(tmp_path: Path, clip: Clip) -> None:
    async with LiveOrigin() as origin, newsroom(tmp_path) as room:
        channel = await room.channel(max_duration_s=3, from_start=True)
        show = origin.channel("show", clip, hls=_HLS).push(8)
        await room.says(channel, live(show.url))
        await room.finished()
        await room.says(channel, live(show.url))
        (recording,) = await room.all_recordings()
        (broadcast,) = await room.all_broadcasts()
        assert recording.media_s == pytest.approx(3.0, abs=0.05)
        assert (broadcast.state.value, broadcast.why_not, room.recordings.running) == ("live", "max_duration", {})


async def test_a_split_that_is_asked_for_is_made(tmp_path: Path, clip: Clip) -> None:
    async with LiveOrigin() as origin, newsroom(tmp_path) as room:
        channel = await room.channel(from_start=True)
        show = origin.channel("show", clip, hls=_HLS).push(4)
        await room.says(channel, live(show.url))
        await _media(room, 4)
        await room.recordings.split(channel.id)
        show.push(4).end()
        await room.finished()
        (recording,) = await room.all_recordings()
        assert [len(each) for each in await _numbers(room, recording)] == [5, 3]


async def test_a_direct_address_is_recorded_as_it_is(tmp_path: Path, clip: Clip) -> None:
    async with LiveOrigin() as origin, newsroom(tmp_path) as room:
        show = origin.channel("show", clip, hls=_HLS).push(4).end()
        channel = await room.channel(show.url, from_start=True)
        await room.says(channel, live(show.url))
        await room.finished()
        (recording,) = await room.all_recordings()
        assert await _numbers(room, recording) == [[0, 1, 2, 3]]


async def test_an_offline_word_parks_and_three_end(tmp_path: Path, clip: Clip) -> None:
    async with LiveOrigin() as origin, newsroom(tmp_path) as room:
        channel = await room.channel(mode="notify")
        show = origin.channel("show", clip, hls=_HLS)
        now = datetime.now(UTC)
        await room.says(channel, live(show.url, started_at=now - timedelta(hours=1)))
        await room.says(channel, OFF)
        assert [b.state.value for b in await room.all_broadcasts()] == ["parked"]
        await room.says(channel, live(show.url, started_at=now - timedelta(hours=1)))
        assert [b.state.value for b in await room.all_broadcasts()] == ["live"]
        await room.says(channel, OFF, times=3)
        (broadcast,) = await room.all_broadcasts()
        assert (broadcast.state.value, broadcast.started_at) == ("ended", now - timedelta(hours=1))


async def test_a_new_title_begins_a_new_file_where_that_is_wished(tmp_path: Path, clip: Clip) -> None:
    async with LiveOrigin() as origin, newsroom(tmp_path) as room:
        channel = await room.channel(split_on_title=True, from_start=True, template="{folder}/{title}")
        show = origin.channel("show", clip, hls=_HLS).push(4)
        await room.says(channel, live(show.url, title="one"))
        await _media(room, 4)
        await room.says(channel, live(show.url, title="two"))
        show.push(4).end()
        await room.finished()
        (recording,) = await room.all_recordings()
        assert [len(each) for each in await _numbers(room, recording)] == [5, 3]
        assert [file.path for file in await room.files(recording)] == ["77/one.ts", "77/two-002.ts"]


async def test_another_address_of_a_stream_is_taken_where_the_first_brings_nothing(tmp_path: Path, clip: Clip) -> None:
    async with LiveOrigin() as origin, newsroom(tmp_path) as room:
        show = origin.channel("show", clip, hls=_HLS).push(4).end()
        broken = origin.file("broken.m3u8", b"this is no playlist")
        channel = await room.channels.add(
            NewChannel((broken, show.url), settings={"park_s": 1.0, "from_start": True}), by="test"
        )
        await room.says(channel, live(broken))
        await room.finished()
        (recording,) = await room.all_recordings()
        assert await _numbers(room, recording) == [[0, 1, 2, 3]]


@pytest.mark.parametrize(("error", "expected_s"), [(DiskFull("full"), 30.0), (ConnectFailed("away"), 120.0)])
async def test_who_found_the_disk_full_goes_on_about_when_the_others_do(
    tmp_path: Path, error: OuzelError, expected_s: float
) -> None:
    async with newsroom(tmp_path) as room:
        ctx = Context(Grant("rec:1", "rec", 1, {}), SqliteOwnership(room.db))
        for _ in range(12):
            await room.recordings.after(ctx, Ending(error, None))
        assert ctx.hold_s == expected_s


async def test_its_hours_end_a_recording_and_take_the_same_broadcast_up_again(
    tmp_path: Path, clip: Clip, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As it is with a broadcast that never ends, and a window for each night."""
    open_until = datetime.now(UTC) + timedelta(seconds=2)
    monkeypatch.setattr(recordings, "next_change", lambda *_: open_until)
    monkeypatch.setattr(broadcasts, "is_open", lambda _windows, at, _zone: at < open_until)
    async with LiveOrigin() as origin, newsroom(tmp_path) as room:
        channel = await room.channel(schedule=[{"from": "20:00", "to": "21:00"}])
        show = origin.channel("show", clip, hls=_HLS, speed=4.0)
        await room.says(channel, live(show.url, broadcast="b1"))
        await room.finished()
        await room.says(channel, live(show.url, broadcast="b1"))
        assert ([b.why_not for b in await room.all_broadcasts()], room.recordings.running) == (["schedule"], {})

        open_until = datetime.now(UTC) + timedelta(hours=1)
        await room.says(channel, live(show.url, broadcast="b1"))
        await room.until(lambda: _parts(room, 2))
        assert len(await room.all_recordings()) == 1


async def test_headers_and_cookies_of_a_channel_go_with_its_media(tmp_path: Path, clip: Clip) -> None:
    async with LiveOrigin() as origin, newsroom(tmp_path) as room:
        show = origin.channel("show", clip, hls=_HLS).push(4).end()
        channel = await room.channel(
            show.url, headers=[["X-Token", "t0ken"]], cookies="sid=abc", user_agent="Ouzel test", from_start=True
        )
        await room.says(channel, live(show.url))
        await room.finished()
        assert {request.headers.get("x-token") for request in origin.requests} == {"t0ken"}
        assert {request.headers.get("cookie") for request in origin.requests} == {"sid=abc"}
        assert {request.headers.get("user-agent") for request in origin.requests} == {"Ouzel test"}
