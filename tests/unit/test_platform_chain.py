"""What an adapter says, held against what it was told. The adapters are made up, and note what they would have been answered."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import pytest

from ouzel.base.errors import Blocked, ChannelGone, NeedsLogin, OuzelError, SiteChanged
from ouzel.model.live import Answer, Live, Offline, State, state_of
from ouzel.model.stream import Stream
from ouzel.platforms.asking import Site
from ouzel.platforms.chain import AdapterFor, Told, resolve
from ouzel.platforms.contract import Adapter, AdapterName, Match, Options, Platform
from ouzel.platforms.watch import current

SHOP = Platform(
    name="shop",
    title="Shop",
    title_zh="商店",
    urls=("shop.example/{user}",),
    example="https://shop.example/somebody",
    chain=("streamlink", "yt-dlp"),
    off_air=(r'"on_air":\s*false',),
)
MATCH = Match(SHOP, SHOP.example, {"user": "Somebody"})
IDLE = '{"on_air": false}'
Say = Callable[[Match], Answer]


@dataclass
class Saying:
    name: AdapterName
    say: Say

    def resolve(self, match: Match, site: Site, options: Options) -> Answer:
        return self.say(match)


def told(*answers: tuple[str, int, str], then: Callable[[Match], Answer]) -> Say:
    """These addresses were asked, with this status and body."""

    def say(match: Match) -> Answer:
        for url, status, body in answers:
            if (fault := current().answered("GET", url, status, "application/json", body)) and then is fail:
                raise fault
        return then(match)

    return say


def off(match: Match) -> Answer:
    return Offline(match.identity(1), "Somebody")


def live(match: Match) -> Answer:
    return Live(match.identity(1), "Somebody", (Stream("https://cdn.example/a.flv"),))


def fail(_match: Match) -> Answer:
    raise SiteChanged("not understood")


def chain(says: Mapping[AdapterName, Say | Exception]) -> AdapterFor:
    def adapter_for(name: AdapterName, _match: Match) -> Adapter:
        if isinstance(say := says[name], Exception):
            raise say
        return Saying(name, say)

    return adapter_for


def ask(first: Say | Exception, second: Say | Exception | None = None) -> Told:
    second = second or told(("https://shop.example/x", 200, "{}"), then=live)
    return resolve(MATCH, Options(), chain({"streamlink": first, "yt-dlp": second}))


@pytest.mark.parametrize(
    "why", [ImportError("no module"), RuntimeError("a broken release"), SyntaxError("of another Python")]
)
def test_an_adapter_that_cannot_be_imported_is_passed_over(why: Exception) -> None:
    answer = ask(why)
    assert (answer.adapter, state_of(answer.outcome)) == ("yt-dlp", State.LIVE)
    both = ask(why, why)
    assert state_of(both.outcome) is State.BROKEN
    assert isinstance(both.outcome, OuzelError)
    assert len(both.outcome.context["tried"]) == 2  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("url", "gone"),
    [
        ("https://shop.example/api/channel/somebody", True),
        ("https://shop.example/api/channel?user=SOMEBODY", True),
        ("https://shop.example/graphql", False),
        ("https://cookies.example/visitor", False),
    ],
)
def test_a_404_means_that_the_channel_is_gone_only_where_it_names_the_channel(url: str, gone: bool) -> None:
    asked = told((url, 404, "404 page not found"), then=fail)
    assert isinstance(ask(asked, asked).outcome, ChannelGone if gone else SiteChanged)


NOT_THERE = told(("https://shop.example/somebody", 404, ""), then=fail)


@pytest.mark.parametrize(
    ("second", "state"),
    [
        (told(("https://shop.example/new/somebody", 200, "{}"), then=live), State.LIVE),
        (told(("https://shop.example/new/somebody", 200, IDLE), then=off), State.OFFLINE),
        (NOT_THERE, State.GONE),
        (told(("https://shop.example/new/somebody", 200, "{}"), then=fail), State.GONE),
        (told(("https://shop.example/new/somebody", 403, ""), then=fail), State.GONE),
    ],
)
def test_a_404_without_a_word_of_the_site_holds_where_nobody_else_is_answered(second: Say, state: State) -> None:
    answer = ask(NOT_THERE, second)
    assert state_of(answer.outcome) is state
    assert answer.adapter == ("streamlink" if state is State.GONE else "yt-dlp")
    assert [each.adapter for each in answer.evidence] == ["streamlink", "yt-dlp"]


def test_that_a_channel_is_gone_in_the_words_of_the_site_needs_nobody_else() -> None:
    def banned(_match: Match) -> Answer:
        raise ChannelGone("the site has banned it")

    answer = ask(told(("https://shop.example/somebody", 200, "{}"), then=banned))
    assert (answer.adapter, type(answer.outcome)) == ("streamlink", ChannelGone)


def test_a_404_behind_an_answer_is_no_channel_that_is_gone() -> None:
    asked = told(
        ("https://shop.example/somebody", 200, "{}"), ("https://shop.example/somebody/key", 404, ""), then=fail
    )
    assert ask(asked).adapter == "yt-dlp"


@pytest.mark.parametrize("status", [404, 410])
def test_a_404_after_somebody_else_was_answered_is_no_channel_that_is_gone(status: int) -> None:
    first = told(("https://shop.example/api/somebody", 200, '{"on_air": true}'), then=fail)
    answer = ask(first, told(("https://shop.example/old/somebody", status, ""), then=fail))
    assert (answer.adapter, type(answer.outcome)) == ("streamlink", SiteChanged)
    answer = ask(ImportError("no module"), told(("https://shop.example/somebody", status, ""), then=fail))
    assert (answer.adapter, type(answer.outcome)) == ("yt-dlp", ChannelGone)


@pytest.mark.parametrize(
    ("status", "state"),
    [(200, State.OFFLINE), (404, State.OFFLINE), (403, State.BLOCKED), (429, State.BLOCKED), (503, State.BLOCKED)],
)
def test_offline_is_believed_in_the_sites_own_words_but_not_in_every_answer(status: int, state: State) -> None:
    answer = ask(told(("https://shop.example/somebody", status, IDLE), then=off))
    assert state_of(answer.outcome) is state


def test_offline_is_not_believed_where_the_site_has_not_said_so() -> None:
    answer = ask(told(("https://shop.example/somebody", 200, "{}"), then=off))
    assert answer.adapter == "yt-dlp"


def test_blocked_is_an_answer_and_nobody_else_is_asked() -> None:
    answer = ask(told(("https://shop.example/somebody", 429, ""), then=fail))
    assert (answer.adapter, type(answer.outcome)) == ("streamlink", Blocked)


def test_where_all_are_broken_the_first_one_s_word_is_told_with_what_all_were_answered() -> None:
    first, second = (told((f"https://shop.example/{n}", 200, "{}"), then=fail) for n in (1, 2))
    answer = ask(first, second)
    assert answer.adapter == "streamlink"
    assert isinstance(answer.outcome, SiteChanged)
    assert [(each["adapter"], each["code"]) for each in answer.outcome.context["tried"]] == [  # type: ignore[attr-defined]
        ("streamlink", "site_changed"),
        ("yt-dlp", "site_changed"),
    ]
    assert [(each.adapter, each.url) for each in answer.evidence] == [
        ("streamlink", "https://shop.example/1"),
        ("yt-dlp", "https://shop.example/2"),
    ]
    assert answer.outcome.context["evidence"] == [each.fields() for each in answer.evidence]


def test_what_the_site_said_to_a_later_adapter_counts_more_and_tells_of_the_broken_one() -> None:
    answer = ask(
        told(("https://shop.example/1", 200, "{}"), then=fail), told(("https://shop.example/2", 401, ""), then=fail)
    )
    assert (answer.adapter, type(answer.outcome)) == ("yt-dlp", NeedsLogin)
    assert isinstance(answer.outcome, NeedsLogin)
    assert [each["adapter"] for each in answer.outcome.context["tried"]] == ["streamlink", "yt-dlp"]  # type: ignore[attr-defined]


def test_an_answer_after_a_broken_adapter_has_the_evidence_of_both() -> None:
    answer = ask(told(("https://shop.example/1", 200, "{}"), then=fail))
    assert state_of(answer.outcome) is State.LIVE
    assert [each.adapter for each in answer.evidence] == ["streamlink", "yt-dlp"]
