"""Real media, and a reference that knows nothing of Ouzel: the HLS demuxer of ffmpeg reads the same of the playlist as of the
file that was downloaded, packet by packet; and the file is what `cat` makes of the segments."""

from __future__ import annotations

import subprocess
from collections import defaultdict
from functools import partial
from pathlib import Path

import pytest
from anyio.to_thread import run_sync
from tests.component.test_download_cases import IV, KEY, OTHER_KEY, locked
from tests.downloaded import download

from ouzel.testing.clips import Clip
from ouzel.testing.vod import Faults, VodServer

pytestmark = pytest.mark.anyio
KINDS = {
    "ts": ("-f", "hls", "-hls_segment_filename", "%03d.ts"),
    "mp4": ("-f", "hls", "-hls_segment_type", "fmp4", "-hls_segment_filename", "%03d.m4s"),
    "one file": ("-f", "hls", "-hls_flags", "single_file", "-hls_segment_filename", "all.ts"),
    "aac": ("-map", "0:a", "-f", "segment", "-segment_format", "adts", "-segment_list", "film.m3u8", "-segment_time", "1"),
}  # fmt: skip
KEYS = {
    "implied IV": {0: '#EXT-X-KEY:METHOD=AES-128,URI="one.key"'},
    "stated IV": {0: f'#EXT-X-KEY:METHOD=AES-128,URI="one.key",IV=0x{IV.hex()}'},
    "rotation": {
        0: '#EXT-X-KEY:METHOD=AES-128,URI="one.key"',
        3: '#EXT-X-KEY:METHOD=AES-128,URI="other.key"',
        5: "#EXT-X-KEY:METHOD=NONE",
        7: f'#EXT-X-KEY:METHOD=AES-128,URI="one.key",IV=0x{IV.hex()}',
    },
}


def made(folder: Path, clip: Clip, kind: str) -> None:
    """A playlist by ffmpeg's muxer, and its segments."""
    folder.mkdir()
    to = ["%03d.aac"] if kind == "aac" else ["-hls_time", "1", "-hls_playlist_type", "vod", "film.m3u8"]
    command = ["ffmpeg", "-v", "error", "-i", str(clip.file(".mkv")), "-c", "copy", *KINDS[kind], *to]
    subprocess.run(command, cwd=folder, check=True)


def media_lines(folder: Path) -> list[str]:
    lines = (folder / "film.m3u8").read_text().splitlines()
    return [line for line in lines if not line.startswith("#EXT-X-ALLOW-CACHE")]


def encrypted(folder: Path, keys: dict[int, str]) -> None:
    """By the OpenSSL program, where they lie."""
    lines, number, key = list[str](), 0, "#EXT-X-KEY:METHOD=NONE"
    for line in media_lines(folder):
        if line.startswith("#EXTINF") and (key := keys.get(number, key)) == keys.get(number):
            lines.append(key)
        lines.append(line)
        if line.startswith("#"):
            continue
        if "NONE" not in key:
            iv = IV if "IV=" in key else number.to_bytes(16, "big")
            path = folder / line
            path.write_bytes(locked(path.read_bytes(), OTHER_KEY if "other" in key else KEY, iv))
        number += 1
    (folder / "film.m3u8").write_text("\n".join([*lines, ""]))
    (folder / "one.key").write_bytes(KEY)
    (folder / "other.key").write_bytes(OTHER_KEY)


def concatenated(folder: Path) -> bytes:
    """What `cat` makes of the init segment and the segments, which are still clear."""
    heads = [folder / line.partition('URI="')[2].partition('"')[0] for line in media_lines(folder) if "X-MAP" in line]
    names = dict.fromkeys(line for line in media_lines(folder) if not line.startswith("#"))
    command = ["cat", *map(str, heads), *(str(folder / name) for name in names)]
    return subprocess.run(command, capture_output=True, check=True).stdout


def read_by_ffmpeg(path: Path) -> dict[str, list[str]]:
    """Size and digest of each packet, by stream."""
    options = ["-allowed_extensions", "ALL"] if path.suffix == ".m3u8" else []
    command = ["ffmpeg", "-v", "error", *options, "-i", str(path), "-map", "0", "-c", "copy", "-f", "framemd5", "-"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert not done.stderr, done.stderr
    packets: defaultdict[str, list[str]] = defaultdict(list)
    for line in done.stdout.splitlines():
        if not line.startswith("#"):
            stream, _dts, _pts, _duration, size, digest = (word.strip() for word in line.split(",")[:6])
            packets[stream].append(f"{size} {digest}")
    return dict(packets)


@pytest.mark.parametrize("chunked", [False, True], ids=["known", "chunked"])
@pytest.mark.parametrize(
    ("kind", "keys"),
    [("one file", ""), *((kind, keys) for kind in ("ts", "mp4", "aac") for keys in ("", *KEYS))],
)
async def test_it_is_what_ffmpeg_reads(tmp_path: Path, clip: Clip, kind: str, keys: str, *, chunked: bool) -> None:
    folder = tmp_path / "served"
    await run_sync(partial(made, folder, clip, kind))
    expected = await run_sync(concatenated, folder)
    if keys:
        await run_sync(encrypted, folder, KEYS[keys])
    files = {f"/{path.name}": path.read_bytes() for path in folder.iterdir()}
    async with VodServer(files) as vod:
        if chunked:
            vod.faults = {name: Faults(chunked=True) for name in files}
        done = await download(vod.url("/film.m3u8"), tmp_path / "out")
    assert done.path.read_bytes() == expected
    assert not done.warnings
    theirs, ours = await run_sync(read_by_ffmpeg, folder / "film.m3u8"), await run_sync(read_by_ffmpeg, done.path)
    assert ours == theirs
    assert sum(map(len, ours.values())) >= clip.seconds * 31, "375 frames of sound, and 300 pictures"
