"""`ouzel recover`."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import anyio
import click

from ouzel.base.units import format_clock, format_duration, format_size
from ouzel.cli.main import EXIT_DISK, EXIT_GAPS, EXIT_OK, Command
from ouzel.cli.options import Bar, speaking
from ouzel.cli.output import Output
from ouzel.cli.texts import tr
from ouzel.engine.recover import recover as close_all
from ouzel.model.recovery import Outcome, Recovered


@click.command(cls=Command)
@click.argument("folder", metavar="FOLDER", type=click.Path(path_type=Path))
@speaking
def recover(folder: Path, output: Output) -> int:
    """After a crash: cut unfinished recordings back to their last whole chunk, close them, and say what was lost.

    Goes through all folders below; recordings that are running are left alone.

    \b
    Exit codes: 0 nothing was lost, 3 something was lost or could not be recovered,
    2 bad arguments, 5 disk.
    """
    return anyio.run(partial(_recover, folder, output))


async def _recover(folder: Path, output: Output) -> int:
    bar = Bar(output, tr("recover.working", folder=folder))

    def on_file(done: Recovered) -> None:
        bar.clear()
        output.json({"event": "recovered", **done.fields()})
        for line in _lines(done):
            output.say(line)

    with bar:
        found = await close_all(folder, on_file=on_file, on_progress=bar.tell)
    if not found:
        output.say(tr("recover.nothing"))
    if any(done.outcome is Outcome.FAILED for done in found):
        return EXIT_DISK
    return EXIT_OK if all(done.is_whole for done in found) else EXIT_GAPS


def _lines(done: Recovered) -> list[str]:
    size, time = format_size(done.bytes), format_clock(done.media_s)
    lines = [tr(f"outcome.{done.outcome.value}", path=done.path, size=size, time=time)]
    if done.detail:
        lines.append(f"  {done.detail}")
    if done.cut_bytes:
        lines.append("  " + tr("recover.cut", size=format_size(done.cut_bytes)))
    if done.lost_chunks:
        lines.append("  " + tr("recover.lost", chunks=done.lost_chunks, time=format_duration(done.lost_s)))
    if done.damaged:
        lines.append("  " + tr("recover.damaged", chunks=", ".join(map(str, done.damaged))))
    return lines
