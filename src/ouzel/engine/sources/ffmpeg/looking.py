"""What ffmpeg finds at an address, without recording it: one child, ended as soon as it has opened its input."""

from __future__ import annotations

import os
import ssl
from urllib.parse import urlsplit

import anyio

from ouzel.base.errors import (
    ConnectFailed,
    ConnectionLost,
    Forbidden,
    Gone,
    HostNotFound,
    NotMedia,
    OuzelError,
    Stalled,
    TlsFailed,
)
from ouzel.engine.sources.ffmpeg.command import (
    Start,
    arguments,
    check_proxy,
    environment,
    listens,
    needs,
    scheme_of,
    script,
)
from ouzel.engine.sources.ffmpeg.picking import Picked, pick
from ouzel.engine.sources.ffmpeg.words import Opened, failure_of, read_opened
from ouzel.model.stream import Stream
from ouzel.system.ffmpeg import FfmpegFinder
from ouzel.system.guard import addresses_of
from ouzel.system.process import spawn

_MEANINGS: tuple[tuple[type[OuzelError], str], ...] = (
    (Forbidden, "it does not let us in"),
    (Gone, "there is no such stream"),
    (HostNotFound, "there is no such host"),
    (ConnectFailed, "nobody answers, or the connection is refused"),
    (ConnectionLost, "the connection broke"),
    (Stalled, "no answer in time"),
    (TlsFailed, "its certificate is not valid, or TLS could not be agreed"),
    (NotMedia, "it sends no media that can be read"),
)


async def open_input(finder: FfmpegFinder, stream: Stream, address: str) -> tuple[Opened, Picked]:
    """What is there, and what of it would be recorded. Cancelling ends the child.

    Raises: BadOption, NetworkError, NotMedia, Unsupported, ToolMissing.
    """
    check_proxy(stream, address)
    host = urlsplit(address).hostname
    if scheme_of(address) not in {"http", "https"} and host is not None and not listens(address):
        await addresses_of(host)  # says more clearly than ffmpeg that there is none
    program = await finder.find(needs(address))
    start = Start(ca_file=ssl.get_default_verify_paths().cafile)
    command, stdin = arguments(program, stream, address, start), script(program, stream, address, start)
    async with spawn(command, stdin=stdin, env=environment(stream, start)) as child:
        await anyio.wait_readable(child.stdout_fd)  # media, or the end: it has said what it found
        if not os.read(child.stdout_fd, 1):
            await child.wait()
            raise _plain(failure_of(child.errors), host or address)
        opened = read_opened(child.errors)
    if opened is None:
        raise NotMedia("ffmpeg reads it, and does not say what it is")
    return opened, pick(opened, "best")


def _plain(error: OuzelError, host: str) -> OuzelError:
    """The same error in words for people; ffmpeg's own are kept as `words`."""
    meaning = next((words for kind, words in _MEANINGS if isinstance(error, kind)), "")
    if meaning:
        error.context["words"], error.message = error.message, f"{host}: {meaning}"
    return error
