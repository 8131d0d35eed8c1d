"""What the files of downloads are called that nobody has named."""

from __future__ import annotations

from pathlib import Path

import anyio
import pytest
from tests.downloaded import HASTE, downloading, packets, playlist

from ouzel.model.downloads import DownloadOutcome, DownloadWish
from ouzel.testing.vod import VodServer

pytestmark = pytest.mark.anyio


def names(folder: Path) -> list[str]:
    return sorted(each.name for each in folder.iterdir())


async def test_an_address_leads_no_download_out_of_its_folder(tmp_path: Path) -> None:
    folder = tmp_path / "inside"
    files = {"/a/../../escaped.m3u8": playlist(["/0.ts"]), "/0.ts": packets(50, 0)}
    async with VodServer(files) as vod, downloading() as downloader:
        wish = DownloadWish(vod.url("/a/..%2F..%2Fescaped.m3u8"), folder, pace=HASTE)
        done = await downloader.run(wish, on_progress=lambda _progress: None)
    assert done.path.parent == folder
    assert names(folder) == ["_.._escaped.ledger", "_.._escaped.ts"]
    assert names(tmp_path) == ["inside"]


async def test_two_addresses_that_end_alike_get_two_names_at_once(tmp_path: Path) -> None:
    films = {f"/{name}/film.m3u8": playlist([f"/{name}.ts"]) for name in ("a", "b")}
    media = {"/a.ts": packets(50, 1), "/b.ts": packets(50, 2)}
    done: dict[str, DownloadOutcome] = {}
    async with VodServer({**films, **media}) as vod, downloading() as downloader:

        async def run(name: str) -> None:
            wish = DownloadWish(vod.url(f"/{name}/film.m3u8"), tmp_path, pace=HASTE)
            done[name] = await downloader.run(wish, on_progress=lambda _progress: None)

        for order in ("ab", "ab", "ba"):  # each finds its own again, whoever is first
            async with anyio.create_task_group() as tasks:
                for name in order:
                    tasks.start_soon(run, name)
            assert names(tmp_path) == ["film.ledger", "film.ts", "film_2.ledger", "film_2.ts"]
            assert {name: each.path.read_bytes() for name, each in done.items()} == {
                name: media[f"/{name}.ts"] for name in ("a", "b")
            }
    assert {each.fetched_bytes for each in done.values()} == {0}
