"""When a channel's other addresses are asked too."""

from datetime import UTC, datetime, timedelta

import pytest

from ouzel.model.channel import DIRECT, Channel
from ouzel.model.channel_settings import ChannelSettings
from ouzel.model.standing import Standing
from ouzel.services.watchlist import Watched

NOW = datetime(2026, 1, 3, tzinfo=UTC)


@pytest.mark.parametrize(
    ("platform", "addresses", "off_for", "expected"),
    [
        (DIRECT, 2, timedelta(seconds=1), True),
        (DIRECT, 1, timedelta(days=2), False),
        ("huya", 2, timedelta(seconds=1), False),
        ("huya", 2, timedelta(days=2), True),
    ],
)
def test_other_addresses_of_a_stream_are_asked_always_and_those_of_pages_after_long(
    platform: str, addresses: int, off_for: timedelta, expected: bool
) -> None:
    urls = tuple(f"https://media.example/{n}.m3u8" for n in range(addresses))
    channel = Channel(
        id="1", addresses=urls, platform=platform, name="one", named_by_user=True, folder="one", watch=True,
        created_at=NOW, updated_at=NOW,
    )  # fmt: skip
    watched = Watched(channel, ChannelSettings(), Standing(channel_id="1", since=NOW - off_for, state="offline"))
    assert watched.wants_others(NOW, 10_000.0) is expected
