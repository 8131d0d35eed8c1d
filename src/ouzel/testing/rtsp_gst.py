"""An RTSP camera made of GStreamer. A program for the system's Python, which has `gi`; `rtsp.RtspServer` starts it.

Usage: python3 rtsp_gst.py FOLDER PORT FRAMES_A_SECOND aac|ulaw|none [USER PASSWORD]

FOLDER holds `cam.h264` or `cam.hevc` (Annex B, an access unit delimiter ahead of each picture, no B-frames), `cam.aac` (ADTS) or
`cam.ulaw` (8 kHz, mono). They are played in a loop with time stamps that rise for ever; all clients share one pipeline. Prints
`ready PORT`.

SIGUSR1: the picture stops, sound and RTCP go on. SIGUSR2: only RTCP and keep-alive answers go on.
"""

# pyright: basic, reportMissingImports=false, reportAttributeAccessIssue=false
from __future__ import annotations

import signal
import sys
from pathlib import Path

import gi

for _name in ("Gst", "GstRtsp", "GstRtspServer"):
    gi.require_version(_name, "1.0")

from gi.repository import GLib, Gst, GstRtsp, GstRtspServer  # noqa: E402 - versions are chosen before

DELIMITERS = {"h264": b"\0\0\0\1\x09", "hevc": b"\0\0\0\1\x46\x01"}
AAC_RATES = (96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000)
ULAW_BYTES, ULAW_MS = 320, 40
TICK_MS = 10
VIDEO_CAPS = "video/x-{name},stream-format=byte-stream,alignment=au,framerate={rate}/1"
VIDEO_PAY = "{name}parse config-interval=-1 ! rtp{name}pay name=pay0 pt=96"
NAMES = {"h264": "h264", "hevc": "h265"}
AAC_CAPS = "audio/mpeg,mpegversion=4,stream-format=adts,rate={rate},channels=2,framed=true"
AAC_PAY = "aacparse ! rtpmp4gpay name=pay1 pt=97"
ULAW_CAPS = "audio/x-mulaw,rate=8000,channels=1"
ULAW_PAY = "rtppcmupay name=pay1 pt=0"


def split_pictures(data: bytes, delimiter: bytes) -> list[bytes]:
    cuts, at = [], data.find(delimiter)
    while at >= 0:
        cuts.append(at)
        at = data.find(delimiter, at + len(delimiter))
    return [data[start:end] for start, end in zip(cuts, [*cuts[1:], len(data)])]  # noqa: B905 - may run on Python 3.9


def split_adts(data: bytes) -> list[bytes]:
    frames, at = [], 0
    while at + 7 <= len(data):
        size = (data[at + 3] & 3) << 11 | data[at + 4] << 3 | data[at + 5] >> 5
        frames.append(data[at : at + size])
        at += size
    return frames


class Track:
    """Frames of one length that are pushed in real time, in a loop."""

    def __init__(self, frames: list[bytes], duration: int) -> None:
        self.frames = frames
        self.duration = duration
        self.muted = False

    def mute(self) -> bool:
        self.muted = True
        return True

    def feed(self, source: Gst.Element) -> None:
        """Push into `source` until it is taken out of its pipeline. Muted frames are left out, their time passes."""
        start, sent = GLib.get_monotonic_time() * 1000, 0

        def tick() -> bool:
            nonlocal sent
            if source.get_parent() is None:
                return False
            while sent * self.duration <= GLib.get_monotonic_time() * 1000 - start:
                buffer = Gst.Buffer.new_wrapped(self.frames[sent % len(self.frames)])
                buffer.pts = buffer.dts = sent * self.duration
                buffer.duration = self.duration
                sent += 1
                if not self.muted and source.emit("push-buffer", buffer) != Gst.FlowReturn.OK:
                    return False
            return True

        GLib.timeout_add(TICK_MS, tick)


def launch_line(name: str, caps: str, pay: str) -> str:
    return f'appsrc name={name} is-live=true format=time caps="{caps}" ! {pay}'


def require_login(
    server: GstRtspServer.RTSPServer, factory: GstRtspServer.RTSPMediaFactory, user: str, word: str
) -> None:
    token = GstRtspServer.RTSPToken()
    token.set_string(GstRtspServer.RTSP_TOKEN_MEDIA_FACTORY_ROLE, "viewer")
    auth = GstRtspServer.RTSPAuth()
    auth.set_supported_methods(GstRtsp.RTSPAuthMethod.DIGEST)
    auth.add_digest(user, word, token)
    server.set_auth(auth)
    role = Gst.Structure.from_string("viewer,media.factory.access=true,media.factory.construct=true")[0]
    factory.add_role_from_structure(role)


def main(folder: str, port: str, rate: str, sound: str, user: str = "", word: str = "") -> None:
    Gst.init(None)
    media = Path(folder)
    codec = next(codec for codec in NAMES if (media / f"cam.{codec}").exists())
    pictures = split_pictures((media / f"cam.{codec}").read_bytes(), DELIMITERS[codec])
    tracks = {"v": Track(pictures, Gst.SECOND // int(rate))}
    name = NAMES[codec]
    lines = [launch_line("v", VIDEO_CAPS.format(name=name, rate=rate), VIDEO_PAY.format(name=name))]
    if sound == "aac":
        frames = split_adts((media / "cam.aac").read_bytes())
        hertz = AAC_RATES[frames[0][2] >> 2 & 0x0F]
        tracks["a"] = Track(frames, 1024 * Gst.SECOND // hertz)
        lines.append(launch_line("a", AAC_CAPS.format(rate=hertz), AAC_PAY))
    elif sound == "ulaw":
        data = (media / "cam.ulaw").read_bytes()
        whole = [data[at : at + ULAW_BYTES] for at in range(0, len(data) - ULAW_BYTES + 1, ULAW_BYTES)]
        tracks["a"] = Track(whole, ULAW_MS * Gst.MSECOND)
        lines.append(launch_line("a", ULAW_CAPS, ULAW_PAY))

    def configure(_factory: object, item: GstRtspServer.RTSPMedia) -> None:
        for name, track in tracks.items():
            track.feed(item.get_element().get_by_name(name))

    server = GstRtspServer.RTSPServer()
    server.set_address("127.0.0.1")
    server.set_service(port)
    factory = GstRtspServer.RTSPMediaFactory()
    factory.set_launch(f"( {' '.join(lines)} )")
    factory.set_shared(True)
    factory.set_latency(0)
    factory.connect("media-configure", configure)
    if user:
        require_login(server, factory, user, word)
    server.get_mount_points().add_factory("/cam", factory)
    server.attach(None)
    GLib.unix_signal_add(GLib.PRIORITY_DEFAULT, signal.SIGUSR1, tracks["v"].mute)
    GLib.unix_signal_add(GLib.PRIORITY_DEFAULT, signal.SIGUSR2, lambda: all(track.mute() for track in tracks.values()))
    sys.stdout.write(f"ready {server.get_bound_port()}\n")
    sys.stdout.flush()
    GLib.MainLoop().run()


if __name__ == "__main__":
    main(*sys.argv[1:])
