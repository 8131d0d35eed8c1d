"""Reading the same playlist again and again, at the price of what is new.

An EVENT playlist of a long broadcast has tens of thousands of lines and is asked for every few seconds, while only its end
changes. `Follower` keeps the reader as it stood after the last segment and feeds it the lines that were added. A playlist whose
window slides is read in full each time: its first lines change, and it is short.
"""

from __future__ import annotations

from collections.abc import Mapping

from ouzel.formats.m3u8.limits import DEFAULT_LIMITS, Limits
from ouzel.formats.m3u8.media import IsMaster, MediaReader
from ouzel.formats.m3u8.models import Playlist
from ouzel.formats.m3u8.parse import lists_segments, opened, read
from ouzel.formats.m3u8.reading import Reading


class Follower:
    """`parse` for one playlist that is read many times; it gives what `parse` gives.

    Args:
        limits, variables: as for `parse`.
    """

    __slots__ = ("_base_url", "_data", "_limits", "_playlist", "_prefix", "_reader", "_text", "_variables")

    def __init__(self, *, limits: Limits = DEFAULT_LIMITS, variables: Mapping[str, str] | None = None) -> None:
        self._limits = limits
        self._variables = dict(variables or {})
        self._data: bytes | str = b""
        self._base_url: str = ""
        self._text: str = ""
        self._playlist: Playlist | None = None
        self._prefix: str = ""
        """What `_reader` was fed: whole lines, the last of them a segment's address."""
        self._reader: MediaReader | None = None

    def parse(self, data: bytes | str, *, base_url: str) -> Playlist:
        """As `parse`; the very same object for the very same data.

        Raises: as `parse`, after which the next call starts over.
        """
        before, self._playlist = self._playlist, None
        if before is not None and (data, base_url) == (self._data, self._base_url):
            self._playlist = before
            return before
        text, reading = opened(data, base_url, self._limits, self._variables)
        grown = self._read_on(text, reading) if before is not None and base_url == self._base_url else None
        if grown is None:
            self._reader, self._prefix = None, ""
        playlist = grown or read(text, reading)
        self._data, self._base_url, self._text, self._playlist = data, base_url, text, playlist
        return playlist

    def _read_on(self, text: str, reading: Reading) -> Playlist | None:
        """The playlist, if `text` is the one before it with more at its end."""
        prefix = self._prefix or _settled(self._text)
        if not prefix or not text.startswith(prefix):
            return None
        settled = _settled(text[len(prefix) :])
        try:
            if self._reader is None:
                self._reader = MediaReader(reading.restarted(), has_segments=lambda: lists_segments(text))
                prefix, settled = "", prefix + settled
            self._reader.resume(reading)
            if settled:
                self._reader.feed(settled[:-1].split("\n"))
            self._prefix = prefix + settled
            reader = self._reader.fork()
            reader.feed(text[len(self._prefix) :].split("\n"))
            return reader.finish()
        except IsMaster:
            return None


def _settled(text: str) -> str:
    """The front of `text` up to the last whole line that is an address: lines will be added after it, not before."""
    end = text.rfind("\n") + 1
    while end:
        begin = text.rfind("\n", 0, end - 1) + 1
        line = text[begin:end].strip()
        if line and line[0] != "#":
            return text[:end]
        end = begin
    return ""
