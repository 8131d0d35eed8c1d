"""Joining addresses as RFC 3986 section 5.2 says.

`urllib.parse.urljoin` is not used: it removes empty path elements (`/a//b/x.m3u8` + `1.ts` gives `/a/b/1.ts`), which breaks
signed paths, and it raises on what it takes for a bad IPv6 address.
"""

from __future__ import annotations

import re
from functools import lru_cache

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*+:")
_PARTS = re.compile(
    r"(?P<scheme>[A-Za-z][A-Za-z0-9+.\-]*+:)?(?P<authority>//[^/?#]*+)?(?P<path>[^?#]*+)(?P<query>\?[^#]*+)?", re.DOTALL
)


def join(base: str, reference: str) -> str:
    """`reference` as seen from `base`. Never raises; without a base, or when it is absolute, it is returned unchanged."""
    if not base or _SCHEME.match(reference):
        return reference
    scheme, authority, path, query = _split(base)
    _, own_authority, own_path, own_query = _split(reference)
    tail = reference[len(own_authority) + len(own_path) :]
    if own_authority:
        return f"{scheme}{own_authority}{_without_dots(own_path)}{tail}"
    if not own_path:
        return f"{scheme}{authority}{path}{query if not own_query else ''}{tail}"
    if not own_path.startswith("/"):
        folder = path[: path.rfind("/") + 1]
        own_path = f"{folder or ('/' if authority else '')}{own_path}"
    return f"{scheme}{authority}{_without_dots(own_path)}{tail}"


@lru_cache(maxsize=256)  # asked for with every reload of every playlist
def folder_of(base: str) -> str:
    """What a plain relative reference (no scheme, no dots, no `/`, `?` or `#` in front) is appended to; empty without a base."""
    return join(base, "x")[:-1] if base else ""


def _split(address: str) -> tuple[str, str, str, str]:
    parts = _PARTS.match(address)
    assert parts is not None  # every group may be empty
    return parts["scheme"] or "", parts["authority"] or "", parts["path"], parts["query"] or ""


def _without_dots(path: str) -> str:
    """RFC 3986 section 5.2.4."""
    if "." not in path:
        return path
    kept: list[str] = []
    pieces = path.split("/")
    for piece in pieces:
        if piece == "..":
            if len(kept) > 1:
                kept.pop()
        elif piece != ".":
            kept.append(piece)
    if pieces[-1] in (".", ".."):
        kept.append("")
    return "/".join(kept)
