"""`ouzel check`: what is wrong with a set-up is found, said with its mending, and nothing is changed by looking."""

from __future__ import annotations

import json
import re
import sqlite3
import sys
import tomllib
from contextlib import closing
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import pytest
from tests.command import ouzel

from ouzel.cli.texts import setup
from ouzel.config.load import with_folders
from ouzel.config.settings import PlatformDefaults, PlatformTables, Settings
from ouzel.config.tables import RootSettings, ServerSettings, StorageSettings
from ouzel.config.values import Size
from ouzel.daemon import checkup
from ouzel.daemon.checkup import folders, machine
from ouzel.daemon.checkup.configuration import check_secrets, check_settings
from ouzel.daemon.checkup.database import check_database
from ouzel.daemon.checkup.doors import check_online, check_port
from ouzel.daemon.checkup.folders import check_folders, kind_of
from ouzel.daemon.checkup.machine import MODULES, check_clock, check_descriptors, check_packages, check_power
from ouzel.daemon.checkup.programs import check_ffmpeg, check_javascript
from ouzel.daemon.checkup.result import Result
from ouzel.daemon.lock import hold
from ouzel.daemon.sockets import bind
from ouzel.store.opening import HEAD, prepare
from ouzel.system.ffmpeg import FfmpegFinder
from ouzel.system.http import Http1Client
from ouzel.testing.clock import FakeClock

from .http_server import answer, http_proxy, serving

NOW = datetime(2026, 11, 22, 3, 4, 5, tzinfo=UTC)
ROOT = Path(__file__).parents[2]


def codes(results: Any) -> list[tuple[str, str]]:
    return [(each.level, each.code) for each in results]


def storage(folder: Path, *, min_free: int = 1, **roots: RootSettings) -> Settings:
    return Settings(storage=StorageSettings(folder / "data", folder / "media", Size(min_free)), roots=roots)


def write(folder: Path, text: str) -> Path:
    path = folder / "ouzel.toml"
    path.write_text(text)
    path.chmod(0o600)
    return path


# the command


def test_a_sound_set_up_is_told_line_by_line_and_left_as_it_was(tmp_path: Path) -> None:
    path = write(tmp_path, f"[storage]\ndata = '{tmp_path}/data'\nmin_free = '1MB'\n[server]\nport = 0\n")
    done = ouzel("--json", "--config", path, cwd=tmp_path, command="check")

    assert done.err == ""
    *told, summary = done.events
    found = {doc["code"]: doc for doc in told}
    assert found["settings"]["about"] == {"path": str(path)}
    assert {"python", "packages", "folder_new", "database_none", "port_free", "clock"} <= set(found)
    assert [doc["code"] for doc in told if doc["level"] == "error"] == []
    assert all(bool(doc["mend"]) == (doc["level"] != "ok") for doc in told)
    levels = [doc["level"] for doc in told]
    assert summary == {"event": "summary", **{level: levels.count(level) for level in ("ok", "warning", "error")}}
    assert done.code == (3 if summary["warning"] else 0)
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(
    ("language", "words"),
    [
        (
            "en",
            [
                "error   ",
                ", line 2: [server] has no key prot; did you mean port?",
                "→ correct it",
                ", line 4: min_free is a size with its unit",
            ],
        ),
        (
            "zh",
            [
                "错误    ",
                " 第 2 行：[server] 中没有 prot 这一项；是否指 port？",
                "→ 请改正",
                " 第 4 行：min_free 应为带单位",
            ],
        ),
    ],
)
def test_what_is_wrong_is_said_with_its_mending(tmp_path: Path, language: str, words: list[str]) -> None:
    path = write(tmp_path, "[server]\nprot = 1\n[storage]\nmin_free = 5\n")
    env = {"OUZEL_LANG": language, "XDG_DATA_HOME": str(tmp_path)}
    done = ouzel("-q", "--config", path, cwd=tmp_path, env=env, command="check")

    assert done.code == 6
    lines = done.out.splitlines()
    assert lines[0].startswith(words[0])
    assert lines[0].endswith(f"{path}{words[1]}")
    assert lines[1].strip().startswith(words[2])
    assert words[3] in lines[2]


def test_every_result_has_its_texts_and_its_line_in_the_reference() -> None:
    sources = "\n".join(path.read_text() for path in Path(checkup.__path__[0]).glob("*.py"))
    found = set(re.findall(r"\b(ok|warning|error)\(\s*\"(\w+)\"", sources))
    assert len(found) > 40
    told = {key.removeprefix("check.") for key in setup.EN if key.startswith("check.")}
    assert told - {"summary", "level_ok", "level_warning", "level_error"} == {code for _, code in found}
    mended = {key.removeprefix("mend.") for key in setup.EN if key.startswith("mend.")}
    assert mended == {code for level, code in found if level != "ok"}
    page = (ROOT / "docs/reference/check.md").read_text()
    assert set(re.findall(r"^\| `(\w+)` \| (\w+) \|", page, re.MULTILINE)) == {(code, level) for level, code in found}


# settings


def test_what_settings_name_is_looked_for(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        """
        [hooks.a]
        command = ["no-such-program-here", "x"]
        on = ["recording.finish", "notice.raised"]
        [hooks.b]
        command = ["no-such-program | true"]
        shell = true
        [platforms]
        proxy = "ftp://s3cret@x"
        [platforms.bilibili]
        cookies = "cookies.txt"
        password_file = "password"
        login = "me"
        """,
    )
    (tmp_path / "password").write_text("s3cret")
    (tmp_path / "password").chmod(0o644)

    settings, found = check_settings(path)
    assert settings is not None
    secrets = [*check_secrets(settings, tmp_path)]

    assert codes(found) == [
        ("error", "hook_event_unknown"),
        ("error", "hook_program_missing"),
        ("error", "proxy_wrong"),
    ]
    assert found[0].about == {"hook": "a", "event": "recording.finish", "near": "recording.finished"}
    assert secrets == [
        Result(
            "error", "secret_file_missing", {"key": "platforms.bilibili.cookies", "path": str(tmp_path / "cookies.txt")}
        ),
        Result("warning", "secrets_readable", {"path": str(tmp_path / "password")}),
    ]
    assert "s3cret" not in str([*found, *secrets])


@pytest.mark.parametrize(
    "text", ["platforms.soop.password = 'x'", "platforms.soop.cookies = 'a=b'", "platforms.proxy = 'http://u:p@h:1'"]
)
def test_a_settings_file_with_secrets_is_for_its_owner(tmp_path: Path, text: str) -> None:
    path = write(tmp_path, text)
    (tmp_path / "secret.key").write_bytes(b"x")
    (tmp_path / "secret.key").chmod(0o600)
    settings, _ = check_settings(path)
    assert settings is not None
    assert codes(check_secrets(settings, tmp_path)) == [("ok", "secrets")]

    path.chmod(0o640)
    assert codes(check_secrets(settings, tmp_path)) == [("warning", "secrets_readable")]
    write(tmp_path, "platforms.cdn = 'x'")
    (tmp_path / "secret.key").chmod(0o644)
    assert codes(check_secrets(settings, tmp_path)) == [("warning", "secrets_readable")]


# python and the machine


def test_every_dependency_is_imported() -> None:
    wanted = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    names = {re.match(r"[\w-]+", each)[0] for each in wanted if "platform == 'win32'" not in each}  # type: ignore[index]
    modules = packages_distributions()
    covered = {dist.lower().replace("_", "-") for name in MODULES for dist in modules.get(name.split(".")[0], [])}
    assert names <= covered


@pytest.mark.anyio
async def test_a_package_that_is_broken_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "torn_package.py").write_text("raise ImportError('no libtorn.so')")
    (tmp_path / "deadly_package.py").write_text("import os; os.abort()")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))

    [broken] = await check_packages(("json", "torn_package"))
    assert broken == Result("error", "package_broken", {"name": "torn_package", "why": "ImportError: no libtorn.so"})
    assert codes(await check_packages(("json", "deadly_package"))) == [("error", "packages_crash")]
    assert await check_packages(("json",)) == [Result("ok", "packages", {"count": 1})]


def test_few_open_files_and_little_memory(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(machine.resource, "getrlimit", lambda _which: (256, 512))
    assert check_descriptors() == Result("warning", "descriptors_few", {"limit": 512, "wanted": 1024})
    monkeypatch.setattr(machine, "_CGROUP", limit := tmp_path / "memory.max")
    limit.write_text("max\n")
    assert check_power().code == "power"
    limit.write_text(f"{256 << 20}\n")
    assert (check_power().code, check_power().about["memory_bytes"]) == ("memory_small", 256 << 20)


def test_a_clock_that_cannot_be_right(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TZ", raising=False)
    assert codes(check_clock(NOW)) == [("ok", "clock")]
    assert codes(check_clock(datetime(1970, 1, 1, tzinfo=UTC))) == [("error", "clock_wrong")]
    monkeypatch.setenv("TZ", "Europe/Berlln")
    assert codes(check_clock(NOW)) == [("warning", "zone_unknown")]
    monkeypatch.setattr(machine, "_ZONE", "Asia/Nowhere")
    assert codes(check_clock(NOW)) == [("warning", "zone_unknown"), ("warning", "zones_missing")]


@pytest.mark.anyio
async def test_programs_that_are_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    missing = await check_ffmpeg(FfmpegFinder(str(tmp_path / "none")))
    assert (missing.level, missing.code) == ("error", "ffmpeg_missing")
    monkeypatch.setitem(sys.modules, "deno", None)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("sysconfig.get_path", lambda _name: str(tmp_path))
    assert check_javascript().code == "javascript_missing"


# folders and the database


def test_folders_that_are_there_are_tried_and_left_empty(tmp_path: Path) -> None:
    for name in ("data", "media"):
        (tmp_path / name).mkdir()
    found = [each for each in check_folders(storage(tmp_path)) if each.code != "folder_in_memory"]
    assert codes(found) == [("ok", "folder"), ("ok", "folder"), ("ok", "room"), ("ok", "one_mount")]
    assert sorted(tmp_path.rglob("*")) == [tmp_path / "data", tmp_path / "media"]


def test_folders_that_cannot_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "data").write_text("a file")
    (tmp_path / "media").mkdir()

    def refuse(_folder: Path) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(folders, "sync_folder", refuse)
    found = {each.code: each for each in check_folders(storage(tmp_path))}
    assert found["folder_none"].about["folder"] == "data"
    assert "Read-only file system" in str(found["folder_unwritable"].about["why"])
    assert [*(tmp_path / "media").iterdir()] == []


def test_a_folder_that_may_not_be_looked_into_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "closed").mkdir()
    asked = Path.stat

    def stat(path: Path, **options: Any) -> Any:
        if path.parent.name == "closed":
            raise PermissionError(13, "Permission denied")
        return asked(path, **options)

    monkeypatch.setattr(Path, "stat", stat)
    monkeypatch.setattr(folders.os, "access", lambda *_args: False)
    found = [*check_folders(storage(tmp_path / "closed"))]
    assert [each.about["folder"] for each in found if each.code == "folder_unwritable"] == ["data", "recordings"]
    assert check_database(tmp_path / "closed").code == "database_none"


def test_room_is_told_of_against_the_floor(tmp_path: Path) -> None:
    def room(min_free: int) -> str:
        return next(each.code for each in check_folders(storage(tmp_path, min_free=min_free)) if "room" in each.code)

    free = folders.DiskGate(tmp_path, min_free_bytes=0, probe_s=0).free_bytes()
    assert [room(free // 100), room(free * 2 // 3), room(free * 100)] == ["room", "room_small", "room_none"]


def test_each_storage_root_is_looked_at_and_none_is_made(tmp_path: Path) -> None:
    (tmp_path / "nas").mkdir()
    roots = {"nas": RootSettings(tmp_path / "nas", Size(1 << 60)), "old": RootSettings(tmp_path / "old")}
    found = [*check_folders(storage(tmp_path, **roots))]
    assert [each.about["path"] for each in found if each.code == "room_none"] == [str(tmp_path / "nas")]
    assert [each.about for each in found if each.code == "root_none"] == [
        {"root": "old", "path": str(tmp_path / "old")}
    ]
    assert [each.about["path"] for each in found if each.code == "room"] == [str(tmp_path / "media")]
    assert [each.name for each in tmp_path.iterdir()] == ["nas"]


def test_file_systems_are_known_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mounts = tmp_path / "mountinfo"
    mounts.write_text(
        "1 0 8:1 / / rw - ext4 /dev/sda1 rw\n"
        f"2 1 0:9 / {str(tmp_path.resolve()).replace(' ', chr(92) + '040')}/data rw shared:1 - nfs4 host:/x rw\n"
        "3 1 0:9 / /mnt/a\\040b rw - cifs //host/x rw\n"
    )
    assert [kind_of(Path(each), mounts) for each in ("/etc", "/mnt/a b/c", str(tmp_path / "data"))] == [
        "ext4",
        "cifs",
        "nfs4",
    ]
    assert kind_of(tmp_path, tmp_path / "none") == ""

    monkeypatch.setattr(folders, "kind_of", lambda folder: "nfs4" if folder.name == "data" else "fuse.sshfs")
    (tmp_path / "data").mkdir()
    (tmp_path / "media").mkdir()
    found = codes(check_folders(storage(tmp_path)))
    assert ("warning", "data_on_network") in found
    assert ("ok", "recordings_on_network") in found


def test_the_database_is_read_and_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "ouzel.db"
    assert check_database(tmp_path).code == "database_none"
    prepare(path)
    assert check_database(tmp_path).code == "database"

    def version(text: str) -> str:
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.execute("UPDATE alembic_version SET version_num = ?", (text,))
        return check_database(tmp_path).code

    assert [version("9999"), version("0000")] == ["database_newer", "database_older"]
    assert not [*tmp_path.glob("*.before-*")]
    whole = path.read_bytes()
    for text in (b"no database at all" * 100, whole[: len(whole) // 2], whole[:36] + b"\0\0\0\5" + whole[40:]):
        path.write_bytes(text)
        broken = check_database(tmp_path)
        assert (broken.level, broken.code) == ("error", "database_broken")
    path.write_bytes(whole)
    assert version(HEAD) == "database"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("DROP TABLE copies")
    assert check_database(tmp_path).code == "database_odd"


# doors


def test_a_port_that_is_free_taken_or_our_own(tmp_path: Path) -> None:
    with bind("127.0.0.1", 0) as listening:
        settings = Settings(server=ServerSettings(port=listening.port), storage=storage(tmp_path).storage)
        taken = check_port(settings)
        assert (taken.level, taken.code) == ("error", "port_refused")
        with hold(tmp_path / "data", now=NOW) as lock:
            lock.tell(listening.address)
            running = check_port(settings)
            assert running.code == "daemon_running"
            assert listening.address in str(running.about["who"])
    assert check_port(settings).code == "port_free"


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("off_s", "code"), [(0, "clock_agrees"), (-3, "clock_agrees"), (60, "clock_off"), (-4000, "clock_far_off")]
)
async def test_the_clock_is_compared_with_a_page_that_tells_the_time(off_s: float, code: str) -> None:
    date = format_datetime(NOW - timedelta(seconds=off_s), usegmt=True)
    routes = {"/silent": answer(b"ok"), "/dated": answer(b"ok", Date=date)}
    async with serving(routes) as server, Http1Client() as http:
        pages = [server.url(path) for path in ("/refused", "/silent", "/dated")]
        [found] = [each async for each in check_online(with_folders(Settings()), http, FakeClock(NOW), pages)]
    assert (found.code, found.about["off_s"]) == (code, off_s)


@pytest.mark.anyio
async def test_proxies_are_tried_and_their_passwords_not_told() -> None:
    async with serving({"/": answer(b"ok")}) as server, http_proxy(user="me:s3cret") as proxy, Http1Client() as http:

        async def through(user: str) -> list[Result]:
            defaults = PlatformDefaults(proxy=f"http://{user}@127.0.0.1:{proxy.port}")
            settings = Settings(platforms=PlatformTables(defaults))
            return [each async for each in check_online(settings, http, FakeClock(NOW), [server.url("/")])]

        good, bad = await through("me:s3cret"), await through("me:wr0ng")

    assert codes(good) == [("warning", "offline"), ("ok", "proxy")]
    assert codes(bad)[1] == ("error", "proxy_refused")
    assert good[1].about["proxy"] == f"http://***@127.0.0.1:{proxy.port}"
    assert not re.search("s3cret|wr0ng", json.dumps([dict(each.about) for each in [*good, *bad]]))
