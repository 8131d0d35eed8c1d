"""Variables of all programs that are set up so, and `channels.json` of the YouTube relay."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from ouzel.config.importers.downloads import ENV_KEYS
from ouzel.config.importers.keys import Key, KeyReader, key_table
from ouzel.config.importers.result import Imported, ImportedChannel, Problem, Value
from ouzel.config.importers.text import lines_of
from ouzel.config.importers.tree import Node

USUAL_QUALITY = "best"
RELAY_KEYS = key_table("""
REDIS_HOST -> ,,not_needed
REDIS_PORT -> ,,not_needed
REDIS_DB -> ,,not_needed
REDIS_PASSWORD -> !,,not_needed
CACHE_TTL -> relay.cache_s,seconds,kept_for_later
YTDLP_COOKIES_FILE -> platforms.youtube.cookies_file
YTDLP_PROXY -> platforms.youtube.proxy,proxy
YTDLP_TIMEOUT -> relay.resolve_timeout_s,seconds,kept_for_later
YTDLP_MAX_RETRIES -> relay.retries,number,kept_for_later
MAX_CONCURRENT_STREAMS -> relay.at_once,number,kept_for_later
MAX_CONCURRENT_YTDLP_REQUESTS -> relay.resolves_at_once,number,kept_for_later
REQUEST_TIMEOUT -> relay.request_timeout_s,seconds,kept_for_later
ENABLE_METRICS -> relay.metrics,bool,kept_for_later
PROMETHEUS_PORT -> relay.metrics_port,number,kept_for_later
LOG_LEVEL -> log.level
LOG_FORMAT -> log.format
DEBUG -> ,bool,elsewhere,[log] level
""")
LIVE_KEYS = key_table("""
PROXY -> platforms.proxy,proxy
RCLONE_ENABLED -> upload.rclone.on,bool,kept_for_later
RCLONE_CONFIG -> upload.rclone.config,,kept_for_later
""")
"""Of the container of the INI recorder."""
_ALL_KEYS: Mapping[str, Key] = {**RELAY_KEYS, **ENV_KEYS, **LIVE_KEYS}
_PAIR = re.compile(r"(?:export\s+)?([A-Za-z_]\w*)\s*=\s*(.*)", re.ASCII)
_QUOTED = re.compile(r"""(["'])(.*)\1(?:\s+#.*)?""")
_REMARK = re.compile(r"\s+#.*")
_CHANNEL_KEYS = frozenset({"name", "url", "description", "logo"})


def read_variables(text: str) -> tuple[Node, list[Problem], list[int]]:
    """`NAME=value` lines as a table, lines that are none, and the numbers of remarks."""
    table: dict[str, Node] = {}
    problems: list[Problem] = []
    remarks: list[int] = []
    repeated: list[str] = []
    for number, line in lines_of(text):
        if not line or line[0] == "#":
            remarks += [number] if line else []
            continue
        found = _PAIR.fullmatch(line)
        if found is None:
            problems.append(Problem(number, "no_key", {"section": ""}))
            continue
        quoted = _QUOTED.fullmatch(found[2])
        value = quoted[2] if quoted else _REMARK.sub("", found[2])
        if found[1] in table:
            repeated.append(found[1])
        table[found[1]] = Node(number, value, value)
    return Node(1, table=table, repeated=tuple(repeated)), problems, remarks


def is_variable(name: str) -> bool:
    return name in _ALL_KEYS


def parse_variables(text: str) -> Imported:
    """A file of variables, of whichever of the programs; one file may serve several."""
    root, problems, remarks = read_variables(text)
    reader = KeyReader(_ALL_KEYS)
    settings = tuple(reader.settings(root))
    names = {each.key for each in settings}
    return Imported(
        "relay_env" if names & set(RELAY_KEYS) else "downloader_env" if names & set(ENV_KEYS) else "live_env",
        settings=settings,
        notices=tuple(reader.notices),
        problems=(*problems, *reader.problems),
        comments=tuple(remarks),
    )


def parse_relay_channels(root: Node) -> Imported:
    """A list of `{name, url, description, logo}`; also as `{"channels": […]}`. Relayed, and not recorded until somebody asks."""
    reader = KeyReader({})
    channels = tuple(_channels((root.table or {}).get("channels", root), reader))
    return Imported(
        "relay_channels",
        channels=channels,
        notices=tuple(reader.notices),
        problems=tuple(reader.problems),
        quality=USUAL_QUALITY,
    )


def _channels(channels: Node, reader: KeyReader) -> Iterator[ImportedChannel]:
    for each in channels:
        table = each.table or {}
        words = {key: node.text or "" for key, node in table.items() if key in _CHANNEL_KEYS}
        if not words.get("url"):
            fields = {"text": words.get("name", "")[:60]}
            reader.problems.append(Problem(each.line, "no_address", fields))
            continue
        reader.refuse(table, _CHANNEL_KEYS, "channels.")
        extra: dict[str, Value] = {key: words[key] for key in ("description", "logo") if words.get(key)}
        yield ImportedChannel(words["url"], each.line, words.get("name", ""), mode="manual", extra=extra)
