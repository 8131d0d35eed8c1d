"""A disk that fills in the middle, or takes nothing any more: one clear error, what is there stays, and the same call goes on."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from tests.component.test_download_cases import FRAGMENTS, INIT, KEY, clear, names, numbered
from tests.downloaded import download, packets, playlist, there

from ouzel.base.errors import DiskFull, ReadOnly
from ouzel.engine.download import file
from ouzel.model import ledger
from ouzel.testing.disk import tiny_disk
from ouzel.testing.vod import VodServer

pytestmark = pytest.mark.anyio
PARTS = [packets(1000 + number, number) for number in range(30)]
TOGETHER = b"".join(PARTS)
BALLAST = 3 << 20
HEAD = '#EXT-X-KEY:METHOD=AES-128,URI="key"'
KINDS: dict[str, tuple[str, dict[str, bytes], bytes]] = {
    "ts": ("film.m3u8", {**clear(PARTS, "ts"), "/film.m3u8": playlist(names(30, "ts"))}, TOGETHER),
    "aes": ("film.m3u8", {**numbered(PARTS, "ts"), "/key": KEY, "/film.m3u8": playlist(names(30, "ts"), head=HEAD)}, TOGETHER),
    "mp4": (
        "film.m3u8",
        {
            **clear([FRAGMENTS[0][:8] + part for part in PARTS], "m4s"),
            "/i.mp4": INIT,
            "/film.m3u8": playlist(names(30, "m4s"), head='#EXT-X-MAP:URI="i.mp4"'),
        },
        INIT + b"".join(FRAGMENTS[0][:8] + part for part in PARTS),
    ),
    "plain": ("film.bin", {"/film.bin": TOGETHER + bytes(4 << 20)}, TOGETHER + bytes(4 << 20)),
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
async def test_it_fills_in_the_middle(tmp_path: Path, kind: str) -> None:
    name, files, expected = KINDS[kind]
    with tiny_disk(tmp_path / "disk", megabytes=-(-len(expected) // (1 << 20)) + 1) as disk:
        ballast, out = disk / "ballast", disk / "out"
        ballast.write_bytes(bytes(BALLAST))
        async with VodServer(files) as vod:
            for _ in range(2):
                with pytest.raises(DiskFull, match="no space left"):
                    await download(vod.url(f"/{name}"), out)
                assert {path.rpartition(".")[2] for path in there(out)} == {"part", "ledger"}
            held = ledger.read((out / "film.ledger").read_bytes())
            assert held.chunks
            ballast.unlink()
            vod.forget()
            done = await download(vod.url(f"/{name}"), out)
            if kind != "plain":
                assert not {f"/{chunk.index}" for chunk in held.chunks} & {
                    asked.partition(".")[0] for asked in vod.asked
                }
            assert done.path.read_bytes() == expected


async def test_it_takes_nothing_any_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _, files, expected = KINDS["ts"]
    real = os.pwrite

    def pwrite(fd: int, data: bytes, at: int) -> int:
        if at > len(expected) // 2:
            raise OSError(errno.EROFS, "Read-only file system")
        return real(fd, data, at)

    async with VodServer(files) as vod:
        monkeypatch.setattr(file.os, "pwrite", pwrite)
        with pytest.raises(ReadOnly, match="cannot be written"):
            await download(vod.url("/film.m3u8"), tmp_path)
        monkeypatch.undo()
        assert {*there(tmp_path)} == {"film.ts.part", "film.ledger"}
        vod.forget()
        assert (await download(vod.url("/film.m3u8"), tmp_path)).path.read_bytes() == expected
        assert vod.asked["/0.ts"] == 0
