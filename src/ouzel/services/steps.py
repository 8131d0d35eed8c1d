"""The seam for what a step does: a table `name -> StepKind`, and what the code of a step sees and gives back.

A step makes files; their rows are written for it, by `services.afterwards`. It may be killed at any moment and is then begun
again from its beginning, with the same files: what it finds made, and verified, it takes.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ouzel.base.errors import BadOption, OuzelError, Unsupported
from ouzel.model.download_tasks import Download
from ouzel.model.downloads import DownloadState
from ouzel.model.pipelines import PipelineRun, Step
from ouzel.model.recording import MEDIA, FileRole, RecordedFile, Recording
from ouzel.model.states import RecordingState
from ouzel.store.db import Tx


@dataclass(frozen=True, slots=True)
class Item:
    """What a run is over: one of the two."""

    recording: Recording | None
    download: Download | None

    @property
    def id(self) -> str:
        return self.recording.id if self.recording else self.download.id if self.download else ""

    @property
    def is_over(self) -> bool:
        """Whether its files are whole."""
        if self.recording is not None:
            return self.recording.state is RecordingState.DONE
        return self.download is not None and self.download.state is DownloadState.COMPLETED

    @property
    def title(self) -> str:
        return self.recording.title if self.recording else self.download.shown_name if self.download else ""

    @property
    def channel_id(self) -> str | None:
        return self.recording.channel_id if self.recording else None


@dataclass(frozen=True, slots=True)
class ItemFile:
    row: RecordedFile
    path: Path
    """Absolute."""


async def _stays(_moved: Mapping[str, tuple[str, str]]) -> None:
    return


@dataclass(frozen=True, slots=True)
class StepWork:
    """What the code of a step sees."""

    run: PipelineRun
    number: int
    """Of the step, from 0."""
    attempt: int
    """From 1."""
    item: Item
    files: Sequence[ItemFile]
    """In hand: what the step before has made stands in place of what that was made of. Media and companions, closed all."""
    all_files: Sequence[ItemFile]
    """Of the item: with what was kept beside its product."""
    fields: Mapping[str, Any]
    progress: Callable[[float | None, str], None]
    """Share of the step, 0 to 1; None: not known."""
    move: Callable[[Mapping[str, tuple[str, str]]], Awaitable[None]] = _stays
    """Of files, by their ids, that lie at another root and path, too, whole and for good: their rows say so from now on, and
    where they were they are removed. As many at once as belong together. Raises: InUse, StorageError."""

    @property
    def media(self) -> list[ItemFile]:
        """In hand, without companions; in the order in which they were on air."""
        return [each for each in self.files if each.row.role in MEDIA]

    def made_of(self, sources: Sequence[ItemFile], path: Path) -> ItemFile | None:
        """What an attempt before has made of them under this name: its row was written when it was verified."""
        ids = tuple(each.row.id for each in sources)
        return next((each for each in self.all_files if each.row.made_of == ids and each.path == path), None)


@dataclass(frozen=True, slots=True)
class MadeFile:
    """It is there, verified, under its last name."""

    path: Path
    """Absolute, on the storage root of what it was made of."""
    role: FileRole
    made_of: tuple[str, ...]
    """Ids of files, one at least."""
    bytes: int
    media_s: float = 0.0
    gaps: int = 0
    format: str = ""
    """Empty: its ending."""
    tracks: Any = None
    """As the row of a file has them."""


@dataclass(frozen=True, slots=True)
class Made:
    """What came of a step."""

    files: tuple[MadeFile, ...] = ()
    gone: tuple[str, ...] = ()
    """Ids of files that go now that what was made of them is verified: they are removed when its rows are written."""
    write: Callable[[Tx], Awaitable[None]] | None = None
    """More rows, in the transaction with which the step is done."""
    result: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """Of its job: JSON values."""


async def _fits(_fields: Mapping[str, Any]) -> None:
    return


@dataclass(frozen=True, slots=True)
class StepKind:
    """What is done for steps of one name."""

    name: str
    """Of `model.steps.SHAPES`."""
    run: Callable[[StepWork], Awaitable[Made]]
    """It may be cancelled at any await. Raises: OuzelError, whose `retry` says whether to try again."""
    check: Callable[[Mapping[str, Any]], Awaitable[None]] = _fits
    """Whether this machine can do it, with these fields. Raises: OuzelError that says why not."""


class Steps:
    """All kinds that there are."""

    def __init__(self, kinds: Iterable[StepKind]) -> None:
        self.kinds: Mapping[str, StepKind] = {each.name: each for each in kinds}

    def of(self, step: Step) -> StepKind:
        """Raises: Unsupported."""
        kind = self.kinds.get(step.name)
        if kind is None:
            raise Unsupported(f"this Ouzel cannot do {step.name}; it can do {', '.join(self.kinds)}")
        return kind

    async def check(self, steps: Sequence[Step]) -> None:
        """Raises: BadOption that says what the first step that will not do says; `pointer` is in its context."""
        for number, step in enumerate(steps):
            try:
                await self.of(step).check(step.fields)
            except OuzelError as exc:
                pointer = exc.context.get("pointer", f"/steps/{number}")
                raise BadOption(f"{step.name}: {exc}", pointer=pointer) from exc
