"""Lang Live: rooms of lang.live, of Taiwan and the countries around it."""

from __future__ import annotations

from ouzel.platforms.contract import Platform

PLATFORM = Platform(
    name="langlive",
    title="Lang Live",
    title_zh="浪Live",
    urls=("lang.live/{}/room/{room:int}", "lang.live/room/{room:int}", "play.lang.live/{room:int}"),
    example="https://www.lang.live/en-US/room/3349463",
    chain=("streamget",),
    streams=("hls", "flv"),
    streamget="LangLiveStream",
    headers=(("Referer", "https://www.lang.live/"),),
    off_air=(r'"live_status":\s*"?(?!1\b)\d',),
)
