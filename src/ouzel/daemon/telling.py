"""What happens to channels and recordings, as lines of the log: where no table is looked at, they tell the same."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any

from ouzel.base.units import format_clock, format_duration, format_size
from ouzel.daemon.words import Words
from ouzel.model.happening import StoredEvent

_log = logging.getLogger(__name__)
_TROUBLE = frozenset({"blocked", "needs_login", "region_locked", "broken", "gone"})
_LEVELS: Mapping[str, int] = {
    "broadcast.began": logging.INFO,
    "broadcast.resumed": logging.INFO,
    "broadcast.ended": logging.INFO,
    "recording.began": logging.INFO,
    "recording.gap": logging.WARNING,
    "recording.finished": logging.INFO,
    "broadcast.changed": logging.DEBUG,
    "broadcast.parked": logging.DEBUG,
}


class Teller:
    """`hear` is for `Db.listen`.

    Args:
        name_of: of a channel, by its id; it may be gone.
    """

    def __init__(self, words: Words, name_of: Callable[[str], str]) -> None:
        self._words = words
        self._name_of = name_of

    def hear(self, event: StoredEvent) -> None:
        """Log it, if it is worth a line."""
        level = self._level(event)
        if level is None or event.channel_id is None or not _log.isEnabledFor(level):
            return
        name = self._name_of(event.channel_id)
        line = self._words.tr(f"told.{event.code}", **{**self._shown(event.data), "name": name})
        _log.log(level, "%s", line, extra={"code": event.code, "channel": event.channel_id})

    def _level(self, event: StoredEvent) -> int | None:
        if event.code != "channel.standing":
            return _LEVELS.get(event.code)
        if event.data["state"] in _TROUBLE:
            return logging.WARNING
        return logging.INFO if event.data["before"] in _TROUBLE else None  # on air and offline are told by broadcasts

    def _shown(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """Data of an event as people read it."""
        shown = dict(data)
        if "state" in data:
            shown["state"] = self._words.tr(f"state.{data['state']}")
        if "why" in data:
            why = self._words.reason(data["code"], data["why"]) if data.get("code") and data["why"] else ""
            shown["why"] = f": {why} ({data['code']})" if why else ""
        shown["titled"] = f": {data['title']}" if data.get("title") else ""
        for name, key, write in (
            ("missing", "missing_s", format_duration),
            ("at", "at_s", format_clock),
            ("time", "media_s", format_clock),
            ("size", "bytes", format_size),
        ):
            if key in data:
                shown[name] = write(data[key])
        return shown
