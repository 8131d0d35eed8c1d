"""`config.json` of the Twitch recorder: logins, and four settings.

Source: LKL1235/twitch_recoder; its files come with and without `shutdown_timeout`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ouzel.config.importers.keys import KeyReader, key_table
from ouzel.config.importers.result import Imported, ImportedChannel, Problem
from ouzel.config.importers.tree import Node

USUAL_QUALITY = "best"
_KEYS = key_table("""
data_path -> storage.recordings
shutdown_timeout -> daemon.shutdown_timeout_s,seconds
max_time_limit -> record.split_after_s,seconds
proxy -> platforms.twitch.proxy,proxy
""")
_LOGIN = re.compile(r"\w{1,32}", re.ASCII)
_ADDRESS = re.compile(r"(?:https?://)?(?:\w+\.)?twitch\.tv/(\w{1,32})/?(?:\?.*)?", re.ASCII | re.IGNORECASE)


def parse_twitch_json(root: Node) -> Imported:
    """A login is a channel."""
    reader = KeyReader(_KEYS)
    settings = tuple(reader.settings(root, ignore=frozenset({"uids"})))
    uids = (root.table or {}).get("uids", Node(root.line, items=()))
    if uids.items is None:
        reader.problems.append(Problem(uids.line, "wrong_kind", {"key": "uids", "wanted": '["login"]'}))
    channels = tuple(_channels(uids, reader.problems))
    return Imported(
        "twitch_json",
        channels=channels,
        settings=settings,
        notices=tuple(reader.notices),
        problems=tuple(reader.problems),
        quality=USUAL_QUALITY,
    )


def _channels(uids: Node, problems: list[Problem]) -> Iterator[ImportedChannel]:
    for each in uids:
        text = each.text or ""
        found = _LOGIN.fullmatch(text) or _ADDRESS.fullmatch(text)
        if found is None:
            problems.append(Problem(each.line, "no_address", {"text": text[:60]}))
            continue
        login = (found[1] if found.re is _ADDRESS else found[0]).lower()
        yield ImportedChannel(f"https://www.twitch.tv/{login}", each.line)
