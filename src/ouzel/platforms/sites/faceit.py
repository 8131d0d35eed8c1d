"""FACEIT: what a player shows there is a channel of another platform, nearly always of Twitch; it is asked there.

Source of shapes: what streamget knows of it. streamget is not asked: it takes a stream of any platform but Twitch for "not live".
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ouzel.base.errors import ResolverFailed, SiteChanged
from ouzel.model.live import Answer, Offline
from ouzel.platforms.asking import Site, dig, peek
from ouzel.platforms.contract import AdapterName, Match, Options, Platform

PLATFORM = Platform(
    name="faceit",
    title="FACEIT",
    title_zh="FACEIT",
    urls=(
        "faceit.com/{}/players/{player}/{..}",
        "faceit.com/players/{player}/{..}",
        "faceit.com/{}/players-modal/{player}/{..}",
    ),
    example="https://www.faceit.com/en/players/somebody/stream",
    chain=("own",),
    proxy_advised=True,
    browser_tls=True,
    note="is a channel of another platform, whose settings apply to the media",
)
_API = "https://www.faceit.com/api"
_PAGES = {
    "twitch": "https://www.twitch.tv/{}",
    "kick": "https://kick.com/{}",
    "youtube": "https://www.youtube.com/{}/live",
}


class FaceitAdapter:
    """One player."""

    name: AdapterName = "own"

    def resolve(self, match: Match, site: Site, options: Options) -> Answer:
        player = match["player"]
        user = site.get(f"{_API}/users/v1/nicknames/{player}", headers={"Referer": match.url}).json()
        number = dig(user, "payload", "id", want=str)
        identity, nickname = match.identity(number), peek(user, "payload", "nickname") or player
        reply = site.get(f"{_API}/stream/v1/streamings", params={"userId": number}, headers={"Referer": match.url})
        shown: list[Any] = dig(reply.json(), "payload", want=list)
        if not shown:
            return Offline(identity, nickname)
        place, channel = dig(shown, 0, "platform", want=str), dig(shown, 0, "platformId", want=str)
        answer = _elsewhere(place.lower(), channel, site, options)
        return replace(answer, identity=identity, anchor=nickname)


def adapter() -> FaceitAdapter:
    return FaceitAdapter()


def _elsewhere(place: str, channel: str, site: Site, options: Options) -> Answer:
    """What the platform itself says, by the first way that it is asked."""
    from ouzel.platforms.adapters import adapter_for
    from ouzel.platforms.registry import registry

    if place not in _PAGES:
        raise SiteChanged(f"the player shows {channel} of {place}, of which Ouzel does not know the address")
    match = registry().find(_PAGES[place].format(channel))
    if match is None:
        raise ResolverFailed(f"Ouzel does not know {place}")
    return adapter_for(match.platform.chain[0], match).resolve(match, site, replace(options, cookies=""))
