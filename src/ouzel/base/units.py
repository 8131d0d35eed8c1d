"""Durations and sizes as people write them."""

from __future__ import annotations

import re

from ouzel.base.errors import BadOption

_DURATION_PARTS = re.compile(r"(\d{1,12}(?:\.\d{1,12})?)(?![\d.])\s*(ms|sec|s|min|m|h|d)?\s*", re.IGNORECASE)
_SECONDS = {"ms": 0.001, "s": 1.0, "sec": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
_SIZE = re.compile(r"(\d{1,15}(?:\.\d{1,12})?)\s*([kmgt]?)(i?)b?", re.IGNORECASE)


def parse_duration(text: str) -> float:
    """Seconds in `90`, `90s`, `1.5h`, `1h30m`, `500ms`, `01:02:03`, `02:03.5`.

    Raises: BadOption when it is none of these.
    """
    words = text.strip()
    if ":" in words:
        return _parse_clock(words)
    total, pos = 0.0, 0
    for part in _DURATION_PARTS.finditer(words):
        if part.start() != pos:
            break
        pos = part.end()
        total += float(part[1]) * _SECONDS[(part[2] or "s").lower()]
    if not words or pos != len(words):
        raise BadOption(f"{text!r} is not a duration: write it as 90s, 1h30m or 01:02:03")
    return total


def _parse_clock(text: str) -> float:
    fields = text.split(":")
    if len(fields) > 3 or not all(re.fullmatch(r"\d{1,12}", f) for f in fields[:-1]):
        raise BadOption(f"{text!r} is not a time: write it as 01:02:03 or 02:03.5")
    if not re.fullmatch(r"\d{1,12}(\.\d{1,12})?", fields[-1]):
        raise BadOption(f"{text!r} is not a time: write it as 01:02:03 or 02:03.5")
    total = 0.0
    for f in fields:
        total = total * 60 + float(f)
    return total


def parse_size(text: str) -> int:
    """Bytes in `500`, `500M`, `2GB` (powers of ten), `2GiB` (powers of two). Raises: BadOption."""
    found = _SIZE.fullmatch(text.strip())
    if not found:
        raise BadOption(f"{text!r} is not a size: write it as 500MB, 2GB or 2GiB")
    power = " kmgt".index(found[2].lower() or " ")
    return int(float(found[1]) * (1024 if found[3] else 1000) ** power)


def format_clock(seconds: float) -> str:
    """`01:02:03.4` for 3723.4 s; hours may exceed 99."""
    tenths = max(0, round(seconds * 10))
    whole, tenth = divmod(tenths, 10)
    return f"{whole // 3600:02}:{whole // 60 % 60:02}:{whole % 60:02}.{tenth}"


def format_duration(seconds: float) -> str:
    """Short text for people: `840 ms`, `12.5 s`, `3 min 05 s`, `2 h 03 min`."""
    if seconds < 0.9995:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02} s"
    return f"{whole // 3600} h {whole // 60 % 60:02} min"


def format_size(count: float) -> str:
    """Powers of ten, three significant figures: `998 B`, `1.23 MB`."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 999.5:
            return f"{count:.0f} B" if unit == "B" else f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:.3g} TB"


def format_rate(bits_per_s: float) -> str:
    """`4.1 Mb/s`."""
    return f"{bits_per_s / 1e6:.1f} Mb/s" if bits_per_s >= 99_500 else f"{bits_per_s / 1e3:.0f} kb/s"
