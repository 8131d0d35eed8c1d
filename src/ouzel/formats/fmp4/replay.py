"""Recognising what a server sends again after a reconnect: some begin each answer with the first fragment of the file.

A fragment is known by its `moof` as it came (number, decode times, sizes) and by its data. Neither alone would do: an encoder
that begins again may count from where it did before and give each sample the same size, and a still picture has the same data
each time.
"""

from __future__ import annotations

import xxhash

STUCK_AFTER = 10
"""Replays in a row, with nothing new between them, after which a server that goes round is stuck (BililiveRecorder's figure)."""


class Print:
    """What is remembered of one fragment; its data are added as they pass."""

    __slots__ = ("_data", "moof")

    def __init__(self, moof: bytes) -> None:
        self.moof = xxhash.xxh3_64_intdigest(moof)
        self._data = xxhash.xxh3_64()

    def add(self, data: bytes | memoryview) -> None:
        self._data.update(data)

    @property
    def data(self) -> int:
        return self._data.intdigest()


class ReplayMemory:
    """The last fragments that were kept.

    Args:
        size: how many; 0 switches recognition off.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._kept: dict[int, int] = {}  # the moof's digest to that of the data, in the order in which they came last
        self._run: set[int] = set()
        self._length = 0
        self._looped = False

    @property
    def enabled(self) -> bool:
        return self._size > 0

    def knows(self, fragment: Print) -> bool:
        """Whether it says of itself what one of those that were kept said: its data will decide."""
        return fragment.moof in self._kept

    def is_replay(self, fragment: Print) -> bool:
        """Whether it is one of those, now that its data are there."""
        return self._kept.get(fragment.moof) == fragment.data

    def keep(self, fragment: Print) -> None:
        """It is in the file."""
        self._kept.pop(fragment.moof, None)
        self._kept[fragment.moof] = fragment.data
        if len(self._kept) > self._size:
            del self._kept[next(iter(self._kept))]
        self.splice()

    def splice(self) -> None:
        """Another connection: it may go through all that was kept before it comes to something new."""
        self._run.clear()
        self._length, self._looped = 0, False

    def drop(self, fragment: Print) -> bool:
        """It was a replay. Returns: whether the server is stuck: it goes round, and nothing new comes."""
        self._looped = self._looped or fragment.moof in self._run
        self._run.add(fragment.moof)
        self._length += 1
        return self._looped and self._length > STUCK_AFTER
