"""What is known of HTTP header fields everywhere."""

from __future__ import annotations

Fields = tuple[tuple[str, str], ...]
"""Names and values, as they are sent."""

_AT_HOME = frozenset({"authorization", "cookie", "host"})


def away_from_home(fields: Fields) -> Fields:
    """What may be sent elsewhere: without the fields that prove who we are, or name a host."""
    return tuple((name, value) for name, value in fields if name.lower() not in _AT_HOME)


def replaced(fields: Fields, by: Fields) -> Fields:
    """`fields`, with these in the place of those of the same names."""
    names = {name.lower() for name, _ in by}
    return (*((name, value) for name, value in fields if name.lower() not in names), *by)
