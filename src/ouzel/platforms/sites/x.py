"""X broadcasts."""

from __future__ import annotations

from ouzel.platforms.contract import Platform

PLATFORM = Platform(
    name="x",
    title="X broadcasts",
    title_zh="X（推特）直播",
    urls=("x.com/i/broadcasts/{broadcast:word}", "twitter.com/i/broadcasts/{broadcast:word}"),
    example="https://x.com/i/broadcasts/1abCDEfghIJKL",
    chain=("yt-dlp",),
    access="cookie",
    headers=(("Referer", "https://twitter.com/"),),
    off_air=(r'"state":\s*"(?i:not_?started|ended|timed_?out)"',),
    note="a page is one broadcast",
)
