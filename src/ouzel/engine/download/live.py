"""What is on air under the address of a download: recorded, from the oldest segment that is listed, until it ends.

What was broken off goes on in the next file, with the next segment where that is still listed, and else with a gap.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace
from pathlib import Path

import anyio
import anyio.to_thread

from ouzel.base.errors import NetworkError, NotOnAir, OuzelError
from ouzel.engine import ledgers
from ouzel.engine.disk import DiskGate
from ouzel.engine.download.asking import Address
from ouzel.engine.download.downloader import OnAir
from ouzel.engine.finish import FormatWish
from ouzel.engine.ledgers import Held
from ouzel.engine.names import Target
from ouzel.engine.parts import Broken, broken_off
from ouzel.engine.recorder import Recorder
from ouzel.engine.recover import recover_files
from ouzel.engine.sinks.file import CONVERTING, PART
from ouzel.engine.tape import Tape, TapeLimits
from ouzel.engine.tasks import beside
from ouzel.engine.workshop import Workshop, build_recorder
from ouzel.model.downloads import DownloadOutcome, DownloadProgress, DownloadWish, OnDownload
from ouzel.model.flow import EndReason, Gap
from ouzel.model.ledger import Ledger
from ouzel.model.naming import DEFAULT_TEMPLATE
from ouzel.model.report import FileReport, Report

_TICK_S = 0.5
_TICKS = 20
"""Over so many the speed is measured: segments come one by one."""
_ASKED = 3
"""A page is believed that it is over when it has said so this often."""
_BADLY = frozenset({EndReason.FAILED, EndReason.DISK, EndReason.NEVER_STARTED})


@dataclass(frozen=True, slots=True)
class _Earlier:
    """What calls before this one have recorded."""

    files: tuple[FileReport, ...] = ()
    gaps: tuple[Gap, ...] = ()
    broken: Broken | None = None

    @property
    def bytes(self) -> int:
        return sum(file.bytes for file in self.files)

    @property
    def media_s(self) -> float:
        return sum(file.media_s for file in self.files)


def recording_with(shop: Workshop) -> OnAir:
    """Whoever cancels it wants the recording to be broken off: its file is closed first."""

    async def record(wish: DownloadWish, address: Address, tell: OnDownload) -> DownloadOutcome:
        earlier = await _earlier_of(wish) if wish.task else _Earlier()
        recorder, report = await _record(shop, wish, address, earlier, tell)
        for _ in range(_ASKED - 1):
            if not earlier.files or not isinstance(recorder.error, NotOnAir):
                break
            await anyio.sleep(shop.policy.retry_cap_s)
            recorder, report = await _record(shop, wish, address, earlier, tell)
        error = recorder.error
        if not earlier.files and not report.files:
            raise error or NetworkError(f"nothing was recorded ({report.end_reason})")
        outcome = _outcome(report, earlier, address)
        if report.end_reason in _BADLY and error is not None and not _is_over(error):
            error.context["outcome"] = outcome
            raise error
        return outcome

    return record


async def _record(
    shop: Workshop, wish: DownloadWish, address: Address, earlier: _Earlier, tell: OnDownload
) -> tuple[Recorder, Report]:
    reports: list[Report] = []
    recorder, tape = _recorder(shop, wish, address, earlier)
    try:
        async with beside(lambda: _watch(tape, earlier, tell)):
            await _run(recorder, reports, goes_on=bool(wish.task))
    finally:
        tell(_progress(tape, earlier, *reports))
    return recorder, reports[0]


def _is_over(error: OuzelError) -> bool:
    """It ended while nobody recorded it: there is no error in that."""
    return isinstance(error, NotOnAir) or error.context.get("reason") == EndReason.ENDED


def _recorder(shop: Workshop, wish: DownloadWish, address: Address, earlier: _Earlier) -> tuple[Recorder, Tape]:
    gate = DiskGate(wish.folder, min_free_bytes=shop.policy.min_free_bytes, probe_s=shop.policy.disk_probe_s)
    stem = Path(earlier.files[0].path).stem if earlier.files else wish.stem or None
    return build_recorder(
        replace(shop, gate=gate),
        replace(address.stream, quality=wish.quality),
        cookies=address.cookies,
        target=Target(wish.folder, stem, DEFAULT_TEMPLATE, numbered=False),
        wish=FormatWish(wish.format),
        limits=TapeLimits(),
        listener=lambda _event: None,
        wait=False,
        from_start=earlier.broken is None or earlier.broken.sequence is None,
        page=address.page,
        broken=earlier.broken,
        recording=wish.task,
    )


async def _run(recorder: Recorder, reports: list[Report], *, goes_on: bool) -> None:
    over = anyio.Event()

    async def run() -> None:
        with anyio.CancelScope(shield=True):
            reports.append(await recorder.run())
        over.set()

    async with anyio.create_task_group() as tg:
        tg.start_soon(run)
        try:
            await over.wait()
        except BaseException:
            recorder.stop(goes_on=goes_on)
            raise


# -- what is there already --------------------------------------------------------------------------------------------


async def _earlier_of(wish: DownloadWish) -> _Earlier:
    """What a kill has left open is closed. Raises: StorageError."""
    left = await anyio.to_thread.run_sync(_left_open, wish)
    await recover_files(left, ours=True)
    return await anyio.to_thread.run_sync(_closed, wish)


def _left_open(wish: DownloadWish) -> list[Path]:
    found: list[Path] = []
    for path, book in ledgers.of_recording(wish.folder, wish.task):
        found += [media.with_name(media.name + PART) for media in ledgers.media_of(path, book)]
        if wish.format:
            found.append(path.with_suffix(f".{wish.format}{CONVERTING}"))
    return found


def _closed(wish: DownloadWish) -> _Earlier:
    held = [
        each for path, book in ledgers.of_recording(wish.folder, wish.task) if (each := _held(path, book)) is not None
    ]
    if not held:
        return _Earlier()
    last = held[-1].ledger.opening
    broken = broken_off(last.part, ((each.ledger, each.ledger.media_s) for each in reversed(held)), last.started)
    return _Earlier(tuple(map(_reported, held)), tuple(gap for each in held for gap in each.ledger.gaps), broken)


def _held(path: Path, book: Ledger) -> Held | None:
    """The file beside a ledger; None: somebody has taken it away."""
    there = next((media for media in ledgers.media_of(path, book) if media.is_file()), None)
    return ledgers.find(there) if there is not None else None


def _reported(held: Held) -> FileReport:
    book, media = held.ledger, held.media
    return FileReport(
        str(media), str(held.ledger_path), media.suffix.lstrip("."), media.stat().st_size, book.media_s, len(book.gaps)
    )


# -- what is told -----------------------------------------------------------------------------------------------------


async def _watch(tape: Tape, earlier: _Earlier, tell: OnDownload) -> None:
    seen = deque([(tape.now(), 0)], maxlen=_TICKS)
    while True:
        await anyio.sleep(_TICK_S)
        (since, before), now = seen[0], (tape.now(), tape.counters.received)
        seen.append(now)
        tell(replace(_progress(tape, earlier), speed_bps=(now[1] - before) / max(_TICK_S, now[0] - since)))


def _progress(tape: Tape, earlier: _Earlier, *reports: Report) -> DownloadProgress:
    """With the report of one that is over, its file has its name."""
    counters = tape.counters
    files = [*earlier.files, *(file for report in reports for file in report.files)]
    path = tape.current_path or (files[-1].path if files else "")
    return DownloadProgress(
        "fetching",
        bytes_done=earlier.bytes + counters.bytes,
        media_done_s=earlier.media_s + counters.media_s,
        retries=counters.reconnects,
        gaps=len(earlier.gaps) + counters.gaps,
        file=str(path),
    )


def _outcome(report: Report, earlier: _Earlier, address: Address) -> DownloadOutcome:
    files = [*earlier.files, *report.files]
    first, *others = files
    return DownloadOutcome(
        Path(first.path),
        Path(first.ledger),
        first.format,
        earlier.bytes + report.bytes,
        earlier.media_s + report.media_s,
        0,
        report.bytes,
        (*earlier.gaps, *report.gaps),
        tuple(Path(each.path) for each in others),
        tuple(each.error for each in files if each.error),
        address.title,
    )
