"""What must hold of the fMP4 shaper for every stream, however it is cut, broken or timed."""

from __future__ import annotations

import struct
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.fmp4_source import (
    AUDIO,
    VIDEO,
    Base,
    Consumer,
    Part,
    Sample,
    Source,
    Writer,
    Written,
    box,
    boxes,
    fragment,
    init,
    read_file,
    segment,
)

from ouzel.base.errors import MediaError
from ouzel.formats.fmp4 import Fmp4Shaper

INIT = init([VIDEO, AUDIO])
TIMESCALES = (90_000, 12_800, 25, 1_000, 10_000_000, 48_000, 44_100, 30_000)


@st.composite
def segments(draw: st.DrawFn, *, most: int = 4) -> list[bytes]:
    """Segments of a picture and a sound, in every form in which a source may write them."""
    video, audio = Writer(VIDEO, draw(st.sampled_from((0, 90_000 * 1_700_000_000)))), Writer(AUDIO)
    audio.time = video.time * 48_000 // 90_000 + draw(st.integers(0, 2000))
    base = draw(st.sampled_from(("moof", "first", "vague")))
    out: list[bytes] = []
    for _ in range(draw(st.integers(1, most))):
        fragments: list[bytes] = []
        for _ in range(draw(st.integers(1, 3))):
            key = draw(st.booleans())
            parts = [video.part(draw(st.integers(1, 6)), 3600, key_first=key, runs=draw(st.integers(1, 2)))]
            end = video.time * 48_000 // 90_000
            parts.append(audio.part(max(1, (end - audio.time) // 1024 + 1), 1024))
            fragments.append(fragment(parts, base=base, version=draw(st.integers(0, 1))))
        out.append(segment(*fragments, sidx=draw(st.booleans())))
    return out


def record(parts: list[bytes], cuts: list[list[int]] | None = None) -> Written:
    consumer = Consumer(Fmp4Shaper())
    consumer.segment(INIT)
    for number, part in enumerate(parts):
        consumer.segment(part, cuts[number] if cuts else ())
    return consumer.file


@settings(max_examples=50, deadline=None)
@given(segments(), st.data())
def test_any_split_of_the_bytes_gives_the_same_file(parts: list[bytes], data: st.DataObject) -> None:
    cuts = [data.draw(st.lists(st.integers(1, len(part)), max_size=30)) for part in parts]

    whole, split = record(parts), record(parts, cuts)

    assert split.data == whole.data
    assert split.spans == whole.spans


def test_single_bytes_give_the_same_file() -> None:
    video = Writer(VIDEO)
    parts = [segment(fragment([video.part(3, 3600)]), fragment([video.part(3, 3600)])) for _ in range(2)]

    assert record(parts, [list(range(len(part))) for part in parts]).data == record(parts).data


@settings(max_examples=50, deadline=None)
@given(segments(), st.data())
def test_what_is_rolled_back_was_never_there(parts: list[bytes], data: st.DataObject) -> None:
    consumer = Consumer(Fmp4Shaper())
    consumer.segment(INIT)
    for part in parts:
        for end in data.draw(st.lists(st.integers(0, len(part)), max_size=3)):
            consumer.feed(part[:end])
            consumer.rollback()
        consumer.segment(part)

    plain = record(parts)
    assert consumer.file.data == plain.data
    assert consumer.file.spans == plain.spans


@settings(max_examples=40, deadline=None)
@given(segments())
def test_the_file_is_that_of_the_ledger(parts: list[bytes]) -> None:
    """Head plus any range of chunks is a file of its own; key points are where the Spans say."""
    file = record(parts)
    data = bytes(file.data)
    for (start, end), span in zip(pairwise(file.offsets), file.spans, strict=True):
        clip = read_file(file.head.data + data[start:end])
        assert len(clip.tracks[1]) == span.frames
        assert clip.tracks[1][0].sync == span.independent
        for key in span.keys:
            at = start + key.offset
            assert data[at + 4 : at + 8] == b"moof"
            size = int.from_bytes(data[at : at + 4], "big")
            mdat = int.from_bytes(data[at + size : at + size + 4], "big")
            first = read_file(file.head.data + data[at : at + size + mdat]).tracks[1][0]
            assert (first.sync, first.dts / 90_000) == (True, key.at_s)
    assert [a.end_s for a in file.spans[:-1]] == [b.start_s for b in file.spans[1:]]


@settings(max_examples=30, deadline=None)
@given(segments())
def test_a_file_of_ours_read_again_comes_out_as_it_was(parts: list[bytes]) -> None:
    """So its ledger can be made again from the media: every byte keeps its place."""
    file = record(parts)
    again = Consumer(Fmp4Shaper(mode="continuous"))
    again.segment(bytes(file.data))

    assert again.file.data == file.data
    assert again.file.spans[-1].end_s == file.spans[-1].end_s
    assert sum(s.frames for s in again.file.spans) == sum(s.frames for s in file.spans)
    assert [repair for s in again.file.spans for repair in s.repairs] == []


@settings(max_examples=6, deadline=None)
@given(
    st.sampled_from(TIMESCALES),
    st.sampled_from(TIMESCALES),
    st.integers(0, 2_000_000_000),
    st.lists(st.integers(1, 8), min_size=5, max_size=5),
)
def test_time_stays_exact_over_a_thousand_fragments(one: int, two: int, epoch_s: int, lengths: list[int]) -> None:
    """No drift, not by a tick: what is added to the source's times never changes, and the Spans add up."""
    video, audio = Writer(Source(1, "vide", one), epoch_s * one), Writer(Source(2, "soun", two), epoch_s * two)
    consumer = Consumer(Fmp4Shaper())
    consumer.segment(init([video.source, audio.source]))
    frame, block = max(1, one // 25), max(1, two // 50)
    for number in range(1000):
        consumer.segment(fragment([video.part(lengths[number % 5], frame), audio.part(2 * lengths[number % 5], block)]))

    read = read_file(bytes(consumer.file.data))
    for track, duration in ((1, frame), (2, block)):
        assert [r.dts for r in read.tracks[track]] == [duration * n for n in range(len(read.tracks[track]))]
    last = read.tracks[1][-1]
    assert consumer.span.end_s == (last.dts + last.duration) / one
    assert [a.end_s for a in consumer.file.spans[:-1]] == [b.start_s for b in consumer.file.spans[1:]]


STEPS_S = st.sampled_from((0, 0, 0, 0.02, 0.3, 0.9, 1.2, 5, 3600, -0.02, -0.3, -0.49, -0.6, -5, -3600, 1e9))


@settings(max_examples=80, deadline=None)
@given(
    st.sampled_from(TIMESCALES),
    st.sampled_from(TIMESCALES),
    st.lists(st.tuples(STEPS_S, STEPS_S, st.booleans(), st.booleans(), st.integers(1, 12)), min_size=2, max_size=12),
)
def test_decode_times_rise_whatever_the_source_does(
    one: int, two: int, steps: list[tuple[float, float, bool, bool, int]]
) -> None:
    """Jumps, overlaps, breaks and tracks in fragments of their own: no sample is decoded before its predecessor."""
    video, audio = Writer(Source(1, "vide", one), 10**10 * one), Writer(Source(2, "soun", two), 10**10 * two)
    consumer = Consumer(Fmp4Shaper())
    consumer.segment(init([video.source, audio.source]))
    pictures = 0
    for picture_s, sound_s, broken, apart, count in steps:
        video.time = max(0, video.time + round(picture_s * one))
        audio.time = max(0, audio.time + round(sound_s * two))
        if broken:
            consumer.shaper.splice()
        parts = [video.part(count, max(1, one // 25)), audio.part(count, max(1, two // 25))]
        consumer.segment(b"".join(fragment([p]) for p in parts) if apart else fragment(parts))
        pictures += count

    read = read_file(bytes(consumer.file.data))
    for samples in read.tracks.values():
        assert all(b.dts > a.dts for a, b in pairwise(samples))
    assert len(read.tracks[1]) == pictures
    assert [a.end_s for a in consumer.file.spans[:-1]] == [b.start_s for b in consumer.file.spans[1:]]
    assert read.sequences == list(range(1, len(read.sequences) + 1))


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    data = bytearray(INIT + b"".join(draw(segments(most=2))))
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, len(data) - 1))
        match draw(st.integers(0, 3)):
            case 0:
                data[at] = draw(st.integers(0, 255))
            case 1:
                data[at : at + 4] = struct.pack(">I", draw(st.sampled_from((0, 1, 7, 8, 0x7FFFFFFF, 0xFFFFFFFF))))
            case 2:
                del data[at : at + draw(st.integers(1, 40))]
            case _:
                data[at:at] = draw(st.binary(max_size=20))
    return bytes(data)


@settings(max_examples=250, deadline=None)
@given(damaged(), st.booleans())
def test_damage_is_refused_or_lived_through(data: bytes, continuous: bool) -> None:
    """Nothing but MediaError is raised, and what was kept is a sequence of whole boxes."""
    consumer = Consumer(Fmp4Shaper(mode="continuous" if continuous else "segments", limit=1 << 20))
    try:
        consumer.feed(data, cuts=range(0, len(data), 97))
    except MediaError:
        pass
    consumer.cut()
    for file in consumer.files:
        assert [name for name, *_ in boxes(bytes(file.data[: file.offsets[-1]]))][:2] == ["ftyp", "moov"]
        assert [a.end_s for a in file.spans[:-1]] == [b.start_s for b in file.spans[1:]]


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=300))
def test_noise_is_refused(noise: bytes) -> None:
    consumer = Consumer(Fmp4Shaper())
    try:
        consumer.segment(noise)
    except MediaError:
        pass
    assert consumer.files == []


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(("moof", "absolute", "payload", "first", "vague")), st.integers(1, 5), st.integers(0, 1 << 40))
def test_every_form_of_offsets_is_understood(base: Base, runs: int, at: int) -> None:
    parts = [
        Part(source, 0, [Sample(10, bytes([source.id, n]) * 5) for n in range(7)], runs) for source in (VIDEO, AUDIO)
    ]
    consumer = Consumer(Fmp4Shaper())
    consumer.segment(INIT)
    consumer.segment(fragment(parts, base=base, at=at, between=box("free", bytes(9))))

    read = read_file(bytes(consumer.file.data))
    if base in {"moof", "absolute", "first"}:  # the others only say that the data follow
        assert {t: [r.data for r in found] for t, found in read.tracks.items()} == {
            part.source.id: [sample.data for sample in part.samples] for part in parts
        }
