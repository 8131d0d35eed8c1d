"""Continuity counters, checked without a loop over packets.

Each packet of the programme becomes one byte: one of four bits for its PID in the high half, its counter in the low one. Removing
all bytes but those of one PID leaves its counters in their order, which must be a stretch of 0 to 15 repeated. Four PIDs
make a group; a programme with more has several.

Source: ISO/IEC 13818-1 section 2.4.3.3 (continuity_counter).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import NamedTuple

from ouzel.formats.mpegts.packets import NULL_PID, SIZE, Readable, has_payload, is_discontinuity

_GROUP = 4
_CYCLE = bytes(range(16)) * 512
_LOW = bytes(value & 0x0F for value in range(256))
_COUNTS = bytes(0xF0 | value & 0x0F if value & 0x10 else 0 for value in range(256))
_OTHERS = tuple(bytes(value for value in range(256) if value >> 4 != 1 << number) for number in range(_GROUP))
_STARTS = bytes(1 if value & 0xC0 == 0x40 else 0 for value in range(256))
_EMPTY = bytes(1 if value & 0x30 == 0x20 else 0 for value in range(256))


class Survey(NamedTuple):
    """What was read from the headers of a block of packets."""

    headers: bytes
    starts: bytes
    """1 for each packet that starts a unit and was received without error, 0 for the others."""
    classes: tuple[bytes, ...]
    """For each group one byte a packet: bit of the PID and counter; its high half is 0 for other PIDs, and without payload."""
    empty: bytes
    """1 for each packet that has an adaptation field only."""
    damaged: bool
    """Some packet is marked as received with errors."""


class _Group:
    """Up to four PIDs and the tables that turn headers into class bytes."""

    __slots__ = ("_high", "_low", "pids")

    def __init__(self, pids: tuple[int, ...]) -> None:
        self.pids = pids
        high, low = bytearray(b"\x0f" * 256), bytearray(b"\x0f" * 256)
        for number, pid in enumerate(pids):
            for flags in range(8):
                high[flags << 5 | pid >> 8] |= 0x10 << number
            low[pid & 0xFF] |= 0x10 << number
        self._high, self._low = bytes(high), bytes(low)

    def classes(self, second: bytes, third: bytes, counts: int) -> bytes:
        """`counts`: a byte a packet, 0xF0 and its counter, as one number."""
        both = int.from_bytes(second.translate(self._high), "little") & int.from_bytes(
            third.translate(self._low), "little"
        )
        return (both & counts).to_bytes(len(second), "little")


class Counters:
    """The counters of a programme's PIDs.

    `last` holds, by PID, the counter of the last packet with payload that was handed on; none after an announced break.
    """

    __slots__ = ("_groups", "_repeated", "known", "last", "payloads")

    def __init__(self) -> None:
        self.last: dict[int, int] = {}
        self.payloads: dict[int, int] = {}
        """Packets with payload, by PID, seen by the last `check`."""
        self._repeated: set[int] = set()
        self._groups: list[_Group] = []
        self.known: frozenset[int] = frozenset()
        """The PIDs that are followed."""

    def watch(self, pids: Iterable[int]) -> None:
        """The PIDs to follow from now on, in this order; others are not looked at."""
        wanted = [pid for pid in dict.fromkeys(pids) if pid != NULL_PID]
        if frozenset(wanted) == self.known:
            return
        self.known = frozenset(wanted)
        self._groups = [_Group(tuple(wanted[at : at + _GROUP])) for at in range(0, len(wanted), _GROUP)]
        self.last = {pid: last for pid, last in self.last.items() if pid in self.known}

    def forget(self, pids: Iterable[int]) -> None:
        """The next packet of these PIDs may have any counter."""
        for pid in pids:
            self.last.pop(pid, None)

    def survey(self, headers: bytes) -> Survey:
        second, third, fourth = headers[1::4], headers[2::4], headers[3::4]
        counts = int.from_bytes(fourth.translate(_COUNTS), "little")
        return Survey(
            headers,
            second.translate(_STARTS),
            tuple([group.classes(second, third, counts) for group in self._groups]),
            fourth.translate(_EMPTY),
            not second.isascii(),
        )

    def step(self, header: bytes) -> bool:
        """Count a single packet. False when it does not follow, or is not simple: then `check` must look at it."""
        pid = (header[1] & 0x1F) << 8 | header[2]
        if pid not in self.known:
            return True
        counter = header[3] & 0x0F
        last = self.last.get(pid)
        if header[1] & 0x80 or not header[3] & 0x10 or (last is not None and counter != (last + 1) & 0x0F):
            return False
        self.last[pid] = counter
        self._repeated.discard(pid)
        return True

    def check(self, block: memoryview, survey: Survey, start: int, stop: int) -> int:
        """Count the packets from number `start` up to `stop` of a block. Returns how many breaks there are."""
        breaks = 0
        last = self.last
        self.payloads.clear()
        breaking = announced(block, survey, start, stop)
        for group, classes in zip(self._groups, survey.classes, strict=True):
            part = classes if stop - start == len(classes) else classes[start:stop]
            for number, pid in enumerate(group.pids):
                counts = part.translate(_LOW, _OTHERS[number])
                if not counts and pid not in breaking:
                    continue
                self.payloads[pid] = len(counts)
                before = last.get(pid)
                first = (before + 1) & 0x0F if before is not None else counts[0] if counts else 0
                cycle = _CYCLE if len(counts) + 16 <= len(_CYCLE) else _CYCLE * (len(counts) // len(_CYCLE) + 2)
                if cycle.startswith(counts, first) and pid not in breaking:
                    last[pid] = counts[-1]
                    self._repeated.discard(pid)
                else:
                    breaks += self._walk(block, survey.headers, start, stop, pid)
        return breaks

    def count(self, survey: Survey, pid: int, start: int, stop: int) -> int:
        """Packets with payload of this PID among those from number `start` up to `stop`."""
        for group, classes in zip(self._groups, survey.classes, strict=True):
            if pid in group.pids:
                return len(classes[start:stop].translate(_LOW, _OTHERS[group.pids.index(pid)]))
        return 0

    def first(self, survey: Survey, pid: int) -> tuple[int, int] | None:
        """Number and counter of the first packet with payload of this PID in the block."""
        for group, classes in zip(self._groups, survey.classes, strict=True):
            if pid in group.pids:
                bit = 0x10 << group.pids.index(pid)
                found = [at for counter in range(16) if (at := classes.find(bit | counter)) >= 0]
                return (min(found), classes[min(found)] & 0x0F) if found else None
        return None

    def save(self) -> tuple[dict[int, int], frozenset[int]]:
        return dict(self.last), frozenset(self._repeated)

    def restore(self, state: tuple[dict[int, int], frozenset[int]]) -> None:
        self.last, self._repeated = dict(state[0]), set(state[1])

    def _walk(self, block: memoryview, headers: bytes, start: int, stop: int, pid: int) -> int:
        """The breaks of one PID, with what the standard allows: a packet sent twice, and a break that is announced."""
        breaks = 0
        last, repeated = self.last.get(pid), pid in self._repeated
        for at in range(start, stop):
            if pid_at(headers, at) != pid:
                continue
            if is_discontinuity(block, at * SIZE):
                last = None
            if not has_payload(headers, at * 4):
                continue
            counter = headers[at * 4 + 3] & 0x0F
            again = counter == last and not repeated
            if last is not None and counter != (last + 1) & 0x0F and not again:
                breaks += 1
            last, repeated = counter, again
        if last is None:
            self.last.pop(pid, None)
        else:
            self.last[pid] = last
        (self._repeated.add if repeated else self._repeated.discard)(pid)
        return breaks


def announced(block: memoryview, survey: Survey, start: int, stop: int) -> set[int]:
    """PIDs with a packet that has no payload but announces a discontinuity."""
    found: set[int] = set()
    at = survey.empty.find(1, start, stop)
    while at >= 0:
        if is_discontinuity(block, at * SIZE):
            found.add(pid_at(survey.headers, at))
        at = survey.empty.find(1, at + 1, stop)
    return found


def starts_of(headers: bytes) -> bytes:
    """1 for each packet that starts a unit and was received without error, 0 for the others."""
    return headers[1::4].translate(_STARTS)


def errors_in(headers: bytes, pids: Collection[int]) -> int:
    """Packets of these PIDs that a receiver marked as damaged (transport_error_indicator)."""
    second = headers[1::4]
    if second.isascii():
        return 0
    third = headers[2::4]
    return sum(1 for at, value in enumerate(second) if value & 0x80 and (value & 0x1F) << 8 | third[at] in pids)


def pid_at(headers: Readable, number: int) -> int:
    """PID of the packet with this number in a block."""
    return (headers[4 * number + 1] & 0x1F) << 8 | headers[4 * number + 2]
