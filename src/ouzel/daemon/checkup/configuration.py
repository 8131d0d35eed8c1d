"""The settings file: what is wrong in it, what it names and is not there, and who can read what is secret."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import Path
from typing import cast

from ouzel.base.errors import BadConfig, InputError
from ouzel.config.load import load_reading, usual_file
from ouzel.config.settings import PlatformSettings, Settings
from ouzel.daemon.checkup.folders import is_there
from ouzel.daemon.checkup.result import Result, error, ok, warning
from ouzel.model.happening import CODES
from ouzel.platforms.registry import registry
from ouzel.system.http.cookie_files import is_header
from ouzel.system.http.dial import parse_proxy

DIRECT = "direct"
"""Written for no proxy, whatever is set for all."""
_OTHERS = 0o077


def check_settings(given: Path | None) -> tuple[Settings | None, list[Result]]:
    """Blocking. The settings, None when they cannot be read, and what is wrong with them."""
    path = given or usual_file()
    try:
        settings = load_reading(path, [platform.name for platform in registry()]).settings
    except BadConfig as exc:
        problems = cast("list[str]", exc.context.get("problems", [str(exc)]))
        return None, [error("settings_wrong", why=why) for why in problems]
    found = [*_check_hooks(settings), *_check_proxies(settings)]
    return settings, found or [ok("settings", path=str(path)) if path else ok("settings_none")]


def _check_hooks(settings: Settings) -> Iterator[Result]:
    for name, hook in settings.hooks.items():
        for event in hook.on:
            if event not in CODES:
                near = get_close_matches(event, CODES, 1, cutoff=0.0)[0]
                yield error("hook_event_unknown", hook=name, event=event[:80], near=near)
        if not hook.shell and shutil.which(hook.command[0]) is None:
            yield error("hook_program_missing", hook=name, program=hook.command[0])


def _check_proxies(settings: Settings) -> Iterator[Result]:
    for name, table in {"": settings.platforms.defaults, **settings.platforms.tables}.items():
        if table.proxy in ("", DIRECT):
            continue
        try:
            parse_proxy(table.proxy)
        except InputError:
            yield error("proxy_wrong", key=f"platforms.{name}.proxy" if name else "platforms.proxy")


def check_secrets(settings: Settings, data: Path) -> Iterator[Result]:
    """Blocking. Files of secrets that others can read, and those that are named and not there."""
    files = dict(_named(settings))
    for path, key in files.items():
        if not is_there(path):
            yield error("secret_file_missing", key=key, path=str(path))
    own = [settings.path] if settings.path and _has_secrets(settings) else []
    kept = [*own, *files, data / "secret.key"]
    readable = [path for path in kept if is_there(path) and path.stat().st_mode & _OTHERS]
    yield from (warning("secrets_readable", path=str(path)) for path in readable)
    if not readable:
        yield ok("secrets")


def _named(settings: Settings) -> Iterator[tuple[Path, str]]:
    for name, table in settings.platforms.tables.items():
        if table.cookies and not is_header(table.cookies):
            yield settings.path_of(table.cookies), f"platforms.{name}.cookies"
        if table.password_file:
            yield settings.path_of(table.password_file), f"platforms.{name}.password_file"


def _has_secrets(settings: Settings) -> bool:
    tables: list[PlatformSettings] = list(settings.platforms.tables.values())
    proxies = (settings.platforms.defaults.proxy, *(table.proxy for table in tables))
    return any(table.password or is_header(table.cookies) for table in tables) or any("@" in text for text in proxies)
