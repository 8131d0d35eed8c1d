"""A picture and a sound that come from two playlists, in one file."""

from __future__ import annotations

from itertools import pairwise

import pytest
from tests.fmp4_source import VIDEO, Consumer, Source, Writer, child, fragment, init, read_file, segment

from ouzel.formats.fmp4 import Fmp4Pair

SOUND = Source(1, "soun", 48000)  # the same track_ID as the picture: both playlists number from 1
EPOCH = 1_700_000_000


class Both:
    """Two playlists of one presentation: feeds either, and reads what was written."""

    def __init__(self) -> None:
        pair = Fmp4Pair()
        self.main, self.extra = Consumer(pair.main), Consumer(pair.extra)
        self.extra.files = self.main.files  # both write into the same files
        self.video, self.audio = Writer(VIDEO, EPOCH * 90000), Writer(SOUND, EPOCH * 48000)

    def inits(self, *, video: Source = VIDEO, audio: Source = SOUND) -> None:
        self.main.segment(init([video]))
        self.extra.segment(init([audio]))

    def picture(self, seconds: int = 2) -> None:
        self.main.segment(segment(fragment([self.video.part(5 * seconds, 18000)])))

    def sound(self, seconds: int = 2) -> None:
        """Frames of 20 ms, so that pictures and sound are cut at the same times."""
        self.extra.segment(segment(fragment([self.audio.part(50 * seconds, 960)])))

    def skip(self, seconds: float, *writers: Writer) -> None:
        for writer in writers:
            writer.time += round(seconds * writer.source.timescale)


@pytest.fixture
def both() -> Both:
    both = Both()
    both.inits()
    return both


def dts(both: Both, track: int) -> list[float]:
    read = read_file(bytes(both.main.files[-1].data))
    return [r.dts / (90000 if track == 1 else 48000) for r in read.tracks[track]]


def rises(times: list[float]) -> bool:
    return all(b > a for a, b in pairwise(times))


def test_the_head_has_the_tracks_of_both(both: Both) -> None:
    assert both.main.files == []  # it comes with the first fragment
    both.picture()
    both.sound()

    head = both.main.file.head
    assert [(t.id, t.kind) for t in head.tracks] == [(1, "video"), (2, "audio")]
    moov = child(head.data, "moov")
    assert child(moov, "mvhd")[-4:] == b"\0\0\0\3"
    read = read_file(bytes(both.main.file.data))
    assert set(read.tracks) == {1, 2}
    assert read.sequences == [1, 2]
    assert read.names(2) == list(range(1, 101))


def test_ids_that_do_not_collide_are_kept() -> None:
    both = Both()
    both.main.segment(init([VIDEO]))
    both.extra.segment(init([Source(9, "soun", 48000)]))
    both.picture()

    assert [t.id for t in both.main.file.head.tracks] == [1, 9]


def test_spans_of_each_tile_on_their_own(both: Both) -> None:
    for _ in range(3):
        both.picture()
        both.sound()

    spans = both.main.file.spans
    assert [(s.start_s, s.end_s, s.frames) for s in spans[::2]] == [(0, 2, 10), (2, 4, 10), (4, 6, 10)]
    assert [(s.start_s, s.end_s, s.frames) for s in spans[1::2]] == [(0, 2, 100), (2, 4, 100), (4, 6, 100)]
    assert all(s.independent for s in spans)
    assert [bool(s.keys) for s in spans] == [True, False] * 3


def test_sound_may_be_ahead_or_behind(both: Both) -> None:
    both.picture()
    for _ in range(4):
        both.sound()
    for _ in range(3):
        both.picture()

    assert dts(both, 1) == pytest.approx([0.2 * n for n in range(40)])
    assert dts(both, 2) == pytest.approx([0.02 * n for n in range(400)])


def test_sound_that_begins_earlier_than_the_picture_is_aligned(both: Both) -> None:
    both.skip(2, both.video)
    both.picture()
    both.sound(4)

    read = read_file(bytes(both.main.file.data))
    assert read.names(2)[0] == 101
    assert read.tracks[2][0].dts == 0


def test_pictures_lost_while_their_sound_is_there_leave_a_hole(both: Both) -> None:
    """The sound of the hole was written already: the picture goes on where its own sound is."""
    both.picture()
    both.sound(6)
    both.main.shaper.splice()
    both.skip(2, both.video)
    both.picture()

    assert dts(both, 1)[10] == 4.0
    assert both.main.span.end_s == 6.0


def test_pictures_lost_take_sound_that_comes_later_with_them(both: Both) -> None:
    both.picture()
    both.sound()
    both.main.shaper.splice()
    both.skip(4, both.video)
    both.picture()
    for _ in range(3):
        both.sound()

    assert dts(both, 1) == pytest.approx([0.2 * n for n in range(20)])
    assert dts(both, 2) == pytest.approx([0.02 * n for n in range(200)])
    assert read_file(bytes(both.main.file.data)).names(2)[100] == 301


def test_sound_goes_on_between_a_break_and_the_next_picture(both: Both) -> None:
    both.picture()
    both.sound()
    both.main.shaper.splice()
    both.skip(4, both.video)
    both.sound()
    both.picture()

    assert dts(both, 2) == pytest.approx([0.02 * n for n in range(200)])
    assert dts(both, 1)[10] == 4.0


def test_sound_lost_alone_leaves_a_hole(both: Both) -> None:
    for _ in range(3):
        both.picture()
    both.sound()
    both.extra.shaper.splice()
    both.skip(2, both.audio)
    both.sound()

    sound = dts(both, 2)
    assert sound[100] == 4.0
    assert dts(both, 1) == pytest.approx([0.2 * n for n in range(30)])


@pytest.mark.parametrize("first", ["picture", "sound"])
def test_a_discontinuity_reaches_the_two_at_different_times(both: Both, first: str) -> None:
    """A new clock in both playlists, which are a segment apart when it comes."""
    steps = [(both.main, both.video, both.picture), (both.extra, both.audio, both.sound)]
    ahead, behind = steps if first == "picture" else steps[::-1]
    for _, _, more in (ahead, behind, ahead):
        more()
    for consumer, writer, more in (ahead, behind):
        if consumer is behind[0]:
            more()  # still the old stretch
        consumer.shaper.splice()
        writer.time = 500 * writer.source.timescale
        more()

    assert dts(both, 1) == pytest.approx([0.2 * n for n in range(30)])
    assert dts(both, 2) == pytest.approx([0.02 * n for n in range(300)])


def test_a_new_init_of_either_opens_a_new_file_for_both(both: Both) -> None:
    both.picture()
    both.sound()
    both.inits(audio=Source(1, "soun", 44100))
    both.audio = Writer(Source(1, "soun", 44100), (EPOCH + 2) * 44100)
    both.extra.segment(fragment([both.audio.part(10, 960)]))
    both.picture()

    assert len(both.main.files) == 2
    read = read_file(bytes(both.main.files[1].data))
    assert (read.tracks[1][0].dts, read.tracks[2][0].dts) == (0, 0)


def test_a_sound_playlist_that_never_answers_does_not_hold_the_picture_up() -> None:
    both = Both()
    both.main.segment(init([VIDEO]))
    both.picture()

    assert [t.kind for t in both.main.file.head.tracks] == ["video"]
    assert both.main.span.frames == 10


def test_rollback_of_one_leaves_the_other(both: Both) -> None:
    both.picture()
    both.sound()
    both.main.feed(init([VIDEO]))
    both.sound()
    half = segment(fragment([Writer(VIDEO, both.video.time).part(10, 18000)]))
    both.main.feed(half[:150])
    both.main.rollback()
    both.picture()

    read = read_file(bytes(both.main.file.data))
    assert read.sequences == [1, 2, 3, 4]
    assert rises(dts(both, 1))
    assert rises(dts(both, 2))
    assert len(read.tracks[2]) == both.audio.number


def test_a_sound_segment_that_is_cut_off_is_excess(both: Both) -> None:
    both.picture()
    whole = segment(fragment([both.audio.part(100, 960)]))
    both.extra.segment(whole[:-100])

    assert (both.extra.span.damage, both.extra.span.frames) == ("truncated", 0)
    both.extra.segment(whole)
    assert read_file(bytes(both.main.file.data)).names(2) == list(range(1, 101))


def test_restart_begins_a_new_file_for_both(both: Both) -> None:
    both.picture()
    both.sound()
    both.main.restart()
    both.extra.shaper.restart()  # does no harm
    both.sound()
    both.picture()

    read = read_file(bytes(both.main.files[1].data))
    assert read.sequences == [1, 2]
    assert (read.tracks[1][0].dts, read.tracks[2][0].dts) == (0, 0)
