"""Each service against a fake of its endpoint on loopback, with what the real one answers: many say no inside of a 200."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import AsyncGenerator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from ouzel.base.errors import (
    AddressRefused,
    BadOption,
    BadResponse,
    ConnectFailed,
    OuzelError,
    RateLimited,
    Retry,
    ServerTrouble,
    Stalled,
    TargetRefused,
)
from ouzel.model.notices import Severity
from ouzel.model.targets import KINDS, check_settings
from ouzel.notify.host import open_apprise
from ouzel.notify.sender import Outgoing, fitted, utf8
from ouzel.notify.senders import Senders
from ouzel.notify.webhook import signature
from ouzel.system.http import Http1Client
from ouzel.testing.messages import FakeService, fake_service

pytestmark = pytest.mark.anyio
AT = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
SAYS = Outgoing("m1", "小明 is live", "chat\nhuya · 20:00", AT, url="https://www.huya.com/1", code="broadcast.began")
WITH_PICTURE = replace(SAYS, picture="https://img.example/cover.jpg")
SECRET = "SECRET0123456789"


@pytest.fixture
async def senders() -> AsyncGenerator[Senders]:
    async with Http1Client() as http, open_apprise() as apprise:
        yield Senders(http, apprise, limit_s=5.0)


@pytest.fixture
async def service() -> AsyncGenerator[FakeService]:
    async with fake_service({}) as opened:
        yield opened


def settings_of(kind: str, service: FakeService) -> dict[str, Any]:
    at = service.url
    given: dict[str, dict[str, Any]] = {
        "xizhi": {"url": f"{at}/{SECRET}.send"},
        "wecom": {"url": f"{at}/cgi-bin/webhook/send?key={SECRET}"},
        "serverchan": {"key": SECRET, "base": at},
        "dingtalk": {"url": f"{at}/robot/send?access_token={SECRET}"},
        "telegram": {"token": f"1:{SECRET}", "chat": "-100", "base": at},
        "bark": {"url": f"{at}/{SECRET}/"},
        "ntfy": {"url": f"{at}/{SECRET}"},
        "pushplus": {"token": SECRET, "base": at},
        "webhook": {"url": f"{at}/hook/{SECRET}", "secret": "shared secret"},
    }
    return check_settings(kind, given[kind])


GOOD: dict[str, Any] = {
    "xizhi": {"code": 200, "msg": "推送成功"},
    "wecom": {"errcode": 0, "errmsg": "ok"},
    "serverchan": {"code": 0, "message": "", "data": {"pushid": "1", "readkey": "x", "error": "SUCCESS", "errno": 0}},
    "dingtalk": {"errcode": 0, "errmsg": "ok"},
    "telegram": {"ok": True, "result": {"message_id": 1}},
    "bark": {"code": 200, "message": "success", "timestamp": 1700000000},
    "ntfy": {"id": "sPs71M8A2T", "time": 1643935928, "event": "message", "topic": "t"},
    "pushplus": {"code": 200, "msg": "请求成功", "data": "f6a"},
    "webhook": {},
}
NO: list[tuple[str, int, Any, type[OuzelError]]] = [
    ("xizhi", 200, {"code": 10002, "msg": "key无效"}, TargetRefused),
    ("wecom", 200, {"errcode": 93000, "errmsg": f"invalid webhook url, key={SECRET}"}, TargetRefused),
    ("wecom", 200, {"errcode": 45009, "errmsg": "api freq out of limit"}, RateLimited),
    ("wecom", 200, {"errcode": -1, "errmsg": "system busy"}, ServerTrouble),
    ("serverchan", 400, {"message": "[AUTH]错误的Key", "code": 40001, "info": "错误的Key"}, TargetRefused),
    ("serverchan", 200, {"code": 40001, "message": "[AUTH]错误的Key"}, TargetRefused),
    ("dingtalk", 200, {"errcode": 310000, "errmsg": "sign not match"}, TargetRefused),
    ("dingtalk", 200, {"errcode": 300001, "errmsg": "token is not exist"}, TargetRefused),
    ("dingtalk", 200, {"errcode": 130101, "errmsg": "send too fast"}, RateLimited),
    ("telegram", 401, {"ok": False, "error_code": 401, "description": "Unauthorized"}, TargetRefused),
    ("telegram", 400, {"ok": False, "error_code": 400, "description": "Bad Request: chat not found"}, TargetRefused),
    ("telegram", 200, {"ok": False, "error_code": 403, "description": "bot was blocked by the user"}, TargetRefused),
    ("telegram", 429, {"ok": False, "error_code": 429, "parameters": {"retry_after": 7}}, RateLimited),
    ("bark", 400, {"code": 400, "message": "failed to get device token: unknown", "timestamp": 1}, TargetRefused),
    ("bark", 200, {"code": 400, "message": "failed to get device token"}, TargetRefused),
    ("bark", 500, {"code": 500, "message": "push failed: 503"}, ServerTrouble),
    ("ntfy", 403, {"code": 40301, "http": 403, "error": "forbidden"}, TargetRefused),
    ("ntfy", 429, {"code": 42901, "http": 429, "error": "limit reached: too many requests"}, RateLimited),
    ("pushplus", 200, {"code": 903, "msg": "无效的用户token"}, TargetRefused),
    ("pushplus", 200, {"code": 900, "msg": "用户账号使用受限"}, RateLimited),
    ("pushplus", 200, {"code": 999, "msg": "服务端验证错误"}, ServerTrouble),
    ("webhook", 500, {"error": "oh"}, ServerTrouble),
    ("webhook", 410, {"error": "no more"}, TargetRefused),
]


@pytest.mark.parametrize("kind", GOOD)
@pytest.mark.parametrize("message", [SAYS, WITH_PICTURE])
async def test_what_is_taken_was_sent_once(
    kind: str, message: Outgoing, senders: Senders, service: FakeService
) -> None:
    service.says(GOOD[kind])
    await senders.send(kind, settings_of(kind, service), message)
    [got] = service.got
    assert got.method == "POST"
    told = got.body.decode() + got.path
    assert "小明 is live" in told
    assert message.picture in told


@pytest.mark.parametrize(("kind", "status", "doc", "error"), NO)
async def test_a_no_is_a_no_also_inside_of_a_200(
    kind: str, status: int, doc: Any, error: type[OuzelError], senders: Senders, service: FakeService
) -> None:
    service.says(doc, status)
    with pytest.raises(error) as caught:
        await senders.send(kind, settings_of(kind, service), SAYS)
    assert SECRET not in str(caught.value)
    assert len(service.got) == 1


@pytest.mark.parametrize("kind", sorted(GOOD.keys() - {"webhook"}))
async def test_what_answers_is_another_program(kind: str, senders: Senders, service: FakeService) -> None:
    service.says(["hello"])
    with pytest.raises(BadResponse):
        await senders.send(kind, settings_of(kind, service), SAYS)


async def test_every_kind_is_here_but_mail_and_apprise() -> None:
    assert GOOD.keys() == KINDS.keys() - {"email", "apprise"}


async def test_retry_after_is_heard(senders: Senders, service: FakeService) -> None:
    service.says({}, 429, **{"Retry-After": "33"})
    with pytest.raises(RateLimited) as caught:
        await senders.send("webhook", settings_of("webhook", service), SAYS)
    assert caught.value.retry_after_s == 33
    service.says({"ok": False, "error_code": 429, "description": "later", "parameters": {"retry_after": 7}}, 429)
    with pytest.raises(RateLimited) as caught:
        await senders.send("telegram", settings_of("telegram", service), SAYS)
    assert caught.value.retry_after_s == 7


# -- what each is told ------------------------------------------------------------------------------------------------


async def sent(kind: str, senders: Senders, service: FakeService, message: Outgoing = SAYS, **more: Any) -> Any:
    service.says(GOOD[kind])
    await senders.send(kind, {**settings_of(kind, service), **more}, message)
    return service.got[-1].json


async def test_xizhi(senders: Senders, service: FakeService) -> None:
    assert await sent("xizhi", senders, service) == {"title": "小明 is live", "content": "chat\n\nhuya · 20:00"}
    assert service.got[0].path == f"/{SECRET}.send"


async def test_a_robot_of_dingtalk_signs_and_calls_everybody(senders: Senders, service: FakeService) -> None:
    doc = await sent("dingtalk", senders, service, secret="SECabc", phones=["138"], at_all=True)
    assert doc["at"] == {"atMobiles": ["138"], "isAtAll": True}
    query = parse_qs(urlsplit(service.got[0].path).query, keep_blank_values=True)
    [stamp], [sign] = query["timestamp"], query["sign"]
    digest = hmac.new(b"SECabc", f"{stamp}\nSECabc".encode(), hashlib.sha256).digest()
    assert base64.b64decode(sign) == digest
    assert query["access_token"] == [SECRET]
    with_picture = await sent("dingtalk", senders, service, WITH_PICTURE, phones=["138"])
    assert "![](https://img.example/cover.jpg) @138" in with_picture["markdown"]["text"]


async def test_a_robot_of_wecom_shows_a_card_unless_it_calls_somebody(senders: Senders, service: FakeService) -> None:
    doc = await sent("wecom", senders, service, WITH_PICTURE)
    assert doc["news"]["articles"][0]["picurl"] == "https://img.example/cover.jpg"
    doc = await sent("wecom", senders, service, WITH_PICTURE, phones=["138"], at_all=True)
    assert doc["text"]["mentioned_mobile_list"] == ["138", "@all"]


async def test_telegram_sends_words_alone_when_it_cannot_fetch_the_picture(
    senders: Senders, service: FakeService
) -> None:
    bad = {"ok": False, "error_code": 400, "description": "Bad Request: failed to get HTTP URL content"}
    service.replies = [(400, {}, bad), (200, {}, GOOD["telegram"])]
    await senders.send("telegram", settings_of("telegram", service), WITH_PICTURE)
    assert [each.path.rpartition("/")[2] for each in service.got] == ["sendPhoto", "sendMessage"]
    assert service.got[1].json["chat_id"] == "-100"


async def test_bark_and_ntfy_have_what_they_offer(senders: Senders, service: FakeService) -> None:
    doc = await sent("bark", senders, service, WITH_PICTURE, level="active", sound="bell")
    assert doc == {
        "device_key": SECRET, "title": SAYS.title, "body": SAYS.text, "level": "active", "sound": "bell",
        "url": SAYS.url, "image": WITH_PICTURE.picture,
    }  # fmt: skip
    assert service.got[0].path == "/push"
    doc = await sent(
        "ntfy", senders, service, replace(WITH_PICTURE, severity=Severity.ERROR), token="tk", tags=["tada"]
    )
    assert doc == {
        "topic": SECRET, "title": SAYS.title, "message": SAYS.text, "priority": 5, "tags": ["tada"],
        "click": SAYS.url, "attach": WITH_PICTURE.picture,
    }  # fmt: skip
    assert service.got[1].headers["authorization"] == "Bearer tk"


async def test_serverchan_has_two_editions(senders: Senders, service: FakeService) -> None:
    await sent("serverchan", senders, service)
    await sent("serverchan", senders, service, key="sctp123tabcdef")
    assert [each.path for each in service.got] == [f"/{SECRET}.send", "/send/sctp123tabcdef.send"]


async def test_a_webhook_is_signed_and_keeps_its_id(senders: Senders, service: FakeService) -> None:
    """As a receiver checks it: `docs/reference/telling.md` has this in ten lines."""
    for _ in range(2):
        await sent("webhook", senders, service)
    first, second = service.got
    assert first.headers["webhook-id"] == second.headers["webhook-id"] == "m1"
    stamp = first.headers["webhook-timestamp"]
    digest = hmac.new(b"shared secret", f"m1.{stamp}.".encode() + first.body, hashlib.sha256).digest()
    assert first.headers["webhook-signature"] == "v1," + base64.b64encode(digest).decode()
    assert (
        signature("whsec_" + base64.b64encode(b"shared secret").decode(), "m1", int(stamp), first.body)
        == (first.headers["webhook-signature"])
    )
    assert first.json["type"] == "broadcast.began"


# -- what must not happen ---------------------------------------------------------------------------------------------


async def test_a_service_that_hangs_is_given_up(service: FakeService) -> None:
    service.replies = [None]
    async with Http1Client() as http, open_apprise() as apprise:
        with pytest.raises(Stalled):
            await Senders(http, apprise, limit_s=0.1).send("webhook", settings_of("webhook", service), SAYS)


async def test_a_service_that_is_away_can_be_tried_again(senders: Senders) -> None:
    async with fake_service({}) as gone:
        settings = settings_of("webhook", gone)
    with pytest.raises(ConnectFailed) as caught:
        await senders.send("webhook", settings, SAYS)
    assert caught.value.retry is Retry.SOON


@pytest.mark.parametrize("host", ["169.254.169.254", "[fe80::1]", "100.100.100.200"])
async def test_nothing_goes_to_a_metadata_service(host: str, senders: Senders) -> None:
    with pytest.raises(AddressRefused):
        await senders.send("webhook", {"url": f"http://{host}/latest/meta-data"}, SAYS)
    with pytest.raises(AddressRefused):
        await senders.send("webhook", {"url": f"http://{host}/", "proxy": "http://127.0.0.1:9"}, SAYS)
    with pytest.raises(AddressRefused):
        await senders.send("email", {"server": host.strip("[]"), "to": ["a@b.c"], "from": "a@b.c"}, SAYS)


async def test_a_redirect_is_not_followed(senders: Senders, service: FakeService) -> None:
    service.says({}, 307, Location=f"{service.url}/elsewhere")
    with pytest.raises(TargetRefused):
        await senders.send("webhook", settings_of("webhook", service), SAYS)
    assert len(service.got) == 1


async def test_a_bug_in_a_sender_fails_its_message_only(senders: Senders) -> None:
    with pytest.raises(TargetRefused, match="a bug"):
        await senders.send("telegram", {}, SAYS)


async def test_what_cannot_work_is_refused_when_it_is_set(senders: Senders) -> None:
    with pytest.raises(BadOption, match="topic"):
        await senders.check("ntfy", {"url": "https://ntfy.sh/"})
    with pytest.raises(BadOption, match="from"):
        await senders.check("email", {"server": "mail.example", "to": ["a@b.c"]})


async def test_a_long_text_is_cut_where_a_character_ends() -> None:
    assert fitted("直播直播", 9, size=utf8) == "直播…"
    assert fitted("short", 9) == "short"
