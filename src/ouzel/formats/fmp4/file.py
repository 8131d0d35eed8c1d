"""What the inputs of one file share: its head, its clock, the numbers of its fragments."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ouzel.formats.fmp4.join import join_inits
from ouzel.formats.fmp4.moov import Init, build_head
from ouzel.formats.fmp4.timeline import Timeline, TimelineState
from ouzel.formats.shape import Head, Repair

KIND_ORDER = {"video": 0, "audio": 1, "other": 2}


@dataclass(frozen=True, slots=True)
class FileState:
    timeline: TimelineState
    sequence: int
    ends_s: tuple[float, ...]


class File:
    """The file that is being written at present. Each input (1, or 2 with alternate audio) brings its own init segment."""

    def __init__(self, inputs: int, *, forward_s: float, back_s: float) -> None:
        self.timeline = Timeline(forward_s=forward_s, back_s=back_s)
        self.sequence = 0
        """Number of the last fragment."""
        self.ends_s = [0.0] * inputs
        """Where the last chunk of each input ended."""
        self.head: Head | None = None
        self.inits: list[Init | None] = [None] * inputs
        self.changed = False
        """An init segment came that does not fit the head: a new file must be opened before any more media."""
        self._maps: tuple[dict[int, int], ...] = ({},) * inputs
        self._leading: list[int | None] = [None] * inputs

    @property
    def is_shared(self) -> bool:
        return len(self.inits) > 1

    def take(self, index: int, init: Init) -> None:
        """An init segment arrived. One that says the same as the one before changes nothing."""
        before = self.inits[index]
        if before is None or before.signature != init.signature:
            self.inits[index] = init
            self.changed = True

    def open(self) -> Head:
        """Begin a file with the init segments at hand."""
        present = [index for index, init in enumerate(self.inits) if init is not None]
        joined, maps = join_inits(tuple(init for init in self.inits if init is not None))
        self._maps = tuple(maps[present.index(index)] if index in present else {} for index in range(len(self.inits)))
        self._leading = [self._find_leading(index) for index in range(len(self.inits))]
        self.head = build_head(joined)
        sparse = [t.track.id for t in joined.tracks if t.track.kind == "other"]
        self.timeline.begin({t.track.id: t.timescale for t in joined.tracks}, sparse)
        self._reset()
        self.changed = False
        return self.head

    def restart(self) -> Head:
        """Begin another file with the same tracks."""
        if self.head is None:
            raise RuntimeError("no file was opened yet")
        self.timeline.restart()
        self._reset()
        return self.head

    def ids(self, index: int) -> Mapping[int, int]:
        """The track ids in the file of the tracks of an input."""
        return self._maps[index]

    def leading(self, index: int) -> int | None:
        """The track whose times are those of an input's chunks: its first video, else its first audio."""
        return self._leading[index]

    def take_repairs(self) -> list[Repair]:
        repairs, self.timeline.repairs = self.timeline.repairs, []
        return repairs

    def save(self) -> FileState:
        return FileState(self.timeline.save(), self.sequence, tuple(self.ends_s))

    def restore(self, state: FileState) -> None:
        self.timeline.restore(state.timeline)
        self.sequence = state.sequence
        self.ends_s[:] = state.ends_s

    def _find_leading(self, index: int) -> int | None:
        init = self.inits[index]
        if init is None:
            return None
        ranked = sorted(init.tracks, key=lambda t: KIND_ORDER[t.track.kind])
        return self._maps[index][ranked[0].track.id]

    def _reset(self) -> None:
        self.sequence = 0
        self.ends_s[:] = [0.0] * len(self.inits)
