"""VV Planet: rooms of h5webcdn-pro.vvxqiu.com, as its app shares them.

streamget takes a room that is not in state 100, or has no address, for one that is not on air, and asks for its name elsewhere.
"""

from __future__ import annotations

from ouzel.platforms.contract import Platform

PLATFORM = Platform(
    name="vvxqiu",
    title="VV Planet",
    title_zh="VV星球",
    urls=(
        "h5webcdn-pro.vvxqiu.com/{..}?roomId={room:word}",
        "h5webcdn.vvxqiu.com/{..}?roomId={room:word}",
        "h5p.vvxqiu.com/{..}?roomId={room:word}",
    ),
    example="https://h5webcdn-pro.vvxqiu.com/activity/videoShare/videoShare.html?h5Server=https://h5p.vvxqiu.com&roomId=LP115924473&platformId=vvstar",
    chain=("streamget",),
    streamget="VVXQLiveStream",
    headers=(("Referer", "https://h5webcdn-pro.vvxqiu.com/"),),
    off_air=(r'"status":\s*"?(?!100\b)\d',),
)
