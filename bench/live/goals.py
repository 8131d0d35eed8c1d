"""Which goals the results meet. The goals are of the finished command, with ledger, repair and progress on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from statistics import median

from live.cases import KINDS
from live.results import Result
from live.tables import MB, TITLES, Figure, cpu, memory, of_group, ratio, runs_of, steady

OUZEL = "ouzel"
FFMPEG = "ffmpeg"


@dataclass(frozen=True)
class Goal:
    id: str
    text: str
    measured: str
    met: bool | None
    """None: not measured."""


def render(results: Mapping[str, Result]) -> str:
    rows = [f"| {goal.id} | {goal.text} | {goal.measured or '-'} | {_WORD[goal.met]} |" for goal in judge(results)]
    return "| | goal | measured | met |\n| --- | --- | --- | --- |\n" + "\n".join(rows)


_WORD = {True: "yes", False: "**no**", None: "not measured"}


def judge(results: Mapping[str, Result]) -> Iterator[Goal]:
    yield _limit(
        "L1", "100 HLS channels: at most 1/4 of the CPU of one ffmpeg each", _against(results, "hls", cpu), 0.25
    )
    yield _share(results)
    yield _further_channel(results)
    yield _limit("L2", "100 HLS channels: at most 1/10 of ffmpeg's memory", _against(results, "hls", memory), 0.1)
    yield _complete(results)
    yield _isolated(results)
    yield from _following(results)
    yield _limit(
        "L5", "100 FLV channels: at most 1/4 of the CPU of one ffmpeg each", _against(results, "flv", cpu), 0.25
    )
    yield from _many(results)
    for result in of_group(results, "tls"):
        clear, tls = (entry.label for entry in result.case.entries)
        found = ratio(result.rounds, tls, clear, steady)
        yield _limit(
            "TLS", f"{TITLES[result.case.kind]} over TLS: at most twice the clear cost", found and found.middle, 2
        )


def _limit(name: str, text: str, value: float | None, limit: float) -> Goal:
    return Goal(name, text, "" if value is None else f"{value:.2f}", None if value is None else value <= limit)


def _against(results: Mapping[str, Result], kind: str, figure: Figure) -> float | None:
    result = results.get(f"{kind}-{kind}-100")
    found = result and ratio(result.rounds, OUZEL, FFMPEG, figure)
    return found.middle if found else None


def _share(results: Mapping[str, Result]) -> Goal:
    text = "100 HLS channels: at most 0.12 % of a core each"
    result = results.get("hls-hls-100")
    runs = runs_of(result, OUZEL) if result else []
    if not runs:
        return Goal("L1", text, "", None)
    whole = median(run.cpu_s / run.wall_s for run in runs)
    going = median(map(steady, runs))
    return Goal("L1", text, f"{whole:.3f} %, {going:.3f} % once they run", going <= 0.12)


def _further_channel(results: Mapping[str, Result]) -> Goal:
    text = "each further channel: at most 0.3 MB (from 10 to 100)"
    parts: list[str] = []
    met = True
    for kind in KINDS:
        few, many = (results.get(f"{kind}-{kind}-{size}") for size in (10, 100))
        if few and many and runs_of(few, OUZEL) and runs_of(many, OUZEL):
            grown = median(map(memory, runs_of(many, OUZEL))) - median(map(memory, runs_of(few, OUZEL)))
            parts.append(f"{TITLES[kind]} {grown / 90 / MB:.2f} MB")
            met = met and grown / 90 <= 0.3 * MB
    return Goal("L2", text, ", ".join(parts), met if parts else None)


def _complete(results: Mapping[str, Result]) -> Goal:
    text = "100 HLS channels: nothing lost or repeated, every channel has a segment for each 2 s"
    result = results.get("hls-hls-100")
    runs = runs_of(result, OUZEL) if result else []
    if result is None or not runs:
        return Goal("L3", text, "", None)
    lost, repeated = max(run.verdict.lost for run in runs), max(run.verdict.repeated for run in runs)
    least, due = min(run.verdict.segments_min for run in runs), int(result.case.seconds / 2)
    measured = f"{lost} lost, {repeated} repeated, least {least} of {due} due"
    return Goal("L3", text, measured, not lost and not repeated and least >= due)


def _isolated(results: Mapping[str, Result]) -> Goal:
    text = "a fault costs only what left the origin, and nothing in another channel's file"
    found = of_group(results, "faults")
    runs = [run for result in found for run in runs_of(result, OUZEL)]
    if not runs:
        return Goal("L4", text, "", None)
    lost = sum(row["lost"] for run in runs for row in run.details.values())
    foreign, repeated = sum(run.verdict.foreign for run in runs), sum(run.verdict.repeated for run in runs)
    measured = f"{lost} lost that could be had, {repeated} repeated, {foreign} foreign"
    return Goal("L4", text, measured, not lost and not foreign and not repeated)


def _following(results: Mapping[str, Result]) -> Iterator[Goal]:
    texts = ("FLV, tags followed: at most 1.3 of a byte copy", "FLV, re-stamped: at most 1.6 of a byte copy")
    result = next(reversed(of_group(results, "follow")), None)
    for text, limit, number in zip(texts, (1.3, 1.6), (-2, -1), strict=True):
        labels = [entry.label for entry in result.case.entries] if result else []
        found = result and ratio(result.rounds, labels[number], labels[0], steady)
        yield _limit("L5", text, found.middle if found else None, limit)


def _many(results: Mapping[str, Result]) -> Iterator[Goal]:
    for kind in KINDS:
        text = f"400 {TITLES[kind]} channels in one process: nothing lost, at most 60 % of a core"
        result = results.get(f"{kind}-{kind}-400")
        runs = runs_of(result, OUZEL) if result else []
        if not runs:
            yield Goal("L6", text, "", None)
            continue
        going, lost = median(map(steady, runs)) * 100, max(run.verdict.lost for run in runs)
        waited = median(run.waited for run in runs) * 100
        measured = f"{going:.0f} % once they run, {lost} lost (waited for a core {waited:.0f} % of the time)"
        yield Goal("L6", text, measured, going <= 60 and not lost)
