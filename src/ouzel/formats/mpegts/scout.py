"""Looks ahead, at the start of a stream and wherever its tracks may have changed, until it is known what comes."""

from __future__ import annotations

from dataclasses import dataclass, field

from ouzel.base.errors import Encrypted, Unsupported
from ouzel.formats.mpegts.counters import pid_at, starts_of
from ouzel.formats.mpegts.lanes import AUDIO_BYTES, VIDEO_BYTES, Found, Lane, lanes_of, lead_of, sniff
from ouzel.formats.mpegts.packets import SIZE, TICKS, WRAP
from ouzel.formats.mpegts.psi import Tables
from ouzel.formats.mpegts.units import gather, mark_next, unit_at

_STARTS = 0x40


@dataclass(slots=True)
class Scout:
    """Goes through held packets once, from the first on.

    It is done when every track of picture and sound has shown its configuration and its first time stamp, or when waiting
    for that would take too long: `reach` packets, or `hold_s` of media.
    """

    tables: Tables
    before: dict[int, Lane]
    """What was known of the tracks; they are learnt anew, and keep this where nothing new is seen."""
    reach: int
    hold_s: float
    lanes: dict[int, Lane] = field(default_factory=dict[int, Lane])
    firsts: dict[int, int] = field(default_factory=dict[int, int])
    """First decode time stamp of each track."""
    delays: dict[int, int] = field(default_factory=dict[int, int])
    """By how much the unit with it is presented later."""
    at: int = 0
    """Packets that were looked at."""
    psi_first: bool = False
    """The packets begin with the tables, before any media."""
    counters: dict[int, int] = field(default_factory=dict[int, int])
    """Continuity counter in front of the first packet of each table."""
    _learnt: set[int] = field(default_factory=set[int])
    _latest: int | None = None
    _tables_seen: set[int] = field(default_factory=set[int])

    def __post_init__(self) -> None:
        self._prepare()

    def look(self, block: memoryview, headers: bytes, *, final: bool) -> bool:
        """Go on from where it stopped; `block` holds everything from the first packet on. True: it is done.

        Raises: Encrypted, also when the programme is scrambled.
        """
        stop = min(len(headers) // 4, self.reach)
        marks = starts_of(headers)
        if self.tables.waiting:
            marks = mark_next(marks, headers, self.tables.waiting, self.at)
        number = marks.find(1, self.at, stop)
        while number >= 0:
            self.at = number
            pid = pid_at(headers, number)
            if pid in self.lanes:
                if not self._unit(block, headers, number, pid, final=final):
                    return False
                if self._satisfied():
                    return True
            elif pid in self.tables.pids:
                if self._table(block, headers, number, pid):
                    return True
                if pid in self.tables.waiting:
                    marks = mark_next(marks, headers, (pid,), number + 1)
            number = marks.find(1, number + 1, stop)
        self.at = stop
        return final or stop == self.reach

    def headless(self, headers: bytes) -> list[int]:
        """Packets of units whose beginning was sent before we came, by their numbers. They are to be taken out of what was looked
        at before anything else is done with it."""
        waiting = {pid for pid, lane in self.lanes.items() if lane.kind != "other" and pid in self.firsts}
        found: list[int] = []
        for number in range(min(len(headers) // 4, self.reach)):
            if not waiting:
                break
            pid = pid_at(headers, number)
            if pid in waiting and headers[4 * number + 1] & _STARTS:
                waiting.discard(pid)
            elif pid in waiting:
                found.append(number)
        self.at -= sum(number < self.at for number in found)
        return found

    def finish(self) -> bool:
        """It is done: settle what is open. False: there is no programme to be seen.

        Raises: Unsupported when the programme has neither picture nor sound.
        """
        if not self.tables.settle():
            return False
        program = self.tables.program
        if program is not None and [*self.lanes] != [stream.pid for stream in program.streams]:
            self.lanes = lanes_of(program, self.lanes or self.before)
        if self.tables.program is not None and not self.tables.program.media:
            raise Unsupported("the programme has neither picture nor sound", program=self.tables.program.number)
        return True

    def _prepare(self) -> None:
        """The programme is another one, or known for the first time."""
        self.lanes = lanes_of(self.tables.program, self.before) if self.tables.program else {}
        self._learnt = {pid for pid, lane in self.lanes.items() if lane.known and not lane.raw}

    def _table(self, block: memoryview, headers: bytes, number: int, pid: int) -> bool:
        """Read a packet with tables. True: another programme begins here, although media of this one were seen."""
        self.counters.setdefault(pid, (headers[4 * number + 3] - 1) & 0x0F)
        if not self.firsts:
            if self.tables.look(block, number * SIZE):
                self._prepare()
            self._tables_seen.add(pid)
            program = self.tables.program
            if program is not None and program.pmt_pid in self._tables_seen and 0 in self._tables_seen:
                self.psi_first = self.psi_first or not self._media_before(headers, number)
            return False
        saved = self.tables.save()
        if self.tables.look(block, number * SIZE):
            self.tables.restore(saved)
            return True
        return False

    def _media_before(self, headers: bytes, number: int) -> bool:
        return any(pid_at(headers, at) in self.lanes for at in range(number))

    def _unit(self, block: memoryview, headers: bytes, number: int, pid: int, *, final: bool) -> bool:
        """Read the start of a unit. False: more packets are needed."""
        lane = self.lanes[pid]
        if headers[4 * number + 3] & 0xC0 and lane.kind != "other":
            raise Encrypted("the programme is scrambled", pid=pid)
        unit = unit_at(block, number * SIZE)
        if unit is None or lane.kind == "other":
            return True
        if pid not in self._learnt:
            limit = VIDEO_BYTES if lane.kind == "video" else AUDIO_BYTES
            left = self.reach - number
            got = gather(block, headers, number, unit, limit, left)
            found = sniff(lane, got.data, complete=got.complete or final)
            if found == "more":
                return False
            if isinstance(found, Found):
                lane.track, lane.raw, lane.known = found.track, found.raw, True
                self._learnt.add(pid)
        if unit.dts is not None and unit.pts is not None:
            if pid not in self.firsts:
                self.firsts[pid] = unit.dts
                self.delays[pid] = (unit.pts - unit.dts) % WRAP
            self._latest = unit.dts if pid == next(iter(self.firsts)) else self._latest
        return True

    def _satisfied(self) -> bool:
        media = [pid for pid, lane in self.lanes.items() if lane.kind != "other"]
        if all(pid in self.firsts and pid in self._learnt for pid in media):
            return True
        if self._latest is None:
            return False
        first = next(iter(self.firsts.values()))
        return ((self._latest - first + WRAP // 2) % WRAP - WRAP // 2) > self.hold_s * TICKS

    @property
    def lead(self) -> int:
        return lead_of(self.tables.program) if self.tables.program else -1
