"""A platform server: stands in for every site at once, on loopback.

It is an HTTP proxy that answers for any host itself, over TLS with an authority of its own (`ca_file`, for SSL_CERT_FILE). What
it answers stands in cases: TOML files in the shape of the site's real answers, written by hand.

    source = "https://…: where this shape is documented or discussed"
    [expect]                  # what a resolver must make of it
    state = "live"
    anchor = "somebody"
    [[answer]]
    ask = "POST gql.example.com/gql"      # method, host and path; `*` as in a shell
    when = "StreamMetadata"               # if given: must be in the query or the body of the request
    status = 200                          # the default
    type = "application/json"             # the default
    headers = { Set-Cookie = "a=b" }
    times = 1                             # so often, then the next answer that fits
    body = '''{"data": {}}'''             # $NAME is replaced by what the server was given under that name
"""

from __future__ import annotations

import ssl
import tempfile
import tomllib
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from string import Template
from typing import Any, cast
from urllib.parse import urlsplit

import anyio
import anyio.abc
from anyio.streams.buffered import BufferedByteReceiveStream
from anyio.streams.tls import TLSStream

_MOST_HEAD = 256 * 1024


@dataclass(frozen=True, slots=True)
class PlannedAnswer:
    ask: str
    body: str = ""
    when: str = ""
    status: int = 200
    type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    times: int = 0
    """0: whenever it is asked for."""

    def fits(self, asked: AskedOf) -> bool:
        method, _, place = self.ask.rpartition(" ")
        return (
            method in ("", asked.method)
            and fnmatchcase(asked.place, place)
            and (not self.when or self.when in asked.query or self.when in asked.body)
        )


@dataclass(frozen=True, slots=True)
class AskedOf:
    """A request as the server saw it."""

    method: str
    host: str
    path: str
    query: str
    headers: Mapping[str, str]
    """Names in lower case."""
    body: str

    @property
    def place(self) -> str:
        return self.host + self.path


@dataclass(frozen=True, slots=True)
class Case:
    """What a site answers on one occasion, and what must come of it."""

    answers: tuple[PlannedAnswer, ...]
    expect: Mapping[str, Any] = field(default_factory=dict[str, Any])
    source: str = ""
    url: str = ""
    """The page to ask for, where it is not the platform's example."""


def read_case(path: Path) -> Case:
    """Raises: OSError, tomllib.TOMLDecodeError, TypeError for a key that is none."""
    doc = tomllib.loads(path.read_text(encoding="utf-8"))
    answers = tuple(PlannedAnswer(**each) for each in doc.get("answer", ()))
    return Case(answers, doc.get("expect", {}), doc.get("source", ""), doc.get("url", ""))


@dataclass
class PlatformServer:
    """Answers for all hosts by the cases that are played. Made by `platform_server`."""

    port: int
    ca_file: Path
    answers: list[PlannedAnswer] = field(default_factory=list[PlannedAnswer])
    asked: list[AskedOf] = field(default_factory=list[AskedOf])
    unplanned: list[AskedOf] = field(default_factory=list[AskedOf])
    """Requests for which no answer was planned; they got 404."""
    names: dict[str, str | Callable[[], str]] = field(default_factory=dict[str, "str | Callable[[], str]"])
    """What stands for `$NAME` in bodies and headers; or what makes it, for each answer anew."""
    passed_on: set[str] = field(default_factory=set[str])
    """Hosts that are asked themselves: those of media servers, over plain HTTP."""
    refusing: bool = False
    """Whether connections are cut off at once."""
    silent: bool = False
    """Whether requests get no answer at all."""
    waiting: int = 0
    """How many have got none so far."""
    _served: dict[int, int] = field(default_factory=dict[int, int])

    @property
    def proxy(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def play(self, case: Case | Sequence[PlannedAnswer]) -> None:
        """From now on this is answered, and nothing else."""
        self.answers[:] = case.answers if isinstance(case, Case) else case
        self.asked.clear()
        self.unplanned.clear()
        self._served.clear()

    def hits(self, place: str) -> int:
        """How often a place was asked for; `*` as in a shell."""
        return sum(fnmatchcase(asked.place, place) for asked in self.asked)

    def answer(self, asked: AskedOf) -> PlannedAnswer:
        self.asked.append(asked)
        for number, planned in enumerate(self.answers):
            used = self._served.get(number, 0)
            if planned.fits(asked) and not (planned.times and used >= planned.times):
                self._served[number] = used + 1
                return planned
        self.unplanned.append(asked)
        return PlannedAnswer("", f"no answer is planned for {asked.method} {asked.place}?{asked.query}", status=404)


@asynccontextmanager
async def platform_server(folder: Path | None = None) -> AsyncGenerator[PlatformServer]:
    """A running server; all its connections are cut off at the end."""
    import trustme

    authority = trustme.CA()
    with tempfile.TemporaryDirectory(prefix="ouzel-platforms-") as temporary:
        ca_file = (folder or Path(temporary)) / "authority.pem"
        authority.cert_pem.write_to_path(str(ca_file))
        contexts: dict[str, ssl.SSLContext] = {}

        def context_for(host: str) -> ssl.SSLContext:
            if host not in contexts:
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                context.set_alpn_protocols(["http/1.1"])
                cast("Any", authority.issue_cert(host)).configure_cert(context)
                contexts[host] = context
            return contexts[host]

        async with (
            await anyio.create_tcp_listener(local_host="127.0.0.1", local_port=0) as listener,
            anyio.create_task_group() as tasks,
        ):
            port = listener.extra(anyio.abc.SocketAttribute.local_port)  # noqa: S610 - no database is near
            server = PlatformServer(port, ca_file)

            async def handle(stream: anyio.abc.SocketStream) -> None:
                async with stream:
                    try:
                        await _serve(server, stream, context_for)
                    except (anyio.EndOfStream, anyio.BrokenResourceError, anyio.IncompleteRead, ssl.SSLError):
                        pass

            tasks.start_soon(listener.serve, handle)
            yield server
            tasks.cancel_scope.cancel()


async def _serve(server: PlatformServer, stream: anyio.abc.ByteStream, context_for: Any) -> None:
    host, plain = "", BufferedByteReceiveStream(stream)
    if server.refusing:
        return
    method, target, headers, body = await _request(plain)
    if method == "CONNECT":
        host = target.rpartition(":")[0].strip("[]").lower()
        await stream.send(b"HTTP/1.1 200 Connection established\r\n\r\n")
        stream = await TLSStream.wrap(
            stream, server_side=True, ssl_context=context_for(host), standard_compatible=False
        )
        plain = BufferedByteReceiveStream(stream)
        method, target, headers, body = await _request(plain)
    while True:
        if server.silent:
            server.waiting += 1
            await anyio.sleep_forever()
        parts = urlsplit(target)
        name = (parts.hostname or host or headers.get("host", "")).partition(":")[0].lower()
        if name in server.passed_on:
            await _pass_on(stream, method, target, headers)
            return
        asked = AskedOf(method, name, parts.path or "/", parts.query, headers, body)
        await stream.send(_render(server.answer(asked), server.names, method))
        method, target, headers, body = await _request(plain)


async def _request(stream: BufferedByteReceiveStream) -> tuple[str, str, dict[str, str], str]:
    head = (await stream.receive_until(b"\r\n\r\n", _MOST_HEAD)).decode("latin-1").split("\r\n")
    method, target, _ = head[0].split(" ", 2)
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])}
    if "chunked" in headers.get("transfer-encoding", ""):
        body = bytearray()
        while size := int((await stream.receive_until(b"\r\n", 1024)).split(b";")[0], 16):
            body += await stream.receive_exactly(size + 2)
            del body[-2:]
        await stream.receive_until(b"\r\n", 1024)
    else:
        length = int(headers.get("content-length", 0))
        body = bytearray(await stream.receive_exactly(length)) if length else bytearray()
    return method, target, headers, body.decode("utf-8", "replace")


async def _pass_on(stream: anyio.abc.ByteStream, method: str, target: str, headers: Mapping[str, str]) -> None:
    """One request, to the server that it is for, and whatever it answers."""
    parts = urlsplit(target)
    place = parts.path + (f"?{parts.query}" if parts.query else "")
    kept = {name: value for name, value in headers.items() if name not in {"connection", "proxy-connection"}}
    lines = [f"{method} {place} HTTP/1.1", *(f"{name}: {value}" for name, value in kept.items()), "connection: close"]
    async with await anyio.connect_tcp(parts.hostname or "", parts.port or 80) as there:
        await there.send("\r\n".join([*lines, "", ""]).encode("latin-1"))
        async for piece in there:
            await stream.send(piece)


def _render(planned: PlannedAnswer, given: Mapping[str, str | Callable[[], str]], method: str) -> bytes:
    used = {
        name for name in given if f"${name}" in planned.body or any(f"${name}" in v for v in planned.headers.values())
    }
    names = {name: value if isinstance(value := given[name], str) else value() for name in used}
    body = Template(planned.body).safe_substitute(names).encode()
    lines = [f"HTTP/1.1 {planned.status} Planned", f"Content-Length: {len(body)}", f"Content-Type: {planned.type}"]
    lines += [f"{name}: {Template(value).safe_substitute(names)}" for name, value in planned.headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + (b"" if method == "HEAD" else body)
