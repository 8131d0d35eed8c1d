"""When signed addresses expire."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from ouzel.platforms.expiry import expiry_of

WHEN = datetime.fromtimestamp(1795000000, UTC)


@pytest.mark.parametrize(
    "url",
    [
        "https://pull-f5.tiktokcdn.com/game/stream-7.flv?expire=1795000000&sign=0f",
        "https://c1.bilivideo.com/live/1.flv?a=b&expires=1795000000&qn=10000",
        "https://livecloud.akamaized.net/a/b.m3u8?hdnts=st=1794000000~exp=1795000000~acl=*/b/*~hmac=0f",
        "https://livecloud.akamaized.net/a/1080p/hdntl=exp=1795000000~acl=*%2fb%2f*~data=hdntl~hmac=0f/chunklist.m3u8",
        "https://manifest.googlevideo.com/api/manifest/hls_playlist/expire/1795000000/itag/301/playlist/index.m3u8",
        "https://p16.example.com/a.webp?dr=1&x-expires=1795000000&x-signature=0f",
    ],
)
def test_it_is_found(url: str) -> None:
    assert expiry_of(url) == WHEN


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com/live.m3u8",
        "https://example.com/live.m3u8?expires=soon",
        "https://example.com/live.m3u8?expires=17950000001",
        "https://example.com/live.m3u8?fexp=1795000000",
        "https://example.com/export/1795000000.flv",
    ],
)
def test_nothing_is_made_up(url: str) -> None:
    assert expiry_of(url) is None
