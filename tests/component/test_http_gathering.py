"""Gathering in the kernel (SO_RCVLOWAT) changes nothing but the size of pieces."""

from __future__ import annotations

import anyio
import pytest

from ouzel.base.errors import Stalled
from ouzel.system.guard import Scope
from ouzel.system.http import Answer, Http1Client, Limits, Request, Take
from ouzel.system.http.links import Link

from .http_server import Asked, Peer, answer, chunked, serving

pytestmark = pytest.mark.anyio

PIECE = bytes(range(256)) * 80
"""20 KB; one of them each 20 ms is 8 Mb/s."""
MANY = 80


@pytest.fixture(params=[False, True], ids=["asyncio", "uvloop"])
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, bool]]:
    return "asyncio", {"use_uvloop": request.param}


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """What the kernel was told to gather."""
    sizes: list[int] = []
    gather = Link.gather

    def noted(link: Link, size: int) -> None:
        sizes.append(size)
        gather(link, size)

    monkeypatch.setattr(Link, "gather", noted)
    return sizes


class Taken:
    def __init__(self) -> None:
        self.data = bytearray()
        self.came = anyio.Event()

    def on_answer(self, _answer: Answer) -> Take:
        return self.take

    def take(self, piece: memoryview) -> None:
        self.data += piece
        self.came.set()
        self.came = anyio.Event()

    async def until(self, count: int) -> None:
        while len(self.data) < count:
            await self.came.wait()


def ask(url: str) -> Request:
    limits = Limits(stall_s=1.0)
    return Request(url, scope=Scope.anywhere(), gather_s=0.25, limits=limits)


async def trickle(peer: Peer, count: int = MANY) -> None:
    for _ in range(count):
        await peer.send(PIECE)
        await anyio.sleep(0.02)


async def test_an_endless_stream_is_whole_and_its_end_is_seen_at_once(told: list[int]) -> None:
    async def live(peer: Peer, asked: Asked) -> None:
        await peer.send(answer(length=None, Connection="close"))
        await trickle(peer)
        await peer.hang_up()

    taken = Taken()
    async with serving({"/live": live}) as server, Http1Client() as http:
        with anyio.fail_after(20):
            await http.stream(ask(server.url("/live")), taken.on_answer)
    assert taken.data == PIECE * MANY
    assert max(told) > len(PIECE), "nothing was gathered: this test shows nothing"


async def test_what_came_before_a_pause_is_handed_out(told: list[int]) -> None:
    go_on = anyio.Event()

    async def live(peer: Peer, asked: Asked) -> None:
        await peer.send(answer(length=None, Connection="close"))
        await trickle(peer)
        await peer.send(b"the last before the pause")
        await go_on.wait()
        await peer.hang_up()

    taken = Taken()
    async with serving({"/live": live}) as server, Http1Client() as http, anyio.create_task_group() as tg:
        tg.start_soon(http.stream, ask(server.url("/live")), taken.on_answer)
        with anyio.fail_after(20):
            await taken.until(len(PIECE) * MANY + len(b"the last before the pause"))
            assert max(told) > len(PIECE)
            go_on.set()


async def test_a_stall_is_still_a_stall(told: list[int]) -> None:
    async def live(peer: Peer, asked: Asked) -> None:
        await peer.send(answer(length=None, Connection="close"))
        await trickle(peer)
        await peer.until_gone()
        await peer.hang_up()

    taken = Taken()
    async with serving({"/live": live}) as server, Http1Client() as http:
        with anyio.fail_after(20), pytest.raises(Stalled):
            await http.stream(ask(server.url("/live")), taken.on_answer)
    assert taken.data == PIECE * MANY
    assert max(told) > len(PIECE)


async def test_the_connection_serves_small_answers_afterwards(told: list[int]) -> None:
    async def live(peer: Peer, asked: Asked) -> None:
        framed = chunked(*[PIECE] * MANY)
        for start in range(0, len(framed), len(PIECE)):
            await peer.send(framed[start : start + len(PIECE)])
            await anyio.sleep(0.02)

    taken = Taken()
    async with serving({"/live": live, "/small": answer(b"small")}) as server, Http1Client() as http:
        with anyio.fail_after(20):
            await http.stream(ask(server.url("/live")), taken.on_answer)
            page = await http.fetch(ask(server.url("/small")), max_bytes=9)
    assert taken.data == PIECE * MANY
    assert page.answer.reused
    assert told[-1] == 1
    assert max(told) > len(PIECE)


async def test_a_body_of_known_length_is_not_gathered(told: list[int]) -> None:
    async def file(peer: Peer, asked: Asked) -> None:
        await peer.send(answer(length=len(PIECE) * MANY))
        await trickle(peer)

    taken = Taken()
    async with serving({"/file": file}) as server, Http1Client() as http:
        with anyio.fail_after(20):
            await http.stream(ask(server.url("/file")), taken.on_answer)
    assert told == []
    assert taken.data == PIECE * MANY
