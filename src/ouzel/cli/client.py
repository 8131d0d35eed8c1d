"""The command line as a client of the API: finds the daemon, says who asks, and turns problems back into errors."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

import click

from ouzel.base.errors import (
    BadOption,
    BadResponse,
    HttpStatus,
    InputError,
    NoDaemon,
    NotFound,
    OuzelError,
    TooManyAttempts,
)
from ouzel.base.ids import is_id
from ouzel.cli.options import level_of
from ouzel.cli.output import Output

if TYPE_CHECKING:
    import httpx

_TIMEOUT_S = 90.0
_CONNECT_S = 10.0
_SILENT_S = 60.0
"""Of an event stream, on which there is a sign of life every 15 s."""
_AGAIN_S = (1.0, 2.0, 5.0, 15.0)
_PAGE = 200
_SOCKET = "unix:"
_LEAST_PREFIX = 4
_MOST_WORD = 200
Row = dict[str, Any]


_AT_ONCE = 500
"""Channels or downloads in one request."""


class Api:
    """Requests to one daemon. Each raises OuzelError: NoDaemon, or what the daemon answers with."""

    def __init__(self, http: httpx.Client, *, sleep: Callable[[float], None] = time.sleep) -> None:
        self._http = http
        self._sleep = sleep

    def get(self, path: str, **query: Any) -> Any:
        """`query`: None is left out."""
        return self.ask("GET", path, query=query)

    def post(self, path: str, body: object = None) -> Any:
        return self.ask("POST", path, body=body)

    def patch(self, path: str, body: object) -> Any:
        return self.ask("PATCH", path, body=body)

    def delete(self, path: str) -> None:
        self.ask("DELETE", path)

    def text(self, path: str) -> str:
        """An answer that is no JSON."""
        return self._send("GET", path).text

    def ask(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        body: object = None,
        patient: bool = False,
    ) -> Any:
        """The JSON of the answer; None where it has none. `patient`: it may take however long."""
        answer = self._send(method, path, query or {}, body, patient=patient)
        return _json(answer) if answer.content else None

    def _send(
        self,
        method: str,
        path: str,
        query: Mapping[str, Any] | None = None,
        body: object = None,
        *,
        patient: bool = False,
    ) -> httpx.Response:
        import httpx

        params = {name: value for name, value in (query or {}).items() if value is not None}
        limits = httpx.Timeout(None if patient else _TIMEOUT_S, connect=_CONNECT_S)
        try:
            answer = self._http.request(method, f"/api/{path}", params=params, json=body, timeout=limits)
        except (httpx.HTTPError, httpx.InvalidURL) as exc:
            raise self._away(exc) from exc
        if not answer.is_success:
            raise _error(answer)
        return answer

    def all(self, path: str, **query: Any) -> Iterator[Row]:
        """Every item of a list, page by page."""
        cursor: str | None = None
        while True:
            page = self.get(path, limit=_PAGE, cursor=cursor, **query)
            yield from page["items"]
            cursor = page["next_cursor"]
            if cursor is None:
                return

    def add_channels(self, wanted: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """An item for each."""
        return self._add("channels", wanted)

    def add_downloads(self, wanted: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """An item for each."""
        return self._add("downloads", wanted)

    def _add(self, noun: str, wanted: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """In pieces that the daemon takes. A request that is refused as a whole is divided until that is the trouble of one."""
        if len(wanted) > _AT_ONCE:
            return self._add(noun, wanted[:_AT_ONCE]) + self._add(noun, wanted[_AT_ONCE:])
        try:
            return self.post(f"{noun}/batch", {noun: [*wanted]})["items"] if wanted else []
        except InputError as exc:
            if len(wanted) == 1:
                return [{"id": None, "name": None, "code": exc.code, "detail": str(exc)}]
            half = len(wanted) // 2
            return self._add(noun, wanted[:half]) + self._add(noun, wanted[half:])

    def find(self, path: str, word: str, *names: str, **query: Any) -> Row:
        """The item with this id, this name, or a beginning of an id that no other has. Raises: NotFound, BadOption."""
        items = [*self.all(path, **query, word=word[:_MOST_WORD])]
        fold = word.casefold()
        tests: tuple[Callable[[Row], bool], ...] = (
            lambda item: item["id"] == word,
            lambda item: any(fold in _words(item.get(name)) for name in names),
            lambda item: len(word) >= _LEAST_PREFIX and item["id"].startswith(fold),
        )
        for test in tests:
            found = [item for item in items if test(item)]
            if len(found) > 1:
                told = ", ".join(f"{item.get('name') or item.get('title') or ''} ({item['id']})" for item in found[:5])
                raise BadOption(f"{word[:60]} may be {told}: give the id")
            if found:
                return found[0]
        raise NotFound(f"there is no {word[:60]} among {path.partition('/')[0]}")

    def show(self, path: str, word: str, *names: str) -> Row:
        """All that is known of what `find` finds; of a whole id without looking through the list."""
        return self.get(f"{path}/{word if is_id(word) else self.find(path, word, *names)['id']}")

    def events(
        self, after: int | None = None, topics: str | None = None, *, lost: Callable[[OuzelError], None] | None = None
    ) -> Iterator[Row]:
        """What happens: `ready`, then each event; `resync` where too much has happened since `after`; `passed` with the number up
        to which there is nothing else for us.

        Args:
            lost: told whenever the connection is lost, and then it goes on from the last event as soon as it can. None: that
                is the end, or raises NoDaemon.
        """
        tries = 0
        while True:
            try:
                for event in self._listen(after, topics):
                    after, tries = int(event["number"]), 0
                    yield event
                if lost is None:
                    return
                lost(NoDaemon("the daemon has ended, or tells no more"))
            except NoDaemon as exc:
                if lost is None or after is None:
                    raise
                lost(exc)
            self._sleep(_AGAIN_S[min(tries, len(_AGAIN_S) - 1)])
            tries += 1

    def _listen(self, after: int | None, topics: str | None) -> Iterator[Row]:
        import httpx

        params = {name: value for name, value in (("after", after), ("topics", topics)) if value is not None}
        limits = httpx.Timeout(_CONNECT_S, read=_SILENT_S)
        try:
            with self._http.stream("GET", "/api/events", params=params, timeout=limits) as answer:
                if not answer.is_success:
                    answer.read()
                    raise _error(answer)
                fields: dict[str, str] = {}
                for line in answer.iter_lines():
                    name, _, value = line.partition(": ")
                    if line:
                        fields[name] = value
                        continue
                    if event := _event(fields):
                        yield event
                    fields = {}
        except (httpx.HTTPError, httpx.InvalidURL) as exc:
            raise self._away(exc) from exc

    def _away(self, exc: Exception) -> NoDaemon:
        return NoDaemon(f"no Ouzel answers at {self._http.base_url}: {exc or type(exc).__name__}")


def _event(fields: Mapping[str, str]) -> Row | None:
    """A frame of the stream; None: a sign of life that says nothing."""
    if "data" in fields:
        return {"event": fields["event"], **json.loads(fields["data"])}
    return {"event": "passed", "number": int(fields["id"])} if "id" in fields else None


def _words(value: object) -> list[str]:
    values = cast("list[object]", value) if isinstance(value, list) else [value]
    return [str(each).casefold() for each in values]


def _json(answer: httpx.Response) -> Any:
    try:
        return answer.json()
    except ValueError:
        raise BadResponse(f"what answers at {answer.url.host} is no Ouzel (status {answer.status_code})") from None


def _error(answer: httpx.Response) -> OuzelError:
    """As the daemon raised it. A newer one may have codes that this one does not know."""
    doc = _json(answer)
    problem = cast("Row", doc) if isinstance(doc, dict) else {}
    code, detail = str(problem.get("code", "")), str(problem.get("detail", ""))
    kind = next((each for each in _kinds(OuzelError) if each.code == code), None)
    if kind is TooManyAttempts:
        return TooManyAttempts(detail, retry_after_s=float(answer.headers.get("retry-after", 0)))
    if kind is None or issubclass(kind, HttpStatus):
        words = f"the daemon answers {answer.status_code}: {detail or answer.reason_phrase} {code}".rstrip()
        return HttpStatus(words, status=answer.status_code)
    return kind(detail, existing=problem.get("existing"))


def _kinds(kind: type[OuzelError]) -> Iterator[type[OuzelError]]:
    yield kind
    for below in kind.__subclasses__():
        yield from _kinds(below)


def running_on(folder: Path) -> str | None:
    """Address of the daemon that holds this data folder; None: nobody does. Raises: NoDaemon where it does not say it yet."""
    from ouzel.daemon.lock import Holder, held_by

    holder = held_by(folder)
    if holder is False:
        return None
    if not isinstance(holder, Holder) or not holder.address:
        raise NoDaemon(f"the Ouzel on {folder} does not say yet where it listens")
    return holder.address


@contextmanager
def connect(server: str | None, key: str | None, data: Path | None) -> Generator[Api]:
    """
    Args:
        server: address of a daemon; None: the one that holds the data folder.
        key: API key; None: on the daemon's own machine, its `secret.key` says that we may. That never goes to a `server`.
    Raises: NoDaemon where none runs; BadOption, BadConfig, ReadOnly, SecretUnreadable.
    """
    import httpx

    auth: Callable[[httpx.Request], httpx.Request] | None = _bearer(lambda: key) if key else None
    if server is None:
        folder = data or data_folder()
        server = running_on(folder)
        if server is None:
            raise NoDaemon(f"no Ouzel runs on {folder}: `ouzel serve` starts one, and --server names one elsewhere")
        auth = auth or _bearer(_local_token(folder))
    socket = server.removeprefix(_SOCKET) if server.startswith(_SOCKET) else None
    if socket is not None and not Path(socket).is_socket():
        raise NoDaemon(f"no Ouzel listens on {socket}")
    base = "http://ouzel" if socket else server if "://" in server else f"http://{server}"
    if not base.lower().startswith(("http://", "https://")) or not urlsplit(base).netloc:
        raise BadOption(f"--server {server[:80]!r} is no address of a daemon: http://, https:// or unix: and a path")
    try:
        is_tls = base.lower().startswith("https:")  # else the authorities that are trusted would be read for nothing
        transport = httpx.HTTPTransport(uds=socket, verify=is_tls, trust_env=False)
        http = httpx.Client(base_url=base, auth=auth, transport=transport, trust_env=False)
    except httpx.InvalidURL as exc:
        raise BadOption(f"--server {server[:80]}: {exc}") from exc
    with http:
        yield Api(http)


def _bearer(token: Callable[[], str]) -> Callable[[httpx.Request], httpx.Request]:
    def sign(request: httpx.Request) -> httpx.Request:
        request.headers["authorization"] = f"Bearer {token()}"
        return request

    return sign


def data_folder(config: Path | None = None) -> Path:
    """Of the settings. Raises: BadConfig."""
    from ouzel.config.load import load_settings
    from ouzel.platforms.registry import registry

    return load_settings(config, [platform.name for platform in registry()]).storage.data


def _local_token(folder: Path) -> Callable[[], str]:
    """A fresh one for each request: it is good for a minute."""
    from ouzel.services.secrets import load_secrets
    from ouzel.services.tokens import Tokens
    from ouzel.system.clock import SystemClock

    return Tokens(load_secrets(folder / "secret.key"), SystemClock(), life_s=60.0).local


def reaching(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that say which daemon is asked, and by whom. They arrive as `server`, `key` and `data`."""

    @click.option("--server", metavar="URL", help="The daemon there; else OUZEL_SERVER, else the one on this machine.")
    @click.option("--api-key", metavar="KEY", help="Who asks; else OUZEL_API_KEY, else whoever may read secret.key.")
    @click.option("--data", type=click.Path(path_type=Path), metavar="FOLDER", help="Data folder of the daemon here.")
    @wraps(command)  # with the options that it has already
    def with_place(*args: Any, server: str | None, api_key: str | None, data: Path | None, **options: Any) -> Any:
        if server is None and data is None:
            server = os.environ.get("OUZEL_SERVER") or None
        key = api_key or os.environ.get("OUZEL_API_KEY") or None
        return command(*args, server=server, key=key, data=data, **options)

    return with_place


def talking(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that say which daemon is asked, and how the command speaks. They arrive as `api` and `output`."""

    @reaching
    @click.option("--json", "as_json", is_flag=True, help="The results as JSON, an object a line.")
    @click.option("-v", "--verbose", is_flag=True, help="Tell more.")
    @click.option("-q", "--quiet", is_flag=True, help="Tell only errors.")
    def with_api(
        *args: Any,
        server: str | None,
        key: str | None,
        data: Path | None,
        as_json: bool,
        verbose: bool,
        quiet: bool,
        **options: Any,
    ) -> Any:
        output = Output(as_json, level_of(verbose=verbose, quiet=quiet))
        with connect(server, key, data) as api:
            return command(*args, output=output, api=api, **options)

    with_api.__name__ = command.__name__
    with_api.__doc__ = command.__doc__
    return with_api
