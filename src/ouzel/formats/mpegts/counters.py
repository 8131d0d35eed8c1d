"""Continuity counters, checked without a loop over packets.

Each packet of the programme becomes one byte: class of its PID (1 to 7) in the high half, counter in the low one, the top bit
set where there is no payload and so no count. Removing the bytes of all other classes leaves the counters of one PID in
their order, which must be a stretch of 0 to 15 repeated. 7 PIDs make a group; a programme with more has several.

Source: ISO/IEC 13818-1 section 2.4.3.3 (continuity_counter).
"""

from __future__ import annotations

from collections.abc import Iterable

from ouzel.formats.mpegts.packets import NULL_PID, SIZE, Readable, is_discontinuity

_GROUP = 7
_CYCLE = bytes(range(16)) * 512
_LOW = bytes(value & 0x0F for value in range(256))
_COUNTS = bytes((value & 0x0F) | (0 if value & 0x10 else 0x80) for value in range(256))
_OTHERS = tuple(bytes(value for value in range(256) if value >> 4 != number) for number in range(_GROUP + 1))
_EMPTY = bytes(1 if value >= 0x90 else 0 for value in range(256))
_CLASSES = bytes(16 * (value.bit_length() if value.bit_count() == 1 else 0) for value in range(256))


class _Group:
    """Up to seven PIDs and the tables that turn headers into class bytes."""

    __slots__ = ("_high", "_low", "pids")

    def __init__(self, pids: tuple[int, ...]) -> None:
        self.pids = pids
        high, low = bytearray(256), bytearray(256)
        for number, pid in enumerate(pids):
            for flags in range(8):
                high[flags << 5 | pid >> 8] |= 1 << number
            low[pid & 0xFF] |= 1 << number
        self._high, self._low = bytes(high), bytes(low)

    def classes(self, headers: bytes) -> bytes:
        """One byte a packet: class in bits 4 to 6, counter in bits 0 to 3, bit 7 = no payload; 0x?0 for other PIDs."""
        size = len(headers) // 4
        second = int.from_bytes(headers[1::4].translate(self._high), "little")
        third = int.from_bytes(headers[2::4].translate(self._low), "little")
        numbers = (second & third).to_bytes(size, "little").translate(_CLASSES)
        counts = headers[3::4].translate(_COUNTS)
        return (int.from_bytes(numbers, "little") | int.from_bytes(counts, "little")).to_bytes(size, "little")


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

    def survey(self, headers: bytes) -> list[bytes]:
        """What `check` and `first` need to know of a block: one string of class bytes for each group."""
        return [group.classes(headers) for group in self._groups]

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

    def check(self, block: memoryview, surveyed: list[bytes], start: int, stop: int) -> int:
        """Count the packets from number `start` up to `stop` of a block. Returns how many breaks there are."""
        breaks = 0
        last = self.last
        self.payloads.clear()
        for group, classes in zip(self._groups, surveyed, strict=True):
            part = classes if stop - start == len(classes) else classes[start:stop]
            announced = _announced(block, part, start)
            for number, pid in enumerate(group.pids, 1):
                counts = part.translate(_LOW, _OTHERS[number])
                if not counts and number not in announced:
                    continue
                self.payloads[pid] = len(counts)
                before = last.get(pid)
                first = (before + 1) & 0x0F if before is not None else counts[0] if counts else 0
                cycle = _CYCLE if len(counts) + 16 <= len(_CYCLE) else _CYCLE * (len(counts) // len(_CYCLE) + 2)
                if cycle.startswith(counts, first) and number not in announced:
                    last[pid] = counts[-1]
                    self._repeated.discard(pid)
                else:
                    breaks += self._walk(block, part, start, number, pid)
        return breaks

    def count(self, surveyed: list[bytes], pid: int, start: int, stop: int) -> int:
        """Packets with payload of this PID among those from number `start` up to `stop`."""
        for group, classes in zip(self._groups, surveyed, strict=True):
            if pid in group.pids:
                return len(classes[start:stop].translate(_LOW, _OTHERS[group.pids.index(pid) + 1]))
        return 0

    def first(self, surveyed: list[bytes], pid: int) -> tuple[int, int] | None:
        """Number and counter of the first packet with payload of this PID in the block."""
        for group, classes in zip(self._groups, surveyed, strict=True):
            if pid in group.pids:
                number = 16 * (group.pids.index(pid) + 1)
                found = [at for counter in range(16) if (at := classes.find(number | counter)) >= 0]
                return (min(found), classes[min(found)] & 0x0F) if found else None
        return None

    def save(self) -> tuple[dict[int, int], frozenset[int]]:
        return dict(self.last), frozenset(self._repeated)

    def restore(self, state: tuple[dict[int, int], frozenset[int]]) -> None:
        self.last, self._repeated = dict(state[0]), set(state[1])

    def _walk(self, block: memoryview, part: bytes, start: int, number: int, pid: int) -> int:
        """The breaks of one PID, with what the standard allows: a packet sent twice, and a break that is announced."""
        breaks = 0
        last, repeated = self.last.get(pid), pid in self._repeated
        for at, value in enumerate(part, start):
            if value >> 4 & 7 != number:
                continue
            if is_discontinuity(block, at * SIZE):
                last = None
            if value & 0x80:
                continue
            counter = value & 0x0F
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


def _announced(block: memoryview, part: bytes, start: int) -> set[int]:
    """Classes with a packet that has no payload but announces a discontinuity."""
    found: set[int] = set()
    empty = part.translate(_EMPTY)
    at = empty.find(1)
    while at >= 0:
        if is_discontinuity(block, (start + at) * SIZE):
            found.add(part[at] >> 4 & 7)
        at = empty.find(1, at + 1)
    return found


def errors_in(headers: bytes, pids: Iterable[int]) -> int:
    """Packets of these PIDs that a receiver marked as damaged (transport_error_indicator)."""
    second = headers[1::4]
    if second.isascii():
        return 0
    wanted = frozenset(pids)
    third = headers[2::4]
    return sum(1 for at, value in enumerate(second) if value & 0x80 and (value & 0x1F) << 8 | third[at] in wanted)


def pid_at(headers: Readable, number: int) -> int:
    """PID of the packet with this number in a block."""
    return (headers[4 * number + 1] & 0x1F) << 8 | headers[4 * number + 2]
