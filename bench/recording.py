"""What `ouzel serve` costs while it records, beside one `ouzel record` of the same addresses, in one run.

    .venv/bin/python bench/recording.py [--channels 50] [--seconds 40] [--folder /dev/shm]

Both record the same live HLS channels of one origin side by side: a process of `ouzel record` with all addresses, and a daemon
to which they were added as channels. Once every one of them is recorded and has settled, the processor time of both is taken
for so many seconds. The ratio is the result: what the rows, the events and the API of the daemon add.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from daemon import Contestant, add_addresses, begin, cpu_s, rss_mb, switches
from live.cases import Entry
from live.media import clip
from live.origins import channel_names, serve

SETTLE_S = 15.0
SERVE = (sys.executable, "-m", "ouzel", "serve", "--port", "0", "--json", "--quiet")


def parts(folder: Path) -> int:
    return len([*folder.rglob("*.part")])


def wait_for(folder: Path, count: int) -> None:
    until = time.monotonic() + 120
    while (found := parts(folder)) < count:
        if time.monotonic() > until:
            raise SystemExit(f"only {found} of {count} are recorded in {folder}")
        time.sleep(0.5)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--channels", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=40.0)
    parser.add_argument("--folder", type=Path, default=Path("/dev/shm"))
    args = parser.parse_args()
    names = channel_names(args.channels)
    with ExitStack() as running:
        folder = Path(running.enter_context(tempfile.TemporaryDirectory(dir=args.folder)))
        shown = clip(Path(tempfile.gettempdir(), "ouzel-bench-clips"))
        source = running.enter_context(serve(Entry("ouzel", "hls"), names, shown, folder, None))
        log = running.enter_context(Path(os.devnull).open("wb"))
        daemon = Contestant("daemon", SERVE)
        begin(daemon, folder / "daemon", log)
        add_addresses(folder / "daemon", source.urls)
        command = [sys.executable, "-m", "ouzel", "record", *source.urls, "-o", f"{folder / 'record'}/", "--json"]
        process = subprocess.Popen(command, stdout=log, stderr=log)
        contestants = [Contestant("record", command, pid=process.pid), daemon]
        for each in contestants:
            running.callback(os.waitpid, each.pid, 0)
            running.callback(os.kill, each.pid, signal.SIGTERM)
        for name in ("record", "daemon"):
            wait_for(folder / name, args.channels)
        time.sleep(SETTLE_S)
        before = {each.name: (cpu_s(each.pid), switches(each.pid)) for each in contestants}
        time.sleep(args.seconds)
        for each in contestants:
            spent, waited = before[each.name]
            each.rss_mb = rss_mb(each.pid)
            each.cpu_percent = 100 * (cpu_s(each.pid) - spent) / args.seconds
            each.switches_s = (switches(each.pid) - waited) / args.seconds
    print("| | memory | processor | woken |\n| --- | --- | --- | --- |")
    for each in contestants:
        print(f"| {each.name} | {each.rss_mb:.1f} MB | {each.cpu_percent:.2f} % | {each.switches_s:.0f} a second |")
    record, daemon = contestants
    print(f"\ndaemon / record: {daemon.cpu_percent / record.cpu_percent:.2f} of the processor time")


if __name__ == "__main__":
    main()
