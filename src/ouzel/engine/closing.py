"""What a container needs at its end, from the ledger alone: its duration and an index of its key frames."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ouzel.engine.sinks.file import storage_error
from ouzel.model.ledger import Ledger

Patches = Sequence[tuple[int, bytes]]
"""Offset in the file, and the bytes to write there; all within the head, which no chunk's digest covers."""


def closing_patches(part: Path, held: Ledger) -> tuple[Patches, bytes]:
    """What to write into a file whose last chunk is in, and what to append.

    Depends on nothing but the head and the ledger, and fills room that the head has kept: done again it changes nothing.
    Raises: FormatError when the head is not one of ours; StorageError.
    """
    head = held.head
    if head is None or held.opening.container == "ts":
        return (), b""
    try:
        with part.open("rb") as file:
            data = file.read(head.length)
    except OSError as exc:
        raise storage_error(exc, part) from exc
    keys = [(chunk.offset + key.offset, key.at_s) for chunk in held.chunks for key in chunk.keys]
    if held.opening.container == "flv":
        from ouzel.formats.flv.head import finish as finish_flv

        times = [(at_s, offset) for offset, at_s in keys]
        return finish_flv(data, times, duration_s=held.media_s, size=held.media_end), b""
    from ouzel.formats import fmp4

    done = fmp4.finish(data, held.media_s, keys)
    return done.patches, done.tail
