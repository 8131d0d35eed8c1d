"""`make demo`: the daemon watches two synthetic channels on this machine, which go live and offline, and records them.

The picture shows UTC, burnt in, so that a recording tells by itself when it was made. One channel is live HLS from the first
moment, with a segment that is missing; the other is HTTP-FLV, begins later, breaks off, and comes back: it is one recording.

What is over becomes MP4, gets thumbnails, and is copied to a remote (rclone, to a folder beside); a rule keeps the newest only.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import anyio
import anyio.abc

from ouzel.system.ffmpeg import FfmpegFinder
from ouzel.testing.clips import Clip, make_clip
from ouzel.testing.origin import LiveOrigin

Row = dict[str, Any]
FOLDER = Path("demo-recording")
DATA, MEDIA, NAS = FOLDER / "data", FOLDER / "media", FOLDER / "nas"
CLIP_S = 96
ENCODING_S = 8
MISSING_AFTER_S = 10
SECOND_S = 6
"""After so long the second channel goes live …"""
BREAK_S = 18
"""… and is away after so much more …"""
AWAY_S = 6
LAST_S = 14
"""… and lasts, once it is back."""
_START_S = 60.0
_AFTER_S = 120.0
_END_S = 60.0
_EN = {
    "encode": "encoding a live picture with a clock and a tone ({seconds} s, once) with {ffmpeg}",
    "serve": "starting the daemon; its data are in {folder}/",
    "ready": "the daemon is at {address}; the link that it shows makes the first account",
    "add": "two channels: one is live as HLS, the other is to come as HTTP-FLV",
    "missing": "one HLS segment is going to be missing",
    "live": "{name}: on air",
    "away": "{name}: the connection is reset, and the stream is away for {seconds} s",
    "back": "{name}: back",
    "off": "{name}: off air",
    "run": "$ {command}",
    "after": "what is over becomes MP4, gets thumbnails, and is copied to {folder}/; of all recordings the newest is kept",
    "jobs": "waiting for the jobs of both recordings",
    "verify": "now every byte is compared with the ledgers",
    "done": "The files are in {folder}/. The clock in the picture jumps where there is a gap.",
    "failed": "that is not what was announced: {what}",
}
_ZH = {
    "encode": "正在编码带时钟和提示音的直播画面（{seconds} 秒，仅一次），使用 {ffmpeg}",
    "serve": "正在启动守护进程；其数据在 {folder}/",
    "ready": "守护进程在 {address}；它显示的链接用于创建第一个账号",
    "add": "两个频道：一个正以 HLS 直播，另一个稍后以 HTTP-FLV 开播",
    "missing": "将会缺少一个 HLS 分片",
    "live": "{name}：开播",
    "away": "{name}：连接被重置，流中断 {seconds} 秒",
    "back": "{name}：恢复",
    "off": "{name}：下播",
    "run": "$ {command}",
    "after": "结束的录像将转为 MP4、生成缩略图，并复制到 {folder}/；所有录像中只保留最新的一个",
    "jobs": "正在等待两个录像的后续任务",
    "verify": "现在将每个字节与账本核对",
    "done": "文件在 {folder}/。有缺口的地方，画面里的时钟会跳动。",
    "failed": "结果与预告不符：{what}",
}


def say(key: str, **fields: object) -> None:
    chinese = (os.environ.get("OUZEL_LANG") or os.environ.get("LC_ALL") or os.environ.get("LANG") or "").startswith(
        "zh"
    )
    print(f"demo: {(_ZH if chinese else _EN)[key].format(**fields)}", flush=True)  # noqa: T201


async def main() -> int:
    """Returns 0 when the demonstration went as announced: a recording for each channel, each with its gap."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    ffmpeg = await FfmpegFinder().find()
    start = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=ENCODING_S)
    say("encode", seconds=CLIP_S, ffmpeg=ffmpeg.path)
    clip = await anyio.to_thread.run_sync(_encode, start, ffmpeg.path)
    async with LiveOrigin() as origin, _daemon() as daemon:
        await _afterwards()
        await _wait_until(start + timedelta(seconds=2 * clip.gop_90k / 90_000))
        await _show(origin, clip, start)
        runs = await _runs()
        recordings = await _told("recordings", "list")
        await _ouzel("recordings", "list")
        await _ouzel("pipelines", "runs")
        await _ouzel("recordings", "show", runs[0]["recording_id"])
        await _ouzel("remotes", "copies", runs[0]["recording_id"])
        await _retention()
        await _ouzel("status")
        daemon.send_signal(signal.SIGTERM)
        with anyio.fail_after(_END_S):
            ended = await daemon.wait()
    say("verify")
    files = sorted(path for path in MEDIA.rglob("*") if path.suffix in {".ts", ".flv", ".mp4"})
    verdict = await _ouzel("verify", *map(str, files))
    gaps = sorted(recording["gaps"] for recording in recordings)
    states = [run["state"] for run in runs]
    made = {path.name: path.read_bytes() for path in MEDIA.rglob("*.mp4")}
    copied = {path.name: path.read_bytes() for path in NAS.rglob("*.mp4")}
    if (ended, verdict, gaps, states) != (0, 3, [1, 1], ["done", "done"]) or copied != made or len(made) != 2:
        say(
            "failed",
            what=f"exit {ended}, verify {verdict}, gaps {gaps}, jobs {states}, copies {[*copied]} of {[*made]}",
        )
        return 1
    say("done", folder=MEDIA)
    return 0


async def _show(origin: LiveOrigin, clip: Clip, start: datetime) -> None:
    """What the two channels do, told as it happens."""
    gop_s = clip.gop_90k / 90_000
    first = origin.channel("first", clip, speed=1, begin=start)
    second_url = first.flv_url.replace("first", "second")
    say("missing")
    origin.on(f"seg{first.segments + round(MISSING_AFTER_S / gop_s)}.ts").status(404)
    say("add")
    await _ouzel("channels", "add", first.url, "--name", "first")
    await _ouzel("channels", "add", second_url, "--name", "second")
    await anyio.sleep(SECOND_S)
    origin.channel("second", clip, speed=1, begin=start)
    say("live", name="second")
    await _ouzel("channels", "check", "second")
    await anyio.sleep(BREAK_S)
    say("away", name="second", seconds=AWAY_S)
    away = origin.on("second.flv").status(503)
    origin.channels["second"].end()
    await anyio.sleep(AWAY_S)
    origin.channel("second", clip, speed=1, begin=start)
    away.clear()
    say("back", name="second")
    await anyio.sleep(LAST_S)
    first.end()
    say("off", name="first")
    await _ouzel("channels", "stop", "second")
    origin.on("second.flv").status(404)
    origin.channels["second"].end()
    say("off", name="second")
    await _ouzel("channels", "check", "second")
    await anyio.sleep(2 * gop_s)


async def _afterwards() -> None:
    """What is done with recordings that are over."""
    say("after", folder=NAS)
    NAS.mkdir(parents=True)
    (FOLDER / "rclone.conf").write_text(f"[nas]\ntype = alias\nremote = {NAS.absolute()}\n")
    await _ouzel("remotes", "add", "nas", "rclone", "remote=nas")
    await _ouzel("pipelines", "add", "keep", "remux format=mp4", "thumbnails every_s=5", "upload to=nas")
    await _ouzel("pipelines", "use", "keep", "--all")
    await _ouzel("retention", "add", "newest", "--keep-count", "1", "--per", "root")
    await _ouzel("retention", "use", "newest", "--all")


async def _retention() -> None:
    """When neither broadcast can come back any more."""
    await _until(lambda plan: plan[0]["count"], "retention", "plan")
    await _ouzel("retention", "plan")
    await _ouzel("retention", "run")
    await _until(bool, "trash", "list")
    await _ouzel("trash", "list")


async def _runs() -> list[Row]:
    """Of the pipeline, when both are over."""
    say("jobs")
    return await _until(
        lambda runs: len(runs) == 2 and all(run["state"] != "running" for run in runs), "pipelines", "runs"
    )


async def _until(is_so: Callable[[list[Row]], object], *args: str) -> list[Row]:
    """What a command tells, once it is so."""
    with anyio.fail_after(_AFTER_S):
        while True:
            if is_so(rows := await _told(*args)):
                return rows
            await anyio.sleep(1)


@asynccontextmanager
async def _daemon() -> AsyncGenerator[anyio.abc.Process]:
    """The real command; whatever happens, it is not left running."""
    say("serve", folder=DATA)
    command = [sys.executable, "-m", "ouzel", "serve", "--port", "0"]
    async with await anyio.open_process(
        command, stdin=subprocess.DEVNULL, stdout=None, stderr=None, env=_environment()
    ) as process:
        try:
            say("ready", address=await _address())
            yield process
        finally:
            if process.returncode is None:
                process.kill()


async def _address() -> str:
    """As it stands in its lock, once it listens."""
    lock = anyio.Path(DATA / "ouzel.lock")
    with anyio.fail_after(_START_S):
        while True:
            if await lock.exists() and (address := _address_in(await lock.read_text())):
                return address
            await anyio.sleep(0.1)


def _address_in(text: str) -> str:
    try:
        return json.loads(text)["address"]
    except (ValueError, KeyError):  # it is being written
        return ""


def _environment() -> dict[str, str]:
    return {
        **os.environ, "OUZEL_STORAGE__DATA": str(DATA.absolute()), "OUZEL_STORAGE__RECORDINGS": str(MEDIA.absolute()),
        "OUZEL_STORAGE__MIN_FREE": "64MiB", "OUZEL_WATCH__INTERVAL": "10s", "OUZEL_RECORD__PARK": "30s",
        "OUZEL_TRANSFER__RCLONE_CONFIG": str((FOLDER / "rclone.conf").absolute()),
    }  # fmt: skip


async def _ouzel(*args: str) -> int:
    say("run", command=shlex.join(["ouzel", *args]))
    command = [sys.executable, "-m", "ouzel", *args]
    async with await anyio.open_process(
        command, stdin=subprocess.DEVNULL, stdout=None, stderr=None, env=_environment()
    ) as process:
        return await process.wait()


async def _told(*args: str) -> list[Row]:
    """The rows of a list."""
    command = [sys.executable, "-m", "ouzel", *args, "--json"]
    done = await anyio.run_process(command, env=_environment(), stderr=None)
    docs: list[Any] = [json.loads(line) for line in done.stdout.decode().splitlines() if line.strip()]
    return [row for doc in docs for row in (doc.get("items") or [doc])]


async def _wait_until(moment: datetime) -> None:
    await anyio.sleep(max(0.0, (moment - datetime.now(UTC)).total_seconds()))


def _encode(start: datetime, ffmpeg: str) -> Clip:
    return make_clip(FOLDER / "clip", seconds=CLIP_S, size="640x360", gop_s=2, start=start, ffmpeg=ffmpeg)


if __name__ == "__main__":
    sys.exit(anyio.run(main))
