"""Yinbo: rooms of live.ybw1666.com."""

from __future__ import annotations

from ouzel.platforms.contract import Platform

PLATFORM = Platform(
    name="yinbo",
    title="Yinbo",
    title_zh="音播直播",
    urls=("live.ybw1666.com/{room:int}", "ybw1666.com/{room:int}"),
    example="https://live.ybw1666.com/800002949",
    chain=("streamget",),
    streams=("flv", "hls"),
    streamget="YinboLiveStream",
    headers=(("Referer", "https://live.ybw1666.com/"),),
)
