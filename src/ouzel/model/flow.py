"""What flows from a source to a file: Chunks and Gaps, and what is said of a recording when it is over."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Literal

from ouzel.base.errors import Forbidden, Gone, NetworkError, OuzelError, ShortBody
from ouzel.formats.shape import KeyPoint

TrackScope = Literal["all", "audio"]
"""Which part of the programme a chunk or gap holds: everything, or the alternate audio that is muxed in beside it."""


class GapCode(StrEnum):
    """Why a stretch is missing. The spelling is a promise: ledger, report, API and metrics key on it."""

    SEGMENT_GONE = "segment_gone"  # listed by the playlist, but 404, 403 or 410 until it left the window
    SEGMENT_FAILED = "segment_failed"  # could not be fetched whole in any attempt (reset, 5xx, stall, crawl)
    SEGMENT_SHORT = "segment_short"  # whole by its length, but holds less media than it announces
    SEGMENT_BAD = "segment_bad"  # fetched, but not media, not decryptable, or of another kind
    WINDOW_SLID = "window_slid"  # left the playlist before we could ask for it
    LISTED_GAP = "listed_gap"  # the playlist itself says EXT-X-GAP
    ADVERTISEMENT = "advertisement"  # the platform shows an advertisement in the place of the show
    TIMELINE_RESET = "timeline_reset"  # the source began again with a new numbering: what lay between is unknown
    CONNECTION_LOST = "connection_lost"  # the connection broke or stalled, and the stream went on without us
    STREAM_ENDED = "stream_ended"  # the other side closed cleanly and came back
    UPSTREAM_JUMP = "upstream_jump"  # the source's clock jumped over a stretch of real time inside one connection
    DISK_FULL = "disk_full"
    READ_ONLY = "read_only"
    FILE_REMOVED = "file_removed"  # it was kept, and then somebody took away the file while it was being written
    RECORDER_STOPPED = "recorder_stopped"  # we were killed or restarted in between


def because(code: GapCode, error: OuzelError) -> str:
    """An error as the reason of a gap: its code before its words, where the gap's own code does not say the same."""
    return str(error) if error.code == code.value else f"{error.code}: {error}"


def lost_as(error: OuzelError) -> tuple[GapCode, str]:
    """The code and the reason of the gap that stands for a segment which could not be had."""
    if isinstance(error, (Gone, Forbidden)):
        code = GapCode.SEGMENT_GONE
    elif isinstance(error, (NetworkError, ShortBody)):
        code = GapCode.SEGMENT_FAILED
    else:
        code = GapCode.SEGMENT_BAD
    return code, because(code, error)


class EndReason(StrEnum):
    """Why a recording is over. The spelling is a promise."""

    ENDED = "ended"  # the source said so: ENDLIST, end of file, or its page says offline
    GONE = "gone"  # dropped, and did not come back within the parking time
    DURATION = "duration"  # the length that was asked for is reached
    STOPPED = "stopped"  # by the user
    FAILED = "failed"  # an error that trying again cannot mend
    DISK = "disk"
    RECOVERED = "recovered"  # closed by `ouzel recover` after a crash
    SPLIT = "split"  # the recording goes on in the next file
    NEVER_STARTED = "never_started"


@dataclass(frozen=True, slots=True)
class Chunk:
    """One committed unit of media in a file. Offsets and lengths in bytes, times in seconds of the file's media time."""

    index: int
    offset: int
    length: int
    start_s: float
    end_s: float
    wall: datetime
    """When its first frame was on air, as near as we know: program date-time if the source tells it, else arrival less
    duration. Aware UTC."""
    frames: int
    independent: bool
    digest: str
    """xxh3_64 of its bytes, 16 hex digits."""
    sequence: int | None = None
    """The source's own number: media sequence in HLS; None where there is none."""
    scope: TrackScope = "all"
    keys: tuple[KeyPoint, ...] = ()
    damage: str = ""
    discontinuity: bool = False
    """Of a download, which is as the server has it: the source's clock may begin anew with it (EXT-X-DISCONTINUITY)."""
    identity: str = ""
    """Of a download: which piece of the source it is, whatever its address is by now; 16 hex digits."""

    @property
    def duration_s(self) -> float:
        return self.end_s - self.start_s


@dataclass(frozen=True, slots=True)
class Gap:
    """A missing stretch of media. It takes no media time in the file: playing goes on right after it."""

    at_s: float
    """Position in the file's media time."""
    code: GapCode
    why: str
    """One line for people: status, error code, sequence numbers. Redacted."""
    wall_start: datetime
    wall_end: datetime
    missing_s: float
    """Seconds of the programme that are missing, as near as we know."""
    first_sequence: int | None = None
    last_sequence: int | None = None
    scope: TrackScope = "all"

    @property
    def is_dated(self) -> bool:
        """Whether it is known when it was on air; if not, both ends are the instant at which it was told."""
        return self.wall_end > self.wall_start
