"""Twitch: channels of twitch.tv, by the queries of its own web player.

Source of shapes: streamlink's and yt-dlp's Twitch extractors; https://github.com/streamlink/streamlink/pull/6840 and
https://github.com/2bc4/twitch-hls-client/issues/52 for the second version of the playlist server.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ouzel.base.errors import Blocked, ChannelGone, NeedsLogin, OuzelError, RegionLocked, ServerTrouble, SiteChanged
from ouzel.model.live import Answer, Live, Offline
from ouzel.platforms.asking import Reply, Site, dig, instant, peek
from ouzel.platforms.contract import AdapterName, Match, Options, Peek, Platform
from ouzel.platforms.masters import streams_of

PLATFORM = Platform(
    name="twitch",
    title="Twitch",
    title_zh="Twitch",
    urls=(
        "twitch.tv/{user}",
        "go.twitch.tv/{user}",
        "player.twitch.tv/?channel={user}",
        "embed.twitch.tv/?channel={user}",
    ),
    example="https://www.twitch.tv/somebody",
    any_case=True,
    chain=("own", "streamlink", "yt-dlp", "streamget"),
    access="cookie",
    proxy_advised=True,
    streamget="TwitchLiveStream",
    off_air=(r'"(stream|streamPlaybackAccessToken)":\s*null', "Can not find channel", "transcode does not exist"),
    stable=(r'"user(?:OrError)?":\s*\{\s*"id":\s*"(\d+)"',),
    note="channels for subscribers, and pictures without advertisements, need the cookie auth-token of an account",
)
_GQL = "https://gql.twitch.tv/gql"
_USHER = "https://usher.ttvnw.net/api/v2/channel/hls/{}.m3u8"
_CLIENT_ID = "kimne78kx3ncx6brgo4mv6wki5h1ko"
"""Of the web player; the same for everybody."""
_CODEC_NAMES = {"h264": "h264", "hevc": "h265", "av1": "av1"}
_CHANNEL = """query($login: String!) {
  userOrError(login: $login) {
    ... on User {
      id login displayName
      broadcastSettings { title game { displayName } }
      stream { id type createdAt game { displayName } previewImageURL(width: 1280, height: 720) }
    }
    ... on UserDoesNotExist { reason }
  }
}"""
_PLAYBACK = """query($login: String!) {
  streamPlaybackAccessToken(channelName: $login, params: {platform: "web", playerBackend: "mediaplayer", playerType: "embed"}) {
    value signature
  }
}"""
_MANY = """query($logins: [String!]) {
  users(logins: $logins) { login displayName broadcastSettings { title } stream { id type } }
}"""


class TwitchAdapter:
    """One channel, and a hundred at once."""

    name: AdapterName = "own"
    at_once = 100
    by = "user"

    def resolve(self, match: Match, site: Site, options: Options) -> Answer:
        login = match["user"].lower()
        user = dig(_ask(site, _CHANNEL, login=login), "userOrError", want=dict)
        if user.get("reason"):
            raise ChannelGone(f"Twitch has no channel {login}: {user['reason']}")
        settings, stream = peek(user, "broadcastSettings"), peek(user, "stream")
        identity, anchor = match.identity(dig(user, "id", want=str)), dig(user, "displayName", want=str)
        title = peek(settings, "title") or ""
        if not _is_on(user):
            return Offline(identity, anchor, title)
        reply = self._playlist(login, site, options)
        if reply is None:  # it has just ended: the playlist server knows first
            return Offline(identity, anchor, title)
        return Live(
            identity,
            anchor,
            streams_of(reply, match, options),
            title,
            peek(stream, "game", "displayName") or peek(settings, "game", "displayName") or "",
            peek(stream, "previewImageURL") or "",
            instant(stream, "createdAt"),
            dig(stream, "id", want=str),
        )

    def probe(self, ids: Sequence[str], site: Site) -> Mapping[str, Peek]:
        users: list[Any] = dig(_ask(site, _MANY, logins=[each.lower() for each in ids]), "users", want=list)
        told = {user["login"]: user for user in users if user}  # null: there is no such channel
        return {
            each: Peek(_is_on(user), peek(user, "broadcastSettings", "title") or "", peek(user, "displayName") or "")
            for each in ids
            if (user := told.get(each.lower()))
        }

    def _playlist(self, login: str, site: Site, options: Options) -> Reply | None:
        """The list of qualities; None when the playlist server says that nothing is on air."""
        token = peek(_ask(site, _PLAYBACK, login=login), "streamPlaybackAccessToken")
        value = dig(token, "value", want=str)
        reply = site.get(
            _USHER.format(login),
            params={
                "platform": "web",
                "p": random.randrange(1_000_000),
                "allow_source": "true",
                "allow_audio_only": "true",
                "playlist_include_framerate": "true",
                "multigroup_video": "true",
                "supported_codecs": ",".join(_codecs(options)),
                "sig": dig(token, "signature", want=str),
                "token": value,
            },
            accept=(403, 404),
            bare=True,
        )
        if reply.status == 404 and "#EXTM3U" not in reply.text and _refusal(reply):
            return None
        if reply.status != 200:
            raise _refused(reply, value)
        return reply


def adapter() -> TwitchAdapter:
    return TwitchAdapter()


def _ask(site: Site, query: str, **variables: object) -> dict[str, Any]:
    headers = {"Client-ID": _CLIENT_ID}
    if token := re.search(r"(?:^|;\s*)auth-token=([^;\s]+)", site.options.cookies):
        headers["Authorization"] = f"OAuth {token[1]}"
    doc = site.post(_GQL, body={"query": query, "variables": variables}, headers=headers).json()
    if errors := peek(doc, "errors"):  # also beside an answer, where `stream` may be null for want of a service
        said = str(peek(errors, 0, "message"))
        if "integrity" in said:
            raise Blocked(f"Twitch wants a browser to prove itself: {said}")
        if "service" in said or "timeout" in said:
            raise ServerTrouble(f"Twitch has trouble within: {said}", status=200)
        raise SiteChanged(f"Twitch does not understand the question any more: {said}")
    return dig(doc, "data", want=dict)


def _is_on(user: Mapping[str, Any]) -> bool:
    """Raises: SiteChanged when it does not tell."""
    if "stream" not in user:
        raise SiteChanged("Twitch does not tell of a stream any more")
    return user["stream"] is not None and peek(user, "stream", "type") != "rerun"


def _codecs(options: Options) -> Iterator[str]:
    yield from dict.fromkeys(_CODEC_NAMES[each] for each in (*options.codecs, "h264") if each in _CODEC_NAMES)


def _refusal(reply: Reply) -> Mapping[str, Any]:
    """What the playlist server says instead of a playlist; empty when it is not its own words."""
    try:
        return dict(json.loads(reply.text)[0])
    except (ValueError, LookupError, TypeError):
        return {}


def _refused(reply: Reply, token: str) -> OuzelError:
    said = _refusal(reply)
    if not said:
        return Blocked(f"Twitch's playlist server answers {reply.status}")
    code, why = str(said.get("error_code") or "").lower(), f"Twitch: {said.get('error') or said.get('error_code')}"
    if "geo" in code or "anonymizer" in code or peek(json.loads(token), "geoblock_reason"):
        return RegionLocked(why)
    if "entitlement" in code or "restricted" in code:
        return NeedsLogin(f"{why}; it is for subscribers")
    return Blocked(why)
