"""Continuity counters, checked without a loop over packets.

Each packet of the programme becomes one byte: one of four bits for its PID in the high half, its counter in the low one. Removing
all bytes but those of one PID leaves its counters in their order, which must be a stretch of 0 to 15 repeated. Four PIDs
make a group; a programme with more has several.

Source: ISO/IEC 13818-1 section 2.4.3.3 (continuity_counter).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import NamedTuple, TypeAlias

from ouzel.formats.mpegts.packets import NULL_PID, SIZE, Readable, has_payload, is_discontinuity

_GROUP = 4
_CYCLE = bytes(range(16)) * 512
_LOW = bytes(value & 0x0F for value in range(256))
_COUNTS = bytes(0xF0 | value & 0x0F if value & 0x10 else 0 for value in range(256))
_OTHERS = tuple(bytes(value for value in range(256) if value >> 4 != 1 << number) for number in range(_GROUP))
_FOUND = tuple(bytes(1 if value >> 4 == 1 << number else 0 for value in range(256)) for number in range(_GROUP))
_STARTS = bytes(1 if value & 0xC0 == 0x40 else 0 for value in range(256))
_EMPTY = bytes(1 if value & 0x30 == 0x20 else 0 for value in range(256))

Columns: TypeAlias = tuple[bytes, bytes, bytes]
"""The second, third and fourth byte of the header of each packet."""


class Followed(NamedTuple):
    """What a block has of one PID, if that simply goes on."""

    pid: int
    counters: bytes
    """Of its packets with payload, in a row."""
    classes: bytes
    """In which they were found; see `Survey`."""


class Survey(NamedTuple):
    """What was read from the headers of a block of packets."""

    headers: bytes
    classes: tuple[bytes, ...]
    """For each group one byte a packet: bit of the PID and counter; its high half is 0 for other PIDs, and without payload."""
    empty: bytes
    """1 for each packet that has an adaptation field only."""
    damaged: bool
    """Some packet is marked as received with errors."""


class _Group:
    """Up to four PIDs and the tables that turn headers into class bytes."""

    __slots__ = ("high", "low", "pids", "slots")

    def __init__(self, pids: tuple[int, ...]) -> None:
        self.pids = pids
        self.slots = tuple(zip(pids, _OTHERS, _FOUND, strict=False))
        """Each PID with the class bytes that are not its own, and with a table in which 1 stands for those that are."""
        high, low = bytearray(b"\x0f" * 256), bytearray(b"\x0f" * 256)
        for number, pid in enumerate(pids):
            for flags in range(8):
                high[flags << 5 | pid >> 8] |= 0x10 << number
            low[pid & 0xFF] |= 0x10 << number
        self.high, self.low = bytes(high), bytes(low)

    def classes(self, second: bytes, third: bytes, counts: int) -> bytes:
        """`counts`: a byte a packet, 0xF0 and its counter, as one number."""
        both = int.from_bytes(second.translate(self.high), "little") & int.from_bytes(
            third.translate(self.low), "little"
        )
        return (both & counts).to_bytes(len(second), "little")


class Counters:
    """The counters of a programme's PIDs.

    `last` holds, by PID, the counter of the last packet with payload that was handed on; none after an announced break.
    """

    __slots__ = ("_groups", "known", "last", "payloads", "repeated")

    def __init__(self) -> None:
        self.last: dict[int, int] = {}
        self.payloads: dict[int, int] = {}
        """Packets with payload, by PID, seen by the last `check`."""
        self.repeated: set[int] = set()
        """PIDs whose last packet was one that had been sent before."""
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
            tuple([group.classes(second, third, counts) for group in self._groups]),
            fourth.translate(_EMPTY),
            not second.isascii(),
        )

    def follow(self, block: memoryview, columns: Columns, strangers: Collection[int]) -> list[Followed] | None:
        """What a block holds in which every PID simply goes on; None if it is another one: then `survey` and `check` are due.
        Nothing is counted before `accept`.

        `strangers`: PIDs that are looked for since the last break, and have to go on with the start of a unit.
        """
        second, third, fourth = columns
        payloads, size = fourth.translate(_COUNTS), len(second)
        if self.repeated or size + 16 > len(_CYCLE) or not second.isascii():
            return None
        if 0 in payloads and _is_announcing(block, payloads):
            return None
        counts, last, follows = int.from_bytes(payloads, "little"), self.last, _CYCLE.startswith
        found: list[Followed] = []
        for group in self._groups:
            classes = group.classes(second, third, counts)
            for pid, others, marks in group.slots:
                own = classes.translate(_LOW, others)
                if own:
                    if not follows(own, last.get(pid, own[0] - 1) + 1 & 0x0F):
                        return None
                    if pid in strangers and not second[classes.translate(marks).find(1)] & 0x40:
                        return None
                    found.append(Followed(pid, own, classes))
                    if len(own) == size:
                        break
        return found

    def accept(self, found: Iterable[Followed]) -> None:
        """Count what `follow` has found."""
        for pid, own, _ in found:
            self.last[pid] = own[-1]

    def check(self, block: memoryview, survey: Survey, start: int, stop: int) -> int:
        """Count the packets from number `start` up to `stop` of a block. Returns how many breaks there are."""
        breaks = 0
        last, repeated = self.last, self.repeated
        self.payloads = payloads = dict[int, int]()
        breaking = announced(block, survey, start, stop)
        cycle = _CYCLE if stop - start + 16 <= len(_CYCLE) else _CYCLE * ((stop - start) // len(_CYCLE) + 2)
        for group, classes in zip(self._groups, survey.classes, strict=True):
            part = classes if stop - start == len(classes) else classes[start:stop]
            for pid, others, _ in group.slots:
                counts = part.translate(_LOW, others)
                if not counts and pid not in breaking:
                    continue
                payloads[pid] = len(counts)
                before = last.get(pid)
                first = (before + 1) & 0x0F if before is not None else counts[0] if counts else 0
                if cycle.startswith(counts, first) and pid not in breaking:
                    last[pid] = counts[-1]
                    if repeated:
                        repeated.discard(pid)
                else:
                    breaks += self._walk(block, survey.headers, start, stop, pid)
        return breaks

    def count(self, classes: bytes, pid: int, start: int, stop: int) -> int:
        """Packets with payload of this PID among those from number `start` up to `stop`. `classes`: of its group."""
        slot = next(group.pids.index(pid) for group in self._groups if pid in group.pids)
        return len(classes[start:stop].translate(_LOW, _OTHERS[slot]))

    def count_in(self, survey: Survey, pid: int, start: int, stop: int) -> int:
        """Packets with payload of this PID among those from number `start` up to `stop`."""
        for group, classes in zip(self._groups, survey.classes, strict=True):
            if pid in group.pids:
                return len(classes[start:stop].translate(_LOW, _OTHERS[group.pids.index(pid)]))
        return 0

    def first(self, survey: Survey, pid: int) -> tuple[int, int] | None:
        """Number and counter of the first packet with payload of this PID in the block."""
        for group, classes in zip(self._groups, survey.classes, strict=True):
            if pid in group.pids:
                at = classes.translate(_FOUND[group.pids.index(pid)]).find(1)
                return None if at < 0 else (at, classes[at] & 0x0F)
        return None

    def save(self) -> tuple[dict[int, int], frozenset[int]]:
        return dict(self.last), frozenset(self.repeated)

    def restore(self, state: tuple[dict[int, int], frozenset[int]]) -> None:
        self.last, self.repeated = dict(state[0]), set(state[1])

    def _walk(self, block: memoryview, headers: bytes, start: int, stop: int, pid: int) -> int:
        """The breaks of one PID, with what the standard allows: a packet sent twice, and a break that is announced."""
        breaks = 0
        last, repeated = self.last.get(pid), pid in self.repeated
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
        (self.repeated.add if repeated else self.repeated.discard)(pid)
        return breaks


def _is_announcing(block: memoryview, payloads: bytes) -> bool:
    """Whether a packet without payload announces a discontinuity. `payloads`: 0 for these packets."""
    at = payloads.find(0)
    while at >= 0:
        if is_discontinuity(block, at * SIZE):
            return True
        at = payloads.find(0, at + 1)
    return False


def announced(block: memoryview, survey: Survey, start: int, stop: int) -> Collection[int]:
    """PIDs with a packet that has no payload but announces a discontinuity."""
    at = survey.empty.find(1, start, stop)
    if at < 0:
        return ()
    found: set[int] = set()
    while at >= 0:
        if is_discontinuity(block, at * SIZE):
            found.add(pid_at(survey.headers, at))
        at = survey.empty.find(1, at + 1, stop)
    return found


def columns_of(headers: bytes) -> Columns:
    return headers[1::4], headers[2::4], headers[3::4]


def starts_of(headers: bytes) -> bytes:
    """1 for each packet that starts a unit and was received without error, 0 for the others."""
    return starts_in(headers[1::4])


def starts_in(second: bytes) -> bytes:
    """The same from the second bytes of the headers."""
    return second.translate(_STARTS)


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
