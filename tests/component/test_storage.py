"""Storage roots, over real folders and a real database."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator
from dataclasses import replace
from pathlib import Path

import anyio
import pytest
from tests.component.library import Library, library
from tests.component.newsroom import live, newsroom

from ouzel.base.errors import RootMissing, StorageError
from ouzel.daemon.downloading import RootedDownloading
from ouzel.model.downloads import DownloadWish
from ouzel.model.jobs import is_of_the_disk
from ouzel.model.states import RecordingState
from ouzel.services.notices import Notices
from ouzel.services.noticing import Noticing
from ouzel.services.storage import MARKER, RootGate, RootState, Storage
from ouzel.testing.disk import tiny_disk
from ouzel.testing.downloads import FakeDownloading

pytestmark = pytest.mark.anyio
_MB = 1_000_000


@pytest.fixture
async def lib(tmp_path: Path) -> AsyncGenerator[Library]:
    async with library(tmp_path) as opened:
        yield opened


def gate_of(folder: Path, *, min_free_bytes: int = 0) -> RootGate:
    return RootGate("recordings", folder, min_free_bytes=min_free_bytes, probe_s=0.01)


def storage_of(lib: Library, gate: RootGate) -> Storage:
    return Storage(lib.db, {gate.name: gate})


async def states(lib: Library) -> list[str]:
    return [event.data["state"] for event in await lib.db.events_after(0) if event.code == "storage.changed"]


async def with_a_file(lib: Library, path: str = "a/b.ts", size: int = 10) -> None:
    await lib.channel()
    await lib.file(await lib.recording(state=RecordingState.DONE), path, bytes=size)


async def test_a_new_root_is_made_and_marked_once(lib: Library, tmp_path: Path) -> None:
    gate = gate_of(tmp_path / "media")
    await storage_of(lib, gate).look()
    marker = gate.folder / MARKER
    marker.write_text("mine")
    await storage_of(lib, gate_of(gate.folder)).look()
    assert marker.read_text() == "mine"
    assert [each.name for each in gate.folder.iterdir()] == [MARKER]
    assert await states(lib) == []


async def test_a_root_that_is_not_mounted_stays_empty(lib: Library, tmp_path: Path) -> None:
    await with_a_file(lib)
    gate = gate_of(tmp_path / "media")
    gate.folder.mkdir()
    storage = storage_of(lib, gate)
    await storage.look()
    for refused in (gate.check, gate.check_writable):
        with pytest.raises(RootMissing, match="mounted"):
            refused()
    assert [*gate.folder.iterdir()] == []
    assert [(each.state, each.held_bytes) for each in await storage.views()] == [(RootState.MISSING, 10)]

    notices = Notices(lib.db)
    noticing = Noticing(lib.db, notices, sources=[storage.troubles])
    await noticing.look()
    assert [notice.code for notice in await notices.page()] == ["storage.missing"]

    (gate.folder / "a").mkdir()  # its disk is there, from before there were markers
    (gate.folder / "a" / "b.ts").touch()
    await storage.look()
    await noticing.look()
    gate.check_writable()
    assert (gate.folder / MARKER).is_file()
    assert await notices.page() == []
    assert await states(lib) == ["missing", "open"]


async def test_a_root_that_goes_away_while_it_is_used(lib: Library, tmp_path: Path) -> None:
    gate = gate_of(tmp_path / "media")
    storage = storage_of(lib, gate)
    await storage.look()
    (gate.folder / MARKER).unlink()  # as if nothing were mounted there any more: not even rows tell of files yet
    with pytest.raises(RootMissing):
        gate.check()
    await storage.look()
    assert not (gate.folder / MARKER).exists()
    (gate.folder / MARKER).touch()  # what the notice says
    await storage.look()
    assert await states(lib) == ["missing", "open"]


async def test_too_little_is_free(lib: Library, tmp_path: Path) -> None:
    gate = gate_of(tmp_path / "media", min_free_bytes=1 << 60)
    storage = storage_of(lib, gate)
    await storage.look()
    await storage.look()
    assert await states(lib) == ["low"]
    [trouble] = await storage.troubles()
    assert (trouble.code, trouble.data["root"]) == ("storage.low", "recordings")
    gate.min_free_bytes = 0
    await storage.look()
    assert await states(lib) == ["low", "open"]


async def test_a_disk_that_fills_up_and_is_emptied(lib: Library, tmp_path: Path) -> None:
    with tiny_disk(tmp_path / "disk", megabytes=8) as folder:
        gate = gate_of(folder, min_free_bytes=2 * _MB)
        storage = storage_of(lib, gate)
        await storage.look()
        (folder / "filler").write_bytes(bytes(7 * _MB))
        await storage.look()
        with pytest.raises(StorageError):
            gate.check()
        (folder / "filler").write_bytes(bytes(4 * _MB))  # above the floor, but only just
        await storage.look()
        assert await states(lib) == ["low"]
        (folder / "filler").unlink()
        await storage.look()
        assert await states(lib) == ["low", "open"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
async def test_a_folder_that_cannot_be_written(lib: Library, tmp_path: Path) -> None:
    gate = gate_of(tmp_path / "media")
    gate.folder.mkdir(mode=0o500)
    storage = storage_of(lib, gate)
    await storage.look()
    assert [each.state for each in await storage.views()] == [RootState.READ_ONLY]


async def test_what_is_no_folder(lib: Library, tmp_path: Path) -> None:
    gate = gate_of(tmp_path / "media")
    gate.folder.touch()
    storage = storage_of(lib, gate)
    await storage.look()
    assert [each.state for each in await storage.views()] == [RootState.READ_ONLY]


async def test_how_long_it_will_do(lib: Library, tmp_path: Path) -> None:
    await lib.channel()
    gate = gate_of(tmp_path / "media")
    storage = storage_of(lib, gate)
    await storage.look()
    [empty] = await storage.views()
    assert (empty.files, empty.held_bytes, empty.per_day_bytes, empty.days_left) == (0, 0, 0.0, None)

    await lib.file(await lib.recording(state=RecordingState.DONE), "old.ts", bytes=1000)
    lib.clock.jump(8 * 86400)
    await lib.file(await lib.recording(await lib.broadcast("c1"), state=RecordingState.DONE), "new.ts", bytes=700 * _MB)
    [view] = await storage.views()
    assert (view.files, view.held_bytes, view.per_day_bytes) == (2, 700 * _MB + 1000, 100 * _MB)
    assert view.days_left == pytest.approx(view.free_bytes / (100 * _MB))
    assert 0 < view.free_bytes <= view.total_bytes


async def test_the_first_hours_are_no_forecast_of_a_week(lib: Library, tmp_path: Path) -> None:
    await with_a_file(lib, size=240 * _MB)
    lib.clock.jump(3600)
    [view] = await storage_of(lib, gate_of(tmp_path / "media")).views()
    assert view.per_day_bytes == 240 * _MB


# -- more than one root ------------------------------------------------------------------------------------------------


def two(folder: Path) -> dict[str, RootGate]:
    usual = RootGate("recordings", folder / "media", min_free_bytes=0, probe_s=0.01)
    return {usual.name: usual, "nas": RootGate("nas", folder / "nas", min_free_bytes=0, probe_s=0.01, is_named=True)}


async def test_the_folder_of_another_root_is_not_made(lib: Library, tmp_path: Path) -> None:
    gates = two(tmp_path)
    storage = Storage(lib.db, gates)
    await storage.look()
    for refused in (gates["nas"].check, gates["nas"].check_writable):
        with pytest.raises(RootMissing, match="make the folder"):
            refused()
    assert not gates["nas"].folder.exists()
    assert [trouble.key for trouble in await storage.troubles()] == ["storage.missing:nas"]
    assert [(each.name, each.state.value) for each in await storage.views()] == [
        ("nas", "missing"),
        ("recordings", "open"),
    ]

    gates["nas"].folder.mkdir()
    await storage.look()
    gates["nas"].check_writable()
    assert (gates["nas"].folder / MARKER).is_file()
    assert await storage.troubles() == []


async def test_an_empty_mount_point_is_not_taken_for_a_root_that_was_there(lib: Library, tmp_path: Path) -> None:
    """Nothing was ever recorded to it: no row tells of a file."""
    (tmp_path / "nas").mkdir()
    await Storage(lib.db, two(tmp_path)).look()
    (tmp_path / "nas" / MARKER).unlink()  # the start after that, before its disk is mounted
    gates = two(tmp_path)
    storage = Storage(lib.db, gates)
    await storage.look()
    assert [trouble.key for trouble in await storage.troubles()] == ["storage.missing:nas"]
    assert [*gates["nas"].folder.iterdir()] == []

    elsewhere = {"nas": RootGate("nas", tmp_path / "new", min_free_bytes=0, probe_s=0.01, is_named=True)}
    elsewhere["nas"].folder.mkdir()
    storage = Storage(lib.db, elsewhere)  # another folder is another disk
    await storage.look()
    assert await storage.troubles() == []


async def test_each_root_has_its_own_forecast(lib: Library, tmp_path: Path) -> None:
    (tmp_path / "nas").mkdir()
    await lib.channel()
    recording = await lib.recording(state=RecordingState.DONE)
    await lib.file(recording, "a.ts", bytes=700 * _MB)
    await lib.file(recording, "a.ts", bytes=70 * _MB, root="nas")
    lib.clock.jump(7 * 86400)
    storage = Storage(lib.db, two(tmp_path))
    assert {each.name: each.per_day_bytes for each in await storage.views()} == {
        "recordings": 100 * _MB,
        "nas": 10 * _MB,
    }
    assert {each.name: each.days_left is None for each in await storage.views()} == {"recordings": True, "nas": False}
    (tmp_path / "media").mkdir()
    (tmp_path / "nas").rmdir()
    assert {each.name: each.days_left is None for each in await storage.views()} == {"recordings": False, "nas": True}


async def test_a_root_that_is_named_and_not_set_is_told_once(lib: Library, tmp_path: Path) -> None:
    await lib.channel()
    recording = await lib.recording(state=RecordingState.DONE)
    for name, root in (("a.ts", "old"), ("b.ts", "old"), ("c.ts", "/downloads"), ("d.ts", "recordings")):
        await lib.file(recording, name, root=root)
    storage, notices = Storage(lib.db, two(tmp_path), named=lambda: {"tape", "recordings"}), Notices(lib.db)
    noticing = Noticing(lib.db, notices, sources=[storage.troubles])
    await noticing.look()
    await noticing.look()
    told = [(notice.code, notice.data) for notice in await notices.page()]
    assert sorted(told, key=lambda each: str(each[1]["root"])) == [
        ("storage.not_set", {"root": "old", "files": 2, "roots": "recordings, nas"}),
        ("storage.not_set", {"root": "tape", "files": 0, "roots": "recordings, nas"}),
    ]


async def test_downloads_into_a_root_wait_while_it_is_not_mounted(lib: Library, tmp_path: Path) -> None:
    gates = two(tmp_path)
    await Storage(lib.db, gates).look()
    engine = FakeDownloading()
    downloading = RootedDownloading(engine, gates.values())
    wish = DownloadWish("http://127.0.0.1:9/film.mp4", tmp_path / "nas" / "films", stem="film")
    with pytest.raises(RootMissing) as told:
        await downloading.run(wish, on_progress=lambda _: None)
    assert is_of_the_disk(told.value), "it is tried again for as long as it takes"
    assert engine.begun == []
    await downloading.run(replace(wish, folder=tmp_path / "films"), on_progress=lambda _: None)
    gates["nas"].folder.mkdir()
    await downloading.run(wish, on_progress=lambda _: None)
    assert [each.folder.name for each in engine.begun] == ["films", "films"]


async def test_nothing_is_recorded_onto_a_mount_point(tmp_path: Path) -> None:
    async with newsroom(tmp_path) as room:
        gate = gate_of(room.folder)
        gate.is_marked = True  # its marker is on the disk that is not there
        room.recordings._roots = {gate.name: gate.root}
        channel = await room.channel()
        await room.says(channel, live("http://127.0.0.1:9/live.m3u8"))

        with anyio.fail_after(20):
            while not any(view.code == "root_missing" for view in room.supervisor.snapshot()):  # noqa: ASYNC110
                await anyio.sleep(0.01)

        assert [*room.folder.iterdir()] == []
        assert room.recordings.running == {}
