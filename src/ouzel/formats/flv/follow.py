"""Following tags: the one place where every tag passes.

Tags that only need to be counted and, where time moves, stamped go through `follow`, which is written for speed: no object is
made for a tag. Everything else comes to `keep`, one tag at a time.
"""

from __future__ import annotations

import struct
from collections.abc import Container, Mapping
from typing import TypeAlias

import xxhash

from ouzel.formats.flv.groups import Group
from ouzel.formats.flv.head import Setup
from ouzel.formats.flv.packets import FRAMES_X, Packet, composition_at, plain_codes
from ouzel.formats.flv.rules import FlvRules
from ouzel.formats.flv.tags import AUDIO, MAX_STAMP, SIZE, TAG_HEADER, UNIT_HEADER, VIDEO, UnitHeader, stamp_field
from ouzel.formats.retime import Retimer, Undo
from ouzel.formats.shape import KeyPoint, SpanBuilder

_PLAIN = struct.Struct(
    ">IIIIB"
)  # PreviousTagSize · type, size · time stamp · stream id, first byte of the body · second byte
_FOUR = struct.Struct(">I")
_REACH = 24  # bytes of a unit that are looked at, at most
_NOTHING: Container[int] = frozenset[int]()
_STAMP_AT = 8  # in a unit


_Before: TypeAlias = tuple[Undo | None, int, int, int, int, int, bool, float | None, int]


class Follower:
    """Counts, stamps and fingerprints the tags of one chunk after the other."""

    def __init__(self, retimer: Retimer, rules: FlvRules) -> None:
        self._retimer = retimer
        self._tolerance = rules.tolerance_ms
        self._max_tags = rules.max_chunk_tags
        self._inter: Container[int] = _NOTHING
        self._sound: Container[int] = _NOTHING
        self._hash = xxhash.xxh3_64()  # of the body in progress
        self._before: _Before | None = None  # what to go back to when the tag in progress never becomes whole
        self.last_at = 0
        """Where in the buffer the unit in progress begins, when `follow` returned a place behind the buffer's end."""
        self._turns = 0
        self._raw = 0
        self.expect = -1
        """PreviousTagSize of the tag that comes next; -1 when the bytes in front of it were handed on already, or never will."""
        self.went_back = False
        """The source's clock jumped back in this chunk."""
        self.deadline = 0
        """File time in ms from which on the chunk is long enough."""
        self.shown = -1
        """The latest presentation time of all pictures of the running file, in ms; -1 before the first."""
        self._composition_at = 0
        self.begin_chunk(Group())

    def begin_chunk(self, group: Group) -> None:
        self.span = SpanBuilder()
        self.videos = 0
        self.sounds = 0
        self.group = group
        self.first_group = group
        """The chunk's first group of pictures; short ones share a chunk."""
        self.offset = self._retimer.offset
        self._repairs = len(self._retimer.repairs)
        self.went_back = False
        self._before = None

    @property
    def empty(self) -> bool:
        """No tag was kept in this chunk."""
        return not self.group.prints and self.group is self.first_group

    def begin_group(self) -> None:
        """A key frame comes, in the same chunk."""
        self.group = Group()

    def adopt(self, setups: Mapping[int, Setup]) -> None:
        """The tracks of the running file."""
        self._inter = plain_codes(VIDEO, setups[VIDEO].code) if VIDEO in setups else _NOTHING
        self._sound = plain_codes(AUDIO, setups[AUDIO].code) if AUDIO in setups else _NOTHING
        at = composition_at(setups[VIDEO].code) if VIDEO in setups else 0
        self._composition_at = UNIT_HEADER + at - 1 if at else 0

    def follow(self, buf: memoryview, p: int) -> int:
        """Let tags pass from the unit at `p` on, as long as they are ordinary.

        Returns where the next one begins; behind the end of the buffer, if the last tag goes on in the next (`keep_more`).
        """
        n = len(buf)
        last = n - _REACH
        expect, offset, deadline = self.expect, self.offset, self.deadline
        inter, sound, shown, composition = self._inter, self._sound, self.shown, self._composition_at
        unpack, four_at, pack_into, place = _PLAIN.unpack_from, _FOUR.unpack_from, SIZE.pack_into, self._retimer.place
        prints, digest = self.group.prints.append, xxhash.xxh3_64_intdigest
        videos, sounds, behind = 0, 0, self.group.sounds_behind
        for _ in range(self._max_tags - len(self.group.prints)):
            if p > last:
                break
            previous, kind_size, stamp, first, second = unpack(buf, p)
            kind = kind_size >> 24
            if previous != expect or (first << 8 | second) not in (inter if kind == 9 else sound if kind == 8 else ()):
                break
            end = p + 15 + (kind_size & 0xFF_FFFF)
            raw = stamp >> 8 | (stamp & 0xFF) << 24
            if raw + offset >= deadline:
                break
            if end > n:
                self.shown = shown
                self._remember(kind, self.videos + videos, self.sounds + sounds, behind)
                self._hash.reset()
                self._hash.update(buf[p + 15 :])
                self.last_at = p
            added = place(kind, raw)
            if added != offset:
                offset = self._shifted(added)
            if added:
                pack_into(buf, p + 8, stamp_field(raw + added))
            if end <= n:
                prints(digest(buf[p + 15 : end]))
            if kind == 9:
                videos += 1
                behind = 0
                at = raw + added
                if composition and first & 15 != FRAMES_X:
                    (ahead,) = four_at(buf, p + composition)  # the byte in front of it, and three of its own
                    at += (ahead & 0x7F_FFFF) - (ahead & 0x80_0000)
                if at > shown:
                    shown = at
            else:
                sounds += 1
                behind += 1
            expect = end - p - 4
            p = end
        self.expect = expect
        self.videos += videos
        self.sounds += sounds
        self.shown = shown
        self.group.sounds_behind = behind
        return p

    def keep(self, buf: memoryview, p: int, unit: UnitHeader, packet: Packet | None, tag_at: int) -> None:
        """Let one tag pass, of which all that is in `buf` is looked at; its body may go on in the next buffer (`keep_more`).

        Args:
            packet: None for a script tag.
            tag_at: bytes from the start of the chunk to the tag.
        """
        raw, lane, group = unit.stamp, packet.lane if packet else 0, self.group
        end = p + UNIT_HEADER + unit.size
        if end > len(buf):
            self._remember(lane, self.videos, self.sounds, group.sounds_behind)
        added = self._stamp(lane, raw)
        if added:
            SIZE.pack_into(buf, p + _STAMP_AT, stamp_field(raw + added & MAX_STAMP))
        if group.raw is None:
            group.raw = raw
        if self.span.source_s is None and lane:
            self.span.source_s = self._unwrapped_s(raw)
        group.sounds_behind = 0 if unit.kind == VIDEO else group.sounds_behind + 1
        if packet and lane == packet.kind and packet.role == "frame":
            self._count(packet, raw + added, unit, tag_at)
        self.expect = unit.size + TAG_HEADER
        self._hash.reset()
        self._hash.update(buf[p + UNIT_HEADER : end])
        if end <= len(buf):
            group.prints.append(self._hash.intdigest())

    def keep_more(self, piece: memoryview, *, whole: bool) -> None:
        """More of the body of the tag in progress. `whole`: to its end."""
        self._hash.update(piece)
        if whole:
            self.group.prints.append(self._hash.intdigest())

    def forget_last(self) -> None:
        """The tag in progress never became whole: as if it had not come."""
        if self._before is None:
            return
        span = self.span
        undo, self.offset, self.videos, self.sounds, behind, keys, independent, source_s, self.shown = self._before
        span.independent, span.source_s = independent, source_s
        self._before = None
        if undo is not None:
            self._retimer.undo(undo)
        del span.keys[keys:]
        self.group.sounds_behind = behind

    def _remember(self, lane: int, videos: int, sounds: int, behind: int) -> None:
        span = self.span
        undo = self._retimer.undo_for(lane) if lane else None
        keys = len(span.keys)
        self._before = (undo, self.offset, videos, sounds, behind, keys, span.independent, span.source_s, self.shown)

    def _stamp(self, lane: int, raw: int) -> int:
        """What to add to a tag's time stamp. What has no clock of its own gets the time of the media beside it."""
        if lane:
            added = self._retimer.place(lane, raw)
            if added != self.offset and lane in {AUDIO, VIDEO}:
                self._shifted(added)
            return added
        times = [self._retimer.last(kind) for kind in (AUDIO, VIDEO)]
        return max((at for at in times if at is not None), default=0) - raw

    def _shifted(self, added: int) -> int:
        """The offset changed. Growing in a jump it tells that the source's clock went back."""
        repairs = self._retimer.repairs
        if len(repairs) != self._repairs:
            self._repairs = len(repairs)
            if repairs and repairs[-1].code == "jump" and added - self.offset > self._tolerance:
                self.went_back = True
        self.offset = added
        return added

    def _count(self, packet: Packet, at: int, unit: UnitHeader, tag_at: int) -> None:
        if packet.kind == AUDIO:
            self.sounds += 1
            return
        if packet.key:
            if not self.videos:
                self.span.independent = True
            if self.group.key_at < 0 and not (self.videos and self.group.prints):
                self.group.begin_key(unit.stamp, unit.size)
            self.span.keys.append(KeyPoint(tag_at, max(0, at + packet.cts) / 1000))
        self.videos += 1
        self.shown = max(self.shown, at + packet.cts)

    def _unwrapped_s(self, raw: int) -> float:
        if self._raw - raw > MAX_STAMP >> 1:
            self._turns += 1
        elif raw - self._raw > MAX_STAMP >> 1 and self._turns:
            self._turns -= 1
        self._raw = raw
        return (raw + (self._turns << 32)) / 1000
