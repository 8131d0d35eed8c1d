"""Answers of a real server: bodies, ranges, codings, and all ways of saying no."""

from __future__ import annotations

import gzip
import zlib

import anyio
import pytest

from ouzel.base.errors import (
    BadOption,
    BadResponse,
    BadUrl,
    ConnectionLost,
    Forbidden,
    Gone,
    HttpStatus,
    OuzelError,
    RateLimited,
    SchemeRefused,
    ServerTrouble,
    ShortBody,
    TooLarge,
)
from ouzel.system.guard import Scope
from ouzel.system.http import Answer, Http1Client, Request, Take

from .http_server import Asked, Peer, answer, chunked, serving

pytestmark = pytest.mark.anyio

BODY = bytes(range(256)) * 2000


@pytest.fixture(params=[False, True], ids=["asyncio", "uvloop"])
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, bool]]:
    return "asyncio", {"use_uvloop": request.param}


def ask(url: str, **options: object) -> Request:
    return Request(url, scope=Scope.anywhere(), **options)


async def collect(http: Http1Client, request: Request) -> tuple[Answer, bytes]:
    """The answer and the body of a stream."""
    body = bytearray()

    def on_answer(answer: Answer) -> Take:
        return take

    def take(data: memoryview) -> None:
        assert not data.readonly
        body.extend(data)

    return await http.stream(request, on_answer), bytes(body)


async def test_a_body_with_a_length() -> None:
    async with serving({"/a": answer(BODY, Content_Type="Video/MP2T; x=y")}) as server, Http1Client() as http:
        got, body = await collect(http, ask(server.url("/a")))

    assert body == BODY
    assert (got.status, got.length, got.redirects, got.reused) == (200, len(BODY), 0, False)
    assert got.content_type == "video/mp2t"
    assert got.url == server.url("/a")


async def test_a_body_in_chunks_with_extensions_and_trailers() -> None:
    data = chunked(BODY[:5], BODY[5:300_000], BODY[300_000:], extension=";a=b", trailer="X-Sum: 1\r\n")
    async with serving({"/a": data}) as server, Http1Client() as http:
        first = await collect(http, ask(server.url("/a")))
        second = await collect(http, ask(server.url("/a")))

    assert first[1] == second[1] == BODY
    assert first[0].length is None
    assert second[0].reused


async def test_a_body_until_the_connection_ends() -> None:
    async def script(peer: Peer, asked: Asked) -> None:
        await peer.send(answer(BODY, length=None))
        await peer.hang_up()

    async with serving({"/a": script}) as server, Http1Client() as http:
        got, body = await collect(http, ask(server.url("/a")))

        assert body == BODY
        assert got.length is None
        assert http.connections == 0


async def test_an_empty_body_is_not_handed_out() -> None:
    async with (
        serving({"/a": answer(), "/b": answer(status="204 No Content", length=None)}) as server,
        Http1Client() as http,
    ):
        for path in ("/a", "/b"):
            got, body = await collect(http, ask(server.url(path)))
            assert (got.length, body) == (0, b"")


async def test_the_words_of_a_request() -> None:
    async with serving({"/a": answer()}) as server, Http1Client() as http:
        await collect(
            http, ask(server.url("/a?b=c"), headers=(("Referer", "https://site/"), ("user-agent", "Mozilla/5.0")))
        )
        await collect(http, ask(server.url("/a", user="us%40er:secret@")))
        await http.fetch(ask(server.url("/a")), max_bytes=10)

    plain, with_user, page = server.asked
    assert plain.target == "/a?b=c"
    assert plain.headers["host"] == f"127.0.0.1:{server.port}"
    assert plain.headers["accept-encoding"] == "identity"
    assert plain.headers["user-agent"] == "Mozilla/5.0"
    assert plain.headers["referer"] == "https://site/"
    assert "authorization" not in plain.headers
    assert with_user.headers["authorization"] == "Basic dXNAZXI6c2VjcmV0"
    assert with_user.headers["user-agent"].startswith("Ouzel/")
    assert page.headers["accept-encoding"] == "gzip"


@pytest.mark.parametrize(
    ("request_", "error"),
    [
        (ask("http://127.0.0.1:1/", headers=(("A\r\nB", "c"),)), BadOption),
        (ask("http://127.0.0.1:1/", headers=(("A", "b\r\nC: d"),)), BadOption),
        (ask("http://127.0.0.1:1/", headers=(("Range", "bytes=0-1"),)), BadOption),
        (ask("http://127.0.0.1:1/", byte_range=(5, 4)), BadOption),
        (ask("http://127.0.0.1:1/", proxy="ftp://h/"), BadOption),
        (ask("127.0.0.1:1"), BadUrl),
        (ask("file:///etc/passwd"), SchemeRefused),
        (ask("ftp://h/x"), SchemeRefused),
    ],
)
async def test_requests_that_are_not_sent(request_: Request, error: type[OuzelError]) -> None:
    async with Http1Client() as http:
        with pytest.raises(error):
            await http.fetch(request_, max_bytes=10)


# What is said no to


@pytest.mark.parametrize(
    ("status", "error"),
    [
        ("404 Not Found", Gone),
        ("410 Gone", Gone),
        ("401 Unauthorized", Forbidden),
        ("403 Forbidden", Forbidden),
        ("429 Too Many Requests", RateLimited),
        ("500 Internal Server Error", ServerTrouble),
        ("503 Service Unavailable", ServerTrouble),
        ("416 Range Not Satisfiable", HttpStatus),
        ("304 Not Modified", HttpStatus),
        ("300 Multiple Choices", HttpStatus),
        ("451 Unavailable For Legal Reasons", HttpStatus),
    ],
)
async def test_statuses_are_errors_and_keep_the_connection(status: str, error: type[HttpStatus]) -> None:
    page = b"<html><style>p{}</style><p>No,\n really. https://h/x?token=abc</p>"
    body = b"" if status.startswith("304") else page
    async with serving({"/a": answer(body, status=status)}) as server, Http1Client() as http:
        with pytest.raises(error) as caught:
            await collect(http, ask(server.url("/a?sign=secret")))
        with pytest.raises(error):
            await http.fetch(ask(server.url("/a")), max_bytes=1)

    assert type(caught.value) is error
    assert caught.value.status == int(status[:3])
    assert str(caught.value) == f"127.0.0.1 answered {status}"
    assert caught.value.context["excerpt"] == ("No, really. https://h/x?token=***" if body else "")
    assert "secret" not in str(caught.value.context)
    assert server.connections == 1


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120.0),
        ("Fri, 02 Jan 2026 00:02:00 GMT", 60.0),
        ("Fri, 02 Jan 2026 00:00:00 GMT", 0.0),
        ("soon", None),
        ("-5", None),
    ],
)
async def test_retry_after(value: str, seconds: float | None) -> None:
    no = answer(status="429 Slow Down", Retry_After=value, Date="Fri, 02 Jan 2026 00:01:00 GMT")
    async with serving({"/a": no}) as server, Http1Client() as http:
        with pytest.raises(RateLimited) as caught:
            await http.fetch(ask(server.url("/a")), max_bytes=10)

    assert caught.value.retry_after_s == seconds


async def test_a_no_that_goes_on_for_long_is_not_read_to_its_end() -> None:
    async def script(peer: Peer, asked: Asked) -> None:
        await peer.send(answer(b"x" * 100_000, status="404 Not Found", length=10**9))
        await peer.until_gone()
        await peer.hang_up()

    async with serving({"/a": script}) as server, Http1Client() as http:
        with pytest.raises(Gone):
            await http.fetch(ask(server.url("/a")), max_bytes=10)


async def test_a_no_that_ends_too_early_is_still_a_no() -> None:
    async def script(peer: Peer, asked: Asked) -> None:
        await peer.send(answer(b"gone", status="404 Not Found", length=100))
        await peer.hang_up()

    async with serving({"/a": script}) as server, Http1Client() as http:
        with pytest.raises(Gone) as caught:
            await http.fetch(ask(server.url("/a")), max_bytes=10)

    assert caught.value.context["excerpt"] == "gone"


async def test_pictures_are_not_quoted() -> None:
    async with serving({"/a": answer(bytes(range(200)), status="403 No")}) as server, Http1Client() as http:
        with pytest.raises(Forbidden) as caught:
            await http.fetch(ask(server.url("/a")), max_bytes=10)

    assert caught.value.context["excerpt"] == ""


async def test_a_compressed_no_is_quoted() -> None:
    no = answer(gzip.compress(b'{"message": "login first"}'), status="403 No", Content_Encoding="gzip")
    async with serving({"/a": no}) as server, Http1Client() as http:
        with pytest.raises(Forbidden) as caught:
            await http.fetch(ask(server.url("/a")), max_bytes=10)

    assert caught.value.context["excerpt"] == '{"message": "login first"}'


# Bodies that are not what they should be


async def test_a_gigabyte_announced_and_closed_early() -> None:
    async def script(peer: Peer, asked: Asked) -> None:
        await peer.send(answer(BODY, length=10**9))
        await peer.hang_up()

    async with serving({"/a": script}) as server, Http1Client() as http:
        with pytest.raises(ShortBody) as caught:
            await collect(http, ask(server.url("/a")))

    assert caught.value.context == {"received_bytes": len(BODY), "announced_bytes": 10**9}


@pytest.mark.parametrize(
    "sent", [b"", b"HTTP/1.1 200 OK\r\nContent-", answer(b"12345", length=10), answer(b"1", length=None)]
)
async def test_a_connection_that_is_reset(sent: bytes) -> None:
    async def script(peer: Peer, asked: Asked) -> None:
        await peer.send(sent)
        await got_it.wait()
        await peer.reset()

    got_it = anyio.Event()
    if not sent.startswith(b"HTTP/1.1 200 OK\r\n") or b"\r\n\r\n" not in sent:
        got_it.set()

    async with serving({"/a": script}) as server, Http1Client() as http:
        with pytest.raises(ConnectionLost):
            await http.stream(ask(server.url("/a")), lambda _: lambda _: got_it.set())


async def test_chunks_cut_short() -> None:
    async def script(peer: Peer, asked: Asked) -> None:
        await peer.send(chunked(b"12345", b"67890")[:-5])
        await peer.hang_up()

    async with serving({"/a": script}) as server, Http1Client() as http:
        with pytest.raises(ShortBody):
            await collect(http, ask(server.url("/a")))


@pytest.mark.parametrize(
    "sent",
    [
        b"220 mail.example ESMTP\r\n",
        b"HTTP/1.1 200 OK\r\nBad Header: x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * 70_000,
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: upgrade\r\n\r\n",
        answer(b"x", Content_Encoding="br"),
        answer(b"x", Content_Encoding="gzip, gzip"),
        answer(b"#EXTM3U", Content_Encoding="gzip"),
        answer(b"12", status="206 Partial Content"),
    ],
)
async def test_answers_that_break_the_rules(sent: bytes) -> None:
    async with serving({"/a": sent}) as server, Http1Client() as http:
        with pytest.raises(BadResponse):
            await collect(http, ask(server.url("/a")))
        assert http.connections == 0


# Small things, whole


@pytest.mark.parametrize(
    ("coding", "data"),
    [
        ("gzip", gzip.compress(BODY)),
        ("X-GZIP", gzip.compress(BODY)),
        ("deflate", zlib.compress(BODY)),
        ("deflate", zlib.compress(BODY, wbits=-15)),
        ("identity", BODY),
        ("UTF-8", BODY),  # seen in the field: no compression at all
    ],
)
@pytest.mark.parametrize("framing", [answer, chunked])
async def test_compressed_pages(coding: str, data: bytes, framing) -> None:
    async with serving({"/a": framing(data, Content_Encoding=coding)}) as server, Http1Client() as http:
        page = await http.fetch(ask(server.url("/a")), max_bytes=len(BODY))
        streamed = await collect(http, ask(server.url("/a")))  # not asked for, and yet sent

    assert page.data == BODY
    assert streamed[1] == BODY
    assert page.answer.length == (len(BODY) if data is BODY and framing is answer else None)


@pytest.mark.parametrize(
    "sent",
    [
        answer(b"x" * 1001),
        chunked(b"x" * 600, b"x" * 401),
        answer(gzip.compress(bytes(10_000_000)), Content_Encoding="gzip"),
        chunked(*[gzip.compress(b"")] * 5000, Content_Encoding="gzip"),  # much that comes to nothing
    ],
)
async def test_pages_that_are_too_large(sent: bytes) -> None:
    async with serving({"/a": sent}) as server, Http1Client() as http:
        with pytest.raises(TooLarge):
            await http.fetch(ask(server.url("/a")), max_bytes=1000)
        assert http.connections == 0


async def test_a_compressed_page_cut_short() -> None:
    sent = answer(gzip.compress(BODY)[:-9], Content_Encoding="gzip")
    async with serving({"/a": sent}) as server, Http1Client() as http:
        with pytest.raises(ShortBody):
            await http.fetch(ask(server.url("/a")), max_bytes=len(BODY))


# Ranges


def part(first: int, last: int, *, total: str = str(len(BODY)), sent: bytes | None = None) -> bytes:
    body = BODY[first : last + 1] if sent is None else sent
    return answer(body, status="206 Partial Content", Content_Range=f"bytes {first}-{last}/{total}")


@pytest.mark.parametrize(
    ("wanted", "sent", "reusable"),
    [
        ((10, 19), part(10, 19), True),
        ((10, 19), part(10, 19, total="*"), True),
        ((len(BODY) - 5, len(BODY) + 100), part(len(BODY) - 5, len(BODY) - 1), True),
        ((10, None), part(10, len(BODY) - 1), True),
        ((0, 9), answer(BODY), False),
        ((1000, 400_000), answer(BODY), False),
        ((1000, None), answer(BODY), True),
        ((1000, 10**9), answer(BODY), True),
        ((1000, 2000), chunked(BODY), False),
        ((1000, None), chunked(BODY), True),
        (None, part(0, len(BODY) - 1), True),
    ],
)
async def test_ranges(wanted: tuple[int, int | None] | None, sent: bytes, reusable: bool) -> None:
    first, last = wanted or (0, None)
    expected = BODY[first : None if last is None else last + 1]
    async with serving({"/a": sent}) as server, Http1Client() as http:
        got, body = await collect(http, ask(server.url("/a"), byte_range=wanted))
        page = await http.fetch(ask(server.url("/a"), byte_range=wanted), max_bytes=len(BODY))

    assert body == page.data == expected
    assert got.length in (len(expected), None)
    assert page.answer.reused == reusable
    assert server.asked[0].headers.get("range") == (wanted and f"bytes={first}-{'' if last is None else last}")
    assert wanted is None or server.asked[1].headers["accept-encoding"] == "identity"


@pytest.mark.parametrize(
    ("wanted", "sent", "error"),
    [
        ((10, 19), part(11, 20), BadResponse),
        ((10, 19), part(10, 18), BadResponse),
        ((10, 19), part(10, 20), BadResponse),
        ((10, 19), answer(b"x", status="206 Partial Content"), BadResponse),
        ((10, 19), part(10, 19, sent=b"short"), BadResponse),
        ((10, 19), answer(b"", status="206 OK", Content_Range="bytes */100"), BadResponse),
        ((len(BODY), len(BODY) + 5), answer(BODY), BadResponse),
        ((10**9, 10**9 + 5), answer(BODY), BadResponse),
        ((len(BODY), len(BODY) + 5), chunked(BODY), ShortBody),
        ((10, 19), answer(gzip.compress(BODY), Content_Encoding="gzip"), BadResponse),
        ((10, 19), answer(status="416 Range Not Satisfiable"), HttpStatus),
    ],
)
async def test_ranges_that_do_not_fit(wanted: tuple[int, int], sent: bytes, error: type[OuzelError]) -> None:
    async with serving({"/a": sent}) as server, Http1Client() as http:
        with pytest.raises(error):
            await collect(http, ask(server.url("/a"), byte_range=wanted))
