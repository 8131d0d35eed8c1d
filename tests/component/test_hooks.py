"""Hooks: real programs, started by real events."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import anyio
import pytest
from tests.component.library import START, Library, library
from tests.component.newsroom import Box

from ouzel.base.errors import BadConfig
from ouzel.config.tables import HookSettings
from ouzel.model.channel import Channel
from ouzel.model.happening import Happening, StoredEvent
from ouzel.model.hooks import HookChannel, HookEvent, HookFile, douyin_arguments
from ouzel.model.recording import FileRole, FileState, Recording
from ouzel.model.states import RecordingState
from ouzel.services.channel_forms import NewChannel
from ouzel.services.channels import Channels
from ouzel.services.events import EventBus
from ouzel.services.hooks import Hooks
from ouzel.services.notices import Notices

pytestmark = pytest.mark.anyio
FILE = HookFile("/media/a b.ts", "ts", "closed", 5, 1.0)
CHANNEL = HookChannel("c1", "小明", "huya", "https://www.huya.com/1", 3, splits=True, converts=False)
_TELL = (
    "import json, os, sys; "
    "json.dump([sys.argv[2:], {k: v for k, v in os.environ.items() if k.startswith('OUZEL_')}, sys.stdin.read()], "
    "open(sys.argv[1] + '.part', 'w')); os.rename(sys.argv[1] + '.part', sys.argv[1])"
)


class Scene:
    def __init__(self, lib: Library, channels: Channels, folder: Path) -> None:
        self.lib = lib
        self.channels = channels
        self.notices = Notices(lib.db)
        self.folder = folder
        self.bus = EventBus(lib.db)

    async def channel(self, number: int = 1, **settings: Any) -> Channel:
        return await self.channels.add(
            NewChannel((f"https://www.huya.com/{number}",), name="小明", settings=settings), by="me"
        )

    async def recording(self, channel: Channel) -> Recording:
        recording = await self.lib.recording(
            await self.lib.broadcast(channel.id), state=RecordingState.DONE, media_s=2.5, bytes=30
        )
        for part in (1, 2):
            await self.lib.file(recording, f"小明/{part}.ts", part=part, bytes=15)
        return recording

    async def tell(self, code: str, recording: Recording, **data: Any) -> None:
        async with self.lib.db.transaction() as tx:
            tx.emit(Happening(code, recording.id, data, recording.channel_id))

    def hooks(self, specs: Mapping[str, HookSettings]) -> Hooks:
        return Hooks(
            self.lib.db, self.bus, self.channels, self.notices, specs, {"recordings": Path("/media")}
        )  # fmt: skip

    @asynccontextmanager
    async def running(self, **specs: HookSettings) -> AsyncGenerator[Hooks]:
        hooks = self.hooks(specs)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(hooks.run)
            while not self.bus.listeners:
                await anyio.lowlevel.checkpoint()
            yield hooks
            tasks.cancel_scope.cancel()

    async def heard(self, code: str) -> StoredEvent:
        """Wait for an event that has not been there."""
        async with self.bus.subscribe(0) as events:
            with anyio.fail_after(20):
                while True:
                    event = await events.next()
                    assert isinstance(event, StoredEvent)
                    if event.code == code:
                        return event

    def said(self, name: str) -> Any:
        return json.loads((self.folder / name).read_text())


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncGenerator[Scene]:
    async with library(tmp_path) as lib:
        channels = Channels(lib.db, Box())
        await channels.load()
        made = Scene(lib, channels, tmp_path)
        yield made
        made.bus.close()


def teller(path: Path, **known: Any) -> HookSettings:
    return HookSettings((sys.executable, "-c", _TELL, str(path)), **known)


def failing(code: str, **known: Any) -> HookSettings:
    return HookSettings((sys.executable, "-c", code), **{"all": True, **known})


async def exists(path: Path) -> None:
    with anyio.fail_after(20):
        while not await anyio.Path(path).exists():  # noqa: ASYNC110
            await anyio.sleep(0.01)


# -- what is told ------------------------------------------------------------------------------------------------------


async def test_a_hook_is_told_in_its_environment_and_on_its_input(scene: Scene) -> None:
    channel = await scene.channel(hooks=["mine"])
    recording = await scene.recording(channel)
    out = scene.folder / "out.json"
    async with scene.running(mine=teller(out)):
        await scene.tell("recording.finished", recording, gaps=0)
        await exists(out)
    args, env, stdin = scene.said("out.json")
    assert args == []
    assert env == {
        "OUZEL_EVENT": "recording.finished", "OUZEL_EVENT_NUMBER": env["OUZEL_EVENT_NUMBER"],
        "OUZEL_EVENT_AT": START.isoformat(), "OUZEL_SUBJECT": recording.id, "OUZEL_CHANNEL_ID": channel.id,
        "OUZEL_CHANNEL_NAME": "小明", "OUZEL_CHANNEL_PLATFORM": "huya",
        "OUZEL_CHANNEL_ADDRESS": "https://www.huya.com/1", "OUZEL_RECORDING_ID": recording.id,
        "OUZEL_RECORDING_TITLE": "title", "OUZEL_RECORDING_STATE": "done", "OUZEL_RECORDING_MEDIA_S": "2.5",
        "OUZEL_RECORDING_MISSING_S": "0.0", "OUZEL_RECORDING_BYTES": "30", "OUZEL_RECORDING_GAPS": "0",
        "OUZEL_FILE": "/media/小明/2.ts", "OUZEL_FILE_STATE": "closed", "OUZEL_FILE_FORMAT": "ts",
    }  # fmt: skip
    doc = json.loads(stdin)
    assert (doc["event"], doc["data"], doc["channel"]["name"]) == ("recording.finished", {"gaps": 0}, "小明")
    assert [file["path"] for file in doc["files"]] == ["/media/小明/1.ts", "/media/小明/2.ts"]


async def test_every_variable_is_documented() -> None:
    page = (Path(__file__).parents[2] / "docs/reference/hooks.md").read_text()
    recording = dict.fromkeys(("id", "title", "state", "media_s", "missing_s", "bytes", "gaps", "end_reason"), 1)  # fmt: skip
    told = HookEvent(StoredEvent(1, START, "recording.file", "r1", "c1", {}), CHANNEL, recording, [FILE], FILE)
    assert [name for name in told.variables() if f"`{name}`" not in page] == []


async def test_too_much_for_a_pipe_is_left_out_and_named() -> None:
    files = [replace(FILE, path=f"/media/{number:0200}.ts") for number in range(500)]
    event = StoredEvent(1, START, "recording.finished", "r1", "c1", {"why": "x" * 40_000})
    written = HookEvent(event, CHANNEL, {"id": "r1"}, files, FILE).document()
    doc = json.loads(written)
    assert len(written) < 32 * 1024
    assert (doc["left_out"], doc["files"], doc["data"]) == (["files", "data"], None, None)
    assert doc["file"]["path"] == FILE.path


async def test_the_arguments_of_another_recorder() -> None:
    assert douyin_arguments(["python3", "upload.py"], CHANNEL, FILE) == [
        "--record_name", "序号3 小明", "--save_file_path", "/media/a b.ts", "--save_type", "TS",
        "--split_video_by_time", "True", "--converts_to_mp4", "False",
    ]  # fmt: skip
    assert douyin_arguments(["upload.sh"], replace(CHANNEL, splits=False, converts=True), FILE) == [
        "小明", "/media/a b.ts", "TS", "split_video_by_time:False", "converts_to_mp4:True",
    ]  # fmt: skip


async def test_such_a_script_is_started_for_each_finished_file(scene: Scene) -> None:
    channel = await scene.channel(split_after_s=60)
    recording = await scene.recording(channel)
    await scene.lib.file(recording, "小明/3.ts", part=3, state=FileState.OPEN, closed_at=None)
    old = HookSettings(
        ("upload.sh",), on=("recording.finished", "recording.file", "broadcast.began"), all=True,
        shape="douyin_live_recorder",
    )  # fmt: skip
    hooks = scene.hooks({"old": old})

    def told(code: str, **data: Any) -> StoredEvent:
        return StoredEvent(1, START, code, recording.id, channel.id, data)

    starts = await hooks.starts(told("recording.finished"))
    assert [start.args[2] for start in starts] == ["/media/小明/1.ts", "/media/小明/2.ts"]
    assert starts[0].args[4] == "split_video_by_time:True"
    assert starts[0].stdin == b""
    starts = await hooks.starts(told("recording.file", path="小明/1.ts", state="closed"))
    assert [start.args[2] for start in starts] == ["/media/小明/1.ts"]
    for code, data in (("recording.file", {"path": "小明/3.ts", "state": "open"}), ("broadcast.began", {})):
        assert await hooks.starts(told(code, **data)) == []


async def test_a_script_of_the_other_recorder_is_not_started_for_what_was_made_of_it(scene: Scene) -> None:
    channel = await scene.channel(1)
    recording = await scene.recording(channel)
    await scene.lib.file(recording, "1.mp4", role=FileRole.PRODUCT)
    await scene.lib.file(recording, "1.jpg", role=FileRole.POSTER)
    old = HookSettings(("x",), on=("recording.file",), all=True, shape="douyin_live_recorder")
    hooks = scene.hooks({"old": old, "own": replace(old, shape="ouzel")})
    for path, role in (("1.mp4", "product"), ("1.jpg", "poster")):
        data = {"path": path, "state": "closed", "role": role}
        starts = await hooks.starts(StoredEvent(1, START, "recording.file", recording.id, channel.id, data))
        assert [start.hook for start in starts] == ["own"]
        assert "1.jpg" not in str(json.loads(starts[0].stdin)["files"])


async def test_names_are_no_commands_for_a_shell(scene: Scene) -> None:
    channel = await scene.channels.add(
        NewChannel(("https://www.huya.com/1",), name=f"'; touch {scene.folder}/hacked; '"), by="me"
    )
    recording = await scene.recording(channel)
    out = scene.folder / "out"
    script = f'f() {{ printf "%s\\n" "$@" > {out}.part; mv {out}.part {out}; }}; f'
    spec = HookSettings((script,), shell=True, all=True, shape="douyin_live_recorder")
    async with scene.running(old=replace(spec, on=("recording.file",))):
        await scene.tell("recording.file", recording, path="小明/1.ts", state="closed")
        await exists(out)
    assert out.read_text().splitlines()[0] == channel.name
    assert not (scene.folder / "hacked").exists()


# -- for whom ----------------------------------------------------------------------------------------------------------


async def test_only_channels_that_name_it_or_all(scene: Scene) -> None:
    named, other = await scene.channel(1, hooks=["mine"]), await scene.channel(2)
    hooks = scene.hooks({"mine": HookSettings(("a",)), "every": HookSettings(("b",), all=True)})

    async def started(code: str, channel: Channel | None) -> list[str]:
        event = StoredEvent(1, START, code, "x", channel.id if channel else None, {})
        return [start.hook for start in await hooks.starts(event)]

    assert await started("recording.finished", named) == ["mine", "every"]
    assert await started("recording.finished", other) == ["every"]
    assert await started("recording.began", named) == []
    await scene.channels.remove(named.id, by="me")
    assert await started("recording.finished", named) == ["every"]


async def test_an_event_that_there_is_not(scene: Scene) -> None:
    with pytest.raises(BadConfig, match=r"\[hooks\.mine\] on: there is no event recording\.done"):
        scene.hooks({"mine": HookSettings(("a",), on=("recording.done",))})


# -- what goes wrong ---------------------------------------------------------------------------------------------------


async def test_a_hook_that_fails_is_a_notice_until_it_works(scene: Scene) -> None:
    recording = await scene.recording(await scene.channel())
    switch = scene.folder / "works"
    code = (
        "import pathlib, sys; print('out'); "
        f"sys.exit(0 if pathlib.Path({str(switch)!r}).exists() else 'Authorization: Bearer abcdef0123456789')"
    )
    async with scene.running(mine=failing(code)):
        await scene.tell("recording.finished", recording)
        raised = await scene.heard("notice.raised")
        data = raised.data["data"]
        assert (raised.data["code"], data["hook"], data["event"]) == ("hook.failed", "mine", "recording.finished")
        assert "code 1" in data["why"]
        assert data["output"].startswith("out\n")
        assert "abcdef0123456789" not in json.dumps(data)
    switch.touch()
    async with scene.running(mine=failing(code)):  # after a new start
        await scene.tell("recording.finished", recording)
        await scene.heard("notice.over")
    assert await scene.notices.page() == []


async def test_a_program_that_is_not_there(scene: Scene) -> None:
    recording = await scene.recording(await scene.channel())
    async with scene.running(mine=HookSettings(("no-such-program-here",), all=True)):
        await scene.tell("recording.finished", recording)
        assert "no-such-program-here" in (await scene.heard("notice.raised")).data["data"]["why"]


async def test_a_hook_that_hangs_is_ended_with_all_that_it_started(scene: Scene) -> None:
    recording = await scene.recording(await scene.channel())
    pids = scene.folder / "pids"
    code = (
        "import os, subprocess, time; c = subprocess.Popen(['sleep', '600']); print('hanging', flush=True); "
        f"open({str(pids)!r}, 'w').write(f'{{os.getpid()}} {{c.pid}}'); time.sleep(600)"
    )
    async with scene.running(mine=failing(code, timeout=timedelta(seconds=2))):
        await scene.tell("recording.finished", recording)
        data = (await scene.heard("notice.raised")).data["data"]
    assert "longer than 2 s" in data["why"]
    assert data["output"] == "hanging"
    for pid in pids.read_text().split():
        await gone(int(pid))


async def test_what_a_hook_leaves_behind_is_ended_too(scene: Scene) -> None:
    recording = await scene.recording(await scene.channel())
    pids = scene.folder / "pids"
    code = (
        "import subprocess, sys; c = subprocess.Popen(['sleep', '600']); "
        f"open({str(pids)!r}, 'w').write(str(c.pid)); sys.exit(1)"
    )
    async with scene.running(mine=failing(code)):
        await scene.tell("recording.finished", recording)
        assert "code 1" in (await scene.heard("notice.raised")).data["data"]["why"]
    await gone(int(pids.read_text()))


async def test_nobody_waits_for_hooks_and_not_too_many_run(scene: Scene) -> None:
    recording = await scene.recording(await scene.channel())
    folder, go = scene.folder / "runs", scene.folder / "go"
    folder.mkdir()
    code = (
        "import os, pathlib, time\n"
        f"pathlib.Path({str(folder)!r}, os.environ['OUZEL_EVENT_NUMBER']).touch()\n"
        f"while not os.path.exists({str(go)!r}): time.sleep(0.01)"
    )
    async with scene.running(mine=failing(code)):
        for _ in range(9):
            await scene.tell("recording.finished", recording)  # returns at once
        with anyio.fail_after(20):
            while len([*folder.iterdir()]) < 4:  # noqa: ASYNC110
                await anyio.sleep(0.01)
        assert len([*folder.iterdir()]) == 4
        go.touch()
        with anyio.fail_after(20):
            while len([*folder.iterdir()]) < 9:  # noqa: ASYNC110
                await anyio.sleep(0.01)


async def gone(pid: int) -> None:
    with anyio.fail_after(10):
        while _runs(pid):  # noqa: ASYNC110
            await anyio.sleep(0.01)


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        return b") Z " not in Path(f"/proc/{pid}/stat").read_bytes()
    except (ProcessLookupError, FileNotFoundError):
        return False


async def test_a_download_that_is_whole_is_told_with_its_file(scene: Scene) -> None:
    hooks = scene.hooks({"every": HookSettings(("a",), on=("download.finished",), all=True)})
    data = {"name": "film", "path": "/videos/film.ts", "ledger": None, "format": "ts", "bytes": 40, "media_s": 4.0}
    (start,) = await hooks.starts(StoredEvent(1, START, "download.finished", "d1", None, data))
    assert (start.env["OUZEL_FILE"], start.env["OUZEL_FILE_STATE"], start.env["OUZEL_SUBJECT"]) == (
        "/videos/film.ts", "closed", "d1",
    )  # fmt: skip
    assert json.loads(start.stdin)["files"] == [
        {"path": "/videos/film.ts", "format": "ts", "state": "closed", "bytes": 40, "media_s": 4.0}
    ]
