"""Addresses as people paste them: what was meant, and which known host a strange one resembles. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection
from difflib import get_close_matches
from urllib.parse import unquote, urlsplit, urlunsplit

from ouzel.base.errors import BadUrl
from ouzel.base.urls import redact

_MOST_CHARACTERS = 4096
_UNSEEN = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]")
"""What chat programs put between letters: soft hyphens, joiners, marks of direction."""
_BEGINS = re.compile(r"(?:[a-z][a-z0-9+.-]*:|:)?/*[\w@:-]+(?:\.[\w-]+)+(?:[/:?#\\]|$)", re.IGNORECASE)
_WITHIN = re.compile(r"(?:[\s，,、。；;:：\"'<>（）【】「」]|[^\x00-\x7f])(?=https?:/)", re.IGNORECASE)
"""Where an address begins in a shared text, or behind a quality in a room list."""
_ENDS = re.compile(r"[\s，,、。；;\"'<>（）【】「」]|主播[:：]")
"""What cannot be in an address that people paste, and is found behind one in room lists."""
_WIDE = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)
_DAMAGED = re.compile(r"(?:h+t+p|t{1,2}p)(s?)(?::/*|/{2,})|:?/{2,}", re.IGNORECASE)
"""What people make of `https://`; and that itself."""
_USUAL_PORTS = {"http": {80, 443}, "https": {80, 443}}

_NEAR, _MOST_NEAR = 0.75, 3
"""Share of the letters of two hosts that agree, so that one may stand for the other; and how many are named."""
_ALIKE = str.maketrans("аеорсухіјѕһԁԛԝкмтвнԍοανρτυικχɡıɑ", "aeopcyxijshdqwkmtbhgoavptuikxgia")
"""Letters of other alphabets, and the Latin ones that they are taken for."""


def tidy(address: str) -> str:
    """An address as it was meant: with a scheme, without what was left around it in a text or a list.

    Scheme and host are in lower case, full-width characters are ordinary ones, the usual port is left out.

    Raises: BadUrl.
    """
    text = _UNSEEN.sub("", unicodedata.normalize("NFC", address)).strip()
    if len(text) > _MOST_CHARACTERS:
        raise BadUrl(f"an address of {len(text)} characters; at most {_MOST_CHARACTERS} are read")
    text = text.replace("&amp;", "&")
    if not _BEGINS.match(text) and (within := _WITHIN.search(text)):
        text = text[within.end() :]
    text = _ENDS.split(text, maxsplit=1)[0].translate(_WIDE).replace("\\", "/")
    if re.match(r"https?%3a", text, re.IGNORECASE):
        text = unquote(text)
    text = _with_scheme(text)
    try:
        parts = urlsplit(text)
        host = (parts.hostname or "").rstrip(".").lower()
        port = "" if parts.port in {None, *_USUAL_PORTS.get(parts.scheme, ())} else f":{parts.port}"
    except ValueError as exc:
        raise BadUrl(f"not an address: {redact(text)[:80]!r}") from exc
    if not host:
        raise BadUrl(f"an address without a host: {redact(text)[:80]!r}")
    user, at, _ = parts.netloc.rpartition("@")
    place = f"{user}{at}{f'[{host}]' if ':' in host else host}{port}"
    return urlunsplit((parts.scheme, place, re.sub("/{2,}", "/", parts.path), parts.query, parts.fragment))


def alike(host: str, known: Collection[str]) -> list[str]:
    """The known hosts that are spelt, or look, most like this one: few, the nearest first."""
    return get_close_matches(_skeleton(host).removeprefix("www."), known, _MOST_NEAR, _NEAR)


def resembles(host: str, known: Collection[str]) -> str | None:
    """The known host that this one may be taken for, or was meant to be; None when it is like none of them."""
    plain = _skeleton(host)
    shorter = plain.removeprefix("www.").removeprefix("m.")
    if shorter in known:
        return shorter
    return next(iter(get_close_matches(shorter, known, n=1, cutoff=0.86)), None)


def _with_scheme(text: str) -> str:
    """`https` where it has none; `https:/`, `https:`, `ttps://`, `https://https://` are repaired."""
    scheme = ""
    while damaged := _DAMAGED.match(text):
        if damaged[1] is not None:
            scheme = f"http{damaged[1].lower()}"
        text = text[damaged.end() :]
    return text if _SCHEME.match(text) else f"{scheme or 'https'}://{text}"


def _skeleton(host: str) -> str:
    """What it looks like, in Latin letters."""
    labels = [_decoded(label) for label in host.lower().split(".")]
    bare = (c for c in unicodedata.normalize("NFKD", ".".join(labels)) if not unicodedata.combining(c))
    return "".join(bare).translate(_ALIKE)


def _decoded(label: str) -> str:
    """Of `xn--…` what it stands for."""
    try:
        return label[4:].encode().decode("punycode") if label.startswith("xn--") else label
    except UnicodeError:
        return label
