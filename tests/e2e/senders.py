"""Sources that send in real time: an ffmpeg each, on a port of 127.0.0.1."""

from __future__ import annotations

import random
import signal
import socket
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Self
from unittest import SkipTest

from ouzel.testing.clips import Clip, run_ffmpeg

PROGRAM = "ffmpeg"


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    """A port that is free now, and not of those that systems give to whoever asks for any."""
    while True:
        with socket.socket(socket.AF_INET, kind) as probe:
            try:
                probe.bind(("127.0.0.1", random.randrange(20_000, 32_000)))
            except OSError:
                continue
            return probe.getsockname()[1]


class Sender:
    """Runs from `with` to its end. One that serves a client ends with it: `again` starts it anew."""

    def __init__(self, arguments: Sequence[str]) -> None:
        self._command = [PROGRAM, "-nostdin", "-v", "error", *arguments]
        self._child: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        try:
            self._child = subprocess.Popen(self._command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        except FileNotFoundError:
            raise SkipTest(f"{PROGRAM} is not installed, which would send") from None
        return self

    def __exit__(self, *_exc: object) -> None:
        if self._child is not None:
            self._child.kill()
            self._child.wait()
            self._child = None

    def again(self) -> None:
        """Power off, power on."""
        self.__exit__()
        self.__enter__()

    def freeze(self) -> None:
        assert self._child is not None
        self._child.send_signal(signal.SIGSTOP)


def rtmp(clip: Clip, port: int) -> Sender:
    """An RTMP server that plays a clip to one client, from the moment when that asks for it."""
    return Sender([*_play(clip, ".flv"), "-f", "flv", "-listen", "1", f"rtmp://127.0.0.1:{port}/live/show"])


def srt(clip: Clip, port: int, query: str = "") -> Sender:
    """An SRT listener that sends MPEG-TS to one caller, and keeps what is late."""
    address = f"srt://127.0.0.1:{port}?mode=listener&tlpktdrop=0{query}"
    return Sender([*_play(clip, ".ts"), "-f", "mpegts", address])


def udp(clip: Clip, port: int) -> Sender:
    """MPEG-TS in datagrams, whether anybody listens or not."""
    return Sender([*_play(clip, ".ts"), "-f", "mpegts", f"udp://127.0.0.1:{port}?pkt_size=1316"])


def live_dash(clip: Clip, folder: Path) -> Sender:
    """A DASH show that goes on, played in a loop: `show.mpd` in a folder, with segments of 1 s, the last 60 of them."""
    options = ["-stream_loop", "-1", *_play(clip, ".mp4"), "-seg_duration", "1", "-window_size", "60"]
    return Sender([*options, "-f", "dash", str(folder / "show.mpd")])


def dash(folder: Path, *clips: Clip, timeline: bool = True) -> Path:
    """A DASH show that is over, with the picture of each clip and the sound of the first. Returns the manifest.

    `timeline`: it lists its segments; else it tells how long they are.
    """
    inputs = [word for clip in clips for word in ("-i", str(clip.file(".mp4")))]
    maps = [word for number in range(len(clips)) for word in ("-map", f"{number}:v")]
    manifest = folder / "show.mpd"
    options = ["-map", "0:a", "-c", "copy", "-adaptation_sets", "id=0,streams=v id=1,streams=a", "-seg_duration", "2"]
    run_ffmpeg(PROGRAM, [*inputs, *maps, *options, "-use_timeline", str(int(timeline)), "-f", "dash", str(manifest)])
    return manifest


def _play(clip: Clip, suffix: str) -> list[str]:
    return ["-re", "-i", str(clip.file(suffix)), "-c", "copy"]
