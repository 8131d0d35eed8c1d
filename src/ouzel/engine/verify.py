"""Is a recording what its ledger says? Bytes by their digests, the ledger by itself, the media by reading it through.

One pass over the file: each piece that is read goes to the digests of the ledger's chunks and to a shaper, which says what it
would have to mend. Memory does not grow with the file, but for its ledger.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import anyio.to_thread
import xxhash

from ouzel.base.errors import MediaError, NotALedger, StorageError, Unsupported
from ouzel.engine import ledgers
from ouzel.engine.judging import judge_end, judge_found, judge_packets, judge_passage
from ouzel.engine.ledgers import Held
from ouzel.engine.meter import Meter, OnProgress
from ouzel.engine.probe import probe
from ouzel.engine.reading import MediaReader, Passage
from ouzel.engine.rebuild import Rebuilt, rebuild
from ouzel.engine.sinks.file import PART, storage_error
from ouzel.model.audit import audit
from ouzel.model.flow import Chunk
from ouzel.model.verdict import Finding, FindingCode, Findings, Verdict

_C = FindingCode
_SLACK_S, _SLACK_PER_SEAM_S = 0.1, 0.05  # a frame for each run and each gap
_PRODUCT_SLACK_S, _PRODUCT_SLACK_SHARE = 0.5, 0.001


async def verify(path: Path, *, on_progress: OnProgress | None = None) -> Verdict:
    """Check a recording, or a product of one.

    Without a ledger one is made from the media and written beside it, if that is possible. A file that is still being recorded is
    checked up to its last whole chunk.
    Raises: InputError when there is no such file; NotMedia, MediaError when there is neither a ledger nor anything that can be
        read; StorageError.
    """
    found = await anyio.to_thread.run_sync(_find, path)
    if isinstance(found, Held) and found.product is None:
        return await anyio.to_thread.run_sync(_verify_original, found, on_progress)
    if isinstance(found, Held):
        return await _verify_product(found, on_progress)
    try:
        return await anyio.to_thread.run_sync(_verify_alone, path, found, on_progress)
    except Unsupported:
        return await _verify_foreign(path, found, on_progress)


def _find(path: Path) -> Held | str:
    """The ledger; else what is wrong with it, empty when there is none."""
    ledgers.check_media(path)
    try:
        return ledgers.find(path) or ""
    except NotALedger as exc:
        return str(exc)


# -- with a ledger ----------------------------------------------------------------------------------------------------


def _verify_original(held: Held, on_progress: OnProgress | None) -> Verdict:
    check = _Check(held, on_progress)
    check.ledger_itself()
    if held.ledger.opening.download:
        check.pieces()
    else:
        check.media()
    chunks, gaps = held.ledger.chunks, held.ledger.gaps
    return Verdict(
        str(held.media),
        str(held.ledger_path),
        check.size,
        held.ledger.media_s,
        len(chunks),
        tuple(gaps),
        check.found.all(),
    )


class _Check:
    """One file against its ledger, in a worker thread."""

    def __init__(self, held: Held, on_progress: OnProgress | None) -> None:
        self.held = held
        self.found = Findings()
        self.size = _size(held.media)
        self._noted = [chunk for chunk in held.ledger.chunks if chunk.damage]
        passes = 1 if held.ledger.opening.download else 2
        self._meter = Meter(min(self.size, held.ledger.media_end) * passes, on_progress)

    def ledger_itself(self) -> None:
        held, closing = self.held, self.held.ledger.closing
        self.found.extend(audit(held.ledger))
        end = held.ledger.media_end + (closing.tail if closing else 0)
        if closing is not None and held.ledger.damaged:
            end = closing.size
        if held.is_open and ledgers.is_written(held.ledger_path):
            self._add(_C.RUNNING, f"checked up to its last whole chunk, at byte {held.ledger.media_end}")
            return
        if closing is None and held.ledger.opening.download:
            self._add(_C.NOT_CLOSED, "it is an unfinished download: the same 'ouzel download' goes on with it")
        elif closing is None:
            self._add(_C.NOT_CLOSED, "its recorder has died; run: ouzel recover")
        elif self.size > end:
            self.found.add(_extra(self.size - end, self.size))
        if self.size < end:
            self._add(_C.BYTES_MISSING, f"{end - self.size} bytes are missing at its end", offset=self.size)

    def pieces(self) -> None:
        """Of a download: whether it holds what was fetched. What the server has is not judged, and room for what is missing holds
        nothing; `_Digests` takes bytes that pass by, so that both are passed over."""
        held = self.held.ledger
        digests = _Digests(sorted(held.chunks, key=lambda chunk: chunk.offset), self.found)
        digests.rest(self.held.media, held.media_end, self._meter)
        self._around()
        self._meter.finish()

    def media(self) -> None:
        """Read it through."""
        held = self.held.ledger
        digests = _Digests(held.chunks, self.found)

        def tap(piece: memoryview) -> None:
            digests.take(piece)
            self._meter.take(len(piece))

        lasts_s = 0.0
        try:
            reader = MediaReader(self.held.media, end=held.media_end)
            for passage in reader.passages(tap):
                lasts_s = passage.span.end_s
                self._judge(passage)
            self.found.extend(judge_end(reader))
        except MediaError as exc:
            if held.chunks:
                self._add(_C.UNREADABLE, str(exc), offset=0)
        digests.rest(self.held.media, held.media_end, self._meter)
        self._around()
        if held.opening.container == "ts" and not self._noted and not self.found.has_damage:
            self.found.extend(judge_packets(self.held.media, held.media_end, self._meter.take))
        self._meter.finish()
        slack_s = _SLACK_S + _SLACK_PER_SEAM_S * (len(held.runs) + len(held.gaps))
        if abs(lasts_s - held.media_s) > slack_s and not self.found.has_damage:  # which would explain it
            self._add(_C.DURATION, f"the media lasts {lasts_s:.3f} s, the ledger says {held.media_s:.3f} s")

    def _around(self) -> None:
        """What is in no chunk: the head, without which nothing can be decoded, and the index at the end."""
        held, closing = self.held.ledger, self.held.ledger.closing
        if closing is None or held.damaged or not closing.digest or self.size < held.media_end + closing.tail:
            return
        with self.held.media.open("rb", buffering=0) as file:
            digest = ledgers.digest_around(file.fileno(), held.media_start, held.media_end, closing.tail)
        if digest != closing.digest:
            place = "its head, or the index at its end," if closing.tail else "its head"
            self._add(_C.BYTES_CHANGED, f"{place} is not what was written", offset=0)

    def _judge(self, passage: Passage) -> None:
        """What a shaper says of a stretch, unless the ledger says it already."""
        end = passage.offset + passage.length
        if not any(c.offset < end and passage.offset < c.offset + c.length for c in self._noted):
            self.found.extend(judge_passage(passage))

    def _add(self, code: FindingCode, detail: str, *, offset: int | None = None) -> None:
        self.found.add(Finding(code, detail, None, offset))


class _Digests:
    """Compares chunks with the bytes of the file, which pass by in order."""

    def __init__(self, chunks: Sequence[Chunk], found: Findings) -> None:
        self._chunks = chunks
        self._found = found
        self._next = 0
        self._at = 0
        self._sum = xxhash.xxh3_64()
        self._summed = 0

    def take(self, piece: memoryview) -> None:
        begin, self._at = self._at, self._at + len(piece)
        while self._next < len(self._chunks):
            chunk = self._chunks[self._next]
            start = chunk.offset + self._summed
            if start >= self._at and chunk.length:
                return
            if (
                start >= begin
            ):  # else its bytes have passed already: the ledger contradicts itself, and was blamed for it
                part = piece[start - begin : chunk.offset + chunk.length - begin]
                self._sum.update(part)
                self._summed += len(part)
                if self._summed < chunk.length:
                    return
                self._compare(chunk)
            self._next += 1
            self._summed = 0
            self._sum.reset()

    def rest(self, path: Path, end: int, meter: Meter) -> None:
        """What the shaper did not want to see."""
        with path.open("rb", buffering=0) as file:
            file.seek(self._at)
            while self._at < end and (data := file.read(min(1 << 20, end - self._at))):
                self.take(memoryview(data))
                meter.take(len(data))

    def _compare(self, chunk: Chunk) -> None:
        if self._sum.hexdigest() != chunk.digest:
            detail = f"chunk {chunk.index} ({chunk.length} bytes) is not what was written"
            self._found.add(Finding(_C.BYTES_CHANGED, detail, chunk.start_s, chunk.offset))


# -- without one ------------------------------------------------------------------------------------------------------


def _verify_alone(path: Path, why: str, on_progress: OnProgress | None) -> Verdict:
    """Make a ledger of the media. Raises: Unsupported for containers that have none."""
    size = _size(path)
    meter, found = Meter(size * 2, on_progress), Findings()
    known = ledgers.remains(ledgers.ledger_path(path)) if why else []
    rebuilt = rebuild(path, known=known, tap=lambda piece: meter.take(len(piece)))
    made = "one was made from the media, and knows neither wall times nor gaps"
    if known:
        made = "one was made from the media, with what can still be read of the old one"
    if why and ledgers.looks_like_one(ledgers.ledger_path(path)):
        found.add(Finding(_C.LEDGER_TORN, why))
    found.add(Finding(_C.REBUILT, f"{why}; {made}" if why else made))
    ledger_path = ledgers.ledger_path(path)
    if path.name.endswith(PART):
        found.add(Finding(_C.NOT_CLOSED, "run: ouzel recover"))
    elif (problem := _save(ledger_path, rebuilt)) is not None:
        found.add(Finding(_C.LEDGER_NOT_SAVED, problem))
        ledger_path = None
    for passage in rebuilt.passages:
        found.extend(judge_passage(passage))
    reader = rebuilt.reader
    found.extend(judge_end(reader))
    if rebuilt.extra:
        found.add(_extra(rebuilt.extra, size))
    if reader.container == "ts" and not found.has_damage:
        found.extend(judge_packets(path, reader.end, meter.take))
    meter.finish()
    held = rebuilt.ledger
    told = str(ledger_path) if ledger_path else None
    return Verdict(str(path), told, size, held.media_s, len(held.chunks), tuple(held.gaps), found.all())


def _save(path: Path, rebuilt: Rebuilt) -> str | None:
    """Write it beside the media. Returns why that was not possible."""
    if os.path.lexists(path):
        return f"{path} is there, and is not the ledger of this file; it was left alone"
    try:
        ledgers.create(path, rebuilt.data)
    except StorageError as exc:
        return str(exc)
    return None


# -- products, and what others made -----------------------------------------------------------------------------------


async def _verify_product(held: Held, on_progress: OnProgress | None) -> Verdict:
    product, found = held.product, Findings()
    assert product is not None

    def look() -> tuple[int, str]:
        size = _size(held.media)
        meter = Meter(size, on_progress)
        return size, ledgers.digest(held.media, meter.take)

    size, digest = await anyio.to_thread.run_sync(look)
    if (size, digest) != (product.size, product.digest):
        found.add(Finding(_C.PRODUCT_CHANGED, f"not the file that was made of {held.ledger.opening.file}"))
    if product.damage:
        found.add(Finding(_C.BYTES_CHANGED, "so they had in the file that this was made of"))
    try:
        seen = await probe(held.media)
    except MediaError as exc:
        found.add(Finding(_C.UNREADABLE, str(exc)))
    else:
        slack_s = max(_PRODUCT_SLACK_S, _PRODUCT_SLACK_SHARE * product.duration_s)
        if abs(seen.media_s - product.duration_s) > slack_s:
            found.add(
                Finding(_C.DURATION, f"it lasts {seen.media_s:.3f} s, the ledger says {product.duration_s:.3f} s")
            )
        found.extend(judge_found(seen))
    found.extend(replace(told, offset=None) for told in audit(held.ledger))  # places in a file of other bytes
    chunks, gaps = held.ledger.chunks, held.ledger.gaps
    return Verdict(
        str(held.media), str(held.ledger_path), size, product.duration_s, len(chunks), tuple(gaps), found.all()
    )


async def _verify_foreign(path: Path, why: str, on_progress: OnProgress | None) -> Verdict:
    """`why`: what is wrong with the ledger beside it, if there is one."""
    seen, found = await probe(path, on_progress=on_progress), Findings()
    if why and await anyio.to_thread.run_sync(ledgers.looks_like_one, ledgers.ledger_path(path)):
        found.add(Finding(_C.LEDGER_TORN, why))
    found.add(Finding(_C.NO_LEDGER, f"{seen.container} has none; checked is only whether it can be read"))
    found.extend(judge_found(seen))
    size = await anyio.to_thread.run_sync(_size, path)
    return Verdict(str(path), None, size, seen.media_s, 0, (), found.all())


def _extra(count: int, size: int) -> Finding:
    return Finding(_C.BYTES_EXTRA, f"{count} bytes at its end are in no whole chunk", None, size - count)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError as exc:
        raise storage_error(exc, path) from exc
