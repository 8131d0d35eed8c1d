"""The FLV shaper, case by case: heads, chunks, clocks, replays, damage."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from tests.flv_source import (
    ASC,
    AVCC,
    AVCC_2,
    HEADER,
    Group,
    Recorder,
    audio_config,
    groups,
    metadata,
    opening,
    picture,
    shaped,
    sound,
    stream,
    video_config,
)

from ouzel.base.errors import FormatError, NotMedia, TooLarge
from ouzel.formats.flv import FlvRules, FlvShaper
from ouzel.formats.flv.tags import AUDIO, SCRIPT, VIDEO, read_tags, render_file_header, render_tag
from ouzel.formats.shape import Edge, KeyPoint, Span, Track

RULES = FlvRules(index_room=4)
GROUPS = groups(12, start=50_000)


def edges(recorder: Recorder) -> list[tuple[float, float]]:
    return [(span.start_s, span.end_s) for file in recorder.files for span in file.spans]


def repairs(recorder: Recorder) -> list[str]:
    return [r.code for file in recorder.files for span in file.spans for r in span.repairs]


# -- heads ---------------------------------------------------------------------------------------------------------------


def test_the_head_holds_metadata_and_both_sequence_headers() -> None:
    head = shaped(opening() + stream(GROUPS[:1]), RULES).file.head
    assert head.data.startswith(HEADER)
    assert [(tag.kind, tag.stamp) for tag in read_tags(head.data, 13)] == [(SCRIPT, 0), (VIDEO, 0), (AUDIO, 0)]
    assert head.tracks == (
        Track(9, "video", "h264", 162, 90, config=AVCC),
        Track(8, "audio", "aac", sample_rate=44100, channels=2, config=ASC),
    )


def test_the_head_waits_for_the_sound() -> None:
    late = HEADER + metadata() + video_config() + picture(0, key=True) + picture(40, key=False) + audio_config()
    recorder = shaped(late + sound(41) + picture(80, key=False), RULES)
    assert len(recorder.files) == 1
    assert [track.codec for track in recorder.file.head.tracks] == ["h264", "aac"]
    assert len(recorder.file.bodies) == 4


def test_sound_that_comes_much_later_opens_another_file() -> None:
    silent = groups(5, sound_ms=0)
    recorder = shaped(opening(audio=None) + stream(silent) + audio_config() + stream(groups(2, start=5000)), RULES)
    assert [len(file.head.tracks) for file in recorder.files] == [1, 2]
    assert recorder.files[1].stamps(VIDEO)[0] == 0


def test_a_sequence_header_after_its_sound_opens_another_file() -> None:
    headless = opening(audio=None) + stream(GROUPS[:2])
    recorder = shaped(headless + audio_config() + stream(GROUPS[2:4]), RULES)
    first, second = recorder.files
    assert first.head.audio == Track(8, "audio", "aac")
    assert second.head.audio is not None
    assert second.head.audio.sample_rate == 44100


def test_the_same_sequence_headers_again_are_dropped() -> None:
    again = metadata() + video_config(cts=b"\0\0\x21", stamp=7) + audio_config(stamp=7)
    recorder = shaped(opening() + stream(GROUPS[:2]) + again + stream(GROUPS[2:4]), RULES)
    assert len(recorder.files) == 1
    assert recorder.file.media == shaped(opening() + stream(GROUPS[:4]), RULES).file.media
    assert repairs(recorder) == ["start", "metadata"]


def test_another_configuration_opens_another_file_at_its_place() -> None:
    change = video_config(AVCC_2) + audio_config()
    recorder = shaped(opening() + stream(GROUPS[:2]) + change + stream(GROUPS[2:4]), RULES)
    first, second = recorder.files
    assert [f.head.tracks[0].config for f in recorder.files] == [AVCC, AVCC_2]
    assert first.bodies + second.bodies == shaped(opening() + stream(GROUPS[:4]), RULES).file.bodies
    assert edges(recorder) == [(0, 1), (1, 2), (0, 1), (1, 2)]


def test_of_several_configurations_in_a_row_the_last_counts() -> None:
    change = video_config(AVCC_2 + b"x") + video_config(AVCC_2 + b"yz") + video_config(AVCC_2)
    recorder = shaped(opening() + stream(GROUPS[:1]) + change + stream(GROUPS[1:2]), RULES)
    assert [f.head.tracks[0].config for f in recorder.files] == [AVCC, AVCC_2]


def test_a_change_while_the_sound_is_still_awaited_opens_another_file() -> None:
    first, second = list(GROUPS[0].parts())[:1], stream(groups(1, start=60_000, sound_ms=0))
    recorder = shaped(opening(audio=None) + b"".join(first) + video_config(AVCC_2) + second, RULES)
    assert [(f.head.tracks[0].config, len(f.bodies)) for f in recorder.files] == [(AVCC, 1), (AVCC_2, 25)]


def test_a_change_that_is_undone_before_any_media_is_none() -> None:
    change = video_config(AVCC_2) + video_config(AVCC)
    recorder = shaped(opening() + stream(GROUPS[:1]) + change + stream(GROUPS[1:2]), RULES)
    assert len(recorder.files) == 1
    assert recorder.file.media == shaped(opening() + stream(GROUPS[:2]), RULES).file.media


def test_a_stream_that_does_not_begin_at_its_beginning_is_read() -> None:
    recorder = shaped(video_config() + audio_config() + stream(GROUPS[:2]), RULES)
    assert recorder.file.bodies == shaped(opening() + stream(GROUPS[:2]), RULES).file.bodies


def test_a_file_header_in_mid_stream_is_a_new_beginning() -> None:
    recorder = shaped(opening() + stream(GROUPS[:2]) + opening() + stream(GROUPS[2:4], shift=77_777), RULES)
    assert len(recorder.files) == 1
    assert recorder.file.bodies == shaped(opening() + stream(GROUPS[:4]), RULES).file.bodies
    assert repairs(recorder) == ["start", "splice"]


def test_script_tags_of_other_names_are_kept_in_the_time_of_the_media() -> None:
    cue = render_tag(SCRIPT, 99, b"\x02\0\x0aonCuePoint\5")
    recorder = shaped(opening() + stream(GROUPS[:1]) + cue + stream(GROUPS[1:2]), RULES)
    (tag,) = [tag for tag in recorder.file.tags if tag.kind == SCRIPT]
    assert 950 <= tag.stamp <= 1000


# -- chunks --------------------------------------------------------------------------------------------------------------


def test_a_chunk_is_a_group_of_pictures() -> None:
    recorder = shaped(opening() + stream(GROUPS[:3]), RULES)
    assert edges(recorder) == [(0, 1), (1, 2), (2, 3)]
    assert [span.frames for span in recorder.file.spans] == [25, 25, 25]
    assert [span.source_s for span in recorder.file.spans] == [50, 51, 52]
    assert all(span.independent and span.keys == (KeyPoint(0, n),) for n, span in enumerate(recorder.file.spans))
    assert [data for data, _ in recorder.file.chunks][1][11:13] == b"\x17\x01"


def test_short_groups_share_a_chunk() -> None:
    recorder = shaped(opening() + stream(groups(12, frames=5)), RULES)
    assert edges(recorder) == [(0, 0.6), (0.6, 1.2), (1.2, 1.8), (1.8, 2.4)]
    assert [len(span.keys) for span in recorder.file.spans] == [3, 3, 3, 3]


def test_key_points_tell_presentation_time() -> None:
    data = picture(0, key=True, cts=80) + sound(1) + picture(40, key=False) + picture(80, key=True, cts=40)
    (span,) = shaped(opening() + data, RULES).file.spans
    assert span.keys == (KeyPoint(0, 0.08), KeyPoint(len(data) - len(picture(80, key=True)), 0.12))


def test_a_chunk_that_begins_without_a_key_frame_says_so() -> None:
    recorder = shaped(opening() + b"".join(list(GROUPS[0].parts())[5:]), RULES)
    assert [span.independent for span in recorder.file.spans] == [False]


def test_without_key_frames_chunks_are_cut_by_time() -> None:
    endless = groups(1, frames=25 * 25)
    recorder = shaped(opening() + stream(endless), RULES)
    assert [end for _, end in edges(recorder)] == pytest.approx([10, 20, 25], abs=0.041)
    assert [span.independent for span in recorder.file.spans] == [True, False, False]


def test_without_key_frames_chunks_are_cut_by_number() -> None:
    recorder = shaped(opening() + stream(groups(1, frames=25 * 5)), FlvRules(max_chunk_tags=50, index_room=0))
    assert [len(list(read_tags(data))) for data, _ in recorder.file.chunks] == [50] * 6 + [43]


def test_sound_only_is_cut_every_two_seconds() -> None:
    data = b"".join(sound(at) for at in range(3000, 9000, 23))
    recorder = shaped(HEADER + audio_config() + data, RULES)
    assert recorder.file.head.video is None
    assert [end for _, end in edges(recorder)] == pytest.approx([2, 4, 6], abs=0.024)
    assert all(span.independent for span in recorder.file.spans)
    assert sum(span.frames for span in recorder.file.spans) == 261


def test_pictures_only() -> None:
    recorder = shaped(opening(audio=None) + stream(groups(3, sound_ms=0)), RULES)
    assert recorder.file.head.audio is None
    assert edges(recorder) == [(0, 1), (1, 2), (2, 3)]


def test_the_end_of_a_sequence_is_an_edge() -> None:
    end = render_tag(VIDEO, 51_000, b"\x17\x02\0\0\0")
    recorder = shaped(
        opening() + stream(GROUPS[:1]) + b"".join(list(GROUPS[1].parts())[:9]) + end + stream(GROUPS[2:3]), RULES
    )
    assert len(recorder.file.spans) == 3
    assert recorder.file.bodies.count(b"\x17\x02\0\0\0") == 0


def test_a_new_file_begins_at_zero_at_an_edge() -> None:
    recorder = Recorder(RULES)
    recorder.split_at = 2
    recorder.feed(opening() + stream(GROUPS[:6])).cut().check()
    assert [edges_of.stamps(VIDEO)[0] for edges_of in recorder.files[:3]] == [0, 0, 0]
    assert edges(recorder) == [(0, 1), (1, 2)] * 3
    whole = shaped(opening() + stream(GROUPS[:6]), RULES).file
    assert [body for file in recorder.files for body in file.bodies] == whole.bodies
    assert recorder.files[1].head == recorder.files[0].head


def test_where_chunks_stand_in_what_was_fed_is_told() -> None:
    data = opening() + stream(GROUPS[:3]) + metadata() + stream(GROUPS[3:4])
    shaper = FlvShaper(FlvRules(replays=0))
    pieces = [memoryview(bytearray(data[at : at + 700])) for at in range(0, len(data), 700)]
    ranges = [shaper.chunk_range for piece in pieces for op in shaper.feed(piece) if isinstance(op, Edge)]
    ranges += [shaper.chunk_range for op in shaper.cut() if isinstance(op, Edge)]
    assert ranges[0][0] == len(opening())
    assert [end for _, end in ranges[:3]] == [begin for begin, _ in ranges[1:3]] + [ranges[2][1]]
    assert ranges[3] == (len(data) - len(GROUPS[3].data()), len(data))


def test_where_chunks_stand_is_told_of_a_stream_without_a_header_too() -> None:
    shaper = FlvShaper(FlvRules(replays=0))
    data = video_config() + audio_config() + stream(GROUPS[:1])
    for ops in (shaper.feed(memoryview(bytearray(data))), shaper.cut()):
        for _ in ops:
            pass
    assert shaper.chunk_range == (len(data) - len(GROUPS[0].data()), len(data))


# -- the end of a connection ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("whole", range(1, 12))
def test_an_incomplete_tag_at_the_end_is_taken_back(whole: int) -> None:
    tags = list(GROUPS[0].parts())
    lost = tags[whole][:-6]
    recorder = shaped(opening() + b"".join(tags[:whole]) + lost, RULES, piece=300)
    expected = shaped(opening() + b"".join(tags[:whole]), RULES).file
    assert recorder.file.media == expected.media
    (span,), (same,) = recorder.file.spans, expected.spans
    assert span.dropped_bytes == len(lost)
    assert span._replace(dropped_bytes=0, excess=0) == same


def test_a_tag_without_the_size_behind_it_is_whole() -> None:
    whole = list(GROUPS[0].parts())
    for missing in (1, 3, 4):
        recorder = shaped(opening() + b"".join(whole[:7])[:-missing], RULES)
        assert recorder.file.media == shaped(opening() + b"".join(whole[:7]), RULES).file.media


def test_a_connection_that_ends_within_its_first_picture_leaves_nothing() -> None:
    recorder = Recorder(RULES, piece=100).feed(opening() + stream(GROUPS[:1])).cut()
    recorder.shaper.splice()
    recorder.feed(opening() + GROUPS[5].data()[:500]).cut().check()
    assert len(recorder.file.chunks) == 1
    recorder.reconnect(opening() + stream(GROUPS[1:3])).cut().check()
    assert recorder.file.media == shaped(opening() + stream(GROUPS[:3]), RULES).file.media


def test_a_connection_that_says_nothing_is_nothing() -> None:
    for data in (b"", HEADER, opening(), opening()[:40]):
        assert shaped(data, RULES).ops == []


def test_after_an_edge_that_the_consumer_did_not_come_back_from_nothing_is_left() -> None:
    shaper = FlvShaper(RULES)
    for op in shaper.feed(memoryview(bytearray(opening() + stream(GROUPS[:3])))):
        if isinstance(op, Edge):
            break
    assert list(shaper.cut()) == []


def spans_of(ops: Iterable[object]) -> list[Span]:
    return [op.span for op in ops if isinstance(op, Edge)]


@pytest.mark.parametrize("refused", [0, 1, 3])
def test_a_chunk_that_is_refused_at_its_edge_was_never_fed(refused: int) -> None:
    """The consumer stops at the edge, takes the bytes back, and feeds the chunk again."""
    data = opening() + stream(GROUPS[:5])
    shaper, kept = FlvShaper(RULES), list[Span]()
    for op in shaper.feed(memoryview(bytearray(data))):
        if isinstance(op, Edge):
            if len(kept) == refused:
                break
            kept.append(op.span)
    shaper.rollback()
    again = memoryview(bytearray(stream(GROUPS[refused:5])))
    kept += spans_of(shaper.feed(again)) + spans_of(shaper.cut())
    assert kept == shaped(data, RULES).file.spans


def test_the_last_chunk_may_be_refused_too() -> None:
    data = opening() + stream(GROUPS[:3])
    shaper = FlvShaper(RULES)
    kept = spans_of(shaper.feed(memoryview(bytearray(data))))
    assert any(isinstance(op, Edge) for op in shaper.cut())  # stops at the edge
    shaper.rollback()
    kept += spans_of(shaper.feed(memoryview(bytearray(stream(GROUPS[2:3]))))) + spans_of(shaper.cut())
    assert kept == shaped(data, RULES).file.spans


def test_a_chunk_that_was_taken_at_the_end_stays_when_more_is_refused() -> None:
    recorder = Recorder(RULES).feed(opening() + stream(GROUPS[:3])).cut()
    recorder.rollback().feed(opening() + GROUPS[3].data()[:3000])
    recorder.rollback().feed(opening() + stream(GROUPS[3:5])).cut().check()
    assert recorder.file.media == shaped(opening() + stream(GROUPS[:5]), RULES).file.media
    assert edges(recorder) == [(n, n + 1) for n in range(5)]


# -- clocks --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("jump", [3_600_000, 700, -40_000])
def test_a_jump_of_the_clock_is_closed(jump: int) -> None:
    recorder = shaped(opening() + stream(GROUPS[:3]) + stream(GROUPS[3:6], shift=jump), RULES)
    assert recorder.file.stamps(VIDEO) == list(range(0, 6000, 40))
    assert repairs(recorder) == ["start", "jump"]
    assert not recorder.replays


def test_a_jump_in_mid_group_is_closed() -> None:
    tags = list(GROUPS[1].parts())
    late = list(GROUPS[1].parts(shift=-45_000))
    recorder = shaped(
        opening() + stream(GROUPS[:1]) + b"".join(tags[:20] + late[20:]) + stream(GROUPS[2:4], -45_000), RULES
    )
    assert recorder.file.stamps(VIDEO) == list(range(0, 4000, 40))


def test_the_counter_of_32_bits_wraps() -> None:
    start = 2**32 - 1500
    recorder = shaped(opening() + stream(groups(4), shift=start), RULES)
    assert recorder.file.stamps(VIDEO) == list(range(0, 4000, 40))
    assert edges(recorder) == [(0, 1), (1, 2), (2, 3), (3, 4)]
    assert [span.source_s for span in recorder.file.spans] == pytest.approx([start / 1000 + n for n in range(4)])


def test_tags_with_equal_stamps_are_pushed_apart() -> None:
    data = picture(0, key=True) + sound(0) + picture(40, key=False) + picture(40, key=False) + picture(80, key=False)
    assert shaped(opening() + data, RULES).file.stamps(VIDEO) == [0, 40, 41, 80]


def test_stamps_that_need_no_change_are_left_alone() -> None:
    data = stream(groups(3))
    assert shaped(opening() + data, RULES).file.media == data


# -- replays -------------------------------------------------------------------------------------------------------------


def test_groups_that_come_again_after_a_reconnect_are_dropped() -> None:
    recorder = Recorder(RULES).feed(opening() + stream(GROUPS[:5])).reconnect(opening() + stream(GROUPS[2:8]))
    recorder.cut().check()
    assert [span.source_s for span in recorder.replays] == [52, 53]
    assert recorder.taken_back == 1  # nobody can tell that the last group was whole
    assert recorder.file.media == shaped(opening() + stream(GROUPS[:8]), RULES).file.media


def test_a_group_that_was_broken_off_is_replaced() -> None:
    broken = GROUPS[3].data()[:4000]
    recorder = Recorder(RULES, piece=333).feed(opening() + stream(GROUPS[:3]) + broken)
    recorder.reconnect(opening() + stream(GROUPS[3:6])).cut().check()
    assert recorder.taken_back == 1
    assert recorder.file.media == shaped(opening() + stream(GROUPS[:6]), RULES).file.media
    assert edges(recorder) == [(n, n + 1) for n in range(6)]
    assert repairs(recorder) == ["start"]


def test_a_broken_group_that_does_not_come_again_stays() -> None:
    broken = b"".join(list(GROUPS[3].parts())[:30])
    recorder = Recorder(RULES).feed(opening() + stream(GROUPS[:3]) + broken)
    recorder.reconnect(opening() + stream(GROUPS[5:7])).cut().check()
    assert recorder.taken_back == 0
    assert [span.frames for span in recorder.file.spans] == [25, 25, 25, 11, 25, 25]


def test_sound_that_was_kept_is_not_kept_again_before_the_key_frame() -> None:
    """Servers sort a group's tags by time, so that sound of the group before may come first."""
    tail = list(GROUPS[2].parts())[-1]
    broken = GROUPS[3].data()[:4000]
    recorder = Recorder(RULES).feed(opening() + stream(GROUPS[:3]) + broken)
    recorder.reconnect(opening() + tail + stream(GROUPS[3:6])).cut().check()
    assert recorder.taken_back == 1
    assert recorder.file.media == shaped(opening() + stream(GROUPS[:6]), RULES).file.media


def test_a_broken_group_is_only_replaced_with_the_sound_before_it() -> None:
    """The first chunk of a recording may begin with sound that no replay holds."""
    first = sound(50_000 - 23) + GROUPS[0].data()[:5000]
    for lead, taken in ((b"", 0), (sound(50_000 - 23), 1)):
        recorder = (
            Recorder(RULES).feed(opening() + first).reconnect(opening() + lead + stream(GROUPS[:2])).cut().check()
        )
        assert recorder.taken_back == taken
        assert recorder.file.stamps(AUDIO)[0] == 0
        assert recorder.file.bodies[0] == b"\xaf\x01sound"


@pytest.mark.parametrize(("tags", "shift"), [(1, 0), (12, 0), (1, -40_000)])
def test_sound_before_a_group_that_was_kept_whole_is_not_kept_again_either(tags: int, shift: int) -> None:
    tail = [sound(GROUPS[1].start + at + shift, noise) for kind, at, noise in GROUPS[1].tags if kind == AUDIO][-tags:]
    recorder = Recorder(RULES).feed(opening() + stream(GROUPS[:4]))
    recorder.reconnect(opening() + b"".join(tail) + stream(GROUPS[2:6], shift)).cut().check()
    assert recorder.file.bodies == shaped(opening() + stream(GROUPS[:6]), RULES).file.bodies


def test_the_same_key_frame_with_other_sound_and_another_clock_is_another_group() -> None:
    first, other = GROUPS[3], GROUPS[4]
    mixed = Group(first.start - 20_000, [first.tags[0], *other.tags[1:]])
    recorder = Recorder(RULES).feed(opening() + stream(GROUPS[:3]) + b"".join(list(first.parts())[:30]))
    recorder.reconnect(opening() + mixed.data()).cut().check()
    assert recorder.taken_back == 0
    assert [span.frames for span in recorder.file.spans] == [25, 25, 25, 11, 25]


@pytest.mark.parametrize("piece", [50, 1_000_000])
def test_a_group_that_only_begins_like_one_that_was_kept_is_another(piece: int) -> None:
    tail = [(kind, at, noise[::-1]) for kind, at, noise in GROUPS[2].tags[40:]]
    mixed = Group(GROUPS[2].start - 20_000, [*GROUPS[2].tags[:40], *tail])
    recorder = Recorder(RULES, piece=piece).feed(opening() + stream(GROUPS[:4]))
    recorder.reconnect(opening() + mixed.data() + GROUPS[3].data(-20_000 + 7)).cut().check()
    assert not recorder.replays
    assert len(recorder.file.spans) == 6


@pytest.mark.parametrize("tags", [1, 2, 7])
def test_what_breaks_off_sooner_than_before_replaces_nothing(tags: int) -> None:
    recorder = Recorder(RULES).feed(opening() + stream(GROUPS[:3]) + GROUPS[3].data()[:5000])
    recorder.reconnect(opening() + b"".join(list(GROUPS[3].parts())[:tags]) + b"\x09\0\1\0").cut()
    assert recorder.taken_back == 0
    assert len(recorder.replays) == 1
    assert len(recorder.file.spans) == 4
    recorder.reconnect(opening() + stream(GROUPS[3:6])).cut().check()
    assert recorder.file.media == shaped(opening() + stream(GROUPS[:6]), RULES).file.media


def test_a_connection_that_gives_nothing_does_not_hide_the_broken_group() -> None:
    recorder = Recorder(RULES, piece=100).feed(opening() + stream(GROUPS[:3]) + GROUPS[3].data()[:5000])
    recorder.reconnect(opening() + GROUPS[2].data()[:500])
    recorder.reconnect(opening() + stream(GROUPS[2:6])).cut().check()
    assert recorder.taken_back == 1
    assert recorder.file.media == shaped(opening() + stream(GROUPS[:6]), RULES).file.media


def test_a_group_is_taken_back_once() -> None:
    recorder = Recorder(RULES, piece=100).feed(opening() + stream(GROUPS[:3]) + GROUPS[3].data()[:5000])
    recorder.reconnect(opening() + GROUPS[3].data()[:7000])
    recorder.rollback().shaper.splice()
    recorder.feed(opening() + stream(GROUPS[3:6])).cut().check()
    assert recorder.taken_back == 1
    assert recorder.file.media == shaped(opening() + stream(GROUPS[:6]), RULES).file.media


def test_a_chunk_that_was_refused_does_not_hide_the_broken_group() -> None:
    recorder = Recorder(RULES).feed(opening() + stream(GROUPS[:3]) + GROUPS[3].data()[:5000]).cut()
    recorder.shaper.splice()
    ops = recorder.shaper.feed(memoryview(bytearray(opening() + stream(GROUPS[6:8]))))
    assert any(isinstance(op, Edge) for op in ops)  # stops at the edge
    recorder.rollback().shaper.splice()
    recorder.feed(opening() + stream(GROUPS[3:6])).cut().check()
    assert recorder.taken_back == 1
    assert recorder.file.media == shaped(opening() + stream(GROUPS[:6]), RULES).file.media


def test_a_loop_that_begins_in_mid_group_is_seen_at_its_next_key_frame() -> None:
    tail = b"".join(list(GROUPS[1].parts())[40:])
    recorder = shaped(opening() + stream(GROUPS[:4]) + tail + stream(GROUPS[2:8]), RULES)
    assert [span.source_s for span in recorder.replays] == [52]


def test_a_replay_that_breaks_off_itself_is_no_loss() -> None:
    recorder = Recorder(RULES).feed(opening() + stream(GROUPS[:4]) + GROUPS[4].data()[:4000])
    recorder.reconnect(opening() + stream(GROUPS[2:3]) + GROUPS[3].data()[:5000])
    recorder.reconnect(opening() + stream(GROUPS[3:8])).cut().check()
    assert len(recorder.replays) == 3
    assert recorder.taken_back == 1
    assert recorder.file.media == shaped(opening() + stream(GROUPS[:8]), RULES).file.media


def test_a_connection_may_begin_in_the_middle_of_a_group_that_was_kept() -> None:
    tail = b"".join(list(GROUPS[2].parts())[40:])
    recorder = Recorder(RULES).feed(opening() + stream(GROUPS[:5])).reconnect(opening() + tail + stream(GROUPS[3:7]))
    recorder.cut().check()
    assert next(span.source_s for span in recorder.replays) == 53


def test_a_loop_within_a_connection_is_dropped() -> None:
    recorder = shaped(opening() + stream(GROUPS[:4]) + stream(GROUPS[2:4]) + stream(GROUPS[4:6]), RULES)
    assert [span.source_s for span in recorder.replays] == [52, 53]
    assert recorder.file.media == shaped(opening() + stream(GROUPS[:6]), RULES).file.media


@pytest.mark.parametrize("piece", [50, 1000, 1_000_000])
def test_sound_of_the_next_group_does_not_hide_a_replay(piece: int) -> None:
    """Servers sort a group's tags by time, so that a group may begin with sound: that of the group after a loop is another."""
    made = [b"".join([sound(g.start, bytes([n]) * 50), g.data()]) for n, g in enumerate(GROUPS[:6])]
    recorder = shaped(opening() + b"".join([*made[:4], made[3], made[3], *made[4:]]), RULES, piece=piece)
    assert len(recorder.replays) == 2
    assert [span.source_s for span in recorder.file.spans] == [50, 51, 52, 53, 54, 55]


def test_a_loop_with_another_clock_is_dropped() -> None:
    recorder = shaped(
        opening() + stream(GROUPS[:4]) + stream(GROUPS[2:4], shift=-30_000) + stream(GROUPS[4:6], shift=-30_000), RULES
    )
    assert len(recorder.replays) == 2
    assert recorder.file.bodies == shaped(opening() + stream(GROUPS[:6]), RULES).file.bodies
    assert recorder.file.stamps(VIDEO) == list(range(0, 6000, 40))


@pytest.mark.parametrize("length", [1, 3])
def test_a_server_that_is_stuck_is_told(length: int) -> None:
    loop = stream(GROUPS[4 - length : 4]) * 14
    recorder = shaped(opening() + stream(GROUPS[:4]) + loop, RULES)
    stuck = [n for n, span in enumerate(recorder.replays) if span.damage == "stuck"]
    assert stuck[0] == 10
    assert len(recorder.file.spans) == 4


def test_many_replays_that_make_progress_are_not_stuck() -> None:
    made = groups(30)
    recorder = Recorder(RULES).feed(opening() + stream(made[:25])).reconnect(opening() + stream(made[5:])).cut().check()
    assert len(recorder.replays) == 19
    assert not any(span.damage for span in recorder.replays)
    assert len(recorder.file.spans) == 30


def still(start: int, count: int) -> bytes:
    """A picture that does not change, in silence: all groups are the same but for their time."""
    return b"".join(GROUPS[0].data(start - 50_000 + 1000 * n) for n in range(count))


def test_a_still_picture_is_not_a_replay() -> None:
    recorder = shaped(opening() + still(0, 8), RULES)
    assert not recorder.replays
    assert len(recorder.file.spans) == 8


def test_a_still_picture_with_a_new_clock_costs_one_group_at_most() -> None:
    recorder = (
        Recorder(RULES).feed(opening() + still(100_000, 8)).reconnect(opening() + still(700_000, 8)).cut().check()
    )
    assert len(recorder.file.spans) >= 15
    recorder = shaped(opening() + still(100_000, 8) + still(50_000, 8), RULES)
    assert len(recorder.file.spans) >= 15


def test_without_memory_nothing_is_a_replay() -> None:
    rules = FlvRules(replays=0, index_room=0)
    recorder = (
        Recorder(rules).feed(opening() + stream(GROUPS[:4])).reconnect(opening() + stream(GROUPS[:4])).cut().check()
    )
    assert len(recorder.file.spans) == 8
    assert recorder.taken_back == 0


# -- damage --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("piece", [7, 100, 100_000])
def test_garbage_between_tags_costs_itself(piece: int) -> None:
    garbage = b"\x09\0\0\5 garbage \x08\0\0\0\0\0\0\0\0\0\0" * 20
    tags = list(GROUPS[1].parts())
    data = opening() + stream(GROUPS[:1]) + b"".join(tags[:10]) + garbage + b"".join(tags[10:]) + stream(GROUPS[2:3])
    recorder = shaped(data, RULES, piece=piece)
    assert recorder.file.media == shaped(opening() + stream(GROUPS[:3]), RULES).file.media
    assert [(span.damage, span.dropped_bytes) for span in recorder.file.spans] == [
        ("", 0),
        ("garbage", len(garbage)),
        ("", 0),
    ]


def test_bytes_lost_inside_a_tag_cost_what_they_overlap() -> None:
    data = opening() + stream(GROUPS[:1]) + GROUPS[1].data()[:1000] + GROUPS[1].data()[1300:] + stream(GROUPS[2:3])
    recorder = shaped(data, RULES)
    whole = shaped(opening() + stream(GROUPS[:3]), RULES).file
    assert len(recorder.file.bodies) >= len(whole.bodies) - 6
    assert recorder.file.spans[1].damage == "garbage"
    assert [span.frames for span in recorder.file.spans][::2] == [25, 25]


def test_wrong_sizes_behind_tags_are_mended() -> None:
    tags = [part[:-4] + bytes(4) for group in GROUPS[:2] for part in group.parts()]
    recorder = shaped(opening() + b"".join(tags), RULES)
    assert recorder.file.media == shaped(opening() + stream(GROUPS[:2]), RULES).file.media


def test_garbage_before_the_first_tag_is_passed() -> None:
    recorder = shaped(HEADER + b"\1\2\3\4" * 99 + opening()[13:] + stream(GROUPS[:1]), RULES)
    assert recorder.file.media == shaped(opening() + stream(GROUPS[:1]), RULES).file.media
    assert recorder.file.spans[0].dropped_bytes == 4 * 99


def test_empty_tags_are_left_out() -> None:
    tags = list(GROUPS[0].parts())
    data = opening() + b"".join(tags[:3]) + render_tag(AUDIO, 0, b"") + b"".join(tags[3:])
    assert shaped(data, RULES).file.media == shaped(opening() + b"".join(tags), RULES).file.media


def test_text_is_not_media() -> None:
    for page in (b"<!DOCTYPE html><html>", b'{"error": "not found"}', b"\xef\xbb\xbf  #EXTM3U\n#EXT-X-VERSION:3"):
        with pytest.raises(NotMedia):
            shaped(page)


def test_what_is_no_flv_is_given_up() -> None:
    with pytest.raises(FormatError, match="no FLV tag found"):
        shaped(b"\x47" + bytes(187) * 4000, FlvRules(search_bytes=1 << 16))


def test_a_search_in_mid_stream_is_given_up_and_what_was_whole_stays() -> None:
    recorder = Recorder(FlvRules(search_bytes=1 << 14, index_room=0))
    with pytest.raises(FormatError, match="no FLV tag found"):
        recorder.feed(opening() + stream(GROUPS[:2]) + b"\x47" + bytes(1 << 15))
    recorder.cut().check()
    assert recorder.file.media == shaped(opening() + stream(GROUPS[:2]), RULES).file.media


def test_sizes_beyond_the_limits_are_refused() -> None:
    with pytest.raises(TooLarge, match="header"):
        shaped(b"FLV\x01\x05\x7f\xff\xff\xff\0\0\0\0")
    with pytest.raises(FormatError):
        shaped(b"FLV\x01\x05\0\0\0\x08\0\0\0\0")
    script = b"\x12\xff\xff\xff\0\0\0\0\0\0\0\x02\0\4name"
    with pytest.raises(TooLarge, match="script"):
        shaped(HEADER + script + bytes(64))
    recorder = Recorder(FlvRules(max_tag=10_000, index_room=0))
    with pytest.raises(TooLarge, match="tag"):
        recorder.feed(opening() + stream(GROUPS[:2]) + picture(52_000, key=True, body=bytes(10_001)))
    recorder.cut().check()
    assert recorder.file.media == shaped(opening() + stream(GROUPS[:2]), RULES).file.media
    recorder = Recorder(RULES)
    with pytest.raises(TooLarge, match="script"):
        recorder.feed(opening() + stream(GROUPS[:2]) + script + bytes(64))
    recorder.cut().check()
    assert len(recorder.file.spans) == 2


def test_the_largest_tag_there_is_passes_unheld() -> None:
    head = b"\x09\xff\xff\xff" + bytes(7) + b"\x17\x01\0\0\0"
    shaper = FlvShaper(FlvRules(hold_bytes=1 << 16, index_room=0))
    emitted = 0
    for data in (opening(), head, *[bytes(1 << 20)] * 15):
        for op in shaper.feed(memoryview(bytearray(data))):
            emitted += len(op) if isinstance(op, bytes | bytearray | memoryview) else 0
    assert emitted == len(head) + 15 * (1 << 20)
    (edge,) = list(shaper.cut())
    assert isinstance(edge, Edge)
    assert edge.span.excess == emitted
    assert edge.span.frames == 0


# -- other codecs --------------------------------------------------------------------------------------------------------


def fourcc_video(frame: int, packet: int, body: bytes, fourcc: bytes = b"hvc1") -> bytes:
    return bytes([0x80 | frame << 4 | packet]) + fourcc + body


def coded(stamps: range, first: bytes, other: bytes, kind: int = VIDEO, every: int = 25) -> bytes:
    return b"".join(render_tag(kind, at, first if n % every == 0 else other) for n, at in enumerate(stamps))


@pytest.mark.parametrize(
    ("codec", "config", "key", "inter"),
    [
        pytest.param("hevc", b"\x1c\0\0\0\0record", b"\x1c\1\0\0\0key", b"\x2c\1\0\0\0inter", id="hevc by id"),
        pytest.param("av1", b"\x1d\0\0\0\0record", b"\x1d\1\0\0\0key", b"\x2d\1\0\0\0inter", id="av1 by id"),
        pytest.param(
            "hevc",
            fourcc_video(1, 0, b"record"),
            fourcc_video(1, 1, b"\0\0\x28key"),
            fourcc_video(2, 3, b"inter"),
            id="hevc by fourcc",
        ),
        pytest.param(
            "av1",
            fourcc_video(1, 0, b"record", b"av01"),
            fourcc_video(1, 1, b"key", b"av01"),
            fourcc_video(2, 1, b"inter", b"av01"),
            id="av1 by fourcc",
        ),
        pytest.param(
            "vp9",
            fourcc_video(1, 0, b"record", b"vp09"),
            b"\x97\x01ab\x01vp09key",
            b"\xa7\x01ab\x01vp09inter",
            id="vp9 behind ModEx",
        ),
        pytest.param(
            "h264",
            fourcc_video(1, 0, b"record", b"avc1"),
            b"\x96\x01avc1\x00key",
            b"\xa6\x01avc1\x00inter",
            id="avc as the only track of many",
        ),
        pytest.param("flv1", b"", b"\x12key", b"\x22inter", id="sorenson"),
    ],
)
def test_video_codecs(codec: str, config: bytes, key: bytes, inter: bytes) -> None:
    again = config and render_tag(VIDEO, 0, config)
    data = HEADER + (again or b"") + coded(range(0, 3000, 40), key, inter) + (again or b"")
    recorder = shaped(data + coded(range(3000, 4000, 40), key, inter), RULES)
    assert len(recorder.files) == 1
    assert recorder.file.head.video is not None
    assert recorder.file.head.video.codec == codec
    assert recorder.file.head.video.config == (b"record" if config else b"")
    assert edges(recorder) == [(0, 1), (1, 2), (2, 3), (3, 4)]
    assert len(recorder.file.bodies) == 100


@pytest.mark.parametrize(
    ("codec", "config", "frame", "rate"),
    [
        pytest.param("mp3", b"", b"\x2f\xff\xfb\x90", 44100, id="mp3"),
        pytest.param("mp3", b"", b"\xe2\xff\xfb\x90", 8000, id="mp3 at 8 kHz"),
        pytest.param("pcm_alaw", b"", b"\x72abc", 8000, id="alaw"),
        pytest.param(
            "opus",
            b"\x90OpusOpusHead\x01\x02\x38\x01\x80\xbb\0\0\0\0\0",
            b"\x91Opusframe",
            48000,
            id="opus",
        ),
        pytest.param("ac3", b"", b"\x91ac-3frame", None, id="ac-3"),
        pytest.param("flac", b"\x90fLaCrecord", b"\x91fLaCframe", None, id="flac"),
    ],
)
def test_audio_codecs(codec: str, config: bytes, frame: bytes, rate: int | None) -> None:
    head = HEADER + video_config() + (render_tag(AUDIO, 0, config) if config else b"")
    media = b"".join(picture(at, key=at % 1000 == 0) + render_tag(AUDIO, at, frame) for at in range(0, 3000, 40))
    recorder = shaped(head + media, RULES)
    assert len(recorder.files) == 1
    assert recorder.file.head.audio is not None
    assert (recorder.file.head.audio.codec, recorder.file.head.audio.sample_rate) == (codec, rate)
    assert recorder.file.media == media


def test_another_codec_without_a_header_opens_another_file() -> None:
    mp3 = b"".join(
        picture(at, key=at % 1000 == 0) + render_tag(AUDIO, at, b"\x2f\xff\xfb") for at in range(2000, 3000, 40)
    )
    recorder = shaped(opening() + stream(groups(2)) + mp3, RULES)
    assert [file.head.tracks[1].codec for file in recorder.files] == ["aac", "mp3"]


def test_other_tracks_and_commands_pass_by() -> None:
    second = b"\xa6\x01avc1\x01second"  # one track, its id is 1
    command, colour = b"\x50\x00", fourcc_video(1, 4, b"colour")
    side = [render_tag(VIDEO, at, body) for at, body in ((41, second), (42, command), (43, colour), (81, second))]
    tags = list(groups(1)[0].parts())
    recorder = shaped(opening() + b"".join(tags[:6] + side + tags[6:]), RULES)
    assert len(recorder.files) == 1
    (span,) = recorder.file.spans
    assert span.frames == 25
    assert len(recorder.file.bodies) == len(tags) + 4


@pytest.mark.parametrize("piece", [50, 100_000])
@pytest.mark.parametrize("size", [10, 5000])
def test_commands_before_the_first_frame_are_bounded(piece: int, size: int) -> None:
    command = render_tag(VIDEO, 0, b"\x57\x01" + bytes(size))
    rules = FlvRules(index_room=0, hold_bytes=2000, hold_tags=8)
    recorder = shaped(opening() + command * 20 + stream(GROUPS[:2]), rules, piece=piece)
    kept = 20 % 8 if size == 10 else 0
    assert len(recorder.file.tags) == kept + sum(len(group.tags) for group in GROUPS[:2])
    assert [(span.frames, span.dropped_bytes) for span in recorder.file.spans] == [(25, 0), (25, 0)]


def test_a_file_without_pictures_says_so() -> None:
    assert shaped(HEADER + audio_config() + sound(0) * 3).file.head.data[:13] == render_file_header(
        video=False, audio=True
    )
