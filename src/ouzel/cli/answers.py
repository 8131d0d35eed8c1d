"""What was resolved, as people read it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, cast
from urllib.parse import urlsplit

from ouzel.base.errors import OuzelError
from ouzel.base.units import format_duration
from ouzel.cli.output import fit, pad
from ouzel.cli.texts import advice, reason, tr
from ouzel.model.choice import rank
from ouzel.model.evidence import Evidence
from ouzel.model.live import Answer, Live, Offline, Vod, state_of
from ouzel.model.stream import Stream
from ouzel.platforms.chain import Told
from ouzel.platforms.registry import registry

_COLUMNS = (10, 10, 14, 17, 9, 3, 6)
"""Of the table: adapter, state, who, title, best quality, streams, seconds."""
_COMPARED = range(1, 5)
_QUALITY_COLUMNS = 12
_DIFFERS = "≠ "


def lines(told: Told, platform: str) -> Iterator[str]:
    """What is on air, or why that is not known, and what can be done."""
    outcome = told.outcome
    state = state_of(outcome).value
    if isinstance(outcome, OuzelError):
        key = outcome.code if outcome.code == "unknown_site" else state
        yield tr(f"resolve.{key}", why=reason(outcome.code, str(outcome)), code=outcome.code)
        if to_do := advice(outcome.code):
            yield tr("resolve.advice", advice=to_do)
        yield from _of_the_host(outcome)
        return
    yield tr(f"resolve.{state}", who=_line(outcome.anchor) or outcome.identity.id, platform=platform)
    if title := _line(outcome.title):
        yield tr("resolve.title", title=title)
    yield from _details(outcome)
    if not isinstance(outcome, Offline):
        for stream in outcome.streams:
            yield _stream_line(stream)
    yield tr("resolve.by", adapter=told.adapter)


def evidence_lines(told: Told) -> Iterator[str]:
    """Each request, who made it, and what came of it; then what a library said of its own trouble."""
    for each in told.evidence:
        yield from _request_lines(each, told.adapter)
    context = told.outcome.context if isinstance(told.outcome, OuzelError) else {}
    tried = cast("Sequence[Mapping[str, Any]]", context.get("tried", ()))
    for each in tried if len(tried) > 1 else ():
        yield tr("resolve.tried", adapter=each["adapter"], why=reason(each["code"], each["why"]), code=each["code"])
    if words := context.get("words"):
        yield tr("resolve.words", words=words)


def table(asked: Sequence[tuple[Told, float]]) -> Iterator[str]:
    """Adapters side by side, with the seconds that each took. What is not as the first one that knows says is marked."""
    rows = [_cells(told, took_s) for told, took_s in asked]
    first = next((row for row, (told, _) in zip(rows, asked, strict=True) if _knows(told)), None)
    yield _row(tr("resolve.table").split("|"))
    differs = False
    for row in rows:
        marked = [
            f"{_DIFFERS}{cell}" if first and place in _COMPARED and _differ(cell, first[place]) else cell
            for place, cell in enumerate(row)
        ]
        differs = differs or marked != row
        yield _row(marked)
    if differs and first:
        yield tr("resolve.differs", mark=_DIFFERS.strip(), adapter=first[0])


def _knows(told: Told) -> bool:
    return not isinstance(told.outcome, OuzelError)


def _differ(one: str, other: str) -> bool:
    return bool(one and other) and one != other


def _cells(told: Told, took_s: float) -> list[str]:
    outcome, who, title, best, count = told.outcome, "", "", "", ""
    state = tr(f"known.{state_of(outcome).value}")
    if not isinstance(outcome, OuzelError):
        who, title = _line(outcome.anchor) or outcome.identity.id, _line(outcome.title)
    if isinstance(outcome, (Live, Vod)):
        count = str(len(outcome.streams))
        best = _quality(max(outcome.streams, key=rank)) if outcome.streams else ""
    return [told.adapter, state, who, title, best, count, f"{took_s:.1f} s"]


def _row(cells: Sequence[str]) -> str:
    return "  ".join(pad(fit(cell, columns), columns) for cell, columns in zip(cells, _COLUMNS, strict=True)).rstrip()


def _of_the_host(error: OuzelError) -> Iterator[str]:
    """Of an address that is no page of a platform: that its host is none, and which are spelt like it."""
    site = error.context.get("unknown_site", "")
    if site and error.code != "unknown_site":
        yield tr("resolve.no_platform", why=site)
    for name in cast("Sequence[str]", error.context.get("nearest", ())):
        platform = registry()[name]
        if platform.example in str(site):
            continue
        yield tr("resolve.near", title=platform.title, example=platform.example)


def _details(outcome: Answer) -> Iterator[str]:
    match outcome:
        case Live(category=category, started_at=began):
            if category:
                yield tr("resolve.category", category=category)
            if began is not None:
                age_s = (datetime.now(UTC) - began).total_seconds()
                yield tr("resolve.since", time=_local(began), age=format_duration(max(0.0, age_s)))
        case Offline(available_at=begins) if begins is not None:
            yield tr("resolve.begins", time=_local(begins))
        case Vod(duration_s=length_s) if length_s is not None:
            yield tr("resolve.length", time=format_duration(length_s))
        case _:
            pass


def _stream_line(stream: Stream) -> str:
    until = tr("resolve.until", time=_local(stream.expires_at)) if stream.expires_at else ""
    return tr(
        "resolve.stream",
        quality=pad(_quality(stream), _QUALITY_COLUMNS),
        protocol=stream.protocol or "",
        codec=stream.codec,
        place=stream.cdn or urlsplit(stream.url).hostname or "",
        until=until,
    ).rstrip()


def _quality(stream: Stream) -> str:
    return stream.label or (f"{stream.height}p" if stream.height else stream.level or "")


def _request_lines(evidence: Evidence, adapter: str) -> Iterator[str]:
    status = "" if evidence.status is None else f"{evidence.status} {evidence.content_type}".rstrip()
    trouble = f"{evidence.why} ({evidence.error})" if evidence.error else ""
    yield tr(
        "resolve.asked",
        adapter=evidence.adapter or adapter or "own",
        method=evidence.method,
        url=evidence.url,
        outcome=", ".join(word for word in (status, trouble) if word),
        took=f"{evidence.took_s * 1000:.0f} ms",
    )
    if evidence.first:
        yield tr("resolve.answered", first=" ".join(evidence.first.split()))


def _line(text: str) -> str:
    return " ".join(text.split())


def _local(when: datetime) -> str:
    return when.astimezone().strftime("%Y-%m-%d %H:%M:%S")
