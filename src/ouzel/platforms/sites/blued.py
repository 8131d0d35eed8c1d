"""Blued: live rooms of app.blued.cn, whose page carries what is on air."""

from __future__ import annotations

from ouzel.platforms.contract import Platform

PLATFORM = Platform(
    name="blued",
    title="Blued",
    title_zh="Blued直播",
    urls=("app.blued.cn/live?id={user:word}",),
    example="https://app.blued.cn/live?id=Mp6G2R",
    chain=("streamget",),
    streamget="BluedLiveStream",
    headers=(("Referer", "https://app.blued.cn/"),),
    off_air=(r"%22onLive%22%3A(?:%20)?false",),
)
