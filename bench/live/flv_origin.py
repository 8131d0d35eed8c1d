"""A lean HTTP-FLV origin whose time stamps begin anew on each connection: at 0, or anywhere else.

    python -m live.flv_origin CLIPS   # prints its port, serves until its standard input is closed

`/NAME.flv?from=25000` is a channel of that name, whose first tag has the time stamp 25,000 ms. The project's own origin begins
where its show is, which is never 0; so it cannot show what leaving the stamps alone would cost.
"""

from __future__ import annotations

import asyncio
import sys
import time
from bisect import bisect_right
from contextlib import suppress
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from live.media import clip
from ouzel.testing.clips import Clip
from ouzel.testing.markers import mark_text
from ouzel.testing.origin.flv import flv_groups, flv_header, flv_opening

_TICK_S = 0.1
"""Tags are gathered for so long and sent at once, as servers do."""
_AHEAD_MS = 2000
"""Of the first group, which is sent at once."""
_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: video/x-flv\r\nConnection: close\r\n\r\n"


class Server:
    def __init__(self, clip: Clip) -> None:
        self._clip = clip
        self._groups = flv_groups(clip, "enhanced")
        self._opening = flv_header(audio=True) + flv_opening(clip, "enhanced", 0)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # cancelled: the bench is done, and a traceback for each connection helps nobody
        with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            head = await reader.readuntil(b"\r\n\r\n")
            url = urlsplit(head.split(b" ", 2)[1].decode())
            start_ms = int(parse_qs(url.query)["from"][0])
            writer.write(_HEAD + self._opening)
            await self._send(writer, url.path.strip("/").removesuffix(".flv"), start_ms)
        writer.transport.abort()

    async def _send(self, writer: asyncio.StreamWriter, name: str, start_ms: int) -> None:
        """Groups for ever, each tag not before its time."""
        begun, first_ms, length_ms = time.monotonic(), self._groups[0].times_ms[0], self._clip.length_90k // 90
        number = 0
        while True:
            turns, index = divmod(number, len(self._groups))
            group, mark, sent = self._groups[index], mark_text(name, number), 0
            base_ms = turns * length_ms - first_ms
            while sent < len(group.times_ms):
                elapsed_ms = (time.monotonic() - begun) * 1000
                due = bisect_right(group.times_ms, elapsed_ms + _AHEAD_MS - base_ms)
                if due > sent:
                    writer.write(group.cut(sent, due, base_ms=base_ms + start_ms, mark=mark))
                    await writer.drain()
                    sent = due
                if sent < len(group.times_ms):
                    await asyncio.sleep(_TICK_S)
            number += 1


async def main(clips: Path) -> None:
    server = await asyncio.start_server(Server(clip(clips)).serve, "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    loop = asyncio.get_running_loop()
    await loop.run_in_executor(None, sys.stdin.read)  # until the bench is done with us, or dead


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
