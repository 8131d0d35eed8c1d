"""Lianjie: rooms of show.lailianjie.com."""

from __future__ import annotations

from ouzel.platforms.contract import Platform

PLATFORM = Platform(
    name="lianjie",
    title="Lianjie",
    title_zh="连接直播",
    urls=("show.lailianjie.com/{room:int}",),
    example="https://show.lailianjie.com/10000258",
    chain=("streamget",),
    streams=("flv",),
    streamget="LianJieLiveStream",
    headers=(("Referer", "https://show.lailianjie.com/"),),
    off_air=(r'"isonline":\s*"?(?!1\b)\d',),
)
