"""Ouzel's own export, read as any other file."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ouzel.base.errors import BadConfig
from ouzel.config.exports import Export, parse_export
from ouzel.config.importers.result import Imported, ImportedChannel, Problem, Value

USUAL_QUALITY = "best"
_HEADING = re.compile(r"^[ \t]*\[\[\s*channels\s*\]\]", re.MULTILINE)


def parse_own(text: str) -> Imported:
    """It is taken whole or not at all."""
    try:
        export = parse_export(text)
    except BadConfig as exc:
        line = exc.context.get("line", 0)
        return Imported("ouzel", problems=(Problem(line if isinstance(line, int) else 0, "syntax", {"why": str(exc)}),))
    return Imported("ouzel", channels=tuple(_channels(text, export)), layers=export.layers, quality=USUAL_QUALITY)


def _channels(text: str, export: Export) -> Iterator[ImportedChannel]:
    lines = [text.count("\n", 0, found.start()) + 1 for found in _HEADING.finditer(text)]
    for number, each in enumerate(export.channels):
        told: dict[str, Value] = {
            "addresses": each.addresses[1:], "labels": each.labels, "folder": each.folder, "aliases": each.aliases,
            "identity": each.identity,
        }  # fmt: skip
        yield ImportedChannel(
            each.addresses[0],
            lines[number] if number < len(lines) else 0,
            each.name,
            paused=not each.watch,
            extra={key: value for key, value in told.items() if value},
            layer=each.settings,
        )
