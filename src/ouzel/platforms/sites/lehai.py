"""LeHai: rooms of lehaitv.com, which is Haixiu under another name."""

from __future__ import annotations

from ouzel.platforms.contract import Platform
from ouzel.platforms.sites.haixiu import ShowselfAdapter

PLATFORM = Platform(
    name="lehai",
    title="LeHai",
    title_zh="乐嗨直播",
    urls=("lehaitv.com/{room:int}",),
    example="https://www.lehaitv.com/8059096",
    chain=("own",),
    streams=("flv",),
    headers=(("Origin", "https://www.lehaitv.com"), ("Referer", "https://www.lehaitv.com/")),
)
_VISITOR = "s7FUbTJ%252BjILrR7kicJUg8qr025ZVjd07DAnUQd8c7g%252Fo4OH9pdSX6w%253D%253D"


def adapter() -> ShowselfAdapter:
    return ShowselfAdapter("lehaitv.com", _VISITOR)
