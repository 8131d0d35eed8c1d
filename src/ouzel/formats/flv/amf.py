"""AMF0, the notation of script tags.

Values: Number is a float, Boolean a bool, String and Long String a str, Null, Undefined and Unsupported are None, Date is a
float (milliseconds since 1970), Object, Typed Object and ECMA array are a dict, Strict array is a list. References are None.
Source: AMF 0 Specification (Adobe, 2006).
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from typing import TypeAlias, Union

from ouzel.base.errors import FormatError, TooLarge
from ouzel.formats.shape import Buffer

AmfValue: TypeAlias = Union[float, bool, str, "dict[str, AmfValue]", "list[AmfValue]", None]

MAX_DEPTH = 16
NUMBER, BOOLEAN, STRING, OBJECT, NULL, UNDEFINED, REFERENCE = 0, 1, 2, 3, 5, 6, 7
ECMA_ARRAY, OBJECT_END, STRICT_ARRAY, DATE, LONG_STRING, UNSUPPORTED, XML, TYPED_OBJECT = 8, 9, 10, 11, 12, 13, 15, 16

_DOUBLE = struct.Struct(">d")


def parse(data: Buffer) -> list[AmfValue]:
    """All values of a script tag's body, one after the other.

    Raises: FormatError when it is malformed or cut short; TooLarge when nested deeper than 16 levels.
    """
    reader = _Reader(bytes(data))
    values: list[AmfValue] = []
    while reader.at < len(reader.data):
        values.append(reader.value(0))
    return values


def parse_metadata(body: Buffer) -> dict[str, AmfValue] | None:
    """The properties of an `onMetaData` script tag, also behind `@setDataFrame`; None for any other script tag.

    What stands behind damage is left out, so that a broken tail costs no more than itself.
    """
    reader = _Reader(bytes(body))
    try:
        name = reader.value(0)
        if name == "@setDataFrame":
            name = reader.value(0)
        if name != "onMetaData":
            return None
    except FormatError:
        return None
    fields: dict[str, AmfValue] = {}
    try:
        kind = reader.u(1)
        if kind == ECMA_ARRAY:
            reader.u(4)
        elif kind != OBJECT:
            return fields
        reader.properties(fields, 1)
    except FormatError:
        pass
    return fields


def render(*values: AmfValue) -> bytes:
    """The body of a script tag. A dict is written as an Object."""
    out = bytearray()
    for value in values:
        _write(out, value)
    return bytes(out)


def render_ecma_array(fields: Mapping[str, AmfValue]) -> bytes:
    """As `onMetaData` wants it."""
    out = bytearray([ECMA_ARRAY])
    out += len(fields).to_bytes(4, "big")
    _write_properties(out, fields)
    return bytes(out)


def render_nulls(count: int) -> bytes:
    """A strict array of `count` nulls: 5 bytes and one for each, so that it fills any room of at least 5 bytes."""
    return bytes([STRICT_ARRAY]) + count.to_bytes(4, "big") + bytes([NULL]) * count


class _Reader:
    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def take(self, count: int) -> bytes:
        piece = self.data[self.at : self.at + count]
        if len(piece) < count:
            raise FormatError("AMF: cut short", offset=self.at)
        self.at += count
        return piece

    def u(self, count: int) -> int:
        return int.from_bytes(self.take(count), "big")

    def text(self, width: int) -> str:
        return self.take(self.u(width)).decode("utf-8", "replace")

    def value(self, depth: int) -> AmfValue:
        if depth > MAX_DEPTH:
            raise TooLarge("AMF: nested too deeply", limit=MAX_DEPTH)
        kind = self.u(1)
        match kind:
            case 0:  # NUMBER
                return _DOUBLE.unpack(self.take(8))[0]
            case 1:  # BOOLEAN
                return self.u(1) != 0
            case 2:  # STRING
                return self.text(2)
            case 5 | 6 | 13:  # NULL, UNDEFINED, UNSUPPORTED
                return None
            case 7:  # REFERENCE
                self.take(2)
                return None
            case 11:  # DATE
                when = _DOUBLE.unpack(self.take(8))[0]
                self.take(2)  # time zone: reserved, 0
                return when
            case 12 | 15:  # LONG_STRING, XML
                return self.text(4)
            case _:
                return self._compound(kind, depth)

    def _compound(self, kind: int, depth: int) -> AmfValue:
        if kind == STRICT_ARRAY:
            count = self.u(4)
            if count > len(self.data) - self.at:  # each takes a byte at least
                raise FormatError("AMF: array longer than its tag", count=count)
            if not self.data[self.at : self.at + count].strip(b"\x05"):  # room that was kept free, often 100 KB of it
                self.at += count
                nulls: list[AmfValue] = [None] * count
                return nulls
            return [self.value(depth + 1) for _ in range(count)]
        if kind == TYPED_OBJECT:
            self.text(2)
        elif kind == ECMA_ARRAY:
            self.u(4)  # a hint only; writers get it wrong
        elif kind != OBJECT:
            raise FormatError("AMF: unknown type", kind=kind)
        fields: dict[str, AmfValue] = {}
        self.properties(fields, depth + 1)
        return fields

    def properties(self, fields: dict[str, AmfValue], depth: int) -> None:
        """Read name and value pairs into `fields` up to the end mark; a missing mark at the end of the data is forgiven."""
        while self.at < len(self.data):
            name = self.text(2)
            if not name and self.at < len(self.data) and self.data[self.at] == OBJECT_END:
                self.at += 1
                return
            fields[name] = self.value(depth)


def _write(out: bytearray, value: AmfValue) -> None:
    match value:
        case None:
            out.append(NULL)
        case bool():
            out += bytes([BOOLEAN, value])
        case float() | int():
            out.append(NUMBER)
            out += _DOUBLE.pack(value)
        case str():
            text = value.encode()
            if len(text) > 0xFFFF:
                out.append(LONG_STRING)
                out += len(text).to_bytes(4, "big")
            else:
                out.append(STRING)
                out += len(text).to_bytes(2, "big")
            out += text
        case dict():
            out.append(OBJECT)
            _write_properties(out, value)
        case list():
            _write_array(out, value)


def _write_array(out: bytearray, values: Sequence[AmfValue]) -> None:
    out.append(STRICT_ARRAY)
    out += len(values).to_bytes(4, "big")
    for value in values:
        _write(out, value)


def _write_properties(out: bytearray, fields: Mapping[str, AmfValue]) -> None:
    for name, value in fields.items():
        text = name.encode()[:0xFFFF]
        out += len(text).to_bytes(2, "big")
        out += text
        _write(out, value)
    out += b"\0\0\x09"
