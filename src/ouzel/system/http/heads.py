"""The head of an answer: status line and header fields. No I/O.

The grammar is llhttp's (`httptools`), strict but for two things that servers in the field get wrong without harm: lines that end
in a bare LF, and a Content-Length beside Transfer-Encoding (which then has no meaning, and the connection is not kept).

Sources: RFC 9112 sections 2 to 6; RFC 9110.
"""

from __future__ import annotations

from typing import NamedTuple

import httptools

from ouzel.base.errors import BadResponse
from ouzel.system.http.messages import Headers

MAX_HEAD = 64 * 1024
_STEP = 4096  # most heads are shorter, and what follows is body, not to be copied
_MAX_BLANK = 64


class Head(NamedTuple):
    status: int
    reason: str
    headers: Headers
    keep_alive: bool
    """Whether the server means to keep the connection; the body's framing has a say too."""
    chunked: bool
    length: int | None
    """Content-Length, where it counts."""


class HeadReader:
    """Gathers a head from pieces of any size."""

    __slots__ = ("_blank", "_data")

    def __init__(self) -> None:
        self._data = bytearray()
        self._blank = 0

    def feed(self, data: memoryview) -> tuple[Head | None, memoryview]:
        """Take some bytes. Returns: the head once it is complete, and the bytes not used.

        Raises: BadResponse for what is not HTTP, or longer than MAX_HEAD.
        """
        if not self._data:
            data = self._skip_blank(data)
        known = len(self._data)
        piece = data[: min(_STEP, MAX_HEAD - known)]
        self._data += piece
        if not self._data.startswith(b"HTTP/"[: len(self._data)]):
            raise BadResponse(f"the server does not speak HTTP: its answer begins with {bytes(self._data[:16])!r}")
        end = self._end(max(0, known - 3))
        if end:
            return parse_head(bytes(self._data[:end])), data[end - known :]
        if len(self._data) >= MAX_HEAD:
            raise BadResponse(f"the head of the answer is longer than {MAX_HEAD} bytes")
        return None, data[len(piece) :]

    def _skip_blank(self, data: memoryview) -> memoryview:
        """Line ends before a status line, left over from the answer before (RFC 9112 section 2.2)."""
        while data and data[0] in b"\r\n":
            data = data[1:]
            self._blank += 1
            if self._blank > _MAX_BLANK:
                raise BadResponse("the answer begins with blank lines")
        return data

    def _end(self, start: int) -> int:
        """Where the head ends; 0 when it does not yet."""
        strict = self._data.find(b"\n\r\n", start)
        bare = self._data.find(b"\n\n", start)
        if bare >= 0 and (strict < 0 or bare < strict):
            return bare + 2
        return strict + 3 if strict >= 0 else 0


def parse_head(data: bytes) -> Head:
    """A whole head, with the empty line that ends it. Raises: BadResponse."""
    fields = _Fields()
    parser = httptools.HttpResponseParser(fields)
    parser.set_dangerous_leniencies(lenient_optional_cr_before_lf=True, lenient_chunked_length=True)
    try:
        parser.feed_data(data)
    except httptools.HttpParserUpgrade:
        pass  # a 101; the reader refuses it by its status
    except httptools.HttpParserError as exc:
        raise BadResponse(f"the head of the answer is malformed: {exc}") from None
    if not fields.complete:
        raise BadResponse("the head of the answer is malformed")
    headers = Headers(fields.fields)
    status = parser.get_status_code()
    chunked = _is_chunked(headers)
    length = headers.get("content-length")
    return Head(
        status=status,
        reason=_text(fields.reason),
        headers=headers,
        keep_alive=_keeps_alive(parser.get_http_version(), headers) and not (chunked and length is not None),
        chunked=chunked,
        length=None if chunked or length is None else int(length),
    )


class _Fields:
    """What llhttp calls back with."""

    __slots__ = ("complete", "fields", "reason")

    def __init__(self) -> None:
        self.fields: list[tuple[str, str]] = []
        self.reason = b""
        self.complete = False

    def on_status(self, reason: bytes) -> None:
        self.reason += reason

    def on_header(self, name: bytes, value: bytes) -> None:
        self.fields.append((name.decode("ascii"), _text(value).strip(" \t")))

    def on_headers_complete(self) -> None:
        self.complete = True


def _text(value: bytes) -> str:
    """UTF-8 where it is that, as in the Location of many a server; else every byte a character."""
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")


def _words(headers: Headers, name: str) -> list[str]:
    return [word.strip().lower() for value in headers.all(name) for word in value.split(",") if word.strip()]


def _is_chunked(headers: Headers) -> bool:
    codings = [word for word in _words(headers, "transfer-encoding") if word != "identity"]
    if codings and codings != ["chunked"]:
        raise BadResponse(f"the answer has the transfer encoding {', '.join(codings)}, which was not asked for")
    return bool(codings)


def _keeps_alive(version: str, headers: Headers) -> bool:
    words = _words(headers, "connection")
    return "close" not in words and (version == "1.1" or "keep-alive" in words)
