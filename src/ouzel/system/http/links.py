"""Connections, seen from above the event loop: bytes arrive by a call, in a view of the one receive buffer.

A `Link` is a TCP connection. A `TlsLink` lies on any other link and looks the same from above, so that TLS works the same through
a tunnel. The event loops' own TLS layers are not used: each of their connections keeps a receive buffer of 256 KB and an
OpenSSL buffer that grows as large, where the two buffers here are shared by all (`docs/design/adr/0002-http-client.md`).
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from functools import cached_property
from typing import Protocol, cast

from ouzel.base.errors import ConnectionLost

BUFFER_BYTES = 512 * 1024
"""One receive buffer. Smaller ones cost more CPU: `docs/design/adr/0002-http-client.md` has figures."""
_TLS_STEP = 64 * 1024
"""Ciphertext handed to OpenSSL at a time: its own buffer keeps the largest size that it ever had."""
_TLS_RECORD = 16 * 1024


class Buffers:
    """The receive buffers of one client, made when first needed. Safe to share: what arrives is consumed before the loop reads
    again."""

    @cached_property
    def wire(self) -> memoryview:
        """For what arrives."""
        return memoryview(bytearray(BUFFER_BYTES))

    @cached_property
    def plain(self) -> memoryview:
        """For decrypted bytes."""
        return memoryview(bytearray(BUFFER_BYTES))


class Receiver(Protocol):
    """Who is at the upper end of a link."""

    def received(self, data: memoryview) -> None:
        """Must not raise. `data` is valid during the call only."""
        ...

    def closed(self, exc: Exception | None) -> None:
        """The connection is gone; None: the other side ended it in good order, or we did."""
        ...


class Conduit(Protocol):
    """What is common to all links."""

    receiver: Receiver

    @property
    def open(self) -> bool: ...

    def send(self, data: bytes) -> None: ...

    def gather(self, size: int) -> None:
        """Let so many bytes arrive before any are handed out; fewer only when the connection ends. 1: no waiting."""
        ...

    def pause(self) -> None:
        """Read nothing more, until `resume`. What was read before may still be handed out."""
        ...

    def resume(self) -> None: ...

    def abort(self) -> None:
        """Close at once, whatever is under way. The receiver may still be told."""
        ...


class _Nobody:
    def received(self, data: memoryview) -> None:
        pass

    def closed(self, exc: Exception | None) -> None:
        pass


NOBODY: Receiver = _Nobody()


class OpenLinks:
    """Every socket of one client, so that none is left open."""

    __slots__ = ("_links", "_none_left")

    def __init__(self) -> None:
        self._links: set[Link] = set()
        self._none_left: asyncio.Future[None] | None = None

    @property
    def count(self) -> int:
        """How many are open, and not being closed."""
        return sum(link.open for link in self._links)

    def add(self, link: Link) -> None:
        self._links.add(link)

    def drop(self, link: Link) -> None:
        self._links.discard(link)
        if not self._links and self._none_left is not None and not self._none_left.done():
            self._none_left.set_result(None)

    async def close(self) -> None:
        """Abort all, and wait until the sockets are closed."""
        for link in tuple(self._links):
            link.abort()
        if self._links:
            self._none_left = asyncio.get_running_loop().create_future()
            await self._none_left


class Link(asyncio.BufferedProtocol):
    """A TCP connection.

    Args:
        view: where arriving bytes are put; shared by all links of a client.
        links: the client's open sockets, of which this becomes one.
    """

    __slots__ = ("_links", "_socket", "_transport", "_view", "receiver")

    def __init__(self, view: memoryview, links: OpenLinks) -> None:
        self._view = view
        self._links = links
        self._transport: asyncio.Transport | None = None
        self._socket: socket.socket | None = None
        self.receiver: Receiver = NOBODY

    @property
    def open(self) -> bool:
        return self._transport is not None and not self._transport.is_closing()

    def send(self, data: bytes) -> None:
        if self._transport is None or self._transport.is_closing():
            return  # `closed` has been called or will be
        self._transport.write(data)

    def gather(self, size: int) -> None:
        if self._transport is None or self._transport.is_closing():
            return
        if self._socket is None:
            self._socket = cast("socket.socket", self._transport.get_extra_info("socket"))
        with suppress(OSError):  # an option that not every system has
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, size)

    def pause(self) -> None:
        if self._transport is not None and self._transport.is_reading():
            self._transport.pause_reading()

    def resume(self) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.resume_reading()

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._links.add(self)

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002 - the protocol's signature
        return self._view

    def buffer_updated(self, nbytes: int) -> None:
        with self._view[:nbytes] as piece:
            self.receiver.received(piece)

    def eof_received(self) -> None:
        return None  # the transport closes itself

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = self._socket = None
        self._links.drop(self)
        self.receiver.closed(exc)


class TlsLink:
    """TLS over another link, from the client's side. `handshake` is to be awaited before anything is sent.

    Args:
        plain: where decrypted bytes are put; shared like the receive buffer.
    """

    __slots__ = ("_ended", "_fault", "_handshake", "_incoming", "_lower", "_outgoing", "_plain", "_tls", "receiver")

    def __init__(self, lower: Conduit, context: ssl.SSLContext, server_name: str, plain: memoryview) -> None:
        self._lower = lower
        self._plain = plain
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=server_name)
        self._handshake: asyncio.Future[None] | None = None
        self._fault: Exception | None = None
        self._ended = False
        self.receiver: Receiver = NOBODY
        lower.receiver = self

    @property
    def open(self) -> bool:
        return self._lower.open and not self._ended

    async def handshake(self) -> None:
        """Raises: ssl.SSLError; ConnectionLost when the other side goes away in the middle."""
        if not self._lower.open:
            raise ConnectionLost("the server closed the connection before the TLS handshake")
        self._handshake = asyncio.get_running_loop().create_future()
        self._shake(self._handshake)
        await self._handshake
        if self._fault is not None:
            raise self._fault

    def send(self, data: bytes) -> None:
        if self.open:
            self._tls.write(data)
            self._flush()

    def gather(self, size: int) -> None:
        self._lower.gather(size)

    def pause(self) -> None:
        self._lower.pause()

    def resume(self) -> None:
        self._lower.resume()

    def abort(self) -> None:
        self._ended = True
        self._lower.abort()

    def received(self, data: memoryview) -> None:
        filled = 0
        for start in range(0, len(data), _TLS_STEP):
            self._incoming.write(data[start : start + _TLS_STEP])
            if self._handshake is not None and not self._handshake.done():
                self._shake(self._handshake)
                continue
            filled = self._decrypt(filled)
            if self._ended:
                return
        self._hand_out(filled)
        self._flush()  # a key update wants an answer

    def closed(self, exc: Exception | None) -> None:
        if self._handshake is not None and not self._handshake.done():
            why = f": {exc}" if exc else ""
            self._fault = ConnectionLost(f"the server closed the connection in the TLS handshake{why}")
            self._handshake.set_result(None)
        self._end(exc)

    def _shake(self, handshake: asyncio.Future[None]) -> None:
        try:
            self._tls.do_handshake()
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLError as exc:
            self._fault = exc
            handshake.set_result(None)
        else:
            handshake.set_result(None)
        self._flush()

    def _decrypt(self, filled: int) -> int:
        """Read what records are whole into the shared buffer, from `filled` on; hand out when it is full.

        Returns: how far it is filled now.
        """
        plain = self._plain
        read = cast("Callable[[int, memoryview], int]", self._tls.read)  # with a buffer it returns a count
        try:
            while self._incoming.pending and not self._ended:  # to ask an empty one costs an exception
                size = read(BUFFER_BYTES, plain[filled:] if filled else plain)
                if not size:  # close_notify
                    self._hand_out(filled)
                    self._end(None)
                    self._lower.abort()
                    return 0
                filled += size
                if filled > BUFFER_BYTES - _TLS_RECORD:
                    self._hand_out(filled)
                    filled = 0
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLError as exc:
            self._hand_out(filled)
            self._end(exc)
            self._lower.abort()
        return filled

    def _hand_out(self, filled: int) -> None:
        if filled and not self._ended:
            with self._plain[:filled] as piece:
                self.receiver.received(piece)

    def _end(self, exc: Exception | None) -> None:
        if not self._ended:
            self._ended = True
            self.receiver.closed(exc)

    def _flush(self) -> None:
        if self._outgoing.pending:
            self._lower.send(self._outgoing.read())
