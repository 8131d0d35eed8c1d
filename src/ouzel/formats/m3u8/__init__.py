"""HLS playlists: read, understood, written again. No I/O.

The life of a playlist: `parse` checks that it is one at all and splits it into lines; `media` or `master` reads them,
handing each tag to its reader in `media_header` or `media_segment`; `attributes` takes attribute lists apart, `variables`
puts in what EXT-X-DEFINE says, `urls` makes addresses absolute. Out come the values of `models`, which `render` turns into
text again. `follow` reads a playlist that only grows without starting over, `delta` completes a delta update.
"""

from ouzel.formats.m3u8.delta import complete
from ouzel.formats.m3u8.follow import Follower
from ouzel.formats.m3u8.limits import DEFAULT_LIMITS, Limits
from ouzel.formats.m3u8.models import (
    IDENTITY,
    ByteRange,
    ContentSteering,
    DateRange,
    InitSegment,
    Key,
    MasterPlaylist,
    MediaPlaylist,
    ParseWarning,
    Part,
    Playlist,
    PreloadHint,
    Rendition,
    RenditionReport,
    Resolution,
    Segment,
    ServerControl,
    SessionData,
    Skip,
    Start,
    Variant,
)
from ouzel.formats.m3u8.parse import is_playlist, parse
from ouzel.formats.m3u8.render import render

__all__ = [
    "DEFAULT_LIMITS",
    "IDENTITY",
    "ByteRange",
    "ContentSteering",
    "DateRange",
    "Follower",
    "InitSegment",
    "Key",
    "Limits",
    "MasterPlaylist",
    "MediaPlaylist",
    "ParseWarning",
    "Part",
    "Playlist",
    "PreloadHint",
    "Rendition",
    "RenditionReport",
    "Resolution",
    "Segment",
    "ServerControl",
    "SessionData",
    "Skip",
    "Start",
    "Variant",
    "complete",
    "is_playlist",
    "parse",
    "render",
]
