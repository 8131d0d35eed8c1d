"""`ouzel record` as a user meets it: what it says, what it writes, and what its options do."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.command import HANG_S, Running, book_of, environment, left_in, numbers, ouzel, proven

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


def test_chinese(show: str, origin: LiveOrigin, clip: Clip, tmp_path: Path) -> None:
    zh = {"OUZEL_LANG": "zh"}
    broken = origin.channel("chinese", clip, hls=ALL).push(4).gap(1).end().url
    done = ouzel(show, broken, "-o", "out/", cwd=tmp_path, env=zh)
    assert done.code == 3
    assert "缺口      无" in done.out
    assert re.search(r"缺口      .*缺失.*listed_gap", done.out)
    assert "直播已结束" in done.out
    wrong = ouzel(f"{origin.url}/none.flv", cwd=tmp_path, env=zh)
    assert wrong.err.startswith("ouzel: 错误: ")
    assert wrong.err.endswith(" (gone)\n")


def test_the_exit_code_tells_what_became_of_it(show: str, origin: LiveOrigin, clip: Clip, tmp_path: Path) -> None:
    broken = origin.channel("codes", clip, hls=ALL).push(4).gap(1).end().url
    (tmp_path / "taken.ts").touch()
    calls: dict[int, list[str]] = {
        0: [show, "-o", "whole.ts"],
        2: [show, "-o", "taken.ts"],
        3: [broken, "-o", "gaps.ts"],
        4: [f"{origin.url}/none.flv", "-o", "nothing.ts"],
        5: [show, "-o", "taken.ts/below/"],
    }
    running = {code: Running(*words, "-q", cwd=tmp_path) for code, words in calls.items()}
    for code, each in running.items():
        with each:
            done = each.end()
        assert done.code == code, done.err
        assert len(done.err.splitlines()) == (code in {2, 4, 5})
    assert left_in(tmp_path) == ["gaps.ledger", "gaps.ts", "taken.ts", "whole.ledger", "whole.ts"]


def test_progress_on_a_terminal_is_one_line_that_is_drawn_again(origin: LiveOrigin, clip: Clip, tmp_path: Path) -> None:
    live = origin.channel("terminal", clip).push(3)
    line = re.compile(r"(recording|connecting)  00:00:0\d\.\d  [\d.]+ k?B  [\d.]+ k?b/s  gaps 0  reconnects 0")
    ours, theirs = pty.openpty()
    words = [sys.executable, "-m", "ouzel", "record", live.flv_url, "--duration", "4s"]
    with subprocess.Popen(words, cwd=tmp_path, env=environment(), stdin=theirs, stdout=theirs, stderr=theirs) as child:
        os.close(theirs)
        screen = b""
        try:
            while data := _read(ours):
                screen += data
                if live.segments == 3 and len(line.findall(screen.decode(errors="replace"))) > 1:
                    live.push(6)  # drawn twice: now it may end
        except BaseException:
            child.kill()
            raise
        finally:
            os.close(ours)
    before, _, after = screen.decode().rpartition("closed ")
    assert child.returncode == 0
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
    last = done.err.splitlines()[-1]
    assert last.startswith(f"ouzel: error: {bad}: 127.0.0.1 answered 404 Not Found; check the address")
    assert last.endswith(" (gone)")
    files = sorted(tmp_path.glob("*.ts"))
    assert [path.name.partition("_")[0] for path in files] == ["several0", "several1", "several2"]
    for path in files:
        proven(path)
        assert numbers(path) == [0, 1, 2]


def test_a_reader_that_goes_away_does_not_end_the_recording(origin: LiveOrigin, clip: Clip, tmp_path: Path) -> None:
    live = origin.channel("pipe", clip, speed=SPEED)
    with Running(live.flv_url, "--duration", "12s", "--json", "-o", "out.flv", cwd=tmp_path) as running:
        running.until("file_opened")
        assert running.process.stdout is not None
        running.process.stdout.close()
        assert running.process.wait(60) == 0
        assert running.err == ""
    assert proven(tmp_path / "out.flv").media_s >= 12


def _read(fd: int) -> bytes:
    ready, _, _ = select.select([fd], [], [], HANG_S)
    assert ready, "it hangs"
    try:
        return os.read(fd, 4096)
    except OSError:  # the other end of the terminal is closed
        return b""


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


def test_the_quality_that_is_asked_for(origin: LiveOrigin, clip: Clip, small_clip: Clip, tmp_path: Path) -> None:
    live = origin.channel("quality", clip, hls=ALL)
    live.variant("low", small_clip)
    live.sound("en")
    live.push(3).end()
    wanted = {"best": [180, None], "worst": [96, None], "100p": [96, None], "180p": [180, None], "audio": [None]}
    calls = {
        quality: Running(live.url, "--quality", quality, "--name", "{quality}", cwd=tmp_path) for quality in wanted
    }
    for quality, heights in wanted.items():
        with calls[quality] as running:
            assert running.end().code == 0
        (path,) = tmp_path.glob(f"{quality}.??")
        head = proven(path).head
        assert head is not None
        assert [track.height for track in head.tracks] == heights


def test_from_the_start_takes_what_the_server_still_has(origin: LiveOrigin, clip: Clip, tmp_path: Path) -> None:
    live = origin.channel("start", clip, hls=Hls(window=10), speed=1, lead_s=12)
    late = ouzel(live.url, "--duration", "2s", "--json", "-o", "late.ts", cwd=tmp_path)
    early = ouzel(live.url, "--duration", "2s", "--from-start", "--json", "-o", "early.ts", cwd=tmp_path)
    assert numbers(early.files[0])[0] < numbers(late.files[0])[0]


def test_waiting_for_a_stream_that_is_not_on_air_yet(clip: Clip, tmp_path: Path) -> None:
    free = socket.socket()
    free.bind(("127.0.0.1", 0))  # nobody listens on it, and nobody else gets it
    port = free.getsockname()[1]
    with Running(f"http://127.0.0.1:{port}/live/later/index.m3u8", "--wait", "--json", cwd=tmp_path) as running:
        assert running.until("reconnecting")["code"] == "connect_failed"
        running.until("progress", state="waiting")
        free.close()
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
