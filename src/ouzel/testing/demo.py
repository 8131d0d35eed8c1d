"""`make demo`: a synthetic live channel on this machine, recorded by the real command, with a break on purpose.

The picture shows UTC, burnt in, so that a recording tells by itself when it was made. It is encoded once, and served as live
HLS and as HTTP-FLV by the test origin.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import anyio

from ouzel.system.ffmpeg import FfmpegFinder
from ouzel.testing.clips import Clip, make_clip
from ouzel.testing.origin import LiveOrigin

RECORD_S = 30
BREAK_AFTER_S = 12
CLIP_S = 96
ENCODING_S = 8
FOLDER = Path("demo-recording")
_EN = {
    "encode": "encoding a live picture with a clock and a tone ({seconds} s, once) with {ffmpeg}",
    "serve": "serving it on {url}, live, as HLS and as HTTP-FLV",
    "break": "after about {seconds} s the FLV connection will be reset, and one HLS segment will be missing",
    "run": "$ {command}",
    "verify": "now every byte is compared with the ledgers",
    "done": "The files are in {folder}/. The clock in the picture jumps where the report has a gap.",
}
_ZH = {
    "encode": "正在编码带时钟和提示音的直播画面（{seconds} 秒，仅一次），使用 {ffmpeg}",
    "serve": "正在 {url} 以 HLS 和 HTTP-FLV 直播",
    "break": "大约 {seconds} 秒后，FLV 连接会被重置，并且会缺少一个 HLS 分片",
    "run": "$ {command}",
    "verify": "现在将每个字节与账本核对",
    "done": "文件在 {folder}/。报告中有缺口的地方，画面里的时钟会跳动。",
}


def say(key: str, **fields: object) -> None:
    chinese = (os.environ.get("OUZEL_LANG") or os.environ.get("LC_ALL") or os.environ.get("LANG") or "").startswith(
        "zh"
    )
    print(f"demo: {(_ZH if chinese else _EN)[key].format(**fields)}", flush=True)  # noqa: T201


async def main() -> int:
    """Returns 0 when the demonstration went as announced: both files have media, and both have their gap."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    ffmpeg = await FfmpegFinder().find()
    start = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=ENCODING_S)
    say("encode", seconds=CLIP_S, ffmpeg=ffmpeg.path)
    clip = await anyio.to_thread.run_sync(_encode, start, ffmpeg.path)
    async with LiveOrigin() as origin:
        channel = origin.channel("demo", clip, speed=1, begin=start)
        say("serve", url=origin.url)
        await anyio.sleep(max(0.0, (start - datetime.now(UTC)).total_seconds()) + 2 * clip.gop_90k / 90_000)
        say("break", seconds=BREAK_AFTER_S)
        flv_bytes = sum(p.stat().st_size for p in clip.folder.rglob("*.mp4")) * BREAK_AFTER_S // CLIP_S
        origin.on("demo.flv").reset(after=flv_bytes, times=1).status(503, times=3)
        gop_s = clip.gop_90k / 90_000
        origin.on(f"seg{channel.segments + round(BREAK_AFTER_S / gop_s)}.ts").status(404)
        command = ["record", channel.url, channel.flv_url, "-o", f"{FOLDER}/", "--duration", f"{RECORD_S}s"]
        code = await _ouzel(*command)
        say("verify")
        files = _recorded()
        verdict = await _ouzel("verify", *map(str, files))
    say("done", folder=FOLDER)
    return 0 if (code, verdict, len(files)) == (3, 3, 2) else 1


async def _ouzel(*args: str) -> int:
    say("run", command=" ".join(["ouzel", *args]))
    async with await anyio.open_process(
        [sys.executable, "-m", "ouzel", *args], stdin=subprocess.DEVNULL, stdout=None, stderr=None
    ) as process:
        return await process.wait()


def _recorded() -> list[Path]:
    return sorted(p for p in FOLDER.iterdir() if p.suffix in {".ts", ".flv"})


def _encode(start: datetime, ffmpeg: str) -> Clip:
    return make_clip(FOLDER / "clip", seconds=CLIP_S, size="640x360", gop_s=2, start=start, ffmpeg=ffmpeg)


if __name__ == "__main__":
    sys.exit(anyio.run(main))
