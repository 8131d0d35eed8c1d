"""Killed at twenty moments, a download is in the end what it is undisturbed, and nothing that was whole is fetched again."""

from __future__ import annotations

import hashlib
import os
import random
import shutil
import signal
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import pytest
from anyio.to_thread import run_sync
from tests.component.test_download_cases import KEY, clear, numbered
from tests.downloaded import download, packets, playlist
from tests.e2e.mother import Mother

from ouzel.base.errors import NotALedger
from ouzel.model import ledger
from ouzel.model.pieces import RANGE_BYTES
from ouzel.testing.clips import Clip
from ouzel.testing.origin.server import Request
from ouzel.testing.vod import Faults, VodServer

pytestmark = pytest.mark.anyio
_KILLS = 20
_COUNT = 40
PARTS = [packets(200 + 3 * number, number) for number in range(_COUNT)]
FRAGMENTS = [b"\0\0\0\x08moof" + packets(150 + number, number) for number in range(_COUNT)]
INIT = b"\0\0\0\x10ftypiso5\0\0\0\0"
PLAIN = packets(1, 1) * (RANGE_BYTES * 12 // 188)


@dataclass(frozen=True)
class Kind:
    files: dict[str, bytes]
    expected: bytes | None
    """What comes of them; None: what comes of them undisturbed."""
    without_lengths: bool = False


def listed(ending: str, head: str = "") -> bytes:
    return playlist([f"{number}.{ending}" for number in range(_COUNT)], head=head)


def ts(_clip: Clip) -> Kind:
    return Kind({**clear(PARTS, "ts"), "/film.m3u8": listed("ts")}, b"".join(PARTS))


def chunked(clip: Clip) -> Kind:
    return replace(ts(clip), without_lengths=True)


def aes(_clip: Clip) -> Kind:
    head = '#EXT-X-KEY:METHOD=AES-128,URI="key"'
    return Kind({**numbered(PARTS, "ts"), "/key": KEY, "/film.m3u8": listed("ts", head)}, b"".join(PARTS))


def fmp4(_clip: Clip) -> Kind:
    files = {**clear(FRAGMENTS, "m4s"), "/i.mp4": INIT, "/film.m3u8": listed("m4s", '#EXT-X-MAP:URI="i.mp4"')}
    return Kind(files, INIT + b"".join(FRAGMENTS))


def byte_ranges(_clip: Clip) -> Kind:
    """In one file, which holds them the wrong way round."""
    before, end = dict[int, str](), sum(map(len, PARTS))
    for number, part in enumerate(PARTS):
        end -= len(part)
        before[number] = f"#EXT-X-BYTERANGE:{len(part)}@{end}"
    files = {"/all.ts": b"".join(reversed(PARTS)), "/film.m3u8": playlist(["all.ts"] * _COUNT, before=before)}
    return Kind(files, b"".join(PARTS))


def plain(_clip: Clip) -> Kind:
    return Kind({"/film.bin": PLAIN}, PLAIN)


def two_tracks(clip: Clip) -> Kind:
    pictures, sound = ([path.read_bytes() for path in clip.ts_segments(tracks)] for tracks in ("video", "audio"))
    master = (
        '#EXTM3U\n#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="x",DEFAULT=YES,URI="sound.m3u8"\n'
        '#EXT-X-STREAM-INF:BANDWIDTH=1,AUDIO="a"\npictures.m3u8\n'
    )
    files = {
        **{f"/video.{number}.ts": part for number, part in enumerate(pictures)},
        **{f"/audio.{number}.ts": part for number, part in enumerate(sound)},
        "/pictures.m3u8": playlist([f"video.{number}.ts" for number in range(len(pictures))]),
        "/sound.m3u8": playlist([f"audio.{number}.ts" for number in range(len(sound))]),
    }
    return Kind({**files, "/film.m3u8": master.encode()}, None)


@pytest.fixture
def mother(tmp_path: Path) -> Iterator[Mother]:
    begun = Mother("engine_process", tmp_path)
    yield begun
    begun.close()


def position(request: Request) -> tuple[str, int] | None:
    """Of the piece that is asked for, in its track; None for anything else."""
    if request.path in {"/film.bin", "/all.ts"}:
        start, _, end = request.headers.get("range", "bytes=-").removeprefix("bytes=").partition("-")
        if request.path == "/all.ts":
            return "film", {sum(map(len, PARTS[number + 1 :])): number for number in range(_COUNT)}[int(start)]
        return ("film", int(start) // RANGE_BYTES) if start and end != "0" else None
    track, _, name = request.path[1:].rpartition(".")[0].rpartition(".")
    return (track or "film", int(name)) if name.isdecimal() else None


def whole(out: Path) -> set[tuple[str, int]]:
    there: set[tuple[str, int]] = set()
    for path in (out / "film.ledger", out / "film.tracks" / "video.ledger", out / "film.tracks" / "audio.ledger"):
        with suppress(FileNotFoundError, NotALedger):
            held = ledger.read(path.read_bytes())
            there |= {(path.stem, chunk.index) for chunk in held.chunks if held.opening.download}
    return there


def taken(path: Path) -> str:
    """Its digest; it is removed, with all beside it."""
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    shutil.rmtree(path.parent)
    return digest


class Killer:
    """Kills `pid` when the server has sent so much. The last one that was made does."""

    def __init__(self, vod: VodServer, at: int) -> None:
        self.pid: int | None = None
        self._vod = vod
        self._at = at
        vod.watch = self._look

    def _look(self) -> None:
        if self.pid is not None and self._vod.total >= self._at:
            with suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)
            self.pid = None


@pytest.mark.parametrize("kind", [ts, aes, fmp4, byte_ranges, plain, chunked, two_tracks])
async def test_killed_at_twenty_moments(
    mother: Mother, tmp_path: Path, clip: Clip, kind: Callable[[Clip], Kind]
) -> None:
    made = kind(clip)
    name = next(name for name in made.files if name.startswith("/film"))
    chance, kills, finished, kept = random.Random(20261123), 0, list[str](), 0
    async with VodServer(made.files) as vod:
        await run_sync((tmp_path / "url").write_text, vod.url(name))
        if made.without_lengths:
            vod.faults = {each: Faults(chunked=True) for each in made.files if each.endswith(".ts")}
        expected = made.expected or (await download(vod.url(name), tmp_path / "undisturbed")).path.read_bytes()
        total = sum(len(data) for each, data in made.files.items() if not each.startswith("/film.m3u8"))
        while kills < _KILLS or not finished:
            there = await run_sync(whole, tmp_path / "out")
            kept += bool(there)
            vod.forget()
            at = chance.randrange(total) if kills < _KILLS else total * 2
            killer = Killer(vod, at)
            killer.pid = await run_sync(mother.bear)
            path: Path | None = None
            while not (line := await run_sync(mother.line)).startswith("dead"):
                path = Path(line.removeprefix("done "))
            killer.pid = None
            again = {position(each) for each in vod.requests} & there
            assert not again, "whole, and fetched again"
            if path is None:
                kills += 1
            else:
                finished.append(await run_sync(partial(taken, path)))
    assert {*finished} == {hashlib.sha256(expected).hexdigest()}
    assert kept >= _KILLS // 3, "nothing was killed in its middle: the test tests nothing"
