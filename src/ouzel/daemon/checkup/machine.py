"""Python and its packages, and what the machine lets us have."""

from __future__ import annotations

import json
import os
import platform
import resource
import sys
import zoneinfo
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from ouzel.base.errors import ToolError
from ouzel.daemon.checkup.result import Result, error, ok, warning
from ouzel.system.process import run

MODULES = (
    "aiosqlite", "alembic", "anyio", "apprise", "argon2", "av", "click", "cryptography.fernet", "curl_cffi", "fastapi",
    "httptools", "httpx", "imageio_ffmpeg", "jwt", "mcp", "obstore", "prometheus_client", "pydantic", "rich",
    "sqlalchemy.ext.asyncio", "streamget", "streamlink", "tzdata", "tzlocal", "uvicorn", "uvloop", "xxhash", "yaml", "yt_dlp",
    "yt_dlp_ejs",
)  # fmt: skip
"""What Ouzel is made of, each as it is imported."""
_TRY = """
import importlib, json, sys
wrong = {}
for name in sys.argv[1:]:
    try:
        importlib.import_module(name)
    except Exception as exc:
        wrong[name] = f"{type(exc).__name__}: {exc}"
print(json.dumps(wrong))
"""
_IMPORT_S = 120.0
_OLDEST = (3, 11)
_DESCRIPTORS = 1024
_MEMORY_BYTES = 512 * 1024 * 1024
_YEARS = range(2026, 2100)
_CGROUP = Path("/sys/fs/cgroup/memory.max")
_ZONE = "Asia/Shanghai"


def check_python() -> Result:
    version = platform.python_version()
    if sys.version_info[:2] < _OLDEST:
        return error("python_old", version=version, oldest=".".join(map(str, _OLDEST)))
    return ok("python", version=version, path=sys.executable)


async def check_packages(modules: tuple[str, ...] = MODULES) -> list[Result]:
    """Imported by a child: one that is broken may take its process with it."""
    try:
        result = await run([sys.executable, "-W", "ignore", "-c", _TRY, *modules], timeout_s=_IMPORT_S)
    except ToolError as exc:
        return [error("packages_crash", why=str(exc))]
    wrong: dict[str, str] = json.loads(result.stdout)
    return [error("package_broken", name=name, why=why) for name, why in wrong.items()] or [
        ok("packages", count=len(modules))
    ]


def check_descriptors() -> Result:
    """The hard limit: the daemon takes what it may have."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard == resource.RLIM_INFINITY:
        return ok("descriptors", limit="unlimited")
    if hard < _DESCRIPTORS:
        return warning("descriptors_few", limit=hard, wanted=_DESCRIPTORS)
    return ok("descriptors", limit=hard)


def check_power() -> Result:
    """Cores that we may use, and memory; in a container its own limit."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    if (limit := _container_limit()) is not None:
        memory = min(memory, limit)
    if memory < _MEMORY_BYTES:
        return warning("memory_small", cores=cores, memory_bytes=memory, wanted_bytes=_MEMORY_BYTES)
    return ok("power", cores=cores, memory_bytes=memory)


def _container_limit() -> int | None:
    try:
        text = _CGROUP.read_text().strip()
    except OSError:  # no container, or no Linux
        return None
    return int(text) if text.isdecimal() else None


def check_clock(now: datetime) -> Iterator[Result]:
    """`now`: aware. Without the network only nonsense is seen."""
    local = now.astimezone()
    if now.year not in _YEARS:
        yield error("clock_wrong", now=local.isoformat(timespec="seconds"))
    elif wrong := _unknown_zone():
        yield warning("zone_unknown", zone=wrong)
    else:
        yield ok("clock", now=local.isoformat(timespec="seconds"), zone=local.tzname() or "")
    try:
        zoneinfo.ZoneInfo(_ZONE)
    except zoneinfo.ZoneInfoNotFoundError:
        yield warning("zones_missing", zone=_ZONE)


def _unknown_zone() -> str:
    """What TZ names, when there is no such zone: the system then silently takes UTC."""
    name = os.environ.get("TZ", "").removeprefix(":")
    if not name or "/" not in name or name.startswith("/"):
        return ""
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError):
        return name
    return ""
