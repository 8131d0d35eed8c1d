"""The list of channels, over a real database: it cannot vanish."""

from __future__ import annotations

import base64
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
from sqlalchemy import select

from ouzel.base.errors import BadOption, BadUrl, Conflict, NotFound, OuzelError
from ouzel.config.settings import PlatformSettings, PlatformTables
from ouzel.model.channel import Channel
from ouzel.model.live import Identity
from ouzel.model.policies import Rule
from ouzel.services.channel_forms import ChannelEdit, NewChannel
from ouzel.services.channels import Channels
from ouzel.services.policies import Policies
from ouzel.services.settings import HIDDEN, shown_layer
from ouzel.store.db import Db, open_db
from ouzel.store.tables import channels as channels_table
from ouzel.system.clock import SystemClock

pytestmark = pytest.mark.anyio
_HUYA = "https://www.huya.com/{}"


class Box:
    """Turns secrets into something else, and back."""

    def seal(self, text: str) -> str:
        return base64.b64encode(text.encode()).decode()

    def open(self, sealed: str) -> str:
        return base64.b64decode(sealed).decode()


@pytest.fixture
async def db(tmp_path: Path) -> AsyncGenerator[Db]:
    async with open_db(tmp_path / "ouzel.db", SystemClock()) as opened:
        yield opened


@pytest.fixture
async def channels(db: Db) -> Channels:
    made = Channels(db, Box(), PlatformTables(tables={"huya": PlatformSettings(cdn="AL", cookies="of=file")}))
    await made.load()
    return made


async def _added(channels: Channels, number: int = 660000, **known: object) -> Channel:
    return await channels.add(NewChannel((_HUYA.format(number),), **known), by="me")  # type: ignore[arg-type]


async def _again(db: Db) -> Channels:
    """As after a new start."""
    made = Channels(db, Box())
    await made.load()
    return made


async def test_a_storage_root_that_there_is_not_is_refused_when_it_is_set(db: Db) -> None:
    channels = Channels(db, Box(), roots=["recordings", "nas"])
    channel = await _added(channels, settings={"root": "nas"})
    with pytest.raises(BadOption, match="no storage root 'tape'; there is recordings, nas") as told:
        await channels.edit(channel.id, ChannelEdit(settings={"root": "tape"}), by="me")
    assert told.value.context["pointer"] == "/root"
    with pytest.raises(BadOption, match="recordings, nas"):
        await channels.set_layer("global", {"root": ""}, by="me")
    await channels.set_layer("global", {"root": "nas"}, by="me")
    other = await _added(channels, 660001)
    assert channels.effective(other).settings.root == "nas"
    assert channels.roots() == {"nas"}


async def test_a_channel_is_there_after_a_new_start(channels: Channels, db: Db) -> None:
    added = await _added(channels, labels=("b", " a ", "b"), settings={"quality": ["hd"]})
    assert (added.platform, added.name, added.labels) == ("huya", "660000", ("a", "b"))
    assert (await _again(db)).all() == [added] == channels.all()


@pytest.mark.parametrize(
    "spelling", ["huya.com/660000", "https://m.huya.com/660000?shareid=1", "HTTPS://WWW.HUYA.COM/660000/"]
)
async def test_another_spelling_of_an_address_is_the_same_channel(channels: Channels, spelling: str) -> None:
    added = await _added(channels)
    with pytest.raises(Conflict, match="there already") as caught:
        await channels.add(NewChannel((spelling,)), by="me")
    assert caught.value.context["existing"] == added.id


async def test_upper_and_lower_case_are_one_where_the_platform_says_so(channels: Channels) -> None:
    added = await channels.add(NewChannel(("https://twitch.tv/Somebody",)), by="me")
    with pytest.raises(Conflict, match="there already") as caught:
        await channels.add(NewChannel(("https://m.twitch.tv/SOMEBODY?referrer=raid",)), by="me")
    assert caught.value.context["existing"] == added.id
    assert (added.name, added.addresses) == ("Somebody", ("https://www.twitch.tv/somebody",))
    await channels.add(NewChannel(("https://www.huya.com/somebody",)), by="me")
    await channels.add(NewChannel(("https://www.huya.com/SomeBody",)), by="me")


@pytest.mark.parametrize(
    ("address", "kind", "words"),
    [
        ("", BadUrl, "empty"),
        ("nonsense", BadUrl, "is no address"),
        ("gopher://x.example/1", BadUrl, "no scheme"),
        ("https://", BadUrl, "https"),
    ],
)
async def test_what_is_no_address_is_told(channels: Channels, address: str, kind: type[OuzelError], words: str) -> None:
    with pytest.raises(kind, match=words):
        await channels.add(NewChannel((address,)), by="me")
    assert channels.all() == []


async def test_many_are_added_though_some_are_wrong(channels: Channels) -> None:
    wanted = [
        NewChannel((text,)) for text in (_HUYA.format(1001), "nonsense", _HUYA.format(1001), "rtsp://192.0.2.1/cam")
    ]
    done = await channels.add_many(wanted, by="me")
    assert [type(each) for each in done] == [Channel, BadUrl, Conflict, Channel]
    assert [each.platform for each in channels.all()] == ["huya", "direct"]


async def test_namesakes_have_folders_of_their_own(channels: Channels) -> None:
    first = await _added(channels, 1, name="Alice/Bob")
    second = await _added(channels, 2, name="alice/bob")
    assert (first.folder, second.folder) == ("Alice_Bob", "alice_bob (2)")


async def test_an_edit_needs_the_revision_it_has_seen(channels: Channels) -> None:
    added = await _added(channels)
    edited = await channels.edit(added.id, ChannelEdit(watch=False), by="me", revision=1)
    assert (edited.watch, edited.revision) == (False, 2)
    with pytest.raises(Conflict, match="revision 2"):
        await channels.edit(added.id, ChannelEdit(watch=True), by="me", revision=1)
    assert (await channels.edit(added.id, ChannelEdit(watch=False), by="me")).revision == 2  # nothing changed


async def test_a_setting_is_taken_away_by_null_and_none_is_lost_by_a_bad_one(channels: Channels) -> None:
    added = await _added(channels, settings={"quality": ["hd"], "pin": True})
    with pytest.raises(BadOption, match="no setting"):
        await channels.edit(added.id, ChannelEdit(settings={"quality": None, "qualty": []}), by="me")
    edited = await channels.edit(added.id, ChannelEdit(settings={"quality": None}), by="me")
    assert edited.settings == {"pin": True}


async def test_a_time_zone_that_is_none_is_told_with_the_nearest(channels: Channels) -> None:
    with pytest.raises(BadOption, match="did you mean Asia/Shanghai"):
        await _added(channels, settings={"time_zone": "Asia/Shangai"})


async def test_secrets_are_encrypted_where_they_lie_and_hidden_where_they_are_shown(channels: Channels, db: Db) -> None:
    added = await _added(channels, settings={"cookies": "SID=topsecret", "headers": [["X-Token", "topsecret"]]})
    (row,) = await db.read(select(channels_table))
    assert "topsecret" not in str(dict(row))
    assert shown_layer(added.settings) == {"cookies": HIDDEN, "headers": HIDDEN}
    assert channels.effective(added).settings.cookies == "SID=topsecret"
    kept = await channels.edit(added.id, ChannelEdit(settings={"cookies": HIDDEN, "pin": True}), by="me")
    assert channels.effective(kept).settings.cookies == "SID=topsecret"


async def test_the_nearest_layer_counts(channels: Channels) -> None:
    added = await _added(channels, settings={"format": "mp4"})
    await channels.set_layer("global", {"format": "ts", "quality": ["worst"], "park_s": 5}, by="me")
    await channels.set_layer("platform:huya", {"quality": ["hd"]}, by="me")
    found = channels.effective(added)
    assert {name: found.sources[name] for name in ("format", "quality", "park_s", "cdn", "priority")} == {
        "format": "channel", "quality": "platform:huya", "park_s": "global", "cdn": "file", "priority": "default",
    }  # fmt: skip
    assert (found.settings.format, found.settings.quality, found.settings.cdn) == ("mp4", ("hd",), "AL")


async def test_what_was_removed_comes_back(channels: Channels, db: Db) -> None:
    added = await _added(channels, name="Alice")
    await channels.remove(added.id, by="me")
    assert channels.all() == []
    assert [each.id for each in await channels.removed()] == [added.id]
    await channels.restore(added.id, by="me")
    assert [each.name for each in (await _again(db)).all()] == ["Alice"]


async def test_what_was_removed_does_not_come_back_beside_its_double(channels: Channels) -> None:
    added = await _added(channels)
    await channels.remove(added.id, by="me")
    await _added(channels)
    with pytest.raises(Conflict, match="its address"):
        await channels.restore(added.id, by="me")


async def test_an_edit_is_undone_and_an_import_as_a_whole(channels: Channels, db: Db) -> None:
    first = await _added(channels, settings={"pin": True})
    await channels.edit(first.id, ChannelEdit(name="Bob", settings={"pin": None}), by="me")
    await channels.add_many([NewChannel((_HUYA.format(each),)) for each in (1001, 1002)], by="me")
    numbers = [event.data["number"] for event in await db.events_after(0)]

    await channels.undo(numbers[1], by="me")
    assert next((c.name, c.settings) for c in channels.all()) == ("660000", {"pin": True})
    await channels.undo(numbers[2], by="me")
    assert [channel.id for channel in channels.all()] == [first.id]
    with pytest.raises(Conflict, match="since"):
        await channels.undo(numbers[1], by="me")
    with pytest.raises(NotFound):
        await channels.undo(99, by="me")


async def test_two_addresses_of_one_room_become_one_channel(channels: Channels, db: Db) -> None:
    first, second = await _added(channels, 1001, labels=("x",)), await _added(channels, 1002, labels=("y",))
    async with db.transaction() as tx:
        known = await channels.identify_in(tx, first, Identity("huya", "77"))
        kept = await channels.identify_in(tx, second, Identity("huya", "77"))
    await channels.load()
    assert known.id == kept.id == first.id
    assert [(c.addresses, c.labels) for c in channels.all()] == [((_HUYA.format(1001), _HUYA.format(1002)), ("x", "y"))]
    merged = [event for event in await db.events_after(0) if event.code == "channel.merged"]
    assert [(event.subject, event.data["other"]) for event in merged] == [(first.id, second.id)]


async def test_a_rename_keeps_the_folder_and_adds_an_alias(channels: Channels, db: Db) -> None:
    added = await _added(channels)
    async with db.transaction() as tx:
        renamed = await channels.rename_in(tx, added, "主播小明")
    channels.committed(renamed)
    assert (renamed.name, renamed.aliases, renamed.folder) == ("主播小明", ("660000",), "660000")
    assert channels.find("主播小明").id == added.id
    assert channels.find(added.id[:10]).id == added.id


async def test_a_rule_that_there_is_not_is_refused_wherever_it_is_named(db: Db, channels: Channels) -> None:
    added = await _added(channels, settings={"policy": ""})
    for call in (
        channels.edit(added.id, ChannelEdit(settings={"policy": "week"}), by="me"),
        channels.set_layer("global", {"policy": "week"}, by="me"),
        _added(channels, 660001, settings={"policy": "week"}),
    ):
        with pytest.raises(BadOption, match="no rule week") as caught:
            await call
        assert caught.value.context["pointer"] == "/policy"
    assert isinstance(
        (await channels.add_many([NewChannel((_HUYA.format(2),), settings={"policy": "week"})], by="me"))[0], BadOption
    )
    await Policies(db).add("week", Rule(keep_days=7), by="me")
    await channels.edit(added.id, ChannelEdit(settings={"policy": "week"}), by="me")
    await channels.set_layer("global", {"policy": "week"}, by="me")
    await channels.edit(added.id, ChannelEdit(settings={"policy": None}), by="me")
