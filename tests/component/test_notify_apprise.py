"""Everything else, in a child process that has apprise: started when it is needed, ended when it is not."""

from __future__ import annotations

from datetime import UTC, datetime
from importlib.util import find_spec

import anyio
import pytest

from ouzel.base.errors import BadOption, ConnectionLost, Stalled, TargetRefused
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
