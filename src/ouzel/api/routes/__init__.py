"""Routes, a module for each noun. `ALL` is what the app is made of."""

from __future__ import annotations

from fastapi import APIRouter

from ouzel.api import events
from ouzel.api.routes import (
    audit,
    auth,
    channels,
    download_tasks,
    downloads,
    imports,
    jobs,
    keys,
    library,
    metrics,
    notices,
    on_air,
    pipelines,
    platforms,
    policies,
    recordings,
    remotes,
    retention,
    routes,
    settings,
    setup,
    status,
    storage,
    taking_over,
    targets,
    tasks,
    users,
    videos,
)

ALL: tuple[APIRouter, ...] = (
    metrics.router, auth.router, users.router, keys.router, audit.router, events.router, setup.router, channels.router,
    on_air.router, settings.router, taking_over.router, recordings.router, downloads.router, download_tasks.router,
    library.router, videos.router, imports.router, jobs.router, notices.router, storage.router, pipelines.router, policies.router,
    retention.router, targets.router, routes.router, routes.messages, remotes.router, platforms.router, tasks.router,
    status.router,
)  # fmt: skip
"""In the order of the description."""
