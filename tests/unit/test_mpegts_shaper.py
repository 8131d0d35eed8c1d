"""The shaper on streams whose every packet is known."""

from __future__ import annotations

from itertools import pairwise
from typing import Literal

import pytest
from tests.mpegts_source import (
    AAC_FRAME,
    AUDIO,
    FRAME,
    PMT,
    SPS_320,
    VIDEO,
    Show,
    Take,
    filled_up,
    noise,
    shaped,
)

from ouzel.base.errors import Encrypted, FormatError, Unsupported
from ouzel.formats.mpegts import TsShaper, scan
from ouzel.formats.mpegts.packets import (
    NULL_PACKET,
    SIZE,
    WRAP,
    counter_of,
    is_discontinuity,
    is_random_access,
    pcr_of,
    pid_of,
    read_pes,
    render_packet,
    render_pat,
    render_pes,
    render_pmt,
    starts_unit,
)
from ouzel.formats.shape import Edge, Head, Track


def stamps(data: bytes, pid: int) -> list[int]:
    """Decode time stamps of a PID, in the order of the file."""
    found = (
        read_pes(data, at) for at in range(0, len(data), SIZE) if pid_of(data, at) == pid and starts_unit(data, at)
    )
    return [pes.dts for pes in found if pes is not None and pes.dts is not None]


def clocks(data: bytes) -> list[int]:
    return [pcr // 300 for at in range(0, len(data), SIZE) if (pcr := pcr_of(data, at)) is not None]


def tiles(take: Take) -> bool:
    return all(a.end_s == b.start_s for a, b in pairwise(take.spans))


# -- what passes --------------------------------------------------------------------------------------------------------


def test_segments_pass_byte_for_byte() -> None:
    show = Show()
    segments = [show.play(20) for _ in range(3)]
    take = shaped(TsShaper(), *segments)
    assert take.chunks == segments
    assert [(s.start_s, s.end_s, s.frames, s.independent, s.damage, s.repairs) for s in take.spans] == [
        (0.8 * n, pytest.approx(0.8 * (n + 1)), 20, True, "", ()) for n in range(3)
    ]
    assert tiles(take)
    assert take.spans[1].source_s == pytest.approx(1.4 + 0.8)
    assert len(take.heads) == 1


def test_how_long_the_sound_is_that_goes_on_beside_a_picture_that_stands_still() -> None:
    show = Show()
    segments = [show.play(25)]
    still = show.play(5)
    while show.sound < show.dts + 180_000:
        still += show.sounds()
    show.dts += 180_000
    segments += [still, show.play(25)]
    spans = shaped(TsShaper(), *segments).spans
    assert [span.duration_s for span in spans] == pytest.approx([1.0, 0.2, 3.0])
    assert [span.beside_s for span in spans] == pytest.approx([1.0, 2.2, 1.0], abs=0.1)


def test_the_head_tells_what_the_tracks_are() -> None:
    take = shaped(TsShaper(), Show().play(5))
    assert take.heads[0].tracks == (
        Track(VIDEO, "video", "h264", width=160, height=90, config=b"\x4d\x01\x08"),
        Track(AUDIO, "audio", "aac", sample_rate=48000, channels=2, config=b"\x02"),
    )
    assert take.heads[0].data == b""
    assert [pid_of(take.heads[0].preamble, at) for at in (0, SIZE)] == [0, PMT]


def test_other_streams_are_tracks_and_pass() -> None:
    show = Show()
    tables = render_pat([(9, PMT)]) + render_pmt(
        PMT, [(0x86, 0x1FE, b""), (0x1B, VIDEO, b""), (0x0F, AUDIO, b"")], pcr_pid=VIDEO, program=9
    )
    data = tables + show.play(5, tables=False) + render_packet(0x1FE, 0, b"\0" * 50, start=True) + NULL_PACKET
    shaper = TsShaper()
    take = shaped(shaper, data)
    assert take.out == data
    first = take.heads[0].tracks[0]
    assert (first.id, first.kind, first.codec) == (0x1FE, "other", "scte35")
    assert shaper.program == 9


def test_key_points_are_where_key_frames_start() -> None:
    show = Show()
    take = shaped(TsShaper(), show.play(25), show.play(15))
    assert [len(s.keys) for s in take.spans] == [3, 1]
    for span, chunk in zip(take.spans, take.chunks, strict=True):
        for key in span.keys:
            assert is_random_access(chunk, key.offset)
            pes = read_pes(chunk, key.offset)
            assert pes is not None
            assert pes.pts is not None
            assert key.at_s == pytest.approx(pes.pts / 90000 - 1.4)
    assert not take.spans[1].independent  # 25 is in the middle of a group


def test_without_the_indicator_key_frames_are_known_by_their_parameter_sets() -> None:
    take = shaped(TsShaper(), Show(indicator=False).play(25))
    assert len(take.spans[0].keys) == 3
    assert take.spans[0].independent


def test_sound_alone_is_counted_in_frames() -> None:
    show = Show(video=None)
    segments = [show.play(25), show.play(25) + show.sounds(1)]
    take = shaped(TsShaper(), *segments)
    assert take.out == b"".join(segments)
    frames = [s.frames for s in take.spans]
    assert sum(frames) * AAC_FRAME == show.sound - 126_000
    assert take.spans[-1].end_s == pytest.approx(
        (show.sound - 126_000) / 90_000
    )  # the short last unit is not overrated
    assert all(s.independent and not s.keys for s in take.spans)


def test_pictures_alone() -> None:
    take = shaped(TsShaper(), Show(audio=None).play(10))
    assert [t.kind for t in take.heads[0].tracks] == ["video"]
    assert take.spans[0].end_s == pytest.approx(0.4)


def test_a_track_that_never_comes_holds_nothing_up_for_ever() -> None:
    show = Show()
    silent = show.tables() + b"".join(show.picture() for _ in range(200))
    take = Take()
    shaper = TsShaper(hold_s=3.0)
    take.feed(shaper, silent[: len(silent) // 3])
    assert not take.heads
    take.feed(shaper, silent[len(silent) // 3 :])
    assert take.heads[0].audio is not None
    assert take.heads[0].audio.sample_rate is None
    take.cut(shaper)
    take.feed(shaper, show.play(10))  # it comes after all: that is no other file
    take.cut(shaper)
    assert len(take.heads) == 1
    assert take.spans[0].frames == 200


def test_what_is_held_is_bounded() -> None:
    shaper = TsShaper(hold_bytes=100 * SIZE)
    take = Take()
    take.feed(shaper, render_pat([(1, PMT)]) + NULL_PACKET * 98)
    with pytest.raises(FormatError, match="no programme"):
        take.feed(shaper, NULL_PACKET)


def test_a_programme_of_nothing_is_unsupported() -> None:
    data = render_pat([(1, PMT)]) + render_pmt(PMT, [(0x86, 0x1FE, b"")], pcr_pid=0x1FE) + NULL_PACKET
    with pytest.raises(Unsupported, match="neither picture nor sound"):
        shaped(TsShaper(), data)


def test_a_scrambled_programme_is_refused_as_encrypted() -> None:
    data = bytearray(Show().play(3))
    for at in range(0, len(data), SIZE):
        if pid_of(data, at) == VIDEO:
            data[at + 3] |= 0x80
    with pytest.raises(Encrypted, match="scrambled"):
        shaped(TsShaper(), bytes(data))


# -- chunks of an endless stream ----------------------------------------------------------------------------------------


def test_an_endless_stream_is_cut_in_front_of_key_frames() -> None:
    data = Show(gop=20).play(210)
    take = shaped(TsShaper("continuous", min_chunk_s=1.9), data)
    assert b"".join(take.chunks) == data
    assert [s.frames for s in take.spans] == [60, 60, 60, 30]  # groups of 0.8 s, so every third
    assert all(s.independent for s in take.spans)
    assert all(is_random_access(chunk) and pid_of(chunk) == VIDEO for chunk in take.chunks[1:])
    assert tiles(take)


def test_without_key_frames_it_is_cut_all_the_same() -> None:
    take = shaped(TsShaper("continuous", max_chunk_s=4.0), Show(gop=1000).play(250))
    assert [s.frames for s in take.spans] == [100, 100, 50]
    assert [s.independent for s in take.spans] == [True, False, False]


def test_sound_alone_is_cut_after_the_shortest_time() -> None:
    take = shaped(TsShaper("continuous"), Show(video=None).play(150))
    assert all(1.9 <= s.duration_s < 2.1 for s in take.spans[:-1])
    assert tiles(take)


def test_when_the_picture_stops_the_sound_is_still_cut() -> None:
    show = Show()
    data = show.play(50) + b"".join(show.sounds() for _ in range(500))
    take = shaped(TsShaper("continuous"), data)
    assert b"".join(take.chunks) == data
    assert take.spans[-1].end_s == pytest.approx((show.sound - 126_000) / 90_000, abs=0.1)
    assert max(s.duration_s for s in take.spans) < 12.5


def test_a_stream_joined_in_the_middle_begins_with_tables_and_is_not_independent() -> None:
    show = Show(gop=20)
    show.play(7)
    late = show.play(7, tables=False) + show.tables() + show.play(100, tables=False)
    take = shaped(TsShaper("continuous"), late)
    assert pid_of(take.heads[0].data) == 0
    assert take.out == take.heads[0].data + late
    assert not take.spans[0].independent
    assert take.spans[1].independent


# -- files --------------------------------------------------------------------------------------------------------------


def test_a_restart_in_an_endless_stream_opens_a_file_with_tables_in_front() -> None:
    data = Show(gop=20).play(210)
    shaper, take = TsShaper("continuous"), Take()
    for op in shaper.feed(memoryview(bytearray(data))):
        take.take([op])
        if isinstance(op, Edge):
            take.open(shaper.restart())
    take.cut(shaper)
    assert b"".join(take.chunks) == data
    assert all(s.start_s == 0.0 for s in take.spans)
    for file in take.files[1:]:
        assert [pid_of(file, at) for at in (0, SIZE)] == [0, PMT]
        assert scan([file]).continuity_errors == 0
        assert stamps(file, VIDEO)[0] > 126_000  # the source's own stamps go on


def test_a_restart_between_segments_that_bring_their_tables_adds_nothing() -> None:
    show = Show()
    shaper, take = TsShaper(), Take()
    segments = [show.play(10) for _ in range(3)]
    for segment in segments:
        take.feed(shaper, segment)
        take.cut(shaper)
        assert shaper.restart().data == b""
    assert take.chunks == segments


def test_a_restart_between_segments_without_tables_puts_them_in_front() -> None:
    show = Show()
    shaper, take = TsShaper(), Take()
    take.feed(shaper, show.tables())  # an init segment
    for _ in range(2):
        take.feed(shaper, show.play(10, tables=False))
        take.cut(shaper)
    take.open(shaper.restart())
    take.feed(shaper, show.play(10, tables=False))
    take.cut(shaper)
    assert [pid_of(take.files[1], at) for at in (0, SIZE)] == [0, PMT]
    assert take.spans[2].start_s == 0.0


@pytest.mark.parametrize(
    "change",
    [
        {"sps": SPS_320},
        {"rate": 4},
        {"channels": 1},
        {"video": 0x200},
        {"audio": 0x201},
        {"audio": None},
    ],
)
@pytest.mark.parametrize("where", ["segment", "splice", "inside"])
def test_other_tracks_open_another_file(change: dict[str, object], where: str) -> None:
    show = Show()
    before = show.play(20)
    for name, value in change.items():
        setattr(show, name, value)
    after = show.play(20)
    shaper, take = TsShaper(), Take()
    take.feed(shaper, before)
    if where != "inside":
        take.cut(shaper)
    if where == "splice":
        shaper.splice()
    take.feed(shaper, after)
    take.cut(shaper)
    assert len(take.heads) == 2
    assert b"".join(take.chunks) == before + after
    assert take.spans[-1].start_s == 0.0
    assert sum(s.frames for s in take.spans) == 40
    for file in take.files:
        assert pid_of(file) == 0
        result = scan([file])
        assert (result.continuity_errors, result.garbage_bytes) == (0, 0)


def test_a_longer_way_to_the_parameter_set_is_waited_for() -> None:
    show = Show(sei=2000)
    before = show.play(20)
    show.sps = SPS_320
    after = show.play(20)
    for sizes in ([1 << 30], [400]):
        take = shaped(TsShaper(), before, after, sizes=sizes)
        assert [t.video.width for t in take.heads if t.video] == [160, 320]
        assert take.files[1][: len(after)] == after


def test_the_same_again_opens_nothing() -> None:
    show = Show()
    shaper, take = TsShaper(), Take()
    segments: list[bytes] = []
    for version in (0, 1, 2, 3):
        show.version = version
        segments.append(show.play(20))
        take.feed(shaper, segments[-1], [SIZE])
        take.cut(shaper)
        if version < 2:
            shaper.splice()
    assert len(take.heads) == 1
    assert take.chunks == segments


def test_a_map_that_lists_one_more_subtitle_opens_nothing() -> None:
    show = Show()
    take = shaped(
        TsShaper(),
        show.play(5)
        + render_pmt(
            PMT,
            [(0x1B, VIDEO, b""), (0x0F, AUDIO, b""), (0x06, 0x1FF, b"\x59\x00")],
            pcr_pid=VIDEO,
            version=1,
            counter=show.counters[PMT],
        )
        + show.play(5, tables=False),
    )
    assert len(take.heads) == 1
    assert take.spans[0].damage == ""


def test_a_map_that_changes_while_the_first_tracks_are_waited_for() -> None:
    show = Show()
    first = show.tables() + b"".join(show.picture() for _ in range(5))  # its sound has not come yet
    show.video, show.audio, show.version = 0x200, 0x201, 1
    second = show.play(20)
    for sizes in ([1 << 30], [500]):
        take = shaped(TsShaper(), first + second, sizes=sizes)
        assert [[t.id for t in head.tracks] for head in take.heads] == [[VIDEO, AUDIO], [0x200, 0x201]]
        assert [s.frames for s in take.spans] == [5, 20]
        assert take.files[1].endswith(second[SIZE:])  # the PAT came before it was known


def test_how_long_tracks_are_waited_for_does_not_depend_on_the_pieces() -> None:
    show = Show()
    data = show.tables() + b"".join(show.picture() for _ in range(20)) + show.sounds()
    assert len(data) > 100 * SIZE
    logs = [shaped(TsShaper(hold_bytes=50 * SIZE), data, sizes=sizes).log for sizes in ([1 << 30], [188], [7000])]
    assert logs[0] == logs[1] == logs[2]
    assert isinstance(logs[0][0], Head)
    assert logs[0][0].audio is not None
    assert logs[0][0].audio.sample_rate is None


def test_a_parameter_set_out_of_reach_does_not_turn_the_shaper_in_circles() -> None:
    show = Show(sei=1500)
    take = Take()
    shaper = TsShaper(hold_bytes=20 * SIZE)
    take.feed(shaper, show.play(10))
    take.cut(shaper)
    show.sps = SPS_320
    take.feed(shaper, show.tables() + NULL_PACKET * 10 + show.play(30, tables=False))
    take.cut(shaper)
    assert sum(s.frames for s in take.spans) == 40


def test_packets_without_any_table_in_front_are_forgotten_at_the_cut() -> None:
    shaper, take = TsShaper(), Take()
    stray = Show(audio=None)
    take.feed(shaper, stray.play(8, tables=False))
    take.cut(shaper)
    assert not take.heads
    data = Show().play(20)
    take.feed(shaper, data)
    take.cut(shaper)
    assert take.out == data
    assert take.heads[0].audio is not None
    assert take.heads[0].audio.sample_rate == 48000


def test_half_a_table_in_front_of_a_splice_is_not_completed_behind_it() -> None:
    show = Show()
    long = render_pmt(PMT, [(0x1B, VIDEO + n, b"\x05\x04test") for n in range(30)], pcr_pid=VIDEO, version=1)
    shaper, take = TsShaper(), Take()
    take.feed(shaper, show.play(10) + long[:SIZE])
    take.cut(shaper)
    shaper.splice()
    take.feed(shaper, render_packet(PMT, 1, noise(1, 184)) + show.play(10))
    take.cut(shaper)
    assert shaper.bad_sections == 0
    assert len(take.heads) == 1


def test_a_break_that_the_source_announces_is_not_announced_again() -> None:
    show = Show()
    segments = [show.play(10)]
    show.counters = {pid: count + 7 for pid, count in show.counters.items()}
    announced = b"".join(
        render_packet(pid, count - 1, discontinuity=True) for pid, count in sorted(show.counters.items())
    )
    segments.append(announced + show.play(10))
    take = shaped(TsShaper(), *segments)
    assert take.chunks[1].count(announced[:SIZE]) == 1
    assert scan([bytes(take.out)]).continuity_errors == 0


def test_joints_do_not_go_into_a_file_that_they_have_nothing_to_join_in() -> None:
    show = Show(gop=50)
    shaper, take = TsShaper("continuous", hold_s=0.0), Take()
    take.feed(shaper, show.play(10))
    take.cut(shaper)
    shaper.splice()
    show.counters = {pid: count + 7 for pid, count in show.counters.items()}
    show.number = 0
    data = show.tables() + b"".join(show.picture() for _ in range(60)) + show.sounds()
    for op in shaper.feed(memoryview(bytearray(data))):
        take.take([op])
        if isinstance(op, Edge):
            take.open(shaper.restart())
    take.cut(shaper)
    assert len(take.files) == 2
    assert not any(is_discontinuity(take.files[1], at) for at in range(0, len(take.files[1]), SIZE))


def test_a_subtitle_that_is_listed_later_moves_with_the_others() -> None:
    show = Show()
    shaper, take = TsShaper(), Take()
    take.feed(shaper, show.play(20))
    take.cut(shaper)
    shaper.splice()
    show.jump(9_000_000)
    streams = [(0x1B, VIDEO, b""), (0x0F, AUDIO, b""), (0x06, 0x1FF, b"\x59\x00")]
    data = show.play(5) + render_pmt(PMT, streams, pcr_pid=VIDEO, version=1, counter=show.counters[PMT])
    show.counters[PMT] += 1
    data += render_pes(0x1FF, 0xBD, b"text", pts=show.dts + 900) + show.play(5, tables=False)
    for sizes in ([1 << 30], [500]):
        shaper, take = TsShaper(), Take()
        take.feed(shaper, Show().play(20))
        take.cut(shaper)
        shaper.splice()
        take.feed(shaper, data, sizes)
        take.cut(shaper)
        assert len(take.heads) == 1
        assert take.spans[1].damage == ""
        pictures = stamps(bytes(take.out), VIDEO)
        assert stamps(bytes(take.out), 0x1FF) == [pictures[25] + 900]


# -- time ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["segments", "continuous"])
@pytest.mark.parametrize("jump", [-126_000, 90_000 * 3600, -90_000 * 1, WRAP // 2 - 5])
def test_after_a_splice_all_stamps_rise_and_no_counter_jumps(mode: str, jump: int) -> None:
    show = Show()
    shaper, take = TsShaper(mode), Take()  # type: ignore[arg-type]
    take.feed(shaper, show.play(20))
    take.cut(shaper)
    shaper.splice()
    show.jump(jump)
    show.counters = {pid: count + 5 for pid, count in show.counters.items()}
    after = show.play(20)
    take.feed(shaper, after)
    take.cut(shaper)
    result = scan([bytes(take.out)])
    assert result.continuity_errors == 0
    assert all(pid.steps_back == 0 for pid in result.media)
    assert result.media[0].longest_step_s < 0.15
    assert tiles(take)
    assert take.spans[-1].end_s == pytest.approx(1.6, abs=0.12)
    assert [r.code for r in take.spans[1].repairs] == ["splice"]
    assert take.spans[1].source_s == pytest.approx((126_000 + 20 * FRAME + jump) % WRAP / 90_000)
    joints = [at for at in range(0, len(take.out), SIZE) if is_discontinuity(take.out, at)]
    assert sorted(pid_of(take.out, at) for at in joints) == [0, VIDEO, AUDIO, PMT]
    pictures, pcrs = stamps(take.out, VIDEO), clocks(take.out)
    assert [p - c for p, c in zip(pictures, pcrs, strict=True)] == [9000] * 40
    keys = [key for span in take.spans for key in span.keys]
    chunks = [take.chunks[n] for n, span in enumerate(take.spans) for _ in span.keys]
    assert all(is_random_access(chunk, key.offset) for key, chunk in zip(keys, chunks, strict=True))


@pytest.mark.parametrize("last", [1, 3, 12])
def test_a_short_last_unit_of_sound_leaves_no_hole_behind_it(last: int) -> None:
    show = Show(frames_per_unit=12)
    shaper, take = TsShaper(), Take()
    data = show.tables() + b"".join(show.picture() for _ in range(20)) + show.sounds() * 1 + show.sounds()
    data += show.sounds() + show.sounds(last)
    ahead = max(0, show.sound - show.dts)
    for sizes in ([1 << 30], [400]):
        shaper, take = TsShaper(), Take()
        take.feed(shaper, data, sizes)
        take.cut(shaper)
        shaper.splice()
        again = Show(dts=5_000_000, sound=5_000_000)
        take.feed(shaper, again.play(20), sizes)
        take.cut(shaper)
        pictures = stamps(bytes(take.out), VIDEO)
        assert pictures[20] - pictures[19] == FRAME + ahead


def test_a_very_long_unit_does_not_make_all_others_short_for_ever() -> None:
    show = Show(size=100)
    shaper = TsShaper("continuous")
    take = Take()
    data = show.tables() + show.picture() + show.sounds(200)
    take.feed(shaper, data + b"".join(show.picture() + show.sounds() for _ in range(100)))
    lane = shaper._flow.lanes[AUDIO]
    assert lane.usual < 2 * len(show.sounds())


def test_a_splice_that_is_none_changes_nothing() -> None:
    show = Show()
    shaper, take = TsShaper(), Take()
    segments = [show.play(20), show.play(20)]
    take.feed(shaper, segments[0])
    take.cut(shaper)
    shaper.splice()
    take.feed(shaper, segments[1])
    take.cut(shaper)
    assert take.chunks == segments
    assert take.spans[1].repairs == ()


def test_counters_that_start_again_with_each_segment_are_joined() -> None:
    show, segments = Show(), []
    for _ in range(3):
        show.counters.clear()
        segments.append(show.play(21))
    take = shaped(TsShaper(), *segments)
    assert [s.damage for s in take.spans] == [""] * 3
    assert scan([bytes(take.out)]).continuity_errors == 0
    assert scan(segments).continuity_errors > 0
    plain = b"".join(
        take.out[at : at + SIZE] for at in range(0, len(take.out), SIZE) if not is_discontinuity(take.out, at)
    )
    assert plain == b"".join(segments)


@pytest.mark.parametrize("jump", [90_000 * 5, -90_000 * 5, 90_000 * 5000])
def test_an_undeclared_jump_is_bridged(jump: int) -> None:
    show = Show(gop=10)
    before = show.play(60)
    show.jump(jump)
    data = before + show.play(60)
    take = shaped(TsShaper("continuous"), data)
    result = scan([bytes(take.out)])
    assert all(pid.steps_back == 0 for pid in result.media)
    assert result.media[0].longest_step_s < 0.15
    assert take.spans[-1].end_s == pytest.approx(120 * 0.04, abs=0.1)
    assert "jump" in [r.code for s in take.spans for r in s.repairs]
    assert tiles(take)


@pytest.mark.parametrize(
    ("jump", "repaired"), [(-90_000 * 5, True), (-90_000 * 11, True), (90_000 * 11, True), (-30_000, False)]
)
def test_in_segments_a_step_back_is_a_jump_and_a_hole_is_none(jump: int, repaired: bool) -> None:
    show = Show()
    first = show.play(30)
    show.jump(jump)
    take = shaped(TsShaper(), first, show.play(30))
    dts = stamps(bytes(take.out), VIDEO)
    assert all(b > a for a, b in pairwise(dts))
    assert ("jump" in [r.code for r in take.spans[1].repairs]) == repaired
    if repaired:
        assert take.spans[1].end_s == pytest.approx(2.4, abs=0.1)


def test_a_hole_within_the_tolerance_stays() -> None:
    show = Show()
    before = show.play(20)
    show.jump(90_000 * 6)
    take = shaped(TsShaper(), before, show.play(20))
    assert take.spans[-1].end_s == pytest.approx(1.6 + 6.0)
    assert take.spans[1].repairs == ()
    take = shaped(TsShaper(tolerance_s=2.0), before, b"")
    assert take.spans[0].end_s == pytest.approx(0.8)


def test_a_pause_of_the_picture_alone_keeps_sound_and_picture_together() -> None:
    show = Show(gop=10)
    data = show.play(60)
    data += b"".join(show.sounds() for _ in range(60))  # the picture is gone for 3.8 s
    show.dts = show.sound
    data += show.play(60)
    take = shaped(TsShaper("continuous"), data)
    assert take.out == data
    assert all(not s.repairs for s in take.spans)


def test_stamps_wrap_and_time_goes_on() -> None:
    show = Show(dts=WRAP - 30 * FRAME, sound=WRAP - 30 * FRAME)
    segments = [show.play(20) for _ in range(3)]
    take = shaped(TsShaper(), *segments)
    assert take.chunks == segments
    assert [s.end_s for s in take.spans] == pytest.approx([0.8, 1.6, 2.4])
    assert [s.source_s for s in take.spans] == pytest.approx([WRAP / 90_000 - 1.2 + 0.8 * n for n in range(3)])


def test_stamps_that_wrap_after_a_splice() -> None:
    show = Show()
    shaper, take = TsShaper(), Take()
    take.feed(shaper, show.play(20))
    take.cut(shaper)
    shaper.splice()
    show.dts = show.sound = WRAP - 10 * FRAME
    take.feed(shaper, show.play(20))
    take.cut(shaper)
    assert [b - a for a, b in pairwise(stamps(take.out, VIDEO))].count(FRAME) >= 38
    assert take.spans[-1].end_s == pytest.approx(1.6, abs=0.1)


def test_equal_stamps_are_told_apart_by_one_tick_and_nothing_drifts() -> None:
    show = Show(audio=None)
    data = show.tables()
    for _ in range(20):
        data += show.picture()
        show.dts -= FRAME
        data += show.picture()
    take = shaped(TsShaper(), data)
    dts = stamps(take.out, VIDEO)
    assert all(b > a for a, b in pairwise(dts))
    assert dts[::2] == [126_000 + n * FRAME for n in range(20)]


# -- damage -------------------------------------------------------------------------------------------------------------


def test_a_lost_packet_is_damage_of_its_chunk_only() -> None:
    show = Show()
    segments = [show.play(20) for _ in range(3)]
    at = next(at for at in range(30 * SIZE, len(segments[1]), SIZE) if not starts_unit(segments[1], at))
    segments[1] = segments[1][:at] + segments[1][at + SIZE :]
    take = shaped(TsShaper(), *segments)
    assert [s.damage for s in take.spans] == ["", "continuity", ""]
    assert take.out == b"".join(segments)


def test_a_packet_marked_as_damaged_is_damage() -> None:
    data = bytearray(Show().play(20))
    data[30 * SIZE + 1] |= 0x80
    assert shaped(TsShaper(), bytes(data)).spans[0].damage == "continuity"


def test_garbage_is_dropped_and_counted() -> None:
    show = Show()
    data = show.play(20)
    take = shaped(TsShaper(), data[: 30 * SIZE] + noise(1, 300) + data[30 * SIZE :])
    assert take.out == data
    assert (take.spans[0].damage, take.spans[0].dropped_bytes) == ("garbage", 300)


def test_a_torn_segment_leaves_whole_units_only() -> None:
    show = Show()
    whole = show.play(20)
    take = shaped(TsShaper(), show.play(20), whole[:-1])
    span = take.spans[1]
    assert span.damage == "truncated"
    assert span.dropped_bytes == SIZE - 1
    assert span.excess > 0
    result = scan([bytes(take.out)])
    assert result.garbage_bytes == 0
    assert result.media[0].units == take.spans[0].frames + span.frames
    assert tiles(take)
    # what follows is joined although its counters happen to go on
    shaper, take = TsShaper(), Take()
    show = Show()
    first, second, third = show.play(20), show.play(20), show.play(20)
    for n, segment in enumerate((first, second[:-1], third)):
        if n == 2:
            shaper.splice()
        take.feed(shaper, segment)
        take.cut(shaper)
    result = scan([bytes(take.out)])
    assert result.continuity_errors == 0
    assert all(pid.steps_back == 0 for pid in result.media)


@pytest.mark.parametrize("mode", ["segments", "continuous"])
def test_a_last_picture_that_fills_its_packets_is_whole_unless_the_end_is_a_break(
    mode: Literal["segments", "continuous"],
) -> None:
    show = Show(gop=50)
    data = filled_up(show.play(20))
    take = shaped(TsShaper(mode), data)
    assert take.out == data
    assert [(s.frames, s.damage, s.excess) for s in take.spans] == [(20, "", 0)]
    shaper, take = TsShaper(mode), Take()
    take.feed(shaper, data)
    take.cut(shaper, broken=True)
    assert [s.frames for s in take.spans] == [19]
    assert take.spans[0].excess == len(data) - len(take.out)
    assert tiles(take)


def test_a_unit_that_is_shorter_than_declared_is_truncation() -> None:
    show = Show(frames_per_unit=12)
    whole = show.play(20)
    last = max(at for at in range(0, len(whole), SIZE) if pid_of(whole, at) == AUDIO)
    for shaper, segments in ((TsShaper(), (whole, whole[:last])), (TsShaper("continuous"), (whole[:last],))):
        take = shaped(shaper, *segments)
        assert take.spans[-1].damage == "truncated"
        assert take.spans[-1].excess > 0
        assert scan([take.chunks[-1]]).media[1].units == scan([whole]).media[1].units - 1
    take = shaped(TsShaper(), whole[:last])  # the first segment of a source may end like that always
    assert (take.spans[0].damage, take.spans[0].excess) == ("truncated", 0)


def test_units_that_span_segments_are_no_truncation() -> None:
    show = Show(frames_per_unit=12)
    whole = show.play(100)
    cuts = [at for at in range(SIZE, len(whole), SIZE) if pid_of(whole, at) == AUDIO and not starts_unit(whole, at)]
    parts = [whole[a:b] for a, b in pairwise([0, *cuts[5::9], len(whole)])]
    take = shaped(TsShaper(), *parts)
    assert take.out == whole
    assert [s.damage for s in take.spans][1:] == [""] * (len(parts) - 1)
    assert all(s.excess == 0 for s in take.spans)


def test_a_segment_of_tables_only_has_no_media() -> None:
    show = Show()
    take = shaped(TsShaper(), show.play(10), show.tables(), show.play(10))
    assert [(s.damage, s.duration_s > 0) for s in take.spans] == [("", True), ("no_media", False), ("", True)]
    assert tiles(take)


def test_a_segment_of_sound_only_still_takes_time() -> None:
    show = Show()
    first = show.play(20)
    second = show.tables() + b"".join(show.sounds() for _ in range(10))
    take = shaped(TsShaper(), first, second)
    assert take.spans[1].duration_s == pytest.approx(30 * AAC_FRAME / 90_000, abs=0.07)


def test_what_holds_nothing_whole_makes_no_chunk_but_is_counted_in_the_next() -> None:
    show = Show()
    take = Take()
    shaper = TsShaper()
    take.feed(shaper, b"\x47" * 100)
    take.cut(shaper)
    assert not take.spans
    take.feed(shaper, show.play(10))
    take.cut(shaper)
    assert take.spans[0].dropped_bytes == 100
    assert take.spans[0].damage == ""


@pytest.mark.parametrize("step", range(16))
def test_behind_a_torn_end_no_counter_seems_to_go_on(step: int) -> None:
    show = Show()
    shaper, take = TsShaper("continuous"), Take()
    data = show.play(20)
    take.feed(shaper, data[: -3 * SIZE - 1])
    take.cut(shaper)
    assert take.spans[0].excess > 0
    shaper.splice()
    show.counters = {pid: count + step for pid, count in show.counters.items()}
    take.feed(shaper, show.play(20))
    take.cut(shaper)
    assert scan([bytes(take.out)]).continuity_errors == 0


def test_a_torn_end_is_cut_back_within_its_chunk_only() -> None:
    show = Show(gop=50, frames_per_unit=60)
    data, sound = show.play(50), show.sounds()
    data += sound[: 10 * SIZE] + show.picture() + show.picture() + sound[10 * SIZE : 15 * SIZE]
    take = shaped(TsShaper("continuous"), data + b"\x47")
    assert [s.frames for s in take.spans] == [50, 2]
    assert [s.excess for s in take.spans] == [0, 0]
    assert take.spans[1].damage == "truncated"


def test_where_tracks_are_woven_a_break_leaves_whole_pictures_and_no_blame() -> None:
    """No end of such a file is one for all tracks: units of sound go on behind the pictures."""
    show = Show(gop=25, frames_per_unit=40)
    pictures, sounds = [show.picture() for _ in range(75)], b"".join(show.sounds() for _ in range(5))
    woven = [picture + sounds[n * SIZE :][:SIZE] for n, picture in enumerate(pictures)]
    data = Show().tables() + b"".join(woven)
    at = data.index(pictures[74])
    for end in (at, at + SIZE, at + SIZE + 5, len(data)):
        shaper, take = TsShaper("continuous"), Take()
        take.feed(shaper, data[:end])
        take.cut(shaper, broken=True)
        assert [(s.frames, s.damage) for s in take.spans] == [(25, ""), (25, ""), (25 if end == len(data) else 24, "")]
        again = shaped(TsShaper("continuous"), bytes(take.out))
        assert again.spans == [s._replace(excess=0, dropped_bytes=0) for s in take.spans]


def test_garbage_behind_what_is_held_belongs_to_the_chunk_that_it_is_in() -> None:
    show = Show(gop=50, sei=3000)
    before, after = show.play(50), show.play(60, tables=False)
    data = before + after[: 2 * SIZE] + noise(1, 300) + after[2 * SIZE :]
    for sizes in ([1 << 30], [1000], [188]):
        take = shaped(TsShaper("continuous"), data, sizes=sizes)
        assert [(s.damage, s.dropped_bytes) for s in take.spans] == [("", 0), ("garbage", 300), ("", 0)][
            : len(take.spans)
        ]


# -- going back ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("splice", [False, True])
def test_a_chunk_taken_back_was_never_fed(splice: bool) -> None:
    show = Show()
    first = show.play(20)
    if splice:
        show.jump(90_000 * 1000)
    second, third = show.play(20), show.play(20)
    show.sps = SPS_320
    other = show.play(20)

    def record(*wrong: bytes) -> Take:
        shaper, take = TsShaper(), Take()
        take.feed(shaper, first)
        take.cut(shaper)
        if splice:
            shaper.splice()
        for data in wrong:
            Take(heads=take.heads[:], files=[b""]).feed(shaper, data)
            shaper.rollback()
        for segment in (second, third):
            take.feed(shaper, segment)
            take.cut(shaper)
        return take

    expected = record()
    for wrong in (second[:1000], second[: len(second) // 2], other, noise(1, 5000), third):
        assert record(wrong).log == expected.log
    assert record(second, other, b"\x47").log == expected.log


def test_a_stream_of_another_packet_size_is_converted() -> None:
    data = Show().play(20)
    stamped = b"".join(b"\0\0\0\1" + data[at : at + SIZE] for at in range(0, len(data), SIZE))
    take = shaped(TsShaper(), stamped)
    assert take.out == data
    assert (take.spans[0].damage, take.spans[0].dropped_bytes) == ("", 0)


def test_tables_with_a_wrong_checksum_are_counted() -> None:
    show = Show()
    broken = bytearray(show.tables())
    broken[SIZE + 20] ^= 0xFF
    shaper = TsShaper()
    take = shaped(shaper, bytes(broken) + show.play(10))
    assert shaper.bad_sections == 1
    assert take.spans[0].frames == 10


def test_the_counters_of_rendered_tables_lead_up_to_those_that_follow() -> None:
    show = Show()
    show.play(3)
    late = show.play(5, tables=False) + show.tables() + show.play(5, tables=False)
    take = shaped(TsShaper(), late)
    first = take.heads[0].data
    assert (counter_of(first) + 1) & 15 == 1
    assert scan([bytes(take.out)]).pids[PMT].continuity_errors == 0
