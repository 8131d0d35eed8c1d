"""Piaopiao: rooms of m.pp.weimipopo.com, as its app shares them. `uid` is who shared it, `anchorUid` who is on air."""

from __future__ import annotations

from ouzel.platforms.contract import Platform

PLATFORM = Platform(
    name="piaopiao",
    title="Piaopiao",
    title_zh="飘飘直播",
    urls=("m.pp.weimipopo.com/live/preview.html?anchorUid={anchor:int}",),
    example="https://m.pp.weimipopo.com/live/preview.html?uid=91648673&anchorUid=91625862&app=plpl",
    chain=("streamget",),
    streamget="PiaopaioLiveStream",
    headers=(("Referer", "https://m.pp.weimipopo.com/"),),
    off_air=(r'"living":\s*(?:false|0)',),
)
