"""libcurl behind the seam of `ouzel.system.http`, as far as measuring it needs: `stream` with the address check, nothing else.

One `CurlMulti`, driven by the event loop: libcurl says which sockets and which time to wait for, the loop calls back. Bytes
reach the consumer in the pieces that libcurl hands out (at most 16 KB), as `bytes`.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable
from ipaddress import ip_address
from pathlib import Path
from typing import Self

import pycurl

from ouzel.base.errors import AddressRefused, ConnectFailed, ShortBody, TlsFailed
from ouzel.system.http import Answer, Headers, Request, Take

BUFFER_BYTES = 256 * 1024


class CurlClient:
    """Args: ca_file: authorities to trust in place of the system's."""

    def __init__(self, *, ca_file: Path | None = None) -> None:
        self._ca_file = ca_file
        self._multi = pycurl.CurlMulti()
        self._multi.setopt(pycurl.M_SOCKETFUNCTION, self._watch)
        self._multi.setopt(pycurl.M_TIMERFUNCTION, self._wake_after)
        self._timer: asyncio.TimerHandle | None = None
        self._running: dict[pycurl.Curl, _Transfer] = {}
        self._watched: set[int] = set()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        for transfer in tuple(self._running.values()):
            self._drop(transfer)
        self._multi.close()
        if self._timer is not None:
            self._timer.cancel()
        loop = asyncio.get_running_loop()
        for fd in self._watched:
            loop.remove_reader(fd)

    async def stream(self, request: Request, on_answer: Callable[[Answer], Take]) -> Answer:
        transfer = _Transfer(request, on_answer, self._ca_file)
        self._running[transfer.curl] = transfer
        self._multi.add_handle(transfer.curl)
        try:
            await transfer.over
        finally:
            self._drop(transfer)
        return transfer.result()

    def _drop(self, transfer: _Transfer) -> None:
        if self._running.pop(transfer.curl, None) is not None:
            self._multi.remove_handle(transfer.curl)
            transfer.curl.close()

    def _watch(self, what: int, fd: int, _multi: object, _data: object) -> None:
        loop = asyncio.get_running_loop()
        with contextlib.suppress(OSError, ValueError):  # the socket may be closed already
            if what in (pycurl.POLL_REMOVE, pycurl.POLL_OUT):
                loop.remove_reader(fd)
            if what in (pycurl.POLL_REMOVE, pycurl.POLL_IN):
                loop.remove_writer(fd)
        self._watched.discard(fd)
        if what in (pycurl.POLL_IN, pycurl.POLL_INOUT):
            self._watched.add(fd)
            loop.add_reader(fd, self._act, fd, pycurl.CSELECT_IN)
        if what in (pycurl.POLL_OUT, pycurl.POLL_INOUT):
            loop.add_writer(fd, self._act, fd, pycurl.CSELECT_OUT)

    def _wake_after(self, milliseconds: int) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if milliseconds >= 0:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(milliseconds / 1000, self._act, pycurl.SOCKET_TIMEOUT, 0)

    def _act(self, fd: int, event: int) -> None:
        self._multi.socket_action(fd, event)
        while True:
            left, done, failed = self._multi.info_read()
            for curl in done:
                self._running[curl].finish(0, "")
            for curl, code, text in failed:
                self._running[curl].finish(code, text)
            if not left:
                return


class _Transfer:
    def __init__(self, request: Request, on_answer: Callable[[Answer], Take], ca_file: Path | None) -> None:
        self._request = request
        self._on_answer = on_answer
        self._take: Take | None = None
        self._status = 0
        self._fields: list[tuple[str, str]] = []
        self._answer: Answer | None = None
        self._error: Exception | None = None
        self.over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.curl = curl = pycurl.Curl()
        curl.setopt(pycurl.URL, request.url)
        curl.setopt(pycurl.HTTP_VERSION, pycurl.CURL_HTTP_VERSION_1_1)
        curl.setopt(pycurl.HTTPHEADER, [f"{name}: {value}" for name, value in request.headers])
        curl.setopt(pycurl.USERAGENT, request.user_agent)
        curl.setopt(pycurl.NOSIGNAL, 1)
        curl.setopt(pycurl.BUFFERSIZE, BUFFER_BYTES)
        curl.setopt(pycurl.CONNECTTIMEOUT_MS, int(request.limits.connect_s * 1000))
        curl.setopt(pycurl.LOW_SPEED_LIMIT, 1)
        curl.setopt(pycurl.LOW_SPEED_TIME, max(1, int(request.limits.stall_s)))
        curl.setopt(pycurl.HEADERFUNCTION, self._header)
        curl.setopt(pycurl.WRITEFUNCTION, self._write)
        curl.setopt(pycurl.OPENSOCKETFUNCTION, self._open_socket)
        if ca_file is not None:
            curl.setopt(pycurl.CAINFO, str(ca_file))

    def finish(self, code: int, text: str) -> None:
        if code and self._error is None:
            kind = {pycurl.E_PARTIAL_FILE: ShortBody, pycurl.E_PEER_FAILED_VERIFICATION: TlsFailed}.get(
                code, ConnectFailed
            )
            self._error = kind(f"{text} ({code})")
        if not self.over.done():
            self.over.set_result(None)

    def result(self) -> Answer:
        if self._error is not None:
            raise self._error
        return self._answer or self._begin()

    def _begin(self) -> Answer:
        length = Headers(self._fields).get("content-length")
        self._answer = Answer(
            status=self._status,
            headers=Headers(self._fields),
            url=self._request.url,
            redirects=0,
            reused=False,  # libcurl does not tell from within a callback
            length=None if length is None else int(length),
        )
        self._take = self._on_answer(self._answer)
        return self._answer

    def _header(self, line: bytes) -> None:
        name, colon, value = line.decode("latin-1").partition(":")
        if name.startswith("HTTP/"):
            self._status = int(name.split(" ")[1])
        elif colon:
            self._fields.append((name, value.strip()))

    def _write(self, data: bytes) -> int:
        try:
            if self._take is None:
                self._begin()
            assert self._take is not None
            self._take(memoryview(data))
        except Exception as exc:  # noqa: BLE001 - the consumer's error is its caller's
            self._error = exc
            return 0
        return len(data)

    def _open_socket(self, _purpose: int, address: tuple[int, int, int, tuple[str, int]]) -> socket.socket | int:
        family, kind, protocol, sockaddr = address
        try:
            self._request.scope.check(sockaddr[0], ip_address(sockaddr[0]))
        except AddressRefused as exc:
            self._error = exc
            return pycurl.SOCKET_BAD
        return socket.socket(family, kind, protocol)
