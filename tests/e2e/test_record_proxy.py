"""A page and its media through the proxy of the settings, HTTP and SOCKS, with every library; and nothing beside it."""

from __future__ import annotations

import json
import sys
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import anyio
import anyio.abc
import pytest
from anyio.streams.buffered import BufferedByteReceiveStream
from tests.command import environment

from ouzel.testing.clips import Clip
from ouzel.testing.markers import read_markers
from ouzel.testing.origin import LiveOrigin
from ouzel.testing.platforms import PlannedAnswer, PlatformServer, platform_server, read_case

pytestmark = pytest.mark.anyio
DATA = Path(__file__).parent.parent / "data" / "platforms"
PAGE = "https://www.twitch.tv/somebody"
MASTER = "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=900000,RESOLUTION=320x180\n$MEDIA\n"
USER, PASSWORD = "us er", "p@s:s密"
CREDENTIALS = "us%20er:p%40s%3As%E5%AF%86@"


@dataclass
class Proxy:
    """What it was asked for, as host and port or as an address; by those who knew the password."""

    upstream: PlatformServer
    port: int = 0
    asked: list[str] = field(default_factory=list[str])
    turned_away: int = 0


async def socks(proxy: Proxy, stream: anyio.abc.SocketStream) -> None:
    """SOCKS 5 with a password (RFC 1928, RFC 1929). Hosts of platforms are reached through their server."""
    said = BufferedByteReceiveStream(stream)
    _, count = await said.receive_exactly(2)
    assert 2 in await said.receive_exactly(count)
    await stream.send(b"\x05\x02")
    _, length = await said.receive_exactly(2)
    user = (await said.receive_exactly(length)).decode()
    password = (await said.receive_exactly((await said.receive_exactly(1))[0])).decode()
    known = (user, password) == (USER, PASSWORD)
    await stream.send(b"\x01" + (b"\x00" if known else b"\x01"))
    if not known:
        proxy.turned_away += 1
        return
    kind = (await said.receive_exactly(4))[3]
    raw = await said.receive_exactly(4 if kind == 1 else (await said.receive_exactly(1))[0])
    host = ".".join(map(str, raw)) if kind == 1 else raw.decode()
    port = int.from_bytes(await said.receive_exactly(2))
    proxy.asked.append(f"{host}:{port}")
    async with await anyio.connect_tcp("127.0.0.1", port if host == "127.0.0.1" else proxy.upstream.port) as there:
        if host != "127.0.0.1":
            await there.send(f"CONNECT {host}:{port} HTTP/1.1\r\n\r\n".encode())
            await BufferedByteReceiveStream(there).receive_until(b"\r\n\r\n", 1024)
        await stream.send(b"\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00")
        await relay(said, stream, there)


async def http(proxy: Proxy, stream: anyio.abc.SocketStream) -> None:
    said = BufferedByteReceiveStream(stream)
    head = await said.receive_until(b"\r\n\r\n", 65536)
    token = b64encode(f"{USER}:{PASSWORD}".encode()).decode()
    if f"proxy-authorization: basic {token.lower()}" not in head.decode().lower():
        proxy.turned_away += 1
        await stream.send(b"HTTP/1.1 407 No\r\nProxy-Authenticate: Basic realm=x\r\nContent-Length: 0\r\n\r\n")
        return
    proxy.asked.append(head.decode().split(" ")[1])
    async with await anyio.connect_tcp("127.0.0.1", proxy.upstream.port) as there:
        await there.send(head + b"\r\n\r\n")
        await relay(said, stream, there)


async def relay(
    said: anyio.abc.ByteReceiveStream, stream: anyio.abc.SocketStream, there: anyio.abc.SocketStream
) -> None:
    async def pass_on(source: anyio.abc.ByteReceiveStream, to: anyio.abc.SocketStream) -> None:
        try:
            async for piece in source:
                await to.send(piece)
        except (anyio.BrokenResourceError, anyio.ClosedResourceError):
            pass
        tasks.cancel_scope.cancel()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(pass_on, said, there)
        tasks.start_soon(pass_on, there, stream)


@asynccontextmanager
async def proxy_before(server: PlatformServer, scheme: str) -> AsyncIterator[Proxy]:
    proxy = Proxy(server)

    async def handle(stream: anyio.abc.SocketStream) -> None:
        async with stream:
            try:
                await (http if scheme == "http" else socks)(proxy, stream)
            except (anyio.EndOfStream, anyio.BrokenResourceError, anyio.IncompleteRead):
                pass

    async with (
        await anyio.create_tcp_listener(local_host="127.0.0.1", local_port=0) as listener,
        anyio.create_task_group() as tasks,
    ):
        proxy.port = listener.extra(anyio.abc.SocketAttribute.local_port)
        tasks.start_soon(listener.serve, handle)
        yield proxy
        tasks.cancel_scope.cancel()


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[PlatformServer]:
    async with platform_server(tmp_path) as server:
        server.passed_on.add("127.0.0.1")
        yield server


async def ouzel(server: PlatformServer, proxy: str, *words: str, cwd: Path) -> tuple[int, list[dict[str, object]], str]:
    config = anyio.Path(cwd / "ouzel.toml")
    await config.write_text(f'[platforms]\nproxy = "http://127.0.0.1:1"\n[platforms.twitch]\nproxy = "{proxy}"\n')
    await config.chmod(0o600)
    command = [sys.executable, "-m", "ouzel", *words, "--config", str(config), "--json"]
    with anyio.fail_after(90):
        done = await anyio.run_process(
            command, cwd=cwd, env=environment({"SSL_CERT_FILE": str(server.ca_file)}), check=False
        )
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()], done.stderr.decode()


@pytest.mark.parametrize("scheme", ["http", "socks5", "socks5h"])
async def test_page_and_media_go_through_it(server: PlatformServer, clip: Clip, tmp_path: Path, scheme: str) -> None:
    case = [each for each in read_case(DATA / "twitch" / "own" / "live.toml").answers if "usher" not in each.ask]
    server.play([*case, PlannedAnswer("GET usher.ttvnw.net/*", MASTER, type="application/x-mpegurl")])
    async with LiveOrigin() as origin, proxy_before(server, scheme) as proxy:
        channel = origin.channel("show", clip, speed=4, length_s=12)
        server.names["MEDIA"] = channel.fresh_url
        address = f"{scheme}://{CREDENTIALS}127.0.0.1:{proxy.port}"
        code, events, errors = await ouzel(
            server, address, "record", PAGE, "-o", f"{tmp_path}/out/", "--park", "2s", cwd=tmp_path
        )
    assert code == 0, (errors, server.unplanned, proxy)
    ((file,),) = [event["files"] for event in events if event["event"] == "report"]  # type: ignore[misc]
    numbers = [number for _, number in read_markers(await anyio.Path(file["path"]).read_bytes(), "ts")]
    assert numbers == list(range(numbers[0], 12))
    media = [place for place in proxy.asked if "127.0.0.1" in place]
    assert media
    assert {"gql.twitch.tv:443", "usher.ttvnw.net:443"} <= set(proxy.asked)
    assert PASSWORD not in errors
    assert "p%40s" not in errors + json.dumps(events)


@pytest.mark.parametrize("scheme", ["http", "socks5", "socks5h"])
@pytest.mark.parametrize("adapter", ["own", "streamlink", "yt-dlp", "streamget"])
async def test_every_library_asks_through_it(server: PlatformServer, tmp_path: Path, scheme: str, adapter: str) -> None:
    server.play(read_case(DATA / "twitch" / adapter / "live.toml"))
    async with proxy_before(server, scheme) as proxy:
        address = f"{scheme}://{CREDENTIALS}127.0.0.1:{proxy.port}"
        _, events, errors = await ouzel(server, address, "resolve", PAGE, "--all-adapters", cwd=tmp_path)
    told = {event["adapter"]: event["state"] for event in events}
    assert told[adapter] == "live", (errors, events, proxy, server.unplanned)
    assert proxy.asked
