"""`ouzel clip`."""

from __future__ import annotations

import math
from functools import partial
from pathlib import Path

import anyio
import click

from ouzel.base.units import format_clock, format_size, parse_duration
from ouzel.cli.main import EXIT_OK, Command
from ouzel.cli.options import Bar, gap_text, speaking
from ouzel.cli.output import Output
from ouzel.cli.texts import tr
from ouzel.engine.clip import Clipped
from ouzel.engine.clip import clip as cut
from ouzel.model.report import gap_fields


@click.command(cls=Command)
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path))
@click.option("--from", "from_", default="0", show_default=True, metavar="TIME", help="Where it begins: 01:02:03, 90s.")
@click.option("--to", metavar="TIME", help="Where it ends. Default: the end of the recording.")
@click.option(
    "-o", "--output", "out", required=True, metavar="OUT", type=click.Path(path_type=Path),
    help="The piece; its ending says the format: .ts, .mp4, .mkv, .flv, .mp3 or .m4a.",
)  # fmt: skip
@speaking
def clip(file: Path, from_: str, to: str | None, out: Path, output: Output) -> int:
    """Cut a piece out of a recording without re-encoding, from a key frame to a key frame; it may still be running.

    \b
    Exit codes: 0 done, 2 bad arguments, 4 nothing could be made, 5 disk.
    """
    from_s = parse_duration(from_)
    to_s = math.inf if to is None else parse_duration(to)
    return anyio.run(partial(_clip, file, from_s, to_s, out, output))


async def _clip(file: Path, from_s: float, to_s: float, out: Path, output: Output) -> int:
    with Bar(output, tr("clip.working", name=out.name)) as bar:
        made = await cut(file, from_s, to_s, out, on_progress=bar.tell)
    output.json({"event": "clipped", **_fields(made)})
    output.say(
        tr(
            "clip.made",
            path=made.path,
            start=format_clock(made.start_s),
            end=format_clock(made.end_s),
            time=format_clock(made.media_s),
            size=format_size(made.size),
        )
    )
    for gap in made.gaps:
        output.say(tr("clip.gap", text=gap_text(gap)))
    for words in made.warnings:
        output.tell(f"{tr('warning')}: {words}")
    return EXIT_OK


def _fields(made: Clipped) -> dict[str, object]:
    return {
        "path": str(made.path),
        "start_s": round(made.start_s, 3),
        "end_s": round(made.end_s, 3),
        "media_s": round(made.media_s, 3),
        "bytes": made.size,
        "gaps": [gap_fields(gap) for gap in made.gaps],
        "warnings": list(made.warnings),
    }
