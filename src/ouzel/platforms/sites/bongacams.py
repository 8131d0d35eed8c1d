"""BongaCams: by the call that its own rooms make.

Source of shapes: https://github.com/lossless1024/StreaMonitor (streamonitor/sites/bongacams.py) and yt-dlp's extractor. It says
that nobody is on air by naming no server, or by a playlist without a stream. A media server that has no playlist tells
nothing of the room.
"""

from __future__ import annotations

from ouzel.base.errors import ChannelGone, NeedsLogin, SiteChanged
from ouzel.model.live import Answer, Live, Offline
from ouzel.platforms.asking import Site, dig, peek
from ouzel.platforms.contract import AdapterName, Match, Options, Platform

PLATFORM = Platform(
    name="bongacams",
    title="BongaCams",
    title_zh="BongaCams",
    urls=("bongacams.com/{user}", "{}.bongacams.com/{user}", "bongacams.net/{user}", "{}.bongacams.net/{user}"),
    example="https://bongacams.com/somebody",
    any_case=True,
    chain=("own", "yt-dlp"),
    proxy_advised=True,
    browser_tls=True,
    headers=(("Referer", "https://bongacams.com/"), ("Origin", "https://bongacams.com")),
    off_air=(r'(?s)\A(?!.*"videoServerUrl").*"status":\s*"success"',),
)
_NOT_FOR_ALL = frozenset({"private", "group", "vip", "fullprivate"})


class BongaCamsAdapter:
    """One room."""

    name: AdapterName = "own"

    def resolve(self, match: Match, site: Site, options: Options) -> Answer:
        user = match["user"]
        room = site.post(
            "https://bongacams.com/tools/amf.php",
            form={"method": "getRoomData", "args[0]": user, "args[1]": "false"},
            headers={"X-Requested-With": "XMLHttpRequest", "Referer": f"https://bongacams.com/{user}"},
        ).json()
        status = dig(room, "status", want=str)
        if status == "error":
            raise ChannelGone(f"BongaCams does not know {user}: {peek(room, 'message') or 'nothing more'}")
        if status != "success":
            raise SiteChanged(f"BongaCams answers {status!r}")
        name = dig(room, "performerData", "username", want=str)
        identity, anchor = match.identity(name.lower()), peek(room, "performerData", "displayName") or name
        show = peek(room, "performerData", "showType") or "public"
        if show in _NOT_FOR_ALL:
            raise NeedsLogin(f"{anchor} is in a show that is {show}")
        if not (server := dig(room, "localData", want=dict).get("videoServerUrl")):
            return Offline(identity, anchor)
        url = f"{'https:' if server.startswith('//') else ''}{server}/hls/stream_{name}/playlist.m3u8"
        playlist = site.get(url, headers=dict(PLATFORM.headers))
        if not playlist.text.startswith("#EXTM3U"):
            raise SiteChanged("a media server of BongaCams answers with no playlist")
        if "#EXT-X-STREAM-INF" not in playlist.text:
            return Offline(identity, anchor)
        stream = match.stream(url, options, label="auto")
        return Live(identity, anchor, (stream,))


def adapter() -> BongaCamsAdapter:
    return BongaCamsAdapter()
