"""The engine against a real server on loopback: `record(url)` gives what was kept."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import anyio
import pytest

from ouzel.engine.disk import DiskGate
from ouzel.engine.finish import FormatWish
from ouzel.engine.names import Target
from ouzel.engine.parts import Broken
from ouzel.engine.policy import Policy
from ouzel.engine.recorder import Recorder
from ouzel.engine.tape import Tape, TapeLimits
from ouzel.engine.verify import verify
from ouzel.engine.workshop import Workshop, build_recorder
from ouzel.model import ledger
from ouzel.model.events import Event, EventCode
from ouzel.model.report import Report
from ouzel.model.stream import Resolver, Stream
from ouzel.system.clock import Clock, SystemClock
from ouzel.system.ffmpeg import FfmpegFinder
from ouzel.system.http import Http1Client
from ouzel.testing.markers import read_markers

QUICK = Policy(
    park_s=2.0,
    stall_s=1.0,
    retry_base_s=0.05,
    retry_cap_s=0.2,
    segment_retry_s=0.05,
    segment_longest_s=2.0,
    frozen_targets=1.0,
    frozen_min_s=1.5,
    end_confirm_targets=0.5,
    end_confirm_s=0.5,
    disk_probe_s=0.05,
    min_free_bytes=0,
)


@dataclass
class Kept:
    """A recording and everything that can be read from it."""

    report: Report
    events: list[Event]
    folder: Path
    tape: Tape

    @property
    def path(self) -> Path:
        assert len(self.report.files) == 1, self.report.files
        return Path(self.report.files[0].path)

    @property
    def book(self) -> ledger.Ledger:
        return ledger.read(Path(self.report.files[0].ledger).read_bytes())

    @property
    def numbers(self) -> list[int]:
        """Running numbers of the groups of pictures in all files, in order."""
        found: list[int] = []
        for file in self.report.files:
            path = Path(file.path)
            found += [n for _, n in read_markers(path.read_bytes(), path.suffix.lstrip("."))]
        return found

    @property
    def gaps(self) -> list[tuple[str, float]]:
        return [(g.code.value, round(g.missing_s, 2)) for g in self.report.gaps]

    def told(self, code: EventCode) -> list[dict[str, Any]]:
        return [e.data for e in self.events if e.code is code]


@dataclass
class Studio:
    """Starts recordings in a temporary folder."""

    folder: Path
    policy: Policy = QUICK

    async def __call__(
        self,
        url: str | Stream,
        *,
        name: str = "show",
        resolver: Resolver | None = None,
        while_running: Callable[[Recorder, Tape], Awaitable[None]] | None = None,
        limits: TapeLimits | None = None,
        wish: FormatWish | None = None,
        clock: Clock | None = None,
        wait: bool = False,
        from_start: bool = False,
        broken: Broken | None = None,
        limit_s: float = 30.0,
        **policy: Any,
    ) -> Kept:
        stream = url if isinstance(url, Stream) else Stream(url)
        events: list[Event] = []
        rules = replace(self.policy, **policy)
        gate = DiskGate(self.folder, min_free_bytes=rules.min_free_bytes, probe_s=rules.disk_probe_s)
        async with Http1Client() as http:
            shop = Workshop(http, clock or SystemClock(), rules, gate, FfmpegFinder())
            recorder, tape = build_recorder(
                shop,
                stream,
                cookies=lambda _url: None,
                target=Target(self.folder, name, "", numbered=False),
                wish=wish or FormatWish(),
                limits=limits or TapeLimits(),
                listener=events.append,
                wait=wait,
                from_start=from_start,
                broken=broken,
            )
            if resolver is not None:
                recorder.spec = replace(recorder.spec, resolver=resolver)
            with anyio.fail_after(limit_s):
                async with anyio.create_task_group() as tg:
                    if while_running is not None:
                        tg.start_soon(while_running, recorder, tape)
                    report = await recorder.run()
                    tg.cancel_scope.cancel()
        for file in report.files:
            if file.error and not await anyio.Path(file.path).exists():
                continue  # taken away under the recorder, and told
            verdict = await verify(Path(file.path))
            assert verdict.status != "damaged", verdict.findings
        return Kept(report, events, self.folder, tape)


@pytest.fixture
def record(tmp_path: Path) -> Studio:
    return Studio(tmp_path / "out")
