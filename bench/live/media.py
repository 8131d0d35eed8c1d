"""What all channels show."""

from __future__ import annotations

from pathlib import Path

from ouzel.testing.clips import Clip, make_clip

CLIP_S = 24
GROUP_S = 2
VIDEO_BPS = 3_900_000
"""With sound and what TS adds: 4.16 Mb/s as HLS, 4.07 Mb/s as FLV."""
LATER_MS = 25_000
"""Where the time stamps of a source begin that must be re-stamped."""


def clip(folder: Path) -> Clip:
    """Noise at 4 Mb/s, a key frame each two seconds, AAC sound. Encoded once, and found in the folder from then on."""
    return make_clip(folder, seconds=CLIP_S, gop_s=GROUP_S, bitrate_bps=VIDEO_BPS)
