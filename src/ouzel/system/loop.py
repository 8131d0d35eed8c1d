"""Which event loop carries the bytes. The figures are in `docs/design/adr/0002-http-client.md`."""

from __future__ import annotations

import gc
from typing import Any


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
