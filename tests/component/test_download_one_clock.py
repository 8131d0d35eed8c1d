"""Clocks that begin anew are set right where the tracks lie: nothing is copied, and a kill in between loses nothing."""

from __future__ import annotations

import itertools
import json
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from tests.downloaded import download, playlist
from tests.recordings import segments

from ouzel.engine.download import one_clock
from ouzel.engine.verify import verify
from ouzel.formats.mpegts.packets import read_pes
from ouzel.formats.shape import Container
from ouzel.testing.clips import Clip, Tracks
from ouzel.testing.vod import VodServer

pytestmark = pytest.mark.anyio
CONTAINERS: tuple[Container, ...] = ("ts", "mp4")
ORDER = (0, 1, 2, 3, 0, 1, 2, 8, 9)
"""Segments of one second: the clock goes back before the fifth of them, and forward before the eighth."""
BREAKS = {4: "#EXT-X-DISCONTINUITY", 7: "#EXT-X-DISCONTINUITY"}


def stamps(path: Path, kind: str) -> list[float]:
    """Decode times of all packets, in the order of the file, as ffprobe reads them."""
    args = ["ffprobe", "-v", "error", "-select_streams", kind, "-show_entries", "packet=dts_time", "-of", "json"]
    told = json.loads(subprocess.run([*args, path], capture_output=True, check=True).stdout)
    return [float(packet["dts_time"]) for packet in told["packets"] if "dts_time" in packet]


def runs_through(times: Sequence[float], length_s: float, frame_s: float) -> bool:
    steps = [after - before for before, after in itertools.pairwise(times)]
    whole = abs(times[-1] - times[0] + frame_s - length_s) < 0.2
    return whole and min(steps) > 0 and max(steps) < 3 * frame_s + 0.05


def film(clip: Clip, container: Container, *, told: bool) -> dict[str, bytes]:
    head, parts = segments(clip, container)
    bodies = [*parts]
    files = {f"/{number}.{container}": bodies[number] for number in ORDER}
    listed = playlist(
        [f"{number}.{container}" for number in ORDER],
        head='#EXT-X-MAP:URI="i.mp4"' if head else "",
        before=BREAKS if told else {},
    )
    return {**files, "/film.m3u8": listed, **({"/i.mp4": head} if head else {})}


def blocks(folder: Path) -> int:
    """Bytes on the disk."""
    return sum(path.stat().st_blocks * 512 for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize("told", [True, False])
@pytest.mark.parametrize("container", CONTAINERS)
async def test_a_clock_is_set_in_place(
    tmp_path: Path, clip: Clip, container: Container, monkeypatch: pytest.MonkeyPatch, *, told: bool
) -> None:
    files, most = film(clip, container, told=told), 0
    tell = one_clock._tell  # pyright: ignore[reportPrivateUsage]

    def look(path: Path) -> None:
        nonlocal most
        tell(path)
        most = max(most, blocks(tmp_path))

    monkeypatch.setattr(one_clock, "_tell", look)
    async with VodServer(files) as vod:
        done = await download(vod.url("/film.m3u8"), tmp_path)
        vod.forget()
        again = await download(vod.url("/film.m3u8"), tmp_path)
        assert not [name for name in vod.asked if name.endswith(f".{container}") and name != "/i.mp4"]
    assert again.path == done.path == tmp_path / f"film.{container}"
    size = sum(len(files[f"/{number}.{container}"]) for number in ORDER) + len(files.get("/i.mp4", b""))
    assert done.path.stat().st_size == size
    assert size <= most < 1.2 * size
    assert sorted(path.name for path in tmp_path.iterdir()) == ["film.ledger", f"film.{container}"]  # noqa: ASYNC240
    assert runs_through(stamps(done.path, "v"), 9, 1 / 25)
    assert runs_through(stamps(done.path, "a"), 9, 1024 / 32000)
    verdict = await verify(done.path)
    assert (verdict.status, verdict.findings) == ("clean", ())


def apart(clip: Clip) -> dict[str, bytes]:
    """Pictures, and sound in a track of its own."""
    kinds: Mapping[str, Tracks] = {"v": "video", "a": "audio"}
    files: dict[str, bytes] = {}
    for name, wanted in kinds.items():
        parts = [path.read_bytes() for path in clip.ts_segments(wanted)]
        files |= {f"/{name}{number}.ts": parts[number] for number in ORDER}
        if name == "a":  # the sound ends early before a break
            units = [at for at in range(0, len(parts[3]), 188) if read_pes(parts[3], at)]
            files["/a3.ts"] = parts[3][: units[len(units) // 2]]
        files[f"/{name}.m3u8"] = playlist([f"{name}{number}.ts" for number in ORDER], before=BREAKS)
    files["/film.m3u8"] = (
        b'#EXTM3U\n#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="s",NAME="one",DEFAULT=YES,LANGUAGE="en",URI="a.m3u8"\n'
        b'#EXT-X-STREAM-INF:BANDWIDTH=1000000,AUDIO="s",CODECS="avc1.64001f,mp4a.40.2"\nv.m3u8\n'
    )
    return files


async def test_several_tracks_get_one_offset_a_break(tmp_path: Path, clip: Clip) -> None:
    async with VodServer(apart(clip)) as vod:
        done = await download(vod.url("/film.m3u8"), tmp_path)
    assert done.warnings == ()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["film.ledger", "film.mp4"]  # noqa: ASYNC240
    pictures, sound = stamps(done.path, "v"), stamps(done.path, "a")
    assert runs_through(pictures, 9, 1 / 25)
    assert max(after - before for before, after in itertools.pairwise(sound)) > 0.3, "it is not pulled forward"
    assert abs(pictures[-1] - sound[-1]) < 0.15


class Killed(BaseException):
    pass


@pytest.mark.parametrize("moment", range(0, 300, 40))
async def test_killed_while_it_is_set(tmp_path: Path, clip: Clip, moment: int, monkeypatch: pytest.MonkeyPatch) -> None:
    files = apart(clip)
    calm, killed = tmp_path / "calm", tmp_path / "killed"
    left = moment

    def dying(call: Any) -> Any:
        def die(*args: Any, **options: Any) -> Any:
            nonlocal left
            left -= 1
            if left < 0:
                raise Killed
            return call(*args, **options)

        return die

    async with VodServer(files) as vod:
        reference = (await download(vod.url("/film.m3u8"), calm)).path
        with monkeypatch.context() as patched:
            patched.setattr(one_clock.os, "pwrite", dying(one_clock.os.pwrite))
            patched.setattr(one_clock, "sync_folder", dying(one_clock.sync_folder))
            with pytest.raises(Killed):
                await download(vod.url("/film.m3u8"), killed)
        assert not (killed / "film.mp4").exists()
        done = await download(vod.url("/film.m3u8"), killed)
    assert done.path.read_bytes() == reference.read_bytes()
    assert sorted(path.name for path in killed.iterdir()) == ["film.ledger", "film.mp4"]
