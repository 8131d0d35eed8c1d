"""Following tags: the one place where every tag passes.

Ordinary tags, which only need to be counted and, where time moves, stamped, go through `Follower.follow`: it is written for
speed, and makes no object for a tag. Everything else comes to `keep`, one tag at a time. Both do the same to a tag; which of
them it is depends on how the bytes arrived, too.
"""

from __future__ import annotations

import struct
from collections.abc import Collection, Mapping
from typing import TypeAlias

import xxhash

from ouzel.formats.flv.groups import TAIL, Group, print_of
from ouzel.formats.flv.head import Setup
from ouzel.formats.flv.packets import Packet, plain_codes, timed_codes
from ouzel.formats.flv.rules import FlvRules
from ouzel.formats.flv.tags import (
    AUDIO,
    MAX_BODY,
    MAX_STAMP,
    SIZE,
    TAG_HEADER,
    UNIT_HEADER,
    VIDEO,
    UnitHeader,
    stamp_field,
)
from ouzel.formats.retime import Retimer, Undo
from ouzel.formats.shape import KeyPoint, SpanBuilder

# Of a tag: type, size · time stamp · stream id, in two parts with the first two bytes of the body · composition time, with one
# byte more; it stands behind the FourCC, where there is one. In front of it: the end of the body before, PreviousTagSize.
_CLASSIC, _FOURCC = "IIBIi", "IIBI3xi"
_REACH = struct.calcsize(">" + _FOURCC)
_CLASSIC_READERS = struct.Struct(">" + _CLASSIC).unpack_from, struct.Struct(">QI" + _CLASSIC).unpack_from
_FOURCC_READERS = struct.Struct(">" + _FOURCC).unpack_from, struct.Struct(">QI" + _FOURCC).unpack_from
_LEAST = 5  # bytes of an ordinary body: the eight before its end are then its own, and the stream id, which is 0
_LEAST_SOUND, _LEAST_VIDEO = AUDIO << 24 | _LEAST, VIDEO << 24 | _LEAST  # type and size
_NOTHING: Collection[int] = frozenset[int]()
_STAMP_AT, _NAME_AT, _NAME_END = 4, TAG_HEADER + 2, TAG_HEADER + 5  # in a tag

_Step: TypeAlias = tuple[int, int, int, int, int, int]
_Before: TypeAlias = tuple[Undo | None, int, int, int, int, int, bool, float | None, int]


class Follower:
    """Counts, stamps and recognises the tags of one chunk after the other."""

    __slots__ = (
        "_before",
        "_hash",
        "_in_key",
        "_inter",
        "_kind_size",
        "_max_tags",
        "_most",
        "_raw",
        "_readers",
        "_repairs",
        "_retimer",
        "_sound",
        "_sound_name",
        "_step",
        "_tail",
        "_timed",
        "_tolerance",
        "_turns",
        "_video_name",
        "between",
        "deadline",
        "expect",
        "first_group",
        "group",
        "offset",
        "shown",
        "sounds",
        "span",
        "videos",
        "went_back",
    )

    def __init__(self, retimer: Retimer, rules: FlvRules) -> None:
        self._retimer = retimer
        self._tolerance = rules.tolerance_ms
        self._max_tags = rules.max_chunk_tags
        self._most = AUDIO << 24 | rules.max_tag, VIDEO << 24 | rules.max_tag
        self._inter = self._sound = self._timed = _NOTHING  # first two bytes of ordinary bodies
        self._sound_name = self._video_name = b""  # the FourCC behind its first letter
        self._readers = _CLASSIC_READERS
        self._hash = xxhash.xxh3_64()  # of the key frame in progress
        self._in_key = False  # the tag in progress is the key frame of its group
        self._kind_size = 0  # of the tag in progress
        self._tail = b""  # the end of what came of its body, as soon as less than `TAIL` is missing
        self._turns = 0
        self._raw = 0
        self.expect = -1
        """PreviousTagSize of the tag that comes next; -1 when the bytes in front of it were handed on already, or never will."""
        self.between = False
        """`follow` let pass the last PreviousTagSize of the buffer, too: the next buffer begins with a tag. Most servers send
        whole tags."""
        self.deadline = 0
        """File time in ms from which on the chunk is long enough."""
        self.shown = -1
        """The latest presentation time of all pictures of the running file, in ms; -1 before the first."""
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
        """The source's clock jumped back in this chunk."""
        self._step: _Step | None = None  # what to go back to when it never becomes whole: after `follow` …
        self._before: _Before | None = None  # … and after `keep`

    @property
    def empty(self) -> bool:
        """No tag was kept in this chunk."""
        return not self.group.prints and self.group is self.first_group

    def begin_group(self) -> None:
        """A key frame comes, in the same chunk."""
        self.group = Group()

    def adopt(self, setups: Mapping[int, Setup]) -> None:
        """The tracks of the running file."""
        video, audio = setups.get(VIDEO), setups.get(AUDIO)
        self._inter = _NOTHING if video is None else plain_codes(VIDEO, video.code)
        self._timed = _NOTHING if video is None else timed_codes(video.code)
        self._sound = _NOTHING if audio is None else plain_codes(AUDIO, audio.code)
        self._video_name = video.code[1:] if video is not None and isinstance(video.code, bytes) else b""
        self._sound_name = audio.code[1:] if audio is not None and isinstance(audio.code, bytes) else b""
        self._readers = _FOURCC_READERS if self._video_name else _CLASSIC_READERS

    def follow(self, buf: memoryview, p: int) -> int:
        """Let tags pass from the unit at `p` on, as long as they are ordinary. The tag in progress ends there, if there is one.

        Args:
            p: -4 after `between`.
        Returns: where the next unit begins; behind the end of the buffer, if its last tag goes on in the next.

        Long on purpose: a call, an object or an attribute for each tag costs more than all that is done here to a tag.
        """
        n = len(buf)
        group, expect, deadline = self.group, self.expect, self.deadline
        so_far, went_on = self._retimer.so_far, self._retimer.went_on
        if self._kind_size:
            self._complete(buf, p)
        if p < 0:
            self.between = False
        elif p + 4 > n or SIZE.unpack_from(buf, p)[0] != expect or self.span.source_s is None:
            return p  # `keep` notes where a chunk begins
        at, brink = p + 4, n - _REACH - 4  # where the tag begins; where the last body ends that has a tag behind it
        offset, shown, behind = self.offset, self.shown, group.sounds_behind
        sound, inter, timed, tolerance = self._sound, self._inter, self._timed, self._tolerance
        sound_name, video_name = self._sound_name, self._video_name
        most_sound, most_video = self._most
        sound_raw, sound_step, sound_offset = so_far(AUDIO)
        video_raw, video_step, video_offset = so_far(VIDEO)
        sound_until, video_until = deadline - sound_offset, deadline - video_offset
        (read, read_on), stamp_into, prints = self._readers, SIZE.pack_into, group.prints.append
        sounds = videos = kind_size = stamp = stream = code = time = 0
        if p <= brink:
            kind_size, stamp, stream, code, time = read(buf, at)
        for _ in range(self._max_tags - len(group.prints)):
            raw = stamp >> 8 | (stamp & 0xFF) << 24
            end = at + TAG_HEADER + (kind_size & MAX_BODY)
            if _LEAST_SOUND <= kind_size <= most_sound:
                step = raw - sound_raw
                if raw >= sound_until or code not in sound or stream:
                    break
                if sound_name and bytes(buf[at + _NAME_AT : at + _NAME_END]) != sound_name:
                    break
                if 0 < step <= tolerance:
                    if end > n:
                        self._step = AUDIO, sound_raw, sound_step, offset, behind, shown
                    sound_raw, sound_step, offset = raw, step, sound_offset
                elif end > n or raw + offset >= deadline:
                    break
                else:
                    went_on(AUDIO, sound_raw, sound_step)
                    went_on(VIDEO, video_raw, video_step)
                    offset = self._place(AUDIO, raw, offset)
                    sound_raw, sound_step, sound_offset = so_far(AUDIO)
                    sound_until = deadline - sound_offset
                sounds += 1
                behind += 1
            elif _LEAST_VIDEO <= kind_size <= most_video:
                step = raw - video_raw
                if raw >= video_until or code not in inter or stream:
                    break
                if video_name and bytes(buf[at + _NAME_AT : at + _NAME_END]) != video_name:
                    break
                if 0 < step <= tolerance:
                    if end > n:
                        self._step = VIDEO, video_raw, video_step, offset, behind, shown
                    video_raw, video_step, offset = raw, step, video_offset
                elif end > n or raw + offset >= deadline:
                    break
                else:
                    went_on(AUDIO, sound_raw, sound_step)
                    went_on(VIDEO, video_raw, video_step)
                    offset = self._place(VIDEO, raw, offset)
                    video_raw, video_step, video_offset = so_far(VIDEO)
                    video_until = deadline - video_offset
                videos += 1
                behind = 0
                due = raw + offset + (time >> 8) if code in timed else raw + offset
                if due > shown:
                    shown = due
            else:
                break
            if offset:
                due = raw + offset
                stamp_into(buf, at + _STAMP_AT, (due & 0xFF_FFFF) << 8 | due >> 24 & 0xFF)
            p, expect = end, end - at
            if end > brink:
                if end > n:
                    self._kind_size = kind_size
                    if end - n < TAIL:
                        self._tail = bytes(buf[-TAIL:])
                else:
                    prints(int.from_bytes(buf[end - TAIL : end], "big") ^ kind_size)
                    if end + 4 == n and SIZE.unpack_from(buf, end)[0] == expect:
                        at = n
                break
            tail, size, ahead, stamp, stream, code, time = read_on(buf, end - TAIL)
            prints(tail ^ kind_size)
            if size != expect:
                break
            at, kind_size = end + 4, ahead
        went_on(AUDIO, sound_raw, sound_step)
        went_on(VIDEO, video_raw, video_step)
        self.sounds += sounds
        self.videos += videos
        self.offset, self.shown = offset, shown
        group.sounds_behind = behind
        if at == p + 4 == n:
            self.between = True
            self.expect = -1
            return n
        self.expect = expect
        return p

    def keep(self, buf: memoryview, p: int, unit: UnitHeader, packet: Packet | None, tag_at: int) -> None:
        """Let one tag pass, of which all that is in `buf` is looked at; its body may go on in the next buffer.

        Args:
            packet: None for a script tag.
            tag_at: bytes from the start of the chunk to the tag.
        """
        raw, lane, group = unit.stamp, packet.lane if packet else 0, self.group
        begin = p + UNIT_HEADER
        end = begin + unit.size
        if end > len(buf):
            self._remember(lane)
        added = self._stamp(lane, raw)
        if added:
            SIZE.pack_into(buf, begin - TAG_HEADER + _STAMP_AT, stamp_field(raw + added & MAX_STAMP))
        if group.raw is None:
            group.raw = raw
        if self.span.source_s is None and lane:
            self.span.source_s = self._unwrapped_s(raw)
        group.sounds_behind = 0 if unit.kind == VIDEO else group.sounds_behind + 1
        if packet and lane == packet.kind and packet.role == "frame":
            self._count(packet, raw + added, unit, tag_at)
        self.expect = unit.size + TAG_HEADER
        if self._in_key:
            self._hash.reset()
            self._hash.update(buf[begin:end])
        if end <= len(buf):
            group.prints.append(print_of(unit.kind, buf[begin:end]))
            if self._in_key:
                self._end_key()
            return
        self._kind_size = unit.kind << 24 | unit.size
        if end - len(buf) < TAIL:
            self._tail = bytes(buf[begin:][-TAIL:])

    def pass_by(self, piece: memoryview, left: int) -> None:
        """More of the body of the tag in progress; `left` bytes of it are still to come, at least one."""
        if self._in_key:
            self._hash.update(piece)
        if left < TAIL:
            self._tail = (self._tail + bytes(piece[-TAIL:]))[-TAIL:]

    def _complete(self, buf: memoryview, end: int) -> None:
        """The tag in progress ends in this buffer."""
        tail = (self._tail + bytes(buf[:end]))[-TAIL:] if end < TAIL else buf[end - TAIL : end]
        self.group.prints.append(int.from_bytes(tail, "big") ^ self._kind_size)
        self._tail = b""
        self._kind_size = 0
        if self._in_key:
            self._hash.update(buf[:end])
            self._end_key()

    def halt(self) -> None:
        """What comes next does not stand behind the last tag."""
        self.expect = -1
        self.between = self._in_key = False
        self._kind_size = 0
        self._tail = b""

    def forget_last(self) -> None:
        """The tag in progress never became whole: as if it had not come."""
        if self._step is not None:
            lane, raw, step, self.offset, self.group.sounds_behind, self.shown = self._step
            self._retimer.went_on(lane, raw, step)
            if lane == AUDIO:
                self.sounds -= 1
            else:
                self.videos -= 1
        elif self._before is not None:
            span = self.span
            undo, self.offset, self.videos, self.sounds, behind, keys, independent, source_s, self.shown = self._before
            span.independent, span.source_s = independent, source_s
            if undo is not None:
                self._retimer.undo(undo)
            del span.keys[keys:]
            self.group.sounds_behind = behind
        self._step = self._before = None

    def _end_key(self) -> None:
        self._in_key = False
        self.group.key_print = self._hash.intdigest()

    def _remember(self, lane: int) -> None:
        span, behind = self.span, self.group.sounds_behind
        undo = self._retimer.undo_for(lane) if lane else None
        told = undo, self.offset, self.videos, self.sounds, behind, len(span.keys), span.independent, span.source_s
        self._step, self._before = None, (*told, self.shown)

    def _stamp(self, lane: int, raw: int) -> int:
        """What to add to a tag's time stamp. What has no clock of its own gets the time of the media beside it."""
        if lane in {AUDIO, VIDEO}:
            return self._place(lane, raw, self.offset)
        if lane:
            return self._retimer.place(lane, raw)
        times = [self._retimer.last(kind) for kind in (AUDIO, VIDEO)]
        return max((at for at in times if at is not None), default=0) - raw

    def _place(self, lane: int, raw: int, offset: int) -> int:
        """What to add to this time stamp; `offset` was added to the one before. Growing in a jump it tells that the source's
        clock went back."""
        added = self._retimer.place(lane, raw)
        repairs = self._retimer.repairs
        if len(repairs) != self._repairs:
            self._repairs = len(repairs)
            if repairs and repairs[-1].code == "jump" and added - offset > self._tolerance:
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
                self._in_key = True
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
