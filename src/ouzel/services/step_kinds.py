"""Steps that are done with what a recorder has at hand: another container, and hooks of the configuration file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ouzel.model.happening import StoredEvent
from ouzel.model.hooks import HookFile
from ouzel.model.recording import FileRole, FileState
from ouzel.services.hooks import Hooks, HookStep, recording_told
from ouzel.services.steps import ItemFile, Made, MadeFile, StepKind, StepWork
from ouzel.system.clock import Clock
from ouzel.system.ffmpeg import FfmpegFinder


def remux_kind(ffmpeg: FfmpegFinder, clock: Clock) -> StepKind:
    """Another container, file by file. What has it already stays as it is."""

    async def check(fields: Mapping[str, Any]) -> None:
        await ffmpeg.find({"mp3"} if fields["format"] == "mp3" else ())

    async def run(work: StepWork) -> Made:
        target: str = work.fields["format"]
        wanted = [each for each in work.media if each.row.format != target]
        files: list[MadeFile] = []
        gone: list[str] = []
        warnings: list[str] = []
        for number, source in enumerate(wanted):
            made, words, is_good = await _remux(work, source, target, (number, len(wanted)))
            files.append(made)
            warnings += words
            if is_good and not work.fields["keep"]:
                gone.append(source.row.id)
        result = {"made": len(files), **({"warnings": warnings} if warnings else {})}
        return Made(tuple(files), tuple(gone), result=result)

    async def _remux(
        work: StepWork, source: ItemFile, target: str, place: tuple[int, int]
    ) -> tuple[MadeFile, tuple[str, ...], bool]:
        from ouzel.engine.convert import convert

        out = source.path.with_suffix(f".{target}")
        file = MadeFile(out, FileRole.PRODUCT, (source.row.id,), 0, gaps=source.row.gaps, tracks=source.row.tracks)
        known = work.made_of(source, out)
        if known is not None and not source.path.exists():  # it went when this was verified
            return replace(file, bytes=known.row.bytes, media_s=known.row.media_s), (), True
        number, of = place

        def tell(share: float) -> None:
            work.progress((number + share) / of, out.name)

        made = await convert(source.path, target, out=out, ffmpeg=ffmpeg, clock=clock, on_progress=tell, take_made=True)
        is_good = not made.is_damaged and made.readable
        return replace(file, bytes=made.size, media_s=round(made.duration_s, 3)), made.warnings, is_good

    return StepKind("remux", run, check)


def command_kind(hooks: Hooks, clock: Clock) -> StepKind:
    """A hook. One that runs when Ouzel is killed is started again, and told that this is its second attempt."""

    async def check(fields: Mapping[str, Any]) -> None:
        hooks.require(fields["hook"])

    async def run(work: StepWork) -> Made:
        item, about = work.item, {"pipeline": work.run.pipeline, "run": work.run.id, "attempt": work.attempt}
        event = StoredEvent(0, clock.now(), "pipeline.run", item.id, item.channel_id, about)
        files = [
            HookFile(str(each.path), each.row.format, FileState.CLOSED.value, each.row.bytes, each.row.media_s)
            for each in work.media
        ]
        told = recording_told(item.recording) if item.recording is not None else {}
        env = {f"OUZEL_{name.upper()}": str(value) for name, value in about.items()}
        converts = any(each.fields.get("format") == "mp4" for each in work.run.steps)
        started = await hooks.run_step(work.fields["hook"], HookStep(event, told, files, env, converts))
        return Made(result={"started": started})

    return StepKind("command", run, check)
