"""How our own code for a site asks it: one call for one request, watched, with an error that says what was wrong."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Generator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import TYPE_CHECKING, Any, TypeVar, cast, overload
from urllib.parse import quote, urlsplit

from ouzel.base.errors import SiteChanged
from ouzel.platforms.cookies import pairs_of, site_of
from ouzel.platforms.watch import Stopwatch, Watch

if TYPE_CHECKING:
    from ouzel.platforms.contract import Options
    from ouzel.platforms.keeping import Drawer

T = TypeVar("T")
USER_AGENT = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36"
)
_UNFIT = re.compile(r"[^\x21-\x7e]+|[\"<>\\^`{|}]")
_BEYOND_ASCII = re.compile(r"[^\x20-\x7e]+")
_MOST_BYTES = 16 * 1024 * 1024
_REDIRECTS = 8
_IN_MS = 100_000_000_000
"""Seconds in the year 5138, milliseconds in 1973: what is more is told in milliseconds."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer, whole."""

    status: int
    url: str
    """After redirects."""
    content_type: str
    text: str
    cookies: Mapping[str, str]
    headers: Mapping[str, str]
    content: bytes = b""
    """What `text` was read from."""

    def json(self) -> Any:
        """Raises: SiteChanged when it is none."""
        try:
            return json.loads(self.text)
        except ValueError:
            what = "an HTML page" if self.text.lstrip()[:1] == "<" else "no JSON" if self.text.strip() else "nothing"
            raise SiteChanged(f"{self.url.split('?')[0]} answered with {what}") from None

    def find(self, pattern: str, what: str) -> str:
        """The first group of a pattern. Raises: SiteChanged when it is not in the answer."""
        found = re.search(pattern, self.text, re.DOTALL)
        if found is None:
            raise SiteChanged(f"{self.url.split('?')[0]} has no {what} any more")
        return found[1]


class Site:
    """A site, to be asked. For one thread; to be closed."""

    def __init__(
        self, watch: Watch, options: Options, *, browser_tls: bool = False, drawer: Drawer | None = None
    ) -> None:
        """`drawer`: of the platform and the account; None: nothing is kept."""
        self.options = options
        self._watch = watch
        self._browser_tls = browser_tls
        self._drawer = drawer
        self._tokens: dict[str, str] = {}
        self._session: Any = None

    def get(
        self,
        url: str,
        *,
        params: Mapping[str, object] | None = None,
        headers: Mapping[str, str] | None = None,
        accept: Collection[int] = (),
        saying: str = "",
        redirects: bool = True,
        bare: bool = False,
    ) -> Reply:
        """`bare`: without the user's cookies, for a host that is not the site's own. `saying`: a pattern without which a status
        to `accept` is a fault as it is elsewhere.

        Raises: NetworkError; Blocked, NeedsLogin, RegionLocked, ChannelGone, ServerTrouble, SiteChanged by the answer, unless its
            status is one to `accept`.
        """
        return self._ask(
            "GET", url, params=params, headers=headers, accept=accept, saying=saying, redirects=redirects, bare=bare
        )

    def post(
        self,
        url: str,
        *,
        params: Mapping[str, object] | None = None,
        form: Mapping[str, object] | None = None,
        body: object = None,
        data: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        accept: Collection[int] = (),
    ) -> Reply:
        """`form`: fields; `body`: JSON; `data`: as it is. Raises: as `get`."""
        return self._ask("POST", url, params=params, headers=headers, accept=accept, form=data or form, body=body)

    def kept(self, name: str) -> str | None:
        """A token that the site gave to this account through this proxy, and that is still good; None: there is none."""
        return self._tokens.get(name) or (self._drawer.kept(name) if self._drawer else None)

    def keep(self, name: str, value: str, valid_s: float) -> None:
        """For later resolves. One of the same name is replaced."""
        self._tokens[name] = value
        if self._drawer:
            self._drawer.keep(name, value, valid_s)

    def forget(self, name: str) -> None:
        self._tokens.pop(name, None)
        if self._drawer:
            self._drawer.forget(name)

    def tokens(self, name: str, valid_s: float, make: Callable[[], str]) -> Generator[str]:
        """The token that is kept; then, for who asks on because the site has refused it, a new one.

        Args:
            make: asks the site for one; an empty text: it gives none.
        """
        if token := self.kept(name):
            since = len(self._watch.seen)
            yield token
            self.forget(name)
            self._watch.forgive(since)
        if token := make():
            self.keep(name, token, valid_s)
            yield token
            self.forget(name)

    def close(self) -> None:
        if self._session is not None:
            self._session.close()

    def _ask(
        self,
        method: str,
        url: str,
        *,
        params: Mapping[str, object] | None,
        headers: Mapping[str, str] | None,
        accept: Collection[int],
        saying: str = "",
        redirects: bool = True,
        bare: bool = False,
        form: Mapping[str, object] | bytes | None = None,
        body: object = None,
    ) -> Reply:
        clock, session = Stopwatch(), self._open()
        sent = {"User-Agent": self.options.user_agent or USER_AGENT, **(headers or {})}
        if self.options.cookies and not bare and not any(name.lower() == "cookie" for name in sent):
            self._know(session, urlsplit(url).hostname or "")
        try:
            answer = session.request(
                method,
                _escaped(url, _UNFIT),
                params=dict(params) if params else None,
                headers={name: _escaped(value, _BEYOND_ASCII) for name, value in sent.items()},
                data=form,
                json=body,
                timeout=self.options.timeout_s,
                allow_redirects=redirects,
            )
        except Exception as exc:
            raise self._watch.failed(method, url, exc, took_s=clock.s) from exc
        kind = answer.headers.get("content-type", "")
        if "charset" not in kind.lower():
            answer.encoding = "utf-8"  # requests would take text of no declared charset for Latin-1
        text = answer.text
        accept = accept if re.search(saying, text) else ()
        fault = self._watch.answered(method, answer.url, answer.status_code, kind, text, took_s=clock.s, accept=accept)
        if fault is not None:
            raise fault
        if len(answer.content) > _MOST_BYTES:
            raise SiteChanged(
                f"{answer.url.split('?')[0]} answered with {len(answer.content)} bytes, of {_MOST_BYTES} at most"
            )
        cookies = {name: value or "" for name, value in answer.cookies.items()}
        return Reply(answer.status_code, answer.url, kind, text, cookies, dict(answer.headers), answer.content)

    def _know(self, session: Any, host: str) -> None:
        """Have the user's cookies for this host, and for where its site may redirect to."""
        for name, value in pairs_of(self.options.cookies):
            session.cookies.set(name, value, domain=f".{site_of(host)}", path="/", secure=True)

    def _open(self) -> Any:
        if self._session is None:
            self._session = _browser(self.options) if self._browser_tls else _plain(self.options)
        return self._session


@overload
def dig(data: object, *path: str | int, want: type[dict[Any, Any]]) -> dict[str, Any]: ...
@overload
def dig(data: object, *path: str | int, want: type[list[Any]]) -> list[Any]: ...
@overload
def dig(data: object, *path: str | int, want: type[T]) -> T: ...
def dig(data: object, *path: str | int, want: type[Any]) -> Any:
    """What stands at this place of a JSON document; a whole number may be written as text.

    Raises: SiteChanged when it is not there, or of another type.
    """
    found = whole(data, *path) if want is int else peek(data, *path)
    if found is None or not isinstance(found, want):
        told = peek(data, *path)
        there = "nothing" if told is None else f"a {type(told).__name__}"
        raise SiteChanged(f"the answer has {there} at {'.'.join(map(str, path))}, not a {want.__name__}")
    return found


def member(data: object, *path: str) -> Any:
    """What stands at this place of a JSON document, null too: with it a site says that there is nothing. Raises: SiteChanged when
    there is no such place."""
    *outer, name = path
    holder = dig(data, *outer, want=dict)
    if name not in holder:
        raise SiteChanged(f"the answer has nothing at {'.'.join(path)}")
    return holder[name]


def peek(data: object, *path: str | int) -> Any:
    """The same where it need not be there; then None."""
    for step in path:
        if isinstance(step, int) and isinstance(data, list):
            data = cast("list[object]", data)[step] if -len(data) <= step < len(data) else None
        elif isinstance(step, str) and isinstance(data, dict):
            data = cast("dict[str, object]", data).get(step)
        else:
            return None
    return data


def rows(data: object, *path: str | int) -> list[Any]:
    """A list that need not be there; then an empty one."""
    found = peek(data, *path)
    return cast("list[Any]", found) if isinstance(found, list) else []


def table(data: object, *path: str | int) -> dict[str, Any]:
    """An object that need not be there; then an empty one."""
    found = peek(data, *path)
    return cast("dict[str, Any]", found) if isinstance(found, dict) else {}


def whole(data: object, *path: str | int) -> int | None:
    """A whole number, or a text of one; None for anything else."""
    found = peek(data, *path)
    if isinstance(found, str) and re.fullmatch(r"-?[0-9]{1,20}", found):
        return int(found)
    return found if isinstance(found, int) and not isinstance(found, bool) else None


def instant(data: object, *path: str | int, zone: tzinfo = UTC) -> datetime | None:
    """A time: seconds or milliseconds since 1970, as a number or a text of one; or as in ISO 8601, in `zone` where it names none.

    Returns: aware UTC; None for anything else, and for what stands for no time: zero, and `0000-00-00 00:00:00`.
    """
    told, number = peek(data, *path), whole(data, *path)
    if number is not None:
        seconds = number / 1000 if number > _IN_MS else number
        return datetime.fromtimestamp(seconds, UTC) if 0 < seconds < _IN_MS else None
    try:
        when = datetime.fromisoformat(str(told))
    except ValueError:
        return None
    return when.replace(tzinfo=when.tzinfo or zone).astimezone(UTC)


def _escaped(text: str, what: re.Pattern[str]) -> str:
    """With what cannot stand in an address, or in a header, escaped; escapes that are there stay as they are."""
    return what.sub(lambda found: quote(found[0], safe=""), text)


def _plain(options: Options) -> Any:
    import requests

    from ouzel.platforms.tls import Transport

    session: Any = requests.Session()
    session.trust_env = False
    session.max_redirects = _REDIRECTS
    session.mount("https://", Transport(verify=options.verify_tls))
    session.proxies = _proxies(options)
    return session


def _browser(options: Options) -> Any:
    from curl_cffi import requests

    from ouzel.platforms.tls import ca_file

    make: Any = requests.Session
    return make(
        impersonate="chrome",
        trust_env=False,
        max_redirects=_REDIRECTS,
        verify=(ca_file() or True) if options.verify_tls else False,
        proxies=_proxies(options),
    )


def _proxies(options: Options) -> dict[str, str]:
    proxy = options.page_proxy
    return {"http": proxy, "https": proxy} if proxy else {}
