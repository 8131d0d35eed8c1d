"""What kind of stream is it? By the address, then the content type, then the first bytes; the bytes have the last word."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Literal
from urllib.parse import urlsplit

from ouzel.base.errors import BadUrl, NotMedia
from ouzel.system.guard import Scope

Kind = Literal["hls", "flv", "ts", "mp4", "other"]
"""`other`: media, or a manifest, that only the ffmpeg child reads (DASH, Matroska, MP3 …)."""

FFMPEG_SCHEMES = frozenset({"rtmp", "rtmps", "rtsp", "rtsps", "srt", "udp", "rtp"})
HTTP_SCHEMES = frozenset({"http", "https"})
SNIFF_BYTES = 1024

_TYPES: dict[str, Kind] = {
    "application/vnd.apple.mpegurl": "hls",
    "application/x-mpegurl": "hls",
    "audio/mpegurl": "hls",
    "audio/x-mpegurl": "hls",
    "video/x-flv": "flv",
    "video/mp2t": "ts",
    "application/dash+xml": "other",
}
_MAGIC: tuple[tuple[int, bytes, Kind], ...] = (
    (0, b"#EXTM3U", "hls"),
    (0, b"\xef\xbb\xbf#EXTM3U", "hls"),
    (0, b"FLV\x01", "flv"),
    (4, b"ftyp", "mp4"),
    (4, b"styp", "mp4"),
    (4, b"moof", "mp4"),
    (4, b"moov", "mp4"),
    (0, b"\x1aE\xdf\xa3", "other"),  # Matroska, WebM
    (0, b"OggS", "other"),
    (0, b"RIFF", "other"),
    (0, b"ID3", "other"),
    (0, b"fLaC", "other"),
)


def scheme_of(url: str) -> str:
    """The scheme in lower case. Raises: BadUrl when it is none that Ouzel reads."""
    scheme = urlsplit(url).scheme.lower()
    if scheme not in FFMPEG_SCHEMES | HTTP_SCHEMES:
        known = ", ".join(sorted(HTTP_SCHEMES) + sorted(FFMPEG_SCHEMES))
        raise BadUrl(f"{url[:200]!r} is not an address that can be recorded; the schemes are {known}")
    return scheme


def kind_of_bytes(first: bytes, content_type: str = "") -> Kind | None:
    """The kind by the first bytes (up to SNIFF_BYTES of them) and the content type; None when more bytes are needed.

    Raises: NotMedia for a page, an error document, an empty answer.
    """
    for offset, magic, kind in _MAGIC:
        if first[offset : offset + len(magic)] == magic:
            return kind
    if kind := _ts_or_audio(first):
        return kind
    text = first.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if text.startswith((b"<!doctype", b"<html", b"<head", b"<body")):
        raise NotMedia("the address gives a web page, not media")
    if text.startswith((b"<?xml", b"<mpd")):
        if b"<mpd" in text:
            return "other"
        if len(first) >= SNIFF_BYTES:
            raise NotMedia("the address gives an XML document, not media")
        return None
    if text.startswith((b"{", b"[")):
        raise not_media("the address gives a JSON document, not media", first)
    if len(first) < SNIFF_BYTES:
        return None
    return _TYPES.get(content_type.split(";", maxsplit=1)[0].strip().lower()) or _other(first, content_type)


def kind_of_rest(first: bytes, content_type: str = "") -> Kind:
    """As `kind_of_bytes`, when no more bytes will come. Raises: NotMedia."""
    if not first.strip():
        raise NotMedia("the address gives an empty answer")
    kind = kind_of_bytes(first, content_type)
    if kind is None and b"<mpd" in first.lower():
        return "other"
    if kind is None:
        raise not_media("the address gives no media that Ouzel knows", first)
    return kind


def not_media(what: str, first: bytes) -> NotMedia:
    """With the first characters of the answer, safe to show to whom they may be shown (`discreet`)."""
    text = first[:60].decode("utf-8", "replace")
    quoted = repr("".join(c if c.isprintable() else "\ufffd" for c in text))
    return NotMedia(what, begins=f": {quoted}")


@contextmanager
def discreet(scope: Scope) -> Generator[None]:
    """What is asked within is quoted only where everybody may read it: who names an address in our network, and may not
    reach it, learns nothing of what it answers.

    Args:
        scope: where the requests may go.
    """
    try:
        yield
    except NotMedia as exc:
        if scope != Scope.public():
            exc.keep_secret()
        raise


def _ts_or_audio(first: bytes) -> Kind | None:
    for size in (188, 192, 204):
        start = 4 if size == 192 else 0
        if len(first) > start + 2 * size and all(first[start + n * size] == 0x47 for n in range(3)):
            return "ts"
    if len(first) >= 2 and first[0] == 0xFF and first[1] & 0xE0 == 0xE0:
        return "other"  # ADTS or MPEG audio
    return None


def _other(first: bytes, content_type: str) -> Kind:
    if content_type.startswith(("video/", "audio/")) or content_type == "application/octet-stream":
        if b"\x47" in first[:188]:
            return "ts"  # out of step: the shaper finds the packets
        return "other"
    raise not_media(f"the address gives {content_type or 'no content type'}, not media", first)
