"""How fragments get their time in the file."""

from __future__ import annotations

from itertools import pairwise

import pytest
from tests.fmp4_source import (
    AUDIO,
    VIDEO,
    Consumer,
    File,
    Part,
    Sample,
    Source,
    Writer,
    fragment,
    init,
    read_file,
    second,
)

from ouzel.formats.fmp4 import Fmp4Shaper

EPOCH = 1_700_000_000


def start(*sources: Source) -> Consumer:
    consumer = Consumer(Fmp4Shaper())
    consumer.segment(init(sources or (VIDEO, AUDIO)))
    return consumer


def read(consumer: Consumer) -> File:
    return read_file(bytes(consumer.file.data))


def times(consumer: Consumer, source: Source) -> list[float]:
    """Decode times in seconds."""
    return [read.dts / source.timescale for read in read(consumer).tracks[source.id]]


def codes(consumer: Consumer) -> list[str]:
    return [repair.code for span in consumer.file.spans for repair in span.repairs]


@pytest.fixture
def video() -> Writer:
    return Writer(VIDEO, EPOCH * VIDEO.timescale)


@pytest.fixture
def audio() -> Writer:
    return Writer(AUDIO, EPOCH * AUDIO.timescale)


def skip(seconds: float, *writers: Writer) -> None:
    for writer in writers:
        writer.time += round(seconds * writer.source.timescale)


def in_step(consumer: Consumer, within_s: float = 0.022) -> None:
    """Sound and picture run beside each other and are equally long."""
    pictures, sound = times(consumer, VIDEO), times(consumer, AUDIO)
    assert abs(pictures[-1] + 0.2 - sound[-1] - 1024 / 48000) < within_s
    for track in (pictures, sound):
        assert all(b > a for a, b in pairwise(track))


def test_a_short_hole_is_kept(video: Writer, audio: Writer) -> None:
    consumer = start()
    consumer.segment(fragment(second(video, audio)))
    skip(0.9, video, audio)
    consumer.segment(fragment(second(video, audio)))

    assert times(consumer, VIDEO)[5] == pytest.approx(1.9)
    assert consumer.span.start_s == 1.0
    assert consumer.span.end_s == pytest.approx(2.9)
    assert codes(consumer) == ["start"]


@pytest.mark.parametrize("by_s", [1.5, 3600, -0.6, -1_600_000_000])
def test_a_jump_is_taken_out_for_all_tracks(video: Writer, audio: Writer, by_s: float) -> None:
    consumer = start()
    consumer.segment(fragment(second(video, audio)))
    skip(by_s, video, audio)
    consumer.segment(fragment(second(video, audio)))

    assert times(consumer, VIDEO) == pytest.approx([0.2 * n for n in range(10)])
    in_step(consumer)
    assert codes(consumer) == ["start", "jump"]
    assert consumer.span.repairs[0].by_s == pytest.approx(-EPOCH - by_s)
    assert consumer.span.source_s == EPOCH + 1 + by_s


def test_after_a_splice_the_smallest_common_offset_is_used(video: Writer, audio: Writer) -> None:
    consumer = start()
    consumer.segment(fragment(second(video, audio)))
    consumer.shaper.splice()
    skip(0.7, video, audio)
    consumer.segment(fragment(second(video, audio)))

    assert times(consumer, AUDIO)[47] == pytest.approx(47 * 1024 / 48000)
    assert times(consumer, VIDEO)[5] == pytest.approx(1.0, abs=0.025)
    in_step(consumer)
    assert codes(consumer) == ["start", "splice"]


def test_a_splice_of_what_simply_goes_on_changes_nothing(video: Writer, audio: Writer) -> None:
    consumer = start()
    for _ in range(3):
        consumer.segment(fragment(second(video, audio)))
        consumer.shaper.splice()

    assert times(consumer, VIDEO) == pytest.approx([0.2 * n for n in range(15)])
    assert codes(consumer) == ["start"]


def test_a_splice_goes_back_for_what_is_sent_again(video: Writer) -> None:
    """After a reconnect without any hint, the server repeats the last second: it is written again, behind."""
    consumer = start(VIDEO)
    whole = fragment(second(video))
    consumer.segment(whole)
    consumer.shaper.splice()
    consumer.segment(whole)

    assert times(consumer, VIDEO) == pytest.approx([0.2 * n for n in range(10)])


def test_sound_that_overlaps_is_cut_to_fit(video: Writer, audio: Writer) -> None:
    """Some encoders repeat the last frames of a segment at the start of the next: no drift may come of it."""
    consumer = start()
    for _ in range(20):
        consumer.segment(fragment(second(video, audio)))
        audio.time -= 2 * 1024

    sound = read(consumer).tracks[2]
    assert all(b.dts >= a.dts + a.duration for a, b in pairwise(sound))
    in_step(consumer)
    assert codes(consumer) == ["start"]


def test_sound_is_trimmed_where_its_samples_are(video: Writer, audio: Writer) -> None:
    """After trimming, the bytes are still those of the samples that are left, over several runs."""
    consumer = start()
    consumer.segment(fragment(second(video, audio)))
    before = audio.number
    audio.time -= 20 * 1024
    part = audio.part(40, 1024, runs=4)
    consumer.segment(fragment([second(video)[0], part]))

    assert read(consumer).names(2) == [*range(1, before + 1), *range(before + 21, before + 41)]
    assert times(consumer, AUDIO) == pytest.approx([n * 1024 / 48000 for n in range(before + 20)])


def test_default_durations_are_trimmed_too(video: Writer, audio: Writer) -> None:
    consumer = start()
    consumer.segment(fragment(second(video, audio)))
    before = audio.number
    audio.time -= 3 * 1024
    part = audio.part(40, 1024)
    part.default_duration = True
    consumer.segment(fragment([second(video)[0], part]))

    assert read(consumer).names(2)[before] == before + 4


def test_sound_of_which_nothing_is_left_is_left_out(audio: Writer) -> None:
    consumer = start(AUDIO)
    first, repeat = audio.part(40, 1024), Part(AUDIO, audio.time - 10 * 1024, [Sample(1024, b"again")] * 10)
    consumer.segment(fragment([first]))
    consumer.segment(fragment([repeat]) + fragment([audio.part(40, 1024)]))

    assert [read.dts for read in read(consumer).tracks[2]] == [1024 * n for n in range(80)]
    assert consumer.span.dropped_bytes > 0


def test_a_picture_that_overlaps_moves_until_the_source_has_caught_up(video: Writer) -> None:
    consumer = start(VIDEO)
    consumer.segment(fragment(second(video)))
    skip(-0.4, video)
    consumer.segment(fragment(second(video)))
    skip(0.4, video)
    consumer.segment(fragment(second(video)))

    assert times(consumer, VIDEO) == pytest.approx([0.2 * n for n in range(15)])
    assert codes(consumer) == ["start", "clamp"]


def test_tracks_in_fragments_of_their_own(video: Writer, audio: Writer) -> None:
    consumer = start()
    for _ in range(3):
        parts = second(video, audio)
        consumer.segment(b"".join(fragment([part]) for part in parts))

    in_step(consumer)
    assert codes(consumer) == ["start"]


def test_sound_that_begins_before_the_first_picture_is_left_out(video: Writer, audio: Writer) -> None:
    """Nothing can be shown before 0, and the picture is there already."""
    consumer = start()
    skip(2, video)
    consumer.segment(fragment(second(video)) + fragment([audio.part(144, 1024)]))

    sound = times(consumer, AUDIO)
    assert sound[0] == pytest.approx(0, abs=0.022)
    assert read(consumer).names(2)[0] == 95
    in_step(consumer, 0.1)


def test_a_picture_that_begins_before_the_first_sound_moves_both(video: Writer, audio: Writer) -> None:
    consumer = start()
    skip(0.1, audio)
    consumer.segment(fragment([audio.part(42, 1024)]) + fragment(second(video)))
    consumer.segment(fragment([audio.part(47, 1024)]) + fragment(second(video)))

    assert times(consumer, VIDEO) == pytest.approx([0.2 * n for n in range(10)])
    in_step(consumer, 0.1)
    assert times(consumer, AUDIO)[42] == pytest.approx(0.1 + 42 * 1024 / 48000, abs=1e-4)


def test_tracks_whose_clocks_differ_altogether_begin_together(video: Writer) -> None:
    consumer = start()
    audio = Writer(AUDIO, 0)
    for _ in range(3):
        consumer.segment(fragment([*second(video), audio.part(47, 1024)]))

    assert times(consumer, VIDEO)[0] == times(consumer, AUDIO)[0] == 0
    in_step(consumer, 0.1)


def test_sound_alone_may_pause(video: Writer, audio: Writer) -> None:
    consumer = start()
    consumer.segment(fragment(second(video, audio)))
    for _ in range(5):
        consumer.segment(fragment(second(video)))
    skip(6 - 47 * 1024 / 48000, audio)
    consumer.segment(fragment(second(video, audio)))

    assert times(consumer, AUDIO)[47] == pytest.approx(6, abs=0.03)
    in_step(consumer, 0.03)
    assert codes(consumer) == ["start"]


def test_fragments_without_a_time_follow_each_other() -> None:
    consumer = start(VIDEO)
    for _ in range(3):
        consumer.segment(fragment([Part(VIDEO, None, [Sample(30000, b"x")] * 3)]))

    assert times(consumer, VIDEO) == pytest.approx([n / 3 for n in range(9)])


def test_a_new_file_waits_for_the_track_that_lags_behind(video: Writer, audio: Writer) -> None:
    """A file is split after pictures that their sound has not caught up with: the sound is not lost."""
    consumer = start()
    for _ in range(3):
        consumer.segment(fragment(second(video)))
    consumer.segment(fragment([audio.part(94, 1024)]))  # two of three seconds
    consumer.restart()
    consumer.segment(fragment(second(video)))
    consumer.segment(fragment([audio.part(94, 1024)]))

    read = read_file(bytes(consumer.files[1].data))
    assert read.names(2) == list(range(95, 189))
    assert read.tracks[2][0].dts == 0
    assert read.tracks[1][0].dts == pytest.approx(90000, abs=2000)


def test_a_new_file_waits_for_nobody_when_the_clock_has_jumped(video: Writer, audio: Writer) -> None:
    consumer = start()
    consumer.segment(fragment(second(video)))
    consumer.segment(fragment([audio.part(47, 1024)]))
    consumer.restart()
    skip(5, video, audio)
    consumer.segment(fragment(second(video)))

    assert read_file(bytes(consumer.files[1].data)).tracks[1][0].dts == 0


def test_a_new_file_does_not_wait_for_subtitles(video: Writer) -> None:
    text = Writer(Source(3, "text", 1000), EPOCH * 1000)
    consumer = start(VIDEO, text.source)
    consumer.segment(fragment([*second(video), text.part(1, 1000)]))
    for _ in range(3):
        consumer.segment(fragment(second(video)))
    consumer.restart()
    consumer.segment(fragment(second(video)))

    assert read_file(bytes(consumer.files[1].data)).tracks[1][0].dts == 0


def test_a_coarse_time_scale_is_never_overrun() -> None:
    """One tick is one frame: rounding the common offset must not put two frames on one."""
    coarse = Source(1, "vide", 25)
    video, audio = Writer(coarse, 25 * 1000), Writer(AUDIO, 48000 * 1000 + 700)
    consumer = start(coarse, AUDIO)
    for number in range(1, 9):
        consumer.segment(fragment([video.part(25, 1), audio.part(47, 1024)]))
        if number % 2 == 0:
            consumer.shaper.splice()
            skip(3, video)
            skip(3.013, audio)

    pictures = [read.dts for read in read(consumer).tracks[1]]
    assert all(b > a for a, b in pairwise(pictures))
    assert len(pictures) == 200


def test_a_coarse_time_scale_is_rounded_to_its_nearest_tick() -> None:
    coarse = Source(1, "vide", 25)
    consumer = start(coarse, AUDIO)
    consumer.segment(fragment([Writer(coarse, 1).part(25, 1), Writer(AUDIO, 480).part(47, 1024)]))

    assert read(consumer).tracks[2][0].dts == 0
    assert read(consumer).tracks[1][0].dts == 1  # 30 ms after the sound: one tick of 40 ms
