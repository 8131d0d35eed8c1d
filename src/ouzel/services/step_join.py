"""The step that makes one file of all files in hand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ouzel.model.recording import FileRole
from ouzel.services.step_kinds import Remux
from ouzel.services.step_products import products, tracks_of
from ouzel.services.steps import Made, MadeFile, StepKind, StepWork
from ouzel.system.clock import Clock
from ouzel.system.ffmpeg import FfmpegFinder


def join_kind(ffmpeg: FfmpegFinder, clock: Clock) -> StepKind:
    """Where there is one file in hand, that is put into the container that is wanted."""

    async def check(fields: Mapping[str, Any]) -> None:
        from ouzel.engine.afterwards.joining import check_join

        check_join(fields["format"])

    async def run(work: StepWork) -> Made:
        media, target = work.media, work.fields["format"]
        if len(media) == 1:
            wanted = [each for each in media if each.row.format != target]
            return await products(work, wanted, Remux(target, ffmpeg, clock))
        return _taken(work) or await _joined(work, clock)

    return StepKind("join", run, check)


def _taken(work: StepWork) -> Made | None:
    """An attempt before has written it down, and removed some of what it was joined of."""
    ids = tuple(each.row.id for each in work.media)
    known = next((each for each in work.all_files if each.row.made_of == ids), None)
    if known is None or all(each.path.exists() for each in work.media):
        return None
    row = known.row
    file = MadeFile(
        known.path, FileRole.PRODUCT, ids, row.bytes, row.media_s, row.gaps, tracks=row.tracks
    )  # with that row some were to go
    return Made((file,), () if work.fields["keep"] else ids, result={"made": 1})


async def _joined(work: StepWork, clock: Clock) -> Made:
    from ouzel.engine.afterwards.joining import join_files  # and with it what probes

    ids = tuple(each.row.id for each in work.media)
    paths = [each.path for each in work.media]
    made = await join_files(
        paths,
        work.fields["format"],
        clock=clock,
        part=work.media[0].row.part,
        on_progress=lambda share: work.progress(share, f"{len(paths)} files"),
    )
    gaps = made.gaps or sum(each.row.gaps for each in work.media)
    tracks = await tracks_of(made)
    file = MadeFile(made.path, FileRole.PRODUCT, ids, made.size, round(made.duration_s, 3), gaps, tracks=tracks)
    warnings = {"warnings": [*made.warnings]} if made.warnings else {}
    goes = not work.fields["keep"] and not made.is_damaged
    return Made((file,), ids if goes else (), result={"made": 1, "joined": len(ids), **warnings})
