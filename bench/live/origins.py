"""Origins for a run: the project's own, in a process of its own, or the lean one for FLV."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from live.cases import Entry
from live.media import GROUP_S, LATER_MS
from ouzel.testing.clips import Clip
from ouzel.testing.origin import LiveOrigin, OriginProcess

LEAD_S = 12.0
"""How long the shows have been on when the recording begins: a full window of six segments."""
Spoil = Callable[[LiveOrigin, Sequence[str]], None]
"""Scripts what goes wrong, given the names of the channels."""


@dataclass(frozen=True)
class Source:
    urls: list[str]
    pid: int


def channel_names(count: int) -> list[str]:
    return [f"c{number:03}" for number in range(count)]


@contextmanager
def serve(entry: Entry, names: Sequence[str], shown: Clip, folder: Path, spoil: Spoil | None) -> Generator[Source]:
    """Live channels for one run, that do not all begin a segment at the same moment.

    Args:
        folder: with `server.pem`, certificate and key.
    """
    if entry.from_zero is not None:
        with _serve_lean(names, shown, from_zero=entry.from_zero) as source:
            yield source
        return
    pem = folder / "server.pem" if entry.tls else None
    with OriginProcess(certificate=pem, key=pem) as process:
        urls: list[str] = []
        for number, name in enumerate(names):
            lead_s = LEAD_S + GROUP_S * number / len(names)
            channel = process.origin.channel(name, shown, speed=1, lead_s=lead_s)
            channel.flv.gop_cache = 1
            urls.append(channel.url if entry.kind == "hls" else channel.flv_url)
        if spoil is not None:
            spoil(process.origin, names)
        yield Source(urls, process.pid)


@contextmanager
def _serve_lean(names: Sequence[str], shown: Clip, *, from_zero: bool) -> Generator[Source]:
    command = [sys.executable, "-m", "live.flv_origin", str(shown.folder.parent)]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parent.parent
    )
    with process:
        assert process.stdout is not None
        assert process.stdin is not None
        try:
            port = int(process.stdout.readline())
            start_ms = 0 if from_zero else LATER_MS
            yield Source([f"http://127.0.0.1:{port}/{name}.flv?from={start_ms}" for name in names], process.pid)
        finally:
            process.stdin.close()  # it ends by itself then
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
