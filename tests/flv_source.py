"""Writes FLV streams for tests, tag by tag. The pictures and sounds are noise: only their frame is real."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise

from ouzel.formats.flv import FlvRules, FlvShaper, amf
from ouzel.formats.flv.packets import read_packet
from ouzel.formats.flv.tags import AUDIO, SCRIPT, VIDEO, Tag, read_tags, render_file_header, render_tag
from ouzel.formats.shape import Edge, Head, Span, TakeBack

AVCC = bytes.fromhex("0142c00bffe100186742c00bda0b378893011000000300100000030320f142aa01000468ce0fc8")
AVCC_2 = AVCC[:-1] + b"\x21"
ASC = bytes.fromhex("1210")
HEADER = render_file_header(video=True, audio=True)


def metadata(**fields: float) -> bytes:
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
    count: int,
    *,
    start: int = 0,
    frames: int = 25,
    frame_ms: int = 40,
    sound_ms: int = 23,
    size: int = 200,
    seed: int = 1,
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


# -- what a consumer of the shaper does ---------------------------------------------------------------------------------


@dataclass
class File:
    """What a consumer wrote: the head, then chunks."""

    head: Head
    chunks: list[tuple[bytes, Span]] = field(default_factory=list)

    @property
    def media(self) -> bytes:
        return b"".join(data for data, _ in self.chunks)

    @property
    def tags(self) -> list[Tag]:
        """All tags behind the head. Fails where they do not follow each other without a byte between."""
        media = self.media
        tags = list(read_tags(media))
        assert sum(tag.size for tag in tags) == len(media)
        for tag in tags:
            end = tag.offset + tag.size
            assert int.from_bytes(media[end - 4 : end], "big") == tag.size - 4
        return tags

    def stamps(self, kind: int) -> list[int]:
        """Of the frames; what has no clock of its own may stand beside one of them."""
        return [t.stamp for t in self.tags if t.kind == kind and t.body and read_packet(kind, t.body).role == "frame"]

    @property
    def bodies(self) -> list[bytes]:
        return [bytes(tag.body) for tag in self.tags if tag.kind != SCRIPT]

    @property
    def spans(self) -> list[Span]:
        return [span for _, span in self.chunks]


class Recorder:
    """Does with the ops of a shaper what their documentation says; keeps everything."""

    def __init__(self, rules: FlvRules | None = None, *, piece: int = 1000) -> None:
        self.shaper = FlvShaper(rules)
        self.files: list[File] = []
        self.replays: list[Span] = []
        self.taken_back = 0
        self.ops: list[object] = []
        """Ops with the bytes between them joined. How much of an incomplete tag was handed on depends on the pieces."""
        self.split_at: int | None = None
        """Begin a new file at the edge of this chunk of a file."""
        self._piece = piece
        self._open = bytearray()

    @property
    def file(self) -> File:
        return self.files[-1]

    def feed(self, data: bytes) -> Recorder:
        for at in range(0, len(data), self._piece):
            self._take(self.shaper.feed(memoryview(bytearray(data[at : at + self._piece]))))
        return self

    def cut(self) -> Recorder:
        self._take(self.shaper.cut())
        assert not self._open
        return self

    def reconnect(self, data: bytes = b"") -> Recorder:
        self.cut()
        self.shaper.splice()
        return self.feed(data)

    def rollback(self) -> Recorder:
        self._open.clear()
        self.shaper.rollback()
        return self

    def _take(self, ops: Iterator[object]) -> None:
        for op in ops:
            match op:
                case Head():
                    assert not self._open
                    self.ops.append(op)
                    self.files.append(File(op))
                case Edge(span):
                    whole = bytes(self._open[: len(self._open) - span.excess])
                    self.ops += [whole, span._replace(excess=0)]
                    self._edge(span)
                case TakeBack():
                    assert not self._open
                    self.ops.append(op)
                    self.taken_back += 1
                    self.file.chunks.pop()
                case _:
                    assert isinstance(op, bytes | memoryview)
                    self._open += op

    def _edge(self, span: Span) -> None:
        data = bytes(self._open)
        self._open.clear()
        if span.replay:
            self.replays.append(span)
            return
        data = data[: len(data) - span.excess]
        if data:
            self.file.chunks.append((data, span))
        if self.split_at is not None and len(self.file.chunks) == self.split_at:
            self.files.append(File(self.shaper.restart()))

    def check(self) -> Recorder:
        """What holds for every file, whatever came in."""
        for file in self.files:
            for kind in (AUDIO, VIDEO):
                stamps = file.stamps(kind)
                assert all(a < b for a, b in pairwise(stamps)), (kind, stamps)
            end = 0.0
            for data, span in file.chunks:
                assert span.start_s == end
                assert span.end_s >= span.start_s
                end = span.end_s
                for key in span.keys:
                    tag = next(read_tags(data, key.offset))
                    assert tag.kind == VIDEO
                    assert tag.body[0] >> 4 & 7 in {1, 4}
        return self


def shaped(data: bytes, rules: FlvRules | None = None, *, piece: int = 1000) -> Recorder:
    """One connection from start to end."""
    return Recorder(rules, piece=piece).feed(data).cut().check()
