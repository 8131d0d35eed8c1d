"""Sound from a playlist of its own: woven between the pictures, or made into a transport stream by itself."""

from __future__ import annotations

import struct
from random import Random

import pytest
from tests.mpegts_source import AAC_FRAME, FRAME, PMT, SPS_320, VIDEO, Show, Take, adts, noise, shaped

from ouzel.base.errors import FormatError
from ouzel.formats.mpegts import AudioPacker, TsPair, scan
from ouzel.formats.mpegts.packets import SIZE, WRAP, pid_of, read_pes, starts_unit

OWNER = b"com.apple.streaming.transportStreamTimestamp\0"


def id3(stamp: int) -> bytes:
    body = OWNER + struct.pack(">Q", stamp)
    frame = b"PRIV" + bytes((0, 0, 0, len(body), 0, 0)) + body
    return b"ID3\x04\0\0" + bytes((0, 0, 0, len(frame))) + frame


def packed(frames: int, stamp: int | None, *, rate: int = 3, first: int = 0) -> bytes:
    return (id3(stamp) if stamp is not None else b"") + b"".join(adts(first + n, rate=rate) for n in range(frames))


def order(data: bytes) -> list[tuple[int, int]]:
    """PID and time stamp of every unit, as they stand in the file."""
    out: list[tuple[int, int]] = []
    for at in range(0, len(data), SIZE):
        if starts_unit(data, at) and pid_of(data, at) not in {0, PMT}:
            pes = read_pes(data, at)
            assert pes is not None
            assert pes.dts is not None
            out.append((pid_of(data, at), pes.dts))
    return out


class Playlists:
    """A playlist of pictures and one of sound."""

    def __init__(self) -> None:
        self.pictures = Show(audio=None)
        self.sound = Show(video=None, frames_per_unit=4)

    def segments(self, pictures: int = 25) -> tuple[bytes, bytes]:
        video = self.pictures.play(pictures)
        self.sound.dts = self.sound.sound
        audio = self.sound.tables()
        while self.sound.sound < self.pictures.dts:
            audio += self.sound.sounds()
        return video, audio

    def jump(self, ticks: int) -> None:
        self.pictures.jump(ticks)
        self.sound.jump(ticks)


class PairTake(Take):
    def __init__(self, pair: TsPair) -> None:
        super().__init__()
        self.pair = pair
        self.extra: list[object] = []

    def main_segment(self, data: bytes, sizes: tuple[int, ...] = (1 << 30,)) -> None:
        self.feed(self.pair.main, data, sizes)
        self.cut(self.pair.main)

    def extra_segment(self, data: bytes, sizes: tuple[int, ...] = (1 << 30,)) -> None:
        at = turn = 0
        while at < len(data):
            piece = memoryview(bytearray(data[at : at + sizes[turn % len(sizes)]]))
            at, turn = at + len(piece), turn + 1
            assert list(self.pair.extra.feed(piece)) == []
        self.extra += self.pair.extra.cut()


def check(take: PairTake) -> None:
    """One programme of two tracks whose stamps rise, with no packet missing."""
    result = scan([bytes(take.out)])
    assert (result.continuity_errors, result.garbage_bytes, result.bad_sections) == (0, 0, 0)
    assert [r.kind for r in result.media] == ["video", "audio"]
    assert all(r.steps_back == 0 for r in result.media)


def test_sound_stands_between_the_pictures_of_its_time() -> None:
    lists, take = Playlists(), PairTake(TsPair())
    sent: list[tuple[bytes, bytes]] = []
    for _ in range(4):
        video, audio = lists.segments()
        sent.append((video, audio))
        take.extra_segment(audio)
        take.main_segment(video)
    check(take)
    assert len(take.heads) == 1
    assert [(t.kind, t.codec, t.sample_rate) for t in take.heads[0].tracks] == [
        ("video", "h264", None),
        ("audio", "aac", 48000),
    ]
    assert [s.frames for s in take.spans] == [25] * 4
    assert [round(s.end_s, 6) for s in take.spans] == [1.0, 2.0, 3.0, 4.0]
    units = order(bytes(take.out))
    latest = 0
    for pid, stamp in units:
        if pid == VIDEO:
            latest = stamp
        else:
            assert -FRAME * 13 <= stamp - latest <= 45_000  # never late by more than the first group of a chunk
    assert sum(pid != VIDEO for pid, _ in units) == sum(
        scan([audio]).media[0].units for _, audio in sent
    )  # all of it is there


@pytest.mark.parametrize("sizes", [(1,), (187, 400), (5000,)])
def test_any_split_gives_the_same_file(sizes: tuple[int, ...]) -> None:
    def record(sizes: tuple[int, ...]) -> list[object]:
        lists, take = Playlists(), PairTake(TsPair())
        for n in range(3):
            video, audio = lists.segments(10)
            take.extra_segment(audio if n != 1 else packed(20, lists.sound.sound - 20 * AAC_FRAME), sizes)
            take.main_segment(video, sizes)
        return take.log + take.extra

    assert record(sizes) == record((1 << 30,))


def test_sound_that_comes_late_is_still_taken() -> None:
    lists, take = Playlists(), PairTake(TsPair())
    for _ in range(3):
        video, audio = lists.segments()
        take.main_segment(video)
        take.extra_segment(audio)
    take.cut(take.pair.main)  # once more at the end
    check(take)
    assert len(take.heads) == 1
    assert scan([bytes(take.out)]).media[1].units * 4 * AAC_FRAME == lists.sound.sound - 126_000


def test_sound_that_lasts_longer_than_the_pictures_comes_out_at_the_end() -> None:
    lists, take = Playlists(), PairTake(TsPair())
    for n in range(20):
        video, audio = lists.segments()
        take.extra_segment(audio)
        if n < 3:
            take.main_segment(video)
    written = len(take.out)
    take.cut(take.pair.main)
    assert len(take.out) == written  # it may be that its pictures come yet
    take.pair.finish()
    take.cut(take.pair.main)
    check(take)
    assert scan([bytes(take.out)]).media[1].units * 4 * AAC_FRAME == lists.sound.sound - 126_000
    assert take.spans[-1].end_s == pytest.approx(20.0, abs=0.1)


def test_late_sound_is_written_in_front_of_a_new_file_and_what_is_early_waits() -> None:
    lists, take = Playlists(), PairTake(TsPair())
    video, late = lists.segments()
    take.main_segment(video)
    following, early = lists.segments()
    take.extra_segment(late)
    take.extra_segment(early)
    take.cut(take.pair.main)
    take.open(take.pair.main.restart())
    take.main_segment(following)
    units = [scan([file]).media[1].units for file in take.files]
    assert units == pytest.approx([scan([data]).media[0].units for data in (late, early)], abs=1)
    assert sum(units) == sum(scan([data]).media[0].units for data in (late, early))


def test_a_segment_of_pictures_is_lost() -> None:
    lists, take = Playlists(), PairTake(TsPair())
    for n in range(4):
        video, audio = lists.segments()
        take.extra_segment(audio)
        if n == 1:
            take.pair.main.splice()
        else:
            take.main_segment(video)
    check(take)
    result = scan([bytes(take.out)])
    assert take.spans[-1].end_s == pytest.approx(3.0, abs=0.1)
    assert abs(result.media[0].duration_s - result.media[1].duration_s) < 0.2
    # sound and picture of one source time stay together
    assert result.media[1].longest_step_s < 0.2


def test_a_segment_of_sound_is_lost() -> None:
    lists, take = Playlists(), PairTake(TsPair())
    for n in range(4):
        video, audio = lists.segments()
        if n == 1:
            take.pair.extra.splice()
        else:
            take.extra_segment(audio)
        take.main_segment(video)
    check(take)
    result = scan([bytes(take.out)])
    assert take.spans[-1].end_s == pytest.approx(4.0)
    assert result.media[1].longest_step_s == pytest.approx(1.0, abs=0.2)


@pytest.mark.parametrize("jump", [-90_000, 90_000 * 3000, -126_000])
def test_a_discontinuity_in_both(jump: int) -> None:
    lists, take = Playlists(), PairTake(TsPair())
    for n in range(4):
        if n == 2:
            lists.jump(jump)
            take.pair.extra.splice()
        video, audio = lists.segments()
        take.extra_segment(audio)
        if n == 2:
            take.pair.main.splice()
        take.main_segment(video)
    check(take)
    result = scan([bytes(take.out)])
    assert take.spans[-1].end_s == pytest.approx(4.0, abs=0.1)
    assert result.media[1].longest_step_s < 0.25
    assert len(take.heads) == 1


def test_a_discontinuity_that_the_sound_reaches_first() -> None:
    lists, take = Playlists(), PairTake(TsPair())
    parts = [lists.segments() for _ in range(2)]
    lists.jump(90_000 * 500)
    parts += [lists.segments() for _ in range(2)]
    for _, audio in parts[:2]:
        take.extra_segment(audio)
    take.pair.extra.splice()
    take.extra_segment(parts[2][1])
    take.main_segment(parts[0][0])
    take.main_segment(parts[1][0])
    take.pair.main.splice()
    take.main_segment(parts[2][0])
    check(take)
    assert scan([bytes(take.out)]).media[1].longest_step_s < 0.25


def test_sound_of_a_timeline_that_is_over_gives_way_to_that_of_the_new_one() -> None:
    lists, take = Playlists(), PairTake(TsPair())
    first, lost = lists.segments(), lists.segments()
    lists.jump(90_000 * 500)
    new = lists.segments()
    for _, audio in (first, lost):
        take.extra_segment(audio)
    take.main_segment(first[0])
    take.pair.extra.splice()
    take.extra_segment(new[1])
    take.pair.main.splice()
    take.main_segment(new[0])
    check(take)
    result = scan([bytes(take.out)])
    kept = scan([first[1]]).media[0].units + scan([new[1]]).media[0].units
    assert kept - 1 <= result.media[1].units <= kept + 1
    assert result.media[1].longest_step_s < 0.25


def test_main_is_taken_back_and_its_sound_with_it() -> None:
    def record(*, fail: bool) -> list[object]:
        lists, take = Playlists(), PairTake(TsPair())
        for _ in range(3):
            video, audio = lists.segments()
            take.extra_segment(audio)
            if fail:
                for _ in take.pair.main.feed(memoryview(bytearray(video[: len(video) * 2 // 3]))):
                    pass
                take.pair.main.rollback()
                list(take.pair.extra.feed(memoryview(bytearray(audio[:700]))))
                take.pair.extra.rollback()
            take.main_segment(video)
        return take.log

    plain, failed = record(fail=False), record(fail=True)
    assert [x for x in failed if not hasattr(x, "tracks")] == [x for x in plain if not hasattr(x, "tracks")]


def test_a_refused_edge_of_sound_was_never_fed() -> None:
    lists, take = Playlists(), PairTake(TsPair())
    video, audio = lists.segments()
    list(take.pair.extra.feed(memoryview(bytearray(audio))))
    for _ in take.pair.extra.cut():
        break
    take.pair.extra.rollback()
    take.extra_segment(audio)
    take.main_segment(video)
    check(take)


def test_packed_sound_beside_pictures() -> None:
    lists, take = Playlists(), PairTake(TsPair())
    stamp = 126_000
    for _ in range(3):
        video, _ = lists.segments(24)
        take.extra_segment(packed(45, stamp))
        stamp += 45 * AAC_FRAME
        take.main_segment(video)
    check(take)
    assert [t.codec for t in take.heads[0].tracks] == ["h264", "aac"]


def test_another_kind_of_sound_opens_another_file() -> None:
    lists, take = Playlists(), PairTake(TsPair())
    mp3 = b"\xff\xfb\x94\x00" + noise(1, 380)
    for n in range(3):
        video, audio = lists.segments(24)
        take.extra_segment(audio if n < 1 else id3(lists.pictures.dts - 24 * FRAME) + mp3 * 40)
        take.main_segment(video)
    assert [[t.codec for t in head.tracks] for head in take.heads] == [["h264", "aac"], ["h264", "mp3"]]
    lists.pictures.sps = SPS_320
    video, audio = lists.segments(24)
    take.extra_segment(id3(lists.pictures.dts - 24 * FRAME) + mp3 * 40)
    take.main_segment(video)
    assert take.heads[2].video is not None
    assert take.heads[2].video.width == 320
    assert pid_of(take.files[2]) == 0


def test_a_new_file_of_the_pair_has_both_tracks_in_its_tables() -> None:
    lists, take = Playlists(), PairTake(TsPair())
    for n in range(4):
        video, audio = lists.segments()
        if n == 2:
            take.open(take.pair.main.restart())
        take.extra_segment(audio)
        take.main_segment(video)
    assert [r.kind for r in scan([take.files[1]]).media] == ["video", "audio"]
    assert take.spans[2].start_s == 0.0


def test_sound_that_waits_for_nothing_is_bounded() -> None:
    lists, take = Playlists(), PairTake(TsPair(limit=20_000))
    for _ in range(20):
        _, audio = lists.segments()
        take.extra_segment(audio)
    assert sum(edge.span.dropped_bytes for edge in take.extra) > 0  # type: ignore[attr-defined]


# -- packed sound alone -------------------------------------------------------------------------------------------------


def test_packed_sound_becomes_a_transport_stream() -> None:
    segments = [packed(50, 126_000 + n * 50 * AAC_FRAME) for n in range(3)]
    take = shaped(AudioPacker(), *segments)
    assert [t.codec for t in take.heads[0].tracks] == ["aac"]
    assert [s.frames for s in take.spans] == [50] * 3
    assert [s.end_s for s in take.spans] == pytest.approx([50 * AAC_FRAME / 90_000 * n for n in (1, 2, 3)])
    assert [s.source_s for s in take.spans] == pytest.approx([1.4 + 50 * AAC_FRAME / 90_000 * n for n in range(3)])
    result = scan([bytes(take.out)])
    assert (result.continuity_errors, result.media[0].steps_back) == (0, 0)
    assert all(pid_of(chunk) == 0 for chunk in take.chunks)


@pytest.mark.parametrize("sizes", [(1,), (9, 100), (3000,)])
def test_any_split_of_packed_sound_gives_the_same(sizes: tuple[int, ...]) -> None:
    segments = [packed(20, 126_000), noise(1, 30) + packed(20, None, first=50) + b"\xff\xf1"]
    assert shaped(AudioPacker(), *segments, sizes=sizes).log == shaped(AudioPacker(), *segments).log


def test_without_stamps_time_goes_on_by_frames() -> None:
    segments = [packed(30, None, rate=4) for _ in range(40)]
    take = shaped(AudioPacker(), *segments)
    assert take.spans[-1].end_s == pytest.approx(40 * 30 * 1024 / 44100, abs=1e-4)


def test_another_rate_goes_on_in_time() -> None:
    take = shaped(AudioPacker(), packed(30, 126_000) + packed(30, None, rate=4), packed(30, None, rate=4))
    assert [h.tracks[0].sample_rate for h in take.heads] == [48000, 44100]
    assert [s.frames for s in take.spans] == [30, 30, 30]
    assert take.spans[1].source_s == pytest.approx(1.4 + 30 * 1024 / 48000)
    assert take.spans[2].source_s == pytest.approx(1.4 + 30 * 1024 / 48000 + 30 * 1024 / 44100, abs=1e-4)


def test_a_jump_of_packed_sound_is_spliced() -> None:
    shaper, take = AudioPacker(), Take()
    take.feed(shaper, packed(50, 126_000))
    take.cut(shaper)
    shaper.splice()
    take.feed(shaper, packed(50, WRAP - 10 * AAC_FRAME))
    take.cut(shaper)
    assert take.spans[1].end_s == pytest.approx(100 * AAC_FRAME / 90_000)
    result = scan([bytes(take.out)])
    assert (result.media[0].steps_back, result.continuity_errors) == (0, 0)


def test_packed_sound_taken_back() -> None:
    segments = [packed(30, None) for _ in range(3)]
    plain = shaped(AudioPacker(), *segments)
    shaper, take = AudioPacker(), Take()
    for segment in segments:
        list(shaper.feed(memoryview(bytearray(segment[:900]))))
        shaper.rollback()
        list(shaper.feed(memoryview(bytearray(segment))))
        for _ in shaper.cut():
            break
        shaper.rollback()
        take.feed(shaper, segment)
        take.cut(shaper)
    assert take.spans == plain.spans
    assert b"".join(take.chunks)[-1000:] == b"".join(plain.chunks)[-1000:]


@pytest.mark.parametrize(
    ("frame", "codec"),
    [
        (b"\xff\xfb\x94\x00" + noise(1, 380), "mp3"),
        (b"\x0b\x77\0\0\x14\x40\x40\0" + noise(1, 248 * 2), "ac3"),
    ],
)
def test_other_codecs(frame: bytes, codec: str) -> None:
    from ouzel.formats.mpegts.pack import parse_frame

    parsed = parse_frame(frame[:16])
    assert parsed is not None
    frame = frame[: parsed.size].ljust(parsed.size, b"\x55")
    take = shaped(AudioPacker(), id3(90_000) + frame * 30)
    assert take.heads[0].tracks[0].codec == codec
    assert take.heads[0].tracks[0].sample_rate == parsed.config.sample_rate
    assert take.spans[0].frames == 30


def test_damage_of_packed_sound_is_told() -> None:
    take = shaped(AudioPacker(), packed(30, 126_000) + noise(1, 50) + packed(10, None), packed(20, None)[:-5])
    assert [s.damage for s in take.spans] == ["garbage", "truncated"]
    assert take.spans[0].dropped_bytes == 50
    assert take.spans[1].dropped_bytes == 62
    assert [s.frames for s in take.spans] == [40, 19]
    with pytest.raises(FormatError, match="not packed audio"):
        shaped(AudioPacker(search_limit=10_000), Random(1).randbytes(30_000))
