"""What `ouzel record --json` says: every event and the report have the shape that `docs/reference/report.md` promises."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.command import Done, Running

from ouzel.testing.clips import Clip
from ouzel.testing.origin import Hls, OriginProcess

TEXT, NUMBER, WHOLE, LIST = str, (int, float), int, list
GAP = {
    "at_s": NUMBER, "code": TEXT, "why": TEXT, "start": TEXT, "end": TEXT, "missing_s": NUMBER,
    "first_sequence": (int, type(None)), "last_sequence": (int, type(None)), "scope": TEXT,
}  # fmt: skip
SHAPES: dict[str, dict[str, Any]] = {
    "connected": {"run": WHOLE, "protocol": TEXT, "address": TEXT, "quality": TEXT},
    "file_opened": {"path": TEXT, "part": WHOLE, "tracks": LIST},
    "progress": {
        "state": TEXT, "media_s": NUMBER, "bytes": WHOLE, "bitrate_bps": WHOLE, "gaps": WHOLE, "missing_s": NUMBER,
        "reconnects": WHOLE, "runs": WHOLE, "file": TEXT,
    },
    "gap": GAP,
    "repair": {"what": TEXT, "at_s": NUMBER, "by_s": NUMBER},
    "replay_dropped": {"seconds": NUMBER},
    "reconnecting": {"code": TEXT, "why": TEXT, "delay_s": NUMBER},
    "warning": {"code": TEXT, "why": TEXT},
    "file_closed": {"path": TEXT, "bytes": WHOLE, "media_s": NUMBER},
    "converted": {"path": TEXT, "bytes": WHOLE},
    "ended": {"end_reason": TEXT},
}  # fmt: skip
SUMS = {
    "files": LIST,
    "media_s": NUMBER,
    "missing_s": NUMBER,
    "bytes": WHOLE,
    "damaged_chunks": WHOLE,
    "gaps": LIST,
    "runs": WHOLE,
    "end_reason": TEXT,
}
FILE = {
    "path": TEXT, "ledger": TEXT, "format": TEXT, "bytes": WHOLE, "media_s": NUMBER, "gaps": WHOLE,
    "damaged_chunks": WHOLE,
}  # fmt: skip
RECORDING = {
    **SUMS, "source": TEXT, "started": TEXT, "ended": TEXT, "reconnects": WHOLE, "replays_dropped": WHOLE,
    "stream": (dict, type(None)), "error": (dict, type(None)),
}  # fmt: skip
STATES = {"waiting", "connecting", "recording", "parked", "paused", "finishing"}
INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


def fits(doc: dict[str, Any], shape: Mapping[str, Any], *, besides: tuple[str, ...] = ()) -> None:
    assert set(doc) - set(besides) == set(shape)
    for name, kind in shape.items():
        assert isinstance(doc[name], kind), (name, doc[name])
        assert not isinstance(doc[name], bool)


def fits_report(report: dict[str, Any]) -> None:
    fits(report, {**SUMS, "recordings": LIST}, besides=("event", "at"))
    for recording in report["recordings"]:
        fits(recording, RECORDING)
    for file in report["files"]:
        fits(file, FILE, besides=("error",))
    for gap in report["gaps"]:
        fits(gap, {**GAP, "source": TEXT})


def record_with_all_that_happens(clip: Clip, small_clip: Clip, folder: Path) -> tuple[Done, set[str]]:
    """A recording in which something of everything happens, step by step; and the addresses."""
    with OriginProcess() as process:
        origin = process.origin
        live = origin.channel("events", clip).push(6)
        live.flv.gop_cache = 1
        live.flv_faults.repeat(2, at=8)
        live.change_clip(small_clip, at=13)
        trouble = origin.on("events.flv").reset(after=300_000, times=1).status(503)
        broken = origin.channel("gaps", clip, hls=Hls(window=0)).push(6).gap(2).end()
        urls = live.flv_url, broken.url
        with Running(*urls, "--duration", "12s", "--format", "mkv", "--json", "-o", "out/", cwd=folder) as running:
            running.until("connected", source=live.flv_url)
            live.push(5)
            running.until("reconnecting", source=live.flv_url)
            live.push(6)  # while nobody listens
            trouble.clear()
            running.until("connected", source=live.flv_url)
            running.until("progress", source=live.flv_url)
            live.push(12)
            return running.end(), set(urls)


def test_events_and_report_are_as_documented(clip: Clip, small_clip: Clip, tmp_path: Path) -> None:
    done, sources = record_with_all_that_happens(clip, small_clip, tmp_path)
    assert done.code == 3
    assert done.err == ""
    *events, last = done.events
    for event in events:
        assert event["source"] in sources
        assert INSTANT.fullmatch(event["at"])
        fits(event, SHAPES[event["event"]], besides=("event", "at", "source"))
    assert {event["event"] for event in events} >= set(SHAPES) - {"warning"}
    assert {event["state"] for event in done.told("progress")} <= STATES
    assert {track["kind"] for event in done.told("file_opened") for track in event["tracks"]} == {"video", "audio"}
    assert last["event"] == "report"
    assert {gap["source"] for gap in last["gaps"]} == sources
    assert last["end_reason"] == "mixed"
    assert [Path(file["path"]).suffix for file in last["files"]] == [".mkv", ".mkv", ".mkv"]
    fits_report(last)
    for event in done.told("gap"):
        assert {**event, "at": 0, "event": 0} in [{**gap, "at": 0, "event": 0} for gap in last["gaps"]]


def test_every_field_is_in_the_reference() -> None:
    reference = (Path(__file__).parents[2] / "docs/reference/report.md").read_text()
    names = {*SHAPES, *GAP, *FILE, *RECORDING, *(field for shape in SHAPES.values() for field in shape), *STATES}
    words = set(re.findall(r"\w+", reference))
    assert names <= words
