"""Where a download may lead: what the user names is asked; what that names is not, where it lies in another kind of network."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.downloaded import download, packets, playlist

from ouzel.base.errors import AddressRefused, NotMedia, SchemeRefused
from ouzel.testing.vod import VodServer

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("where", ["http://169.254.169.254/latest/meta-data/0.ts", "http://10.0.0.1/0.ts"])
async def test_a_playlist_leads_into_no_other_network(tmp_path: Path, where: str) -> None:
    async with VodServer({"/film.m3u8": playlist([where])}) as vod:
        with pytest.raises(AddressRefused):
            await download(vod.url("/film.m3u8"), tmp_path)


async def test_neither_does_a_key_nor_a_map(tmp_path: Path) -> None:
    for line in ('#EXT-X-KEY:METHOD=AES-128,URI="http://10.0.0.1/key"', '#EXT-X-MAP:URI="http://10.0.0.1/i.mp4"'):
        async with VodServer({"/film.m3u8": playlist(["0.ts"], head=line), "/0.ts": packets(9, 1)}) as vod:
            with pytest.raises(AddressRefused):
                await download(vod.url("/film.m3u8"), tmp_path)


async def test_nor_to_a_file_of_ours(tmp_path: Path) -> None:
    async with VodServer({"/film.m3u8": playlist(["file:///etc/passwd"])}) as vod:
        with pytest.raises(SchemeRefused):
            await download(vod.url("/film.m3u8"), tmp_path)


async def test_what_is_no_media_is_not_kept(tmp_path: Path) -> None:
    async with VodServer({"/health": b'{"status": "healthy"}'}) as vod:
        with pytest.raises(NotMedia):
            await download(vod.url("/health"), tmp_path)
    assert not [*tmp_path.iterdir()]  # noqa: ASYNC240
