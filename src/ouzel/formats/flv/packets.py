"""What the first bytes of an audio or video tag say: codec, and whether this is configuration, a key frame or another frame.

Three forms are read: the classic codec ids, the ids that Chinese CDNs added for HEVC (12) and AV1 (13) on the pattern of AVC,
and the FourCC form of Enhanced RTMP with its ModEx prefixes. Of a multitrack tag the track with id 0 is followed; the others
pass by under a lane of their own.

Sources: Adobe Flash Video File Format Specification 10.1, annex E.4; Enhanced RTMP v2 (Veovera).
"""

from __future__ import annotations

from collections.abc import Collection
from functools import cache
from typing import Literal, NamedTuple

from ouzel.formats.flv.tags import AUDIO, VIDEO
from ouzel.formats.shape import Buffer

PEEK = 32
"""Bytes of a body that are enough to tell; a longer ModEx prefix leaves a packet nameless."""

Role = Literal["config", "frame", "end", "side"]
Form = Literal["classic", "fourcc"]

_VIDEO_IDS = {2: "flv1", 3: "flashsv", 4: "vp6f", 5: "vp6a", 6: "flashsv2", 7: "h264", 12: "hevc", 13: "av1"}
_PACKETIZED_IDS = frozenset({7, 12, 13})
_AUDIO_IDS = {
    0: "pcm",
    1: "adpcm",
    2: "mp3",
    3: "pcm_s16le",
    4: "nellymoser",
    5: "nellymoser",
    6: "nellymoser",
    7: "pcm_alaw",
    8: "pcm_mulaw",
    10: "aac",
    11: "speex",
    14: "mp3",
}
_AAC, _ENHANCED_AUDIO = 10, 9
FOURCC = {
    b"avc1": "h264",
    b"hvc1": "hevc",
    b"hev1": "hevc",
    b"vvc1": "vvc",
    b"av01": "av1",
    b"vp08": "vp8",
    b"vp09": "vp9",
    b"mp4a": "aac",
    b".mp3": "mp3",
    b"Opus": "opus",
    b"fLaC": "flac",
    b"ac-3": "ac3",
    b"ec-3": "eac3",
}
_WITH_COMPOSITION_TIME = frozenset({b"avc1", b"hvc1", b"hev1", b"vvc1"})

KEY, INTER, DISPOSABLE, GENERATED_KEY, COMMAND = 1, 2, 3, 4, 5
START, FRAMES, END, FRAMES_X, MULTITRACK, MOD_EX = 0, 1, 2, 3, 6, 7
_METADATA = 4
_AUDIO_MULTITRACK = 5


class Packet(NamedTuple):
    """One audio or video tag, as told by its first bytes."""

    kind: int
    """Tag type, 8 or 9."""
    role: Role
    """`side`: belongs to the stream but is none of the samples that are followed (commands, colour metadata, other tracks)."""
    codec: str = ""
    form: Form = "classic"
    key: bool = False
    record_at: int = 0
    """Where in the body the configuration record begins (role `config`)."""
    cts: int = 0
    """Presentation time less decode time, in milliseconds."""
    lane: int = 0
    """Whose time stamps these are: tag type + 256 * track id; 0 for what has no clock of its own."""
    code: int | bytes = 0
    """The classic codec id, or the FourCC."""


def read_packet(kind: int, body: Buffer) -> Packet:
    """Read a tag of type 8 or 9 from the first `PEEK` bytes of its body (all of it when it has fewer, at least one)."""
    return _read_video(bytes(body[:PEEK])) if kind == VIDEO else _read_audio(bytes(body[:PEEK]))


def _read_video(body: bytes) -> Packet:
    first = body[0]
    frame = first >> 4 & 7
    if first & 0x80:
        return _Enhanced(VIDEO, body, frame).read()
    codec_id = first & 15
    if frame == COMMAND:
        return Packet(VIDEO, "side")
    codec = _VIDEO_IDS.get(codec_id, f"flv-video-{codec_id}")
    key = frame in {KEY, GENERATED_KEY}
    if codec_id not in _PACKETIZED_IDS:
        return Packet(VIDEO, "frame", codec, key=key, lane=VIDEO, code=codec_id)
    if len(body) < 5 or body[1] > 2:
        return Packet(VIDEO, "side", codec)
    cts = int.from_bytes(body[2:5], "big", signed=True)
    role: Role = ("config", "frame", "end")[body[1]]
    return Packet(VIDEO, role, codec, "classic", key, 5, cts, VIDEO, codec_id)


def _read_audio(body: bytes) -> Packet:
    sound = body[0] >> 4
    if sound == _ENHANCED_AUDIO:
        return _Enhanced(AUDIO, body, 0).read()
    codec = _AUDIO_IDS.get(sound, f"flv-audio-{sound}")
    if sound != _AAC:
        return Packet(AUDIO, "frame", codec, key=True, lane=AUDIO, code=sound)
    if len(body) < 2 or body[1] > 1:
        return Packet(AUDIO, "side", codec)
    return Packet(AUDIO, "config" if body[1] == 0 else "frame", codec, "classic", True, 2, 0, AUDIO, sound)


@cache
def plain_codes(kind: int, code: int | bytes) -> Collection[int]:
    """First byte * 256 + second byte of those frames of a codec (`Packet.code`) that need no closer look: all sound, and the
    pictures that are no key frames, without prefixes."""
    if isinstance(code, bytes):
        if kind == AUDIO:
            return frozenset({(_ENHANCED_AUDIO << 4 | FRAMES) << 8 | code[0]})
        starts = (0x80 | frame << 4 | packet for frame in (INTER, DISPOSABLE) for packet in (FRAMES, FRAMES_X))
        return frozenset(start << 8 | code[0] for start in starts)
    if kind == AUDIO:
        if code == _AAC:
            return frozenset((code << 4 | low) << 8 | 1 for low in range(16))
        return range(max(code << 12, 1), code + 1 << 12)  # 0 is what stands behind an empty tag
    seconds = (1,) if code in _PACKETIZED_IDS else range(256)
    return frozenset((frame << 4 | code) << 8 | second for frame in (INTER, DISPOSABLE) for second in seconds)


def composition_at(code: int | bytes) -> int:
    """Where in the body of such a codec's plain frames the composition time stands, in three bytes; 0: nowhere.

    Not in FourCC frames of type FRAMES_X: theirs is 0.
    """
    if isinstance(code, bytes):
        return 5 if code in _WITH_COMPOSITION_TIME else 0
    return 2 if code in _PACKETIZED_IDS else 0


@cache
def timed_codes(code: int | bytes) -> Collection[int]:
    """Those of the `plain_codes` of a video codec with a composition time (`composition_at`)."""
    if not composition_at(code):
        return frozenset()
    return frozenset(plain for plain in plain_codes(VIDEO, code) if plain >> 8 & 15 != FRAMES_X)


class _Enhanced:
    """The FourCC form."""

    def __init__(self, kind: int, body: bytes, frame: int) -> None:
        self._kind = kind
        self._body = body
        self._frame = frame
        self._at = 1

    def read(self) -> Packet:
        packet = self._body[0] & 15
        while packet == MOD_EX:
            packet = self._skip_mod_ex()
        if self._frame == COMMAND or (self._kind == VIDEO and packet == _METADATA):
            return Packet(self._kind, "side")
        track = 0
        if packet == (MULTITRACK if self._kind == VIDEO else _AUDIO_MULTITRACK):
            packet, fourcc, track = self._multitrack()
        else:
            fourcc = self._take(4)
        if len(fourcc) < 4 or track < 0:
            return Packet(self._kind, "side")
        return self._named(packet, fourcc, track)

    def _named(self, packet: int, fourcc: bytes, track: int) -> Packet:
        codec = FOURCC.get(fourcc) or fourcc.decode("latin-1").strip().lower()
        lane = self._kind | track << 8
        role: Role = "side"
        if track == 0 and packet in {START, END}:
            role = "config" if packet == START else "end"
        elif track == 0 and packet in {FRAMES, FRAMES_X}:
            role = "frame"
        elif packet not in {FRAMES, FRAMES_X}:
            lane = 0
        cts = 0
        if self._kind == VIDEO and packet == FRAMES and fourcc in _WITH_COMPOSITION_TIME:
            cts = int.from_bytes(self._body[self._at : self._at + 3], "big", signed=True)
        key = self._kind == AUDIO or self._frame in {KEY, GENERATED_KEY}
        return Packet(self._kind, role, codec, "fourcc", key, self._at, cts, lane, fourcc)

    def _skip_mod_ex(self) -> int:
        """Pass one ModEx prefix. Returns the packet type behind it, -1 when the body ends before."""
        size = self._u(1) + 1
        if size == 256:
            size = self._u(2) + 1
        self._at += size
        if self._at >= len(self._body):
            return -1
        return self._u(1) & 15

    def _multitrack(self) -> tuple[int, bytes, int]:
        """Returns the packet type, the FourCC and the id of the first track, -1 when the body ends before."""
        both = self._u(1)
        fourcc = self._take(4)  # with many codecs each track names its own: the first stands in the same place
        if self._at >= len(self._body):
            return both & 15, fourcc, -1
        track = self._u(1)
        if both >> 4:  # more than one track: a size before each
            self._at += 3
        return both & 15, fourcc, track

    def _take(self, count: int) -> bytes:
        piece = self._body[self._at : self._at + count]
        self._at += count
        return piece

    def _u(self, count: int) -> int:
        return int.from_bytes(self._take(count), "big")
