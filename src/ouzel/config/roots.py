"""Storage roots: the one that there always is, and those of `[storage.roots.NAME]`."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from ouzel.base.errors import BadConfig
from ouzel.config.settings import Settings
from ouzel.config.tables import RootSettings, StorageSettings

USUAL = "recordings"
"""Its folder is that of `[storage] recordings`."""
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")


def wrong_name(name: str, path: Path) -> str:
    """What is wrong with a root that has this name and path, in words; empty: nothing. Pure."""
    table = f"[storage.roots.{name[:60]}]"
    if not _NAME.fullmatch(name):
        return f"{table}: a name has small letters a to z, digits, - and _, at most 40"
    if name == USUAL and path != Path():
        return f"{table} has a path: the folder of this root stands in [storage] recordings"
    return f"{table} has no path" if name != USUAL and path == Path() else ""


def storage_roots(settings: Settings) -> Mapping[str, RootSettings]:
    """All that there are, with what counts for each; the usual one first. Args: settings: as `load` made them."""
    storage = settings.storage
    usual = replace(settings.roots.get(USUAL, RootSettings()), path=storage.recordings)
    named = {USUAL: usual} | {name: root for name, root in settings.roots.items() if name != USUAL}
    return {name: _with_floor(root, storage) for name, root in named.items()}


def check_apart(settings: Settings) -> None:
    """What lies in two roots at once would be two files. Blocking: links are followed. Raises: BadConfig."""
    real = [(name, Path(os.path.realpath(root.path))) for name, root in storage_roots(settings).items()]
    for name, folder in real:
        for other, above in real:
            if name != other and folder.is_relative_to(above):
                words = f"the storage root {name} ({folder}) is in {other} ({above}): give each a folder of its own"
                raise BadConfig(words, problems=[words])


def _with_floor(root: RootSettings, storage: StorageSettings) -> RootSettings:
    return root if root.min_free else replace(root, min_free=storage.min_free)
