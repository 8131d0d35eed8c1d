"""What a playlist says, as values. Names follow the draft; times are seconds, rates bits per second, dates aware UTC.

`Segment`, `Part` and `ByteRange` are named tuples, everything else is a frozen dataclass: a live playlist is read every second
or two, and a frozen dataclass of this width costs 2.6 µs to make where a named tuple costs 0.45 µs.

Whatever the reader does not know is kept as it was written: unknown tags as whole lines in `tags`, unknown or unreadable
attributes as (name, raw value) pairs in `extra`. So a playlist can be rendered again without losing anything but comments.

Source: draft-pantos-hls-rfc8216bis-20, section 4.4.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, NamedTuple, TypeAlias

PlaylistType = Literal["EVENT", "VOD"]
RenditionType = Literal["AUDIO", "VIDEO", "SUBTITLES", "CLOSED-CAPTIONS"]
Extra: TypeAlias = tuple[tuple[str, str], ...]
"""Attributes that were not understood: names in upper case, values as written (quotes included)."""

IDENTITY = "identity"
"""The KEYFORMAT of a plain 16 byte key, and the default."""


class ByteRange(NamedTuple):
    """A part of a resource, in bytes."""

    offset: int
    length: int

    @property
    def end(self) -> int:
        """The first byte after it."""
        return self.offset + self.length


@dataclass(frozen=True, slots=True)
class ParseWarning:
    """Something that the draft forbids and that was read nevertheless, or that was set aside."""

    line: int
    """From 1; 0 when it concerns the playlist as a whole."""
    code: str
    text: str


@dataclass(frozen=True, slots=True)
class Key:
    """How something is encrypted (EXT-X-KEY, EXT-X-SESSION-KEY)."""

    method: str
    """NONE, AES-128, SAMPLE-AES, SAMPLE-AES-CTR, AES-256-GCM, or whatever was written there, in upper case."""
    uri: str | None = None
    iv: bytes | None = None
    """16 bytes when the playlist gives them; None means that the media sequence number is the IV."""
    keyformat: str = IDENTITY
    keyformat_versions: str | None = None
    extra: Extra = ()

    def iv_for(self, media_sequence: int) -> bytes:
        """The 16 byte IV of a segment: the explicit one, else its media sequence number, big-endian (section 5.2).

        A negative number, which only a broken server can give, is taken as its two's complement.
        """
        return self.iv if self.iv is not None else (media_sequence % (1 << 128)).to_bytes(16, "big")


def deciding_key(keys: tuple[Key, ...]) -> Key | None:
    """Of the keys in force (one for each KEYFORMAT) the one to decrypt with; None when nothing is encrypted.

    All of them lead to the same content key, so the one that can be read without a DRM system (`identity`) is preferred.
    """
    real = [key for key in keys if key.method != "NONE"]
    return next((key for key in real if key.keyformat == IDENTITY), real[0] if real else None)


@dataclass(frozen=True, slots=True)
class InitSegment:
    """A media initialization section (EXT-X-MAP)."""

    uri: str
    byte_range: ByteRange | None = None
    keys: tuple[Key, ...] = ()
    """The keys that stood before it; a key that comes after it does not concern it."""
    extra: Extra = ()

    @property
    def key(self) -> Key | None:
        return deciding_key(self.keys)

    @property
    def iv(self) -> bytes | None:
        """None when it is clear. It has no sequence number, so the draft wants an explicit IV (section 4.4.4.5); where a server
        gives none, zero is used, as players do."""
        return None if self.key is None else self.key.iv_for(0)


class Part(NamedTuple):
    """A partial segment (EXT-X-PART)."""

    uri: str
    duration_s: float
    independent: bool = False
    byte_range: ByteRange | None = None
    gap: bool = False
    extra: Extra = ()


@dataclass(frozen=True, slots=True)
class DateRange:
    """EXT-X-DATERANGE: a range of time with attributes; several may share an id and add to each other."""

    id: str
    class_: str | None = None
    start: datetime | None = None
    """None when an earlier range of the same id has it."""
    end: datetime | None = None
    duration_s: float | None = None
    planned_duration_s: float | None = None
    cue: str | None = None
    end_on_next: bool = False
    extra: Extra = ()
    """Among them the X- and SCTE35- attributes."""


class Segment(NamedTuple):
    """A media segment, with all that applies to it."""

    uri: str
    """Absolute when the playlist's address is known."""
    duration_s: float
    """>= 0; the target duration when EXTINF is missing or unreadable."""
    media_sequence: int
    discontinuity_sequence: int = 0
    title: str = ""
    map: InitSegment | None = None
    keys: tuple[Key, ...] = ()
    """The EXT-X-KEY in force, one for each KEYFORMAT; METHOD=NONE is kept as a key of method NONE."""
    bitrate_bps: int | None = None
    """EXT-X-BITRATE, which is approximate."""
    starts_at: datetime | None = None
    """When its first sample was on air: its own program date-time, else reckoned from the nearest one by adding durations."""
    discontinuity: bool = False
    """EXT-X-DISCONTINUITY stands before it."""
    gap: bool = False
    """EXT-X-GAP: there is no media, do not ask for it."""
    byte_range: ByteRange | None = None
    program_date_time: datetime | None = None
    """Only where the tag stands at this very segment."""
    parts: tuple[Part, ...] = ()
    date_ranges: tuple[DateRange, ...] = ()
    """EXT-X-DATERANGE tags that stand before it; by the draft they belong to the playlist."""
    tags: tuple[str, ...] = ()
    """Unknown tags that stand before it, as written: SCTE-35 cues, vendors' prefetch and ad marks …"""

    @property
    def key(self) -> Key | None:
        """What to decrypt it with; None when it is clear."""
        return deciding_key(self.keys)

    @property
    def iv(self) -> bytes | None:
        """The IV in effect, 16 bytes; None when it is clear."""
        key = self.key
        return None if key is None else key.iv_for(self.media_sequence)


@dataclass(frozen=True, slots=True)
class Start:
    """EXT-X-START: where to begin; a negative offset counts from the end."""

    offset_s: float
    precise: bool = False
    extra: Extra = ()


@dataclass(frozen=True, slots=True)
class ServerControl:
    """EXT-X-SERVER-CONTROL."""

    can_skip_until_s: float | None = None
    can_skip_date_ranges: bool = False
    hold_back_s: float | None = None
    part_hold_back_s: float | None = None
    can_block_reload: bool = False
    extra: Extra = ()


@dataclass(frozen=True, slots=True)
class Skip:
    """EXT-X-SKIP: this is a delta update, and that many segments at its front have to be taken from the playlist before it."""

    segments: int
    removed_date_ranges: tuple[str, ...] = ()
    extra: Extra = ()


@dataclass(frozen=True, slots=True)
class PreloadHint:
    """EXT-X-PRELOAD-HINT: something that will be listed soon and may be asked for already."""

    type: str
    """PART, MAP, or something newer."""
    uri: str
    offset: int = 0
    length: int | None = None
    """None: to the end of the resource."""
    extra: Extra = ()


@dataclass(frozen=True, slots=True)
class RenditionReport:
    """EXT-X-RENDITION-REPORT: how far another rendition's playlist is."""

    uri: str
    last_msn: int | None = None
    last_part: int | None = None
    extra: Extra = ()


@dataclass(frozen=True, slots=True)
class MediaPlaylist:
    """A list of segments."""

    url: str
    """Its address, which relative addresses were joined with; empty when unknown."""
    target_duration_s: float
    """> 0. Where the server does not say (a warning tells), the longest listed duration, else 6 s."""
    segments: tuple[Segment, ...] = ()
    media_sequence: int = 0
    """Number of the first segment, listed or skipped; 0 when the tag is missing."""
    discontinuity_sequence: int = 0
    end_list: bool = False
    playlist_type: PlaylistType | None = None
    version: int | None = None
    """None when undeclared, which means 1."""
    independent_segments: bool = False
    i_frames_only: bool = False
    start: Start | None = None
    server_control: ServerControl | None = None
    part_target_s: float | None = None
    skip: Skip | None = None
    open_segment: Segment | None = None
    """What is told already of the next segment, which is not listed itself: its parts, key, map, flags. The `uri` is empty and
    the duration that of EXTINF if it is there, else 0."""
    preload_hints: tuple[PreloadHint, ...] = ()
    rendition_reports: tuple[RenditionReport, ...] = ()
    variables: tuple[tuple[str, str], ...] = ()
    """What EXT-X-DEFINE defined, imported or took from the query, in order; already put in everywhere."""
    tags: tuple[str, ...] = ()
    """Unknown tags at the top, as written."""
    warnings: tuple[ParseWarning, ...] = field(default=(), compare=False)

    @property
    def duration_s(self) -> float:
        """Of all listed segments."""
        return sum(segment.duration_s for segment in self.segments)

    @property
    def parts(self) -> tuple[Part, ...]:
        """Parts of the segment that is not listed yet."""
        return self.open_segment.parts if self.open_segment is not None else ()

    @property
    def date_ranges(self) -> tuple[DateRange, ...]:
        """All of them, in order of appearance."""
        ranges = [each for segment in self.segments for each in segment.date_ranges]
        return (*ranges, *(self.open_segment.date_ranges if self.open_segment is not None else ()))


class Resolution(NamedTuple):
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Variant:
    """A variant stream (EXT-X-STREAM-INF, or EXT-X-I-FRAME-STREAM-INF when `i_frames_only`)."""

    uri: str
    bandwidth_bps: int = 0
    """Peak; 0 when the required attribute is missing."""
    average_bandwidth_bps: int | None = None
    codecs: str | None = None
    """As written: RFC 6381 names, separated by commas."""
    resolution: Resolution | None = None
    frame_rate: float | None = None
    audio: str | None = None
    """GROUP-ID of the audio renditions that go with it; so are the next three."""
    video: str | None = None
    subtitles: str | None = None
    closed_captions: str | None = None
    """`NONE` when it says that there are none."""
    name: str | None = None
    """NAME is not in the draft, but common."""
    score: float | None = None
    supplemental_codecs: str | None = None
    video_range: str | None = None
    hdcp_level: str | None = None
    stable_variant_id: str | None = None
    pathway_id: str | None = None
    i_frames_only: bool = False
    extra: Extra = ()


@dataclass(frozen=True, slots=True)
class Rendition:
    """An alternative rendition (EXT-X-MEDIA)."""

    type: RenditionType
    group_id: str
    name: str
    uri: str | None = None
    """None: it is in the variant's own media."""
    language: str | None = None
    assoc_language: str | None = None
    default: bool = False
    autoselect: bool = False
    forced: bool = False
    instream_id: str | None = None
    characteristics: str | None = None
    channels: str | None = None
    stable_rendition_id: str | None = None
    extra: Extra = ()


@dataclass(frozen=True, slots=True)
class SessionData:
    """EXT-X-SESSION-DATA: either a value or an address."""

    data_id: str
    value: str | None = None
    uri: str | None = None
    language: str | None = None
    extra: Extra = ()


@dataclass(frozen=True, slots=True)
class ContentSteering:
    """EXT-X-CONTENT-STEERING."""

    server_uri: str
    pathway_id: str | None = None
    extra: Extra = ()


@dataclass(frozen=True, slots=True)
class MasterPlaylist:
    """A list of variants: the draft's multivariant playlist. One with nothing but session data is legal."""

    url: str
    variants: tuple[Variant, ...] = ()
    i_frame_variants: tuple[Variant, ...] = ()
    renditions: tuple[Rendition, ...] = ()
    session_data: tuple[SessionData, ...] = ()
    session_keys: tuple[Key, ...] = ()
    content_steering: ContentSteering | None = None
    version: int | None = None
    independent_segments: bool = False
    start: Start | None = None
    variables: tuple[tuple[str, str], ...] = ()
    """To be given to `parse` for the media playlists that are reached through this one."""
    tags: tuple[str, ...] = ()
    warnings: tuple[ParseWarning, ...] = field(default=(), compare=False)

    def group(self, type_: RenditionType, group_id: str | None) -> tuple[Rendition, ...]:
        """The renditions of one group, in order; empty when there is no such group."""
        return tuple(each for each in self.renditions if each.type == type_ and each.group_id == group_id)


Playlist: TypeAlias = MasterPlaylist | MediaPlaylist
