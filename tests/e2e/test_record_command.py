"""`ouzel record` as a user meets it: what it says, what it writes, and what its options do."""

from __future__ import annotations

import json
import os
import pty
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.command import Running, book_of, environment, left_in, numbers, ouzel, proven

from ouzel.testing.clips import Clip
from ouzel.testing.origin import Hls, LiveOrigin, OriginProcess

SPEED = 8.0
ALL = Hls(window=0)


@pytest.fixture(scope="module")
def origin() -> Iterator[LiveOrigin]:
    with OriginProcess() as process:
        yield process.origin


@pytest.fixture(scope="module")
def show(origin: LiveOrigin, clip: Clip) -> str:
    """The address of a finished show of six seconds."""
    return origin.channel("show", clip, hls=ALL).push(6).end().url


# -- what it says ------------------------------------------------------------------------------------------------------


def test_people_are_told_what_was_kept_and_how_to_play_it(show: str, tmp_path: Path) -> None:
    done = ouzel(show, "-o", "my films/", cwd=tmp_path)
    (path,) = (tmp_path / "my films").glob("*.ts")
    assert re.fullmatch(r"show_\d{4}-\d\d-\d\d_\d\d-\d\d-\d\d\.ts", path.name)
    assert done.code == 0
    assert f"file      {path}" in done.out
    assert re.search(r"kept      00:00:06\.0  \d+ kB  in 1 connection", done.out)
    assert "gaps      none" in done.out
    assert "ended     the stream is over" in done.out
    assert f"check     ouzel verify '{path}'" in done.out
    assert f"closed {path} (" in done.err
    assert "\x1b" not in done.err + done.out
    assert proven(path).media_s == pytest.approx(6, abs=0.05)


def test_quiet_says_nothing_and_verbose_says_more(show: str, tmp_path: Path) -> None:
    quiet = ouzel(show, "-q", cwd=tmp_path)
    assert (quiet.code, quiet.out, quiet.err) == (0, "", "")
    verbose = ouzel(show, "-v", cwd=tmp_path)
    assert f"connected: hls {show}" in verbose.err
    assert re.search(r"writing .*\.ts\.part", verbose.err)


def test_chinese(show: str, origin: LiveOrigin, tmp_path: Path) -> None:
    zh = {"OUZEL_LANG": "zh"}
    done = ouzel(show, cwd=tmp_path, env=zh)
    assert "缺口      无" in done.out
    assert "直播已结束" in done.out
    wrong = ouzel(f"{origin.url}/none.flv", cwd=tmp_path, env=zh)
    assert wrong.err.startswith("ouzel: 错误: ")
    assert ouzel("--help", cwd=tmp_path, env=zh).code == 0


def test_progress_on_a_terminal_is_one_line_that_is_drawn_again(origin: LiveOrigin, clip: Clip, tmp_path: Path) -> None:
    live = origin.channel("terminal", clip, speed=2)
    ours, theirs = pty.openpty()
    words = [sys.executable, "-m", "ouzel", "record", live.flv_url, "--duration", "5s"]
    with subprocess.Popen(words, cwd=tmp_path, env=environment(), stdin=theirs, stdout=theirs, stderr=theirs) as child:
        os.close(theirs)
        screen = b""
        while data := _read(ours):
            screen += data
    os.close(ours)
    text = screen.decode()
    drawn = re.findall(r"(recording|connecting)  00:00:0\d\.\d  [\d.]+ k?B  [\d.]+ [kM]b/s  gaps 0  reconnects 0", text)
    assert child.returncode == 0
    assert len(drawn) >= 2
    before, _, after = text.rpartition("closed ")
    assert before.count("\n") == 0, "the progress takes one line"
    assert "\r\x1b[J" in before
    assert "recording  " not in after, "nothing of it is left"


def test_several_addresses_are_one_call_and_one_failure_is_its_own(
    origin: LiveOrigin, clip: Clip, tmp_path: Path
) -> None:
    good = [origin.channel(f"several{n}", clip, hls=ALL).push(3).end().url for n in range(3)]
    bad = f"{origin.url}/live/none/index.m3u8"
    done = ouzel(good[0], bad, *good[1:], cwd=tmp_path)
    assert done.code == 4, "the worst of the four"
    assert done.err.splitlines()[-1] == f"ouzel: error: {bad}: 127.0.0.1 answered 404 Not Found (gone)"
    files = sorted(tmp_path.glob("*.ts"))
    assert [path.name.partition("_")[0] for path in files] == ["several0", "several1", "several2"]
    for path in files:
        proven(path)
        assert numbers(path) == [0, 1, 2]


def test_a_reader_that_goes_away_does_not_end_the_recording(origin: LiveOrigin, clip: Clip, tmp_path: Path) -> None:
    live = origin.channel("pipe", clip, speed=SPEED)
    with Running(live.flv_url, "--duration", "20s", "--json", "-o", "out.flv", cwd=tmp_path) as running:
        running.until("file_opened")
        assert running.process.stdout is not None
        running.process.stdout.close()
        assert running.process.wait(60) == 0
        assert running.err == ""
    assert proven(tmp_path / "out.flv").media_s >= 20


def _read(fd: int) -> bytes:
    try:
        return os.read(fd, 4096)
    except OSError:  # the other end of the terminal is closed
        return b""


# -- events ------------------------------------------------------------------------------------------------------------

TEXT, NUMBER, WHOLE, LIST = str, (int, float), int, list
GAP = {
    "at_s": NUMBER, "code": TEXT, "why": TEXT, "start": TEXT, "end": TEXT, "missing_s": NUMBER,
    "first_sequence": (int, type(None)), "last_sequence": (int, type(None)), "scope": TEXT,
}  # fmt: skip
SHAPES: dict[str, dict[str, object]] = {
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
    "gaps": LIST,
    "runs": WHOLE,
    "end_reason": TEXT,
}
FILE = {"path": TEXT, "ledger": TEXT, "format": TEXT, "bytes": WHOLE, "media_s": NUMBER, "gaps": WHOLE}
RECORDING = {
    **SUMS, "source": TEXT, "started": TEXT, "ended": TEXT, "reconnects": WHOLE, "replays_dropped": WHOLE,
    "error": (dict, type(None)),
}  # fmt: skip
STATES = {"waiting", "connecting", "recording", "parked", "paused", "finishing", "done"}
INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


def fits(doc: dict[str, object], shape: dict[str, object], *, besides: tuple[str, ...] = ()) -> None:
    assert set(doc) - set(besides) == set(shape)
    for name, kind in shape.items():
        assert isinstance(doc[name], kind), (name, doc[name])
        assert not isinstance(doc[name], bool)


def fits_report(report: dict[str, object]) -> None:
    fits(report, {**SUMS, "recordings": LIST}, besides=("event", "at"))
    for recording in report["recordings"]:
        fits(recording, RECORDING)
    for file in report["files"]:
        fits(file, FILE, besides=("error",))
    for gap in report["gaps"]:
        fits(gap, {**GAP, "source": TEXT})


def test_events_and_report_are_as_documented(origin: LiveOrigin, clip: Clip, small_clip: Clip, tmp_path: Path) -> None:
    live = origin.channel("events", clip, speed=SPEED)
    live.flv.gop_cache = 1
    live.change_clip(small_clip, at=22)
    live.flv_faults.repeat(2, at=12)
    origin.on("events.flv").reset(after=150_000, times=1).status(503, for_s=0.8).allow(times=1)
    broken = origin.channel("gaps", clip, hls=ALL).push(6).gap(2).end()
    words = ["--duration", "24s", "--format", "mkv", "--json", "-o", "out/"]
    done = ouzel(live.flv_url, broken.url, *words, cwd=tmp_path)
    assert done.code == 3
    assert done.err == ""
    *events, last = done.events
    sources = {live.flv_url, broken.url}
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


# -- where it writes ---------------------------------------------------------------------------------------------------


def test_the_formats_that_an_output_file_can_have(show: str, tmp_path: Path) -> None:
    endings = ["ts", "mp4", "mkv", "flv", "m4a", "mp3"]
    running = [Running(show, "-o", f"show {ending}.{ending}", "--json", cwd=tmp_path) for ending in endings]
    for ending, each in zip(endings, running, strict=True):
        with each:
            done = each.end()
        assert done.code == 0, done.err
        assert done.files == [tmp_path / f"show {ending}.{ending}"]
        streams = _streams(done.files[0])
        assert streams == {"m4a": ["aac"], "mp3": ["mp3"]}.get(ending, ["aac", "h264"])
    assert left_in(tmp_path) == sorted(f"show {a}.{b}" for a in endings for b in (a, "ledger"))


def _streams(path: Path) -> list[str]:
    words = ["ffprobe", "-v", "error", "-show_entries", "stream=codec_name", "-of", "json", str(path)]
    found = json.loads(subprocess.run(words, capture_output=True, check=True).stdout)
    return sorted(stream["codec_name"] for stream in found["streams"])


def test_another_format_with_the_original_kept(show: str, tmp_path: Path) -> None:
    done = ouzel(show, "--format", "MP4", "--keep-original", "--name", "{host}/{quality}/take", cwd=tmp_path)
    assert done.code == 0
    folder = "127.0.0.1/best"
    assert left_in(tmp_path) == sorted(
        ["127.0.0.1", folder, f"{folder}/take.ledger", f"{folder}/take.mp4", f"{folder}/take.ts"]
    )
    proven(tmp_path / folder / "take.ts", closed=False)


def test_names_that_collide_are_numbered_and_parts_stay_together(
    origin: LiveOrigin, clip: Clip, tmp_path: Path
) -> None:
    urls = [origin.channel(f"twin{n}", clip, hls=ALL).push(4).end().url for n in range(3)]
    (tmp_path / "twin_2-001.ledger").touch()
    done = ouzel(*urls, "--name", "twin", "--split-after", "2s", "--json", cwd=tmp_path)
    assert done.code == 0
    for recording in done.report["recordings"]:
        names = [Path(file["path"]).name for file in recording["files"]]
        stem = names[0].removesuffix("-001.ts")
        assert names == [f"{stem}-001.ts", f"{stem}-002.ts"]
        assert [n for file in recording["files"] for n in numbers(Path(file["path"]))] == [0, 1, 2, 3]
    assert {path.name for path in done.files if "001" in path.name} == {f"twin{n}-001.ts" for n in ("", "_3", "_4")}


# -- how much it keeps -------------------------------------------------------------------------------------------------


def test_the_length_that_is_asked_for_is_media_time_cut_at_a_chunk(
    origin: LiveOrigin, clip: Clip, tmp_path: Path
) -> None:
    live = origin.channel("length", clip, speed=SPEED)
    done = ouzel(live.flv_url, "--duration", "4.2s", "--json", cwd=tmp_path)
    assert done.code == 0
    assert done.report["end_reason"] == "duration"
    assert done.report["media_s"] == pytest.approx(5, abs=0.1), "a show that runs eight times as fast has these sooner"


def test_files_are_split_by_time_and_by_size_and_nothing_is_lost(
    origin: LiveOrigin, clip: Clip, tmp_path: Path
) -> None:
    long = origin.channel("split", clip, hls=ALL).push(12).end().url
    by_time = ouzel(long, "--split-after", "5s", "--json", "-o", "time.ts", cwd=tmp_path)
    assert [path.name for path in by_time.files] == ["time-001.ts", "time-002.ts", "time-003.ts"]
    assert [file["media_s"] for file in by_time.report["files"]] == pytest.approx([5, 5, 2], abs=0.1)
    by_size = ouzel(long, "--split-size", "200kB", "--json", "-o", "size.ts", cwd=tmp_path)
    assert len(by_size.files) > 2
    assert all(file["bytes"] <= 200_000 for file in by_size.report["files"])
    for done in (by_time, by_size):
        assert [n for path in done.files for n in numbers(path)] == list(range(12))
        for path in done.files:
            proven(path)


def test_from_the_start_takes_what_the_server_still_has(origin: LiveOrigin, clip: Clip, tmp_path: Path) -> None:
    live = origin.channel("start", clip, hls=Hls(window=10), speed=1, lead_s=12)
    late = ouzel(live.url, "--duration", "2s", "--json", "-o", "late.ts", cwd=tmp_path)
    early = ouzel(live.url, "--duration", "2s", "--from-start", "--json", "-o", "early.ts", cwd=tmp_path)
    assert numbers(early.files[0])[0] < numbers(late.files[0])[0]


def test_waiting_for_a_stream_that_is_not_on_air_yet(clip: Clip, tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}/live/later/index.m3u8"
    with Running(url, "--wait", "--json", cwd=tmp_path) as running:
        assert running.until("reconnecting")["code"] == "connect_failed"
        running.until("progress", state="waiting")
        with OriginProcess(port=port) as process:
            running.until("reconnecting", code="gone")
            process.origin.channel("later", clip, hls=ALL).push(3).end()
            done = running.end()
    assert done.code == 0
    assert numbers(done.files[0]) == [0, 1, 2]


# -- how it asks -------------------------------------------------------------------------------------------------------


def test_headers_user_agent_and_cookies_are_sent(origin: LiveOrigin, clip: Clip, tmp_path: Path) -> None:
    (tmp_path / "cookies.txt").write_text(
        "# Netscape HTTP Cookie File\n127.0.0.1\tFALSE\t/\tFALSE\t0\tid\tabc\nexample.org\tTRUE\t/\tFALSE\t0\tnot\tthis\n"
    )
    url = origin.channel("asked", clip, hls=ALL).push(3).end().url
    words = ["--header", "Referer: https://example.org/", "--header", "X-Key:1", "--user-agent", "Radio/2"]
    assert ouzel(url, *words, "--cookies", "cookies.txt", cwd=tmp_path).code == 0
    requests = [request for request in origin.requests if "/asked/" in request.path]
    assert len(requests) == 4
    for request in requests:
        headers = request.headers
        assert headers["referer"] == "https://example.org/"
        assert headers["x-key"] == "1"
        assert headers["user-agent"] == "Radio/2"
        assert headers["cookie"] == "id=abc"


def test_a_proxy_is_asked_for_everything_and_finds_the_host_itself(
    origin: LiveOrigin, clip: Clip, tmp_path: Path
) -> None:
    origin.channel("proxied", clip, hls=ALL).push(3).end()
    url = "http://nosuch.invalid/live/proxied/index.m3u8"
    done = ouzel(url, "--proxy", origin.url, "--json", cwd=tmp_path)
    assert done.code == 0
    assert numbers(done.files[0]) == [0, 1, 2]
    requests = [request for request in origin.requests if "/proxied/" in request.path]
    assert {request.headers["host"] for request in requests} == {"nosuch.invalid"}


def test_a_ledger_tells_what_was_recorded_without_its_secrets(origin: LiveOrigin, clip: Clip, tmp_path: Path) -> None:
    url = origin.channel("signed", clip, hls=ALL).push(2).end().url
    done = ouzel(f"{url}?token=s3cr3t-0123456789abcdef", "-v", "-o", "signed.ts", cwd=tmp_path)
    said = done.out + done.err + (tmp_path / "signed.ledger").read_text()
    assert "s3cr3t" not in said
    assert book_of(tmp_path / "signed.ts").opening.source.startswith(url)
