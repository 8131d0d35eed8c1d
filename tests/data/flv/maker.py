"""Writes FLV streams for tests, tag by tag. The pictures and sounds are noise: only their frame is real."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field

from ouzel.formats.flv.tags import AUDIO, SCRIPT, VIDEO, render_file_header, render_tag

AVCC = bytes.fromhex("0142c00bffe100186742c00bda0b378893011000000300100000030320f142aa01000468ce0fc8")
AVCC_2 = AVCC[:-1] + b"\x21"
ASC = bytes.fromhex("1210")
HEADER = render_file_header(video=True, audio=True)


def metadata(**fields: float) -> bytes:
    from ouzel.formats.flv import amf

    values: dict[str, amf.AmfValue] = {"encoder": "maker", "width": 640.0, "height": 360.0, **fields}
    return render_tag(SCRIPT, 0, amf.render("onMetaData") + amf.render_ecma_array(values))


def video_config(record: bytes = AVCC, stamp: int = 0, cts: bytes = b"\0\0\0") -> bytes:
    return render_tag(VIDEO, stamp, b"\x17\x00" + cts + record)


def audio_config(record: bytes = ASC, stamp: int = 0) -> bytes:
    return render_tag(AUDIO, stamp, b"\xaf\x00" + record)


def picture(stamp: int, *, key: bool, body: bytes = b"picture", cts: int = 0) -> bytes:
    return render_tag(VIDEO, stamp & 0xFFFFFFFF, bytes([0x17 if key else 0x27, 1]) + cts.to_bytes(3, "big") + body)


def sound(stamp: int, body: bytes = b"sound") -> bytes:
    return render_tag(AUDIO, stamp & 0xFFFFFFFF, b"\xaf\x01" + body)


@dataclass
class Group:
    """One group of pictures with its sound: key frame first. Times are relative to the key frame."""

    start: int
    tags: list[tuple[int, int, bytes]] = field(default_factory=list)  # kind, time, noise

    def data(self, shift: int = 0) -> bytes:
        return b"".join(self.parts(shift))

    def parts(self, shift: int = 0) -> Iterator[bytes]:
        for n, (kind, time, noise) in enumerate(self.tags):
            at = self.start + time + shift
            yield picture(at, key=n == 0, body=noise) if kind == VIDEO else sound(at, noise)


def groups(
    count: int, *, start: int = 0, frames: int = 25, frame_ms: int = 40, sound_ms: int = 23, size: int = 200, seed: int = 1
) -> list[Group]:
    """Groups that follow each other, each of `frames` pictures, with sound interleaved by time."""
    noise = random.Random(seed)
    made: list[Group] = []
    next_sound = start
    for n in range(count):
        begin = start + n * frames * frame_ms
        group = Group(begin)
        for f in range(frames):
            big = size * (10 if f == 0 else 1)
            at = f * frame_ms
            group.tags.append((VIDEO, at, noise.randbytes(noise.randint(big // 2, big))))
            while sound_ms and next_sound < begin + at + frame_ms:
                if next_sound >= begin:
                    group.tags.append((AUDIO, next_sound - begin, noise.randbytes(noise.randint(40, 90))))
                next_sound += sound_ms
        made.append(group)
    return made


def opening(*, video: bytes = AVCC, audio: bytes | None = ASC) -> bytes:
    """File header, metadata, sequence headers."""
    return HEADER + metadata() + video_config(video) + (audio_config(audio) if audio else b"")


def stream(made: list[Group], shift: int = 0) -> bytes:
    return b"".join(group.data(shift) for group in made)
