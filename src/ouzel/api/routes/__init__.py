"""Routes, a module for each noun. `ALL` is what the app is made of."""

from __future__ import annotations

from fastapi import APIRouter

from ouzel.api import events
from ouzel.api.routes import (
    audit,
    auth,
    channels,
    daemon,
    keys,
    metrics,
    on_air,
    recordings,
    settings,
    setup,
    taking_over,
    users,
)

ALL: tuple[APIRouter, ...] = (
    metrics.router, auth.router, users.router, keys.router, audit.router, events.router, setup.router, channels.router,
    on_air.router, settings.router, taking_over.router, recordings.router, daemon.router,
)  # fmt: skip
"""In the order of the description."""
