"""One run: an origin, a contestant, a stop after so many seconds, and what came of it."""

from __future__ import annotations

import compileall
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import trustme

import ouzel
from live import meter
from live.cases import Case, Entry
from live.contestants import Launch, Site, keeps_packets, launches
from live.marks import Kept, Verdict, judge
from live.media import VIDEO_BPS, clip
from live.origins import Spoil, channel_names, serve
from ouzel.testing.clips import Clip

_SAMPLE_EVERY_S = 4.0
_LONGEST_END_S = 60.0
_WARM_SHARE = 0.25
"""Of a run that does not count as steady; at least `_WARM_S`."""
_WARM_S = 5.0
ROOM_BYTES = 2 * 1000**3
"""Memory that must be left beside the recordings."""


@dataclass(frozen=True)
class Run:
    """What one contestant did in one round."""

    label: str
    channels: int
    wall_s: float
    """From the start until all processes have ended."""
    cpu_s: float
    """User and system, all processes and their children, start and end included."""
    steady_cores: float
    """Cores in use once everything runs."""
    waited: float
    """Share of the time in which it wanted to run that it waited for a core, once everything runs: above a tenth or so the
    machine is too small or too busy, and what is lost is its fault."""
    pss_bytes: int
    """The largest of the samples."""
    verdict: Verdict
    origin_cores: float
    reported_missing_s: float | None = None
    """Media that the recorder itself says is missing; None when it does not say."""
    details: dict[str, dict[str, int]] = field(default_factory=dict[str, dict[str, int]])
    """For runs with faults: by fault, what was lost and why."""

    @property
    def cpu_s_per_gb(self) -> float:
        return self.cpu_s / max(self.verdict.kept_bytes, 1) * 1e9

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, fields: dict[str, Any]) -> Run:
        others: dict[str, Any] = {**fields, "verdict": Verdict(**fields["verdict"])}
        return cls(**others)


class NotPossible(Exception):
    """This run cannot take place here; the text says why."""


def recordings_bytes(case: Case) -> int:
    """What one contestant writes, and a little more."""
    return int(case.channels * (case.seconds + 15) * VIDEO_BPS / 8 * 1.1)


class Track:
    """Where runs take place: a folder in memory, with the clip and the certificates."""

    def __init__(self, folder: Path, clips: Path, peers: Path) -> None:
        self.folder = folder
        self._peers = peers
        self._clip: Clip = clip(clips)
        authority = trustme.CA()
        authority.cert_pem.write_to_path(str(folder / "ca.pem"))
        issued = authority.issue_cert("127.0.0.1")
        issued.private_key_and_cert_chain_pem.write_to_path(str(folder / "server.pem"))

    def run(self, case: Case, entry: Entry, spoil: Spoil | None = None) -> tuple[Run, dict[str, Kept]]:
        """Raises: NotPossible."""
        expected = recordings_bytes(case)
        if expected + ROOM_BYTES > meter.available_bytes():
            raise NotPossible(f"needs {expected / 1e9:.1f} GB of memory for the recordings, which is not free")
        names = channel_names(case.channels)
        with _site(self.folder, self._peers) as site:
            with serve(entry, names, self._clip, self.folder, spoil) as source:
                before = meter.used([source.pid])
                figures = _record(launches(entry, source.urls, site), case.seconds)
                origin = meter.used([source.pid]) - before
            verdict, kept = judge(site.recordings, names, packets=keeps_packets(entry.tool, entry.kind))
            run = Run(
                label=entry.label,
                channels=case.channels,
                verdict=verdict,
                origin_cores=origin.cpu_s / figures["wall_s"],
                reported_missing_s=_reported_missing_s(site.logs / "ouzel.jsonl"),
                **figures,
            )
            if not verdict.files:
                raise NotPossible(_last_words(site.logs) or f"{entry.label} recorded nothing")
            return run, kept


@contextmanager
def track(clips: Path, peers: Path, revision: str | None = None) -> Generator[Track]:
    """A folder in memory, removed at the end, with a copy of the code under test, so that whoever works on the tree meanwhile
    does not change what is measured. It has its byte code, as installed packages have.

    Args:
        revision: take the code from there (in git); None: as it lies in the tree.
    """
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(prefix="ouzel-bench-", dir=memory if memory.is_dir() else None) as name:
        source = _copy_code(Path(name), revision)
        compileall.compile_dir(source, quiet=1)
        before = os.environ.get("PYTHONPATH")
        os.environ["PYTHONPATH"] = str(source)
        try:
            yield Track(Path(name), clips, peers)
        finally:
            if before is None:
                del os.environ["PYTHONPATH"]
            else:
                os.environ["PYTHONPATH"] = before


def _copy_code(folder: Path, revision: str | None) -> Path:
    package = Path(ouzel.__file__).parent
    if revision is None:
        shutil.copytree(package, folder / "source" / "ouzel")
        return folder / "source"
    packed = folder / "source.tar"
    packed.write_bytes(
        subprocess.run(
            ["git", "archive", f"{revision}:src"], cwd=package.parent.parent, check=True, capture_output=True
        ).stdout
    )
    shutil.unpack_archive(packed, folder / "source")
    return folder / "source"


@contextmanager
def _site(folder: Path, peers: Path) -> Generator[Site]:
    site = Site(folder / "recordings", folder / "logs", folder / "ca.pem", peers)
    for place in (site.recordings, site.logs):
        place.mkdir()
    try:
        yield site
    finally:
        for place in (site.recordings, site.logs):
            shutil.rmtree(place)


def _record(todo: Sequence[Launch], seconds: float) -> dict[str, Any]:
    """Start all, let them run, end them."""
    begun = time.monotonic()
    crew: list[tuple[Launch, subprocess.Popen[bytes]]] = []
    try:
        crew += [(launch, _start(launch)) for launch in todo]
        pids = [process.pid for _, process in crew]
        warm_s = min(max(_WARM_S, seconds * _WARM_SHARE), seconds / 2)
        _sleep_until(begun + warm_s)
        first, first_at = meter.used(pids), time.monotonic()
        largest = meter.pss_bytes(pids)
        while time.monotonic() + _SAMPLE_EVERY_S < begun + seconds:
            time.sleep(_SAMPLE_EVERY_S)
            largest = max(largest, meter.pss_bytes(pids))
        _sleep_until(begun + seconds)
        steady, steady_s = meter.used(pids) - first, time.monotonic() - first_at
        for launch, process in crew:
            os.kill(
                process.pid, launch.stop
            )  # not `send_signal`, which would wait for one that has ended and lose its usage
        cpu_s = sum(_end(process, begun + seconds + _LONGEST_END_S) for _, process in crew)
    finally:
        for _, process in crew:
            _kill(process)
    return {
        "wall_s": time.monotonic() - begun,
        "cpu_s": cpu_s,
        "steady_cores": steady.cpu_s / steady_s,
        "waited": steady.waited_s / max(steady.cpu_s + steady.waited_s, 1e-9),
        "pss_bytes": largest,
    }


def _start(launch: Launch) -> subprocess.Popen[bytes]:
    with launch.log.open("ab") as out, launch.log.with_suffix(".err").open("ab") as errors:
        return subprocess.Popen(
            launch.arguments,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=errors,
            env={**os.environ, **launch.environment},
            start_new_session=True,  # so that its children can be ended with it
        )


def _end(process: subprocess.Popen[bytes], until: float) -> float:
    """Wait for a process that was told to end. Returns its CPU seconds, with those of the children that it waited for."""
    while time.monotonic() < until:
        pid, status, usage = os.wait4(process.pid, os.WNOHANG)
        if pid:
            process.returncode = os.waitstatus_to_exitcode(status)
            return usage.ru_utime + usage.ru_stime
        time.sleep(0.02)
    used = meter.used([process.pid]).cpu_s
    _kill(process)
    return used


def _kill(process: subprocess.Popen[bytes]) -> None:
    if process.returncode is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _sleep_until(at: float) -> None:
    time.sleep(max(at - time.monotonic(), 0))


def _reported_missing_s(log: Path) -> float | None:
    """From the report that ends the recorder's output."""
    if not log.exists():
        return None
    with log.open("rb") as file:
        last = b""
        for line in file:
            last = line
    try:
        report = json.loads(last)
    except ValueError:
        return None
    return float(report["missing_s"]) if report.get("event") == "report" else None


def _last_words(logs: Path) -> str:
    for log in sorted(logs.glob("*.err")):
        if words := log.read_text(errors="replace").strip():
            return words.splitlines()[-1][:200]
    return ""
