"""What a step sees, without a daemon around it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tests.component.library import START

from ouzel.model.pipelines import PipelineRun, RunState, parse_steps
from ouzel.model.recording import FileState, RecordedFile, Recording
from ouzel.model.states import RecordingState
from ouzel.services.steps import Item, ItemFile, Made, StepKind, StepWork


@dataclass
class Bench:
    """A recording that is over, and what its steps see."""

    recording: Recording
    told: list[float] = field(default_factory=list[float])

    @classmethod
    def of_done(cls) -> Bench:
        return cls(Recording("rec1", "b1", "c1", RecordingState.DONE, "a title", START, START))

    def work(self, name: str, files: Sequence[ItemFile], others: Sequence[ItemFile] = (), **fields: Any) -> StepWork:
        [step] = parse_steps([{"step": name, **fields}])
        run = PipelineRun(
            "run1", "p", self.recording.id, "", (step,), 0, (), (), (), RunState.RUNNING, "", None, None, "", START
        )
        item = Item(self.recording, None)
        return StepWork(
            run, 0, 1, item, files, [*files, *others], step.fields, lambda share, _: self.told.append(share or 0)
        )

    def file(self, path: Path, *, part: int = 1, **values: Any) -> ItemFile:
        row = RecordedFile(
            path.name, self.recording.id, part, "r", path.name, FileState.CLOSED, path.suffix[1:], START, bytes=1, media_s=12.0,
        )  # fmt: skip
        return ItemFile(replace(row, **values), path)


async def made_of(kind: StepKind, work: StepWork) -> Made:
    await kind.check(work.fields)
    return await kind.run(work)
