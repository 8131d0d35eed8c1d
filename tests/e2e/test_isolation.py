"""Ten channels in one process: what goes wrong on one of them never touches another's file."""

from __future__ import annotations

from pathlib import Path

from tests.command import is_run, numbers, ouzel, proven

from ouzel.testing.clips import Clip
from ouzel.testing.origin import Hls, LiveOrigin, OriginProcess

SPEED = 8.0
HEALTHY = ("calm0", "calm1", "calm2", "calm3", "calm4")
SICK = ("reset", "garbage", "lost", "page", "gone")


def urls_with_faults(origin: LiveOrigin, clip: Clip, small_clip: Clip) -> list[str]:
    shows = {name: origin.channel(name, clip, hls=Hls(window=60), speed=SPEED) for name in (*HEALTHY, *SICK)}
    origin.on("reset.flv").reset(after=70_000, times=3)
    shows["garbage"].flv_faults.garbage(at=9).oversized_tag(at=11)
    shows["garbage"].change_clip(small_clip, at=13)
    origin.on("live/lost/seg*").allow(times=3).short(5000, times=2).status(404, times=3).cut(300, times=9)
    origin.on("live/page/index.m3u8").allow(times=1).html(times=4).status(503)
    origin.on("gone.flv").cut(100_000, times=1).status(404)
    flv = {"calm0", "calm1", "reset", "garbage", "gone"}
    return [show.flv_url if name in flv else show.url for name, show in shows.items()]


def test_a_fault_in_one_channel_never_touches_anothers_file(clip: Clip, small_clip: Clip, tmp_path: Path) -> None:
    with OriginProcess() as process:
        urls = urls_with_faults(process.origin, clip, small_clip)
        done = ouzel(*urls, "--duration", "16s", "--park", "2s", "--name", "{name}", "--json", cwd=tmp_path)
    assert done.code == 3
    assert done.err == ""
    recordings = dict(zip((*HEALTHY, *SICK), done.report["recordings"], strict=True))
    for name, recording in recordings.items():
        assert recording["files"], name
        found = [n for file in recording["files"] for n in numbers(Path(file["path"]), channel=name)]
        assert found == sorted(set(found)), name
        for file in recording["files"]:
            proven(Path(file["path"]))
        if name in HEALTHY:
            assert (recording["end_reason"], recording["gaps"], recording["reconnects"]) == ("duration", [], 0)
            assert is_run(found)
            assert len(recording["files"]) == 1
    assert recordings["reset"]["runs"] == 4
    assert len(recordings["garbage"]["files"]) == 2
    assert recordings["lost"]["gaps"]
    assert recordings["gone"]["end_reason"] == "gone"
    assert recordings["page"]["end_reason"] == "gone"
