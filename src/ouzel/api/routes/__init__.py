"""Routes, a module for each noun. `NOUNS` is what the app is made of, in the order of the description."""

from __future__ import annotations

from collections.abc import Mapping

OUTSIDE = frozenset({"health", "metrics"})
"""What does not stand below `/api`."""
NOUNS: Mapping[str, tuple[str, ...]] = {
    "routes.metrics": ("health", "metrics"),
    "routes.auth": ("auth",),
    "routes.users": ("users",),
    "routes.keys": ("keys",),
    "routes.audit": ("audit",),
    "events": ("events",),
    "routes.channels": ("channels",),
    "routes.on_air": ("channels",),
    "routes.settings": ("settings", "revisions"),
    "routes.taking_over": ("adoptions", "export"),
    "routes.recordings": ("recordings", "broadcasts"),
    "routes.downloads": ("downloads",),
    "routes.download_tasks": ("download",),
    "routes.library": ("library",),
    "routes.videos": ("videos",),
    "routes.imports": ("imports", "uploads"),
    "routes.jobs": ("jobs",),
    "routes.notices": ("notices",),
    "routes.storage": ("storage",),
    "routes.pipelines": ("pipelines", "runs", "steps", "downloads", "recordings"),
    "routes.policies": ("policies",),
    "routes.retention": ("retention", "trash"),
    "routes.targets": ("targets", "target-kinds"),
    "routes.routes": ("routes",),
    "routes.messages": ("messages",),
    "routes.remotes": ("remotes", "remote-kinds", "recordings"),
    "routes.platforms": ("platforms",),
    "routes.tasks": ("tasks",),
    "routes.status": ("status",),
}
"""Modules of `ouzel.api`, each with a `router`, and the first words of its addresses, without `/api`."""


def word_of(path: str) -> str:
    """`channels` of `/api/channels/ID`, `health` of `/health`; empty: an address of the page."""
    first, _, rest = path.lstrip("/").partition("/")
    return rest.lstrip("/").partition("/")[0] if first == "api" else first if first in OUTSIDE else ""
