"""6.cn: rooms of v.6.cn. On air is who has the name of a stream (`flvtitle`)."""

from __future__ import annotations

from ouzel.platforms.contract import Platform

PLATFORM = Platform(
    name="sixroom",
    title="6.cn",
    title_zh="六间房直播",
    urls=("v.6.cn/{room}", "m.6.cn/{room}", "v.6.cn/profile/{room}"),
    example="https://v.6.cn/634435",
    chain=("streamget",),
    streams=("flv",),
    streamget="SixRoomLiveStream",
    headers=(("Referer", "https://v.6.cn/"),),
    off_air=(r'"flvtitle":\s*""',),
)
