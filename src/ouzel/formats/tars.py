"""Tars: the binary notation of calls between Huya's programs and its servers. Pure.

A structure is a row of fields, each with a number (tag) and a type in front of it; numbers take as few bytes as they need. A call
is a structure itself, whose seventh field holds a map from the names of its arguments to their bytes. Big-endian throughout.

Source: https://github.com/TarsCloud/TarsProtocol (docs/tars_protocol, "TUP version 3").
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias, cast

from ouzel.base.errors import FormatError

Fields: TypeAlias = Mapping[int, "int | str | bytes | Fields"]
"""Of a structure, by tag."""

_INT1, _INT2, _INT4, _INT8, _FLOAT, _DOUBLE, _STR1, _STR4, _MAP, _LIST, _BEGIN, _END, _ZERO, _BYTES = range(14)
_WIDTHS = {_INT1: 1, _INT2: 2, _INT4: 4, _INT8: 8}
_SKIPPED = {_FLOAT: 4, _DOUBLE: 8}
_DEEPEST = 16
_VERSION = 3
_BUFFER = 7


def render_call(servant: str, function: str, name: str, argument: Fields) -> bytes:
    """A call with one argument, as it is sent."""
    arguments = _head(0, _MAP) + _int(0, 1) + _text(0, name) + _bytes(1, _value(0, argument))
    body = render_fields({1: _VERSION, 2: 0, 3: 0, 4: 0, 5: servant, 6: function, _BUFFER: arguments, 8: 0})
    body += _head(9, _MAP) + _int(0, 0) + _head(10, _MAP) + _int(0, 0)
    return (len(body) + 4).to_bytes(4, "big") + body


def render_fields(fields: Fields) -> bytes:
    return b"".join(_value(tag, value) for tag, value in sorted(fields.items()))


def parse_answer(data: bytes) -> dict[str, Any]:
    """What a call gave back, by name: numbers, texts, bytes, and structures as `dict[int, …]`. Raises: FormatError."""
    if len(data) < 4 or int.from_bytes(data[:4], "big") != len(data):
        raise FormatError("an answer in Tars of another length than it says")
    arguments = parse_fields(data[4:]).get(_BUFFER)
    if not isinstance(arguments, bytes):
        raise FormatError("an answer in Tars that gives nothing back")
    given = parse_fields(arguments).get(0)
    if not isinstance(given, dict):
        raise FormatError("an answer in Tars that names nothing")
    named = cast("dict[object, object]", given)
    return {str(name): parse_fields(value).get(0) for name, value in named.items() if isinstance(value, bytes)}


def parse_fields(data: bytes) -> dict[int, Any]:
    """All fields of a structure. Raises: FormatError."""
    reader = _Reader(data)
    return dict(reader.fields(depth=0))


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    def fields(self, *, depth: int) -> Iterator[tuple[int, Any]]:
        """Until the end of the structure, or of the bytes where it is the outermost."""
        while self._at < len(self._data):
            tag, kind = self._head()
            if kind == _END and depth:
                return
            yield tag, self._read(kind, depth)
        if depth:
            raise FormatError("a structure in Tars without an end")

    def _read(self, kind: int, depth: int) -> Any:
        if depth > _DEEPEST:
            raise FormatError("structures in Tars inside of each other without end")
        if kind == _ZERO:
            return 0
        if kind in _WIDTHS:
            return int.from_bytes(self._take(_WIDTHS[kind]), "big", signed=True)
        if kind in _SKIPPED:
            return self._take(_SKIPPED[kind])
        if kind in {_STR1, _STR4}:
            return self._take(int.from_bytes(self._take(1 if kind == _STR1 else 4), "big")).decode("utf-8", "replace")
        if kind == _BYTES:
            self._head()
            return self._take(self._size())
        if kind == _LIST:
            return [self._any(depth) for _ in range(self._size())]
        if kind == _MAP:
            return dict(self._pair(depth) for _ in range(self._size()))
        if kind == _BEGIN:
            return dict(self.fields(depth=depth + 1))
        raise FormatError(f"a field in Tars of the unknown type {kind}")

    def _pair(self, depth: int) -> tuple[int | str, Any]:
        key = self._any(depth)
        if not isinstance(key, (int, str)):
            raise FormatError("a map in Tars with a key that is none")
        return key, self._any(depth)

    def _any(self, depth: int) -> Any:
        _, kind = self._head()
        return self._read(kind, depth + 1)

    def _size(self) -> int:
        """How many follow, each of one byte at least."""
        _, kind = self._head()
        size = self._read(kind, 0) if kind == _ZERO or kind in _WIDTHS else -1
        if not 0 <= size <= len(self._data) - self._at:
            raise FormatError("a size in Tars that is none")
        return size

    def _head(self) -> tuple[int, int]:
        byte = self._take(1)[0]
        tag = byte >> 4
        return (self._take(1)[0] if tag == 15 else tag), byte & 0x0F

    def _take(self, size: int) -> bytes:
        end = self._at + size
        if end > len(self._data):
            raise FormatError("a field in Tars that ends too soon")
        taken, self._at = self._data[self._at : end], end
        return taken


def _value(tag: int, value: int | str | bytes | Fields) -> bytes:
    if isinstance(value, int):
        return _int(tag, value)
    if isinstance(value, str):
        return _text(tag, value)
    if isinstance(value, bytes):
        return _bytes(tag, value)
    return _head(tag, _BEGIN) + render_fields(value) + _head(0, _END)


def _int(tag: int, value: int) -> bytes:
    if value == 0:
        return _head(tag, _ZERO)
    for kind, width in _WIDTHS.items():
        if -(1 << 8 * width - 1) <= value < 1 << 8 * width - 1:
            return _head(tag, kind) + value.to_bytes(width, "big", signed=True)
    raise FormatError(f"a number of more than eight bytes: {value}")


def _text(tag: int, value: str) -> bytes:
    data = value.encode()
    if len(data) < 1 << 8:
        return _head(tag, _STR1) + len(data).to_bytes(1, "big") + data
    return _head(tag, _STR4) + len(data).to_bytes(4, "big") + data


def _bytes(tag: int, value: bytes) -> bytes:
    return _head(tag, _BYTES) + _head(0, _INT1) + _int(0, len(value)) + value


def _head(tag: int, kind: int) -> bytes:
    return bytes([tag << 4 | kind]) if tag < 15 else bytes([0xF0 | kind, tag])
