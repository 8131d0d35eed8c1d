"""Which stream of a channel is recorded, and when a platform is asked for it."""

from __future__ import annotations

import pytest

from ouzel.base.errors import Blocked, UnknownQuality
from ouzel.model.channel_settings import ChannelSettings
from ouzel.model.live import Identity, Live, Offline
from ouzel.model.stream import Stream
from ouzel.platforms.chain import Told
from ouzel.platforms.resolver import Failures
from ouzel.services.resolving import ChannelResolver, InTurn, pick
from ouzel.testing.clock import FakeClock

pytestmark = pytest.mark.anyio
_ID = Identity("huya", "1")
_STREAMS = tuple(
    Stream(f"https://{cdn}.example/{height}.flv", label=f"{height}p", height=height, codec=codec, cdn=cdn)
    for height, codec in ((1080, "h264"), (720, "h264"), (1080, "hevc"))
    for cdn in ("al", "tx")
)
_LIVE = Live(_ID, "x", _STREAMS, title="t")


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (ChannelSettings(), "al.example/1080"),
        (ChannelSettings(quality=("720p",)), "al.example/720"),
        (ChannelSettings(quality=("蓝光4M", "720p")), "al.example/720"),  # no such name there: the next wish
        (ChannelSettings(quality=("蓝光4M",)), "al.example/1080"),
        (ChannelSettings(cdn="tx"), "tx.example/1080"),
    ],
)
def test_the_first_wish_that_means_something_there_counts(settings: ChannelSettings, expected: str) -> None:
    assert expected in pick(_LIVE, settings, Failures(FakeClock())).url


def test_codecs_are_preferred_and_refused() -> None:
    failures = Failures(FakeClock())
    assert pick(_LIVE, ChannelSettings(codecs=("hevc",)), failures).codec == "hevc"
    with pytest.raises(UnknownQuality):
        pick(_LIVE, ChannelSettings(refuse_codecs=("h264", "hevc")), failures)


async def test_a_stream_that_brought_nothing_is_left_alone_for_a_while() -> None:
    async def ask() -> Told:
        return Told("own", _LIVE, ())

    resolver = ChannelResolver(ask, ChannelSettings(), FakeClock())
    first, second = await resolver.resolve(), await resolver.resolve(failed=True)
    assert first is not None
    assert second is not None
    assert (first.cdn, second.cdn, second.height) == ("al", "tx", 1080)


async def test_what_was_told_a_moment_ago_is_not_asked_for_and_an_error_is_no_offline() -> None:
    answers = [Told("own", Blocked("no"), ()), Told("own", Offline(_ID), ())]

    async def ask() -> Told:
        return answers.pop(0)

    resolver = ChannelResolver(ask, ChannelSettings(), FakeClock())
    resolver.knows(_LIVE)
    assert await resolver.resolve() is not None
    with pytest.raises(Blocked):
        await resolver.resolve()
    assert await resolver.resolve() is None


async def test_addresses_of_one_stream_are_taken_in_turn() -> None:
    turns = InTurn(_STREAMS[:2])
    given = [await turns.resolve(failed=failed) for failed in (False, False, True, True)]
    assert [stream.cdn for stream in given if stream] == ["al", "al", "tx", "al"]
