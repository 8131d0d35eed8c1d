"""Downloads through the API: their own shape, and that of the HLS downloader."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
import httpx
import pytest
from tests.component.library import Library
from tests.served import Served, open_served

from ouzel.model.download_tasks import NewDownload
from ouzel.model.downloads import DownloadProgress, Pace
from ouzel.model.states import RecordingState
from ouzel.model.users import Role
from ouzel.services.downloads import Fetching
from ouzel.services.supervisor import Supervisor

pytestmark = pytest.mark.anyio
URL = "https://example.org/vod/index.m3u8"


@pytest.fixture
async def served(tmp_path: Path) -> AsyncGenerator[Served]:
    async with open_served(tmp_path) as opened:
        yield opened


@pytest.fixture
async def api(served: Served) -> AsyncGenerator[httpx.AsyncClient]:
    async with served.client(headers=served.local()) as client:
        yield client


async def _add(api: httpx.AsyncClient, name: str, **given: Any) -> dict[str, Any]:
    answer = await api.post("/api/downloads", json={"url": URL, "name": name, **given})
    assert answer.status_code == 201, answer.text
    return answer.json()


async def _work(served: Served) -> None:
    """Until all is fetched."""
    downloads = served.services.downloads
    supervisor = Supervisor(served.ownership, {"dl": downloads.body(3)}, served.clock, sleep=served.clock.sleep)
    with anyio.fail_after(20):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(supervisor.run)
            while any(each.state in {"pending", "downloading"} for each in await downloads.repo.page()):
                await anyio.lowlevel.checkpoint()
            supervisor.stop(0)


async def test_a_download_is_added_fetched_and_shown(served: Served, api: httpx.AsyncClient) -> None:
    made = await _add(api, "film", quality="720p", profile="fast", prio=3, metadata={"a": [1]})
    assert (made["state"], made["prio"], made["profile"]) == ("pending", 3, "fast")
    assert made["options"]["quality"] == "720p"
    await _work(served)

    shown = (await api.get(f"/api/downloads/{made['id']}")).json()
    assert (shown["state"], shown["fraction"], shown["title"], shown["running"]) == ("completed", 1.0, "a film", None)
    assert shown["path"].endswith("/downloads/film.ts")
    assert shown["metadata"] == {"a": [1]}
    listed = (await api.get("/api/downloads", params={"text": "FILM", "state": "completed", "count": "exact"})).json()
    assert ([each["id"] for each in listed["items"]], listed["total"]) == ([made["id"]], 1)
    assert (await api.get("/api/downloads", params={"state": "failed"})).json()["items"] == []


async def test_pages_have_every_one_once(api: httpx.AsyncClient) -> None:
    made = [(await _add(api, f"film{number}"))["id"] for number in range(5)]
    found: list[str] = []
    cursor = None
    while True:
        query = {"limit": "2", **({"cursor": cursor} if cursor else {})}
        page = (await api.get("/api/downloads", params=query)).json()
        found += [each["id"] for each in page["items"]]
        if (cursor := page["next_cursor"]) is None:
            break
    assert sorted(found) == sorted(made)
    assert len(found) == 5


async def test_the_same_key_adds_it_once_and_the_same_file_is_a_conflict(api: httpx.AsyncClient) -> None:
    body, key = {"url": URL, "name": "film"}, {"Idempotency-Key": "once"}
    first = await api.post("/api/downloads", json=body, headers=key)
    again = await api.post("/api/downloads", json=body, headers=key)
    assert (again.json()["id"], again.headers["Idempotency-Replayed"]) == (first.json()["id"], "true")
    assert first.headers["location"] == f"/api/downloads/{first.json()['id']}"

    refused = await api.post("/api/downloads", json=body)
    assert (refused.status_code, refused.json()["code"]) == (409, "conflict")
    assert refused.json()["existing"] == first.json()["id"]


async def test_many_at_once(api: httpx.AsyncClient) -> None:
    wanted = [{"url": URL, "name": "a"}, {"url": "nothing"}, {"url": URL, "name": "A"}]
    answer = (await api.post("/api/downloads/batch", json={"downloads": wanted})).json()
    assert [each["code"] for each in answer["items"]] == [None, "bad_url", "conflict"]
    assert answer["items"][2]["existing"] == answer["items"][0]["id"]
    assert answer["added"] == 1


async def test_an_edit_is_based_on_what_was_read(api: httpx.AsyncClient) -> None:
    made = await _add(api, "film")
    address = f"/api/downloads/{made['id']}"
    tag = (await api.get(address)).headers["etag"]
    changed = await api.patch(address, json={"prio": 9, "name": "another"}, headers={"If-Match": tag})
    assert (changed.json()["prio"], changed.json()["name"]) == (9, "another")
    assert (await api.patch(address, json={"prio": 1}, headers={"If-Match": tag})).status_code == 412
    assert (await api.delete(address, headers={"If-Match": tag})).status_code == 412
    assert (await api.delete(address)).status_code == 204
    assert (await api.get(address)).status_code == 404


async def test_one_is_found_by_a_word(api: httpx.AsyncClient) -> None:
    made = [await _add(api, name) for name in ("film", "song")]
    for word in ("SON", made[1]["id"][:15], made[1]["id"]):
        found = (await api.get("/api/downloads", params={"word": word})).json()["items"]
        assert made[1]["id"] in [each["id"] for each in found]
    assert [each["name"] for each in (await api.get("/api/downloads", params={"word": "song"})).json()["items"]] == [
        "song"
    ]


async def test_pause_resume_cancel_retry(api: httpx.AsyncClient) -> None:
    address = f"/api/downloads/{(await _add(api, 'film'))['id']}"
    for act, state in (("pause", "paused"), ("resume", "pending"), ("cancel", "cancelled"), ("retry", "pending")):
        assert (await api.post(f"{address}/{act}")).json()["state"] == state
    await api.post(f"{address}/cancel")
    assert (await api.post(f"{address}/pause")).status_code == 409


async def test_a_folder_outside_is_refused_and_says_what_to_set(api: httpx.AsyncClient) -> None:
    answer = await api.post("/api/downloads", json={"url": URL, "folder": "/etc"})
    assert (answer.status_code, answer.json()["code"]) == (422, "bad_option")
    assert "[download] folders" in answer.json()["detail"]
    assert answer.json()["errors"][0]["pointer"] == "/folder"


async def test_who_may_see_only_some_channels_sees_no_download(served: Served) -> None:
    await served.add("some", Role.EDITOR, "family")
    await served.add("viewer", Role.VIEWER)
    async with served.signed_in("some") as client:
        assert (await client.get("/api/downloads")).status_code == 403
        assert (await client.get("/api/download/list")).status_code == 403
    async with served.signed_in("viewer") as client:
        assert (await client.get("/api/downloads")).status_code == 200
        assert (await client.post("/api/downloads", json={"url": URL})).status_code == 403
        assert (await client.post("/api/download/create", json={"url": URL})).status_code == 403


async def test_progress_is_told_in_passing(served: Served) -> None:
    async with served.listening("/api/events?topics=download", served.local()) as events:
        assert (await events.codes(1)) == ["ready"]
        made = await served.services.downloads.add(NewDownload(URL, "film"))
        await _work(served)
        codes: list[str] = []
        while "download.finished" not in codes:
            codes += await events.codes(1)
    assert [code for code in codes if code != "download.progress"] == [
        "download.changed", "download.changed", "download.changed", "download.finished",
    ]  # fmt: skip
    stored = [each.code for each in await served.services.db.events_after(0) if each.subject == made.id]
    assert "download.progress" not in stored


async def test_a_whole_one_is_an_item_of_the_library(served: Served, api: httpx.AsyncClient, tmp_path: Path) -> None:
    await _add(api, "film")
    await _add(api, "later", paused=True)
    await _work(served)
    lib = Library(served.services.db, served.clock)
    served.clock.advance(5)
    await lib.channel()
    show = await lib.recording(state=RecordingState.DONE, ended_at=served.clock.now(), media_s=9.0)
    await served.add("some", Role.VIEWER, "family")

    items = (await api.get("/api/library", params={"count": "exact"})).json()
    assert items["total"] == 2
    assert [(each["kind"], each["title"], each["media_s"]) for each in items["items"]] == [
        ("recording", "title", 9.0), ("download", "film", 4.0),
    ]  # fmt: skip
    assert items["items"][0]["href"] == f"/api/recordings/{show.id}"
    first = (await api.get("/api/library", params={"limit": 1})).json()
    second = (await api.get("/api/library", params={"limit": 1, "cursor": first["next_cursor"]})).json()
    (film,) = second["items"]
    assert (film["bytes"], film["gaps"], film["channel_id"], second["next_cursor"]) == (40, 0, None, None)
    for query, titles in (
        ({"text": "FIL"}, ["film"]),
        ({"kind": "recording"}, ["title"]),
        ({"kind": "download"}, ["film"]),
    ):
        found = (await api.get("/api/library", params=query)).json()["items"]
        assert [each["title"] for each in found] == titles
    async with served.signed_in("some") as client:
        assert (await client.get("/api/library")).json()["items"] == []

    shown = await api.get(film["href"])
    assert shown.json()["path"].endswith("/film.ts")
    tag = {"If-Match": shown.headers["etag"]}
    assert (await api.delete(film["href"], params={"files": True}, headers=tag)).status_code == 204
    assert [each["title"] for each in (await api.get("/api/library")).json()["items"]] == ["title"]
    assert not [*tmp_path.rglob("film.ts")]  # noqa: ASYNC240


# -- the words of the HLS downloader ----------------------------------------------------------------------------------

STATUS = [
    "task_id", "status", "progress", "downloaded_segments", "total_segments", "current_file", "speed", "eta", "message",
]  # fmt: skip


async def test_its_five_addresses_have_its_fields(served: Served, api: httpx.AsyncClient) -> None:
    body = {"url": URL, "name": "film", "quality": "720p", "output_dir": "films"}
    made = (await api.post("/api/download/create", json=body)).json()
    assert list(made) == ["task_id", "status", "created_at"]
    assert made["status"] == "pending"
    task = made["task_id"]

    status = (await api.get(f"/api/download/status/{task}")).json()
    assert list(status) == STATUS
    assert status | {"message": ""} == {
        "task_id": task, "status": "pending", "progress": 0.0, "downloaded_segments": 0, "total_segments": 0,
        "current_file": "", "speed": "0.0 MB/s", "eta": "", "message": "",
    }  # fmt: skip
    assert list((await api.post(f"/api/download/cancel/{task}")).json()) == STATUS
    assert (await api.get(f"/api/download/status/{task}")).json()["status"] == "cancelled"
    assert (await api.post(f"/api/download/retry/{task}")).json()["status"] == "pending"
    await _work(served)

    (listed,) = (await api.get("/api/download/list")).json()["tasks"]
    assert list(listed)[: len(STATUS)] == STATUS
    assert (listed["status"], listed["progress"], listed["name"], listed["url"]) == ("completed", 100.0, "film", URL)
    assert (listed["downloaded_segments"], listed["total_segments"]) == (4, 4)
    assert listed["output_path"].endswith("/films/film.ts")


@pytest.mark.parametrize("task", ["0000000000000000", "3f2b8c1e-7c5e-4a52-9a86-000000000000", "1"])
async def test_its_unknown_ids_are_not_there(api: httpx.AsyncClient, task: str) -> None:
    """Its clients know ids of another kind."""
    for method, what in (("GET", "status"), ("POST", "cancel"), ("POST", "retry")):
        answer = await api.request(method, f"/api/download/{what}/{task}")
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


async def test_its_errors_are_told_in_its_words(api: httpx.AsyncClient) -> None:
    answer = await api.post("/api/download/create", json={"url": URL, "output_dir": "../.."})
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/output_dir")


async def test_its_words_while_one_runs_and_while_one_is_paused(served: Served, api: httpx.AsyncClient) -> None:
    task = (await _add(api, "film"))["id"]
    await api.post(f"/api/downloads/{task}/pause")
    assert (await api.get(f"/api/download/status/{task}")).json()["status"] == "pending"
    await api.post(f"/api/downloads/{task}/resume")

    await served.ownership.register("test", cap=1)
    (grant,) = await served.ownership.claim({"dl": 1})
    begun = await served.services.downloads.repo.begin(grant)
    assert begun is not None
    await served.services.downloads.repo.note(
        grant, {"pieces": 120, "pieces_done": 12, "media_s": 120, "media_done_s": 12}
    )
    begun = await served.services.downloads.repo.get(task)
    served.services.downloads.running[task] = Fetching(begun, Pace())
    early = (await api.get(f"/api/download/status/{task}")).json()  # it looks at the address again
    assert (early["progress"], early["downloaded_segments"], early["message"]) == (10.0, 12, "resolving")
    shown = (await api.get(f"/api/downloads/{task}")).json()
    assert (shown["fraction"], shown["pieces_done"], shown["running"]["stage"]) == (0.1, 12, "resolving")

    progress = DownloadProgress("fetching", 30, 120, 9, 30.0, 120.0, None, 5_234_567.0, 135.4, 4, 0, 0, "/d/film.ts")
    served.services.downloads.running[task] = Fetching(begun, Pace(), progress)

    status = (await api.get(f"/api/download/status/{task}")).json()
    assert status == {
        "task_id": task, "status": "downloading", "progress": 25.0, "downloaded_segments": 30, "total_segments": 120,
        "current_file": "/d/film.ts", "speed": "5.2 MB/s", "eta": "00:02:15", "message": "fetching",
    }  # fmt: skip


async def test_its_list_has_all_of_them(served: Served, api: httpx.AsyncClient) -> None:
    await served.services.downloads.add_many([NewDownload(URL, f"film{number}") for number in range(230)])
    tasks = (await api.get("/api/download/list")).json()["tasks"]
    assert len({each["task_id"] for each in tasks}) == len(tasks) == 230
