"""Changliao: rooms of live.tlclw.com."""

from __future__ import annotations

from ouzel.platforms.contract import Platform

PLATFORM = Platform(
    name="changliao",
    title="Changliao",
    title_zh="畅聊直播",
    urls=(
        "live.tlclw.com/{room:int}",
        "wap.tlclw.com/{room:int}",
        "wap.tlclw.com/phone/{room:int}",
    ),
    example="https://live.tlclw.com/106188",
    chain=("streamget",),
    streams=("flv", "hls"),
    streamget="ChangliaoLiveStream",
    headers=(("Referer", "https://wap.tlclw.com/"),),
    off_air=(r'"live_stat":\s*"?(?!1\b)\d',),
)
