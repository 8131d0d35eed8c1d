"""The fMP4 shaper on a server that sends again what it has sent."""

from __future__ import annotations

from itertools import pairwise

import pytest
from tests.fmp4_source import AUDIO, VIDEO, Consumer, Sample, Source, Writer, fragment, init, read_file, second, segment

from ouzel.formats.fmp4 import Fmp4Shaper

INIT = init([VIDEO, AUDIO])
SIZE = 64
"""Fragments remembered."""


@pytest.fixture
def consumer() -> Consumer:
    return Consumer(Fmp4Shaper(mode="continuous", replays=SIZE))


def show(seconds: int) -> list[bytes]:
    """Fragments of one second; each a segment with its styp."""
    video, audio = Writer(VIDEO, time=90000 * 1000), Writer(AUDIO, time=48000 * 1000)
    return [segment(fragment(second(video, audio))) for _ in range(seconds)]


def connect(consumer: Consumer, *parts: bytes) -> None:
    """One answer after the other: a new connection, from the init segment on."""
    consumer.shaper.splice()
    consumer.feed(INIT + b"".join(parts), range(0, 1 << 16, 97))
    consumer.cut()


def test_a_file_that_is_sent_again_and_again_is_kept_once(consumer: Consumer) -> None:
    parts = show(5)
    connect(consumer, *parts)
    once = bytes(consumer.file.data)
    for times in range(1, 4):
        connect(consumer, *parts)
        assert len(consumer.file.replays) == 5 * times
    assert bytes(consumer.file.data) == once
    assert sum(span.duration_s for span in consumer.file.replays) == pytest.approx(15.0, abs=0.3)
    assert not any(span.damage or span.excess for span in consumer.file.replays)


def test_a_transfer_that_breaks_elsewhere_each_time_becomes_whole(consumer: Consumer) -> None:
    body = b"".join(parts := show(6))
    for reached in (len(body) * 2 // 5, len(body) // 2, len(body) // 4, len(body)):
        connect(consumer, body[:reached])
    whole = Consumer(Fmp4Shaper(mode="continuous"))
    connect(whole, *parts)
    read, expected = read_file(bytes(consumer.file.data)), read_file(bytes(whole.file.data))
    assert read.tracks == expected.tracks
    assert [span.source_s for span in consumer.file.spans if span.frames] == [1000.0 + n for n in range(6)]


def test_what_was_missed_meanwhile_leaves_no_hole_in_the_files_time(consumer: Consumer) -> None:
    parts = show(8)
    connect(consumer, *parts[:3])
    connect(consumer, *parts[1:3], *parts[5:])
    read = read_file(bytes(consumer.file.data))
    assert read.names(1) == [*range(1, 16), *range(26, 41)]
    times = [sample.dts for sample in read.tracks[1]]
    assert all(later - before == 18000 for before, later in pairwise(times))
    assert len(consumer.file.replays) == 2


def test_a_server_that_goes_round_in_one_answer_is_stuck(consumer: Consumer) -> None:
    parts = show(3)
    connect(consumer, *parts, *parts * 4)
    damage = [span.damage for span in consumer.file.replays]
    assert damage == [""] * 10 + ["stuck"] * 2
    assert read_file(bytes(consumer.file.data)).names(1) == list(range(1, 16))


def test_going_through_all_that_was_kept_is_not_being_stuck(consumer: Consumer) -> None:
    parts = show(12)
    for _ in range(3):
        connect(consumer, *parts)
    assert not any(span.damage for span in consumer.file.replays)


def still(time: int | None, fill: bytes = b"=") -> bytes:
    """A fragment of one second that looks like any other with the same time, but for what fills its samples."""
    part = Writer(VIDEO, time=time or 0).part(5, 18000)
    part.samples[:] = [Sample(s.duration, fill * 40, s.sync) for s in part.samples]
    part.time = time
    return segment(fragment([part]))


def test_a_still_picture_whose_time_goes_on_is_kept(consumer: Consumer) -> None:
    connect(consumer, *(still(90000 * n) for n in range(4)))
    connect(consumer, *(still(90000 * n) for n in range(4, 8)))
    assert not consumer.file.replays
    assert len(read_file(bytes(consumer.file.data)).tracks[1]) == 40


def test_an_encoder_that_counts_from_the_same_number_again_is_kept(consumer: Consumer) -> None:
    connect(consumer, *(still(90000 * n, b"a") for n in range(4)))
    connect(consumer, *(still(90000 * n, b"b") for n in range(4)))
    assert not consumer.file.replays
    assert len(read_file(bytes(consumer.file.data)).tracks[1]) == 40


def test_fragments_that_do_not_say_when_they_are_are_kept(consumer: Consumer) -> None:
    connect(consumer, *(still(None) for _ in range(4)))
    assert not consumer.file.replays
    assert len(read_file(bytes(consumer.file.data)).tracks[1]) == 20


def test_of_more_fragments_than_are_remembered_the_latest_are(consumer: Consumer) -> None:
    parts = show(SIZE + 4)
    connect(consumer, *parts)
    connect(consumer, *parts[2:])
    assert len(consumer.file.replays) < SIZE
    connect(consumer, *parts[-SIZE // 2 :])
    assert len(consumer.file.replays) >= SIZE // 2


def test_a_refused_chunk_is_not_remembered(consumer: Consumer) -> None:
    parts = show(3)
    connect(consumer, *parts[:1])
    shaper = consumer.shaper
    shaper.splice()
    consumer.feed(parts[1])
    consumer.rollback()
    consumer.segment(parts[1])
    assert not consumer.file.replays
    assert read_file(bytes(consumer.file.data)).names(1) == list(range(1, 11))


def test_a_finished_file_is_read_as_it_is() -> None:
    consumer = Consumer(Fmp4Shaper(mode="continuous"))
    parts = show(2)
    for _ in range(2):
        connect(consumer, *parts)
    assert not consumer.file.replays
    assert len(read_file(bytes(consumer.file.data)).tracks[1]) == 20


def test_sound_alone_is_recognised(consumer: Consumer) -> None:
    sound = Source(1, "soun", 48000)
    writer = Writer(sound, time=48000 * 1000)
    parts = [segment(fragment([writer.part(47, 1024)])) for _ in range(40)]
    for _ in range(3):
        consumer.shaper.splice()
        consumer.feed(init([sound]) + b"".join(parts))
        consumer.cut()
    assert read_file(bytes(consumer.file.data)).names(1) == list(range(1, 47 * 40 + 1))
