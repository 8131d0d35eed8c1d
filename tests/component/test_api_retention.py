"""What rules delete, and the trash, as programs and browsers ask for it."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from tests.component.library import Library
from tests.served import open_served

from ouzel.model.broadcast import BroadcastState
from ouzel.model.states import RecordingState
from ouzel.model.users import Role

pytestmark = pytest.mark.anyio
_HUYA = "https://www.huya.com/{}"


async def test_a_rule_that_there_is_not_is_refused_and_says_where(tmp_path: Path) -> None:
    async with open_served(tmp_path) as served, served.client(headers=served.local()) as client:
        made = (await client.post("/api/channels", json={"addresses": [_HUYA.format(1)]})).json()
        for answer in (
            await client.patch(f"/api/channels/{made['id']}", json={"settings": {"policy": "week"}}),
            await client.patch("/api/settings/channels/global", json={"policy": "week"}),
            await client.post("/api/channels", json={"addresses": [_HUYA.format(2)], "settings": {"policy": "week"}}),
        ):
            problem = answer.json()
            assert (answer.status_code, problem["code"]) == (422, "bad_option")
            assert [each["pointer"][-7:] for each in problem["errors"]] == ["/policy"]
        assert (await client.get(f"/api/channels/{made['id']}")).json()["settings"] == {}
        assert (await client.get("/api/channels?count=exact")).json()["total"] == 1


async def test_the_trash_is_seen_by_who_sees_its_channels_and_emptied_by_administrators(tmp_path: Path) -> None:
    async with open_served(tmp_path) as served, served.client(headers=served.local()) as root:
        lib = Library(served.services.db, served.clock)
        ids: list[str] = []
        for channel, labels in (("c1", ["music"]), ("c2", [])):
            await lib.channel(channel, labels=labels)
            broadcast = await lib.broadcast(channel, state=BroadcastState.ENDED)
            recording = await lib.recording(broadcast, state=RecordingState.DONE, ended_at=served.clock.now(), bytes=7)
            ids.append(recording.id)
        await served.services.channels.load()
        for each in ids:
            assert (await root.delete(f"/api/recordings/{each}")).status_code == 204
        await served.add("eva", Role.EDITOR, "music")
        await served.add("anna", Role.EDITOR)

        both = (await root.get("/api/trash?count=exact")).json()
        assert (both["total"], {each["id"] for each in both["items"]}) == (2, {*ids})
        async with served.client(headers=await served.bearer("eva")) as eva:
            [mine] = (await eva.get("/api/trash")).json()["items"]
            assert (mine["id"], mine["channel"], mine["bytes"], mine["deleting"]) == (ids[0], "name of c1", 7, False)
            stays = datetime.fromisoformat(mine["goes_at"]) - datetime.fromisoformat(mine["deleted_at"])
            assert stays == timedelta(days=7)
            assert (await eva.get("/api/retention/plan")).status_code == 403
        async with served.client(headers=await served.bearer("anna")) as anna:
            plan = (await anna.get("/api/retention/plan")).json()
            assert (plan["count"], plan["steps"], plan["on"], plan["trash_s"]) == (0, [], True, 7 * 86400)
            assert (await anna.post("/api/retention/run")).status_code == 403
            assert (await anna.post("/api/trash/empty", json={})).status_code == 403

        assert (await root.post(f"/api/recordings/{ids[1]}/restore")).status_code == 200
        answer = await root.post("/api/trash/empty", json={"recordings": ids})
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
        answer = await root.post("/api/trash/empty", json={"recordings": ids[:1]})
        assert (answer.status_code, answer.json()["kind"]) == (202, "empty_trash")
        assert answer.json()["args"] == {"by": "local", "recordings": ids[:1]}
        first, again = [(await root.post("/api/retention/run")).json() for _ in range(2)]
        assert first["id"] == again["id"]
