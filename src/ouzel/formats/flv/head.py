"""The beginning of an FLV file: what the tracks are, the metadata with room for an index, and the two sequence headers.

The room is filled in place when the file is closed (`finish`), so that a closed file can be searched, and one that was never
closed plays all the same.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ouzel.base.errors import FormatError
from ouzel.formats.codecs import (
    parse_audio_specific_config,
    parse_av1c,
    parse_avcc,
    parse_hvcc,
    parse_opus_head,
)
from ouzel.formats.flv import amf
from ouzel.formats.flv.amf import AmfValue
from ouzel.formats.flv.packets import Packet
from ouzel.formats.flv.tags import (
    AUDIO,
    HEADER_SIZE,
    SCRIPT,
    TAG_HEADER,
    VIDEO,
    read_tags,
    render_file_header,
    render_tag,
)
from ouzel.formats.shape import Buffer, Head, Track

INDEX_SPACING_S = 1.9
"""Key frames closer together than this are left out of an index that has not enough room for all."""
INDEX_ROOM = 6_632
"""Key frames: 3.5 hours of one every 1.9 seconds; 119 KB."""

_ENTRY = 18  # a number in each of the two arrays
_FEWEST = 2  # key frames that make an index: readers such as ffmpeg take one of fewer for a broken one
_MAX_FIELDS = 64
_MAX_NAME, _MAX_TEXT = 64, 256
_TABLES = frozenset({"keyframes", "spacer"})
_OURS = _TABLES | {
    "duration",
    "filesize",
    "lasttimestamp",
    "lastkeyframetimestamp",
    "lastkeyframelocation",
    "hasKeyframes",
    "canSeekToEnd",
    "hasVideo",
    "hasAudio",
    "hasMetadata",
    "datasize",
    "videosize",
    "audiosize",
}
_CLASSIC_RATES = (5512, 11025, 22050, 44100)
_FIXED_SOUND = {"pcm_alaw": (8000, 1), "pcm_mulaw": (8000, 1), "speex": (16000, 1)}
_RECORDS = {"h264": parse_avcc, "hevc": parse_hvcc, "av1": parse_av1c}


@dataclass(frozen=True, slots=True)
class Setup:
    """What a track is. Two that are equal may share a file."""

    kind: int
    codec: str
    code: int | bytes
    record: bytes = b""
    """The configuration record; empty where the codec has none, or none was seen."""
    body: bytes = field(default=b"", compare=False)
    """Of the tag that carried it: composition time and sound bits may vary harmlessly."""
    first: int = field(default=0, compare=False)
    """First byte of a body of this track: sample rate and channels of the older sound codecs."""

    @classmethod
    def of(cls, packet: Packet, body: Buffer) -> Setup:
        """From a tag that has a lane: a sequence header (then `body` is all of it), or any frame of a codec without."""
        if packet.role != "config":
            return cls(packet.kind, packet.codec, packet.code, first=body[0])
        whole = bytes(body)
        return cls(packet.kind, packet.codec, packet.code, whole[packet.record_at :], whole, whole[0])

    def track(self, metadata: Mapping[str, AmfValue]) -> Track:
        if self.kind == VIDEO:
            width, height = self._picture() or (_whole(metadata, "width"), _whole(metadata, "height"))
            return Track(VIDEO, "video", self.codec, width, height, config=self.record)
        rate, channels = self._sound() or (_whole(metadata, "audiosamplerate"), None)
        return Track(AUDIO, "audio", self.codec, sample_rate=rate, channels=channels, config=self.record)

    def _picture(self) -> tuple[int, int] | None:
        parse = _RECORDS.get(self.codec)
        if parse is None:
            return None
        try:
            config = parse(self.record).config
        except FormatError:  # the picture's size is a courtesy; a decoder may know better
            return None
        return (config.width, config.height) if config else None

    def _sound(self) -> tuple[int, int] | None:
        try:
            if self.codec == "aac":
                aac = parse_audio_specific_config(self.record)
                return aac.sample_rate, aac.channels
            if self.codec == "opus":
                opus = parse_opus_head(self.record)
                return opus.sample_rate, opus.channels
        except FormatError:
            return None
        if isinstance(self.code, bytes):
            return None
        if self.code == 14:
            return 8000, 1 + (self.first & 1)
        return _FIXED_SOUND.get(self.codec) or (_CLASSIC_RATES[self.first >> 2 & 3], 1 + (self.first & 1))


def build_head(setups: Mapping[int, Setup], metadata: Mapping[str, AmfValue], *, index_room: int = INDEX_ROOM) -> Head:
    """The head of a new file.

    Args:
        setups: by tag type.
        metadata: the source's own `onMetaData`; its scalar fields are kept where they say nothing about the file itself.
        index_room: key frames for which room is kept; 0 for none.
    """
    video, audio = setups.get(VIDEO), setups.get(AUDIO)
    tracks = tuple(setup.track(metadata) for setup in (video, audio) if setup)
    fields = _kept_fields(metadata)
    if tracks and tracks[0].kind == "video" and tracks[0].width and tracks[0].height:
        fields |= {"width": float(tracks[0].width), "height": float(tracks[0].height)}
    fields = _facts(0.0, 0, ()) | {"hasVideo": bool(video), "hasAudio": bool(audio)} | fields
    header = render_file_header(video=bool(video), audio=bool(audio))
    headers = b"".join(render_tag(s.kind, 0, s.body) for s in (video, audio) if s and s.body)
    data = header + render_tag(SCRIPT, 0, _metadata_body(fields, (), index_room * _ENTRY)) + headers
    preamble = header + render_tag(SCRIPT, 0, _metadata_body(fields, (), 0)) + headers
    return Head("flv", tracks, data, preamble)


def finish(head: Buffer, keys: Sequence[tuple[float, int]], *, duration_s: float, size: int) -> list[tuple[int, bytes]]:
    """What to write where, so that a file that begins with `head` tells its length and can be searched.

    Args:
        head: the first bytes of the file, at least up to the end of its metadata; as `Head.data` gave them.
        keys: time (seconds in the file) and offset (of the tag's first byte in the file) of the key frames, rising. When there
            is not room for all, those closer than 1.9 s to the one before are left out, then every n-th is kept. A single one
            makes no index.
        duration_s: of the file.
        size: of the file, in bytes.
    Returns: offset and bytes, none of which changes the size; nothing when the file does not begin with metadata of ours.
    """
    view = memoryview(head)
    tag = next(read_tags(view, HEADER_SIZE + 4), None)
    fields = amf.parse_metadata(tag.body) if tag is not None and tag.kind == SCRIPT else None
    if tag is None or fields is None or "spacer" not in fields:
        return []
    kept = {name: value for name, value in fields.items() if name not in _TABLES}
    room = len(tag.body) - len(_metadata_body(kept, (), 0))
    chosen = _thin(keys, room // _ENTRY)
    kept |= _facts(duration_s, size, chosen)
    return [(tag.offset + TAG_HEADER, _metadata_body(kept, chosen, room))]


def _facts(duration_s: float, size: int, keys: Sequence[tuple[float, int]]) -> dict[str, AmfValue]:
    """What only the whole file can tell. Always the same fields, so that they can be filled in place."""
    last_s, last_at = keys[-1] if keys else (0.0, 0)
    indexed = len(keys) >= _FEWEST
    return {
        "duration": float(duration_s),
        "filesize": float(size),
        "lasttimestamp": float(duration_s),
        "lastkeyframetimestamp": float(last_s),
        "lastkeyframelocation": float(last_at),
        "hasKeyframes": indexed,
        "canSeekToEnd": indexed,
        "hasMetadata": True,
    }


def _metadata_body(fields: Mapping[str, AmfValue], keys: Sequence[tuple[float, int]], room: int) -> bytes:
    """`onMetaData`; an index of `keys` and a filler of nulls together take `room` bytes more than an empty index would."""
    index = _index(keys) if len(keys) >= _FEWEST else {}
    array = amf.render_ecma_array({**fields, **index, "spacer": None})
    filler = amf.render_nulls(room - _ENTRY * len(keys) if index else room + _EMPTY_INDEX)
    end = b"\x05\0\0\x09"  # the null that stands for the spacer, and the end of the array
    return amf.render("onMetaData") + array.removesuffix(end) + filler + end[1:]


def _index(keys: Sequence[tuple[float, int]]) -> dict[str, AmfValue]:
    return {"keyframes": {"times": [float(s) for s, _ in keys], "filepositions": [float(at) for _, at in keys]}}


_EMPTY_INDEX = len(amf.render_ecma_array(_index(()))) - len(amf.render_ecma_array({}))


def _thin(keys: Sequence[tuple[float, int]], room: int) -> Sequence[tuple[float, int]]:
    if len(keys) <= room:
        return keys
    spaced: list[tuple[float, int]] = []
    for key in keys:
        if not spaced or key[0] - spaced[-1][0] >= INDEX_SPACING_S:
            spaced.append(key)
    return spaced[:: math.ceil(len(spaced) / room)] if room else ()


def _kept_fields(metadata: Mapping[str, AmfValue]) -> dict[str, AmfValue]:
    kept: dict[str, AmfValue] = {}
    for name, value in metadata.items():
        if len(kept) >= _MAX_FIELDS or name in _OURS or not 0 < len(name) <= _MAX_NAME:
            continue
        if isinstance(value, bool | str) or (isinstance(value, float) and math.isfinite(value)):
            kept[name] = value[:_MAX_TEXT] if isinstance(value, str) else value
    return kept


def _whole(metadata: Mapping[str, AmfValue], name: str) -> int | None:
    """A positive whole number of the metadata, such as a width."""
    value = metadata.get(name)
    return int(value) if isinstance(value, float) and 0 < value < 1e6 else None
