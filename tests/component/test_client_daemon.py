"""The commands that speak to a daemon, against a real one in a process of its own."""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
import click
import pytest
from tests.command import HANG_S, Running

from ouzel.cli import texts
from ouzel.cli.client import connect
from ouzel.cli.main import EXIT_BAD_ARGUMENTS, EXIT_GAPS, EXIT_NO_DAEMON, EXIT_OK, run
from ouzel.testing.clips import Clip
from ouzel.testing.origin import LiveOrigin

Call = Callable[..., list[dict[str, Any]]]
NOBODY = dict.fromkeys(("http_proxy", "https_proxy", "all_proxy"), "http://127.0.0.1:9")
ROOMS = "https://www.huya.com/1\nhttps://www.huya.com/2,主播: 小红\n#https://live.bilibili.com/3\nno site, nothing\n"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Generator[Path]:
    """A data folder that a daemon holds."""
    folder = tmp_path_factory.mktemp("house")
    settings = folder / "ouzel.toml"
    settings.write_text('[platforms]\nproxy = "http://127.0.0.1:9"\n')  # nobody out there is asked
    options = ["--json", "--data", folder / "data", "--recordings", folder / "media", "--port", "0", "-q"]
    with Running(*options, cwd=folder, command="serve", env={"OUZEL_CONFIG": str(settings), **NOBODY}) as daemon:
        daemon.until("ready")
        yield folder / "data"
        daemon.process.terminate()
        daemon.process.wait(60)


@pytest.fixture(autouse=True)
def english(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("OUZEL_LANG", "en")
    monkeypatch.delenv("OUZEL_SERVER", raising=False)
    monkeypatch.delenv("OUZEL_API_KEY", raising=False)
    texts.language.cache_clear()
    yield
    texts.language.cache_clear()


@pytest.fixture
def call(house: Path, capsys: pytest.CaptureFixture[str]) -> Call:
    def ask(*args: str, code: int = EXIT_OK) -> list[dict[str, Any]]:
        done = run([*args, "--data", str(house), "--json"])
        told = capsys.readouterr()
        assert done == code, told
        return [json.loads(line) for line in told.out.splitlines()]

    return ask


@pytest.fixture
def say(house: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    def ask(*args: str) -> str:
        done = run([*args, "--data", str(house)])
        told = capsys.readouterr()
        assert done == EXIT_OK, told
        return told.out

    return ask


def test_what_is_done_to_a_channel(call: Call, say: Callable[..., str]) -> None:
    page = "https://www.huya.com/77"
    [made] = call(
        "channels", "add", page, "--name", "小明", "--label", "games", "--quality", "720p,best", "--mode", "manual",
        "--unwatched", "--other-url", "https://live.bilibili.com/77", "--folder", "ming",
    )  # fmt: skip
    assert (made["watch"], made["folder"], made["labels"]) == (False, "ming", ["games"])
    assert [each["id"] for each in call("channels", "list", "--mode", "manual", "--unwatched")] == [made["id"]]
    assert call("channels", "list", "--watched", "--text", "小明") == []
    [shown] = call("channels", "show", made["id"])
    assert shown["settings"] == {"quality": ["720p", "best"], "mode": "manual"}
    assert '"manual"  # channel' in say("channels", "show", "小明")
    assert '"ts"' not in say("channels", "show", "小明")
    assert "# default" in say("channels", "show", "小明", "-v")
    call("channels", "edit", "小明", "--set", "split_after_s=3600", "--unset", "mode")
    assert call("channels", "undo")[0]["subjects"] == [made["id"]]
    assert call("channels", "watch", "小明")[0]["watch"] is True
    call("channels", "check", "小明")
    assert isinstance(call("channels", "history", "小明"), list)
    assert call("channels", "unwatch", "小明")[0]["watch"] is False
    assert call("channels", "record", "小明", code=4)[0]["code"] == "not_on_air"
    assert call("channels", "stop", "小明", code=EXIT_BAD_ARGUMENTS)[0]["code"] == "not_found"
    assert call("channels", "split", "小明", code=EXIT_BAD_ARGUMENTS)[0]["code"] == "not_found"
    call("channels", "remove", page)
    assert "小明" in say("channels", "list", "--trash")
    call("channels", "restore", "小明")
    call("channels", "remove", "小明")


@pytest.mark.anyio
async def test_what_is_on_air_is_split_and_stopped_and_the_recording_tells_of_it(
    call: Call, say: Callable[..., str], house: Path, clip: Clip
) -> None:
    def until(code: str, after: int = 0, **data: object) -> int:
        """Number of the first such event."""
        with connect(None, None, house) as api:
            told = (each for each in api.events(after) if each["event"] == code)
            return next(each["number"] for each in told if data.items() <= each["data"].items())

    in_thread = partial(anyio.to_thread.run_sync, abandon_on_cancel=True)
    with anyio.fail_after(HANG_S):
        async with LiveOrigin() as origin:
            channel = origin.channel("show", clip, speed=2, length_s=600)
            [made] = await in_thread(
                partial(call, "channels", "add", channel.url, "--name", "show", "--set", "proxy=direct")
            )
            begun = await in_thread(until, "recording.began")
            await in_thread(call, "channels", "split", "show")
            opened = await in_thread(partial(until, "recording.file", begun, part=2))
            [told] = await in_thread(call, "channels", "list", "--state", "live")
            assert (told["id"], told["recording"]["state"]) == (made["id"], "recording")
            await in_thread(call, "channels", "stop", "show")
            await in_thread(until, "recording.finished", opened)
            [recording] = await in_thread(call, "recordings", "list", "--channel", "show")
            [shown] = await in_thread(call, "recordings", "show", recording["id"])
            assert len(shown["files"]) == 2
            assert shown["files"][0]["path"] in await in_thread(say, "recordings", "show", recording["id"])
            await in_thread(call, "channels", "record", "show")
            await in_thread(partial(until, "recording.file", opened, part=3))
            await in_thread(call, "channels", "remove", "show")


def test_settings_of_layers(call: Call, say: Callable[..., str]) -> None:
    assert (
        call("channels", "settings", "huya", "--set", "cookies=a=b", "--set", 'quality=["worst"]')[0]["revision"] == 1
    )
    assert say("channels", "settings", "huya") == 'cookies = "•••"\nquality = ["worst"]\n'
    assert call("channels", "settings", "huya", "--unset", "cookies")[0]["settings"] == {"quality": ["worst"]}
    [error] = call("channels", "settings", "--set", "quality=[]", code=EXIT_BAD_ARGUMENTS)
    assert error["code"] == "bad_option"


def test_accounts_and_their_keys(
    call: Call, house: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(click, "prompt", lambda *_args, **_how: "a bird that lives in streams")
    [root] = call("users", "add", "root", "--role", "admin")
    call("users", "add", "anna", "--label", "games")
    assert call("users", "edit", "anna", "--role", "editor")[0]["role"] == "editor"
    call("users", "password", "anna")
    [made] = call("users", "keys", "add", "anna", "script", "--scope", "write")
    assert (made["scopes"], made["user_id"] == root["id"]) == (["write"], False)
    [error] = call("users", "keys", "add", "anna", "more", "--scope", "admin", code=EXIT_BAD_ARGUMENTS)
    assert error["code"] == "not_allowed"
    assert [each["name"] for each in call("users", "keys", "list")] == ["script"]

    monkeypatch.setenv("OUZEL_API_KEY", made["key"])
    assert call("users", "list", code=EXIT_BAD_ARGUMENTS)[0]["code"] == "not_allowed"
    assert call("channels", "list") == []
    monkeypatch.setenv("OUZEL_API_KEY", "wrong")
    assert call("channels", "list", code=EXIT_BAD_ARGUMENTS)[0]["code"] == "not_signed_in"
    monkeypatch.delenv("OUZEL_API_KEY")

    call("users", "keys", "remove", "script")
    call("users", "remove", "anna")
    assert [each["name"] for each in call("users", "list")] == ["root"]
    [error] = call("users", "remove", "root", code=EXIT_BAD_ARGUMENTS)
    assert error["code"] == "conflict"


def test_an_import_is_taken_over_by_the_daemon_that_runs(call: Call, say: Callable[..., str], house: Path) -> None:
    rooms = house.parent / "URL_config.ini"
    rooms.write_text(ROOMS)
    media = house.parent / "old" / "虎牙直播" / "小红"
    media.mkdir(parents=True)
    kept = media / "小红_2026-01-03_20-00-00.ts"
    kept.write_bytes((b"G" + bytes(187)) * 50)

    *_, taken = call("import", str(rooms), "--adopt", str(house.parent / "old"), code=EXIT_GAPS)
    *_, again = call("import", str(rooms), "--adopt", str(house.parent / "old"), code=EXIT_GAPS)

    assert (len(taken["added"]), taken["already"], taken["recordings"]) == (3, 0, 1)
    assert (len(again["added"]), again["already"], again["known"]) == (0, 3, 1)
    assert "小红" in say("channels", "list")
    [recording] = call("recordings", "list", "--channel", "小红")
    assert call("recordings", "show", recording["id"])[0]["files"][0]["path"] == kept.name
    call("recordings", "rename", recording["id"][:12], "an evening")
    assert call("recordings", "pin", "an evening")[0]["pinned"] is True
    assert call("recordings", "remove", "an evening", code=EXIT_BAD_ARGUMENTS)[0]["code"] == "conflict"
    call("recordings", "unpin", "an evening")
    call("recordings", "remove", "an evening")
    assert [each["title"] for each in call("recordings", "list", "--trash")] == ["an evening"]
    call("recordings", "restore", "an evening")
    assert "an evening" in say("recordings", "show", "an evening")
    assert kept.is_file()


def test_everything_that_is_set_is_told_to_another_machine(
    call: Call, house: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from ouzel.cli.client import _local_token, running_on

    address = running_on(house)
    assert address is not None
    token = _local_token(house)()
    monkeypatch.setenv("OUZEL_API_KEY", token)
    assert run(["export", "--server", address, "-o", str(tmp_path / "all.toml")]) == EXIT_OK
    here = call("export")[0]["text"]
    assert (tmp_path / "all.toml").read_text() == here
    assert run(["export", "--server", address, "--secrets"]) == EXIT_BAD_ARGUMENTS
    monkeypatch.setenv("OUZEL_SERVER", address)
    assert run(["import", str(tmp_path / "all.toml")]) == EXIT_OK


def test_jobs_notices_and_the_state_of_all(call: Call, say: Callable[..., str]) -> None:
    assert isinstance(call("jobs", "list"), list)
    for command in (["show"], ["cancel"], ["retry"], ["prio"]):
        rest = ["1"] if command == ["prio"] else []
        assert call("jobs", *command, "nothing", *rest, code=EXIT_BAD_ARGUMENTS)[0]["code"] == "not_found"
    notices = call("notices", "list")
    for notice in notices:
        call("notices", "dismiss", notice["id"])
    assert call("notices", "list") == []
    assert len(call("notices", "list", "--all")) >= len(notices)
    assert call("status")[0]["version"]
    assert say("status", "--tasks")


def test_what_happened_is_told_until_now(call: Call, say: Callable[..., str]) -> None:
    call("channels", "settings", "--set", "priority=1")
    told = call("events")
    assert told[0]["event"] == "daemon.began"
    assert [each["number"] for each in told] == sorted(each["number"] for each in told)
    last = told[-1]["number"]
    assert call("events", "--after", str(last)) == []
    assert [each["event"] for each in call("events", "--topics", "daemon")] == ["daemon.began"]
    assert len(say("events").splitlines()) == len(told)


def test_who_reads_chinese_is_told_in_chinese(
    call: Call,
    say: Callable[..., str],
    house: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("OUZEL_LANG", "zh")
    texts.language.cache_clear()
    assert say("channels", "add", "https://www.huya.com/88", "--name", "小蓝").startswith("已添加：小蓝")
    assert "未监看" in say("channels", "list") or "小蓝" in say("channels", "list")
    assert run(["channels", "show", "nobody", "--data", str(house)]) == EXIT_BAD_ARGUMENTS
    assert capsys.readouterr().err.startswith("ouzel: 错误: ")
    assert say("channels", "remove", "小蓝").startswith("已移除：小蓝")
    for command in ("recordings", "jobs", "users", "notices"):
        say(command, "list")


def test_no_daemon_is_one_line_and_an_exit_code(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for place in (["--data", str(tmp_path)], ["--server", "127.0.0.1:1"], ["--server", f"unix:{tmp_path}/none"]):
        assert run(["channels", "list", *place]) == EXIT_NO_DAEMON
        assert run(["mcp", *place]) == EXIT_NO_DAEMON
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 6
    assert all(line.endswith("(no_daemon)") for line in lines)
