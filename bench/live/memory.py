"""Memory that the machine has at hand.

A virtual machine often gives pages that it does not use back to its host, and gets them anew, one after the other, when something
is written: that can cost more than writing it, comes and goes from minute to minute, and is nobody's work that is compared here.
So all the memory that the bench will need is used once before it begins. What is then let go again stays at hand, because one
page of each stretch is kept: a host takes back whole, large stretches only.
"""

from __future__ import annotations

import mmap
from collections.abc import Generator
from contextlib import contextmanager

_STRETCH = 1024 * 1024
"""A page is kept of each; Linux reports free memory to the host in blocks of 2 MB or more."""


@contextmanager
def at_hand(size: int) -> Generator[None]:
    """Within this context `size` bytes of memory are free, and need not be fetched from the host. Takes a second or two a GB."""
    if size < _STRETCH or not hasattr(mmap, "MADV_DONTNEED"):
        yield
        return
    stretches = size // _STRETCH
    used = mmap.mmap(-1, stretches * _STRETCH, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | mmap.MAP_POPULATE)
    try:
        for number in range(stretches):
            used.madvise(mmap.MADV_DONTNEED, number * _STRETCH + mmap.PAGESIZE, _STRETCH - mmap.PAGESIZE)
        yield
    finally:
        used.close()
