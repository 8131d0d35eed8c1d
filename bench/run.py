"""Record live channels with Ouzel and its peers, and compare.

    python bench/run.py                      # what the goals need: half an hour
    python bench/run.py --full               # every size, 60 s each: an hour and a half
    python bench/run.py --only hls --size 10 --seconds 10 --rounds 1     # a look
    python bench/run.py --tables             # write the tables anew from the results that are there

Needs Linux, and ffmpeg on PATH. Contestants take turns, so that whatever else the machine does meets all of them; ratios of
pairs in one round are the result. Everything is written to memory. Results are kept in `.cache/bench/results`, one file for each
case, and the tables between the marks in `docs/performance.md` are written from all of them.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from live import faults, goals, meter, shapers, tables
from live.cases import GROUPS, KINDS, SIZES, Case, comparison, full_cases, resized, special_cases, standard_cases
from live.contestants import version_of, why_missing
from live.media import clip
from live.memory import at_hand
from live.results import Result, Round, load_all, save
from live.rounds import ROOM_BYTES, NotPossible, Track, recordings_bytes, track
from live.shapers import Timed

ROOT = Path(__file__).parent.parent
CACHE = ROOT / ".cache" / "bench"
PAGE = ROOT / "docs" / "performance.md"


def main(arguments: Sequence[str] | None = None) -> None:
    given = _parser().parse_args(arguments)
    if not given.tables:
        if not sys.platform.startswith("linux"):
            sys.exit("the bench reads /proc: it needs Linux")
        cases = chosen(given)
        minutes = sum(case.estimate_s for case in cases) / 60
        print(f"{len(cases)} cases, about {minutes:.0f} minutes", flush=True)
        with at_hand(_needed(cases)), track(CACHE / "clips", CACHE / "peers", given.revision) as place:
            for case in cases:
                save(CACHE / "results", measure(case, place, install=not given.no_install))
                write_page()
    write_page()
    print(f"tables: {PAGE.relative_to(ROOT)}")
    print(goals.render(load_all(CACHE / "results")))


def _needed(cases: Sequence[Case]) -> int:
    """Bytes of memory that the largest case needs, as far as they are there."""
    most = max((recordings_bytes(case) for case in cases if case.group != "shapers"), default=0)
    return min(most + ROOM_BYTES, meter.available_bytes() * 9 // 10) if most else 0


def chosen(given: argparse.Namespace) -> list[Case]:
    """The cases that the options ask for."""
    cases = [*(full_cases() if given.full else standard_cases())]
    if given.only or given.size:
        groups = given.only or [*KINDS]
        sizes = given.size or [None]
        cases = [case for case in cases if case.group in groups and case.channels in (given.size or [case.channels])]
        for group in groups:
            for size in sizes:
                if not any(case.group == group and size in (None, case.channels) for case in cases):
                    cases += _asked(group, size)
    cases = [resized(case, seconds=given.seconds, rounds=given.rounds, size=None) for case in cases]
    if given.tool:
        cases = [replace(case, entries=tuple(e for e in case.entries if e.tool in given.tool)) for case in cases]
    return cases


def _asked(group: str, size: int | None) -> list[Case]:
    """Cases of a size that is not in the plan."""
    if size is None:
        return []
    compared = [comparison(kind, size, seconds=60, rounds=3) for kind in KINDS if kind == group]
    special = [case for case in special_cases() if case.group == group]
    return compared + [resized(case, seconds=None, rounds=None, size=size) for case in special]


def measure(case: Case, place: Track, *, install: bool) -> Result:
    """All rounds of a case."""
    print(f"\n{tables.describe(case)}", flush=True)
    peers = CACHE / "peers"
    if case.group == "shapers":
        return Result(case, [], _time_shapers(case), {}, versions(case, peers), [])
    skipped = {
        entry.label: reason for entry in case.entries if (reason := why_missing(entry.tool, peers, install=install))
    }
    rounds: list[Round] = []
    load: list[float] = []
    for number in range(case.rounds):
        load.append(os.getloadavg()[0])
        rounds.append(_round(case, number, place, skipped))
    return Result(case, rounds, [], skipped, versions(case, peers), load)


def _round(case: Case, number: int, place: Track, skipped: dict[str, str]) -> Round:
    """Every second round goes the other way round. What cannot be run is noted in `skipped`."""
    runs: Round = {}
    for entry in case.entries if number % 2 == 0 else case.entries[::-1]:
        if entry.label in skipped:
            continue
        began = time.monotonic()
        spoil = faults.spoil(case.kind) if entry.faults else None
        try:
            run, kept = place.run(case, entry, spoil)
        except NotPossible as exc:
            skipped[entry.label] = str(exc)
            print(f"  {number + 1}/{case.rounds} {entry.label}: skipped: {exc}", flush=True)
            continue
        if entry.faults:
            run = replace(run, details=faults.sort_out(case.kind, kept))
        runs[entry.label] = run
        verdict, missing = run.verdict, run.reported_missing_s
        print(
            f"  {number + 1}/{case.rounds} {entry.label}: {run.cpu_s:.1f} CPU s, {run.steady_cores * 100:.1f} % of a core, "
            f"{run.pss_bytes / 1e6:.0f} MB, segments {verdict.segments_min} to {verdict.segments_max}, "
            f"{verdict.lost} lost{'' if missing is None else f' ({missing:g} s reported)'}, {verdict.repeated} repeated, "
            f"{verdict.foreign} foreign; waited {run.waited * 100:.0f} %, origin {run.origin_cores * 100:.0f} %, "
            f"{time.monotonic() - began:.0f} s",
            flush=True,
        )
    return {entry.label: runs[entry.label] for entry in case.entries if entry.label in runs}


def _time_shapers(case: Case) -> list[dict[str, Timed]]:
    works = shapers.works(clip(CACHE / "clips"))
    rounds: list[dict[str, Timed]] = []
    for number in range(case.rounds):
        turn = works if number % 2 == 0 else works[::-1]
        timed = {work.label: shapers.measure(work) for work in turn}
        rounds.append({work.label: timed[work.label] for work in works})
        print(f"  {number + 1}/{case.rounds} " + ", ".join(f"{t.cpu_s_per_gb:.2f}" for t in rounds[-1].values()))
    return rounds


def versions(case: Case, peers: Path) -> list[str]:
    """What decides the figures beside our own code."""
    tools = [version_of(tool, peers) for tool in dict.fromkeys(entry.tool for entry in case.entries)]
    return [f"Python {platform.python_version()}", f"{os.cpu_count()} cores", *filter(None, tools)]


def write_page() -> None:
    """Replace what stands between the marks."""
    results = load_all(CACHE / "results")
    page = PAGE.read_text()
    for name, text in (("goals", goals.render(results)), ("tables", tables.render(results))):
        begin, end = f"<!-- {name}: written by bench/run.py -->", f"<!-- {name}: end -->"
        pattern = re.compile(re.escape(begin) + ".*" + re.escape(end), re.DOTALL)
        if not pattern.search(page):
            sys.exit(f"{PAGE} lacks the marks {begin} and {end}")
        page = pattern.sub(lambda _, text=text, begin=begin, end=end: f"{begin}\n\n{text}\n\n{end}", page)
    PAGE.write_text(page)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--full", action="store_true", help="every size, 60 s, three rounds")
    parser.add_argument("--only", nargs="+", choices=GROUPS, help="only these groups of cases")
    parser.add_argument("--size", nargs="+", type=int, help=f"only these numbers of channels (of {SIZES}, or others)")
    parser.add_argument(
        "--tool", nargs="+", help="only these contestants: ouzel, ffmpeg, streamlink, copy, 'bare copy'"
    )
    parser.add_argument("--seconds", type=float, help="length of each run")
    parser.add_argument("--rounds", type=int, help="rounds of each case")
    parser.add_argument("--revision", help="measure the code of this revision (in git), not of the tree")
    parser.add_argument("--no-install", action="store_true", help="install no peer into .cache/bench/peers")
    parser.add_argument("--tables", action="store_true", help="measure nothing, write the tables")
    return parser


if __name__ == "__main__":
    main()
