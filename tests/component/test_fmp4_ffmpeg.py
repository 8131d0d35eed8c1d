"""The fMP4 shaper on what ffmpeg's muxers write, judged by ffmpeg's demuxer and decoders."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from itertools import pairwise, zip_longest
from pathlib import Path
from typing import Any, NamedTuple

import av
import pytest
from tests.fmp4_source import Consumer, Written, boxes, child, read_file

from ouzel.formats.codecs import (
    nal_type,
    nals,
    obus,
    parse_adts,
    parse_av1_sequence_header,
    parse_h264_sps,
    parse_hevc_sps,
)
from ouzel.formats.fmp4 import Fmp4Pair, Fmp4Shaper, finish

PICTURE = ["-f", "lavfi", "-i", "testsrc2=s=160x90:r=25:d=4"]
SOUND = ["-f", "lavfi", "-i", "sine=d=4:r=48000"]
H264 = ["-pix_fmt", "yuv420p", "-c:v", "libx264", "-preset", "ultrafast", "-g", "25", "-bf", "2"]
X265 = ["-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=none:pools=none:frame-threads=1"]
HEVC = ["-pix_fmt", "yuv420p", *X265, "-g", "25", "-tag:v", "hvc1"]
AAC = ["-c:a", "aac"]
HLS = ["-f", "hls", "-hls_time", "1", "-hls_segment_type", "fmp4", "-hls_playlist_type", "vod"]
PLAIN = ["-f", "mp4", "-movflags"]
KEYED = "empty_moov+default_base_moof+frag_keyframe"
LATE = ["-output_ts_offset", "100000"]
CD = ["-f", "lavfi", "-i", "sine=d=4:r=44100"]
FEW = ["-f", "lavfi", "-i", "testsrc2=s=160x90:r=10:d=1"]
AV1 = ["-pix_fmt", "yuv420p", "-c:v", "libaom-av1", "-cpu-used", "8", "-g", "2"]

CASES = {
    "h264": [*PICTURE, *SOUND, *H264, *AAC, *HLS],
    "hevc": [*PICTURE, *SOUND, *HEVC, *AAC, *HLS],
    "picture": [*PICTURE, *H264, *HLS],
    "sound": [*SOUND, *AAC, *HLS],
    "negative": [*PICTURE, *H264, *HLS, "-hls_segment_options", "movflags=+negative_cts_offsets"],
    "late": [*PICTURE, *SOUND, *H264, *AAC, *LATE, *HLS, "-hls_segment_options", "movflags=+frag_discont"],
    "ranges": [*PICTURE, *SOUND, *H264, *AAC, *HLS, "-hls_flags", "single_file"],
    "absolute": [*PICTURE, *SOUND, *H264, *AAC, *PLAIN, "empty_moov", "-frag_duration", "300000"],
    "short": [*PICTURE, *SOUND, *H264, *AAC, *PLAIN, "empty_moov+default_base_moof", "-frag_duration", "100000"],
    "apart": [*PICTURE, *SOUND, *H264, *AAC, *PLAIN, KEYED + "+separate_moof"],
    "ticks": [*PICTURE, *CD, *H264, *AAC, "-video_track_timescale", "30000", *PLAIN, KEYED],
    "av1": [*FEW, *AV1, *PLAIN, KEYED],
    "opus": [*SOUND, "-c:a", "libopus", *PLAIN, "empty_moov+default_base_moof", "-frag_duration", "500000"],
}
Make = Callable[[str], list[bytes]]


def run(*command: str | Path) -> str:
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr == "", done.stderr  # not a warning
    return done.stdout


@pytest.fixture(scope="session")
def make(tmp_path_factory: pytest.TempPathFactory) -> Make:
    """The init segment and the media segments of a case, made on first use."""
    made: dict[str, list[bytes]] = {}

    def build(name: str) -> list[bytes]:
        if name not in made:
            made[name] = list(_segments(tmp_path_factory.mktemp(name), CASES[name]))
        return made[name]

    return build


def _segments(folder: Path, command: list[str]) -> Iterator[bytes]:
    hls = "hls" in command
    name = folder / ("stream.m3u8" if hls else "stream.mp4")
    subprocess.run(["ffmpeg", "-v", "error", "-y", *command, str(name)], cwd=folder, check=True)
    if not hls:
        yield from _cut(name.read_bytes(), 3)
    elif "single_file" in command:
        data = (folder / "stream.m4s").read_bytes()
        ranges = [line.split(":")[1] for line in name.read_text().splitlines() if line.startswith("#EXT-X-BYTERANGE")]
        size, start = (int(n) for n in ranges[0].split("@"))
        yield data[:start]
        for each in ranges:
            size, start = (int(n) for n in each.split("@"))
            yield data[start : start + size]
    else:
        yield (folder / "init.mp4").read_bytes()
        yield from (path.read_bytes() for path in sorted(folder.glob("*.m4s")))


def _cut(data: bytes, fragments: int) -> Iterator[bytes]:
    """A fragmented file as an init segment and segments of so many fragments each."""
    moofs = [start for name, start, _, _ in boxes(data) if name == "moof"]
    edges = [0, *moofs[::fragments], len(data)]
    yield from (data[a:b] for a, b in pairwise(edges))


def record(segments: list[bytes], shaper: Fmp4Shaper | None = None) -> Consumer:
    consumer = Consumer(shaper or Fmp4Shaper())
    for segment in segments:
        consumer.segment(segment, cuts=range(0, len(segment), 16_384))
    return consumer


def closed(file: Written, path: Path) -> Path:
    """The file as it is after closing."""
    done = finish(file.head.data, file.spans[-1].end_s, file.key_points())
    data = bytearray(file.data)
    for offset, patch in done.patches:
        data[offset : offset + len(patch)] = patch
    path.write_bytes(data + done.tail)
    return path


def probe(path: Path, *more: str) -> dict[str, Any]:
    return json.loads(run("ffprobe", "-v", "warning", *more, "-of", "json", path))


def play(path: Path) -> None:
    """Decode everything; not a warning may come of it."""
    run("ffmpeg", "-v", "warning", "-xerror", "-i", path, "-map", "0", "-f", "null", "-")


class Packet(NamedTuple):
    """Times in seconds."""

    dts: float
    pts: float
    key: bool
    data: bytes


def demux(path: Path) -> list[list[Packet]]:
    """The packets of each stream, by the library's demuxer, which is newer than the program's."""
    with av.open(str(path)) as container:
        found: list[list[Packet]] = [[] for _ in container.streams]
        for packet in container.demux():
            if packet.size:
                assert packet.dts is not None
                assert packet.pts is not None
                tick = float(packet.time_base)
                found[packet.stream_index].append(
                    Packet(packet.dts * tick, packet.pts * tick, packet.is_keyframe, bytes(packet))
                )
        return found


@pytest.mark.parametrize("name", CASES)
def test_the_file_holds_what_the_segments_held_and_plays_without_a_word(make: Make, tmp_path: Path, name: str) -> None:
    segments = make(name)
    consumer = record(segments)
    file = consumer.file
    path = closed(file, tmp_path / "out.mp4")
    joined = tmp_path / "joined.mp4"
    joined.write_bytes(b"".join(segments))

    play(path)
    streams = demux(path)
    assert len(segments) > 2
    assert [s.damage for s in file.spans] == [""] * (len(segments) - 1)
    assert [[p.data for p in stream] for stream in streams] == [[p.data for p in stream] for stream in demux(joined)]

    leading = next(n for n, track in enumerate(file.head.tracks) if track == (file.head.video or file.head.audio))
    packets = streams[leading]
    frame_s = (packets[-1].dts - packets[0].dts) / (len(packets) - 1)
    assert sum(s.frames for s in file.spans) == len(packets)
    assert sum(s.duration_s for s in file.spans) == pytest.approx(frame_s * len(packets), abs=frame_s)
    assert all(b.dts > a.dts for stream in streams for a, b in pairwise(stream))
    shown = [packet.pts for packet in packets if packet.key]
    for _, at_s in file.key_points():  # the demuxer shows frames with negative offsets one frame later
        assert any(abs(at_s - time) <= frame_s + 0.01 for time in shown)
    assert file.spans[0].independent


@pytest.mark.parametrize("name", ["h264", "late", "sound"])
def test_the_duration_is_right_as_soon_as_the_file_is_closed(make: Make, tmp_path: Path, name: str) -> None:
    file = record(make(name)).file
    path = closed(file, tmp_path / "out.mp4")

    told = probe(path, "-show_entries", "format=duration,start_time")["format"]

    assert float(told["duration"]) == pytest.approx(file.spans[-1].end_s, abs=0.1)
    assert float(told["start_time"]) == pytest.approx(0, abs=0.1)
    # what a player reads that looks at the moov only
    moov = child(path.read_bytes(), "moov")
    assert int.from_bytes(child(moov, "mvhd")[24:32], "big") == round(file.spans[-1].end_s * 1000)


def test_a_file_that_was_never_closed_plays_too(make: Make, tmp_path: Path) -> None:
    file = record(make("h264")).file
    path = tmp_path / "out.mp4.part"
    path.write_bytes(file.data)

    play(path)


def test_seeking_lands_on_a_key_frame(make: Make, tmp_path: Path) -> None:
    path = closed(record(make("h264")).file, tmp_path / "out.mp4")

    out = run("ffmpeg", "-v", "warning", "-ss", "2.5", "-i", path, "-map", "0:v", "-f", "framecrc", "-")

    assert len([line for line in out.splitlines() if not line.startswith("#")]) == pytest.approx(38, abs=2)


def test_any_range_of_chunks_behind_the_head_is_a_file(make: Make, tmp_path: Path) -> None:
    file = record(make("h264")).file
    for first, last in ((0, 2), (1, 3)):
        clip = tmp_path / f"{first}.mp4"
        clip.write_bytes(file.head.data + bytes(file.data[file.offsets[first] : file.offsets[last]]))
        play(clip)
        assert len(demux(clip)[0]) == sum(s.frames for s in file.spans[first:last])


def test_a_split_file_loses_nothing(make: Make, tmp_path: Path) -> None:
    segments = make("h264")
    consumer = Consumer(Fmp4Shaper())
    consumer.segment(segments[0])
    for number, segment in enumerate(segments[1:]):
        if number == 2:
            consumer.restart()
        consumer.segment(segment)

    assert [len(file.spans) for file in consumer.files] == [2, 2]
    names = [closed(file, tmp_path / f"{n}.mp4") for n, file in enumerate(consumer.files)]
    for path in names:
        play(path)
    assert sum(len(read_file(bytes(f.data)).tracks[1]) for f in consumer.files) == 100
    audio = [read_file(bytes(f.data)).tracks[2] for f in consumer.files]
    assert b"".join(r.data for track in audio for r in track) == b"".join(
        r.data for r in read_file(bytes(record(segments).file.data)).tracks[2]
    )


def test_a_new_init_after_a_discontinuity_opens_a_new_file(make: Make, tmp_path: Path) -> None:
    consumer = record([*make("h264"), *make("hevc"), *make("h264")])

    assert [file.head.video.codec for file in consumer.files if file.head.video] == ["h264", "hevc", "h264"]
    for number, file in enumerate(consumer.files):
        play(closed(file, tmp_path / f"{number}.mp4"))


def test_a_discontinuity_of_the_clock_stays_in_one_file(make: Make, tmp_path: Path) -> None:
    """The same show twice, the second time with times a day later, spliced: twice as long, times rise, no complaint."""
    consumer = Consumer(Fmp4Shaper())
    for name in ("h264", "late"):
        first, *rest = make(name)
        consumer.shaper.splice()
        if not consumer.files:
            consumer.segment(first)
        for segment in rest:
            consumer.segment(segment)
    path = closed(consumer.file, tmp_path / "out.mp4")

    play(path)
    assert consumer.span.end_s == pytest.approx(8, abs=0.1)
    assert len(demux(path)[0]) == 200


@pytest.mark.parametrize("end", [0.1, 0.9])
def test_a_segment_that_is_cut_off_leaves_a_file_that_plays(make: Make, tmp_path: Path, end: float) -> None:
    segments = make("h264")
    short = segments[2][: int(len(segments[2]) * end)]
    consumer = Consumer(Fmp4Shaper())
    for segment in (*segments[:2], short):
        consumer.segment(segment)
    consumer.shaper.splice()
    for segment in segments[3:]:
        consumer.segment(segment)
    path = closed(consumer.file, tmp_path / "out.mp4")

    play(path)
    assert [s.damage for s in consumer.file.spans] == ["", "truncated", "", ""]
    assert consumer.span.end_s == pytest.approx(3, abs=0.05)


def test_picture_and_sound_of_two_playlists_become_one_file(make: Make, tmp_path: Path) -> None:
    pair = Fmp4Pair()
    main, extra = Consumer(pair.main), Consumer(pair.extra)
    extra.files = main.files
    for picture, sound in zip_longest(make("picture"), make("sound"), fillvalue=b""):  # the sound has a short one more
        main.segment(picture)
        extra.segment(sound)
    path = closed(main.file, tmp_path / "out.mp4")

    play(path)
    streams = probe(path, "-show_entries", "stream=codec_name,duration,start_time")["streams"]
    assert [s["codec_name"] for s in streams] == ["h264", "aac"]
    assert all(float(s["duration"]) == pytest.approx(4, abs=0.1) for s in streams)
    both = read_file(bytes(main.file.data)).tracks
    assert [len(both[track]) for track in (1, 2)] == [
        100,
        len(read_file(bytes(record(make("sound")).file.data)).tracks[1]),
    ]


def test_a_continuous_answer_is_cut_into_chunks(make: Make, tmp_path: Path) -> None:
    consumer = Consumer(Fmp4Shaper(mode="continuous"))
    data = b"".join(make("apart"))
    consumer.segment(data, cuts=range(0, len(data), 1000))
    path = closed(consumer.file, tmp_path / "out.mp4")

    play(path)
    assert [s.frames for s in consumer.file.spans] == [25, 25, 25, 25]


# --------------------------------------------------------------------------------------- elementary streams, by the way


@pytest.mark.parametrize("size", ["162x90", "1920x1080"])
@pytest.mark.parametrize(("codec", "encoder"), [("h264", H264), ("hevc", HEVC)])
def test_parameter_sets_of_odd_sizes(codec: str, encoder: list[str], size: str) -> None:
    source = ["-f", "lavfi", "-i", f"testsrc2=s={size}:r=30000/1001", "-frames:v", "2"]
    command = ["ffmpeg", "-v", "error", *source, *encoder, "-tag:v", "0", "-f", codec, "-"]
    data = subprocess.run(command, capture_output=True, check=True).stdout
    wanted, parse = (7, parse_h264_sps) if codec == "h264" else (33, parse_hevc_sps)

    config = next(parse(data[a:b]) for a, b in nals(data) if nal_type(codec, data[a]) == wanted)

    assert f"{config.width}x{config.height}" == size
    assert config.fps == pytest.approx(30000 / 1001)


def test_parameter_sets_of_av1() -> None:
    source = ["-f", "lavfi", "-i", "testsrc2=s=162x90", "-frames:v", "2", "-pix_fmt", "yuv420p10le"]
    command = ["ffmpeg", "-v", "error", *source, "-c:v", "libaom-av1", "-cpu-used", "8", "-f", "obu", "-"]
    data = subprocess.run(command, capture_output=True, check=True).stdout

    config = next(parse_av1_sequence_header(data[a:b]) for kind, a, b in obus(data) if kind == 1)

    assert (config.width, config.height, config.bit_depth, config.chroma) == (162, 90, 10, 1)


def test_adts_frames_follow_each_other() -> None:
    command = ["ffmpeg", "-v", "error", *SOUND, "-ac", "1", *AAC, "-f", "adts", "-"]
    data = subprocess.run(command, capture_output=True, check=True).stdout
    at = samples = 0
    while at < len(data):
        frame = parse_adts(data[at : at + 9])
        at += frame.size
        samples += frame.samples

    assert at == len(data)
    assert samples / 48000 == pytest.approx(4, abs=0.05)
