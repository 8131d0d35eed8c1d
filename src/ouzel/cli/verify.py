"""`ouzel verify`."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import anyio
import click

from ouzel.base.errors import MediaError, OuzelError
from ouzel.base.units import format_clock, format_size
from ouzel.cli.main import EXIT_DAMAGED, EXIT_GAPS, EXIT_OK, Command, exit_code
from ouzel.cli.options import Bar, gap_text, speaking, without_ledgers
from ouzel.cli.output import VERBOSE, Output
from ouzel.cli.texts import tr
from ouzel.engine.verify import verify as check
from ouzel.model.verdict import Finding, Verdict

_EXIT = {"clean": EXIT_OK, "gaps": EXIT_GAPS, "damaged": EXIT_DAMAGED}
_MOST_GAPS = 50


@click.command(cls=Command)
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path))
@speaking
def verify(files: tuple[Path, ...], output: Output) -> int:
    """Compare recordings with their ledgers: bytes, sequence, durations, continuity. Prints what is missing, and why.

    A file without a ledger gets one, made from the media.

    \b
    Exit codes: 0 clean, 3 with gaps, 6 damaged, 2 bad arguments, 5 disk;
    with several files the highest.
    """
    return anyio.run(partial(_verify_all, without_ledgers(files), output))


async def _verify_all(files: list[Path], output: Output) -> int:
    return max([await _verify_one(path, output) for path in files])


async def _verify_one(path: Path, output: Output) -> int:
    try:
        with Bar(output, tr("verify.working", name=path.name)) as bar:
            verdict = await check(path, on_progress=bar.tell)
    except OuzelError as exc:
        output.error(exc.code, str(exc))
        return EXIT_DAMAGED if isinstance(exc, MediaError) else exit_code(exc)
    output.json({"event": "verdict", **verdict.fields()})
    _print(verdict, output)
    return _EXIT[verdict.status]


def _print(verdict: Verdict, output: Output) -> None:
    output.say(
        tr(
            "verify.verdict",
            status=tr(f"status.{verdict.status}"),
            path=verdict.path,
            time=format_clock(verdict.media_s),
            size=format_size(verdict.bytes),
            chunks=verdict.chunks,
        )
    )
    shown = verdict.gaps if output.level >= VERBOSE else verdict.gaps[:_MOST_GAPS]
    for gap in shown:
        output.say(tr("verify.gap", text=gap_text(gap)))
    if len(shown) < len(verdict.gaps):
        output.say(tr("verify.more_gaps", count=len(verdict.gaps) - len(shown)))
    for finding in verdict.findings:
        output.say(f"  {_finding_text(finding)}")


def _finding_text(finding: Finding) -> str:
    text = tr(f"finding.{finding.code.value}")
    if finding.at_s is not None:
        text = f"{format_clock(finding.at_s)}  {text}"
    elif finding.offset is not None:
        text = tr("verify.at_byte", offset=finding.offset, text=text)
    return f"{text}: {finding.detail} ({finding.code.value})" if finding.detail else f"{text} ({finding.code.value})"
