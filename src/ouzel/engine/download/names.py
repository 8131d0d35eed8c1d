"""What the file of a download may be called, when nobody has named it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from ouzel.base.errors import OutputExists
from ouzel.base.urls import redact
from ouzel.engine.download.asking import Address
from ouzel.model.downloads import DownloadWish
from ouzel.model.naming import safe_name, telling_name

_MOST = 1000


class Names:
    """Of all downloads of a process: two addresses that end alike get two names."""

    def __init__(self) -> None:
        self._held: dict[tuple[Path, str], str] = {}
        self._running: Counter[str] = Counter()

    def of(self, wish: DownloadWish, stem: str, begun: Mapping[str, str]) -> Iterator[str]:
        """One after the other, without an ending: what was begun of the same address first. What another address has, or what was
        begun of one that runs, is left out: a name would be taken by whoever comes first, and the same call would fetch anew.

        Args:
            stem: what it would be called if it were alone.
            begun: of names that are taken in its folder, the addresses that their ledgers tell.
        Raises: OutputExists in the end.
        """
        if wish.stem:
            yield wish.stem
            return
        source = redact(wish.url)
        others = {redact(url) for url in self._running if url != wish.url} - {source}
        names = [stem, *(f"{stem}_{number}" for number in range(2, _MOST))]
        for name in sorted(names, key=lambda each: begun.get(each) != source):
            if begun.get(name) not in others and self._held.get(_key(wish, name), wish.url) == wish.url:
                yield name
        raise OutputExists(f"there are {_MOST} files of this name in {wish.folder}")

    @contextmanager
    def running(self, wish: DownloadWish) -> Generator[None]:
        """What was begun of its address is its own meanwhile."""
        self._running[wish.url] += 1
        try:
            yield
        finally:
            self._running -= Counter([wish.url])

    @contextmanager
    def held(self, wish: DownloadWish, name: str) -> Generator[None]:
        """Nobody else is offered it meanwhile."""
        key = _key(wish, name)
        if key in self._held:
            yield  # its own address has it twice: the lock of the ledger says so
            return
        self._held[key] = wish.url
        try:
            yield
        finally:
            del self._held[key]


def stem_of(wish: DownloadWish, address: Address, ending: str = "") -> str:
    """What it is called, without its ending.

    Args:
        ending: of a plain file, which gets it back.
    """
    if wish.stem:
        return wish.stem
    url = urlsplit(address.stream.url)
    stem = safe_name(address.title or telling_name(url.path, url.hostname or ""), fallback="download")
    return (stem.removesuffix(f".{ending}") if ending else stem) or stem


def _key(wish: DownloadWish, name: str) -> tuple[Path, str]:
    return wish.folder, name.casefold()  # some file systems know no letter case
