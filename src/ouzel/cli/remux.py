"""`ouzel remux`."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import anyio
import click

from ouzel.base.units import format_clock, format_size
from ouzel.cli.main import EXIT_OK, Command
from ouzel.cli.options import Bar, speaking
from ouzel.cli.output import Output
from ouzel.cli.texts import tr
from ouzel.engine.convert import convert


@click.command(cls=Command)
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path))
@click.option(
    "-o", "--output", "out", required=True, metavar="OUT", type=click.Path(path_type=Path),
    help="The product; its ending says the format: .ts, .mp4, .mkv, .flv, .mp3 or .m4a.",
)  # fmt: skip
@click.option("--replace", is_flag=True, help="Remove FILE once the product is verified; its ledger stays.")
@speaking
def remux(file: Path, out: Path, replace: bool, output: Output) -> int:
    """Put a recording into another container without re-encoding, and verify the product. mp3 and m4a keep sound only.

    \b
    Exit codes: 0 done, 2 bad arguments, 4 it could not be made, 5 disk.
    """
    return anyio.run(partial(_remux, file, out, replace, output))


async def _remux(file: Path, out: Path, replace: bool, output: Output) -> int:
    with Bar(output, tr("remux.working", name=out.name)) as bar:
        made = await convert(
            file, out.suffix.lstrip(".").lower(), out=out, keep_original=not replace, on_progress=bar.tell, nice=0
        )
    doc = {"path": str(made.path), "bytes": made.size, "media_s": round(made.duration_s, 3)}
    output.json({"event": "converted", **doc, "warnings": list(made.warnings)})
    output.say(tr("remux.made", path=made.path, time=format_clock(made.duration_s), size=format_size(made.size)))
    for words in made.warnings:
        output.tell(f"{tr('warning')}: {words}")
    return EXIT_OK
