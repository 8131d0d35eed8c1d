"""Results between runs of the bench: a file for each case, so that one case can be measured anew and the tables stay whole."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from live.cases import Case, Entry
from live.rounds import Run
from live.shapers import Timed

Round = dict[str, Run]
"""By label."""


@dataclass(frozen=True)
class Result:
    case: Case
    rounds: Sequence[Round]
    timed: Sequence[dict[str, Timed]]
    """Rounds of the case that measures shapers."""
    skipped: dict[str, str]
    """By label: why there is nothing."""
    versions: Sequence[str]
    load: Sequence[float]
    """Average number of runnable processes of the machine, before each round."""


def save(folder: Path, result: Result) -> None:
    """Replaces the case's older result."""
    folder.mkdir(parents=True, exist_ok=True)
    document = {
        "case": asdict(result.case),
        "rounds": [{label: run.to_json() for label, run in one.items()} for one in result.rounds],
        "timed": [{label: timed.to_json() for label, timed in one.items()} for one in result.timed],
        "skipped": result.skipped,
        "versions": result.versions,
        "load": result.load,
    }
    part = folder / f"{result.case.name}.part"
    part.write_text(json.dumps(document, indent=1))
    part.rename(folder / f"{result.case.name}.json")


def load_all(folder: Path) -> dict[str, Result]:
    """By the name of the case."""
    return {path.stem: _load(json.loads(path.read_text())) for path in sorted(folder.glob("*.json"))}


def _load(document: dict[str, Any]) -> Result:
    fields: dict[str, Any] = {**document["case"]}
    fields["entries"] = tuple(Entry(**entry) for entry in fields["entries"])
    return Result(
        Case(**fields),
        [{label: Run.from_json(run) for label, run in one.items()} for one in document["rounds"]],
        [{label: Timed.from_json(timed) for label, timed in one.items()} for one in document["timed"]],
        document["skipped"],
        document["versions"],
        document["load"],
    )
