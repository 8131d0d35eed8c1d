"""Play a file in VLC, without a screen or a loudspeaker, and tell what became of it. A program: libvlc ends a process that it
does not like, and refuses nothing to root, as VLC itself does.

Usage: python vlc_play.py FILE RATE. Prints a JSON object. Exit code 3: libvlc is not there.

Source: libvlc 3.0, `libvlc_media.h` (states, statistics) and `libvlc_media_player.h`.
"""

from __future__ import annotations

import ctypes
import json
import sys
import tempfile
import time
from typing import Any

_STATES = {5: "stopped", 6: "ended", 7: "error"}
_OPTIONS = (
    b"--vout=dummy",
    b"--aout=dummy",
    b"--ignore-config",
    b"--no-drop-late-frames",
    b"--no-skip-frames",
    b"--no-avcodec-hurry-up",  # all frames are to be decoded, however late they are
)
_NOT_FOUND = 3
_HANG_S = 60.0


class Statistics(ctypes.Structure):
    """`libvlc_media_stats_t`."""

    _fields_ = [
        ("read_bytes", ctypes.c_int),
        ("input_bitrate", ctypes.c_float),
        ("demux_read_bytes", ctypes.c_int),
        ("demux_bitrate", ctypes.c_float),
        ("demux_corrupted", ctypes.c_int),
        ("demux_discontinuity", ctypes.c_int),
        ("decoded_video", ctypes.c_int),
        ("decoded_audio", ctypes.c_int),
        ("displayed_pictures", ctypes.c_int),
        ("lost_pictures", ctypes.c_int),
        ("played_abuffers", ctypes.c_int),
        ("lost_abuffers", ctypes.c_int),
        ("sent_packets", ctypes.c_int),
        ("sent_bytes", ctypes.c_int),
        ("send_bitrate", ctypes.c_float),
    ]


def main(path: str, rate: float) -> int:
    try:
        vlc = ctypes.CDLL("libvlc.so.5")
    except OSError:
        return _NOT_FOUND
    for name in ("libvlc_new", "libvlc_media_new_path", "libvlc_media_player_new_from_media"):
        getattr(vlc, name).restype = ctypes.c_void_p
    vlc.libvlc_media_player_get_time.restype = vlc.libvlc_media_player_get_length.restype = ctypes.c_int64
    with tempfile.TemporaryFile() as log:
        instance = ctypes.c_void_p(vlc.libvlc_new(len(_OPTIONS), (ctypes.c_char_p * len(_OPTIONS))(*_OPTIONS)))
        c = ctypes.CDLL(None)
        c.fdopen.restype = ctypes.c_void_p
        log_file = ctypes.c_void_p(c.fdopen(log.fileno(), b"w"))
        vlc.libvlc_log_set_file(instance, log_file)
        seen = play(vlc, instance, path, rate)
        vlc.libvlc_log_unset(instance)
        c.fflush(log_file)
        log.seek(0)
        lines = log.read().decode("utf-8", "replace").splitlines()
    seen["complaints"] = [line for line in lines if " error: " in line or " warning: " in line]
    sys.stdout.write(json.dumps(seen) + "\n")
    return 0


def play(vlc: Any, instance: Any, path: str, rate: float) -> dict[str, Any]:
    media = ctypes.c_void_p(vlc.libvlc_media_new_path(instance, path.encode()))
    player = ctypes.c_void_p(vlc.libvlc_media_player_new_from_media(media))
    vlc.libvlc_media_player_set_rate(player, ctypes.c_float(rate))
    vlc.libvlc_media_player_play(player)
    times: list[int] = []
    until = time.monotonic() + _HANG_S
    while (state := vlc.libvlc_media_player_get_state(player)) not in _STATES and time.monotonic() < until:
        now = vlc.libvlc_media_player_get_time(player)
        if now > 0 and (not times or now != times[-1]):
            times.append(now)
        time.sleep(0.005)
    length = vlc.libvlc_media_player_get_length(player)
    vlc.libvlc_media_player_stop(player)  # waits for its threads, which count to the last moment
    statistics = Statistics()
    vlc.libvlc_media_get_stats(media, ctypes.byref(statistics))
    numbers = {name: getattr(statistics, name) for name, *_ in Statistics._fields_}
    return {"end": _STATES.get(state, "hangs"), "times_ms": times, "length_ms": length, **numbers}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], float(sys.argv[2])))
