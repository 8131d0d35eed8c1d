"""TLS: the same answers as in the clear, and certificates that are not what they should be."""

from __future__ import annotations

import socket
import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import anyio
import pytest
import trustme

from ouzel.base.errors import BadOption, ConnectFailed, ConnectionLost, ShortBody, TlsFailed
from ouzel.system.guard import Endpoint, Scope
from ouzel.system.http import Http1Client, Limits, Request, Take

from .http_server import Asked, Hangup, Peer, answer, chunked, listening, serving

pytestmark = pytest.mark.anyio

BODY = bytes(range(256)) * 8000


@pytest.fixture(params=[False, True], ids=["asyncio", "uvloop"])
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, bool]]:
    return "asyncio", {"use_uvloop": request.param}


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def ca_file(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("ca") / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return path


def server_context(cert: trustme.LeafCert) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    cert.configure_cert(context)
    return context


@pytest.fixture(scope="module")
def tls(authority: trustme.CA) -> ssl.SSLContext:
    return server_context(authority.issue_cert("media.test", "127.0.0.1"))


async def lookup(host: str, port: int) -> list[Endpoint]:
    return [Endpoint(socket.AF_INET, ("127.0.0.1", port), ip_address("127.0.0.1"))]


def ask(url: str, **options: object) -> Request:
    return Request(url, **{"scope": Scope.anywhere(), **options})


async def collect(http: Http1Client, request: Request) -> bytes:
    body = bytearray()
    await http.stream(request, lambda _: body.extend)
    return bytes(body)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize("framing", [answer, chunked])
async def test_bodies_over_tls(authority: trustme.CA, ca_file: Path, framing, version: ssl.TLSVersion) -> None:
    context = server_context(authority.issue_cert("media.test"))
    context.maximum_version = version
    async with (
        serving({"/a": framing(BODY)}, tls=context) as server,
        Http1Client(ca_file=ca_file, lookup=lookup) as http,
    ):
        for _ in range(3):
            assert await collect(http, ask(f"https://media.test:{server.port}/a")) == BODY

    assert server.connections == 1


async def test_a_body_until_the_connection_ends(tls: ssl.SSLContext, ca_file: Path) -> None:
    async def script(peer: Peer, asked: Asked) -> None:
        await peer.send(answer(BODY, length=None))
        await peer.hang_up()

    async with serving({"/a": script}, tls=tls) as server, Http1Client(ca_file=ca_file) as http:
        assert await collect(http, ask(server.url("/a"))) == BODY


async def test_the_end_of_tls_is_the_end(tls: ssl.SSLContext, ca_file: Path) -> None:
    """The server says goodbye (close_notify) in the middle of a body, and keeps the socket open."""

    async def serve(stream) -> None:
        await Peer(stream, 1).through(b"\r\n\r\n")
        await stream.send(answer(b"12345", length=10))
        await stream.unwrap()
        await hold.wait()

    hold = anyio.Event()
    async with listening(serve, tls=tls) as port, Http1Client(ca_file=ca_file) as http:
        with pytest.raises(ShortBody):
            await collect(http, ask(f"https://127.0.0.1:{port}/"))
        hold.set()


async def test_broken_records_are_a_lost_connection(tls: ssl.SSLContext, ca_file: Path) -> None:
    async def serve(stream) -> None:
        await Peer(stream, 1).through(b"\r\n\r\n")
        await stream.send(answer(b"12345", length=10**6))
        await seen.wait()
        await stream.transport_stream.send(b"\x17\x03\x03\x00\x20" + bytes(32))
        await anyio.sleep_forever()

    def on_answer(_) -> Take:
        return lambda _: seen.set()

    seen = anyio.Event()
    async with listening(serve, tls=tls) as port, Http1Client(ca_file=ca_file) as http:
        with pytest.raises(ConnectionLost, match="TLS"):
            await http.stream(ask(f"https://127.0.0.1:{port}/"), on_answer)
        assert http.connections == 0


async def test_server_name_and_protocol(authority: trustme.CA, ca_file: Path) -> None:
    names: list[str | None] = []
    context = server_context(authority.issue_cert("media.test"))
    context.set_alpn_protocols(["h2", "http/1.1"])
    context.sni_callback = lambda _, name, __: names.append(name)
    protocols: list[str | None] = []

    async def serve(stream) -> None:
        protocols.append(stream.extra(anyio.streams.tls.TLSAttribute.alpn_protocol))
        await Peer(stream, 1).through(b"\r\n\r\n")
        await stream.send(answer(b"here"))

    async with listening(serve, tls=context) as port, Http1Client(ca_file=ca_file, lookup=lookup) as http:
        assert (await http.fetch(ask(f"https://media.test.:{port}/"), max_bytes=9)).data == b"here"

    assert names == ["media.test"]
    assert protocols == ["http/1.1"]


# Certificates


def expired(authority: trustme.CA) -> trustme.LeafCert:
    return authority.issue_cert("media.test", not_after=datetime.now(UTC) - timedelta(days=1))


def self_signed(_: trustme.CA) -> trustme.LeafCert:
    return trustme.CA().issue_cert("media.test")


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (expired, "its certificate has expired"),
        (lambda ca: ca.issue_cert("other.test"), "its certificate is not for media.test"),
        (lambda _: trustme.CA().issue_cert("media.test"), "from an authority that this machine does not know"),
    ],
)
async def test_certificates_that_are_refused(authority: trustme.CA, ca_file: Path, make, words: str) -> None:
    async with (
        serving({"/a": answer(b"here")}, tls=server_context(make(authority))) as server,
        Http1Client(ca_file=ca_file, lookup=lookup) as http,
    ):
        url = f"https://media.test:{server.port}/a"
        with pytest.raises(TlsFailed) as caught:
            await http.fetch(ask(url), max_bytes=9)
        assert http.connections == 0
        assert (await http.fetch(ask(url, verify_tls=False), max_bytes=9)).data == b"here"
        with pytest.raises(TlsFailed):  # what was not verified is not lent to those who want it verified
            await http.fetch(ask(url), max_bytes=9)

    assert str(caught.value).startswith(f"TLS with media.test:{server.port} failed: ")
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


async def test_a_self_signed_certificate(ca_file: Path, tmp_path: Path) -> None:
    pem = tmp_path / "self.pem"
    pem.write_bytes(self_signed_pem())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    async with serving({}, tls=context) as server, Http1Client(ca_file=ca_file, lookup=lookup) as http:
        with pytest.raises(TlsFailed, match="its certificate is self-signed"):
            await http.fetch(ask(f"https://media.test:{server.port}/a"), max_bytes=9)


def self_signed_pem() -> bytes:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "media.test")])
    now = datetime.now(UTC)
    cert = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now, now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("media.test")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return private + cert.public_bytes(serialization.Encoding.PEM)


# Handshakes that come to nothing


async def test_a_server_that_does_not_speak_tls(ca_file: Path) -> None:
    async def serve(stream) -> None:
        await stream.receive()
        await stream.send(answer(b"hello", status="400 Bad Request"))
        await Peer(stream, 1).until_gone()

    async with listening(serve) as port, Http1Client(ca_file=ca_file) as http:
        with pytest.raises(TlsFailed, match=r"does not speak TLS on this port .* is it an http:// address?"):
            await http.fetch(ask(f"https://127.0.0.1:{port}/"), max_bytes=9)
        assert http.connections == 0


async def test_a_handshake_that_never_ends_or_ends_early(ca_file: Path) -> None:
    async def hang(stream) -> None:
        await Peer(stream, 1).until_gone()

    async def hang_up(stream) -> None:
        await stream.receive()

    async with Http1Client(ca_file=ca_file) as http:
        async with listening(hang) as port:
            with pytest.raises(ConnectFailed, match=r"within 0.1 s: the TLS handshake"):
                await http.fetch(ask(f"https://127.0.0.1:{port}/", limits=Limits(connect_s=0.1)), max_bytes=9)
        async with listening(hang_up) as port:
            with pytest.raises(ConnectFailed, match="TLS handshake"):
                await http.fetch(ask(f"https://127.0.0.1:{port}/"), max_bytes=9)
        assert http.connections == 0


@pytest.mark.parametrize(("alert", "words"), [(40, "handshake failure"), (70, "no version of TLS that is safe")])
async def test_a_server_that_refuses_the_handshake(ca_file: Path, alert: int, words: str) -> None:
    async def serve(stream) -> None:
        await stream.receive()
        await stream.send(bytes([21, 3, 3, 0, 2, 2, alert]))
        await Peer(stream, 1).until_gone()

    async with listening(serve) as port, Http1Client(ca_file=ca_file) as http:
        with pytest.raises(TlsFailed, match=words):
            await http.fetch(ask(f"https://127.0.0.1:{port}/"), max_bytes=9)


@pytest.mark.parametrize("content", [None, b"not a certificate"])
async def test_a_file_of_authorities_that_is_none(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_bytes(content)
    async with serving({}) as server, Http1Client(ca_file=path) as http:
        with pytest.raises(BadOption, match=r"ca.pem: cannot read certificates"):
            await http.fetch(ask(f"https://127.0.0.1:{server.port}/"), max_bytes=9)
        assert http.connections == 0


async def test_cancelling_closes_the_connection(tls: ssl.SSLContext, ca_file: Path) -> None:
    async def begin(peer: Peer, asked: Asked) -> None:
        await peer.send(answer(b"some", length=10**6))
        begun.set()
        await peer.until_gone()
        gone.set()
        raise Hangup

    begun, gone = anyio.Event(), anyio.Event()
    async with serving({"/a": begin}, tls=tls) as server, Http1Client(ca_file=ca_file) as http:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(collect, http, ask(server.url("/a")))
            await begun.wait()
            tasks.cancel_scope.cancel()
        await gone.wait()


async def test_what_the_consumer_raises_comes_out(tls: ssl.SSLContext, ca_file: Path) -> None:
    calls = 0

    def choke(data: memoryview) -> None:
        nonlocal calls
        calls += 1
        raise OSError("disk")

    async with serving({"/a": answer(BODY)}, tls=tls) as server, Http1Client(ca_file=ca_file) as http:
        with pytest.raises(OSError, match="disk"):
            await http.stream(ask(server.url("/a")), lambda _: choke)
        assert http.connections == 0

    assert calls == 1
