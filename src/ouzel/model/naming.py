"""Names from outside become safe file names; templates become names."""

from __future__ import annotations

import re
import string
import unicodedata
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import unquote

from ouzel.base.errors import BadOption

DEFAULT_TEMPLATE = "{name}_{start:%Y-%m-%d_%H-%M-%S}"
FIELDS = {
    "name": "who is on air, as the platform writes it; of a direct address the last part of its path that says more than 'live'",
    "title": "title on the platform's page; empty for a direct address",
    "platform": "name of the platform; empty for a direct address",
    "host": "host of the address",
    "quality": "quality that was asked for",
    "start": "when recording began, local time; with a strftime format: {start:%Y%m%d}",
}
CHANNEL_FIELDS = {
    **FIELDS,
    "folder": "name of the channel's folder: it stays when the channel is renamed",
    "channel": "name of the channel",
    "category": "category on the platform's page",
    "id": "id of the channel",
}
"""Of recordings that the daemon makes."""
_ENDING = re.compile(r"\.(m3u8?|flv|ts|mp4|m4[asv]|mp3|aac|mkv|webm|mpd|smil|stream|sdp|isml?)$", re.IGNORECASE)
_SAYS_NOTHING = re.compile(
    r"(prog_)?(index|playlist|master|manifest|main|media|live|hls|dash|video|stream|variant|source|mono)"
    r"([-_](\d{1,2}|\d{3,4}p\d*))?|chunklist.*|\d{3,4}p\d*",
    re.IGNORECASE,
)
MAX_NAME_BYTES = 200  # most file systems stop at 255 bytes; endings and part numbers need room

_MAX_TEMPLATE = 1000
_MAX_WIDTH = 200
_WIDTH = re.compile(r"\d{2,}")

_FORBIDDEN = re.compile(r'[\x00-\x1f\x7f/\\:*?"<>|]+')
_RESERVED = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\.|$)", re.IGNORECASE)


def safe_name(text: str, *, fallback: str = "recording") -> str:
    """One path component that every common file system takes: never empty, never hidden, at most 200 bytes of UTF-8."""
    name = unicodedata.normalize("NFC", text)
    name = "".join(c for c in name if unicodedata.category(c) not in {"Cc", "Cf", "Cs", "Co", "Cn"} or c == "\u200d")
    name = _FORBIDDEN.sub("_", name).strip().lstrip(".").rstrip(". ")
    if _RESERVED.match(name):
        name = "_" + name
    name = name.encode()[:MAX_NAME_BYTES].decode(errors="ignore")
    return name.rstrip(". ") or fallback


def telling_name(path: str, host: str) -> str:
    """The last part of an address's path that tells what is recorded, without its ending; else the host.

    `/live/show/index.m3u8` is `show`, and so are `/live/show.flv` and `/show/720p/live.ts`.
    """
    for part in reversed(path.split("/")):
        name = unquote(part)
        while _ENDING.search(name):  # `show.stream/playlist.m3u8`, `show.smil.mp4`
            name = _ENDING.sub("", name)
        if name and not _SAYS_NOTHING.fullmatch(name):
            return name
    return host or "recording"


def check_template(template: str, fields: Collection[str] = tuple(FIELDS)) -> None:
    """Raises BadOption when the template names a field that does not exist, or cannot be parsed."""
    render_name(template, {**dict.fromkeys(fields, "x"), "start": datetime(2026, 1, 2, 3, 4, 5)})  # noqa: DTZ001


def render_name(template: str, fields: Mapping[str, Any]) -> str:
    """A relative path: `/` in the template makes folders; every component is made safe.

    Raises: BadOption with the names that do exist.
    """
    if len(template) > _MAX_TEMPLATE:
        raise BadOption(f"the name template has {len(template)} characters; the most is {_MAX_TEMPLATE}")
    try:
        parts = list(string.Formatter().parse(template))
        for _, field, spec, _ in parts:
            if field != "start" and any(len(n) > 3 or int(n) > _MAX_WIDTH for n in _WIDTH.findall(spec or "")):
                raise BadOption(f"the name template makes {{{field}}} wider than {_MAX_WIDTH} characters")
            if field is not None and field not in fields:
                known = ", ".join("{" + f + "}" for f in fields)
                raise BadOption(f"the name template has no field {{{field}}}; it knows {known}")
        pieces = [
            literal + ("" if field is None else _without_slashes(format(fields[field], spec or "")))
            for literal, field, spec, _ in parts
        ]
    except ValueError as exc:
        raise BadOption(f"the name template {template!r} cannot be read: {exc}") from exc
    components = [c for c in "".join(pieces).split("/") if c not in {"", ".", ".."}]
    if not components:
        raise BadOption(f"the name template {template!r} gives an empty name")
    return "/".join(safe_name(c) for c in components)


def part_name(stem: str, part: int, *, numbered: bool) -> str:
    """`show` for the first file, `show-002` for the second; with `numbered` the first is `show-001` too."""
    return f"{stem}-{part:03}" if numbered or part > 1 else stem


def _without_slashes(value: str) -> str:
    return value.replace("/", "_").replace("\\", "_")
