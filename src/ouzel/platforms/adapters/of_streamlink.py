"""streamlink: a session for each resolve, since sessions are shared state, with a transport that is watched.

What it knows of plugins is read once, and all sessions have it: to read it takes more time than all the rest.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from requests import PreparedRequest, Response
from requests.adapters import BaseAdapter
from streamlink.exceptions import PluginError
from streamlink.session.plugins import StreamlinkPlugins
from streamlink.session.session import Streamlink

from ouzel.base.errors import NeedsLogin, RegionLocked, ResolverFailed, SiteChanged
from ouzel.model.live import Answer, Live, Offline
from ouzel.model.stream import Stream
from ouzel.platforms.adapters import kept_headers
from ouzel.platforms.asking import Site
from ouzel.platforms.contract import AdapterName, Match, Options
from ouzel.platforms.cookies import keep, sites_of
from ouzel.platforms.expiry import expiry_of
from ouzel.platforms.tls import Transport
from ouzel.platforms.watch import Stopwatch, Watch, current, is_playlist

_ALIASES = frozenset({"best", "worst", "best-unfiltered", "worst-unfiltered"})
_ACCOUNTS = {"soop": "username", "steam": "email"}
"""Plugins that sign in, and what they call the name."""
_LET_IN = {"soop": ("/LoginAction.php", r'"RESULT":\s*"?1\b')}
"""Where such a plugin asks to be let in, and what the answer has then."""
_ADDRESS = re.compile(r"https?://\S+")
_PROTOCOLS = {"hls": "hls", "muxed-stream": "hls", "http": None, "dash": "ffmpeg"}


class _Watched(BaseAdapter):
    """Sees every request of a session, from whatever thread, whichever transport a plugin has chosen for it."""

    def __init__(self, transport: BaseAdapter, watch: Watch, agent: str) -> None:
        super().__init__()
        self._transport, self._watch, self._agent = transport, watch, agent

    def send(self, request: PreparedRequest, *args: Any, **kwargs: Any) -> Response:
        clock, watch = Stopwatch(), self._watch
        if self._agent:
            request.headers["User-Agent"] = self._agent  # plugins name themselves, too
        method, url = request.method or "GET", request.url or ""
        try:
            response = self._transport.send(request, *args, **kwargs)
        except Exception as exc:
            watch.failed(method, url, exc, took_s=clock.s)
            raise
        kind = response.headers.get("content-type", "")
        body = "" if kwargs.get("stream") and not is_playlist(url, kind) else response.text
        watch.answered(method, url, response.status_code, kind, body, took_s=clock.s)
        return response

    def close(self) -> None:
        self._transport.close()


class StreamlinkAdapter:
    """Any platform for which streamlink has a plugin."""

    name: AdapterName = "streamlink"

    def resolve(self, match: Match, site: Site, options: Options) -> Answer:
        session = _session(match, options)
        try:
            # not `resolve_url`, which keeps the last 128 sessions, with their cookies
            known = session.plugins.match_url(match.url)
            if known is None:
                raise ResolverFailed(f"streamlink has no plugin for {match.url}")
            plugin_name, plugin_class = known
            plugin = plugin_class(session, match.url, _account(plugin_name, options))
            try:
                found = plugin.streams()
                _check_login(plugin_name, options)
            except PluginError as exc:
                raise _meaning(exc, plugin_name) from exc
            identity = match.identity(next(iter(match.named.values()), match.url))
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


@cache
def _plugins() -> StreamlinkPlugins:
    return StreamlinkPlugins()


def _session(match: Match, options: Options) -> Streamlink:
    session = Streamlink(
        {"webbrowser": False, "http-timeout": options.timeout_s, "no-plugin-cache": True}, plugins_builtin=False
    )
    session.plugins = _plugins()
    http = session.http
    http.trust_env = False
    http.verify = options.verify_tls
    http.mount("https://", Transport(verify=options.verify_tls))
    watch, chosen = current(), http.get_adapter
    http.get_adapter = lambda url: _Watched(chosen(url), watch, options.user_agent)  # type: ignore[method-assign]
    if options.proxy:
        session.set_option("http-proxy", options.page_proxy)
    if options.user_agent:
        http.headers["User-Agent"] = options.user_agent
    keep(http.cookies, options.cookies, sites_of(match))
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
    text = _ADDRESS.sub("", str(exc)).lower()
    if any(word in text for word in ("login", "logged in", "password", "authent", "subscri")):
        return NeedsLogin(f"streamlink ({plugin}): {exc}")
    if any(word in text for word in ("geo", "region", "country", "territor")):
        return RegionLocked(f"streamlink ({plugin}): {exc}")
    return SiteChanged(f"streamlink ({plugin}): {exc}")


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
