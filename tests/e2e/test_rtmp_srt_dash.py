"""Live streams through ffmpeg: RTMP, SRT, datagrams, DASH."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path

import pytest
from tests.component.conftest import Kept, Studio
from tests.e2e import senders
from tests.e2e.decoded import check_ledger, check_stamps, complaints
from tests.e2e.processes import children, needs_proc
from tests.e2e.scenes import HANG_S, Scene, Takes, shoot, until

from ouzel.engine.recorder import Recorder
from ouzel.engine.tape import Tape, TapeLimits
from ouzel.model.events import EventCode
from ouzel.model.flow import EndReason
from ouzel.model.stream import Stream
from ouzel.testing.clips import Clip, make_clip
from ouzel.testing.origin import LiveOrigin
from ouzel.testing.picture import breaks, read_frame_numbers

PASSPHRASE = "correcthorse"
STALL_S = 3.0
SHORT = TapeLimits(duration_s=2)


@pytest.fixture(scope="module")
def live_clip(clip_folder: Path) -> Clip:
    """Without B-frames: whatever moment it is cut at, what was sent can be shown."""
    return make_clip(clip_folder, seconds=12, size="160x90", gop_s=1, bframes=0)


def check_file(path: Path) -> list[int]:
    """It plays, its stamps rise, its ledger is right. Returns the numbers of its frames."""
    assert complaints(path) == ""
    check_ledger(path, check_stamps(path))
    return read_frame_numbers(path)


def whole(numbers: list[int], clip: Clip) -> bool:
    return bool(numbers) and breaks(numbers, frames=clip.frames) == []


def told_and_written(kept: Kept) -> str:
    """Everything that a person may come to see of a recording."""
    return repr(kept.events) + repr(kept.report) + "".join(path.read_text() for path in kept.folder.glob("*.ledger"))


# -- live: what happens --------------------------------------------------------------------------------------------------

Send = Callable[[Clip, int], AbstractContextManager[senders.Sender]]
LIVE: dict[str, tuple[Send, socket.SocketKind, str]] = {
    "rtmp": (senders.rtmp, socket.SOCK_STREAM, "rtmp://127.0.0.1:{}/live/show"),
    "srt": (senders.srt, socket.SOCK_DGRAM, "srt://127.0.0.1:{}?tlpktdrop=0"),
    "udp": (senders.udp, socket.SOCK_DGRAM, "udp://127.0.0.1:{}"),
}


async def plain(record: Studio, clip: Clip, protocol: str) -> Kept:
    send, kind, address = LIVE[protocol]
    port = senders.free_port(kind)
    with send(clip, port):
        return await record(address.format(port), limits=SHORT, wait=True, limit_s=HANG_S)


async def is_started_anew(record: Studio, clip: Clip, protocol: str) -> Kept:
    send, kind, address = LIVE[protocol]
    port = senders.free_port(kind)
    with send(clip, port) as server:

        async def script(_recorder: Recorder, tape: Tape) -> None:
            await until(lambda: tape.counters.chunks >= 1)
            server.again()

        limits = TapeLimits(duration_s=4)
        return await record(address.format(port), limits=limits, wait=True, while_running=script, limit_s=HANG_S)


async def freezes(record: Studio, clip: Clip) -> Kept:
    port = senders.free_port()
    with senders.rtmp(clip, port) as server:

        async def script(recorder: Recorder, tape: Tape) -> None:
            await until(lambda: tape.counters.chunks >= 1)
            server.freeze()
            await until(lambda: tape.counters.reconnects >= 1)
            recorder.stop()

        address = f"rtmp://127.0.0.1:{port}/live/show"
        return await record(address, wait=True, while_running=script, limit_s=HANG_S, stall_s=STALL_S)


async def asks_for_a_passphrase(record: Studio, clip: Clip) -> tuple[Kept, Kept, list[list[str]]]:
    """The wrong one, the right one, and the command lines of the programs that read streams meanwhile."""
    port = senders.free_port(socket.SOCK_DGRAM)
    seen: list[list[str]] = []

    async def look(_recorder: Recorder, tape: Tape) -> None:
        await until(lambda: tape.counters.bytes > 0)
        seen.extend(words for words in children(os.getpid()).values() if "pipe:1" in words)

    address = f"srt://127.0.0.1:{port}?tlpktdrop=0&passphrase="
    with senders.srt(clip, port, f"&passphrase={PASSPHRASE}"):
        wrong = await record(f"{address}x{PASSPHRASE}", name="wrong", limit_s=HANG_S)
        right = await record(
            f"{address}{PASSPHRASE}", limits=TapeLimits(duration_s=3), wait=True, while_running=look, limit_s=HANG_S
        )
    return wrong, right, seen


async def goes_on_in_a_folder(record: Studio, clip: Clip) -> tuple[Kept, int]:
    """Also gives how often the manifest was asked for."""
    record.folder.mkdir()
    folder = record.folder / "dash"
    folder.mkdir()
    async with LiveOrigin() as origin:
        names = [f"chunk-stream{track}-{number:05}.m4s" for track in (0, 1) for number in range(1, 100)]
        for name in ["init-stream0.m4s", "init-stream1.m4s", *names]:
            origin.file(name, folder / name)
        manifest = folder / "show.mpd"
        url = origin.file("show.mpd", manifest, content_type="application/dash+xml")
        with senders.live_dash(clip, folder):
            await until((folder / "chunk-stream1-00003.m4s").exists)
            kept = await record(url, limits=TapeLimits(duration_s=6), limit_s=HANG_S)
        return kept, origin.hits("show.mpd")


@pytest.fixture(scope="module")
def takes(live_clip: Clip, tmp_path_factory: pytest.TempPathFactory) -> Takes:
    scenes: dict[str, Scene] = {name: partial(plain, clip=live_clip, protocol=name) for name in LIVE}
    scenes["rtmp again"] = partial(is_started_anew, clip=live_clip, protocol="rtmp")
    scenes["srt again"] = partial(is_started_anew, clip=live_clip, protocol="srt")
    scenes["freezes"] = partial(freezes, clip=live_clip)
    scenes["passphrase"] = partial(asks_for_a_passphrase, clip=live_clip)
    scenes["dash"] = partial(goes_on_in_a_folder, clip=live_clip)
    return shoot(scenes, tmp_path_factory.mktemp("live"))


# -- live: what is kept --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("protocol", LIVE)
def test_a_live_stream_is_recorded_as_it_comes(takes: Takes, live_clip: Clip, protocol: str) -> None:
    kept: Kept = takes[protocol]
    assert kept.report.end_reason is EndReason.DURATION
    assert kept.told(EventCode.CONNECTED)[0]["protocol"] == protocol
    (opened,) = kept.told(EventCode.FILE_OPENED)
    assert {(t["kind"], t["codec"]) for t in opened["tracks"]} == {("video", "h264"), ("audio", "aac")}
    assert whole(check_file(kept.path), live_clip)


@pytest.mark.parametrize("take", ["rtmp again", "srt again"])
def test_a_server_that_is_started_anew_is_one_recording(takes: Takes, live_clip: Clip, take: str) -> None:
    kept: Kept = takes[take]
    assert kept.report.end_reason is EndReason.DURATION
    assert kept.report.runs == 2
    (gap,) = kept.report.gaps
    assert gap.code.value in {"stream_ended", "connection_lost"}
    assert gap.why
    numbers = check_file(kept.path)
    assert [found for _, _, found in breaks(numbers, frames=live_clip.frames)] == [0], (
        "it plays the clip from its start again"
    )


def test_an_rtmp_server_that_freezes_is_left(takes: Takes, live_clip: Clip) -> None:
    kept: Kept = takes["freezes"]
    verdict = kept.told(EventCode.RECONNECTING)[-1]
    assert (verdict["code"], verdict["why"]) == ("stalled", "no media for 3 s")
    assert [code for code, _ in kept.gaps] == ["connection_lost"]
    assert whole(check_file(kept.path), live_clip)


def test_the_passphrase_of_srt_opens_and_is_never_shown(takes: Takes, live_clip: Clip) -> None:
    wrong, right, _ = takes["passphrase"]
    assert wrong.report.error is not None
    assert wrong.report.error[0] in {"forbidden", "connect_failed"}  # the latter: the server was not up yet
    assert whole(check_file(right.path), live_clip)
    assert PASSPHRASE not in told_and_written(wrong) + told_and_written(right)


@needs_proc
def test_the_passphrase_is_not_in_the_process_table(takes: Takes) -> None:
    _, _, seen = takes["passphrase"]
    assert seen
    assert not any(PASSPHRASE in word for words in seen for word in words)


def test_a_live_dash_show_is_followed(takes: Takes, live_clip: Clip) -> None:
    kept, manifests = takes["dash"]
    assert kept.report.end_reason is EndReason.DURATION
    assert kept.told(EventCode.CONNECTED)[0]["protocol"] == "dash"
    assert (kept.report.runs, kept.gaps) == (1, [])
    assert manifests > 2, "read again for what it did not list yet"
    assert whole(check_file(kept.path), live_clip)


# -- live: what cannot be ------------------------------------------------------------------------------------------------


@pytest.fixture
def record(tmp_path: Path) -> Studio:
    return Studio(tmp_path / "out")


@pytest.mark.anyio
@pytest.mark.parametrize("address", ["rtmp://127.0.0.1:{}/live/show", "rtmps://127.0.0.1:{}/live/show"])
async def test_nobody_answers(record: Studio, address: str) -> None:
    kept = await record(address.format(senders.free_port()), stall_s=10)
    assert kept.report.error is not None
    assert kept.report.error[0] == "connect_failed"
    assert not list(kept.folder.glob("*"))


@pytest.mark.anyio
async def test_what_cannot_go_through_the_proxy_does_not_go_around_it(record: Studio) -> None:
    kept = await record(Stream("rtmp://127.0.0.1:1/live/show", proxy="http://127.0.0.1:2"))
    assert kept.report.error is not None
    assert kept.report.error[0] == "bad_option"
    assert kept.told(EventCode.RECONNECTING) == []
