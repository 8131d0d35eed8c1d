"""YouTube: streams, and the live page of channels."""

from __future__ import annotations

from ouzel.platforms.contract import Platform

PLATFORM = Platform(
    name="youtube",
    title="YouTube",
    title_zh="YouTube",
    urls=(
        "youtube.com/watch?v={video:word}",
        "youtube.com/@{handle}/live",
        "youtube.com/channel/{channel:word}/live",
        "youtube.com/c/{name}/live",
        "youtube.com/user/{user}/live",
        "youtu.be/{video:word}",
        "youtube.com/live/{video:word}",
        "music.youtube.com/watch?v={video:word}",
        "youtube.com/embed/live_stream?channel={channel:word}",
        "youtube.com/embed/{video:word}",
        "youtube.com/@{handle}",
        "youtube.com/@{handle}/streams",
        "youtube.com/channel/{channel:word}",
        "youtube.com/channel/{channel:word}/streams",
        "youtube.com/c/{name}",
        "youtube.com/user/{user}",
    ),
    example="https://www.youtube.com/watch?v=jfKfPfyJRdk",
    chain=("yt-dlp", "streamlink"),
    access="cookie",
    proxy_advised=True,
    off_air=('"LIVE_STREAM_OFFLINE"', r'"isUpcoming":\s*true', '"channelMetadataRenderer"'),
    stable=(
        r'"externalChannelId":\s*"(UC[\w-]{22})"',
        r'"externalId":\s*"(UC[\w-]{22})"',
        r'"channelId":\s*"(UC[\w-]{22})"',
    ),
    note="needs a JavaScript runtime (deno) for most streams; refuses many addresses of data centres without a cookie",
)
