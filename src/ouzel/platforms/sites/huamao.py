"""Huamao: rooms of h.catshow168.com, as its app shares them. It is built like Piaopiao, with another host."""

from __future__ import annotations

from ouzel.platforms.contract import Platform

PLATFORM = Platform(
    name="huamao",
    title="Huamao",
    title_zh="花猫直播",
    urls=("h.catshow168.com/live/preview.html?anchorUid={anchor:int}",),
    example="https://h.catshow168.com/live/preview.html?uid=19066357&anchorUid=18895331",
    chain=("streamget",),
    streamget="HuamaoLiveStream",
    headers=(("Referer", "https://h.catshow168.com/"),),
    off_air=(r'"living":\s*(?:false|0)',),
)
