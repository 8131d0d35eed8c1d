"""Writes playlists. Source: RFC 8216, and draft-pantos-hls-rfc8216bis for the newer tags."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlencode

from ouzel.testing.clips import Clip, Tracks
from ouzel.testing.origin.options import VARIABLE, VARIABLE_VALUE, Container, Hls
from ouzel.testing.origin.pieces import TICKS
from ouzel.testing.origin.rendition import Rendition, Segment


@dataclass(frozen=True, slots=True)
class View:
    """What one answer lists."""

    segments: Sequence[Segment]
    sequence: int
    """Media sequence number of the first one."""
    discontinuities: int
    """How many lie before it."""
    ended: bool
    gaps: frozenset[int]
    """Numbers of segments that are listed with EXT-X-GAP."""
    ads: frozenset[int] = frozenset()
    """Numbers of segments that are marked as advertisements, as Twitch does."""
    running: Segment | None = None
    """The segment whose parts are appearing."""
    running_parts: int = 0


@dataclass(frozen=True, slots=True)
class Context:
    """What all lines of one answer share."""

    channel: str
    """Name, for keys."""
    begin: datetime
    """Wall time at show time 0."""
    base: str
    """Put before every address: empty (addresses are relative), a path, or with scheme and host."""
    query: Mapping[str, str]
    """Parameters that every address carries (a token)."""
    name: Callable[[int], str]
    """The name of a segment without suffix, from its number: `seg7`."""


@dataclass(slots=True)
class _Said:
    """What earlier lines of a playlist have said."""

    key: int | None = -1
    init: int = -1
    offset: int = -1


class MediaPlaylist:
    """Writes one media playlist of a rendition."""

    def __init__(self, hls: Hls, context: Context, rendition: Rendition, view: View) -> None:
        self._hls = hls
        self._context = context
        self._rendition = rendition
        self._view = view

    def render(self) -> str:
        view = self._view
        lines = list(self._head())
        said = _Said()
        for segment in view.segments:
            lines += self._segment(segment, said)
        if view.running is not None and not view.ended:
            lines += self._running(view.running, view.running_parts)
        if view.ended:
            lines.append("#EXT-X-ENDLIST")
        return "\n".join(lines) + "\n"

    def _head(self) -> Iterator[str]:
        hls, view = self._hls, self._view
        yield "#EXTM3U"
        yield f"#EXT-X-VERSION:{_version(hls, self._rendition.container)}"
        listed = [*view.segments, *([view.running] if view.running else [])]
        longest = max((segment.duration_90k for segment in listed), default=TICKS)
        yield f"#EXT-X-TARGETDURATION:{hls.target_s or max((longest + TICKS // 2) // TICKS, 1)}"  # rounded: section 4.3.3.1
        if hls.define:
            yield {
                "value": f'#EXT-X-DEFINE:NAME="{VARIABLE}",VALUE="{VARIABLE_VALUE}"',
                "import": f'#EXT-X-DEFINE:IMPORT="{VARIABLE}"',
                "query": f'#EXT-X-DEFINE:QUERYPARAM="{VARIABLE}"',
            }[hls.define]
        if hls.part_s:
            yield f"#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK={hls.part_s * 3:.3f}"
            yield f"#EXT-X-PART-INF:PART-TARGET={hls.part_s:.3f}"
        if hls.playlist_type:
            yield f"#EXT-X-PLAYLIST-TYPE:{hls.playlist_type}"
        if self._rendition.tracks != "audio":
            yield "#EXT-X-INDEPENDENT-SEGMENTS"
        yield f"#EXT-X-MEDIA-SEQUENCE:{view.sequence}"
        if view.ads:
            yield f"#EXT-X-TWITCH-LIVE-SEQUENCE:{view.sequence}"
        if view.discontinuities:
            yield f"#EXT-X-DISCONTINUITY-SEQUENCE:{view.discontinuities}"

    def _segment(self, segment: Segment, said: _Said) -> Iterator[str]:
        if segment.discontinuity:
            yield "#EXT-X-DISCONTINUITY"
        key_first = self._hls.aes is not None and self._hls.aes.encrypted_map
        if key_first:
            yield from self._key(segment, said)
        if self._rendition.container == "mp4" and said.init != segment.init:
            yield self._map(segment)
        if not key_first:
            yield from self._key(segment, said)
        yield from self._shown(segment)
        for index in range(len(segment.parts)):
            yield self._part(segment, index)
        if segment.number in self._view.gaps:
            yield "#EXT-X-GAP"
        title = "Amazon|1234" if segment.number in self._view.ads else "live" if self._view.ads else ""
        yield f"#EXTINF:{segment.duration_90k / TICKS:.6f},{title}"
        if self._hls.byte_ranges:
            follows = said.init == segment.init and said.offset == segment.offset
            yield f"#EXT-X-BYTERANGE:{segment.size}" + ("" if follows else f"@{segment.offset}")
            yield self._uri(self._rendition.file_name(segment.init))
        else:
            yield self._uri(f"{self._context.name(segment.number)}.{self._rendition.suffix}")
        said.init, said.offset = segment.init, segment.offset + segment.size

    def _key(self, segment: Segment, said: _Said) -> Iterator[str]:
        aes, channel = self._hls.aes, self._context.channel
        if aes is None:
            return
        number = aes.key_number(segment.number)
        if number == said.key:
            return
        said.key = number
        if number is None:
            yield "#EXT-X-KEY:METHOD=NONE"
            return
        uri = self._uri(f"key{number}.bin")
        if aes.data_uri:
            uri = "data:text/plain;base64," + base64.b64encode(aes.key(channel, number)).decode()
        iv = f",IV=0x{aes.iv(channel, number, 0).hex()}" if aes.explicit_iv else ""
        yield f'#EXT-X-KEY:METHOD=AES-128,URI="{uri}"{iv}'

    def _map(self, segment: Segment) -> str:
        if self._hls.byte_ranges:
            size = len(self._rendition.init(segment.init))
            return f'#EXT-X-MAP:URI="{self._uri(self._rendition.file_name(segment.init))}",BYTERANGE="{size}@0"'
        return f'#EXT-X-MAP:URI="{self._uri(f"init{segment.init}.mp4")}"'

    def _shown(self, segment: Segment) -> Iterator[str]:
        if self._hls.program_date_time:
            shown = self._context.begin + timedelta(microseconds=segment.start_90k * 100 // 9)
            yield f"#EXT-X-PROGRAM-DATE-TIME:{shown.isoformat(timespec='milliseconds')}"

    def _running(self, segment: Segment, parts: int) -> Iterator[str]:
        yield from self._shown(segment)
        for index in range(parts):
            yield self._part(segment, index)
        if parts < len(segment.parts):
            yield f'#EXT-X-PRELOAD-HINT:TYPE=PART,URI="{self._part_uri(segment, parts)}"'

    def _part(self, segment: Segment, index: int) -> str:
        part = segment.parts[index]
        first = ",INDEPENDENT=YES" if part.independent else ""
        return f'#EXT-X-PART:DURATION={part.duration_90k / TICKS:.6f},URI="{self._part_uri(segment, index)}"{first}'

    def _part_uri(self, segment: Segment, index: int) -> str:
        stem = self._context.name(segment.number).replace("seg", "part")
        return self._uri(f"{stem}.{index}.{self._rendition.suffix}")

    def _uri(self, name: str) -> str:
        folder = self._rendition.folder if self._context.base else ""
        return _address(self._hls, self._context, folder + name)


def master_playlist(hls: Hls, context: Context, variants: Sequence[Rendition], sounds: Sequence[Rendition]) -> str:
    """A multivariant playlist; the first of `sounds` is the default."""
    lines = ["#EXTM3U", f"#EXT-X-VERSION:{_version(hls, variants[0].container)}"]
    if hls.define == "import":
        lines.append(f'#EXT-X-DEFINE:NAME="{VARIABLE}",VALUE="{VARIABLE_VALUE}"')
    for sound in sounds:
        default = "YES" if sound is sounds[0] else "NO"
        uri = _address(hls, context, f"{sound.folder}index.m3u8")
        lines.append(
            f'#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="sound",NAME="{sound.name}",LANGUAGE="{sound.name}",'
            f'DEFAULT={default},AUTOSELECT=YES,CHANNELS="2",URI="{uri}"'
        )
    for variant in variants:
        clip, (peak, average) = variant.clip(), variant.average_bps()
        codecs = codec_names(clip, "av" if sounds else variant.tracks)
        lines.append(
            f"#EXT-X-STREAM-INF:BANDWIDTH={peak},AVERAGE-BANDWIDTH={average},RESOLUTION={clip.width}x{clip.height},"
            f'FRAME-RATE={clip.rate:.3f},CODECS="{codecs}"' + (',AUDIO="sound"' if sounds else "")
        )
        lines.append(_address(hls, context, f"{variant.folder}index.m3u8"))
    return "\n".join(lines) + "\n"


def codec_names(clip: Clip, tracks: Tracks) -> str:
    """The CODECS attribute (RFC 6381; ISO/IEC 14496-15 annex E)."""
    names: list[str] = []
    record = clip.video().record
    if tracks != "audio" and clip.codec == "h264":
        names.append(f"avc1.{record[1:4].hex()}")
    elif tracks != "audio":
        compatible = int(f"{int.from_bytes(record[2:6], 'big'):032b}"[::-1], 2)
        constraints = "".join(f".{byte:x}" for byte in record[6:12].rstrip(b"\0"))
        tier = "H" if record[1] & 0x20 else "L"
        names.append(f"hvc1.{record[1] & 0x1F}.{compatible:x}.{tier}{record[12]}{constraints}")
    if clip.tracks(tracks) != "video":
        names.append("mp4a.40.2")
    return ",".join(names)


def encrypt(data: bytes | bytearray, key: bytes, iv: bytes) -> bytes:
    """AES-128-CBC with PKCS #7 padding."""
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

    padding = 16 - len(data) % 16
    cipher = Cipher(algorithms.AES(key), modes.CBC(iv)).encryptor()
    return cipher.update(bytes(data) + bytes([padding]) * padding) + cipher.finalize()


def _address(hls: Hls, context: Context, name: str) -> str:
    query = urlencode(context.query)
    if hls.define:
        query += ("&" if query else "") + f"{VARIABLE}={{${VARIABLE}}}"
    return context.base + name + (f"?{query}" if query else "")


def _version(hls: Hls, container: Container) -> int:
    if hls.define:
        return 11 if hls.define == "query" else 8
    if hls.part_s:
        return 9
    return 7 if container == "mp4" else 4
