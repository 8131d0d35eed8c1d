"""The beginning of an answer, to see what it is; of a playlist all of it."""

from __future__ import annotations

from collections.abc import Callable

from ouzel.engine.sources.detect import SNIFF_BYTES, Kind, kind_of_bytes
from ouzel.system.http import Answer


class Enough(Exception):
    """More bytes would tell nothing."""


class Beginning:
    def __init__(self) -> None:
        self.data = bytearray()
        self.answer: Answer | None = None
        self.kind: Kind | None = None
        """As its first bytes say; None: they do not, so far."""

    def on_answer(self, answer: Answer) -> Callable[[memoryview], None]:
        """For `HttpClient.stream`, which then raises what `check` does."""
        self.answer = answer
        return self._take

    def check(self, answer: Answer) -> None:
        """After each piece. Raises: Enough, or why it is too much."""
        raise NotImplementedError

    def _take(self, piece: memoryview) -> None:
        assert self.answer is not None
        self.data += piece
        self.kind = self.kind or kind_of_bytes(bytes(self.data[:SNIFF_BYTES]), self.answer.content_type)
        self.check(self.answer)
