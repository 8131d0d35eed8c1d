"""Where chunks begin and end, what time it is in the file, and what was there before.

Knows nothing of buffers: the shaper asks it before and after each tag that is more than ordinary.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from ouzel.formats.flv.follow import Follower
from ouzel.formats.flv.groups import Group, Partial, ReplayMemory, print_at
from ouzel.formats.flv.head import Setup
from ouzel.formats.flv.packets import Packet
from ouzel.formats.flv.rules import FlvRules
from ouzel.formats.flv.survey import Survey
from ouzel.formats.flv.tags import AUDIO, VIDEO, UnitHeader, read_unit
from ouzel.formats.retime import Retimer, RetimerState
from ouzel.formats.shape import Edge, Repair

_SUSPECT_GROUPS = 2  # a connection may begin in the middle of a group: replays are looked for in the second one, too
_MAX_LEAD = 8  # tags of sound before the first key frame that do not make a chunk of their own


class Look(NamedTuple):
    """A unit that was read as far as is needed to judge it."""

    unit: UnitHeader
    packet: Packet | None = None
    """None for a script tag and an empty one."""

    @property
    def key(self) -> bool:
        packet = self.packet
        return packet is not None and packet.role == "frame" and packet.kind == VIDEO and packet.key


class _Mark(NamedTuple):
    """The state between two chunks."""

    retimer: RetimerState
    clock: int
    serial: int
    splicing: bool
    suspect: int
    shown: int


class Chunks:
    """The chunks of one stream, over all its connections and files."""

    def __init__(self, rules: FlvRules) -> None:
        self._rules = rules
        self._retimer = Retimer(1000, tolerance=rules.tolerance_ms, default_step=33, wrap_bits=32)
        self._memory = ReplayMemory(rules.replays, rules.stuck_after)
        self._clock = 0  # end of the last chunk in file time, ms
        self._suspect = 0
        self._partial: tuple[Partial, _Mark] | None = None
        self._refusable: tuple[_Mark, tuple[Partial, _Mark] | None] | None = (
            None  # before an edge that was not accepted yet
        )
        self._lead = VIDEO
        self.splicing = False
        """A break was declared, and nothing was kept since."""
        self.follow = Follower(self._retimer, rules)
        self._mark = self._marked()
        self.begin()

    @property
    def partial(self) -> Partial | None:
        """The group with which the last connection ended, as long as it may be taken back."""
        return self._partial[0] if self._partial else None

    # -- files and connections ----------------------------------------------------------------------------------------

    def new_file(self, setups: Mapping[int, Setup], firsts: Mapping[int, int]) -> None:
        """Other tracks: time begins at 0, with the first of these source time stamps."""
        self._lead = VIDEO if VIDEO in setups else AUDIO
        self.follow.adopt(setups)
        self._retimer.start(firsts)
        self._clock, self.follow.shown = 0, -1
        self._partial = None
        self.splicing = False
        self._mark = self._marked()

    def restart(self) -> None:
        """The same tracks go on in a new file, whose time begins at 0."""
        self._retimer.restart()
        self._clock, self.follow.shown = 0, -1
        self._partial = None
        self.begin()
        self._mark = self._marked()
        self.accept()

    def splice(self) -> None:
        """What follows does not continue what came before."""
        self.splicing = True
        self._suspect = _SUSPECT_GROUPS
        self._mark = self._marked()
        self.accept()

    def accept(self) -> None:
        """The consumer took the chunk of the last edge."""
        self._refusable = None

    def rollback(self) -> None:
        """Back to the last edge; to the one before, when the last was not accepted."""
        if self._refusable is not None:
            self._mark, self._partial = self._refusable
        self.accept()
        self._return_to(self._mark)

    def join(self, firsts: Mapping[int, int], delay: int, *, known: bool = False) -> None:
        """After `splice`: the first source time stamps of the tracks are known, and by how much the first picture is shown
        later. `known`: so is the group, it was taken back."""
        broken = not known and not all(self._retimer.continues(kind, raw) for kind, raw in firsts.items())
        if broken:
            self._leave_room(delay)
        self._retimer.splice(firsts)
        self.begin()
        self.follow.group.broken = broken

    def comes_again(self, survey: Survey, held: memoryview) -> bool:
        """Whether the group that the last connection broke off begins here, so that `take_back` is due."""
        partial = self.partial
        if partial is None or survey.key_at is None:
            return False
        with_lead = not partial.lead or partial.lead == tuple(print_at(held, at) for at in survey.lead)
        return with_lead and partial.is_same(held, survey.key_at)

    def overlap(self, survey: Survey, held: memoryview) -> int:
        """Where to begin: at the key frame, when that was kept already, and so must have been the sound before it."""
        at = survey.key_at
        if not survey.lead or at is None:
            return 0
        if self.partial is not None and self.comes_again(survey, held):
            return 0 if self.partial.lead else at
        return at if self._memory.knows(read_unit(held, at).stamp) else 0

    def take_back(self) -> None:
        """The last chunk is void."""
        assert self._partial is not None
        self._return_to(self._partial[1])
        self._partial = None
        self.splice()

    # -- chunks -------------------------------------------------------------------------------------------------------

    def begin(self) -> None:
        self.follow.begin_chunk(Group())
        limit_s = self._rules.max_chunk_s if self._lead == VIDEO else self._rules.sound_chunk_s
        self.follow.deadline = self._clock + int(limit_s * 1000)

    def begin_tag(self, look: Look) -> None:
        """This tag will be kept in the running chunk."""
        if not look.key:
            return
        back = self._jumps_back(look)
        if self.follow.videos:
            self._memory.remember(self.follow.group)
            self.follow.begin_group()
        if back:
            self._suspect = _SUSPECT_GROUPS
            self.follow.group.broken = True

    def ends_before(self, look: Look) -> bool:
        """Whether the running chunk ends before this tag."""
        follow = self.follow
        if follow.empty:
            return False
        if len(follow.group.prints) >= self._rules.max_chunk_tags:
            return True
        if look.key:
            if self._suspect or self._jumps_back(look):
                return follow.videos > 0 or len(follow.group.prints) > _MAX_LEAD
            return self._due(look) - self._clock >= self._rules.min_chunk_s * 1000
        return look.unit.stamp + follow.offset >= follow.deadline and self._due(look) >= follow.deadline

    def edge(self, following: Look | None, *, excess: int = 0, whole: bool = True) -> Edge:
        """The running chunk ends, and another begins.

        Args:
            following: the tag behind it, if that is known.
            excess: see `Span`.
            whole: False when the connection ends here.
        """
        follow, span = self.follow, self.follow.span
        verdict = self._memory.judge(follow.group, whole=whole) if self._suspect or follow.went_back else ""
        if verdict == "stuck":
            span.damage = verdict
        end = self._end(following)
        span.frames = follow.videos if self._lead == VIDEO else follow.sounds
        span.independent |= self._lead == AUDIO
        span.repairs += self._retimer.repairs
        self._retimer.repairs.clear()
        edge = Edge(span.build(self._clock / 1000, end / 1000, replay=bool(verdict), excess=excess))
        before = (self._mark, self._partial)
        if verdict:
            self._return_to(self._mark)
            self.splice()
        elif follow.empty:  # nothing of it is whole
            self._return_to(self._mark)
        else:
            self._settle(end, whole=whole)
        self._refusable = before
        return edge

    def note_metadata(self) -> None:
        """The stream was announced anew in mid-stream."""
        self._retimer.repairs.append(Repair(self._end(None) / 1000, "metadata", self._retimer.offset / 1000))

    # -- inside -------------------------------------------------------------------------------------------------------

    def _leave_room(self, delay: int) -> None:
        """Where the last pictures of a group are missing, one that was sent ahead of them may be shown later than the next one
        that is decoded: that one comes after it."""
        last = self._retimer.last(VIDEO)
        if last is not None and (ahead := self.follow.shown - last - delay) > 0:
            self._retimer.lasts(VIDEO, self._retimer.end(VIDEO) - last + ahead)

    def _settle(self, end: int, *, whole: bool) -> None:
        """The chunk that ended is kept."""
        follow, memory = self.follow, self._memory
        partial = None if whole or not memory.enabled else Partial.of(follow.first_group)
        self._partial = (partial, self._mark) if partial else None
        memory.remember(follow.group)
        self._clock = end
        self._suspect = _SUSPECT_GROUPS if follow.went_back else max(0, self._suspect - 1)
        self.splicing = False
        self.begin()
        self._mark = self._marked()

    def _marked(self) -> _Mark:
        return _Mark(
            self._retimer.save(), self._clock, self._memory.serial, self.splicing, self._suspect, self.follow.shown
        )

    def _return_to(self, mark: _Mark) -> None:
        self._retimer.restore(mark.retimer)
        self._clock = mark.clock
        self._memory.forget_since(mark.serial)
        self.splicing = mark.splicing
        self._suspect, self.follow.shown = mark.suspect, mark.shown
        self.begin()

    def _jumps_back(self, look: Look) -> bool:
        step = self._retimer.step(look.unit.kind, look.unit.stamp)
        return step is not None and step < -self._rules.tolerance_ms

    def _due(self, look: Look) -> int:
        """File time at which this tag would be placed; of one that has no clock, the end of the chunk."""
        if look.packet is None or not look.packet.lane:
            return self._end(None)
        return self._retimer.due(look.packet.lane, look.unit.stamp)

    def _end(self, following: Look | None) -> int:
        """File time at which the running chunk ends."""
        if following is not None and following.packet is not None and following.packet.lane == self._lead:
            return max(self._clock, self._due(following))
        follow, retimer = self.follow, self._retimer
        leading = follow.videos if self._lead == VIDEO else follow.sounds
        tracks = (self._lead,) if leading else (AUDIO, VIDEO) if follow.videos or follow.sounds else ()
        return max([self._clock, *(retimer.end(track) for track in tracks if retimer.last(track) is not None)])
