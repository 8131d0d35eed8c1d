"""Downloads by the engine in this process, and material for them."""

from __future__ import annotations

import random
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from ouzel.engine.download.asking import Address
from ouzel.engine.download.downloader import Downloader
from ouzel.model.downloads import DownloadOutcome, DownloadProgress, DownloadWish, OnDownload, Pace
from ouzel.model.stream import Stream
from ouzel.system.clock import SystemClock
from ouzel.system.ffmpeg import FfmpegFinder
from ouzel.system.http import Http1Client

HASTE = Pace(connections=8, retries=3, retry_delay_s=0.001, read_s=5)
KEY = bytes(range(16))


def packets(count: int, seed: int) -> bytes:
    """So many TS packets with noise in them."""
    noise = random.Random(seed)
    return b"".join(b"\x47" + noise.randbytes(187) for _ in range(count))


def playlist(uris: Sequence[str], *, head: str = "", before: Mapping[int, str] | None = None) -> bytes:
    """Of one-second segments. `before`: lines that stand before the segment of that number."""
    lines = ["#EXTM3U", "#EXT-X-VERSION:13", "#EXT-X-TARGETDURATION:2", *head.splitlines()]
    for number, uri in enumerate(uris):
        lines += [*(before or {}).get(number, "").splitlines(), "#EXTINF:1.0,", uri]
    return "\n".join([*lines, "#EXT-X-ENDLIST", ""]).encode()


class OnAir(Exception):
    """The engine would have handed it to the recorder."""


async def _on_air(_wish: DownloadWish, _address: Address, _tell: OnDownload) -> DownloadOutcome:
    raise OnAir


async def _found(wish: DownloadWish) -> Address:
    return Address(Stream(wish.url))


@asynccontextmanager
async def downloading(find: Callable[[DownloadWish], Awaitable[Address]] = _found) -> AsyncGenerator[Downloader]:
    async with Http1Client() as http:
        yield Downloader(http, SystemClock(), FfmpegFinder(), find, _on_air)


async def download(
    url: str,
    folder: Path,
    *,
    find: Callable[[DownloadWish], Awaitable[Address]] = _found,
    tell: Callable[[DownloadProgress], None] = lambda _progress: None,
    **wished: Any,
) -> DownloadOutcome:
    """Raises: as the engine."""
    wish = replace(DownloadWish(url, folder, "film", pace=HASTE), **wished)
    async with downloading(find) as downloader:
        return await downloader.run(wish, on_progress=tell)


def there(folder: Path) -> dict[str, bytes]:
    """What lies in it."""
    return {each.name: each.read_bytes() for each in folder.iterdir()}
