"""When a signed address stops working, as it tells itself."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from urllib.parse import unquote

_NAMES = (
    r"(?:x-)?exp(?:ires?)?|expire_ts",  # TikTok, Bilibili, Shopee; `hdnts=st=…~exp=…` of Akamai; `/expire/…/` of YouTube
    "auth_key",  # Alibaba's, `auth_key=TIME-…`
    "txTime",  # Tencent's
    "wsTime|wsABStime",  # Wangsu's
    "hwTime",  # Huawei's
    "volcTime",  # Volcano Engine's
    "ty_Time",  # China Telecom's
)
_EARLIEST, _LATEST = 1_400_000_000, 2_400_000_000
"""Seconds since 1970, of 2014 and 2046: what is outside is a number of another kind."""


def expiry_of(url: str, *others: str) -> datetime | None:
    """Aware UTC; None when it says nothing.

    It is written in seconds, as a decimal or hexadecimal number, or in milliseconds.

    Args:
        others: names of parameters that mean this on a site, and other things elsewhere.
    """
    text = unquote(url)
    for names in (*_NAMES, *others):
        for found in re.finditer(rf"(?:[?&/~;=])(?:{names})(?:=|/)(\w+)(?![\w.])", text, re.IGNORECASE):
            seconds = _seconds(found[1])
            if seconds is not None:
                return datetime.fromtimestamp(seconds + _kept(text, found[0]), UTC)
    return None


def _seconds(text: str) -> float | None:
    match len(text), text.isdecimal():
        case 8, _:
            base, unit = 16, 1
        case 10, True:
            base, unit = 10, 1
        case 13, True:
            base, unit = 10, 1000
        case _:
            return None
    try:
        seconds = int(text, base) / unit
    except ValueError:
        return None
    return seconds if _EARLIEST < seconds < _LATEST else None


def _kept(url: str, found: str) -> int:
    """Wangsu signs for a moment, and may say beside it how long it lasts from then."""
    lasts = re.search(r"[?&]keeptime=([0-9a-f]{1,8})(?![0-9a-z])", url, re.IGNORECASE)
    return int(lasts[1], 16) if lasts and "wsTime" in found else 0
