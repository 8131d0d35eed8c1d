"""Everything that is set as one text, and back again."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path

import anyio
import pytest

from ouzel.base.errors import BadConfig, BadUrl, DiskFull, NotFound, StorageError
from ouzel.cli.main import run
from ouzel.config.exports import Export, parse_export, render_export
from ouzel.model.pipelines import Step
from ouzel.model.policies import Per, Rule
from ouzel.model.users import Role
from ouzel.services.channel_forms import NewChannel
from ouzel.services.channels import Channels
from ouzel.services.exports import Exports, write_whole
from ouzel.services.passwords import Passwords
from ouzel.services.pipelines import Pipelines
from ouzel.services.policies import Policies
from ouzel.services.secrets import load_secrets
from ouzel.store.db import Db, open_db, open_to_read
from ouzel.store.users import UserRepo
from ouzel.system.clock import SystemClock

_COOKIE = "SESSDATA=geheim"


async def nothing_against(_steps: Sequence[Step]) -> None:
    return


async def fill(folder: Path) -> None:
    """A data folder with something of everything."""
    await anyio.Path(folder).mkdir(exist_ok=True)
    box = load_secrets(folder / "secret.key").box
    async with open_db(folder / "ouzel.db", SystemClock()) as db:
        channels = Channels(db, box)
        await channels.load()
        await Pipelines(db, nothing_against).add(
            "to mp4", [{"step": "remux", "keep": True}, {"step": "clock"}], by="me"
        )
        await Policies(db).add("a week", Rule(keep_days=7.0, per=Per.ROOT), by="me")
        await channels.set_layer(
            "global", {"quality": ["hd"], "proxy": "http://u:p@proxy:1", "pipeline": "to mp4"}, by="me"
        )
        await channels.set_layer("platform:huya", {"cookies": _COOKIE}, by="me")
        await channels.add(
            NewChannel(
                ("https://www.huya.com/1", "https://live.bilibili.com/2"), name='小明 "1"', labels=("b", "a"),
                watch=False, settings={"policy": "a week", "headers": [["X", "geheim"]]},
            ),
            by="me",
        )  # fmt: skip
        gone = await channels.add(NewChannel(("https://www.huya.com/9",)), by="me")
        await channels.remove(gone.id, by="me")
        await Policies(db).add("many", Rule(keep_bytes=10**12, keep_count=3), by="me")
        password_hash = await Passwords(cheap=True).hash("correct horse battery")
        users = {
            "anna": {"role": "editor", "labels": ["music"], "language": "zh", "password_hash": password_hash},
            "root": {"role": "admin", "disabled": True, "password_hash": password_hash},
        }
        await Exports(db).put_back(Export(users=users), by="me")


async def exported(folder: Path, *, secrets: bool) -> str:
    async with open_to_read(folder / "ouzel.db", SystemClock()) as db:
        return await Exports(db, load_secrets(folder / "secret.key").box if secrets else None).text()


async def take(db: Db, folder: Path, text: str) -> list[str]:
    """As an import does."""
    export = parse_export(text)
    channels = Channels(db, load_secrets(folder / "secret.key").box)
    await channels.load()
    locked = await Exports(db).put_back(export, by="me")
    for scope, layer in export.layers.items():
        await channels.set_layer(scope, layer, by="me")
    for each in export.channels:
        new = NewChannel(
            each.addresses, each.name, each.watch, each.labels, each.settings, folder=each.folder
        )  # fmt: skip
        await channels.add(new, by="me")
    return locked


@pytest.mark.anyio
async def test_an_export_makes_the_same_rows_elsewhere(tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    await fill(old)
    text = await exported(old, secrets=True)
    assert _COOKIE in text
    new.mkdir()
    async with open_db(new / "ouzel.db", SystemClock()) as db:
        assert await take(db, new, text) == []
        login = await UserRepo(db).login("anna")
        assert login is not None
        assert await Passwords(cheap=True).verify(login[1], "correct horse battery")
    assert await exported(new, secrets=True) == text
    assert await exported(old, secrets=True) == text


@pytest.mark.anyio
async def test_secrets_in_addresses_are_secrets(tmp_path: Path) -> None:
    camera = "http://me:geheim@cam.test/live.m3u8?auth_key=geheim"
    page = "https://live.shopee.sg/share?from=live&session=802458&uid=1006401066"
    async with open_db(tmp_path / "ouzel.db", SystemClock()) as db:
        channels = Channels(db, load_secrets(tmp_path / "secret.key").box)
        await channels.load()
        kept = [(await channels.add(NewChannel((each,)), by="me")).addresses for each in (camera, page)]
    assert [each.addresses for each in parse_export(await exported(tmp_path, secrets=True)).channels] == kept

    text = await exported(tmp_path, secrets=False)
    shown = "http://***@cam.test/live.m3u8?auth_key=***"
    assert [each.addresses for each in parse_export(text).channels] == [(shown,), kept[1]]
    assert (
        f'[[channels]]\n# what is secret in an address is left out: *** stands in its place\naddresses = ["{shown}"]'
        in text
    )
    new = tmp_path / "new"
    new.mkdir()
    async with open_db(new / "ouzel.db", SystemClock()) as db:
        channels = Channels(db, load_secrets(new / "secret.key").box)
        await channels.load()
        with pytest.raises(BadUrl, match="is an address as it is shown"):
            await channels.add(NewChannel((shown,)), by="me")


@pytest.mark.anyio
async def test_without_secrets_there_is_none_in_it(tmp_path: Path) -> None:
    await fill(tmp_path)
    text = await exported(tmp_path, secrets=False)
    assert "# cookies is set, and left out" in text
    for secret in ("geheim", "u:p@", "sealed", "argon2", "https://www.huya.com/9"):
        assert secret not in text
    new = tmp_path / "new"
    new.mkdir()
    async with open_db(new / "ouzel.db", SystemClock()) as db:
        assert await take(db, new, text) == ["anna", "root"]
        assert await take_again(db, text) == []
        login = await UserRepo(db).login("anna")
        assert login is not None
        assert (login[0].role, login[0].labels, login[0].language) == (Role.EDITOR, {"music"}, "zh")
        assert not await Passwords(cheap=True).verify(login[1], "")
        assert [policy.name for policy in await Policies(db).all()] == ["a week", "many"]
        [pipeline] = await Pipelines(db, nothing_against).all()
        assert (pipeline.name, [each.doc() for each in pipeline.spec]) == (
            "to mp4",
            [
                {"step": "remux", "format": "mp4", "keep": True},
                {
                    "step": "clock", "format": "srt", "template": "{date} {time}",
                    "gap_template": "[{missing} s missing, {from} to {to}]", "every_s": 1.0, "zone": "",
                },
            ],
        )  # fmt: skip


async def take_again(db: Db, text: str) -> list[str]:
    return await Exports(db).put_back(parse_export(text), by="me")


@pytest.mark.anyio
@pytest.mark.parametrize(
    "words",
    [
        '[policies.a]\nkeep_days = "7"', "[policies.a]\nkeep_days = true", '[policies.a]\nper = "root"',
        "[policies.a]\nkeep_count = 3\nkept = 1", '[policies.a]\nkeep_count = 3\nper = "moon"', "[users.a]\nlabels = []",
        '[users.a]\nrole = "king"', '[users.a]\nrole = "admin"\npassword_hash = "geheim"',
        '[users.a]\nrole = "admin"\nlabels = [1]', "[pipelines.a]\nsteps = []", "[pipelines.a]", "[pipelines.a]\nsteps = 1",
        '[pipelines.a]\nsteps = [{step = "dance"}]', '[pipelines.a]\nsteps = ["remux"]', "[pipelines.a]\nstep = []",
        '[policies.""]\nkeep_count = 3',
    ],
)  # fmt: skip
async def test_nothing_is_written_of_what_is_wrong(tmp_path: Path, words: str) -> None:
    text = f'format = "ouzel export 1"\n[policies.first]\nkeep_count = 1\n{words}'
    async with open_db(tmp_path / "ouzel.db", SystemClock()) as db:
        with pytest.raises(BadConfig) as caught:
            await take_again(db, text)
        assert "geheim" not in str(caught.value)
        assert await Policies(db).all() == []


def test_rendered_and_parsed_it_is_the_same() -> None:
    export = Export(
        policies={'a "b".c': {"keep_days": 0.5, "per": "root"}},
        pipelines={"x y": {"steps": [{"step": "remux", "keep": True}, {"step": "clock", "every_s": 2.5}]}},
        users={"小明": {"role": "viewer", "labels": ["x\ny"]}},
    )
    assert parse_export(render_export(export)) == export


@pytest.mark.anyio
async def test_a_database_is_only_read(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        await exported(tmp_path, secrets=False)
    assert [*tmp_path.iterdir()] == []  # noqa: ASYNC240
    await fill(tmp_path)
    async with open_to_read(tmp_path / "ouzel.db", SystemClock()) as db:
        with pytest.raises(StorageError):
            await Policies(db).add("x", Rule(keep_count=1), by="me")


@pytest.mark.anyio
async def test_beside_a_writer(tmp_path: Path) -> None:
    await fill(tmp_path)
    async with open_db(tmp_path / "ouzel.db", SystemClock()) as db, db.transaction():
        assert "[users.anna]" in await exported(tmp_path, secrets=False)


# -- the file ----------------------------------------------------------------------------------------------------------


def test_a_file_is_the_old_one_or_the_new_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "all.toml"
    write_whole(path, "old")
    assert path.stat().st_mode & 0o777 == 0o600

    def no_room(_fd: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", no_room)
    with pytest.raises(DiskFull):
        write_whole(path, "new")
    assert path.read_text() == "old"
    assert [each.name for each in tmp_path.iterdir()] == ["all.toml"]


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OUZEL_LANG", "en")
    data, path = tmp_path / "data", tmp_path / "all.toml"
    anyio.run(fill, data)
    assert run(["export", "--data", str(data)]) == 0
    said = capsys.readouterr().out
    assert parse_export(said).users == {
        "anna": {"role": "editor", "labels": ["music"], "language": "zh"}, "root": {"role": "admin", "disabled": True},
    }  # fmt: skip
    assert run(["export", "--data", str(data), "--secrets", "-o", str(path)]) == 0
    assert parse_export(path.read_text()).layers["platform:huya"] == {"cookies": _COOKIE}
    assert run(["export", "--data", str(data), "--json"]) == 0
    out = capsys.readouterr().out
    assert json.loads(out.splitlines()[-1])["text"].rstrip() == said.rstrip()
    (data / "secret.key").unlink()
    assert run(["export", "--data", str(data), "--secrets"]) == 5
    assert not (data / "secret.key").exists()
    assert run(["export", "--data", str(tmp_path / "nowhere")]) == 2
    assert not (tmp_path / "nowhere").exists()
