"""The whole of `ouzel.toml` with defaults and comments: the classes of settings, and what stands below their fields."""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from ouzel.base.docstrings import field_docs
from ouzel.config.schema import PROFILES, ROOTS, keys_of, plain_tables
from ouzel.config.settings import PlatformDefaults, PlatformSettings
from ouzel.config.tables import HookSettings, RootSettings, usual_profiles
from ouzel.config.values import as_toml

_COLUMNS = 110
_HEAD = """\
# Ouzel: settings that count from the next start on. What is changed daily (channels, users, notices) is not here.
#
# Each line that begins with "#" and a key has a default; take the "#" away to change it. Durations and sizes have their unit:
# "90s", "1h30m", "30d"; "500MB" (powers of ten), "5GiB" (powers of two).
#
# A variable of the environment goes before this file: OUZEL, the table and the key in capitals, with one "_" after OUZEL
# and two between the others. An option of a command goes before both.
"""
_PLATFORM = "bilibili"
_HOOK = "after-recording"
_ROOT, _ROOT_PATH = "nas", Path("/mnt/nas/ouzel")
_HOOK_COMMAND = ("/usr/local/bin/after-recording", "--verbose")


def example() -> str:
    """TOML. With or without the `#` before its keys it says what counts anyway; but for hook and root, which are examples.

    Needs the sources of the classes. Raises: OSError without them.
    """
    parts = [_HEAD]
    for name, cls in plain_tables().items():
        parts.append(_table(f"[{name}]", cls()))
        if name == PROFILES[0]:
            parts += [_table(f"[{'.'.join((*PROFILES, each))}]", own) for each, own in usual_profiles().items()]
        if name == ROOTS[0]:
            parts.append(_table(f"#[{'.'.join((*ROOTS, _ROOT))}]", RootSettings(_ROOT_PATH)))
    parts.append(_table(f"#[hooks.{_HOOK}]", replace(HookSettings(), command=_HOOK_COMMAND)))
    parts.append(_table("[platforms]", PlatformDefaults()))
    parts.append(_table(f"#[platforms.{_PLATFORM}]", PlatformSettings()))
    return "\n".join(parts)


def _table(header: str, table: object) -> str:
    cls = type(table)
    lines = [*_comment(inspect.getdoc(cls) or ""), header]
    told = field_docs(cls)
    for name, key in keys_of(cls).items():
        default = getattr(table, name)
        lines += [*_comment(told.get(name, "")), f"#{name} = {as_toml(key.kind, default)}"]
    return "\n".join([*lines, ""])


def _comment(text: str) -> Iterator[str]:
    for line in textwrap.wrap(" ".join(text.split()).replace("`", ""), _COLUMNS):
        yield f"# {line}"
