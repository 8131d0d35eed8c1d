"""Qiandu Rebo: rooms of qiandurebo.com, whose page carries all that is needed.

Source of shapes: streamget's class, and https://github.com/ihmily/DouyinLiveRecorder/issues/568.
"""

from __future__ import annotations

import json
import re

from ouzel.base.errors import SiteChanged
from ouzel.model.live import Answer, Live, Offline
from ouzel.platforms.asking import Site
from ouzel.platforms.contract import AdapterName, Match, Options, Platform

PLATFORM = Platform(
    name="qiandurebo",
    title="Qiandu Rebo",
    title_zh="千度热播",
    urls=("qiandurebo.com/web/video.php?roomnumber={room:int}", "qiandurebo.com/{..}?roomnumber={room:int}"),
    example="https://qiandurebo.com/web/video.php?roomnumber=33333",
    chain=("own",),
    streams=("flv",),
    streamget="QiandureboLiveStream",
    headers=(("Referer", "https://qiandurebo.com/"),),
    note="reported as closed",
)
_OFF_AIR = re.compile(r'common-text-center"\s+style="display:\s*block')
"""The notice over the player, when it is shown."""


class QiandureboAdapter:
    """One room."""

    name: AdapterName = "own"

    def resolve(self, match: Match, site: Site, options: Options) -> Answer:
        room = match["room"]
        page = site.get("https://qiandurebo.com/web/video.php", params={"roomnumber": room})
        data = page.find(r"var user\s*=\s*(\{.*?\})\s*;?\s*user\.play_url", "data of the room's owner")
        identity, anchor = match.identity(room), _field(data, "zb_nickname")
        if not anchor:
            raise SiteChanged(f"the page of the room {room} does not say whose it is")
        if _OFF_AIR.search(page.text):
            return Offline(identity, anchor)
        url = _field(data, "play_url")
        if not url:
            raise SiteChanged(f"the page of the room {room} says neither that it is off air nor where the stream is")
        stream = match.stream(url, options, label="原画", level="original")
        return Live(identity, anchor, (stream,), _field(data, "zb_title"))


def adapter() -> QiandureboAdapter:
    return QiandureboAdapter()


def _field(data: str, name: str) -> str:
    """Of something that looks like JSON, and is not quite."""
    found = re.search(rf'"{name}"\s*:\s*("(?:[^"\\]|\\.)*")', data)
    return json.loads(found[1]) if found else ""
