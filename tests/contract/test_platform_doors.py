"""Accounts of platforms that sign in by themselves, and shared links: what the cases of one address cannot say."""

from __future__ import annotations

from pathlib import Path

import anyio.to_thread
import pytest

from ouzel.base.errors import ChannelGone, NeedsLogin, OuzelError, ServerTrouble, UnknownSite
from ouzel.model.live import Live
from ouzel.platforms.chain import Told
from ouzel.platforms.contract import Options
from ouzel.platforms.worker import answer
from ouzel.testing.platforms import PlannedAnswer, PlatformServer, platform_server

pytestmark = pytest.mark.anyio
PASSWORD = "correct-horse"
ACCOUNT = {"login": "somebody", "password": PASSWORD}
FOUND = """
{"statusCd": "S2000", "data": {"broadCastList": [], "liveList": [{"mcSignId": "wjfal007", "mcPartnerCode": "P-00117",
 "mcNickName": "somebody", "castStartDateCode": "20261122130000", "castType": 0, "isPrivate": "0"}]}}
"""


async def ask(server: PlatformServer, url: str, **options: str) -> Told:
    given = Options(proxy=server.proxy, timeout_s=10.0, **options)  # type: ignore[arg-type]
    return await anyio.to_thread.run_sync(answer, url, None, given)


@pytest.fixture(autouse=True)
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))


async def test_popkontv_signs_in_when_it_is_asked_to(tmp_path: Path) -> None:
    watch = "POST www.popkontv.com/api/proxy/broadcast/v1/castwatchonoffguest"
    async with platform_server(tmp_path) as server:
        server.play(
            [
                PlannedAnswer("POST *search/all", FOUND),
                PlannedAnswer(watch, '{"statusCd": "E5000", "statusMsg": ""}', times=1),
                PlannedAnswer(
                    "POST www.popkontv.com/api/proxy/member/v1/login",
                    '{"statusCd": "S2000", "data": {"token": "t0k3n", "partnerCode": "P-00001"}}',
                    when=PASSWORD,
                ),
                PlannedAnswer(
                    watch,
                    '{"statusCd": "L0000", "statusMsg": "SUCEESS", "data": {"castHlsUrl": "https://hls.popkontv.com/a.m3u8"}}',
                ),
            ]
        )
        told = await ask(server, "https://www.popkontv.com/live/view?castId=wjfal007&partnerCode=P-00117", **ACCOUNT)
        last = server.asked[-1]
    assert isinstance(told.outcome, Live), told.outcome
    assert last.headers["authorization"] == "Bearer t0k3n"
    assert '"signId": "somebody"' in last.body
    assert PASSWORD not in repr(told)


async def test_popkontv_does_not_take_the_account(tmp_path: Path) -> None:
    async with platform_server(tmp_path) as server:
        server.play(
            [
                PlannedAnswer("POST *search/all", FOUND),
                PlannedAnswer("POST *castwatchonoffguest", '{"statusCd": "E5000", "statusMsg": ""}'),
                PlannedAnswer("POST *login", '{"statusCd": "E4010", "statusMsg": "아이디 또는 비밀번호"}'),
            ]
        )
        told = await ask(server, "https://www.popkontv.com/live/view?castId=wjfal007&partnerCode=P-00117", **ACCOUNT)
    assert isinstance(told.outcome, NeedsLogin)
    assert PASSWORD not in repr(told)


async def test_ttinglive_signs_in_first(tmp_path: Path) -> None:
    async with platform_server(tmp_path) as server:
        server.play(
            [
                PlannedAnswer(
                    "POST api.ttinglive.com/v2/api/auth/signin",
                    "{}",
                    when=PASSWORD,
                    headers={"Set-Cookie": "flx_oauth_access=t0k3n; Path=/; Secure"},
                ),
                PlannedAnswer(
                    "GET api.ttinglive.com/api/channels/593127/stream",
                    '{"stream": {}, "owner": {"name": "x"}, "sources": [{"format": "ivs", "url": "https://a.live-video.net/a.m3u8"}]}',
                ),
            ]
        )
        told = await ask(server, "https://www.ttinglive.com/channels/593127/live", **ACCOUNT)
        last = server.asked[-1]
    assert isinstance(told.outcome, Live), told.outcome
    assert "flx_oauth_access=t0k3n" in last.headers["cookie"]
    assert PASSWORD not in repr(told)


async def test_ttinglive_does_not_take_the_account(tmp_path: Path) -> None:
    async with platform_server(tmp_path) as server:
        server.play([PlannedAnswer("POST *signin", '{"message": "비밀번호가 일치하지 않습니다."}', status=400)])
        told = await ask(server, "https://www.ttinglive.com/channels/593127/live", **ACCOUNT)
    assert isinstance(told.outcome, NeedsLogin)
    assert PASSWORD not in repr(told)


@pytest.mark.parametrize(
    ("planned", "kind"),
    [
        (PlannedAnswer("*", status=302, headers={"Location": "https://www.xiaohongshu.com"}), UnknownSite),
        (PlannedAnswer("*", status=404), ChannelGone),
        (PlannedAnswer("*", status=502), ServerTrouble),
    ],
    ids=["home", "gone", "trouble"],
)
async def test_a_shared_link_of_rednote_that_leads_nowhere(
    planned: PlannedAnswer, kind: type[OuzelError], tmp_path: Path
) -> None:
    async with platform_server(tmp_path) as server:
        server.play([planned])
        told = await ask(server, "https://xhslink.com/m/18ox3lAz")
    assert isinstance(told.outcome, kind), told.outcome


async def test_a_shared_link_of_rednote_leads_to_its_broadcast(tmp_path: Path) -> None:
    there = "https://www.xiaohongshu.com/livestream/dynpathAbCd1234/570459564696889177?share_id=1"
    state = '{"liveStream":{"pageStatus":"error","errorMessage":"未找到直播间，请稍后再试"}}'
    async with platform_server(tmp_path) as server:
        server.play(
            [
                PlannedAnswer("GET xhslink.com/o/A1", status=302, headers={"Location": there}),
                PlannedAnswer(
                    "GET www.xiaohongshu.com/livestream/570459564696889177",
                    f"<script>window.__INITIAL_STATE__={state}</script>",
                    type="text/html",
                ),
            ]
        )
        told = await ask(server, "http://xhslink.com/o/A1")
    assert isinstance(told.outcome, ChannelGone)
    assert not server.unplanned
