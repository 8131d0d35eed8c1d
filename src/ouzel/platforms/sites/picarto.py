"""Picarto."""

from __future__ import annotations

from ouzel.platforms.contract import Platform

PLATFORM = Platform(
    name="picarto",
    title="Picarto",
    title_zh="Picarto",
    urls=("picarto.tv/{user}",),
    example="https://picarto.tv/somebody",
    chain=("streamlink", "yt-dlp", "streamget"),
    streamget="PicartoLiveStream",
    off_air=(r'"online":\s*false',),
)
