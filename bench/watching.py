"""What a thousand watched channels cost the process that watches them: memory, and processor time.

    .venv/bin/python bench/watching.py [CHANNELS] [MINUTES]

The platforms are made up and answer in the process, in virtual time; database, supervisor and watching are the real ones. Prints
the resident memory with one channel, and with all of them after so many minutes (10), what is between them, and how much
processor time a minute has taken. The child process that asks real platforms is not in it.
"""

from __future__ import annotations

import gc
import os
import sys
import tempfile
import time
from pathlib import Path

import anyio

sys.path.insert(0, str(Path(__file__).parent.parent))

from tests.fake_sites import Room, Site, world

from ouzel.testing.virtual_time import simulate

SITES = 12


def rss() -> float:
    """MB."""
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


async def measure(folder: Path, channels: int, minutes: float) -> None:
    sites = [Site(f"s{number}", at_once=50 if number < 4 else 0) for number in range(SITES)]
    for number in range(channels):
        name = str(number)
        on_air = [(0.0, 1e9)] if number % 10 == 0 else []
        sites[number % SITES].rooms[name] = Room(name, on_air=on_air)
    async with world(folder, sites, keep_heard=False) as made:
        first = await made.add("s0", "0")
        await made.begin()
        await anyio.sleep(60)
        empty = rss()
        await made.add_all([(site.name, name, True, {}) for site in sites for name in site.rooms if name != first.name])
        await made.begin()
        made.watching.reload()
        began = time.process_time()
        await anyio.sleep(60 * minutes)
        spent = time.process_time() - began
        full = rss()
        asked = sum(len(site.requests) for site in sites)
        print(f"{empty:.1f} MB with one channel, {full:.1f} MB with {channels}: {full - empty:.1f} MB more")
        print(
            f"{asked} questions in {minutes:g} min, {len(made.recorders.running)} recorded; {spent / minutes:.2f} s a minute"
        )


def main() -> None:
    channels = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    minutes = float(sys.argv[2]) if len(sys.argv) > 2 else 10.0
    with tempfile.TemporaryDirectory() as folder:
        simulate(lambda: measure(Path(folder), channels, minutes))


if __name__ == "__main__":
    main()
