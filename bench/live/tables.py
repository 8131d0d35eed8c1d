"""Results as Markdown. Medians over the rounds; ratios are of pairs in one round; of what was lost, the worst round."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from live.cases import KINDS, Case, Kind
from live.results import Result, Round
from live.rounds import Run

MB = 1e6
Figure = Callable[[Run], float]
TITLES: Mapping[Kind, str] = {"hls": "HLS", "flv": "HTTP-FLV"}


def render(results: Mapping[str, Result]) -> str:
    """All tables for which there are results."""
    sections = [*_recording(results), *_ratios(results), *_tls(results), *_follow(results), *_shapers(results)]
    sections += _faults(results)
    if versions := sorted({version for result in results.values() for version in result.versions}):
        sections.append("Measured with: " + ", ".join(versions) + ".")
    return "\n\n".join(sections)


@dataclass(frozen=True)
class Ratio:
    """Of two contestants in the same round, over the rounds."""

    middle: float
    least: float
    most: float

    def __str__(self) -> str:
        return f"{_short(self.middle)} ({_short(self.least)} to {_short(self.most)})"


def ratio(rounds: Sequence[Round], label: str, other: str, figure: Figure) -> Ratio | None:
    """How many times the figure of `other` that of `label` is; None when they never met."""
    pairs = [(one[label], one[other]) for one in rounds if label in one and other in one]
    if not pairs:
        return None
    ratios = [figure(mine) / figure(theirs) for mine, theirs in pairs]
    return Ratio(median(ratios), min(ratios), max(ratios))


def runs_of(result: Result, label: str) -> list[Run]:
    return [one[label] for one in result.rounds if label in one]


def cpu(run: Run) -> float:
    return run.cpu_s


def steady(run: Run) -> float:
    return run.steady_cores


def memory(run: Run) -> float:
    return run.pss_bytes


def per_gb(run: Run) -> float:
    return run.cpu_s_per_gb


def of_group(results: Mapping[str, Result], group: str) -> list[Result]:
    """Small cases first."""
    found = [result for result in results.values() if result.case.group == group]
    return sorted(found, key=lambda result: (KINDS.index(result.case.kind), result.case.channels))


def _recording(results: Mapping[str, Result]) -> Iterator[str]:
    for kind in KINDS:
        rows: list[str] = []
        for result in of_group(results, kind):
            rows += _rows(result)
        if rows:
            yield f"### {TITLES[kind]}, recording\n\n{_HEAD}\n" + "\n".join(rows)


_HEAD = (
    "| channels | contestant | s | % of a core per channel, all | steady | CPU s/GB kept | PSS MB | MB per channel "
    "| segments per channel | lost / repeated / foreign | waited for a core | rounds |\n" + "| --- " * 12 + "|"
)


def _rows(result: Result) -> Iterator[str]:
    case = result.case
    for entry in case.entries:
        runs = runs_of(result, entry.label)
        if runs:
            yield f"| {case.channels} | {entry.label} | {case.seconds:g} | {_cells(runs)} | {len(runs)} |"
        elif entry.label in result.skipped:
            yield f"| {case.channels} | {entry.label} | - | skipped: {result.skipped[entry.label]} {'|' * 9}"


def _cells(runs: Sequence[Run]) -> str:
    channels = runs[0].channels
    worst = [max(getattr(run.verdict, what) for run in runs) for what in ("lost", "repeated", "foreign")]
    cells = (
        f"{median(run.cpu_s / run.wall_s for run in runs) * 100 / channels:.3f}",
        f"{median(map(steady, runs)) * 100 / channels:.3f}",
        f"{median(map(per_gb, runs)):.1f}",
        f"{median(map(memory, runs)) / MB:.0f}",
        f"{median(map(memory, runs)) / MB / channels:.2f}",
        f"{min(run.verdict.segments_min for run in runs)} to {max(run.verdict.segments_max for run in runs)}",
        " / ".join(map(str, worst)),
        f"{median(run.waited for run in runs) * 100:.0f} %",
    )
    return " | ".join(cells)


def _ratios(results: Mapping[str, Result]) -> Iterator[str]:
    rows: list[str] = []
    for result in [*of_group(results, "hls"), *of_group(results, "flv")]:
        case = result.case
        for peer in case.entries[1:]:
            pair = case.entries[0].label, peer.label
            figures = [ratio(result.rounds, *pair, figure) for figure in (cpu, per_gb, steady, memory)]
            if None not in figures:
                cells = " | ".join(map(str, figures))
                rows.append(f"| {TITLES[case.kind]} | {case.channels} | {' / '.join(pair)} | {cells} |")
    if rows:
        head = "| | channels | pair | CPU, all | per GB kept | CPU, steady | PSS |\n" + "| --- " * 7 + "|"
        yield f"### Ratios of pairs\n\n{head}\n" + "\n".join(rows)


def _tls(results: Mapping[str, Result]) -> Iterator[str]:
    rows: list[str] = []
    for result in of_group(results, "tls"):
        clear, tls = (entry.label for entry in result.case.entries)
        more = ratio(result.rounds, tls, clear, steady)
        if more is not None:
            both = [median(map(steady, runs_of(result, label))) * 100 / result.case.channels for label in (clear, tls)]
            lost = max(run.verdict.lost for run in runs_of(result, tls))
            rows.append(
                f"| {TITLES[result.case.kind]} | {result.case.channels} | {both[0]:.3f} | {both[1]:.3f} | {more} | {lost} |"
            )
    if rows:
        head = (
            "| | channels | clear, % of a core per channel, steady | TLS | ratio | lost over TLS |\n"
            + "| --- " * 6
            + "|"
        )
        yield f"### TLS\n\n{head}\n" + "\n".join(rows)


def _follow(results: Mapping[str, Result]) -> Iterator[str]:
    for result in of_group(results, "follow"):
        reference = result.case.entries[0].label
        rows: list[str] = []
        for entry in result.case.entries:
            runs, times = runs_of(result, entry.label), ratio(result.rounds, entry.label, reference, steady)
            if runs and times is not None:
                share = median(map(steady, runs)) * 100 / result.case.channels
                mb = median(map(memory, runs)) / MB
                rows.append(f"| {entry.label} | {share:.3f} | {times} | {mb:.0f} | {_lost(runs)} |")
        if rows:
            head = "| | % of a core per channel, steady | ratio to the copy | PSS MB | lost / repeated / foreign |\n"
            title = f"### HTTP-FLV: what following and re-stamping cost ({result.case.channels} channels)"
            yield f"{title}\n\n{head}" + "| --- " * 5 + "|\n" + "\n".join(rows)


def _lost(runs: Sequence[Run]) -> str:
    return " / ".join(str(max(getattr(run.verdict, what) for run in runs)) for what in ("lost", "repeated", "foreign"))


def _shapers(results: Mapping[str, Result]) -> Iterator[str]:
    for result in of_group(results, "shapers"):
        labels = [*result.timed[0]]
        rows: list[str] = []
        for label in labels:
            cost = median(one[label].cpu_s_per_gb for one in result.timed)
            rows.append(f"| {label} | {cost:.3f} | {cost * 4e6 / 8 / 1e9 * 100:.4f} |")
        head = "| | CPU s/GB | % of a core at 4 Mb/s |\n| --- | --- | --- |"
        yield f"### The shapers alone\n\n{head}\n" + "\n".join(rows)


def _faults(results: Mapping[str, Result]) -> Iterator[str]:
    rows: list[str] = []
    for result in of_group(results, "faults"):
        for run in runs_of(result, result.case.entries[0].label)[-1:]:
            for fault, row in run.details.items():
                cells = " | ".join(
                    str(row[key]) for key in ("channels", "segments_min", "never_served", "lost", "repeated")
                )
                rows.append(f"| {TITLES[result.case.kind]} | {fault} | {cells} |")
            rows.append(
                f"| {TITLES[result.case.kind]} | foreign segments in all files | {run.verdict.foreign} | | | | |"
            )
    if rows:
        head = "| | fault | channels | segments, least | never served | lost that could be had | repeated |\n"
        yield f"### Faults in one channel of five\n\n{head}" + "| --- " * 7 + "|\n" + "\n".join(rows)


def _short(value: float) -> str:
    return f"{value:.2f}" if value >= 0.1 else f"{value:.3f}"


def describe(case: Case) -> str:
    """For the line that shows progress."""
    labels = ", ".join(entry.label for entry in case.entries) or "in this process"
    seconds = f" for {case.seconds:g} s" if case.seconds else ""
    channels = f", {case.channels} channels" if case.entries else ""
    return f"{case.name}: {labels}{channels}{seconds}, {case.rounds} rounds"
