"""The stream of a platform's page, as a recorder asks for it: at the start, after each drop, and before its address expires."""

from __future__ import annotations

from dataclasses import replace

from ouzel.base.errors import OuzelError
from ouzel.model.choice import Taste, choose
from ouzel.model.live import Answer, Offline
from ouzel.model.stream import Stream
from ouzel.platforms.contract import Options
from ouzel.platforms.host import ResolverHost
from ouzel.system.clock import Clock

_AT_ONCE_S = 20.0
"""An address that is asked for anew so soon did not work: another delivery of the same quality is tried."""


class PageResolver:
    """One page. `first`: an answer that is there already."""

    def __init__(
        self,
        host: ResolverHost,
        url: str,
        options: Options,
        taste: Taste,
        clock: Clock,
        first: Answer | OuzelError | None = None,
    ) -> None:
        self._host = host
        self._url = url
        self._options = options
        self._taste = taste
        self._clock = clock
        self._first = first
        self._given: Stream | None = None
        self._given_at = float("-inf")
        self._failed: set[tuple[str, str]] = set()

    async def resolve(self) -> Stream | None:
        """The chosen stream; None when the channel is offline. Raises: SiteError, NetworkError, UnknownQuality."""
        answer, self._first = self._first, None
        if answer is None:
            told = await self._host.resolve(self._url, self._options)
            answer = told.outcome
        if isinstance(answer, OuzelError):
            raise answer
        if isinstance(answer, Offline):
            return None
        self._note_failure()
        failed = {s for s in answer.streams if _delivery(s) in self._failed}
        if len(failed) == len(answer.streams):
            self._failed.clear()
        chosen = choose(answer.streams, self._taste, failed=failed)
        self._given, self._given_at = chosen, self._clock.monotonic()
        return replace(chosen, title=answer.title, quality=self._quality_within(chosen))

    def _quality_within(self, chosen: Stream) -> str:
        """What is left to choose in a master playlist: where the platform named no qualities, what was asked for."""
        return "best" if chosen.label or chosen.level or chosen.height else self._taste.quality

    def _note_failure(self) -> None:
        if self._given is None:
            return
        if self._clock.monotonic() - self._given_at < _AT_ONCE_S:
            self._failed.add(_delivery(self._given))
        else:
            self._failed.clear()


def _delivery(stream: Stream) -> tuple[str, str]:
    """What stays the same when an address is signed anew."""
    return stream.url.partition("?")[0], stream.label
