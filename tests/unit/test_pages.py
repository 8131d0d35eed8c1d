"""What `ouzel record` asks of pages, and how often."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import cast

import anyio
import pytest
from tests.record_words import record_words

from ouzel.base.errors import BadOption, Blocked, ConnectFailed, OuzelError, ResolverFailed, SameChannel, SiteChanged
from ouzel.cli.access_options import AccessWords
from ouzel.cli.job import read_job
from ouzel.cli.pages import Pages
from ouzel.engine.finish import FormatWish
from ouzel.engine.names import Names, Target
from ouzel.model.budget import BudgetRules
from ouzel.model.choice import Taste
from ouzel.model.live import Answer, Identity, Live, Offline
from ouzel.model.polling import PollRules
from ouzel.model.stream import Stream
from ouzel.platforms.chain import Told
from ouzel.platforms.contract import Options, Peek
from ouzel.platforms.host import ResolverHost
from ouzel.platforms.peeking import Peeked
from ouzel.platforms.polling import Polls
from ouzel.platforms.resolver import Channels, PageResolver
from ouzel.system.clock import SystemClock
from ouzel.testing.clock import FakeClock

pytestmark = pytest.mark.anyio
PAGE = "https://picarto.tv/somebody"
WHO = Identity("picarto", "77")
A, B, LOW = (
    Stream("https://a.example/show.flv?sign=1", label="1080p", cdn="a"),
    Stream("https://b.example/show.flv?sign=1", label="1080p", cdn="b"),
    Stream("https://a.example/low.flv?sign=1", label="480p", cdn="a"),
)
SHOW = Live(WHO, "Some Body", (A, B, LOW), title="A show")
QUICK = PollRules(interval_s=0.005, jitter=0.1, network_s=0.02, longest_s=0.05)
AMPLE = BudgetRules(requests_per_minute=1e6, apart_s=0.0, cool_s=30.0)


@dataclass
class FakeHost:
    """Answers as told."""

    outcome: Answer | OuzelError = SHOW
    peeks: list[Mapping[str, Peeked]] = field(default_factory=list[Mapping[str, Peeked]])
    asked: list[tuple[str, Options]] = field(default_factory=list[tuple[str, Options]])
    probed: list[Mapping[str, str]] = field(default_factory=list[Mapping[str, str]])

    async def resolve(self, url: str, options: Options) -> Told:
        self.asked.append((url, options))
        return Told("own", self.outcome, ())

    async def probe(self, urls: Mapping[str, str], options: Options | None = None) -> Mapping[str, Peeked]:
        self.probed.append(dict(urls))
        return dict.fromkeys(urls) | dict(self.peeks.pop(0)) if self.peeks else dict.fromkeys(urls)


def resolver_of(
    host: FakeHost,
    url: str = PAGE,
    *,
    taste: Taste | None = None,
    clock: FakeClock | None = None,
    channels: Channels | None = None,
    polls: Polls | None = None,
) -> PageResolver:
    return PageResolver(
        cast("ResolverHost", host),
        url,
        Options(),
        taste or Taste(),
        clock or FakeClock(),
        channels or Channels(),
        polls.add(url, Options()) if polls else None,
    )


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
    resolver = resolver_of(FakeHost(outcome))
    assert resolver.fields["name"] == "somebody"
    try:
        await resolver.resolve()
    except Blocked:
        pass
    assert resolver.fields == {"platform": "picarto", "name": name, "title": title}


async def test_headers_of_the_user_go_with_the_media() -> None:
    host, sent = (
        FakeHost(Live(WHO, "", (Stream("https://a.example/x.flv", headers=(("Referer", "a"), ("X", "b"))),))),
        "me",
    )
    resolver = PageResolver(
        cast("ResolverHost", host), PAGE, Options(), Taste(), FakeClock(), Channels(), headers=(("referer", sent),)
    )
    stream = await resolver.resolve()
    assert stream is not None
    assert stream.headers == (("X", "b"), ("referer", sent))


@pytest.mark.parametrize("header", ["Cookie: a=b", "authorization: Basic abc"])
def test_headers_that_no_host_of_a_page_would_get_are_refused(tmp_path: Path, header: str) -> None:
    with pytest.raises(BadOption, match="goes to the host of an address only"):
        read_job(record_words(PAGE, folder=tmp_path, headers=(header,)))
    other = "https://example.org/live.m3u8"
    assert read_job(record_words(PAGE, other, folder=tmp_path, headers=(header,))).pages


async def test_a_name_is_made_when_its_file_begins(tmp_path: Path) -> None:
    clock, host = FakeClock(), FakeHost(Offline(WHO, "Some Body", "yesterday's show"))
    resolver = resolver_of(host)
    target = Target(tmp_path, None, "{name} {title} {start:%H%M}", numbered=False)
    path_for = Names().maker(
        target, Stream(PAGE), FormatWish(None, keep_original=False), clock, lambda: resolver.fields
    )
    await resolver.resolve()
    clock.advance(3600)
    began = clock.now().astimezone()
    host.outcome = SHOW
    await resolver.resolve()
    assert path_for(1, "flv").name == f"Some Body A show {began:%H%M}.flv"
    clock.advance(3600)
    assert path_for(2, "flv").name == f"Some Body A show {began:%H%M}-002.flv"  # only time has passed
    host.outcome = Live(WHO, "Some Body", (A,), title="Another show")
    await resolver.resolve()
    assert path_for(3, "flv").name == f"Some Body Another show {began + timedelta(hours=1):%H%M}-003.flv"


def test_a_template_that_gives_no_name_is_refused_before_anything_is_recorded(tmp_path: Path) -> None:
    target = Target(tmp_path, None, "{title}", numbered=False)
    with pytest.raises(BadOption):
        Names().maker(target, Stream("https://cdn.example/a.flv"), FormatWish(None, keep_original=False), FakeClock())


async def test_the_users_words_are_handed_on() -> None:
    host = FakeHost()
    taste = Taste(codecs=("av1", "h264"), refused_codecs=("hevc",), cdn="b")
    options = Options("a=1", "socks5h://127.0.0.1:1080", "me", "me@example.org", "secret", verify_tls=False)
    pages = Pages(cast("ResolverHost", host), FakeClock(), wait=False)
    taken = await pages.page(PAGE, options, taste).resolver.resolve()
    assert host.asked == [(PAGE, replace(options, codecs=("av1", "h264")))]
    assert taken is not None
    assert taken.cdn == "b"


# ---- which stream


async def test_a_stream_that_brought_no_media_is_left_alone_for_a_while() -> None:
    clock = FakeClock()
    resolver = resolver_of(FakeHost(), clock=clock)
    taken = [await resolver.resolve()]
    for after_s, failed in ((0, True), (0, True), (59, False), (2, False), (0, True), (119, False), (2, False)):
        clock.advance(after_s)
        taken.append(await resolver.resolve(failed=failed))
    assert [(s.label, s.cdn) for s in taken if s] == [
        ("1080p", "a"),
        ("1080p", "b"),  # the same quality from elsewhere
        ("480p", "a"),  # then the next quality
        ("480p", "a"),
        ("1080p", "a"),
        ("1080p", "b"),
        ("1080p", "b"),
        ("1080p", "a"),  # twice as long, the second time
    ]


async def test_to_renew_an_address_is_no_failure() -> None:
    resolver = resolver_of(FakeHost())
    assert {(await resolver.resolve() or LOW).cdn for _ in range(5)} == {"a"}


async def test_where_all_have_failed_all_are_tried_again() -> None:
    resolver = resolver_of(FakeHost(Live(WHO, "x", (A, B))))
    taken = [await resolver.resolve()] + [await resolver.resolve(failed=True) for _ in range(2)]
    assert [s.cdn for s in taken if s] == ["a", "b", "a"]


async def test_two_pages_of_one_channel_are_one() -> None:
    channels, host = Channels(), FakeHost(Offline(WHO))
    first, second = (resolver_of(host, url, channels=channels) for url in (PAGE, PAGE + "else"))
    assert await first.resolve() is None
    for _ in range(2):
        with pytest.raises(SameChannel, match=PAGE):
            await second.resolve()
    assert await first.resolve() is None


async def test_two_pages_may_turn_out_to_be_one_channel_later() -> None:
    channels, first, second = Channels(), FakeHost(Offline(WHO)), FakeHost(Blocked("a captcha"))
    await resolver_of(first, channels=channels).resolve()
    other = resolver_of(second, PAGE + "else", channels=channels)
    with pytest.raises(Blocked):
        await other.resolve()
    second.outcome = SHOW
    with pytest.raises(SameChannel):
        await other.resolve()


# ---- what the command line says


@pytest.mark.parametrize(
    ("words", "taste"),
    [
        ({}, Taste()),
        ({"codecs": "h265, AVC,hevc"}, Taste(codecs=("hevc", "h264"))),
        ({"refused_codecs": "av1", "cdn": "b"}, Taste(refused_codecs=("av1",), cdn="b")),
    ],
)
def test_codecs_and_cdn_are_a_matter_of_taste(words: dict[str, str], taste: Taste, tmp_path: Path) -> None:
    assert read_job(record_words(PAGE, folder=tmp_path, **words)).tastes == {PAGE: taste}


def test_the_command_line_goes_before_the_settings(tmp_path: Path) -> None:
    config = tmp_path / "ouzel.toml"
    config.write_text('[platforms.picarto]\ncodecs = ["av1", "hevc"]\nrefuse_codecs = ["vp9"]\ncdn = "b"\n')
    words = record_words(PAGE, folder=tmp_path, access=AccessWords(config=config))
    assert read_job(words).tastes == {PAGE: Taste("best", ("av1", "hevc"), ("vp9",), "b")}
    words = replace(words, codecs="vp9", cdn="a")
    assert read_job(words).tastes == {PAGE: Taste("best", ("vp9",), (), "a")}
    words = replace(words, codecs=None, refused_codecs="av1")
    assert read_job(words).tastes == {PAGE: Taste("best", ("hevc",), ("av1",), "a")}


@pytest.mark.parametrize("words", [{"codecs": "divx"}, {"codecs": ","}, {"codecs": "hevc", "refused_codecs": "h265"}])
def test_what_is_no_codec_is_refused(words: dict[str, str], tmp_path: Path) -> None:
    with pytest.raises(BadOption):
        read_job(record_words(PAGE, folder=tmp_path, **words))


# ---- how often


def polls_of(host: FakeHost, budget: BudgetRules = AMPLE) -> Polls:
    return Polls(host, SystemClock(), QUICK, budget, Random(1))


async def test_an_interval_is_kept_give_or_take_a_tenth() -> None:
    polls = Polls(FakeHost(), FakeClock(), random=Random(1))
    poll = polls.add(PAGE, Options())
    poll.heard(Offline(WHO))
    waits = [poll.patience_s() for _ in range(100)]
    assert 27 <= min(waits) < 28
    assert 32 < max(waits) <= 33


@pytest.mark.parametrize(
    ("ahead_s", "least", "most"),
    [(5, 5, 5), (40, 27, 33), (600, 300, 300), (7200, 900, 900), (-60, 27, 33)],
)
async def test_an_announced_beginning_is_waited_for(ahead_s: float, least: float, most: float) -> None:
    clock = FakeClock()
    poll = Polls(FakeHost(), clock).add(PAGE, Options())
    poll.heard(Offline(WHO, available_at=clock.now() + timedelta(seconds=ahead_s)))
    assert least <= poll.patience_s() <= most


@pytest.mark.parametrize(("error", "most"), [(SiteChanged("?"), 900), (ConnectFailed("?"), 60)])
async def test_after_errors_it_is_asked_less_and_less_often(error: OuzelError, most: float) -> None:
    poll = Polls(FakeHost(), FakeClock(), PollRules(jitter=0.0)).add(PAGE, Options())
    waits = list[float]()
    for _ in range(40):
        poll.heard(error)
        waits.append(poll.patience_s())
    assert waits[:2] == [30, 60]
    assert waits[-1] == most
    poll.heard(Offline(WHO))
    assert poll.patience_s() == 30


async def test_a_stream_that_did_not_come_is_asked_for_at_once() -> None:
    resolver = resolver_of(FakeHost(), polls=polls_of(FakeHost()))
    await resolver.resolve()
    assert resolver.patience_s(0.25) == 0.25


async def test_pages_of_one_platform_are_asked_about_together_until_they_seem_to_be_on_air() -> None:
    urls = [f"https://www.twitch.tv/user{number}" for number in range(5)]
    off: dict[str, Peeked] = {url: Peek(live=False) for url in urls}
    unsure: dict[str, Peeked] = {urls[1]: None, urls[2]: SiteChanged("?")}
    host = FakeHost(Offline(Identity("twitch", "1")), [off, off, off, off | {urls[0]: Peek(live=True)} | unsure])
    polls = polls_of(host)
    resolvers = {url: resolver_of(host, url, polls=polls) for url in urls}
    assert [await each.resolve() for each in resolvers.values()] == [None] * 5
    assert (len(host.probed), host.asked) == (1, [])  # even the first time

    back = list[str]()

    async def wait(url: str) -> None:
        await resolvers[url].rest(0.005)
        back.append(url)
        if len(back) == 3:
            tasks.cancel_scope.cancel()

    with anyio.fail_after(20):
        async with anyio.create_task_group() as tasks:
            for url in urls:
                tasks.start_soon(wait, url)
    assert set(back) == set(urls[:3])
    assert host.probed == [dict.fromkeys(urls, "")] * 4


async def test_one_page_alone_is_asked_in_full_and_so_are_those_of_platforms_without_such_a_question() -> None:
    host = FakeHost(Offline(WHO))
    alone = polls_of(host).add("https://www.twitch.tv/user", Options())
    assert not await alone.seems_off()
    await alone.rest(0.001)
    assert host.probed == []
    polls = polls_of(host)
    several = [polls.add(f"https://picarto.tv/user{number}", Options()) for number in range(3)]
    for _ in range(3):
        for each in several:
            assert not await each.seems_off()
            each.heard(Offline(WHO))
        async with anyio.create_task_group() as tasks:
            for each in several:
                tasks.start_soon(each.rest, 0.0)
    assert host.probed == [{each.url: "" for each in several}, {each.url: "77" for each in several}]


async def test_nobody_asks_a_platform_that_blocks() -> None:
    polls = polls_of(FakeHost())
    one, other = (polls.add(f"https://picarto.tv/user{number}", Options()) for number in range(2))
    elsewhere = polls.add("https://chzzk.naver.com/live/" + "0" * 32, Options())
    one.heard(Blocked("a captcha"))
    with anyio.fail_after(20):
        await elsewhere.rest(0.0)
    with anyio.move_on_after(0.05) as scope:
        await other.rest(0.0)
    assert scope.cancelled_caught


@pytest.mark.parametrize("first", [True, False])
async def test_pages_are_asked_one_after_the_other(first: bool) -> None:
    polls = polls_of(FakeHost(), BudgetRules(requests_per_minute=1e6, apart_s=30.0))
    passed = list[int]()

    async def wait(number: int) -> None:
        poll = polls.add(f"https://picarto.tv/user{number}", Options())
        await (poll.seems_off() if first else poll.rest(0.0))
        passed.append(number)

    with anyio.move_on_after(0.1):
        async with anyio.create_task_group() as tasks:
            for number in range(5):
                tasks.start_soon(wait, number)
    assert len(passed) == 1


async def test_a_failed_question_about_many_says_nothing() -> None:
    urls = [f"https://www.twitch.tv/user{number}" for number in range(3)]
    host = FakeHost(SHOW, [dict.fromkeys(urls, ResolverFailed("?"))])
    polls = polls_of(host)
    several = [polls.add(url, Options()) for url in urls]
    assert [await each.seems_off() for each in several] == [False] * 3
