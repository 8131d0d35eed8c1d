"""Which event loop carries the bytes. The figures are in `docs/design/adr/0002-http-client.md`."""

from __future__ import annotations

from typing import Any


def backend_options() -> dict[str, Any]:
    """Options for `anyio.run`: uvloop where it is installed, because it makes TLS cheaper."""
    try:
        import uvloop
    except ImportError:
        return {}
    return {"loop_factory": uvloop.new_event_loop}
