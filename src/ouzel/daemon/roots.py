"""The gates of the storage roots, as the settings say."""

from __future__ import annotations

from ouzel.config.roots import USUAL, storage_roots
from ouzel.config.settings import Settings
from ouzel.engine.policy import Policy
from ouzel.engine.sinks.file import make_folder
from ouzel.services.storage import RootGate


def make_gates(settings: Settings) -> dict[str, RootGate]:
    """By name, the usual one first, whose folder is made; blocking. Raises: StorageError."""
    roots, probe_s = storage_roots(settings), Policy().disk_probe_s
    make_folder(roots[USUAL].path)
    return {
        name: RootGate(name, root.path, min_free_bytes=int(root.min_free), probe_s=probe_s, is_named=name != USUAL)
        for name, root in roots.items()
    }
