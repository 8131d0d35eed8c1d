"""Pages that are waited for: what is recorded, and under which name, once they are on air."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import pytest
from tests.record_words import record_words

from ouzel.cli import pages
from ouzel.cli.access_options import AccessWords
from ouzel.cli.job import read_job
from ouzel.cli.main import EXIT_GAPS, EXIT_OK
from ouzel.cli.output import QUIET, Output
from ouzel.cli.record import run_job
from ouzel.model.budget import BudgetRules
from ouzel.model.polling import PollRules
from ouzel.platforms.polling import Polls
from ouzel.testing.clips import Clip
from ouzel.testing.origin import LiveOrigin
from ouzel.testing.platforms import PlannedAnswer, platform_server, read_case

pytestmark = pytest.mark.anyio
BILIBILI = Path(__file__).parent.parent / "data" / "platforms" / "bilibili" / "own"
PLAY = """{"code": 0, "data": {"room_id": 21495945, "encrypted": false, "live_status": 1, "playurl_info": {"playurl": {
 "g_qn_desc": [{"qn": 10000, "desc": "原画"}], "stream": [{"protocol_name": "http_hls", "format": [{"format_name": "ts",
 "codec": [{"codec_name": "avc", "current_qn": 10000, "accept_qn": [10000], "base_url": "", "url_info": [
 {"host": "$MEDIA", "extra": ""}]}]}]}]}}}}"""


MASTER = """#EXTM3U
#EXT-X-STREAM-INF:BANDWIDTH=900000,RESOLUTION=320x180,CODECS="avc1.64002A,mp4a.40.2",FRAME-RATE=25.000,IVS-NAME="180p"
$MEDIA
"""
TOKEN = """{"data": {"streamPlaybackAccessToken": {"signature": "5", "value": "{}"}}}"""


def twitch(login: str) -> str:
    """What it says of a channel that is on air."""
    settings = {"title": f"show of {login}", "game": None}
    user = {"id": f"id of {login}", "login": login, "displayName": login, "broadcastSettings": settings}
    return json.dumps({"data": {"userOrError": {**user, "stream": {"id": "1", "createdAt": None}}}})


def users(*logins: str, live: bool) -> str:
    told = [{"login": login, "displayName": login, "stream": {"id": "1"} if live else None} for login in logins]
    return json.dumps({"data": {"users": told}})


async def test_a_file_is_named_by_the_broadcast_that_was_waited_for(
    clip: Clip, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rules, budget = PollRules(interval_s=0.05), BudgetRules(requests_per_minute=1e6, apart_s=0.0)
    monkeypatch.setattr(pages, "Polls", partial(Polls, rules=rules, budget=budget))
    before = read_case(BILIBILI / "offline.toml").answers[0]
    live = [each for each in read_case(BILIBILI / "live.toml").answers if "PlayInfo" not in each.ask]
    async with platform_server(tmp_path) as server, LiveOrigin() as origin:
        monkeypatch.setenv("SSL_CERT_FILE", str(server.ca_file))
        channel = origin.channel("show", clip, speed=4, length_s=8)
        server.passed_on.add("127.0.0.1")
        server.names["MEDIA"] = lambda: channel.url
        server.play(
            [
                PlannedAnswer(before.ask, before.body.replace("看鸟", "昨天"), times=2),
                *live,
                PlannedAnswer("GET api.live.bilibili.com/*/getRoomPlayInfo", PLAY),
            ]
        )
        job = read_job(
            record_words(
                "https://live.bilibili.com/21495945",
                folder=tmp_path / "out",
                wait=True,
                access=AccessWords(proxy=server.proxy),
            )
        )
        code = await run_job(job, Output(False, QUIET))
        assert server.hits(before.ask.partition(" ")[2]) >= 3
    assert code == 0
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["看鸟.ledger", "看鸟.ts"]


async def test_pages_of_one_platform_are_waited_for_with_one_question(
    clip: Clip, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rules, budget = PollRules(interval_s=0.2), BudgetRules(requests_per_minute=1e6, apart_s=0.0)
    monkeypatch.setattr(pages, "Polls", partial(Polls, rules=rules, budget=budget))
    names = ("one", "two", "three")
    async with platform_server(tmp_path) as server, LiveOrigin() as origin:
        monkeypatch.setenv("SSL_CERT_FILE", str(server.ca_file))
        channel = origin.channel("show", clip, speed=4, length_s=8)
        server.passed_on.add("127.0.0.1")
        server.names["MEDIA"] = lambda: channel.url
        gql = "POST gql.twitch.tv/gql"
        server.play(
            [
                PlannedAnswer(gql, users(*names, live=False), when="users(", times=3),
                PlannedAnswer(gql, users(*names, live=True), when="users("),
                PlannedAnswer(gql, TOKEN, when="streamPlaybackAccessToken"),
                *(PlannedAnswer(gql, twitch(name), when=f'"{name}"') for name in names),
                PlannedAnswer("usher.ttvnw.net/*", MASTER, type="application/x-mpegurl"),
            ]
        )
        urls = [f"https://www.twitch.tv/{name}" for name in names]
        code = await run_job(
            read_job(record_words(*urls, folder=tmp_path / "out", wait=True, access=AccessWords(proxy=server.proxy))),
            Output(False, QUIET),
        )
        many = [n for n, asked in enumerate(server.asked) if "users(" in asked.body]
    assert code == 0
    assert many == [0, 1, 2, 3]  # whether anything is on air, for all of them; only then each by itself
    assert sorted(path.name for path in (tmp_path / "out").glob("*.ts")) == [f"show of {n}.ts" for n in sorted(names)]


@pytest.mark.parametrize(("keep_ads", "code"), [(False, EXIT_GAPS), (True, EXIT_OK)])
async def test_advertisements_are_kept_if_they_are_wanted(
    clip: Clip, tmp_path: Path, keep_ads: bool, code: int
) -> None:
    async with LiveOrigin() as origin:
        channel = origin.channel("show", clip, speed=4, length_s=10).advertise(5, 6)
        wanted = record_words(channel.url, folder=tmp_path / "out", template="{name}", keep_ads=keep_ads)
        assert await run_job(read_job(wanted), Output(False, QUIET)) == code
        assert bool(origin.hits("seg5.ts")) is keep_ads
