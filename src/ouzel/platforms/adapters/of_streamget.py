"""streamget: knows many Chinese platforms that nobody else does, and turns failed requests into "offline".

Its one door to the network is `requests.async_http`, whose `httpx` is replaced by one that is watched, verifies certificates
and goes through the proxy that was asked for. What it says is believed only where none of its requests failed.
"""

from __future__ import annotations

import asyncio
import inspect
from contextvars import ContextVar
from types import SimpleNamespace
from typing import Any

import httpx
import streamget
from streamget.requests import async_http

from ouzel.base.errors import NeedsLogin, ResolverFailed, SiteChanged
from ouzel.model.live import Answer, Live, Offline
from ouzel.model.stream import Stream
from ouzel.platforms.asking import Site
from ouzel.platforms.contract import AdapterName, Match, Options
from ouzel.platforms.cookies import keep, site_of, sites_of
from ouzel.platforms.expiry import expiry_of
from ouzel.platforms.tls import context
from ouzel.platforms.watch import Stopwatch, current

_options: ContextVar[Options] = ContextVar("options")
_sites: ContextVar[frozenset[str]] = ContextVar("sites")
_LOGIN_WORDS = ("login", "log in", "cookie", "登录", "password", "19+", "adult", "token")


class _Watched(httpx.AsyncClient):
    """Sees every request."""

    def __init__(self, **_given: Any) -> None:
        options = _options.get()
        super().__init__(
            proxy=options.page_proxy or None,
            timeout=options.timeout_s,
            verify=context(verify=options.verify_tls),
            trust_env=False,
        )
        self._agent = options.user_agent
        self._cookies_given, self._sites = options.cookies, _sites.get()
        keep(self.cookies.jar, self._cookies_given, self._sites)

    async def send(self, request: httpx.Request, **given: Any) -> httpx.Response:
        clock, watch = Stopwatch(), current()
        given_away = self._cookies_given and self._cookies_given in request.headers.get("cookie", "")
        if given_away and site_of(request.url.host) not in self._sites:
            del request.headers["cookie"]
        if self._agent:
            request.headers["user-agent"] = self._agent
        try:
            response = await super().send(request, **given)
        except Exception as exc:
            watch.failed(request.method, str(request.url), exc, took_s=clock.s)
            raise
        kind = response.headers.get("content-type", "")
        watch.answered(request.method, str(response.url), response.status_code, kind, response.text, took_s=clock.s)
        return response


async_http.httpx = SimpleNamespace(AsyncClient=_Watched)  # type: ignore[attr-defined]


class StreamgetAdapter:
    """Any platform that names its class there."""

    name: AdapterName = "streamget"

    def resolve(self, match: Match, site: Site, options: Options) -> Answer:
        kind = getattr(streamget, match.platform.streamget, None)
        if kind is None:
            raise ResolverFailed(f"streamget has no {match.platform.streamget or match.platform.name}")
        token, sites = _options.set(options), _sites.set(sites_of(match))
        try:
            return asyncio.run(self._ask(kind, match, options))
        finally:
            _options.reset(token)
            _sites.reset(sites)

    async def _ask(self, kind: Any, match: Match, options: Options) -> Answer:
        given = inspect.signature(kind.__init__).parameters
        extra = {"username": options.login, "password": options.password} if options.login else {}
        asker = kind(cookies=options.cookies, **{k: v for k, v in extra.items() if k in given})
        try:
            data = await asker.fetch_web_stream_data(match.url)
            if not data:
                raise SiteChanged("streamget found nothing")
            told = await asker.fetch_stream_url(data, "OD")
        except Exception as exc:
            if not isinstance(exc, LookupError) and any(word in str(exc).lower() for word in _LOGIN_WORDS):
                raise NeedsLogin(f"streamget: {exc}") from exc
            raise
        identity = match.identity(next(iter(match.named.values()), match.url))
        anchor, title = told.anchor_name or "", told.title or ""
        if not told.is_live:
            return Offline(identity, anchor, title)
        return Live(identity, anchor, tuple(_streams(told, match, options)), title)


def adapter() -> StreamgetAdapter:
    return StreamgetAdapter()


def _streams(told: Any, match: Match, options: Options) -> list[Stream]:
    agent = (("User-Agent", options.user_agent),) if options.user_agent else ()
    protocols = {told.flv_url: "flv", told.m3u8_url: "hls"}
    addresses = dict.fromkeys(a for a in (told.record_url, told.flv_url, told.m3u8_url) if a)
    return [
        Stream(
            address,
            headers=(*agent, *match.platform.headers),
            proxy=options.proxy or None,
            protocol=protocols.get(address),  # type: ignore[arg-type]
            expires_at=expiry_of(address),
            label=told.quality or "",
            level="original",
        )
        for address in addresses
    ]
