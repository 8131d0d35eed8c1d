"""Files that tell no length: what is one, and how long it is at least."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from ouzel.engine.download.ends import least_size
from ouzel.testing.clips import Clip

WAV = b"RIFF" + (2000).to_bytes(4, "little") + b"WAVEfmt "


def box(kind: bytes, body: bytes = b"") -> bytes:
    return (8 + len(body)).to_bytes(4, "big") + kind + body


FTYP, MOOV, MDAT = box(b"ftyp", b"isom" * 4), box(b"moov", box(b"mvhd", bytes(100))), box(b"mdat", bytes(500))
LIVE = box(b"moov", box(b"mvhd", bytes(100)) + box(b"mvex", bytes(40)))
LONG = (1).to_bytes(4, "big") + b"mdat" + (516).to_bytes(8, "big") + bytes(500)
EBML = bytes.fromhex("1a45dfa3 84 42868101")
VOID, SEGMENT = bytes.fromhex("ec 82 0000"), bytes.fromhex("18538067")


@pytest.mark.parametrize(
    ("data", "least"),
    [
        (FTYP + MOOV + box(b"free") + MDAT, len(FTYP + MOOV + MDAT) + 8),
        (FTYP + LONG, len(FTYP + LONG) + 8),
        (FTYP + MOOV + (0).to_bytes(4, "big") + b"mdat" + bytes(50), len(FTYP + MOOV) + 8),
        (FTYP + LIVE + MDAT, 0),
        (FTYP + box(b"styp", bytes(8)) + MDAT, 0),
        (FTYP + MOOV + (3).to_bytes(4, "big") + b"free" + bytes(20), 0),
        (box(b"moof", bytes(20)) + MDAT, 0),
        (EBML + SEGMENT + bytes.fromhex("01 0000000000ffff") + bytes(9), len(EBML) + 4 + 8 + 0xFFFF),
        (EBML + VOID + SEGMENT + bytes.fromhex("84") + bytes(9), len(EBML + VOID) + 4 + 1 + 4),
        (EBML + SEGMENT + bytes.fromhex("01 ffffffffffffff") + bytes(9), 0),
        (EBML + SEGMENT + b"\xff" + bytes(9), 0),
        (EBML + b"\xa0" * 40, 0),
        (WAV, 2008),
        (b"RIFF" + b"\xff" * 4 + WAV[8:], 0),
        (b"ID3" + bytes(40), 0),
        (b"\0" * 4 + b"ftyp" + bytes(40), 0),
    ],
)
def test_what_is_told_of_the_end_whatever_comes_first(data: bytes, least: int) -> None:
    assert least_size(data) == least
    for count in range(8, len(data)):
        assert least_size(data[:count]) in {None, least}


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_what_ffmpeg_writes_is_as_long_as_it_tells(clip: Clip, suffix: str) -> None:
    data = clip.file(suffix).read_bytes()
    assert least_size(data[: len(data) // 2]) == len(data)


def test_what_ffmpeg_writes_into_a_pipe_tells_nothing(clip: Clip) -> None:
    source: Path = clip.file(".mp4")
    for options in (["-f", "matroska"], ["-f", "mp4", "-movflags", "frag_keyframe+empty_moov"]):
        command = ["ffmpeg", "-v", "error", "-i", str(source), "-c", "copy", *options, "-"]
        made = subprocess.run(command, check=True, capture_output=True).stdout
        assert least_size(made) == 0
