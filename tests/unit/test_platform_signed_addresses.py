"""When signed addresses expire, in all the ways in which their deliverers write it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from ouzel.platforms.expiry import expiry_of

SECONDS = 1795000000
WHEN = datetime.fromtimestamp(SECONDS, UTC)
FLV = "https://pull.example/live/stream-1.flv"


@pytest.mark.parametrize(
    "url",
    [
        "https://pull-f5.tiktokcdn.com/game/stream-7.flv?expire=1795000000&sign=0f",
        "https://c1.bilivideo.com/live/1.flv?a=b&expires=1795000000&qn=10000",
        "https://livecloud.akamaized.net/a/b.m3u8?hdnts=st=1794000000~exp=1795000000~acl=*/b/*~hmac=0f",
        "https://livecloud.akamaized.net/a/b.m3u8?hdnts=st%3D1794000000~exp%3D1795000000~hmac%3D0f",
        "https://livecloud.akamaized.net/a/1080p/hdntl=exp=1795000000~acl=*%2fb%2f*~data=hdntl~hmac=0f/chunklist.m3u8",
        "https://manifest.googlevideo.com/api/manifest/hls_playlist/expire/1795000000/itag/301/playlist/index.m3u8",
        "https://p16.example.com/a.webp?dr=1&x-expires=1795000000&x-signature=0f",
        "https://hls.okcdn.ru/expires/1795000000000/srcIp/a/video.m3u8?expires=1795000000000",
        "https://play.livestream.shopee.tw/a.flv?token=a&expire_ts=1795000000",
        f"{FLV}?expire={SECONDS:x}&sign=a",
        f"{FLV}?expire=soon&volcTime={SECONDS}",
        f"{FLV}?wsSecret=a&wsTime={SECONDS - 3600:x}&keeptime={3600:x}",
        f"{FLV}?wsSecret=a&wsTime={SECONDS:x}",
        f"{FLV}?wsSecret=a&wsTime={SECONDS}",
        f"{FLV}?wsABSsecret=a&wsABStime={SECONDS:x}",
        f"{FLV}?txSecret=a&txTime={SECONDS:X}",
        f"{FLV}?hwSecret=a&hwTime={SECONDS:x}",
        f"{FLV}?ty_Secret=a&ty_Time={SECONDS}",
        f"{FLV}?auth_key={SECONDS}-0-0-abc",
    ],
)
def test_it_is_found(url: str) -> None:
    assert expiry_of(url) == WHEN


def test_a_name_that_means_it_on_one_site_only() -> None:
    assert expiry_of(f"{FLV}?k=a&t={SECONDS}", "t") == WHEN
    assert expiry_of(f"{FLV}?k=a&t={SECONDS}") is None


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com/live.m3u8",
        "https://example.com/live.m3u8?expires=soon",
        "https://example.com/live.m3u8?expires=17950000001",
        "https://example.com/live.m3u8?expires=86400",
        "https://example.com/live.m3u8?expires=00000086",
        "https://example.com/live.m3u8?expires=99999999",
        "https://example.com/live.m3u8?fexp=1795000000",
        "https://example.com/export/1795000000.flv",
        f"{FLV}?expire=",
        f"{FLV}?txTime=zz",
        f"{FLV}?txTime=",
        f"{FLV}?auth_key=abc-0-0-1",
    ],
)
def test_nothing_is_made_up(url: str) -> None:
    assert expiry_of(url) is None
