"""Everything else, in a child process that has apprise: started when it is needed, ended when it is not."""

from __future__ import annotations

import base64
from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, datetime
from importlib.util import find_spec
from typing import Any

import anyio
import pytest
from tests.component.http_server import answer, serving

from ouzel.base.errors import BadOption, ConnectionLost, Stalled, TargetRefused
from ouzel.notify import covers
from ouzel.notify.host import AppriseLimits, open_apprise
from ouzel.notify.sender import Outgoing
from ouzel.testing.messages import fake_service

pytestmark = [pytest.mark.anyio, pytest.mark.skipif(find_spec("apprise") is None, reason="apprise is not installed")]
SAYS = Outgoing("m1", "小明 is live", "chat", datetime(2026, 11, 22, tzinfo=UTC), url="https://www.huya.com/1")


async def test_it_sends_and_ends_when_there_is_nothing_more() -> None:
    async with fake_service({}) as service, open_apprise(AppriseLimits(idle_s=0.2)) as apprise:
        assert apprise.pids == []
        await apprise(SAYS, {"url": service.url.replace("http://", "json://")})
        assert service.got[0].json["title"] == "小明 is live"
        assert service.got[0].json["message"] == "chat\nhttps://www.huya.com/1"
        [pid] = apprise.pids
        with anyio.fail_after(30):
            while apprise.pids:  # noqa: ASYNC110
                await anyio.sleep(0.01)
        await apprise(SAYS, {"url": service.url.replace("http://", "json://")})
        assert apprise.pids != [pid]


JPEG = b"\xff\xd8\xff\xe0" + b"picture" * 10


PUBLIC = (
    "from ouzel.notify import covers, worker; covers.classify = lambda _: covers.AddressClass.PUBLIC; worker.main()"
)
"""For it our pictures, too, are on a public address."""


async def test_a_picture_is_attached_or_the_words_go_alone() -> None:
    routes = {
        "/good": answer(JPEG, Content_Type="image/jpeg"),
        "/moved": answer(status="302 Found", Location="/good"),
        "/gone": answer(JPEG, status="404 Not Found", Content_Type="image/jpeg"),
        "/page": answer(JPEG, Content_Type="text/html"),
        "/empty": answer(Content_Type="image/png; x=y"),
        "/large": answer(bytes(covers.MOST_BYTES + 1), Content_Type="image/png"),
    }
    async with fake_service({}) as service, serving(routes) as pictures, open_apprise(worker=("-c", PUBLIC)) as apprise:
        for path in (*routes, "/nothing"):
            await apprise(replace(SAYS, picture=pictures.url(path)), {"url": service.url.replace("http://", "json://")})
    told = [[base64.b64decode(each["base64"]) for each in got.json["attachments"]] for got in service.got]
    assert told == [[JPEG], [JPEG], [], [], [], [], []]
    assert {got.json["title"] for got in service.got} == {"小明 is live"}


async def test_a_picture_of_this_machine_is_not_fetched() -> None:
    routes = {"/good": answer(JPEG, Content_Type="image/jpeg")}
    async with fake_service({}) as service, serving(routes) as pictures, open_apprise() as apprise:
        url = service.url.replace("http://", "json://")
        await apprise(replace(SAYS, picture=pictures.url("/good")), {"url": url})
    assert (service.got[0].json["attachments"], pictures.asked) == ([], [])


async def test_what_failed_with_a_picture_is_tried_again_without() -> None:
    asked: list[str] = []

    async with open_apprise() as apprise:

        async def ask(doc: dict[str, Any], settings: Any) -> tuple[bool, str]:
            asked.append(doc["picture"])
            return len(asked) > 2, "no"

        apprise._ask = ask
        message = replace(SAYS, picture="https://img.example/cover.jpg")
        for number in range(4):
            with nullcontext() if number > 1 else pytest.raises(ConnectionLost):
                await apprise(message, {"url": "json://x"})
    assert asked == [message.picture, "", "", message.picture]


async def test_addresses_are_looked_at_when_they_are_set() -> None:
    async with open_apprise() as apprise:
        await apprise.check({"url": "gotify://192.168.1.2/A12345678901234"})
        for url in ("nothing://x", "dbus://", "syslog://"):
            with pytest.raises(BadOption, match="no address"):
                await apprise.check({"url": url})
            with pytest.raises(TargetRefused):
                await apprise(SAYS, {"url": url})


async def test_a_no_can_be_tried_again_and_shows_no_secret() -> None:
    async with fake_service({"error": "SECRET0123456789"}, 500) as service, open_apprise() as apprise:
        with pytest.raises(ConnectionLost) as caught:
            await apprise(SAYS, {"url": service.url.replace("http://", "json://") + "/SECRET0123456789"})
    assert "SECRET0123456789" not in str(caught.value)


async def test_nothing_goes_to_a_metadata_service() -> None:
    async with open_apprise(AppriseLimits(timeout_s=20.0)) as apprise:
        with anyio.fail_after(15), pytest.raises(ConnectionLost):
            await apprise(SAYS, {"url": "json://169.254.169.254/latest"})


async def test_a_worker_that_hangs_or_dies_fails_its_message_only() -> None:
    hanging = ("-c", "import sys; sys.stdin.read()")
    async with open_apprise(AppriseLimits(timeout_s=0.2), worker=hanging) as apprise:
        with pytest.raises(Stalled):
            await apprise(SAYS, {"url": "json://x"})
    async with open_apprise(worker=("-c", "import sys; sys.stdin.readline()")) as apprise:
        with pytest.raises(ConnectionLost):
            await apprise(SAYS, {"url": "json://x"})
