"""How the process carries the bytes: event loop, collector, limits. Figures: `docs/design/adr/0002-http-client.md`."""

from __future__ import annotations

import ctypes
import gc
import resource
from typing import Any

_MANY_FILES = 65_536
_M_ARENA_MAX = -8
"""Of glibc's `malloc.h`."""


def backend_options() -> dict[str, Any]:
    """Options for `anyio.run`: uvloop where it is installed, because it makes TLS cheaper."""
    try:
        import uvloop
    except ImportError:
        return {}
    return {"loop_factory": uvloop.new_event_loop}


def calm_collector() -> None:
    """Let the cycle collector look rarely, and not at what was imported: the media path makes no cycles, but many objects."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


def share_heap() -> bool:
    """Let all threads take memory from one heap; to be called before there are any. glibc gives each its own, so that none waits
    for another. Ours wait for the interpreter anyway, and what each keeps free is lost to the others.

    Returns: whether this C library could be told.
    """
    try:
        return ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 1) == 1
    except AttributeError:  # musl and macOS have no such thing
        return False


def raise_descriptor_limit() -> int:
    """Allow this process as many open files as it may have: a channel takes three. Returns the limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = hard if hard != resource.RLIM_INFINITY else _MANY_FILES
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return soft
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    except (ValueError, OSError):  # macOS says infinity and means less
        return soft
    return wanted
