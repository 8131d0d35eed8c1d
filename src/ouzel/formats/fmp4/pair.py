"""Alternate audio: two shapers that write into one file."""

from __future__ import annotations

from ouzel.formats.fmp4.file import File
from ouzel.formats.fmp4.shaper import BOX_LIMIT, Fmp4Shaper


class Fmp4Pair:
    """A video playlist (`main`) and the audio playlist that goes with it (`extra`), in one file.

    Each is fed and cut on its own, like any shaper, with these rules for the one who feeds them:

    * bytes of one chunk stay together: feed one shaper from its first byte to its Edge, then the other;
    * feed both init segments before the media, also after a discontinuity. The Head has the tracks of both and comes before
      the first fragment behind them, from whichever shaper this is fed to;
    * after a gap call `splice` of the one that has it; after a discontinuity, of both. It is `main` that sets the clock:
      sound that belongs to no picture any more is left out;
    * `restart` of `main` begins a new file for both.

    The Spans of each tile the time line on their own; those of `extra` have no key points.
    """

    def __init__(self, *, limit: int = BOX_LIMIT, tolerance_s: float = 1.0, back_s: float = 0.5) -> None:
        file = File(2, forward_s=tolerance_s, back_s=back_s)
        self.main = Fmp4Shaper(limit=limit, file=file, index=0)
        self.extra = Fmp4Shaper(limit=limit, file=file, index=1)
