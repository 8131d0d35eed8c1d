"""Steps that are done with what a recorder has at hand: another container, and hooks of the configuration file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ouzel.model.happening import StoredEvent
from ouzel.model.hooks import HookFile
from ouzel.model.recording import FileState
from ouzel.services.hooks import Hooks, HookStep, recording_told
from ouzel.services.step_products import products
from ouzel.services.steps import Made, StepKind, StepWork
from ouzel.system.clock import Clock
from ouzel.system.ffmpeg import FfmpegFinder

if TYPE_CHECKING:
    from ouzel.engine.convert import Converted


def remux_kind(ffmpeg: FfmpegFinder, clock: Clock) -> StepKind:
    """Another container, file by file. What has it already stays as it is."""

    async def check(fields: Mapping[str, Any]) -> None:
        await ffmpeg.find({"mp3"} if fields["format"] == "mp3" else ())

    async def run(work: StepWork) -> Made:
        target: str = work.fields["format"]
        return await products(
            work, [each for each in work.media if each.row.format != target], Remux(target, ffmpeg, clock)
        )

    return StepKind("remux", run, check)


@dataclass(frozen=True, slots=True)
class Remux:
    """Another container of one file."""

    target: str
    ffmpeg: FfmpegFinder
    clock: Clock

    def out(self, source: Path) -> Path:
        return source.with_suffix(f".{self.target}")

    async def make(self, source: Path, on_progress: Callable[[float], None]) -> Converted:
        from ouzel.engine.convert import convert  # and with it what probes

        return await convert(
            source, self.target, ffmpeg=self.ffmpeg, clock=self.clock, on_progress=on_progress, take_made=True
        )


def command_kind(hooks: Hooks, clock: Clock) -> StepKind:
    """A hook. One that runs when Ouzel is killed is started again, and told that this is its second attempt."""

    async def check(fields: Mapping[str, Any]) -> None:
        hooks.check(fields["hook"])

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
