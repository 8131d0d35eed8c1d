"""Any split of an answer's bytes gives the same answer; no bytes at all make the reader do anything but read or refuse."""

from __future__ import annotations

import gzip
import zlib
from dataclasses import dataclass, field
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ouzel.base.errors import BadResponse, ConnectionLost, OuzelError, ShortBody
from ouzel.system.http.bodies import Inflater
from ouzel.system.http.heads import MAX_HEAD, Head
from ouzel.system.http.links import Link, OpenLinks
from ouzel.system.http.reader import AnswerReader

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: video/mp2t\r\nX-A: 1\r\nX-A: 2\r\n"
BODY = bytes(range(256)) * 5


def _chunked(*sizes: int, extension: bytes = b"", trailer: bytes = b"") -> bytes:
    out, pos = bytearray(), 0
    for size in sizes:
        out += b"%x%s\r\n%s\r\n" % (size, extension, BODY[pos : pos + size])
        pos += size
    assert pos == len(BODY)
    return bytes(out) + b"0" + extension + b"\r\n" + trailer + b"\r\n"


GOOD = {
    "counted": HEAD + b"Content-Length: 1280\r\n\r\n" + BODY,
    "until close": HEAD + b"\r\n" + BODY,
    "chunked": HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + _chunked(1, 15, 64, 200, 1000),
    "extensions and trailers": HEAD
    + b"Transfer-Encoding: Chunked\r\n\r\n"
    + _chunked(700, 580, extension=b' ;name="a value";x', trailer=b"X-Sum: 1\r\nX-More: 2\r\n"),
    "interim answers": b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
    + HEAD
    + b"Content-Length: 1280\r\n\r\n"
    + BODY,
    "bare line feeds": HEAD.replace(b"\r\n", b"\n") + b"Content-Length: 1280\n\n" + BODY,
    "blank lines first": b"\r\n\r\n" + HEAD + b"Content-Length: 1280\r\n\r\n" + BODY,
    "both framings": HEAD + b"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n" + _chunked(1280),
}
REUSABLE = {"counted", "chunked", "extensions and trailers", "interim answers", "bare line feeds", "blank lines first"}
BAD = {
    "no HTTP": b"SSH-2.0-OpenSSH_9.2p1\r\n" * 10,
    "another protocol": b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
    "header name": b"HTTP/1.1 200 OK\r\nA b: c\r\n\r\n",
    "two lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
    "negative length": b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n",
    "chunk size": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nzz\r\n",
    "signed chunk size": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n+3\r\nabc\r\n0\r\n\r\n",
    "chunk overrun": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcdef\r\n0\r\n\r\n",
    "endless chunk size": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1" * 10_000,
    "endless trailer": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n" + b"X: y\r\n" * 10_000,
    "other transfer coding": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
    "head too long": b"HTTP/1.1 200 OK\r\nX: " + b"y" * (MAX_HEAD + 1),
    "interim answers without end": b"HTTP/1.1 100 Continue\r\n\r\n" * 40,
    "blank lines without end": b"\r\n" * 200,
}


@dataclass
class Read:
    head: Head | None = None
    body: bytearray = field(default_factory=bytearray)
    error: OuzelError | None = None
    reusable: bool = False

    def outcome(self) -> object:
        return (self.head, bytes(self.body), type(self.error), str(self.error), self.reusable)


def read(pieces: list[bytes], *, close: bool = True) -> Read:
    """Feed pieces from one buffer that is overwritten with each, as the loop's is."""
    result = Read()
    buffer = bytearray(max((len(piece) for piece in pieces), default=0))

    def on_head(head: Head):
        result.head = head
        return take

    def take(data: memoryview) -> None:
        assert not data.readonly
        assert len(data) > 0
        result.body += data

    reader = AnswerReader(on_head)
    try:
        for piece in pieces:
            buffer[: len(piece)] = piece
            with memoryview(buffer)[: len(piece)] as view:
                reader.feed(view)
        if close:
            reader.close()
    except OuzelError as exc:
        result.error = exc
    result.reusable = reader.reusable
    return result


def split(data: bytes, cuts: list[int]) -> list[bytes]:
    edges = [0, *sorted({cut % (len(data) + 1) for cut in cuts}), len(data)]
    return [data[a:b] for a, b in pairwise(edges) if b > a]


cuts = st.lists(st.integers(0, 100_000), max_size=12)


@pytest.mark.parametrize("name", GOOD)
def test_an_answer_in_one_piece(name: str) -> None:
    result = read([GOOD[name]], close=name == "until close")

    assert result.error is None
    assert bytes(result.body) == BODY
    assert result.head is not None
    assert result.head.headers.all("x-a") == ("1", "2")
    assert result.reusable == (name in REUSABLE)


@pytest.mark.parametrize("name", GOOD)
def test_byte_by_byte(name: str) -> None:
    assert read([bytes([b]) for b in GOOD[name]]).outcome() == read([GOOD[name]]).outcome()


@settings(max_examples=150)
@given(st.sampled_from(sorted(GOOD)), cuts)
def test_any_split_gives_the_same_answer(name: str, where: list[int]) -> None:
    assert read(split(GOOD[name], where)).outcome() == read([GOOD[name]]).outcome()


@settings(max_examples=150)
@given(st.sampled_from(sorted(GOOD)), st.integers(0, 5000), cuts)
def test_an_answer_cut_short_is_never_whole(name: str, end: int, where: list[int]) -> None:
    data = GOOD[name]
    end %= len(data)
    result = read(split(data[:end], where))

    assert BODY.startswith(bytes(result.body))
    if name == "until close" and result.head is not None:
        assert result.error is None  # its end is all the end that it has
    else:
        assert isinstance(result.error, ConnectionLost if result.head is None else ShortBody)
    assert not result.reusable


@pytest.mark.parametrize("name", BAD)
def test_what_breaks_the_rules_is_refused(name: str) -> None:
    result = read([BAD[name]])

    assert isinstance(result.error, BadResponse)
    assert not result.reusable


@settings(max_examples=150)
@given(st.sampled_from(sorted(BAD)), cuts)
def test_any_split_is_refused_alike(name: str, where: list[int]) -> None:
    split_up = read(split(BAD[name], where))

    assert isinstance(split_up.error, BadResponse)
    assert bytes(split_up.body) == bytes(read([BAD[name]]).body)


@settings(max_examples=200)
@given(st.binary(max_size=400), cuts, st.sampled_from([b"", b"HTTP/1.1 200 OK\r\n", GOOD["chunked"][:70]]))
def test_any_bytes_are_read_or_refused(data: bytes, where: list[int], start: bytes) -> None:
    result = read(split(start + data, where))

    assert result.error is None or isinstance(result.error, BadResponse | ConnectionLost | ShortBody)


@pytest.mark.parametrize("status", ["204 No Content", "304 Not Modified"])
def test_statuses_without_a_body(status: str) -> None:
    result = read([f"HTTP/1.1 {status}\r\nContent-Length: 10\r\n\r\n".encode()], close=False)

    assert result.error is None
    assert result.reusable


def test_bytes_after_the_answer_spoil_the_connection() -> None:
    assert not read([GOOD["counted"] + b"more"], close=False).reusable
    assert not read([GOOD["counted"], b"more"], close=False).reusable


@pytest.mark.parametrize(
    ("head", "kept"),
    [
        (b"HTTP/1.0 200 OK\r\n", False),
        (b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n", True),
        (b"HTTP/1.1 200 OK\r\nConnection: foo, Close\r\n", False),
    ],
)
def test_who_keeps_the_connection(head: bytes, kept: bool) -> None:
    assert read([head + b"Content-Length: 0\r\n\r\n"], close=False).reusable == kept


def test_small_chunks_come_together_in_one_call() -> None:
    pieces: list[int] = []
    reader = AnswerReader(lambda _: lambda data: pieces.append(len(data)))
    reader.feed(memoryview(bytearray(GOOD["chunked"])))

    assert pieces == [len(BODY)]


# The same through the protocol class that the event loop calls, with its one receive buffer.


class _Transport:
    def is_closing(self) -> bool:
        return False

    def abort(self) -> None:
        pass


@settings(max_examples=60)
@given(
    st.lists(st.tuples(st.sampled_from(sorted(GOOD)), cuts), min_size=1, max_size=4), st.randoms(use_true_random=False)
)
def test_connections_share_one_buffer_and_never_mix(answers: list[tuple[str, list[int]]], order) -> None:
    view = memoryview(bytearray(4096))
    links, queues, results = [], [], []
    for name, where in answers:
        link, result = Link(view, OpenLinks()), Read()
        link.connection_made(_Transport())
        link.receiver = _Receiver(result)
        links.append(link)
        queues.append(split(GOOD[name], where))
        results.append(result)
    while waiting := [n for n, queue in enumerate(queues) if queue]:
        n = order.choice(waiting)
        piece = queues[n].pop(0)
        links[n].get_buffer(-1)[: len(piece)] = piece
        links[n].buffer_updated(len(piece))

    assert all(bytes(result.body) == BODY for result in results)


class _Receiver:
    def __init__(self, result: Read) -> None:
        self._reader = AnswerReader(lambda _: result.body.extend)

    def received(self, data: memoryview) -> None:
        self._reader.feed(data)

    def closed(self, exc: Exception | None) -> None:
        pass


# Content codings

TEXT = b"#EXTM3U\n" + b"#EXTINF:6,\nsegment.ts\n" * 300
CODED = {
    "gzip": gzip.compress(TEXT),
    "gzip in two members": gzip.compress(TEXT[:100]) + gzip.compress(TEXT[100:]),
    "gzip with padding": gzip.compress(TEXT) + bytes(20),
    "deflate": zlib.compress(TEXT),
    "deflate, raw": zlib.compress(TEXT, wbits=-15),
}


def inflate(name: str, pieces: list[bytes]) -> bytes:
    out = bytearray()
    inflater = Inflater(name.partition(" ")[0].rstrip(","), out.extend)
    for piece in pieces:
        inflater.feed(memoryview(bytearray(piece)))
    inflater.close()
    return bytes(out)


@settings(max_examples=100)
@given(st.sampled_from(sorted(CODED)), cuts)
def test_any_split_of_compressed_bytes_gives_the_same_text(name: str, where: list[int]) -> None:
    assert inflate(name, split(CODED[name], where)) == TEXT


@pytest.mark.parametrize("name", ["gzip", "deflate", "deflate, raw"])
def test_compressed_bytes_cut_short(name: str) -> None:
    with pytest.raises(ShortBody):
        inflate(name, [CODED[name][:-10]])


def test_compressed_bytes_that_are_not() -> None:
    with pytest.raises(BadResponse):
        inflate("gzip", [b"#EXTM3U"])
