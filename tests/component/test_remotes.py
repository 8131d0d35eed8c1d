"""Remotes, copies, and the step `upload`: what is kept, what goes into the trash, and what a kill leaves."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete
from tests.component.library import Library, library
from tests.served import Served, open_served

from ouzel.base.errors import BadConfig, BadOption, Conflict, NotFound, RemoteRefused, RemoteTaken, RemoteUnreachable
from ouzel.config.exports import Export, parse_export
from ouzel.model.broadcast import BroadcastState
from ouzel.model.pipelines import PipelineRun, RunState, parse_steps
from ouzel.model.recording import FileRole, Recording
from ouzel.model.remotes import KINDS, check_settings, key_of
from ouzel.model.states import RecordingState
from ouzel.model.users import Role
from ouzel.services.channels import Channels
from ouzel.services.exports import Exports
from ouzel.services.pipelines import Pipelines
from ouzel.services.remotes import Remotes
from ouzel.services.secrets import Secrets
from ouzel.services.step_upload import upload_kind
from ouzel.services.steps import Item, ItemFile, Made, Steps, StepWork
from ouzel.store.broadcasts import BroadcastRepo
from ouzel.store.recordings import RecordingRepo
from ouzel.store.tables import files, recordings
from ouzel.testing.remotes import FakeRemote

pytestmark = pytest.mark.anyio
BUCKET: dict[str, Any] = {
    "kind": "s3", "settings": {"bucket": "live", "access_key": "ID", "secret_key": "SECRET", "folder": "/a/b/"},
}  # fmt: skip
BOX = Secrets(b"k" * 32).box


class Bench:
    """A recording that is over, with files on the disk, and the step."""

    def __init__(self, lib: Library, folder: Path, channels: Channels) -> None:
        self.lib = lib
        self.folder = folder
        self.remote = FakeRemote()
        self.remotes = Remotes(lib.db, BOX, self.remote)
        self.kind = upload_kind(lib.db, channels, self.remotes)
        self.channels = channels
        self.recording: Recording
        self.files: list[ItemFile] = []
        self.told: list[tuple[float | None, str]] = []

    async def file(self, path: str, data: bytes = b"media", *, ledger: bool = True, **values: Any) -> ItemFile:
        place = self.folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)
        if ledger:
            place.with_suffix(".ledger").write_bytes(b"ledger of " + data)
        made = ItemFile(await self.lib.file(self.recording, path, bytes=len(data), **values), place)
        self.files.append(made)
        return made

    def work(self, *hand: ItemFile, others: tuple[ItemFile, ...] = (), **fields: Any) -> StepWork:
        [step] = parse_steps([{"step": "upload", "to": "nas", **fields}])
        run = PipelineRun(
            "run1", "p", self.recording.id, "", (step,), 0, (), (), (), RunState.RUNNING, "", None, None, "",
            self.lib.clock.now(),
        )  # fmt: skip
        item = Item(self.recording, None)
        return StepWork(run, 0, 1, item, hand, [*hand, *others], step.fields, lambda *told: self.told.append(told))

    async def made(self, work: StepWork) -> Made:
        """Done, and written down."""
        await self.kind.check(work.fields)
        made = await self.kind.run(work)
        async with self.lib.db.transaction() as tx:
            if made.write is not None:
                await made.write(tx)
        return made

    async def in_trash(self) -> bool:
        found = await RecordingRepo(self.lib.db).get(self.recording.id)
        return found is not None and found.deleted_at is not None


@pytest.fixture
async def lib(tmp_path: Path) -> AsyncGenerator[Library]:
    async with library(tmp_path) as opened:
        yield opened


@pytest.fixture
async def bench(lib: Library, tmp_path: Path) -> Bench:
    await lib.channel("c1", folder="Lofi Girl")
    channels = Channels(lib.db, BOX)
    await channels.load()
    bench = Bench(lib, tmp_path / "root", channels)
    broadcast = await lib.broadcast("c1", state=BroadcastState.ENDED)
    bench.recording = await lib.recording(broadcast, state=RecordingState.DONE)
    await bench.remotes.add("nas", {"kind": "rclone", "settings": {"remote": "nas"}}, by="me")
    return bench


# -- remotes -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("doc", "pointer", "words"),
    [
        ({"kind": "s4", "settings": {}}, "/kind", "there are s3, rclone"), ({"kind": "s3", "colour": 1}, "", "has no colour"),
        ({"kind": "s3", "settings": {"bucket": "abc"}}, "/settings/access_key", "a remote of s3 needs access_key, secret_key"),
        ({"kind": "s3", "settings": BUCKET["settings"] | {"bucket": "a/b"}}, "/settings/bucket", "bucket is 3 to 63"),
        ({"kind": "s3", "settings": BUCKET["settings"] | {"endpoint": "ftp://x"}}, "/settings/endpoint", "no address"),
        ({"kind": "s3", "settings": BUCKET["settings"] | {"folder": "a/../b"}}, "/settings/folder", "without empty parts"),
        ({"kind": "s3", "settings": BUCKET["settings"] | {"verify": "maybe"}}, "/settings/verify", "digest, size, read"),
        ({"kind": "rclone", "settings": {"remote": ":local,copy_links:/etc"}}, "/settings/remote", "rclone listremotes"),
        ({"kind": "rclone", "settings": {"remote": "a", "confg": "x"}}, "/settings/confg", "has no confg"),
    ],
)  # fmt: skip
async def test_what_cannot_be_is_refused(doc: dict[str, Any], pointer: str, words: str, lib: Library) -> None:
    fake = FakeRemote(errors=[RemoteRefused("it was tried")])
    with pytest.raises(BadOption, match=words) as refused:
        await Remotes(lib.db, BOX, fake).add("x", doc, by="me")
    assert refused.value.context["pointer"] == pointer
    assert fake.errors, "nothing was tried"


async def test_what_does_not_work_is_refused_and_nothing_is_written(lib: Library) -> None:
    fake = FakeRemote(errors=[RemoteRefused("the remote answers 403")])
    remotes = Remotes(lib.db, BOX, fake)
    with pytest.raises(BadOption, match="does not work: the remote answers 403") as refused:
        await remotes.add("r2", BUCKET, by="me")
    assert refused.value.context["cause"] == "remote_refused"
    assert await remotes.all() == []
    await remotes.add("r2", BUCKET, by="me")
    fake.errors = [RemoteUnreachable("nothing answers there")]
    with pytest.raises(BadOption, match="nothing answers there"):
        await remotes.change("r2", {"settings": {"bucket": "other"}}, by="me")
    assert (await remotes.get("r2")).spec.settings["bucket"] == "live"


async def test_secrets_are_sealed_and_edits_are_undone(lib: Library) -> None:
    remotes = Remotes(lib.db, BOX, FakeRemote())
    await remotes.add("r2", BUCKET, by="me")
    with pytest.raises(Conflict, match="already"):
        await remotes.add("r2", BUCKET, by="me")
    first = await remotes.get("r2")
    assert first.spec.settings["secret_key"] != "SECRET"
    assert remotes.opened(first.spec) == BUCKET["settings"] | {"folder": "a/b"}
    same = await remotes.change("r2", {"settings": {"secret_key": "•••"}}, by="me")
    assert same.revision == 1
    changed = await remotes.change("r2", {"settings": {"folder": None, "region": "auto"}}, by="me")
    assert remotes.opened(changed.spec) == {k: v for k, v in BUCKET["settings"].items() if k != "folder"} | {
        "region": "auto"
    }
    events = [event for event in await lib.db.events_after(0) if event.code == "remote.changed"]
    await remotes.undo(events[-1].data["number"], by="me")
    assert remotes.opened((await remotes.get("r2")).spec)["folder"] == "a/b"


async def test_one_that_a_pipeline_names_stays(lib: Library) -> None:
    remotes = Remotes(lib.db, BOX, FakeRemote())
    await remotes.add("r2", BUCKET, by="me")
    channels = Channels(lib.db, BOX)
    pipelines = Pipelines(lib.db, Steps([upload_kind(lib.db, channels, remotes)]).check)
    await pipelines.add("archive", [{"step": "upload", "to": "r2"}], by="me")
    with pytest.raises(Conflict, match="pipelines copy to the remote r2: archive"):
        await remotes.remove("r2", by="me")
    await pipelines.remove("archive", by="me")
    await remotes.remove("r2", by="me")


@pytest.mark.parametrize(
    ("fields", "pointer", "words"),
    [
        ({"to": "nobody"}, "/to", "there is no remote nobody"), ({"to": "r2", "path": "{streamer}"}, None, "no field {streamer}"),
        ({"to": "r2"}, None, "nothing answers there"),
    ],
)  # fmt: skip
async def test_a_step_that_cannot_work_is_refused_when_it_is_set(
    fields: dict[str, Any], pointer: str | None, words: str, lib: Library
) -> None:
    fake = FakeRemote()
    remotes = Remotes(lib.db, BOX, fake)
    await remotes.add("r2", BUCKET, by="me")
    fake.errors = [RemoteUnreachable("nothing answers there")]
    pipelines = Pipelines(lib.db, Steps([upload_kind(lib.db, Channels(lib.db, BOX), remotes)]).check)
    with pytest.raises(BadOption, match=words) as refused:
        await pipelines.add("archive", [{"step": "upload", **fields}], by="me")
    assert refused.value.context["pointer"] == (pointer or "/steps/0")


def test_a_key_is_not_too_long() -> None:
    assert key_of({"folder": "a"}, "b") == "a/b"
    with pytest.raises(BadOption, match="more than 1024 bytes"):
        key_of({}, "ü" * 513)


def test_each_sort_has_a_form() -> None:
    given = {"s3": BUCKET["settings"], "rclone": {"remote": "nas:"}}
    assert given.keys() == KINDS.keys()
    assert check_settings("rclone", given["rclone"]) == {"remote": "nas"}


# -- the step ------------------------------------------------------------------------------------------------------------


async def test_media_companions_and_ledgers_are_copied_and_written_down(bench: Bench) -> None:
    media = await bench.file("c/one.mp4", b"m" * 1000)
    poster = await bench.file("c/one.poster.jpg", b"p", ledger=False, role=FileRole.POSTER, made_of=(media.row.id,))
    made = await bench.made(bench.work(media, poster))
    assert made.result == {"copies": 3, "there_already": 0, "bytes": 1000 + len(b"ledger of ") + 1000 + 1}
    assert sorted(bench.remote.files) == ["c/one.ledger", "c/one.mp4", "c/one.poster.jpg"]
    known = {each.key: each for each in await bench.remotes.copies_of(bench.recording.id)}
    one = known["c/one.mp4"]
    assert (one.file_id, one.bytes, one.channel_id, one.remote) == (media.row.id, 1000, "c1", "nas")
    assert one.digest is not None
    assert one.etag == f'"{one.digest.removeprefix("md5:")}"'
    assert known["c/one.ledger"].file_id == media.row.id
    shares = [share for share, _ in bench.told if share is not None]
    assert (shares, shares[-1]) == (sorted(shares), 1.0)
    assert bench.told[0][1] == "one.mp4: 1 kB / 1 kB"
    assert not await bench.in_trash()


async def test_a_template_makes_the_folder(bench: Bench) -> None:
    media = await bench.file("c/one.mp4")
    await bench.made(bench.work(media, path="{platform}/{folder}/{start:%Y}/{category}"))
    year = bench.recording.started_at.astimezone().year
    assert f"huya/Lofi Girl/{year}/one.mp4" in bench.remote.files


async def test_two_files_that_would_have_one_place_are_refused(bench: Bench) -> None:
    one, two = await bench.file("a/one.mp4"), await bench.file("b/one.mp4", b"other")
    with pytest.raises(RemoteTaken, match="would both be x/one"):
        await bench.kind.run(bench.work(one, two, path="x"))
    assert bench.remote.files == {}


async def test_what_is_there_of_another_is_left_alone(bench: Bench) -> None:
    bench.remote.files["c/one.mp4"] = b"somebody else's"
    with pytest.raises(RemoteTaken):
        await bench.kind.run(bench.work(await bench.file("c/one.mp4")))
    assert bench.remote.files["c/one.mp4"] == b"somebody else's"


async def test_an_older_copy_of_the_same_file_is_replaced(bench: Bench) -> None:
    media = await bench.file("c/one.mp4")
    await bench.made(bench.work(media))
    media.path.write_bytes(b"repaired")
    made = await bench.made(bench.work(media))
    assert (made.result["there_already"], bench.remote.files["c/one.mp4"]) == (1, b"repaired")
    assert {each.bytes for each in await bench.remotes.copies_of(bench.recording.id) if each.path == "c/one.mp4"} == {8}


@pytest.mark.parametrize("moment", [1, 2, 3, 4])
async def test_broken_off_after_any_file_nothing_is_sent_twice(moment: int, bench: Bench) -> None:
    """At the worst moment: it is there, and nobody has written that down."""
    hand = [await bench.file(f"c/{name}.mp4", name.encode()) for name in ("one", "two")]
    left = moment

    def die() -> None:
        nonlocal left
        left -= 1
        if not left:
            raise KeyboardInterrupt

    bench.remote.on_put = die
    with pytest.raises(KeyboardInterrupt):
        await bench.kind.run(bench.work(*hand))
    bench.remote.on_put = lambda: None
    made = await bench.made(bench.work(*hand, remove_local=True))
    assert made.result["there_already"] == moment
    assert sorted(bench.remote.puts) == sorted(bench.remote.files), "each once"
    assert len(await bench.remotes.copies_of(bench.recording.id)) == 4
    assert await bench.in_trash()


async def test_what_has_verified_copies_goes_into_the_trash(bench: Bench) -> None:
    media = await bench.file("c/one.mp4")
    made = await bench.made(bench.work(media, remove_local=True))
    assert "kept" not in made.result
    assert await bench.in_trash()
    [removed] = [event for event in await bench.lib.db.events_after(0) if event.code == "recording.removed"]
    assert removed.data == {"removed": True, "by": "upload", "why": "copied"}
    assert media.path.exists(), "the trash gives back"


async def test_an_original_beside_its_product_has_to_be_there_too(bench: Bench) -> None:
    original = await bench.file("c/one.ts", b"original")
    product = await bench.file("c/one.mp4", role=FileRole.PRODUCT, made_of=(original.row.id,))
    made = await bench.made(bench.work(product, others=(original,), remove_local=True))
    assert made.result["kept"] == "c/one.ts has no copy there"
    assert not await bench.in_trash()
    await bench.made(bench.work(original))
    bench.remote.files["c/one.ts"] = b"ORIGINAL"
    made = await bench.made(bench.work(product, others=(original,), remove_local=True))
    assert made.result["kept"] == "c/one.ts has no copy there", "it is not what it was"
    bench.remote.files["c/one.ts"] = b"original"
    await bench.made(bench.work(product, others=(original,), remove_local=True))
    assert await bench.in_trash()


@pytest.mark.parametrize(
    ("values", "why"),
    [({"pinned": True}, "it is pinned"), ({"state": RecordingState.RECORDING}, "it may go on")],
)
async def test_what_must_stay_stays(values: dict[str, Any], why: str, bench: Bench) -> None:
    await bench.lib.change(bench.recording, **values)
    made = await bench.made(bench.work(await bench.file("c/one.mp4"), remove_local=True))
    assert (made.result["kept"], await bench.in_trash()) == (why, False)


async def test_what_its_channel_pins_stays_also_when_that_is_in_the_trash(bench: Bench) -> None:
    for number, (pin, kept) in enumerate(((True, "it is pinned"), (False, None))):
        await bench.lib.change_channel("c1", settings={"pin": pin}, deleted_at=bench.lib.clock.now())
        await bench.channels.load()
        work = bench.work(await bench.file(f"c/{number}.mp4"), others=tuple(bench.files[:number]), remove_local=True)
        made = await bench.made(work)
        assert (made.result.get("kept"), await bench.in_trash()) == (kept, kept is None)


async def test_what_somebody_stopped_goes_while_its_broadcast_does_not_end(bench: Bench) -> None:
    work = bench.work(await bench.file("c/one.mp4"), remove_local=True)
    for skipped in (False, True):
        async with bench.lib.db.transaction() as tx:
            broadcast = await BroadcastRepo(bench.lib.db).get_in(tx, bench.recording.broadcast_id)
            assert broadcast is not None
            live = replace(broadcast, state=BroadcastState.LIVE, skipped=skipped)
            await BroadcastRepo(bench.lib.db).change_in(tx, live)
        made = await bench.made(work)
        assert (made.result.get("kept"), await bench.in_trash()) == (None if skipped else "it may go on", skipped)


async def test_what_grows_in_between_stays(bench: Bench) -> None:
    work = bench.work(await bench.file("c/one.mp4"), remove_local=True)
    made = await bench.kind.run(work)
    await bench.file("c/two.mp4")
    assert made.write is not None
    async with bench.lib.db.transaction() as tx:
        await made.write(tx)
    assert not await bench.in_trash()


async def test_a_copy_outlives_its_file_and_its_recording(bench: Bench) -> None:
    media = await bench.file("c/one.mp4", ledger=False)
    await bench.made(bench.work(media))
    async with bench.lib.db.transaction() as tx:
        await tx.execute(delete(files).where(files.c.id == media.row.id))
    [copy] = await bench.remotes.copies_of(bench.recording.id)
    assert (copy.file_id, copy.path) == (None, "c/one.mp4")
    async with bench.lib.db.transaction() as tx:
        await tx.execute(delete(recordings).where(recordings.c.id == bench.recording.id))
    assert await bench.remotes.copies_of(bench.recording.id) == [copy]
    with pytest.raises(NotFound):
        await bench.remotes.copies_of("nobody")


# -- API, export ---------------------------------------------------------------------------------------------------------


@pytest.fixture
async def served(tmp_path: Path) -> AsyncGenerator[Served]:
    async with open_served(tmp_path) as opened:
        yield opened


async def test_over_the_api_they_come_and_go_and_show_no_secret(served: Served) -> None:
    fake: Any = served.services.remotes._ways
    async with served.signed_in("root") as root:
        made = await root.post("/api/remotes", json={"name": "r2", **BUCKET})
        assert made.status_code == 201, made.text
        assert made.json()["settings"]["secret_key"] == "•••"
        changed = await root.patch("/api/remotes/r2", json={"settings": {"region": "auto", "secret_key": "•••"}})
        assert changed.json()["settings"]["region"] == "auto"
        old = await root.patch("/api/remotes/r2", json={"settings": {}}, headers={"if-match": 'W/"1-0"'})
        assert old.status_code == 412
        told = (await root.get("/api/remotes")).text + (await root.get("/api/revisions")).text
        assert "r2" in told
        assert "SECRET" not in told
        assert {each["kind"] for each in (await root.get("/api/remote-kinds")).json()["items"]} == KINDS.keys()
        assert (await root.post("/api/remotes/r2/test")).json() == {"works": True, "code": None, "why": None}
        fake.errors = [RemoteRefused("no")]
        said = (await root.post("/api/remotes/r2/test")).json()
        assert said == {"works": False, "code": "remote_refused", "why": "no"}
        assert (await root.post("/api/remotes/nobody/test")).status_code == 404
        fake.errors = [RemoteRefused("no")]
        bad = await root.post("/api/remotes", json={"name": "b", **BUCKET})
        assert (bad.status_code, bad.json()["errors"][0]["pointer"]) == (422, "/settings")
        assert (await root.delete("/api/remotes/r2")).status_code == 204


async def test_over_the_api_copies_are_seen_by_who_sees_the_channel(served: Served, tmp_path: Path) -> None:
    lib = Library(served.services.db, served.clock)
    await lib.channel("c1", labels=["music"])
    await served.services.channels.load()
    bench = Bench(lib, tmp_path / "root", served.services.channels)
    bench.recording = await lib.recording(await lib.broadcast("c1"), state=RecordingState.DONE)
    await bench.remotes.add("nas", {"kind": "rclone", "settings": {"remote": "nas"}}, by="me")
    path = f"/api/recordings/{bench.recording.id}/copies"
    await served.add("guest", Role.VIEWER, "games")
    async with served.signed_in("root") as root, served.signed_in("guest") as guest:
        assert (await root.get(path)).json() == {"items": []}
        await bench.made(bench.work(await bench.file("c/one.mp4", ledger=False)))
        [copy] = (await root.get(path)).json()["items"]
        assert (copy["remote"], copy["key"], copy["bytes"]) == ("nas", "c/one.mp4", 5)
        async with lib.db.transaction() as tx:
            await tx.execute(delete(recordings).where(recordings.c.id == bench.recording.id))
        assert [each["file_id"] for each in (await root.get(path)).json()["items"]] == [None]
        assert (await guest.get(path)).status_code in {403, 404}
        assert (await root.get(path.replace(bench.recording.id, "0" * 16))).status_code == 404


async def test_they_are_exported_and_put_back(lib: Library, tmp_path: Path) -> None:
    await Remotes(lib.db, BOX, FakeRemote()).add("r2", BUCKET, by="me")
    text, without = await Exports(lib.db, BOX).text(), await Exports(lib.db).text()
    assert "SECRET" in text
    assert "SECRET" not in without
    assert "# secret_key is set, and left out" in without
    for given, secret in ((text, "SECRET"), (without, None)):
        async with library(tmp_path / str(secret)) as other:
            await Exports(other.db, BOX).put_back(parse_export(given), by="me")
            remotes = Remotes(other.db, BOX)
            assert remotes.opened((await remotes.get("r2")).spec).get("secret_key") == secret
            with pytest.raises(BadConfig, match=r"remotes\.x: there is no sort of remote"):
                await Exports(other.db, BOX).put_back(Export(remotes={"x": {"kind": "pigeon"}}), by="me")
