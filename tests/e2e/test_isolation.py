"""Many channels in one process, most of them sick in a way of their own: none touches another's file, or holds it up."""

from __future__ import annotations

from pathlib import Path
from signal import SIGINT
from typing import Any

from tests.command import Running, is_run, numbers, proven

from ouzel.testing.clips import Clip
from ouzel.testing.disk import tiny_disk
from ouzel.testing.origin import Aes, Hls, LiveOrigin, OriginProcess
from ouzel.testing.origin.channel import Channel

BEFORE, AFTER = 6, 14
"""Groups of pictures that are there when the recorder comes, and that follow."""
LENGTH_S = 12
OPTIONS = ("--duration", f"{LENGTH_S}s", "--from-start", "--park", "1s", "--name", "{name}/take", "--json")
ALL = Hls(window=0)
CALM = {
    "calm-flv": ALL,
    "calm-ts": ALL,
    "calm-hls": ALL,
    "calm-mp4": Hls(window=0, container="mp4"),
    "calm-aes": Hls(window=0, aes=Aes()),
}


class Programme:
    """All channels of one origin."""

    def __init__(self, origin: LiveOrigin, clip: Clip) -> None:
        self.urls: dict[str, str] = {}
        self.shows: list[Channel] = []
        self._origin, self._clip = origin, clip

    def flv(self, name: str, *, cache: int = 0) -> Channel:
        show = self._add(name, ALL)
        show.flv.gop_cache = cache
        self.urls[name] = show.flv_url
        return show

    def ts(self, name: str) -> None:
        self.urls[name] = self._add(name, ALL).ts_url

    def hls(self, name: str, hls: Hls = ALL) -> Channel:
        show = self._add(name, hls)
        self.urls[name] = show.url
        return show

    def push(self) -> None:
        """Go on, all at the same time."""
        for _ in range(AFTER):
            for show in self.shows:
                show.push()

    def _add(self, name: str, hls: Hls) -> Channel:
        show = self._origin.channel(name, self._clip, hls=hls).push(BEFORE)
        self.shows.append(show)
        return show


def add_calm(programme: Programme, origin: LiveOrigin) -> list[str]:
    """These arrive in small pieces, between those of the others. Returns their addresses."""
    origin.on("live/calm*").crawl(500_000)
    programme.flv("calm-flv", cache=BEFORE)
    programme.ts("calm-ts")
    for name in list(CALM)[2:]:
        programme.hls(name, CALM[name])
    return [programme.urls[name] for name in CALM]


def add_sick(programme: Programme, origin: LiveOrigin, small_clip: Clip) -> None:
    programme.flv("reset", cache=BEFORE + AFTER)
    origin.on("reset.flv").reset(after=70_000, times=2)
    programme.flv("garbage").flv_faults.garbage(at=7).oversized_tag(at=9)
    programme.flv("crawl")
    origin.on("crawl.flv").crawl(1_000)
    programme.hls("codec").change_clip(small_clip, at=8)
    programme.hls("lost")
    origin.on("lost/seg1.ts").status(404)
    origin.on("lost/seg3.ts").short(5_000, times=1)
    origin.on("lost/seg5.ts").cut(30_000)
    programme.hls("page")
    origin.on("page/index.m3u8").allow(times=1).html()
    programme.hls("stall")
    programme.hls("blocked")
    programme.urls["nowhere"] = "http://nosuch.invalid/live/nowhere.flv"


def test_a_fault_in_one_channel_never_touches_anothers_file(clip: Clip, small_clip: Clip, tmp_path: Path) -> None:
    (tmp_path / "blocked").write_text("a file, where a folder is wanted")
    with OriginProcess() as process:
        origin = process.origin
        programme = Programme(origin, clip)
        calm = add_calm(programme, origin)
        add_sick(programme, origin, small_clip)
        stall = origin.on("stall/seg2.ts").stall(after=20_000, times=1)
        with Running(*programme.urls.values(), *OPTIONS, cwd=tmp_path) as running:
            running.until_all("connected", *calm)
            programme.push()
            running.until_all("ended", *calm)
            assert stall.stalled == 1, "nobody has waited for this one"
            stall.release()
            running.until_all(
                "ended", *(programme.urls[name] for name in ("stall", "lost", "page", "nowhere", "reset"))
            )
            running.send(SIGINT)
            done = running.end()
    recordings = dict(zip(programme.urls, done.report["recordings"], strict=True))
    for name in programme.urls:
        check_files(name, recordings[name])
    check_calm({name: recordings[name] for name in [*CALM, "stall"]})
    check_sick(recordings)
    assert done.code == 5, "the worst of all: a folder that cannot be made"


def check_files(name: str, recording: dict[str, Any]) -> None:
    """Every file is proven, and nothing in it is foreign or comes twice."""
    found: list[int] = []
    for file in recording["files"]:
        path = Path(file["path"])
        assert path.parent.name == name
        proven(path)
        found += numbers(path, channel=name)
    assert found == sorted(set(found)), name
    recording["numbers"] = found


def check_calm(recordings: dict[str, dict[str, Any]]) -> None:
    for name, recording in recordings.items():
        assert (recording["end_reason"], recording["gaps"], recording["reconnects"]) == ("duration", [], 0), name
        assert len(recording["files"]) == 1, name
        assert is_run(recording["numbers"]), name
        assert len(recording["numbers"]) >= LENGTH_S, name


def check_sick(recordings: dict[str, dict[str, Any]]) -> None:
    assert is_run(recordings["reset"]["numbers"])
    assert recordings["reset"]["runs"] >= 2  # a reset may come before the connection has given anything
    assert recordings["garbage"]["numbers"][0] == BEFORE - 1
    assert not set(range(BEFORE - 1, 9)) - set(recordings["garbage"]["numbers"])
    assert recordings["crawl"]["files"] == []
    assert len(recordings["codec"]["files"]) == 2
    assert is_run(recordings["codec"]["numbers"])
    assert recordings["codec"]["gaps"] == []
    assert {gap["first_sequence"] for gap in recordings["lost"]["gaps"]} == {1, 5}
    assert set(recordings["lost"]["numbers"]) >= {0, 2, 3, 4, *range(6, 12)}
    assert recordings["page"]["end_reason"] == "gone"
    assert is_run(recordings["page"]["numbers"])
    assert recordings["nowhere"]["error"]["code"] == "host_not_found"
    assert recordings["blocked"]["error"]["code"] == "read_only"
    assert recordings["blocked"]["files"] == recordings["nowhere"]["files"] == []


def test_a_full_disk_of_one_channel_stops_no_other(clip: Clip, tmp_path: Path) -> None:
    with tiny_disk(tmp_path / "full", megabytes=1) as disk, OriginProcess() as process:
        programme = Programme(process.origin, clip)
        programme.flv("full", cache=BEFORE)
        programme.flv("calm-flv", cache=BEFORE)
        (disk / "ballast").write_bytes(bytes(500_000))
        with Running(*programme.urls.values(), *OPTIONS, "--min-free", "0", cwd=tmp_path) as running:
            running.until_all("connected", *programme.urls.values())
            programme.push()
            running.until("paused", code="disk_full")
            programme.push()
            running.until_all("ended", programme.urls["calm-flv"])
            running.send(SIGINT)
            done = running.end()
        recordings = dict(zip(programme.urls, done.report["recordings"], strict=True))
        for name in programme.urls:
            check_files(name, recordings[name])
    check_calm({"calm-flv": recordings["calm-flv"]})
    assert [gap["code"] for gap in recordings["full"]["gaps"]] == ["disk_full"]
    assert len(done.told("paused")) <= 4, "it does not ask again and again what the disk does not take"
