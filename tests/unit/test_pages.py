"""What `ouzel record` asks of pages before it begins."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import cast

import anyio
import pytest

from ouzel.base.errors import Blocked, OuzelError
from ouzel.cli import pages as rooms
from ouzel.cli.access import PageAccess
from ouzel.cli.pages import Pages
from ouzel.config.settings import PlatformSettings
from ouzel.model.live import Answer, Identity, Live, Offline
from ouzel.model.stream import Stream
from ouzel.platforms.chain import Told
from ouzel.platforms.contract import Options
from ouzel.platforms.host import ResolverHost
from ouzel.system.http.cookies import CookieJar
from ouzel.testing.clock import FakeClock

pytestmark = pytest.mark.anyio
PAGE = "https://picarto.tv/somebody"
WHO = Identity("picarto", "77")
SHOW = Live(WHO, "Some Body", (Stream("https://cdn.example/a.flv"),), title="A show")


@dataclass
class FakeHost:
    """Answers as told; None: never."""

    outcome: Answer | OuzelError | None
    asked: list[tuple[str, Options]] = field(default_factory=list[tuple[str, Options]])

    async def resolve(self, url: str, options: Options) -> Told:
        self.asked.append((url, options))
        if self.outcome is None:
            await anyio.sleep_forever()
        assert self.outcome is not None
        return Told("own", self.outcome, ())


async def ask(host: FakeHost, *streams: Stream, options: Options | None = None) -> list[rooms.Page]:
    pages = Pages(cast("ResolverHost", host), FakeClock())
    access = PageAccess(options or Options(), CookieJar(), PlatformSettings())
    found = await pages.ask([(stream, access) for stream in streams])
    return [found[stream.url] for stream in streams]


@pytest.mark.parametrize(
    ("outcome", "name", "title"),
    [
        (SHOW, "Some Body", "A show"),
        (Live(WHO, "Some Body", SHOW.streams), "Some Body", "Some Body"),
        (Live(WHO, "", SHOW.streams), "77", "77"),
        (Offline(WHO, "Some Body"), "Some Body", "Some Body"),
        (Blocked("a captcha"), "somebody", "somebody"),
    ],
)
async def test_files_are_named_by_what_is_known(outcome: Answer | OuzelError, name: str, title: str) -> None:
    (page,) = await ask(FakeHost(outcome), Stream(PAGE))
    assert dict(page.fields) == {"platform": "picarto", "name": name, "title": title}


async def test_a_page_that_hangs_holds_up_nothing_and_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rooms, "_FIRST_S", 0.05)
    host = FakeHost(None)
    with anyio.fail_after(20):
        (page,) = await ask(host, Stream(PAGE))
    assert page.fields["name"] == "somebody"
    host.outcome = SHOW
    stream = await page.resolver.resolve()
    assert stream is not None
    assert stream.url == "https://cdn.example/a.flv"
    assert len(host.asked) == 2


async def test_the_users_words_are_handed_on() -> None:
    host = FakeHost(SHOW)
    options = Options("a=1", "socks5h://127.0.0.1:1080", "me", "me@example.org", "secret", verify_tls=False)
    await ask(host, Stream(PAGE), options=options)
    assert host.asked == [(PAGE, options)]
