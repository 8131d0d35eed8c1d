"""Text in, playlist out."""

from __future__ import annotations

import re
from collections.abc import Mapping

from ouzel.base.errors import NotMedia, TooLarge
from ouzel.formats.m3u8.limits import DEFAULT_LIMITS, Limits
from ouzel.formats.m3u8.master import MasterReader
from ouzel.formats.m3u8.media import IsMaster, MediaReader
from ouzel.formats.m3u8.models import ParseWarning, Playlist
from ouzel.formats.m3u8.reading import Reading

_EXTINF = re.compile(r"^[^\S\n]*+#EXTINF", re.MULTILINE)
_BOM = "\ufeff"
_SHOWN = 60


def parse(
    data: bytes | str,
    *,
    base_url: str,
    limits: Limits = DEFAULT_LIMITS,
    variables: Mapping[str, str] | None = None,
) -> Playlist:
    """Read a playlist.

    Lenient on purpose: live servers break the draft daily, and a recorder that refuses them records nothing. What was overlooked
    is told in `warnings`. Among it a byte order mark, which by the letter has to be refused: it carries no doubt about what is
    meant. Refused is what would make us record something wrong, or nothing: unreadable keys, maps and byte ranges, undefined
    variables, segments and variants in one list.

    Args:
        data: the body; bytes are read as UTF-8, and as Latin-1 when they are not that.
        base_url: where it came from after all redirects; relative addresses are joined with it. When empty they stay as written.
        limits: against hostile input.
        variables: what the master playlist defined (`MasterPlaylist.variables`), for EXT-X-DEFINE:IMPORT.

    Raises:
        NotMedia: empty, binary, an HTML page, or a list that is not HLS.
        FormatError: malformed beyond use; says where, and what was expected.
        TooLarge: beyond one of the limits.

    Source: draft-pantos-hls-rfc8216bis-20, sections 4 and 6.3.2.
    """
    return read(*opened(data, base_url, limits, variables or {}))


def opened(data: bytes | str, base_url: str, limits: Limits, variables: Mapping[str, str]) -> tuple[str, Reading]:
    """The text with `\n` line ends, and a reading to go with it. Raises: NotMedia, TooLarge."""
    if len(data) > limits.size_bytes:
        raise TooLarge(f"a playlist of more than {limits.size_bytes} bytes", size=len(data), limit=limits.size_bytes)
    reading = Reading(base_url, limits, variables)
    text = _text(data, reading)
    lines = text.count("\n")
    if lines > limits.lines:
        raise TooLarge(f"a playlist of more than {limits.lines} lines", lines=lines, limit=limits.lines)
    if _has_line_beyond(text, limits.line_length):
        raise TooLarge(f"a line of more than {limits.line_length} characters", limit=limits.line_length)
    reading.substituting = "{$" in text
    _check_start(text, reading)
    return text, reading


def read(text: str, reading: Reading) -> Playlist:
    """What `opened` gave, read. Raises: FormatError, NotMedia, TooLarge."""
    media = MediaReader(reading, has_segments=lambda: lists_segments(text))
    lines = text.split("\n")
    try:
        media.feed(lines)
        return media.finish()
    except IsMaster:
        master = MasterReader(reading.restarted())
        master.feed(lines)
        return master.finish()


def lists_segments(text: str) -> bool:
    return _EXTINF.search(text) is not None


def is_playlist(first: bytes) -> bool:
    """Whether something that begins with these bytes (some hundred are enough) is a playlist, whatever it is called."""
    text = _lines(first.decode("utf-8", "replace").removeprefix(_BOM))
    return "\x00" not in text and _first_tag(text) is not None


def _text(data: bytes | str, reading: Reading) -> str:
    if isinstance(data, str):
        text = data
    else:
        try:
            text = data.decode("utf-8")
        except UnicodeDecodeError:
            text = data.decode("latin-1")
            reading.at_start.append(ParseWarning(0, "encoding", "not UTF-8: read as Latin-1"))
    if text.startswith(_BOM):
        text = text[1:]
        reading.at_start.append(ParseWarning(0, "byte_order_mark", "begins with a byte order mark"))
    return _lines(text)


def _lines(text: str) -> str:
    """Every kind of line end as `\\n`. Not `str.splitlines`, which also splits at characters that addresses may contain."""
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def _has_line_beyond(text: str, limit: int) -> bool:
    """A line of more than `limit` characters holds at least one whole block of half as many, so only these are looked at."""
    block = max(1, limit // 2)
    for at in range(0, len(text) - block + 1, block):
        if text.find("\n", at, at + block) < 0:
            end = text.find("\n", at)
            if (len(text) if end < 0 else end) - text.rfind("\n", 0, at) - 1 > limit:
                return True
    return False


def _first_tag(text: str) -> str | None:
    """The first tag, when nothing but blank lines and comments stands before it."""
    for line in text.split("\n"):
        line = line.strip()
        if line.startswith("#EXT"):
            return line
        if line and not line.startswith("#"):
            return None
    return None


def _check_start(text: str, reading: Reading) -> None:
    binary = "\x00" in text
    if text.startswith("#EXTM3U") and not binary:
        return
    shown = text.lstrip()[:_SHOWN]
    if not shown:
        raise NotMedia("an empty answer, not a playlist")
    if shown.startswith("<"):
        raise NotMedia("an HTML or XML page, not a playlist", begins=f": it begins with {shown!r}")
    tag = _first_tag(text)
    if tag is None or binary:
        raise NotMedia("not a playlist", begins=f": it begins with {shown!r}")
    if tag.startswith("#EXTM3U"):
        reading.at_start.append(ParseWarning(1, "late_extm3u", "something stands before EXTM3U"))
    else:
        reading.at_start.append(ParseWarning(1, "no_extm3u", "EXTM3U is missing"))
