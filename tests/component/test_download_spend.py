"""Tracks are joined where there is no room for them twice: what the muxer has read is given back to the disk."""

from __future__ import annotations

import errno
import subprocess
from pathlib import Path
from typing import Any

import pytest
from tests.downloaded import download

from ouzel.base.errors import DiskFull, StorageError, ToolFailed
from ouzel.engine.download import mux, one_clock, spend
from ouzel.engine.ledgers import find
from ouzel.testing.disk import tiny_disk
from ouzel.testing.vod import VodServer

pytestmark = pytest.mark.anyio
SECONDS = 6
MASTER = (
    b'#EXTM3U\n#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="s",NAME="one",DEFAULT=YES,LANGUAGE="en",URI="a.m3u8"\n'
    b'#EXT-X-STREAM-INF:BANDWIDTH=1000000,AUDIO="s",CODECS="avc1.64001f,mp4a.40.2"\nv.m3u8\n'
)


def ffmpeg(*args: str | Path) -> bytes:
    command = ["ffmpeg", "-v", "error", "-nostdin", *map(str, args)]
    return subprocess.run(command, check=True, capture_output=True).stdout


@pytest.fixture(scope="module", params=["mpegts", "fmp4"])
def film(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Some 20 MB of pictures, and sound apart."""
    folder, kind = tmp_path_factory.mktemp("film"), request.param
    sources = {
        "v": ["-f", "rawvideo", "-s", "640x360", "-r", "25", "-t", f"{SECONDS}", "-i", "/dev/urandom"],
        "a": ["-f", "lavfi", "-i", f"sine=440:d={SECONDS}"],
    }
    codecs = {"v": ["-c:v", "libx264", "-preset", "ultrafast", "-qp", "36", "-g", "25"], "a": ["-c:a", "aac"]}
    for name in "va":
        hls = ["-f", "hls", "-hls_time", "1", "-hls_list_size", "0", "-hls_segment_type", kind]
        ending = "ts" if kind == "mpegts" else "m4s"
        names = ["-hls_segment_filename", folder / f"{name}%03d.{ending}", "-hls_fmp4_init_filename", f"{name}.mp4"]
        ffmpeg(*sources[name], *codecs[name], *hls, *names, folder / f"{name}.m3u8")
    return {f"/{path.name}": path.read_bytes() for path in folder.iterdir()} | {"/film.m3u8": MASTER}


def size(film: dict[str, bytes]) -> int:
    return sum(map(len, film.values()))


def twice(listed: bytes) -> bytes:
    """The list and, behind a discontinuity, the same again."""
    head, begin, rest = listed.partition(b"#EXTINF")
    pieces = (begin + rest).replace(b"#EXT-X-ENDLIST\n", b"")
    return head + pieces + b"#EXT-X-DISCONTINUITY\n" + pieces + b"#EXT-X-ENDLIST\n"


def packets_of(path: Path) -> bytes:
    return ffmpeg("-i", path, "-map", "0", "-c", "copy", "-f", "streamhash", "-")


def names(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


@pytest.mark.parametrize("target", [None, "mkv"])
async def test_tracks_are_joined_on_a_disk_that_holds_them_once(
    tmp_path: Path, film: dict[str, bytes], target: str | None
) -> None:
    async with VodServer(film) as vod:
        roomy = await download(vod.url("/film.m3u8"), tmp_path / "roomy", format=target)
        with tiny_disk(tmp_path / "disk", megabytes=(size(film) >> 20) + 8) as disk:
            done = await download(vod.url("/film.m3u8"), disk, format=target)
            assert packets_of(done.path) == packets_of(roomy.path)
            assert names(disk) == ["film.ledger", done.path.name]
            held = find(done.path)
            assert held is not None
            assert held.product is not None
            assert held.product.size == done.size == done.path.stat().st_size


async def test_copies_with_one_clock_are_joined_on_a_disk_that_holds_tracks_and_copies(
    tmp_path: Path, film: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The clock begins anew on the way, and cannot be set where the tracks lie."""

    def refuse(_paths: object) -> bool:
        return False

    monkeypatch.setattr(one_clock, "set_clock", refuse)
    again = film | {f"/{name}.m3u8": twice(film[f"/{name}.m3u8"]) for name in "va"}
    wished: dict[str, Any] = {"format": "mkv", "keep_tracks": True}
    async with VodServer(again) as vod:
        roomy = await download(vod.url("/film.m3u8"), tmp_path / "roomy", **wished)
        with tiny_disk(tmp_path / "disk", megabytes=4 * (size(film) >> 20) + 12) as disk:
            done = await download(vod.url("/film.m3u8"), disk, **wished)
            assert packets_of(done.path) == packets_of(roomy.path)
            assert names(disk) == names(tmp_path / "roomy"), "no copy is left"
    assert done.media_s == pytest.approx(2 * SECONDS, abs=0.2)


async def test_one_track_becomes_another_format_there(tmp_path: Path, film: dict[str, bytes]) -> None:
    async with VodServer(film) as vod:
        roomy = await download(vod.url("/v.m3u8"), tmp_path / "roomy", format="mkv")
        with tiny_disk(tmp_path / "disk", megabytes=(size(film) >> 20) + 8) as disk:
            done = await download(vod.url("/v.m3u8"), disk, format="mkv")
            assert packets_of(done.path) == packets_of(roomy.path)
            assert names(disk) == ["film.ledger", "film.mkv"]


async def test_what_was_given_back_is_fetched_again_after_a_kill(
    tmp_path: Path, film: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    punch, punched = spend._punch, 0  # pyright: ignore[reportPrivateUsage]

    def punch_some(fd: int, at: int, count: int) -> None:
        nonlocal punched
        punched += 1
        if punched == 5:
            raise OSError(errno.EIO, "the end")
        punch(fd, at, count)

    async with VodServer(film) as vod:
        roomy = await download(vod.url("/film.m3u8"), tmp_path / "roomy")
        with tiny_disk(tmp_path / "disk", megabytes=(size(film) >> 20) + 8) as disk:
            monkeypatch.setattr(spend, "_punch", punch_some)
            with pytest.raises(StorageError, match="the end"):
                await download(vod.url("/film.m3u8"), disk)
            assert not (disk / "film.mp4").exists()
            monkeypatch.setattr(spend, "_punch", punch)
            vod.forget()
            done = await download(vod.url("/film.m3u8"), disk)
            again = {path for path in vod.asked if path.endswith((".ts", ".m4s"))}
            assert again
            assert len(again) < 2 * SECONDS, "only what was given back"
            assert packets_of(done.path) == packets_of(roomy.path)
            assert names(disk) == ["film.ledger", "film.mp4"]


async def test_what_would_fail_is_not_begun(
    tmp_path: Path, film: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is given back of what the muxer would not take."""
    monkeypatch.setattr(mux, "_LOCAL", ("-no-such-option",))
    async with VodServer(film) as vod:
        with tiny_disk(tmp_path / "disk", megabytes=(size(film) >> 20) + 8) as disk:
            with pytest.raises(ToolFailed, match="Option not found"):
                await download(vod.url("/film.m3u8"), disk)
            kept = sum(path.stat().st_blocks * 512 for path in disk.rglob("*"))
            assert kept > 0.95 * size(film)


async def test_tracks_that_are_to_be_kept_are_whole(tmp_path: Path, film: dict[str, bytes]) -> None:
    async with VodServer(film) as vod:
        with tiny_disk(tmp_path / "disk", megabytes=(size(film) >> 20) + 8) as disk:
            with pytest.raises(DiskFull):
                await download(vod.url("/film.m3u8"), disk, keep_tracks=True)
            kept = sum(path.stat().st_blocks * 512 for path in disk.rglob("*"))
            assert kept > 0.95 * size(film)


def test_a_roomy_disk_is_not_tight(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(bytes(1000))
    assert not spend.is_tight(tmp_path, [tmp_path / "a"])
