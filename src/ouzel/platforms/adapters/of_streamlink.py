"""streamlink: a session for each resolve, since sessions are shared state, with a transport that is watched."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from requests import PreparedRequest, Response
from requests.adapters import BaseAdapter
from streamlink.exceptions import NoPluginError, PluginError
from streamlink.session.session import Streamlink

from ouzel.base.errors import NeedsLogin, RegionLocked, ResolverFailed, SiteChanged
from ouzel.model.live import Answer, Live, Offline
from ouzel.model.stream import Stream
from ouzel.platforms.adapters import kept_headers
from ouzel.platforms.asking import Site, ca_file
from ouzel.platforms.contract import AdapterName, Match, Options
from ouzel.platforms.expiry import expiry_of
from ouzel.platforms.watch import Stopwatch, Watch, current

_ALIASES = frozenset({"best", "worst", "best-unfiltered", "worst-unfiltered"})
_MUTE = frozenset({"douyin", "huya"})
"""They find nothing, and say nothing, in a page that they do not understand; of a channel that is off air they know the name."""
_GOES_ON = {"douyu": "getEncryption"}
"""What they ask for only when they know of a channel that it is on air: who finds nothing after it has failed."""
_ACCOUNTS = {"soop": "username", "steam": "email"}
"""Plugins that sign in, and what they call the name."""
_LET_IN = {"soop": ("/LoginAction.php", r'"RESULT":\s*"?1\b')}
"""Where such a plugin asks to be let in, and what the answer has then."""
_PROTOCOLS = {"hls": "hls", "muxed-stream": "hls", "http": None, "dash": "ffmpeg"}


class _Watched(BaseAdapter):
    """Sees every request of a session, from whatever thread, whichever transport a plugin has chosen for it."""

    def __init__(self, transport: BaseAdapter, watch: Watch) -> None:
        super().__init__()
        self._transport, self._watch = transport, watch

    def send(self, request: PreparedRequest, *args: Any, **kwargs: Any) -> Response:
        clock, watch = Stopwatch(), self._watch
        method, url = request.method or "GET", request.url or ""
        try:
            response = self._transport.send(request, *args, **kwargs)
        except Exception as exc:
            watch.failed(method, url, exc, took_s=clock.s)
            raise
        kind = response.headers.get("content-type", "")
        body = "" if kwargs.get("stream") and "mpegurl" not in kind else response.text
        watch.answered(method, url, response.status_code, kind, body, took_s=clock.s)
        return response

    def close(self) -> None:
        self._transport.close()


class StreamlinkAdapter:
    """Any platform for which streamlink has a plugin."""

    name: AdapterName = "streamlink"

    def resolve(self, match: Match, site: Site, options: Options) -> Answer:
        session = _session(options)
        try:
            try:
                plugin_name, plugin_class, url = session.resolve_url(match.url, follow_redirect=False)
            except NoPluginError:
                raise ResolverFailed(f"streamlink has no plugin for {match.url}") from None
            plugin = plugin_class(session, url, _account(plugin_name, options))
            try:
                found = plugin.streams()
                _check_login(plugin_name, options)
                _doubt(found, plugin_name, plugin)
            except PluginError as exc:
                raise _meaning(exc, plugin_name) from exc
            identity = match.identity(next(iter(match.named.values()), url))
            if not found:
                return Offline(identity, plugin.author or "", plugin.title or "")
            names = sorted(found.keys() - _ALIASES, key=plugin.stream_weight, reverse=True)
            streams = tuple(_stream(name, found[name], options) for name in names)
            return Live(
                identity,
                plugin.get_author() or "",  # some ask the site for it only now
                tuple(s for s in streams if s),
                plugin.get_title() or "",
                plugin.get_category() or "",
                broadcast=str(plugin.get_id() or ""),  # of what is on air, with nearly all plugins; not of the channel
            )
        finally:
            session.http.close()


def adapter() -> StreamlinkAdapter:
    return StreamlinkAdapter()


def _session(options: Options) -> Streamlink:
    session = Streamlink({"webbrowser": False, "http-timeout": options.timeout_s, "no-plugin-cache": True})
    http = session.http
    http.trust_env = False
    http.verify = (ca_file() or True) if options.verify_tls else False
    watch, chosen = current(), http.get_adapter
    http.get_adapter = lambda url: _Watched(chosen(url), watch)  # type: ignore[method-assign]
    if options.proxy:
        session.set_option("http-proxy", options.page_proxy)
    if options.user_agent:
        http.headers["User-Agent"] = options.user_agent
    if options.cookies:
        http.headers["Cookie"] = options.cookies
    return session


def _account(plugin: str, options: Options) -> dict[str, str]:
    """The account in the plugin's own words."""
    if not options.login or plugin not in _ACCOUNTS:
        return {}
    return {_ACCOUNTS[plugin]: options.login, "password": options.password}


def _check_login(plugin: str, options: Options) -> None:
    """Raises: NeedsLogin when the site has refused the account, of which the plugin has only made a note."""
    if options.login and plugin in _LET_IN:
        place, pattern = _LET_IN[plugin]
        asked = [exchange for exchange in current().seen if place in exchange.evidence.url]
        if asked and not any(exchange.says((pattern,)) for exchange in asked):
            raise NeedsLogin(f"streamlink ({plugin}): the site does not let the account in")


def _meaning(exc: PluginError, plugin: str) -> NeedsLogin | RegionLocked | SiteChanged:
    text = str(exc).lower()
    if any(word in text for word in ("login", "logged in", "password", "authent", "subscri")):
        return NeedsLogin(f"streamlink ({plugin}): {exc}")
    if any(word in text for word in ("geo", "region", "country", "territor")):
        return RegionLocked(f"streamlink ({plugin}): {exc}")
    return SiteChanged(f"streamlink ({plugin}): {exc}")


def _doubt(found: object, name: str, plugin: Any) -> None:
    """Raises: SiteChanged when a plugin that found nothing may not have understood."""
    if not found and name in _MUTE and not plugin.author:
        raise SiteChanged(f"streamlink ({name}) found neither streams nor whose channel it is")
    mark = _GOES_ON.get(name)
    if not found and mark and any(mark in evidence.url for evidence in current().evidence):
        raise SiteChanged(f"streamlink ({name}) found no streams in a channel that is on air")


def _stream(name: str, found: Any, options: Options) -> Stream | None:
    data: Mapping[str, Any] = json.loads(found.json)
    try:
        url = found.to_manifest_url() if hasattr(found, "to_manifest_url") and not data.get("url") else found.to_url()
    except TypeError:
        return None
    headers = kept_headers(data.get("headers"))
    return Stream(
        url,
        headers=headers,
        proxy=options.proxy or None,
        protocol=_PROTOCOLS.get(data.get("type", "")),  # type: ignore[arg-type]
        expires_at=expiry_of(url),
        label=name,
    )
