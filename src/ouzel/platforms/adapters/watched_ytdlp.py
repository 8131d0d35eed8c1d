"""yt-dlp's own object and its ways to the network, watched, kept to one site, and taught to trust whom we trust."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from io import BytesIO
from typing import Any, cast

import curl_cffi.requests
from yt_dlp import YoutubeDL
from yt_dlp.networking import Request, RequestHandler, Response
from yt_dlp.networking.exceptions import HTTPError

from ouzel.base.errors import SiteChanged
from ouzel.base.urls import redact
from ouzel.platforms.tls import ca_file
from ouzel.platforms.watch import Stopwatch, current, is_playlist


class Watched(YoutubeDL):  # type: ignore[misc]
    """Sees every request, from whatever thread, and keeps to one site."""

    def __init__(self, parameters: dict[str, Any], extractors: Mapping[str, Any]) -> None:
        self._watch = current()
        super().__init__(cast("Any", parameters), auto_init=False)
        self._ies = dict(extractors)  # it puts those in there that it has used

    def extract_info(self, url: str, download: bool = True, ie_key: str | None = None, *args: Any, **given: Any) -> Any:
        """Raises: SiteChanged where it would go on at another site."""
        fitting = [self._ies[ie_key]] if ie_key in self._ies else [] if ie_key else self._ies.values()
        if not any(each.suitable(url) for each in fitting):
            raise SiteChanged(f"yt-dlp would go on at another site: {redact(url).split('?')[0]}")
        return super().extract_info(url, download, ie_key, *args, **given)

    def run_all_pps(self, key: str, info: Any, *, additional_pps: Any = None) -> Any:
        """Nothing is done with what was found, and no table of it is printed."""
        return info

    def urlopen(self, req: Any) -> Response:
        clock, watch = Stopwatch(), self._watch
        url = req if isinstance(req, str) else req.url
        method = req.method if isinstance(req, Request) else "GET"
        try:
            response = super().urlopen(cast("Any", req))
        except HTTPError as exc:
            exc.response = self._noted(method, exc.response, clock)
            raise
        except Exception as exc:
            watch.failed(method, url, exc, took_s=clock.s)
            raise
        return self._noted(method, response, clock)

    def _noted(self, method: str, response: Response, clock: Stopwatch) -> Response:
        """Read, and as it was before, whichever way it came; from where redirects have led."""
        url = response.url
        kind = response.headers.get("content-type", "")
        if kind.startswith(("video/", "audio/")) and not is_playlist(url, kind):
            self._watch.answered(method, url, response.status, kind, "", took_s=clock.s)
            return response
        data = response.read()
        self._watch.answered(method, url, response.status, kind, data.decode("utf-8", "replace"), took_s=clock.s)
        return Response(
            BytesIO(data),
            response.url,
            cast("Mapping[str, str]", response.headers),
            response.status,
            response.reason,
            response.extensions,
        )


class _Browser(curl_cffi.requests.Session[Any]):
    """As a browser greets: with our authorities, and without threads left behind."""

    def request(self, *args: Any, **given: Any) -> Any:
        if given.get("verify") is True:
            given["verify"] = ca_file() or True
        return cast("Any", super()).request(*args, **given)

    def close(self) -> None:
        super().close()
        self.executor.shutdown()


def _browser(_handler: Any, cookiejar: Any = None) -> _Browser:
    return _Browser(cookies=cookiejar)


def _teach() -> None:
    """yt-dlp's way to curl_cffi our sessions; and to close them, which it does not."""
    try:
        handler: Any = import_module("yt_dlp.networking._curlcffi").CurlCFFIRH
    except ImportError:
        return  # a release that does not go with our curl_cffi: it does without, and says so where a site asks for it
    handler._create_instance, handler.close = _browser, handler._clear_instances


def _remember() -> None:
    """Teach it to read the authorities that are trusted once, and not for each object."""
    made: dict[tuple[object, ...], Any] = {}
    handler: Any = RequestHandler
    make = handler._make_sslcontext

    def remembered(self: Any, legacy_ssl_support: bool | None = None) -> Any:
        key = (self.verify, self.legacy_ssl_support, self.prefer_system_certs, legacy_ssl_support, ca_file())
        if key not in made:
            made[key] = make(self, legacy_ssl_support=legacy_ssl_support)
        return made[key]

    handler._make_sslcontext = remembered


_teach()
_remember()
