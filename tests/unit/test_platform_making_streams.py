"""What a stream is made of: what the platform declares, what the user wishes, what its address tells, what the site said."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from ouzel.platforms.contract import Match, Options, Platform

SHOP = Platform(
    name="shop",
    title="Shop",
    title_zh="商店",
    urls=("shop.example/{user}",),
    example="https://shop.example/me",
    chain=("own",),
    headers=(("Referer", "https://shop.example/"),),
)
MATCH = Match(SHOP, SHOP.example, {"user": "me"})


def test_all_that_it_takes_to_open_it() -> None:
    options = Options(proxy="socks5://127.0.0.1:9", user_agent="Mine/1", verify_tls=False)
    stream = MATCH.stream("https://a.cdn.example/me.m3u8?expires=1795000000", options)
    assert stream.headers == (("User-Agent", "Mine/1"), ("Referer", "https://shop.example/"))
    assert (stream.proxy, stream.verify_tls) == ("socks5://127.0.0.1:9", False)
    assert (stream.protocol, stream.cdn) == ("hls", "a.cdn.example")
    assert stream.expires_at == datetime.fromtimestamp(1795000000, UTC)


def test_what_the_site_said_counts() -> None:
    stream = MATCH.stream(
        "https://a.cdn.example/me.m3u8?expires=1795000000",
        Options(user_agent="Mine/1"),
        headers=(("user-agent", "Program/2"),),
        protocol="flv",
        expires_at=None,
        cdn="ws",
        label="原画",
        level="original",
    )
    assert stream.headers == (("user-agent", "Program/2"),)
    assert (stream.protocol, stream.expires_at, stream.cdn) == ("flv", None, "ws")
    assert (stream.label, stream.level, stream.proxy, stream.verify_tls) == ("原画", "original", None, True)


@pytest.mark.parametrize(
    ("url", "usual", "protocol"),
    [
        ("https://a.example/live/x.FLV?a=.m3u8", "hls", "flv"),
        ("https://a.example/live/x.m3u8", "flv", "hls"),
        ("https://a.example/live/x.ts", "hls", "ts"),
        ("https://a.example/live/x", "flv", "flv"),
        ("https://a.example/live/x", "hls", "hls"),
        ("rtmp://a.example/live/x", "hls", "ffmpeg"),
    ],
)
def test_how_it_is_read(url: str, usual: str, protocol: str) -> None:
    match = replace(MATCH, platform=replace(SHOP, streams=(usual,)))
    assert match.stream(url, Options()).protocol == protocol
