"""The real command and the page of a platform: resolved, recorded from a live origin, its address renewed on the way."""

from __future__ import annotations

import json
import sys
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import anyio
import pytest
from tests.command import environment

from ouzel.testing.clips import Clip
from ouzel.testing.markers import read_markers
from ouzel.testing.origin import LiveOrigin
from ouzel.testing.platforms import PlannedAnswer, PlatformServer, platform_server, read_case

pytestmark = pytest.mark.anyio
DATA = Path(__file__).parent.parent / "data" / "platforms"
PAGE = "https://www.picarto.tv/somebody?ref=home"
ROOM = "https://live.bilibili.com/21495945?live_from=82001"
MASTER = """#EXTM3U
#EXT-X-STREAM-INF:BANDWIDTH=900000,RESOLUTION=320x180,CODECS="avc1.64002A,mp4a.40.2",FRAME-RATE=25.000,IVS-NAME="180p"
$MEDIA
"""
PLAY = """{"code": 0, "data": {"room_id": 21495945, "encrypted": false, "live_status": 1, "playurl_info": {"playurl": {
 "g_qn_desc": [{"qn": 10000, "desc": "原画"}], "stream": [{"protocol_name": "http_hls", "format": [{"format_name": "ts",
 "codec": [{"codec_name": "avc", "current_qn": 10000, "accept_qn": [10000], "base_url": "", "url_info": [
 {"host": "$MEDIA", "extra": ""}]}]}]}]}}}}"""


@dataclass
class Call:
    code: int
    events: list[dict[str, Any]]
    errors: str


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[PlatformServer]:
    async with platform_server(tmp_path) as server:
        server.passed_on.add("127.0.0.1")
        yield server


async def ouzel(server: PlatformServer, *words: object, cwd: Path) -> Call:
    command = [sys.executable, "-m", "ouzel", *map(str, words), "--proxy", server.proxy, "--json"]
    env = environment({"SSL_CERT_FILE": str(server.ca_file)})
    with anyio.fail_after(90):
        done = await anyio.run_process(command, cwd=cwd, env=env, check=False)
    return Call(done.returncode, [json.loads(line) for line in done.stdout.splitlines()], done.stderr.decode())


def with_media(case: str, place: str, answer: PlannedAnswer) -> list[PlannedAnswer]:
    """A case of the contract, with the address of the media that the test has in the answer for `place`."""
    return [each for each in read_case(DATA / case / "own" / "live.toml").answers if place not in each.ask] + [answer]


# page, what its platform answers, where the addresses of the media come from, and how the file is called
PAGES = {
    "bilibili": (
        ROOM,
        with_media("bilibili", "PlayInfo", PlannedAnswer("GET api.live.bilibili.com/*/getRoomPlayInfo", PLAY)),
        "*/getRoomPlayInfo",
        "某人_",
    ),
    "twitch": (
        "https://m.twitch.tv/Somebody?referrer=raid",
        with_media("twitch", "usher", PlannedAnswer("GET usher.ttvnw.net/*", MASTER, type="application/x-mpegurl")),
        "usher.ttvnw.net/*",
        "Somebody_",
    ),
}


@pytest.mark.parametrize(("page", "answers", "place", "name"), PAGES.values(), ids=PAGES)
async def test_a_page_is_recorded_and_its_address_renewed(
    server: PlatformServer, clip: Clip, tmp_path: Path, page: str, answers: list[PlannedAnswer], place: str, name: str
) -> None:
    server.play(answers)
    async with LiveOrigin() as origin:
        channel = origin.channel("show", clip, speed=2, length_s=24).sign(ttl_s=5.0)
        server.names["MEDIA"] = channel.fresh_url
        call = await ouzel(server, "record", page, "-o", f"{tmp_path}/out/", "--park", "4s", cwd=tmp_path)
    report = call.events[-1]
    assert call.code == 0, (call.errors, server.unplanned)
    assert report["gaps"] == []
    (file,) = report["files"]
    path = Path(file["path"])
    assert path.name.startswith(name)
    numbers = [number for _, number in read_markers(await anyio.Path(path).read_bytes(), "ts")]
    assert numbers == list(range(numbers[0], 24))
    assert server.hits(place) >= 2  # at the start, and when the address had run out


async def test_where_one_cdn_does_not_work_the_next_one_is_taken(
    server: PlatformServer, clip: Clip, tmp_path: Path
) -> None:
    both = PLAY.replace(
        '{"host": "$MEDIA", "extra": ""}', '{"host": "$BROKEN", "extra": ""}, {"host": "$MEDIA", "extra": ""}'
    )
    server.play(with_media("bilibili", "PlayInfo", PlannedAnswer("GET api.live.bilibili.com/*/getRoomPlayInfo", both)))
    async with LiveOrigin() as origin:
        channel = origin.channel("show", clip, speed=2, length_s=10)
        server.names["MEDIA"] = channel.url
        server.names["BROKEN"] = channel.url.replace("127.0.0.1", "127.0.0.2")  # nobody passes that on: 404
        call = await ouzel(server, "record", ROOM, "-o", f"{tmp_path}/out/", cwd=tmp_path)
    assert call.code == 0, call.errors
    (report,) = call.events[-1]["recordings"]
    assert [event["event"] for event in call.events].count("reconnecting") == 1
    assert "127.0.0.1" in report["stream"]["cdn"]
    assert report["stream"]["label"] == "原画"
    assert report["media_s"] > 0


async def test_two_addresses_of_one_channel_are_recorded_once(
    server: PlatformServer, clip: Clip, tmp_path: Path
) -> None:
    answers = with_media("bilibili", "PlayInfo", PlannedAnswer("GET api.live.bilibili.com/*/getRoomPlayInfo", PLAY))
    server.play([replace(each, body=each.body.replace('"short_id": 0', '"short_id": 6')) for each in answers])
    async with LiveOrigin() as origin:
        channel = origin.channel("show", clip, speed=2, length_s=10)
        server.names["MEDIA"] = lambda: channel.url
        pages = (ROOM, "https://live.bilibili.com/6")
        call = await ouzel(server, "record", *pages, "-o", f"{tmp_path}/out/", cwd=tmp_path)
    assert call.code == 0, (call.errors, server.unplanned)
    one, other = sorted(call.events[-1]["recordings"], key=lambda each: len(each["files"]))
    assert one["error"]["code"] == "same_channel"
    assert other["source"] in one["error"]["message"]
    assert len(other["files"]) == 1


async def test_what_is_offline_is_told_and_not_recorded(server: PlatformServer, tmp_path: Path) -> None:
    server.play(read_case(DATA / "picarto" / "streamlink" / "offline.toml"))
    call = await ouzel(server, "record", PAGE, "-o", f"{tmp_path}/out/", cwd=tmp_path)
    assert call.code == 4
    assert call.events[-1]["recordings"][0]["error"]["code"] == "not_on_air"
    assert not [path async for path in anyio.Path(tmp_path).glob("out/*")]


async def test_resolve_tells_the_whole_answer(server: PlatformServer, tmp_path: Path) -> None:
    server.play(read_case(DATA / "picarto" / "streamlink" / "live.toml"))
    call = await ouzel(server, "resolve", PAGE, cwd=tmp_path)
    (doc,) = call.events
    assert call.code == 0
    assert (doc["state"], doc["adapter"], doc["platform"]) == ("live", "streamlink", "picarto")
    assert (doc["answer"]["anchor"], doc["answer"]["identity"]) == (
        "somebody",
        {"platform": "picarto", "id": "somebody"},
    )
    assert [stream["label"] for stream in doc["answer"]["streams"]] == ["1080p60", "720p"]
    assert all(each["status"] == 200 for each in doc["evidence"])


@pytest.mark.parametrize(
    ("planned", "code", "state"),
    [
        (PlannedAnswer("*", "<html><div id='captcha'>", type="text/html"), 21, "blocked"),
        (PlannedAnswer("*", "nothing known", type="text/plain"), 24, "broken"),
    ],
)
async def test_the_exit_code_tells_the_state(
    server: PlatformServer, tmp_path: Path, planned: PlannedAnswer, code: int, state: str
) -> None:
    server.play([planned])
    call = await ouzel(server, "resolve", PAGE, "--all-adapters", cwd=tmp_path)
    assert {doc["state"] for doc in call.events} == {state}
    assert [doc["adapter"] for doc in call.events] == ["streamlink", "yt-dlp", "streamget"]
    assert call.code == code


async def test_hundreds_of_channels_cost_a_handful_of_requests(server: PlatformServer, tmp_path: Path) -> None:
    users = [
        {"login": f"user{n}", "displayName": f"User {n}", "stream": {"id": "1"} if n else None} for n in range(250)
    ]
    picarto = read_case(DATA / "picarto" / "streamlink" / "live.toml").answers
    server.play([PlannedAnswer("POST gql.twitch.tv/gql", json.dumps({"data": {"users": users}})), *picarto])
    listed = anyio.Path(tmp_path / "list.txt")
    await listed.write_text(
        "# mine\n\n" + "".join(f"https://www.twitch.tv/user{n},主播: User {n}\n" for n in range(250))
    )
    call = await ouzel(server, "resolve", "--quick", PAGE, "https://[::1", "--list", listed, cwd=tmp_path)
    page, bad, off, *live = call.events
    assert call.code == 20
    assert (page["state"], page["in_full"], page["anchor"]) == ("live", True, "somebody")
    assert (bad["code"], bad["state"]) == ("bad_url", None)
    assert (off["url"], off["state"], off["in_full"]) == ("https://www.twitch.tv/user0", "offline", False)
    assert {each["state"] for each in live} == {"live"}
    assert len(live) == 249
    assert server.hits("gql.twitch.tv/*") == 3


async def test_where_the_question_about_many_fails_each_is_asked_in_full(
    server: PlatformServer, tmp_path: Path
) -> None:
    off = read_case(DATA / "twitch" / "own" / "offline.toml").answers
    server.play([PlannedAnswer("POST gql.twitch.tv/gql", "trouble", when="users(", status=502), *off])
    pages = [f"https://www.twitch.tv/somebody?{number}" for number in range(3)]
    call = await ouzel(server, "resolve", "--quick", *pages, cwd=tmp_path)
    assert call.code == 20, call.events
    assert [(each["state"], each["in_full"]) for each in call.events] == [("offline", True)] * 3


async def test_a_list_that_cannot_be_read_is_told(server: PlatformServer, tmp_path: Path) -> None:
    for words in (("--list", tmp_path / "nothing.txt"), ("--list", tmp_path), ()):
        call = await ouzel(server, "resolve", *words, cwd=tmp_path)
        assert (call.code, call.events[0]["code"]) == (2, "bad_option")


async def test_an_address_of_a_stream_is_told_by_its_first_bytes(
    server: PlatformServer, clip: Clip, tmp_path: Path
) -> None:
    async with LiveOrigin() as origin:
        live = origin.channel("show", clip)
        over = origin.channel("film", clip).push(4).end()
        page = live.url.rpartition("/")[0] + "/page.html"
        origin.on("page.html").body(b"<html>nothing here</html>")
        told = {url: await resolve_directly(url, tmp_path) for url in (live.url, live.flv_url, over.url, page)}
    assert [(call.code, call.state, call.protocol) for call in told.values()] == [
        (0, "live", "hls"),
        (0, "live", "flv"),
        (0, "vod", "hls"),
        (2, "broken", None),
    ]


async def test_a_master_playlist_of_a_show_that_is_over_is_no_live_stream(clip: Clip, tmp_path: Path) -> None:
    async with LiveOrigin() as origin:
        over = origin.channel("film", clip).push(4).end()
        origin.on("top.m3u8").body(MASTER.replace("$MEDIA", over.index_url).encode())
        told = await resolve_directly(over.url.rpartition("/")[0] + "/top.m3u8", tmp_path)
    assert (told.code, told.state, told.protocol) == (0, "vod", "hls")
    assert told.qualities == [("180p", 180, "h264")]


async def test_one_bad_address_costs_no_other(server: PlatformServer, tmp_path: Path) -> None:
    server.play(read_case(DATA / "picarto" / "streamlink" / "live.toml"))
    call = await ouzel(server, "resolve", "https://[::1", "rtsp://127.0.0.1/x", PAGE, cwd=tmp_path)
    assert call.code == 2
    assert [doc.get("code") or doc.get("state") for doc in call.events] == ["bad_url", "bad_option", "live"]
    assert "Traceback" not in call.errors
    assert "child process" not in call.errors


@dataclass
class Direct:
    code: int
    state: str
    protocol: str | None
    qualities: Sequence[tuple[str, int | None, str]]


async def resolve_directly(url: str, cwd: Path) -> Direct:
    command = [sys.executable, "-m", "ouzel", "resolve", url, "--json"]
    done = await anyio.run_process(command, cwd=cwd, env=environment(None), check=False)
    doc = json.loads((done.stdout or done.stderr).splitlines()[-1])
    streams = doc["answer"]["streams"] if "answer" in doc else [{}]
    qualities = [(each.get("label", ""), each.get("height"), each.get("codec", "")) for each in streams]
    return Direct(done.returncode, doc.get("state") or doc["code"], streams[0].get("protocol"), qualities)
