"""Where the files of a download lie, and how they get the name that is wanted."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from ouzel.base.errors import NotALedger, OutputExists
from ouzel.engine import ledgers
from ouzel.engine.download.file import begun_as
from ouzel.engine.ledgers import Held
from ouzel.engine.sinks.file import LEDGER, PART, sync_folder
from ouzel.engine.sinks.lines import refuse_existing, storage_error
from ouzel.model import ledger
from ouzel.model.ledger_lines import Opening

TRACKS = ".tracks"
"""Ending of the folder in which tracks lie until they are joined."""

_LINE_BYTES = 1 << 20


def name_of(stem: str, part: int, ending: str) -> str:
    """Of the files of one track, which is `part` of them from 1."""
    return f"{stem}.{ending}" if part == 1 else f"{stem}_{part}.{ending}"


def is_home(folder: Path, stem: str, format_: str | None) -> bool:
    """Whether what is wanted is there as it was fetched, or begun, from a call before this one. Blocking."""
    ending = begun_as(folder / f"{stem}{LEDGER}")
    if ending is None or format_ not in {None, ending}:
        return False
    return any((folder / f"{stem}.{ending}{part}").exists() for part in ("", PART))


def clear_beginning(product: Path, main: Path) -> None:
    """A ledger that was written for a product of this track, when a kill has come before its file got its name. Blocking.

    Raises: StorageError.
    """
    book = product.with_suffix(LEDGER)
    if not product.exists() and (told := _opening(book)) is not None and told == _opening(main.with_suffix(LEDGER)):
        book.unlink()


def begun_in(folder: Path, stem: str) -> dict[str, str]:
    """Of downloads whose names are `stem`, `stem_2` …, the addresses that their ledgers tell. Blocking. Raises: StorageError."""
    found: dict[str, str] = {}
    try:
        entries = os.listdir(folder)  # noqa: PTH208  # names are enough
    except FileNotFoundError:
        return found
    except OSError as exc:
        raise storage_error(exc, folder) from exc
    for entry in sorted(entries):
        name, dot, kind = entry.rpartition(".")
        if not dot or f".{kind}" not in {LEDGER, TRACKS} or not (name == stem or name.startswith(f"{stem}_")):
            continue
        path = folder / entry
        for book in [path] if f".{kind}" == LEDGER else sorted(path.glob(f"*{LEDGER}")):
            if (told := _opening(book)) is not None and told.download:
                found.setdefault(name, told.source)
    return found


def refuse_taken(product: Path, main: Path) -> None:
    """Raises: OutputExists, with `other`, when the product's place is that of something else; StorageError. Blocking.

    Args:
        main: the main track, without its ending: a ledger that begins as that of this track is the product's own.
    """
    book = product.with_suffix(LEDGER)
    told = _opening(book)
    if told is not None and told == _opening(main.with_name(f"{main.name}{LEDGER}")):
        return
    for path in (book, product):
        if os.path.lexists(path):
            raise OutputExists(f"{path} exists already; give another name or remove it", other=True)


def product_of(folder: Path, stem: str, format_: str | None, names: Sequence[str]) -> Held | None:
    """What was made of a track with these pieces, by a call that was ended before it could say so. Blocking.

    Args:
        names: identities of the main track's pieces.
    Raises: NotALedger, StorageError.
    """
    for ending in [format_] if format_ else ["mp4", "mkv"]:
        path = folder / f"{stem}.{ending}"
        if path.exists() and (held := ledgers.find(path)) is not None:
            whole = held.product is None or held.product.size == path.stat().st_size
            if held.opening.download and whole and [chunk.identity for chunk in held.ledger.chunks] == [*names]:
                return held
    return None


def clear_tracks(folder: Path, stem: str) -> None:
    """What a kill has left of tracks that are in a product; subtitles may be in none. Blocking. Raises: StorageError."""
    tracks = folder / f"{stem}{TRACKS}"
    if not tracks.is_dir():
        return
    try:
        for path in sorted(tracks.iterdir()):
            if not path.name.startswith("subtitles") or ".clean" in path.suffixes:
                path.unlink()
        if not any(tracks.iterdir()):
            tracks.rmdir()
    except OSError as exc:
        raise storage_error(exc, tracks) from exc


def finish_coming(folder: Path, stem: str, name: str) -> None:
    """A track of which the ledger has its new name, and its media not yet: a kill has come in between. Blocking.

    Raises: StorageError.
    """
    book = folder / f"{stem}{LEDGER}"
    told = _opening(book)
    if told is None or not told.download:
        return
    ending = Path(told.file).suffix
    here, there = folder / f"{stem}{TRACKS}" / f"{name}{ending}", folder / f"{stem}{ending}"
    if told.file == here.name and here.exists() and not there.exists() and not here.with_suffix(LEDGER).exists():
        try:
            here.rename(there)
            sync_folder(folder)
        except OSError as exc:
            raise storage_error(exc, there) from exc


def _opening(book: Path) -> Opening | None:
    try:
        with book.open("rb") as file:
            return ledger.read(file.readline(_LINE_BYTES)).opening
    except (FileNotFoundError, NotALedger):
        return None
    except OSError as exc:
        raise storage_error(exc, book) from exc


def bring_home(old: Sequence[Path], new: Sequence[Path]) -> None:
    """Rename files with their ledgers; their folder goes when nothing is left in it. Blocking.

    Raises: OutputExists, StorageError.
    """
    try:
        for here, there in zip(old, new, strict=True):
            for path in (there, there.with_suffix(LEDGER)):
                refuse_existing(path)
            here.with_suffix(LEDGER).rename(there.with_suffix(LEDGER))
            here.rename(there)
        sync_folder(new[0].parent)
        if not any(old[0].parent.iterdir()):
            old[0].parent.rmdir()
    except OSError as exc:
        raise storage_error(exc, new[0]) from exc
