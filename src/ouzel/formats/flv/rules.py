"""The thresholds of the FLV shaper."""

from __future__ import annotations

from dataclasses import dataclass

from ouzel.formats.flv.head import INDEX_ROOM
from ouzel.formats.flv.tags import MAX_BODY


@dataclass(frozen=True, slots=True)
class FlvRules:
    """Every limit of `FlvShaper`. Memory for one stream stays below `search_bytes` or `hold_bytes`, and `max_collected`."""

    min_chunk_s: float = 0.5
    """A key frame sooner than this after the start of a chunk does not begin another."""
    max_chunk_s: float = 10.0
    """Without a key frame a chunk is cut after this long …"""
    max_chunk_tags: int = 8192
    """… or after this many tags (rust-srec's figure)."""
    sound_chunk_s: float = 2.0
    """Length of a chunk where there is no picture."""
    tolerance_ms: int = 500
    """Steps of a track's clock beyond this, either way, are jumps (BililiveRecorder's figure)."""
    hold_tags: int = 64
    """At the start of a connection audio and video tags are held until both kinds were seen, at most this many …"""
    hold_bytes: int = 2 << 20
    """… or this many bytes of them."""
    max_tag: int = MAX_BODY
    """Largest body of a tag. Bodies are not held, so that everything that fits into the field of 24 bits can be let pass."""
    max_collected: int = 4 << 20
    """Largest body of a script tag or a sequence header: these are collected before they are judged."""
    search_bytes: int = 8 << 20
    """Garbage after which it is given up to look for the next tag."""
    replays: int = 64
    """Groups that are remembered to recognise replays; 0: every group is kept, as for reading a finished file."""
    stuck_after: int = 10
    """Replays in a row, with nothing new between them, after which the server is stuck (BililiveRecorder's figure)."""
    index_room: int = INDEX_ROOM
    """Key frames for which a file's head keeps room."""
