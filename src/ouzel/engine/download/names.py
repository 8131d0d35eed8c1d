"""What the file of a download may be called, when nobody has named it."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from ouzel.base.errors import OutputExists
from ouzel.engine.download.asking import Address
from ouzel.model.downloads import DownloadWish
from ouzel.model.naming import safe_name, telling_name

_MOST = 1000


class Names:
    """Of all downloads of a process: two addresses that end alike get two names."""

    def __init__(self) -> None:
        self._held: dict[tuple[Path, str], str] = {}

    def of(self, wish: DownloadWish, address: Address, ending: str = "") -> Iterator[str]:
        """One after the other, without an ending: what another address has at the moment is left out.

        Args:
            ending: of a plain file, which gets it back.
        Raises: OutputExists in the end.
        """
        if wish.stem:
            yield wish.stem
            return
        url = urlsplit(address.stream.url)
        stem = safe_name(address.title or telling_name(url.path, url.hostname or ""), fallback="download")
        if ending:
            stem = stem.removesuffix(f".{ending}") or stem
        for number in range(1, _MOST):
            name = stem if number == 1 else f"{stem}_{number}"
            if self._held.get(_key(wish, name), wish.url) == wish.url:
                yield name
        raise OutputExists(f"there are {_MOST} files of this name in {wish.folder}")

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


def _key(wish: DownloadWish, name: str) -> tuple[Path, str]:
    return wish.folder, name.casefold()  # some file systems know no letter case
