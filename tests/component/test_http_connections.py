"""The life of connections: kept, lost, retried, watched, cancelled, and closed without a trace."""

from __future__ import annotations

import asyncio
import gc
import gzip
import socket
import time
from ipaddress import ip_address
from pathlib import Path

import anyio
import pytest

from ouzel.base.errors import AddressRefused, ConnectFailed, ConnectionLost, Gone, HostNotFound, Stalled
from ouzel.system.guard import Endpoint, Scope
from ouzel.system.http import Answer, Http1Client, Limits, Request, Take
from ouzel.system.http.links import Link

from .http_server import Asked, Peer, Server, answer, chunked, serving

pytestmark = pytest.mark.anyio


@pytest.fixture(params=[False, True], ids=["asyncio", "uvloop"])
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, bool]]:
    return "asyncio", {"use_uvloop": request.param}


def ask(url: str, **options: object) -> Request:
    return Request(url, **{"scope": Scope.anywhere(), **options})


def ignore(answer: Answer) -> Take:
    return lambda data: None


def open_files() -> int:
    listing = Path("/proc/self/fd")
    return sum(1 for _ in listing.iterdir()) if listing.is_dir() else 0


async def hang(peer: Peer, asked: Asked) -> None:
    await peer.until_gone()
    await peer.hang_up()


# Keeping connections


async def test_an_answered_request_leaves_nothing_to_the_collector_of_garbage() -> None:
    """At a hundred requests a second cycles cost memory that is never warm, and the collector's time."""

    async def again() -> None:
        await http.fetch(ask(server.url("/a")), max_bytes=9)
        await http.stream(ask(server.url("/chunks")), ignore)
        await http.stream(ask(server.url("/zipped")), ignore)

    pages = {
        "/a": answer(b"a"),
        "/chunks": chunked(b"b", b"c"),
        "/zipped": answer(gzip.compress(b"d"), content_encoding="gzip"),
    }
    async with serving(pages) as server, Http1Client() as http:
        await again()
        gc.collect()
        gc.disable()
        gc.set_debug(gc.DEBUG_SAVEALL)
        try:
            await again()
            gc.collect()
            left = [type(each).__module__ for each in gc.garbage]
        finally:
            gc.set_debug(0)
            gc.garbage.clear()
            gc.enable()
    assert [module for module in left if module.startswith(("ouzel.", "httptools"))] == []


async def test_one_connection_serves_many_requests() -> None:
    async with serving({"/a": answer(b"a")}) as server, Http1Client() as http:
        answers = [(await http.fetch(ask(server.url("/a")), max_bytes=9)).answer for _ in range(5)]

        assert [a.reused for a in answers] == [False, True, True, True, True]
        assert http.connections == 1
    assert server.connections == 1


async def test_the_connection_used_last_is_used_next() -> None:
    async def meet(peer: Peer, asked: Asked) -> None:
        nonlocal waiting
        waiting += 1
        if waiting == 3:
            all_here.set()
        await all_here.wait()
        await peer.send(answer(b"a"))

    waiting, all_here = 0, anyio.Event()
    async with serving({"/meet": meet, "/a": answer(b"a")}) as server, Http1Client() as http:
        async with anyio.create_task_group() as tasks:
            for _ in range(3):
                tasks.start_soon(lambda: http.stream(ask(server.url("/meet")), ignore))
        for _ in range(4):
            await http.stream(ask(server.url("/a")), ignore)

    assert server.connections == 3
    assert len({asked.connection for asked in server.asked[3:]}) == 1


async def test_no_more_rest_than_may() -> None:
    async with (
        serving({"/a": answer(b"a")}) as one,
        serving({"/a": answer(b"a")}) as two,
        Http1Client(max_idle=1) as http,
    ):
        await http.stream(ask(one.url("/a")), ignore)
        await http.stream(ask(two.url("/a")), ignore)
        assert http.connections == 1
        assert (await http.stream(ask(two.url("/a")), ignore)).reused
        assert not (await http.stream(ask(one.url("/a")), ignore)).reused


async def test_a_connection_that_rests_too_long_is_closed() -> None:
    async def once(peer: Peer, asked: Asked) -> None:
        await peer.send(answer(b"a"))
        await peer.until_gone()
        gone.set()
        await peer.hang_up()

    gone = anyio.Event()
    async with serving({"/a": once}) as server, Http1Client(idle_s=0.05) as http:
        await http.stream(ask(server.url("/a")), ignore)
        await gone.wait()

        assert http.connections == 0


async def test_a_resting_connection_that_the_server_closes_is_forgotten() -> None:
    async def once(peer: Peer, asked: Asked) -> None:
        await peer.send(answer(b"a"))
        await peer.hang_up()

    async with serving({"/a": once}) as server, Http1Client() as http:
        for _ in range(20):  # closed before, while or after the next request is sent
            assert (await http.fetch(ask(server.url("/a")), max_bytes=9)).data == b"a"

    assert len(server.asked) == 20


async def test_bytes_that_nobody_asked_for_are_not_the_next_answer() -> None:
    async def twice(peer: Peer, asked: Asked) -> None:
        await peer.send(answer(b"a") + answer(b"poison"))

    async with serving({"/a": twice, "/b": answer(b"b")}) as server, Http1Client() as http:
        assert (await http.fetch(ask(server.url("/a")), max_bytes=9)).data == b"a"
        assert (await http.fetch(ask(server.url("/b")), max_bytes=9)).data == b"b"

    assert server.connections == 2


async def test_a_reused_connection_that_dies_without_a_byte_is_tried_once_more() -> None:
    async def second_time_dead(peer: Peer, asked: Asked) -> None:
        if sum(a.connection == peer.number for a in server.asked) == 2:
            await peer.hang_up()
        await peer.send(answer(b"a"))

    async with serving({"/a": second_time_dead}) as server, Http1Client() as http:
        for _ in range(4):
            assert (await http.fetch(ask(server.url("/a")), max_bytes=9)).data == b"a"

    assert [a.connection for a in server.asked] == [1, 1, 2, 2, 3, 3, 4]


async def test_a_fresh_connection_that_dies_is_an_error() -> None:
    async def dead(peer: Peer, asked: Asked) -> None:
        await peer.hang_up()

    async with serving({"/a": answer(b"a"), "/dead": dead}) as server, Http1Client() as http:
        await http.stream(ask(server.url("/a")), ignore)
        with pytest.raises(ConnectionLost, match="without an answer"):
            await http.stream(ask(server.url("/dead")), ignore)

    assert server.connections == 2


async def test_a_reused_connection_that_dies_in_its_answer_is_an_error() -> None:
    async def half(peer: Peer, asked: Asked) -> None:
        await peer.send(b"HTTP/1.1 200 OK\r\nContent-Le")
        await peer.hang_up()

    async with serving({"/a": answer(b"a"), "/half": half}) as server, Http1Client() as http:
        await http.stream(ask(server.url("/a")), ignore)
        with pytest.raises(ConnectionLost, match="in the middle of the head"):
            await http.stream(ask(server.url("/half")), ignore)

    assert server.connections == 1


async def test_a_connection_is_not_lent_to_a_channel_that_may_not_have_it() -> None:
    async with serving({"/a": answer(b"a")}) as server, Http1Client() as http:
        await http.stream(ask(server.url("/a"), scope=Scope.of([ip_address("127.0.0.1")])), ignore)
        with pytest.raises(AddressRefused):
            await http.stream(ask(server.url("/a"), scope=Scope.public()), ignore)


# Ways for it to end


async def test_what_the_consumer_raises_comes_out_and_closes_the_connection() -> None:
    async def much(peer: Peer, asked: Asked) -> None:
        await peer.send(answer(b"x" * 1000, length=10**9))
        await hang(peer, asked)

    class Full(Exception):
        pass

    full = Full("disk")

    def refuse(got: Answer) -> Take:
        raise full

    def choke(data: memoryview) -> None:
        raise full

    async with serving({"/a": much}) as server, Http1Client() as http:
        for on_answer in (refuse, lambda _: choke):
            with pytest.raises(Full) as caught:
                await http.stream(ask(server.url("/a")), on_answer)
            assert caught.value is full
        assert http.connections == 0


async def test_a_view_cannot_be_kept() -> None:
    kept: list[memoryview] = []
    async with serving({"/a": answer(b"abc"), "/b": chunked(b"abc")}) as server, Http1Client() as http:
        await http.stream(ask(server.url("/a")), lambda _: kept.append)
        await http.stream(ask(server.url("/b")), lambda _: kept.append)
        await http.stream(ask(server.url("/b"), byte_range=(1, 1)), lambda _: kept.append)

    assert len(kept) == 3
    for view in kept:
        with pytest.raises(ValueError, match="released"):
            bytes(view)


@pytest.mark.parametrize("sent", [b"", b"HTTP/1.1 200 OK\r\n", answer(b"some", length=10**6)])
async def test_cancelling_closes_the_connection(sent: bytes) -> None:
    async def begin(peer: Peer, asked: Asked) -> None:
        await peer.send(sent)
        begun.set()
        await peer.until_gone()
        gone.set()
        await peer.hang_up()

    begun, gone = anyio.Event(), anyio.Event()
    async with serving({"/a": begin}) as server, Http1Client() as http:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(http.stream, ask(server.url("/a")), ignore)
            await begun.wait()
            tasks.cancel_scope.cancel()
        assert http.connections == 0
        await gone.wait()


async def test_closing_the_client_ends_what_runs() -> None:
    async def stream() -> None:
        with pytest.raises(ConnectionLost, match="closed"):
            await http.stream(ask(server.url("/a")), ignore)

    async with serving({"/a": hang, "/b": answer()}) as server:
        http = Http1Client()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(stream)
            while not server.asked:
                await anyio.lowlevel.checkpoint()
            await http.aclose()
        with pytest.raises(ConnectionLost):
            await http.stream(ask(server.url("/b")), ignore)


async def test_nothing_is_left_open() -> None:
    async def hundred(server: Server) -> None:
        async with Http1Client() as http, anyio.create_task_group() as tasks:
            for _ in range(100):
                tasks.start_soon(http.stream, ask(server.url("/a")), ignore)
            for _ in range(20):
                tasks.start_soon(abandon, http)
        assert http.connections == 0

    async def abandon(http: Http1Client) -> None:
        with anyio.move_on_after(0.01):
            await http.stream(ask(server.url("/hang")), ignore)

    async with serving({"/a": answer(b"a" * 1000), "/hang": hang}) as server:
        await hundred(server)
        while server.closed < server.connections:
            await anyio.lowlevel.checkpoint()
        gc.collect()
        before = open_files()
        await hundred(server)
        while server.closed < server.connections:
            await anyio.lowlevel.checkpoint()
        with anyio.fail_after(30):
            while open_files() > before:  # the server may still be about to accept what nobody waits for any more
                gc.collect()
                await anyio.lowlevel.checkpoint()
        assert not [task for task in asyncio.all_tasks() if task.get_name().startswith("connect to")]


# Time


async def drip(peer: Peer, asked: Asked) -> None:
    """A head that never comes to its end, a byte at a time."""
    await peer.send(b"HTTP/1.1 200 OK\r\nX: ")
    while True:
        await peer.send(b"y")
        await anyio.sleep(0.005)


async def crawl(peer: Peer, asked: Asked) -> None:
    """A body of 100 bytes a second and no end."""
    await peer.send(answer(length=10**9))
    while True:
        await peer.send(b"x")
        await anyio.sleep(0.01)


async def stall(peer: Peer, asked: Asked) -> None:
    await peer.send(answer(b"some", length=10**6))
    await hang(peer, asked)


async def slow_no(peer: Peer, asked: Asked) -> None:
    await peer.send(answer(b"no", status="404 Not Found", length=100))
    await hang(peer, asked)


@pytest.mark.parametrize(
    ("script", "limits", "words"),
    [
        (hang, Limits(head_s=0.1), "no answer within 0.1 s"),
        (drip, Limits(head_s=0.1), "no answer within 0.1 s"),
        (stall, Limits(stall_s=0.1), "no bytes for 0.1 s"),
        (crawl, Limits(low_speed_bps=10_000, low_speed_s=0.2), "bytes a second in 0.2 s"),
        (crawl, Limits(total_s=0.2), "not complete in the time"),
        (hang, Limits(total_s=0.1), "not complete in the time"),
    ],
)
async def test_time_limits(script, limits: Limits, words: str) -> None:
    async with serving({"/a": script}) as server, Http1Client() as http:
        with pytest.raises(Stalled, match=words):
            await http.stream(ask(server.url("/a"), limits=limits), ignore)
        assert http.connections == 0


async def test_a_no_whose_body_does_not_come_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ouzel.system.http.client._NO_BODY_S", 0.1)
    async with serving({"/a": slow_no}) as server, Http1Client() as http:
        with anyio.fail_after(30), pytest.raises(Gone):
            await http.stream(ask(server.url("/a"), limits=Limits(stall_s=60)), ignore)


async def test_a_slow_body_within_its_limits_is_left_alone() -> None:
    async def slow(peer: Peer, asked: Asked) -> None:
        await peer.send(answer(length=40))
        for _ in range(40):
            await peer.send(b"x")
            await anyio.sleep(0.01)

    limits = Limits(head_s=5, stall_s=5, low_speed_bps=1, low_speed_s=0.2, total_s=60)
    async with serving({"/a": slow}) as server, Http1Client() as http:
        page = await http.fetch(ask(server.url("/a"), limits=limits), max_bytes=100)

    assert page.data == b"x" * 40


async def test_a_loop_that_was_blocked_is_not_a_stall() -> None:
    async def two(peer: Peer, asked: Asked) -> None:
        await peer.send(answer(b"a", length=2))
        await blocked.wait()
        await peer.send(b"b")

    def block(data: memoryview) -> None:
        if not blocked.is_set():
            time.sleep(0.7)  # a disk that takes its time, on the loop
            blocked.set()

    blocked = anyio.Event()
    async with serving({"/a": two}) as server, Http1Client() as http:
        await http.stream(ask(server.url("/a"), limits=Limits(stall_s=0.2)), lambda _: block)


# Getting there


async def test_a_port_that_nobody_listens_on() -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        port = bound.getsockname()[1]
        async with Http1Client() as http:
            with pytest.raises(ConnectFailed) as caught:
                await http.stream(ask(f"http://127.0.0.1:{port}/"), ignore)

    assert str(caught.value) == f"cannot connect to 127.0.0.1:{port}: connection refused"


def a_host(*addresses: str, port: int | None = None):
    async def lookup(host: str, asked_port: int) -> list[Endpoint]:
        family = {4: socket.AF_INET, 6: socket.AF_INET6}
        found = [ip_address(a) for a in addresses]
        return [Endpoint(family[a.version], (str(a), port or asked_port), a) for a in found]

    return lookup


async def test_a_dead_address_is_followed_by_the_next() -> None:
    lookup = a_host("127.9.9.9", "127.8.8.8", "127.0.0.1")  # nobody listens on the first two
    async with serving({"/a": answer(b"a")}) as server, Http1Client(lookup=lookup) as http:
        page = await http.fetch(ask(f"http://many.test:{server.port}/a"), max_bytes=9)

    assert page.data == b"a"
    assert server.asked[0].headers["host"] == f"many.test:{server.port}"


async def test_an_address_that_is_silent_does_not_hold_up_the_next() -> None:
    silent = socket.socket()
    fillers = []
    try:
        silent.bind(("127.0.0.2", 0))
        silent.listen(0)
        port = silent.getsockname()[1]
        for _ in range(3):  # its queue is full: further connections get no answer
            fillers.append(socket.socket())
            fillers[-1].setblocking(False)
            fillers[-1].connect_ex(("127.0.0.2", port))
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", port))
            listener.listen(5)
            async with Http1Client(lookup=a_host("127.0.0.2", "127.0.0.1")) as http:
                with pytest.raises(Stalled):  # connected, to the one that takes connections and says nothing
                    await http.stream(ask(f"http://two.test:{port}/", limits=Limits(connect_s=3, head_s=0.05)), ignore)
            async with Http1Client(lookup=a_host("127.0.0.2")) as http:
                with pytest.raises(ConnectFailed, match=rf"within 0.1 s: port {port} does not answer"):
                    await http.stream(ask(f"http://one.test:{port}/", limits=Limits(connect_s=0.1)), ignore)
                assert http.connections == 0
    finally:
        for sock in (silent, *fillers):
            sock.close()


async def test_the_time_for_the_whole_counts_while_connecting() -> None:
    async def never(host: str, port: int) -> list[Endpoint]:
        await anyio.sleep_forever()
        return []

    async with Http1Client(lookup=never) as http:
        with pytest.raises(Stalled, match="name was not found yet"):
            await http.stream(ask("http://slow.test/", limits=Limits(total_s=0.05)), ignore)
        with pytest.raises(ConnectFailed, match="name was not found yet"):
            await http.stream(ask("http://slow.test/", limits=Limits(connect_s=0.05)), ignore)


async def test_a_name_that_leads_home_is_refused() -> None:
    async with serving({"/a": answer(b"a")}) as server, Http1Client(lookup=a_host("127.0.0.1")) as http:
        with pytest.raises(AddressRefused, match=r"evil.test \(127.0.0.1\) is a loopback address"):
            await http.stream(ask(f"http://evil.test:{server.port}/a", scope=Scope.public()), ignore)

    assert server.connections == 0


async def test_the_checked_address_is_the_one_that_is_used() -> None:
    """A name server that answers differently the second time is not asked a second time."""
    asked = 0

    async def rebind(host: str, port: int) -> list[Endpoint]:
        nonlocal asked
        asked += 1
        return await a_host("127.0.0.1" if asked == 1 else "10.255.255.1")(host, port)

    scope = Scope.of([ip_address("127.0.0.1")])
    async with serving({"/a": answer(b"a")}) as server, Http1Client(lookup=rebind) as http:
        await http.stream(ask(f"http://evil.test:{server.port}/a", scope=scope), ignore)

    assert asked == 1


async def test_a_host_that_does_not_exist() -> None:
    async def nothing(host: str, port: int) -> list[Endpoint]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    async with Http1Client(lookup=nothing) as http:
        with pytest.raises(HostNotFound, match=r"host not found: nowhere.test \(no such name"):
            await http.stream(ask("http://nowhere.test/"), ignore)


async def test_a_call_given_up_in_the_moment_of_connecting_does_not_hold_up_the_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made = Link.connection_made

    def give_up(link: Link, transport: asyncio.BaseTransport) -> None:
        made(link, transport)
        calling.cancel()

    monkeypatch.setattr(Link, "connection_made", give_up)
    async with serving({"/a": answer(b"a")}) as server:
        http = Http1Client()
        with anyio.CancelScope() as calling:
            await http.fetch(ask(server.url("/a")), max_bytes=9)
        assert calling.cancelled_caught
        with anyio.fail_after(5):
            await http.aclose()
        assert http.connections == 0
