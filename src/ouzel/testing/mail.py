"""A mail server on loopback: plain, with STARTTLS, or TLS from the first byte on."""

from __future__ import annotations

import base64
import ssl
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage

import anyio
import anyio.abc
from anyio.streams.buffered import BufferedByteReceiveStream
from anyio.streams.tls import TLSStream


@dataclass
class FakeMailServer:
    port: int
    tls: ssl.SSLContext | None = None
    """For STARTTLS, or for all of it."""
    wrapped: bool = False
    login: tuple[str, str] | None = None
    refuses: dict[str, str] = field(default_factory=dict[str, str])
    """By command (`RCPT`, `DATA` …): the reply."""
    mails: list[EmailMessage] = field(default_factory=list[EmailMessage])
    recipients: list[str] = field(default_factory=list[str])
    said: list[str] = field(default_factory=list[str])
    """Commands, without what is secret."""

    async def serve(self, stream: anyio.abc.ByteStream) -> None:
        try:
            if self.tls is not None and self.wrapped:
                stream = await TLSStream.wrap(stream, server_side=True, ssl_context=self.tls, standard_compatible=False)
            await self._talk(stream, "220 fake")
        except (anyio.EndOfStream, anyio.BrokenResourceError, anyio.IncompleteRead, ssl.SSLError):
            pass
        finally:
            await stream.aclose()

    async def _talk(self, stream: anyio.abc.ByteStream, greeting: str) -> None:
        lines = BufferedByteReceiveStream(stream)
        if greeting:
            await stream.send(f"{greeting}\r\n".encode())
        while True:
            line = (await lines.receive_until(b"\r\n", 65536)).decode()
            command = line.split(" ")[0].split(":")[0].upper()
            self.said.append(command)
            if command in self.refuses:
                await stream.send(f"{self.refuses[command]}\r\n".encode())
                continue
            match command:
                case "EHLO":
                    more = "250-STARTTLS\r\n" if self.tls is not None and not self.wrapped else ""
                    await stream.send(f"250-fake\r\n{more}250 AUTH PLAIN\r\n".encode())
                case "STARTTLS":
                    await stream.send(b"220 go\r\n")
                    assert self.tls is not None
                    self.wrapped = True
                    secure = await TLSStream.wrap(
                        stream, server_side=True, ssl_context=self.tls, standard_compatible=False
                    )
                    await self._talk(secure, "")
                    return
                case "AUTH":
                    _, login, password = base64.b64decode(line.split(" ")[2]).decode().split("\0")
                    good = (login, password) == self.login
                    await stream.send(b"235 ok\r\n" if good else b"535 5.7.8 authentication failed\r\n")
                case "RCPT":
                    self.recipients.append(line.partition("<")[2].partition(">")[0])
                    await stream.send(b"250 ok\r\n")
                case "DATA":
                    await stream.send(b"354 go\r\n")
                    data = await lines.receive_until(b"\r\n.\r\n", 1 << 20)
                    self.mails.append(message_from_bytes(data, policy=policy.default))
                    await stream.send(b"250 taken\r\n")
                case "QUIT":
                    await stream.send(b"221 bye\r\n")
                    return
                case _:
                    await stream.send(b"250 ok\r\n")


@asynccontextmanager
async def fake_mail_server(
    tls: ssl.SSLContext | None = None, *, wrapped: bool = False, login: tuple[str, str] | None = None
) -> AsyncGenerator[FakeMailServer]:
    listener = await anyio.create_tcp_listener(local_host="127.0.0.1", local_port=0)
    server = FakeMailServer(listener.extra(anyio.abc.SocketAttribute.local_port), tls, wrapped, login)  # noqa: S610
    async with listener, anyio.create_task_group() as tasks:
        tasks.start_soon(listener.serve, server.serve)
        yield server
        tasks.cancel_scope.cancel()
