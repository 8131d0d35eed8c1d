"""Which addresses of a channel are asked, as whom, and what that costs the budgets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import cast

import pytest

from ouzel.base.errors import Blocked, ChannelGone, ConnectFailed, Gone, NeedsLogin, OuzelError, SiteChanged
from ouzel.model.budget import BudgetRules, Budgets
from ouzel.model.channel import DIRECT, Channel
from ouzel.model.channel_settings import ChannelSettings
from ouzel.model.evidence import Evidence
from ouzel.model.live import Answer, Identity, Live, Offline, Vod
from ouzel.model.stream import Stream
from ouzel.platforms.chain import Told
from ouzel.platforms.contract import Options, Peek
from ouzel.platforms.host import ResolverHost
from ouzel.platforms.peeking import Peeked
from ouzel.services import asking
from ouzel.services.asking import PlatformAsker, options_of
from ouzel.system.ffmpeg import FfmpegFinder
from ouzel.system.http import HttpClient
from ouzel.testing.clock import FakeClock

pytestmark = pytest.mark.anyio
AT = datetime(2026, 11, 22, tzinfo=UTC)
HUYA, TWITCH = "https://www.huya.com/1", "https://www.twitch.tv/somebody"
OFF = Offline(Identity("huya", "1"))
LIVE = Live(Identity("twitch", "9"), "x", (Stream("https://a.example/x.m3u8"),))
CHANNEL = Channel("c1", (HUYA,), "huya", "x", "x", AT, AT)
BOTH = replace(CHANNEL, addresses=(HUYA, TWITCH))


@dataclass
class FakeHost:
    outcomes: Mapping[str, Answer | OuzelError]
    requests: int = 1
    asked: list[tuple[str, Options]] = field(default_factory=list[tuple[str, Options]])
    probed: list[tuple[Mapping[str, str], Options]] = field(default_factory=list[tuple[Mapping[str, str], Options]])

    async def resolve(self, url: str, options: Options) -> Told:
        self.asked.append((url, options))
        return Told("own", self.outcomes[url], (Evidence("GET", url, 200),) * self.requests)

    async def probe(self, urls: Mapping[str, str], options: Options) -> Mapping[str, Peeked]:
        self.probed.append((dict(urls), options))
        return {url: Peek(live=True) for url in urls}


def asker_of(host: FakeHost) -> tuple[PlatformAsker, Budgets]:
    clock, budgets = FakeClock(), Budgets(lambda _: BudgetRules())
    real = cast("ResolverHost", host)
    return PlatformAsker(real, cast("HttpClient", None), FfmpegFinder(), budgets, clock), budgets


@pytest.mark.parametrize(
    ("first", "second", "others", "asked", "expected"),
    [
        (OFF, LIVE, False, 1, OFF),
        (OFF, LIVE, True, 2, LIVE),  # off air for long: it may have moved
        (ConnectFailed("?"), LIVE, False, 1, ConnectFailed),
        (Blocked("?"), LIVE, False, 1, Blocked),
        (ChannelGone("?"), LIVE, False, 2, LIVE),
        (ChannelGone("?"), OFF, False, 2, OFF),
        (SiteChanged("?"), LIVE, False, 2, LIVE),
        (
            SiteChanged("?"),
            OFF,
            False,
            2,
            SiteChanged,
        ),  # who does not understand the first does not know that it is off
        (NeedsLogin("?"), Blocked("?"), False, 2, NeedsLogin),
    ],
)
async def test_other_addresses_are_asked_where_the_first_does_not_do(
    first: Answer | OuzelError, second: Answer | OuzelError, others: bool, asked: int, expected: object
) -> None:
    host = FakeHost({HUYA: first, TWITCH: second})
    told = await asker_of(host)[0].ask(BOTH, ChannelSettings(), others=others)
    assert [url for url, _ in host.asked] == [HUYA, TWITCH][:asked]
    assert isinstance(told.outcome, expected) if isinstance(expected, type) else told.outcome == expected


async def test_every_request_is_paid_for_and_a_platform_that_blocks_is_not_asked_instead() -> None:
    host = FakeHost({HUYA: ChannelGone("?"), TWITCH: LIVE}, requests=3)
    asker, budgets = asker_of(host)
    await asker.ask(BOTH, ChannelSettings())
    assert [budgets.of(name, 0.0).requests for name in ("huya", "twitch")] == [2, 3]  # who asks has taken the first one
    budgets.of("twitch", 0.0).blocked(0.0, 0.0)
    told = await asker.ask(BOTH, ChannelSettings())
    assert isinstance(told.outcome, ChannelGone)
    assert [url for url, _ in host.asked] == [HUYA, TWITCH, HUYA]


async def test_the_users_settings_say_who_asks_and_by_which_way() -> None:
    host = FakeHost({HUYA: OFF})
    settings = ChannelSettings(
        cookies="a=1; nick=小明", proxy="SOCKS5://127.0.0.1:1080", user_agent="me", login="who", password="secret",
        verify_tls=False, codecs=("hevc",),
    )  # fmt: skip
    await asker_of(host)[0].ask(CHANNEL, settings)
    expected = Options(
        "a=1; nick=%E5%B0%8F%E6%98%8E",
        "socks5://127.0.0.1:1080",
        "me",
        "who",
        "secret",
        verify_tls=False,
        codecs=("hevc",),
    )
    assert host.asked == [(HUYA, expected)]
    assert options_of(replace(settings, proxy="direct")).proxy == ""


async def test_a_proxy_that_is_none_is_told_as_that_and_nobody_is_asked() -> None:
    host = FakeHost({HUYA: OFF})
    told = await asker_of(host)[0].ask(CHANNEL, ChannelSettings(proxy="ftp://me:secret@x"))
    assert isinstance(told.outcome, OuzelError)
    assert (told.outcome.code, "secret" in str(told.outcome), host.asked) == ("bad_option", False, [])


async def test_who_is_asked_about_together_is_asked_in_the_same_way() -> None:
    host = FakeHost({})
    asker, budgets = asker_of(host)
    url = "https://www.twitch.tv/user{}"
    channels = [
        replace(CHANNEL, id=f"c{n}", platform="twitch", addresses=(url.format(n),), identity=Identity("twitch", str(n)))
        for n in range(5)
    ]
    own = ChannelSettings(cookies="a=1")
    told = await asker.probe([(each, own if each.id == "c4" else ChannelSettings()) for each in channels])
    assert told == {f"c{n}": Peek(live=True) for n in range(5)}
    assert [(len(urls), options.cookies) for urls, options in host.probed] == [(4, ""), (1, "a=1")]
    assert host.probed[0][0][url.format(3)] == "3"
    assert budgets.of("twitch", 0.0).requests == 1
    assert (asker.at_once("twitch"), asker.at_once("huya"), asker.at_once("direct")) == (100, 0, 0)


@pytest.mark.parametrize("outcome", [Gone("404", status=404), Vod(Identity(DIRECT, "x"), "", LIVE.streams)])
async def test_an_address_of_a_stream_that_has_nothing_is_off_air(
    outcome: Answer | OuzelError, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def looked(*_args: object, **_options: object) -> Told:
        return Told("own", outcome, (Evidence("GET", "https://s.example/live.m3u8", 404),))

    monkeypatch.setattr(asking, "try_as_stream", looked)
    asker, _ = asker_of(FakeHost({}))
    channel = replace(CHANNEL, addresses=("https://s.example/live.m3u8",), platform=DIRECT)
    told = await asker.ask(channel, ChannelSettings())
    assert told.outcome == Offline(Identity(DIRECT, "https://s.example/live.m3u8"))
    assert told.evidence[0].status == 404
