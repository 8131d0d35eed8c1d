"""Where files are: storage roots by name; a file outside of all has its own folder as its root."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from ouzel.base.errors import NotFound
from ouzel.model.recording import RecordedFile


class Places:
    """Args:
    roots: folders of the storage roots by name.
    require: raises RootMissing while the disk of one is not mounted; blocking.
    """

    def __init__(self, roots: Mapping[str, Path], require: Callable[[str], None] = lambda _root: None) -> None:
        self.roots = roots
        self._require = require

    def require(self, root: str) -> None:
        """Blocking. Raises: RootMissing: its disk is not mounted; NotFound."""
        if root in self.roots:
            self._require(root)
        else:
            self.folder(root)

    def folder(self, root: str) -> Path:
        """Raises: NotFound: the configuration has no such root any more."""
        folder = self.roots.get(root, Path(root))
        if not folder.is_absolute():
            raise NotFound(f"there is no storage root {root[:60]}; there is {', '.join(self.roots)}")
        return folder

    def path(self, file: RecordedFile) -> Path:
        """Absolute. Raises: NotFound."""
        return self.folder(file.root) / file.path

    def place(self, path: Path, root: str = "") -> tuple[str, str]:
        """Root, and path from there on. Args: root: in which it is, if its folder is one that has no name."""
        named = next(((name, folder) for name, folder in self.roots.items() if path.is_relative_to(folder)), None)
        name, folder = named or (root or str(path.parent), Path(root or path.parent))
        return name, path.relative_to(folder).as_posix()
