"""What a container makes of one group of pictures: bytes that are ready but for time stamps, mark and sequence number.

Pieces are prepared once for each clip and shared by all channels that show it. Serving one is a copy and some hundred patched
bytes, whatever its size; patching never changes the size.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

TICKS = 90_000
"""Time stamps of the origin's time line, in ticks a second."""


@dataclass(frozen=True, slots=True)
class Part:
    """A partial segment (low-latency HLS): a range of a piece."""

    offset: int
    length: int
    duration_90k: int
    independent: bool


class Piece(Protocol):
    @property
    def size(self) -> int:
        """Bytes."""
        ...

    @property
    def duration_90k(self) -> int:
        """Ticks; of a piece with sound only, that of its frames, which may differ a little from the group's."""
        ...

    @property
    def parts(self) -> tuple[Part, ...]:
        """Empty unless the piece was prepared with parts."""
        ...

    def stamped(self, base_90k: int, mark: bytes, sequence: int) -> bytearray:
        """The bytes to send.

        Args:
            base_90k: added to the clip's own time stamps (its first picture is shown at 0), so that a loop later it is
                larger by the length of the clip.
            mark: the 32 bytes of `markers.mark_text`.
            sequence: running number of the piece, from 0.
        """
        ...
