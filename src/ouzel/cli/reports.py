"""The report at the end of `ouzel record`, for people and for programs."""

from __future__ import annotations

import shlex
from typing import Any

from ouzel.base.units import format_clock, format_size
from ouzel.cli.main import EXIT_BAD_ARGUMENTS, EXIT_DISK, EXIT_GAPS, EXIT_NOTHING, EXIT_OK
from ouzel.cli.options import missing_text
from ouzel.cli.output import NORMAL, Output
from ouzel.cli.texts import advised, reason, tr
from ouzel.model.flow import EndReason
from ouzel.model.report import Report, StreamReport

_MOST_GAPS_PRINTED = 50
_FROM_GOOD_TO_BAD = [EXIT_OK, EXIT_GAPS, EXIT_NOTHING, EXIT_BAD_ARGUMENTS, EXIT_DISK]
_BAD_WORDS = frozenset({"bad_option", "unknown_quality", "unknown_site", "output_exists"})
"""Codes of errors that are known only once the stream was opened, and yet are the caller's."""
_OF_THE_DISK = frozenset({"file_removed"})
"""Codes of errors that say why nothing is left of what was recorded."""
_RECORDED_ELSEWHERE = frozenset({"same_channel"})
"""Codes of errors that say why there was nothing to do: what it is about is in another recording of the call."""
_ERRORS = frozenset({EndReason.FAILED, EndReason.NEVER_STARTED, EndReason.DISK})


def end_code(reports: list[Report]) -> int:
    """The exit code of the whole call: the worst of its recordings."""
    return max((_code(r) for r in reports), key=_FROM_GOOD_TO_BAD.index)


def _code(report: Report) -> int:
    if report.end_reason is EndReason.DISK:
        return EXIT_DISK
    if not report.files:
        code = report.error[0] if report.error is not None else ""
        if code in _RECORDED_ELSEWHERE:
            return EXIT_OK
        return EXIT_DISK if code in _OF_THE_DISK else EXIT_BAD_ARGUMENTS if code in _BAD_WORDS else EXIT_NOTHING
    failed = report.end_reason is EndReason.FAILED or report.unsent_bytes > 0
    incomplete = report.gaps or report.damaged_chunks or any(f.error for f in report.files)
    return EXIT_GAPS if incomplete or failed else EXIT_OK


def joined_report(reports: list[Report]) -> dict[str, Any]:
    """One object for all recordings of a call: sums, all files and gaps, and each recording's own report."""
    docs = [report.fields() for report in reports]
    reasons = {doc["end_reason"] for doc in docs}
    return {
        "files": [f for doc in docs for f in doc["files"]],
        "media_s": round(sum((doc["media_s"] for doc in docs), 0.0), 3),
        "missing_s": round(sum((doc["missing_s"] for doc in docs), 0.0), 3),
        "bytes": sum(doc["bytes"] for doc in docs),
        "damaged_chunks": sum(doc["damaged_chunks"] for doc in docs),
        "gaps": [{**gap, "source": doc["source"]} for doc in docs for gap in doc["gaps"]],
        "runs": sum(doc["runs"] for doc in docs),
        "end_reason": reasons.pop() if len(reasons) == 1 else "mixed",
        "recordings": docs,
    }


def print_reports(reports: list[Report], output: Output) -> None:
    """The reports for people, then one line on stderr for each error that they do not show."""
    for report in reports:
        _print(report, output)
    told = output.level >= NORMAL and not output.is_json
    for report in reports:
        if report.error and (report.end_reason in _ERRORS or not report.files) and not (told and report.files):
            code, message = report.error
            why = advised(code, message)
            output.complain(code, f"{report.source}: {why}" if len(reports) > 1 else why)


def _print(report: Report, output: Output) -> None:
    """What was kept, where the gaps are, how to play it."""
    if not report.files:
        if report.error is None:
            words = [report.source, tr("reason.never_started")]
            if report.end_reason is EndReason.STOPPED:
                words.append(tr("reason.stopped"))
            output.tell(": ".join(words))
        return
    output.say("")
    for file in report.files:
        output.say(tr("report.file", path=file.path))
        if file.error:
            output.say(tr("report.file_error", error=file.error))
    output.say(tr("report.kept", time=format_clock(report.media_s), size=format_size(report.bytes), runs=report.runs))
    if report.stream is not None and (shown := _stream_words(report.stream)):
        output.say(tr("report.stream", stream=shown))
    if not report.gaps:
        output.say(tr("report.no_gaps"))
    for gap in report.gaps[:_MOST_GAPS_PRINTED]:
        output.say(
            tr(
                "report.gap" if gap.is_dated else "report.gap_undated",
                missing=missing_text(gap),
                at=format_clock(gap.at_s),
                start=f"{gap.wall_start.astimezone():%H:%M:%S}",
                end=f"{gap.wall_end.astimezone():%H:%M:%S}",
                why=gap.why,
                code=gap.code.value,
            )
        )
    if len(report.gaps) > _MOST_GAPS_PRINTED:
        output.say(tr("report.more_gaps", count=len(report.gaps) - _MOST_GAPS_PRINTED, path=report.files[0].path))
    if report.damaged_chunks:
        output.say(tr("report.damaged", count=report.damaged_chunks))
    output.say(tr("report.end", reason=tr(f"reason.{report.end_reason.value}")))
    if report.error:
        output.say(tr("report.error", code=report.error[0], message=reason(*report.error)))
    path = shlex.quote(report.files[0].path)
    output.say(tr("report.play", path=path))
    output.say(tr("report.verify", path=path))


def _stream_words(stream: StreamReport) -> str:
    """Which one of a platform's; empty where there was none to choose."""
    quality = stream.label or (f"{stream.height}p" if stream.height else stream.level or "")
    return (
        "  ".join(filter(None, (quality, stream.protocol, stream.codec, stream.cdn))) if quality or stream.cdn else ""
    )
