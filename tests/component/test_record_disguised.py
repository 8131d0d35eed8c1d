"""Segments whose first packets the site has masked."""

from __future__ import annotations

import urllib.request
from typing import TYPE_CHECKING
from urllib.parse import urljoin

import anyio.to_thread
import pytest

from ouzel.engine.sources.disguise import Disguise
from ouzel.testing.clips import Clip
from ouzel.testing.origin import Hls, LiveOrigin

if TYPE_CHECKING:
    from conftest import Studio

pytestmark = pytest.mark.anyio
SEED = 2020359253
SEGMENTS = 4


def disguised(data: bytes) -> bytes:
    first = next(
        bytes([n]) for n in range(256) if n != 0x47 and bytes(Disguise(SEED).feed(memoryview(bytes([n])))) == b"\x47"
    )
    return first + bytes(Disguise(SEED).feed(memoryview(first + data[1:])))[1:]


async def get(url: str) -> bytes:
    def ask() -> bytes:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url) as answer:
            return answer.read()

    return await anyio.to_thread.run_sync(ask)


async def test_they_are_recorded_as_if_nothing_had_been_done_to_them(record: Studio, clip: Clip) -> None:
    async with LiveOrigin() as origin:
        show = origin.channel("show", clip, hls=Hls(playlist_type="VOD", window=0)).push(SEGMENTS).end()
        lines = (await get(show.url)).decode().splitlines()
        for name in (line for line in lines if line and not line.startswith("#")):
            hidden = disguised(await get(urljoin(show.url, name)))
            assert hidden[0] != 0x47
            origin.on(name.partition("?")[0]).body(hidden)
        lines.insert(1, f"#EXT-X-BIGO-WEB-PROTECTION:VERSION=1,SEED={SEED}")
        origin.on("index.m3u8").body("\n".join(lines).encode())
        kept = await record(show.url)
    assert kept.numbers == list(range(SEGMENTS))
    assert kept.gaps == []
