"""The command line as a client of the API: finds the daemon, says who asks, and turns problems back into errors."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click

from ouzel.base.errors import BadOption, BadResponse, NoDaemon, NotFound, OuzelError
from ouzel.cli.options import level_of
from ouzel.cli.output import Output

if TYPE_CHECKING:
    import httpx

_TIMEOUT_S = 90.0
_PAGE = 200
_SOCKET = "unix:"


class Api:
    """Requests to one daemon. Each raises OuzelError: NoDaemon, or what the daemon answers with."""

    def __init__(self, http: httpx.Client) -> None:
        self._http = http

    def get(self, path: str, **query: Any) -> Any:
        """`query`: None is left out."""
        return self.ask("GET", path, query=query)

    def post(self, path: str, body: object = None) -> Any:
        return self.ask("POST", path, body=body)

    def patch(self, path: str, body: object) -> Any:
        return self.ask("PATCH", path, body=body)

    def delete(self, path: str) -> None:
        self.ask("DELETE", path)

    def ask(self, method: str, path: str, *, query: Mapping[str, Any] | None = None, body: object = None) -> Any:
        """The JSON of the answer; None where it has none."""
        import httpx

        params = {name: value for name, value in (query or {}).items() if value is not None}
        try:
            answer = self._http.request(method, f"/api/{path}", params=params, json=body)
        except httpx.HTTPError as exc:
            raise NoDaemon(f"no Ouzel answers at {self._http.base_url}: {exc}") from exc
        return _read(answer)

    def all(self, path: str, **query: Any) -> Iterator[dict[str, Any]]:
        """Every item of a list, page by page."""
        cursor: str | None = None
        while True:
            page = self.get(path, limit=_PAGE, cursor=cursor, **query)
            yield from page["items"]
            cursor = page["next_cursor"]
            if cursor is None:
                return

    def find(self, path: str, word: str, *names: str, **query: Any) -> dict[str, Any]:
        """The item with this id, a beginning that no other id has, or this name. Raises: NotFound, BadOption."""
        items = [*self.all(path, **query)]
        fold = word.casefold()
        tests: tuple[Callable[[dict[str, Any]], bool], ...] = (
            lambda item: item["id"] == word,
            lambda item: any(fold in _words(item.get(name)) for name in names),
            lambda item: len(word) >= 4 and item["id"].startswith(fold),
        )
        for test in tests:
            found = [item for item in items if test(item)]
            if len(found) > 1:
                told = ", ".join(f"{item.get('name') or item.get('title') or ''} ({item['id']})" for item in found[:5])
                raise BadOption(f"{word[:60]} may be {told}: give the id")
            if found:
                return found[0]
        raise NotFound(f"there is no {word[:60]} among {path}")

    def events(self, after: int | None = None, topics: str | None = None) -> Generator[dict[str, Any]]:
        """What happens, for as long as the daemon tells."""
        import json

        import httpx

        params: dict[str, Any] = {name: value for name, value in (("after", after), ("topics", topics)) if value}
        try:
            with self._http.stream(
                "GET", "/api/events", params=params, timeout=httpx.Timeout(10.0, read=60.0)
            ) as answer:
                if answer.status_code >= 400:
                    answer.read()
                    _read(answer)
                code = ""
                for line in answer.iter_lines():
                    name, _, value = line.partition(": ")
                    if name == "event":
                        code = value
                    elif name == "data":
                        yield {"event": code, **json.loads(value)}
        except httpx.HTTPError as exc:
            raise NoDaemon(f"the daemon tells no more: {exc}") from exc


def _words(value: object) -> list[str]:
    values = cast("list[object]", value) if isinstance(value, list) else [value]
    return [str(each).casefold() for each in values]


def _read(answer: httpx.Response) -> Any:
    if answer.status_code in (202, 204) and not answer.content:
        return None
    try:
        doc: Any = answer.json()
    except ValueError:
        raise BadResponse(f"what answers at {answer.url.host} is no Ouzel") from None
    if answer.is_success:
        return doc
    raise _error(cast("dict[str, Any]", doc))


def _error(problem: Mapping[str, Any]) -> OuzelError:
    """As the daemon raised it. A newer one may have codes that this one does not know."""
    kind = next((each for each in _kinds(OuzelError) if each.code == problem.get("code")), OuzelError)
    error = kind.__new__(kind)
    OuzelError.__init__(error, str(problem.get("detail", "")))
    return error


def _kinds(kind: type[OuzelError]) -> Iterator[type[OuzelError]]:
    for below in kind.__subclasses__():
        yield below
        yield from _kinds(below)


@contextmanager
def connect(server: str | None, key: str | None, data: Path | None) -> Generator[Api]:
    """
    Args:
        server: address of a daemon; None: the one that holds the data folder.
        key: API key; None: on the daemon's own machine, its `secret.key` says that we may.
    Raises: NoDaemon where none runs; ReadOnly, SecretUnreadable.
    """
    import httpx

    token = key
    if server is None:
        folder = data or _data_folder()
        server = _address(folder)
        token = token or _local_token(folder)
    headers = {"authorization": f"Bearer {token}"} if token else {}
    socket = server.removeprefix(_SOCKET) if server.startswith(_SOCKET) else None
    transport = httpx.HTTPTransport(uds=socket)
    base = "http://ouzel" if socket else server if "://" in server else f"http://{server}"
    with httpx.Client(base_url=base, headers=headers, transport=transport, timeout=_TIMEOUT_S) as http:
        yield Api(http)


def _data_folder() -> Path:
    from ouzel.config.load import load_settings
    from ouzel.platforms.registry import registry

    return load_settings(None, [platform.name for platform in registry()]).storage.data


def _address(folder: Path) -> str:
    from ouzel.daemon.lock import Holder, held_by

    holder = held_by(folder)
    if holder is False:
        raise NoDaemon(f"no Ouzel runs on {folder}: `ouzel serve` starts one, and --server names one elsewhere")
    if not isinstance(holder, Holder) or not holder.address:
        raise NoDaemon(f"the Ouzel on {folder} does not say where it listens, yet")
    return holder.address


def _local_token(folder: Path) -> str:
    from ouzel.services.secrets import load_secrets
    from ouzel.services.tokens import Tokens
    from ouzel.system.clock import SystemClock

    return Tokens(load_secrets(folder / "secret.key"), SystemClock(), life_s=60.0).local()


def talking(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that say which daemon is asked, and how the command speaks. They arrive as `api` and `output`."""

    @click.option("--server", metavar="URL", help="The daemon there; else OUZEL_SERVER, else the one on this machine.")
    @click.option("--api-key", metavar="KEY", help="Who asks; else OUZEL_API_KEY, else whoever may read secret.key.")
    @click.option("--data", type=click.Path(path_type=Path), metavar="FOLDER", help="Data folder of the daemon here.")
    @click.option("--json", "as_json", is_flag=True, help="The results as JSON, an object a line.")
    @click.option("-v", "--verbose", is_flag=True, help="Tell more.")
    @click.option("-q", "--quiet", is_flag=True, help="Tell only errors.")
    def with_api(
        *args: Any,
        server: str | None,
        api_key: str | None,
        data: Path | None,
        as_json: bool,
        verbose: bool,
        quiet: bool,
        **options: Any,
    ) -> Any:
        output = Output(as_json, level_of(verbose=verbose, quiet=quiet))
        server = server or os.environ.get("OUZEL_SERVER")
        with connect(server, api_key or os.environ.get("OUZEL_API_KEY"), data) as api:
            return command(*args, output=output, api=api, **options)

    with_api.__name__ = command.__name__
    with_api.__doc__ = command.__doc__
    return with_api
