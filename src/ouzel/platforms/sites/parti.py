"""Parti."""

from __future__ import annotations

from ouzel.platforms.contract import Platform

PLATFORM = Platform(
    name="parti",
    title="Parti",
    title_zh="Parti",
    urls=("parti.com/{user:word}/{number:word}", "parti.com/{user:word}"),
    example="https://parti.com/somebody",
    chain=("yt-dlp",),
    headers=(("Referer", "https://parti.com/"),),
    off_air=(r'"is_live":\s*false',),
)
