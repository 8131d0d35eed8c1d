"""Files that lie on the disk become videos, where they are."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
import pytest
from sqlalchemy import select
from tests.served import Served, open_served

from ouzel.base.errors import Invalid
from ouzel.model.jobs import OPEN, JobState
from ouzel.model.users import Role
from ouzel.services.jobs import Jobs
from ouzel.services.supervisor import Supervisor
from ouzel.services.video_imports import QUEUE, VideoImports
from ouzel.store.tables import files, videos
from ouzel.system.clock import SystemClock
from ouzel.testing.clips import Clip

pytestmark = pytest.mark.anyio


@pytest.fixture
async def served(tmp_path: Path) -> AsyncGenerator[Served]:
    async with open_served(tmp_path) as opened:
        yield opened


@pytest.fixture
def folder(tmp_path: Path, clip: Clip) -> Path:
    """What somebody has collected."""
    where = tmp_path / "films"
    (where / "夏" / ".hidden").mkdir(parents=True)
    film = clip.file(".mp4")
    shutil.copy(film, where / "夏" / "祭り.mp4")
    shutil.copy(clip.file(".ts"), where / "party.ts")
    for name in ("夏/祭り.srt", "夏/祭り.zh.ass", "夏/other.srt", "notes.txt", "夏/.hidden/x.mp4", "half.mp4.part"):
        (where / name).write_bytes(b"1\n00:00:01,000 --> 00:00:02,000\nhi\n")
    (where / "broken.mkv").write_bytes(b"no film")
    os.utime(where / "party.ts", (1_600_000_000, 1_600_000_000))
    return where


async def run(served: Served, body: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Returns: the answer, and what came of the job."""
    services = served.services
    async with served.client(headers=served.local()) as client:
        answer = await client.post("/api/imports", json=body)
        assert answer.status_code == 202, answer.text
        jobs = Jobs(services.jobs, services.imports.kinds(), {QUEUE: 1}, served.clock)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(Supervisor(served.ownership, jobs.bodies(), SystemClock()).run)
            with anyio.fail_after(60):
                while (job := await services.jobs.get(answer.json()["job_id"])).state in OPEN:
                    await anyio.lowlevel.checkpoint()
            tasks.cancel_scope.cancel()
    assert job.state is JobState.DONE, job
    return answer.json(), dict(job.result or {})


async def rows(served: Served) -> list[dict[str, Any]]:
    return [dict(each) for each in await served.services.db.read(select(videos).order_by(videos.c.title))]


async def test_a_folder_is_taken_where_it_lies(served: Served, folder: Path, clip: Clip) -> None:
    told, result = await run(served, {"path": str(folder)})
    assert (told["files"], told["known"]) == (3, 0)
    assert (result["imported"], result["failed"]) == (2, 1)
    (error,) = result["errors"]
    assert (Path(error["path"]).name, error["code"]) == ("broken.mkv", "not_media")
    party, festival = await rows(served)
    assert (festival["title"], festival["kind"], festival["state"]) == ("祭り", "import", "ready")
    assert (festival["height"], festival["vcodec"], festival["acodec"]) == (180, "h264", "aac")
    assert party["duration_s"] == pytest.approx(12, abs=0.1)
    assert party["at"].year == 2020
    texts = select(files.c.path).where(files.c.import_id == festival["id"], files.c.role == "subtitles")
    assert sorted(Path(row["path"]).name for row in await served.services.db.read(texts)) == ["祭り.srt", "祭り.zh.ass"]
    assert (folder / "party.ts").read_bytes() == clip.file(".ts").read_bytes()

    told, result = await run(served, {"path": str(folder)})
    assert (told["files"], told["known"]) == (1, 2)
    assert (result["imported"], result["known"], result["failed"]) == (0, 2, 1)
    assert len(await rows(served)) == 2


async def test_one_file_is_taken_and_a_dry_run_only_tells(served: Served, folder: Path) -> None:
    async with served.client(headers=served.local()) as client:
        dry = (await client.post("/api/imports", json={"path": str(folder), "dry_run": True})).json()
    assert dry["job_id"] is None
    assert [Path(each).name for each in dry["first"]] == ["broken.mkv", "party.ts", "祭り.mp4"]
    assert not await rows(served)
    await run(served, {"path": str(folder / "party.ts")})
    assert [each["title"] for each in await rows(served)] == ["party"]


@pytest.mark.parametrize("path", ["/", "films", "/nowhere/at/all", "/x\0y", ""])
async def test_what_cannot_be_taken_is_refused_at_once(served: Served, path: str) -> None:
    async with served.client(headers=served.local()) as client:
        answer = await client.post("/api/imports", json={"path": path})
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/path")


async def test_the_database_is_no_video(served: Served, tmp_path: Path) -> None:
    (tmp_path / "data" / "inner").mkdir(parents=True)
    imports: VideoImports = served.services.imports
    for path in (tmp_path, tmp_path / "data", tmp_path / "data" / "inner"):
        with pytest.raises(Invalid, match="database"):
            await imports.look(path)


async def test_only_administrators_name_paths_of_the_machine(served: Served, folder: Path) -> None:
    await served.add("ed", Role.EDITOR)
    async with served.signed_in("ed") as client:
        assert (await client.post("/api/imports", json={"path": str(folder)})).status_code == 403
