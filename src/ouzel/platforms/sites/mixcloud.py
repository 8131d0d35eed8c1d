"""Mixcloud Live: by the GraphQL of its own pages.

Source of shapes: https://github.com/streamlink/streamlink/blob/master/src/streamlink/plugins/mixcloud.py. Several names fit into
one question by aliases.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from ouzel.base.errors import ChannelGone, SiteChanged
from ouzel.model.live import Answer, Live, Offline
from ouzel.platforms.asking import Site, dig, peek, rows
from ouzel.platforms.contract import AdapterName, Match, Options, Peek, Platform

PLATFORM = Platform(
    name="mixcloud",
    title="Mixcloud Live",
    title_zh="Mixcloud Live",
    urls=("mixcloud.com/live/{user}",),
    example="https://www.mixcloud.com/live/somebody/",
    chain=("own", "streamlink"),
    headers=(("Referer", "https://www.mixcloud.com/"),),
    off_air=(r'"streamStatus":\s*"ENDED"',),
    stable=(r'"userLookup":\s*\{\s*"id":\s*"([^"]+)"',),
)


class MixcloudAdapter:
    """One name, and several at once."""

    name: AdapterName = "own"
    at_once = 20
    by = "user"

    def resolve(self, match: Match, site: Site, options: Options) -> Answer:
        user = self._ask(site, [match["user"]])[0]
        if user is None:
            raise ChannelGone(f"Mixcloud has no user {match['user']}")
        identity, anchor = match.identity(dig(user, "id", want=str)), dig(user, "displayName", want=str)
        title = peek(user, "liveStream", "name") or ""
        if not _on_air(user):
            return Offline(identity, anchor, title)
        url = dig(user, "liveStream", "hlsUrl", want=str)
        stream = match.stream(url, options, label="auto")
        return Live(identity, anchor, (stream,), title)

    def probe(self, ids: Sequence[str], site: Site) -> Mapping[str, Peek]:
        """By names."""
        return {
            name: Peek(_on_air(user), peek(user, "liveStream", "name") or "", peek(user, "displayName") or "")
            for name, user in zip(ids, self._ask(site, ids), strict=True)
            if user is not None
        }

    def _ask(self, site: Site, names: Sequence[str]) -> list[Any]:
        """What is told of each, None for who does not exist."""
        parts = " ".join(
            f"u{number}: userLookup(lookup: {{username: {json.dumps(name)}}})"
            " {id displayName liveStream(isPublic: false) {name streamStatus hlsUrl}}"
            for number, name in enumerate(names)
        )
        doc = site.post(
            "https://www.mixcloud.com/graphql", body={"query": f"query {{{parts}}}"}, headers=dict(PLATFORM.headers)
        ).json()
        if any(len(rows(error, "path")) > 1 for error in rows(doc, "errors")):  # not: there is no such user
            raise SiteChanged(f"Mixcloud tells a part of what was asked for: {peek(doc, 'errors', 0, 'message')}")
        data = dig(doc, "data", want=dict)
        if missing := [number for number in range(len(names)) if f"u{number}" not in data]:
            raise SiteChanged(f"Mixcloud does not answer for {len(missing)} of {len(names)} names")
        return [data[f"u{number}"] for number in range(len(names))]


def adapter() -> MixcloudAdapter:
    return MixcloudAdapter()


def _on_air(user: Any) -> bool:
    """Raises: SiteChanged for a state that nobody knows."""
    if "liveStream" in user and user["liveStream"] is None:
        return False
    state = dig(user, "liveStream", "streamStatus", want=str)
    if state not in {"LIVE", "ENDED"}:
        raise SiteChanged(f"Mixcloud has a stream in state {state!r}")
    return state == "LIVE"
