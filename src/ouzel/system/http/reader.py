"""Reads one answer from the bytes of a connection. No I/O: any split of the bytes gives the same answer."""

from __future__ import annotations

from collections.abc import Callable

from ouzel.base.errors import BadResponse, ConnectionLost
from ouzel.system.http.bodies import Body, Chunked, Counted, UntilClose
from ouzel.system.http.heads import Head, HeadReader
from ouzel.system.http.messages import Take

_MAX_INTERIM = 16
"""Answers of the 1xx kind before the one that counts."""


class AnswerReader:
    """Feeds on the connection's bytes until the answer is complete.

    Args:
        on_head: called with the head of the final answer; returns what takes its body. What it or the taker raises comes out of
            `feed`.
    """

    __slots__ = ("_body", "_head", "_interim", "_keep", "_on_head", "done", "received")

    def __init__(self, on_head: Callable[[Head], Take]) -> None:
        self._on_head = on_head
        self._head = HeadReader()
        self._body: Body | None = None
        self._interim = 0
        self.received = 0
        """Bytes from the connection since the request. A time limit watches it grow."""
        self.done = False
        self._keep = False

    @property
    def reusable(self) -> bool:
        """Whether the connection can serve another request: not before this answer was read to its end."""
        return self.done and self._keep

    @property
    def head_done(self) -> bool:
        return self._body is not None

    @property
    def endless(self) -> bool:
        """Whether there is a body, and only its end will tell where it ends."""
        return self._body is not None and not isinstance(self._body, Counted)

    def feed(self, data: memoryview) -> None:
        """Raises: BadResponse, and whatever the callbacks raise."""
        self.received += len(data)
        if self._body is not None:
            self._feed_body(self._body, data)
            return
        while self._body is None and data:
            head, data = self._head.feed(data)
            if head is not None:
                self._take_head(head)
        if self._body is not None:
            with data:
                self._feed_body(self._body, data)

    def close(self) -> None:
        """The connection ended in good order. Raises: ConnectionLost, ShortBody when the answer was not complete."""
        if self.done:
            return
        if self._body is None:
            where = "in the middle of the head of its answer" if self.received else "without an answer"
            raise ConnectionLost(f"the server closed the connection {where}")
        self._body.close()
        self.done = True

    def _feed_body(self, body: Body, data: memoryview) -> None:
        used = body.feed(data) if data and not body.done else 0
        if body.done:
            self.done = True
            self._keep = self._keep and used == len(data)

    def _take_head(self, head: Head) -> None:
        if head.status == 101:
            raise BadResponse("the server switched to another protocol, which was not asked for")
        if head.status < 200:
            self._interim += 1
            if self._interim > _MAX_INTERIM:
                raise BadResponse(f"the server sent more than {_MAX_INTERIM} interim answers")
            self._head = HeadReader()
            return
        take, self._on_head = self._on_head(head), _no_more  # and so no cycle is left for the collector of garbage
        if head.status in (204, 304):
            self._body = Counted(0, take)
        elif head.chunked:
            self._body = Chunked(take)
        elif head.length is not None:
            self._body = Counted(head.length, take)
        else:
            self._body = UntilClose(take)
        self._keep = head.keep_alive and not isinstance(self._body, UntilClose)


def _no_more(_head: Head) -> Take:
    raise AssertionError("one answer has one final head")
