"""How the process carries the bytes."""

from __future__ import annotations

import platform

from ouzel.system.loop import share_heap


def test_only_glibc_has_heaps_to_share() -> None:
    assert share_heap() is (platform.libc_ver()[0] == "glibc")
