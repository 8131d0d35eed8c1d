"""Addresses that run out on the way: asked for anew where they came from, and the same file goes on."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest
from tests.component.test_download_cases import FRAGMENTS, INIT, KEY, TS, clear, numbered
from tests.downloaded import HASTE, download, packets, playlist, there

from ouzel.base.errors import NotMedia
from ouzel.engine.download.asking import Address
from ouzel.model import pieces
from ouzel.model.downloads import DownloadWish
from ouzel.model.stream import Stream
from ouzel.testing.vod import Faults, VodServer

pytestmark = pytest.mark.anyio
COUNT = 60
PARTS = [packets(20 + number, number) for number in range(COUNT)]


def page(vod: VodServer, tell: Callable[[int], dict[str, bytes]]) -> Callable[[DownloadWish], Awaitable[Address]]:
    """A page that names other addresses each time it is asked: the playlists that it tells then."""
    asked = 0

    async def find(wish: DownloadWish) -> Address:
        nonlocal asked
        asked += 1
        vod.files |= tell(asked)
        return Address(Stream(f"{wish.url}?visit={asked}"))

    return find


def listed(visit: int) -> dict[str, bytes]:
    return {"/film.m3u8": playlist([f"{number}.ts?token=t{visit}" for number in range(COUNT)])}


@pytest.mark.parametrize("uses", [3, 7, 25])
async def test_they_run_out_again_and_again(tmp_path: Path, uses: int) -> None:
    async with VodServer(clear(PARTS, "ts")) as vod:
        vod.token_uses = uses
        pace = replace(HASTE, retry_delay_s=0.1)
        done = await download(vod.url("/film.m3u8"), tmp_path, find=page(vod, listed), pace=pace)
        assert vod.asked["/film.m3u8"] <= -(-COUNT // uses) + 1, "asked for once for all, and not before it must be"
        served = [each for each in vod.requests if each.path.endswith(".ts") and each.status == 200]
        assert len(served) == COUNT
    assert done.path.read_bytes() == b"".join(PARTS)


async def test_fresh_addresses_are_asked_for_with_fresh_headers_and_cookies(tmp_path: Path) -> None:
    async with VodServer(clear(PARTS, "ts")) as vod:
        vod.token_uses = 7
        ask, visits = page(vod, listed), 0

        async def find(wish: DownloadWish) -> Address:
            nonlocal visits
            visits += 1
            visit = f"v={visits}"
            return replace(await ask(wish), stream=Stream(wish.url, (("X-Visit", visit),)), cookies=lambda _url: visit)

        done = await download(vod.url("/film.m3u8"), tmp_path, find=find, pace=replace(HASTE, retry_delay_s=0.1))
        served = [each for each in vod.requests if each.path.endswith(".ts") and each.status == 200]
        told = {(each.query["token"], each.headers["x-visit"], each.headers["cookie"]) for each in served}
    assert len(told) > 5
    assert told == {(f"t{visit}", f"v={visit}", f"v={visit}") for visit in range(1, visits + 1)}
    assert done.path.read_bytes() == b"".join(PARTS)


async def test_what_is_gone_for_good_does_not_ask_for_ever(tmp_path: Path) -> None:
    async with VodServer(clear(PARTS, "ts")) as vod:
        vod.faults = {f"/{number}.ts": Faults(token="none") for number in range(10, COUNT)}
        await download(vod.url("/film.m3u8"), tmp_path, find=page(vod, listed), allow_gaps=True)
        assert vod.asked["/film.m3u8"] <= 2
        assert max(vod.asked[f"/{number}.ts"] for number in range(COUNT)) <= 6


async def test_the_address_of_a_key_runs_out(tmp_path: Path) -> None:
    """Those of the segments are good for ever."""

    def tell(visit: int) -> dict[str, bytes]:
        keys = {number: f'#EXT-X-KEY:METHOD=AES-128,URI="key{number}?token={visit}"' for number in range(6)}
        return {"/film.m3u8": playlist([f"{number}.ts" for number in range(6)], before=keys)}

    async with VodServer({**numbered(TS, "ts"), **{f"/key{number}": KEY for number in range(6)}}) as vod:
        vod.token_uses = 3
        done = await download(vod.url("/film.m3u8"), tmp_path, find=page(vod, tell))
    assert done.path.read_bytes() == b"".join(TS)


async def test_the_init_segment_of_a_later_track_has_run_out(tmp_path: Path) -> None:
    """Tracks are fetched one after the other, and the first may take hours."""

    def tell(visit: int) -> dict[str, bytes]:
        def track(name: str) -> bytes:
            head = f'#EXT-X-MAP:URI="{name}i.mp4?token={visit}"'
            return playlist([f"{name}{number}.m4s?token={visit}" for number in range(4)], head=head)

        master = (
            '#EXTM3U\n#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="x",DEFAULT=YES,URI="sound.m3u8"\n'
            '#EXT-X-STREAM-INF:BANDWIDTH=1,AUDIO="a"\nmain.m3u8\n'
        )
        return {"/film.m3u8": master.encode(), "/main.m3u8": track("v"), "/sound.m3u8": track("a")}

    files = {f"/{name}{number}.m4s": part for name in "va" for number, part in enumerate(FRAGMENTS)}
    async with VodServer({**files, "/vi.mp4": INIT, "/ai.mp4": INIT}) as vod:
        vod.token_uses = 5
        with pytest.raises(NotMedia, match=r"video\.mp4"):  # nobody can join media that is made up
            await download(vod.url("/film.m3u8"), tmp_path, find=page(vod, tell))
    whole = INIT + b"".join(FRAGMENTS)
    assert [there(tmp_path / "film.tracks")[f"{name}.mp4"] == whole for name in ("video", "audio")] == [True, True]


async def test_a_plain_file_goes_on_under_its_next_address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As sites give them that keep pictures and sound apart."""
    monkeypatch.setattr(pieces, "RANGE_BYTES", 10_000)
    data, visits = packets(1200, 1), 0

    async def find(_wish: DownloadWish) -> Address:
        nonlocal visits
        visits += 1
        return Address(Stream(vod.url(f"/film.bin?token={visits}")))

    async with VodServer({"/film.bin": data}) as vod:
        vod.token_uses = 9
        done = await download(vod.url("/page"), tmp_path, find=find, pace=replace(HASTE, retry_delay_s=0.1))
        assert done.path.read_bytes() == data
        looks = 2
        assert visits == -(-len(data) // 10_000 // (9 - looks))
        assert sum(each.sent for each in vod.requests if "range" in each.headers) <= len(data) + visits


async def test_a_list_that_is_another_one_by_now_is_not_mixed_in(tmp_path: Path) -> None:
    """The page tells of another film, or the same segments are named for other times."""

    def tell(visit: int) -> dict[str, bytes]:
        first = 0 if visit == 1 else 7
        return {"/film.m3u8": playlist([f"{(first + number) % COUNT}.ts?token={visit}" for number in range(COUNT)])}

    async with VodServer(clear(PARTS, "ts")) as vod:
        vod.token_uses = 20
        done = await download(vod.url("/film.m3u8"), tmp_path, find=page(vod, tell), allow_gaps=True)
    assert done.path.read_bytes() == b"".join(PARTS[:20])
    assert len(done.gaps) == COUNT - 20
