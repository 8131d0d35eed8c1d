"""When a signed address stops working, as it tells itself."""

from __future__ import annotations

import re
from datetime import UTC, datetime

_EXPIRY = re.compile(
    r"(?:[?&/~;]|[=&]st=\d+~|hdnt[sl]=|%7E)(?:x-)?exp(?:ires?)?(?:=|/|%3D)(\d{10})(?!\d)", re.IGNORECASE
)


def expiry_of(url: str) -> datetime | None:
    """Aware UTC; None when it says nothing.

    Known: `expire=`, `expires=`, `x-expires=` (Bilibili, TikTok), `hdnts=st=…~exp=…` (Akamai), `/expire/…/` (YouTube).
    """
    found = _EXPIRY.search(url)
    return datetime.fromtimestamp(int(found[1]), UTC) if found else None
