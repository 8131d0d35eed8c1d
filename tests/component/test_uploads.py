"""Files come from a browser, in pieces, over connections that break."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import AsyncGenerator, AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
import httpx
import pytest
from sqlalchemy import select, update
from tests.served import Served, listening_server, open_served

from ouzel.base.errors import DiskFull
from ouzel.model.users import Role
from ouzel.services import uploads as module
from ouzel.services.uploads import COMING, THERE
from ouzel.store.tables import files, uploads, videos
from ouzel.testing.clips import Clip

pytestmark = pytest.mark.anyio
TUS = {"Tus-Resumable": "1.0.0"}
PIECES = {**TUS, "Content-Type": "application/offset+octet-stream"}


@pytest.fixture
async def served(tmp_path: Path) -> AsyncGenerator[Served]:
    async with open_served(tmp_path) as opened:
        yield opened


@pytest.fixture
async def client(served: Served) -> AsyncGenerator[httpx.AsyncClient]:
    async with served.client(headers=served.local()) as opened:
        yield opened


@pytest.fixture
def film(clip: Clip) -> bytes:
    return clip.file(".mp4").read_bytes()


def told(name: str, length: int, **more: str) -> dict[str, str]:
    pairs = {"filename": name, **more}
    metadata = ",".join(f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in pairs.items())
    return {**TUS, "Upload-Length": str(length), "Upload-Metadata": metadata}


async def begin(client: httpx.AsyncClient, name: str, length: int) -> str:
    answer = await client.post("/api/uploads", headers=told(name, length))
    assert answer.status_code == 201, answer.text
    return answer.headers["location"]


async def send(client: httpx.AsyncClient, at: str, offset: int, data: bytes, **more: str) -> httpx.Response:
    return await client.patch(at, content=data, headers={**PIECES, "Upload-Offset": str(offset), **more})


async def test_a_file_comes_in_pieces_and_is_a_video(
    served: Served, client: httpx.AsyncClient, film: bytes, tmp_path: Path
) -> None:
    at, third = await begin(client, "夏祭り.mp4", len(film)), len(film) // 3
    for offset in (0, third):
        answer = await send(client, at, offset, film[offset : offset + third])
        assert (answer.status_code, answer.headers["upload-offset"]) == (204, str(offset + third))
        head = await client.head(at)
        assert (head.headers["upload-offset"], head.headers["upload-length"]) == (str(offset + third), str(len(film)))
        assert head.headers["cache-control"] == "no-store"
    answer = await send(client, at, 2 * third, film[2 * third :])
    video = answer.headers["ouzel-video"]
    (row,) = await served.services.db.read(select(videos).where(videos.c.id == video))
    assert (row["title"], row["kind"], row["height"]) == ("夏祭り", "import", 180)
    assert (tmp_path / THERE / "夏祭り.mp4").read_bytes() == film
    assert not [*(tmp_path / COMING).iterdir()]
    assert (await client.get(at)).json()["video_id"] == video
    again = await send(client, at, len(film), b"")
    assert (again.status_code, again.headers["ouzel-video"]) == (204, video)
    assert (await client.delete(at)).status_code == 204
    assert (tmp_path / THERE / "夏祭り.mp4").exists(), "a video stays"


async def test_two_of_one_name_are_two_files(client: httpx.AsyncClient, film: bytes, tmp_path: Path) -> None:
    for _ in range(2):
        answer = await client.post("/api/uploads", content=film, headers={**told("a/../b.mp4", len(film)), **PIECES})
        assert (answer.status_code, answer.headers["upload-offset"]) == (201, str(len(film)))
    assert sorted(each.name for each in (tmp_path / THERE).iterdir()) == ["b.mp4", "b_2.mp4"]


async def test_a_connection_that_breaks_loses_nothing_that_came(served: Served, film: bytes) -> None:
    async with listening_server(served.app) as origin:
        headers = {**served.local(), "origin": origin}
        async with httpx.AsyncClient(base_url=origin, headers=headers) as client:
            at, half = await begin(client, "film.mp4", len(film)), len(film) // 2

            async def breaks() -> AsyncIterator[bytes]:
                yield film[:half]
                raise ConnectionError

            with pytest.raises(ConnectionError):
                await client.patch(at, content=breaks(), headers={**PIECES, "Upload-Offset": "0"})
            come = int((await client.head(at)).headers["upload-offset"])
            while come < half:  # the server has not seen yet that nobody is there
                await anyio.lowlevel.checkpoint()
                come = int((await client.head(at)).headers["upload-offset"])
            assert "ouzel-video" in (await send(client, at, come, film[come:])).headers


async def test_who_comes_later_goes_on_and_who_hangs_is_cut_off(served: Served, film: bytes) -> None:
    services, began, hangs = served.services.uploads, anyio.Event(), anyio.Event()
    upload = await services.begin("film.mp4", len(film), root="", by="me", user_id=None)

    async def slow() -> AsyncIterator[bytes]:
        yield film[: 1024 * 1024]
        began.set()
        await hangs.wait()

    async def first() -> None:
        with pytest.raises(Exception, match="another connection"):
            await services.append(upload.id, 0, slow())

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(first)
        await began.wait()
        come = (await services.get(upload.id)).received

        async def rest() -> AsyncIterator[bytes]:
            yield film[come:]

        done = await services.append(upload.id, come, rest())
    assert done.import_id is not None


def checksum(name: str, value: bytes) -> dict[str, str]:
    return {"Upload-Checksum": f"{name} {base64.b64encode(value).decode()}"}


@pytest.mark.parametrize(
    ("length", "filename", "more", "status", "code"),
    [
        (5, "notes.txt", {}, 422, "bad_option"),
        (5, "", {}, 422, "bad_option"),
        (5, "a.mp4", {"root": "nowhere"}, 422, "bad_option"),
        (1 << 50, "a.mp4", {}, 413, "body_too_large"),
    ],
)
async def test_what_cannot_come_is_refused_before_it_does(
    client: httpx.AsyncClient, length: int, filename: str, more: dict[str, str], status: int, code: str
) -> None:
    answer = await client.post("/api/uploads", headers=told(filename, length, **more))
    assert (answer.status_code, answer.json()["code"]) == (status, code)


async def test_what_is_wrong_is_told_and_what_was_good_stays(client: httpx.AsyncClient, film: bytes) -> None:
    at = await begin(client, "film.mp4", len(film))
    plain = {**TUS, "Upload-Offset": "0", "Content-Type": "text/plain"}
    cases = [
        (await send(client, at, 5, film[5:10]), 409, "conflict"),
        (await send(client, at, 0, b"ab", **checksum("sha1", b"no")), 460, "checksum_mismatch"),
        (await send(client, at, 0, b"ab", **checksum("crc7", b"no")), 422, "bad_option"),
        (await send(client, at, 0, b"ab", **{"Tus-Resumable": "0.2.2"}), 412, "other_tus"),
        (await client.patch(at, content=b"ab", headers=plain), 422, "bad_option"),
        (
            await client.post("/api/uploads", headers={**told("a.mp4", 5), "Upload-Metadata": "filename ?"}),
            422,
            "bad_option",
        ),
        (await client.get("/api/uploads/06fk8v2xq3m1a7zt"), 404, "not_found"),
    ]
    assert [(answer.status_code, answer.json()["code"]) for answer, *_ in cases] == [(s, c) for _, s, c in cases]
    assert (await client.head(at)).headers["upload-offset"] == "0"
    small = await begin(client, "film.mp4", 10)
    more = await send(client, small, 0, film)
    assert (more.status_code, more.json()["code"]) == (413, "body_too_large")
    whole = checksum("sha1", hashlib.sha1(film, usedforsecurity=False).digest())
    assert "ouzel-video" in (await send(client, at, 0, film, **whole)).headers


async def test_what_is_no_media_goes(served: Served, client: httpx.AsyncClient, tmp_path: Path) -> None:
    at = await begin(client, "film.mp4", 9)
    answer = await send(client, at, 0, b"no movie!")
    assert (answer.status_code, answer.json()["code"]) == (422, "not_media")
    assert (await client.get(at)).status_code == 404
    assert not [*(tmp_path / THERE).iterdir()]
    assert not await served.services.db.read(select(files))


async def test_a_full_disk_is_told_and_it_goes_on_later(
    served: Served, client: httpx.AsyncClient, film: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = await begin(client, "film.mp4", len(film))

    def full(*, room: int = 0) -> None:
        raise DiskFull("the disk is full")

    gate = served.services.uploads._gate("")  # pyright: ignore[reportPrivateUsage]
    monkeypatch.setattr(gate, "check", full)
    assert (await send(client, at, 0, film)).status_code == 507
    assert (await client.post("/api/uploads", headers=told("b.mp4", 5))).status_code == 507
    monkeypatch.undo()
    assert "ouzel-video" in (await send(client, at, 0, film)).headers


class Killed(BaseException): ...


@pytest.mark.parametrize("moment", ["_reserve", "will_be", "_settle", "take"])
async def test_killed_behind_any_step_it_is_one_video_at_the_next_start(
    served: Served, client: httpx.AsyncClient, film: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    service: Any = served.services.uploads
    at = await begin(client, "film.mp4", len(film))
    owner = {"will_be": service._repo, "take": service._imports}.get(moment, module)
    real = getattr(owner, moment)

    def dies(*args: object, **more: object) -> None:
        real(*args, **more)
        raise Killed

    async def dies_later(*args: object, **more: object) -> None:
        await real(*args, **more)
        raise Killed

    async def whole() -> AsyncIterator[bytes]:
        yield film

    monkeypatch.setattr(owner, moment, dies if owner is module else dies_later)
    with pytest.raises(Killed):
        await service.append(at.rpartition("/")[2], 0, whole())
    monkeypatch.undo()
    await service.settle()
    await service.settle()
    (row,) = await served.services.db.read(select(videos))
    assert (await client.get(at)).json()["video_id"] == row["id"]
    good = [each for each in (tmp_path / THERE).iterdir() if each.stat().st_size]
    assert [each.read_bytes() == film for each in good] == [True]


async def test_it_belongs_to_who_began_it(served: Served, film: bytes) -> None:
    await served.add("ed", Role.EDITOR)
    await served.add("eve", Role.EDITOR)
    await served.add("few", Role.EDITOR, "cats")
    async with served.signed_in("ed") as ed, served.signed_in("eve") as eve, served.signed_in("few") as few:
        at = await begin(ed, "film.mp4", len(film))
        for other in (eve, few):
            answers = [await other.get(at), await send(other, at, 0, film), await other.delete(at)]
            assert {each.status_code for each in answers} <= {403, 404}
        assert (await few.post("/api/uploads", headers=told("a.mp4", 5))).status_code == 403
        assert (await ed.get(at)).json()["received"] == 0


async def test_what_nobody_goes_on_with_goes_after_a_week(
    served: Served, client: httpx.AsyncClient, tmp_path: Path
) -> None:
    at = await begin(client, "film.mp4", 100)
    await send(client, at, 0, b"x" * 50)
    long_ago = served.clock.now() - timedelta(days=8)
    async with served.services.db.transaction() as tx:
        await tx.execute(update(uploads).values(touched_at=long_ago))
    assert await served.services.uploads.sweep() == 1
    assert (await client.get(at)).status_code == 404
    assert not [*(tmp_path / COMING).iterdir()]


async def test_what_is_spoken_here(served: Served) -> None:
    async with served.client() as client:
        answer = await client.options("/api/uploads")
        assert (answer.status_code, answer.headers["tus-version"]) == (204, "1.0.0")
        assert "creation" in answer.headers["tus-extension"]
        assert (await client.post("/api/uploads", headers=told("a.mp4", 5))).status_code == 401
