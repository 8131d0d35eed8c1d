"""The commands that speak to a daemon, against a real one in a process of its own."""

from __future__ import annotations

import io
import json
import sys
import time
from collections.abc import Callable, Generator, Iterator
from datetime import datetime, timedelta
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


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Generator[Path]:
    """A data folder that a daemon holds."""
    folder = tmp_path_factory.mktemp("house")
    settings = folder / "ouzel.toml"
    note = """[hooks.note]\ncommand = ['echo "$OUZEL_FILE" > "$OUZEL_FILE.told"']\nshell = true\non = []\n"""
    settings.write_text(f'[platforms]\nproxy = "http://127.0.0.1:9"\n{note}')  # nobody out there is asked
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


def test_what_is_known_of_a_channel_is_told_in_words(
    call: Call, say: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    call("channels", "add", "https://www.huya.com/7801", "--name", "门")
    call("channels", "check", "门")
    with anyio.from_thread.start_blocking_portal() as portal:
        while call("channels", "show", "门")[0]["state"] == "unknown":
            portal.call(anyio.sleep, 0.1)
    assert "folder        门" in say("channels", "show", "门")
    monkeypatch.setenv("OUZEL_LANG", "zh")
    texts.language.cache_clear()
    listed, shown, past = say("channels", "list"), say("channels", "show", "门"), say("channels", "history", "门")
    assert all("被拦截" in each and "blocked" not in each for each in (listed, shown, past))
    assert all("代理无法通过" in each for each in (shown, past))


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
    assert call("channels", "record", "小明", code=4)[0]["code"] == "proxy_failed"  # the platform was asked
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
            [recording] = await in_thread(call, "recordings", "list", "--channel", "show")
            lines = (await in_thread(say, "recordings", "show", recording["id"])).splitlines()
            files = [line for line in lines if line.startswith("file")]
            assert [line.endswith(", being written") for line in files] == [False, True]
            assert any(line.startswith("kept ") and line.endswith(" missing") for line in lines)
            assert not any(line.startswith("chapter") for line in lines)  # it has neither title nor category
            await in_thread(call, "channels", "stop", "show")
            await in_thread(until, "recording.finished", opened)
            assert "it was stopped by hand" in await in_thread(say, "channels", "show", "show")
            [recording] = await in_thread(call, "recordings", "list", "--channel", "show")
            [shown] = await in_thread(call, "recordings", "show", recording["id"])
            assert len(shown["files"]) == 2
            assert shown["files"][0]["path"] in await in_thread(say, "recordings", "show", recording["id"])
            await in_thread(call, "channels", "record", "show")
            await in_thread(partial(until, "recording.file", opened, part=3))
            await in_thread(call, "channels", "remove", "show")


@pytest.mark.anyio
async def test_what_was_recorded_goes_through_its_pipeline(
    call: Call, say: Callable[..., str], house: Path, clip: Clip
) -> None:
    def until(state: str) -> None:
        with connect(None, None, house) as api:
            told = (each for each in api.events(0, "pipeline") if each["event"] == "pipeline.run")
            next(each for each in told if each["data"]["state"] == state)

    in_thread = partial(anyio.to_thread.run_sync, abandon_on_cancel=True)
    call("pipelines", "add", "to mkv", "remux format=mkv", "thumbnails every_s=2", "clock", "command hook=note")
    with anyio.fail_after(HANG_S):
        async with LiveOrigin() as origin:
            channel = origin.channel("short", clip, speed=4, length_s=8)
            settings = ("--set", "proxy=direct", "--set", "pipeline=to mkv")
            await in_thread(partial(call, "channels", "add", channel.url, "--name", "short", *settings))
            await in_thread(until, "done")
            [recording] = await in_thread(call, "recordings", "list", "--channel", "short")
            await in_thread(call, "channels", "remove", "short")
    [file, *companions] = call("recordings", "show", recording["id"])[0]["files"]
    assert (file["format"], file["role"], file["state"]) == ("mkv", "original", "closed")
    assert [each["role"] for each in companions] == ["poster", "sprite", "storyboard", "subtitles"]
    assert {each["state"] for each in companions} == {"closed"}
    shown = say("recordings", "show", recording["id"])
    assert all(word in shown for word in (".mkv  ", "B, poster", "B, small pictures", "B, storyboard", "B, subtitles"))
    path = house.parent / "media" / file["path"]
    assert await anyio.Path(f"{path}.told").read_text() == f"{path}\n"
    made = [".clock.srt", ".ledger", ".mkv", ".mkv.told", ".poster.jpg", ".storyboard-1.jpg", ".storyboard.vtt"]
    assert sorted(each.name.removeprefix(path.stem) for each in path.parent.iterdir()) == made
    [run_] = call("pipelines", "runs", "--recording", recording["id"])
    assert (run_["state"], run_["at"], run_["pipeline"]) == ("done", 4, "to mkv")
    assert "to mkv" in say("pipelines", "runs")
    path.rename(path.with_suffix(".away"))
    [again] = call("pipelines", "run", "to mkv", "--recording", recording["id"])
    assert (again["by"], again["state"]) == ("local", "running")


def test_pipelines_and_who_uses_them(call: Call, say: Callable[..., str]) -> None:
    [made] = call("pipelines", "add", "to mp4", "remux keep=yes", "command hook=note")
    assert made["steps"] == [{"step": "remux", "format": "mp4", "keep": True}, {"step": "command", "hook": "note"}]
    assert "to mp4  remux format=mp4 keep=yes, command hook=note" in say("pipelines", "list")
    [changed] = call("pipelines", "edit", "to mp4", "remux format=mkv")
    assert (changed["revision"], changed["steps"]) == (2, [{"step": "remux", "format": "mkv", "keep": False}])
    assert {each["step"] for each in call("pipelines", "steps")} >= {"remux", "convert", "command"}
    assert "mp4, mkv" in say("pipelines", "steps")

    [channel] = call("channels", "add", "https://www.huya.com/80", "--name", "made", "--unwatched")
    call("pipelines", "use", "to mp4", "--channel", "made", "--platform", "douyu", "--all")
    assert call("channels", "show", channel["id"])[0]["settings"]["pipeline"] == "to mp4"
    assert call("pipelines", "remove", "to mp4", code=EXIT_BAD_ARGUMENTS)[0]["code"] == "conflict"
    for word, counts in (("none", ""), ("inherit", "to mp4")):
        call("pipelines", "use", word, "--channel", "made")
        assert call("channels", "show", channel["id"])[0]["effective"]["pipeline"]["value"] == counts
    call("pipelines", "use", "inherit", "--platform", "douyu", "--all")
    call("pipelines", "remove", "to mp4")
    [undone] = call("channels", "undo")
    assert undone["subjects"] == ["to mp4"]
    call("pipelines", "remove", "to mp4")


@pytest.mark.parametrize(
    "words",
    [
        ("add", "x", "dance"),
        ("add", "x", "remux format"),
        ("add", "x", "remux format=avi"),
        ("add", "x", "remux keep=perhaps"),
        ("add", "x", "convert quality=good"),
        ("add", "x", "command hook=nobody"),
        ("add", "x", 'remux format="mp4'),
        ("add", " ", "remux"),
        ("edit", "nobody", "remux"),
        ("remove", "nobody"),
        ("use", "nobody", "--all"),
        ("use", "nobody"),
        ("run", "nobody"),
        ("run", "nobody", "--recording", "none such"),
        ("run", "nobody", "--download", "none such"),
        ("cancel", "nobody"),
        ("retry", "nobody"),
    ],
)
def test_a_pipeline_that_cannot_be_is_refused(call: Call, words: tuple[str, ...]) -> None:
    call("pipelines", *words, code=EXIT_BAD_ARGUMENTS)
    assert all(each["name"] != "x" for each in call("pipelines", "list"))


def test_settings_of_layers(call: Call, say: Callable[..., str]) -> None:
    assert say("channels", "settings", "huya") == "none\n"
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
    monkeypatch.setattr(sys, "stdin", io.StringIO(""))
    assert call("users", "add", "root", code=EXIT_BAD_ARGUMENTS)[0]["code"] == "bad_option"
    monkeypatch.setattr(sys, "stdin", io.StringIO("a bird that lives in rivers\n"))
    [root] = call("users", "add", "root", "--role", "admin")
    monkeypatch.setattr(sys, "stdin", Terminal())
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


def test_rules_and_accounts_of_an_export_are_put_back_by_the_daemon(call: Call, tmp_path: Path) -> None:
    path = tmp_path / "all.toml"
    path.write_text(
        'format = "ouzel export 1"\n[policies."two weeks"]\nkeep_days = 14.0\n[users.eva]\nrole = "editor"\n'
        '[[channels]]\naddresses = ["https://www.huya.com/eva"]\n'
    )
    assert call("import", str(path))[-1]["locked"] == ["eva"]
    assert call("import", str(path))[-1]["locked"] == []
    assert "two weeks" in call("export")[0]["text"]
    assert "eva" in [each["name"] for each in call("users", "list")]
    path.write_text(
        'format = "ouzel export 1"\n[users.max]\nrole = "king"\n[[channels]]\naddresses = ["huya.com/max"]\n'
    )
    assert call("import", str(path), code=EXIT_BAD_ARGUMENTS)[-1]["code"] == "invalid"
    assert "https://www.huya.com/max" not in str(call("channels", "list"))


def test_rules_that_delete_and_who_uses_them(call: Call, say: Callable[..., str]) -> None:
    [made] = call("retention", "add", "fortnight", "--keep-days", "14d", "--keep-bytes", "2TB")
    assert (made["keep_days"], made["keep_bytes"], made["keep_count"]) == (14, 2_000_000_000_000, None)
    [changed] = call("retention", "edit", "fortnight", "--keep-bytes", "none", "--keep-count", "100", "--per", "root")
    assert (changed["keep_bytes"], changed["keep_count"], changed["per"]) == (None, 100, "root")
    assert "fortnight  14" in say("retention", "list")

    [channel] = call("channels", "add", "https://www.huya.com/79", "--name", "kept", "--unwatched")
    call("retention", "use", "fortnight", "--channel", "kept", "--platform", "huya", "--all")
    [shown] = call("channels", "show", channel["id"])
    assert shown["settings"]["policy"] == "fortnight"
    call("retention", "remove", "fortnight", code=EXIT_BAD_ARGUMENTS)
    for word, counts in (("none", ""), ("inherit", "fortnight")):
        call("retention", "use", word, "--channel", "kept")
        assert call("channels", "show", channel["id"])[0]["effective"]["policy"]["value"] == counts
    call("retention", "use", "inherit", "--platform", "huya", "--all")
    call("retention", "remove", "fortnight")
    assert all(each["name"] != "fortnight" for each in call("retention", "list"))


def test_rules_are_kept_and_the_trash_is_emptied(call: Call, say: Callable[..., str], house: Path) -> None:
    media = house.parent / "media" / "虎牙直播" / "小兰"
    media.mkdir(parents=True)
    for day in (3, 4, 5):
        (media / f"小兰_2026-01-0{day}_20-00-00.ts").write_bytes((b"G" + bytes(187)) * 50)
    rooms = house.parent / "rooms" / "URL_config.ini"
    rooms.parent.mkdir()
    rooms.write_text("https://www.huya.com/lan,主播: 小兰\n")
    assert call("import", str(rooms), "--adopt", str(media.parent))[-1]["recordings"] == 3
    third, second, first = call("recordings", "list", "--channel", "小兰")
    call("recordings", "pin", third["id"])
    call("retention", "add", "short", "--keep-days", "7d", "--keep-free", "1KiB")
    call("retention", "use", "short", "--channel", "小兰")

    [plan] = call("retention", "plan")
    assert [(each["recording"], each["why"], each["unlink"]) for each in plan["steps"]] == [
        (first["id"], "age", False), (second["id"], "age", False),
    ]  # fmt: skip
    assert (plan["count"], plan["frees_bytes"], plan["kept"], plan["on"]) == (2, 0, {"pinned": 1}, True)
    shown = say("retention", "plan")
    assert [each in shown for each in ("小兰", "into the trash", "1 stay: pinned")] == [True] * 3

    def ended(job: dict[str, Any]) -> dict[str, Any]:
        with anyio.from_thread.start_blocking_portal() as portal:
            while (found := call("jobs", "show", job["id"])[0])["state"] != "done":
                assert found["state"] in ("queued", "running"), found
                portal.call(anyio.sleep, 0.05)
        return found["result"]

    assert ended(call("retention", "run")[0])["trashed"] == 2
    assert call("retention", "plan")[0]["steps"] == []
    trash = {each["id"]: each for each in call("trash", "list")}
    assert {first["id"], second["id"]} == trash.keys()
    stays = datetime.fromisoformat(trash[first["id"]]["goes_at"]) - datetime.fromisoformat(
        trash[first["id"]]["deleted_at"]
    )
    assert stays == timedelta(days=7)
    assert "小兰" in say("trash", "list")
    call("trash", "restore", second["id"])
    assert call("retention", "plan")[0]["steps"] == []
    call("trash", "empty", code=EXIT_BAD_ARGUMENTS)
    call("trash", "empty", second["id"], code=EXIT_BAD_ARGUMENTS)
    assert ended(call("trash", "empty", "--all")[0])["removed"] == 1
    assert sorted(path.name[-22:-12] for path in media.iterdir()) == ["2026-01-04", "2026-01-05"]
    assert call("trash", "list") == []
    assert call("recordings", "show", first["id"], code=EXIT_BAD_ARGUMENTS)[0]["code"] == "not_found"
    assert "retention.freed" in [each["code"] for each in call("notices", "list")]


def test_how_long_cameras_keep_their_recordings_becomes_a_rule(
    call: Call, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = "cameras:\n  - {name: gate, rtsp_url: 'rtsp://192.0.2.9/a', output_dir: x}\nrecording: {retention_days: 9}\n"
    (tmp_path / "config.yaml").write_text(text)
    for data in ([], ["--data", str(tmp_path / "alone")]):  # a daemon has it, and nobody does
        if data:
            assert run(["import", str(tmp_path / "config.yaml"), *data]) == EXIT_OK
            assert run(["export", *data]) == EXIT_OK
            export = capsys.readouterr().out
        else:
            call("import", str(tmp_path / "config.yaml"))
            export = call("export")[0]["text"]
        assert '[policies."9 days"]\nkeep_days = 9.0' in export
        assert 'policy = "9 days"' in export
    call("channels", "remove", "gate")


@pytest.mark.parametrize(
    "words",
    [
        ("add", "nothing"),
        ("add", "odd", "--keep-days", "a while"),
        ("add", "odd", "--keep-count", "-3"),
        ("add", "odd", "--keep-bytes", "none"),
        ("add", "odd", "--keep-bytes", "500"),
        ("add", "odd", "--keep-free", "900TB"),
        ("add", "odd", "--keep-free", "0"),
        ("edit", "nobody", "--keep-days", "3"),
        ("edit", "nobody"),
        ("remove", "nobody"),
        ("use", "nobody", "--all"),
        ("use", "nobody"),
    ],
)
def test_a_rule_that_cannot_be_is_refused(call: Call, words: tuple[str, ...]) -> None:
    call("retention", *words, code=EXIT_BAD_ARGUMENTS)


def test_how_much_a_platform_is_asked(call: Call, say: Callable[..., str], tmp_path: Path) -> None:
    [row] = call("platforms", "afreeca", "--state")
    assert (row["name"], row["channels"], row["requests"]) == ("soop", 0, None)
    assert say("platforms", "afreeca", "--state").splitlines()[1].split() == ["soop", "0", "not", "asked"]
    call("channels", "add", "https://play.sooplive.co.kr/ouzel", "--name", "counted")
    assert {"soop"} <= {each["name"] for each in call("platforms", "--state")}
    call("channels", "remove", "counted")
    assert run(["platforms", "--state", "--data", str(tmp_path)]) == EXIT_NO_DAEMON


def test_where_recordings_are_kept(call: Call, say: Callable[..., str]) -> None:
    [root] = call("storage")
    assert (root["name"], root["state"]) == ("recordings", "open")
    assert root["free_bytes"] > 0
    assert "recordings  open" in say("storage")


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


def test_people_read_the_time_of_their_own_clock(
    call: Call, say: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    began = datetime.fromisoformat(call("events", "--topics", "daemon")[0]["at"])
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "Asia/Shanghai")
        time.tzset()
        said = say("events", "--topics", "daemon")
    time.tzset()
    assert said.startswith(f"{began + timedelta(hours=8):%Y-%m-%d %H:%M:%S}  daemon.began")


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


@pytest.mark.parametrize("server", ["foo://bar", "http://", ""])
def test_what_is_no_address_of_a_daemon_is_told(server: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["channels", "list", "--server", server]) == EXIT_BAD_ARGUMENTS
    assert "is no address of a daemon" in capsys.readouterr().err


def test_no_daemon_is_one_line_and_an_exit_code(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for place in (["--data", str(tmp_path)], ["--server", "127.0.0.1:1"], ["--server", f"unix:{tmp_path}/none"]):
        assert run(["channels", "list", *place]) == EXIT_NO_DAEMON
        assert run(["mcp", *place]) == EXIT_NO_DAEMON
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 6
    assert all(line.endswith("(no_daemon)") for line in lines)
