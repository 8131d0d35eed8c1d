"""Looking ahead at the start of a connection: what the tracks are, and where their time begins.

The tags are held until that is known, and only then handed on: a file's head cannot be taken back.
"""

from __future__ import annotations

from collections.abc import Mapping

from ouzel.base.errors import TooLarge
from ouzel.formats.flv.amf import AmfValue, parse_metadata
from ouzel.formats.flv.groups import Partial
from ouzel.formats.flv.head import Setup
from ouzel.formats.flv.packets import PEEK, Packet, read_packet
from ouzel.formats.flv.rules import FlvRules
from ouzel.formats.flv.tags import AUDIO, SCRIPT, UNIT_HEADER, VIDEO, UnitHeader, read_unit
from ouzel.formats.shape import Buffer


class Survey:
    """Reads units from the start of a buffer that grows. `position` is where it stands: everything before was understood.

    Args:
        known: the tracks of the running file, empty at the first connection. As long as none is known both kinds are expected.
        partial: a group that may be about to be sent again; the survey then goes on until that can be told.
    """

    def __init__(self, known: Mapping[int, Setup], partial: Partial | None, rules: FlvRules) -> None:
        self.position = 0
        self.begin = 0
        """What stands before says nothing that is not kept here: sequence headers and script tags."""
        self.setups = dict(known)
        self.firsts: dict[int, int] = {}
        """Source time stamp of the first frame of each kind."""
        self.delay = 0
        """By how much the first picture is shown later than decoded, in ms."""
        self.metadata: dict[str, AmfValue] | None = None
        self.key_at: int | None = None
        """Where the first picture stands, if it is a key frame."""
        self.lead: list[int] = []
        """Where the frames of sound before the first picture stand."""
        self.done = False
        self._expected = set(known) or {AUDIO, VIDEO}
        self._partial = partial
        self._rules = rules
        self._tags = 0
        self._bytes = 0
        self._settled: set[int] = set()

    @property
    def blank(self) -> bool:
        """No sound and no picture yet."""
        return not self.firsts

    def forget(self, there: int) -> int:
        """What stands before `begin` is dropped from a buffer of `there` bytes. Only while `blank`. Returns how many that is."""
        count = min(self.begin, there)
        self.begin -= count
        self.position -= count
        return count

    def forget_all(self) -> int:
        """What was read so far is dropped from the buffer, and reading goes on. Only while `blank`."""
        self.begin = self.position
        self._tags = self._bytes = 0
        self.done = False
        return self.forget(self.begin)

    def look(self, held: Buffer) -> bool:
        """Read on as far as the buffer goes. True when enough is known, or there is no tag at `position`.

        Raises: TooLarge when a script tag or a sequence header is larger than the limit.
        """
        while not self.done:
            at = self.position
            if at + UNIT_HEADER > len(held):
                break
            unit = read_unit(held, at)
            if not unit.plausible:
                self.done = True
            elif not self._take(held, at, unit):
                break
        return self.done

    def _take(self, held: Buffer, at: int, unit: UnitHeader) -> bool:
        """One unit. False when more of it is needed."""
        body_at = at + UNIT_HEADER
        end = body_at + unit.size
        if unit.kind == SCRIPT:
            if not self._whole(held, end, unit.size):
                return False
            self._script(held[body_at:end])
        elif unit.size:
            peek_end = min(end, body_at + PEEK)
            if len(held) < peek_end:
                return False
            packet = read_packet(unit.kind, held[body_at:peek_end])
            if packet.role == "config":
                if not self._whole(held, end, unit.size):
                    return False
                peek_end = end
            self._media(packet, held[body_at:peek_end], unit, at)
            if self.done:
                return True
        self.position = end
        if self._tags == 0:
            self.begin = end
        self._conclude(held)
        return True

    def _whole(self, held: Buffer, end: int, size: int) -> bool:
        if size > self._rules.max_collected:
            raise TooLarge("FLV script tag or sequence header too large", size=size, limit=self._rules.max_collected)
        return end <= len(held)

    def _script(self, body: Buffer) -> None:
        metadata = parse_metadata(body)
        if metadata is not None:
            self.metadata = metadata

    def _media(self, packet: Packet, body: Buffer, unit: UnitHeader, at: int) -> None:
        kind = packet.kind
        if packet.role == "config":
            setup = Setup.of(packet, body)
            if kind in self._settled and setup != self.setups.get(kind):
                self.done = True  # the stream changes here: what is held belongs to the file before
                return
            self.setups[kind] = setup
            self._expected.add(kind)
            return
        if packet.role == "end":
            self.done = bool(self.firsts)
            return
        if packet.role == "frame":
            self._frame(packet, body, unit, at)
        self._tags += 1
        self._bytes += unit.size

    def _frame(self, packet: Packet, body: Buffer, unit: UnitHeader, at: int) -> None:
        kind = packet.kind
        if kind == VIDEO and kind in self.firsts and packet.key:
            self.done = True  # another group: enough was seen of this one
            return
        setup = self.setups.get(kind)
        if setup is None or (setup.codec, setup.code) != (packet.codec, packet.code):
            if kind in self.firsts and setup is not None:
                self.done = True
                return
            self.setups[kind] = setup = Setup.of(packet, body)
        if setup.record:
            self._settled.add(kind)
        self._expected.add(kind)
        if kind not in self.firsts:
            self.firsts[kind] = unit.stamp
            if kind == VIDEO:
                self.delay = packet.cts
                self.key_at = at if packet.key else None
        if kind == AUDIO and VIDEO not in self.firsts:
            self.lead.append(at)

    def _conclude(self, held: Buffer) -> None:
        if self._tags >= self._rules.hold_tags or self._bytes >= self._rules.hold_bytes:
            if self.blank:  # nothing but commands and the like
                self.begin, self._tags, self._bytes = self.position, 0, 0
            else:
                self.done = True
        elif self._expected <= self.firsts.keys():
            self.done = self._proven(held)

    def _proven(self, held: Buffer) -> bool:
        """Whether enough is held to tell if the first group is the one that was broken off."""
        if self._partial is None or self.key_at is None or not self._partial.could_begin(held, self.key_at):
            return True
        return self.position <= len(held) and self._units_since_key(held) >= len(self._partial.prints)

    def _units_since_key(self, held: Buffer) -> int:
        count, at = 0, self.key_at or 0
        while at < self.position:
            at += UNIT_HEADER + read_unit(held, at).size
            count += 1
        return count
