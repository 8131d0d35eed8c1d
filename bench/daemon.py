"""What `ouzel serve` costs while nothing happens, beside the least that a server with a database can be, in one run.

    .venv/bin/python bench/daemon.py [--seconds 60] [--channels 1000]

The real commands run as children, side by side: a *bare* server (FastAPI, SQLAlchemy with aiosqlite, uvicorn; one table, one
route), an *idle* daemon, and one that has `--channels` permanent addresses to watch, added in a few requests; nobody answers at
those, and each is asked for the first time while it is measured. Each process is asked for its health once, rests for
`--seconds`, and is measured: resident memory (RSS) with that of its children, processor time of the rest, how often its threads
were woken, and how long it took to answer first.
Ratios are the result; absolute figures are of this machine.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import IO

TICKS = os.sysconf("SC_CLK_TCK")
SETTLE_S = 15.0
"""After the start, or after the channels were added: until then it is at work."""
BATCH = 500
"""Channels that one request adds at most."""

BARE = """
import contextlib, socket, uvicorn
from fastapi import FastAPI
from sqlalchemy import Column, Integer, MetaData, Table, Text, select
from sqlalchemy.ext.asyncio import create_async_engine
things = Table("things", MetaData(), Column("id", Integer, primary_key=True), Column("name", Text))
engine = create_async_engine("sqlite+aiosqlite:///bare.db")
@contextlib.asynccontextmanager
async def life(app):
    async with engine.begin() as connection:
        await connection.run_sync(things.metadata.create_all)
    print('{"address": "http://127.0.0.1:%d"}' % door.getsockname()[1], flush=True)
    yield
    await engine.dispose()
app = FastAPI(lifespan=life)
@app.get("/health")
async def health() -> list[str]:
    async with engine.connect() as connection:
        return list((await connection.execute(select(things.c.name))).scalars())
door = socket.create_server(("127.0.0.1", 0))
uvicorn.Server(uvicorn.Config(app, log_level="error", access_log=False)).run([door])
"""


@dataclass
class Contestant:
    name: str
    command: Sequence[str]
    rss_mb: float = 0.0
    cpu_percent: float = 0.0
    switches_s: float = 0.0
    start_s: float = 0.0
    pid: int = 0


def tree(pid: int) -> list[int]:
    """A process and all below it."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(each for child in children for each in tree(int(child)))]


def rss_mb(pid: int) -> float:
    page = os.sysconf("SC_PAGE_SIZE")
    return sum(int(Path(f"/proc/{each}/statm").read_text().split()[1]) * page for each in tree(pid)) / 1e6


def cpu_s(pid: int) -> float:
    fields = [Path(f"/proc/{each}/stat").read_text().rpartition(")")[2].split() for each in tree(pid)]
    return sum(int(each[11]) + int(each[12]) for each in fields) / TICKS


def switches(pid: int) -> int:
    """Times that its threads have waited: how often it was woken."""
    status = [path.read_text() for each in tree(pid) for path in Path(f"/proc/{each}/task").glob("*/status")]
    return sum(
        int(count) for text in status for count in re.findall(r"^voluntary_ctxt_switches:\s+(\d+)", text, re.MULTILINE)
    )


def begin(contestant: Contestant, folder: Path, log: IO[bytes]) -> str:
    """Its address, once it has answered."""
    folder.mkdir()
    env = os.environ | {
        "OUZEL_STORAGE__DATA": str(folder / "data"), "OUZEL_STORAGE__MIN_FREE": "1KiB", "OUZEL_WATCH__INTERVAL": "1h",
    }  # fmt: skip
    began = time.monotonic()
    process = subprocess.Popen(contestant.command, cwd=folder, env=env, stdout=subprocess.PIPE, stderr=log)
    contestant.pid = process.pid
    assert process.stdout is not None
    address: str = json.loads(process.stdout.readline())["address"]
    with urllib.request.urlopen(f"{address}/health", timeout=10) as answer:
        answer.read()
    contestant.start_s = time.monotonic() - began
    return address


def add_addresses(folder: Path, addresses: Sequence[str]) -> float:
    """Seconds that it took."""
    env = os.environ | {"OUZEL_STORAGE__DATA": str(folder / "data")}
    began = time.monotonic()
    for some in range(0, len(addresses), BATCH):
        command = [sys.executable, "-m", "ouzel", "channels", "add", *addresses[some : some + BATCH], "--json"]
        subprocess.run(command, env=env, check=True, stdout=subprocess.DEVNULL)
    return time.monotonic() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--channels", type=int, default=1000)
    args = parser.parse_args()
    serve = [sys.executable, "-m", "ouzel", "serve", "--port", "0", "--json", "--quiet"]
    contestants = [
        Contestant("bare", [sys.executable, "-c", BARE]), Contestant("idle", serve), Contestant("watching", serve),
    ]  # fmt: skip
    with tempfile.TemporaryDirectory() as folder, ExitStack() as running, Path(os.devnull).open("wb") as log:
        for each in contestants:
            begin(each, Path(folder, each.name), log)
            running.callback(os.waitpid, each.pid, 0)
            running.callback(os.kill, each.pid, signal.SIGTERM)
        silent = [f"http://127.0.0.1:9/live/{number}/index.m3u8" for number in range(args.channels)]
        added_s = add_addresses(Path(folder, "watching"), silent)
        time.sleep(SETTLE_S)
        before = {each.name: (cpu_s(each.pid), switches(each.pid)) for each in contestants}
        time.sleep(args.seconds)
        for each in contestants:
            spent, waited = before[each.name]
            each.rss_mb = rss_mb(each.pid)
            each.cpu_percent = 100 * (cpu_s(each.pid) - spent) / args.seconds
            each.switches_s = (switches(each.pid) - waited) / args.seconds
    print("| | memory | processor | woken | first answer after |\n| --- | --- | --- | --- | --- |")
    for each in contestants:
        print(
            f"| {each.name} | {each.rss_mb:.1f} MB | {each.cpu_percent:.2f} % | {each.switches_s:.0f} a second"
            f" | {each.start_s:.1f} s |"
        )
    bare, idle, watching = contestants
    print(f"\nidle / bare: {idle.rss_mb / bare.rss_mb:.2f} of the memory")
    print(
        f"{args.channels} channels, added in {added_s:.1f} s: {watching.rss_mb - idle.rss_mb:.1f} MB more than an idle daemon"
    )


if __name__ == "__main__":
    main()
