"""What ffmpeg says, and the errors that come of it. The lines are those of real programs, 5.1 and 9.0."""

from __future__ import annotations

import pytest

from ouzel.base.errors import ConnectionLost
from ouzel.engine.sources.ffmpeg.words import (
    behind_opening,
    failure_of,
    leave_out_skipped,
    leave_out_unmeasured,
    read_opened,
    trouble_of,
    written_s,
)

OPENED = """\
[info] Input #0, concat, from 'pipe:0':
[info]   Duration: N/A, start: 0.000000, bitrate: N/A
[info]   Stream #0:0: Video: h264 (High), yuv420p(progressive), 160x90 [SAR 1:1 DAR 16:9], 25 fps, 25 tbr, 90k tbn
[info]   Stream #0:1: Audio: aac (LC), 32000 Hz, stereo, fltp
[info] Output #0, mpegts, to 'pipe:1':
[info]   Stream #0:0: Video: h264 (High), yuv420p(progressive), 160x90 [SAR 1:1 DAR 16:9], q=2-31, 25 fps, 25 tbr, 90k tbn
[info]   Stream #0:1: Audio: aac (LC), 32000 Hz, stereo, fltp
[info] Stream mapping:
[info]   Stream #0:0 -> #0:0 (copy)
[info]   Stream #0:1 -> #0:1 (copy)
"""
LAST = "[info] frame=   97 fps=0.0 q=-1.0 Lsize=     191kB time=00:00:03.77 bitrate= 415.0kbits/s speed= 734x\n"
DENIED_51 = """\
[rtsp @ 0x55e9467e46c0] [error] method DESCRIBE failed: 401 Unauthorized
[concat @ 0x55d2b80] [error] Impossible to open 'rtsp://guard:xp%40ss@127.0.0.1:39769/cam'
[error] pipe:0: Server returned 401 Unauthorized (authorization failed)
"""
DENIED_90 = """\
[rtsp @ 0x55d04e0b4e80] [error] method DESCRIBE failed: 401 (Unauthorized)
[in#0 @ 0x55d04e0a3100] [error] Error opening input: Server returned 401 Unauthorized (authorization failed)
"""
FAILURES = {
    "rtsp password 5.1": (DENIED_51, "forbidden"),
    "rtsp password 9.0": (DENIED_90, "forbidden"),
    "rtsp path": ("[rtsp @ 0x1] [error] method DESCRIBE failed: 404 Not Found\n", "gone"),
    "rtsp busy": ("[rtsp @ 0x1] [error] method SETUP failed: 453 Not Enough Bandwidth\n", "http_status"),
    "http 404": ("[http @ 0x1] [warning] HTTP error 404 Not Found\n[error] http://h/x: Server returned 404\n", "gone"),
    "http 429": ("[http @ 0x1] [warning] HTTP error 429 Too Many Requests\n", "rate_limited"),
    "http 503": ("[http @ 0x1] [warning] HTTP error 503 Service Unavailable\n", "server_trouble"),
    "http 4XX": ("[error] http://h/x: Server returned 4XX Client Error, but not one of 40{0,1,3,4}\n", "http_status"),
    "host": (
        "[tcp @ 0x1] [error] Failed to resolve hostname camera.invalid: Name or service not known\n",
        "host_not_found",
    ),
    "refused": ("[tcp @ 0x1] [error] Connection to tcp://127.0.0.1:1 failed: Connection refused\n", "connect_failed"),
    "certificate": ("[tls @ 0x1] [error] Certificate verification failed: self-signed certificate\n", "tls_failed"),
    "timeout": ("[error] pipe:0: Connection timed out\n", "stalled"),
    "reset": ("[error] pipe:0: Connection reset by peer\n", "connection_lost"),
    "rtmp name": ("[rtmp @ 0x1] [error] Server error: Stream not found\n", "gone"),
    "rtmp key": ("[rtmp @ 0x1] [error] Server error: Publishing denied\n", "forbidden"),
    "srt passphrase": ("12:00:01.2/ouzel E:SRT:cn: Incorrect passphrase /SRT:\n", "forbidden"),
    "protocol": ("[error] srt://h:1: Protocol not found\n", "unsupported_media"),
    "not allowed": ("[file @ 0x1] [error] Protocol 'file' not on whitelist 'http,tcp'!\n", "unsupported_media"),
    "no media": ("[error] pipe:0: Invalid data found when processing input\n", "not_media"),
    "other words": ("[error] something new\n", "connection_lost"),
    "silence": ("", "connection_lost"),
}


@pytest.mark.parametrize(("said", "code"), FAILURES.values(), ids=FAILURES)
def test_why_there_was_no_media(said: str, code: str) -> None:
    failure = failure_of(said)
    assert failure.code == code
    assert "\n" not in str(failure)
    assert "guard" not in str(failure)
    assert "0x" not in str(failure), "its addresses in memory are of no use to anybody"


def test_what_it_has_opened() -> None:
    opened = read_opened(OPENED)
    assert opened is not None
    assert (opened.demuxer, opened.duration_s, opened.taken) == ("concat", None, (0, 1))
    picture, sound = opened.streams
    assert (picture.codec, picture.width, picture.height, picture.fps) == ("h264", 160, 90, 25.0)
    assert (sound.codec, sound.sample_rate, sound.channels) == ("aac", 32000, 2)


def test_nothing_is_opened_before_the_output_is() -> None:
    assert read_opened(OPENED.partition("[info] Output")[0]) is None
    assert read_opened("") is None


def test_how_long_a_file_is() -> None:
    opened = read_opened(OPENED.replace("Duration: N/A", "Duration: 01:02:03.50"))
    assert opened is not None
    assert opened.duration_s == 3723.5


def test_what_is_said_in_the_middle_counts_although_more_is_said_behind_it() -> None:
    said = OPENED + "[http @ 0x1] [error] Stream ends prematurely at 150000, should be 463590\n" + LAST
    assert isinstance(trouble_of(behind_opening(said)), ConnectionLost)


def test_what_was_mended_while_it_was_opened_does_not_count() -> None:
    assert (
        trouble_of(behind_opening("[http @ 0x1] [warning] HTTP error 503 Service Unavailable\n" + OPENED + LAST))
        is None
    )


def test_words_for_people_are_no_trouble() -> None:
    assert trouble_of("[info] a talk with the title: Connection refused\n") is None


SKIP = "[http @ 0x1] [warning] HTTP error 404 Not Found\n[{} @ 0x2] [warning] Failed to open fragment of playlist\n"
AT_END_51 = SKIP.format("dash") + "[dash @ 0x2] [error] Error when loading first fragment of playlist\n"
AT_END_90 = (
    SKIP.format("in#0/dash")
    + "[in#0/dash @ 0x2] [error] Error when loading first fragment of playlist\n"
    + "[in#0/dash @ 0x3] [error] Error during demuxing: Invalid data found when processing input\n"
)


@pytest.mark.parametrize("name", ["dash", "in#0/dash"], ids=["5.1", "9.0"])
def test_segments_that_it_went_past_are_counted_and_are_no_trouble_of_the_connection(name: str) -> None:
    skip = SKIP.format(name)
    rest, number, ends = leave_out_skipped(OPENED + skip + skip + LAST)
    assert (number, ends) == (2, 0)
    assert trouble_of(rest) is None
    assert rest.endswith(LAST)


@pytest.mark.parametrize("end", [AT_END_51, AT_END_90], ids=["5.1", "9.0"])
def test_the_segment_behind_the_last_is_not_one_that_it_went_past(end: str) -> None:
    rest, number, ends = leave_out_skipped(OPENED + SKIP.format("dash") + end + LAST)
    assert (number, ends) == (1, 1)
    assert trouble_of(rest) is None


@pytest.mark.parametrize(
    "last",
    [
        "[error] http://h/film.mkv: Input/output error\n",
        "[in#0/matroska,webm @ 0x5] [error] Error during demuxing: Input/output error\n",
    ],
    ids=["5.1", "9.0"],
)
def test_a_body_of_unannounced_length_that_was_closed_is_no_trouble(last: str) -> None:
    end = "[http @ 0x1] [error] Stream ends prematurely at 846135, should be 18446744073709551615\n"
    rest, unmeasured = leave_out_unmeasured(OPENED + end + end + last + LAST)
    assert unmeasured
    assert trouble_of(rest) is None
    assert not leave_out_unmeasured(end.replace("18446744073709551615", "846136"))[1]


def test_how_much_it_has_written() -> None:
    assert written_s(OPENED + LAST) == 3.77
    assert written_s("[info] size=     107KiB time=01:02:03.50 bitrate=  87.7kbits/s\n") == 3723.5
    assert written_s("[info] frame=    0 fps=0.0 q=-1.0 Lsize=       0kB time=N/A bitrate=N/A speed=N/A\n") is None
