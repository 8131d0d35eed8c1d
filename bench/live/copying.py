"""What recording cannot cost less than: the bytes of some addresses, copied into files. Nothing is looked at.

    python bench/live/copying.py ouzel|bare FOLDER URL...

`ouzel` fetches with Ouzel's own HTTP client; `bare` with a socket and one buffer, reading no more of HTTP than the end of its
head. Both on the loop that Ouzel uses. Ends at SIGTERM.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import cast
from urllib.parse import urlsplit

import anyio

from ouzel.system.guard import Scope
from ouzel.system.http import Answer, Http1Client, Request, Take
from ouzel.system.loop import backend_options

_BUFFER = memoryview(bytearray(256 * 1024))


def open_file(folder: Path, number: int) -> int:
    return os.open(folder / f"{number}.flv", os.O_WRONLY | os.O_CREAT | os.O_APPEND)


async def copy_with_ouzel(folder: Path, urls: list[str]) -> None:
    async def copy(number: int, url: str) -> None:
        file = open_file(folder, number)

        def take(piece: memoryview) -> None:
            os.write(file, piece)

        def on_answer(_answer: Answer) -> Take:
            return take

        await http.stream(Request(url, scope=Scope.anywhere()), on_answer)

    async with Http1Client() as http, anyio.create_task_group() as tasks:
        for number, url in enumerate(urls):
            tasks.start_soon(copy, number, url)


class BareCopy(asyncio.BufferedProtocol):
    def __init__(self, url: str, file: int) -> None:
        self._url = urlsplit(url)
        self._file = file
        self._head = b""
        self._in_body = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        target = f"{self._url.path}?{self._url.query}"
        request = f"GET {target} HTTP/1.1\r\nHost: {self._url.netloc}\r\n\r\n"
        cast("asyncio.Transport", transport).write(request.encode())  # uvloop's is not derived from it

    def get_buffer(self, sizehint: int) -> memoryview:
        del sizehint
        return _BUFFER

    def buffer_updated(self, nbytes: int) -> None:
        if self._in_body:
            os.write(self._file, _BUFFER[:nbytes])
            return
        self._head += _BUFFER[:nbytes]
        _, end, body = self._head.partition(b"\r\n\r\n")
        if end:
            self._in_body = True
            os.write(self._file, body)


async def copy_bare(folder: Path, urls: list[str]) -> None:
    loop = asyncio.get_running_loop()
    for number, url in enumerate(urls):
        host, _, port = urlsplit(url).netloc.rpartition(":")
        file = open_file(folder, number)
        await loop.create_connection(lambda url=url, file=file: BareCopy(url, file), host, int(port))
    await anyio.sleep_forever()


async def until_told(
    work: Callable[[Path, list[str]], Coroutine[None, None, None]], folder: Path, urls: list[str]
) -> None:
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(work, folder, urls)
        with anyio.open_signal_receiver(signal.SIGTERM) as signals:
            async for _ in signals:
                tasks.cancel_scope.cancel()
                return


if __name__ == "__main__":
    work = {"ouzel": copy_with_ouzel, "bare": copy_bare}[sys.argv[1]]
    anyio.run(until_told, work, Path(sys.argv[2]), sys.argv[3:], backend_options=backend_options())
