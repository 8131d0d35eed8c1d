"""`ouzel info`."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from pathlib import Path

import anyio
import click

from ouzel.base.errors import OuzelError
from ouzel.base.units import format_clock, format_duration, format_rate, format_size
from ouzel.cli.main import EXIT_OK, Command, exit_code
from ouzel.cli.options import gap_text, speaking, without_ledgers
from ouzel.cli.output import Output
from ouzel.cli.texts import tr
from ouzel.engine.info import describe
from ouzel.formats.shape import Track
from ouzel.model.flow import EndReason
from ouzel.model.info import Info

_OUR_REASONS = frozenset({*(reason.value for reason in EndReason), "clip"})


@click.command(cls=Command)
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path))
@speaking
def info(files: tuple[Path, ...], output: Output) -> int:
    """Tell what is known of recordings, finished or running: tracks, length, runs, gaps, when it was on air, why it ended.

    \b
    Exit codes: 0 done, 2 bad arguments, 4 not media, 5 disk; with several files the highest.
    """
    return anyio.run(partial(_info_all, without_ledgers(files), output))


async def _info_all(files: list[Path], output: Output) -> int:
    return max([await _info_one(path, output) for path in files])


async def _info_one(path: Path, output: Output) -> int:
    try:
        known = await describe(path)
    except OuzelError as exc:
        output.error(exc.code, str(exc))
        return exit_code(exc)
    output.json({"event": "info", **known.fields()})
    for line in _lines(known):
        output.say(line)
    return EXIT_OK


def _lines(known: Info) -> list[str]:
    lines = [
        tr("info.file", path=known.path, state=tr(f"file_state.{known.state}")),
        tr(
            "info.media",
            format=known.format,
            time=format_clock(known.media_s),
            size=format_size(known.bytes),
            rate=format_rate(known.bitrate_bps),
        ),
    ]
    lines += [tr("info.track", track=_track_text(track)) for track in known.tracks]
    if known.ledger_damage:
        lines.append(tr("info.ledger_damage", text=known.ledger_damage))
    if known.ledger is None:
        return lines
    if known.wall_start and known.wall_end:
        start, end = _local(known.wall_start), _local(known.wall_end)
        lines.append(tr("info.rebuilt" if known.rebuilt else "info.wall", start=start, end=end))
    if known.source:
        lines.append(tr("info.source", source=known.source))
    for run in known.runs:
        told = {"number": run.number, "at": _local(run.wall), "protocol": run.protocol, "address": run.source}
        lines.append(tr("info.run", **told, time=format_clock(run.media_s)))
    lines += [tr("info.gap", text=gap_text(gap)) for gap in known.gaps]
    if known.gaps:
        lines.append(tr("info.missing", time=format_duration(known.missing_s), count=len(known.gaps)))
    if known.repairs:
        lines.append(tr("info.repairs", list=", ".join(f"{code} {count}" for code, count in known.repairs)))
    if known.damaged_chunks:
        lines.append(tr("info.damaged", count=known.damaged_chunks))
    lines += [tr("info.clock", by=format_duration(abs(s)), sign="-" if s < 0 else "+") for s in known.clock_steps_s]
    if known.end_reason:
        reason = tr(f"reason.{known.end_reason}") if known.end_reason in _OUR_REASONS else known.end_reason
        lines.append(tr("info.end", reason=reason))
    lines += [tr("info.product", file=name) for name in known.products]
    lines.append(tr("info.ledger", path=known.ledger, chunks=known.chunks, software=known.software))
    return lines


def _track_text(track: Track) -> str:
    words = [track.codec]
    if track.width and track.height:
        words.append(f"{track.width}x{track.height}")
    if track.sample_rate:
        words.append(f"{track.sample_rate} Hz")
    if track.channels:
        words.append(tr("info.channels", count=track.channels))
    return " ".join(words)


def _local(wall: datetime) -> str:
    return f"{wall.astimezone():%Y-%m-%d %H:%M:%S}"
