"""Where a download may lead: what the user names is asked; what that names is not, where it lies in another kind of network."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.downloaded import download, packets, playlist

from ouzel.base.errors import AddressRefused, NotMedia, SchemeRefused
from ouzel.engine.sources.detect import discreet, kind_of_bytes
from ouzel.system.guard import Scope
from ouzel.testing.vod import VodServer

pytestmark = pytest.mark.anyio
MASTER = b"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nv\n"


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


@pytest.mark.parametrize("files", [
    pytest.param({"/film.m3u8": b'{"password": "secret"}'}, id="the address"),
    pytest.param({"/film.m3u8": b"secret of a database" * 100}, id="the address, in binary"),
    pytest.param({"/film.m3u8": MASTER, "/v": b"secret"}, id="a playlist"),
    pytest.param({"/film.m3u8": playlist(["s"]), "/s": b"secret"}, id="a segment"),
    pytest.param({"/film.m3u8": playlist(["s"]), "/s": b"<html>secret</html>"}, id="a page as a segment"),
    pytest.param({"/film.m3u8": playlist(["s"], head='#EXT-X-MAP:URI="i"'), "/i": b"secret"}, id="an init segment"),
])  # fmt: skip
async def test_what_a_network_of_ours_answers_is_not_quoted(tmp_path: Path, files: dict[str, bytes]) -> None:
    """Whoever may download would read the beginning of everything that our host can reach."""
    async with VodServer(files) as vod:
        with pytest.raises(NotMedia, match=r"not media|no media|web page|not a playlist") as caught:
            await download(vod.url("/film.m3u8"), tmp_path)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(("scope", "told"), [(Scope.public(), True), (Scope.anywhere(), False)])
def test_what_everybody_may_read_is_quoted(scope: Scope, *, told: bool) -> None:
    with pytest.raises(NotMedia, match="not media") as caught, discreet(scope):
        kind_of_bytes(b'{"error": "not in your country"}')
    assert ("country" in str(caught.value)) is told


async def test_what_is_no_media_is_not_kept(tmp_path: Path) -> None:
    async with VodServer({"/health": b'{"status": "healthy"}'}) as vod:
        with pytest.raises(NotMedia):
            await download(vod.url("/health"), tmp_path)
    assert not [*tmp_path.iterdir()]  # noqa: ASYNC240
