"""Moves pieces that stand elsewhere than they belong, because a length was learned that nobody knew when they were written."""

from __future__ import annotations

import anyio
import anyio.to_thread

from ouzel.engine.download.taker import Place


async def straighten(place: Place) -> None:
    """While others may write to places that they have: those lie before everything that has to move.

    Each move ends with its line, also when this is cancelled: at most one piece is between two places.

    Raises: DiskFull, ReadOnly, StorageError.
    """
    file, layout = place.file, place.layout
    while moves := layout.moves():  # more lengths may be learned on the way
        for move in moves:
            with anyio.CancelScope(shield=True):
                moved = await anyio.to_thread.run_sync(file.move, file.whole[move.position], move.by)
                file.commit(moved)
                layout.stand(move.position, moved.offset, moved.length)
    place.crooked = False
