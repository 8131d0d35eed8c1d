"""Bodies as they are framed, and as they are coded. No I/O.

A body takes the bytes of the connection and hands out those of the message. `feed` returns how many it used; the rest belongs to
what follows. What is handed out is a view of the receive buffer, released after the call: a consumer that keeps it finds out
at once, and not when its bytes have become another channel's.

Sources: RFC 9112 sections 6 and 7; RFC 9110 section 8.4.1; RFC 1950 to 1952.
"""

from __future__ import annotations

import re
import zlib
from enum import Enum
from typing import Protocol

from ouzel.base.errors import BadResponse, ShortBody, TooLarge
from ouzel.system.http.messages import Take

_MAX_LINE = 4096
"""Bytes of a chunk's size line with its extensions."""
_MAX_TRAILER = 16 * 1024
_CHUNK_SIZE = re.compile(rb"([0-9a-fA-F]{1,15})[ \t]*(?:;.*)?")
_BETWEEN_CHUNKS = re.compile(rb"\r\n([0-9a-fA-F]{1,15})\r\n")
_INFLATE_STEP = 256 * 1024


class Body(Protocol):
    done: bool

    def feed(self, data: memoryview) -> int: ...

    def close(self) -> None:
        """The connection ended. Raises: ShortBody when the message did not."""
        ...


class Enough(Exception):  # a signal between our own callbacks: the rest of the body is of no use
    pass


class Counted:
    """A body of a known length."""

    __slots__ = ("_left", "_length", "_take", "done")

    def __init__(self, length: int, take: Take) -> None:
        self._length = length
        self._left = length
        self._take = take
        self.done = length == 0

    def feed(self, data: memoryview) -> int:
        size = len(data)
        if size < self._left:
            self._left -= size
            self._take(data)
            return size
        size, self._left, self.done = self._left, 0, True
        with data[:size] as last:
            self._take(last)
        return size

    def close(self) -> None:
        got = self._length - self._left
        raise ShortBody(
            f"the answer ended after {got} of {self._length} bytes", received_bytes=got, announced_bytes=self._length
        )


class UntilClose:
    """A body that ends with the connection."""

    __slots__ = ("_take", "done")

    def __init__(self, take: Take) -> None:
        self._take = take
        self.done = False

    def feed(self, data: memoryview) -> int:
        self._take(data)
        return len(data)

    def close(self) -> None:
        self.done = True


class _Line(Enum):
    SIZE = "size"
    END_OF_DATA = "end of data"
    TRAILER = "trailer"


class Chunked:
    """A body in chunks. Extensions and trailers are read over.

    The pieces of one call are pushed together in the receive buffer, over the framing between them, and handed out at once: a
    server that makes a chunk of every tag or packet would otherwise cost one call, and one write, for each.
    """

    __slots__ = ("_left", "_line", "_next", "_take", "_trailer", "done")

    def __init__(self, take: Take) -> None:
        self._take = take
        self._left = 0
        self._line = bytearray()
        self._next = _Line.SIZE
        self._trailer = 0
        self.done = False

    def feed(self, data: memoryview) -> int:
        pos, size = 0, len(data)
        start = end = 0  # of what is gathered in `data`
        try:
            while pos < size and not self.done:
                if not self._left:
                    pos = self._feed_framing(data, pos)
                    continue
                step = min(self._left, size - pos)
                if start == end:
                    start = end = pos
                elif end != pos:
                    data[end : end + step] = data[pos : pos + step]
                end += step
                pos += step
                self._left -= step
        finally:  # what came before a fault in the framing is good
            if end > start:
                with data[start:end] as gathered:
                    self._take(gathered)
        return pos

    def close(self) -> None:
        raise ShortBody("the answer ended in the middle of its chunks")

    def _feed_framing(self, data: memoryview, pos: int) -> int:
        """From one chunk's data to the next; by one match where both line ends are at hand."""
        if self._next is _Line.END_OF_DATA and not self._line and (found := _BETWEEN_CHUNKS.match(data, pos)):
            self._left = int(found[1], 16)
            if not self._left:
                self._next = _Line.TRAILER
            return found.end()
        return self._feed_line(data, pos)

    def _feed_line(self, data: memoryview, pos: int) -> int:
        part = bytes(data[pos : pos + 64])
        found = part.find(b"\n")
        if found < 0:
            self._line += part
            if len(self._line) > _MAX_LINE:
                raise BadResponse(f"the size line of a chunk is longer than {_MAX_LINE} bytes")
            return pos + len(part)
        self._line += part[:found]
        line = bytes(self._line).removesuffix(b"\r")
        self._line.clear()
        self._take_line(line)
        return pos + found + 1

    def _take_line(self, line: bytes) -> None:
        if self._next is _Line.SIZE:
            size = _CHUNK_SIZE.fullmatch(line)
            if size is None:
                raise BadResponse(f"the size of a chunk is {line[:40]!r}")
            self._left = int(size[1], 16)
            self._next = _Line.END_OF_DATA if self._left else _Line.TRAILER
        elif self._next is _Line.END_OF_DATA:
            if line:
                raise BadResponse("a chunk is longer than its size says")
            self._next = _Line.SIZE
        elif line:
            self._trailer += len(line)
            if self._trailer > _MAX_TRAILER:
                raise BadResponse(f"the trailer is longer than {_MAX_TRAILER} bytes")
        else:
            self.done = True


class Inflater:
    """Undoes gzip and deflate, in pieces of bounded size.

    `deflate` is taken with the zlib wrapping that the RFC asks for and without it, as some servers send it; several gzip members
    in a row are one body, and bytes after the last are ignored.

    Args:
        limit: compressed bytes to accept; None: any number. (The decompressed ones are for `take` to count.)
    """

    __slots__ = ("_coding", "_engine", "_limit", "_take")

    def __init__(self, coding: str, take: Take, *, limit: int | None = None) -> None:
        self._coding = coding
        self._take = take
        self._limit = limit
        self._engine = None

    def feed(self, data: memoryview) -> None:
        if self._limit is not None:
            self._limit -= len(data)
            if self._limit < 0:
                raise TooLarge("the compressed answer is too large")
        piece: memoryview | bytes = data
        while piece:
            if self._engine is None:
                self._engine = zlib.decompressobj(self._window_bits(piece[0]))
            elif self._engine.eof:
                if self._coding == "deflate" or piece[0] != 0x1F:
                    return
                self._engine = zlib.decompressobj(31)
            try:
                out = self._engine.decompress(piece, _INFLATE_STEP)
            except zlib.error as exc:
                raise BadResponse(f"the compressed answer is damaged: {exc}") from None
            if out:
                self._take(memoryview(bytearray(out)))
            piece = self._engine.unused_data if self._engine.eof else self._engine.unconsumed_tail

    def close(self) -> None:
        """The coded body is complete. Raises: ShortBody when the data in it is not."""
        if self._engine is not None and not self._engine.eof:
            raise ShortBody("the compressed answer ends too early")

    def _window_bits(self, first: int) -> int:
        if self._coding != "deflate":
            return 31
        return 15 if first & 0x0F == 8 else -15


class Collector:
    """Keeps a body up to a limit."""

    __slots__ = ("_limit", "data")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self.data = bytearray()

    def take(self, piece: memoryview) -> None:
        if len(self.data) + len(piece) > self._limit:
            raise TooLarge(f"the answer has more than {self._limit} bytes", limit=self._limit)
        self.data += piece


class Excerpt:
    """Keeps the beginning of a body that nobody asked for, and has enough when it goes on for too long."""

    __slots__ = ("_keep", "_room", "data")

    def __init__(self, keep: int, limit: int) -> None:
        self._keep = keep
        self._room = limit
        self.data = b""

    def take(self, piece: memoryview) -> None:
        if len(self.data) < self._keep:
            self.data += bytes(piece[: self._keep - len(self.data)])
        self._room -= len(piece)
        if self._room < 0:
            raise Enough


class Window:
    """Hands out `size` bytes of a body after the first `skip`; `size` None: all the rest.

    Args:
        ends: whether the body is known to end where the window does. Otherwise the window has Enough when it is full.
    """

    __slots__ = ("_ends", "_skip", "_take", "left")

    def __init__(self, skip: int, size: int | None, take: Take, *, ends: bool) -> None:
        self._skip = skip
        self.left = size
        self._take = take
        self._ends = ends

    def take(self, piece: memoryview) -> None:
        step = min(self._skip, len(piece))
        self._skip -= step
        size = len(piece) - step
        if self.left is not None:
            size = min(size, self.left)
            self.left -= size
        if size:
            with piece[step : step + size] as wanted:
                self._take(wanted)
        if self.left == 0 and not self._ends:
            raise Enough

    def close(self) -> None:
        """The body is complete. Raises: ShortBody when it did not reach the end of the window."""
        if self._skip or self.left:
            raise ShortBody("the answer ended before the end of the range", missing_bytes=self._skip + (self.left or 0))
