"""Sample entries: what a track's samples are, told by the description box that stands in its `stsd`.

Source: ISO/IEC 14496-12 sections 8.5.2 and 12, 14496-14 (esds), 14496-15 (avcC, hvcC), 23001-7 (protection schemes).
"""

from __future__ import annotations

from ouzel.base.errors import Encrypted, FormatError
from ouzel.formats.codecs import (
    DecoderRecord,
    parse_audio_specific_config,
    parse_av1c,
    parse_avcc,
    parse_hvcc,
)
from ouzel.formats.fmp4.boxes import Box, box, children, first, name_of
from ouzel.formats.shape import Track, TrackKind

_ENCRYPTED = frozenset({b"encv", b"enca", b"encs", b"enct", b"encm", b"encu", b"drms", b"drmi"})
_CODECS = {
    b"avc1": "h264",
    b"avc3": "h264",
    b"hvc1": "hevc",
    b"hev1": "hevc",
    b"dvh1": "hevc",
    b"dvhe": "hevc",
    b"av01": "av1",
    b"vp08": "vp8",
    b"vp09": "vp9",
    b"mp4a": "aac",
    b".mp3": "mp3",
    b"ac-3": "ac3",
    b"ec-3": "eac3",
    b"ac-4": "ac4",
    b"Opus": "opus",
    b"fLaC": "flac",
}
_OBJECT_TYPES = {0x69: "mp3", 0x6B: "mp3", 0xA5: "ac3", 0xA6: "eac3", 0xAD: "opus", 0x20: "mpeg4", 0xDD: "vorbis"}
_RECORDS = {b"avcC": parse_avcc, b"hvcC": parse_hvcc, b"av1C": parse_av1c}
_HARMLESS = frozenset({b"btrt", b"free", b"skip", b"uuid"})  # bit rates, padding: they vary between encoder runs
_KINDS: dict[bytes, TrackKind] = {b"vide": "video", b"soun": "audio"}
_VIDEO_FIELDS, _AUDIO_FIELDS = 78, 28
_QUICKTIME_FIELDS = {1: 16, 2: 36}


def describe_track(data: bytes, stsd: Box, track_id: int, handler: bytes) -> Track:
    """What the first sample entry of an stsd box says; `config` covers all entries.

    Raises: FormatError; Encrypted, with the `scheme` in its context.
    """
    entries = list(children(data, stsd.body + 8, stsd.end))
    if not entries:
        raise FormatError("stsd without a sample entry", track=track_id)
    for entry in entries:
        if entry.kind in _ENCRYPTED:
            raise _encrypted(data, entry)
    kind = _KINDS.get(handler, "other")
    version = data[stsd.body]
    parts = [_parts(data, entry, kind, version) for entry in entries]
    config = b"".join(
        box(entry.kind, fields, *(payload for _, payload in boxes))
        for entry, (fields, boxes) in zip(entries, parts, strict=True)
    )
    name = _CODECS.get(entries[0].kind, name_of(entries[0].kind).strip(" .").lower())
    found = dict(parts[0][1])
    if kind == "video":
        width, height = _picture(parts[0][0], found)
        return Track(track_id, kind, name, width or None, height or None, config=config)
    if kind == "audio":
        name, rate, channels = _sound(name, parts[0][0], found)
        return Track(track_id, kind, name, sample_rate=rate or None, channels=channels or None, config=config)
    return Track(track_id, kind, name, config=config)


def _parts(data: bytes, entry: Box, kind: TrackKind, version: int) -> tuple[bytes, list[tuple[bytes, bytes]]]:
    """The fields of an entry, and its boxes, both without what may vary harmlessly."""
    size = {"video": _VIDEO_FIELDS, "audio": _AUDIO_FIELDS}.get(kind, 8)
    if entry.end - entry.body < size:
        raise FormatError(f"sample entry {name_of(entry.kind)} is cut short")
    fields = data[entry.body : entry.body + size]
    if kind == "video":
        fields = fields[:42] + bytes(32) + fields[74:]  # compressorname
    start = entry.body + size
    if kind == "audio" and version == 0:  # in a version 0 stsd these are QuickTime's own, longer entries
        start += _QUICKTIME_FIELDS.get(int.from_bytes(fields[8:10], "big"), 0)
    if kind == "other":
        return data[entry.body : entry.end], []
    boxes: list[tuple[bytes, bytes]] = []
    for child in children(data, start, entry.end):
        if child.kind in _HARMLESS:
            continue
        payload = data[child.start : child.end]
        if child.kind == b"esds":
            object_type, info = _esds(data[child.body + 4 : child.end])
            payload = box(b"esds", bytes([object_type]), info)  # without the bit rates that it holds
        boxes.append((child.kind, payload))
    return fields, boxes


def _picture(fields: bytes, found: dict[bytes, bytes]) -> tuple[int, int]:
    width, height = int.from_bytes(fields[24:26], "big"), int.from_bytes(fields[26:28], "big")
    if width and height:
        return width, height
    for kind, parse in _RECORDS.items():
        if kind in found:
            record: DecoderRecord = parse(found[kind][8:])
            if record.config:
                return record.config.width, record.config.height
    return width, height


def _sound(name: str, fields: bytes, found: dict[bytes, bytes]) -> tuple[str, int, int]:
    channels, rate = int.from_bytes(fields[16:18], "big"), int.from_bytes(fields[24:28], "big") >> 16
    esds = found.get(b"esds", b"")[8:]
    if name != "aac" or not esds:
        return name, rate, channels
    name = _OBJECT_TYPES.get(esds[0], name)
    if name == "aac" and len(esds) > 2:
        try:
            config = parse_audio_specific_config(esds[1:])
        except FormatError:
            return name, rate, channels
        return config.codec, config.sample_rate, config.channels or channels
    return name, rate, channels


def _esds(data: bytes) -> tuple[int, bytes]:
    """Object type and decoder specific info of an ES_Descriptor (ISO/IEC 14496-1 section 7.2.6.5)."""
    tag, at, end = _descriptor(data, 0, len(data))
    if tag == 3:
        flags = data[at + 2 : at + 3] or b"\0"
        at += 3 + (2 if flags[0] & 0x80 else 0)
        if flags[0] & 0x40:
            at += 1 + (data[at] if at < end else 0)
        at += 2 if flags[0] & 0x20 else 0
        tag, at, end = _descriptor(data, at, end)
    if tag != 4 or at + 13 > end:
        raise FormatError("esds without a decoder config")
    object_type = data[at]
    if at + 13 == end:
        return object_type, b""
    tag, at, end = _descriptor(data, at + 13, end)
    return object_type, data[at:end] if tag == 5 else b""


def _descriptor(data: bytes, at: int, end: int) -> tuple[int, int, int]:
    """Tag, start and end of the payload of a descriptor; one that is longer than its room is cut."""
    if at + 2 > end:
        raise FormatError("esds is cut short")
    tag = data[at]
    size = 0
    for index in range(1, 5):
        if at + index >= end:
            raise FormatError("esds is cut short")
        size = size << 7 | data[at + index] & 0x7F
        if not data[at + index] & 0x80:
            return tag, at + index + 1, min(end, at + index + 1 + size)
    raise FormatError("esds with a bad length")


def _encrypted(data: bytes, entry: Box) -> Encrypted:
    size = {b"encv": _VIDEO_FIELDS, b"enca": _AUDIO_FIELDS}.get(entry.kind, 8)
    scheme = "unknown"
    for child in children(data, min(entry.body + size, entry.end), entry.end):
        schm = first(data, child, b"schm") if child.kind == b"sinf" else None
        if schm:
            scheme = name_of(data[schm.body + 4 : schm.body + 8])
    return Encrypted(f"encrypted media (scheme {scheme})", scheme=scheme, entry=name_of(entry.kind))
