"""Downloads as tasks: real supervisor and database; what fetches is a stand-in, but for the file that it writes."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
import pytest
from sqlalchemy import select
from tests.component.newsroom import Box

from ouzel.base.errors import (
    BadOption,
    BadUrl,
    ChangedSince,
    Conflict,
    ConnectionLost,
    DiskFull,
    Forbidden,
    Gone,
    Incomplete,
    NotFound,
    OutputExists,
    OuzelError,
)
from ouzel.model.download_tasks import Download, NewDownload
from ouzel.model.downloads import DownloadOutcome, DownloadProgress, DownloadState, DownloadWish, OnDownload, Pace
from ouzel.model.happening import Happening, StoredEvent
from ouzel.services.download_files import ComesAfter
from ouzel.services.download_forms import DownloadRules, wish_of
from ouzel.services.downloads import Downloads
from ouzel.services.events import EventBus, Resync
from ouzel.services.notices import Notices
from ouzel.services.noticing import Noticing
from ouzel.services.supervisor import Supervisor
from ouzel.store.db import Db, Tx, open_db
from ouzel.store.downloads import DownloadRepo
from ouzel.store.ownership import SqliteOwnership
from ouzel.store.tables import downloads as table
from ouzel.store.tables import owns
from ouzel.testing.clock import FakeClock
from ouzel.testing.downloads import FakeDownloading

pytestmark = pytest.mark.anyio
S = DownloadState
URL = "https://example.org/vod/index.m3u8"


@dataclass
class Yard:
    """Downloads, and what runs them."""

    db: Db
    clock: FakeClock
    bus: EventBus
    downloads: Downloads
    engine: FakeDownloading
    supervisor: Supervisor
    folder: Path
    gates: dict[str, anyio.Event] = field(default_factory=dict[str, anyio.Event])
    """By stem: its last piece is not written before."""

    async def add(self, name: str, *, url: str = "", **given: Any) -> Download:
        return await self.downloads.add(NewDownload(url or f"https://example.org/{name}.m3u8", name, **given))

    async def now(self, download: Download) -> Download:
        return await self.downloads.repo.get(download.id)

    async def until(self, test: Callable[[], Awaitable[object]]) -> None:
        with anyio.fail_after(20):
            while not await test():
                await anyio.lowlevel.checkpoint()

    async def is_in(self, download: Download, *states: DownloadState) -> Download:
        async def it_is() -> bool:
            return (await self.now(download)).state in states

        await self.until(it_is)
        return await self.now(download)

    async def in_time(self, download: Download, *states: DownloadState) -> Download:
        """The same, and time passes while it waits to be tried again."""

        async def it_is() -> bool:
            row = await self.now(download)
            if row.not_before is not None:
                self.clock.advance(max(1.0, (row.not_before - self.clock.now()).total_seconds()))
            return row.state in states

        await self.until(it_is)
        return await self.now(download)

    async def stands(self, *names: str) -> None:
        """These wait at their gates."""

        async def they_do() -> bool:
            last = {stem for stem, number in self.engine.written if number == self.engine.pieces - 2}
            return last.issuperset(names) and len(self.downloads.running) >= len(names)

        await self.until(they_do)

    async def told(self, code: str) -> list[StoredEvent]:
        return [each for each in await self.db.events_after(0) if each.code == code]


def _supervisor(db: Db, downloads: Downloads, clock: FakeClock, ownership: SqliteOwnership, at_once: int) -> Supervisor:
    bodies = {"dl": downloads.body(at_once)}
    return Supervisor(ownership, bodies, clock, settle=downloads.settle, sleep=clock.sleep)


@asynccontextmanager
async def opened(folder: Path, *, at_once: int = 3, afterwards: ComesAfter | None = None) -> AsyncGenerator[Yard]:
    """As after the start of a daemon."""
    clock, gates = FakeClock(), dict[str, anyio.Event]()

    async def gate(wish: DownloadWish, number: int) -> None:
        if wish.stem in gates and number == engine.pieces - 1:
            await gates[wish.stem].wait()

    engine = FakeDownloading(before_piece=gate)
    async with open_db(folder / "ouzel.db", clock) as db:
        ownership, bus = SqliteOwnership(db, lease_clock=clock.monotonic), EventBus(db)
        rules = DownloadRules(folder / "media", pace=Pace(retries=2, retry_delay_s=4.0))
        repo = DownloadRepo(db, ownership)
        downloads = Downloads(
            db, repo, bus, Box(), rules, lambda: engine, afterwards=afterwards, clock=clock, sleep=clock.sleep
        )
        supervisor = _supervisor(db, downloads, clock, ownership, at_once)
        yield Yard(db, clock, bus, downloads, engine, supervisor, rules.folder, gates)
        bus.close()


@pytest.fixture
async def yard(tmp_path: Path) -> AsyncGenerator[Yard]:
    async with opened(tmp_path) as made:
        yield made


@asynccontextmanager
async def at_work(yard: Yard) -> AsyncGenerator[None]:
    with anyio.fail_after(30):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(yard.supervisor.run)
            try:
                yield
            finally:
                yard.supervisor.stop(0)


async def test_a_download_is_fetched_and_told_of(yard: Yard) -> None:
    async with at_work(yard):
        download = await yard.add("film", metadata={"shelf": 3})
        whole = await yard.is_in(download, S.COMPLETED)

    assert (whole.path, whole.bytes, whole.media_s) == (str(yard.folder / "film.ts"), 40, 4.0)
    assert (whole.pieces, whole.pieces_done, whole.title, whole.fraction) == (4, 4, "a film", 1.0)
    assert whole.started_at is not None
    assert whole.completed_at is not None
    assert whole.metadata == {"shelf": 3}
    assert [each.data["state"] for each in await yard.told("download.changed")] == [
        "pending", "downloading", "completed",
    ]  # fmt: skip
    (finished,) = await yard.told("download.finished")
    assert finished.subject == download.id
    assert finished.data == {
        "name": "film", "title": "a film", "path": whole.path, "ledger": None, "format": "ts", "bytes": 40,
        "media_s": 4.0, "gaps": 0, "tracks": [],
    }  # fmt: skip


async def test_so_many_run_at_once_the_most_urgent_first(tmp_path: Path) -> None:
    async with opened(tmp_path, at_once=2) as yard:
        for number in range(6):
            await yard.add(f"film{number}", prio=number)
        yard.gates |= {name: anyio.Event() for name in ("film5", "film4")}
        async with at_work(yard):
            await yard.stands("film5", "film4")
            assert len(yard.downloads.running) == 2
            for gate in yard.gates.values():
                gate.set()
            for name in ("film5", "film4", "film0"):
                await yard.is_in(await _by_name(yard, name), S.COMPLETED)

    assert [wish.stem for wish in yard.engine.begun] == [f"film{number}" for number in reversed(range(6))]
    assert yard.engine.most_at_once == 2


async def _by_name(yard: Yard, name: str) -> Download:
    (found,) = await yard.downloads.repo.page(text=name)
    return found


async def test_what_waits_is_overtaken_when_somebody_says_so(tmp_path: Path) -> None:
    async with opened(tmp_path, at_once=1) as yard:
        yard.gates["first"] = anyio.Event()
        first = await yard.add("first")
        async with at_work(yard):
            await yard.stands("first")
            second, third = await yard.add("second"), await yard.add("third")
            changed = await yard.downloads.edit(third.id, prio=7)
            yard.gates["first"].set()
            for each in (first, second, third):
                await yard.is_in(each, S.COMPLETED)

    assert (changed.prio, changed.revision) == (7, 2)
    assert [wish.stem for wish in yard.engine.begun] == ["first", "third", "second"]


async def test_a_pause_keeps_what_is_there_and_a_resume_goes_on_from_it(yard: Yard) -> None:
    yard.gates["film"] = anyio.Event()
    async with at_work(yard):
        download = await yard.add("film")
        await yard.stands("film")
        told = await yard.downloads.pause(download.id)
        assert (told.state, told.after) == (S.DOWNLOADING, "pause")  # it has not heard yet
        paused = await yard.is_in(download, S.PAUSED)
        assert (paused.after, yard.downloads.running) == (None, {})
        assert (paused.pieces_done, paused.pieces, paused.bytes) == (3, 4, 30)
        assert (yard.folder / "film.ts.part").stat().st_size == 30
        assert (await yard.downloads.pause(download.id)).state is S.PAUSED
        yard.gates["film"].set()
        assert (await yard.downloads.resume(download.id)).state is S.PENDING
        await yard.is_in(download, S.COMPLETED)

    assert yard.engine.written == [("film", number) for number in range(4)]


async def test_a_resume_before_it_has_heard_of_the_pause_takes_that_back(yard: Yard) -> None:
    yard.gates["film"] = anyio.Event()
    async with at_work(yard):
        download = await yard.add("film")
        await yard.stands("film")
        await yard.downloads.pause(download.id)
        assert (await yard.downloads.resume(download.id)).after is None
        yard.gates["film"].set()
        await yard.is_in(download, S.COMPLETED)


async def test_a_cancelled_one_is_over_and_may_be_begun_again(yard: Yard) -> None:
    yard.gates["film"] = anyio.Event()
    waiting = await yard.add("waiting", paused=True)
    assert (await yard.downloads.cancel(waiting.id)).state is S.CANCELLED
    async with at_work(yard):
        download = await yard.add("film")
        await yard.stands("film")
        await yard.downloads.cancel(download.id)
        cancelled = await yard.is_in(download, S.CANCELLED)
        assert cancelled.completed_at is not None
        assert (await yard.downloads.cancel(download.id)).state is S.CANCELLED
        with pytest.raises(Conflict, match="is cancelled"):
            await yard.downloads.resume(download.id)
        yard.gates["film"].set()
        await yard.downloads.retry(download.id)
        whole = await yard.is_in(download, S.COMPLETED)
        with pytest.raises(Conflict, match="completed already"):
            await yard.downloads.cancel(download.id)
        with pytest.raises(Conflict, match="nothing to begin again"):
            await yard.downloads.retry(download.id)
    assert whole.code is None
    assert yard.engine.written == [("film", number) for number in range(4)]


async def test_what_may_pass_is_tried_again_after_pauses_that_grow_and_fails_in_the_end(yard: Yard) -> None:
    yard.engine.troubles["film"].extend(ConnectionLost("cut off") for _ in range(3))
    yard.engine.pieces = 9
    began = yard.clock.now()
    async with at_work(yard):
        download = await yard.add("film")
        failed = await yard.in_time(download, S.FAILED)
        assert (failed.code, failed.why, failed.retries) == ("connection_lost", "cut off", 2)
        assert failed.completed_at is not None
        assert (failed.completed_at - began).total_seconds() >= 4 + 8
        await yard.downloads.retry(download.id)
        whole = await yard.is_in(download, S.COMPLETED)
    assert (whole.code, whole.why, whole.retries) == (None, None, 0)
    assert yard.engine.written == [("film", number) for number in range(9)]


async def test_what_cannot_pass_fails_at_once(yard: Yard) -> None:
    yard.engine.troubles["film"].append(Gone("it is not there any more", status=404))
    async with at_work(yard):
        failed = await yard.is_in(await yard.add("film"), S.FAILED)
    assert (failed.code, failed.retries, len(yard.engine.begun)) == ("gone", 0, 1)


async def test_a_full_disk_fails_nothing(yard: Yard) -> None:
    yard.engine.pieces = 9
    yard.engine.troubles["film"].extend(DiskFull("no room") for _ in range(6))
    async with at_work(yard):
        whole = await yard.in_time(await yard.add("film"), S.COMPLETED)
    assert (whole.retries, len(yard.engine.begun)) == (0, 7)


async def test_a_bug_is_tried_again_and_told(yard: Yard, caplog: pytest.LogCaptureFixture) -> None:
    yard.engine.troubles["film"].extend(KeyError("oh") for _ in range(3))
    async with at_work(yard):
        failed = await yard.in_time(await yard.add("film"), S.FAILED)
    assert (failed.code, failed.retries) == ("internal", 2)
    assert "KeyError" in (failed.why or "")
    assert "Traceback" in caplog.text


async def test_what_misses_segments_says_so_and_keeps_the_rest(yard: Yard) -> None:
    path = yard.folder / "film.ts"
    outcome = DownloadOutcome(path, path.with_suffix(".ledger"), "ts", 30, 3.0, 4, 30, title="a film")
    yard.engine.troubles["film"].extend(Incomplete("1 of 4 is missing", outcome=outcome) for _ in range(3))
    async with at_work(yard):
        failed = await yard.in_time(await yard.add("film"), S.FAILED)
    assert (failed.code, failed.path, failed.ledger) == ("incomplete", str(path), str(path.with_suffix(".ledger")))
    assert failed.fraction == 0.75, "of what was wanted, not of what is there"
    assert await yard.told("download.finished") == []


async def test_a_failed_one_is_a_notice_until_somebody_begins_it_again(yard: Yard) -> None:
    notices = Notices(yard.db)
    noticing = Noticing(yard.db, notices, sources=(yard.downloads.troubles,))
    yard.engine.troubles["film"].append(Gone("it is gone: 404", status=404))
    async with at_work(yard):
        failed = await yard.is_in(await yard.add("film"), S.FAILED)
        other = await yard.add("other")
        await yard.is_in(other, S.COMPLETED)
        await noticing.look()
        (notice,) = await notices.page()
        assert (notice.code, notice.raised_at) == ("download.failed", yard.clock.now())
        assert notice.data == {
            "name": "film", "address": failed.address, "code": "gone", "why": "it is gone: 404", "download": failed.id,
        }  # fmt: skip
        await yard.downloads.retry(failed.id)
        await noticing.look()
        assert await notices.page() == []


async def test_several_that_failed_alike_are_one_notice_that_counts(yard: Yard) -> None:
    notices = Notices(yard.db)
    noticing = Noticing(yard.db, notices, sources=(yard.downloads.troubles,))

    async def fail(name: str, error: OuzelError, host: str = "site.example") -> Download:
        yard.engine.troubles[name].append(error)
        failed = await yard.is_in(await yard.add(name, url=f"https://{host}/{name}.m3u8"), S.FAILED)
        await noticing.look()
        yard.clock.advance(1)
        return failed

    async with at_work(yard):
        first = await fail("a", Gone("gone: 404", status=404))
        yard.clock.advance(1)
        second = await fail("b", Gone("gone: 410", status=410))
        (alike,) = await notices.page()
        assert (alike.code, alike.count) == ("downloads.failed", 1)
        assert alike.data == {
            "downloads": 2, "host": "site.example", "code": "gone", "why": "gone: 410", "name": "b", "download": second.id,
        }  # fmt: skip
        third = await fail("c", Gone("gone: 404", status=404))
        (alike,) = await notices.page()
        assert (alike.count, alike.data["downloads"], alike.data["download"]) == (2, 3, third.id)

        await fail("d", Forbidden("no: 403", status=403))
        await fail("e", Gone("gone: 404", status=404), host="other.example")
        assert sorted(each.code for each in await notices.page()) == [
            "download.failed", "download.failed", "downloads.failed",
        ]  # fmt: skip

        await notices.dismiss(alike.id, "somebody")
        await noticing.look()
        assert "downloads.failed" not in {each.code for each in await notices.page()}
        await fail("f", Gone("gone: 404", status=404))
        (again,) = [each for each in await notices.page() if each.code == "downloads.failed"]
        assert again.data["downloads"] == 4, "who dismissed three knows nothing of the fourth"

        await yard.downloads.remove(first.id, with_files=False)
        await noticing.look()
        (fewer,) = [each for each in await notices.page() if each.code == "downloads.failed"]
        assert (fewer.id, fewer.count, fewer.data["downloads"]) == (again.id, 1, 3)


async def test_two_for_one_file_are_refused(yard: Yard) -> None:
    first = await yard.add("Film")
    with pytest.raises(Conflict, match="another download writes film") as caught:
        await yard.add("film", url="https://elsewhere.example/2.m3u8")
    assert caught.value.context["existing"] == first.id
    await yard.add("film", folder="other")
    nameless = await yard.downloads.add(NewDownload(URL))
    with pytest.raises(Conflict):
        await yard.downloads.add(NewDownload(URL))
    await yard.downloads.add(NewDownload(URL, wish={"quality": "worst"}))
    await yard.downloads.cancel(nameless.id)
    await yard.downloads.add(NewDownload(URL))
    with pytest.raises(Conflict, match="another download"):
        await yard.downloads.retry(nameless.id)


async def test_what_is_there_is_not_fetched_again_while_it_is_there(yard: Yard) -> None:
    async with at_work(yard):
        first = await yard.add("film")
        await yard.is_in(first, S.COMPLETED)
        with pytest.raises(Conflict, match=r"film\.ts") as refused:
            await yard.add("film")
        assert refused.value.context["existing"] == first.id
        (yard.folder / "film.ts").unlink()
        await yard.is_in(await yard.add("film"), S.COMPLETED)


async def test_a_removed_one_is_gone_at_once_and_its_files_stay_or_go(yard: Yard) -> None:
    yard.gates = {}
    async with at_work(yard):
        kept, erased = await yard.add("kept"), await yard.add("erased")
        for each in (kept, erased):
            await yard.is_in(each, S.COMPLETED)
        for name in ("erased.ledger", "erased.tracks/video.ts", "beside.ts"):
            (yard.folder / name).parent.mkdir(exist_ok=True)
            (yard.folder / name).write_bytes(b"x")
        with pytest.raises(ChangedSince):
            await yard.downloads.remove(kept.id, with_files=True, revision=5)
        await yard.downloads.remove(kept.id, with_files=False)
        await yard.downloads.remove(erased.id, with_files=True)
        for each in (kept, erased):
            with pytest.raises(NotFound):
                await yard.now(each)

    assert sorted(each.name for each in yard.folder.iterdir()) == ["beside.ts", "kept.ts"]
    assert await yard.db.read(select(table.c.id)) == []
    assert [each.subject for each in await yard.told("download.removed")] == [kept.id, erased.id]


async def test_one_that_runs_is_ended_before_its_files_go(yard: Yard) -> None:
    yard.gates["film"] = anyio.Event()
    async with at_work(yard):
        download = await yard.add("film")
        await yard.stands("film")
        await yard.downloads.remove(download.id, with_files=True)
        with pytest.raises(NotFound):
            await yard.now(download)
        with pytest.raises(Conflict):  # it is still being written
            await yard.add("film")

        async def is_empty() -> bool:
            return not await yard.db.read(select(table.c.id))

        await yard.until(is_empty)
        assert not (yard.folder / "film.ts.part").exists()
    assert await yard.db.read(select(owns.c.key).where(owns.c.want)) == []


async def test_a_file_that_is_somebody_elses_is_never_removed(yard: Yard) -> None:
    yard.folder.mkdir()
    theirs = yard.folder / "film.ts"
    theirs.write_bytes(b"theirs")

    async def refuse(wish: DownloadWish, *, on_progress: OnDownload) -> DownloadOutcome:
        on_progress(DownloadProgress("fetching", pieces=4, file=str(theirs)))
        raise OutputExists("it is there already")

    yard.engine.run = refuse
    async with at_work(yard):
        download = await yard.is_in(await yard.add("film"), S.FAILED)
        assert (download.code, download.path) == ("output_exists", None)
        await yard.downloads.remove(download.id, with_files=True)
    assert theirs.read_bytes() == b"theirs"


async def test_a_file_that_another_download_has_made_since_stays(yard: Yard) -> None:
    async with at_work(yard):
        first = await yard.is_in(await yard.add("film"), S.COMPLETED)
        (yard.folder / "film.ts").unlink()
        second = await yard.is_in(await yard.add("film"), S.COMPLETED)
        await yard.downloads.remove(first.id, with_files=True)
        assert (yard.folder / "film.ts").exists()
        await yard.downloads.remove(second.id, with_files=True)
    assert not (yard.folder / "film.ts").exists()


async def test_a_stop_of_the_daemon_puts_it_back_and_the_next_start_takes_it_up(tmp_path: Path) -> None:
    async with opened(tmp_path) as yard:
        yard.gates["film"] = anyio.Event()
        async with at_work(yard):
            download = await yard.add("film")
            await yard.stands("film")
        rested = await yard.now(download)
        assert (rested.state, rested.retries) == (S.PENDING, 0)
    async with opened(tmp_path) as yard, at_work(yard):
        await yard.is_in(download, S.COMPLETED)
        assert yard.engine.written == [("film", 3)]


async def test_what_ran_when_it_was_killed_runs_again_and_what_was_to_end_has_ended(tmp_path: Path) -> None:
    async with opened(tmp_path) as yard:
        left = {name: await yard.add(name) for name in ("ran", "to pause", "to go", "no wish")}
        async with yard.db.transaction() as tx:
            for name, values in {
                "ran": {"state": "downloading"},
                "to pause": {"state": "downloading", "after": "pause"},
                "to go": {"state": "downloading", "after": "erase"},
            }.items():
                await tx.execute(table.update().where(table.c.id == left[name].id).values(values))
            await tx.execute(owns.delete().where(owns.c.key == f"dl:{left['no wish'].id}"))
    async with opened(tmp_path) as yard:
        await yard.downloads.settle()
        assert (await yard.now(left["ran"])).state is S.PENDING  # nobody runs it
    async with opened(tmp_path) as yard, at_work(yard):
        await yard.is_in(left["ran"], S.COMPLETED)
        await yard.is_in(left["no wish"], S.COMPLETED)
        assert (await yard.now(left["to pause"])).state is S.PAUSED
        assert len(await yard.db.read(select(table.c.id))) == 3


async def test_progress_is_told_twice_a_second_and_written_now_and_then(yard: Yard) -> None:
    told: list[tuple[float, StoredEvent]] = []
    began_s = yard.clock.monotonic()
    writes: list[float] = []

    async def slowly(wish: DownloadWish, number: int) -> None:
        yard.clock.advance(0.1)
        row = await yard.now(download)
        if row.pieces_done and (not writes or row.pieces_done > writes[-1]):
            writes.append(row.pieces_done)

    yard.engine.pieces = 120
    yard.engine._before_piece = slowly
    listening = anyio.Event()

    async def listen() -> None:
        async with yard.bus.subscribe() as events:
            listening.set()
            while (event := await events.next()) is not None:
                assert not isinstance(event, Resync)
                if event.code == "download.progress":
                    told.append((yard.clock.monotonic(), event))

    async with anyio.create_task_group() as beside:
        beside.start_soon(listen)
        await listening.wait()
        async with at_work(yard):
            download = await yard.add("film")
            await yard.is_in(download, S.COMPLETED)
        beside.cancel_scope.cancel()

    lasted_s = yard.clock.monotonic() - began_s
    assert 10 <= len(told) <= 2 * lasted_s + 2
    assert told[5][1].data["pieces"] == 120
    assert told[5][1].subject == download.id
    assert 2 <= len(writes) <= 1 + lasted_s / 5
    assert await yard.told("download.progress") == []


async def test_a_secret_of_an_address_stands_nowhere_in_the_clear(yard: Yard) -> None:
    url = "https://user:hunter2@example.org/vod/index.m3u8?token=abcdef0123456789abcdef0123456789"
    async with at_work(yard):
        download = await yard.add("film", url=url, key="00112233445566778899aabbccddeeff")
        await yard.is_in(download, S.COMPLETED)
    (row,) = await yard.db.read(select(table))
    stored = repr(dict(row)) + repr(await yard.db.events_after(0))
    for secret in ("hunter2", "abcdef0123", "00112233"):
        assert secret not in stored
    assert (yard.engine.begun[0].url, yard.engine.begun[0].key) == (
        url,
        bytes.fromhex("00112233445566778899aabbccddeeff"),
    )


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({"url": "nothing"}, BadUrl),
        ({"folder": "../elsewhere"}, BadOption),
        ({"folder": "/etc"}, BadOption),
        ({"folder": "a\0b"}, BadOption),
        ({"profile": "faster"}, BadOption),
        ({"key": "0011"}, BadOption),
        ({"wish": {"format": "avi"}}, BadOption),
        ({"wish": {"from_s": 9.0, "to_s": 3.0}}, BadOption),
        ({"name": "x" * 301}, BadOption),
    ],
)
async def test_what_cannot_be_is_refused(yard: Yard, given: dict[str, Any], error: type[OuzelError]) -> None:
    with pytest.raises(error):
        await yard.downloads.add(NewDownload(**{"url": URL, **given}))


async def test_a_link_leads_no_download_out_of_its_folder(yard: Yard, tmp_path: Path) -> None:
    yard.folder.mkdir()
    (yard.folder / "out").symlink_to(tmp_path)
    with pytest.raises(BadOption, match="downloads go into"):
        await yard.add("film", folder="out")


@pytest.mark.parametrize("name", ["../../etc/passwd", "a/b", "🎬 film", "影片" * 100, "..", "con"])
async def test_names_become_safe_names(yard: Yard, name: str) -> None:
    async with at_work(yard):
        whole = await yard.is_in(await yard.add("", url=URL) if not name else await _named(yard, name), S.COMPLETED)
    assert Path(whole.path or "").parent == yard.folder
    assert whole.name == name


async def _named(yard: Yard, name: str) -> Download:
    return await yard.downloads.add(NewDownload(URL, name))


async def test_many_at_once_what_is_wrong_with_one_keeps_no_other_out(yard: Yard) -> None:
    done = await yard.downloads.add_many(
        [NewDownload(URL, "one"), NewDownload("nothing"), NewDownload(URL, "one"), NewDownload(URL, "two")]
    )
    assert [type(each) for each in done] == [Download, BadUrl, Conflict, Download]


async def test_a_profile_says_how_patient_it_is(yard: Yard) -> None:
    async with at_work(yard):
        await yard.is_in(await yard.add("fast", profile="fast"), S.COMPLETED)
        await yard.is_in(await yard.add("own", wish={"connections": 3, "rate_bps": 5000}), S.COMPLETED)
    fast, own = (wish.pace for wish in yard.engine.begun)
    assert (fast.connections, fast.retries, fast.retry_delay_s) == (16, 1, 0.5)
    assert (own.connections, own.retries, own.rate_bps) == (3, 2, 5000)


async def test_what_is_on_air_has_no_pieces_and_its_file_is_known_all_the_same(yard: Yard) -> None:
    path = yard.folder / "show.ts"

    async def record(wish: DownloadWish, *, on_progress: OnDownload) -> DownloadOutcome:
        wish.folder.mkdir()
        path.write_bytes(b"media")
        on_progress(DownloadProgress("fetching", bytes_done=5, media_done_s=1.0, file=str(path)))
        await anyio.sleep_forever()
        raise AssertionError

    yard.engine.run = record
    async with at_work(yard):
        download = await yard.add("show")

        async def is_known() -> bool:
            return (await yard.now(download)).path is not None

        await yard.until(is_known)
        await yard.downloads.cancel(download.id)
        cancelled = await yard.is_in(download, S.CANCELLED)
        assert (cancelled.bytes, cancelled.media_done_s, cancelled.path) == (5, 1.0, str(path))
        assert wish_of(cancelled, yard.downloads.rules, Box()).on_air
        await yard.downloads.remove(download.id, with_files=True)
    assert not path.exists()


# -- what comes after ----------------------------------------------------------------------------------------------------


@dataclass
class Followed:
    """Notes what it is told, and knows a file more of each download."""

    folder: Path
    told: list[tuple[str, DownloadState, str | None]] = field(
        default_factory=list[tuple[str, DownloadState, str | None]]
    )

    async def downloaded_in(self, tx: Tx, download: Download) -> None:
        tx.emit(Happening("pipeline.run", download.id))
        self.told.append((download.id, download.state, download.path))

    async def files_of(self, item_id: str) -> list[Path]:
        return [self.folder / f"{item_id}.mp4"]


async def test_what_comes_after_begins_with_the_end_of_a_download(tmp_path: Path) -> None:
    followed = Followed(tmp_path)
    async with opened(tmp_path, afterwards=followed) as yard:
        yard.engine.troubles["bad"].append(BadUrl("no"))
        async with at_work(yard):
            good, bad = await yard.add("good"), await yard.add("bad")
            await yard.is_in(good, S.COMPLETED)
            await yard.is_in(bad, S.FAILED)
            made = tmp_path / f"{good.id}.mp4"
            made.write_bytes(b"x")
            await yard.downloads.remove(good.id, with_files=True)
        assert followed.told == [(good.id, S.COMPLETED, str(yard.folder / "good.ts"))]
        assert [each.subject for each in await yard.told("pipeline.run")] == [good.id]
        assert (made.exists(), (yard.folder / "good.ts").exists()) == (False, False)
