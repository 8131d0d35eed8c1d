"""What one call of `ouzel record` is to do: its options, checked before anything is opened."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeVar

from ouzel.base.errors import BadOption, BadUrl, SchemeRefused
from ouzel.base.headers import away_from_home
from ouzel.base.units import parse_duration, parse_size
from ouzel.base.urls import parse_url, redact
from ouzel.cli.access_options import AccessWords, read_cookie_file
from ouzel.cli.target import read_target
from ouzel.engine.finish import FormatWish
from ouzel.engine.names import Target
from ouzel.engine.policy import Policy
from ouzel.engine.sources.detect import FFMPEG_SCHEMES, HTTP_SCHEMES
from ouzel.engine.tape import TapeLimits
from ouzel.model.choice import CODECS, Taste
from ouzel.model.stream import Stream
from ouzel.system.http.given import read_proxy

if TYPE_CHECKING:
    from ouzel.cli.access import Access, PageAccess
    from ouzel.config.settings import PlatformSettings

_MAX_URLS = 1000
_DIRECT = (".m3u8", ".m3u", ".flv", ".ts", ".mp4", ".mpd", ".mkv", ".webm", ".mp3", ".aac", ".m4a", ".m4s")
"""Endings of paths that no page has."""
_SCHEMES = HTTP_SCHEMES | FFMPEG_SCHEMES
_CODEC_NAMES = {"avc": "h264", "h.264": "h264", "h265": "hevc", "h.265": "hevc"}
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_T = TypeVar("_T", int, float)

CookieFinder = Callable[[str], str | None]


@dataclass(frozen=True, slots=True)
class Options:
    """The words of the command line."""

    urls: tuple[str, ...]
    output: str | None
    template: str
    format_: str | None
    keep_original: bool
    quality: str
    duration: str | None
    split_after: str | None
    split_size: str | None
    from_start: bool
    headers: tuple[str, ...]
    wait: bool
    min_free: str
    park: str
    access: AccessWords = field(default_factory=AccessWords)
    codecs: str | None = None
    refused_codecs: str | None = None
    cdn: str | None = None
    keep_ads: bool = False


@dataclass(frozen=True, slots=True)
class Job:
    """What is to be recorded, and how."""

    streams: tuple[Stream, ...]
    cookies: tuple[CookieFinder, ...]
    """For each stream what finds the Cookie header for an address."""
    target: Target
    wish: FormatWish
    limits: TapeLimits
    policy: Policy
    wait: bool
    from_start: bool
    pages: Mapping[str, PageAccess]
    """Those of the addresses that are pages of platforms, and who asks there."""
    tastes: Mapping[str, Taste]
    """Which of each page's streams."""
    access: Access | None
    """Of the pages; it may have warnings."""
    keep_ads: bool


def read_job(options: Options) -> Job:
    """Raises: BadUrl, BadOption, BadConfig, OutputExists."""
    pages = {url: page for url in options.urls if (page := _page(url.strip()))}
    urls = [pages.get(url) or _address(url) for url in options.urls]
    if len(urls) > _MAX_URLS:
        raise BadOption(f"{len(urls)} addresses are too many for one call; the most is {_MAX_URLS}")
    if len(set(urls)) != len(urls):
        twice = next(url for url in urls if urls.count(url) > 1)
        raise BadOption(f"the same address is given twice: {redact(twice)}")
    limits = TapeLimits(
        split_after_s=_positive(options.split_after, parse_duration, "--split-after"),
        split_bytes=_positive(options.split_size, parse_size, "--split-size"),
        duration_s=_positive(options.duration, parse_duration, "--duration"),
    )
    target, wish = _target(options, several=len(urls) > 1, limits=limits)
    _check_taste(options)
    if pages and len(pages) == len(urls):
        _check_page_headers(options)
    streams = tuple(_stream(url, options) for url in urls)
    access = _access(options.access) if pages or options.access.config else None
    asking = {url: access.of(url) for url in pages.values()} if access else {}
    return Job(
        streams=streams,
        cookies=tuple(_cookies(stream, options.access, asking.get(stream.url)) for stream in streams),
        target=target,
        wish=wish,
        limits=limits,
        policy=Policy(park_s=parse_duration(options.park), min_free_bytes=parse_size(options.min_free)),
        wait=options.wait,
        from_start=options.from_start,
        pages=asking,
        tastes={url: _taste(options, given.settings) for url, given in asking.items()},
        access=access,
        keep_ads=options.keep_ads,
    )


def _stream(url: str, options: Options) -> Stream:
    headers = tuple(read_header(text) for text in options.headers)
    access = options.access
    if access.user_agent:
        headers = (*headers, read_header(f"User-Agent: {access.user_agent}"))
    proxy = read_proxy(access.proxy, "--proxy") or None
    return Stream(url, headers, proxy, not access.insecure, quality=options.quality)


def _check_page_headers(options: Options) -> None:
    """Where it would not be sent anywhere. Raises: BadOption."""
    given = tuple(read_header(text) for text in options.headers)
    for name, _ in set(given) - set(away_from_home(given)):
        instead = ": give --cookies FILE" if name.lower() == "cookie" else ""
        raise BadOption(
            f"the header {name} goes to the host of an address only, and the media of a page are elsewhere{instead}"
        )


def _check_taste(options: Options) -> None:
    """Raises: BadOption."""
    preferred, refused = _codecs(options.codecs, "--codec"), _codecs(options.refused_codecs, "--refuse-codec")
    if both := set(preferred) & set(refused):
        raise BadOption(f"{', '.join(sorted(both))} cannot be both preferred and refused")


def _taste(options: Options, own: PlatformSettings) -> Taste:
    """Of one page. What the command line prefers is not refused by a setting, nor the other way round."""
    preferred, refused = _codecs(options.codecs, "--codec"), _codecs(options.refused_codecs, "--refuse-codec")
    usual = preferred or own.codecs or Taste().codecs
    return Taste(
        options.quality,
        tuple(codec for codec in usual if codec not in refused),
        refused or tuple(codec for codec in own.refuse_codecs if codec not in preferred),
        options.cdn or own.cdn,
    )


def _codecs(text: str | None, option: str) -> tuple[str, ...]:
    """`h265, AVC` is hevc and h264. Raises: BadOption."""
    named = [word.strip().lower() for word in (text or "").split(",") if word.strip()]
    if text is not None and not named:
        raise BadOption(f"{option} names no codec; there are {', '.join(CODECS)}")
    for word in named:
        if word not in CODECS and word not in _CODEC_NAMES:
            raise BadOption(f"{option}: {word[:20]} is no codec of pictures; there are {', '.join(CODECS)}")
    return tuple(dict.fromkeys(_CODEC_NAMES.get(word, word) for word in named))


def _target(options: Options, *, several: bool, limits: TapeLimits) -> tuple[Target, FormatWish]:
    numbered = limits.split_after_s is not None or limits.split_bytes is not None
    target, ending = read_target(options.output, template=options.template, several=several, numbered=numbered)
    wish = options.format_.lower() if options.format_ else None
    if ending and wish and ending != wish:
        raise BadOption(f"{options.output} ends in .{ending}, but --format says {wish}")
    return target, FormatWish(wish or ending, options.keep_original)


def _address(text: str) -> str:
    """The address, if it can be recorded at all. Raises: BadUrl."""
    url = text.strip()
    try:
        parse_url(url, schemes=_SCHEMES)
    except SchemeRefused:
        known = ", ".join([*sorted(HTTP_SCHEMES), *sorted(FFMPEG_SCHEMES)])
        scheme = url.partition(":")[0][:20]
        raise BadUrl(f"{scheme}: is no scheme that can be recorded; there are {known}") from None
    return url


def read_address(text: str) -> tuple[str, bool]:
    """The address, and whether it is a page of a platform. Raises: BadUrl."""
    page = _page(text.strip())
    return (page, True) if page else (_address(text), False)


def _page(url: str) -> str | None:
    """The address of a platform's page, tidied up; None for what is to be recorded as it is."""
    if ("://" in url and not url.startswith(("http://", "https://"))) or url.partition("?")[0].lower().endswith(
        _DIRECT
    ):
        return None
    from ouzel.cli.pages import page_address  # and with it all platforms

    return page_address(url)


def read_header(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    if not colon or not _HEADER_NAME.fullmatch(name.strip()):
        raise BadOption("a header is written as 'Name: value'")  # and not shown: it may hold a secret
    if any(c in value for c in "\r\n\0"):
        raise BadOption(f"a header is written as 'Name: value', on one line; {name.strip()} is not")
    return name.strip(), value.strip()


def _positive(text: str | None, parse: Callable[[str], _T], option: str) -> _T | None:
    if text is None:
        return None
    value = parse(text)
    if value <= 0:
        raise BadOption(f"{option} must be more than nothing, not {text!r}")
    return value


def _access(words: AccessWords) -> Access:
    from ouzel.cli.access import Access  # and with it all platforms

    return Access(words)


def _cookies(stream: Stream, words: AccessWords, page: PageAccess | None) -> CookieFinder:
    if page is not None:
        jar = page.jar
    elif words.cookies is not None:
        jar = read_cookie_file(words.cookies, host=parse_url(stream.url, schemes=_SCHEMES).host)
    else:
        return lambda _url: None
    return lambda url: jar.header(url, datetime.now(UTC))
