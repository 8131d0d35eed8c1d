"""Kick: channels of kick.com, by the API of its own page.

Source of shapes: yt-dlp's Kick extractor, and https://github.com/KickEngineering/KickDevDocs/issues/242 for what is refused.
It has no open call that tells of many channels: the one of its public API wants a registered application.
"""

from __future__ import annotations

from ouzel.base.errors import ChannelGone
from ouzel.model.live import Answer, Live, Offline
from ouzel.platforms.asking import Site, dig, instant, peek
from ouzel.platforms.contract import AdapterName, Match, Options, Platform
from ouzel.platforms.masters import read_master

PLATFORM = Platform(
    name="kick",
    title="Kick",
    title_zh="Kick",
    urls=("kick.com/{user}", "player.kick.com/{user}"),
    example="https://kick.com/somebody",
    any_case=True,
    chain=("own", "yt-dlp", "streamlink"),
    browser_tls=True,
    proxy_advised=True,
    off_air=(r'"livestream":\s*null', r'\A\s*\{\s*"data":\s*null\s*\}\s*\Z'),
    note="refuses many addresses of data centres",
)
_CHANNEL = "https://kick.com/api/v2/channels/{}"


class KickAdapter:
    """One channel."""

    name: AdapterName = "own"

    def resolve(self, match: Match, site: Site, options: Options) -> Answer:
        slug = match["user"].lower()
        reply = site.get(
            _CHANNEL.format(slug), headers={"Accept": "application/json", "Referer": f"https://kick.com/{slug}"}
        )
        channel = dig(reply.json(), want=dict)
        identity = match.identity(dig(channel, "slug", want=str))
        anchor = peek(channel, "user", "username") or dig(channel, "slug", want=str)
        if peek(channel, "is_banned"):
            raise ChannelGone(f"Kick has banned the channel {slug}")
        if "livestream" in channel and channel["livestream"] is None:
            return Offline(identity, anchor)
        stream = dig(channel, "livestream", want=dict)
        title = peek(stream, "session_title") or ""
        if not dig(stream, "is_live", want=bool):
            return Offline(identity, anchor, title)
        return Live(
            identity,
            anchor,
            read_master(site, dig(channel, "playback_url", want=str), match, options),
            title,
            peek(stream, "categories", 0, "name") or "",
            peek(stream, "thumbnail", "url") or "",
            instant(peek(stream, "start_time") or peek(stream, "created_at")),
            str(peek(stream, "id") or ""),
        )


def adapter() -> KickAdapter:
    return KickAdapter()
