"""Names of rows: short, and sortable by when they were given."""

from __future__ import annotations

import re
import secrets
from datetime import datetime

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
"""Crockford's base 32: no i, l, o, u."""
_TIME_CHARS = 9  # of milliseconds: until the year 3084
_RANDOM_CHARS = 7
LENGTH = _TIME_CHARS + _RANDOM_CHARS
PATTERN = f"[{_ALPHABET}]{{{LENGTH}}}"
_ID = re.compile(PATTERN)


def new_id(at: datetime) -> str:
    """A name that nothing else has: 16 characters, the first nine of which tell `at`, to the millisecond."""
    return _encode(int(at.timestamp() * 1000), _TIME_CHARS) + _encode(
        secrets.randbits(5 * _RANDOM_CHARS), _RANDOM_CHARS
    )


def is_id(text: str) -> bool:
    return _ID.fullmatch(text) is not None


def _encode(value: int, length: int) -> str:
    return "".join(_ALPHABET[value >> 5 * place & 31] for place in reversed(range(length)))
