"""Movie fragments: reading a `moof`, and writing it with other times, ids and offsets.

Whatever form the source used, ours has `default-base-is-moof`, an explicit data offset for each run and a 64-bit `tfdt`;
so a fragment says nothing about where in a file it stands. Source: ISO/IEC 14496-12 section 8.8.
"""

from __future__ import annotations

import sys
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from ouzel.base.errors import FormatError, TooLarge
from ouzel.formats.fmp4.boxes import Box, Fields, box, full_box, inside, name_of, u32, u64
from ouzel.formats.fmp4.moov import Trex

MAX_SAMPLES = 1 << 20
"""Samples in one run; a run without fields for each sample could announce four thousand million of them in 20 bytes."""

MAX_TICKS = 1 << 40
"""Duration of one track in one fragment: 30 hours at ten million ticks a second."""
MAX_DATA = 1 << 30
"""Bytes from a moof to the furthest of its data."""

_BASE, _DESCRIPTION, _DURATION, _SIZE, _FLAGS, _BASE_IS_MOOF = 0x1, 0x2, 0x8, 0x10, 0x20, 0x20000
_RUN_OFFSET, _RUN_FIRST_FLAGS, _RUN_FLAGS = 0x1, 0x4, 0x400
RUN_DURATION, RUN_SIZE, RUN_CTS = 0x100, 0x200, 0x800
"""Fields that each sample of a run may have: `Run.column`."""
_NOT_SYNC = 0x10000
_REWRITTEN = frozenset({b"tfhd", b"tfdt", b"trun", b"saiz", b"saio", b"senc"})


@dataclass(slots=True)
class Run:
    """One trun box."""

    version: int
    flags: int
    count: int
    first_flags: int
    words: array[int]
    """The fields of the samples, `stride` numbers each."""
    defaults: Trex
    position: int = 0
    """First byte of its data, counted from the start of the moof as it came."""

    @property
    def stride(self) -> int:
        return (self.flags >> 8 & 0x0F).bit_count()

    def column(self, flag: int) -> array[int] | None:
        """One field of all samples; None when it is not there."""
        if not self.flags & flag:
            return None
        return self.words[(self.flags & (flag - 1) & 0xF00).bit_count() :: self.stride]

    def total(self, flag: int, default: int, count: int | None = None) -> int:
        """Sum of a field over the first `count` samples (None: all of them)."""
        column = self.column(flag)
        if column is None:
            return default * (self.count if count is None else count)
        return sum(column if count is None else column[:count])

    @property
    def size(self) -> int:
        return self.total(RUN_SIZE, self.defaults.size)

    @property
    def duration(self) -> int:
        return self.total(RUN_DURATION, self.defaults.duration)

    @property
    def last_duration(self) -> int:
        column = self.column(RUN_DURATION)
        return column[-1] if column else self.defaults.duration

    @property
    def first_is_sync(self) -> bool:
        column = self.column(_RUN_FLAGS)
        flags = column[0] if column else self.defaults.flags
        return not (self.first_flags if self.flags & _RUN_FIRST_FLAGS else flags) & _NOT_SYNC

    @property
    def first_cts(self) -> int:
        column = self.column(RUN_CTS)
        cts = column[0] if column else 0
        return cts - (1 << 32) if self.version and cts >> 31 else cts

    def trimmed(self, count: int) -> Run:
        """Without the first `count` samples; their bytes stay in the mdat, unused."""
        position = self.position + self.total(RUN_SIZE, self.defaults.size, count)
        words = self.words[count * self.stride :]
        return replace(
            self, flags=self.flags & ~_RUN_FIRST_FLAGS, count=self.count - count, words=words, position=position
        )


@dataclass(slots=True)
class Traf:
    """One track's part of a fragment."""

    track: int
    defaults: Trex
    own: int
    """Which of the defaults the tfhd gives itself (its flags)."""
    time: int | None
    """Decode time of the first sample, in the track's ticks, as it came; None without a tfdt."""
    runs: list[Run] = field(default_factory=list[Run])
    extras: list[bytes] = field(default_factory=list[bytes])
    """Other boxes, kept: sample groups, dependencies."""

    @property
    def samples(self) -> int:
        return sum(run.count for run in self.runs)

    @property
    def duration(self) -> int:
        return sum(run.duration for run in self.runs)

    def trim(self, ticks: int) -> int:
        """Take away the samples that begin within the first `ticks`. Returns: by how many ticks the start has moved."""
        moved = 0
        while self.runs and moved < ticks:
            run = self.runs[0]
            count = 0
            durations = run.column(RUN_DURATION)
            while count < run.count and moved < ticks:
                moved += run.defaults.duration if durations is None else durations[count]
                count += 1
            self.runs[:1] = [run.trimmed(count)] if count < run.count else []
        if moved:
            self.extras.clear()  # they speak of the samples by number
        return moved


@dataclass(slots=True)
class Fragment:
    trafs: list[Traf]
    extras: list[bytes]
    size: int
    """Bytes of the moof as it came."""

    @property
    def data_end(self) -> int:
        """First byte behind the data of all runs, counted from the start of the moof as it came."""
        return max((run.position + run.size for traf in self.trafs for run in traf.runs), default=self.size)


def parse_moof(moof: bytes, trex: Mapping[int, Trex]) -> Fragment:
    """Read a whole `moof` box. Parts of tracks that are not in `trex`, or that are empty, are left out.

    Raises: FormatError; TooLarge for more than `MAX_SAMPLES` in a run.
    """
    top = Box(b"moof", 0, 16 if moof[:4] == u32(1) else 8, len(moof))
    layout = _Layout(len(moof))
    trafs: list[Traf] = []
    extras: list[bytes] = []
    unknown: int | None = None
    for child in inside(moof, top):
        if child.kind == b"traf":
            traf = _parse_traf(moof, child, trex, layout)
            if traf.track not in trex:
                unknown = traf.track
            elif traf.samples:
                trafs.append(traf)
        elif child.kind not in {b"mfhd", b"free", b"skip", b"pssh"}:
            extras.append(moof[child.start : child.end])
    if unknown is not None and not trafs:
        raise FormatError("a fragment of a track that the init segment does not have", track=unknown)
    if any(traf.duration > MAX_TICKS for traf in trafs):
        raise FormatError("a fragment that lasts for days")
    layout.settle([run for traf in trafs for run in traf.runs])
    return Fragment(trafs, extras, len(moof))


class _Layout:
    """Where the data of the runs lie: the three ways in which a source may say it, brought to one."""

    def __init__(self, moof_size: int) -> None:
        self._moof_size = moof_size
        self._anchor: int | None = None  # an absolute offset that stands for the start of the moof
        self._end = 0
        self._vague = False  # nothing ties the offsets to the moof but the rule that an mdat follows

    def base(self, flags: int, offset: int) -> None:
        """A track's part begins: set the offset that its first run counts from."""
        if flags & _BASE:
            self._anchor = offset if self._anchor is None else self._anchor
            self._vague = True
            self._end = offset - self._anchor
        elif flags & _BASE_IS_MOOF:
            self._end = 0
        self._base = self._end

    def place(self, run: Run, offset: int | None) -> None:
        if offset is None:
            self._vague = self._vague or self._end == 0
            run.position = self._end
        else:
            run.position = self._base + offset
        self._end = run.position + run.size

    def settle(self, runs: Sequence[Run]) -> None:
        """Raises: FormatError when a run points into the moof, before it, or absurdly far behind it."""
        start = self._moof_size + 8  # of the payload of an mdat that follows
        nearest = min((run.position for run in runs), default=start)
        moved = start - nearest if nearest < start and self._vague else 0
        for run in runs:
            run.position += moved
            if not start <= run.position < MAX_DATA:
                raise FormatError(
                    "a run whose data lie outside of its mdat", position=run.position, moof=self._moof_size
                )


def _parse_traf(moof: bytes, traf: Box, trex: Mapping[int, Trex], layout: _Layout) -> Traf:
    parts = list(inside(moof, traf))
    tfhd = next((part for part in parts if part.kind == b"tfhd"), None)
    if tfhd is None:
        raise FormatError("traf without tfhd")
    fields = Fields(moof, tfhd)
    _, flags = fields.version_and_flags()
    track = fields.u(4)
    general = trex.get(track, Trex())
    layout.base(flags, fields.u(8) if flags & _BASE else 0)
    defaults = Trex(
        fields.u(4) if flags & _DESCRIPTION else general.description,
        fields.u(4) if flags & _DURATION else general.duration,
        fields.u(4) if flags & _SIZE else general.size,
        fields.u(4) if flags & _FLAGS else general.flags,
    )
    found = Traf(track, defaults, flags, None)
    for part in parts:
        if part.kind == b"tfdt":
            fields = Fields(moof, part)
            version, _ = fields.version_and_flags()
            found.time = fields.u(8 if version else 4)
        elif part.kind == b"trun":
            run = _parse_run(moof, part, defaults, layout)
            if run.count:
                found.runs.append(run)
        elif part.kind not in _REWRITTEN:
            found.extras.append(moof[part.start : part.end])
    return found


def _parse_run(moof: bytes, trun: Box, defaults: Trex, layout: _Layout) -> Run:
    fields = Fields(moof, trun)
    version, flags = fields.version_and_flags()
    count = fields.u(4)
    offset = fields.i(4) if flags & _RUN_OFFSET else None
    first_flags = fields.u(4) if flags & _RUN_FIRST_FLAGS else 0
    if count > MAX_SAMPLES:
        raise TooLarge(f"{name_of(trun.kind)} of {count} samples", samples=count, limit=MAX_SAMPLES)
    run = Run(version, flags, count, first_flags, array("I"), defaults)
    run.words.frombytes(fields.take(4 * count * run.stride))
    if sys.byteorder == "little":
        run.words.byteswap()
    layout.place(run, offset)
    return run


def build_moof(fragment: Fragment, sequence: int, times: Sequence[int], ids: Mapping[int, int]) -> bytes:
    """Write a fragment.

    Args:
        sequence: of mfhd, from 1.
        times: decode time of the first sample of each traf, in its track's ticks.
        ids: track ids to write for the source's.
    """
    mfhd = full_box(b"mfhd", 0, 0, u32(sequence & 0xFFFFFFFF))
    trafs = [_traf_parts(traf, time, ids) for traf, time in zip(fragment.trafs, times, strict=True)]
    size = 8 + len(mfhd) + sum(map(len, fragment.extras))
    size += sum(8 + sum(map(len, before)) + _runs_size(traf) for (before, traf) in trafs)
    moved = size - fragment.size
    built = [
        box(b"traf", *before, *(_build_run(run, moved) for run in traf.runs), *traf.extras) for before, traf in trafs
    ]
    return box(b"moof", mfhd, *built, *fragment.extras)


def _traf_parts(traf: Traf, time: int, ids: Mapping[int, int]) -> tuple[list[bytes], Traf]:
    flags = traf.own & ~_BASE | _BASE_IS_MOOF
    given = traf.defaults
    fields = [
        u32(value)
        for flag, value in (
            (_DESCRIPTION, given.description),
            (_DURATION, given.duration),
            (_SIZE, given.size),
            (_FLAGS, given.flags),
        )
        if flags & flag
    ]
    return [full_box(b"tfhd", 0, flags, u32(ids[traf.track]), *fields), full_box(b"tfdt", 1, 0, u64(time))], traf


def _runs_size(traf: Traf) -> int:
    runs = sum(20 + (4 if run.flags & _RUN_FIRST_FLAGS else 0) + 4 * len(run.words) for run in traf.runs)
    return runs + sum(map(len, traf.extras))


def _build_run(run: Run, moved: int) -> bytes:
    words = array("I", run.words)
    if sys.byteorder == "little":
        words.byteswap()
    fields = [u32(run.count), (run.position + moved).to_bytes(4, "big", signed=True)]
    if run.flags & _RUN_FIRST_FLAGS:
        fields.append(u32(run.first_flags))
    return full_box(b"trun", run.version, run.flags | _RUN_OFFSET, *fields, words.tobytes())
