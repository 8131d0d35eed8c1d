"""One suite over the three shapers: what `ouzel.formats.shape.Shaper` promises."""

from __future__ import annotations

import http.client
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

import anyio.to_thread
import pytest

from ouzel.formats.flv import FlvShaper
from ouzel.formats.fmp4 import Fmp4Shaper
from ouzel.formats.mpegts import TsShaper
from ouzel.formats.shape import Edge, Head, Shaper, Span, TakeBack
from ouzel.testing.clips import Clip
from ouzel.testing.clock import FakeClock
from ouzel.testing.origin import Hls, LiveOrigin

SEGMENTS = 6
SHAPERS: dict[str, Callable[[], Shaper]] = {
    "ts": lambda: TsShaper(mode="segments"),
    "mp4": Fmp4Shaper,
    "flv": FlvShaper,
}


@dataclass
class Take:
    """What a consumer that does everything right ends up with."""

    out: bytearray = field(default_factory=bytearray)
    chunk: bytearray = field(default_factory=bytearray)
    heads: list[Head] = field(default_factory=list[Head])
    spans: list[Span] = field(default_factory=list[Span])

    def feed(self, shaper: Shaper, data: bytes, rng: Random | None = None) -> None:
        at = 0
        while at < len(data):
            size = rng.randint(1, 5000) if rng else len(data)
            self.take(shaper.feed(memoryview(bytearray(data[at : at + size]))))
            at += size

    def take(self, ops: object) -> None:
        for op in ops:  # type: ignore[attr-defined]
            match op:
                case Head():
                    assert not self.chunk, "a head in the middle of a chunk"
                    self.heads.append(op)
                    self.out += op.data
                case Edge(span):
                    self.spans.append(span)
                    self.out += self.chunk[: len(self.chunk) - span.excess]
                    self.chunk.clear()
                case TakeBack():
                    raise AssertionError("nothing was incomplete")
                case _:
                    self.chunk += bytes(op)


@pytest.fixture(scope="module", params=["ts", "mp4", "flv"])
async def media(request: pytest.FixtureRequest, clip: Clip) -> tuple[str, list[bytes]]:
    """Container, and what a server sends: six segments of one second, or one long body."""
    return await served(request.param, clip)


@pytest.fixture(scope="module", params=["ts", "mp4"])
async def segments(request: pytest.FixtureRequest, clip: Clip) -> tuple[str, list[bytes]]:
    """Container and six segments of one second, the first with whatever opens the stream."""
    return await served(request.param, clip)


async def served(kind: str, clip: Clip) -> tuple[str, list[bytes]]:
    async with LiveOrigin(clock=FakeClock()) as origin:
        channel = origin.channel("show", clip, hls=Hls(container="mp4" if kind == "mp4" else "ts", window=0))
        channel.push(SEGMENTS)
        host = origin.url.removeprefix("http://")

        def get(path: str) -> bytes:
            link = http.client.HTTPConnection(host)
            try:
                link.request("GET", path)
                return link.getresponse().read()
            finally:
                link.close()

        if kind == "flv":
            channel.flv.gop_cache = SEGMENTS
            channel.end()
            whole = await anyio.to_thread.run_sync(get, "/live/show.flv")
            return kind, [whole]
        suffix = "m4s" if kind == "mp4" else "ts"
        pieces = [await anyio.to_thread.run_sync(get, f"/live/show/seg{n}.{suffix}") for n in range(SEGMENTS)]
        if kind == "mp4":
            pieces[0] = await anyio.to_thread.run_sync(get, "/live/show/init0.mp4") + pieces[0]
        return kind, pieces


def shaped(kind: str, pieces: list[bytes], rng: Random | None = None) -> Take:
    shaper, take = SHAPERS[kind](), Take()
    for piece in pieces:
        take.feed(shaper, piece, rng)
        take.take(shaper.cut())
    return take


pytestmark = pytest.mark.anyio


async def test_any_split_into_pieces_gives_the_same_file(media: tuple[str, list[bytes]]) -> None:
    kind, pieces = media
    whole = shaped(kind, pieces)
    for seed in range(5):
        split = shaped(kind, pieces, Random(seed))
        assert split.out == whole.out
        assert split.spans == whole.spans


async def test_chunks_tile_the_time_line(media: tuple[str, list[bytes]]) -> None:
    kind, pieces = media
    take = shaped(kind, pieces)
    assert len(take.heads) == 1
    assert {t.kind for t in take.heads[0].tracks} >= {"video", "audio"}
    assert (take.heads[0].video.width, take.heads[0].video.height) == (320, 180)  # type: ignore[union-attr]
    assert take.spans[0].start_s == 0.0
    assert all(a.end_s == b.start_s for a, b in zip(take.spans, take.spans[1:], strict=False))
    assert sum(s.frames for s in take.spans) == 25 * SEGMENTS
    assert abs(take.spans[-1].end_s - SEGMENTS) < 0.04
    assert all(s.independent and s.keys and not s.damage for s in take.spans)


async def test_a_chunk_that_is_rolled_back_was_never_fed(segments: tuple[str, list[bytes]]) -> None:
    kind, pieces = segments
    whole = shaped(kind, pieces)
    shaper, take = SHAPERS[kind](), Take()
    for piece in pieces:
        for cut in (3, len(piece) // 3, len(piece)):
            for op in shaper.feed(memoryview(bytearray(piece[:cut]))):
                if isinstance(op, Head):
                    take.take([op])
            shaper.rollback()
        take.feed(shaper, piece)
        take.take(shaper.cut())
    assert [s.end_s for s in take.spans] == [s.end_s for s in whole.spans]
    assert take.out[-len(pieces[-1]) // 2 :] == whole.out[-len(pieces[-1]) // 2 :]


async def test_a_chunk_that_is_refused_at_its_edge_was_never_fed(segments: tuple[str, list[bytes]]) -> None:
    kind, pieces = segments
    whole = shaped(kind, pieces)
    shaper, take = SHAPERS[kind](), Take()
    for piece in pieces:
        for op in shaper.feed(memoryview(bytearray(piece))):
            if isinstance(op, Head):
                take.take([op])
        for op in shaper.cut():
            if isinstance(op, Edge):
                break
        shaper.rollback()
        take.feed(shaper, piece)
        take.take(shaper.cut())
    assert [(s.start_s, s.end_s, s.frames) for s in take.spans] == [(s.start_s, s.end_s, s.frames) for s in whole.spans]


async def test_after_a_splice_time_goes_on_although_the_source_jumped(segments: tuple[str, list[bytes]]) -> None:
    kind, pieces = segments
    shaper, take = SHAPERS[kind](), Take()
    for n in (0, 1, 4, 5):  # two seconds are missing
        if n == 4:
            shaper.splice()
        take.feed(shaper, pieces[n])
        take.take(shaper.cut())
    assert abs(take.spans[-1].end_s - 4.0) < 0.12
    assert all(a.end_s == b.start_s for a, b in zip(take.spans, take.spans[1:], strict=False))
    assert sum(s.frames for s in take.spans) == 100


async def test_a_restart_opens_a_file_whose_time_begins_at_zero(segments: tuple[str, list[bytes]]) -> None:
    kind, pieces = segments
    shaper, take = SHAPERS[kind](), Take()
    for n, piece in enumerate(pieces):
        if n == 3:
            head = shaper.restart()
            assert head.tracks == take.heads[0].tracks
        take.feed(shaper, piece)
        take.take(shaper.cut())
    assert take.spans[3].start_s == 0.0
    assert abs(take.spans[-1].end_s - 3.0) < 0.04


async def test_of_a_break_is_kept_what_is_kept_of_an_end_but_for_what_is_in_doubt(
    media: tuple[str, list[bytes]],
) -> None:
    kind, pieces = media
    data = b"".join(pieces)
    for size in (len(data), len(data) * 2 // 3, len(data) * 2 // 3 // 188 * 188):
        ended, broken = (Take() for _ in range(2))
        for take in (ended, broken):
            shaper = SHAPERS[kind]()
            take.feed(shaper, data[:size])
            take.take(shaper.cut(broken=take is broken))
        assert len(broken.out) <= len(ended.out)
        assert broken.out == ended.out[: len(broken.out)]
        assert broken.out, "not all is in doubt"
        assert [span.damage for span in broken.spans] == [""] * len(broken.spans), "what is left is whole"
        if size == len(data):
            assert broken.out == ended.out
