"""One hop of a request: what the head of its answer led to."""

from __future__ import annotations

from collections.abc import Callable

from ouzel.base.errors import BadResponse
from ouzel.base.urls import Url
from ouzel.system.http.bodies import Excerpt, Inflater, Window
from ouzel.system.http.heads import Head
from ouzel.system.http.messages import Answer, Request, Take
from ouzel.system.http.verdicts import EXCERPT_BYTES, part_of

MAX_SKIP = 64 * 1024 * 1024
"""Bytes to read over where a server does not give ranges."""
_MAX_UNWANTED = 64 * 1024
"""Bytes of an answer that says no, or elsewhere, to read so that the connection can be kept."""
_CODINGS = {"gzip": "gzip", "x-gzip": "gzip", "deflate": "deflate"}
_NOT_READ = frozenset({"br", "zstd", "compress", "x-compress", "dcb", "dcz"})
_COMPRESSED_ROOM = 64 * 1024


class Visit:
    """Judges a head as it comes, and sets up the way of the body to its taker.

    Args:
        on_answer: for a 2xx answer.
        on_no: called when it is another one: what follows is of little interest.
        max_bytes: limit for a compressed body; None: none.
    """

    def __init__(
        self,
        request: Request,
        url: Url,
        *,
        redirects: int,
        reused: bool,
        max_bytes: int | None,
        on_answer: Callable[[Answer], Take],
    ) -> None:
        self._request = request
        self._url = url
        self._redirects = redirects
        self._reused = reused
        self._max_bytes = max_bytes
        self._on_answer = on_answer
        self._excerpt: Excerpt | None = None
        self._window: Window | None = None
        self._inflater: Inflater | None = None
        self.on_no: Callable[[], None] = lambda: None
        self.head: Head | None = None
        self.answer: Answer | None = None

    @property
    def settled(self) -> bool:
        """Whether it is clear that there is no body to wait for."""
        return self.head is not None and not _is_good(self.head)

    @property
    def excerpt(self) -> bytes:
        return b"" if self._excerpt is None else self._excerpt.data

    def on_head(self, head: Head) -> Take:
        """Raises: BadResponse, and whatever `on_answer` raises."""
        self.head = head
        if not _is_good(head):
            self.on_no()
            self._excerpt = Excerpt(EXCERPT_BYTES, _MAX_UNWANTED)
            return self._excerpt.take
        coding = _coding(head)
        part = part_of(head, self._request.byte_range, MAX_SKIP)
        ranged = self._request.byte_range is not None or head.status == 206
        if coding is not None and ranged:
            raise BadResponse(f"the server was asked for a range and sent it compressed ({coding})")
        length = 0 if head.status == 204 else part.size
        self.answer = Answer(
            status=head.status,
            headers=head.headers,
            url=str(self._url),
            redirects=self._redirects,
            reused=self._reused,
            length=length if coding is None else None,
        )
        take = self._on_answer(self.answer)
        if coding is not None:
            limit = None if self._max_bytes is None else self._max_bytes + _COMPRESSED_ROOM
            self._inflater = Inflater(coding, take, limit=limit)
            return self._inflater.feed
        if ranged:
            self._window = Window(part.skip, part.size, take, ends=part.ends)
            return self._window.take
        return take

    def close(self) -> None:
        """The body is complete, as its framing says. Raises: ShortBody when its content says otherwise."""
        if self._inflater is not None:
            self._inflater.close()
        if self._window is not None:
            self._window.close()


def _is_good(head: Head) -> bool:
    return 200 <= head.status < 300


def _coding(head: Head) -> str | None:
    """How the body is compressed; None when it is not.

    Words that name no compression (`utf-8`, `none`, `binary`) are misunderstandings of servers, and mean nothing.
    """
    words = [word.strip().lower() for value in head.headers.all("content-encoding") for word in value.split(",")]
    words = [word for word in words if word in _CODINGS or word in _NOT_READ]
    if not words:
        return None
    if len(words) > 1 or words[0] in _NOT_READ:
        raise BadResponse(f"the answer is compressed as {', '.join(words)}, which was not asked for")
    return _CODINGS[words[0]]
