"""A camera for tests: a real RTSP server (GStreamer's) that plays a clip, and can be switched off, frozen and muted.

Needs a system Python with GStreamer's bindings, as on Debian: `apt-get install gstreamer1.0-rtsp gstreamer1.0-plugins-base
gstreamer1.0-plugins-good gstreamer1.0-plugins-bad gstreamer1.0-plugins-ugly gir1.2-gst-rtsp-server-1.0 python3-gi`.
"""

from __future__ import annotations

import signal
import subprocess
from pathlib import Path
from select import select
from types import TracebackType
from typing import Literal, Self
from unittest import SkipTest
from urllib.parse import quote

from ouzel.testing.clips import Clip, build_once, run_ffmpeg

Sound = Literal["aac", "ulaw", "none"]
SYSTEM_PYTHON = "/usr/bin/python3"
_SCRIPT = Path(__file__).with_name("rtsp_gst.py")
_START_S = 20.0


def require_gstreamer(python: str = SYSTEM_PYTHON) -> None:
    """Raises: unittest.SkipTest, which pytest takes for a skip, where this Python cannot serve RTSP."""
    check = "import gi; gi.require_version('GstRtspServer', '1.0'); from gi.repository import GstRtspServer"
    try:
        done = subprocess.run([python, "-c", check], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise SkipTest(f"{python} is not there, which would serve RTSP") from None
    if done.returncode != 0:
        raise SkipTest(f"{python} has no GStreamer RTSP server: {done.stderr.strip().splitlines()[-1]}")


class RtspServer:
    """Serves a clip in a loop at `url` from `with` to `with`'s end. All clients see the same moment.

    Args:
        clip: without B-frames (`make_clip(…, bframes=0)`); one with sound unless `sound` is `none`.
        sound: as AAC, as G.711 µ-law at 8 kHz, or none.
        login: user and password, asked for by Digest.
        port: of 127.0.0.1; 0 picks a free one. A second server on the port of a first that was killed is a camera come back.
    """

    def __init__(
        self,
        clip: Clip,
        *,
        sound: Sound = "aac",
        login: tuple[str, str] | None = None,
        port: int = 0,
        python: str = SYSTEM_PYTHON,
    ) -> None:
        if any(sample.cts for sample in clip.video().samples):
            raise ValueError("the camera sends no B-frames: make the clip with bframes=0")
        self.port = port
        self._folder = _camera_files(clip, sound)
        self._login = login
        self._command = [python, str(_SCRIPT), str(self._folder), str(port), str(clip.rate), sound, *(login or ())]
        self._child: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        self._child = child = subprocess.Popen(self._command, stdout=subprocess.PIPE, text=True)
        assert child.stdout is not None
        ready, _, _ = select([child.stdout], [], [], _START_S)
        said, _, port = child.stdout.readline().partition(" ") if ready else ("", "", "")
        if said != "ready":
            self.__exit__(None, None, None)
            raise RuntimeError(f"the RTSP server said {said!r} instead of ready")
        self.port = int(port)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._child is not None:
            self.kill()
            assert self._child.stdout is not None
            self._child.stdout.close()

    @property
    def url(self) -> str:
        """With user and password, if it asks for them."""
        login = ":".join(quote(part, safe="") for part in self._login) + "@" if self._login else ""
        return f"rtsp://{login}127.0.0.1:{self.port}/cam"

    def kill(self) -> None:
        """The plug is pulled: connections end, nobody listens."""
        self._running.kill()
        self._running.wait()

    def freeze(self) -> None:
        """The camera hangs: connections stay, nothing comes, new ones are accepted by the system and get no answer."""
        self._running.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._running.send_signal(signal.SIGCONT)

    def mute_picture(self) -> None:
        """The picture stops for good; sound and RTCP go on."""
        self._running.send_signal(signal.SIGUSR1)

    def mute(self) -> None:
        """Picture and sound stop for good; RTCP and answers to keep-alives go on."""
        self._running.send_signal(signal.SIGUSR2)

    @property
    def _running(self) -> subprocess.Popen[str]:
        assert self._child is not None
        return self._child


def _camera_files(clip: Clip, sound: Sound) -> Path:
    """The clip as elementary streams."""

    def build(part: Path) -> None:
        codec = clip.codec
        options = ["-c:v", "copy", "-bsf:v", f"{codec}_mp4toannexb,{codec}_metadata=aud=insert", "-f", codec]
        run_ffmpeg(clip.ffmpeg, ["-i", str(clip.folder / "video.mp4"), *options, str(part / f"cam.{codec}")])
        if sound == "aac":
            (part / "cam.aac").write_bytes(b"".join(clip.audio()))
        if sound == "ulaw":
            source = str(clip.folder / "audio.aac")
            run_ffmpeg(
                clip.ffmpeg,
                ["-i", source, "-c:a", "pcm_mulaw", "-ar", "8000", "-ac", "1", "-f", "mulaw", str(part / "cam.ulaw")],
            )

    clip.tracks("video" if sound == "none" else "av")
    return build_once(clip.folder / f"camera-{sound}", build)
