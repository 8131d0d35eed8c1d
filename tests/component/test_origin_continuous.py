"""HTTP-FLV and continuous HTTP-TS of the live origin: played by a real ffmpeg, and what can be made to go wrong in them."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import anyio
import imageio_ffmpeg
import pytest
from anyio.to_thread import run_sync

from ouzel.testing.clips import Clip, make_clip
from ouzel.testing.markers import read_markers
from ouzel.testing.origin import Channel, LiveOrigin
from ouzel.testing.picture import breaks, read_frame_numbers

pytestmark = pytest.mark.anyio
AUDIO, VIDEO, SCRIPT = 8, 9, 18


@pytest.fixture(scope="session")
def clip(clip_folder: Path) -> Clip:
    return make_clip(clip_folder, seconds=8, size="160x90")


@pytest.fixture(scope="session")
def other(clip_folder: Path) -> Clip:
    return make_clip(clip_folder, seconds=4, size="320x180", bframes=0)


async def fetch(url: str, *, ending: bytes = b"?" * 99) -> bytes:
    """Status line, headers and all bytes that come until `ending`, or until the server ends the connection."""
    host, _, path = url.removeprefix("http://").partition("/")
    address, port = host.split(":")
    async with await anyio.connect_tcp(address, int(port)) as stream:
        await stream.send(f"GET /{path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
        data = b""
        try:
            while not data.endswith(ending):
                data += await stream.receive()
        except anyio.EndOfStream:
            pass
    return data


async def follow(url: str, origin: LiveOrigin, show: Channel, play: Callable[[], object]) -> bytes:
    """The whole body for a client that is connected before `play` lets the show go on and end."""
    body = b""

    async def client() -> None:
        nonlocal body
        body = (await fetch(url)).partition(b"\r\n\r\n")[2]

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(client)
        await origin.wait_hits(f"{show.name}.*", origin.hits(f"{show.name}.*") + 1)
        play()
        show.end()
    return body


def tags(body: bytes) -> list[tuple[int, int, bytes]]:
    """(type, time stamp, body) of each tag of a sound FLV file."""
    assert body[:5] == b"FLV\x01\x05"
    found, at = [], 13
    while at < len(body):
        size = int.from_bytes(body[at + 1 : at + 4], "big")
        time = int.from_bytes(body[at + 7 : at + 8] + body[at + 4 : at + 7], "big")
        assert int.from_bytes(body[at + 11 + size : at + 15 + size], "big") == 11 + size
        found.append((body[at], time, body[at + 11 : at + 11 + size]))
        at += 15 + size
    return found


def numbers(body: bytes) -> list[int]:
    return [number for _, number in read_markers(body, "flv")]


async def test_flv_plays_from_start_to_end(clip: Clip, tmp_path: Path) -> None:
    async with LiveOrigin() as origin:
        show = origin.channel("show", clip)
        body = await follow(show.flv_url, origin, show, lambda: show.push(6))

    (tmp_path / "out.flv").write_bytes(body)
    frames = read_frame_numbers(tmp_path / "out.flv")
    assert len(frames) == 300
    assert breaks(frames, frames=clip.frames) == []
    assert read_markers(body, "flv") == [("show", n) for n in range(6)]


async def test_flv_begins_like_a_cdn_and_its_time_stamps_rise_over_the_seam(clip: Clip) -> None:
    async with LiveOrigin() as origin:
        show = origin.channel("show", clip, zero_s=20)
        body = await follow(show.flv_url, origin, show, lambda: show.push(6))

    (kind, _, script), (first, _, video), (second, _, audio), *media = tags(body)
    assert (kind, first, second) == (SCRIPT, VIDEO, AUDIO)
    assert b"onMetaData" in script
    assert video[:5] == b"\x17\x00\x00\x00\x00"
    assert audio[:2] == b"\xaf\x00"
    assert all(later[1] >= former[1] for former, later in pairwise(media))
    pictures = [time for kind, time, _ in media if kind == VIDEO]
    sounds = [time for kind, time, _ in media if kind == AUDIO]
    assert {later - former for former, later in pairwise(pictures)} == {40}
    assert {later - former for former, later in pairwise(sounds)} == {21, 22}
    assert pictures[0] == 20_000 - 80  # two B-frames: decoded 80 ms before it is shown


async def test_continuous_ts_plays_from_start_to_end(clip: Clip, tmp_path: Path) -> None:
    async with LiveOrigin() as origin:
        show = origin.channel("show", clip, zero_s=95_440)
        body = await follow(show.ts_url, origin, show, lambda: show.push(6))

    (tmp_path / "out.ts").write_bytes(body)
    frames = read_frame_numbers(tmp_path / "out.ts")
    assert len(frames) == 300
    assert breaks(frames, frames=clip.frames) == []
    assert read_markers(body, "ts") == [("show", n) for n in range(6)]


@pytest.mark.parametrize("kind", ["flv", "ts"])
async def test_paced_by_a_clock_it_loses_nothing(clip: Clip, kind: str) -> None:
    async with LiveOrigin() as origin:
        show = origin.channel("show", clip, speed=20, lead_s=0, length_s=16)

        address = show.flv_url if kind == "flv" else show.ts_url
        frames = await run_sync(read_frame_numbers, address)

    assert breaks(frames, frames=clip.frames) == []
    assert frames[0] % 50 == 0  # a client that comes late begins with the group that is on
    assert frames[-1] == clip.frames - 1


async def test_a_client_begins_with_the_last_group_and_the_cache_replays(clip: Clip) -> None:
    async with LiveOrigin() as origin:
        show = origin.channel("show", clip).push(5)
        first = await follow(show.flv_url, origin, show, lambda: show.push(1))
        show = origin.channel("cached", clip).push(5)
        show.flv.gop_cache = 2
        second = await follow(show.flv_url, origin, show, lambda: show.push(1))

    assert numbers(first) == [4, 5]
    assert numbers(second) == [2, 3, 4, 5]


async def test_the_body_ends_with_the_connection(clip: Clip) -> None:
    async with LiveOrigin() as origin:
        show = origin.channel("show", clip).push(1).end()
        head, _, body = (await fetch(show.flv_url)).partition(b"\r\n\r\n")

    assert b"Connection: close" in head
    assert b"Transfer-Encoding" not in head
    assert numbers(body) == [0]


async def test_the_body_ends_with_the_last_chunk(clip: Clip) -> None:
    async with LiveOrigin() as origin:
        show = origin.channel("show", clip).push(1).end()
        show.flv.chunked = True
        head, _, body = (await fetch(show.flv_url, ending=b"\r\n0\r\n\r\n")).partition(b"\r\n\r\n")
        frames = await run_sync(read_frame_numbers, show.flv_url)

    assert b"Transfer-Encoding: chunked" in head
    assert b"Connection: keep-alive" in head
    assert body.endswith(b"\r\n0\r\n\r\n")
    assert len(frames) == 50


async def test_the_clock_of_the_stream_jumps(clip: Clip) -> None:
    async with LiveOrigin() as origin:
        show = origin.channel("show", clip, zero_s=100).jump_stamps(3600, at=1).jump_stamps(-3650, at=2)
        body = await follow(show.flv_url, origin, show, lambda: show.push(3))

    times = [time for kind, time, data in tags(body) if kind == VIDEO and data[0] == 0x17 and data[1] == 1]
    assert times == [99_920, 99_920 + 2000 + 3_600_000, 99_920 + 4000 - 50_000]
    assert numbers(body) == [0, 1, 2]


async def test_a_change_of_clip_sends_new_headers(clip: Clip, other: Clip) -> None:
    async with LiveOrigin() as origin:
        show = origin.channel("show", clip).change_clip(other, at=2)
        body = await follow(show.flv_url, origin, show, lambda: show.push(4))

    found = tags(body)
    headers = [(kind, time) for kind, time, data in found if kind == SCRIPT or data[1] == 0]
    assert headers == [(SCRIPT, 0), (VIDEO, 0), (AUDIO, 0), (SCRIPT, 14_000), (VIDEO, 14_000), (AUDIO, 14_000)]
    assert numbers(body) == [0, 1, 2, 3]


async def test_groups_without_key_frames(clip: Clip) -> None:
    async with LiveOrigin() as origin:
        show = origin.channel("show", clip)
        show.flv_faults.hide_keys(2, at=1)
        body = await follow(show.flv_url, origin, show, lambda: show.push(4))

    frames = [data[0] for kind, _, data in tags(body) if kind == VIDEO and data[1] == 1]
    assert [index for index, head in enumerate(frames) if head >> 4 == 1] == [0, 150]
    assert numbers(body) == [0, 1, 2, 3]


async def test_garbage_between_tags_and_nothing_else_changed(clip: Clip) -> None:
    junk = b"no tag at all"
    async with LiveOrigin() as origin:
        show = origin.channel("show", clip)
        clean = await follow(show.flv_url, origin, show, lambda: show.push(2))
        show = origin.channel("spoilt", clip)
        show.flv_faults.garbage(junk, tag=0, at=0).garbage(junk, tag=7, at=1)
        spoilt = await follow(show.flv_url, origin, show, lambda: show.push(2))

    assert spoilt.count(junk) == 2
    assert spoilt.replace(junk, b"").replace(b"spoilt", b"show  ") == clean


async def test_a_tag_that_announces_16_megabytes(clip: Clip) -> None:
    async with LiveOrigin() as origin:
        show = origin.channel("show", clip)
        show.flv_faults.oversized_tag(at=1)
        body = await follow(show.flv_url, origin, show, lambda: show.push(2))

    assert body.count(b"\x09\xff\xff\xff") == 1
    assert numbers(body) == [0, 1]


async def test_a_stuck_server_repeats_a_group(clip: Clip) -> None:
    async with LiveOrigin() as origin:
        show = origin.channel("show", clip)
        show.flv_faults.repeat(3, at=1)
        body = await follow(show.flv_url, origin, show, lambda: show.push(3))

    assert numbers(body) == [0, 1, 1, 1, 1, 2]


@pytest.mark.parametrize("style", ["enhanced", "legacy"])
async def test_hevc_comes_in_both_styles(clip_folder: Path, style: str, tmp_path: Path) -> None:
    clip = make_clip(clip_folder, seconds=8, size="160x90", video="hevc")
    async with LiveOrigin() as origin:
        show = origin.channel("show", clip)
        show.flv.hevc = style  # type: ignore[assignment]
        body = await follow(show.flv_url, origin, show, lambda: show.push(5))

    video = [data for kind, _, data in tags(body) if kind == VIDEO]
    if style == "legacy":
        assert [data[:2] for data in video[:3]] == [b"\x1c\x00", b"\x1c\x01", b"\x2c\x01"]
        return
    assert [data[:5] for data in video[:3]] == [b"\x90hvc1", b"\x91hvc1", b"\xa1hvc1"]
    (tmp_path / "out.flv").write_bytes(body)
    frames = read_frame_numbers(tmp_path / "out.flv", ffmpeg=imageio_ffmpeg.get_ffmpeg_exe())  # 5.1 knows neither style
    assert len(frames) == 250
    assert breaks(frames, frames=clip.frames) == []
