"""How a channel is offered as HLS: the choices a test makes once."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Literal

Container = Literal["ts", "mp4", "aac"]
SEGMENT_SUFFIX: dict[Container, str] = {"ts": "ts", "mp4": "m4s", "aac": "aac"}
FILE_SUFFIX: dict[Container, str] = {"ts": "ts", "mp4": "mp4", "aac": "aac"}
CONTENT_TYPE: dict[Container, str] = {"ts": "video/mp2t", "mp4": "video/mp4", "aac": "audio/aac"}
VARIABLE = "v"
"""Name of the variable that EXT-X-DEFINE defines, and of the query parameter that it must be put into."""
VARIABLE_VALUE = "edge-7"


@dataclass(frozen=True, slots=True)
class Aes:
    """AES-128 over whole segments."""

    explicit_iv: bool = True
    """Otherwise the media sequence number is the IV."""
    rotate_every: int = 0
    """A new key each so many segments; 0 = one key for ever."""
    data_uri: bool = False
    """The key stands in the playlist."""
    clear: frozenset[int] = frozenset()
    """Numbers of segments that are not encrypted (METHOD=NONE)."""
    encrypted_map: bool = False
    """The key stands before EXT-X-MAP, so that the init segment is encrypted too."""

    def __post_init__(self) -> None:
        if self.encrypted_map and not (self.explicit_iv and self.rotate_every == 0 and not self.clear):
            raise ValueError("an encrypted init segment needs one key and an explicit IV")

    def key_number(self, segment: int) -> int | None:
        """Which key a segment is encrypted with; None: it is clear."""
        if segment in self.clear:
            return None
        return segment // self.rotate_every if self.rotate_every else 0

    def key(self, channel: str, number: int) -> bytes:
        return _bytes16(f"{channel} key {number}")

    def iv(self, channel: str, number: int, sequence: int) -> bytes:
        """The IV with key `number` of the segment with this media sequence number (RFC 8216 section 5.2)."""
        return _bytes16(f"{channel} iv {number}") if self.explicit_iv else sequence.to_bytes(16, "big")


@dataclass(frozen=True, slots=True)
class Hls:
    """What the playlists of a channel look like."""

    container: Container = "ts"
    window: int = 6
    """Segments in the playlist; 0 = all since the start. Older ones are gone (404) two segments later."""
    gops_per_segment: int = 1
    first_sequence: int = 0
    """Media sequence number of the first segment of all; the names of segments count from 0 all the same."""
    playlist_type: Literal["EVENT", "VOD"] | None = None
    """Both list all segments, whatever the window."""
    program_date_time: bool = True
    aes: Aes | None = None
    byte_ranges: bool = False
    """All segments (and the init segment) are ranges of one address."""
    define: Literal["value", "import", "query"] | None = None
    """Every address carries a variable that a client must fill in; with `import` it is defined in the master playlist."""
    part_s: float = 0.0
    """Low-latency HLS with partial segments of this length, preload hints and blocking reload; 0 = none."""
    uris: Literal["relative", "path", "absolute"] = "relative"
    target_s: int | None = None
    """EXT-X-TARGETDURATION; None: the longest segment, rounded."""

    def __post_init__(self) -> None:
        if self.aes and (self.byte_ranges or self.part_s):
            raise ValueError("encrypted byte ranges and encrypted parts are not offered")
        if self.part_s and (self.gops_per_segment != 1 or self.byte_ranges):
            raise ValueError("parts are offered for segments of one group, each at an address of its own")

    @property
    def keeps_all(self) -> bool:
        return self.window == 0 or self.playlist_type is not None


def _bytes16(text: str) -> bytes:
    return hashlib.blake2b(text.encode(), digest_size=16).digest()
