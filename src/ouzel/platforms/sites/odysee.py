"""Odysee: by the calls of its own pages: one that finds a name, and one that tells whether a channel is on air.

Source of shapes: https://github.com/yt-dlp/yt-dlp/blob/master/yt_dlp/extractor/lbry.py, https://codeberg.org/librarian/librarian
(api/live.go) and https://github.com/OdyseeTeam/odysee-android (GetAllLivestreams). Of videos only yt-dlp knows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import unquote, urlsplit

from ouzel.base.errors import ChannelGone, ResolverFailed, SiteChanged
from ouzel.model.live import Answer, Live, Offline
from ouzel.platforms.asking import Site, dig, instant, peek
from ouzel.platforms.contract import AdapterName, Match, Options, Peek, Platform

PLATFORM = Platform(
    name="odysee",
    title="Odysee",
    title_zh="Odysee",
    urls=("odysee.com/@{user}/{stream}", "odysee.com/@{user}"),
    example="https://odysee.com/@somebody:7",
    chain=("own", "yt-dlp"),
    headers=(("Referer", "https://odysee.com/"), ("Origin", "https://odysee.com")),
    off_air=(r'"Live":\s*false',),
    stable=(r'"ChannelClaimID":\s*"(\w+)"',),
)


class OdyseeAdapter:
    """One channel, or all of them: there is a list of who is on air."""

    name: AdapterName = "own"
    at_once = 10_000
    by = ""

    def resolve(self, match: Match, site: Site, options: Options) -> Answer:
        found = self._find(site, "lbry://" + unquote(urlsplit(match.url).path).strip("/").replace(":", "#"))
        channel = found
        if peek(found, "value_type") != "channel":
            if peek(found, "value", "stream_type"):
                raise ResolverFailed("this page of Odysee is a video")
            channel = dig(found, "signing_channel", want=dict)
        claim = dig(channel, "claim_id", want=str)
        identity = match.identity(claim)
        anchor = peek(channel, "value", "title") or dig(channel, "name", want=str)
        doc = site.get(
            "https://api.odysee.live/livestream/is_live",
            params={"channel_claim_id": claim},
            headers=dict(PLATFORM.headers),
        ).json()
        if peek(doc, "success") is not True:
            raise SiteChanged(f"Odysee does not tell whether {anchor} is on air: {peek(doc, 'error')}")
        if not dig(doc, "data", "Live", want=bool):
            return Offline(identity, anchor)
        url = dig(doc, "data", "VideoURL", want=str)
        page = peek(doc, "data", "ActiveClaim", "CanonicalURL")
        shown: Any = found if channel is not found else self._find(site, page) if page else None
        return Live(
            identity,
            anchor,
            (match.stream(url, options, label="auto"),),
            peek(shown, "value", "title") or "",
            cover=peek(shown, "value", "thumbnail", "url") or peek(doc, "data", "ThumbnailURL") or "",
            started_at=instant(doc, "data", "Start"),
            broadcast=peek(shown, "claim_id") or "",
        )

    def probe(self, ids: Sequence[str], site: Site) -> Mapping[str, Peek]:
        """By the claims of channels."""
        doc = site.get("https://api.odysee.live/livestream/all", headers=dict(PLATFORM.headers)).json()
        if peek(doc, "success") is not True:
            raise SiteChanged(f"Odysee does not tell who is on air: {peek(doc, 'error')}")
        listed = dig(doc, "data", want=list)
        if not listed:
            raise SiteChanged("Odysee says that nobody at all is on air")
        on_air = {dig(each, "ChannelClaimID", want=str) for each in listed if dig(each, "Live", want=bool)}
        return {claim: Peek(claim in on_air) for claim in ids}

    def _find(self, site: Site, uri: str) -> dict[str, Any]:
        """What has this name. Raises: ChannelGone."""
        doc = site.post(
            "https://api.na-backend.odysee.com/api/v1/proxy",
            params={"m": "resolve"},
            body={"jsonrpc": "2.0", "method": "resolve", "params": {"urls": [uri]}},
            headers=dict(PLATFORM.headers),
        ).json()
        found = dig(doc, "result", uri, want=dict)
        if why := found.get("error"):
            if peek(why, "name") == "NOT_FOUND":
                raise ChannelGone(f"Odysee has no {uri}")
            raise SiteChanged(f"Odysee answers for {uri}: {peek(why, 'name')} {peek(why, 'text')}")
        return found


def adapter() -> OdyseeAdapter:
    return OdyseeAdapter()
