"""The ledger: what stands in `NAME.ledger` beside each media file. `docs/reference/ledger.md` is its specification.

One JSON object a line, its last member a CRC-32 of the bytes before it. Nothing is ever changed in place: a later line may
void an earlier one (`cut`). A torn last line is the normal trace of a crash, and is ignored.
"""

from __future__ import annotations

import base64
import json
import zlib
from bisect import bisect_left
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast, get_args

from ouzel.base.errors import NotALedger
from ouzel.formats.shape import Container, Head, KeyPoint, Repair, RepairCode, Track, TrackKind
from ouzel.model import ledger_values as v
from ouzel.model.flow import Chunk, Gap, GapCode, TrackScope
from ouzel.model.ledger_lines import (
    VERSION,
    ClockLine,
    Closing,
    CutLine,
    HeadLine,
    Line,
    Opening,
    Product,
    RunLine,
)
from ouzel.model.ledger_values import Doc

_CRC_TAIL = len(b',"x":"01234567"}')
_SCOPES: tuple[TrackScope, ...] = get_args(TrackScope)
_CONTAINERS: tuple[Container, ...] = get_args(Container)
_TRACK_KINDS: tuple[TrackKind, ...] = get_args(TrackKind)


@dataclass(slots=True)
class Ledger:
    """A ledger as read: what is valid after all lines were taken into account."""

    opening: Opening
    heads: list[HeadLine] = field(default_factory=list[HeadLine])
    runs: list[RunLine] = field(default_factory=list[RunLine])
    run_starts: list[int] = field(default_factory=list[int])
    """For each run the index of the first chunk that came of it."""
    chunks: list[Chunk] = field(default_factory=list[Chunk])
    gaps: list[Gap] = field(default_factory=list[Gap])
    repairs: list[Repair] = field(default_factory=list[Repair])
    clock_steps: list[ClockLine] = field(default_factory=list[ClockLine])
    closing: Closing | None = None
    products: list[Product] = field(default_factory=list[Product])
    good_bytes: int = 0
    """Length of the part of the ledger file that consists of whole, valid lines."""
    torn: bool = False
    """Something follows the good part."""
    damaged: bool = False
    """It is no torn end: whole lines follow, and are taken into account. What stood between is not known, so that this is not all
    there was."""

    @property
    def head(self) -> HeadLine | None:
        return self.heads[-1] if self.heads else None

    @property
    def media_start(self) -> int:
        """Where in the media file the first chunk begins. What stands before it is the head."""
        if self.opening.download:  # the first piece may be missing
            return self.head.offset + self.head.length if self.head else 0
        return self.chunks[0].offset if self.chunks else self.media_end

    @property
    def media_end(self) -> int:
        """Bytes of the media file that the ledger vouches for. Of a download that is closed, with the room of what is missing."""
        if self.opening.download and self.closing is not None:
            return self.closing.size
        if self.chunks:
            return self.chunks[-1].offset + self.chunks[-1].length
        return self.head.offset + self.head.length if self.head else 0

    @property
    def media_s(self) -> float:
        """Length of the media; alternate audio has a time line of its own, which does not count."""
        if self.opening.download:  # whose times count what is missing as well
            return sum(chunk.duration_s for chunk in self.chunks)
        return next((c.end_s for c in reversed(self.chunks) if c.scope == "all"), 0.0)

    def product(self, name: str) -> Product | None:
        """The last that was made under this file name."""
        return next((p for p in reversed(self.products) if p.file == name), None)

    def add(self, line: Line) -> None:
        match line:
            case Chunk():
                if not self.opening.download:
                    self.chunks.append(line)
                else:
                    self._place(line)
            case Gap():
                self.gaps.append(line)
            case HeadLine():
                self.heads.append(line)
            case RunLine():
                self.runs.append(line)
                self.run_starts.append(len(self.chunks))
            case Repair():
                self.repairs.append(line)
            case ClockLine():
                self.clock_steps.append(line)
            case CutLine():
                self._cut(line.index)
            case Closing():
                self.closing = line
            case Product():
                self.products.append(line)
            case Opening():
                raise NotALedger("a second opening line")

    def _place(self, chunk: Chunk) -> None:
        """Of a download: at its position, in place of what was told of it before."""
        at = bisect_left(self.chunks, chunk.index, key=lambda each: each.index)
        known = at < len(self.chunks) and self.chunks[at].index == chunk.index
        self.chunks[at : at + known] = [chunk]

    def _cut(self, index: int) -> None:
        if self.opening.download:
            del self.chunks[bisect_left(self.chunks, index, key=lambda each: each.index) :]
            self.closing = None
            self.gaps = []  # they are told when it is closed
            return
        place = index if not self.damaged else sum(chunk.index < index for chunk in self.chunks)
        del self.chunks[place:]
        self.closing = None
        end = self.media_s
        self.repairs = [r for r in self.repairs if r.at_s <= end]
        self.gaps = [replace(gap, at_s=min(gap.at_s, end)) for gap in self.gaps]  # they stand where the file ends now


def render(line: Line) -> bytes:
    """One line, newline included."""
    body = _body(line)
    return b'%s,"x":"%08x"}\n' % (body, zlib.crc32(body))


def parse_line(line: bytes) -> Line:
    """Read one line (without or with its newline).

    Raises: NotALedger when it is damaged, of an unknown kind, or has a member of a wrong type, or a number that is none.
    """
    line = line.rstrip(b"\n")
    body, tail = line[:-_CRC_TAIL], line[-_CRC_TAIL:]
    if tail != b',"x":"%08x"}' % zlib.crc32(body):
        raise NotALedger("a ledger line does not agree with its check sum")
    try:
        return _PARSERS[(doc := cast("Doc", json.loads(body + b"}")))["k"]](doc)
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError) as exc:
        raise NotALedger(f"a ledger line cannot be read: {exc}") from exc


def read(data: bytes) -> Ledger:
    """Read a ledger: all its whole lines, also those behind a damaged one.

    Raises: NotALedger when not even the first line can be read, or when its version is not ours.
    """
    lines = data.split(b"\n")
    opening = parse_line(lines[0]) if len(lines) > 1 else None
    if not isinstance(opening, Opening):
        raise NotALedger("the first line is not the opening line of a ledger")
    if opening.version > VERSION:
        raise NotALedger(f"the ledger has version {opening.version}; this Ouzel reads up to {VERSION}")
    ledger = Ledger(opening, good_bytes=len(lines[0]) + 1)
    for raw in lines[1:-1]:
        try:
            line = parse_line(raw)
            ledger.damaged = ledger.torn
            ledger.add(line)
        except NotALedger:
            ledger.torn = True
        if not ledger.torn:
            ledger.good_bytes += len(raw) + 1
    ledger.torn = ledger.good_bytes != len(data)
    return ledger


def salvage(data: bytes) -> list[Line]:
    """Every line that is whole, wherever it stands: what a ledger that was damaged in its middle still tells."""
    lines: list[Line] = []
    for raw in data.split(b"\n"):
        try:
            lines.append(parse_line(raw))
        except NotALedger:
            continue
    return lines


def whole_length(data: bytes) -> int:
    """Length of a ledger file up to the end of its last whole line; 0 when there is none. What follows is torn."""
    end = data.rfind(b"\n") + 1
    while end:
        start = data.rfind(b"\n", 0, end - 1) + 1
        try:
            parse_line(data[start:end])
        except NotALedger:
            end = start
        else:
            break
    return end


def stamp(wall: datetime) -> str:
    """`2026-11-22T03:04:05.678Z` for an aware instant."""
    return wall.astimezone(UTC).isoformat(timespec="milliseconds")[:23] + "Z"


def tiling_holes(chunks: Iterable[Chunk]) -> list[int]:
    """Indices of chunks that do not begin where the one before them ends, in bytes or (those that hold everything) in time."""
    wrong: list[int] = []
    offset: int | None = None
    time_s: float | None = None
    for chunk in chunks:
        late = chunk.scope == "all" and time_s is not None and abs(time_s - chunk.start_s) > 0.0005
        if late or (offset is not None and chunk.offset != offset):
            wrong.append(chunk.index)
        offset = chunk.offset + chunk.length
        if chunk.scope == "all":
            time_s = chunk.end_s
    return wrong


def _body(line: Line) -> bytes:
    """The JSON object without its closing brace."""
    if isinstance(line, Chunk):  # the hot one: by hand
        return _chunk_body(line)
    doc = {"k": _KINDS[type(line)], **_FIELDS[type(line)](line)}
    return json.dumps(doc, ensure_ascii=False, separators=(",", ":"))[:-1].encode("utf-8", "surrogatepass")


def _chunk_body(c: Chunk) -> bytes:
    text = (
        f'{{"k":"chunk","n":{c.index},"at":{c.offset},"len":{c.length},"t":{c.start_s:.6f},"d":{c.end_s - c.start_s:.6f}'
        f',"w":"{stamp(c.wall)}","f":{c.frames},"h":"{c.digest}"'
    )
    if c.independent:
        text += ',"i":1'
    if c.sequence is not None:
        text += f',"s":{c.sequence}'
    if c.scope != "all":
        text += f',"of":"{c.scope}"'
    if c.keys:
        points = ",".join(f"[{k.offset},{k.at_s - c.start_s:.6f}]" for k in c.keys)
        text += f',"kp":[{points}]'
    if c.damage:
        text += f',"dmg":{json.dumps(c.damage)}'
    if c.discontinuity:
        text += ',"dc":1'
    if c.identity:
        text += f',"u":"{c.identity}"'
    return text.encode()


def _parse_chunk(doc: Doc) -> Chunk:
    start, wall, duration = v.seconds(doc["t"]), v.instant(doc["w"]), v.seconds(doc["d"])
    _ = wall + timedelta(seconds=duration)  # it ends at an instant, too
    return Chunk(
        index=v.count(doc["n"]),
        offset=v.count(doc["at"]),
        length=v.count(doc["len"]),
        start_s=start,
        end_s=round(start + duration, 6),
        wall=wall,
        frames=v.count(doc["f"]),
        independent=v.flag(doc.get("i", 0)),
        digest=v.text(doc["h"]),
        sequence=v.number_or_none(doc.get("s")),
        scope=v.one_of(doc.get("of", "all"), _SCOPES),
        keys=tuple(KeyPoint(v.count(o), round(start + v.seconds(t), 6)) for o, t in v.items(doc.get("kp", []))),
        damage=v.text(doc.get("dmg", "")),
        discontinuity=v.flag(doc.get("dc", 0)),
        identity=v.text(doc.get("u", "")),
    )


def _gap_fields(g: Gap) -> dict[str, Any]:
    doc: dict[str, Any] = {
        "t": round(g.at_s, 6),
        "code": g.code.value,
        "why": g.why,
        "from": stamp(g.wall_start),
        "to": stamp(g.wall_end),
        "d": round(g.missing_s, 3),
    }
    if g.first_sequence is not None:
        doc["s"] = [g.first_sequence, g.last_sequence]
    if g.scope != "all":
        doc["of"] = g.scope
    return doc


def _parse_gap(doc: Doc) -> Gap:
    first, last = v.items(doc.get("s", [None, None]))
    return Gap(
        v.seconds(doc["t"]), GapCode(doc["code"]), v.text(doc["why"]), v.instant(doc["from"]), v.instant(doc["to"]),
        v.seconds(doc["d"]), v.number_or_none(first), v.number_or_none(last), v.one_of(doc.get("of", "all"), _SCOPES),
    )  # fmt: skip


def _track_doc(t: Track) -> dict[str, Any]:
    doc: dict[str, Any] = {"id": t.id, "kind": t.kind, "codec": t.codec}
    for name in ("width", "height", "sample_rate", "channels"):
        if (value := getattr(t, name)) is not None:
            doc[name] = value
    if t.config:
        doc["config"] = base64.b64encode(t.config).decode()
    return doc


def _parse_track(doc: Doc) -> Track:
    size = (v.number_or_none(doc.get(name)) for name in ("width", "height", "sample_rate", "channels"))
    kind = v.one_of(doc["kind"], _TRACK_KINDS)
    return Track(v.number(doc["id"]), kind, v.text(doc["codec"]), *size, config=v.blob(doc.get("config", "")))


def head_line(head: Head, offset: int) -> HeadLine:
    return HeadLine(offset, len(head.data), head.tracks, head.preamble if head.preamble != head.data else b"")


_KINDS: dict[type, str] = {
    Opening: "ledger",
    HeadLine: "head",
    RunLine: "run",
    Chunk: "chunk",
    Gap: "gap",
    Repair: "fix",
    CutLine: "cut",
    ClockLine: "clock",
    Closing: "end",
    Product: "made",
}
_FIELDS: dict[type, Callable[[Any], dict[str, Any]]] = {
    Opening: lambda o: {
        "v": o.version, "file": o.file, "container": o.container, "started": stamp(o.started), "source": o.source,
        "part": o.part, "by": o.software, **({"rebuilt": 1} if o.rebuilt else {}),
        **({"rec": o.recording} if o.recording else {}), **({"dl": 1} if o.download else {}),
        **({"as": o.wanted} if o.wanted else {}),
    },
    HeadLine: lambda h: {
        "at": h.offset, "len": h.length, "tracks": [_track_doc(t) for t in h.tracks],
        **({"pre": base64.b64encode(h.preamble).decode()} if h.preamble else {}),
    },
    RunLine: lambda r: {"n": r.number, "w": stamp(r.wall), "proto": r.protocol, "source": r.source, "q": r.quality},
    Gap: _gap_fields,
    Repair: lambda r: {"t": round(r.at_s, 6), "code": r.code, "by": round(r.by_s, 6)},
    CutLine: lambda c: {"n": c.index},
    ClockLine: lambda c: {"w": stamp(c.wall), "by": round(c.by_s, 3)},
    Closing: lambda c: {
        "w": stamp(c.wall), "reason": c.reason, "size": c.size, "d": round(c.duration_s, 6), "chunks": c.chunks,
        "gaps": c.gaps, "tail": c.tail, **({"h": c.digest} if c.digest else {}),
    },
    Product: lambda p: {
        "w": stamp(p.wall), "file": p.file, "format": p.format, "size": p.size, "d": round(p.duration_s, 6), "h": p.digest,
        **({"dmg": p.damage} if p.damage else {}), **({"with": [*p.beside]} if p.beside else {}),
        **({"how": p.how} if p.how else {}),
    },
}  # fmt: skip
_PARSERS: dict[str, Callable[[Doc], Line]] = {
    "ledger": lambda d: Opening(
        v.text(d["file"]), v.one_of(d["container"], _CONTAINERS), v.instant(d["started"]), v.text(d["source"]),
        v.number(d["part"]), v.text(d["by"]), v.flag(d.get("rebuilt", 0)), v.number(d["v"]), v.text(d.get("rec", "")),
        v.flag(d.get("dl", 0)),
        v.text(d.get("as", "")),
    ),
    "head": lambda d: HeadLine(
        v.count(d["at"]), v.count(d["len"]), tuple(_parse_track(t) for t in v.items(d["tracks"])), v.blob(d.get("pre", "")),
    ),
    "run": lambda d: RunLine(
        v.number(d["n"]), v.instant(d["w"]), v.text(d["proto"]), v.text(d["source"]), v.text(d["q"]),
    ),
    "chunk": _parse_chunk,
    "gap": _parse_gap,
    "fix": lambda d: Repair(v.seconds(d["t"]), cast("RepairCode", v.text(d["code"])), v.real(d["by"])),
    "cut": lambda d: CutLine(v.count(d["n"])),
    "clock": lambda d: ClockLine(v.instant(d["w"]), v.real(d["by"])),
    "end": lambda d: Closing(
        v.instant(d["w"]), v.text(d["reason"]), v.count(d["size"]), v.seconds(d["d"]), v.count(d["chunks"]),
        v.count(d["gaps"]), v.count(d["tail"]), v.text(d.get("h", "")),
    ),
    "made": lambda d: Product(
        v.instant(d["w"]), v.text(d["file"]), v.text(d["format"]), v.count(d["size"]), v.seconds(d["d"]), v.text(d["h"]),
        v.text(d.get("dmg", "")), tuple(v.text(each) for each in v.items(d.get("with", []))),
        v.text(d.get("how", "")),
    ),
}  # fmt: skip
