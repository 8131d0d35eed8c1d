"""Laixiu: rooms of imkktv.com, as its app shares them. `playStatus` 0 is on air."""

from __future__ import annotations

from ouzel.platforms.contract import Platform

PLATFORM = Platform(
    name="laixiu",
    title="Laixiu",
    title_zh="来秀直播",
    urls=(
        "imkktv.com/{..}?roomId={room:int}",
        "imkktv.com/{..}?anchorId={room:int}",
    ),
    example="https://www.imkktv.com/h5/share/video.html?uid=1845195&roomId=1710496",
    chain=("streamget",),
    streams=("flv",),
    streamget="LaixiuLiveStream",
    headers=(("Referer", "https://www.imkktv.com/"),),
    off_air=(r'"playStatus":\s*"?(?!0\b)\d',),
)
