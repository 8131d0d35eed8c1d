"""yt-dlp: one object for each resolve, whose requests are watched.

It is made with the extractors of one site alone. To make it with all 1,750 takes most of the time, and lets it go on, from a
page that it does not understand, to another site's extractor or to the generic one, whose answers are guesses.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from traceback import walk_tb
from typing import Any, cast

from yt_dlp.extractor import gen_extractor_classes
from yt_dlp.utils import DownloadError, ExtractorError, GeoRestrictedError, UnsupportedError, UserNotLive

from ouzel.base.errors import Blocked, ChannelGone, NeedsLogin, RegionLocked, ResolverFailed, SiteChanged, SiteError
from ouzel.model.live import Answer, Live, Offline, Vod
from ouzel.model.stream import Stream
from ouzel.platforms.adapters import kept_headers
from ouzel.platforms.adapters.watched_ytdlp import Watched
from ouzel.platforms.asking import Site
from ouzel.platforms.contract import AdapterName, Match, Options
from ouzel.platforms.cookies import keep, sites_of
from ouzel.platforms.expiry import expiry_of
from ouzel.platforms.javascript import deno

_NOT_LIVE = re.compile(
    r"not (?:currently )?live|is (?:currently )?offline|isn't live|has ended|no longer live", re.IGNORECASE
)
_MEANINGS: tuple[tuple[re.Pattern[str], type[SiteError]], ...] = tuple(
    (re.compile(words, re.IGNORECASE), kind)
    for words, kind in (
        (r"captcha|rate.?limit|too many|not a bot|ip address .* blocked", Blocked),
        (r"sign in|\blog ?in|logged|account|\bage\b|password|private|members|subscri|purchase", NeedsLogin),
        (r"\bgeo|\bcountry|\bregion|\blocation", RegionLocked),
        (r"not exist|not found|removed|banned|terminated|suspended|unavailable|deleted|no such", ChannelGone),
    )
)

_SIGNS_IN = frozenset({"_perform_login", "_get_token"})
"""Functions of extractors."""


_found: dict[str, Mapping[str, Any]] = {}
"""The extractors of platforms that were asked for: finding them takes a second, of which most is for the first."""


class YtDlpAdapter:
    """Any platform that yt-dlp has an extractor for."""

    name: AdapterName = "yt-dlp"

    def resolve(self, match: Match, site: Site, options: Options) -> Answer:
        heard = _Heard()
        with Watched(_parameters(options, heard), _extractors(match.platform.name, match.url)) as ydl:
            keep(ydl.cookiejar, options.cookies, sites_of(match))
            try:
                info = ydl.extract_info(match.url, download=False)
            except DownloadError as exc:
                cause = exc.exc_info[1] if exc.exc_info else exc
                if isinstance(cause, UserNotLive) or (_is_expected(cause) and _NOT_LIVE.search(str(cause))):
                    return Offline(match.identity(next(iter(match.named.values()), match.url)))
                if options.login and _was_signing_in(exc.__context__):
                    raise NeedsLogin(f"yt-dlp: the account is not let in: {_said(exc.__context__)}") from exc
                raise _meaning(cause) from exc
        if not info:
            raise SiteChanged("yt-dlp found nothing")
        return _answer(match, cast("Mapping[str, Any]", info), options, heard)


def adapter() -> YtDlpAdapter:
    return YtDlpAdapter()


def _extractors(platform: str, url: str) -> Mapping[str, Any]:
    """By their keys, the one that knows this address, and those that yt-dlp keeps beside it, for the same site.

    Raises: ResolverFailed when there is none.
    """
    found = _found.get(platform, {})
    if not any(each.suitable(url) for each in found.values()):
        known = [each for each in gen_extractor_classes() if each.ie_key() != "Generic"]
        first = next((each for each in known if each.suitable(url)), None)
        if first is None:
            raise ResolverFailed(f"yt-dlp has no extractor for {url}")
        _found[platform] = found = {each.ie_key(): each for each in known if _home(each) == _home(first)}
    return found


def _home(extractor: Any) -> str:
    """The module, or the package, where yt-dlp keeps what it knows of a site."""
    return ".".join((getattr(extractor, "_module", None) or extractor.__module__).split(".")[:3])


def _parameters(options: Options, heard: _Heard) -> dict[str, Any]:
    account = {"username": options.login, "password": options.password} if options.login else {}
    agent = {"http_headers": {"User-Agent": options.user_agent}} if options.user_agent else {}
    return {
        **account,
        **agent,
        "quiet": True,
        "no_warnings": True,
        "noprogress": True,
        "cachedir": False,
        "proxy": options.page_proxy,
        "socket_timeout": options.timeout_s,
        "nocheckcertificate": not options.verify_tls,
        "compat_opts": {"no-certifi"},
        "ignore_no_formats_error": True,
        "logger": heard,
        "playlist_items": "1",
        "js_runtimes": {"deno": {"path": deno()}},
        "extractor_retries": 0,
        "retries": 0,
    }


_WHOLE = frozenset({"https", "http", "m3u8", "m3u8_native"})
_SOUND_OF = {"mp4": "m4a", "webm": "webm"}


def _answer(match: Match, info: Mapping[str, Any], options: Options, heard: _Heard) -> Answer:
    identity = match.identity(next(iter(match.named.values()), match.url))
    anchor = info.get("uploader") or info.get("channel") or info.get("creator") or ""
    title = info.get("fulltitle") or info.get("title") or ""  # it writes the time behind the title of what is on air
    status = info.get("live_status")
    formats: Sequence[Mapping[str, Any]] = info.get("formats") or ([info] if info.get("url") else [])
    streams = tuple(_streams(formats, options))
    if status == "is_upcoming":
        begins = info.get("release_timestamp")
        return Offline(identity, anchor, title, datetime.fromtimestamp(begins, UTC) if begins else None)
    over = status in {"not_live", "was_live"} or (status is None and not info.get("is_live"))
    if over and not streams:
        streams = _apart(formats, options)
    if not streams and heard.is_over():
        return Offline(identity, anchor, title)
    if not streams:
        raise heard.why()
    if info.get("is_live") or status == "is_live":
        began = info.get("release_timestamp") or info.get("timestamp")
        return Live(
            identity,
            anchor,
            streams,
            title,
            next(iter(info.get("categories") or ()), ""),
            info.get("thumbnail") or "",
            datetime.fromtimestamp(began, UTC) if began else None,
            str(info.get("id") or ""),
        )
    if all(stream.sound is None for stream in streams):
        streams = (*_apart(formats, options), *streams)
    return Vod(identity, anchor, streams, title, info.get("thumbnail") or "", info.get("duration"))


def _streams(formats: Sequence[Mapping[str, Any]], options: Options) -> list[Stream]:
    """The best first; those with picture and sound, then sound alone."""
    both = [f for f in formats if f.get("vcodec") != "none" and f.get("acodec") != "none"]
    sound = [f for f in formats if f.get("vcodec") == "none" and f.get("acodec") != "none"]
    return [_stream(each, options) for each in (*reversed(both), *reversed(sound)) if each.get("url")]


def _apart(formats: Sequence[Mapping[str, Any]], options: Options) -> tuple[Stream, ...]:
    """Of a video that is over: pictures alone, the best first, each with the sound that a file of its container takes.

    The site's manifests are left to who can read them: of these only files and playlists.
    """
    whole = [each for each in formats if each.get("url") and each.get("protocol") in _WHOLE and not each.get("has_drm")]
    sounds = [each for each in reversed(whole) if each.get("vcodec") == "none" and each.get("acodec") != "none"]
    pictures = [each for each in reversed(whole) if each.get("acodec") == "none" and each.get("vcodec") != "none"]
    if not sounds:
        return ()

    def sound_for(picture: Mapping[str, Any]) -> Mapping[str, Any]:
        kind = _SOUND_OF.get(str(picture.get("ext")))
        return next((each for each in sounds if each.get("ext") == kind), sounds[0])

    return tuple(replace(_stream(each, options), sound=_stream(sound_for(each), options)) for each in pictures)


def _stream(found: Mapping[str, Any], options: Options) -> Stream:
    protocol = str(found.get("protocol") or "")
    headers = kept_headers(found.get("http_headers"))
    if found.get("cookies"):
        pairs = re.findall(r"(?:^|; )([^=;]+=[^;]*)(?=; Domain)", found["cookies"])
        headers += (("Cookie", "; ".join(pairs)),) if pairs else ()
    rate = found.get("tbr")
    return Stream(
        found.get("manifest_url") if "dash" in protocol else found["url"],  # type: ignore[arg-type]
        headers=headers,
        proxy=options.proxy or None,
        protocol="hls" if "m3u8" in protocol else "ffmpeg" if "dash" in protocol else None,
        expires_at=expiry_of(found["url"]),
        label=str(found.get("format_note") or found.get("format_id") or ""),
        level="audio" if found.get("vcodec") == "none" else None,
        height=found.get("height"),
        fps=found.get("fps"),
        bitrate_bps=int(rate * 1000) if rate else None,
        codec=_codec(str(found.get("vcodec") or "")),
    )


def _codec(name: str) -> str:
    kinds = {
        "avc": "h264",
        "h264": "h264",
        "hev": "hevc",
        "hvc": "hevc",
        "h265": "hevc",
        "av01": "av1",
        "vp09": "vp9",
        "vp9": "vp9",
    }
    return next((kind for start, kind in kinds.items() if name.startswith(start)), "")


def _was_signing_in(exc: BaseException | None) -> bool:
    """Whether the site said so where an extractor signs in: in which words, is its own affair. That a request failed is none."""
    said = isinstance(exc, ExtractorError) and exc.expected and exc.cause is None
    trace = exc.__traceback__ if exc is not None and said else None
    return any(frame.f_code.co_name in _SIGNS_IN for frame, _ in walk_tb(trace))


def _said(exc: BaseException | None) -> str:
    return str(getattr(exc, "orig_msg", None) or exc)[:300]


def _is_expected(exc: BaseException | None) -> bool:
    """Whether the site said so, and not yt-dlp stumbled."""
    return isinstance(exc, ExtractorError) and exc.expected


def _meaning(exc: BaseException | None) -> SiteError:
    words = _said(exc)
    if isinstance(exc, GeoRestrictedError):
        return RegionLocked(f"yt-dlp: {words}")
    if isinstance(exc, UnsupportedError):
        return ResolverFailed(f"yt-dlp has no extractor for it: {words}")
    return _words(words) if _is_expected(exc) else SiteChanged(f"yt-dlp: {words}")


def _words(said: str) -> SiteError:
    kind = next((kind for pattern, kind in _MEANINGS if pattern.search(said)), SiteChanged)
    told = re.split(r"\.? Use --|; please report", said)[0]
    return kind(f"yt-dlp: {told[:300]}")


class _Heard:
    """What it would have shown. Why there are no streams comes as a warning, since announced broadcasts have none either."""

    def __init__(self) -> None:
        self.warnings: list[str] = []

    def is_over(self) -> bool:
        return any(_NOT_LIVE.search(text) for text in self.warnings)

    def why(self) -> SiteError:
        """Of the warnings, which are about many things, the last that tells of access."""
        errors = [_words(text) for text in reversed(self.warnings)]
        found = next((error for error in errors if not isinstance(error, SiteChanged)), None)
        return found or SiteChanged("yt-dlp found a page without any stream")

    def debug(self, _text: str) -> None: ...
    def info(self, _text: str) -> None: ...
    def error(self, _text: str) -> None: ...
    def warning(self, text: str) -> None:
        self.warnings.append(text)
