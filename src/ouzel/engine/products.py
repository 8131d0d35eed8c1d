"""Products on the disk: unfinished under a name of their own, written down and named once they are good; originals that go.

NAME.mp4.converting ─▶ line in NAME.ledger ─▶ NAME.mp4
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from ouzel.base.errors import NotALedger
from ouzel.engine import ledgers
from ouzel.engine.sinks.file import storage_error, sync_folder
from ouzel.engine.sinks.lines import refuse_existing
from ouzel.model import ledger
from ouzel.model.ledger_lines import Product


def settle(temporary: Path, out: Path, write_down: Callable[[], None]) -> None:
    """A product is good: make it last, write it down, give it its name. Blocking. Raises: OutputExists, StorageError."""
    try:
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        write_down()
        refuse_existing(out)
        temporary.rename(out)
        sync_folder(out.parent)
    except OSError as exc:
        raise storage_error(exc, out) from exc


def write_down(held: ledgers.Held, out: Path, product: Product) -> None:
    """Beside its source a product shares its ledger; elsewhere it gets a copy, so that gaps and wall times are told there too.

    Blocking. Raises: NotALedger, FileBusy, StorageError.
    """
    path = ledgers.ledger_path(out)
    if path == held.ledger_path or path.exists():
        ledgers.append(path, [product])
    else:
        told = ledgers.content(held.ledger_path)
        ledgers.create(path, told[: ledger.whole_length(told)] + ledger.render(product))


def tells_of(path: Path, held: ledgers.Held) -> bool:
    """Whether the ledger at this path is a copy of that of the source: it was written for a product of it. Blocking."""
    try:
        return ledger.read(ledgers.content(path)).opening == held.opening
    except (FileNotFoundError, NotALedger):
        return False


def is_whole(held: ledgers.Held, how: str, on_bytes: ledgers.OnBytes | None = None) -> bool:
    """Whether what has the name of a product is one that was made in this way, and is as its ledger tells. Blocking.

    Raises: StorageError.
    """
    product = held.product
    if product is None or (product.how, product.file) != (how, held.media.name):
        return False
    return ledgers.digest(held.media, on_bytes) == product.digest


def remove(original: Path) -> None:
    """Once there is a product of it. Blocking. Raises: StorageError."""
    try:
        original.unlink(missing_ok=True)
        sync_folder(original.parent)
    except OSError as exc:
        raise storage_error(exc, original) from exc


def drop_ledger(original: Path) -> None:
    """That of an original that went, where no other file that it tells of is there. Blocking. Raises: StorageError."""
    path = ledgers.ledger_path(original)
    try:
        held = ledger.read(ledgers.content(path))
        if not any(media.exists() for media in ledgers.media_of(path, held)):
            path.unlink()
            sync_folder(path.parent)
    except (FileNotFoundError, NotALedger):
        return
    except OSError as exc:
        raise storage_error(exc, path) from exc
