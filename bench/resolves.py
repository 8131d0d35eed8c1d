"""What resolving costs us, apart from the sites: 500 resolves, 20 at once, against the platform server on this machine.

    .venv/bin/python bench/resolves.py [PAGES] [AT ONCE]

Prints, for one platform of our own code and one of each library: how long one resolve takes, how much processor time the
child needs for it, how many requests it makes, what the child's memory is after a tenth of them and at the end; and what this
process has grown by.
"""

from __future__ import annotations

import os
import statistics
import sys
import time
from pathlib import Path

import anyio

from ouzel.base.errors import OuzelError
from ouzel.platforms.contract import AdapterName, Options
from ouzel.platforms.host import ResolverHost, open_host
from ouzel.platforms.registry import registry
from ouzel.testing.platforms import platform_server, read_case

DATA = Path(__file__).parent.parent / "tests" / "data" / "platforms"
WAYS: tuple[tuple[str, AdapterName], ...] = (
    ("bilibili", "own"),
    ("picarto", "streamlink"),
    ("parti", "yt-dlp"),
    ("blued", "streamget"),
)


async def main(count: int, at_once: int) -> None:
    async with platform_server() as server:
        os.environ["SSL_CERT_FILE"] = str(server.ca_file)
        options = Options(proxy=server.proxy)
        before = _rss(os.getpid())
        for name, adapter in WAYS:
            case = read_case(DATA / name / adapter / "live.toml")
            server.play(case)
            url = case.url or registry()[name].example
            async with open_host() as host:
                await _measure(host, url, adapter, options, count, at_once)
            print(f"    requests each: {len(server.asked) / (count + at_once):.1f}")
        print(f"this process has grown by {(_rss(os.getpid()) - before) / 1e6:.1f} MB")


async def _measure(
    host: ResolverHost, url: str, adapter: AdapterName, options: Options, count: int, at_once: int
) -> None:
    places, took, early = anyio.CapacityLimiter(at_once), list[float](), 0

    async def one(*, counted: bool) -> None:
        async with places:
            began = time.monotonic()
            told = await host.resolve(url, options, only=adapter)
            if isinstance(told.outcome, OuzelError):
                raise told.outcome
            if counted:
                took.append(time.monotonic() - began)

    worked_s = 0.0
    for number, counted in ((at_once, False), (count // 10, True), (count - count // 10, True)):
        async with anyio.create_task_group() as tasks:
            for _ in range(number):
                tasks.start_soon(lambda counted=counted: one(counted=counted))
        early = early or (_rss(host.pids[0]) if counted else 0)
        worked_s = worked_s or _worked_s(host.pids[0])
    took.sort()
    middle, late = statistics.median(took) * 1000, took[int(len(took) * 0.95)] * 1000
    print(f"{adapter:<12} {count} resolves, {at_once} at once: median {middle:.0f} ms, p95 {late:.0f} ms")
    worked_s = _worked_s(host.pids[0]) - worked_s
    print(f"    processor: {worked_s / count * 1000:.1f} ms each")
    print(f"    child: {early / 1e6:.0f} MB after a tenth, {_rss(host.pids[0]) / 1e6:.0f} MB at the end")


def _rss(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def _worked_s(pid: int) -> float:
    """Processor time so far."""
    user, system = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    anyio.run(main, int(sys.argv[1]) if len(sys.argv) > 1 else 500, int(sys.argv[2]) if len(sys.argv) > 2 else 20)
