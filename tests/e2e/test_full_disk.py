"""A real daemon on a small disk that fills up: recordings and jobs pause, with one notice, and all of them go on."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
import pytest
from tests.component.library import Library
from tests.e2e.daemons import daemon_on, reached
from tests.recordings import record

from ouzel.cli.main import EXIT_BAD_ARGUMENTS, EXIT_OK, run
from ouzel.daemon import roots
from ouzel.daemon.build import Daemon
from ouzel.engine.policy import Policy
from ouzel.model import jobs
from ouzel.model.broadcast import BroadcastState
from ouzel.model.jobs import JobState
from ouzel.model.recording import Recording
from ouzel.model.states import RecordingState
from ouzel.services import noticing, storage
from ouzel.services.channel_forms import NewChannel
from ouzel.services.steps import Item
from ouzel.store.recordings import RecordingFilter, RecordingRepo
from ouzel.testing.clips import Clip
from ouzel.testing.disk import tiny_disk
from ouzel.testing.origin import LiveOrigin

pytestmark = pytest.mark.anyio
_MB = 1024 * 1024
_MISSED = 6
"""Groups of pictures that go by while the disk is full."""
S = RecordingState


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever looks every half a minute whether there is room looks five times a second."""
    monkeypatch.setattr(roots, "Policy", lambda: replace(Policy(), disk_probe_s=0.2))
    for room, name in ((storage, "_EVERY_S"), (noticing, "_EVERY_S"), (noticing, "_APART_S"), (jobs, "DISK_S")):
        monkeypatch.setattr(room, name, 0.2)
    monkeypatch.delenv("OUZEL_SERVER", raising=False)


def options(disk: Path, folder: Path) -> dict[str, object]:
    return {
        "storage.data": folder / "data", "storage.recordings": disk, "storage.min_free": "2MiB",
        "storage.roots.nas.path": folder / "nas", "storage.roots.nas.min_free": "1KiB",
    }  # fmt: skip


async def in_state(daemon: Daemon, state: JobState, number: int) -> None:
    with anyio.fail_after(60):
        while len(await daemon.jobs.queue.page(states=frozenset({state}))) < number:  # noqa: ASYNC110 - another task
            await anyio.sleep(0.05)


async def old_one(daemon: Daemon, disk: Path, clip: Clip, name: str) -> Recording:
    """That is over, with its file."""
    media = record(disk, clip, name=name)
    lib = Library(daemon.db, daemon.db.clock)  # type: ignore[arg-type]
    broadcast = await lib.broadcast(await lib.channel(name, watch=False), state=BroadcastState.ENDED)
    made = await lib.recording(broadcast, state=S.DONE)
    await lib.file(made, media.name, bytes=media.stat().st_size, media_s=12.0)
    return made


async def ouzel(data: Path, *words: str, code: int = EXIT_OK) -> None:
    done = await anyio.to_thread.run_sync(run, [*words, "--json", "--data", str(data)])
    assert done == code, words


async def test_recordings_and_jobs_pause_and_go_on(
    tmp_path: Path, clip: Clip, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "nas").mkdir()
    with tiny_disk(tmp_path / "disk", megabytes=24) as disk:
        async with LiveOrigin() as origin, daemon_on(**options(disk, tmp_path)) as daemon:
            running = daemon.recordings.running
            old = [await old_one(daemon, disk, clip, name) for name in ("one", "two")]
            await daemon.channels.load()
            await daemon.services.pipelines.add("mkv", [{"step": "remux", "format": "mkv", "keep": True}], by="me")
            shows = [origin.channel(name, clip, speed=4.0) for name in ("first", "second")]
            for address, root in (
                (shows[0].flv_url, "recordings"),
                (shows[1].ts_url, "recordings"),
                (shows[0].ts_url, "nas"),
            ):
                await daemon.channels.add(NewChannel((address,), settings={"park_s": 60.0, "root": root}), by="me")
            await reached(lambda: [r.tape.counters.media_s >= 2 for r in running.values()] == [True] * 3)
            [first, second] = [each for each in running.values() if each.settings.root == "recordings"]
            [other] = [each for each in running.values() if each.settings.root == "nas"]

            filler = disk / "filler"
            filler.write_bytes(bytes(daemon.storage.roots["recordings"].gate.free_bytes() - _MB))
            await reached(lambda: {each.recorder.state for each in (first, second)} == {S.PAUSED})
            for recording in old:
                await daemon.services.afterwards.run_now(Item(recording, None), "mkv", by="me")
            await in_state(daemon, JobState.WAITING, 2)
            before = [show.segments for show in shows]
            assert other.recorder.state is S.RECORDING
            await reached(lambda: all(s.segments >= b + _MISSED for s, b in zip(shows, before, strict=True)))
            notices = (await daemon.notices.not_over()).values()
            assert [(notice.code, notice.data["root"]) for notice in notices] == [("storage.low", "recordings")]
            assert {job.code for job in await daemon.jobs.queue.page()} == {"disk_full"}

            filler.unlink()
            kept_s = [each.tape.counters.media_s for each in (first, second)]
            await in_state(daemon, JobState.DONE, 2)
            await reached(
                lambda: all(
                    each.tape.counters.media_s >= s + 2 and each.recorder.state is S.RECORDING
                    for each, s in zip((first, second), kept_s, strict=True)
                )
            )
            assert {job.state for job in await daemon.jobs.queue.page()} == {JobState.DONE}
            assert sorted(path.name for path in disk.glob("*.mkv")) == ["one.mkv", "two.mkv"]
            for each in (first, second, other):
                assert running[each.channel.id] is each, "it was the same recorder all the time"

            await ouzel(tmp_path / "data", "recordings", "move", old[0].id, "--to", "tape", code=EXIT_BAD_ARGUMENTS)
            assert "there is recordings, nas" in capsys.readouterr().err
            await ouzel(tmp_path / "data", "recordings", "move", old[0].id, "--to", "nas")
            await in_state(daemon, JobState.DONE, 3)
            await ouzel(tmp_path / "data", "storage")
            told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]

            for each in (first, second, other):
                await daemon.broadcasts.stop_this(each.channel.id)
            await reached(lambda: not running)
            gaps = [await gaps_of(daemon, each.channel.id) for each in (first, second)]
            assert await gaps_of(daemon, other.channel.id) == [], "it is on another disk"
            raised = [e.data["code"] for e in await daemon.db.events_after(0) if e.code == "notice.raised"]
    assert sorted(path.name for path in (tmp_path / "nas").glob("one.*")) == ["one.ledger", "one.mkv", "one.ts"]
    assert {row["name"]: row["state"] for row in _rows(told)} == {"nas": "open", "recordings": "open"}
    assert raised == ["storage.low"]
    for found in gaps:
        assert [gap.code.value for gap in found] == ["disk_full"]
        assert found[0].missing_s >= 1.0


def _rows(told: list[Any]) -> list[dict[str, Any]]:
    """Of what `ouzel storage` prints."""
    return [row for doc in told for row in (doc.get("items") or [doc]) if "free_bytes" in row]


async def gaps_of(daemon: Daemon, channel_id: str) -> list[Any]:
    repo = RecordingRepo(daemon.db)
    [recording] = await repo.page(RecordingFilter(channels=[channel_id]))
    return await repo.gaps(recording.id)
