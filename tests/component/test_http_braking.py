"""A consumer that rests: the server waits, nothing is lost, and it is not the server's fault."""

from __future__ import annotations

import pytest

from ouzel.system.guard import Scope
from ouzel.system.http import Answer, Http1Client, Limits, Request, Take
from ouzel.system.http.links import Link

from .http_server import answer, serving

pytestmark = pytest.mark.anyio

BODY = bytes(range(256)) * 16_384  # 4 MB: more than the kernel keeps for us


@pytest.fixture
def paused(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """When reading was stopped, and taken up again."""
    told: list[str] = []
    for name in ("pause", "resume"):
        real = getattr(Link, name)
        monkeypatch.setattr(Link, name, lambda link, name=name, real=real: (told.append(name), real(link))[1])
    return told


class Taken:
    def __init__(self) -> None:
        self.data = bytearray()

    def on_answer(self, _answer: Answer) -> Take:
        return self.data.extend


async def test_while_a_consumer_rests_nothing_comes_and_all_of_it_comes_in_the_end(paused: list[str]) -> None:
    taken, seen, rests = Taken(), [0], iter([0.02] * 20)

    def brake(size: int) -> float:
        if size:
            assert len(taken.data) > seen[-1], "it was asked about bytes that came"
        else:
            assert len(taken.data) == seen[-1], "nothing came while it rested"
        seen.append(len(taken.data))
        return next(rests, 0.0)

    async with serving({"/": answer(BODY)}) as server, Http1Client() as http:
        await http.stream(Request(server.url("/"), scope=Scope.anywhere(), brake=brake), taken.on_answer)
        assert taken.data == BODY
        assert paused[0] == "pause"
        assert paused.count("pause") == paused.count("resume")
        again = Taken()
        reused = await http.stream(Request(server.url("/"), scope=Scope.anywhere()), again.on_answer)
    assert reused.reused
    assert again.data == BODY


async def test_a_long_rest_is_no_stall() -> None:
    taken, rests = Taken(), iter([0.4, 0.4, 0.4])

    async with serving({"/": answer(BODY)}) as server, Http1Client() as http:
        request = Request(
            server.url("/"), scope=Scope.anywhere(), limits=Limits(stall_s=0.3), brake=lambda _size: next(rests, 0.0)
        )
        await http.stream(request, taken.on_answer)
    assert taken.data == BODY
