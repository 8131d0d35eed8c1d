"""Serve live channels by hand: `python -m ouzel.testing.origin --channels 4`."""

from __future__ import annotations

import argparse
import ssl
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import anyio

from ouzel.testing.clips import Clip, make_clip
from ouzel.testing.origin.options import Aes, Hls
from ouzel.testing.origin.origin import LiveOrigin
from ouzel.testing.origin.process import steer


def main(arguments: Sequence[str] | None = None) -> None:
    """Run until interrupted, or until the steering pipe is closed."""
    asked = _parser().parse_args(arguments)
    tls = None
    if asked.certificate:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(asked.certificate, asked.key)
    try:
        anyio.run(_run, asked, tls)
    except KeyboardInterrupt:
        sys.exit(130)


async def _run(asked: argparse.Namespace, tls: ssl.SSLContext | None) -> None:
    async with LiveOrigin(port=asked.port, tls=tls) as origin:
        if asked.steer is not None:
            await steer(origin, asked.steer)
            return
        clip = _clip(asked)
        hls = Hls(container=asked.container, window=asked.window, aes=Aes() if asked.aes else None, part_s=asked.part)
        for number in range(asked.channels):
            channel = origin.channel(f"show{number}", clip, hls=hls, speed=asked.speed, length_s=asked.length)
            if number == 0 or number == asked.channels - 1:
                sys.stdout.write(f"{channel.url}\n{channel.flv_url}\n{channel.ts_url}\n")
        sys.stdout.flush()
        await anyio.sleep_forever()


def _clip(asked: argparse.Namespace) -> Clip:
    folder = asked.folder or Path(tempfile.gettempdir(), "ouzel-clips")
    return make_clip(
        folder,
        seconds=asked.seconds,
        size=asked.size,
        video=asked.video,
        bitrate_bps=asked.bitrate,
        ffmpeg=asked.ffmpeg,
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m ouzel.testing.origin", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="of 127.0.0.1; default: a free one")
    parser.add_argument("--certificate", help="PEM file, to serve HTTPS")
    parser.add_argument("--key", help="PEM file of its key")
    parser.add_argument("--channels", type=int, default=1, help="how many (show0, show1 …)")
    parser.add_argument("--speed", type=float, default=1.0, help="show seconds per second")
    parser.add_argument("--length", type=float, help="seconds after which the shows end")
    parser.add_argument("--container", choices=("ts", "mp4", "aac"), default="ts", help="of the HLS segments")
    parser.add_argument("--window", type=int, default=6, help="segments in a playlist")
    parser.add_argument("--aes", action="store_true", help="encrypt the segments")
    parser.add_argument("--part", type=float, default=0.0, help="low-latency parts of so many seconds")
    parser.add_argument("--seconds", type=int, default=40, help="length of the clip")
    parser.add_argument("--size", default="640x360", help="of the picture")
    parser.add_argument("--video", choices=("h264", "hevc"), default="h264", help="codec")
    parser.add_argument("--bitrate", type=int, help="of the picture, in bits a second")
    parser.add_argument("--folder", type=Path, help="where clips are kept; default: in the folder for temporary files")
    parser.add_argument("--ffmpeg", default="ffmpeg", help="program that encodes the clip")
    parser.add_argument("--steer", type=int, help=argparse.SUPPRESS)
    return parser


if __name__ == "__main__":
    main()
