"""Where a recording was broken off, as the ledgers of its files tell it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from ouzel.base.errors import NotALedger, StorageError
from ouzel.engine import ledgers, parts
from ouzel.engine.parts import Broken
from ouzel.engine.sinks.file import PART
from ouzel.model.ledger import Ledger
from ouzel.model.recording import RecordedFile, Recording


def broken_off(recording: Recording, files: Sequence[RecordedFile], folders: Mapping[str, Path]) -> Broken:
    """Blocking.

    Args:
        files: of the recording, at least one, in the order in which they were on air.
        folders: of the storage roots, by name.
    """
    held = ((_ledger(file, folders), file.media_s) for file in reversed(files))
    return parts.broken_off(files[-1].part, held, files[-1].closed_at or recording.updated_at)


def _ledger(file: RecordedFile, folders: Mapping[str, Path]) -> Ledger | None:
    """None where there is none any more."""
    if file.root not in folders:
        return None
    path = folders[file.root] / file.path
    try:
        held = ledgers.find(path) or ledgers.find(path.with_name(path.name + PART))
    except (NotALedger, StorageError):
        return None
    return held.ledger if held is not None else None
