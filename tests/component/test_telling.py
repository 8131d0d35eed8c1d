"""Events become messages, and messages are sent: over a real database, to whoever a test says."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import anyio
import pytest
from sqlalchemy import insert, select
from tests.component.library import Library, library
from tests.component.newsroom import Box

from ouzel.base.errors import BadOption, Conflict, ConnectFailed, RateLimited, TargetRefused
from ouzel.model.broadcast import Broadcast
from ouzel.model.happening import Happening
from ouzel.model.messages import Message, MessageState
from ouzel.model.pipelines import PipelineRun, RunState, parse_steps
from ouzel.services.channels import Channels
from ouzel.services.messages import Messages
from ouzel.services.notices import Notices
from ouzel.services.routes import Routes
from ouzel.services.targets import Targets
from ouzel.services.telling import Telling, TellingRules
from ouzel.services.telling_out import Outbox
from ouzel.store.messages import MessageFilter
from ouzel.store.pipelines import RunRepo
from ouzel.store.tables import jobs, revisions, targets
from ouzel.testing.messages import FakeSending

pytestmark = pytest.mark.anyio
LIVE = {"targets": ["phone"], "events": ["broadcast.began", "broadcast.ended"]}
NTFY = {"kind": "ntfy", "settings": {"url": "https://ntfy.sh/SECRET-TOPIC"}}
HOOK = {"kind": "webhook", "settings": {"url": "https://hook.example/SECRET", "secret": "shared"}}


@dataclass
class Post:
    """Everything that tells people; the sender is a fake."""

    lib: Library
    channels: Channels
    targets: Targets
    routes: Routes
    sending: FakeSending
    notices: Notices
    outbox: Outbox = field(init=False)
    telling: Telling = field(init=False)

    def __post_init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        """As after a kill: only what is in the database is known."""
        self.outbox = Outbox(self.lib.db, self.targets, self.sending, self.notices, random=Random(1))
        rules = TellingRules("en", 1800.0)
        self.telling = Telling(self.lib.db, self.channels, self.outbox, rules, lambda lang, code, _: f"{lang} {code}")

    async def channel(self, channel_id: str = "c1", **values: Any) -> str:
        await self.lib.channel(channel_id, **values)
        await self.channels.load()
        return channel_id

    async def happens(self, code: str, subject: str = "x", channel: str | None = None, **data: Any) -> None:
        async with self.lib.db.transaction() as tx:
            tx.emit(Happening(code, subject, data, channel))

    async def goes_live(self, channel_id: str = "c1") -> Broadcast:
        broadcast = await self.lib.broadcast(channel_id)
        await self.happens("broadcast.began", broadcast.id, channel_id, title="chat", category="")
        return broadcast

    async def make(self) -> list[Message]:
        """All messages that were made until now, the first first."""
        await self.telling.look()
        return sorted(await Messages(self.lib.db).page(MessageFilter()), key=lambda each: (each.number, each.target))

    async def deliver(self, target: str = "phone") -> list[str]:
        """Titles of what it has been told until now."""
        await self.telling.look()
        await self.outbox.send_due(target)
        return [message.title for _, _, message in self.sending.sent]


@pytest.fixture
async def post(tmp_path: Path) -> AsyncGenerator[Post]:
    async with library(tmp_path) as lib:
        sending, box = FakeSending(), Box()
        channels = Channels(lib.db, box)
        post = Post(lib, channels, Targets(lib.db, box, sending), Routes(lib.db), sending, Notices(lib.db))
        await post.telling.look()
        await post.channel()
        await post.targets.add("phone", NTFY, by="me")
        yield post


# -- what is made of an event -----------------------------------------------------------------------------------------


async def test_what_goes_live_is_told(post: Post) -> None:
    await post.routes.add("live", LIVE, by="me")
    broadcast = await post.goes_live()
    await post.lib.db.read(select(targets))
    [message] = await post.make()
    assert (message.title, message.code, message.channel_id) == ("name of c1 is live", "broadcast.began", "c1")
    assert message.text.splitlines()[0] == "chat"
    assert message.url == "https://www.huya.com/c1"
    assert await post.deliver() == ["name of c1 is live"]
    [(kind, settings, sent)] = post.sending.sent
    assert (kind, settings["url"], sent.id) == ("ntfy", "https://ntfy.sh/SECRET-TOPIC", message.id)
    assert (await post.make())[0].state is MessageState.SENT
    assert broadcast.id


@pytest.mark.parametrize(
    ("conditions", "told"),
    [
        ({"labels": ["vip"]}, ["c2"]), ({"channels": ["c1"]}, ["c1"]), ({"labels": ["vip"], "channels": ["c1"]}, ["c1", "c2"]),
        ({"labels": ["none"]}, []), ({"severity": "warning"}, []), ({"enabled": False}, []),
        ({"events": ["broadcast.*"]}, ["c1", "c2"]), ({"events": ["*"]}, ["c1", "c2"]), ({"events": ["recording.*"]}, []),
    ],
)  # fmt: skip
async def test_every_condition_has_to_hold(conditions: dict[str, Any], told: list[str], post: Post) -> None:
    await post.channel("c2", labels=["vip"])
    await post.routes.add("live", LIVE | conditions, by="me")
    await post.goes_live("c1")
    await post.goes_live("c2")
    assert [each.channel_id for each in await post.make()] == told


async def test_what_was_before_the_route_is_not_told(post: Post) -> None:
    await post.goes_live()
    post.lib.clock.jump(1)
    await post.routes.add("live", LIVE, by="me")
    assert await post.make() == []


async def test_channels_that_are_only_shown_tell_nothing(post: Post) -> None:
    await post.channel("c2", settings={"mode": "manual"})
    await post.routes.add("live", LIVE, by="me")
    await post.goes_live("c2")
    assert await post.make() == []


async def test_own_words(post: Post) -> None:
    words = {"title": "[直播间名称] 开播", "text": "{platform}\\n{title} {what} {time:%H:%M}", "language": "zh"}
    await post.targets.change("phone", {"time_zone": "Asia/Shanghai"}, by="me")
    await post.routes.add("live", LIVE | words, by="me")
    await post.goes_live()
    [message] = await post.make()
    assert message.title == "name of c1 开播"
    assert message.text == "huya\nchat name of c1 开播了 20:00"


@pytest.mark.parametrize(
    ("patch", "pointer"),
    [
        ({"title": "{streamer} is live"}, "/title"), ({"text": "{channel.__class__}"}, "/text"),
        ({"text": "{channel!r}"}, "/text"), ({"text": "{channel:999999999}"}, "/text"), ({"text": "{"}, "/text"),
        ({"events": ["broadcast.begun"]}, "/events/0"), ({"events": []}, "/events"), ({"targets": ["nobody"]}, "/targets/0"),
        ({"targets": []}, "/targets"), ({"severity": "loud"}, "/severity"), ({"debounce_s": -1}, "/debounce_s"),
        ({"digest_s": float("nan")}, "/digest_s"), ({"language": "fr"}, "/language"),
    ],
)  # fmt: skip
async def test_a_route_that_cannot_be_is_refused_when_it_is_set(
    patch: dict[str, Any], pointer: str, post: Post
) -> None:
    with pytest.raises(BadOption) as caught:
        await post.routes.add("live", LIVE | patch, by="me")
    assert caught.value.context["pointer"] == pointer
    await post.routes.add("live", LIVE, by="me")
    with pytest.raises(BadOption):
        await post.routes.change("live", patch, by="me")


async def test_notices_are_told_and_when_they_are_over(post: Post) -> None:
    await post.routes.add("all", {"targets": ["phone"], "events": ["storage.*"], "over": True}, by="me")
    await post.notices.raise_notice("storage.low:r", "storage.low", data={"root": "r", "why": "full"})
    await post.notices.over("storage.low:r")
    assert [(each.title, each.text) for each in await post.make()] == [
        ("Ouzel: error", "en storage.low"), ("Ouzel: over", "en storage.low"),
    ]  # fmt: skip


async def test_what_was_dismissed_is_not_told_to_be_over(post: Post) -> None:
    await post.routes.add("all", {"targets": ["phone"], "events": ["*"], "over": True}, by="me")
    notice = await post.notices.raise_notice("storage.low:r", "storage.low", data={"root": "r"})
    await post.notices.dismiss(notice.id, by="me")
    assert [each.code for each in await post.make()] == ["storage.low"]


async def test_downloads_and_jobs(post: Post) -> None:
    await post.routes.add("all", {"targets": ["phone"], "events": ["download.*", "job.*", "upload.*"]}, by="me")
    await post.happens("download.changed", "d1", name="film", state="running")
    await post.happens("download.changed", "d1", name="film", state="failed", why="gone")
    await post.happens("download.finished", "d2", name="other", bytes=2_000_000, media_s=61.0)
    for job_id, kind, state in (("j1", "upload", "done"), ("j2", "remux", "failed"), ("j3", "remux", "running")):
        row = {
            "id": job_id, "kind": kind, "queue": "q", "args": {}, "prio": 0, "state": state, "attempts": 1, "why": "no codec",
            "max_attempts": 1, "epoch": 1, "message": "", "created_at": post.lib.clock.now(),
        }  # fmt: skip
        async with post.lib.db.transaction() as tx:
            await tx.execute(insert(jobs).values(row))
        await post.happens("job.changed", job_id, kind=kind, queue="q", state=state)
    made = [(each.code, each.title, each.text) for each in await post.make()]
    assert made == [
        ("download.failed", "film could not be downloaded", "gone"),
        ("download.finished", "other was downloaded", "1 min 01 s · 2 MB"), ("upload.done", "An upload is done", "upload"),
        ("job.failed", "A job failed", "remux: no codec"),
    ]  # fmt: skip


async def test_an_upload_is_told_by_what_it_is_over_to_who_is_told_of_its_channel(post: Post) -> None:
    lib = post.lib
    recording = await lib.recording(await lib.broadcast("c1"))
    run = PipelineRun(
        "r1", "p", recording.id, "", parse_steps([{"step": "upload", "to": "nas"}]), 0, (), (), (), RunState.DONE, "j1", None,
        None, "", lib.clock.now(),
    )  # fmt: skip
    row = {
        "id": "j1", "kind": "upload", "queue": "transfer", "args": {"run": "r1", "step": 0}, "prio": 0, "state": "done",
        "attempts": 1, "max_attempts": 5, "epoch": 1, "message": "", "created_at": lib.clock.now(),
    }  # fmt: skip
    async with lib.db.transaction() as tx:
        await RunRepo(lib.db).add_in(tx, run)
        await tx.execute(insert(jobs).values(row))
    await post.routes.add("of c1", {"targets": ["phone"], "events": ["upload.*"], "channels": ["c1"]}, by="me")
    await post.happens("job.changed", "j1", kind="upload", queue="transfer", state="done")
    assert [(each.code, each.text, each.channel_id) for each in await post.make()] == [("upload.done", "title", "c1")]


# -- once, and not again ----------------------------------------------------------------------------------------------


async def test_each_event_is_told_once_however_often_it_is_looked_at(post: Post) -> None:
    await post.routes.add("live", LIVE, by="me")
    await post.goes_live()
    assert await post.deliver() == ["name of c1 is live"]
    for _ in range(3):
        post.restart()
        assert await post.deliver() == ["name of c1 is live"]


async def test_what_happened_while_nobody_looked_is_told_after_a_restart(post: Post) -> None:
    await post.routes.add("live", LIVE, by="me")
    await post.make()
    await post.goes_live()
    post.restart()
    assert await post.deliver() == ["name of c1 is live"]


async def test_a_channel_that_comes_and_goes_is_told_once_in_a_while(post: Post) -> None:
    await post.routes.add("live", LIVE, by="me")
    for _ in range(3):
        await post.goes_live()
        post.lib.clock.jump(600)
        await post.make()
    post.lib.clock.jump(1300)
    await post.goes_live()
    assert [each.state.value for each in await post.make()] == ["waiting", "dropped", "dropped", "waiting"]


async def test_a_route_says_itself_how_often(post: Post) -> None:
    await post.routes.add("live", LIVE | {"debounce_s": 0}, by="me")
    for _ in range(3):
        await post.goes_live()
    assert [each.state.value for each in await post.make()] == ["waiting"] * 3


# -- later ------------------------------------------------------------------------------------------------------------


async def test_what_is_collected_comes_as_one_message(post: Post) -> None:
    await post.routes.add("live", LIVE | {"digest_s": 600}, by="me")
    await post.channel("c2")
    await post.goes_live("c1")
    assert await post.deliver() == []
    post.lib.clock.jump(300)
    await post.goes_live("c2")
    assert await post.deliver() == []
    post.lib.clock.jump(301)
    assert await post.deliver() == ["Ouzel: 2 messages"]
    sent = post.sending.sent[0][2]
    assert "name of c1 is live" in sent.text
    assert "name of c2 is live" in sent.text
    assert [each["type"] for each in sent.data["messages"]] == ["broadcast.began"] * 2
    assert {each.state for each in await post.make()} == {MessageState.SENT}


async def test_at_night_it_waits_until_the_morning_but_for_what_is_loud(post: Post) -> None:
    """It is 20:00 in Shanghai."""
    quiet = {"quiet": [{"from": "19:00", "to": "07:00"}], "time_zone": "Asia/Shanghai", "loud": "error"}
    await post.targets.change("phone", quiet, by="me")
    await post.routes.add("all", {"targets": ["phone"], "events": ["*"]}, by="me")
    await post.channel("c2")
    await post.goes_live("c1")
    await post.notices.raise_notice("storage.low:r", "storage.low", data={"root": "r"})
    await post.goes_live("c2")
    assert await post.deliver() == ["Ouzel: error"]
    post.lib.clock.jump(11 * 3600 - 1)
    assert await post.deliver() == ["Ouzel: error"]
    post.lib.clock.jump(2)
    assert await post.deliver() == ["Ouzel: error", "Ouzel: 2 messages"]


async def test_a_flood_is_one_message(post: Post) -> None:
    await post.routes.add("live", LIVE | {"debounce_s": 0}, by="me")
    for _ in range(30):
        await post.goes_live()
    assert await post.deliver() == ["Ouzel: 30 messages"]


# -- targets that fail ------------------------------------------------------------------------------------------------


async def test_a_target_that_is_away_is_tried_again_and_nothing_overtakes(post: Post) -> None:
    await post.routes.add("live", LIVE | {"debounce_s": 0}, by="me")
    post.sending.errors["ntfy"] = [ConnectFailed("away")] * 2
    await post.goes_live()
    assert await post.deliver() == []
    await post.goes_live()
    assert await post.deliver() == []
    assert post.sending.tried == 1
    post.lib.clock.jump(11)
    assert await post.deliver() == []
    post.lib.clock.jump(21)
    assert await post.deliver() == ["name of c1 is live"] * 2
    assert post.sending.tried == 4
    assert await post.notices.not_over() == {}


async def test_who_asks_to_be_left_alone_is(post: Post) -> None:
    await post.routes.add("live", LIVE | {"debounce_s": 0}, by="me")
    post.sending.errors["ntfy"] = [RateLimited("too often", status=429, retry_after_s=500.0)]
    await post.goes_live()
    await post.deliver()
    post.lib.clock.jump(499)
    await post.goes_live()
    await post.deliver()
    assert post.sending.tried == 1
    post.lib.clock.jump(2)
    assert len(await post.deliver()) == 2


async def test_a_target_that_fails_is_one_notice_not_sent_through_itself(post: Post) -> None:
    await post.targets.add("other", HOOK, by="me")
    everything = {"events": ["*"], "targets": ["phone", "other"], "debounce_s": 0, "over": True}
    await post.routes.add("all", everything, by="me")
    post.sending.errors["ntfy"] = [TargetRefused("the token is wrong")] * 2
    await post.goes_live()
    await post.deliver()
    await post.goes_live()
    await post.deliver()
    [notice] = (await post.notices.not_over()).values()
    assert (notice.code, notice.count, notice.data["target"]) == ("target.failed", 2, "phone")
    await post.telling.look()
    await post.outbox.send_due("other")
    told = [message.code for kind, _, message in post.sending.sent if kind == "webhook"]
    assert told == ["broadcast.began", "target.failed", "broadcast.began"]
    made = [each for each in await post.make() if each.code == "target.failed"]
    assert [each.target for each in made] == ["other"]
    await post.goes_live()
    await post.deliver()
    assert await post.notices.not_over() == {}
    assert [each.target for each in await post.make() if each.code == "target.failed"] == ["other", "other"]


async def test_what_failed_can_be_sent_again(post: Post) -> None:
    await post.routes.add("live", LIVE, by="me")
    post.sending.errors["ntfy"] = [TargetRefused("no")]
    await post.goes_live()
    await post.deliver()
    [message] = await post.make()
    assert (message.state, message.error, message.why) == (MessageState.FAILED, "target_refused", "no")
    await Messages(post.lib.db).retry(message.id)
    assert await post.deliver() == ["name of c1 is live"]
    with pytest.raises(Conflict, match="sent"):
        await Messages(post.lib.db).retry(message.id)


async def test_a_message_that_is_a_day_old_is_given_up(post: Post) -> None:
    await post.routes.add("live", LIVE, by="me")
    post.sending.errors["ntfy"] = [ConnectFailed("away")] * 100
    await post.goes_live()
    for _ in range(60):
        await post.deliver()
        post.lib.clock.jump(3601)
    [message] = await post.make()
    assert message.state is MessageState.FAILED
    assert 20 <= message.attempts <= 25


async def test_one_that_hangs_delays_no_other(post: Post) -> None:
    await post.targets.add("other", HOOK, by="me")
    await post.routes.add("live", LIVE | {"targets": ["phone", "other"]}, by="me")
    post.sending.hanging.add("webhook")  # it comes before the other
    sent = anyio.Event()
    unlisten = post.lib.db.listen(lambda event: sent.set() if event.code == "message.changed" else None)
    unhear = post.lib.db.listen(post.telling.hear)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(post.telling.run)
        await post.goes_live()
        with anyio.fail_after(20):
            await sent.wait()
        tasks.cancel_scope.cancel()
    unlisten()
    unhear()
    assert [kind for kind, _, _ in post.sending.sent] == ["ntfy"]
    assert {each.target: each.state.value for each in await post.make()} == {"phone": "sent", "other": "waiting"}


async def test_a_target_that_was_mended_is_tried_at_once(post: Post) -> None:
    await post.routes.add("live", LIVE, by="me")
    post.sending.errors["ntfy"] = [ConnectFailed("away")]
    unhear = post.lib.db.listen(post.telling.hear)
    await post.goes_live()
    await post.deliver()
    await post.targets.change("phone", {"settings": {"url": "https://ntfy.example/other"}}, by="me")
    unhear()
    post.lib.clock.jump(11)
    assert await post.deliver() == ["name of c1 is live"]


@pytest.mark.parametrize("how", ["removed", "switched off"])
async def test_what_waits_for_a_target_that_is_gone_is_dropped(how: str, post: Post) -> None:
    await post.routes.add("live", LIVE, by="me")
    await post.goes_live()
    await post.make()
    if how == "removed":
        await post.routes.remove("live", by="me")
        await post.targets.remove("phone", by="me")
    else:
        await post.targets.change("phone", {"enabled": False}, by="me")
    assert await post.deliver() == []
    [message] = await post.make()
    assert message.state is MessageState.DROPPED


# -- targets ----------------------------------------------------------------------------------------------------------


async def test_secrets_are_sealed_and_kept_when_they_are_shown_hidden(post: Post) -> None:
    made = await post.targets.add("hook", HOOK, by="me")
    stored = str([dict(row) for table in (targets, revisions) for row in await post.lib.db.read(select(table))])
    assert "shared" not in stored
    assert "hook.example" not in stored
    assert made.spec.shown()["settings"] == {"url": "•••", "secret": "•••"}
    changed = await post.targets.change("hook", {"settings": {"url": "•••", "secret": "another"}}, by="me")
    assert post.targets.opened(changed.spec) == {"url": "https://hook.example/SECRET", "secret": "another"}
    without = await post.targets.change("hook", {"settings": {"secret": None}}, by="me")
    assert post.targets.opened(without.spec) == {"url": "https://hook.example/SECRET"}
    same = await post.targets.change("hook", {"settings": {"url": "•••"}}, by="me")
    assert same.revision == without.revision == 3


async def test_an_edit_is_undone(post: Post) -> None:
    await post.targets.change("phone", {"settings": {"url": "https://ntfy.sh/other"}}, by="me")
    rows = await post.lib.db.read(select(revisions.c.number).order_by(revisions.c.number))
    await post.targets.undo(rows[-1]["number"], by="me")
    assert post.targets.opened((await post.targets.get("phone")).spec)["url"] == "https://ntfy.sh/SECRET-TOPIC"


async def test_a_target_that_is_used_stays(post: Post) -> None:
    await post.routes.add("live", LIVE, by="me")
    with pytest.raises(Conflict, match="live"):
        await post.targets.remove("phone", by="me")


@pytest.mark.parametrize(
    ("doc", "pointer"),
    [
        ({"kind": "pigeon"}, "/kind"), ({"kind": "ntfy"}, "/settings/url"),
        ({"kind": "ntfy", "settings": {"url": "ftp://x/SECRET"}}, "/settings/url"),
        ({"kind": "ntfy", "settings": {"url": "https://x/t", "colour": "red"}}, "/settings/colour"),
        ({"kind": "ntfy", "settings": {"url": "https://x/t", "priority": 9}}, "/settings/priority"),
        ({"kind": "email", "settings": {"server": "x", "to": ["a"], "security": "tls"}}, "/settings/security"),
        ({"kind": "ntfy", "settings": {"url": "https://x/t", "proxy": "gopher://SECRET"}}, "/settings/proxy"),
        (NTFY | {"quiet": [{"from": "25:00"}]}, "/quiet"), (NTFY | {"time_zone": "Mars"}, "/time_zone"),
        (NTFY | {"loud": "very"}, "/loud"), (NTFY | {"colour": "red"}, ""),
    ],
)  # fmt: skip
async def test_a_target_that_cannot_be_is_refused(doc: dict[str, Any], pointer: str, post: Post) -> None:
    with pytest.raises(BadOption) as caught:
        await post.targets.add("x", doc, by="me")
    assert caught.value.context["pointer"] == pointer
    assert "SECRET" not in str(caught.value)


async def test_a_test_message_goes_out_at_night_too(post: Post) -> None:
    await post.targets.change("phone", {"quiet": [{"from": "00:00", "to": "24:00"}]}, by="me")
    await post.targets.test("phone")
    assert [message.code for _, _, message in post.sending.sent] == ["test"]
