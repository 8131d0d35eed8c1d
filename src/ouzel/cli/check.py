"""`ouzel check`."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import anyio
import click

from ouzel.base.units import format_size
from ouzel.cli.main import EXIT_DAMAGED, EXIT_GAPS, EXIT_OK, Command
from ouzel.cli.options import speaking
from ouzel.cli.output import NORMAL, QUIET, Output, pad
from ouzel.cli.texts import told, tr
from ouzel.system.clock import SystemClock

if TYPE_CHECKING:
    from ouzel.daemon.checkup.result import Result

_LEVEL_COLUMNS = 8


@click.command(cls=Command)
@click.option("--online", is_flag=True, help="Ask the network, too: the time, and the proxies that are set.")
@click.option(
    "--config",
    "path",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Settings, instead of the usual ouzel.toml.",
)
@speaking
def check(output: Output, *, online: bool, path: Path | None) -> int:
    """Examine the whole set-up: settings, Python, ffmpeg, folders, database, port, clock; and say how to mend what is wrong.

    \b
    Exit codes: 0 all is well, 3 warnings, 6 errors, 2 bad arguments.
    """
    counts = anyio.run(_examine, path, online, output)
    doc = {level: counts[level] for level in ("ok", "warning", "error")}
    output.json({"event": "summary", **doc})
    output.say(tr("check.summary", **doc))
    if counts["error"]:
        return EXIT_DAMAGED
    return EXIT_GAPS if counts["warning"] else EXIT_OK


async def _examine(path: Path | None, online: bool, output: Output) -> Counter[str]:
    from ouzel.daemon.checkup.examine import examine

    counts: Counter[str] = Counter()
    async for result in examine(path, SystemClock(), online=online):
        counts[result.level] += 1
        _tell(result, output)
    return counts


def _tell(result: Result, output: Output) -> None:
    fields = {name: _shown(name, each) for name, each in result.about.items()}
    what = tr(f"check.{result.code}", **fields)
    mend = "" if result.level == "ok" else tr(f"mend.{result.code}", **fields)
    doc = {"level": result.level, "code": result.code, "what": what, "mend": mend, "about": dict(result.about)}
    output.json({"event": "check", **doc})
    level = QUIET if result.level == "error" else NORMAL
    output.say(f"{pad(tr(f'check.level_{result.level}'), _LEVEL_COLUMNS)} {what}", level=level)
    if mend:
        output.say(f"{pad('', _LEVEL_COLUMNS)} → {mend}", level=level)


def _shown(name: str, value: object) -> object:
    if isinstance(value, int) and name.endswith("_bytes"):
        return format_size(value)
    return told(value) if name == "why" and isinstance(value, str) else value
