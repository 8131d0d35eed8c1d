"""Time zones: the machine's, and those with names."""

from __future__ import annotations

from datetime import tzinfo
from difflib import get_close_matches
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from tzlocal import get_localzone

from ouzel.base.errors import BadOption


@cache
def zone_of(name: str) -> tzinfo:
    """By its name, such as Asia/Shanghai; empty: the machine's, summer time included. Reads files, once. Raises: BadOption."""
    if not name:
        return get_localzone()
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        near = get_close_matches(name, available_timezones(), 1)
        raise BadOption(f"there is no time zone {name[:40]}{f'; did you mean {near[0]}?' if near else ''}") from None
