"""Ways in and out: the port, and with `--online` the proxies and what others say the time is."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from ouzel.base.errors import BadOption, BadUrl, CannotListen, NetworkError, OuzelError, StorageError
from ouzel.base.urls import redact
from ouzel.config.settings import Settings
from ouzel.daemon.checkup.configuration import DIRECT
from ouzel.daemon.checkup.result import Result, error, ok, warning
from ouzel.daemon.lock import Holder, held_by
from ouzel.daemon.sockets import bind
from ouzel.system.clock import Clock
from ouzel.system.guard import Scope
from ouzel.system.http import HttpClient, Limits, Request

PAGES = (
    "http://connectivitycheck.gstatic.com/generate_204",
    "http://detectportal.firefox.com/success.txt",
    "http://www.baidu.com/robots.txt",
)
"""Asked in turn until one answers. Without TLS, since that does not work where the clock is far off."""
_MOST_BYTES = 64 * 1024
_LIMITS = Limits(connect_s=10.0, head_s=10.0, total_s=20.0)
_OFF_S, _FAR_OFF_S = 5.0, 300.0


def check_port(settings: Settings) -> Result:
    """Blocking. Where a daemon runs on the data folder, it has the port, and all is well."""
    try:
        holder = held_by(settings.storage.data)
    except StorageError:  # told of with the folder
        holder = False
    if holder:
        return ok("daemon_running", who=str(holder) if isinstance(holder, Holder) else "")
    try:
        with bind(settings.server.host, settings.server.port) as listening:
            return ok("port_free", address=listening.address)
    except CannotListen as exc:
        return error("port_refused", why=str(exc))


async def check_online(
    settings: Settings, http: HttpClient, clock: Clock, pages: Sequence[str] = PAGES
) -> AsyncIterator[Result]:
    """Asks some well-known pages, and through each proxy that is set."""
    yield await _compare_clocks(http, clock, pages)
    proxies = {settings.platforms.defaults.proxy, *(each.proxy for each in settings.platforms.tables.values())}
    for proxy in sorted(proxies - {"", DIRECT}):
        yield await _try_proxy(http, proxy, pages)


async def _compare_clocks(http: HttpClient, clock: Clock, pages: Sequence[str]) -> Result:
    why = ""
    for page in pages:
        try:
            date = await _date_of(http, page, None)
        except OuzelError as exc:
            why = str(exc)
            continue
        if date is None:
            continue
        off_s = round((clock.now() - date).total_seconds(), 1)
        about = {"page": page, "off_s": off_s}
        if abs(off_s) > _FAR_OFF_S:
            return error("clock_far_off", **about)
        return warning("clock_off", **about) if abs(off_s) > _OFF_S else ok("clock_agrees", **about)
    return warning("offline", why=why)


async def _try_proxy(http: HttpClient, proxy: str, pages: Sequence[str]) -> Result:
    about = {"proxy": redact(proxy)}
    why = ""
    for page in pages:
        try:
            await _date_of(http, page, proxy)
        except (NetworkError, BadOption, BadUrl) as exc:
            why = str(exc)
        else:
            return ok("proxy", **about)
    return error("proxy_refused", **about, why=why)


async def _date_of(http: HttpClient, page: str, proxy: str | None) -> datetime | None:
    """What time it is there; None: it does not say. Raises: as `HttpClient.fetch`."""
    answer = (
        await http.fetch(Request(page, proxy=proxy, scope=Scope.anywhere(), limits=_LIMITS), max_bytes=_MOST_BYTES)
    ).answer
    try:
        return parsedate_to_datetime(answer.headers.get("date") or "").astimezone(UTC)
    except ValueError:
        return None
