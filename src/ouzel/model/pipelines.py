"""What is done with a recording or download that is over: a list of steps with a name. `docs/reference/pipelines.md` has them.

A pipeline is what somebody has set; a run is one pass of it over one item. What a field may be stands here; whether this
machine can do it (a codec, a remote, a hook that is there) says the step's own check, in `services.steps`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from difflib import get_close_matches
from enum import StrEnum
from types import MappingProxyType
from typing import Any, TypeAlias, cast

from ouzel.base.errors import BadOption
from ouzel.model.steps import SHAPES

MOST_STEPS = 20


@dataclass(frozen=True, slots=True)
class Step:
    """One step, with all its fields."""

    name: str
    fields: Mapping[str, Any] = field(default_factory=dict[str, Any])

    @property
    def goes_on(self) -> bool:
        """When it has failed, the next step is begun all the same."""
        return self.name in SHAPES and SHAPES[self.name].goes_on

    def doc(self) -> dict[str, Any]:
        """As JSON."""
        return {"step": self.name, **self.fields}


Steps: TypeAlias = tuple[Step, ...]
"""What a pipeline says."""


def short_step(step: Step) -> dict[str, Any]:
    """As JSON, without what is as usual; the format is always told."""
    shape = SHAPES.get(step.name)
    usual = {name: each.usual for name, each in shape.fields.items()} if shape else {}
    told = {name: value for name, value in step.fields.items() if name == "format" or value != usual.get(name)}
    return {"step": step.name, **told}


def stored_step(doc: Mapping[str, Any]) -> Step:
    """As the database has it, which another version may have written: fields that it did not know are as usual."""
    shape = SHAPES.get(doc["step"])
    usual = {name: each.usual for name, each in shape.fields.items()} if shape else {}
    return Step(doc["step"], usual | {name: value for name, value in doc.items() if name != "step"})


def steps_doc(steps: Steps) -> dict[str, Any]:
    """As JSON."""
    return {"steps": [each.doc() for each in steps]}


def stored_steps(doc: Mapping[Any, Any]) -> Steps:
    """As the database has them."""
    return tuple(map(stored_step, doc["steps"]))


def parse_steps(docs: Sequence[object]) -> Steps:
    """JSON objects `{"step": "remux", "format": "mp4"}`. Raises: BadOption, whose context has `pointer`."""
    if not 0 < len(docs) <= MOST_STEPS:
        raise BadOption(f"a pipeline has 1 to {MOST_STEPS} steps", pointer="/steps")
    return tuple(_step(number, each) for number, each in enumerate(docs))


def _step(number: int, doc: object) -> Step:
    where = f"/steps/{number}"
    if not isinstance(doc, Mapping):
        raise BadOption('a step is an object: {"step": "remux", "format": "mp4"}', pointer=where)
    given = dict(cast("Mapping[str, object]", doc))
    name = given.pop("step", None)
    if not isinstance(name, str) or name not in SHAPES:
        raise BadOption(f"there is no step {str(name)[:40]}; there are {', '.join(SHAPES)}", pointer=f"{where}/step")
    known = SHAPES[name].fields
    if unknown := sorted(given.keys() - known.keys()):
        near = get_close_matches(unknown[0], known, 1)
        hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}"
        raise BadOption(f"{name} has no field {unknown[0][:40]}; {hint}", pointer=f"{where}/{unknown[0][:40]}")
    values: dict[str, Any] = {}
    for key, each in known.items():
        if key not in given and each.usual is None:
            raise BadOption(f"{name} needs {key}: {each.doc}", pointer=f"{where}/{key}")
        try:
            values[key] = each.parse(key, given[key]) if key in given else each.usual
        except BadOption as exc:
            raise BadOption(f"{name}: {exc}", pointer=f"{where}/{key}") from None
    return Step(name, values)


def steps_schema() -> dict[str, Any]:
    """Of a list of steps, as JSON Schema."""
    kinds = [
        {
            "title": name, "description": shape.doc, "type": "object", "additionalProperties": False,
            "properties": {"step": {"const": name}, **{key: each.schema() for key, each in shape.fields.items()}},
            "required": ["step", *(key for key, each in shape.fields.items() if each.usual is None)],
        }
        for name, shape in SHAPES.items()
    ]  # fmt: skip
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema", "type": "array", "minItems": 1, "maxItems": MOST_STEPS,
        "items": {"oneOf": kinds},
    }  # fmt: skip


# -- runs --------------------------------------------------------------------------------------------------------------


class RunState(StrEnum):
    """The spelling is a promise."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


_R = RunState
RUN_MOVES: Mapping[RunState, frozenset[RunState]] = MappingProxyType(
    {
        _R.RUNNING: frozenset({_R.DONE, _R.FAILED, _R.CANCELLED}),
        _R.DONE: frozenset(),
        _R.FAILED: frozenset({_R.RUNNING}),
        _R.CANCELLED: frozenset({_R.RUNNING}),
    }
)


def move_run(now: RunState, then: RunState) -> RunState:
    """`then`, if it may follow `now`. Raises: ValueError: a bug in the caller."""
    if then not in RUN_MOVES[now]:
        raise ValueError(f"a run cannot go from {now} to {then}")
    return then


@dataclass(frozen=True, slots=True)
class PipelineRun:
    """One pass of a pipeline over one item."""

    id: str
    pipeline: str
    """Its name when it began."""
    recording_id: str
    """Empty: it is over a download."""
    download_id: str
    steps: tuple[Step, ...]
    """As they were when it began."""
    at: int
    """The step that is to be done, from 0; the number of steps when it is done."""
    taken: tuple[str, ...]
    """Ids of the files with which it began."""
    files: tuple[str, ...]
    """Ids of those that the next step takes: what the last one made stands in place of what it was made of."""
    skipped: tuple[int, ...]
    """Steps that failed, and behind which it went on."""
    state: RunState
    job_id: str
    """Of the step at which it is."""
    code: str | None
    """Of the error that ended it."""
    why: str | None
    by: str
    """Who wanted it; empty: it began by itself."""
    created_at: datetime
    ended_at: datetime | None = None

    @property
    def step(self) -> Step | None:
        """That is to be done; None: all are."""
        return self.steps[self.at] if self.at < len(self.steps) else None

    @property
    def item(self) -> str:
        return self.recording_id or self.download_id
