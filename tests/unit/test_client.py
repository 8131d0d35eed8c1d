"""The command line as a client: what it makes of answers, and of connections that are lost. No socket."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from pathlib import Path

import httpx
import pytest

from ouzel.base.errors import (
    BadOption,
    BadResponse,
    Conflict,
    HttpStatus,
    NoDaemon,
    NotFound,
    OuzelError,
    TooManyAttempts,
)
from ouzel.cli import client
from ouzel.cli.client import Api, connect

Answer = Callable[[httpx.Request], httpx.Response]


def api(answer: Answer, slept: list[float] | None = None) -> Api:
    sleep = [].append if slept is None else slept.append
    return Api(httpx.Client(transport=httpx.MockTransport(answer), base_url="http://ouzel.test"), sleep=sleep)


def problem(status: int, code: str, **headers: str) -> Answer:
    return lambda _: httpx.Response(status, json={"code": code, "detail": "so it is"}, headers=headers)


@pytest.mark.parametrize(
    ("answer", "kind", "said"),
    [
        (problem(409, "conflict"), Conflict, "so it is"),
        (problem(500, "internal"), OuzelError, "so it is"),
        (problem(418, "teapot"), HttpStatus, "the daemon answers 418: so it is teapot"),
        (problem(502, "http_status"), HttpStatus, "the daemon answers 502: so it is http_status"),
        (lambda _: httpx.Response(404, json=["no problem"]), HttpStatus, "the daemon answers 404: Not Found"),
        (
            lambda _: httpx.Response(200, text="<html>"),
            BadResponse,
            "what answers at ouzel.test is no Ouzel (status 200)",
        ),
        (
            lambda _: httpx.Response(502, text="<html>"),
            BadResponse,
            "what answers at ouzel.test is no Ouzel (status 502)",
        ),
    ],
)
def test_a_problem_becomes_the_error_that_it_was(answer: Answer, kind: type[OuzelError], said: str) -> None:
    with pytest.raises(OuzelError) as caught:
        api(answer).get("channels")
    assert type(caught.value) is kind
    assert str(caught.value) == said


def test_how_long_to_wait_is_known() -> None:
    with pytest.raises(TooManyAttempts) as caught:
        api(problem(429, "too_many_attempts", **{"retry-after": "30"})).post("auth/login")
    assert caught.value.retry_after_s == 30


def test_pages_are_read_to_the_end_and_only_as_far_as_somebody_reads() -> None:
    asked: list[str | None] = []

    def answer(request: httpx.Request) -> httpx.Response:
        cursor = request.url.params.get("cursor")
        asked.append(cursor)
        number = int(cursor or 0)
        items = [{"id": f"{number}{each}"} for each in "ab"]
        return httpx.Response(200, json={"items": items, "next_cursor": str(number + 1) if number < 2 else None})

    assert [each["id"] for each in api(answer).all("channels")] == ["0a", "0b", "1a", "1b", "2a", "2b"]
    asked.clear()
    assert len([*islice(api(answer).all("channels"), 3)]) == 3
    assert asked == [None, "1"]


def test_a_thing_is_found_by_id_name_or_beginning_and_never_by_guessing() -> None:
    items = [
        {"id": "06fk8v2xq3m1a7zt", "name": "小明", "addresses": ["https://a.test/1"]},
        {"id": "06fk8v2xq3m1a7zu", "name": "Anna", "addresses": ["https://a.test/2"]},
        {"id": "06fm000000000000", "name": "06fk8v2xq3m1a7zt", "addresses": []},
        {"id": "06fn000000000000", "name": "anna", "addresses": []},
    ]
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.params["word"])  # the daemon leaves out what does not begin or is not called so
        return httpx.Response(200, json={"items": items, "next_cursor": None})

    here = api(answer)

    def find(word: str) -> str:
        return here.find("channels", word, "name", "addresses")["id"]

    assert find("06fk8v2xq3m1a7zt") == items[0]["id"]
    assert find("小明") == find("https://a.test/1") == items[0]["id"]
    assert find("06fm") == items[2]["id"]
    for word in ("ANNA", "06fk8v2xq3"):
        with pytest.raises(BadOption, match="may be"):
            find(word)
    for word in ("06f", "nobody"):
        with pytest.raises(NotFound):
            find(word)
    assert asked[-3:] == ["06fk8v2xq3", "06f", "nobody"]


def frames(*pieces: str) -> httpx.Response:
    return httpx.Response(200, text="".join(f"{piece}\n\n" for piece in pieces))


def test_events_go_on_after_the_last_one_that_came() -> None:
    asked: list[dict[str, str]] = []
    slept: list[float] = []
    lost: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(dict(request.url.params))
        match len(asked):
            case 1:
                begun = 'retry: 3000\nevent: ready\nid: 4\ndata: {"number":4}'
                return frames(
                    begun, 'event: job.done\nid: 5\ndata: {"number":5}', ": still here", ": still here\nid: 7"
                )
            case 2 | 3:
                raise httpx.ConnectError("refused")
            case _:
                return frames('event: ready\nid: 7\ndata: {"number":7}', 'event: job.done\nid: 8\ndata: {"number":8}')

    told = api(answer, slept).events(topics="job", lost=lambda exc: lost.append(exc.code))

    assert [(each["event"], each["number"]) for each in islice(told, 5)] == [
        ("ready", 4), ("job.done", 5), ("passed", 7), ("ready", 7), ("job.done", 8),
    ]  # fmt: skip
    assert [each.get("after") for each in asked] == [None, "7", "7", "7"]
    assert lost == ["no_daemon"] * 3
    assert slept == [1.0, 2.0, 5.0]


def test_who_may_not_listen_any_more_is_told_so_and_does_not_ask_again() -> None:
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        if len(asked) == 1:
            return frames('event: ready\nid: 4\ndata: {"number":4}')
        return httpx.Response(401, json={"code": "not_signed_in", "detail": "it was taken away"})

    with pytest.raises(OuzelError, match="taken away"):
        [*api(answer).events(lost=lambda _: None)]
    assert len(asked) == 2


def test_where_nobody_is_it_is_said_at_once() -> None:
    def answer(_: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused")

    for ask in (lambda: api(answer).get("status"), lambda: next(api(answer).events(lost=lambda _: None))):
        with pytest.raises(NoDaemon, match="refused"):
            ask()


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[str | None]:
    """Who asks, of each request."""
    asked: list[str | None] = []

    class Transport(httpx.MockTransport):
        def __init__(self, **_given: object) -> None:
            super().__init__(lambda request: asked.append(request.headers.get("authorization")) or httpx.Response(204))

    monkeypatch.setattr(httpx, "HTTPTransport", Transport)
    return asked


@pytest.mark.parametrize(
    ("server", "is_tls"), [("http://there.test", False), ("there.test", False), ("HTTPS://there.test", True)]
)
def test_who_is_trusted_is_read_only_where_it_matters(
    server: str, is_tls: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: dict[str, object] = {}

    def transport(**options: object) -> httpx.MockTransport:
        given.update(options)
        return httpx.MockTransport(lambda _: httpx.Response(204))

    monkeypatch.setattr(httpx, "HTTPTransport", transport)
    with connect(server, "ouzel_key", None):
        assert given["verify"] is is_tls


def test_the_right_of_this_machine_is_never_shown_to_another(told: list[str | None]) -> None:
    for key in (None, "ouzel_key"):
        with connect("http://elsewhere.test", key, None) as there:
            there.get("status")
    assert told == [None, "Bearer ouzel_key"]


def test_the_right_of_this_machine_lasts_for_more_than_a_minute(
    told: list[str | None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fresh = iter(["first", "second"])
    monkeypatch.setattr(client, "running_on", lambda _: "http://127.0.0.1:1")
    monkeypatch.setattr(client, "_local_token", lambda _: lambda: next(fresh))
    with connect(None, None, tmp_path) as here:
        here.get("status")
        here.get("status")
    assert told == ["Bearer first", "Bearer second"]
