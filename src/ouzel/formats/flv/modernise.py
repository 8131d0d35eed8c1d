"""From the codec ids that Chinese CDNs added for HEVC and AV1 to the FourCC form that is standard.

ffmpeg reads the FourCC form from version 6.1 on, and the ids only when patched.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ouzel.base.errors import FormatError, TooLarge
from ouzel.formats.flv import amf
from ouzel.formats.flv.packets import END, FRAMES, FRAMES_X
from ouzel.formats.flv.tags import (
    HEADER_SIZE,
    MAX_BODY,
    SCRIPT,
    SIZE,
    TAG_HEADER,
    VIDEO,
    file_header_size,
    is_file_header,
    read_unit,
)
from ouzel.formats.shape import Buffer

_FOURCC = {12: b"hvc1", 13: b"av01"}
_MAX_SCRIPT = 4 << 20
_VIDEO_HEAD = 5  # frame type and codec id, packet type, composition time


def modernise(pieces: Iterable[Buffer]) -> Iterator[bytes]:
    """Rewrite a whole FLV file.

    Video tags with the codec ids 12 and 13 get the FourCC form; time stamps, order and all other tags stay. Key frame tables
    in the metadata are emptied, because positions may move: a frame with a composition time grows by three bytes. An incomplete
    tag at the end is left out.

    Args:
        pieces: the file in order, cut anywhere.
    Raises: FormatError when it is not FLV, or something that is not a tag stands between tags; TooLarge for metadata of more
        than 4 MB and a tag that would grow beyond 16 MB.
    Source: Enhanced RTMP v1; AV1 has no composition time in it.
    """
    buffer = bytearray()
    begun = False
    for piece in pieces:
        buffer += piece
        if not begun:
            if len(buffer) < HEADER_SIZE + 4:
                continue
            if not is_file_header(buffer):
                raise FormatError("not an FLV file")
            end = file_header_size(buffer)
            if len(buffer) < end + 4:
                continue
            yield bytes(buffer[: end + 4])
            del buffer[: end + 4]
            begun = True
        yield from _take_tags(buffer)


def _take_tags(buffer: bytearray) -> Iterator[bytes]:
    """Remove the whole tags from the front of the buffer, and yield what becomes of them."""
    at = 0
    with memoryview(buffer) as view:
        while at + TAG_HEADER <= len(view):
            unit = read_unit(bytes(4) + view[at : at + TAG_HEADER], 0)
            if not unit.plausible:
                raise FormatError("not an FLV tag", kind=unit.kind)
            end = at + TAG_HEADER + unit.size + 4
            if end > len(view):
                break
            yield _convert(unit.kind, view[at:end])
            at = end
    del buffer[:at]


def _convert(kind: int, tag: memoryview) -> bytes:
    body = tag[TAG_HEADER:-4]
    new = None
    if kind == VIDEO and len(body) >= _VIDEO_HEAD and not body[0] & 0x80:
        new = _enhanced(body)
    elif kind == SCRIPT:
        new = _metadata(body)
    if new is None:
        return bytes(tag)
    if len(new) > MAX_BODY:
        raise TooLarge("FLV tag too large", size=len(new), limit=MAX_BODY)
    head = bytes([kind]) + len(new).to_bytes(3, "big") + bytes(tag[4:TAG_HEADER])
    return b"".join((head, new, SIZE.pack(len(new) + TAG_HEADER)))


def _enhanced(body: memoryview) -> bytes | None:
    """The body in the FourCC form; None when it is not of a codec that has one."""
    fourcc = _FOURCC.get(body[0] & 15)
    if fourcc is None or body[1] > END:
        return None
    packet, time = body[1], bytes(body[2:_VIDEO_HEAD])
    if packet != FRAMES or fourcc == b"av01":
        time = b""
    elif not any(time):
        packet, time = FRAMES_X, b""
    return b"".join((bytes([0x80 | body[0] & 0x70 | packet]), fourcc, time, body[_VIDEO_HEAD:]))


def _metadata(body: memoryview) -> bytes | None:
    if len(body) > _MAX_SCRIPT:
        raise TooLarge("FLV script tag too large", size=len(body), limit=_MAX_SCRIPT)
    fields = amf.parse_metadata(body)
    if fields is None:
        return None
    codec = fields.get("videocodecid")
    fourcc = _FOURCC.get(int(codec)) if isinstance(codec, float) and 0 <= codec < 16 else None
    if fourcc is None:
        return None
    fields = {name: value for name, value in fields.items() if name not in {"keyframes", "spacer"}}
    fields["videocodecid"] = float(int.from_bytes(fourcc, "big"))
    return amf.render("onMetaData") + amf.render_ecma_array(fields)
