"""Channels, settings and what they keep, over the API: what may be done, by whom, and what comes of it."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.served import Idle, Served, open_served

from ouzel.api.description import describe
from ouzel.base.ids import new_id
from ouzel.model.jobs import NewJob
from ouzel.model.live import Identity, Live, Offline
from ouzel.model.stream import Stream
from ouzel.model.users import Principal, Role, Scope
from ouzel.services.users import NewKey
from ouzel.store.recordings import RecordingRepo

pytestmark = pytest.mark.anyio
PAGE = "https://www.huya.com/77"
OTHER = "https://live.bilibili.com/21495945"


@pytest.fixture
async def served(tmp_path: Path) -> AsyncGenerator[Served]:
    async with open_served(tmp_path) as opened:
        yield opened


@pytest.fixture
async def root(served: Served) -> AsyncGenerator[httpx.AsyncClient]:
    async with served.client() as client:
        client.headers.update(served.local())
        yield client


async def add(client: httpx.AsyncClient, address: str = PAGE, **more: Any) -> dict[str, Any]:
    answer = await client.post("/api/channels", json={"addresses": [address], **more})
    assert answer.status_code == 201, answer.text
    return answer.json()


async def test_a_channel_is_added_shown_changed_removed_and_brought_back(root: httpx.AsyncClient) -> None:
    made = await add(root, "huya.com/77", name="77", labels=["games"], settings={"cookies": "secret=1"})
    shown = await root.get(f"/api/channels/{made['id']}")
    doc = shown.json()
    assert (doc["platform"], doc["addresses"], doc["state"]) == ("huya", [PAGE], "unknown")
    assert doc["settings"] == {"cookies": "•••"}
    assert doc["effective"]["cookies"] == {"value": "•••", "source": "channel"}
    assert doc["effective"]["quality"] == {"value": ["best"], "source": "default"}
    assert "secret" not in shown.text

    tag = {"if-match": shown.headers["etag"]}
    patch = {"settings": {"quality": ["1080p"], "cookies": "•••"}, "watch": False}
    changed = await root.patch(f"/api/channels/{made['id']}", json=patch, headers=tag)
    assert changed.json()["effective"]["quality"] == {"value": ["1080p"], "source": "channel"}
    assert changed.json()["effective"]["cookies"]["source"] == "channel"
    late = await root.patch(f"/api/channels/{made['id']}", json={"watch": True}, headers=tag)
    assert (late.status_code, late.json()["code"]) == (412, "changed_since")

    assert (await root.delete(f"/api/channels/{made['id']}", headers=tag)).status_code == 412
    assert (await root.delete(f"/api/channels/{made['id']}")).status_code == 204
    assert (await root.get("/api/channels")).json()["items"] == []
    assert [each["id"] for each in (await root.get("/api/channels/trash")).json()["items"]] == [made["id"]]
    assert (await root.post(f"/api/channels/{made['id']}/restore")).json()["watch"] is False


async def test_what_is_there_already_is_named_and_what_is_wrong_is_pointed_at(root: httpx.AsyncClient) -> None:
    made = await add(root)
    again = await root.post("/api/channels", json={"addresses": ["http://huya.com/77?from=share"]})
    assert (again.status_code, again.json()["existing"]) == (409, made["id"])
    wrong = await root.patch(f"/api/channels/{made['id']}", json={"settings": {"mode": "always"}})
    assert (wrong.status_code, wrong.json()["errors"][0]["pointer"]) == (422, "/settings/mode")
    preview = (await root.post("/api/channels/preview", json={"address": "huya.com/77"})).json()
    assert preview == {"address": PAGE, "platform": "huya", "name": "77", "existing": made["id"]}


async def test_many_are_added_each_by_itself_and_undone_together(root: httpx.AsyncClient) -> None:
    wanted = [{"addresses": [each]} for each in (PAGE, "no address", OTHER, PAGE)]
    done = (await root.post("/api/channels/batch", json={"channels": wanted})).json()
    assert done["added"] == 2
    assert [each["code"] for each in done["items"]] == [None, "bad_url", None, "conflict"]
    assert done["items"][3]["existing"] == done["items"][0]["id"]

    revisions = (await root.get("/api/revisions")).json()["items"]
    assert [each["action"] for each in revisions] == ["added", "added"]
    undone = (await root.post(f"/api/revisions/{revisions[0]['number']}/undo")).json()
    assert len(undone["subjects"]) == 2
    assert (await root.get("/api/channels")).json()["items"] == []


async def test_the_list_is_filtered_counted_and_paged(root: httpx.AsyncClient) -> None:
    for number in range(5):
        await add(root, f"https://www.huya.com/{number + 1}", labels=["even"] if number % 2 else [])
    await add(root, OTHER, settings={"mode": "manual"}, watch=False, name="某人")

    async def found(**ask: Any) -> list[str]:
        return [each["name"] for each in (await root.get("/api/channels", params=ask)).json()["items"]]

    assert {*await found(label="even")} == {"2", "4"}
    assert await found(platform="bilibili") == await found(mode="manual") == await found(watch="false") == ["某人"]
    assert await found(text="某") == ["某人"]
    assert await found(state="live") == []
    first = (await root.get("/api/channels", params={"limit": 4, "count": "exact", "platform": "huya"})).json()
    rest = {"limit": 4, "platform": "huya", "cursor": first["next_cursor"]}
    assert (len(first["items"]), first["total"]) == (4, 5)
    assert len(await found(**rest)) == 1


async def test_who_has_labels_sees_and_makes_channels_with_these_alone(served: Served, root: httpx.AsyncClient) -> None:
    mine, hidden = await add(root, labels=["mine"]), await add(root, OTHER)
    await served.add("eve", Role.EDITOR, "mine")
    async with served.signed_in("eve") as eve:
        listed = (await eve.get("/api/channels?count=exact")).json()
        assert ([each["id"] for each in listed["items"]], listed["total"]) == ([mine["id"]], 1)
        for method, path in (("GET", ""), ("PATCH", ""), ("DELETE", ""), ("POST", "/stop"), ("GET", "/history")):
            answer = await eve.request(
                method, f"/api/channels/{hidden['id']}{path}", json={} if method == "PATCH" else None
            )
            assert answer.status_code == 404, path
        assert (await eve.post("/api/channels", json={"addresses": ["https://www.huya.com/5"]})).status_code == 403
        assert (await eve.patch(f"/api/channels/{mine['id']}", json={"labels": []})).status_code == 403
        taken = await eve.post("/api/channels", json={"addresses": [OTHER], "labels": ["mine"]})
        assert (taken.status_code, taken.json().get("existing")) == (409, None)
        revisions = (await eve.get("/api/revisions")).json()["items"]
        assert {each["subject"] for each in revisions} == {mine["id"]}
        number = (await root.get("/api/revisions", params={"subject": hidden["id"]})).json()["items"][0]["number"]
        assert (await eve.post(f"/api/revisions/{number}/undo")).status_code == 404
        assert {each["id"] for each in (await eve.get("/api/status")).json()["channels"]} == {mine["id"]}
        assert (await eve.get("/api/jobs")).status_code == 403


async def test_layers_count_for_all_and_can_be_undone(root: httpx.AsyncClient) -> None:
    made = await add(root)
    layer = await root.patch(
        "/api/settings/channels/platform:huya", json={"quality": ["720p"], "proxy": "http://u:p@h:1"}
    )
    assert layer.json()["settings"] == {"quality": ["720p"], "proxy": "•••"}
    effective = (await root.get(f"/api/channels/{made['id']}")).json()["effective"]
    assert effective["quality"] == {"value": ["720p"], "source": "platform:huya"}
    old = {"if-match": '"0-00"'}
    assert (await root.patch("/api/settings/channels/platform:huya", json={}, headers=old)).status_code == 412
    assert (await root.get("/api/settings/channels/platform:nowhere")).status_code == 404
    [revision, *_] = (await root.get("/api/revisions?kind=layer")).json()["items"]
    assert revision["after"]["proxy"] == "•••"
    await root.post(f"/api/revisions/{revision['number']}/undo")
    assert (await root.get("/api/settings/channels/platform:huya")).json()["settings"] == {}


async def test_who_knows_a_word_need_not_read_the_list(served: Served, root: httpx.AsyncClient) -> None:
    first, second = await add(root, name="Ouzel"), await add(root, "huya.com/78", name="Dipper")
    ann = await served.add("Ann", Role.VIEWER)
    key = (await root.post("/api/keys", json={"name": "robot", "user_id": ann})).json()["id"]

    async def found(path: str, word: str, **more: str) -> list[str]:
        answer = (await root.get(path, params={"word": word, "count": "exact", **more})).json()
        assert answer["total"] == len(answer["items"])
        return [each["id"] for each in answer["items"]]

    assert await found("/api/channels", "ouz") == await found("/api/channels", first["id"]) == [first["id"]]
    assert await found("/api/channels", "huya.com/78") == [second["id"]]
    assert await found("/api/channels", "heron") == await found("/api/channels/trash", "ouzel") == []
    await root.delete(f"/api/channels/{first['id']}")
    assert await found("/api/channels/trash", "OUZEL") == [first["id"]]
    assert await found("/api/users", "ann") == await found("/api/users", ann[:15]) == [ann]
    assert await found("/api/keys", "robo", of="all") == await found("/api/keys", key.upper(), of="all") == [key]

    live = Live(Identity("huya", "78"), "b", (Stream("https://cdn.test/a.flv"),), title="100% live")
    async with served.services.db.transaction() as tx:
        await served.services.broadcasts.heard_in(tx, served.services.channels.get(second["id"]), live)
    [recording] = (await root.get("/api/recordings")).json()["items"]
    assert (
        await found("/api/recordings", "0% L") == await found("/api/recordings", recording["id"]) == [recording["id"]]
    )
    assert await found("/api/recordings", "0_") == []
    job = await served.services.jobs.put(NewJob("remux", {}, "cpu"))
    assert (await found("/api/jobs", job.id), await found("/api/jobs", "remux")) == ([job.id], [])
    await served.services.notices.raise_notice("channel:1", "channel.gone")
    [notice] = (await root.get("/api/notices")).json()["items"]
    assert (await found("/api/notices", notice["id"]), await found("/api/notices", "gone")) == ([notice["id"]], [])


async def test_nobody_guesses_a_password_by_looking_for_it(root: httpx.AsyncClient) -> None:
    made = await add(root, "http://me:geheim@cam.test/live.m3u8")
    found = [(await root.get("/api/channels", params={"text": word})).json()["items"] for word in ("cam.test", "geh")]
    assert [[each["id"] for each in items] for items in found] == [[made["id"]], []]


async def test_the_schema_says_what_each_setting_is_for(root: httpx.AsyncClient) -> None:
    doc = (await root.get("/api/settings/schema")).json()
    assert doc["properties"]["mode"]["enum"] == ["record", "notify", "manual"]
    assert doc["properties"]["park_s"]["default"] == 80.0
    assert doc["properties"]["proxy"]["writeOnly"]
    assert doc["properties"]["title_include"]["description"].startswith("Record only what has one of these")


async def test_what_is_on_air_is_recorded_stopped_and_asked_about(served: Served, root: httpx.AsyncClient) -> None:
    made = await add(root, settings={"mode": "manual"})
    idle = served.services.watching
    assert isinstance(idle, Idle)
    path, channel = f"/api/channels/{made['id']}", served.services.channels.get(made["id"])
    assert (await root.post(f"{path}/check")).status_code == 202
    assert idle.nudged == [made["id"]]
    idle.answer = Offline(Identity("huya", "77"))
    assert (await root.post(f"{path}/record")).json()["code"] == "not_on_air"
    assert (await root.post(f"{path}/stop")).status_code == 404
    assert (await root.post(f"{path}/split")).status_code == 404

    live = Live(Identity("huya", "77"), "小明", (Stream("https://cdn.test/a.flv"),), title="第一局")
    async with served.services.db.transaction() as tx:
        await served.services.broadcasts.heard_in(tx, channel, live)
    assert (await root.get("/api/broadcasts")).json()["items"][0]["why_not"] == "mode"
    assert (await root.post(f"{path}/record")).json()["title"] == "第一局"
    [recording] = (await root.get("/api/recordings?count=exact")).json()["items"]
    assert (recording["channel_id"], recording["state"]) == (made["id"], "waiting")
    one = f"/api/recordings/{recording['id']}"
    tag = {"if-match": (await root.get(one)).headers["etag"]}
    patched = await root.patch(one, json={"title": "新", "pinned": True}, headers=tag)
    assert (patched.json()["title"], patched.json()["pinned"]) == ("新", True)
    late = [await root.patch(one, json={"title": "旧"}, headers=tag), await root.delete(one, headers=tag)]
    assert [each.json()["code"] for each in late] == ["changed_since", "changed_since"]
    async with served.services.db.transaction() as tx:
        await RecordingRepo(served.services.db).change_in(tx, recording["id"], gaps=1)
    newest = {"if-match": patched.headers["etag"]}
    assert (await root.patch(one, json={"title": "新"}, headers=newest)).status_code == 200, "that was no edit"
    assert (await root.delete(one, headers=newest)).json()["code"] == "conflict"
    detail = (await root.get(f"/api/recordings/{recording['id']}")).json()
    assert [each["title"] for each in detail["chapters"]] == ["第一局"]
    assert (await root.post(f"{path}/stop")).status_code == 202
    assert (await root.get(f"{path}")).json()["broadcast"]["why_not"] == "skipped"


async def test_nobody_reads_what_they_may_not(served: Served) -> None:
    """Every route that tells something: what a viewer does not get, and what one with labels does not get either."""
    for_all = {
        "/metrics", "/api/jobs", "/api/jobs/{job_id}", "/api/tasks", "/api/settings/channels",
        "/api/settings/channels/{scope}", "/api/downloads", "/api/downloads/{download_id}", "/api/download/list",
        "/api/download/status/{task_id}", "/api/runs", "/api/runs/{run_id}", "/api/targets", "/api/routes", "/api/messages",
        "/api/remotes",
        "/api/retention/plan",
    }  # fmt: skip
    for_admins = {"/api/users", "/api/users/{user_id}", "/api/audit", "/api/export", "/api/uploads/{upload_id}"}
    await served.add("viewer", Role.VIEWER)
    await served.add("guest", Role.VIEWER, "games")
    served.services.events.close()  # so that listening ends at once
    paths = [path for path, methods in describe(served.app)["paths"].items() if "get" in methods]
    async with served.client() as client:
        for who, kept in (("viewer", for_admins), ("guest", for_admins | for_all)):
            headers = await served.bearer(who)
            told = {path: (await client.get(_filled(served, path), headers=headers)).status_code for path in paths}
            assert {path for path, status in told.items() if status == 403} == kept
            assert set(told.values()) == {200, 403, 404}


def _filled(served: Served, path: str) -> str:
    """With something in each hole."""
    names = {"{scope}": "global", "{number}": "1", "{name}": "rule"}
    new = new_id(served.clock.now())
    return "/".join(names.get(part, new) if part.startswith("{") else part for part in path.split("/"))


async def test_nobody_does_what_they_may_not(served: Served) -> None:
    """Every route that needs a right, by who lacks it: nobody (401), a viewer and a key without the scope (403)."""
    viewer = await served.add("viewer", Role.VIEWER)
    editor = Principal(await served.add("editor", Role.EDITOR), Role.EDITOR)
    _, key = await served.services.users.add_key(editor, NewKey("key", frozenset({Scope.READ})))
    asked = {"nobody": {}, "viewer": await served.bearer("viewer"), "key": {"authorization": f"Bearer {key}"}}
    open_routes = {"/health", "/api/auth/login", "/api/auth/refresh", "/api/auth/setup", "/api/auth/logout"}
    own = {
        "/api/auth/password",
        "/api/keys",
        "/api/keys/{key_id}",
        "/api/channels/preview",
        "/api/videos/{video_id}/mine",
    }
    tried = 0
    async with served.client() as client:
        for path, methods in describe(served.app)["paths"].items():
            if path in open_routes:
                continue
            for method in methods:
                url = _filled(served, path)
                for who, headers in asked.items():
                    if who != "nobody" and (method == "get" or path in own):
                        continue
                    body = None if method in {"get", "delete"} else {}
                    answer = await client.request(method, url, json=body, headers=headers)
                    wanted = 401 if who == "nobody" else 403
                    assert answer.status_code == wanted, (who, method, path, answer.text)
                    tried += 1
    assert viewer
    assert tried > 60
