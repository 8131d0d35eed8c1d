"""The library's list over the API: which videos, in which order, to whom, and what people write of them."""

from __future__ import annotations

import random
import re
from collections.abc import AsyncGenerator
from datetime import UTC, timedelta
from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
import httpx
import pytest
from sqlalchemy import func, insert, select, text
from sqlalchemy.dialects import sqlite
from tests.served import Served, open_served

from ouzel.base.ids import new_id
from ouzel.model.users import Role
from ouzel.model.video_filters import VideoFilter
from ouzel.model.videos import Sort
from ouzel.services.video_words import VideoWords
from ouzel.store.tables import broadcasts, channels, files, imports, recordings, video_words_text
from ouzel.store.video_conditions import Viewer
from ouzel.store.videos import sort_key

pytestmark = pytest.mark.anyio
SORTS = ("at", "added", "title", "duration", "size", "resolution", "gaps")


@pytest.fixture
async def served(tmp_path: Path) -> AsyncGenerator[Served]:
    async with open_served(tmp_path) as opened:
        yield opened


async def fill(served: Served, count: int = 60) -> list[str]:
    """Recordings of two channels (labels `cats`, `dogs`), and an import. Returns: ids."""
    chance, now, ids = random.Random(3), served.clock.now(), list[str]()
    made: dict[str, list[dict[str, Any]]] = {"channels": [], "broadcasts": [], "recordings": [], "files": []}
    for name in ("cats", "dogs"):
        made["channels"].append({
            "id": name.ljust(16, "0"), "addresses": [f"https://h/{name}"], "platform": f"{name}tv", "name": name,
            "aliases": [], "folder": name, "labels": [name], "watch": False, "settings": {}, "revision": 1,
            "created_at": now, "updated_at": now,
        })  # fmt: skip
    for number in range(count):
        at, channel = now - timedelta(hours=number // 3), chance.choice(made["channels"])["id"]
        ids.append(new_id(at))
        made["broadcasts"].append({
            "id": ids[-1], "channel_id": channel, "state": "ended", "started_at": at, "told_start": True, "seen_at": at,
            "title": "x", "category": "", "anchor": "", "cover": "", "skipped": False, "forced": False,
        })  # fmt: skip
        made["recordings"].append({
            "id": ids[-1], "broadcast_id": ids[-1], "channel_id": channel, "state": "done" if number else "recording",
            "title": chance.choice(["Rain", "rain", "雨の夜", "Zoo"]), "started_at": at, "updated_at": at,
            "media_s": chance.choice([10.0, 600.0, 7200.0]), "bytes": chance.choice([1000, 10**9]),
            "gaps": chance.choice([0, 0, 3]),
        })  # fmt: skip
        height = chance.choice([360, 720, 1080, None])
        made["files"].append({
            "id": new_id(at), "recording_id": ids[-1], "part": 1, "root": "recordings", "path": f"{number}.ts",
            "state": "closed", "format": "ts", "bytes": 1000, "media_s": 1.0, "gaps": 0, "opened_at": at,
            "tracks": [{"kind": "video", "codec": "h264", "width": height and height * 16 // 9, "height": height}],
        })  # fmt: skip
    async with served.services.db.transaction() as tx:
        for table in (channels, broadcasts, recordings, files):
            await tx.execute(insert(table), made[table.name])
        holiday = {
            "id": new_id(now),
            "how": "adopted",
            "state": "ready",
            "title": "holiday",
            "description": "",
            "made_at": now,
        }
        rest = {"media_s": 5.0, "bytes": 5, "by": "me", "pinned": False, "created_at": now}
        await tx.execute(insert(imports).values({**holiday, **rest}))
    await served.services.channels.load()
    return [*ids, holiday["id"]]  # type: ignore[list-item]


async def pages(client: httpx.AsyncClient, limit: int = 7, **ask: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    cursor: str | None = ""
    while cursor is not None:
        more = {"cursor": cursor} if cursor else {}
        answer = await client.get("/api/videos", params={"limit": limit, **ask, **more})
        assert answer.status_code == 200, answer.text
        found += answer.json()["items"]
        cursor = answer.json()["next_cursor"]
    return found


@pytest.mark.parametrize("sort", SORTS)
async def test_each_order_has_each_video_once(served: Served, sort: str) -> None:
    ids = await fill(served)
    keys = {
        "at": lambda v: v["at"], "added": lambda v: v["added_at"], "title": lambda v: v["title"].lower(),
        "duration": lambda v: v["duration_s"], "size": lambda v: v["bytes"], "resolution": lambda v: v["height"] or 0,
        "gaps": lambda v: v["gaps"],
    }  # fmt: skip
    async with served.client(headers=served.local()) as client:
        down = await pages(client, sort=sort)
        up = await pages(client, sort=sort, ascending=True)
    assert sorted(each["id"] for each in down) == sorted(ids)
    assert [each["id"] for each in up] == [each["id"] for each in reversed(down)]
    values = [keys[sort](each) for each in up]
    assert values == sorted(values)


@pytest.mark.parametrize("sort", Sort)
@pytest.mark.parametrize("ascending", [False, True])
async def test_the_next_page_is_sought_and_not_walked_to(
    served: Served, sort: Sort, ascending: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    db, asked = served.services.db, list[Any]()
    read = db.read

    async def keep(query: Any) -> Any:
        asked.append(query)
        return await read(query)

    monkeypatch.setattr(db, "read", keep)
    await fill(served, 3)
    viewer = Viewer(None, None, served.clock.now(), UTC)
    (first, *_) = await served.services.videos.page(VideoFilter(), viewer, sort, ascending=ascending)
    after = (sort_key(first, sort), first.number)
    await served.services.videos.page(VideoFilter(), viewer, sort, ascending=ascending, after=after)
    said = str(asked[-1].compile(dialect=sqlite.dialect(), compile_kwargs={"literal_binds": True}))
    plan = [row["detail"] for row in await read(text(f"EXPLAIN QUERY PLAN {said}"))]
    assert len(plan) == 1
    assert re.match(r"SEARCH videos USING INDEX ix_videos_\w+ \(\w+[<>]", plan[0]), plan


async def test_a_filter_is_heeded_by_list_and_count(served: Served) -> None:
    await fill(served)
    async with served.client(headers=served.local()) as client:
        everything = await pages(client)
        for said, holds in {
            "type:import": lambda v: v["kind"] == "import",
            "-type:import gaps:yes": lambda v: v["kind"] != "import" and v["gaps"],
            "site:catstv res:>=720": lambda v: v["platform"] == "catstv" and (v["height"] or 0) >= 720,
            "res:<720": lambda v: 0 < (v["height"] or 0) < 720,
            "dur:5m-20m size:<=1kB": lambda v: 300 <= v["duration_s"] <= 1200 and v["bytes"] <= 1000,
            "is:running": lambda v: v["state"] == "running",
            "label:dogs": lambda v: v["channel"] == "dogs",
            "-label:dogs": lambda v: v["channel"] != "dogs",
            "is:trash": lambda _v: False,
        }.items():
            page = (await client.get("/api/videos", params={"filter": said, "count": "exact", "limit": 200})).json()
            wanted = [each["id"] for each in everything if holds(each)]
            assert [each["id"] for each in page["items"]] == wanted, said
            assert page["total"] == len(wanted)
        wrong = await client.get("/api/videos", params={"filter": "rain tga:x"})
    assert wrong.status_code == 422
    assert wrong.json()["errors"][0] | {"detail": ""} == {
        "parameter": "filter", "position": 5, "code": "invalid", "detail": "",
    }  # fmt: skip


async def test_who_sees_one_channel_sees_its_videos_and_no_others(served: Served) -> None:
    await fill(served)
    await served.add("guest", Role.VIEWER, "cats")
    async with served.client(headers=served.local()) as root, served.signed_in("guest") as guest:
        all_of_them, own = await pages(root), await pages(guest)
        hidden = next(each for each in all_of_them if each["channel"] == "dogs")
        assert {each["channel"] for each in own} == {"cats"}
        assert len(own) == sum(each["channel"] == "cats" for each in all_of_them)
        assert await pages(guest, filter="-site:catstv") == []
        assert (await guest.get("/api/videos", params={"count": "exact"})).json()["total"] == len(own)
        for video in (hidden["id"], next(each["id"] for each in all_of_them if each["kind"] == "import")):
            assert (await guest.get(f"/api/videos/{video}")).status_code == 404
            assert (await guest.patch(f"/api/videos/{video}", json={"title": "x"})).status_code in {403, 404}
        assert (await guest.get(f"/api/videos/{own[0]['id']}")).status_code == 200


async def test_what_people_write_is_valid_until_they_take_it_back(served: Served) -> None:
    await fill(served, 3)
    async with served.client(headers=served.local()) as client:
        video = (await pages(client))[1]
        at = f"/api/videos/{video['id']}"
        edit = {"title": " Rain on  the roof ", "category": "calm", "at": "2020-01-02T03:04:05Z", "tags": ["猫", "Cats", "cats"],
                "people": ["Ann"]}  # fmt: skip
        answer = await client.patch(at, json=edit)
        assert answer.status_code == 200, answer.text
        after = answer.json()
        assert (after["title"], after["category"], after["at"]) == ("Rain on the roof", "calm", "2020-01-02T03:04:05Z")
        assert (after["tags"], after["people"]) == (["Cats", "猫"], ["Ann"])
        assert (after["edited"], after["told"]["title"]) == (["title", "category", "at"], video["title"])
        stale = await client.patch(at, json={"title": "x"}, headers={"if-match": 'W/"0-x"'})
        assert stale.status_code == 412
        assert [each["id"] for each in await pages(client, filter="tag:CATS person:ann category:Calm")] == [video["id"]]
        assert await pages(client, filter="-tag:cats tag:猫") == []
        back = (await client.patch(at, json={"title": None, "tags": []})).json()
        assert (back["title"], back["tags"], back["edited"]) == (video["title"], [], ["category", "at"])
        bad = await client.patch(at, json={"tags": [" "]})
        assert (bad.status_code, bad.json()["code"]) == (422, "bad_option")


async def test_an_edit_is_undone(served: Served) -> None:
    await fill(served, 3)
    async with served.client(headers=served.local()) as client:
        video = (await pages(client))[1]
        at = f"/api/videos/{video['id']}"
        await client.patch(at, json={"tags": ["one"], "title": "first"})
        await client.patch(at, json={"tags": ["two"], "title": "second"})
        revisions = (await client.get("/api/revisions", params={"kind": "video", "subject": video["id"]})).json()[
            "items"
        ]
        assert (await client.post(f"/api/revisions/{revisions[1]['number']}/undo")).status_code == 409
        assert (await client.post(f"/api/revisions/{revisions[0]['number']}/undo")).status_code == 200
        now = (await client.get(at)).json()
    assert (now["title"], now["tags"]) == ("first", ["one"])


async def test_what_was_written_a_moment_ago_is_found(served: Served) -> None:
    await fill(served)
    async with served.client(headers=served.local()) as client:
        everything = await pages(client)

        async def found(words: str) -> list[str]:
            return [each["id"] for each in await pages(client, filter=words)]

        assert await found("雨") == [each["id"] for each in everything if "雨" in each["title"]]
        assert await found("RAI -夜") == [each["id"] for each in everything if each["title"].lower() == "rain"]
        assert await found("cats") == [each["id"] for each in everything if each["channel"] == "cats"]
        assert await found('"rain cats"') == [], "they stand apart"
        assert await found("!!!") == [each["id"] for each in everything]
        video = everything[5]
        await client.patch(
            f"/api/videos/{video['id']}", json={"tags": ["スプラトゥーン3"], "description": "a quiet evening"}
        )
        for words in ("トゥー", "スプラトゥーン3", "quiet", "eve"):
            assert await found(words) == [video["id"]], words
        await client.patch(f"/api/videos/{video['id']}", json={"tags": [], "description": None})
        assert await found("スプラ") == await found("quiet") == []


async def test_the_index_is_written_without_a_search(served: Served) -> None:
    await fill(served, 500)
    words = VideoWords(served.services.db)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(words.run)
        with anyio.fail_after(30):
            while await words._repo.is_due():  # pyright: ignore[reportPrivateUsage]
                await anyio.lowlevel.checkpoint()
        tasks.cancel_scope.cancel()
    rows = await served.services.db.scalar(select(func.count()).select_from(video_words_text))
    assert rows == 501


async def test_each_account_has_its_own_position_and_favourites(served: Served) -> None:
    await fill(served)
    await served.add("ann", Role.VIEWER)
    await served.add("bob", Role.VIEWER, "cats")
    async with served.signed_in("ann") as ann, served.signed_in("bob") as bob, served.signed_in("root") as root:
        everything = await pages(ann, filter="-is:running")
        long = next(each for each in everything if each["duration_s"] == 7200 and each["channel"] == "cats")
        at = f"/api/videos/{long['id']}/mine"
        begun = (await ann.patch(at, json={"position_s": 600.5})).json()
        assert (begun["position_s"], begun["watched"], begun["favourite"]) == (600.5, False, False)
        assert (await ann.patch(at, json={"favourite": True})).json()["position_s"] == 600.5
        assert [each["id"] for each in await pages(ann, filter="watched:started is:favourite")] == [long["id"]]
        assert await pages(bob, filter="watched:started") == await pages(bob, filter="is:favourite") == []
        assert (await bob.get(f"/api/videos/{long['id']}")).json()["mine"]["position_s"] == 0
        end = (await ann.patch(at, json={"position_s": 7190})).json()
        assert (end["position_s"], end["watched"], end["plays"]) == (0, True, 1)
        assert [each["id"] for each in await pages(ann, filter="watched:yes")] == [long["id"]]
        assert len(await pages(ann, filter="watched:no -is:running")) == len(everything) - 1
        assert (await ann.patch(at, json={"watched": False, "favourite": False})).json()["watched"] is False
        (running,) = await pages(root, filter="is:running")
        on_air = (await root.patch(f"/api/videos/{running['id']}/mine", json={"position_s": 1e9})).json()
        assert not on_air["watched"], "nobody has seen the end of what is on air"
        hidden = next(each for each in everything if each["channel"] == "dogs")
        assert (await bob.patch(f"/api/videos/{hidden['id']}/mine", json={"favourite": True})).status_code == 404
        assert (await ann.patch(at, json={"position_s": -1})).status_code == 422
    async with served.client(headers=served.local()) as local:
        assert (await local.patch(at, json={"watched": True})).status_code == 403
